declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Meta's message id (`wamid.…`), unique within one business number (rules.md F2). */
export type MessageId = Branded<'MessageId'>;
/** Meta's id of a business phone number. */
export type PhoneNumberId = Branded<'PhoneNumberId'>;
/**
 * Digits of the customer's `wa_id`, else the business-scoped `user_id`; for a group its id; empty when no event names
 * one (F3).
 */
export type Customer = Branded<'Customer'>;
/** Meta's id of a WhatsApp business account (the Messaging account keeps it). */
export type WabaId = Branded<'WabaId'>;

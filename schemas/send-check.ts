import { z } from 'zod';
import { customerNames } from './event.ts';

/** Size limit of a body: 10,000 recipients and a template with all its components fit in. */
export const MAX_SEND_CHECK_BYTES = 1024 * 1024;
/** Recipients of one call. */
export const MAX_RECIPIENTS = 10_000;

/** Types of messages that the Cloud API sends, each with the name of the object that holds the content. */
const SEND_TYPES = [
  'template',
  'text',
  'image',
  'video',
  'audio',
  'document',
  'sticker',
  'location',
  'contacts',
  'interactive',
  'reaction',
] as const;
type SendType = (typeof SEND_TYPES)[number];

const name = z.string().min(1).max(128);
const content = z.looseObject({});
const media = z
  .looseObject({ id: z.string().min(1).optional(), link: z.string().min(1).optional() })
  .refine(({ id, link }) => (id === undefined) !== (link === undefined), 'give either "id" or "link"');

const template = z.looseObject({
  name: z.string().min(1).max(512),
  language: z.union([z.looseObject({ code: z.string().min(1).max(20) }), z.string().min(1).max(20)]).optional(),
  components: z.array(content).optional(),
  /** Not a field of Meta's: the category of a template that the ledger does not know. */
  category: z.string().min(1).max(64).optional(),
});

const bodySchema = z.strictObject({
  phone_number_id: z.string({ error: 'say from which business number: its id, as text' }).min(1).max(64),
  messaging_product: z.literal('whatsapp').optional(),
  recipient_type: z.enum(['individual', 'group']).optional(),
  to: name.optional(),
  recipient: name.optional(),
  /** Instead of `to` or `recipient`: numbers and business-scoped ids. */
  recipients: z
    .array(name)
    .min(1)
    .max(MAX_RECIPIENTS, `at most ${MAX_RECIPIENTS} recipients fit in one call`)
    .optional(),
  /** Whether the answer for many recipients has a line for each. */
  lines: z.boolean().optional(),
  type: z.enum(SEND_TYPES).optional(),
  context: z.looseObject({ message_id: z.string().min(1) }).optional(),
  biz_opaque_callback_data: z.string().max(512).optional(),
  template: template.optional(),
  text: z.looseObject({ body: z.string().min(1).max(4096) }).optional(),
  image: media.optional(),
  video: media.optional(),
  audio: media.optional(),
  document: media.optional(),
  sticker: media.optional(),
  location: z
    .looseObject({ latitude: z.union([z.number(), z.string()]), longitude: z.union([z.number(), z.string()]) })
    .optional(),
  contacts: z.array(content).min(1).optional(),
  interactive: z.looseObject({ type: z.string().min(1) }).optional(),
  reaction: z.looseObject({ message_id: z.string().min(1), emoji: z.string().max(64) }).optional(),
});
type Body = z.infer<typeof bodySchema>;

/** The recipient, by the ledger's name. */
export interface Recipient {
  readonly is_group: boolean;
  readonly name: string;
}

/** A message that somebody wants to send. */
export interface SendRequest {
  readonly phone_number_id: string;
  readonly recipients: readonly Recipient[];
  /** Whether a list of recipients was given; the answer then has totals. */
  readonly is_list: boolean;
  readonly lines: boolean;
  readonly type: SendType;
  /** Empty unless it is a template; the same holds for the two fields below. */
  readonly template_name: string;
  readonly template_language: string;
  /** As in the request, or empty. */
  readonly template_category: string;
}

export type ParsedSendRequest =
  { readonly ok: true; readonly request: SendRequest } | { readonly ok: false; readonly message: string };

function refuse(message: string): ParsedSendRequest {
  return { ok: false, message };
}

function issueMessage(error: z.ZodError): string {
  const said = error.issues.slice(0, 5).map((issue) => {
    if (issue.code === 'unrecognized_keys') {
      const where = issue.path.length === 0 ? 'The body' : `Field "${issue.path.join('.')}"`;
      return `${where} has fields that are not known here: ${issue.keys.join(', ')}.`;
    }
    const where = issue.path.length === 0 ? 'The body' : `Field "${issue.path.join('.')}"`;
    return `${where}: ${issue.message}.`;
  });
  return said.join(' ');
}

const DIGIT = /[0-9]/;

/** A customer's name in the form of events (rules.md F2); null when it is none. */
function recipientOf(given: string): Recipient | null {
  const { wa_id, user_id } = customerNames(given.trim(), '');
  const called = wa_id === '' ? user_id : wa_id;
  return called === '' || !DIGIT.test(called) ? null : { is_group: false, name: called };
}

function recipientsOf(body: Body): readonly Recipient[] | string {
  if (body.recipients !== undefined) {
    if (body.to !== undefined || body.recipient !== undefined)
      return 'Give "recipients", or one of "to" and "recipient", not both.';
    if (body.recipient_type === 'group') return 'A list of recipients cannot be of groups: check one group at a time.';
    const found: Recipient[] = [];
    for (const [i, given] of body.recipients.entries()) {
      const one = recipientOf(given);
      if (one === null)
        return `Field "recipients.${i}": "${given.slice(0, 40)}" is neither a phone number nor a business-scoped id.`;
      found.push(one);
    }
    return found;
  }
  // Meta uses "to" when both are given.
  const given = body.to ?? body.recipient;
  if (given === undefined)
    return 'Say who it goes to: "to" (a number or a group), "recipient" (a business-scoped id), or a list "recipients".';
  if (body.recipient_type === 'group') return [{ is_group: true, name: given }];
  const one = recipientOf(given);
  return one === null ? [] : [one];
}

/** The object with the content. Meta treats a body without a type as a text. */
function typeOf(body: Body): SendType | string {
  const given = SEND_TYPES.filter((type) => body[type] !== undefined);
  const type = body.type ?? (given.length === 0 ? 'text' : given[0] === 'text' ? 'text' : null);
  if (type === null) return `Field "type" is missing: say "${given.join('" or "')}".`;
  const others = given.filter((other) => other !== type);
  if (body[type] === undefined) return `A message of type "${type}" needs the object "${type}".`;
  if (others.length > 0) return `A message of type "${type}" cannot have "${others.join('", "')}" as well.`;
  return type;
}

function isType(type: string): type is SendType {
  return (SEND_TYPES as readonly string[]).includes(type);
}

/**
 * Reads a send body of the Cloud API with a `phone_number_id` (contract.md 4). Its fields are Meta's. Unknown fields
 * are refused, because an ignored field could change the answer.
 * @param value the result of `JSON.parse`
 */
export function parseSendRequest(value: unknown): ParsedSendRequest {
  const parsed = bodySchema.safeParse(value);
  if (!parsed.success) return refuse(issueMessage(parsed.error));
  const body = parsed.data;
  const type = typeOf(body);
  if (!isType(type)) return refuse(type);
  const recipients = recipientsOf(body);
  if (typeof recipients === 'string') return refuse(recipients);
  if (recipients.length === 0)
    return refuse(
      `"${(body.to ?? body.recipient ?? '').slice(0, 40)}" is neither a phone number nor a business-scoped id.`,
    );
  const is_list = body.recipients !== undefined;
  if (body.lines !== undefined && !is_list) return refuse('"lines" goes with a list of recipients.');
  const { language } = body.template ?? {};
  return {
    ok: true,
    request: {
      phone_number_id: body.phone_number_id,
      recipients,
      is_list,
      lines: body.lines ?? false,
      type,
      template_name: type === 'template' ? (body.template?.name ?? '') : '',
      template_language: typeof language === 'string' ? language : (language?.code ?? ''),
      template_category: body.template?.category ?? '',
    },
  };
}

/** A window at the time of the check. */
export interface SendTimer {
  readonly is_open: boolean;
  /** Its end, ISO 8601; in the past when it is closed; null = it was never open. */
  readonly ends_at: string | null;
  /** Null when it is not open. */
  readonly seconds_left: number | null;
}

/** The cost of a message. Amounts are plain decimals. */
export interface SendPrice {
  /** 0 when the mark is free; null when there is no amount, and `unrated` says why. */
  readonly amount: string | null;
  /** ISO 4217; empty when the account has none. */
  readonly currency: string;
  /** Name and date of the card that prices it; empty when none does. */
  readonly rate_card: string;
  /** `from:to` of the volume tier that the month has reached. */
  readonly tier: string;
  readonly market: string;
  readonly category: string;
  /** What it would cost outside a free entry window; differs from `amount` only inside one. */
  readonly list_cost: string | null;
  /** Whether it costs nothing because the month has free places left. */
  readonly is_in_allowance: boolean;
  /** Empty, or the reason why there is no amount or no list cost (rules.md M5), or `per_participant` for a message to a group. */
  readonly unrated: string;
}

/** Where the category of a template comes from; `type` = it is no template, `unknown` = it is not known. */
export type CategorySource = 'type' | 'request' | 'import' | 'past_sends' | 'unknown';

/** The mark and price that a message would have. */
export interface SendVerdict {
  /** Lower case with `_`; `service` for messages that are no template. */
  readonly category: string;
  readonly mark: string;
  readonly rule: string;
  readonly price: SendPrice;
  /** In the words of the conversation page. */
  readonly words: string;
}

/** What would happen if a message were sent now. Times are ISO 8601. */
export interface SendAnswer extends SendVerdict {
  readonly allowed: true;
  readonly at: string;
  readonly phone_number_id: string;
  /** Empty when the number's account is not known. */
  readonly waba_id: string;
  /** Meta's name for the recipient. */
  readonly customer: string;
  readonly type: string;
  readonly template_name: string;
  readonly category_from: CategorySource;
  readonly policy: string;
  readonly customer_service_window: SendTimer;
  readonly free_entry_window: SendTimer & {
    /** Whether its end is Meta's and not the estimate of 72 hours. */
    readonly is_reported: boolean;
    readonly ad_id: string;
    /** Whether this message would open one. */
    readonly would_open: boolean;
  };
  /** Until when a reply would open a free entry window; null = there is no ad click to answer. */
  readonly reply_deadline: { readonly by: string; readonly seconds_left: number; readonly ad_id: string } | null;
  /** When the answer would change without a new event. */
  readonly changes: readonly { readonly at: string; readonly allowed: boolean; readonly mark: string }[];
  /** For a template whose category is not known: the answer for each category. */
  readonly by_category: readonly SendVerdict[];
  /** The cheapest allowed message, in a sentence. */
  readonly advice: string;
  /** Since when the customer wants no marketing messages; left out when no such wish is known. */
  readonly stopped_marketing_at?: string;
  /** When Meta last said that the customer cannot be reached; left out if a message went through since. */
  readonly unreachable_at?: string;
}

/**
 * The refusal of a free-form message outside the customer service window, in the form of the help page on free entry
 * conversations; or of marketing to a customer who has stopped it.
 */
export interface SendRefusal {
  readonly error: { readonly code: 'NON_TEMPLATE_NOT_ALLOWED' | 'MARKETING_STOPPED'; readonly message: string };
}

/** Outcomes of messages other than their marks. */
export const SEND_OUTCOMES = [
  'FREE_ENTRY',
  'FREE_SERVICE',
  'COVERED',
  'FREE_ALLOWANCE',
  'BILLABLE',
  'UNKNOWN',
  'NON_TEMPLATE_NOT_ALLOWED',
  'MARKETING_STOPPED',
] as const;
export type SendOutcome = (typeof SEND_OUTCOMES)[number];

/** One of many recipients. */
export interface SendLine {
  readonly recipient: string;
  /** Meta's name for the recipient. */
  readonly customer: string;
  /** Empty when the account is not known. */
  readonly waba_id: string;
  readonly outcome: SendOutcome;
  /** Null when there is no amount, or the message is not allowed. */
  readonly amount: string | null;
  readonly currency: string;
  readonly unrated: string;
}

/** What would happen if a message were sent to many now. */
export interface SendTotals {
  readonly at: string;
  readonly phone_number_id: string;
  readonly type: string;
  readonly template_name: string;
  readonly category: string;
  readonly category_from: CategorySource;
  /** Different recipients; each is checked once. */
  readonly recipients: number;
  /** Recipients that were named more than once, perhaps in another spelling. */
  readonly duplicates: number;
  /** How many would cost nothing. */
  readonly free: number;
  readonly outcomes: Readonly<Record<Exclude<SendOutcome, 'MARKETING_STOPPED'>, number>> & {
    /** Left out when nobody has stopped marketing. */
    readonly MARKETING_STOPPED?: number;
  };
  /** How many would open a free entry window. */
  readonly opens_free_entry: number;
  /** Exact sums, by currency. */
  readonly costs: readonly {
    readonly currency: string;
    readonly messages: number;
    readonly amount: string;
    /** How much more would be charged without free entry windows. */
    readonly saved: string;
  }[];
  /** Messages without an amount, by reason. */
  readonly unrated: readonly { readonly reason: string; readonly messages: number }[];
  /** For a template whose category is not known: the totals for each category. */
  readonly by_category: readonly Pick<SendTotals, 'category' | 'free' | 'outcomes' | 'costs' | 'unrated'>[];
  /** In one sentence. */
  readonly words: string;
  /** Only if they were requested. */
  readonly lines?: readonly SendLine[];
}

/** The answer of a send check: for one message, for one that is not allowed, or for many. */
export type SendResult =
  | { readonly kind: 'allowed'; readonly answer: SendAnswer }
  | {
      readonly kind: 'not_allowed';
      readonly refusal: SendRefusal;
      /** Further remarks for people. */
      readonly about: Pick<
        SendAnswer,
        'at' | 'customer' | 'type' | 'customer_service_window' | 'free_entry_window' | 'reply_deadline'
      >;
    }
  | { readonly kind: 'many'; readonly totals: SendTotals };

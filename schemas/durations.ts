/** Durations and counts of the rules, for services and pages. Durations are in seconds. */

const DAY_SECONDS = 24 * 3600;
/** W3: how long after the entry a reply still qualifies, the last second included. */
export const REPLY_WITHIN_SECONDS = DAY_SECONDS;
/** W1: how long an inbound message keeps the customer service window open. */
export const CUSTOMER_SERVICE_WINDOW_SECONDS = DAY_SECONDS;
/** W5: the estimate for a free entry window that Meta has not reported on. */
export const FREE_ENTRY_WINDOW_SECONDS = 72 * 3600;
/** 3.1: how long a conversation lasts under conversation pricing. */
export const CONVERSATION_SECONDS = DAY_SECONDS;
/** M3: free service messages of a number, or free service conversations of an account, in a month. */
export const FREE_PLACES = 1_000;

/** rules.md W1: how long a message of the customer keeps the customer service window open. */
const SERVICE_WINDOW_SECONDS = 24 * 3600;

/** A window at a moment. Times are Unix seconds. */
export type Timer =
  | { readonly state: 'open'; readonly until: number; readonly left: number }
  | { readonly state: 'closed'; readonly since: number }
  /** It has never been open. */
  | { readonly state: 'none' };

export interface Timers {
  readonly service: Timer;
  readonly free_entry: Timer;
}

interface Span {
  readonly opened_at: number;
  readonly expires_at: number;
}

/** The state at `now` of windows that hold from their opening up to their end, which is no part of them (W1, W7). */
function timerOf(spans: readonly Span[], now: number): Timer {
  const begun = spans.filter(({ opened_at }) => opened_at <= now);
  if (begun.length === 0) return { state: 'none' };
  const until = Math.max(...begun.map(({ expires_at }) => expires_at));
  return now < until ? { state: 'open', until, left: until - now } : { state: 'closed', since: until };
}

/**
 * Both windows of a thread at a moment; all times are Unix seconds. What begins after `now` counts for nothing.
 * @param last_customer_message_at of messages that open the customer service window; null = none
 * @param windows the free entry windows, as far as they are known
 */
export function timers(last_customer_message_at: number | null, windows: readonly Span[], now: number): Timers {
  const service =
    last_customer_message_at === null
      ? []
      : [{ opened_at: last_customer_message_at, expires_at: last_customer_message_at + SERVICE_WINDOW_SECONDS }];
  return { service: timerOf(service, now), free_entry: timerOf(windows, now) };
}

/** What may be sent now and what it would be, in one sentence or two. */
export function allowedNow({ service, free_entry }: Timers): string {
  const isFree = free_entry.state === 'open';
  if (service.state === 'open')
    return isFree
      ? 'Free-form messages and templates are allowed now; all of them are free (FREE_ENTRY) as long as the free entry window is open.'
      : 'Free-form messages and templates are allowed now.';
  const template = isFree
    ? 'it would be free (FREE_ENTRY), because the free entry window is open.'
    : 'it would be billable.';
  return `Free-form messages are not allowed now: NON_TEMPLATE_NOT_ALLOWED. A template is allowed; ${template}`;
}

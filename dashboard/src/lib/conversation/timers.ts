import { CUSTOMER_SERVICE_WINDOW_SECONDS } from '@ctwa-ledger/schemas/durations.ts';
import { duration } from '../format/durations.ts';

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

/** The state at `now` of windows that are open from their opening until just before their end (W1, W7). */
function timerOf(spans: readonly Span[], now: number): Timer {
  const begun = spans.filter(({ opened_at }) => opened_at <= now);
  if (begun.length === 0) return { state: 'none' };
  const until = Math.max(...begun.map(({ expires_at }) => expires_at));
  return now < until ? { state: 'open', until, left: until - now } : { state: 'closed', since: until };
}

/**
 * Both windows of a thread at a moment; all times are Unix seconds. Windows that open after `now` are ignored.
 * @param last_customer_message_at the last message that opens the customer service window; null = none
 * @param windows the known free entry windows
 */
export function timers(last_customer_message_at: number | null, windows: readonly Span[], now: number): Timers {
  const service =
    last_customer_message_at === null
      ? []
      : [
          {
            opened_at: last_customer_message_at,
            expires_at: last_customer_message_at + CUSTOMER_SERVICE_WINDOW_SECONDS,
          },
        ];
  return { service: timerOf(service, now), free_entry: timerOf(windows, now) };
}

/** The names of windows, in Meta's inbox and here, and of their states. */
const NAMES = {
  free_entry: { name: 'Free Entry Point', open: 'active', closed: 'expired', none: 'none was opened' },
  service: {
    name: 'Customer service window',
    open: 'open',
    closed: 'closed',
    none: 'the customer has written nothing',
  },
} as const;

/** The parts of a badge: `Free Entry Point:` and `active, 2 d 23 h left`; `Customer service window:` and `3 h left`. */
export function badge(which: keyof Timers, timer: Timer): { readonly name: string; readonly state: string } {
  const { name, ...states } = NAMES[which];
  if (timer.state !== 'open') return { name: `${name}:`, state: states[timer.state] };
  const left = `${duration(String(timer.left))} left`;
  return { name: `${name}:`, state: which === 'free_entry' ? `${states.open}, ${left}` : left };
}

/** An announcement for screen readers: the windows whose state has changed, or nothing. */
export function changesBetween(before: Timers, after: Timers): string {
  return (['free_entry', 'service'] as const)
    .filter((which) => before[which].state !== after[which].state)
    .map((which) => `${NAMES[which].name}: ${NAMES[which][after[which].state]}.`)
    .join(' ');
}

/** The messages that may be sent now, in one sentence or two. */
export function allowedNow({ service, free_entry }: Timers): string {
  const isFree = free_entry.state === 'open';
  if (service.state === 'open')
    return isFree
      ? 'Free-form messages and templates are allowed now; all of them are free (FREE_ENTRY) as long as the Free Entry Point is active.'
      : 'Free-form messages and templates are allowed now.';
  const template = isFree
    ? 'it is free (FREE_ENTRY) as long as the Free Entry Point is active.'
    : 'what it would cost is below.';
  return `Free-form messages are not allowed now: NON_TEMPLATE_NOT_ALLOWED. A template is allowed; ${template}`;
}

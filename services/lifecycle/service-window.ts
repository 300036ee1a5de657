import { CUSTOMER_SERVICE_WINDOW_SECONDS } from '@ctwa-ledger/schemas/durations.ts';
import type { MessageEvent } from '@ctwa-ledger/schemas/event.ts';

/** W1: whether a message of the customer opens the customer service window, or keeps it open. */
function opensServiceWindow({ type }: MessageEvent): boolean {
  return type !== 'system';
}

/** W1: whether the customer service window is open at a time, by binary search over the customer's messages. */
export function serviceWindow(inbound: readonly MessageEvent[]): (at: number) => boolean {
  const times = inbound
    .filter(opensServiceWindow)
    .map((message) => message.timestamp)
    .sort((a, b) => a - b);
  return (at) => {
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((times[middle] ?? Infinity) <= at) low = middle + 1;
      else high = middle;
    }
    const last = times[low - 1];
    return last !== undefined && at < last + CUSTOMER_SERVICE_WINDOW_SECONDS;
  };
}

/**
 * W1: when the customer last wrote a message that opens the customer service window, up to a time; null = never. Unix
 * seconds.
 */
export function lastOpeningMessageAt(inbound: readonly MessageEvent[], at: number): number | null {
  let last = -Infinity;
  for (const message of inbound)
    if (opensServiceWindow(message) && message.timestamp <= at && message.timestamp > last) last = message.timestamp;
  return last === -Infinity ? null : last;
}

/**
 * W1: the end of the latest customer service window that was opened up to a time; it may be past. Null = there is none.
 */
export function serviceWindowEnd(inbound: readonly MessageEvent[], at: number): number | null {
  const last = lastOpeningMessageAt(inbound, at);
  return last === null ? null : last + CUSTOMER_SERVICE_WINDOW_SECONDS;
}

/**
 * A time in which the customer service window is open (W1), with the message that opens it and the last one that keeps
 * it open.
 */
export interface ServiceWindow {
  readonly first: MessageEvent;
  readonly last: MessageEvent;
  /** Unix seconds; the window is closed at that second. */
  readonly closes_at: number;
}

/** All times in which the customer service window of a thread is open, oldest first. */
export function serviceWindows(inbound: readonly MessageEvent[]): ServiceWindow[] {
  const windows: ServiceWindow[] = [];
  for (const message of inbound.filter(opensServiceWindow).sort((a, b) => a.timestamp - b.timestamp)) {
    const open = windows.at(-1);
    const goes_on = open !== undefined && message.timestamp <= open.closes_at;
    if (goes_on) windows.pop();
    const closes_at = message.timestamp + CUSTOMER_SERVICE_WINDOW_SECONDS;
    windows.push({ first: goes_on ? open.first : message, last: message, closes_at });
  }
  return windows;
}

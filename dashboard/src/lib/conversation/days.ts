import type { TimelineEvent } from '@ctwa-ledger/schemas/conversations.ts';

import type { Day } from '../filters/days.ts';
import { isoOf } from './times.ts';

/** The events of one day. */
export interface TimelineDay {
  readonly day: Day;
  readonly events: readonly { readonly event: TimelineEvent; readonly iso: string }[];
}

/** Sorted events, by the days of a zone. */
export function daysOf(events: readonly TimelineEvent[], tz: string): TimelineDay[] {
  const days: { day: Day; events: { event: TimelineEvent; iso: string }[] }[] = [];
  for (const event of events) {
    const iso = isoOf(event.at, tz);
    const day = iso.slice(0, 10);
    let last = days.at(-1);
    if (last?.day !== day) days.push((last = { day, events: [] }));
    last.events.push({ event, iso });
  }
  return days;
}

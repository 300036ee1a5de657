import type { LedgerStatus } from '@ctwa-ledger/schemas/reports.ts';
import { DateTime } from 'luxon';

import { timeLabel } from '../format/dates.ts';

/** How current what is on screen is, in words and counts. */
export interface Freshness {
  /** The last event in the reader's zone, and for machines; null while there is none. */
  readonly last_event: { readonly label: string; readonly iso: string; readonly ago: string } | null;
  readonly dead_letters: number;
  readonly cells_behind: number;
}

/** `read_at`: Unix seconds at which the status was read; how long ago the last event was is measured from there. */
export function freshnessOf(status: LedgerStatus, tz: string, read_at: number): Freshness {
  const { dead_letters, cells_behind } = status;
  if (status.last_event_at === null) return { last_event: null, dead_letters, cells_behind };
  const at = DateTime.fromSeconds(status.last_event_at, { zone: tz });
  const iso = at.toISO({ suppressMilliseconds: true }) ?? '';
  return {
    last_event: { label: timeLabel(iso), iso, ago: agoLabel(read_at - status.last_event_at) },
    dead_letters,
    cells_behind,
  };
}

function agoLabel(seconds: number): string {
  // A receiver's clock may run ahead of this one's.
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} days ago`;
}

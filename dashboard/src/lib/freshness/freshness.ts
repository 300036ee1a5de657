import type { ProcessFigures } from '@ctwa-ledger/schemas/health.ts';
import type { LedgerStatus } from '@ctwa-ledger/schemas/reports.ts';
import { DateTime } from 'luxon';

import { timeLabel } from '../format/dates.ts';

/** How current the data on screen is, in words and counts. */
export interface Freshness {
  /** The last event, for people in their zone and for machines; null when there is none. */
  readonly last_event: { readonly label: string; readonly iso: string; readonly ago: string } | null;
  /** How long ago something was stored; null when it was more than three days ago. */
  readonly last_stored_ago: string | null;
  /** Rejected inputs that are kept, and how many of them were first seen in the days on screen. */
  readonly dead_letters: number;
  readonly dead_letters_in_range: number;
  readonly cells_behind: number;
  readonly charge_hours_behind: number;
  /** Records of Kafka that this process has not consumed; null when it consumes none. */
  readonly records_behind: number | null;
}

/** Unconsumed records of all partitions; null when nothing is consumed, or not measured yet. */
export function recordsBehind(lag: ProcessFigures['lag']): number | null {
  return lag === null || lag.length === 0 ? null : lag.reduce((sum, { records }) => sum + records, 0);
}

/** `read_at`: when the status was read, in Unix seconds; ages are measured from it. */
export function freshnessOf(
  status: LedgerStatus,
  dead_letters_in_range: number,
  lag: ProcessFigures['lag'],
  tz: string,
  read_at: number,
): Freshness {
  const { last_event_at, last_stored_at, dead_letters, cells_behind, charge_hours_behind } = status;
  return {
    last_event: last_event_at === null ? null : momentOf(last_event_at, tz, read_at),
    last_stored_ago: last_stored_at === null ? null : agoLabel(read_at - last_stored_at),
    dead_letters,
    dead_letters_in_range,
    cells_behind,
    charge_hours_behind,
    records_behind: recordsBehind(lag),
  };
}

function momentOf(seconds: number, tz: string, read_at: number): NonNullable<Freshness['last_event']> {
  const iso = DateTime.fromSeconds(seconds, { zone: tz }).toISO({ suppressMilliseconds: true }) ?? '';
  return { label: timeLabel(iso), iso, ago: agoLabel(read_at - seconds) };
}

/** `just now`, `5 min ago`, `3 h ago`, `4 days ago`. */
function agoLabel(seconds: number): string {
  // A receiver's clock may be ahead of this one.
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} days ago`;
}

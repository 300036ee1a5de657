import type { LedgerStatus, Reports } from '@ctwa-ledger/schemas/reports.ts';
import { DateTime } from 'luxon';

import { readFilters } from '$lib/filters/filters.ts';
import { presets, resolveRange } from '$lib/filters/range.ts';
import { timeLabel } from '$lib/format/dates.ts';
import { freshnessOf } from '$lib/freshness/freshness.ts';
import { reportsOf } from '$lib/server/reports.ts';
import type { LayoutServerLoad } from './$types';

const NO_SPAN = { first_event_at: null, last_event_at: null };

/**
 * The status, or null when the ledger does not answer. Not thrown here: an error in the outermost layout leaves the
 * reader without the error page that says what to do. Pages that need the ledger throw it.
 */
async function statusOf(reports: Reports, sample: boolean): Promise<LedgerStatus | null> {
  try {
    return await reports.status(sample);
  } catch (error) {
    console.error('The ledger did not answer the dashboard:', error);
    return null;
  }
}

export const load: LayoutServerLoad = async (event) => {
  const read = readFilters(event.url.searchParams);
  const status = await statusOf(reportsOf(event), read.state.sample);
  const now = Math.floor(Date.now() / 1000);
  const { state, range, repairs } = resolveRange(read.state, status ?? NO_SPAN, now);
  const as_of = state.as_of === null ? null : DateTime.fromISO(state.as_of, { zone: state.tz });
  return {
    status,
    freshness: status && freshnessOf(status, state.tz, now),
    filters: state,
    range,
    presets: presets(status ?? NO_SPAN, state.tz, now),
    repairs: [...read.repairs, ...repairs],
    /** Unix seconds. */
    as_of: as_of === null ? now : as_of.toSeconds(),
    as_of_label: as_of === null ? null : timeLabel(as_of.toISO() ?? ''),
  };
};

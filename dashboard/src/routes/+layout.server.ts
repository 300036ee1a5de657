import { givenValues } from '@ctwa-ledger/schemas/asked.ts';
import type { Closing } from '@ctwa-ledger/schemas/periods.ts';
import type { LedgerStatus, Reports } from '@ctwa-ledger/schemas/reports.ts';
import { DateTime } from 'luxon';

import { readFilters, zoneOf, type FilterState } from '$lib/filters/filters.ts';
import { NO_NAMES, withIds, type Names } from '$lib/filters/picked.ts';
import { presets, resolveRange, zonesOfDays } from '$lib/filters/range.ts';
import { timeLabel } from '$lib/format/dates.ts';
import { freshnessOf } from '$lib/freshness/freshness.ts';
import { daysShownAt } from '$lib/navigation/pages.ts';
import { readAdNames } from '$lib/server/ad-names.ts';
import { localeOf } from '$lib/server/locale.ts';
import type { LayoutServerLoad } from './$types';

const NO_SPAN = { first_event_at: null, last_event_at: null };

interface LedgerNow {
  readonly status: LedgerStatus;
  /** Rejected inputs that are kept, first seen in the days on screen. */
  readonly letters_in_range: number;
  /** Closings of months that the page shows days of. */
  readonly closings: readonly Closing[];
  /** Names of the ads in the filters, by id. */
  readonly ads: Names['ads'];
}

/**
 * The state of the ledger for every page, or null when it does not answer. Not thrown here: an error in the outermost
 * layout would replace the error page that says what to do. Pages that need the ledger throw it.
 */
async function readLedger(
  reports: Pick<Reports, 'status' | 'waitingLetters' | 'closings' | 'adNames'>,
  page: string | null,
  asked: FilterState,
  now: number,
): Promise<LedgerNow | null> {
  try {
    const status = await reports.status();
    const { state, range } = resolveRange(asked, status, now, zonesOfDays(page, asked.tz, status.account_zones));
    const [letters_in_range, closings, ads] = await Promise.all([
      // Nearly always there are none at all.
      status.dead_letters === 0 ? 0 : reports.waitingLetters({ ...range, tz: zoneOf(state), as_of: now }),
      daysShownAt(page) !== null ? reports.closings(range) : [],
      // Most pages are not filtered by an ad.
      readAdNames(
        reports,
        givenValues(asked.only.ad).filter((ad) => /^\d+$/.test(ad)),
      ),
    ]);
    const accounts = givenValues(withIds(asked.only, status.accounts).waba_id);
    const shown = closings.filter(({ waba_id }) => accounts.length === 0 || accounts.includes(waba_id));
    return { status, letters_in_range, closings: shown, ads };
  } catch (error) {
    console.error('The ledger did not answer the dashboard:', error);
    return null;
  }
}

export const load: LayoutServerLoad = async (event) => {
  const page = event.route.id;
  const read = readFilters(
    event.url.searchParams,
    daysShownAt(page) === 'accounts' ? 'the days of each account’s own time zone are used' : undefined,
  );
  const now = Math.floor(Date.now() / 1000);
  const [ledger, process] = await Promise.all([
    readLedger(event.locals.reports, page, read.state, now),
    event.locals.processFigures(),
  ]);
  const status = ledger?.status ?? null;
  const zones = zonesOfDays(page, read.state.tz, status?.account_zones ?? []);
  const accounts = status?.accounts ?? [];
  const asked = { ...read.state, only: withIds(read.state.only, accounts) };
  const { state, range, repairs } = resolveRange(asked, status ?? NO_SPAN, now, zones);
  const as_of = state.as_of === null ? null : DateTime.fromISO(state.as_of, { zone: zoneOf(state) });
  event.setHeaders({ vary: 'accept-language' });
  return {
    /** The locale for numbers. The server sends it, so that the browser writes what the server wrote. */
    locale: localeOf(event.request.headers.get('accept-language')),
    about: event.locals.about,
    status,
    is_sample: status?.source === 'sample',
    freshness: ledger && freshnessOf(ledger.status, ledger.letters_in_range, process?.lag ?? null, zoneOf(state), now),
    filters: state,
    /** Names for ids in filters. */
    names: { accounts, ads: ledger?.ads ?? NO_NAMES.ads } satisfies Names,
    can_change: event.locals.changes !== null && status?.source === 'ledger',
    range,
    closings: ledger?.closings ?? [],
    /** The webhook of the process behind the pages; null where it takes none. */
    webhook: process?.webhook ?? null,
    presets: presets(status ?? NO_SPAN, zones, now),
    repairs: [...read.repairs, ...repairs],
    /** When the page was read, Unix seconds. */
    read_at: now,
    /** Unix seconds. */
    as_of: as_of === null ? now : as_of.toSeconds(),
    as_of_label: as_of === null ? null : timeLabel(as_of.toISO() ?? ''),
  };
};

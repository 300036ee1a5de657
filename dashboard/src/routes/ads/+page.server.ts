import { valueIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import { onlyValue } from '@ctwa-ledger/schemas/asked.ts';
import { redirect } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import { isName, nothingOfAd } from '$lib/ads/address.ts';
import { adLines, withMessages } from '$lib/ads/figures.ts';
import { lineKey, readRollup, tableLines, totalLine } from '$lib/ads/rollup.ts';
import { OUTCOME_TABLE, OUTCOME_VALUES, outcomeKey } from '$lib/ads/outcomes.ts';
import { AD_LINES, AD_LINE_VALUES } from '$lib/ads/table.ts';
import { bucketsOf } from '$lib/buckets/buckets.ts';
import { BUCKET_TABLE, BUCKET_VALUES, bucketKey } from '$lib/buckets/table.ts';
import { amountFilters } from '$lib/filters/api.ts';
import { addDays, type Day } from '$lib/filters/days.ts';
import { search, zoneOf } from '$lib/filters/filters.ts';
import { understood } from '$lib/filters/picked.ts';
import { filtersOf } from '$lib/navigation/pages.ts';
import { comparedRange, dayOf, grainIn, type DayRange } from '$lib/filters/range.ts';
import { longDay } from '$lib/format/dates.ts';
import { arranged } from '$lib/table/table.ts';
import { readDetails } from '$lib/server/ad-details.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { PageServerLoad } from './$types';

const PAGE_ROWS = 50;
/** Days for which Meta can change the cost of an ad. */
const SPEND_SETTLES_DAYS = 28;
const ALL_DAYS = { from: null, to: null } as const;

/** The first day of a range whose cost Meta can still change, in words; null when there is none. */
function unfinalFrom({ from, to }: DayRange, today: Day): string | null {
  const changeable_from = addDays(today, -SPEND_SETTLES_DAYS);
  return to > changeable_from ? longDay(from > changeable_from ? from : changeable_from) : null;
}

export const load: PageServerLoad = async (event) => {
  const { status, filters, range, names, as_of, is_empty } = await askedLedger(event);
  const params = event.url.searchParams;
  const { by, repairs } = readRollup(params);
  const only = understood(filters.only, filtersOf('/ads'));
  /** The one ad or address of the filters; empty = none, or several. */
  const one = onlyValue(only.ad) ?? '';
  const ad = isName(one) ? '' : one;
  if (is_empty) return { found: null, only, ad, own_repairs: repairs };

  const { reports } = event.locals;
  // Details of all ads take longer than a page should, so they are read on request only.
  const isDetailed = valueIn(params, 'details') === '1';
  const asked = { ...amountFilters(filters, range, as_of), ...only };
  const compared = comparedRange(range, filters.compare);
  const of_zone = { ...range, tz: zoneOf(filters), as_of, ...only };
  const grain = grainIn(range, filters.grain);
  const [{ overview, ...over_time }, figures, outcomes, compared_figures] = await Promise.all([
    ad === ''
      ? reports.overview(of_zone).then((row) => ({ overview: row, buckets: null }))
      : reports.figures(of_zone, grain),
    reports.adFigures(asked),
    reports.adOutcomes(of_zone),
    compared === null ? [] : reports.adCosts({ ...asked, ...compared }),
  ]);
  const [read, before] = [adLines(figures), adLines(compared_figures)];
  const [first] = read;
  if (one !== '' && ad === '' && read.length === 1 && first !== undefined && first.ad_id !== '')
    redirect(303, `${resolve('/ads')}${search({ ...filters, only: { ...filters.only, ad: first.ad_id } })}`);
  const details = isDetailed || ad !== '' ? await readDetails(reports, of_zone, ad === '' ? [] : read) : null;
  const lines = details === null ? read : withMessages(read, details.messages);
  const spec = { ...AD_LINES, page_rows: PAGE_ROWS };
  const table = arranged(tableLines(lines, before, by), params, spec, AD_LINE_VALUES, lineKey);
  const outcome_table = arranged(
    outcomes,
    params,
    { ...OUTCOME_TABLE, page_rows: PAGE_ROWS },
    OUTCOME_VALUES,
    outcomeKey,
  );
  const buckets =
    over_time.buckets && bucketsOf(over_time.buckets, range, zoneOf(filters), as_of, status.last_event_at);
  const isElsewhere =
    Object.keys(only).length > 0 &&
    figures.length === 0 &&
    (await reports.adFigures({ ...asked, ...ALL_DAYS })).length > 0;
  return {
    found: {
      overview,
      nothing: nothingOfAd(only, names, range, isElsewhere),
      table,
      outcomes: outcome_table,
      ads: lines.length,
      by,
      details,
      grain,
      trend: buckets && {
        buckets,
        table: arranged(buckets, params, BUCKET_TABLE, BUCKET_VALUES, bucketKey),
      },
      total: totalLine(lines, before),
      compared: compared && {
        range: compared,
        is_partial: status.first_event_at === null || dayOf(status.first_event_at, zoneOf(filters)) > compared.from,
      },
      unfinal_from: unfinalFrom(range, dayOf(as_of, zoneOf(filters))),
      left_out: figures.reduce((sum, row) => sum + row.spend_left_out, 0),
      shared: figures.reduce((sum, row) => sum + row.spend_shared, 0),
      /** The one ad, or those with the selected address. */
      chosen: ad === '' ? [] : lines,
    },
    only,
    ad,
    own_repairs: [...repairs, ...[...table.notices, ...outcome_table.notices].map((notice) => ({ notice }))],
  };
};

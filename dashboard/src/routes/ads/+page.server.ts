import { valueIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import { redirect } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import { isName, namedLike, nothingOfAd, readAd } from '$lib/ads/address.ts';
import { adLines, type AdLine } from '$lib/ads/figures.ts';
import { lineKey, readRollup, tableLines, totalLine } from '$lib/ads/rollup.ts';
import { AD_LINES, AD_LINE_VALUES } from '$lib/ads/table.ts';
import { bucketsOf } from '$lib/buckets/buckets.ts';
import { BUCKET_TABLE, BUCKET_VALUES, bucketKey } from '$lib/buckets/table.ts';
import { amountFilters } from '$lib/filters/api.ts';
import { addDays, type Day } from '$lib/filters/days.ts';
import { search, zoneOf } from '$lib/filters/filters.ts';
import { comparedRange, dayOf, grainIn, type DayRange } from '$lib/filters/range.ts';
import { longDay } from '$lib/format/dates.ts';
import { arranged } from '$lib/table/table.ts';
import { readDetails } from '$lib/server/ad-details.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { PageServerLoad } from './$types';

const PAGE_ROWS = 50;
/** More suggestions would only make the page larger. */
const MAX_NAMES = 200;
/** Days for which Meta can change the cost of an ad. */
const SPEND_SETTLES_DAYS = 28;
const ALL_DAYS = { from: null, to: null } as const;

/** The first day of a range whose cost Meta can still change, in words; null when there is none. */
function unfinalFrom({ from, to }: DayRange, today: Day): string | null {
  const changeable_from = addDays(today, -SPEND_SETTLES_DAYS);
  return to > changeable_from ? longDay(from > changeable_from ? from : changeable_from) : null;
}

/** Suggestions for the search for an ad. */
function namesOf(lines: readonly AdLine[]): readonly string[] {
  return [...new Set(lines.map((line) => line.ad_name).filter((known) => known !== ''))].slice(0, MAX_NAMES);
}

export const load: PageServerLoad = async (event) => {
  const { status, filters, range, as_of, is_empty } = await askedLedger(event);
  const params = event.url.searchParams;
  const { ad, repairs: adRepairs } = readAd(params);
  const { by, repairs: rollupRepairs } = readRollup(params);
  const repairs = [...adRepairs, ...rollupRepairs];
  if (is_empty) return { found: null, ad, own_repairs: repairs };

  const { reports } = event.locals;
  const name = isName(ad) ? ad : '';
  const only = { ad: ad === '' || name !== '' ? null : ad };
  // Details of all ads take longer than a page should, so they are read on request only.
  const isDetailed = name === '' && valueIn(params, 'details') === '1';
  const asked = { ...amountFilters(filters, range, as_of), ...only };
  const compared = comparedRange(range, filters.compare);
  const of_zone = { ...range, tz: zoneOf(filters), as_of, ...only };
  const grain = grainIn(range, filters.grain);
  const [{ overview, ...over_time }, figures, compared_figures] = await Promise.all([
    only.ad === null
      ? reports.overview(of_zone).then((row) => ({ overview: row, buckets: null }))
      : reports.figures(of_zone, grain),
    reports.adFigures(asked),
    compared === null ? [] : reports.adCosts({ ...asked, ...compared }),
  ]);
  const all = adLines(figures);
  const named = (found: readonly AdLine[]): readonly AdLine[] => (name === '' ? found : namedLike(found, name));
  const [lines, before] = [named(all), named(adLines(compared_figures))];
  const [first] = lines;
  if (name !== '' && lines.length === 1 && first !== undefined && first.ad_id !== '')
    redirect(303, `${resolve('/ads')}${search(filters, { ad: first.ad_id })}`);
  const spec = { ...AD_LINES, page_rows: PAGE_ROWS };
  const table = arranged(tableLines(lines, before, by), params, spec, AD_LINE_VALUES, lineKey);
  const details =
    isDetailed || only.ad !== null ? await readDetails(reports, of_zone, only.ad === null ? [] : lines) : null;
  const buckets =
    over_time.buckets && bucketsOf(over_time.buckets, range, zoneOf(filters), as_of, status.last_event_at);
  const isElsewhere =
    only.ad !== null && figures.length === 0 && (await reports.adFigures({ ...asked, ...ALL_DAYS })).length > 0;
  return {
    found: {
      overview,
      nothing: nothingOfAd(ad, range, isElsewhere),
      table,
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
      /** The one ad, or those with the selected address. */
      chosen: only.ad === null ? [] : lines,
      /** Part of a name that selects rows; empty = all. */
      name,
      names: namesOf(all),
    },
    ad,
    own_repairs: [...repairs, ...table.notices.map((notice) => ({ notice }))],
  };
};

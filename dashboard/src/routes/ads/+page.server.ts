import { redirect } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import { isName, namedLike, nothingOfAd, readAd } from '$lib/ads/address.ts';
import { adLines, amountTotals } from '$lib/ads/figures.ts';
import { AD_LINES, AD_LINE_VALUES, adKey } from '$lib/ads/table.ts';
import { amountFilters } from '$lib/filters/api.ts';
import { search, zoneOf } from '$lib/filters/filters.ts';
import { arranged } from '$lib/table/table.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { PageServerLoad } from './$types';

const PAGE_ROWS = 50;
/** More are not read by anybody, and weigh. */
const MAX_NAMES = 200;

export const load: PageServerLoad = async (event) => {
  const { filters, range, as_of, is_empty } = await askedLedger(event);
  const { ad, repairs } = readAd(event.url.searchParams);
  if (is_empty) return { found: null, ad, own_repairs: repairs };

  const { reports } = event.locals;
  const name = isName(ad) ? ad : '';
  const only = { ad: ad === '' || name !== '' ? null : ad };
  const asked = { ...amountFilters(filters, range, as_of), ...only };
  const [overview, figures] = await Promise.all([
    reports.overview({ ...range, tz: zoneOf(filters), as_of, ...only }),
    reports.adFigures(asked),
  ]);
  const all = adLines(figures);
  const lines = name === '' ? all : namedLike(all, name);
  const [first] = lines;
  if (name !== '' && lines.length === 1 && first !== undefined && first.ad_id !== '')
    redirect(303, `${resolve('/ads')}${search(filters, { ad: first.ad_id })}`);
  const table = arranged(lines, event.url.searchParams, { ...AD_LINES, page_rows: PAGE_ROWS }, AD_LINE_VALUES, adKey);
  const isElsewhere =
    only.ad !== null &&
    figures.length === 0 &&
    (await reports.adFigures({ ...asked, from: null, to: null })).length > 0;
  return {
    found: {
      overview,
      nothing: nothingOfAd(ad, range, isElsewhere),
      table,
      totals: amountTotals(lines),
      left_out: figures.reduce((sum, row) => sum + row.spend_left_out, 0),
      /** The one ad, or the few of one address. */
      chosen: only.ad === null ? [] : lines,
      /** Part of the names of the rows; empty where they are not chosen by it. */
      name,
      /** Offered where an ad is looked for. */
      names: [...new Set(all.map((line) => line.ad_name).filter((known) => known !== ''))].slice(0, MAX_NAMES),
    },
    ad,
    own_repairs: [...repairs, ...table.notices.map((notice) => ({ notice }))],
  };
};

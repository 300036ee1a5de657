import { error } from '@sveltejs/kit';

import { readAd } from '$lib/ads/address.ts';
import { adLines } from '$lib/ads/figures.ts';
import { AD_LINES, AD_LINE_VALUES, adKey } from '$lib/ads/table.ts';
import { amountFilters } from '$lib/filters/api.ts';
import { reportsOf } from '$lib/server/reports.ts';
import { arranged } from '$lib/table/table.ts';
import type { PageServerLoad } from './$types';

const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { status, filters, range, as_of } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const { ad, repairs } = readAd(event.url.searchParams);
  const empty = status.source === 'ledger' && status.events === 0;
  if (status.loading_sample || empty) return { found: null, ad, own_repairs: repairs };

  const reports = reportsOf(event);
  const only = { ad: ad === '' ? null : ad };
  const [overview, figures] = await Promise.all([
    reports.overview({ ...range, tz: filters.tz, as_of, ...only }, filters.sample),
    reports.adFigures({ ...amountFilters(filters, range, as_of), ...only }, filters.sample),
  ]);
  const lines = adLines(figures);
  const table = arranged(lines, event.url.searchParams, { ...AD_LINES, page_rows: PAGE_ROWS }, AD_LINE_VALUES, adKey);
  return {
    found: {
      overview,
      table,
      left_out: figures.reduce((sum, row) => sum + row.spend_left_out, 0),
      /** The one ad, or the few of one address. */
      chosen: ad === '' ? [] : lines,
    },
    ad,
    own_repairs: [...repairs, ...table.notices.map((notice) => ({ notice }))],
  };
};

import { error } from '@sveltejs/kit';

import { pageAfter, readAdsState } from '$lib/ads/address.ts';
import { sortAds } from '$lib/ads/sorting.ts';
import { amountFilters } from '$lib/filters/api.ts';
import { reportsOf } from '$lib/server/reports.ts';
import type { PageServerLoad } from './$types';

const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { status, filters, range, as_of } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const { state, repairs } = readAdsState(event.url.searchParams);
  const empty = status.source === 'ledger' && status.events === 0;
  if (status.loading_sample || empty) return { found: null, state, own_repairs: repairs };

  const reports = reportsOf(event);
  const ad = state.ad === '' ? null : state.ad;
  const asked = { ...range, tz: filters.tz, as_of, ad };
  const [overview, ads, savings] = await Promise.all([
    reports.overview(asked, filters.sample),
    reports.ads(asked, filters.sample),
    reports.savingsAds({ ...amountFilters(filters, range, as_of), ad }, filters.sample),
  ]);
  const { rows, next, skipped, is_found } = pageAfter(sortAds(ads, filters.sort), state.after, PAGE_ROWS);
  const names = await reports.adNames([...new Set(rows.map((row) => row.ad_id))], filters.sample);
  const lost = { notice: 'after: that row is not in this table; the first page is shown.' };
  return {
    found: { overview, ads: rows, total: ads.length, skipped, next, savings, names },
    state,
    own_repairs: is_found ? repairs : [...repairs, lost],
  };
};

import { error } from '@sveltejs/kit';

import { readAd } from '$lib/ads/address.ts';
import { AD_TABLE, AD_VALUES, adKey } from '$lib/ads/table.ts';
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
  const asked = { ...range, tz: filters.tz, as_of, ad };
  const [overview, ads, savings] = await Promise.all([
    reports.overview(asked, filters.sample),
    reports.ads(asked, filters.sample),
    reports.savingsAds({ ...amountFilters(filters, range, as_of), ad }, filters.sample),
  ]);
  const table = arranged(ads, event.url.searchParams, { ...AD_TABLE, page_rows: PAGE_ROWS }, AD_VALUES, adKey);
  const names = await reports.adNames([...new Set(table.rows.map((row) => row.ad_id))], filters.sample);
  return {
    found: { overview, table, savings, names },
    ad,
    own_repairs: [...repairs, ...table.notices.map((notice) => ({ notice }))],
  };
};

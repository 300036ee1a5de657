import { error, redirect } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import { AD_TABLE, AD_VALUES, adKey } from '$lib/ads/table.ts';
import { bucketsOf } from '$lib/buckets/buckets.ts';
import { BUCKET_TABLE, BUCKET_VALUES, bucketKey } from '$lib/buckets/table.ts';
import { amountFilters } from '$lib/filters/api.ts';
import { DEFAULT_STATE, readFilters, search } from '$lib/filters/filters.ts';
import { comparedRange, dayOf, grainIn } from '$lib/filters/range.ts';
import { reportsOf } from '$lib/server/reports.ts';
import { arranged } from '$lib/table/table.ts';
import type { Actions, PageServerLoad } from './$types';

/** Rows of the table of ads; the page of ads has the others. */
const AD_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { status, filters, range, as_of } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const empty = status.source === 'ledger' && status.events === 0;
  if (status.loading_sample || empty) return { own_repairs: [], figures: null };

  const reports = reportsOf(event);
  const asked = { ...range, tz: filters.tz, as_of };
  const amounts = amountFilters(filters, range, as_of);
  const grain = grainIn(range, filters.grain);
  const compared = comparedRange(range, filters.compare);
  const [figures, before, savings, savings_ads] = await Promise.all([
    reports.figures(asked, grain, filters.sample),
    compared && reports.overview({ ...asked, ...compared }, filters.sample),
    reports.savings(amounts, filters.sample),
    reports.savingsAds(amounts, filters.sample),
  ]);
  const table = arranged(figures.ads, event.url.searchParams, { ...AD_TABLE, page_rows: AD_ROWS }, AD_VALUES, adKey);
  const buckets = bucketsOf(figures.buckets, range, filters.tz, as_of, status.last_event_at);
  const bucket_table = arranged(buckets, event.url.searchParams, BUCKET_TABLE, BUCKET_VALUES, bucketKey);
  const shown_ids = new Set(table.rows.map((ad) => ad.ad_id));
  const ad_names = await reports.adNames([...shown_ids], filters.sample);
  const notices = [...table.notices, ...bucket_table.notices];
  return {
    own_repairs: notices.map((notice) => ({ notice })),
    figures: {
      overview: figures.overview,
      before: compared &&
        before && {
          range: compared,
          overview: before,
          is_partial: status.first_event_at === null || dayOf(status.first_event_at, filters.tz) > compared.from,
        },
      grain,
      buckets,
      bucket_table,
      ads: table,
      ad_names,
      savings,
      savings_ads: savings_ads.filter((row) => shown_ids.has(row.ad_id)),
    },
  };
};

export const actions: Actions = {
  dismissSample: async (event) => {
    await reportsOf(event).dismissSample();
    const { tz } = readFilters(event.url.searchParams).state;
    redirect(303, `${resolve('/')}${search({ ...DEFAULT_STATE, tz })}`);
  },
};

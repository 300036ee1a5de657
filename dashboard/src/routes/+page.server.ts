import { redirect } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import { AD_TABLE, AD_VALUES, adKey } from '$lib/ads/table.ts';
import { bucketsOf } from '$lib/buckets/buckets.ts';
import { BUCKET_TABLE, BUCKET_VALUES, bucketKey } from '$lib/buckets/table.ts';
import { amountFilters } from '$lib/filters/api.ts';
import { DEFAULT_STATE, search, zoneOf } from '$lib/filters/filters.ts';
import { comparedRange, dayOf, grainIn } from '$lib/filters/range.ts';
import { arranged } from '$lib/table/table.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import { readSetup } from '$lib/server/setup.ts';
import type { Actions, PageServerLoad } from './$types';

/** Rows of the table of ads; the page of ads has all. */
const AD_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { status, filters, range, as_of, is_empty } = await askedLedger(event);
  const { reports } = event.locals;
  if (is_empty) {
    const setup = status.loading_sample ? null : await readSetup(reports, status);
    return { own_repairs: [], figures: null, setup };
  }

  const asked = { ...range, tz: zoneOf(filters), as_of };
  const amounts = amountFilters(filters, range, as_of);
  const grain = grainIn(range, filters.grain);
  const compared = comparedRange(range, filters.compare);
  const [figures, before, savings, savings_ads] = await Promise.all([
    reports.figures(asked, grain),
    compared && reports.overview({ ...asked, ...compared }),
    reports.savings(amounts),
    reports.savingsAds(amounts),
  ]);
  const table = arranged(figures.ads, event.url.searchParams, { ...AD_TABLE, page_rows: AD_ROWS }, AD_VALUES, adKey);
  const buckets = bucketsOf(figures.buckets, range, zoneOf(filters), as_of, status.last_event_at);
  const bucket_table = arranged(buckets, event.url.searchParams, BUCKET_TABLE, BUCKET_VALUES, bucketKey);
  const shown_ids = new Set(table.rows.map((ad) => ad.ad_id));
  const ad_names = await reports.adNames([...shown_ids]);
  const notices = [...table.notices, ...bucket_table.notices];
  return {
    own_repairs: notices.map((notice) => ({ notice })),
    setup: null,
    figures: {
      overview: figures.overview,
      before: compared &&
        before && {
          range: compared,
          overview: before,
          is_partial: status.first_event_at === null || dayOf(status.first_event_at, zoneOf(filters)) > compared.from,
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
    await event.locals.reports.dismissSample();
    const { tz } = event.locals.filters;
    redirect(303, `${resolve('/')}${search({ ...DEFAULT_STATE, tz })}`);
  },
};

import { redirect } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import { bucketsOf, comparedBuckets } from '$lib/buckets/buckets.ts';
import { BUCKET_TABLE, BUCKET_VALUES, bucketKey } from '$lib/buckets/table.ts';
import { amountFilters } from '$lib/filters/api.ts';
import { understood } from '$lib/filters/picked.ts';
import { filtersOf } from '$lib/navigation/pages.ts';
import { DEFAULT_STATE, search, zoneOf } from '$lib/filters/filters.ts';
import { comparedRange, dayOf, grainIn } from '$lib/filters/range.ts';
import { arranged } from '$lib/table/table.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import { readSetup } from '$lib/server/setup.ts';
import { readWaiting } from '$lib/server/waiting.ts';
import type { Actions, PageServerLoad } from './$types';

/** Conversations without a reply that are listed. */
const MAX_WAITING = 5;

export const load: PageServerLoad = async (event) => {
  const { status, filters, range, as_of, is_empty } = await askedLedger(event);
  const { reports } = event.locals;
  if (is_empty) {
    const setup = status.loading_sample ? null : await readSetup(reports, status, await event.locals.processFigures());
    return { own_repairs: [], figures: null, only: {}, setup };
  }

  const only = understood(filters.only, filtersOf('/'));
  const asked = { ...range, tz: zoneOf(filters), as_of, ...only };
  const amounts = { ...amountFilters(filters, range, as_of), ...only };
  const grain = grainIn(range, filters.grain);
  const compared = comparedRange(range, filters.compare);
  const tz = zoneOf(filters);
  const [figures, before, savings, saved_before, waiting] = await Promise.all([
    reports.figures(asked, grain),
    compared && reports.figures({ ...asked, ...compared }, grain),
    reports.savings(amounts),
    compared ? reports.savings({ ...amounts, ...compared }) : [],
    readWaiting(reports, asked, MAX_WAITING),
  ]);
  const { last_event_at } = status;
  const now = bucketsOf(figures.buckets, range, tz, as_of, last_event_at);
  const buckets =
    compared && before ? comparedBuckets(now, bucketsOf(before.buckets, compared, tz, as_of, last_event_at)) : now;
  const bucket_table = arranged(buckets, event.url.searchParams, BUCKET_TABLE, BUCKET_VALUES, bucketKey);
  return {
    own_repairs: bucket_table.notices.map((notice) => ({ notice })),
    setup: null,
    only,
    figures: {
      overview: figures.overview,
      before: compared &&
        before && {
          range: compared,
          overview: before.overview,
          savings: saved_before,
          is_partial: status.first_event_at === null || dayOf(status.first_event_at, tz) > compared.from,
        },
      grain,
      buckets,
      bucket_table,
      savings,
      as_of,
      ...waiting,
    },
  };
};

export const actions: Actions = {
  showSample: async (event) => {
    if (event.locals.changes !== null) await event.locals.reports.showSample();
    const { tz } = event.locals.filters;
    redirect(303, `${resolve('/')}${search({ ...DEFAULT_STATE, tz, sample: true })}`);
  },

  dismissSample: async (event) => {
    await event.locals.reports.dismissSample();
    const { tz } = event.locals.filters;
    redirect(303, `${resolve('/')}${search({ ...DEFAULT_STATE, tz })}`);
  },
};

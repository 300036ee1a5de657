import { error } from '@sveltejs/kit';

import { billedDays } from '$lib/billing/days.ts';
import { amountFilters } from '$lib/filters/api.ts';
import { reportsOf } from '$lib/server/reports.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { status, filters, range, as_of } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const empty = status.source === 'ledger' && status.events === 0;
  if (status.loading_sample || empty) return { bill: null };

  const reports = reportsOf(event);
  const asked = amountFilters(filters, range, as_of);
  const [{ days, ...cuts }, unrated] = await Promise.all([
    reports.bill(asked, filters.sample),
    reports.unrated(asked, filters.sample),
  ]);
  return { bill: { ...cuts, days: billedDays(days, range, status.last_event_at, filters.tz), unrated } };
};

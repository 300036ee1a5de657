import { error } from '@sveltejs/kit';

import { readAsked } from '$lib/conversation/asked.ts';
import { shownCustomer } from '$lib/conversation/masking.ts';
import { reportsOf } from '$lib/server/reports.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { status, filters, range, as_of } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const { asked, repairs: list_repairs } = readAsked(event.url.searchParams);
  const empty = status.source === 'ledger' && status.events === 0;
  if (status.loading_sample || empty) return { asked, list_repairs, list: null };
  const list = await reportsOf(event).conversations(
    { filters: { ...range, tz: filters.tz, as_of }, q: asked.q, ad: asked.ad, before: asked.before },
    filters.sample,
  );
  return {
    asked,
    list_repairs,
    list: {
      ...list,
      // Here and not in the page: what is not to be seen is not sent either.
      conversations: list.conversations.map((row) => ({
        ...row,
        customer: shownCustomer(row.customer, asked.reveal),
      })),
    },
  };
};

import { error } from '@sveltejs/kit';

import { readReveal } from '$lib/conversation/asked.ts';
import { shownCustomer } from '$lib/conversation/masking.ts';
import { reportsOf } from '$lib/server/reports.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { status, filters } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const [explained] = await reportsOf(event).messages({ ...event.params, tz: filters.tz }, filters.sample);
  if (explained === undefined) error(404, 'There is no such message');
  const reveal = readReveal(event.url.searchParams);
  const customer = shownCustomer(explained.message.customer, reveal);
  // Here and not in the page: what is not to be seen is not sent either.
  return { reveal, explained: { ...explained, message: { ...explained.message, customer } } };
};

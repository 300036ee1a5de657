import { error } from '@sveltejs/kit';

import { readReveal } from '$lib/conversation/asked.ts';
import { shownCustomer } from '$lib/conversation/masking.ts';
import { reportsOf } from '$lib/server/reports.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { status, filters } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const all = await reportsOf(event).messages({ ...event.params, tz: filters.tz }, filters.sample);
  // A group message has a row for each participant; its address tells them apart and names nobody.
  const wanted = event.url.searchParams.get('participant') ?? '';
  const explained = all.find(({ message }) => message.participant_key === wanted) ?? all[0];
  if (explained === undefined) error(404, 'There is no such message');
  const reveal = readReveal(event.url.searchParams);
  const { message } = explained;
  // Here and not in the page: what is not to be seen is not sent either.
  const shown = {
    ...message,
    customer: shownCustomer(message.customer, reveal),
    dialled_customer: message.dialled_customer === '' ? '' : shownCustomer(message.dialled_customer, reveal),
  };
  return {
    reveal,
    participants: all.map(({ message: { participant, participant_key } }) => ({
      participant_key,
      name: shownCustomer(participant, reveal),
    })),
    explained: { ...explained, message: shown },
  };
};

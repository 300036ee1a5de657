import { error } from '@sveltejs/kit';

import { readReveal, readTimelineBefore } from '$lib/conversation/asked.ts';
import { shownCustomer } from '$lib/conversation/masking.ts';
import { reportsOf } from '$lib/server/reports.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { status, filters, as_of } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const { asked: before, repairs: own_repairs } = readTimelineBefore(event.url.searchParams);
  const reveal = readReveal(event.url.searchParams);
  const found = await reportsOf(event).conversation({ ...event.params, as_of, before }, filters.sample);
  if (found === null) error(404, 'There is no such message');
  return {
    before,
    reveal,
    own_repairs,
    message_id: event.params.message_id,
    conversation: {
      ...found,
      customer: shownCustomer(found.customer, reveal),
      events: found.events.map((one) =>
        one.kind === 'outbound' && one.participant !== ''
          ? { ...one, participant: shownCustomer(one.participant, reveal) }
          : one,
      ),
    },
  };
};

import { error } from '@sveltejs/kit';

import { readReveal, readTimelineBefore } from '$lib/conversation/asked.ts';
import { shownCustomer } from '$lib/conversation/masking.ts';
import { readAdNames } from '$lib/server/ad-names.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { as_of } = await askedLedger(event);
  const { asked: before, repairs: own_repairs } = readTimelineBefore(event.url.searchParams);
  const reveal = readReveal(event.url.searchParams);
  const found = await event.locals.reports.conversation({ ...event.params, as_of, before });
  if (found === null) error(404, 'There is no such message');
  const ads = await readAdNames(
    event.locals.reports,
    found.events.map((one) => (one.kind === 'inbound' ? (one.entry?.ad_id ?? '') : '')),
  );
  return {
    ads,
    before,
    reveal,
    own_repairs,
    message_id: event.params.message_id,
    conversation: {
      ...found,
      customer: shownCustomer(found.customer, reveal),
      other_names: found.other_names.map((name) => shownCustomer(name, reveal)),
      events: found.events.map((one) =>
        one.kind === 'outbound' && one.participant !== ''
          ? { ...one, participant: shownCustomer(one.participant, reveal) }
          : one,
      ),
    },
  };
};

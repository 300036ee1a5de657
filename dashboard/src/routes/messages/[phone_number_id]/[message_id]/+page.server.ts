import { valueIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import { error } from '@sveltejs/kit';

import { readReveal } from '$lib/conversation/asked.ts';
import { shownCustomer } from '$lib/conversation/masking.ts';
import { zoneOf } from '$lib/filters/filters.ts';
import { readAdNames } from '$lib/server/ad-names.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { filters } = await askedLedger(event);
  const all = await event.locals.reports.messages({ ...event.params, tz: zoneOf(filters) });
  // A group message has a row for each participant. The address has a key that does not reveal the participant.
  const wanted = valueIn(event.url.searchParams, 'participant') ?? '';
  const explained = all.find(({ message }) => message.participant_key === wanted) ?? all[0];
  if (explained === undefined) error(404, 'There is no such message');
  const reveal = readReveal(event.url.searchParams);
  const { message } = explained;
  // Masked here and not in the page, so that hidden digits are not sent to the browser.
  const shown = {
    ...message,
    customer: shownCustomer(message.customer, reveal),
    recipient: shownCustomer(message.recipient, reveal),
    dialled_customer: message.dialled_customer === '' ? '' : shownCustomer(message.dialled_customer, reveal),
  };
  return {
    reveal,
    ads: await readAdNames(event.locals.reports, [message.ad_id]),
    participants: all.map(({ message: { participant, participant_key } }) => ({
      participant_key,
      name: shownCustomer(participant, reveal),
    })),
    explained: { ...explained, message: shown, names: explained.names.map((name) => shownCustomer(name, reveal)) },
  };
};

import { textIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import { redirect } from '@sveltejs/kit';

import { readReveal } from '$lib/conversation/asked.ts';
import { zoneOf } from '$lib/filters/filters.ts';
import { messageAddress } from '$lib/message/address.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { filters } = await askedLedger(event);
  const message_id = textIn(event.url.searchParams, 'id');
  const reveal = readReveal(event.url.searchParams);
  if (message_id === '') return { message_id, reveal, messages: [] };
  const found = await event.locals.reports.messages({ message_id, phone_number_id: null, tz: zoneOf(filters) });
  // A group message has a row for each participant, all in one number.
  const numbers = [...new Set(found.map(({ message }) => message.phone_number_id))];
  const only = numbers.length === 1 ? found[0] : undefined;
  if (only !== undefined) redirect(303, messageAddress(only.message, filters, reveal));
  // Only the numbers, so that hidden data is not sent to the browser.
  return {
    message_id,
    reveal,
    messages: numbers.map((phone_number_id) => ({ message_id, phone_number_id })),
  };
};

import { textIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import { error } from '@sveltejs/kit';

import { askedLedger } from '$lib/server/ledger.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  await askedLedger(event);
  const closing = textIn(event.url.searchParams, 'closing');
  const printed = await event.locals.reports.printedMonth(closing);
  if (printed === null) error(404, 'There is no report of such a closing.');
  return { printed };
};

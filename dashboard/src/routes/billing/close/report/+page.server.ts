import { error } from '@sveltejs/kit';

import { askedLedger } from '$lib/server/ledger.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  await askedLedger(event);
  const closing = event.url.searchParams.get('closing')?.trim() ?? '';
  const printed = await event.locals.reports.printedMonth(closing);
  if (printed === null) error(404, 'There is no report of such a closing.');
  return { printed };
};

import { error } from '@sveltejs/kit';

import { reportsOf } from '$lib/server/reports.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { status, filters } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const closing = event.url.searchParams.get('closing')?.trim() ?? '';
  const printed = await reportsOf(event).printedMonth(closing, filters.sample);
  if (printed === null) error(404, 'There is no report of such a closing.');
  return { printed };
};

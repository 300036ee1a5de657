import { error } from '@sveltejs/kit';

import { reportsOf } from '$lib/server/reports.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { status, filters } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const [explained] = await reportsOf(event).messages({ ...event.params, tz: filters.tz }, filters.sample);
  if (explained === undefined) error(404, 'There is no such message');
  return { explained };
};

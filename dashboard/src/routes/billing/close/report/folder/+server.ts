import { valueIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import { error } from '@sveltejs/kit';

import { archiveResponse } from '$lib/server/archive.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async (event) => {
  const archive = await event.locals.monthReportArchive(valueIn(event.url.searchParams, 'closing') ?? '');
  if (archive === null) error(404, 'There is no report of such a closing.');
  return archiveResponse(archive);
};

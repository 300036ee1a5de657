import { error } from '@sveltejs/kit';

import { archiveResponse } from '$lib/server/archive.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async (event) => {
  const archive = await event.locals.monthReportArchive(event.url.searchParams.get('closing') ?? '');
  if (archive === null) error(404, 'There is no report of such a closing.');
  return archiveResponse(archive);
};

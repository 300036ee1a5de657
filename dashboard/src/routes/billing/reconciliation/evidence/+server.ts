import { caseKeySchema } from '@ctwa-ledger/schemas/cases.ts';
import { error } from '@sveltejs/kit';

import { archiveResponse } from '$lib/server/archive.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async (event) => {
  const asked = (name: string): string => event.url.searchParams.get(name) ?? '';
  const key = caseKeySchema.safeParse({
    waba_id: asked('account'),
    month: asked('month'),
    explanation: asked('case'),
  });
  if (!key.success) error(404, 'There is no such case.');
  const archive = await event.locals.evidencePack(key.data);
  if (archive === null) error(404, 'No row is of this case now, so there is no evidence of it.');
  return archiveResponse(archive);
};

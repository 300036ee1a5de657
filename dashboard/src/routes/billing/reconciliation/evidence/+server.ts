import { valueIn, type AddressParameter } from '@ctwa-ledger/schemas/address-parameters.ts';
import { caseKeySchema, chosenRowsSchema } from '@ctwa-ledger/schemas/cases.ts';
import { error } from '@sveltejs/kit';

import { archiveResponse } from '$lib/server/archive.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = async (event) => {
  const params = event.url.searchParams;
  const asked = (name: AddressParameter): string => valueIn(params, name) ?? '';
  const month = { waba_id: asked('account'), month: asked('month') };
  if (valueIn(params, 'case') !== null) {
    const key = caseKeySchema.safeParse({ ...month, explanation: asked('case') });
    if (!key.success) error(404, 'There is no such case.');
    const archive = await event.locals.evidencePack(key.data);
    if (archive === null) error(404, 'No row is of this case now, so there is no evidence of it.');
    return archiveResponse(archive);
  }
  const chosen = chosenRowsSchema.safeParse({ ...month, rows: params.getAll('row' satisfies AddressParameter) });
  if (!chosen.success)
    error(400, 'Choose at least one row of the table of rows that differ, then ask for the evidence.');
  const archive = await event.locals.evidencePack(chosen.data);
  if (archive === null)
    error(404, 'Some of the chosen rows do not differ any more. Load the page again, and choose anew.');
  return archiveResponse(archive);
};

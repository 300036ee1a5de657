import { valueIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import { isSuggested } from '@ctwa-ledger/schemas/suggestions.ts';
import { error, json } from '@sveltejs/kit';

import { suggestionsFor } from '$lib/filters/suggestions.ts';
import type { RequestHandler } from './$types';

/** Longest text that is searched for. */
const MAX_CHARACTERS = 200;

/** Values of a filter for the fields of {@link ../../lib/filters/PickFields.svelte}. */
export const GET: RequestHandler = async ({ url, locals }) => {
  const of = valueIn(url.searchParams, 'of');
  if (!isSuggested(of)) error(400, 'There are no suggestions for this filter');
  const text = (valueIn(url.searchParams, 'text') ?? '').slice(0, MAX_CHARACTERS);
  const { accounts } = await locals.reports.status();
  return json(suggestionsFor(of, text, accounts, await locals.reports.suggestions(of, text)));
};

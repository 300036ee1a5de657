import { textIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import type { SendResult } from '@ctwa-ledger/schemas/send-check.ts';
import { fail } from '@sveltejs/kit';
import { DateTime } from 'luxon';

import { zoneOf } from '$lib/filters/filters.ts';
import { NOTHING_ASKED, readAsked } from '$lib/send-check/asked.ts';
import { fieldTexts } from '$lib/server/forms.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { Actions, PageServerLoad } from './$types';

/** Recipients that a page lists; the API lists all. */
const SHOWN_LINES = 200;

export const load: PageServerLoad = async (event) => {
  await askedLedger(event);
  const accounts = await event.locals.reports.accounts();
  const numbers = accounts.flatMap(({ account, phone_number_ids }) => [
    ...(account.phone_number_ids ?? []),
    ...phone_number_ids,
  ]);
  return {
    numbers: [...new Set(numbers)].sort(),
    asked: { ...NOTHING_ASKED, number: textIn(event.url.searchParams, 'number') },
  };
};

function shown(result: SendResult): { readonly result: SendResult; readonly lines_left: number } {
  if (result.kind !== 'many' || result.totals.lines === undefined) return { result, lines_left: 0 };
  const { lines } = result.totals;
  const totals = { ...result.totals, lines: lines.slice(0, SHOWN_LINES) };
  return { result: { kind: 'many', totals }, lines_left: Math.max(0, lines.length - SHOWN_LINES) };
}

export const actions: Actions = {
  check: async (event) => {
    const asked = fieldTexts(await event.request.formData(), NOTHING_ASKED);
    const read = readAsked(asked);
    if (!read.ok) return fail(400, { asked, problem: read.message });
    const { as_of } = event.locals.filters;
    const tz = zoneOf(event.locals.filters);
    const at = as_of === null ? Date.now() / 1000 : DateTime.fromISO(as_of, { zone: tz }).toSeconds();
    try {
      const result = await event.locals.reports.sendCheck(read.request, { at: Math.floor(at), tz });
      return { asked, ...shown(result) };
    } catch (failure) {
      console.error('The ledger did not answer a send check:', failure);
      return fail(503, { asked, problem: 'The ledger does not answer. Try again in a moment.' });
    }
  },
};

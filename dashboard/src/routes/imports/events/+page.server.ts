import type { TakenEvents } from '@ctwa-ledger/schemas/changes.ts';
import { fail } from '@sveltejs/kit';

import { givenFiles, READ_ONLY } from '$lib/server/forms.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { locked } = await askedLedger(event);
  return { own_repairs: [], locked };
};

export const actions: Actions = {
  upload: async (event) => {
    const { changes } = event.locals;
    if (changes === null) return fail(403, { problem: READ_ONLY, taken: [] });
    const given = await givenFiles(event, 'split them, pack them with gzip, or use the command.');
    if (!given.ok) return fail(given.status, { problem: given.message, taken: [] });
    const taken: TakenEvents[] = [];
    for (const file of given.files) {
      const outcome = await changes.takeEvents(file);
      if (!outcome.ok) return fail(400, { problem: outcome.message, taken });
      taken.push(outcome);
    }
    return { problem: null, taken };
  },
};

import { error, fail } from '@sveltejs/kit';

import { readFilters } from '$lib/filters/filters.ts';
import { readLettersState } from '$lib/health/address.ts';
import { changesOf, processOf, reportsOf } from '$lib/server/reports.ts';
import type { Actions, PageServerLoad } from './$types';

const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { status, filters } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const reports = reportsOf(event);
  const { state, repairs } = readLettersState(event.url.searchParams);
  const [health, letters, process] = await Promise.all([
    reports.health(filters.sample),
    // One more than is shown says whether there is another page.
    reports.deadLetters({ ...state, limit: PAGE_ROWS + 1 }, filters.sample),
    processOf(event),
  ]);
  const shown = letters.slice(0, PAGE_ROWS);
  return {
    health,
    process,
    /** Unix seconds. */
    read_at: Math.floor(Date.now() / 1000),
    letters: shown,
    older: letters.length > shown.length ? (shown.at(-1) ?? null) : null,
    state,
    own_repairs: repairs,
    /** Why nothing can be replayed here; null where it can. */
    locked:
      changesOf(event) === null ? ('read_only' as const) : status.source === 'sample' ? ('sample' as const) : null,
  };
};

export const actions: Actions = {
  replay: async (event) => {
    const changes = changesOf(event);
    if (changes === null)
      return fail(403, { problem: 'This dashboard only reads. Run npx ctwa-ledger dead-letter replay.' });
    const { sample } = readFilters(event.url.searchParams).state;
    const done = await changes.replayLetters(sample);
    return done.ok ? { replayed: done.counts } : fail(409, { problem: done.message });
  },
};

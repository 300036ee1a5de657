import { error, fail } from '@sveltejs/kit';

import { readFilters } from '$lib/filters/filters.ts';
import { readCode } from '$lib/health/address.ts';
import { LETTER_TABLE, REASON_TABLE, REASON_VALUES } from '$lib/health/table.ts';
import { changesOf, processOf, reportsOf } from '$lib/server/reports.ts';
import { arranged, lostPlace, readTable } from '$lib/table/table.ts';
import type { Actions, PageServerLoad } from './$types';

const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { status, filters } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const reports = reportsOf(event);
  const params = event.url.searchParams;
  const { code, repairs } = readCode(params);
  const asked = readTable(params, LETTER_TABLE);
  const [health, letters, process] = await Promise.all([
    reports.health(filters.sample),
    reports.deadLetters({ ...asked.state, code, limit: PAGE_ROWS }, filters.sample),
    processOf(event),
  ]);
  const reasons = arranged(
    health.waiting,
    params,
    { ...REASON_TABLE, page_rows: PAGE_ROWS },
    REASON_VALUES,
    (row) => row.code,
  );
  const notices = [...reasons.notices, ...(letters.is_found ? [] : [lostPlace(LETTER_TABLE)])];
  return {
    health,
    process,
    /** Unix seconds. */
    read_at: Math.floor(Date.now() / 1000),
    reasons,
    letters,
    state: asked.state,
    code,
    own_repairs: [...repairs, ...asked.repairs, ...notices.map((notice) => ({ notice }))],
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

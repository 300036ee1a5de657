import { fail } from '@sveltejs/kit';

import { readCode } from '$lib/health/address.ts';
import { LETTER_TABLE, REASON_TABLE, REASON_VALUES } from '$lib/health/table.ts';
import { arranged, askedPage, cursorPlace, lostPlace, readTable } from '$lib/table/table.ts';
import { fieldText, READ_ONLY } from '$lib/server/forms.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import { readSetup } from '$lib/server/setup.ts';
import type { Actions, PageServerLoad } from './$types';

const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { status, locked } = await askedLedger(event);
  const { reports } = event.locals;
  const params = event.url.searchParams;
  const { code, repairs } = readCode(params);
  const asked = readTable(params, LETTER_TABLE);
  const wanted = askedPage(asked.state, params, LETTER_TABLE, PAGE_ROWS);
  const figures = event.locals.processFigures();
  const [health, letters, process, setup] = await Promise.all([
    reports.health(),
    reports.deadLetters({ ...wanted, code }),
    figures,
    // The sample data is set up already.
    status.source === 'sample' ? null : figures.then((known) => readSetup(reports, status, known)),
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
    setup,
    /** Unix seconds. */
    read_at: Math.floor(Date.now() / 1000),
    reasons,
    letters,
    place: cursorPlace(
      letters,
      wanted.limit,
      health.waiting
        .filter((reason) => code === null || reason.code === code)
        .reduce((sum, reason) => sum + reason.letters, 0),
    ),
    state: asked.state,
    code,
    own_repairs: [...repairs, ...asked.repairs, ...notices.map((notice) => ({ notice }))],
    locked,
  };
};

export const actions: Actions = {
  replay: async (event) => {
    const { changes } = event.locals;
    if (changes === null)
      return fail(403, { problem: 'This dashboard only reads. Run npx ctwa-ledger dead-letter replay.' });
    const done = await changes.replayLetters();
    return done.ok ? { replayed: done.counts } : fail(409, { problem: done.message });
  },

  dismiss: async (event) => {
    const { changes } = event.locals;
    if (changes === null) return fail(403, { problem: READ_ONLY });
    const form = await event.request.formData();
    const given = (name: string): string | undefined => fieldText(form, name) || undefined;
    const meant = { code: given('code'), source: given('source'), position: given('position') };
    // Never all of them: a form says which.
    if (Object.values(meant).every((value) => value === undefined))
      return fail(400, { problem: 'The form does not say which inputs are meant.' });
    const done = await changes.dismissLetters({
      ...meant,
      content_hash: given('content_hash'),
      reason: fieldText(form, 'reason'),
    });
    return done.ok ? { dismissed: done.letters } : fail(409, { problem: done.message });
  },

  restore: async (event) => {
    const { changes } = event.locals;
    if (changes === null) return fail(403, { problem: READ_ONLY });
    const done = await changes.undoDismissal(fieldText(await event.request.formData(), 'dismissal_id'));
    return done.ok ? { restored: done.letters } : fail(409, { problem: done.message });
  },
};

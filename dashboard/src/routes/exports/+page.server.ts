import { valueIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import { EXPORT_STATES } from '@ctwa-ledger/schemas/exports.ts';
import { fail, redirect, type RequestEvent } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import { exportOf, FORM_FILTERS, NEW_EXPORT, newExport } from '$lib/exports/form.ts';
import { EXPORT_TABLE, EXPORT_VALUES, exportKey, RUN_TABLE, RUN_VALUES, runKey } from '$lib/exports/table.ts';
import { search } from '$lib/filters/filters.ts';
import { fieldText, fieldTexts, READ_ONLY } from '$lib/server/forms.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import { arranged } from '$lib/table/table.ts';
import type { Actions, PageServerLoad } from './$types';

/** The latest runs of an export, of which the page shows a part at once. */
const MAX_RUNS = 1_000;
const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { locked, filters, names } = await askedLedger(event);
  const { reports } = event.locals;
  const { exports, reports: report_names } = await reports.exports();
  const params = event.url.searchParams;
  const table = arranged(exports, params, { ...EXPORT_TABLE, page_rows: PAGE_ROWS }, EXPORT_VALUES, exportKey);
  const shown = exports.find(({ name }) => name === valueIn(params, 'export')) ?? exports[0];
  const all_runs = shown === undefined ? [] : await reports.exportRuns(shown.schedule_id, MAX_RUNS);
  const runs = arranged(all_runs, params, { ...RUN_TABLE, page_rows: PAGE_ROWS }, RUN_VALUES, runKey);
  return {
    table,
    own_repairs: [...table.notices, ...runs.notices].map((notice) => ({ notice })),
    names,
    report_names,
    shown: shown?.name ?? null,
    runs,
    texts: newExport(filters.only),
    locked,
  };
};

function goTo(event: RequestEvent, name: string, place: string): never {
  redirect(303, `${resolve('/exports')}${search(event.locals.filters, { export: name })}#${place}`);
}

export const actions: Actions = {
  add: async (event) => {
    const { changes } = event.locals;
    const form = await event.request.formData();
    const { filters: _, ...plain } = NEW_EXPORT;
    const own = FORM_FILTERS.map((name) => [name, fieldText(form, `filter.${name}`)] as const);
    const texts = { ...fieldTexts(form, plain), filters: Object.fromEntries(own) };
    if (changes === null) return fail(403, { texts, problem: READ_ONLY });
    const read = exportOf(texts);
    if (typeof read === 'string') return fail(400, { texts, problem: read });
    const added = await changes.addExport(read);
    if (!added.ok) return fail(added.is_invalid ? 400 : 409, { texts, problem: added.message });
    goTo(event, texts.name, 'exports');
  },

  state: async (event) => {
    const { changes } = event.locals;
    if (changes === null) return fail(403, { problem_of_list: READ_ONLY });
    const form = await event.request.formData();
    const state = EXPORT_STATES.find((one) => one === fieldText(form, 'state'));
    if (state === undefined) return fail(400, { problem_of_list: 'The form does not say what is to be done.' });
    const changed = await changes.setExportState(fieldText(form, 'name'), state);
    if (!changed.ok) return fail(409, { problem_of_list: changed.message });
    goTo(event, fieldText(form, 'name'), 'exports');
  },

  run: async (event) => {
    const { changes } = event.locals;
    if (changes === null) return fail(403, { problem_of_list: READ_ONLY });
    const name = fieldText(await event.request.formData(), 'name');
    const run = await changes.runExport(name);
    if (!run.ok) return fail(409, { problem_of_list: run.message });
    // The list of runs shows why a run failed.
    goTo(event, name, 'runs');
  },
};

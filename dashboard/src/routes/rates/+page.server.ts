import { effectiveDateSchema, rateModelSchema } from '@ctwa-ledger/schemas/rate-file.ts';
import { MAX_CSV_FILE_BYTES } from '@ctwa-ledger/schemas/csv-file.ts';
import { error, fail, redirect, type RequestEvent } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import { ACCOUNT_TABLE, ACCOUNT_VALUES, accountKey } from '$lib/accounts/table.ts';
import { readAccount, readTexts, type AccountTexts } from '$lib/accounts/form.ts';
import { readFilters } from '$lib/filters/filters.ts';
import { ratesSearch, readRatesState, type RatesState } from '$lib/rates/address.ts';
import { CARD_TABLE, CARD_VALUES, cardKey } from '$lib/rates/table.ts';
import { changesOf, reportsOf } from '$lib/server/reports.ts';
import { uploadedForm } from '$lib/server/uploads.ts';
import { arranged } from '$lib/table/table.ts';
import type { Actions, PageServerLoad } from './$types';

const PAGE_ROWS = 50;

const READ_ONLY = 'This dashboard only reads. Run the command that the page names.';

export const load: PageServerLoad = async (event) => {
  const { status, filters } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const reports = reportsOf(event);
  const changes = changesOf(event);
  const params = event.url.searchParams;
  const asked = readRatesState(params);
  const [cards, accounts] = await Promise.all([reports.rateCards(filters.sample), reports.accounts(filters.sample)]);
  const card_table = arranged(cards, params, { ...CARD_TABLE, page_rows: PAGE_ROWS }, CARD_VALUES, cardKey);
  const account_table = arranged(
    accounts,
    params,
    { ...ACCOUNT_TABLE, page_rows: PAGE_ROWS },
    ACCOUNT_VALUES,
    accountKey,
  );
  const isPreview = asked.view === 'preview' && asked.effective !== null && status.source === 'ledger';
  return {
    asked,
    cards,
    accounts,
    card_table,
    account_table,
    own_repairs: [...card_table.notices, ...account_table.notices].map((notice) => ({ notice })),
    /** Why nothing can be changed here; null where it can. */
    locked: changes === null ? ('read_only' as const) : status.source === 'sample' ? ('sample' as const) : null,
    folded_threads: changes?.foldedThreads ?? null,
    preview:
      isPreview && changes !== null
        ? await changes.previewRates(heldFile(asked.upload, asked.effective ?? '', asked.model ?? ''))
        : null,
  };
};

interface Problem {
  /** The form that it stands in. */
  readonly of: 'upload' | 'import' | 'withdraw' | 'account';
  readonly message: string;
  /** The fields of an account as they were sent. */
  readonly texts?: AccountTexts;
}

function heldFile(upload: string, effective: string, model: string) {
  const known = rateModelSchema.safeParse(model);
  return { upload, effective, ...(known.success ? { model: known.data } : {}) };
}

const text = (form: FormData, name: string): string => {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
};

function goTo(event: RequestEvent, state: RatesState, place: string): never {
  const { state: filters } = readFilters(event.url.searchParams);
  redirect(303, `${resolve('/rates')}${ratesSearch(state, filters)}#${place}`);
}

const problem = (status: number, what: Problem) => fail(status, { problem: what });

export const actions: Actions = {
  upload: async (event) => {
    const changes = changesOf(event);
    if (changes === null) return problem(403, { of: 'upload', message: READ_ONLY });
    const form = await uploadedForm(event.request);
    const file = form?.get('file');
    if (form === null || (file instanceof File && file.size > MAX_CSV_FILE_BYTES))
      return problem(413, { of: 'upload', message: 'The file is larger than 32 MB: it is hardly a rate file.' });
    if (!(file instanceof File) || file.name === '')
      return problem(400, { of: 'upload', message: 'Choose a file first.' });
    const bytes = new Uint8Array(await file.arrayBuffer());
    const held = await changes.holdFile({ name: file.name, bytes }, readFilters(event.url.searchParams).state.sample);
    if (!held.ok) return problem(409, { of: 'upload', message: held.message });
    const effective = effectiveDateSchema.safeParse(text(form, 'effective'));
    const model = rateModelSchema.safeParse(text(form, 'model'));
    goTo(
      event,
      { view: 'preview', upload: held.upload, effective: effective.data ?? null, model: model.data ?? null },
      'preview',
    );
  },

  import: async (event) => {
    const changes = changesOf(event);
    if (changes === null) return problem(403, { of: 'import', message: READ_ONLY });
    const form = await event.request.formData();
    const effective = effectiveDateSchema.safeParse(text(form, 'effective'));
    if (!effective.success)
      return problem(400, { of: 'import', message: 'Say from which day the rates are in force, and preview again.' });
    const imported = await changes.importRates(
      heldFile(text(form, 'upload'), effective.data, text(form, 'model')),
      readFilters(event.url.searchParams).state.sample,
    );
    if (!imported.ok) return problem(409, { of: 'import', message: imported.message });
    const ids = imported.cards.map((card) => card.card_id);
    goTo(event, { view: 'list', done: { what: 'imported', ids } }, 'done');
  },

  withdraw: async (event) => {
    const changes = changesOf(event);
    if (changes === null) return problem(403, { of: 'withdraw', message: READ_ONLY });
    const card_id = text(await event.request.formData(), 'card_id');
    const withdrawn = await changes.withdrawRates(card_id, readFilters(event.url.searchParams).state.sample);
    if (!withdrawn.ok) return problem(409, { of: 'withdraw', message: withdrawn.message });
    goTo(event, { view: 'list', done: { what: 'withdrawn', ids: [card_id] } }, 'done');
  },

  account: async (event) => {
    const changes = changesOf(event);
    const texts = readTexts(await event.request.formData());
    if (changes === null) return problem(403, { of: 'account', message: READ_ONLY, texts });
    const read = readAccount(texts);
    if (!read.ok) return problem(400, { of: 'account', message: read.problem, texts });
    const kept = await changes.setAccount(read.account, readFilters(event.url.searchParams).state.sample);
    if (!kept.ok) return problem(409, { of: 'account', message: kept.message, texts });
    goTo(event, { view: 'list', done: { what: 'kept', ids: [read.account.waba_id] } }, 'done');
  },
};

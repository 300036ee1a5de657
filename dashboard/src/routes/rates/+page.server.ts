import type { HeldRateFile, ListedAccount } from '@ctwa-ledger/schemas/changes.ts';
import type { ListedCard } from '@ctwa-ledger/schemas/rate-cards.ts';
import { effectiveDateSchema, rateModelSchema } from '@ctwa-ledger/schemas/rate-file.ts';
import { fail, redirect, type RequestEvent } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import { ACCOUNT_TABLE, ACCOUNT_VALUES, accountKey } from '$lib/accounts/table.ts';
import { edited, readAccount, textsOf, type AccountTexts, type EditedAccount } from '$lib/accounts/form.ts';
import { ratesSearch, readRatesState, type Done, type PreviewState, type RatesState } from '$lib/rates/address.ts';
import { CARD_TABLE, CARD_VALUES, cardKey } from '$lib/rates/table.ts';
import { withdrawalOf } from '$lib/rates/withdrawal.ts';
import { cardName } from '$lib/rates/words.ts';
import { fieldText, heldUpload, READ_ONLY } from '$lib/server/forms.ts';
import { arranged } from '$lib/table/table.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { Actions, PageServerLoad } from './$types';

const PAGE_ROWS = 50;

/**
 * The change that was just made, with names from the ledger, because a link can contain anything; null when the ledger
 * knows none of the ids.
 */
function doneTo({ what, ids }: Done, cards: readonly ListedCard[], accounts: readonly ListedAccount[]) {
  const names =
    what === 'kept'
      ? accounts.map(({ account }) => account.waba_id).filter((waba_id) => ids.includes(waba_id))
      : cards.filter((card) => ids.includes(card.card_id)).map(cardName);
  return names.length === 0 ? null : { what, names };
}

/** The account that an address selects for editing. One that is not listed is a new account. */
function editedIn(waba_id: string, accounts: readonly ListedAccount[]): EditedAccount {
  const known = accounts.find(({ account }) => account.waba_id === waba_id);
  return edited(textsOf(known?.account ?? { waba_id }), accounts);
}

export const load: PageServerLoad = async (event) => {
  const { locked } = await askedLedger(event);
  const { reports, changes } = event.locals;
  const params = event.url.searchParams;
  const asked = readRatesState(params);
  const [cards, accounts] = await Promise.all([reports.rateCards(), reports.accounts()]);
  const card_table = arranged(cards, params, { ...CARD_TABLE, page_rows: PAGE_ROWS }, CARD_VALUES, cardKey);
  const account_table = arranged(
    accounts,
    params,
    { ...ACCOUNT_TABLE, page_rows: PAGE_ROWS },
    ACCOUNT_VALUES,
    accountKey,
  );
  const isPreview = asked.view === 'preview' && locked !== 'read_only';
  return {
    asked,
    card_table,
    account_table,
    delivered_total: accounts.reduce((sum, { delivered_messages }) => sum + delivered_messages, 0),
    done: asked.view === 'list' && asked.done !== null ? doneTo(asked.done, cards, accounts) : null,
    withdrawal: asked.view === 'withdraw' ? withdrawalOf(asked.card_id, cards) : null,
    account: asked.view === 'account' ? editedIn(asked.waba_id, accounts) : null,
    own_repairs: [...card_table.notices, ...account_table.notices].map((notice) => ({ notice })),
    locked,
    folded_threads: changes?.foldedThreads ?? null,
    preview: isPreview && changes !== null ? await changes.previewRates(heldFile(asked)) : null,
  };
};

interface Problem {
  /** The form with the problem. */
  readonly of: 'upload' | 'import' | 'withdraw' | 'account';
  readonly message: string;
  /** The account as it was sent. */
  readonly account?: EditedAccount;
}

function heldFile({ upload, effective, anyway, model }: Omit<PreviewState, 'view'>): HeldRateFile {
  return {
    upload,
    ...(effective === null ? {} : { effective }),
    ...(anyway ? { effective_anyway: true } : {}),
    ...(model === null ? {} : { model }),
  };
}

/** How to read a file, from a form; null when its day is not valid. */
function readHow(form: FormData): Omit<PreviewState, 'view' | 'upload'> | null {
  const day = fieldText(form, 'effective');
  const effective = effectiveDateSchema.safeParse(day);
  const model = rateModelSchema.safeParse(fieldText(form, 'model'));
  if (day !== '' && !effective.success) return null;
  return { effective: effective.data ?? null, anyway: fieldText(form, 'anyway') !== '', model: model.data ?? null };
}

const NO_DAY = 'The day from which the rates are in force is not a date from 2000 to 2099: write it as YYYY-MM-DD.';

function goTo(event: RequestEvent, state: RatesState, place: string): never {
  redirect(303, `${resolve('/rates')}${ratesSearch(state, event.locals.filters)}#${place}`);
}

const problem = (status: number, what: Problem) => fail(status, { problem: what });

export const actions: Actions = {
  upload: async (event) => {
    const held = await heldUpload(event, 'it is hardly a rate file.');
    if (!held.ok) return problem(held.status, { of: 'upload', message: held.message });
    const how = readHow(held.form);
    if (how === null) return problem(400, { of: 'upload', message: NO_DAY });
    goTo(event, { view: 'preview', upload: held.upload, ...how }, 'preview');
  },

  import: async (event) => {
    const { changes } = event.locals;
    if (changes === null) return problem(403, { of: 'import', message: READ_ONLY });
    const form = await event.request.formData();
    const how = readHow(form);
    if (how === null) return problem(400, { of: 'import', message: NO_DAY });
    const imported = await changes.importRates(heldFile({ upload: fieldText(form, 'upload'), ...how }));
    if (!imported.ok) return problem(409, { of: 'import', message: imported.message });
    const ids = imported.cards.map((card) => card.card_id);
    goTo(event, { view: 'list', done: { what: 'imported', ids } }, 'done');
  },

  withdraw: async (event) => {
    const { changes } = event.locals;
    if (changes === null) return problem(403, { of: 'withdraw', message: READ_ONLY });
    const card_id = fieldText(await event.request.formData(), 'card_id');
    const withdrawn = await changes.withdrawRates(card_id);
    if (!withdrawn.ok) return problem(409, { of: 'withdraw', message: withdrawn.message });
    goTo(event, { view: 'list', done: { what: 'withdrawn', ids: [card_id] } }, 'done');
  },

  account: async (event) => {
    const { changes } = event.locals;
    if (changes === null) return problem(403, { of: 'account', message: READ_ONLY });
    const form = await event.request.formData();
    const texts: AccountTexts = {
      waba_id: fieldText(form, 'waba_id'),
      name: fieldText(form, 'name'),
      time_zone: fieldText(form, 'time_zone'),
      currency: fieldText(form, 'currency'),
      portfolio_id: fieldText(form, 'portfolio_id'),
      phone_number_ids: fieldText(form, 'phone_number_ids'),
      closing_day: fieldText(form, 'closing_day'),
    };
    const refused = async (status: number, message: string) => {
      const accounts = await event.locals.reports.accounts();
      return problem(status, { of: 'account', message, account: edited(texts, accounts) });
    };
    const read = readAccount(texts);
    if (!read.ok) return refused(400, read.problem);
    const kept = await changes.setAccount(read.account);
    if (!kept.ok) return refused(409, kept.message);
    goTo(event, { view: 'list', done: { what: 'kept', ids: [read.account.waba_id] } }, 'done');
  },
};

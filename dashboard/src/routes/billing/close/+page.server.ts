import { valueIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import { fail, redirect, type RequestEvent } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import { closeSearch, NO_ACCOUNT, readClosedAccount, readClosedMonth } from '$lib/close/address.ts';
import { problemIn, type CloseTexts } from '$lib/close/form.ts';
import { search } from '$lib/filters/filters.ts';
import { fieldText, READ_ONLY } from '$lib/server/forms.ts';
import { askedMonths } from '$lib/server/months.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { known, is_empty, locked } = await askedMonths(event);
  const params = event.url.searchParams;
  const { reports } = event.locals;
  const { month, repairs } = readClosedMonth(params, known, new Date());
  if (is_empty || month === null) return { own_repairs: repairs, found: null, locked: null };

  const accounts = await reports.accountsToClose(month);
  const { account, repairs: of_account } = readClosedAccount(params, month, accounts);
  return {
    own_repairs: [...repairs, ...of_account],
    locked,
    found: {
      month,
      months: known.includes(month) ? known : [month, ...known],
      account,
      accounts,
      close: account === null ? null : await reports.monthClose({ waba_id: account, month }),
      done: valueIn(params, 'done'),
    },
  };
};

interface Problem {
  /** The form with the problem. */
  readonly of: 'close' | 'reopen' | 'report';
  readonly message: string;
  readonly texts: CloseTexts;
}

const problem = (status: number, what: Problem) => fail(status, { problem: what });

function goTo(event: RequestEvent, of: { readonly month: string; readonly waba_id: string }, done: string): never {
  redirect(303, `${resolve('/billing/close')}${closeSearch(of, event.locals.filters, { done })}#done`);
}

export const actions: Actions = {
  close: async (event) => {
    const form = await event.request.formData();
    const texts: CloseTexts = { by: fieldText(form, 'by'), note: fieldText(form, 'note') };
    const { changes } = event.locals;
    if (changes === null) return problem(403, { of: 'close', message: READ_ONLY, texts });
    const wrong = problemIn(texts, null);
    if (wrong !== null) return problem(400, { of: 'close', message: wrong, texts });
    const account = fieldText(form, 'account');
    const closing = {
      ...texts,
      waba_id: account === NO_ACCOUNT ? '' : account,
      month: fieldText(form, 'month'),
      accept: fieldText(form, 'accept') === 'yes',
    };
    if (!/^20\d\d-(0[1-9]|1[0-2])$/.test(closing.month))
      return problem(400, { of: 'close', message: 'The form names no month: open the page again.', texts });
    const closed = await changes.closeMonth(closing);
    if (!closed.ok) return problem(409, { of: 'close', message: closed.message, texts });
    if (closed.period === null) goTo(event, closing, 'requested');
    goTo(event, closed.period, 'closed');
  },

  report: async (event) => {
    const form = await event.request.formData();
    const texts: CloseTexts = { by: fieldText(form, 'by'), note: '' };
    const { changes } = event.locals;
    if (changes === null) return problem(403, { of: 'report', message: READ_ONLY, texts });
    const wrong = problemIn(texts, null);
    if (wrong !== null) return problem(400, { of: 'report', message: wrong, texts });
    const made = await changes.makeReport({ period_id: fieldText(form, 'period_id'), by: texts.by });
    if (!made.ok) return problem(409, { of: 'report', message: made.message, texts });
    redirect(
      303,
      `${resolve('/billing/close/report')}${search(event.locals.filters, { closing: made.report.period_id })}`,
    );
  },

  reopen: async (event) => {
    const form = await event.request.formData();
    const texts: CloseTexts = { by: fieldText(form, 'by'), note: fieldText(form, 'note') };
    const { changes } = event.locals;
    if (changes === null) return problem(403, { of: 'reopen', message: READ_ONLY, texts });
    const wrong = problemIn(texts, 'why the month is reopened');
    if (wrong !== null) return problem(400, { of: 'reopen', message: wrong, texts });
    const reopening = { period_id: fieldText(form, 'period_id'), by: texts.by, because: texts.note };
    const reopened = await changes.reopenMonth(reopening);
    if (!reopened.ok) return problem(409, { of: 'reopen', message: reopened.message, texts });
    goTo(event, reopened.period, 'reopened');
  },
};

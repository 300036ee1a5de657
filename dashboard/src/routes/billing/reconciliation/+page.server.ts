import { readCaseDecision } from '@ctwa-ledger/schemas/cases.ts';
import { readNewWriteOff, readWriteOffUndo } from '@ctwa-ledger/schemas/write-offs.ts';
import { fail, redirect } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import { search } from '$lib/filters/filters.ts';
import { daysOf, DIFFERENCE_TABLE, readAccount, readMonth, rowKey } from '$lib/reconciliation/address.ts';
import { lostPlace, pageAfter, readTable } from '$lib/table/table.ts';
import { decisionOf, type CaseTexts } from '$lib/reconciliation/cases.ts';
import { readTolerance } from '$lib/reconciliation/tolerances.ts';
import { writingOf, type WriteOffTexts } from '$lib/reconciliation/write-offs.ts';
import { fieldText, READ_ONLY } from '$lib/server/forms.ts';
import { askedMonths } from '$lib/server/months.ts';
import type { Actions, PageServerLoad } from './$types';

const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { known, imports, is_empty, locked } = await askedMonths(event);
  const params = event.url.searchParams;
  const { reports } = event.locals;
  const { month, repairs } = readMonth(params, known, imports);
  if (is_empty || month === null) return { own_repairs: repairs, found: null, locked: null };

  const accounts = await reports.accountsToReconcile(month);
  const { account, repairs: of_account } = readAccount(params, month, accounts, imports);
  const table = readTable(params, DIFFERENCE_TABLE);
  const held = account === null ? null : await reports.reconciliation({ waba_id: account, month });
  const cases = account === null ? null : await reports.cases({ waba_id: account, month });
  const claims = account === null ? [] : await reports.claims();
  const statement = account === null ? null : await reports.statement({ waba_id: account, month });
  const { tolerance, repairs: of_tolerance } = readTolerance(params);
  const rows = pageAfter(held?.rows ?? [], table.state.after, rowKey, PAGE_ROWS);
  const lost = rows.is_found ? [] : [{ notice: lostPlace(DIFFERENCE_TABLE) }];
  const { from, to } = daysOf(month);
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000;
  return {
    locked,
    own_repairs: [...repairs, ...of_account, ...table.repairs, ...lost, ...of_tolerance],
    found: {
      month,
      months: known.includes(month) ? known : [month, ...known],
      account,
      accounts,
      closings: (await reports.closings({ from, to })).filter(({ waba_id }) => waba_id === account),
      // Rows of other pages are not sent.
      held: held === null || held.missing_days.length === days ? null : { ...held, rows: [] },
      table: rows,
      statement,
      tolerance,
      trials:
        tolerance === null || account === null
          ? []
          : await reports.toleranceTrials({ waba_id: account, month, ...tolerance }),
      writing: held === null ? null : writingOf(params, held.rows),
      claims: claims.filter((claim) => claim.waba_id === account && claim.month === month),
      cases: held === null || (cases?.cases.length === 0 && held.missing_days.length === days) ? null : cases,
    },
  };
};

export const actions: Actions = {
  decide: async (event) => {
    const form = await event.request.formData();
    const texts: CaseTexts = {
      explanation: fieldText(form, 'explanation'),
      action: fieldText(form, 'action'),
      by: fieldText(form, 'by'),
      note: fieldText(form, 'note'),
      until: fieldText(form, 'until'),
      assignee: fieldText(form, 'assignee'),
    };
    const problem = (status: number, message: string) =>
      fail(status, { problem: { message, texts }, written: null, undone: null });
    const { changes, filters } = event.locals;
    if (changes === null) return problem(403, READ_ONLY);
    const of = {
      waba_id: fieldText(form, 'account'),
      month: fieldText(form, 'month'),
      seen: fieldText(form, 'seen'),
    };
    const decision = readCaseDecision(decisionOf(texts, of));
    if (typeof decision === 'string') return problem(400, decision);
    const decided = await changes.decideCase(decision);
    if (!decided.ok) return problem(409, decided.message);
    const place = search(filters, { month: of.month, account: of.waba_id });
    redirect(303, `${resolve('/billing/reconciliation')}${place}#case-${decision.explanation}`);
  },
  write_off: async (event) => {
    const form = await event.request.formData();
    const texts: WriteOffTexts = {
      reason: fieldText(form, 'reason'),
      note: fieldText(form, 'note'),
      by: fieldText(form, 'by'),
    };
    const problem = (status: number, message: string) =>
      fail(status, { problem: null, written: { message, texts }, undone: null });
    const { changes, filters } = event.locals;
    if (changes === null) return problem(403, READ_ONLY);
    const of = { waba_id: fieldText(form, 'account'), month: fieldText(form, 'month') };
    const rows = form.getAll('row').map(String);
    const explanation = fieldText(form, 'explanation');
    const asked = readNewWriteOff({ ...of, ...texts, ...(explanation === '' ? { rows } : { explanation }) });
    if (typeof asked === 'string') return problem(400, asked);
    const written = await changes.makeWriteOff(asked);
    if (!written.ok) return problem(409, written.message);
    const place = search(filters, { month: of.month, account: of.waba_id });
    redirect(303, `${resolve('/billing/reconciliation')}${place}#write-offs`);
  },
  undo: async (event) => {
    const form = await event.request.formData();
    const write_off_id = fieldText(form, 'write_off_id');
    const texts = { note: fieldText(form, 'note'), by: fieldText(form, 'by') };
    const problem = (status: number, message: string) =>
      fail(status, { problem: null, written: null, undone: { message, texts, write_off_id } });
    const { changes, filters } = event.locals;
    if (changes === null) return problem(403, READ_ONLY);
    const asked = readWriteOffUndo({ action: 'undo', ...texts });
    if (typeof asked === 'string') return problem(400, asked);
    const undone = await changes.undoWriteOff(write_off_id, asked);
    if (!undone.ok) return problem(409, undone.message);
    const { waba_id, month } = undone.write_off;
    redirect(303, `${resolve('/billing/reconciliation')}${search(filters, { month, account: waba_id })}#write-offs`);
  },
};

import { textIn, type AddressParameters } from '@ctwa-ledger/schemas/address-parameters.ts';
import type { CheckName, MonthClose } from '@ctwa-ledger/schemas/periods.ts';

import { quoted, search, type FilterState, type Repair } from '../filters/filters.ts';
import { apiAddress, reportAddress } from '../filters/api.ts';
import { monthLabel } from '../format/dates.ts';
import { daysOf } from '$lib/reconciliation/address.ts';

/** The account in an address for messages that belong to none. */
export const NO_ACCOUNT = 'none';

type Notices = readonly Pick<Repair, 'notice'>[];

/** The month that an address selects; else the last one that has ended, else the last of `months`. */
export function readClosedMonth(
  params: URLSearchParams,
  months: readonly string[],
  now: Date,
): { readonly month: string | null; readonly repairs: Notices } {
  const current = now.toISOString().slice(0, 7);
  const usual = months.find((month) => month < current) ?? months.at(0) ?? null;
  const text = textIn(params, 'month');
  if (/^20\d\d-(0[1-9]|1[0-2])$/.test(text)) return { month: text, repairs: [] };
  if (text === '') return { month: usual, repairs: [] };
  return {
    month: usual,
    repairs: [{ notice: `month: ${quoted(text)} is not a month like 2026-10; the last one that is over is shown.` }],
  };
}

/** The account that an address selects; else the first one with a name, else the empty one. */
export function readClosedAccount(
  params: URLSearchParams,
  month: string,
  accounts: readonly string[],
): { readonly account: string | null; readonly repairs: Notices } {
  const usual = accounts.find((waba_id) => waba_id !== '') ?? accounts.at(0) ?? null;
  const text = textIn(params, 'account');
  const asked = text === NO_ACCOUNT ? '' : text;
  if (text === '') return { account: usual, repairs: [] };
  if (accounts.includes(asked)) return { account: asked, repairs: [] };
  return {
    account: usual,
    repairs: [
      { notice: `account: ${quoted(text)} has nothing to close in ${monthLabel(month)}; another one is shown.` },
    ],
  };
}

/** The end of the address of the page for a month of an account. */
export function closeSearch(
  { month, waba_id }: Pick<MonthClose, 'month' | 'waba_id'>,
  filters: FilterState,
  own: AddressParameters = {},
): string {
  return search(filters, { month, account: waba_id === '' ? NO_ACCOUNT : waba_id, ...own });
}

/** The page or report that shows the evidence of a checklist item. */
export interface Evidence {
  readonly name: string;
  readonly page: '/imports' | '/health' | '/billing' | '/billing/reconciliation' | null;
  /** The end of the address of the page, or the address of a report. */
  readonly end: string;
}

/** By the days of sending: an undelivered message is on no day of charges. */
function undelivered(month: string, waba_id: string, isSample: boolean): string {
  return apiAddress('messages', {
    format: 'csv',
    month,
    waba_id,
    billing: 'UNDELIVERED',
    ...(isSample ? { sample: '1' } : {}),
  });
}

/** The pages and reports that show an item's evidence. */
export function evidenceOf(
  check: CheckName,
  { month, waba_id }: Pick<MonthClose, 'month' | 'waba_id'>,
  filters: FilterState,
  isSample: boolean,
): readonly Evidence[] {
  const days = daysOf(month);
  const state = { ...filters, ...days, tz: null };
  const bill = (place: string): Evidence => ({
    name: 'Meta’s bill',
    page: '/billing/reconciliation',
    end: `${search(filters, { month, account: waba_id })}${place}`,
  });
  const report = (name: string, of: 'adjustments' | 'invoice-lines' | 'message-counts', only = {}): Evidence => ({
    name,
    page: null,
    end: reportAddress(of, 'csv', state, days, isSample, only),
  });
  switch (check) {
    case 'meta_numbers':
      return [{ name: 'Imports', page: '/imports', end: `${search(filters)}#meta-imports` }, bill('')];
    case 'events':
      return [{ name: 'Health', page: '/health', end: search(filters) }, bill('')];
    case 'counts':
      return [report('Message counts, CSV', 'message-counts', { waba_id })];
    case 'controls':
      return [bill('#controls')];
    case 'outcomes':
      return [{ name: 'Undelivered messages, CSV', page: null, end: undelivered(month, waba_id, isSample) }];
    case 'prices':
      return [{ name: 'Without a price', page: '/billing', end: `${search(state, { waba_id })}#unrated` }];
    case 'differences':
      return [bill('#differences')];
    case 'cases':
      return [bill('#cases')];
    case 'invoice':
      return [report('Invoice lines, CSV', 'invoice-lines')];
    case 'closed_once':
      return [report('Adjustments, CSV', 'adjustments', { waba_id })];
  }
}

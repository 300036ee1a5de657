import { textIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import { rowKeyOf, type DifferingRow, type MetaImport } from '@ctwa-ledger/schemas/meta.ts';

import { addDays, type Day } from '../filters/days.ts';
import { quoted, search, type FilterState, type Repair } from '../filters/filters.ts';
import type { DayRange } from '../filters/range.ts';
import { monthLabel } from '../format/dates.ts';
import type { TableSpec } from '../table/table.ts';

/** It has one order only: the largest difference first, as in the report. */
export const DIFFERENCE_TABLE: TableSpec<'size'> = {
  id: 'differences',
  is_main: true,
  columns: ['size'],
  default_sort: { column: 'size', descending: true },
};

type Notices = readonly Pick<Repair, 'notice'>[];

export const daysOf = (month: string): DayRange => ({ from: `${month}-01`, to: `${nextMonth(month)}-01` });

function nextMonth(month: string): string {
  return addDays(`${month}-28`, 4).slice(0, 7);
}

/** A longer list would be hard to choose from. */
const MAX_MONTHS = 60;

/** Months from the first to the last of these days, the latest first. */
export function monthsOf(days: readonly Day[]): readonly string[] {
  const named = days.map((day) => day.slice(0, 7)).toSorted();
  const [first, last] = [named.at(0), named.at(-1)];
  if (first === undefined || last === undefined) return [];
  const months: string[] = [];
  for (let month = first; month <= last; month = nextMonth(month)) months.push(month);
  return months.toReversed().slice(0, MAX_MONTHS);
}

/** Imports that months are held against. */
function inForce(imports: readonly MetaImport[]): readonly MetaImport[] {
  return imports.filter(
    ({ field, state }) => state === 'holds' && (field === 'pricing_analytics' || field === 'conversation_analytics'),
  );
}

/** The month that an address selects; else the last one with numbers of Meta's, else the last of `months`. */
export function readMonth(
  params: URLSearchParams,
  months: readonly string[],
  imports: readonly MetaImport[],
): { readonly month: string | null; readonly repairs: Notices } {
  const last = inForce(imports).flatMap(({ last_day }) => (last_day === null ? [] : [last_day.slice(0, 7)]));
  const usual = last.toSorted().at(-1) ?? months.at(0) ?? null;
  const text = textIn(params, 'month');
  if (/^20\d\d-(0[1-9]|1[0-2])$/.test(text)) return { month: text, repairs: [] };
  if (text === '') return { month: usual, repairs: [] };
  return {
    month: usual,
    repairs: [{ notice: `month: ${quoted(text)} is not a month like 2026-10; the last one is shown.` }],
  };
}

/** The account that an address selects; else the first with numbers of Meta's in the month, else the first. */
export function readAccount(
  params: URLSearchParams,
  month: string,
  accounts: readonly string[],
  imports: readonly MetaImport[],
): { readonly account: string | null; readonly repairs: Notices } {
  const { from, to } = daysOf(month);
  const answered = new Set(
    inForce(imports)
      .filter(({ first_day, last_day }) => (first_day ?? to) < to && (last_day ?? '') >= from)
      .map(({ waba_id }) => waba_id),
  );
  const usual = accounts.find((waba_id) => answered.has(waba_id)) ?? accounts.at(0) ?? null;
  const text = textIn(params, 'account');
  if (text === '' || accounts.includes(text)) return { account: text === '' ? usual : text, repairs: [] };
  return {
    account: usual,
    repairs: [
      {
        notice: `account: ${quoted(text)} has no messages and no numbers of Meta’s in ${monthLabel(month)}; ${usual === null ? 'none has' : `${usual} is shown`}.`,
      },
    ],
  };
}

const BILLING_OF: ReadonlyMap<string, string> = new Map([
  ['REGULAR', 'BILLABLE'],
  ['FREE_ENTRY_POINT', 'FREE_ENTRY'],
]);

/**
 * The end of the address of our messages of a row: its days in the account's own zone, and the columns of its key that
 * messages can be narrowed to. For a row that only Meta has, all messages of the day are listed.
 */
export function messagesSearch(row: DifferingRow, filters: FilterState): string {
  const days = row.day === '' ? daysOf(row.month) : { from: row.day, to: addDays(row.day, 1) };
  const isCategory = row.category !== '' && row.category !== 'ANY';
  const own =
    row.status === 'only_meta'
      ? {}
      : {
          category: isCategory ? row.category.toLowerCase() : '',
          billing: BILLING_OF.get(row.pricing_type) ?? '',
        };
  const where = { waba_id: row.waba_id, phone_number_id: row.phone_number_id };
  return search({ ...filters, ...days, tz: null }, { ...where, ...own });
}

/** Key of a row. */
export function rowKey(row: DifferingRow): string {
  return rowKeyOf(row);
}

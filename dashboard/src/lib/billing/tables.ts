import type { SavingsCategoriesRow, SavingsMarketsRow, SavingsNumbersRow } from '@ctwa-ledger/schemas/bill.ts';

import type { LinkedReport } from '../filters/api.ts';
import { pricingType } from '../format/words.ts';
import { arranged, type Sort, type TableSpec, type Value } from '../table/table.ts';
import type { SideBySide } from './currencies.ts';
import type { BilledDay } from './days.ts';
import type { RemediedMessages } from './remedies.ts';

const AMOUNTS = ['list_cost', 'billed_cost', 'savings'] as const;
export type AmountName = (typeof AMOUNTS)[number];

/** The column of an amount in a currency. Amounts of two currencies cannot be ordered. */
export function amountColumn(name: AmountName, currency: string): string {
  return `${name}.${currency}`;
}

/** The amount and the currency of such a column. */
export function amountOf(column: string): { readonly of: AmountName; readonly currency: string } {
  const of = AMOUNTS.find((name) => column.startsWith(`${name}.`)) ?? 'billed_cost';
  return { of, currency: column.slice(of.length + 1) };
}

/** Fields that rows of all tables of amounts share. `unfinished`: they still grow. */
export type AmountRow = Pick<SideBySide<never>, 'volume' | 'unrated' | 'amounts'> & { readonly unfinished?: boolean };

/** A table of amounts: its rows, and the name and order of each column. */
export interface AmountTable<Row> {
  readonly id: string;
  readonly title: string;
  /** For readers who do not see the table. */
  readonly caption: string;
  /**
   * The report behind it, and the word for its rows: one for each currency; the table shows the currencies side by
   * side.
   */
  readonly report: { readonly name: LinkedReport; readonly rows: string };
  /** Singular and plural of the word for a row. */
  readonly one: string;
  readonly many: string;
  readonly heads: readonly { readonly column: string; readonly name: string; readonly value: (row: Row) => Value }[];
  readonly keyOf: (row: Row) => string;
  readonly page_rows: number;
}

const PAGE_ROWS = 50;

export const DAY_TABLE: AmountTable<BilledDay> = {
  id: 'by-day',
  title: 'By day',
  caption: 'Delivered messages and amounts of each day, by currency.',
  report: { name: 'savings-days', rows: 'one row per day and currency' },
  one: 'day',
  many: 'days',
  heads: [{ column: 'day', name: 'Day', value: ({ day }) => day }],
  keyOf: ({ day }) => day,
  // Two whole months.
  page_rows: 62,
};

export const CATEGORY_TABLE: AmountTable<SideBySide<SavingsCategoriesRow>> = {
  id: 'by-category',
  title: 'By category and mark',
  caption: 'Delivered messages and amounts by rated category and mark, by currency.',
  report: { name: 'savings-categories', rows: 'one row per category, mark and currency' },
  one: 'row',
  many: 'categories and marks',
  heads: [
    { column: 'category', name: 'Category', value: ({ row }) => row.category },
    { column: 'billing', name: 'Mark', value: ({ row }) => row.billing },
    { column: 'pricing_type', name: 'Meta’s pricing type', value: ({ row }) => pricingType(row.billing) || null },
  ],
  keyOf: ({ key }) => key,
  page_rows: PAGE_ROWS,
};

export const MARKET_TABLE: AmountTable<SideBySide<SavingsMarketsRow>> = {
  id: 'by-market',
  title: 'By market',
  caption: 'Delivered messages and amounts by market of the customer, by currency.',
  report: { name: 'savings-markets', rows: 'one row per market and currency' },
  one: 'row',
  many: 'markets',
  heads: [{ column: 'market', name: 'Market', value: ({ row }) => row.market }],
  keyOf: ({ key }) => key,
  page_rows: PAGE_ROWS,
};

export const NUMBER_TABLE: AmountTable<SideBySide<SavingsNumbersRow>> = {
  id: 'by-number',
  title: 'By business number',
  caption: 'Delivered messages and amounts by account and business number, by currency.',
  report: { name: 'savings-numbers', rows: 'one row per account, number and currency' },
  one: 'row',
  many: 'business numbers',
  heads: [
    { column: 'waba_id', name: 'Account', value: ({ row }) => row.waba_id },
    { column: 'phone_number_id', name: 'Number', value: ({ row }) => row.phone_number_id },
  ],
  keyOf: ({ key }) => key,
  page_rows: PAGE_ROWS,
};

/**
 * The sorts and pages of a table of amounts in these currencies. By default it is sorted by its first column, from A.
 */
export function specOf<Row>(table: AmountTable<Row>, currencies: readonly string[]): TableSpec {
  const heads = table.heads.map(({ column }) => column);
  const amounts = currencies.flatMap((currency) => AMOUNTS.map((name) => amountColumn(name, currency)));
  return {
    id: table.id,
    columns: [...heads, 'volume', ...amounts, 'unrated'],
    words_first: heads,
    default_sort: { column: heads[0] ?? 'volume', descending: false },
  };
}

/** A decimal as a number. Rounding affects only the order of rows that look equal. */
function near(decimal: string | null | undefined): Value {
  return decimal == null ? null : Number(decimal);
}

/** The page of a table of amounts that an address selects. */
export function arrangedAmounts<Row extends AmountRow>(
  rows: readonly Row[],
  params: URLSearchParams,
  table: AmountTable<Row>,
  currencies: readonly string[],
): ReturnType<typeof arranged<Row, string>> {
  const values: Record<string, (row: Row) => Value> = {
    ...Object.fromEntries(table.heads.map(({ column, value }) => [column, value])),
    volume: ({ volume }) => volume,
    unrated: ({ unrated }) => unrated,
  };
  for (const currency of currencies)
    for (const name of AMOUNTS)
      values[amountColumn(name, currency)] = ({ amounts }) => near(amounts.get(currency)?.[name]);
  return arranged(rows, params, { ...specOf(table, currencies), page_rows: table.page_rows }, values, table.keyOf);
}

const REMEDY_COLUMNS = ['missing', 'messages', 'first_day'] as const;
export type RemedyColumn = (typeof REMEDY_COLUMNS)[number];
const MOST_FIRST: Sort<RemedyColumn> = { column: 'messages', descending: true };

export const REMEDY_TABLE: TableSpec<RemedyColumn> & { readonly page_rows: number } = {
  id: 'unrated',
  columns: REMEDY_COLUMNS,
  words_first: ['missing', 'first_day'],
  default_sort: MOST_FIRST,
  page_rows: PAGE_ROWS,
};

export const REMEDY_VALUES: Readonly<Record<RemedyColumn, (row: RemediedMessages) => Value>> = {
  missing: ({ missing }) => missing,
  messages: ({ messages }) => messages,
  first_day: ({ first_day }) => first_day,
};

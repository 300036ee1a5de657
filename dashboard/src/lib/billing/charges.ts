import {
  CHARGE_SORTS,
  CHARGED_MESSAGE_SORTS,
  type ChargedMessageSort,
  type ChargeRow,
  type ChargeSort,
} from '@ctwa-ledger/schemas/bill.ts';

import { addDays } from '../filters/days.ts';
import { search, type FilterState } from '../filters/filters.ts';
import type { TableSpec } from '../table/table.ts';
import type { Picked } from '../filters/picked.ts';

/** Columns of a charge's key that are filters too. */
export const CHARGE_KEY = [
  'waba_id',
  'phone_number_id',
  'market',
  'category',
  'billing',
  'tier',
  'rate',
  'rate_card',
] as const satisfies readonly Picked[];

export const CHARGE_TABLE: TableSpec<ChargeSort> = {
  id: 'charges',
  is_main: true,
  columns: CHARGE_SORTS,
  words_first: ['day', 'waba_id', 'phone_number_id', 'market', 'category', 'billing'],
  default_sort: { column: 'day', descending: false },
};

export const MESSAGE_TABLE: TableSpec<ChargedMessageSort> = {
  id: 'messages',
  is_main: true,
  columns: CHARGED_MESSAGE_SORTS,
  words_first: ['waba_id', 'phone_number_id', 'market', 'rated_category', 'billing'],
  default_sort: { column: 'delivered_at', descending: true },
};

/** Key of a charge. */
export function chargeKey(row: ChargeRow): string {
  return [row.day, ...CHARGE_KEY.map((name) => row[name]), row.currency, row.period].join('\n');
}

/** The end of the address of a charge's messages: its day, and all columns of its key. */
export function messagesOf(row: ChargeRow, filters: FilterState): string {
  const only = { ...filters.only, ...Object.fromEntries(CHARGE_KEY.map((name) => [name, row[name]])) };
  return search({ ...filters, from: row.day, to: addDays(row.day, 1), only });
}

/** A sentence about closed months among charges and messages. Days of a requested zone belong to no closed month. */
export function closedMonths(filters: FilterState): string {
  return filters.tz === null
    ? 'A closed month is shown as it was closed.'
    : 'In a chosen time zone everything is shown as it is now, closed months included.';
}

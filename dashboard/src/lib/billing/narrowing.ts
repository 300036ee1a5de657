import { queryOf } from '@ctwa-ledger/schemas/address-parameters.ts';
import type { Narrowed, Narrowing } from '@ctwa-ledger/schemas/asked.ts';

import { isPlace, isSaid, quoted, type Repair } from '../filters/filters.ts';
import { categoryName, deliveredMark, markName, pricingType } from '../format/words.ts';

/** Filters that a click in the tables of the bill sets. */
export const BILL_NARROWINGS = [
  'waba_id',
  'phone_number_id',
  'market',
  'category',
  'billing',
] as const satisfies readonly Narrowing[];

/** Filters of charges and the messages behind them: also the other columns of a charge's key. */
export const CHARGE_NARROWINGS = [
  ...BILL_NARROWINGS,
  'tier',
  'rate',
  'rate_card',
] as const satisfies readonly Narrowing[];
export type ChargeNarrowing = (typeof CHARGE_NARROWINGS)[number];

const MAX_CHARACTERS = 300;

const shaped =
  (shape: RegExp) =>
  (text: string): string | null =>
    shape.test(text) && text.length <= MAX_CHARACTERS ? text : null;

/** Reads a value; null when it is not one. */
const VALUES: Readonly<
  Record<ChargeNarrowing, { readonly read: (text: string) => string | null; readonly what: string }>
> = {
  waba_id: { read: shaped(/^\S*$/), what: 'no id of an account' },
  phone_number_id: { read: shaped(/^\S+$/), what: 'no id of a business number' },
  market: { read: shaped(/^[^\p{Cc}]+$/u), what: 'no market' },
  category: { read: (text) => shaped(/^[a-z0-9_]+$/)(text.toLowerCase()), what: 'no category' },
  billing: { read: deliveredMark, what: 'no mark' },
  tier: { read: shaped(/^(\d+:(\d+|MAX))?$/), what: 'no tier like 101:MAX' },
  rate: { read: shaped(/^(\d+(\.\d{1,8})?)?$/), what: 'no rate' },
  rate_card: { read: shaped(/^[^\p{Cc}]*$/u), what: 'no rate card' },
};

/** The filters in an address. What cannot be used is left out, with a notice. */
export function readNarrowing(
  params: URLSearchParams,
  names: readonly ChargeNarrowing[],
): { readonly only: Narrowed; readonly repairs: readonly Pick<Repair, 'notice'>[] } {
  const only: Partial<Record<Narrowing, string>> = {};
  const repairs: Pick<Repair, 'notice'>[] = [];
  for (const name of names) {
    const text = params.get(name)?.trim();
    if (text === undefined || !isSaid(name, text)) continue;
    const value = VALUES[name].read(text);
    if (value !== null) only[name] = value;
    else
      repairs.push({
        notice: `${name}: ${quoted(text)} is ${VALUES[name].what}; it narrows nothing.`,
      });
  }
  return { only, repairs };
}

/**
 * The end of an address with changed filters. Everything else in `params` stays, except the positions of pages in
 * tables.
 * @param change null removes the filter
 */
export function narrowedSearch(params: URLSearchParams, change: Narrowed): string {
  const changed = new URLSearchParams([...params].filter(([name]) => !isPlace(name) && !name.startsWith('/')));
  for (const [name, value] of Object.entries(change)) {
    if (value == null) changed.delete(name);
    else changed.set(name, value);
  }
  return queryOf(changed);
}

/** A filter for people: `Market: Brazil`, `Mark: Billable (regular)`, `No account`. */
export function chipName(name: ChargeNarrowing, value: string): string {
  switch (name) {
    case 'waba_id':
      return value === '' ? 'No account' : `Account: ${value}`;
    case 'phone_number_id':
      return `Number: ${value}`;
    case 'market':
      return `Market: ${value}`;
    case 'category':
      return `Category: ${categoryName(value)}`;
    case 'billing':
      return pricingType(value) === ''
        ? `Mark: ${markName(value)}`
        : `Mark: ${markName(value)} (${pricingType(value)})`;
    case 'tier':
      return value === '' ? 'No tier' : `Tier: ${value}`;
    case 'rate':
      return value === '' ? 'No rate' : `Rate: ${value}`;
    case 'rate_card':
      return value === '' ? 'No rate card' : `Rate card: ${value}`;
  }
}

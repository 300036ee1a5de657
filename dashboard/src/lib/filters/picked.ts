import type { AccountName } from '@ctwa-ledger/schemas/reports.ts';
import { isListed, givenValues, type Listed, type Narrowed, type Narrowing } from '@ctwa-ledger/schemas/asked.ts';

import { categoryName, deliveredMark, markName, pricingType } from '../format/words.ts';

/** Filters that several pages share, in the order in which they are offered and shown. */
export const PICKED = [
  'ad',
  'campaign',
  'adset',
  'waba_id',
  'phone_number_id',
  'market',
  'category',
  'billing',
  'tag',
  'tier',
  'rate',
  'rate_card',
] as const satisfies readonly Narrowing[];
export type Picked = (typeof PICKED)[number];

/** The filters of a page, by name. */
export type Picks = { readonly [name in Picked]?: Narrowed[name] };

/** Begins the name of a form's field whose value is added to a filter. An empty field adds nothing. */
export const ADDED = 'add.';

/** Whether a parameter is a filter, or added to one. */
export function isOfPicks(parameter: string): boolean {
  const name = parameter.startsWith(ADDED) ? parameter.slice(ADDED.length) : parameter;
  return PICKED.some((picked) => picked === name);
}

const MAX_CHARACTERS = 300;
/** An address of an ad is longer than all other values. */
const MAX_AD_CHARACTERS = 2_000;
/** Values of one filter. */
const MAX_VALUES = 50;

const shaped =
  (shape: RegExp, max_characters = MAX_CHARACTERS) =>
  (text: string): string | null =>
    shape.test(text) && text.length <= max_characters ? text : null;

const NAME = /^[^\p{Cc}]+$/u;

/** Reads a value; null when it is not one. Accounts and numbers may be given by name, see {@link withIds}. */
const VALUES: Readonly<
  Record<Picked, { readonly name: string; readonly read: (text: string) => string | null; readonly what: string }>
> = {
  ad: { name: 'Ad', read: shaped(NAME, MAX_AD_CHARACTERS), what: 'no id, address or name of an ad' },
  campaign: { name: 'Campaign', read: shaped(NAME), what: 'no campaign' },
  adset: { name: 'Ad set', read: shaped(NAME), what: 'no ad set' },
  waba_id: { name: 'Account', read: shaped(/^[^\p{Cc}]*$/u), what: 'no account' },
  phone_number_id: { name: 'Number', read: shaped(NAME), what: 'no business number' },
  market: { name: 'Market', read: shaped(NAME), what: 'no market' },
  category: {
    name: 'Category',
    read: (text) => shaped(/^[a-z0-9_]+$/)(text.toLowerCase().replaceAll(' ', '_')),
    what: 'no category',
  },
  billing: { name: 'Mark', read: (text) => deliveredMark(text.replaceAll(' ', '_')), what: 'no mark' },
  tag: { name: 'Tag', read: shaped(/^[^\p{Cc}]*$/u), what: 'no tag' },
  tier: { name: 'Tier', read: shaped(/^(\d+:(\d+|MAX))?$/), what: 'no tier like 101:MAX' },
  rate: { name: 'Rate', read: shaped(/^(\d+(\.\d{1,8})?)?$/), what: 'no rate' },
  rate_card: { name: 'Rate card', read: shaped(/^[^\p{Cc}]*$/u), what: 'no rate card' },
};

/** The name of a filter on pages. */
export const pickedName = (name: Picked): string => VALUES[name].name;

/** Filters for which the empty text is a value: messages of no account, without a tag, a tier, a rate or a card. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set<Picked>(['waba_id', 'tag', 'tier', 'rate', 'rate_card']);

/** Whether a parameter has a value. Empty fields of forms have none. */
export function isSaid(name: string, value: string): boolean {
  return value !== '' || MAY_BE_EMPTY.has(name);
}

/** A value that cannot be used, and why. */
interface Unusable {
  readonly name: Picked;
  readonly text: string;
  readonly what: string;
}

/** The filters in an address, and what cannot be used of it. */
export function readPicks(params: URLSearchParams): { readonly only: Picks; readonly unusable: readonly Unusable[] } {
  const only: Partial<Record<Picked, string | readonly string[]>> = {};
  const unusable: Unusable[] = [];
  for (const name of PICKED) {
    const { read, what } = VALUES[name];
    const values = new Set<string>();
    const added = params.getAll(`${ADDED}${name}`).filter((given) => given.trim() !== '');
    for (const given of [...params.getAll(name), ...added]) {
      // A sender may attach a tag with white space.
      const text = name === 'tag' ? given : given.trim();
      if (!isSaid(name, text)) continue;
      const value = read(text);
      if (value === null) unusable.push({ name, text, what });
      else if (values.size < (isListed(name) ? MAX_VALUES : 1)) values.add(value);
    }
    const [first, ...others] = values;
    if (first !== undefined) only[name] = others.length === 0 ? first : [first, ...others];
  }
  return { only: only as Picks, unusable };
}

/** The filters as parameters of an address. */
export function pickedParameters(only: Picks): readonly (readonly [Picked, string])[] {
  return PICKED.flatMap((name) => givenValues(only[name]).map((value) => [name, value] as const));
}

/** Filters that conversations do not have themselves, only the messages in them. */
const OF_MESSAGES: ReadonlySet<string> = new Set<Picked>(['category', 'billing', 'tag']);
export const isOfMessages = (name: string): boolean => OF_MESSAGES.has(name);

/** Which part of an ad's conversations is meant: all, some by what they are themselves, or by messages in them. */
export function partOfAds(only: Picks): 'all' | 'conversations' | 'messages' {
  const names = Object.entries(only).flatMap(([name, given]) => (givenValues(given).length === 0 ? [] : [name]));
  if (names.some(isOfMessages)) return 'messages';
  return names.some((name) => ['waba_id', 'phone_number_id', 'market'].includes(name)) ? 'conversations' : 'all';
}

/** The filters that a page understands. */
export function understood(only: Picks, names: readonly Picked[]): Picks {
  return Object.fromEntries(Object.entries(only).filter(([name]) => names.some((one) => one === name)));
}

/** The filters with one value more, or one less. */
export function withValue(only: Picks, name: Picked, value: string): Picks {
  const values = [...new Set([...(isListed(name) ? givenValues(only[name]) : []), value])];
  return { ...only, [name]: values.length === 1 ? value : values };
}

export function withoutValue(only: Picks, name: Picked, value: string): Picks {
  const [first, ...others] = givenValues(only[name]).filter((one) => one !== value);
  return { ...only, [name]: first === undefined ? null : others.length === 0 ? first : [first, ...others] };
}

/** Names for ids. */
export interface Names {
  readonly accounts: readonly AccountName[];
  /** Of ads, by id. */
  readonly ads: Readonly<Record<string, string>>;
}

export const NO_NAMES: Names = { accounts: [], ads: {} };

/** The name of an account, its id when it has none, and words for messages of no account. */
export function accountName(waba_id: string, accounts: readonly AccountName[]): string {
  if (waba_id === '') return 'No account';
  return accounts.find((account) => account.waba_id === waba_id)?.name ?? waba_id;
}

/** The displayed number of a business number, its id when it is not known. */
export function numberName(phone_number_id: string, accounts: readonly AccountName[]): string {
  const display = accounts.flatMap(({ numbers }) => numbers).find(({ id }) => id === phone_number_id)?.display;
  return display === undefined ? phone_number_id : `+${display}`;
}

/** The filters with the ids of accounts and numbers that were given by name. */
export function withIds(only: Picks, accounts: readonly AccountName[]): Picks {
  const plain = (text: string): string => text.toLocaleLowerCase().replaceAll(/[\s()+-]/g, '');
  const idOf = (listed: Listed, value: string): string => {
    if (listed === 'waba_id')
      return accounts.find(({ name }) => name !== null && plain(name) === plain(value))?.waba_id ?? value;
    const numbers = accounts.flatMap((account) => account.numbers);
    return numbers.find(({ display }) => plain(display) === plain(value))?.id ?? value;
  };
  let changed = only;
  for (const name of ['waba_id', 'phone_number_id'] as const)
    for (const value of givenValues(only[name])) {
      const id = idOf(name, value);
      if (id !== value) changed = withValue(withoutValue(changed, name, value), name, id);
    }
  return changed;
}

/** A value of a filter for people. */
function valueName(name: Picked, value: string, names: Names): string {
  switch (name) {
    case 'ad':
      return names.ads[value] ?? value;
    case 'waba_id':
      return accountName(value, names.accounts);
    case 'phone_number_id':
      return numberName(value, names.accounts);
    case 'category':
      return categoryName(value);
    case 'billing':
      return pricingType(value) === '' ? markName(value) : `${markName(value)} (${pricingType(value)})`;
    default:
      return value;
  }
}

/** A filter for people: `Market: Brazil`, `Mark: Billable (regular)`, `No account`. */
export function chipName(name: Picked, value: string, names: Names = NO_NAMES): string {
  return value === ''
    ? `No ${pickedName(name).toLowerCase()}`
    : `${pickedName(name)}: ${valueName(name, value, names)}`;
}

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';

/** Market of countries that the table does not list (rules.md M2). */
export const OTHER_MARKET = 'Other';

const rowSchema = z.strictObject({
  country: z.string().regex(/^[A-Z]{2}$/),
  prefixes: z
    .string()
    .regex(/^(\d{1,4}( \d{1,4})*)?$/)
    .transform((text) => (text === '' ? [] : text.split(' '))),
  // Plain ASCII with single spaces, so that `lower` makes the same key of it here and in SQL.
  market: z.string().regex(/^[\x21-\x7e]+( [\x21-\x7e]+)*$/),
  effective_date: z.union([z.iso.date(), z.literal('')]),
});

type Row = z.infer<typeof rowSchema>;

/** The table: a country, its calling-code prefixes, its market, and the day from which the row is in force. */
const ROWS: readonly Row[] = z
  .array(rowSchema)
  .parse(parse(readFileSync(new URL('markets.csv', import.meta.url)), { columns: true }));

/** A hash of the table, independent of the order of its rows. Charges computed from another table have another hash. */
export const MARKETS_HASH: string = createHash('sha256')
  .update(JSON.stringify(ROWS.map((row) => Object.values(row).join()).sort()))
  .digest('hex');

/** All markets of the table, on any day. */
export const MARKETS: ReadonlySet<string> = new Set([OTHER_MARKET, ...ROWS.map((row) => row.market)]);

/**
 * The key by which markets are compared: the table and a card may differ in letter case, white space, and "&" for
 * "and".
 */
export function marketKey(name: string): string {
  return name.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase().replaceAll('&', 'and');
}

/** `marketKey` in SQL, of a market from `marketSql`. */
export function marketKeySql(market: string): string {
  return `replaceAll(lower(${market}), '&', 'and')`;
}

/** Rows by prefix or by country, the latest first. */
function rowsBy(keys: (row: Row) => readonly string[]): ReadonlyMap<string, readonly Row[]> {
  const byKey = new Map<string, Row[]>();
  for (const row of ROWS.toSorted((a, b) => (a.effective_date < b.effective_date ? 1 : -1)))
    for (const key of keys(row)) byKey.set(key, [...(byKey.get(key) ?? []), row]);
  return byKey;
}

const BY_PREFIX = rowsBy((row) => row.prefixes);
const BY_COUNTRY = rowsBy((row) => [row.country]);
/** A number, or what is left of one that was erased: its calling code, as in `55.erased.1f…`. */
const BEGINS_AS_NUMBER = /^\d+(\.|$)/;
const LONGEST_PREFIX = Math.max(...[...BY_PREFIX.keys()].map((prefix) => prefix.length));

function inForce(rows: readonly Row[] | undefined, day: string): string | null {
  return rows?.find((row) => row.effective_date <= day)?.market ?? null;
}

/** The longest prefix of a number that the table lists on some day; empty when it lists none. */
export function marketPrefixOf(number: string): string {
  for (let length = LONGEST_PREFIX; length > 0; length--)
    if (BY_PREFIX.has(number.slice(0, length))) return number.slice(0, length);
  return '';
}

/**
 * The market of a customer on a day (rules.md M2): by the longest prefix of the number that the table lists on that day,
 * or by the country of a business-scoped user id.
 * @param customer digits of the number, or the user id (`US.1349…`), or what stands in the place of an erased one
 * @param day `YYYY-MM-DD`
 */
export function marketOf(customer: string, day: string): string {
  if (BEGINS_AS_NUMBER.test(customer)) {
    for (let length = LONGEST_PREFIX; length > 0; length--) {
      const market = inForce(BY_PREFIX.get(customer.slice(0, length)), day);
      if (market !== null) return market;
    }
    return OTHER_MARKET;
  }
  const country = /^([A-Z]{2})\./.exec(customer)?.[1];
  return (country === undefined ? null : inForce(BY_COUNTRY.get(country), day)) ?? OTHER_MARKET;
}

/** Days on which the market of some customers changes, in order. */
export const MARKET_CHANGES: readonly string[] = [...new Set(ROWS.map((row) => row.effective_date))]
  .filter((day) => day !== '')
  .sort();

function sqlList(values: readonly (string | number)[]): string {
  const literals = values.map((value) => (typeof value === 'string' ? `'${value.replace(/['\\]/g, '\\$&')}'` : value));
  return `[${literals.join(', ')}]`;
}

/**
 * Numbers the histories of markets. Prefixes or countries with the same market on every day share a number; 0 = always
 * `Other`.
 */
class Histories {
  readonly #periods = ['', ...MARKET_CHANGES];
  readonly #numbers = new Map([[this.#periods.map(() => OTHER_MARKET).join('\n'), 0]]);

  numberOf(customer: string): number {
    const history = this.#periods.map((day) => marketOf(customer, day)).join('\n');
    const known = this.#numbers.get(history) ?? this.#numbers.size;
    this.#numbers.set(history, known);
    return known;
  }

  /** The market of a history on a day. */
  marketSql(history: string, day: string): string {
    const periods = this.#periods.length;
    const period = MARKET_CHANGES.map((change) => `(${day} >= toDate('${change}'))`).join(' + ');
    const markets = [...this.#numbers].flatMap(([history, number]) =>
      history.split('\n').map((market, index) => ({ key: number * periods + index, market })),
    );
    return `transform(toUInt16(${history}) * ${periods} + ${period}, ${sqlList(markets.map(({ key }) => key))}, ${sqlList(markets.map(({ market }) => market))}, '${OTHER_MARKET}')`;
  }
}

function lookupSql(text: string, keys: readonly string[], numbers: readonly number[], otherwise: string): string {
  return `transform(${text}, ${sqlList(keys)}, ${sqlList(numbers)}, ${otherwise})`;
}

/**
 * `marketOf` as a ClickHouse expression.
 * @param customer an expression of type String
 * @param day an expression of type Date
 */
export function marketSql(customer: string, day: string): string {
  const histories = new Histories();
  let byNumber = '0';
  for (let length = 1; length <= LONGEST_PREFIX; length++) {
    const prefixes = [...BY_PREFIX.keys()].filter((prefix) => prefix.length === length);
    const numbers = prefixes.map((prefix) => histories.numberOf(prefix));
    byNumber = lookupSql(`substring(${customer}, 1, ${length})`, prefixes, numbers, byNumber);
  }
  const countries = [...BY_COUNTRY.keys()];
  const byCountry = lookupSql(
    `substring(${customer}, 1, 3)`,
    countries.map((country) => `${country}.`),
    countries.map((country) => histories.numberOf(`${country}.`)),
    '0',
  );
  return histories.marketSql(`if(match(${customer}, '^[0-9]+([.]|$)'), ${byNumber}, ${byCountry})`, day);
}

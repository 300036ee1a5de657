import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';

/** ISO's code for an unknown country. */
const NO_COUNTRY = 'ZZ';

const rowSchema = z.strictObject({
  country: z.string().regex(/^[A-Z]{2}$/),
  prefixes: z.string().regex(/^\d{1,8}( \d{1,8})*$/),
});

const TEXT = readFileSync(new URL('countries.csv', import.meta.url), 'utf8');
const BY_PREFIX: ReadonlyMap<string, string> = new Map(
  z
    .array(rowSchema)
    .parse(parse(TEXT, { columns: true }))
    .flatMap(({ country, prefixes }) => prefixes.split(' ').map((prefix) => [prefix, country] as const)),
);
const LENGTHS = [...new Set([...BY_PREFIX.keys()].map((prefix) => prefix.length))].sort((a, b) => a - b);

/** Hash of the table. Charges computed from another table have another hash. */
export const COUNTRIES_HASH: string = createHash('sha256').update(TEXT).digest('hex');

/** The longest prefix of a number that the table lists; empty when it lists none. */
export function countryPrefixOf(number: string): string {
  return (
    LENGTHS.toReversed()
      .map((length) => number.slice(0, length))
      .find((prefix) => BY_PREFIX.has(prefix)) ?? ''
  );
}

/**
 * The ISO country of a customer: from the longest prefix of the number that the table lists, or from the start of a
 * business-scoped id; `ZZ` when neither is known.
 * @param customer digits of the number, or the user id (`US.1349…`), or what stands in the place of an erased one
 */
export function countryOf(customer: string): string {
  if (!/^\d+(\.|$)/.test(customer)) return /^([A-Z]{2})\./.exec(customer)?.[1] ?? NO_COUNTRY;
  const known = LENGTHS.toReversed().map((length) => BY_PREFIX.get(customer.slice(0, length)));
  return known.find((country) => country !== undefined) ?? NO_COUNTRY;
}

const list = (texts: readonly string[]): string => `[${texts.map((text) => `'${text}'`).join(', ')}]`;

/** `countryOf` as a ClickHouse expression, of an expression of type String. */
export function countrySql(customer: string): string {
  let byNumber = `'${NO_COUNTRY}'`;
  for (const length of LENGTHS) {
    const prefixes = [...BY_PREFIX].filter(([prefix]) => prefix.length === length);
    const countries = list(prefixes.map(([, country]) => country));
    byNumber = `transform(substring(${customer}, 1, ${length}), ${list(prefixes.map(([prefix]) => prefix))}, ${countries}, ${byNumber})`;
  }
  return `multiIf(match(${customer}, '^[0-9]+([.]|$)'), ${byNumber}, match(${customer}, '^[A-Z]{2}\\\\.'), substring(${customer}, 1, 2), '${NO_COUNTRY}')`;
}

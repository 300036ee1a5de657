import { readFileSync } from 'node:fs';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { countryOf, countrySql } from '../../services/rating/countries.ts';
import { DataDirectory, openLedger } from '../support/ledger.ts';

/** A real-looking mobile number of every country, by the library that is the judge. */
const EXAMPLES = z
  .record(z.string(), z.string())
  .parse(
    JSON.parse(
      readFileSync(new URL('../../node_modules/libphonenumber-js/examples.mobile.json', import.meta.url), 'utf8'),
    ),
  );

/** Countries that share the mobile numbers of another one: nobody can tell them apart. */
const SHARED = new Set(['AX', 'BL', 'MF', 'CC', 'CX', 'EH', 'SJ', 'VA']);

const numbers = Object.entries(EXAMPLES).flatMap(([country, national]) => {
  const parsed = parsePhoneNumberFromString(national, country as 'US');
  return parsed === undefined || SHARED.has(country) ? [] : [[country, parsed.number.slice(1)] as const];
});

describe('the country of a customer', () => {
  const data = new DataDirectory();
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await openLedger(data);
  });
  afterAll(async () => {
    await ledger.close();
    await data.remove();
  });

  it('is that of the calling code, and where several share one, of the numbers behind it', () => {
    expect(numbers.length).toBeGreaterThan(220);
    expect(numbers.filter(([country, number]) => countryOf(number) !== country)).toEqual([]);
    expect(countryOf('14165550123')).toBe('CA');
    expect(countryOf('16505551234')).toBe('US');
    expect(countryOf('77015550123')).toBe('KZ');
    expect(countryOf('79165550123')).toBe('RU');
  });

  it('is named by a business-scoped id, and unknown where nothing tells it', () => {
    expect(['IN.1349', 'guest', '', '0', '999', 'in.1'].map(countryOf)).toEqual(['IN', 'ZZ', 'ZZ', 'ZZ', 'ZZ', 'ZZ']);
  });

  it('is the same in SQL', async () => {
    const customers = [...numbers.map(([, number]) => number), 'IN.1349', 'guest', '', '0', '999', 'in.1', "'"];
    const rows = await ledger.database.query(
      z.object({ customer: z.string(), country: z.string() }),
      `SELECT customer, ${countrySql('customer')} AS country FROM (SELECT arrayJoin({customers:Array(String)}) AS customer)`,
      { customers },
    );
    expect(rows.length).toBe(customers.length);
    expect(rows.filter(({ customer, country }) => countryOf(customer) !== country)).toEqual([]);
  });
});

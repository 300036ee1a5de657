import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import type { ReportName } from '../../services/catalogue/catalogue.ts';
import { Remembered } from '../../services/catalogue/remembered.ts';
import { settleCharges } from '../../services/rating/charges.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, EVERYTHING, openLedger } from '../support/ledger.ts';

describe('answers of amounts are remembered', () => {
  const data = new DataDirectory();
  let ledger: Ledger;
  let remembered: Remembered;
  let asked: string[];

  beforeAll(async () => {
    ledger = await openLedger(data);
    remembered = new Remembered(ledger.database);
    asked = [];
  });
  afterAll(async () => {
    await ledger.close();
    await data.remove();
  });

  const ask = (name: string, filters: ReportFilters = EVERYTHING, reads: ReportName = 'charges'): Promise<string> =>
    remembered.ask(name, reads, filters, () => {
      asked.push(name);
      return Promise.resolve(`${name} ${asked.length}`);
    });

  it('until something is written that they depend on', async () => {
    const first = await ask('savings');
    expect(await ask('savings')).toBe(first);
    // Amounts have no clock, but days, zones, and what they are narrowed to.
    expect(await ask('savings', { ...EVERYTHING, as_of: 1 })).toBe(first);
    for (const change of [
      { from: '2026-01-01' },
      { tz: 'Asia/Tokyo' },
      { is_tz_given: true },
      { ad: '1' },
      { market: 'Brazil' },
      { waba_id: '' },
    ])
      expect(await ask('savings', { ...EVERYTHING, ...change })).not.toBe(first);
    expect(await ask('unrated')).not.toBe(first);
    expect(await ask('savings')).toBe(first);
    await importRateFile(ledger.database, {
      name: 'a.csv',
      bytes: Buffer.from(
        'Cost per message\nMarket,Currency,Marketing,Utility,Authentication,Authentication-International,Service\nOther,USD,1,1,1,1,1\n',
      ),
      effective: '2026-01-01',
      by: 'test',
    });
    expect(await ask('savings')).not.toBe(first);
  });

  it('while messages arrive, until the charges are recomputed, where they are sums of charges', async () => {
    const asks = {
      charges: (): Promise<string> => ask('charges'),
      messages: (): Promise<string> => ask('messages', EVERYTHING, 'messages'),
      // Days of a zone, and what an address means, are found among the messages.
      zone: (): Promise<string> => ask('zone', { ...EVERYTHING, is_tz_given: true }),
      address: (): Promise<string> => ask('address', { ...EVERYTHING, ad: 'https://fb.me/1' }),
    };
    const askAll = async (): Promise<Record<string, string>> =>
      Object.fromEntries(
        await Promise.all(Object.entries(asks).map(async ([name, one]) => [name, await one()] as const)),
      );
    const changed = (before: Record<string, string>, after: Record<string, string>): string[] =>
      Object.keys(asks).filter((name) => before[name] !== after[name]);

    const before = await askAll();
    expect(changed(before, await askAll())).toEqual([]);
    const shared = {
      waba_id: '1',
      phone_number_id: '2',
      wa_id: '5511955551234',
      id: 'wamid.1',
      timestamp: 1_790_000_000,
    };
    await ledger.record(
      parsed([
        { event: 'message', direction: 'outbound', ...shared, type: 'text' },
        { event: 'status', ...shared, status: 'delivered' },
      ]),
    );
    const marked = await askAll();
    expect(changed(before, marked)).toEqual(['messages', 'zone', 'address']);
    await settleCharges(ledger.database);
    expect(changed(marked, await askAll())).toEqual(['charges', 'messages', 'zone', 'address']);
  });

  it('but not when they fail', async () => {
    const failing = remembered.ask('bill', 'charges', EVERYTHING, () => Promise.reject(new Error('away')));
    await expect(failing).rejects.toThrow('away');
    expect(await ask('bill')).toMatch(/^bill/);
  });

  it('and no more of them than there is room for', async () => {
    const before = await ask('first');
    for (let day = 0; day < 100; day++)
      await ask('other', { ...EVERYTHING, from: `20${String(day).padStart(2, '0')}-01-01` });
    expect(await ask('first')).not.toBe(before);
  });
});

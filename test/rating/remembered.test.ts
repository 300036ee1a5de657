import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReportFilters } from '@ctwa-ledger/schemas/reports.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { Remembered } from '../../services/reports/remembered.ts';
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

  const ask = (name: string, filters: ReportFilters = EVERYTHING): Promise<string> =>
    remembered.ask(name, filters, () => {
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

  it('but not when they fail', async () => {
    const failing = remembered.ask('bill', EVERYTHING, () => Promise.reject(new Error('away')));
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

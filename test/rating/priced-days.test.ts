import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { readRatingBasis } from '../../services/rating/basis.ts';
import { settleCharges } from '../../services/rating/charges.ts';
import {
  arePriced,
  BEING_WRITTEN,
  pricedUnder,
  setPricedUnder,
  storedDays,
} from '../../services/rating/priced-days.ts';
import { importRateFile, withdrawRateCard } from '../../services/rating/rate-cards.ts';
import { savings } from '../../services/reports/savings.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, EVERYTHING, numberFrom, openLedger } from '../support/ledger.ts';

const WABA = '1';
const NUMBER = '2';
const AT = 1_790_000_000;

describe('stored prices of days', () => {
  const data = new DataDirectory();
  let ledger: Ledger;
  let messages = 0;

  beforeAll(async () => {
    ledger = await openLedger(data, 'priced_days', { accounts: [{ waba_id: WABA, currency: 'USD' }] });
    await deliver(3);
  });
  afterAll(async () => {
    await ledger.close();
    await data.remove();
  });

  /** Delivers marketing templates to Brazil. */
  async function deliver(count: number): Promise<void> {
    const events = Array.from({ length: count }, () => {
      messages += 1;
      const shared = {
        waba_id: WABA,
        phone_number_id: NUMBER,
        wa_id: '5511955551234',
        id: `wamid.${messages}`,
        timestamp: AT + messages,
      };
      return [
        { event: 'message', direction: 'outbound', ...shared, type: 'template', template: { category: 'MARKETING' } },
        { event: 'status', ...shared, status: 'delivered' },
      ];
    }).flat();
    await ledger.record(parsed(events));
  }

  async function importCard(marketing: string): Promise<string> {
    const [card] = await importRateFile(ledger.database, {
      name: `${marketing}.csv`,
      bytes: Buffer.from(
        `Cost per message\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,${marketing},1,1\n`,
      ),
      effective: '2026-01-01',
      by: 'test',
    });
    return card!.card_id;
  }

  const billed = async (): Promise<string | null | undefined> =>
    (await savings(ledger.database, EVERYTHING)).find(({ currency }) => currency === 'USD')?.billed_cost;
  const isStored = async (): Promise<boolean> => arePriced(ledger.database, await readRatingBasis(ledger.database));

  it('are used once all days have them, and never before', async () => {
    await importCard('0.1');
    expect(await isStored()).toBe(false);
    await settleCharges(ledger.database);
    expect(await isStored()).toBe(true);
    expect(await billed()).toBe('0.3');
    // At once by the new card, although its days are not stored yet.
    const second = await importCard('0.2');
    expect(await isStored()).toBe(false);
    expect(await billed()).toBe('0.6');
    await settleCharges(ledger.database);
    expect(await isStored()).toBe(true);
    expect(await billed()).toBe('0.6');
    // Prices that were stored before, of days that have changed since.
    await deliver(1);
    await settleCharges(ledger.database);
    expect(await billed()).toBe('0.8');
    await withdrawRateCard(ledger.database, second, 'test');
    expect(await billed()).toBe('0.4');
    await settleCharges(ledger.database);
    expect(await isStored()).toBe(true);
    expect(await billed()).toBe('0.4');
  });

  it('are written anew after a kill in the middle of writing them', async () => {
    await settleCharges(ledger.database);
    const prices = await pricedUnder(ledger.database);
    await setPricedUnder(ledger.database, BEING_WRITTEN);
    await ledger.database.command(
      `INSERT INTO priced_days SELECT * REPLACE (toDecimal64(7, 8) AS rate)
       FROM priced_days FINAL WHERE prices = {prices:UInt64}`,
      { prices },
    );
    expect(await billed()).toBe('0.4');
    await settleCharges(ledger.database);
    expect(await pricedUnder(ledger.database)).toBe(prices);
    expect(await billed()).toBe('0.4');
  });

  it('stay for a report that began to read under the cards before, and no longer', async () => {
    const rates = async (read: ReturnType<typeof storedDays>): Promise<string[]> => {
      const rows = await ledger.database.query(
        z.object({ rate: z.string() }),
        `SELECT DISTINCT toString(rate) AS rate FROM (${read.sql})`,
        { ...read.parameters, first_day: '2026-01-01', end_day: '2027-01-01' },
      );
      return rows.map(({ rate }) => rate);
    };
    await settleCharges(ledger.database);
    const read = storedDays(await readRatingBasis(ledger.database), 'true');
    expect(await rates(read)).toEqual(['0.1']);
    await importCard('0.5');
    await settleCharges(ledger.database);
    expect(await rates(read)).toEqual(['0.1']);
    await importCard('0.6');
    await settleCharges(ledger.database);
    expect(await rates(read)).toEqual([]);
    expect(await numberFrom(ledger.database, 'SELECT uniqExact(prices) AS n FROM priced_days')).toBe(2);
  });
});

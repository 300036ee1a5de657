/** Controls on Meta's own numbers, read from imports. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { MetaControl } from '../../schemas/meta.ts';
import type { Check } from '../../schemas/periods.ts';
import { settleReports } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { examineMonth } from '../../services/periods/checklist.ts';
import { accountMonth } from '../../services/periods/month.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { metaControls } from '../../services/reconciliation/control-readings.ts';
import { importMetaAnswers, type MetaImportOptions } from '../../services/reconciliation/imports.ts';
import { DEFAULT_TOLERANCE } from '../../services/reconciliation/judgement.ts';
import { reconcileMonth } from '../../services/reconciliation/reconcile.ts';
import { DataDirectory, openLedger } from '../support/ledger.ts';
import { dataPoint, file } from './meta.ts';
import { Decimal, type Point } from './naive.ts';
import { ACCOUNT, LIST_CARD, MONTH, NUMBERS, TIER_CARD, WABA, ZONE } from './world.ts';

const OTHER_WABA = '202290129340398';
const data = new DataDirectory();
let ledger: Ledger;

beforeAll(async () => {
  const other = { waba_id: OTHER_WABA, time_zone: ZONE, currency: 'USD' };
  ledger = await openLedger(data, 'controls', { accounts: [ACCOUNT, other] });
  for (const [name, text] of [
    ['list.csv', LIST_CARD],
    ['tiers.csv', TIER_CARD],
  ] as const)
    await importRateFile(ledger.database, { name, bytes: Buffer.from(text), effective: '2026-10-01', by: 'a test' });
  await settleReports(['reconciliation'], ledger.database);
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});
beforeEach(async () => {
  for (const table of ['meta_imports', 'meta_points', 'import_files'])
    await ledger.database.command(`TRUNCATE TABLE ${table}`);
});

const OPTIONS: MetaImportOptions = { days: 'account', asked: { from: '2026-10-01', to: '2026-11-01' }, by: 'a test' };

/** A point of Meta's on a day of October. */
function point(country: string, category: string, tier: string, volume: number, cost: string, day = '05'): Point {
  return {
    ...{ day: `2026-10-${day}`, phone_number: NUMBERS[0].display, country, category, pricing_type: 'REGULAR', tier },
    ...{ volume, cost: new Decimal(cost) },
  };
}

const free = (volume: number): Point => ({
  ...point('BR', 'SERVICE', '', volume, '0'),
  pricing_type: 'FREE_CUSTOMER_SERVICE',
});

const take = (points: readonly Point[], waba_id = WABA) =>
  importMetaAnswers(
    ledger.database,
    [
      file('meta.json', {
        id: waba_id,
        pricing_analytics: { data: [{ data_points: points.map((one) => dataPoint(one)) }] },
      }),
    ],
    OPTIONS,
  );

async function found(): Promise<string[]> {
  const held = await reconcileMonth(ledger.database, { waba_id: WABA, month: MONTH }, DEFAULT_TOLERANCE);
  return (await metaControls(ledger.database, held)).map((one) =>
    [one.control, one.country, one.category, one.volume].join(' ').trim(),
  );
}

async function controlsCheck(): Promise<Extract<Check, { check: 'controls' }> | undefined> {
  const { database } = ledger;
  const { checklist } = await examineMonth(
    database,
    await accountMonth(database, WABA, MONTH),
    Date.parse('2026-11-20'),
  );
  return checklist.find((one) => one.check === 'controls');
}

describe('Meta’s numbers in themselves', () => {
  it('are right where every price is one of the cards of the market, its tiers included', async () => {
    expect(await controlsCheck()).toBeUndefined();
    await take([
      point('BR', 'MARKETING', '0:MAX', 100, '6.25'),
      point('BR', 'UTILITY', '0:20', 10, '0.068'),
      point('BR', 'UTILITY', '21:40', 10, '0.065'),
      point('BR', 'UTILITY', '41:MAX', 10, '0.06'),
      point('US', 'AUTHENTICATION', '0:MAX', 1000, '3.4'),
      free(1_000),
    ]);
    expect(await found()).toEqual([]);
    const none = { free_service: 0, tiers: 0, free_cost: 0, price: 0, max_price: 0, restated: 0 };
    expect(await controlsCheck()).toEqual({ check: 'controls', state: 'passed', ...none });
  });

  it.each<[MetaControl, string, readonly Point[], string[]]>([
    ['price', 'of another market', [point('BR', 'UTILITY', '0:20', 10, '0.0212')], ['price BR UTILITY 10']],
    [
      'price',
      'of another category',
      [point('IN', 'AUTHENTICATION', '0:MAX', 100, '1.18')],
      ['price IN AUTHENTICATION 100'],
    ],
    [
      'tiers',
      'that leave one out',
      [point('BR', 'UTILITY', '0:20', 10, '0.068'), point('BR', 'UTILITY', '41:MAX', 10, '0.06')],
      ['tiers BR UTILITY 20'],
    ],
    ['free_service', 'beyond the allowance', [free(1_001)], ['free_service  SERVICE 1001']],
    [
      'max_price',
      'which is nothing wrong',
      [point('IN', 'MARKETING', '0:MAX', 100, '1')],
      ['max_price IN MARKETING 100'],
    ],
  ])('are found by %s: %s', async (control, _, points, expected) => {
    await take(points);
    expect(await found()).toEqual(expected);
    const state = control === 'max_price' ? 'passed' : 'warning';
    expect(await controlsCheck()).toMatchObject({ state, [control]: 1 });
  });

  it('count the free service messages of a number over all accounts that share it', async () => {
    await take([free(700)]);
    await take([free(300)], OTHER_WABA);
    expect(await found()).toEqual([]);
    await take([free(301)], OTHER_WABA);
    expect(await found()).toEqual(['free_service  SERVICE 700']);
  });

  it('are another answer only where the day had settled when the first one was taken', async () => {
    const answered = (volume: number) =>
      take([point('BR', 'MARKETING', '0:MAX', volume, new Decimal('0.0625').times(volume).toFixed())]);
    await answered(100);
    await answered(103);
    const at = (time: string) =>
      ledger.database.command(
        `INSERT INTO meta_imports SELECT * REPLACE (toDateTime64('${time}', 3, 'UTC') AS imported_at, version + 1 AS version)
         FROM meta_imports FINAL WHERE import_id IN (SELECT import_id FROM meta_points WHERE volume = 100)`,
      );
    await at('2026-10-06 10:00:00');
    expect(await found()).toEqual([]);
    await at('2026-10-09 10:00:00');
    expect(await found()).toEqual(['restated   3']);
  });
});

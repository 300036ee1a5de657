import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { csvReport, settleReports } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { importMetaAnswers, type MetaImportOptions } from '../../services/reconciliation/imports.ts';
import { DEFAULT_TOLERANCE } from '../../services/reconciliation/judgement.ts';
import { reconcileMonth, summaryOf } from '../../services/reconciliation/reconcile.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, EVERYTHING, openLedger } from '../support/ledger.ts';
import { csvRows } from '../support/product.ts';
import { answer, file } from './meta.ts';
import { counted, Decimal, naiveMatch, pointsOf, type Column, type Counted, type Point } from './naive.ts';
import { ACCOUNT, LIST_CARD, MONTH, TIER_CARD, traffic, WABA, type Trait, ZONE } from './world.ts';

const data = new DataDirectory();
let ledger: Ledger;
const messages = traffic(1);
const stored = messages.flatMap((message) => message.stored);
/** Ours, as plain loops count them; and Meta's, when it counts as we do. */
const ours = counted(stored, ACCOUNT);
/** What Meta may count on top of it, or otherwise. */
const truth = counted(
  messages.flatMap((message) => message.truth),
  ACCOUNT,
);
const traits = new Map(messages.map(({ id, trait }) => [id, trait]));
/** Messages of the app, as they would be counted if they were on the bill. */
const echoes = counted(stored, ACCOUNT, ZONE, 'counted').filter(({ message_id }) => traits.get(message_id) === 'echo');
const isOf =
  (trait: Trait) =>
  ({ message_id }: Counted): boolean =>
    traits.get(message_id) === trait;

beforeAll(async () => {
  ledger = await openLedger(data, 'reconciled', { accounts: [ACCOUNT] });
  for (const [name, text] of [
    ['list.csv', LIST_CARD],
    ['tiers.csv', TIER_CARD],
  ] as const)
    await importRateFile(ledger.database, { name, bytes: Buffer.from(text), effective: '2026-10-01', by: 'a test' });
  await ledger.record(parsed(stored));
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

async function rows(report: 'reconciliation' | 'reconciliation-explanations' = 'reconciliation') {
  let text = '';
  const filters = { ...EVERYTHING, from: '2026-10-01', to: '2026-11-01', waba_id: WABA };
  for await (const part of csvReport(report, ledger.database, filters)) text += part;
  return csvRows(text);
}

/** Imports Meta's side, and expects the match to be that of plain loops, with all sums kept. */
async function matched(points: readonly Point[], kept?: readonly Column[]) {
  await importMetaAnswers(ledger.database, [file('meta.json', answer(points))], OPTIONS);
  const found = await rows();
  const expected = naiveMatch(ours, points, kept);
  expect(
    found.map(({ day, phone_number, country, category, pricing_type, tier, our_volume, meta_volume, ...row }) => ({
      ...{ day, phone_number, country, category, pricing_type, tier },
      our_volume: Number(our_volume),
      meta_volume: Number(meta_volume),
      our_cost: row['our_cost'],
      meta_cost: row['meta_cost'],
      status: row['status'],
    })),
  ).toEqual(expected.map(({ our_cost, meta_cost, ...row }) => ({ ...row, our_cost, meta_cost })));
  const sum = (column: string) => found.reduce((total, row) => total.plus(row[column] || 0), new Decimal(0));
  expect(sum('our_volume').toNumber()).toBe(ours.length);
  expect(sum('meta_volume').toNumber()).toBe(points.reduce((total, { volume }) => total + volume, 0));
  expect(sum('our_cost').toFixed()).toBe(
    ours.reduce((total, { cost }) => total.plus(cost ?? 0), new Decimal(0)).toFixed(),
  );
  for (const row of found) {
    expect(Math.abs(Number(row['volume_difference']))).toBeGreaterThanOrEqual(Number(row['explained_volume']));
    expect(Number(row['volume_difference'])).toBe(Number(row['our_volume']) - Number(row['meta_volume']));
  }
  return found;
}

describe('a month that Meta counts as we do', () => {
  it('matches in every row and to every digit', async () => {
    const found = await matched(pointsOf(ours));
    expect(new Set(found.map((row) => row['status']))).toEqual(new Set(['match']));
    expect(new Set(found.map((row) => row['pricing_type']))).toEqual(
      new Set(['REGULAR', 'FREE_CUSTOMER_SERVICE', 'FREE_ENTRY_POINT']),
    );
    expect(new Set(found.map((row) => row['tier']))).toEqual(new Set(['', '0:MAX', '0:20', '21:40', '41:MAX']));
    const summary = summaryOf(
      await reconcileMonth(ledger.database, { waba_id: WABA, month: MONTH }, DEFAULT_TOLERANCE),
    );
    expect(summary).toMatchObject({
      month: MONTH,
      waba_id: WABA,
      rows: found.length,
      match: found.length,
      different: 0,
      our_volume: ours.length,
      meta_volume: ours.length,
      our_cost: summary.meta_cost,
      currency: 'USD',
      gross_volume_difference: 0,
      gross_cost_difference: '0',
      explained_volume: 0,
      unexplained_volume: 0,
    });
  });
});

/** Whether it was delivered in the last hour of its day; the zone has no summer time. */
const isBeforeMidnight = ({ delivered_at }: Counted): boolean => (delivered_at - 3 * 3_600) % 86_400 >= 82_800;
const dayAfter = (day: string): string => new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);

/** Of the rows that differ, the share that a code explains first and in full. */
function expectExplained(found: readonly Record<string, string>[], code: string, share = 0.95): void {
  const different = found.filter((row) => row['volume_difference'] !== '0');
  expect(different.length).toBeGreaterThan(3);
  const right = different.filter(
    (row) =>
      row['explanation'] === code && Number(row['explained_volume']) === Math.abs(Number(row['volume_difference'])),
  );
  const others = different.filter((row) => !right.includes(row));
  expect({
    share: right.length / different.length >= share,
    others: right.length / different.length >= share ? [] : others,
  }).toEqual({
    share: true,
    others: [],
  });
}

/** On the card of the world. */
const MARKETING_PRICES: Readonly<Record<string, InstanceType<typeof Decimal>>> = {
  BR: new Decimal('0.0625'),
  US: new Decimal('0.025'),
  CA: new Decimal('0.025'),
  IN: new Decimal('0.0118'),
  KZ: new Decimal('0.08600001'),
};

const asService = (message: Counted): Counted => ({
  ...message,
  category: 'SERVICE',
  pricing_type: 'FREE_CUSTOMER_SERVICE',
  tier: '',
  cost: new Decimal(0),
});

describe('what Meta counts otherwise is explained by', () => {
  it.each<[string, string, () => readonly Counted[]]>([
    [
      'midnight',
      'messages of the last hour of a day, counted on the next',
      () =>
        ours.map((one) => (isBeforeMidnight(one) && one.day < '2026-10-31' ? { ...one, day: dayAfter(one.day) } : one)),
    ],
    ['zone', 'days of another zone', () => counted(stored, ACCOUNT, 'UTC')],
    [
      'tier',
      'the second tier, counted in the first',
      () => ours.map((one) => (one.tier === '21:40' ? { ...one, tier: '0:20' } : one)),
    ],
    [
      'country',
      'Canadians counted as Americans',
      () => ours.map((one) => (one.country === 'CA' ? { ...one, country: 'US' } : one)),
    ],
    [
      'verdict',
      'messages without a report, charged',
      () =>
        ours.map((one) =>
          isOf('unreported')(one)
            ? { ...one, pricing_type: 'REGULAR', tier: '0:MAX', cost: new Decimal('0.0034') }
            : one,
        ),
    ],
    [
      'direct_send',
      'messages without a template, counted as service',
      () => ours.map((one) => (isOf('direct')(one) ? asService(one) : one)),
    ],
    [
      'direct_send',
      'messages without a report, counted as marketing',
      () =>
        ours.map((one) =>
          isOf('unreported')(one)
            ? {
                ...one,
                category: 'MARKETING',
                pricing_type: 'REGULAR',
                tier: '0:MAX',
                cost: MARKETING_PRICES[one.country],
              }
            : one,
        ),
    ],
    [
      'paid_exempt',
      'service messages that need not be paid',
      () => ours.map((one) => (isOf('charged_service')(one) ? asService(one) : one)),
    ],
    [
      'group',
      'messages of groups, counted as any other',
      () => ours.map((one) => (isOf('group')(one) ? { ...one, category: 'MARKETING' } : one)),
    ],
    ['no_outcome', 'messages whose statuses were lost', () => [...ours, ...truth.filter(isOf('no_status'))]],
    ['unknown_waba', 'messages of no account', () => [...ours, ...truth.filter(isOf('no_account'))]],
    ['read_only', 'messages that were only read, not counted', () => ours.filter((one) => !isOf('read_only')(one))],
    [
      'echo',
      'messages of the app, counted',
      () => [
        ...ours,
        ...echoes.map((one) => ({ ...one, pricing_type: 'FREE_CUSTOMER_SERVICE', tier: '', cost: new Decimal(0) })),
      ],
    ],
    [
      'unknown_number',
      'a number that nobody has named',
      () => ours.map((one) => (one.phone_number === '551140001111' ? { ...one, phone_number: '551140009999' } : one)),
    ],
  ])('%s: %s', async (code, _, metas) => {
    const found = await matched(pointsOf(metas()));
    if (code === 'unknown_number')
      // The number of ours has a name, which is only not Meta's.
      expectExplained(
        found.filter((row) => row['our_volume'] === '0'),
        code,
      );
    else expectExplained(found, code);
  });
});

describe('amounts that differ although the volumes agree', () => {
  const isKazakh = ({ country, category }: Counted): boolean => country === 'KZ' && category === 'MARKETING';
  const repriced = (price: string): Point[] =>
    pointsOf(
      ours.map((one) => (isKazakh(one) && one.cost?.isZero() === false ? { ...one, cost: new Decimal(price) } : one)),
    );

  it.each([
    ['rate', '0.06', 'which is the price of Other, marketing, list.csv 2026-10-01.'],
    ['rate', '0.0999', 'which is no price of a card that is known here.'],
    ['max_price', '0.07', 'less than the list says'],
  ])('are explained by %s where a message costs %s', async (code, price, evidence) => {
    const found = await matched(repriced(price));
    const different = found.filter((row) => row['status'] !== 'match');
    expect(different.length).toBeGreaterThan(3);
    expect(
      new Set(different.map((row) => [row['status'], row['explanation'], row['explained_volume']].join())),
    ).toEqual(new Set([`price,${code},0`]));
    for (const row of await rows('reconciliation-explanations')) expect(row['evidence']).toContain(evidence);
  });

  const isService = isOf('charged_service');
  it.each([
    ['paid_exempt', 'in the whole month', () => true],
    ['paid_exempt', 'from a day on', (day: string) => day >= '2026-10-20'],
    ['rate', 'until a day', (day: string) => day < '2026-10-20'],
  ])('are explained by %s where no service message is charged %s', async (code, _, isFree) => {
    const found = await matched(
      pointsOf(ours.map((one) => (isService(one) && isFree(one.day) ? { ...one, cost: new Decimal(0) } : one))),
    );
    const different = found.filter((row) => row['status'] !== 'match');
    expect(different.length).toBeGreaterThan(3);
    expect(
      new Set(different.map((row) => [row['category'], row['status'], row['explanation'], isFree(row['day']!)].join())),
    ).toEqual(new Set([`SERVICE,price,${code},true`]));
  });

  it('are none where Meta gives no cost, or 0 for everything', async () => {
    const statuses = async (points: readonly Point[]): Promise<Record<string, number>> => {
      const found = await matched(points);
      const count = (status: string) => found.filter((row) => row['status'] === status).length;
      return { all: found.length, no_cost: count('no_cost'), match: count('match') };
    };
    const without = await statuses(pointsOf(ours).map((point) => ({ ...point, cost: undefined })));
    expect(without).toMatchObject({ no_cost: without['all'], match: 0 });
    await withdrawAll();
    const costless = await statuses(pointsOf(ours).map((point) => ({ ...point, cost: new Decimal(0) })));
    expect(costless['no_cost']).toBeGreaterThan(0);
    expect(costless['no_cost']! + costless['match']!).toBe(costless['all']);
  });
});

describe('the grain', () => {
  it.each<[string, readonly Column[]]>([
    ['a total', ['day']],
    ['countries', ['day', 'country']],
    ['types without tiers', ['day', 'country', 'category', 'pricing_type']],
    ['numbers and types', ['day', 'phone_number', 'pricing_type']],
    ['everything but the number', ['day', 'country', 'category', 'pricing_type', 'tier']],
  ])('is that of the points: %s', async (_, kept) => {
    const found = await matched(pointsOf(ours, kept), kept);
    expect(new Set(found.map((row) => row['status']))).toEqual(new Set(['match']));
  });
});

async function withdrawAll(): Promise<void> {
  for (const table of ['meta_imports', 'meta_points']) await ledger.database.command(`TRUNCATE TABLE ${table}`);
}

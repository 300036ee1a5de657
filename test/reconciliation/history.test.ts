import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { csvReport, settleReports } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { importRateFile, listRateCards, withdrawRateCard } from '../../services/rating/rate-cards.ts';
import {
  importMetaAnswers,
  listMetaImports,
  withdrawMetaImport,
  type MetaImportOptions,
} from '../../services/reconciliation/imports.ts';
import { DEFAULT_TOLERANCE } from '../../services/reconciliation/judgement.ts';
import { reconcileMonth, refuseMissingDays, summaryOf } from '../../services/reconciliation/reconcile.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, EVERYTHING, openLedger } from '../support/ledger.ts';
import { csvRows } from '../support/product.ts';
import { answer, dataPoint, file } from './meta.ts';
import { counted, naiveMatch, pointsOf, type Counted } from './naive.ts';
import { ACCOUNT, LIST_CARD, MONTH, NUMBERS, TIER_CARD, traffic, WABA } from './world.ts';

/** What becomes of a month while events, cards and answers of Meta's come one after another. */

const data = new DataDirectory();
let ledger: Ledger;

const all = traffic(2).filter(({ trait }) => trait === 'none' || trait === 'unreported');
const truth = counted(
  all.flatMap((message) => message.truth),
  ACCOUNT,
);
/** What one number sent on one day has never come. */
const isLost = ({ phone_number, day }: Counted): boolean => phone_number === NUMBERS[0].display && day === '2026-10-14';
const lost = new Set(truth.filter(isLost).map(({ message_id }) => message_id));
const known = all.filter(({ id }) => !lost.has(id));
const [first, late] = [known.filter((_, n) => n % 20 !== 0), known.filter((_, n) => n % 20 === 0)];
const countedOf = (messages: typeof all): Counted[] =>
  counted(
    messages.flatMap((message) => message.stored),
    ACCOUNT,
  );

const OPTIONS: MetaImportOptions = { days: 'account', asked: { from: '2026-10-01', to: '2026-11-01' }, by: 'a test' };

beforeAll(async () => {
  ledger = await openLedger(data, 'history', { accounts: [ACCOUNT] });
  for (const [name, text] of [
    ['list.csv', LIST_CARD],
    ['tiers.csv', TIER_CARD],
  ] as const)
    await importRateFile(ledger.database, { name, bytes: Buffer.from(text), effective: '2026-10-01', by: 'a test' });
  await ledger.record(parsed(first.flatMap((message) => message.stored)));
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});
beforeEach(async () => {
  for (const table of ['meta_imports', 'meta_points', 'import_files'])
    await ledger.database.command(`TRUNCATE TABLE ${table}`);
});

async function rows(): Promise<Record<string, string>[]> {
  await settleReports(['reconciliation'], ledger.database);
  let text = '';
  const filters = { ...EVERYTHING, from: '2026-10-01', to: '2026-11-01', waba_id: WABA };
  for await (const part of csvReport('reconciliation', ledger.database, filters)) text += part;
  return csvRows(text);
}

const different = async (): Promise<Record<string, string>[]> =>
  (await rows()).filter((row) => row['volume_difference'] !== '0');
const statuses = async (): Promise<string[]> => [...new Set((await rows()).map((row) => row['status']!))].sort();

describe('what comes after the numbers of Meta', () => {
  it('is late, and what never came is a gap', async () => {
    await importMetaAnswers(ledger.database, [file('first.json', answer(pointsOf(countedOf(first))))], OPTIONS);
    expect(await statuses()).toEqual(['match']);

    await ledger.record(parsed(late.flatMap((message) => message.stored)));
    const moved = (row: Record<string, string>): number => Number(row['volume_difference']);
    // One late message moves those of its month into other tiers.
    const over = (await different()).filter((row) => !/:(20|40)$/.test(row['tier']!) && row['tier'] !== '41:MAX');
    expect(over.reduce((sum, row) => sum + moved(row), 0)).toBeGreaterThan(20);
    expect(new Set(over.map((row) => row['explanation']))).toEqual(new Set(['late']));

    await importMetaAnswers(ledger.database, [file('second.json', answer(pointsOf(truth)))], OPTIONS);
    const under = (await different()).filter((row) => !/:(20|40)$/.test(row['tier']!) && row['tier'] !== '41:MAX');
    expect(new Set(under.map((row) => [row['day'], row['phone_number'], row['explanation']].join(' ')))).toEqual(
      new Set([`2026-10-14 ${NUMBERS[0].display} gap`]),
    );
    expect(under.reduce((sum, row) => sum + moved(row), 0)).toBeLessThan(-10);

    // Withdrawn, the first holds again.
    const [latest] = await listMetaImports(ledger.database);
    expect((await listMetaImports(ledger.database)).map(({ state }) => state)).toEqual(['holds', 'replaced']);
    await withdrawMetaImport(ledger.database, latest!.import_id, 'ben');
    expect((await listMetaImports(ledger.database)).map(({ state }) => state)).toEqual(['withdrawn', 'holds']);
    expect(new Set((await different()).map((row) => Math.sign(moved(row))))).toContain(1);
  });
});

describe('numbers that an answer does not name', () => {
  const ofDays = (upto: number, numbers: readonly string[]) => ({
    points: pointsOf(
      countedOf(known).filter((one) => Number(one.day.slice(8)) <= upto && numbers.includes(one.phone_number)),
    ),
    options: { ...OPTIONS, asked: { from: '2026-10-01', to: `2026-10-${upto + 1}`.replace('10-32', '11-01') } },
  });
  const displays = NUMBERS.map(({ display }) => display);

  it('keep what an earlier one said of them, and are gone where none said anything', async () => {
    const both = ofDays(15, displays);
    await importMetaAnswers(ledger.database, [file('both.json', answer(both.points))], both.options);
    const one = ofDays(31, displays.slice(0, 1));
    await importMetaAnswers(ledger.database, [file('one.json', answer(one.points))], one.options);
    const found = await different();
    expect(found.length).toBeGreaterThan(10);
    for (const row of found) {
      expect(row).toMatchObject({ phone_number: displays[1], explanation: 'number_gone' });
      expect(row['day']! > '2026-10-15').toBe(true);
      expect(row['explained_volume']).toBe(row['volume_difference']);
    }
  });
});

describe('days', () => {
  it('that Meta says nothing of are named', async () => {
    const points = pointsOf(countedOf(known));
    const asked = { from: '2026-10-01', to: '2026-10-30' };
    const some = points.filter(({ day }) => day < asked.to);
    await importMetaAnswers(ledger.database, [file('some.json', answer(some))], { ...OPTIONS, asked });
    const month = await reconcileMonth(ledger.database, { waba_id: WABA, month: MONTH }, DEFAULT_TOLERANCE);
    expect(month.missing_days).toEqual(['2026-10-30', '2026-10-31']);
    expect(() => {
      refuseMissingDays(month);
    }).toThrow(/missing for 2 days of 2026-10: 2026-10-30, 2026-10-31/);
    expect(summaryOf(month).match).toBe(summaryOf(month).rows);
  });

  it('may be cut in UTC by a partner: then ours are', async () => {
    const utc = counted(
      known.flatMap((message) => message.stored),
      ACCOUNT,
      'UTC',
    );
    const value = answer(pointsOf(utc), 'UTC');
    await expect(importMetaAnswers(ledger.database, [file('utc.json', value)], OPTIONS)).rejects.toThrow(
      /not whole days of America\/Sao_Paulo.*They are in UTC.*add --days utc/s,
    );
    expect(await listMetaImports(ledger.database)).toEqual([]);
    await importMetaAnswers(ledger.database, [file('utc.json', value)], { ...OPTIONS, days: 'utc' });
    expect(await statuses()).toEqual(['match']);
    expect((await rows()).map((row) => Number(row['our_volume'])).reduce((a, b) => a + b)).toBe(utc.length);
  });

  it('may come in half hours', async () => {
    const halves = countedOf(known).map((one) => {
      const start = one.delivered_at - (one.delivered_at % 1_800);
      const [point] = pointsOf([one]);
      return { ...dataPoint(point!), start, end: start + 1_800 };
    });
    const value = { id: WABA, pricing_analytics: { data: [{ data_points: halves }] } };
    await importMetaAnswers(ledger.database, [file('halves.json', value)], OPTIONS);
    expect(await statuses()).toEqual(['match']);
  });

  it('may be those of the whole month in one', async () => {
    const monthly = countedOf(known).map((one) => ({ ...one, day: '' }));
    const points = pointsOf(monthly);
    const start = Date.parse('2026-10-01T03:00:00Z') / 1000;
    const end = Date.parse('2026-11-01T03:00:00Z') / 1000;
    const data_points = points.map((point) => ({ ...dataPoint({ ...point, day: '2026-10-01' }), start, end }));
    const value = { id: WABA, pricing_analytics: { data: [{ data_points }] } };
    await importMetaAnswers(ledger.database, [file('month.json', value)], { ...OPTIONS, asked: null });
    const found = await rows();
    expect(found.map((row) => [row['day'], row['our_volume'], row['meta_volume'], row['status']])).toEqual(
      naiveMatch(monthly, points).map((row) => ['', String(row.our_volume), String(row.meta_volume), 'match']),
    );
  });
});

describe('amounts without a card', () => {
  it('are unrated', async () => {
    await importMetaAnswers(ledger.database, [file('known.json', answer(pointsOf(countedOf(known))))], OPTIONS);
    expect(await statuses()).toEqual(['match']);
    for (const { card_id, kind } of await listRateCards(ledger.database))
      if (kind === 'list') await withdrawRateCard(ledger.database, card_id, 'ana');
    const found = (await rows()).filter((row) => row['status'] === 'price');
    expect(found.length).toBeGreaterThan(100);
    expect(new Set(found.map((row) => [row['our_cost'], row['explanation'], row['explained_volume']].join()))).toEqual(
      new Set([',unrated,0']),
    );
  });
});

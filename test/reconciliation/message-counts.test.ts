import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { MessageCountRow } from '../../schemas/meta.ts';
import type { Check } from '../../schemas/periods.ts';
import { settleReports } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { examineMonth } from '../../services/periods/checklist.ts';
import { accountMonth } from '../../services/periods/month.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { findingOf } from '../../services/reconciliation/counted-messages.ts';
import {
  importMetaAnswers,
  listMetaImports,
  withdrawMetaImport,
  type MetaImportOptions,
} from '../../services/reconciliation/imports.ts';
import { DEFAULT_TOLERANCE } from '../../services/reconciliation/judgement.ts';
import { messageCountsOf, reconcileMonth, type ReconciledMonth } from '../../services/reconciliation/reconcile.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, openLedger } from '../support/ledger.ts';
import { answer, file } from './meta.ts';
import { counted, pointsOf, type Point } from './naive.ts';
import { ACCOUNT, BEGINS, LIST_CARD, MONTH, NUMBERS, TIER_CARD, traffic, WABA, type Fields } from './world.ts';

const [FIRST, SECOND] = NUMBERS;
const DAY_SECONDS = 86_400;
const data = new DataDirectory();
let ledger: Ledger;

const messages = traffic(5).filter(({ trait }) => trait === 'none');
const points = pointsOf(
  counted(
    messages.flatMap((message) => message.stored),
    ACCOUNT,
  ),
);

beforeAll(async () => {
  ledger = await openLedger(data, 'message_counts', { accounts: [ACCOUNT] });
  for (const [name, text] of [
    ['list.csv', LIST_CARD],
    ['tiers.csv', TIER_CARD],
  ] as const)
    await importRateFile(ledger.database, {
      name,
      bytes: Buffer.from(text),
      effective: '2026-10-01',
      by: 'a test',
    });
  await ledger.record(parsed(messages.flatMap((message) => message.stored)));
  await settleReports(['reconciliation'], ledger.database);
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});
beforeEach(async () => {
  for (const table of ['meta_imports', 'meta_points', 'import_files', 'meta_lines', 'meta_message_counts'])
    await ledger.database.command(`TRUNCATE TABLE ${table}`);
});

const OPTIONS: MetaImportOptions = { days: 'account', asked: { from: '2026-10-01', to: '2026-11-01' }, by: 'a test' };

const dayOf = (seconds: number): number => Math.floor((seconds - BEGINS) / DAY_SECONDS);
const at = (event: Fields): number => Number(event['timestamp']);

/** What happened on the days of the month, counted naively. */
function truth(number: string): { sent: number[]; delivered: number[]; incoming: number[] } {
  const days = (): number[] => Array.from({ length: 31 }, () => 0);
  const sums = { sent: days(), delivered: days(), incoming: days() };
  for (const { stored } of messages) {
    if (stored[0]?.['phone_number_id'] !== number) continue;
    const add = (sum: number[], event: Fields | undefined): void => {
      const day = event === undefined ? -1 : dayOf(at(event));
      if (day >= 0 && day < 31) sum[day] = (sum[day] ?? 0) + 1;
    };
    add(
      sums.incoming,
      stored.find((event) => event['direction'] === 'inbound'),
    );
    add(
      sums.sent,
      stored.find((event) => event['direction'] === 'outbound'),
    );
    add(
      sums.delivered,
      stored.find((event) => event['status'] === 'delivered'),
    );
  }
  return sums;
}

type More = (day: number) => { readonly sent?: number; readonly incoming?: number };

/** Imports what Meta counts of a number: the truth, and what it counts beside. */
async function takeCounts(number: (typeof NUMBERS)[number], more: More = () => ({})): Promise<void> {
  const { sent, delivered, incoming } = truth(number.id);
  const point = (day: number, counts: object) => ({
    start: BEGINS + day * DAY_SECONDS,
    end: BEGINS + (day + 1) * DAY_SECONDS,
    ...counts,
  });
  const said = (name: string, product_types: readonly number[], data_points: readonly unknown[]) =>
    file(name, {
      id: WABA,
      analytics: { phone_numbers: [number.display], product_types, granularity: 'DAY', data_points },
    });
  await importMetaAnswers(
    ledger.database,
    [
      said(
        'out.json',
        [0, 2],
        sent.map((n, day) => {
          const extra = more(day).sent ?? 0;
          return point(day, { sent: n + extra, delivered: (delivered[day] ?? 0) + extra });
        }),
      ),
      said(
        'in.json',
        [100],
        incoming.map((n, day) => point(day, { sent: n + (more(day).incoming ?? 0), delivered: 0 })),
      ),
    ],
    OPTIONS,
  );
}

const takePoints = (all: readonly Point[]) =>
  importMetaAnswers(ledger.database, [file('meta.json', answer(all))], OPTIONS);
const counts = (): Promise<readonly MessageCountRow[]> =>
  messageCountsOf(ledger.database, { waba_id: WABA, month: MONTH });
const held = (): Promise<ReconciledMonth> =>
  reconcileMonth(ledger.database, { waba_id: WABA, month: MONTH }, DEFAULT_TOLERANCE);
const findings = (rows: readonly MessageCountRow[]): string[] =>
  rows.filter(({ finding }) => finding !== 'complete').map((row) => `${row.day} ${row.phone_numbers} ${row.finding}`);

async function countsCheck(): Promise<Extract<Check, { check: 'counts' }> | undefined> {
  const { database } = ledger;
  const { checklist } = await examineMonth(database, await accountMonth(database, WABA, MONTH), Date.now());
  return checklist.find((one) => one.check === 'counts');
}

describe('messages beside those that Meta counts', () => {
  it('agree by day and number where everything is here', async () => {
    expect(await counts()).toEqual([]);
    expect(await countsCheck()).toBeUndefined();
    await takeCounts(FIRST);
    await takeCounts(SECOND);
    const rows = await counts();
    expect(rows).toHaveLength(62);
    expect(findings(rows)).toEqual([]);
    const sums = truth(FIRST.id);
    expect(rows.filter(({ phone_numbers }) => phone_numbers === FIRST.display).map((row) => row.our_incoming)).toEqual(
      sums.incoming,
    );
    for (const row of rows) expect([row.our_sent, row.our_delivered]).toEqual([row.meta_sent, row.meta_delivered]);
    expect(await countsCheck()).toMatchObject({ state: 'passed', rows: 62, missing_days: 0 });
  });

  it('distinguish missing events from another system that answers', async () => {
    await takeCounts(FIRST, (day) => (day === 4 ? { sent: 7, incoming: 6 } : day === 9 ? { sent: 5 } : {}));
    expect(findings(await counts())).toEqual([
      `2026-10-05 ${FIRST.display} gap`,
      `2026-10-10 ${FIRST.display} other_responder`,
    ]);
    expect(await countsCheck()).toMatchObject({ state: 'open', gap: 1, other_responder: 1, missing: 0 });
    await takePoints(
      points.map((point) => {
        const isGrown =
          point.phone_number === FIRST.display && point.category === 'MARKETING' && point.pricing_type === 'REGULAR';
        const isFirst = points.find(
          (one) =>
            one.day === point.day &&
            one.phone_number === point.phone_number &&
            one.category === 'MARKETING' &&
            one.pricing_type === 'REGULAR',
        );
        const more = point.day === '2026-10-05' ? 7 : point.day === '2026-10-10' ? 5 : 0;
        return isGrown && isFirst === point ? { ...point, volume: point.volume + more } : point;
      }),
    );
    const { rows } = await held();
    const explained = rows
      .filter(({ row }) => row.volume_difference !== 0n)
      .map(({ row, explanations: [first] }) => [row.day, row.volume_difference, first?.code, first?.volume]);
    expect(explained).toEqual([
      ['2026-10-05', -7n, 'gap', 7n],
      ['2026-10-10', -5n, 'other_responder', 5n],
    ]);
  });

  it('show that a difference is one of verdicts where none is missing', async () => {
    await takeCounts(FIRST);
    await takeCounts(SECOND);
    const [from] = points.filter(
      ({ pricing_type, category, volume }) => pricing_type === 'REGULAR' && category === 'UTILITY' && volume >= 2,
    );
    await takePoints([
      ...points.map((point) => (point === from ? { ...point, volume: point.volume - 2 } : point)),
      { ...from!, pricing_type: 'FREE_CUSTOMER_SERVICE', category: 'UTILITY', tier: '', volume: 2, cost: undefined },
    ]);
    const { rows } = await held();
    const codes = rows
      .filter(({ row }) => row.volume_difference !== 0n)
      .flatMap(({ explanations }) => explanations.map(({ code }) => code));
    expect(codes).toEqual(['verdict', 'verdict']);
  });

  it('hold as the latest import says, and not after it was withdrawn', async () => {
    await takeCounts(SECOND, () => ({ sent: 9 }));
    expect(findings(await counts())).toHaveLength(31);
    await takeCounts(SECOND);
    expect(findings(await counts())).toEqual([]);
    await takeCounts(SECOND);
    for (const { import_id } of await listMetaImports(ledger.database))
      await withdrawMetaImport(ledger.database, import_id, 'a test');
    expect(await counts()).toEqual([]);
  });

  it.each<[Partial<MessageCountRow>, string]>([
    [{}, 'complete'],
    [{ meta_sent: 11, meta_delivered: 11, meta_incoming: 11 }, 'complete'],
    [{ meta_incoming: 12 }, 'gap'],
    [{ meta_sent: 12, meta_delivered: 12 }, 'other_responder'],
    [{ meta_sent: 12, meta_delivered: 12, meta_incoming: null }, 'missing'],
    [{ meta_delivered: 12 }, 'outcomes'],
    [{ meta_sent: 8 }, 'surplus'],
    [{ meta_sent: null, meta_delivered: null }, 'complete'],
  ])('%j is %s', (some, finding) => {
    const same = { our_sent: 10, meta_sent: 10, our_delivered: 10, meta_delivered: 10 };
    expect(findingOf({ ...same, our_incoming: 10, meta_incoming: 10, ...some })).toBe(finding);
  });
});

describe('points that are not whole days', () => {
  const refused = (points: unknown, options: Partial<MetaImportOptions> = {}) =>
    importMetaAnswers(
      ledger.database,
      [file('a.json', { id: WABA, analytics: { phone_numbers: [FIRST.display], data_points: points } })],
      { ...OPTIONS, ...options },
    );
  it('is refused with its reason, and nothing is kept', async () => {
    const day = { start: BEGINS, end: BEGINS + DAY_SECONDS, sent: 1, delivered: 1 };
    await expect(refused([{ ...day, start: BEGINS + 60 }])).rejects.toThrow(/no whole day of America\/Sao_Paulo/);
    await expect(refused([{ ...day, sent: -1 }])).rejects.toThrow(/is not a whole number/);
    await expect(refused([{ ...day, start: BEGINS - DAY_SECONDS, end: BEGINS }])).rejects.toThrow(/not among the days/);
    expect(await counts()).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { csvReport } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { importMetaAnswers, listMetaImports, withdrawMetaImport } from '../../services/reconciliation/imports.ts';
import { DataDirectory, EVERYTHING, openLedger } from '../support/ledger.ts';
import { csvRows } from '../support/product.ts';
import { answer, file } from './meta.ts';
import { Decimal, type Point } from './naive.ts';
import { ACCOUNT, NUMBERS, WABA } from './world.ts';

const [FIRST, SECOND] = NUMBERS.map(({ display }) => display) as [string, string];
const data = new DataDirectory();
let ledger: Ledger;
beforeAll(async () => {
  ledger = await openLedger(data, 'restated', { accounts: [ACCOUNT] });
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

function point(day: string, volume: number, cost: string | null, rest: Partial<Point> = {}): Point {
  const of = { phone_number: FIRST, country: 'BR', category: 'MARKETING', pricing_type: 'REGULAR', tier: '' };
  return { ...of, day: `2026-10-${day}`, volume, cost: cost === null ? undefined : new Decimal(cost), ...rest };
}

async function take(points: readonly Point[], from = '2026-10-05', to = '2026-10-08'): Promise<void> {
  const options = { days: 'account', asked: { from, to }, by: 'a test' } as const;
  await importMetaAnswers(ledger.database, [file('meta.json', answer(points))], options);
}

async function restated(filters: Partial<ReportFilters> = {}): Promise<Record<string, string>[]> {
  let text = '';
  for await (const part of csvReport('restatements', ledger.database, { ...EVERYTHING, ...filters })) text += part;
  return csvRows(text);
}

const said = (rows: readonly Record<string, string>[]): string[] =>
  rows.map((row) =>
    [
      'day',
      'phone_number',
      'category',
      'change',
      'earlier_volume',
      'later_volume',
      'volume_difference',
      'cost_difference',
    ]
      .map((column) => row[column])
      .join(' '),
  );

describe('what Meta changed between two snapshots of the same days', () => {
  it('is told row by row, and each snapshot is held against the one before', async () => {
    await take([
      point('05', 10, '0.5'),
      point('06', 4, '0.2'),
      point('06', 3, '0.1', { category: 'UTILITY' }),
      point('05', 7, '0.7', { phone_number: SECOND }),
    ]);
    expect(await restated()).toEqual([]);
    // The sixth was not whole yet; utility was taken back, authentication came; the second number left the account.
    await take([point('05', 10, '0.5'), point('06', 6, '0.3'), point('06', 1, '0.05', { category: 'AUTHENTICATION' })]);
    const rows = await restated();
    expect(said(rows)).toEqual(
      [
        `2026-10-05 ${SECOND} MARKETING number_gone 7   `,
        `2026-10-06 ${FIRST} AUTHENTICATION appeared 0 1 1 0.05`,
        `2026-10-06 ${FIRST} MARKETING changed 4 6 2 0.1`,
        `2026-10-06 ${FIRST} UTILITY vanished 3 0 -3 -0.1`,
      ].toSorted(),
    );
    expect(rows.every((row) => row['waba_id'] === WABA && row['field'] === 'pricing_analytics')).toBe(true);
    const [latest, first] = await listMetaImports(ledger.database);
    expect(rows.map((row) => [row['earlier_import_id'], row['later_import_id']])).toEqual(
      rows.map(() => [first!.import_id, latest!.import_id]),
    );

    // A third one changes a price alone. The second number is back: held against what was last said of it.
    await take([point('05', 10, '0.6'), point('06', 6, '0.3'), point('05', 7, '0.8', { phone_number: SECOND })]);
    const third = (await restated()).filter(
      (row) => row['earlier_import_id'] !== first!.import_id || row['change'] === 'changed',
    );
    expect(said(third)).toEqual(expect.arrayContaining([`2026-10-05 ${FIRST} MARKETING changed 10 10 0 0.1`]));
    expect(said(third)).toEqual(expect.arrayContaining([`2026-10-05 ${SECOND} MARKETING changed 7 7 0 0.1`]));
    expect(said(third)).toEqual(expect.arrayContaining([`2026-10-06 ${FIRST} AUTHENTICATION vanished 1 0 -1 -0.05`]));

    expect(await restated({ waba_id: '1' })).toEqual([]);
    const sixth = await restated({ from: '2026-10-06', to: '2026-10-07', waba_id: WABA });
    expect(new Set(sixth.map((row) => row['day']))).toEqual(new Set(['2026-10-06']));

    // What was imported by mistake was never said.
    for (const { import_id } of (await listMetaImports(ledger.database)).slice(0, 2))
      await withdrawMetaImport(ledger.database, import_id, 'ben');
    expect(await restated()).toEqual([]);
  });

  it('leaves unknown costs unknown, and other days and other splits alone', async () => {
    await take([point('20', 5, null)], '2026-10-20', '2026-10-22');
    await take([point('21', 5, '1')], '2026-10-21', '2026-10-22');
    await take([point('20', 5, '0.5', { country: '' })], '2026-10-20', '2026-10-21');
    const of = { from: '2026-10-20', to: '2026-10-23' };
    expect(said(await restated(of))).toEqual([`2026-10-21 ${FIRST} MARKETING appeared 0 5 5 1`]);
    await take([point('20', 5, '0.5')], '2026-10-20', '2026-10-21');
    const [row] = await restated({ from: '2026-10-20', to: '2026-10-21' });
    expect([row!['change'], row!['earlier_cost'], row!['later_cost'], row!['cost_difference']]).toEqual([
      'changed',
      '',
      '0.5',
      '',
    ]);
  });
});

import { createHash } from 'node:crypto';
import { EXPLANATION_CODES, type ExplanationCode } from '@ctwa-ledger/schemas/meta.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import { CARDS_IN_FORCE } from '../rating/rate-cards.ts';
import { amountText, readAmount, sizeOf } from './amounts.ts';
import type { CaseSize, DaySize, Sources } from './cases.ts';
import { differingRows, reportedRow, type AskedMonth, type ExplainedRow, type ReconciledMonth } from './reconcile.ts';
import { monthAfter } from './whole-days.ts';

/** Rows of one case that are stored; its sizes cover all rows. */
const MAX_KEPT_ROWS = 20_000;

const sum = (numbers: readonly bigint[]): bigint => numbers.reduce((total, one) => total + one, 0n);

/** The best explanation of a row that differs. */
export function codeOf({ explanations }: ExplainedRow): ExplanationCode {
  return explanations.at(0)?.code ?? 'unexplained';
}

/** A case of a month with its rows, as stored. */
export interface FoundCase {
  readonly size: CaseSize;
  /** JSON: rows of the report `reconciliation-differences`. */
  readonly rows: string;
}

function sizeOfRows(rows: readonly ExplainedRow[], checksum: string): CaseSize {
  const known = rows.flatMap(({ row: { cost_difference } }) => (cost_difference === null ? [] : [cost_difference]));
  const days = new Map<string, DaySize>();
  for (const { row } of rows) {
    const before = days.get(row.day) ?? { rows: 0, volume: 0n, cost: 0n };
    days.set(row.day, {
      rows: before.rows + 1,
      volume: before.volume + sizeOf(row.volume_difference),
      cost: before.cost + sizeOf(row.cost_difference ?? 0n),
    });
  }
  return {
    rows: rows.length,
    volume_difference: sum(rows.map(({ row }) => row.volume_difference)),
    gross_volume: sum(rows.map(({ row }) => sizeOf(row.volume_difference))),
    cost_difference: known.length === 0 ? null : sum(known),
    gross_cost: known.length === 0 ? null : sum(known.map(sizeOf)),
    unknown_costs: rows.length - known.length,
    checksum,
    days,
  };
}

/** The cases of a month in its current state. Pure. */
export function findCases(month: ReconciledMonth): ReadonlyMap<ExplanationCode, FoundCase> {
  const all = differingRows(month);
  return new Map(
    EXPLANATION_CODES.flatMap((code) => {
      const rows = all.filter((row) => codeOf(row) === code);
      if (rows.length === 0) return [];
      const text = JSON.stringify(
        rows.slice(0, MAX_KEPT_ROWS).map((row) => ({
          ...reportedRow(month, row),
          evidence: row.explanations.map(({ detail }) => detail).join(' '),
        })),
      );
      const checksum = createHash('sha256').update(text).digest('hex');
      return [[code, { size: sizeOfRows(rows, checksum), rows: text }] as const];
    }),
  );
}

const SOURCES_SQL = `
SELECT
  (SELECT toString(groupBitXor(sipHash64(import_id))) FROM meta_imports FINAL
   WHERE withdrawn_at IS NULL AND waba_id = {waba_id:String}
     AND arrayExists((first, last) -> first < {end_day:Date} AND last >= {first_day:Date}, first_days, last_days)) AS imports,
  (SELECT toString(groupBitXor(sipHash64(card_id))) FROM (${CARDS_IN_FORCE})) AS cards,
  (SELECT toString(sum(sipHash64(day, phone_number_id, market, category, billing, country, meta_type, meta_category, volume)))
   FROM charge_days FINAL
   WHERE waba_id = {waba_id:String} AND day >= {first_day:Date} AND day < {end_day:Date} AND volume > 0) AS events`;

/** The current sources of a month. */
export async function readSources(database: Database, { waba_id, month }: AskedMonth): Promise<Sources> {
  const first_day = `${month}-01`;
  const [[found], configuration] = await Promise.all([
    database.query(z.object({ imports: z.string(), cards: z.string(), events: z.string() }), SOURCES_SQL, {
      waba_id,
      first_day,
      end_day: monthAfter(first_day),
    }),
    readConfiguration(database),
  ]);
  const { time_zone, currency, portfolio_id, phone_numbers } =
    configuration?.accounts.find((account) => account.waba_id === waba_id) ?? {};
  const account = JSON.stringify([time_zone, currency, portfolio_id, phone_numbers]);
  return {
    imports: found?.imports ?? '',
    cards: found?.cards ?? '',
    events: found?.events ?? '',
    account: createHash('sha256').update(account).digest('hex').slice(0, 16),
  };
}

export const sourcesSchema = z.object({
  imports: z.string(),
  cards: z.string(),
  account: z.string(),
  events: z.string(),
});

const keptSizes = z.record(
  z.string(),
  z.object({
    rows: z.number(),
    volume_difference: z.string(),
    gross_volume: z.string(),
    cost_difference: z.string().nullable(),
    gross_cost: z.string().nullable(),
    unknown_costs: z.number(),
    checksum: z.string(),
    days: z.array(z.tuple([z.string(), z.number(), z.string(), z.string()])),
  }),
);

const textOf = (amount: bigint | null): string | null => (amount === null ? null : amountText(amount));
const amountOf = (text: string | null): bigint | null => (text === null ? null : readAmount(text));

/** Sizes of cases in their stored form. */
export function sizesText(cases: ReadonlyMap<ExplanationCode, CaseSize>): string {
  const kept: z.infer<typeof keptSizes> = Object.fromEntries(
    [...cases].map(([code, { days, ...size }]) => [
      code,
      {
        ...size,
        volume_difference: size.volume_difference.toString(),
        gross_volume: size.gross_volume.toString(),
        cost_difference: textOf(size.cost_difference),
        gross_cost: textOf(size.gross_cost),
        days: [...days].map(([day, one]) => [day, one.rows, one.volume.toString(), amountText(one.cost)]),
      },
    ]),
  );
  return JSON.stringify(kept);
}

/** Reads this form. A code that no longer exists is left out. */
export function readSizes(text: string): ReadonlyMap<ExplanationCode, CaseSize> {
  const kept = keptSizes.parse(JSON.parse(text));
  return new Map(
    EXPLANATION_CODES.flatMap((code) => {
      const size = kept[code];
      if (size === undefined) return [];
      return [
        [
          code,
          {
            ...size,
            volume_difference: BigInt(size.volume_difference),
            gross_volume: BigInt(size.gross_volume),
            cost_difference: amountOf(size.cost_difference),
            gross_cost: amountOf(size.gross_cost),
            days: new Map(
              size.days.map(([day, rows, volume, cost]) => [
                day,
                { rows, volume: BigInt(volume), cost: readAmount(cost) },
              ]),
            ),
          },
        ] as const,
      ];
    }),
  );
}

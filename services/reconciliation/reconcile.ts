import { DEFAULT_POLICY_SETTINGS, type Account } from '@ctwa-ledger/schemas/config.ts';
import type {
  CountedField,
  MessageCountRow,
  ReconciliationRow,
  ReconciliationSummary,
} from '@ctwa-ledger/schemas/meta.ts';
import { z } from 'zod';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { compileRulebook } from '../lifecycle/rulebook.ts';
import { amountText, sizeOf } from './amounts.ts';
import type { Explanation, JudgedRow } from './differences.ts';
import { countedMessages, countEvidence } from './counted-messages.ts';
import { readEvidence } from './evidence.ts';
import { exemptDays } from './exemption.ts';
import { explainVolumes } from './explanations.ts';
import { daysOfMonth, readGrain, type DayGrain, type MatchedMonth } from './grain.ts';
import { isDifferent, judge, toleranceOf, type Tolerance } from './judgement.ts';
import { matchMonth } from './match.ts';
import { numberNames, type NumberNames } from './numbers.ts';
import { explainPrice, readPrices } from './prices.ts';
import { monthAfter } from './whole-days.ts';

/** A month of an account that was held against Meta's numbers. */
export interface ReconciledMonth {
  readonly waba_id: string;
  /** `YYYY-MM` */
  readonly month: string;
  readonly currency: string;
  /** By which its rows were judged. */
  readonly tolerance: Tolerance;
  readonly rows: readonly ExplainedRow[];
  /** Days that Meta's numbers do not cover; they have no rows. */
  readonly missing_days: readonly string[];
  /** When Meta's numbers for each of the other days were stored, Unix milliseconds. */
  readonly taken_at: ReadonlyMap<string, number>;
  /** Our messages beside Meta's counts; empty when its counts were not imported. */
  readonly counts: readonly MessageCountRow[];
}

/** The month to hold against Meta's numbers. */
export interface AskedMonth {
  readonly waba_id: string;
  /** `YYYY-MM` */
  readonly month: string;
}

export interface ExplainedRow {
  readonly row: JudgedRow;
  /** The largest first; empty when nothing differs, or nothing explains it. */
  readonly explanations: readonly Explanation[];
}

/**
 * The field of Meta's that a month is held against: charges per message or, under conversation pricing, per
 * conversation.
 */
export function fieldOfMonth(month: string): CountedField {
  const middle = Date.parse(`${month}-15T00:00:00Z`) / 1_000;
  const policy = compileRulebook([], DEFAULT_POLICY_SETTINGS).policyAt('', middle);
  return policy.startsWith('CBP') ? 'conversation_analytics' : 'pricing_analytics';
}

/** Accounts with charges in a month, or numbers of Meta's, by id. */
export async function accountsToReconcile(database: Database, month: string): Promise<string[]> {
  const rows = await database.query(
    z.object({ waba_id: z.string() }),
    `SELECT DISTINCT waba_id FROM
     (
       SELECT toString(waba_id) AS waba_id FROM charge_days FINAL
       WHERE toStartOfMonth(day) = {first_day:Date} AND volume > 0 AND waba_id != ''
       UNION ALL
       SELECT waba_id FROM meta_imports FINAL
       WHERE withdrawn_at IS NULL AND field = {field:String}
         AND arrayExists((first, last) -> first < {first_day:Date} + INTERVAL 1 MONTH AND last >= {first_day:Date}, first_days, last_days)
     )
     ORDER BY waba_id`,
    { first_day: `${month}-01`, field: fieldOfMonth(month) },
  );
  return rows.map(({ waba_id }) => waba_id);
}

/** An account's month, with the facts about the account. */
async function readMonth(
  database: Database,
  { waba_id, month }: AskedMonth,
): Promise<{ readonly of: MatchedMonth; readonly account: Account | undefined; readonly numbers: NumberNames }> {
  const accounts = (await readConfiguration(database))?.accounts ?? [];
  const account = accounts.find((known) => known.waba_id === waba_id);
  const first_day = `${month}-01`;
  const of = {
    waba_id,
    field: fieldOfMonth(month),
    first_day,
    end_day: monthAfter(first_day),
    time_zone: account?.time_zone ?? 'UTC',
  };
  return { of, account, numbers: numberNames(accounts) };
}

function daysWithout(of: MatchedMonth, grain: readonly DayGrain[]): string[] {
  const known = new Set(grain.map(({ day }) => day));
  return [...daysOfMonth(of)].filter((day) => !known.has(day));
}

/** The days of a month that Meta's numbers do not cover. */
export async function missingDays(database: Database, asked: AskedMonth): Promise<string[]> {
  const { of } = await readMonth(database, asked);
  return daysWithout(of, await readGrain(database, of));
}

/**
 * Holds a month of an account against Meta's analytics (contract.md 7). Settle the charges first.
 * @param tried takes the place of the tolerance that holds for the account
 */
export async function reconcileMonth(
  database: Database,
  asked: AskedMonth,
  tried: Partial<Tolerance> = {},
): Promise<ReconciledMonth> {
  const { waba_id, month } = asked;
  const { of, account, numbers } = await readMonth(database, asked);
  const currency = account?.currency ?? '';
  const tolerance = { ...toleranceOf(account), ...tried };
  const grain = await readGrain(database, of);
  const matched = await matchMonth(database, of, grain, numbers);
  const givesCosts = matched.some(({ meta_cost }) => meta_cost !== null);
  const rows = matched.map((row): JudgedRow => ({ ...row, ...judge(row, tolerance, givesCosts) }));
  const differs = rows.some(({ volume_difference }) => volume_difference !== 0n);
  const counts = await countedMessages(database, of, numbers);
  // Counts of messages cannot be compared with conversations.
  const usable = countEvidence(of.field === 'pricing_analytics' ? counts : []);
  const volumes = differs ? explainVolumes(rows, await readEvidence(database, of, grain, numbers, rows, usable)) : null;
  const model = of.field === 'pricing_analytics' ? 'message' : 'conversation';
  const prices = rows.some(({ status }) => status === 'price') ? await readPrices(database, currency, model) : [];
  const isExempt = exemptDays(rows);
  return {
    waba_id,
    month,
    currency,
    tolerance,
    rows: rows.map((row) => ({
      row,
      explanations:
        row.status === 'price'
          ? [explainPrice(row, prices, isExempt), ...(volumes?.get(row) ?? [])]
          : (volumes?.get(row) ?? []),
    })),
    missing_days: daysWithout(of, grain),
    taken_at: new Map(grain.map(({ day, stored_at }) => [day, stored_at])),
    counts,
  };
}

const textOf = (amount: bigint | null): string | null => (amount === null ? null : amountText(amount));

/** A row in the form of the report. */
export function reportedRow(
  { waba_id, month, currency }: ReconciledMonth,
  { row, explanations }: ExplainedRow,
): ReconciliationRow {
  const [most] = explanations;
  const differs = row.volume_difference !== 0n || row.status === 'price';
  return {
    waba_id,
    month,
    day: row.day,
    phone_number: row.phone_number,
    country: row.country,
    category: row.category,
    pricing_type: row.pricing_type,
    tier: row.tier,
    our_volume: row.our_volume.toString(),
    meta_volume: row.meta_volume.toString(),
    volume_difference: row.volume_difference.toString(),
    currency,
    our_cost: textOf(row.our_cost),
    meta_cost: textOf(row.meta_cost),
    cost_difference: textOf(row.cost_difference),
    status: row.status,
    explanation: most?.code ?? (differs ? 'unexplained' : ''),
    explained_volume: (most?.volume ?? 0n).toString(),
  };
}

const descending = (one: bigint, other: bigint): number => (one === other ? 0 : one > other ? -1 : 1);

/** The rows that differ, the largest difference in money first, then in volume. */
export function differingRows({ rows }: ReconciledMonth): ExplainedRow[] {
  const size = ({ row }: ExplainedRow): bigint => sizeOf(row.cost_difference ?? 0n);
  const volume = ({ row }: ExplainedRow): bigint => sizeOf(row.volume_difference);
  return rows
    .filter(({ row }) => isDifferent(row.status))
    .toSorted((a, b) => descending(size(a), size(b)) || descending(volume(a), volume(b)));
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

/** The sum of the known amounts; null when none is known. */
export function sumKnown(amounts: readonly (bigint | null)[]): string | null {
  const known = amounts.flatMap((amount) => (amount === null ? [] : [amount]));
  return known.length === 0 ? null : amountText(sum(known));
}

/** The sums of all rows of a month, and how many of them differ. */
export function summaryOf({ waba_id, month, currency, rows }: ReconciledMonth): ReconciliationSummary {
  const all = rows.map(({ row }) => row);
  const isOf = (name: JudgedRow['status']): number => all.filter(({ status }) => status === name).length;
  const gross = sum(all.map((row) => sizeOf(row.volume_difference)));
  const explained = sum(rows.flatMap(({ explanations }) => explanations.map(({ volume }) => volume)));
  return {
    month,
    waba_id,
    rows: all.length,
    match: isOf('match'),
    within_tolerance: isOf('within_tolerance'),
    different: all.filter(({ status }) => isDifferent(status)).length,
    our_volume: Number(sum(all.map((row) => row.our_volume))),
    meta_volume: Number(sum(all.map((row) => row.meta_volume))),
    our_cost: sumKnown(all.map((row) => row.our_cost)),
    meta_cost: sumKnown(all.map((row) => row.meta_cost)),
    currency,
    gross_volume_difference: Number(gross),
    gross_cost_difference: sumKnown(
      all.map(({ cost_difference }) => (cost_difference === null ? null : sizeOf(cost_difference))),
    ),
    explained_volume: Number(explained),
    unexplained_volume: Number(gross - explained),
  };
}

/** The message about days that Meta's numbers do not cover; null when there are none. */
export function sayMissingDays({ waba_id, month }: AskedMonth, missing_days: readonly string[]): string | null {
  if (missing_days.length === 0) return null;
  const named = missing_days.length > 10 ? [...missing_days.slice(0, 10), 'others'] : missing_days;
  return `Meta's numbers for account ${waba_id} are missing for ${missing_days.length} days of ${month}: ${named.join(', ')}. Import them with "ctwa-ledger meta import", or fetch them with "ctwa-ledger meta fetch".`;
}

/** @throws ActionableError that lists the days that Meta's numbers do not cover */
export function refuseMissingDays(reconciled: ReconciledMonth): void {
  const missing = sayMissingDays(reconciled, reconciled.missing_days);
  if (missing !== null) throw new ActionableError(missing);
}

/** Our messages of a month beside Meta's counts. */
export async function messageCountsOf(database: Database, asked: AskedMonth): Promise<readonly MessageCountRow[]> {
  const { of, numbers } = await readMonth(database, asked);
  return countedMessages(database, of, numbers);
}

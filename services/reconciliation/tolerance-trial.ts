import type { ToleranceTrial } from '@ctwa-ledger/schemas/meta.ts';
import type { Database } from '../clickhouse/database.ts';
import { amountText, sizeOf } from './amounts.ts';
import { isDifferent, judge, type Tolerance } from './judgement.ts';
import { reconcileMonth, type ReconciledMonth } from './reconcile.ts';

/** How the rows of a month would be judged with another tolerance. Pure. */
export function trialOf(
  { waba_id, month, currency, rows }: Pick<ReconciledMonth, 'waba_id' | 'month' | 'currency' | 'rows'>,
  tolerance: Tolerance,
): ToleranceTrial {
  const givesCosts = rows.some(({ row }) => row.has_point && row.meta_cost !== null);
  const judged = rows.map(({ row }) => ({
    row,
    is_now: isDifferent(row.status),
    would_be: isDifferent(judge(row, tolerance, givesCosts).status),
  }));
  const hidden = judged.filter(({ is_now, would_be }) => is_now && !would_be).map(({ row }) => row);
  const costs = hidden.flatMap(({ cost_difference }) => (cost_difference === null ? [] : [sizeOf(cost_difference)]));
  return {
    waba_id,
    month,
    rows: rows.length,
    different: judged.filter(({ is_now }) => is_now).length,
    would_differ: judged.filter(({ would_be }) => would_be).length,
    no_longer: hidden.length,
    newly: judged.filter(({ is_now, would_be }) => !is_now && would_be).length,
    hidden_volume: hidden.reduce((sum, { volume_difference }) => sum + sizeOf(volume_difference), 0n).toString(),
    currency,
    hidden_cost: amountText(costs.reduce((sum, one) => sum + one, 0n)),
    unknown_costs: hidden.length - costs.length,
  };
}

/** The months before and including one, the latest first, `YYYY-MM`. */
export function monthsUntil(month: string, n: number): string[] {
  const [year = 0, of = 1] = month.split('-').map(Number);
  return Array.from({ length: n }, (_, back) => new Date(Date.UTC(year, of - 1 - back)).toISOString().slice(0, 7));
}

/**
 * Tries a tolerance on past months of an account, the latest first. Months that Meta's numbers say nothing of are left
 * out. Nothing is stored. Settle the charges first.
 */
export async function* tryTolerance(
  database: Database,
  waba_id: string,
  months: readonly string[],
  tried: Partial<Tolerance>,
): AsyncGenerator<ToleranceTrial> {
  for (const month of months) {
    const held = await reconcileMonth(database, { waba_id, month });
    if (held.taken_at.size > 0) yield trialOf(held, { ...held.tolerance, ...tried });
  }
}

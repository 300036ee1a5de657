import type { ReconciliationStatus } from '@ctwa-ledger/schemas/meta.ts';
import { readAmount, larger, sizeOf } from './amounts.ts';
import type { MatchedRow } from './match.ts';

/** By how much volumes may differ, the larger of both for each row. Amounts have none: it would hide a constant error. */
export interface Tolerance {
  /** Per cent of Meta's volume, of the twelfth decimal. */
  readonly percent: bigint;
  readonly messages: bigint;
}

export const DEFAULT_TOLERANCE: Tolerance = { percent: readAmount('0.5'), messages: 1n };

const HUNDRED_PER_CENT = readAmount('100');
/** Half a cent: what a printed amount is rounded by. */
const ROUNDING = readAmount('0.005');
/** One of ten thousand. */
const SHARE = 10_000n;

const DIFFERENT: ReadonlySet<ReconciliationStatus> = new Set(['volume', 'price', 'only_ours', 'only_meta']);

/** Whether a row differs beyond tolerance. */
export function isDifferent(status: ReconciliationStatus): boolean {
  return DIFFERENT.has(status);
}

export interface Judgement {
  readonly status: ReconciliationStatus;
  /** ours − Meta's. */
  readonly volume_difference: bigint;
  /** Of the twelfth decimal; null where it is not known. */
  readonly our_cost: bigint | null;
  readonly meta_cost: bigint | null;
  readonly cost_difference: bigint | null;
}

/** Whether the costs differ by no more than the messages cost in which the volumes differ. */
function costsAgree(
  row: MatchedRow,
  { cost_difference, meta_cost, volume_difference }: Omit<Judgement, 'status'>,
): boolean {
  // What we have no message of has no price of ours to compare.
  if (row.our_volume === 0n) return true;
  if (cost_difference === null || row.unrated > 0n) return false;
  const prices = [row.lowest_rate ?? 0n, row.highest_rate ?? 0n].map((rate) => rate * volume_difference);
  const [low = 0n, high = 0n] = prices.toSorted((a, b) => (a < b ? -1 : 1));
  const allowed = larger(ROUNDING, sizeOf(meta_cost ?? 0n) / SHARE);
  return cost_difference >= low - allowed && cost_difference <= high + allowed;
}

function statusOf(row: MatchedRow, tolerance: Tolerance, amounts: Omit<Judgement, 'status'>): ReconciliationStatus {
  const off = sizeOf(amounts.volume_difference);
  if (off > tolerance.messages && off * HUNDRED_PER_CENT > row.meta_volume * tolerance.percent)
    return row.our_volume === 0n ? 'only_meta' : row.meta_volume === 0n ? 'only_ours' : 'volume';
  if (amounts.meta_cost === null || (row.is_costless && amounts.our_cost !== 0n)) return 'no_cost';
  if (!costsAgree(row, amounts)) return 'price';
  return off === 0n ? 'match' : 'within_tolerance';
}

/**
 * What becomes of a row (contract.md 7). Pure.
 * @param givesCosts whether Meta gives any cost in the month: then what it has no point of costs nothing
 */
export function judge(row: MatchedRow, tolerance: Tolerance, givesCosts: boolean): Judgement {
  const our_cost = row.our_volume === 0n ? 0n : row.our_cost;
  const meta_cost = row.has_point ? row.meta_cost : givesCosts ? 0n : null;
  const amounts = {
    volume_difference: row.our_volume - row.meta_volume,
    our_cost,
    meta_cost,
    cost_difference: our_cost === null || meta_cost === null ? null : our_cost - meta_cost,
  };
  return { status: statusOf(row, tolerance, amounts), ...amounts };
}

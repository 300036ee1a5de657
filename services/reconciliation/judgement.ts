import type { Account } from '@ctwa-ledger/schemas/config.ts';
import type { ReconciliationStatus } from '@ctwa-ledger/schemas/meta.ts';
import { readAmount, larger, sizeOf } from './amounts.ts';
import type { MatchedRow } from './match.ts';

/**
 * By how much volumes may differ; for each row the larger limit counts. Amounts have no tolerance, which would hide a
 * constant error.
 */
export interface Tolerance {
  /** Per cent of Meta's volume, in units of the twelfth decimal. */
  readonly percent: bigint;
  readonly messages: bigint;
}

/** Of accounts that set none. */
export const DEFAULT_TOLERANCE: Tolerance = { percent: readAmount('0.5'), messages: 1n };

/** The tolerance that holds for an account. */
export function toleranceOf(account: Account | undefined): Tolerance {
  const { tolerance_percent, tolerance_messages } = account ?? {};
  return {
    percent: tolerance_percent === undefined ? DEFAULT_TOLERANCE.percent : readAmount(tolerance_percent),
    messages: tolerance_messages === undefined ? DEFAULT_TOLERANCE.messages : BigInt(tolerance_messages),
  };
}

const HUNDRED_PER_CENT = readAmount('100');
/** Half a cent: the rounding of a printed amount. */
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
  /** In units of the twelfth decimal; null when it is not known. */
  readonly our_cost: bigint | null;
  readonly meta_cost: bigint | null;
  readonly cost_difference: bigint | null;
}

/** Whether the costs differ by no more than the price of the messages by which the volumes differ. */
function costsAgree(
  row: MatchedRow,
  { cost_difference, meta_cost, volume_difference }: Omit<Judgement, 'status'>,
): boolean {
  // Without messages of ours there is no price to compare.
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
 * The status of a row (contract.md 7). Pure.
 * @param givesCosts whether Meta gives any cost in the month: then a row without a point of Meta's costs nothing
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

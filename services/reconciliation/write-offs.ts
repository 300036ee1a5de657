import type { WriteOffReason } from '@ctwa-ledger/schemas/write-offs.ts';
import { sizeOf } from './amounts.ts';

/** What was written off of the difference of one row. Differences are ours − Meta's. */
export interface WrittenRow {
  /** `rowKeyOf` of the row. */
  readonly key: string;
  readonly volume: bigint;
  /** In units of the twelfth decimal; null when it was not known. */
  readonly cost: bigint | null;
}

/** An event of a write-off. Of two with one revision the first is in force. */
export interface WriteOffEntry {
  readonly entry_id: string;
  readonly revision: number;
  /** Unix milliseconds. */
  readonly at: number;
  readonly by: string;
  readonly action: 'write_off' | 'undo';
  readonly reason: WriteOffReason;
  readonly note: string;
  readonly rows: readonly WrittenRow[];
}

/** A write-off, and how it was undone; null when it is in force. */
export interface WriteOffStanding {
  readonly made: WriteOffEntry;
  readonly undone: WriteOffEntry | null;
}

/** The state of a write-off, from all of its events; null when it was never made. Pure. */
export function writeOffStanding(entries: readonly WriteOffEntry[]): WriteOffStanding | null {
  const first = (revision: number): WriteOffEntry | undefined =>
    entries
      .filter((one) => one.revision === revision)
      .toSorted((a, b) => a.at - b.at || (a.entry_id < b.entry_id ? -1 : 1))
      .at(0);
  const made = first(1);
  if (made?.action !== 'write_off') return null;
  const next = first(2);
  return { made, undone: next?.action === 'undo' ? next : null };
}

/** An amount of a row that was written off for one reason. */
export interface WrittenPart extends Omit<WrittenRow, 'key'> {
  readonly reason: WriteOffReason;
}

/** What is written off of each row, by its key, the earliest first. Write-offs that were undone do not count. */
export function writtenRows(standings: readonly WriteOffStanding[]): ReadonlyMap<string, readonly WrittenPart[]> {
  const found = new Map<string, WrittenPart[]>();
  for (const { made, undone } of standings.toSorted((a, b) => a.made.at - b.made.at))
    if (undone === null)
      for (const { key, volume, cost } of made.rows)
        found.set(key, [...(found.get(key) ?? []), { reason: made.reason, volume, cost }]);
  return found;
}

/** How much of a difference an amount covers: none of the other direction, and never more than there is. */
function covered(left: bigint, written: bigint): bigint {
  if (left === 0n || written === 0n || left > 0n !== written > 0n) return 0n;
  return sizeOf(written) < sizeOf(left) ? written : left;
}

/** The difference of a row: what is written off of it, and what is left. */
export interface CoveredRow {
  readonly parts: readonly WrittenPart[];
  readonly volume: bigint;
  /** Null when the difference of cost is not known: then no cost is written off. */
  readonly cost: bigint | null;
}

/** Covers the difference that a row has now by what was written off of it. Pure. */
export function coverRow(
  difference: { readonly volume: bigint; readonly cost: bigint | null },
  written: readonly WrittenPart[],
): CoveredRow {
  let { volume, cost } = difference;
  const parts: WrittenPart[] = [];
  for (const { reason, ...one } of written) {
    const part = {
      reason,
      volume: covered(volume, one.volume),
      cost: cost === null ? null : covered(cost, one.cost ?? 0n),
    };
    if (part.volume === 0n && (part.cost ?? 0n) === 0n) continue;
    parts.push(part);
    volume -= part.volume;
    cost = cost === null ? null : cost - (part.cost ?? 0n);
  }
  return { parts, volume, cost };
}

import { z } from 'zod';
import type { Database } from '../../clickhouse/database.ts';
import { underLease } from '../../clickhouse/lease.ts';

/** Something that is derived from the marks and recomputed, never incremented, wherever marks made it dirty. */
export interface Derived {
  /** Of the lease under which one process at a time recomputes it. */
  readonly name: string;
  /** The table that says what is dirty, by the stamp of each writing of dirt: exactly what was seen is cleared. */
  readonly dirt: 'dirty_cells' | 'dirty_charges';
  /**
   * Recomputes what is dirty under the stamps.
   * @param version of what is written, decimal digits: a later holder's wins
   * @returns the stamps that are clean now
   */
  recompute(database: Database, stamps: readonly string[], version: string): Promise<readonly string[]>;
}

export type Recomputation = 'done' | 'nothing_to_do' | 'held_by_another';

async function dirtyStamps(database: Database, { dirt }: Derived): Promise<string[]> {
  const rows = await database.query(
    z.object({ stamp: z.string() }),
    `SELECT DISTINCT toString(stamp) AS stamp FROM ${dirt}`,
  );
  return rows.map(({ stamp }) => stamp);
}

/**
 * Recomputes what is dirty, under a lease. What it writes carries the lease's token as version, so that of two holders the
 * later one wins; dirt is cleared only if it was there before the reading began, and only by a holder that still holds.
 */
export async function recompute(database: Database, derived: Derived): Promise<Recomputation> {
  const stamps = await dirtyStamps(database, derived);
  if (stamps.length === 0) return 'nothing_to_do';
  const outcome = await underLease(database, derived.name, async ({ token, holds }): Promise<Recomputation> => {
    const clean = await derived.recompute(database, stamps, token);
    if (!(await holds())) return 'held_by_another';
    await database.command(
      `DELETE FROM ${derived.dirt} WHERE has(arrayMap(s -> toUInt64(s), {stamps:Array(String)}), stamp)`,
      { stamps: clean },
    );
    return 'done';
  });
  return outcome ?? 'held_by_another';
}

/**
 * Recomputes until nothing is dirty that was dirty when it was called, waiting for another holder where there is one.
 * What others soil meanwhile is not waited for: under live traffic there is always some.
 */
export async function settle(database: Database, derived: Derived): Promise<void> {
  const seen = await dirtyStamps(database, derived);
  for (let waited = 0; ; waited++) {
    // Done: it began after `seen` was read, so all of that is clean.
    if ((await recompute(database, derived)) !== 'held_by_another') return;
    await new Promise((resolve) => setTimeout(resolve, Math.min(50 * 2 ** waited, 1_000)));
    const left = new Set(await dirtyStamps(database, derived));
    if (!seen.some((stamp) => left.has(stamp))) return;
  }
}

import { z } from 'zod';
import type { Database } from '../../clickhouse/database.ts';
import { underLease } from '../../clickhouse/lease.ts';

/** Rows that are derived from marks. Where marks make them dirty they are recomputed, never incremented. */
export interface Derived {
  /** Name of the lease under which one process at a time recomputes it. */
  readonly name: string;
  /** The table of what is dirty. Each write has a stamp, so that exactly the rows that were seen are cleared. */
  readonly dirt: 'dirty_cells' | 'dirty_charges';
  /**
   * Recomputes what is dirty under the stamps.
   * @param version of the rows that are written, decimal digits: those of a later holder of the lease replace them
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
 * Recomputes what is dirty, under a lease. Its rows carry the lease's token as version, so that the later of two
 * holders wins. Only dirt that was there before the reading began is cleared, and only while the lease is still held.
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
 * Recomputes until nothing is dirty that was dirty when it was called, and waits for another holder of the lease. It
 * does not wait for what becomes dirty meanwhile: under live traffic something always does.
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

import { z } from 'zod';
import type { Database } from '../../clickhouse/database.ts';
import { underLease } from '../../clickhouse/lease.ts';

/** Dirt that one recomputation cleans. */
interface Dirt {
  readonly stamps: readonly string[];
  /** Unix seconds: what is dirty before it is left for later. */
  readonly from: number;
}

/** Rows that are derived from marks. Where marks make them dirty they are recomputed, never incremented. */
export interface Derived {
  /** Name of the lease under which one process at a time recomputes it. */
  readonly name: string;
  /** The table of what is dirty. Each write has a stamp, so that exactly the rows that were seen are cleared. */
  readonly dirt: 'dirty_cells' | 'dirty_charges';
  /** Its column with the time of what is dirty. */
  readonly time: 'cell_at' | 'hour_at';
  /** How many rows of dirt one recomputation in the background takes on, the latest first. */
  readonly most: number;
  /**
   * Recomputes what is dirty.
   * @param version of the rows that are written, decimal digits: those of a later holder of the lease replace them
   * @returns the stamps that are clean now, from the same time on
   */
  recompute(database: Database, dirt: Dirt, version: string): Promise<readonly string[]>;
}

export type Recomputation = 'done' | 'nothing_to_do' | 'held_by_another';

const OF_STAMPS = 'has(arrayMap(s -> toUInt64(s), {stamps:Array(String)}), stamp)';

async function dirtyStamps(database: Database, { dirt }: Derived): Promise<string[]> {
  const rows = await database.query(
    z.object({ stamp: z.string() }),
    `SELECT DISTINCT toString(stamp) AS stamp FROM ${dirt}`,
  );
  return rows.map(({ stamp }) => stamp);
}

/** From when on as much is dirty as one recomputation takes on; 0 when that is all. */
async function firstTime(
  database: Database,
  { dirt, time, most }: Derived,
  stamps: readonly string[],
): Promise<number> {
  if (most === Infinity) return 0;
  const [row] = await database.query(
    z.object({ first: z.number() }),
    `SELECT toUnixTimestamp(min(at)) AS first FROM
     (
         SELECT ${time} AS at FROM ${dirt} WHERE ${OF_STAMPS}
         GROUP BY phone_number_id, ${time} ORDER BY at DESC LIMIT {most:UInt32}
     )`,
    { stamps, most },
  );
  return row?.first ?? 0;
}

/**
 * Recomputes what is dirty, under a lease. Its rows carry the lease's token as version, so that the later of two
 * holders wins. Only dirt that was there before the reading began is cleared, and only while the lease is still held.
 */
async function recompute(database: Database, derived: Derived, isAll: boolean): Promise<Recomputation> {
  const stamps = await dirtyStamps(database, derived);
  if (stamps.length === 0) return 'nothing_to_do';
  const from = isAll ? 0 : await firstTime(database, derived, stamps);
  const outcome = await underLease(database, derived.name, async ({ token, holds }): Promise<Recomputation> => {
    const clean = await derived.recompute(database, { stamps, from }, token);
    if (!(await holds())) return 'held_by_another';
    await database.command(
      `DELETE FROM ${derived.dirt} WHERE ${OF_STAMPS} AND ${derived.time} >= toDateTime({from:UInt32}, 'UTC')`,
      { stamps: clean, from },
    );
    return 'done';
  });
  return outcome ?? 'held_by_another';
}

/**
 * Recomputes some of what is dirty, the latest first: so much that live traffic is soon on screen, even while the
 * traffic of months waits to be recomputed.
 */
export function recomputeSome(database: Database, derived: Derived): Promise<Recomputation> {
  return recompute(database, derived, false);
}

/**
 * Recomputes until nothing is dirty that was dirty when it was called, and waits for another holder of the lease. It
 * does not wait for what becomes dirty meanwhile: under live traffic something always does.
 */
export async function settle(database: Database, derived: Derived): Promise<void> {
  const seen = await dirtyStamps(database, derived);
  for (let waited = 0; ; waited++) {
    // Done: it began after `seen` was read, so all of that is clean.
    if ((await recompute(database, derived, true)) !== 'held_by_another') return;
    await new Promise((resolve) => setTimeout(resolve, Math.min(50 * 2 ** waited, 1_000)));
    const left = new Set(await dirtyStamps(database, derived));
    if (!seen.some((stamp) => left.has(stamp))) return;
  }
}

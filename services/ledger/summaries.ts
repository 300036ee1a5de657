import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Database } from './database.ts';
import { hasDiedHere, newProcessName } from './processes.ts';

/** The grain of the summaries: every zone's midnight falls on a quarter hour. */
export const CELL_SECONDS = 900;
/** A holder that has not finished by then is taken for dead, in milliseconds. */
const LEASE_MS = 120_000;

const RECOMPUTE = readFileSync(new URL('../../sql/queries/recompute_cells.sql', import.meta.url), 'utf8');

/** Identifies one writing of dirty cells, so that exactly what was seen is cleared. */
export function newStamp(): bigint {
  return (BigInt(Date.now()) << 20n) | BigInt(randomInt(1 << 20));
}

const leaseRow = z.object({ token: z.string(), holder: z.string(), age_ms: z.coerce.number() });

async function currentLease(database: Database): Promise<z.infer<typeof leaseRow> | null> {
  const [lease] = await database.query(
    leaseRow,
    `SELECT toString(token) AS token, holder, dateDiff('millisecond', taken_at, now64(3)) AS age_ms
     FROM leases WHERE name = 'summaries' ORDER BY leases.token DESC, leases.taken_at DESC LIMIT 1`,
  );
  return lease ?? null;
}

async function writeLease(database: Database, token: bigint, holder: string): Promise<void> {
  await database.command("INSERT INTO leases SELECT 'summaries', {token:UInt64}, {holder:String}, now64(3)", {
    token: token.toString(),
    holder,
  });
}

/** How many cells wait to be recomputed. */
export async function dirtyCells(database: Database): Promise<number> {
  const [row] = await database.query(
    z.object({ n: z.coerce.number() }),
    'SELECT uniqExact(phone_number_id, cell_at) AS n FROM dirty_cells',
  );
  return row?.n ?? 0;
}

async function dirtyStamps(database: Database): Promise<string[]> {
  const rows = await database.query(
    z.object({ stamp: z.string() }),
    'SELECT DISTINCT toString(stamp) AS stamp FROM dirty_cells',
  );
  return rows.map(({ stamp }) => stamp);
}

export type Recomputation = 'done' | 'nothing_to_do' | 'held_by_another';

/**
 * Recomputes the summaries of the dirty cells from the current rows, under a lease. What it writes carries the lease's
 * token as version, so that of two holders the later one wins; cells are cleared only if they were dirty before it began
 * to read, and only by a holder that still holds.
 */
export async function recomputeSummaries(database: Database): Promise<Recomputation> {
  const stamps = await dirtyStamps(database);
  if (stamps.length === 0) return 'nothing_to_do';
  const lease = await currentLease(database);
  if (lease !== null && lease.holder !== '' && lease.age_ms < LEASE_MS && !hasDiedHere(lease.holder))
    return 'held_by_another';
  // The low bits tell apart two that take it at the same moment: the higher token holds.
  const token = ((((lease === null ? 0n : BigInt(lease.token)) >> 20n) + 1n) << 20n) | BigInt(randomInt(1 << 20));
  const holder = newProcessName();
  await writeLease(database, token, holder);
  const holds = async (): Promise<boolean> => (await currentLease(database))?.token === token.toString();
  if (!(await holds())) return 'held_by_another';
  const seen = { stamps };
  // Renewed while it works: only a holder that is gone loses it.
  const renewal = setInterval(() => void writeLease(database, token, holder).catch(() => undefined), LEASE_MS / 4);
  try {
    await database.command(RECOMPUTE, { ...seen, version: token.toString() });
  } finally {
    clearInterval(renewal);
  }
  if (!(await holds())) return 'held_by_another';
  await database.command(
    'DELETE FROM dirty_cells WHERE has(arrayMap(s -> toUInt64(s), {stamps:Array(String)}), stamp)',
    seen,
  );
  // Free again at once: the next one need not wait for the lease to run out.
  await writeLease(database, token + 1n, '');
  return 'done';
}

/**
 * Recomputes until no cell is dirty that was dirty when it was called, waiting for another holder where there is one.
 * What others soil meanwhile is not waited for: under live traffic there is always some.
 */
export async function settleSummaries(database: Database): Promise<void> {
  const seen = await dirtyStamps(database);
  for (let waited = 0; ; waited++) {
    // Done: it began after `seen` was read, so all of that is clean.
    if ((await recomputeSummaries(database)) !== 'held_by_another') return;
    await new Promise((resolve) => setTimeout(resolve, Math.min(50 * 2 ** waited, 1_000)));
    const left = new Set(await dirtyStamps(database));
    if (!seen.some((stamp) => left.has(stamp))) return;
  }
}

import { randomInt } from 'node:crypto';
import { z } from 'zod';
import type { Database } from './database.ts';
import { hasDiedHere, newProcessName } from './processes.ts';

/** A holder that has not finished by then is taken for dead, in milliseconds. */
const LEASE_MS = 120_000;

const leaseRow = z.object({ token: z.string(), holder: z.string(), age_ms: z.coerce.number() });

async function currentLease(database: Database, name: string): Promise<z.infer<typeof leaseRow> | null> {
  const [lease] = await database.query(
    leaseRow,
    `SELECT toString(token) AS token, holder, dateDiff('millisecond', taken_at, now64(3)) AS age_ms
     FROM leases WHERE name = {name:String} ORDER BY leases.token DESC, leases.taken_at DESC LIMIT 1`,
    { name },
  );
  return lease ?? null;
}

function isHeld(lease: z.infer<typeof leaseRow> | null): boolean {
  return lease !== null && lease.holder !== '' && lease.age_ms < LEASE_MS && !hasDiedHere(lease.holder);
}

/** Whether a living process holds a lease. */
export async function isLeaseHeld(database: Database, name: string): Promise<boolean> {
  return isHeld(await currentLease(database, name));
}

async function writeLease(database: Database, name: string, token: bigint, holder: string): Promise<void> {
  await database.command('INSERT INTO leases SELECT {name:String}, {token:UInt64}, {holder:String}, now64(3)', {
    name,
    token: token.toString(),
    holder,
  });
}

/** The right to do something that one process does at a time. */
export interface Lease {
  /** The version of what is written under it: of two holders the later one's wins. Decimal digits. */
  readonly token: string;
  /** Whether it still holds: asked before anything that only its holder may do. */
  holds(): Promise<boolean>;
}

/**
 * Works under a lease, renewed meanwhile: only a holder that is gone loses it.
 * @returns what the work gives, or null when another process holds it
 */
export async function underLease<T>(
  database: Database,
  name: string,
  work: (lease: Lease) => Promise<T>,
): Promise<T | null> {
  const lease = await currentLease(database, name);
  if (isHeld(lease)) return null;
  // The low bits tell apart two that take it at the same moment: the higher token holds.
  const token = ((((lease === null ? 0n : BigInt(lease.token)) >> 20n) + 1n) << 20n) | BigInt(randomInt(1 << 20));
  const holder = newProcessName();
  await writeLease(database, name, token, holder);
  const holds = async (): Promise<boolean> => (await currentLease(database, name))?.token === token.toString();
  if (!(await holds())) return null;
  const renewal = setInterval(
    () => void writeLease(database, name, token, holder).catch(() => undefined),
    LEASE_MS / 4,
  );
  try {
    return await work({ token: token.toString(), holds });
  } finally {
    clearInterval(renewal);
    // Free again at once: the next one need not wait for the lease to run out.
    if (await holds().catch(() => false)) await writeLease(database, name, token + 1n, '').catch(() => undefined);
  }
}

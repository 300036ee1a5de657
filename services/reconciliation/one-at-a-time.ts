import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { underLease, type Lease } from '../clickhouse/lease.ts';

const MAX_WAIT_MS = 30_000;
const PAUSE_MS = 100;

/** Another process has entered something first, so what was read is outdated. */
export class OvertakenError extends Error {}

/**
 * Runs work while no other process runs work of the same lease. Two that begin at the same moment may both start; the
 * one that throws `OvertakenError` starts again, with the other's entries.
 * @param what the subject of the work, for the message
 * @throws ActionableError when others do not come to an end within half a minute
 */
export async function oneAtATime<T>(
  database: Database,
  lease: string,
  what: string,
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  const until = performance.now() + MAX_WAIT_MS;
  for (;;) {
    try {
      const made = await underLease(database, lease, async (held) => ({ value: await work(held) }));
      if (made !== null) return made.value;
    } catch (error) {
      if (!(error instanceof OvertakenError)) throw error;
    }
    if (performance.now() >= until)
      throw new ActionableError(
        `Other processes have been working on ${what} for half a minute. Try again when they are done.`,
      );
    await pause(PAUSE_MS);
  }
}

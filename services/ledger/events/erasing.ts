import { z } from 'zod';
import type { Database } from '../../clickhouse/database.ts';
import { ActionableError } from '../../clickhouse/errors.ts';
import { isLeaseHeld } from '../../clickhouse/lease.ts';

/** The lease under which customers are erased. */
export const ERASING = 'erase';

/**
 * Refuses to write while a customer is being erased, or was erased half-way.
 * @throws ActionableError that says what to do
 */
export async function checkNobodyErases(database: Database): Promise<void> {
  if (await isLeaseHeld(database, ERASING))
    throw new ActionableError(
      'A customer is being erased from this ledger, and nobody may write meanwhile. Start this again when that is done.',
    );
  const [left] = await database.query(
    z.object({ n: z.coerce.number() }),
    'SELECT count() + (SELECT count() FROM erasures FINAL WHERE ended_at IS NULL) AS n FROM erasures_under_way',
  );
  if (left !== undefined && left.n > 0)
    throw new ActionableError('The erasure of a customer was interrupted. Finish it first: ctwa-ledger erase --finish');
}

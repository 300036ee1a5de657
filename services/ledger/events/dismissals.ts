import { randomBytes } from 'node:crypto';
import type { Dismissal, LettersToDismiss } from '@ctwa-ledger/schemas/health.ts';
import { dismissalRow } from '@ctwa-ledger/schemas/health.ts';
import { z } from 'zod';
import type { Database } from '../../clickhouse/database.ts';
import { ActionableError } from '../../clickhouse/errors.ts';
import { newStamp } from '../../clickhouse/stamp.ts';
import { utcText } from '../../clickhouse/sql.ts';
import { IS_WAITING } from './dead-letters.ts';

const LETTER = 'source, source_partition, position, content_hash';

const MEANT = `${IS_WAITING} AND ({code:String} = '' OR code = {code:String}) AND ({source:String} = '' OR source = {source:String})
    AND ({content_hash:String} = '' OR toString(dead_letters.content_hash) = {content_hash:String})
    AND ({position:String} = '' OR toString(dead_letters.position) = {position:String})`;

/**
 * Dismisses rejected inputs that wait: they are kept, but no longer listed, counted or replayed.
 * @throws ActionableError without a reason, or when none of the waiting inputs is meant
 */
export async function dismissLetters(
  database: Database,
  { code, source, position, content_hash, reason }: LettersToDismiss,
  by: string,
): Promise<{ readonly dismissal_id: string; readonly letters: number }> {
  if (reason.trim() === '') throw new ActionableError('Give a reason: whoever closes the month wants to know it.');
  const dismissal_id = randomBytes(6).toString('hex');
  const meant = {
    code: code ?? '',
    source: source ?? '',
    position: position ?? '',
    content_hash: content_hash ?? '',
  };
  await database.command(
    `INSERT INTO dismissed_letters (${LETTER}, version, dismissal_id, is_dismissed, reason, changed_by, changed_at)
     SELECT ${LETTER}, {version:UInt64}, {dismissal_id:String}, 1, {reason:String}, {by:String}, now64(3, 'UTC')
     FROM dead_letters FINAL WHERE ${MEANT}`,
    { ...meant, version: newStamp().toString(), dismissal_id, reason: reason.trim(), by },
  );
  const [row] = await database.query(
    z.object({ letters: z.coerce.number() }),
    'SELECT count() AS letters FROM dismissed_letters WHERE dismissal_id = {dismissal_id:String} AND is_dismissed = 1',
    { dismissal_id },
  );
  const letters = row?.letters ?? 0;
  if (letters === 0)
    throw new ActionableError('No rejected input that waits is meant. List them with "ctwa-ledger dead-letter list".');
  return { dismissal_id, letters };
}

/** Dismissals that hold, the latest first. */
export function listDismissals(database: Database): Promise<Dismissal[]> {
  return database.query(
    dismissalRow,
    `SELECT dismissal_id, any(reason) AS reason, any(changed_by) AS dismissed_by, ${utcText('max(dismissed_letters.changed_at)')} AS dismissed_at,
        count() AS letters, any(source) AS source
     FROM dismissed_letters FINAL WHERE is_dismissed = 1
     GROUP BY dismissal_id ORDER BY max(dismissed_letters.changed_at) DESC, dismissal_id`,
  );
}

/**
 * Takes a dismissal back: its inputs wait again.
 * @throws ActionableError when no such dismissal holds
 */
export async function undoDismissal(database: Database, dismissal_id: string, by: string): Promise<Dismissal> {
  const dismissal = (await listDismissals(database)).find((one) => one.dismissal_id === dismissal_id);
  if (dismissal === undefined)
    throw new ActionableError(
      `There is no dismissal "${dismissal_id}" that holds. List them with "ctwa-ledger dead-letter dismissals".`,
    );
  await database.command(
    `INSERT INTO dismissed_letters (${LETTER}, version, dismissal_id, is_dismissed, reason, changed_by, changed_at)
     SELECT ${LETTER}, {version:UInt64}, dismissal_id, 0, reason, {by:String}, now64(3, 'UTC')
     FROM dismissed_letters FINAL WHERE dismissal_id = {dismissal_id:String} AND is_dismissed = 1`,
    { version: newStamp().toString(), dismissal_id, by },
  );
  return dismissal;
}

import { createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Database } from '../../clickhouse/database.ts';
import { ActionableError } from '../../clickhouse/errors.ts';

/** The secret that the names of erased customers are hashed with; where it is set, the ledger itself does not hold it. */
const VARIABLE = 'CTWA_ERASURE_SECRET';
const MIN_CHARACTERS = 32;

/** Hexadecimal. `purpose` keeps what is made of one text for different uses apart. */
export function keyedHash(secret: string, purpose: 'check' | 'name' | 'token' | 'in an id', text: string): string {
  return createHmac('sha256', secret).update(`${purpose}\0${text}`).digest('hex');
}

const keyRow = z.object({ secret: z.string(), check: z.string() });

/**
 * The secret of the ledger; null before the first erasure.
 * @throws ActionableError when it is to be in the environment and is not
 */
export async function readErasureKey(database: Database): Promise<string | null> {
  const [key] = await database.query(keyRow, 'SELECT secret, check FROM erasure_key FINAL');
  if (key === undefined) return null;
  if (key.secret !== '') return key.secret;
  const secret = process.env[VARIABLE] ?? '';
  if (keyedHash(secret, 'check', '') !== key.check)
    throw new ActionableError(
      `Customers were erased from this ledger under the secret in ${VARIABLE}, and this process was given ${secret === '' ? 'none' : 'another one'}. Set it as it was: without it erased customers would come back with their next event.`,
    );
  return secret;
}

/** The same, made with the first erasure. */
export async function makeErasureKey(database: Database): Promise<string> {
  const known = await readErasureKey(database);
  if (known !== null) return known;
  const given = process.env[VARIABLE] ?? '';
  if (given !== '' && given.length < MIN_CHARACTERS)
    throw new ActionableError(`${VARIABLE} has fewer than ${MIN_CHARACTERS} characters; give a longer, random one.`);
  const secret = given === '' ? randomBytes(32).toString('hex') : given;
  const line = [given === '' ? secret : '', keyedHash(secret, 'check', '')];
  await database.insertLines('erasure_key', ['secret', 'check'], `${JSON.stringify(line)}\n`);
  return secret;
}

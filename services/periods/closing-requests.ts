import { randomBytes } from 'node:crypto';
import type { ClosingRequest } from '@ctwa-ledger/schemas/periods.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { utcText } from '../clickhouse/sql.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import { accountName, type AccountMonth } from './month.ts';

/** A stored request. */
export interface KeptRequest extends ClosingRequest {
  readonly request_id: string;
}

/** Whether a second person has to close the months of an account. */
export async function needsSecondPerson(database: Database, waba_id: string): Promise<boolean> {
  const accounts = (await readConfiguration(database))?.accounts ?? [];
  return accounts.find((account) => account.waba_id === waba_id)?.second_person === true;
}

/** The first request to close a month; null when there is none, or the month was closed since. */
export async function standingRequest(
  database: Database,
  { waba_id, first_day }: Pick<AccountMonth, 'waba_id' | 'first_day'>,
): Promise<KeptRequest | null> {
  const [first] = await database.query(
    z.object({ request_id: z.string(), at: z.string(), by: z.string(), note: z.string() }),
    `SELECT request_id, ${utcText('closing_requests.requested_at')} AS at, requested_by AS by, note FROM closing_requests FINAL
     WHERE waba_id = {waba_id:String} AND month = {first_day:Date} AND request_id NOT IN (SELECT request_id FROM closed_periods)
       -- What was asked for before the month was last closed is answered, whoever asked.
       AND closing_requests.requested_at >
         (SELECT max(closed_at) FROM closed_periods FINAL WHERE waba_id = {waba_id:String} AND month = {first_day:Date})
     ORDER BY closing_requests.requested_at, request_id LIMIT 1`,
    { waba_id, first_day },
  );
  return first ?? null;
}

/** Whether two names mean one person, however they are written. */
function isSame(one: string, other: string): boolean {
  const plain = (name: string): string => name.normalize('NFKC').trim().replaceAll(/\s+/g, ' ').toLowerCase();
  return plain(one) === plain(other);
}

/** The result of a person closing a month that needs a second person. */
export type Requested =
  | { readonly is_asked: true; readonly request: ClosingRequest }
  /** Another person has requested it, so it can be closed. */
  | { readonly is_asked: false; readonly request: KeptRequest };

/**
 * Stores a person's request to close a month, or finds that of another person.
 * @throws ActionableError when the same person has requested it before
 */
export async function askOrFind(
  database: Database,
  month: AccountMonth,
  { by, note = '' }: { readonly by: string; readonly note?: string },
): Promise<Requested> {
  const before = await standingRequest(database, month);
  if (before !== null && !isSame(before.by, by)) return { is_asked: false, request: before };
  if (before !== null)
    throw new ActionableError(
      `${before.by} asked for ${month.month} of ${accountName(month.waba_id)} to be closed on ${before.at.slice(0, 10)}: a second person closes it.`,
    );
  await database.command(
    `INSERT INTO closing_requests (waba_id, month, request_id, requested_by, note)
     SELECT {waba_id:String}, {first_day:Date}, {request_id:String}, {by:String}, {note:String}`,
    {
      waba_id: month.waba_id,
      first_day: month.first_day,
      request_id: randomBytes(8).toString('hex'),
      by,
      note,
    },
  );
  const request = await standingRequest(database, month);
  if (request === null) throw new ActionableError(`${month.month} was closed meanwhile: there is nothing to ask for.`);
  return { is_asked: true, request };
}

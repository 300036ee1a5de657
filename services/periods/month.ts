import { DateTime } from 'luxon';
import { z } from 'zod';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { rangeOf } from '../reports/sql.ts';

/** A month of an account: the calendar month of days in its own zone. */
export interface AccountMonth {
  /** Empty = messages that belong to no account. */
  readonly waba_id: string;
  /** `YYYY-MM` */
  readonly month: string;
  /** IANA zone; UTC when none is configured. */
  readonly time_zone: string;
  /** First day of the month and of the next one, `YYYY-MM-DD`. */
  readonly first_day: string;
  readonly end_day: string;
  /** The same as Unix seconds, midnight in the zone. */
  readonly from: number;
  readonly to: number;
  /** The business numbers listed with the account. */
  readonly listed_numbers: readonly string[];
}

/** The name of an account in a message to a person. */
export function accountName(waba_id: string): string {
  return waba_id === '' ? 'the messages of no account' : `account ${waba_id}`;
}

async function hasMessages(database: Database, waba_id: string): Promise<boolean> {
  const rows = await database.query(
    z.object({ one: z.number() }),
    'SELECT 1 AS one FROM message_marks WHERE waba_id = {waba_id:String} LIMIT 1',
    { waba_id },
  );
  return rows.length > 0;
}

/**
 * The month of an account, in its current zone.
 * @param month `YYYY-MM`
 * @throws ActionableError when there is no such account, neither in the configuration nor in messages
 */
export async function accountMonth(database: Database, waba_id: string, month: string): Promise<AccountMonth> {
  const account = (await readConfiguration(database))?.accounts.find((known) => known.waba_id === waba_id);
  if (account === undefined && !(await hasMessages(database, waba_id)))
    throw new ActionableError(
      waba_id === ''
        ? 'There are no messages that belong to no account: there is nothing to close.'
        : `There is no account ${waba_id}: it is not configured, and no message names it. List the ids with "ctwa-ledger accounts list".`,
    );
  const time_zone = account?.time_zone ?? 'UTC';
  const first_day = `${month}-01`;
  const end_day = DateTime.fromISO(first_day, { zone: 'UTC' }).plus({ months: 1 }).toFormat('yyyy-MM-dd');
  const range = rangeOf({ from: first_day, to: end_day, tz: time_zone, as_of: 0 });
  return {
    waba_id,
    month,
    time_zone,
    first_day,
    end_day,
    ...range,
    listed_numbers: account?.phone_number_ids ?? [],
  };
}

/** The accounts with charges in a month, by id; empty = messages of no account. Settle the charges first. */
export async function accountsWithCharges(database: Database, month: string): Promise<string[]> {
  const rows = await database.query(
    z.object({ waba_id: z.string() }),
    `SELECT DISTINCT toString(waba_id) AS waba_id FROM charge_days FINAL
     WHERE toStartOfMonth(day) = {first_day:Date} AND volume > 0 ORDER BY waba_id`,
    { first_day: `${month}-01` },
  );
  return rows.map((row) => row.waba_id);
}

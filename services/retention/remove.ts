import { randomBytes } from 'node:crypto';
import { DateTime } from 'luxon';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { underLease } from '../clickhouse/lease.ts';
import { removeOldParts } from '../clickhouse/old-parts.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import { enterLargeLanding } from '../ledger/events/landing-log.ts';
import { checkNobodyErases } from '../ledger/events/erasing.ts';
import { KEEPS_NAMES, REMOVING } from '../ledger/events/removed-events.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { CLOSINGS_IN_FORCE } from '../reports/closings.ts';
import { forgetPlan, GOES, planThreads, planTraces, type ClosedAccount } from './plan.ts';
import {
  recordBegun,
  recordDecided,
  recordDone,
  removalsUnderWay,
  type BegunRemoval,
  type RemovedCounts,
} from './register.ts';

/** What finishes a removal that was interrupted. */
const FINISH = 'ctwa-ledger retention run --finish';

const HOUR_SECONDS = 3600;
/** Longer than any window but the free entry window lasts: the 24 hours to answer, and those of a conversation. */
const OTHER_WINDOWS_SECONDS = 48 * HOUR_SECONDS;

/** Whose events to remove, and which. */
export interface AskedRemoval {
  readonly waba_id: string;
  /** The first month whose events stay, `YYYY-MM`. */
  readonly before: string;
  readonly by: string;
}

/** What was removed, or would be. */
export interface RemovalResult extends RemovedCounts {
  readonly waba_id: string;
  /** Events from then on stay; Unix seconds. */
  readonly cut_off: number;
  /** Null where nothing was to be removed, or it was only asked. */
  readonly removal_id: string | null;
}

/** The first month whose events stay when events are kept for so many months: `YYYY-MM`, in the zone of the account. */
export function firstKeptMonth(months: number, time_zone: string, now: number): string {
  return DateTime.fromMillis(now, { zone: time_zone }).startOf('month').minus({ months }).toFormat('yyyy-MM');
}

/** A removal before it is recorded. */
interface Prepared {
  readonly account: ClosedAccount;
  readonly cut_off: number;
  readonly aside_until: number;
}

/** @throws ActionableError when there is no such account, a month in it is open, or the month is too young */
async function prepare(database: Database, { waba_id, before }: AskedRemoval, now: number): Promise<Prepared> {
  const configuration = await readConfiguration(database);
  const account = configuration?.accounts.find((known) => known.waba_id === waba_id);
  if (configuration === null || account === undefined)
    throw new ActionableError(
      `Account ${waba_id} is not set, so its months have no time zone of their own. Set it first: ctwa-ledger accounts set ${waba_id}`,
    );
  const zone = account.time_zone ?? 'UTC';
  const listed = account.phone_number_ids ?? [];
  const cut_off = DateTime.fromISO(`${before}-01`, { zone }).toSeconds();
  const aside_until = cut_off + configuration.settings.policy.max_window_hours * HOUR_SECONDS + OTHER_WINDOWS_SECONDS;
  if (aside_until * 1_000 > now)
    throw new ActionableError(
      `Windows that began before ${before} may still be open. Keep at least the last full month of ${waba_id}.`,
    );
  const closings = await database.query(
    z.object({ month: z.string(), from: z.number(), to: z.number() }),
    `SELECT substring(toString(closing.month), 1, 7) AS month, toUnixTimestamp(starts_at) AS from, toUnixTimestamp(ends_at) AS to
     FROM (${CLOSINGS_IN_FORCE}) AS closing WHERE waba_id = {waba_id:String} ORDER BY from`,
    { waba_id },
  );
  const months = await database.query(
    z.object({ month: z.string() }),
    `SELECT DISTINCT formatDateTime(timestamp, '%Y-%m', {zone:String}) AS month FROM events
     WHERE (waba_id = {waba_id:String} OR phone_number_id IN {listed:Array(String)}) AND timestamp < toDateTime({cut_off:UInt32}, 'UTC')
     ORDER BY month`,
    { waba_id, listed: [...listed], zone, cut_off },
  );
  const closed = new Set(closings.map(({ month }) => month));
  const open = months.map(({ month }) => month).filter((month) => !closed.has(month));
  if (open.length > 0)
    throw new ActionableError(
      `${open.join(', ')} of account ${waba_id} ${open.length === 1 ? 'is' : 'are'} not closed, and events of an open month may still change the bill. Close first: ctwa-ledger close ${open[0] ?? ''} --waba ${waba_id}`,
    );
  return { account: { waba_id, listed, months: closings }, cut_off, aside_until };
}

/**
 * Removes the raw events of old conversations of an account: of threads all of whose events, and all of whose linked threads'
 * events, are older than a month and in closed months. Their marks and amounts stay for good.
 * @param now the clock, Unix milliseconds
 * @throws ActionableError when another process writes, or a month of the account before that is open
 */
export async function removeEvents(ledger: Ledger, asked: AskedRemoval, now: number): Promise<RemovalResult> {
  const { database } = ledger;
  return alone(ledger, async () => {
    await finishUnderWay(database);
    const { waba_id, by } = asked;
    const { account, cut_off, aside_until } = await prepare(database, asked, now);
    const removal = await recordBegun(database, { removed_by: by, waba_id, cut_off, aside_until });
    // Marks must carry every event that goes: nothing brings one back to be folded.
    const counts = await planThreads(database, removal, account, (...folded) => ledger.foldAgain(...folded));
    if (counts.threads === 0) {
      await giveUp(database, removal);
      return { ...counts, waba_id, cut_off, removal_id: null };
    }
    await planTraces(database, removal);
    await recordDecided(database, removal, counts);
    await carryOut(database, removal, counts);
    return { ...counts, waba_id, cut_off, removal_id: removal.removal_id };
  });
}

/** What that would remove, if nothing more came. Others may write meanwhile; it is refused where the removal would be. */
export async function planRemoval(database: Database, asked: AskedRemoval, now: number): Promise<RemovalResult> {
  const { waba_id, by } = asked;
  const { account, cut_off, aside_until } = await prepare(database, asked, now);
  // Never recorded, so nobody believes what is noted of it.
  const removal_id = `plan-${randomBytes(6).toString('hex')}`;
  const removal = { removal_id, began_at: '', removed_by: by, waba_id, cut_off, aside_until };
  try {
    return { ...(await planThreads(database, removal, account)), waba_id, cut_off, removal_id: null };
  } finally {
    await forgetPlan(database, removal_id);
  }
}

async function giveUp(database: Database, removal: BegunRemoval): Promise<void> {
  await forgetPlan(database, removal.removal_id);
  await recordDone(database, removal);
}

/** Finishes removals that were interrupted. @returns how many */
export async function finishRemovals(ledger: Ledger): Promise<number> {
  return alone(ledger, () => finishUnderWay(ledger.database));
}

/** Works while no other process writes: one could remember events that are gone, or fold a part of a thread. */
async function alone<T>(ledger: Ledger, work: () => Promise<T>): Promise<T> {
  const { database } = ledger;
  const done = await underLease(database, REMOVING, async () => {
    const writers = await ledger.othersThatWrite();
    if (writers.length > 0)
      throw new ActionableError(
        `The ledger is being written by ${writers.join(', ')}. Stop it, remove the events, and start it again: Kafka and Meta keep what comes meanwhile.`,
      );
    await checkNobodyErases(database);
    return ledger.pauseWriting(work);
  });
  if (done === null)
    throw new ActionableError(
      'Another process is removing events from this ledger, or this one is busy writing. Run this again when that is done.',
    );
  return done.value;
}

async function finishUnderWay(database: Database): Promise<number> {
  const underWay = await removalsUnderWay(database);
  for (const removal of underWay) {
    if (removal.is_decided === 1) await carryOut(database, removal, removal);
    else await giveUp(database, removal);
  }
  return underWay.length;
}

/** Removes what was decided. Doing any of it again does no harm. */
async function carryOut(database: Database, removal: BegunRemoval, counts: RemovedCounts): Promise<void> {
  const { removal_id } = removal;
  await keepNames(database, removal_id);
  await database.command(`ALTER TABLE events DELETE WHERE ${GOES} SETTINGS mutations_sync = 2`, { removal_id });
  await forgetVersions(database, removal_id);
  await enterLargeLanding(database);
  await removeOldParts(database, ['events', 'folded_threads', 'emitted_threads', 'customer_names'], FINISH);
  await recordDone(database, removal, counts);
}

/**
 * Puts an event in the place of those that named a customer in one way. It is of the type of Meta's notices, so it opens no
 * window and makes no row; and it is as old as the last of them, so it decides by what name rows call the customer as that did.
 */
async function keepNames(database: Database, removal_id: string): Promise<void> {
  await database.command(
    `INSERT INTO events (landing_rank, phone_number_id, id, kind, timestamp, waba_id, wa_id, user_id, parent_user_id, direction, type)
     SELECT bitAnd(removed_names.landing_rank, bitNot(toUInt64(1))), phone_number_id, concat('${KEEPS_NAMES}', removal_id, ':', toString(place)),
       'message', last_at, waba_id, wa_id, user_id, parent_user_id, 'inbound', 'system'
     FROM removed_names WHERE removal_id = {removal_id:String}`,
    { removal_id },
  );
}

/**
 * What a thread gets from now on is folded without the events that it had, so its versions begin anew: the ones of before must
 * not be taken for them. Marks keep theirs, because no event of their messages is folded any more.
 */
async function forgetVersions(database: Database, removal_id: string): Promise<void> {
  const ofRemoval = "FROM removed_threads WHERE removal_id = {removal_id:String} AND customer != ''";
  await database.command(
    `ALTER TABLE customer_names DELETE WHERE (phone_number_id, name) IN (SELECT phone_number_id, customer ${ofRemoval})
     SETTINGS mutations_sync = 2`,
    { removal_id },
  );
  // They say what they said, and give way to whatever is folded later.
  await database.command(
    `INSERT INTO customer_names (phone_number_id, name, version, customer)
     SELECT phone_number_id, customer, 1, called ${ofRemoval} AND called != ''`,
    { removal_id },
  );
  for (const table of ['folded_threads', 'emitted_threads'])
    await database.command(
      `ALTER TABLE ${table} DELETE WHERE (phone_number_id, customer, nameless_id) IN
         (SELECT phone_number_id, customer, nameless_id FROM removed_threads WHERE removal_id = {removal_id:String})
       SETTINGS mutations_sync = 2`,
      { removal_id },
    );
}

import { AUTOMATIC_EVENT_TYPE, PREFERENCE_TYPE } from '@ctwa-ledger/schemas/event.ts';
import { z } from 'zod';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { EVENT_SELECTION, EventCells } from '../ledger/events/event-rows.ts';
import { KEEPS_NAMES, keyOfEvent } from '../ledger/events/removed-events.ts';
import { countPlanned, type BegunRemoval, type RemovedCounts } from './register.ts';

/**
 * Events that stay: those that say that a customer changed names (rules.md F9), and those that keep names. Links of names
 * never expire.
 */
const STAYS = `(identity_change != '' OR startsWith(id, '${KEEPS_NAMES}'))`;

/**
 * Events for which their whole thread stays: what the customer says of marketing messages, Meta's refusals because of it, and
 * what the customer bought.
 */
const HOLDS = `(type IN ('${PREFERENCE_TYPE}', '${AUTOMATIC_EVENT_TYPE}') OR multiSearchAny(errors, ['131050', '131026']))`;

/** Whether an event is a message of the customer that goes. */
const OF_CUSTOMER = `(kind = 'message' AND direction = 'inbound' AND NOT ${STAYS})`;

const KEYS_PER_INSERT = 50_000;

/** An account, and the months of it that are closed. */
export interface ClosedAccount {
  readonly waba_id: string;
  /** Business numbers that are listed with it. */
  readonly listed: readonly string[];
  /** Begin and end of each closed month, Unix seconds. */
  readonly months: readonly { readonly from: number; readonly to: number }[];
}

function parametersOf(removal: BegunRemoval, { listed, months }: ClosedAccount): Parameters {
  return {
    removal_id: removal.removal_id,
    waba_id: removal.waba_id,
    cut_off: removal.cut_off,
    listed: [...listed],
    starts: months.map(({ from }) => from),
    ends: months.map(({ to }) => to),
  };
}

/** The business numbers of an account, as far as events and its list name them. */
const NUMBERS = `SELECT DISTINCT phone_number_id FROM events WHERE waba_id = {waba_id:String} OR phone_number_id IN {listed:Array(String)}`;

const IS_CLOSED = `arrayExists((begin, end) -> toUnixTimestamp(timestamp) >= begin AND toUnixTimestamp(timestamp) < end,
    {starts:Array(UInt32)}, {ends:Array(UInt32)})`;

/** Threads that are old enough by themselves, whatever they are linked to; those without anything to remove included. */
const PLAN_THREADS = `
INSERT INTO removed_threads (removal_id, waba_id, phone_number_id, customer, nameless_id, called, events, first_at, last_at, written, inbound)
SELECT {removal_id:String}, {waba_id:String}, threads.phone_number_id, threads.customer, nameless_id, names.called, goes, earliest, latest, written, inbound
FROM
(
SELECT phone_number_id, customer, nameless_id, sum(goes_of) AS goes, min(first_of) AS earliest, max(last_of) AS latest,
  groupArrayIf((written_at, type_of), is_written) AS written, arraySort(arrayDistinct(arrayFlatten(groupArray(times)))) AS inbound
FROM
(
  SELECT phone_number_id, customer, if(customer = '', id, '') AS nameless_id, id, countIf(NOT ${STAYS}) AS goes_of,
    min(timestamp) AS first_of, max(timestamp) AS last_of,
    groupUniqArrayIf(timestamp, ${OF_CUSTOMER}) AS times,
    countIf(${OF_CUSTOMER}) > 0 AS is_written, minIf(timestamp, ${OF_CUSTOMER}) AS written_at,
    argMinIf(toString(type), timestamp, ${OF_CUSTOMER}) AS type_of,
    countIf(waba_id NOT IN ('', {waba_id:String})) AS of_others, countIf(waba_id = {waba_id:String}) AS of_it,
    countIf(NOT ${IS_CLOSED}) AS not_closed, countIf(${HOLDS}) AS holds
  FROM events FINAL
  WHERE phone_number_id IN (${NUMBERS})
  GROUP BY phone_number_id, customer, nameless_id, id
)
GROUP BY phone_number_id, customer, nameless_id
HAVING latest < toDateTime({cut_off:UInt32}, 'UTC') AND sum(of_others) = 0 AND sum(not_closed) = 0 AND sum(holds) = 0
  AND (sum(of_it) > 0 OR phone_number_id IN {listed:Array(String)})
) AS threads
LEFT JOIN (SELECT phone_number_id, name, customer AS called FROM customer_names FINAL) AS names
  ON threads.phone_number_id = names.phone_number_id AND threads.customer = names.name
SETTINGS do_not_merge_across_partitions_select_final = 1`;

const PLANNED = `SELECT phone_number_id, customer, nameless_id FROM removed_threads WHERE removal_id = {removal_id:String}`;

/**
 * The planned threads that share a message or a name with one that stays: what is folded together goes together. Threads
 * that have no events any more stay nowhere.
 */
const OF_PLANNED_NUMBERS = `phone_number_id IN (SELECT phone_number_id FROM (${PLANNED}))`;
const PRESENT = `SELECT phone_number_id, customer, if(customer = '', id, '') FROM events WHERE ${OF_PLANNED_NUMBERS}`;
const LINKS = `(SELECT DISTINCT (phone_number_id, customer, '') AS one, (phone_number_id, other_customer, nameless_id) AS other
  FROM thread_links WHERE customer != '' AND ${OF_PLANNED_NUMBERS})`;
const STILL_LINKED = `
SELECT one.1, one.2, one.3 FROM ${LINKS} WHERE one IN (${PLANNED}) AND other IN (${PRESENT}) AND other NOT IN (${PLANNED})
UNION ALL
SELECT other.1, other.2, other.3 FROM ${LINKS} WHERE other IN (${PLANNED}) AND one IN (${PRESENT}) AND one NOT IN (${PLANNED})`;

const countRow = z.object({ n: z.coerce.number() });

async function plannedThreads(database: Database, removal_id: string): Promise<number> {
  const [row] = await database.query(
    countRow,
    'SELECT count() AS n FROM removed_threads WHERE removal_id = {removal_id:String}',
    { removal_id },
  );
  return row?.n ?? 0;
}

/** What selects the events of planned threads that go. */
const OF_PLANNED = `((phone_number_id, customer, if(customer = '', id, '')) IN (${PLANNED}))`;
export const GOES = `${OF_PLANNED} AND NOT ${STAYS}`;

async function forgetThreads(database: Database, removal_id: string, where: string): Promise<void> {
  await database.command(
    `ALTER TABLE removed_threads DELETE WHERE removal_id = {removal_id:String} AND ${where} SETTINGS mutations_sync = 2`,
    { removal_id },
  );
}

/**
 * Finds out which threads go whole, and notes them; nothing is removed yet.
 * @param before is called with what selects the events of threads that are old enough, before their links are looked at
 */
export async function planThreads(
  database: Database,
  removal: BegunRemoval,
  account: ClosedAccount,
  before: (where: string, parameters: Parameters) => Promise<void> = () => Promise.resolve(),
): Promise<RemovedCounts> {
  const { removal_id } = removal;
  await database.command(PLAN_THREADS, parametersOf(removal, account));
  await before(OF_PLANNED, { removal_id });
  const table = `retention_linked_${removal_id.replaceAll('-', '_')}`;
  await database.command(
    `CREATE TABLE ${table} (phone_number_id String, customer String, nameless_id String) ENGINE = Memory`,
  );
  try {
    for (let left = await plannedThreads(database, removal_id), last = -1; left !== last && left > 0;) {
      await database.command(`INSERT INTO ${table} ${STILL_LINKED}`, { removal_id });
      await forgetThreads(database, removal_id, `(phone_number_id, customer, nameless_id) IN (SELECT * FROM ${table})`);
      last = left;
      left = await plannedThreads(database, removal_id);
    }
  } finally {
    await database.command(`DROP TABLE ${table} SYNC`);
  }
  await forgetThreads(database, removal_id, 'events = 0');
  return countPlanned(database, removal_id);
}

/** Notes by what the events of the planned threads are recognised, how they name their customers, and when they were. */
export async function planTraces(database: Database, { removal_id, waba_id }: BegunRemoval): Promise<void> {
  await database.command(
    `INSERT INTO removed_keys (what, key, short, removal_id)
     SELECT DISTINCT 'message', sipHash64(phone_number_id, id), CRC32(concat('m', phone_number_id, char(0), id)), {removal_id:String}
     FROM events WHERE ${GOES}`,
    { removal_id },
  );
  let lines: string[] = [];
  const write = async (): Promise<void> => {
    const some = lines;
    lines = [];
    if (some.length > 0)
      await database.insertLines('removed_keys', ['what', 'key', 'short', 'removal_id'], some.join(''));
  };
  // Those that stay, too: they are landed no second time.
  const blocks = database.streamBlocks(`SELECT ${EVENT_SELECTION} FROM events WHERE ${OF_PLANNED}`, { removal_id });
  for await (const block of blocks) {
    const events = new EventCells(block);
    for (let row = 0; row < block.rows; row++)
      lines.push(`${JSON.stringify(['event', keyOfEvent(events.at(row)), 0, removal_id])}\n`);
    if (lines.length >= KEYS_PER_INSERT) await write();
  }
  await write();
  // Only of customers of whom a name is to be kept beside the one that everything else has.
  await database.command(
    `INSERT INTO removed_names (removal_id, place, phone_number_id, waba_id, wa_id, user_id, parent_user_id, last_at, landing_rank)
     SELECT {removal_id:String}, rowNumberInAllBlocks(), phone_number_id, {waba_id:String}, wa_id, user_id, parent_user_id, last_at, landing_rank
     FROM
     (
       SELECT phone_number_id, wa_id, user_id, parent_user_id, max(timestamp) AS last_at, max(events.landing_rank) AS landing_rank
       FROM events
       WHERE ${GOES} AND customer != '' AND group_id = ''
         AND (phone_number_id, customer) IN
         (
           SELECT phone_number_id, customer FROM message_names WHERE name != '' AND name != customer
           UNION ALL SELECT phone_number_id, customer FROM thread_links WHERE customer != ''
         )
       GROUP BY phone_number_id, wa_id, user_id, parent_user_id
     )`,
    { removal_id, waba_id },
  );
  await database.command(
    `INSERT INTO removed_hours (removal_id, phone_number_id, waba_id, hour, events)
     SELECT {removal_id:String}, phone_number_id, {waba_id:String}, toStartOfHour(timestamp), count()
     FROM events WHERE ${GOES} GROUP BY phone_number_id, toStartOfHour(timestamp)`,
    { removal_id, waba_id },
  );
}

/** Takes back what was noted of a removal that is not decided. */
export async function forgetPlan(database: Database, removal_id: string): Promise<void> {
  for (const table of ['removed_threads', 'removed_keys', 'removed_names', 'removed_hours'])
    await database.command(
      `ALTER TABLE ${table} DELETE WHERE removal_id = {removal_id:String} SETTINGS mutations_sync = 2`,
      { removal_id },
    );
}

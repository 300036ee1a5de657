import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { utcText } from '../clickhouse/sql.ts';
import { IS_WAITING } from '../ledger/events/dead-letters.ts';

/** What a removal takes away. */
export interface RemovedCounts {
  readonly threads: number;
  readonly events: number;
  /** Times of the first and the last of its events, Unix seconds; 0 without any. */
  readonly first_at: number;
  readonly last_at: number;
}

/** A removal as it began. */
export interface BegunRemoval {
  readonly removal_id: string;
  readonly began_at: string;
  readonly removed_by: string;
  readonly waba_id: string;
  /** Conversations whose last event is older go; Unix seconds. */
  readonly cut_off: number;
  /** Later events of them that are older than this are put aside; Unix seconds. */
  readonly aside_until: number;
}

const NOTHING: RemovedCounts = { threads: 0, events: 0, first_at: 0, last_at: 0 };

const COLUMNS = [
  ...['removal_id', 'version', 'began_at', 'ended_at', 'removed_by', 'waba_id', 'cut_off', 'aside_until'],
  ...['threads', 'events', 'first_at', 'last_at'],
];

function clickHouseTime(): string {
  return new Date().toISOString().replace('T', ' ').replace('Z', '');
}

async function write(
  database: Database,
  removal: BegunRemoval,
  version: 1 | 2 | 3,
  { threads, events, first_at, last_at }: RemovedCounts,
): Promise<void> {
  const { removal_id, began_at, removed_by, waba_id, cut_off, aside_until } = removal;
  const ended_at = version === 3 ? clickHouseTime() : null;
  const line = [removal_id, version, began_at, ended_at, removed_by, waba_id, cut_off, aside_until];
  await database.insertLines('removals', COLUMNS, `${JSON.stringify([...line, threads, events, first_at, last_at])}\n`);
}

/** Records that a removal begins. */
export async function recordBegun(
  database: Database,
  given: Omit<BegunRemoval, 'removal_id' | 'began_at'>,
): Promise<BegunRemoval> {
  const removal = { ...given, removal_id: randomBytes(6).toString('hex'), began_at: clickHouseTime() };
  await write(database, removal, 1, NOTHING);
  return removal;
}

/** Records that it is decided what goes: from here on the removal is carried out, whatever happens. */
export async function recordDecided(database: Database, removal: BegunRemoval, counts: RemovedCounts): Promise<void> {
  await write(database, removal, 2, counts);
}

export async function recordDone(
  database: Database,
  removal: BegunRemoval,
  counts: RemovedCounts = NOTHING,
): Promise<void> {
  await write(database, removal, 3, counts);
}

const countsRow = {
  threads: z.coerce.number(),
  events: z.coerce.number(),
  first_at: z.number(),
  last_at: z.number(),
};

const underWayRow = z.object({
  removal_id: z.string(),
  began_at: z.string(),
  removed_by: z.string(),
  waba_id: z.string(),
  cut_off: z.number(),
  aside_until: z.number(),
  is_decided: z.number(),
  ...countsRow,
});

/** Removals that were begun and not done. */
export function removalsUnderWay(database: Database): Promise<z.infer<typeof underWayRow>[]> {
  return database.query(
    underWayRow,
    `SELECT removal_id, toString(removals.began_at) AS began_at, removed_by, waba_id, toUnixTimestamp(removals.cut_off) AS cut_off,
       toUnixTimestamp(removals.aside_until) AS aside_until, toUInt8(removals.version = 2) AS is_decided, threads, events,
       toUnixTimestamp(removals.first_at) AS first_at, toUnixTimestamp(removals.last_at) AS last_at
     FROM removals FINAL WHERE ended_at IS NULL ORDER BY removals.began_at`,
  );
}

/** What the planned threads of a removal come to. */
export async function countPlanned(database: Database, removal_id: string): Promise<RemovedCounts> {
  const [row] = await database.query(
    z.object(countsRow),
    `SELECT count() AS threads, sum(removed_threads.events) AS events, toUnixTimestamp(min(removed_threads.first_at)) AS first_at,
       toUnixTimestamp(max(removed_threads.last_at)) AS last_at
     FROM removed_threads FINAL WHERE removal_id = {removal_id:String}`,
    { removal_id },
  );
  return row ?? NOTHING;
}

const removalRow = z.object({
  removal_id: z.string(),
  waba_id: z.string(),
  began_at: z.string(),
  ended_at: z.string().nullable(),
  removed_by: z.string(),
  cut_off: z.string(),
  threads: z.coerce.number(),
  events: z.coerce.number(),
  first_at: z.string(),
  last_at: z.string(),
});

/** A removal that took something away, or is not finished. */
export type Removal = z.infer<typeof removalRow>;

/** Removals, the latest first. */
export function listRemovals(database: Database): Promise<Removal[]> {
  return database.query(
    removalRow,
    `SELECT removal_id, waba_id, ${utcText('removals.began_at')} AS began_at, ${utcText('removals.ended_at')} AS ended_at,
       removed_by, ${utcText('removals.cut_off')} AS cut_off, threads, events,
       if(threads = 0, '', ${utcText('removals.first_at')}) AS first_at, if(threads = 0, '', ${utcText('removals.last_at')}) AS last_at
     FROM removals FINAL WHERE threads > 0 OR ended_at IS NULL
     ORDER BY removals.began_at DESC, removal_id`,
  );
}

/** How many events wait as rejected inputs because they came after the events of their conversation were removed. */
export async function countPutAside(database: Database): Promise<number> {
  const [row] = await database.query(
    z.object({ n: z.coerce.number() }),
    `SELECT count() AS n FROM dead_letters FINAL WHERE code = 'events_removed' AND ${IS_WAITING}`,
  );
  return row?.n ?? 0;
}

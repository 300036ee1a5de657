/**
 * Finds the messages at which prices change: those that reach the places of a month (rules.md M3, M4).
 *
 * A worked month. Utility messages of one portfolio to one market are a group; its second tier begins at place 101.
 *
 * ```
 *   hour           charged   charged so far   free entry
 *   1st, 09:00          60               60           10
 *   1st, 10:00          70              130            5
 * ```
 *
 * - On the side of charged messages, place 101 is reached by the 41st charged message of 10:00: 101 − 60 = 41.
 * - Free entry messages are numbered behind all charged ones, so the first of them has place 131, past 101: the bound of
 *   their side is `FIRST`. Were 95 messages charged, it would be their sixth: 101 − 95 = 6.
 * - Were 80 charged and 15 free entry, nothing would reach 101: the bound has no message.
 * - Twenty late messages of 09:00 move the place to the 21st of 10:00. What lies between the old and the new message
 *   changes its price, so the hours from one to the other become dirty, and are charged again.
 *
 * Counts by hour say in which hour a place is reached, and only the messages of that hour are read.
 */
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { newStamp } from '../clickhouse/stamp.ts';
import { tierKey, type RatingBasis } from './basis.ts';
import { marketKeySql } from './markets.ts';
import { FREE_PLACES } from '@ctwa-ledger/schemas/durations.ts';
import { ratableSql } from './ratable.ts';
import { LAST_SECOND } from '@ctwa-ledger/schemas/time-limits.ts';
import { givenRows } from '../clickhouse/sql.ts';

type Side = 'charged' | 'free_entry';

/** A place of a group on one of its sides (`charged` or free entry). */
interface Place {
  readonly group_key: string;
  readonly side: Side;
  readonly place: string;
}

/** A place to find: the message that is the `nth` of its side. */
interface Target extends Place {
  readonly nth: bigint;
}

/** The message that reaches a place. */
interface Message {
  /** Unix seconds. */
  readonly delivered_at: number;
  readonly phone_number_id: string;
  readonly message_id: string;
  readonly participant: string;
}

/** A place with the message that reaches it; null = no message does. */
interface Bound extends Place {
  readonly message: Message | null;
  /** The hour of the message, Unix seconds, and its number among the messages of its side in that hour. */
  readonly hour_at: number;
  readonly nth: bigint;
}

/** A bound as it is stored, and whether its hour is dirty. */
interface KnownBound extends Bound {
  readonly is_dirty: boolean;
}

/**
 * Sorts before every message. Where the charged messages have gone past a place, the first free entry message reaches
 * it.
 */
const FIRST: Message = { delivered_at: 0, phone_number_id: '', message_id: '', participant: '' };

/** Places searched in one statement. */
const TARGETS_AT_ONCE = 2_000;
/** Up to so many messages are read by their ids; beyond it, all are read. */
export const FEW_MESSAGES = 200_000;
/** The dirty hours of `{stamps:Array(String)}`. */
export const DIRTY_HOURS =
  'SELECT phone_number_id, hour_at FROM dirty_charges WHERE has(arrayMap(s -> toUInt64(s), {stamps:Array(String)}), stamp)';

const groupRow = z.object({
  group_key: z.string(),
  scope: z.enum(['tier', 'allowance', 'conversations']),
  market_key: z.string(),
  category: z.string(),
  charged: z.coerce.bigint(),
  free_entry: z.coerce.bigint(),
});

/** The groups of the messages in the dirty hours, and how many messages each group has. */
const GROUPS = `
SELECT toString(group_key) AS group_key, toString(any(scope)) AS scope, ${marketKeySql('toString(any(market))')} AS market_key,
    toString(any(category)) AS category,
    toString(sumIf(messages, side = 'charged')) AS charged, toString(sumIf(messages, side = 'free_entry')) AS free_entry
FROM counted_hours FINAL
WHERE counted_hours.group_key IN (SELECT group_key FROM counted_hours WHERE (phone_number_id, hour_at) IN (${DIRTY_HOURS}))
GROUP BY counted_hours.group_key`;

const side = z.enum(['charged', 'free_entry']);
const boundRow = z.object({
  group_key: z.string(),
  side,
  place: z.string(),
  is_reached: z.number(),
  delivered_at: z.number(),
  phone_number_id: z.string(),
  message_id: z.string(),
  participant: z.string(),
  hour_at: z.number(),
  nth: z.coerce.bigint(),
  is_dirty: z.number(),
});

const KNOWN_BOUNDS = `
SELECT toString(group_key) AS group_key, toString(side) AS side, toString(place) AS place, is_reached,
    toUnixTimestamp(delivered_at) AS delivered_at, phone_number_id, message_id, participant, toUnixTimestamp(hour_at) AS hour_at, toString(nth) AS nth,
    (place_bounds.group_key, place_bounds.hour_at) IN
        (SELECT group_key, hour_at FROM counted_hours WHERE (phone_number_id, hour_at) IN (${DIRTY_HOURS})) AS is_dirty
FROM place_bounds FINAL
WHERE has(arrayMap(g -> toUInt64(g), {groups:Array(String)}), place_bounds.group_key)`;

async function readKnownBounds(
  database: Database,
  groups: readonly string[],
  stamps: readonly string[],
): Promise<ReadonlyMap<string, KnownBound>> {
  const rows = await database.query(boundRow, KNOWN_BOUNDS, { groups, stamps });
  return new Map(
    rows.map(({ group_key, side, place, is_reached, hour_at, nth, is_dirty, ...message }) => [
      placeText({ group_key, side, place }),
      { group_key, side, place, message: is_reached === 1 ? message : null, hour_at, nth, is_dirty: is_dirty === 1 },
    ]),
  );
}

/** Places as a table of `group_key`, `side`, `place`, `nth` and, once it is known, `hour_at`. */
const TARGETS = givenRows({
  group_key: ['groups', 'String', 'toUInt64'],
  side: ['sides', 'String'],
  place: ['places', 'String'],
  nth: ['nths', 'String', 'toUInt64'],
  hour_at: ['hours', 'UInt32', 'toDateTime'],
});

/** Hours between which a place has moved. */
const MOVED = givenRows({
  group_key: ['groups', 'String', 'toUInt64'],
  side: ['sides', 'String'],
  first_hour: ['first', 'UInt32', 'toDateTime'],
  last_hour: ['last', 'UInt32', 'toDateTime'],
});

const hourRow = z.object({
  group_key: z.string(),
  side,
  place: z.string(),
  nth: z.coerce.bigint(),
  hour_at: z.number(),
});

/** The hour in which each place is reached, and the number of the message in that hour. */
const HOURS = `
WITH targets AS (${TARGETS}),
counted AS
(
    SELECT group_key, toString(counted_hours.side) AS side, hour_at, sum(messages) AS n
    FROM counted_hours FINAL
    WHERE counted_hours.group_key IN (SELECT group_key FROM targets)
    GROUP BY group_key, side, hour_at
    HAVING n > 0
),
hours AS
(
    SELECT group_key, side, hour_at, n, sum(n) OVER (PARTITION BY group_key, side ORDER BY hour_at) AS upto
    FROM counted
)
SELECT toString(targets.group_key) AS group_key, targets.side AS side, targets.place AS place,
    toString(targets.nth - (hours.upto - hours.n)) AS nth, toUnixTimestamp(hours.hour_at) AS hour_at
FROM hours
INNER JOIN targets ON hours.group_key = targets.group_key AND hours.side = targets.side
WHERE hours.upto >= targets.nth AND hours.upto - hours.n < targets.nth`;

/** The quarter hours of these hours, for the numbers that have messages of the groups in them. */
const CELLS = `
    SELECT DISTINCT phone_number_id, hour_at + arrayJoin([0, 900, 1800, 2700]) AS cell_at
    FROM counted_hours WHERE (group_key, hour_at) IN (SELECT group_key, hour_at FROM (${TARGETS}))`;

const messageRow = z.object({
  group_key: z.string(),
  side,
  place: z.string(),
  delivered_at: z.number(),
  phone_number_id: z.string(),
  message_id: z.string(),
  participant: z.string(),
});

function messagesSql(basis: RatingBasis, isFew: boolean): string {
  const where = isFew
    ? `(phone_number_id, message_id) IN
        (SELECT phone_number_id, message_id FROM messages_by_time WHERE (phone_number_id, cell_at) IN (${CELLS}))`
    : 'delivered_at IS NOT NULL';
  return `
WITH targets AS (${TARGETS}),
ranked AS
(
    SELECT group_key, side, toStartOfHour(time) AS hour_at, time AS at, phone_number_id, message_id, participant,
        row_number() OVER (PARTITION BY group_key, side, hour_at ORDER BY at, phone_number_id, message_id, participant) AS nth
    FROM (${ratableSql(basis, where)})
    WHERE (group_key, side, toStartOfHour(time)) IN (SELECT group_key, side, hour_at FROM targets)
)
SELECT toString(targets.group_key) AS group_key, targets.side AS side, targets.place AS place,
    toUnixTimestamp(ranked.at) AS delivered_at, toString(ranked.phone_number_id) AS phone_number_id, ranked.message_id AS message_id,
    ranked.participant AS participant
FROM ranked
INNER JOIN targets ON ranked.group_key = targets.group_key AND ranked.side = targets.side
    AND ranked.hour_at = targets.hour_at AND ranked.nth = targets.nth`;
}

function targetParameters(targets: readonly (Target & { readonly hour_at?: number })[]): {
  groups: string[];
  sides: string[];
  places: string[];
  nths: string[];
  hours: number[];
} {
  return {
    groups: targets.map((target) => target.group_key),
    sides: targets.map((target) => target.side),
    places: targets.map((target) => target.place),
    nths: targets.map((target) => target.nth.toString()),
    hours: targets.map((target) => target.hour_at ?? 0),
  };
}

/** Reads the messages that reach places, for the places that may have moved. */
async function readMessages(
  database: Database,
  basis: RatingBasis,
  targets: readonly Target[],
  known: ReadonlyMap<string, KnownBound>,
): Promise<Bound[]> {
  const hours = (await database.query(hourRow, HOURS, targetParameters(targets))).filter((target) => {
    const before = known.get(placeText(target));
    return before === undefined || before.is_dirty || before.hour_at !== target.hour_at || before.nth !== target.nth;
  });
  if (hours.length === 0) return [];
  const parameters = targetParameters(hours);
  const [candidates] = await database.query(
    z.object({ n: z.coerce.number() }),
    `SELECT count() AS n FROM messages_by_time WHERE (phone_number_id, cell_at) IN (${CELLS})`,
    parameters,
  );
  const rows = await database.query(messageRow, messagesSql(basis, (candidates?.n ?? 0) <= FEW_MESSAGES), {
    ...basis.parameters,
    ...parameters,
  });
  const found = new Map(
    rows.map(({ group_key, side, place, ...message }) => [placeText({ group_key, side, place }), message]),
  );
  return hours.map((target) => {
    const message = found.get(placeText(target));
    // The marks changed meanwhile: that makes their hours dirty again.
    if (message === undefined) return { ...target, message: null, hour_at: 0, nth: 0n };
    return { ...target, message };
  });
}

function placeText({ group_key, side, place }: Place): string {
  return `${group_key} ${side} ${place}`;
}

/** The places at which the price of a group changes. */
function placesOf(group: z.infer<typeof groupRow>, basis: RatingBasis): readonly string[] {
  return group.scope === 'tier'
    ? (basis.tierPlaces.get(tierKey(group.market_key, group.category)) ?? [])
    : [(FREE_PLACES + 1).toString()];
}

/**
 * Finds where places are reached now, for the groups with a message in the dirty hours. Leaves out places that are
 * known and cannot have moved.
 */
async function findBounds(
  database: Database,
  basis: RatingBasis,
  groups: readonly z.infer<typeof groupRow>[],
  known: ReadonlyMap<string, KnownBound>,
): Promise<Bound[]> {
  const bounds: Bound[] = [];
  const targets: Target[] = [];
  for (const group of groups)
    for (const place of placesOf(group, basis))
      for (const side of ['charged', 'free_entry'] as const) {
        const here = { group_key: group.group_key, side, place };
        // Free entry messages take the places after the last charged one (rules.md M4).
        const nth = BigInt(place) - (side === 'charged' ? 0n : group.charged);
        if (nth > group[side]) bounds.push({ ...here, message: null, hour_at: 0, nth: 0n });
        else if (nth <= 0n) bounds.push({ ...here, message: FIRST, hour_at: 0, nth: 0n });
        else targets.push({ ...here, nth });
      }
  for (let from = 0; from < targets.length; from += TARGETS_AT_ONCE)
    bounds.push(...(await readMessages(database, basis, targets.slice(from, from + TARGETS_AT_ONCE), known)));
  return bounds;
}

function isSameMessage(a: Message | null, b: Message | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.delivered_at === b.delivered_at &&
    a.phone_number_id === b.phone_number_id &&
    a.message_id === b.message_id &&
    a.participant === b.participant
  );
}

/** The hours whose messages may fall between other bounds because one bound moved; Unix seconds, both included. */
function movedHours(before: Message | null, after: Message | null): { readonly from: number; readonly to: number } {
  const times = [before?.delivered_at ?? LAST_SECOND, after?.delivered_at ?? LAST_SECOND];
  const hourOf = (time: number): number => time - (time % 3_600);
  return { from: hourOf(Math.min(...times)), to: hourOf(Math.max(...times)) };
}

const BOUND_COLUMNS = [
  'group_key',
  'side',
  'place',
  'is_reached',
  'delivered_at',
  'phone_number_id',
  'message_id',
  'participant',
  'hour_at',
  'nth',
  'version',
] as const;

/**
 * Finds again where places are reached, for the groups with messages in the dirty hours (rules.md M3, M4). Makes the
 * hours dirty in which the price of messages changes by it.
 * @param stamps of the dirty hours; their rows of `counted_hours` are up to date
 * @param version of what is written, decimal digits
 * @returns the stamp of the hours that became dirty; null when no place has moved
 */
export async function placeBounds(
  database: Database,
  basis: RatingBasis,
  stamps: readonly string[],
  version: string,
): Promise<string | null> {
  const groups = (await database.query(groupRow, GROUPS, { stamps })).filter(
    (group) => placesOf(group, basis).length > 0,
  );
  if (groups.length === 0) return null;
  const known = await readKnownBounds(
    database,
    groups.map((group) => group.group_key),
    stamps,
  );
  const found = await findBounds(database, basis, groups, known);
  const isMoved = (bound: Bound): boolean =>
    !isSameMessage(known.get(placeText(bound))?.message ?? null, bound.message);
  const moved = found.filter(isMoved);
  // A message may stay the same and still become another number in its hour.
  const changed = found.filter((bound) => {
    const before = known.get(placeText(bound));
    return isMoved(bound) || before?.hour_at !== bound.hour_at || before.nth !== bound.nth;
  });
  if (changed.length === 0) return null;
  const ranges = moved.map((bound) => movedHours(known.get(placeText(bound))?.message ?? null, bound.message));
  const stamp = newStamp().toString();
  // Written before the bounds: after a crash in between these hours are recomputed once too often, never too seldom.
  await database.command(
    `INSERT INTO dirty_charges (stamp, phone_number_id, hour_at, is_repriced)
     SELECT DISTINCT {stamp:UInt64}, counted_hours.phone_number_id, counted_hours.hour_at, 1
     FROM counted_hours
     INNER JOIN (${MOVED}) AS ranges ON counted_hours.group_key = ranges.group_key AND toString(counted_hours.side) = ranges.side
     WHERE counted_hours.group_key IN (SELECT toUInt64(arrayJoin({groups:Array(String)})))
       AND counted_hours.hour_at BETWEEN ranges.first_hour AND ranges.last_hour`,
    {
      stamp,
      groups: moved.map((bound) => bound.group_key),
      sides: moved.map((bound) => bound.side),
      first: ranges.map((range) => range.from),
      last: ranges.map((range) => range.to),
    },
  );
  await database.insertLines(
    'place_bounds',
    BOUND_COLUMNS,
    changed
      .map(({ group_key, side, place, message, hour_at, nth }) => {
        const { delivered_at, phone_number_id, message_id, participant } = message ?? FIRST;
        const is_reached = message === null ? 0 : 1;
        return `${JSON.stringify([group_key, side, place, is_reached, delivered_at, phone_number_id, message_id, participant, hour_at, nth.toString(), version])}\n`;
      })
      .join(''),
  );
  return moved.length === 0 ? null : stamp;
}

import { DAY_CUTS } from '@ctwa-ledger/schemas/meta.ts';
import { DateTime } from 'luxon';
import { z } from 'zod';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { readRatingBasis, type RatingBasis } from '../rating/basis.ts';
import { inMetaTerms } from '../rating/meta-terms.ts';
import { placedSql } from '../rating/ratable.ts';
import { streamGaps } from '../reports/gaps.ts';
import { firstMoment } from '../reports/sql.ts';
import type { CountEvidence } from './counted-messages.ts';
import { keyInGrain, Pool, pointKey, TypelessPool, type JudgedRow } from './differences.ts';
import { MONTH_IN_FORCE, monthParameters, type DayGrain, type MatchedMonth } from './grain.ts';
import type { NumberNames } from './numbers.ts';
import { dayAfter } from './whole-days.ts';
import { readZone, type FittingZone } from './zone.ts';

/** A message this close to midnight may be counted on the other day. */
const NEAR_MIDNIGHT_SECONDS = 3_600;

/** Messages whose statuses are read in one query. */
const MESSAGES_AT_ONCE = 500_000n;

/** A gap in the events of a number. */
interface Hole {
  /** In the form that rows use. */
  readonly phone_number: string;
  readonly first_day: string;
  readonly last_day: string;
  readonly missing_hours: number;
}

/** The evidence that explains rows which differ. Pools contain our messages, by `pointKey`. */
export interface Evidence {
  /** Delivered within an hour after the day began, or before it ended. */
  readonly nearStart: Pool;
  readonly nearEnd: Pool;
  /** Without a report of Meta's, or with one that differs from the prediction. */
  readonly doubtful: Pool;
  readonly ofGroups: Pool;
  /** Without a template, but with a category of templates in Meta's report (Direct Send). */
  readonly directSends: Pool;
  /** Without a template, and without a category in a report of Meta's: that category is not known here. */
  readonly unreportedTexts: Pool;
  /** Known to be delivered only because they were read. */
  readonly readOnly: Pool;
  /** Known to be delivered only after Meta's numbers were stored. */
  readonly late: Pool;
  /** Of this account's numbers, but under another account or none. */
  readonly ofOthers: Pool;
  /** From the app, which is outside the API's bill. */
  readonly echoes: TypelessPool;
  /** Sent, with no further status. */
  readonly withoutOutcome: TypelessPool;
  readonly holes: readonly Hole[];
  readonly zone: FittingZone | null;
  readonly counts: CountEvidence;
  /** Whether the number of a row belongs to a number of ours with a known displayed number. */
  readonly isKnown: (phone_number: string) => boolean;
  /** Whether an import of the account contains a number, but none in force for the day does. */
  readonly isGone: (day: string, phone_number: string) => boolean;
}

/** Puts back all messages that were taken from the evidence. */
export function resetEvidence(evidence: Evidence): void {
  const { nearStart, nearEnd, doubtful, ofGroups, directSends, unreportedTexts } = evidence;
  const { readOnly, late, ofOthers, echoes, withoutOutcome, counts } = evidence;
  for (const pool of [nearStart, nearEnd, doubtful, ofGroups, directSends, unreportedTexts]) pool.reset();
  for (const pool of [readOnly, late, ofOthers, echoes, withoutOutcome, counts]) pool.reset();
}

const countedRow = z.object({
  of_day: z.string(),
  number: z.string(),
  country: z.string(),
  category: z.string(),
  pricing_type: z.string(),
  counts: z.array(z.string().transform((text) => BigInt(text))),
});

/** The days of a query, in the zone that separates them. */
interface Days {
  readonly zone: string;
  readonly days: readonly string[];
  /** Number and day of the rows that differ; null when rows have no number. */
  readonly pairs: readonly string[] | null;
  /** Unix seconds from the begin of the first day to the end of the last. */
  readonly from: number;
  readonly to: number;
}

function daysOf(days: readonly string[], zone: string, pairs: Days['pairs']): Days {
  const sorted = days.toSorted();
  const [first, last] = [sorted.at(0) ?? '', sorted.at(-1) ?? ''];
  const midnight = (day: string): number => firstMoment(day, zone).toSeconds();
  return { zone, days: sorted, pairs, from: midnight(first), to: midnight(dayAfter(last)) };
}

const NUMBER =
  'transform(toString(phone_number_id), {ids:Array(String)}, {displays:Array(String)}, toString(phone_number_id))';
const KEY = 'of_day, number, country, category, pricing_type';

const inRange = (column: string): string =>
  `${column} >= toDateTime({from:UInt32}, 'UTC') AND ${column} < toDateTime({to:UInt32}, 'UTC')`;
const DELIVERED = `waba_id = {waba_id:String} AND ${inRange('delivered_at')}`;
const WITHOUT_TEMPLATE = "type NOT IN ('', 'template')";
const ON_BILL = "pricing_type NOT IN ('', 'COVERED')";

/** Messages that may be in rows that differ. This condition comes first, because usually it leaves few. */
function ofPairs({ zone, pairs }: Days): string {
  if (pairs === null) return 'true';
  const day = `toDate(ifNull(delivered_at, sent_at), '${zone}')`;
  return `concat(toString(phone_number_id), ' ', toString(${day})) IN {pairs:Array(String)}`;
}

/** A count of our messages: the marks to read, the counted messages, and a condition. */
interface Counting {
  /** A condition on `message_marks`. */
  readonly marks: string;
  readonly join?: string;
  readonly where?: string;
  readonly counts: readonly string[];
  readonly parameters?: Parameters;
}

/** By message, how its delivery is known, and since when, in Unix milliseconds. @param marks selects the messages */
const deliveries = (marks: string): string => `
  SELECT phone_number_id, id, participant, max(status = 'delivered') AS is_delivered,
    min(bitShiftRight(bitNot(landing_rank), 20)) AS known_at
  FROM events
  WHERE kind = 'status' AND status IN ('delivered', 'read', 'played') AND phone_number_id IN {numbers:Array(String)}
    -- A status may name a later moment than the one by which the message counts as delivered.
    AND timestamp >= toDateTime({from:UInt32}, 'UTC') AND timestamp < toDateTime({to:UInt32}, 'UTC') + INTERVAL 7 DAY
    AND (phone_number_id, id) IN (SELECT phone_number_id, message_id FROM message_marks WHERE ${marks})
  GROUP BY phone_number_id, id, participant`;

/** Reads the evidence that may explain rows which differ. */
class EvidenceReader {
  readonly #database: Database;
  readonly #month: MatchedMonth;
  readonly #grainOf: ReadonlyMap<string, DayGrain>;
  readonly #numbers: NumberNames;
  readonly #basis: RatingBasis;

  constructor(
    database: Database,
    month: MatchedMonth,
    grain: readonly DayGrain[],
    numbers: NumberNames,
    basis: RatingBasis,
  ) {
    this.#database = database;
    this.#month = month;
    this.#grainOf = new Map(grain.map((day) => [day.day, day]));
    this.#numbers = numbers;
    this.#basis = basis;
  }

  /** Counts messages, and calls `take` with the key of the row to which they belong. */
  async #count(
    days: Days,
    { marks, join = '', where = 'true', counts, parameters = {} }: Counting,
    take: (key: ReturnType<typeof keyInGrain>, counts: readonly bigint[], of_day: string) => void,
  ): Promise<void> {
    const basis = this.#basis;
    const rows = await this.#database.query(
      countedRow,
      `SELECT ${KEY}, [${counts.map((one) => `toString(${one})`).join(', ')}] AS counts
       FROM
       (
         SELECT toString(toDate(time, '${days.zone}')) AS of_day, ${NUMBER} AS number, country, meta_category AS category,
           meta_type AS pricing_type, time, phone_number_id, message_id, participant, reported, is_mismatch,
           type, reported_category
         FROM (${inMetaTerms(basis, placedSql(basis, `${marks} AND ${ofPairs(days)}`))})
       ) AS messages
       ${join}
       WHERE of_day IN {days:Array(String)} AND ${where}
       GROUP BY ${KEY}`,
      {
        ...basis.parameters,
        waba_id: this.#month.waba_id,
        days: days.days,
        pairs: days.pairs ?? [],
        from: days.from,
        to: days.to,
        ids: [...this.#numbers.displayOf.keys()],
        displays: [...this.#numbers.displayOf.values()],
        ...parameters,
      },
    );
    for (const { of_day, number, counts: found, ...message } of rows) {
      const grain = this.#grainOf.get(of_day);
      if (grain !== undefined) take(keyInGrain(grain, { ...message, phone_number: number }), found, of_day);
    }
  }

  /** Counts delivered messages by their marks alone. */
  async delivered(
    days: Days,
    into: Pick<Evidence, 'nearStart' | 'nearEnd' | 'doubtful' | 'ofGroups' | 'directSends' | 'unreportedTexts'>,
  ): Promise<void> {
    const midnight = (time: string): string => `toStartOfDay(${time}, '${days.zone}')`;
    await this.#count(
      days,
      {
        marks: DELIVERED,
        where: ON_BILL,
        counts: [
          `countIf(time < ${midnight('time')} + ${NEAR_MIDNIGHT_SECONDS})`,
          `countIf(${midnight(`time + ${NEAR_MIDNIGHT_SECONDS}`)} != ${midnight('time')})`,
          "countIf(is_mismatch = 1 OR reported IN ('', 'UNKNOWN'))",
          "countIf(participant != '')",
          `countIf(${WITHOUT_TEMPLATE} AND reported_category NOT IN ('', 'service', 'referral_conversion'))`,
          `countIf(${WITHOUT_TEMPLATE} AND reported_category = '')`,
        ],
      },
      (key, [start = 0n, end = 0n, doubtful = 0n, group = 0n, direct = 0n, unreported = 0n]) => {
        into.nearStart.add(pointKey(key), start);
        into.nearEnd.add(pointKey(key), end);
        into.doubtful.add(pointKey(key), doubtful);
        into.ofGroups.add(pointKey(key), group);
        into.directSends.add(pointKey(key), direct);
        into.unreportedTexts.add(pointKey(key), unreported);
      },
    );
  }

  async echoes(days: Days, pool: TypelessPool): Promise<void> {
    const counting = { marks: `${DELIVERED} AND is_echo = 1`, where: "pricing_type = ''", counts: ['count()'] };
    await this.#count(days, counting, (key, [n = 0n]) => {
      pool.add(key, n);
    });
  }

  async withoutOutcome(days: Days, pool: TypelessPool): Promise<void> {
    const marks = `waba_id = {waba_id:String} AND delivered_at IS NULL AND is_failed = 0 AND ${inRange('sent_at')}`;
    await this.#count(days, { marks, counts: ['count()'] }, (key, [n = 0n]) => {
      pool.add(key, n);
    });
  }

  /** @param numbers our ids of numbers that Meta counts under this account */
  async ofOthers(days: Days, numbers: readonly string[], pool: Pool): Promise<void> {
    if (numbers.length === 0) return;
    const marks = `waba_id != {waba_id:String} AND phone_number_id IN {numbers:Array(String)} AND ${inRange('delivered_at')}`;
    const counting = { marks, where: ON_BILL, counts: ['count()'], parameters: { numbers } };
    await this.#count(days, counting, (key, [n = 0n]) => {
      pool.add(pointKey(key), n);
    });
  }

  /**
   * Counts delivered messages by the statuses that report the delivery.
   * @param numbers our ids
   */
  async byStatuses(days: Days, numbers: readonly string[], into: Pick<Evidence, 'readOnly' | 'late'>): Promise<void> {
    if (numbers.length === 0) return;
    const marks = `${DELIVERED} AND phone_number_id IN {numbers:Array(String)}`;
    const stored = days.days.map((day) => this.#grainOf.get(day)?.stored_at ?? 0);
    await this.#count(
      days,
      {
        marks,
        join: `INNER JOIN (${deliveries(`${marks} AND ${ofPairs(days)}`)}) AS deliveries
          ON messages.phone_number_id = deliveries.phone_number_id AND messages.message_id = deliveries.id
            AND messages.participant = deliveries.participant`,
        where: ON_BILL,
        counts: [
          'countIf(is_delivered = 0)',
          // A number without earlier events is left out: all of its messages would be late.
          `countIf(known_at > transform(of_day, {days:Array(String)}, {stored:Array(UInt64)}, toUInt64(0))
            AND toString(messages.phone_number_id) IN {heard:Array(String)})`,
        ],
        parameters: { numbers, stored, heard: await this.#heardBefore(numbers, Math.min(...stored)) },
      },
      (key, [readOnly = 0n, late = 0n]) => {
        into.readOnly.add(pointKey(key), readOnly);
        into.late.add(pointKey(key), late);
      },
    );
  }

  /** The numbers with events stored before a moment. */
  async #heardBefore(numbers: readonly string[], stored_at: number): Promise<string[]> {
    const rows = await this.#database.query(
      z.object({ number: z.string() }),
      `SELECT DISTINCT toString(phone_number_id) AS number FROM events
       WHERE phone_number_id IN {numbers:Array(String)}
         AND bitShiftRight(bitNot(landing_rank), 20) <= {stored_at:UInt64}`,
      { numbers, stored_at },
    );
    return rows.map(({ number }) => number);
  }

  async holes(days: Days, numbers: readonly string[]): Promise<Hole[]> {
    if (numbers.length === 0) return [];
    const range = { from: days.from, to: days.to, time_zone: days.zone };
    const dayOf = (seconds: number): string =>
      DateTime.fromSeconds(seconds, { zone: days.zone }).toFormat('yyyy-MM-dd');
    return (await streamGaps(this.#database, numbers, range)).map(({ phone_number_id, from, to, missing_hours }) => ({
      phone_number: this.#numbers.displayOf.get(phone_number_id) ?? phone_number_id,
      first_day: dayOf(from),
      last_day: dayOf(to - 1),
      missing_hours,
    }));
  }

  /** By displayed number, whether an import contains it, and the days for which an import in force contains it. */
  async named(): Promise<Evidence['isGone']> {
    const rows = await this.#database.query(
      z.object({ number: z.string(), days: z.array(z.string()) }),
      `SELECT toString(phone_number) AS number, groupUniqArray(day) AS days
       FROM
       (
         SELECT phone_number, toString(day) AS day FROM (${MONTH_IN_FORCE})
         UNION ALL
         SELECT phone_number, '' FROM meta_points FINAL
         WHERE import_id IN
           (SELECT import_id FROM meta_imports FINAL
            WHERE withdrawn_at IS NULL AND waba_id = {waba_id:String} AND field = {field:String})
       )
       WHERE phone_number != ''
       GROUP BY number`,
      monthParameters(this.#month),
    );
    const daysOfNumber = new Map(rows.map(({ number, days }) => [number, new Set(days)]));
    return (day, phone_number) => daysOfNumber.get(phone_number)?.has(day) === false;
  }

  /** Our ids of the account's numbers with messages in these days, and of those that Meta counts under it. */
  async numbers(days: Days, rows: readonly JudgedRow[]): Promise<{ readonly own: string[]; readonly metas: string[] }> {
    const own = await this.#database.query(
      z.object({ number: z.string() }),
      `SELECT DISTINCT toString(phone_number_id) AS number FROM charge_days FINAL
       WHERE waba_id = {waba_id:String} AND volume > 0 AND toString(day) >= {first:String} AND toString(day) <= {last:String}`,
      { waba_id: this.#month.waba_id, first: days.days.at(0) ?? '', last: days.days.at(-1) ?? '' },
    );
    const named = new Set(rows.filter(({ has_point }) => has_point).map(({ phone_number }) => phone_number));
    const byDisplay = [...this.#numbers.displayOf].filter(([, display]) => named.has(display)).map(([id]) => id);
    const ids = own.map(({ number }) => number);
    return { own: ids, metas: [...new Set([...byDisplay, ...ids])] };
  }
}

/** The numbers and days of rows that differ, by our ids; null when rows have no number or no day. */
function pairsOf(rows: readonly JudgedRow[], numbers: NumberNames): readonly string[] | null {
  const idsOf = new Map<string, string[]>();
  for (const [id, display] of numbers.displayOf) idsOf.set(display, [...(idsOf.get(display) ?? []), id]);
  const differing = rows.filter((row) => row.volume_difference !== 0n);
  if (differing.some(({ day, phone_number }) => day === '' || phone_number === '')) return null;
  const pairs = differing.flatMap(({ day, phone_number }) =>
    (idsOf.get(phone_number) ?? [phone_number]).map((id) => `${id} ${day}`),
  );
  return [...new Set(pairs)];
}

/** Groups days so that each group has few enough messages: the statuses of each message are held in memory. */
function inBatches(days: readonly string[], rows: readonly JudgedRow[]): string[][] {
  const placeOf = ({ day, phone_number }: JudgedRow): string => `${day} ${phone_number}`;
  const differing = new Set(rows.filter((row) => row.volume_difference !== 0n).map(placeOf));
  const volumes = new Map<string, bigint>();
  for (const row of rows)
    if (differing.has(placeOf(row))) volumes.set(row.day, (volumes.get(row.day) ?? 0n) + row.our_volume);
  const batches: string[][] = [];
  let held = 0n;
  for (const day of days) {
    const volume = volumes.get(day) ?? volumes.get('') ?? 0n;
    const batch = batches.at(-1);
    if (batch === undefined || held + volume > MESSAGES_AT_ONCE) {
      batches.push([day]);
      held = volume;
    } else {
      batch.push(day);
      held += volume;
    }
  }
  return batches;
}

/**
 * Reads the evidence that may explain the rows of a month, for the days with a difference.
 * @param rows all rows of the month
 * @param counts Meta's counts beside ours
 */
export async function readEvidence(
  database: Database,
  month: MatchedMonth,
  grain: readonly DayGrain[],
  numbers: NumberNames,
  rows: readonly JudgedRow[],
  counts: CountEvidence,
): Promise<Evidence> {
  const reader = new EvidenceReader(database, month, grain, numbers, await readRatingBasis(database));
  const displays = new Set(numbers.displayOf.values());
  const evidence = {
    nearStart: new Pool(),
    nearEnd: new Pool(),
    doubtful: new Pool(),
    ofGroups: new Pool(),
    directSends: new Pool(),
    unreportedTexts: new Pool(),
    readOnly: new Pool(),
    late: new Pool(),
    ofOthers: new Pool(),
    echoes: new TypelessPool(),
    withoutOutcome: new TypelessPool(),
    isKnown: (phone_number: string) => displays.has(phone_number),
    isGone: await reader.named(),
  };
  const differing = new Set(rows.filter((row) => row.volume_difference !== 0n).map(({ day }) => day));
  const pairs = pairsOf(rows, numbers);
  const holes: Hole[] = [];
  for (const cut of DAY_CUTS) {
    // The message of a row for a whole month may be on any day.
    const days = grain.filter(({ day, days, is_monthly }) => days === cut && differing.has(is_monthly ? '' : day));
    if (days.length === 0) continue;
    const names = days.map(({ day }) => day);
    const asked = daysOf(names, cut === 'utc' ? 'UTC' : month.time_zone, pairs);
    const { own, metas } = await reader.numbers(asked, rows);
    await reader.delivered(asked, evidence);
    await reader.echoes(asked, evidence.echoes);
    await reader.withoutOutcome(asked, evidence.withoutOutcome);
    await reader.ofOthers(asked, metas, evidence.ofOthers);
    const over = new Set(rows.filter((row) => row.volume_difference > 0n).map(({ day }) => day));
    const more = days.filter(({ day, is_monthly }) => over.has(is_monthly ? '' : day)).map(({ day }) => day);
    for (const some of inBatches(more, rows)) await reader.byStatuses(daysOf(some, asked.zone, pairs), own, evidence);
    holes.push(...(await reader.holes(asked, metas)));
  }
  return { ...evidence, holes, counts, zone: await readZone(database, month, grain, numbers, rows) };
}

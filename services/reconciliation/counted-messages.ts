import type { CountFinding, MessageCountRow } from '@ctwa-ledger/schemas/meta.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { REMOVED_THREADS } from '../reports/removed.ts';
import { firstMoment } from '../reports/sql.ts';
import { readAmount } from './amounts.ts';
import { Pool } from './differences.ts';
import { monthParameters, type MatchedMonth } from './grain.ts';
import { DEFAULT_TOLERANCE } from './judgement.ts';
import type { NumberNames } from './numbers.ts';

/** Meta's counts in force: the latest of each account, day, set of numbers and direction. */
const IN_FORCE = `
  SELECT waba_id, days, day, phone_numbers, direction, argMax((sent, delivered), (imports.imported_at, import_id)) AS counted
  FROM (SELECT * FROM meta_message_counts FINAL WHERE day >= {first_day:Date} AND day < {end_day:Date}) AS counts
  INNER JOIN
  (
    SELECT import_id, waba_id, toString(days) AS days, imported_at FROM meta_imports FINAL
    WHERE withdrawn_at IS NULL AND waba_id = {waba_id:String} AND (days = 'utc' OR time_zone = {time_zone:String})
  ) AS imports USING import_id
  GROUP BY waba_id, days, day, phone_numbers, direction`;

const metaRow = z.object({
  days: z.enum(['account', 'utc']),
  day: z.string(),
  phone_numbers: z.string(),
  has_outgoing: z.number(),
  has_incoming: z.number(),
  sent: z.coerce.number(),
  delivered: z.coerce.number(),
  incoming: z.coerce.number(),
});
type MetaRow = z.infer<typeof metaRow>;

/** Meta's counts in a month: by the account's days if there are any, by number if there are any. */
async function metaCounts(database: Database, of: MatchedMonth): Promise<MetaRow[]> {
  const rows = await database.query(
    metaRow,
    `SELECT days, toString(day) AS day, phone_numbers, max(direction = 'outgoing') AS has_outgoing,
       max(direction = 'incoming') AS has_incoming, sumIf(counted.1, direction = 'outgoing') AS sent,
       sumIf(counted.2, direction = 'outgoing') AS delivered, sumIf(counted.1, direction = 'incoming') AS incoming
     FROM (${IN_FORCE})
     GROUP BY days, day, phone_numbers ORDER BY day, phone_numbers`,
    monthParameters(of),
  );
  const own = new Set(rows.filter(({ days }) => days === 'account').map(({ day }) => day));
  const byCut = rows.filter(({ days, day }) => days === 'account' || !own.has(day));
  const split = new Set(byCut.filter(({ phone_numbers }) => phone_numbers !== '').map(({ day }) => day));
  return byCut.filter(({ day, phone_numbers }) => phone_numbers !== '' || !split.has(day));
}

/** Our messages on one day in one number. */
interface Ours {
  readonly sent: number;
  readonly delivered: number;
  readonly incoming: number;
}

const ourRow = z.object({
  day: z.string(),
  number: z.string(),
  sent: z.coerce.number(),
  delivered: z.coerce.number(),
  incoming: z.coerce.number(),
});

/** A group message counts once, however many participants received it. */
const NUMBER_OF = "countIf(participant = '') + uniqExactIf(message_id, participant != '')";
/** Meta's system notes and calls are no messages written by a customer. */
const NOT_WRITTEN = "('system', 'call')";

async function ourCounts(
  database: Database,
  { waba_id, first_day, end_day }: MatchedMonth,
  zone: string,
  { displayOf }: NumberNames,
): Promise<Map<string, Ours>> {
  const during = (column: string): string =>
    `${column} >= toDateTime({from:UInt32}, 'UTC') AND ${column} < toDateTime({to:UInt32}, 'UTC')`;
  const marks = (time: string): string =>
    `FROM message_marks FINAL WHERE waba_id = {waba_id:String} AND is_echo = 0 AND ${during(`message_marks.${time}`)}`;
  const day = (time: string): string => `toString(toDate(${time}, '${zone}')) AS day`;
  const rows = await database.query(
    ourRow,
    `SELECT day, transform(toString(phone_number_id), {ids:Array(String)}, {displays:Array(String)}, toString(phone_number_id)) AS number,
       sum(of_sent) AS sent, sum(of_delivered) AS delivered, sum(of_incoming) AS incoming
     FROM
     (
       SELECT ${day('message_marks.sent_at')}, phone_number_id, ${NUMBER_OF} AS of_sent, 0 AS of_delivered, 0 AS of_incoming
       ${marks('sent_at')} AND is_failed = 0 GROUP BY day, phone_number_id
       UNION ALL
       SELECT ${day('assumeNotNull(message_marks.delivered_at)')}, phone_number_id, 0, ${NUMBER_OF}, 0
       ${marks('delivered_at')} GROUP BY day, phone_number_id
       UNION ALL
       SELECT ${day('moment')}, phone_number_id, 0, 0, count()
       FROM
       (
         SELECT phone_number_id, id, min(timestamp) AS moment FROM events
         WHERE kind = 'message' AND direction = 'inbound' AND type NOT IN ${NOT_WRITTEN} AND ${during('timestamp')}
           AND (waba_id = {waba_id:String} OR waba_id = '' AND toString(phone_number_id) IN
             (SELECT DISTINCT toString(phone_number_id) FROM charge_days WHERE waba_id = {waba_id:String}))
         GROUP BY phone_number_id, id
         UNION ALL
         SELECT phone_number_id, '' AS id, one.at AS moment
         FROM (SELECT phone_number_id, arrayJoin(written) AS one FROM ${REMOVED_THREADS} WHERE waba_id = {waba_id:String})
         WHERE one.type NOT IN ${NOT_WRITTEN} AND ${during('moment')}
       )
       GROUP BY day, phone_number_id
     )
     GROUP BY day, number`,
    {
      waba_id,
      from: firstMoment(first_day, zone).toSeconds(),
      to: firstMoment(end_day, zone).toSeconds(),
      ids: [...displayOf.keys()],
      displays: [...displayOf.values()],
    },
  );
  return new Map(rows.map(({ day: of, number, ...counts }) => [`${of} ${number}`, counts]));
}

const NOTHING: Ours = { sent: 0, delivered: 0, incoming: 0 };

function sumOf(ours: ReadonlyMap<string, Ours>, { day, phone_numbers }: MetaRow): Ours {
  const found =
    phone_numbers === ''
      ? [...ours].filter(([key]) => key.startsWith(`${day} `)).map(([, counts]) => counts)
      : phone_numbers.split(' ').map((number) => ours.get(`${day} ${number}`) ?? NOTHING);
  return found.reduce(
    (sum, one) => ({
      sent: sum.sent + one.sent,
      delivered: sum.delivered + one.delivered,
      incoming: sum.incoming + one.incoming,
    }),
    NOTHING,
  );
}

/** −1: we have fewer than Meta beyond the tolerance; 1: more; 0: as many, or Meta does not say. */
function compare(ours: number, metas: number | null): -1 | 0 | 1 {
  if (metas === null) return 0;
  const off = BigInt(Math.abs(ours - metas));
  if (off <= DEFAULT_TOLERANCE.messages || off * readAmount('100') <= BigInt(metas) * DEFAULT_TOLERANCE.percent)
    return 0;
  return ours < metas ? -1 : 1;
}

type Counts = Omit<MessageCountRow, 'waba_id' | 'month' | 'day' | 'phone_numbers' | 'finding'>;

/** The finding from the counts of a number and day. Pure. */
export function findingOf(counts: Counts): CountFinding {
  const sent = compare(counts.our_sent, counts.meta_sent);
  const delivered = compare(counts.our_delivered, counts.meta_delivered);
  const incoming = compare(counts.our_incoming, counts.meta_incoming);
  if (incoming < 0) return 'gap';
  if (sent < 0) return counts.meta_incoming === null ? 'missing' : 'other_responder';
  if (delivered < 0) return 'outcomes';
  return sent > 0 || delivered > 0 || incoming > 0 ? 'surplus' : 'complete';
}

/** Our messages of a month beside Meta's counts, by day and number; empty when Meta's counts were not imported. */
export async function countedMessages(
  database: Database,
  of: MatchedMonth,
  numbers: NumberNames,
): Promise<readonly MessageCountRow[]> {
  const metas = await metaCounts(database, of);
  const ours = new Map<string, Map<string, Ours>>();
  for (const cut of new Set(metas.map(({ days }) => days)))
    ours.set(cut, await ourCounts(database, of, cut === 'utc' ? 'UTC' : of.time_zone, numbers));
  return metas.map((row) => {
    const mine = sumOf(ours.get(row.days) ?? new Map<string, Ours>(), row);
    const counts = {
      our_sent: mine.sent,
      meta_sent: row.has_outgoing === 1 ? row.sent : null,
      our_delivered: mine.delivered,
      meta_delivered: row.has_outgoing === 1 ? row.delivered : null,
      our_incoming: mine.incoming,
      meta_incoming: row.has_incoming === 1 ? row.incoming : null,
    };
    const { day, phone_numbers } = row;
    return {
      ...{ waba_id: of.waba_id, month: of.first_day.slice(0, 7), day, phone_numbers },
      ...counts,
      finding: findingOf(counts),
    };
  });
}

/** Meta's counts for the days and numbers of rows that differ. */
export interface CountEvidence {
  /** The counts of a row's day and number; undefined when Meta does not say. */
  readonly of: (row: { readonly day: string; readonly phone_number: string }) => MessageCountRow | undefined;
  /** How many deliveries Meta counts that we lack. */
  readonly count: (row: { readonly day: string; readonly phone_number: string }) => bigint;
  /** Takes up to `wanted` of them. */
  readonly take: (row: { readonly day: string; readonly phone_number: string }, wanted: bigint) => bigint;
  /** Puts back what was taken. */
  readonly reset: () => void;
}

export function countEvidence(counts: readonly MessageCountRow[]): CountEvidence {
  const key = (day: string, number: string): string => `${day} ${number}`;
  const byKey = new Map(counts.map((row) => [key(row.day, row.phone_numbers), row]));
  const missing = new Pool();
  for (const { day, phone_numbers, our_delivered, meta_delivered } of counts)
    missing.add(key(day, phone_numbers), BigInt((meta_delivered ?? our_delivered) - our_delivered));
  return {
    of: ({ day, phone_number }) => byKey.get(key(day, phone_number)),
    count: ({ day, phone_number }) => missing.count(key(day, phone_number)),
    take: ({ day, phone_number }, wanted) => missing.take(key(day, phone_number), wanted),
    reset: () => {
      missing.reset();
    },
  };
}

import { LAST_SECOND } from '@ctwa-ledger/schemas/time-limits.ts';
import { z } from 'zod';
import {
  deadLetterRow,
  trafficRow,
  lostRecordsRow,
  waitingLettersRow,
  writerRow,
  type AskedLetters,
  type DeadLetterRow,
  type Health,
  type LetterColumn,
  type WaitingLettersRow,
} from '@ctwa-ledger/schemas/health.ts';
import type { PageOf, ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database } from '../clickhouse/database.ts';
import { countDeadLetters, IS_WAITING } from '../ledger/events/dead-letters.ts';
import { listDismissals } from '../ledger/events/dismissals.ts';
import { listErasures } from './erasures.ts';
import { paging, reportPaging, type PageKey } from './paging.ts';
import { columnsOf, streamed, whole, type AskedRows, type Batch } from './report.ts';
import { rangeOf } from './sql.ts';
import { utcText } from '../clickhouse/sql.ts';

/** A running process writes its row every ten seconds. */
const WRITERS = `
  SELECT writers.command AS command, ${utcText('writers.seen_at')} AS seen_at FROM writers FINAL
  WHERE is_gone = 0 AND writers.seen_at > now64(3) - INTERVAL 35 SECOND ORDER BY command, seen_at`;

const WAITING = `
  SELECT code, toUInt32(count()) AS letters, ${utcText('min(dead_letters.first_seen_at)')} AS first_seen_at,
    ${utcText('max(dead_letters.first_seen_at)')} AS last_seen_at
  FROM dead_letters FINAL WHERE ${IS_WAITING} GROUP BY code ORDER BY letters DESC, code`;

/** Losses listed at most: each is a partition that was not read in time. */
const LOST = `
  SELECT topic, partition, toString(from_offset) AS first_offset, toString(to_offset - from_offset) AS records,
    ${utcText('lost_records.noticed_at')} AS noticed_at
  FROM lost_records FINAL ORDER BY lost_records.noticed_at DESC, topic, partition, from_offset DESC LIMIT 1000`;

/** Report `dead-letter-reasons`: rejected inputs that are kept, by reason, the most frequent first. */
function deadLetterReasons(database: Database): Promise<WaitingLettersRow[]> {
  return database.query(waitingLettersRow, WAITING);
}

/** The facts that tell whether a ledger's figures are complete. */
export async function health(database: Database): Promise<Health> {
  const [writers, configuration, waiting, dismissals, erasures, lost, [traffic]] = await Promise.all([
    database.query(writerRow, WRITERS),
    readConfiguration(database),
    deadLetterReasons(database),
    listDismissals(database),
    listErasures(database),
    database.query(lostRecordsRow, LOST),
    database.query(
      trafficRow,
      'SELECT sum(lost_referrals) AS lost_referrals, sum(customers_differ) AS customers_differ FROM summary_cells FINAL',
    ),
  ]);
  return {
    traffic: traffic ?? { lost_referrals: 0, customers_differ: 0 },
    writers,
    epoch: String(configuration?.epoch ?? ''),
    configuration_hash: configuration?.hash ?? '',
    waiting,
    dismissals,
    erasures,
    lost,
  };
}

/** How many rejected inputs wait that were first seen since a time, Unix seconds. */
export function waitingLettersSince(database: Database, from: number): Promise<number> {
  return countDeadLetters(database, { from, to: LAST_SECOND });
}

/** How many rejected inputs are kept that were first seen in the days of the filters. */
export function waitingLetters(database: Database, filters: ReportFilters): Promise<number> {
  return countDeadLetters(database, rangeOf(filters));
}

const letterRow = deadLetterRow.pick({
  source: true,
  partition: true,
  position: true,
  code: true,
  message: true,
  first_seen_at: true,
});
export const DEAD_LETTERS_COLUMNS = columnsOf(letterRow);

const LISTED = `source, source_partition AS partition, toString(dead_letters.position) AS position_text, code, message,
  ${utcText('dead_letters.first_seen_at')} AS seen_text`;

/** A letter's position in its source, which identifies the letter. */
const PLACE: readonly PageKey[] = [
  { sql: 'dead_letters.source', type: 'String' },
  { sql: 'dead_letters.source_partition', type: 'Int64' },
  { sql: 'dead_letters.position', type: 'UInt64' },
  { sql: 'dead_letters.content_hash', type: 'UInt64' },
];

const SEEN: PageKey = { sql: 'toUnixTimestamp64Milli(dead_letters.first_seen_at)', type: 'Int64' };

const KEYS: Readonly<Record<LetterColumn, readonly PageKey[]>> = {
  first_seen_at: [SEEN, ...PLACE],
  source: PLACE,
  code: [{ sql: 'dead_letters.code', type: 'String' }, SEEN, ...PLACE],
  bytes: [{ sql: 'length(raw)', type: 'UInt64' }, ...PLACE],
};

const IS_MEANT = `${IS_WAITING} AND ({code:String} = '' OR code = {code:String})`;

const pagedLetterRow = deadLetterRow.extend({ page_cursor: z.array(z.string()) });

/** A page of the rejected inputs that are kept. */
export async function deadLetters(database: Database, asked: AskedLetters): Promise<PageOf<DeadLetterRow>> {
  const { cursor, where, order, parameters, pageOf } = paging(asked, KEYS[asked.sort.column]);
  const rows = await database.query(
    pagedLetterRow,
    `SELECT source, partition, position_text AS position, code, message, seen_text AS first_seen_at,
       hash_text AS content_hash, bytes, beginning, page_cursor
     FROM
     (
       SELECT ${LISTED}, toString(dead_letters.content_hash) AS hash_text, toUInt32(length(raw)) AS bytes,
         substringUTF8(toValidUTF8(substring(raw, 1, 400)), 1, 200) AS beginning, ${cursor}
       FROM dead_letters FINAL
       WHERE ${IS_MEANT} AND ${where}
       ${order}
     )`,
    { code: asked.code ?? '', ...parameters },
  );
  return pageOf(rows);
}

/** Report `dead-letters`, streamed: `DEAD_LETTERS_COLUMNS` as text, the latest first. */
async function* allDeadLetters(database: Database, { filters, page }: AskedRows): AsyncGenerator<Batch> {
  const { also, where, order, parameters } = reportPaging(page, KEYS.first_seen_at, true);
  yield* database.stream(`SELECT ${LISTED}${also} FROM dead_letters FINAL WHERE ${IS_MEANT} AND ${where} ${order}`, {
    code: filters.code ?? '',
    ...parameters,
  });
}

export const deadLettersReport = streamed({
  name: 'dead-letters',
  one_row_per: 'rejected input that waits, the latest first',
  row: letterRow,
  days: 'none',
  filters: ['code'],
  settles: [],
  reads: ['dead_letters', 'dismissed_letters'],
  rows: allDeadLetters,
});

export const deadLetterReasonsReport = whole({
  name: 'dead-letter-reasons',
  one_row_per: 'reason for which inputs wait, the most first',
  row: waitingLettersRow,
  days: 'none',
  filters: [],
  settles: [],
  reads: ['dead_letters', 'dismissed_letters'],
  key: ['code'],
  rows: deadLetterReasons,
});

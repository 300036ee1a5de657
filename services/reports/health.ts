import { z } from 'zod';
import {
  deadLetterRow,
  waitingLettersRow,
  writerRow,
  type AskedLetters,
  type DeadLetterRow,
  type Health,
} from '@ctwa-ledger/schemas/health.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/reports.ts';
import { readConfiguration } from '../ledger/configuration.ts';
import type { Database } from '../ledger/database.ts';
import { countDeadLetters } from '../ledger/dead-letters.ts';
import { rangeOf } from './sql.ts';

const utc = (time: string): string => `concat(formatDateTime(${time}, '%FT%T'), '+00:00')`;

/** A process that is alive says so every ten seconds. */
const WRITERS = `
  SELECT writers.command AS command, ${utc('writers.seen_at')} AS seen_at FROM writers FINAL
  WHERE is_gone = 0 AND writers.seen_at > now64(3) - INTERVAL 35 SECOND ORDER BY command, seen_at`;

const WAITING = `
  SELECT code, toUInt32(count()) AS letters, ${utc('min(dead_letters.first_seen_at)')} AS first_seen_at,
    ${utc('max(dead_letters.first_seen_at)')} AS last_seen_at
  FROM dead_letters FINAL WHERE is_replayed = 0 GROUP BY code ORDER BY letters DESC, code`;

/** What says whether a ledger's figures are complete. */
export async function health(database: Database): Promise<Health> {
  const behind = z.object({ hours: z.number() });
  const [charges, writers, configuration, waiting] = await Promise.all([
    database.query(behind, 'SELECT toUInt32(uniqExact(phone_number_id, hour_at)) AS hours FROM dirty_charges'),
    database.query(writerRow, WRITERS),
    readConfiguration(database),
    database.query(waitingLettersRow, WAITING),
  ]);
  return {
    charge_hours_behind: charges[0]?.hours ?? 0,
    writers,
    epoch: String(configuration?.epoch ?? ''),
    configuration_hash: configuration?.hash ?? '',
    waiting,
  };
}

/** How many rejected inputs wait that were first seen in the days of the filters. */
export function waitingLetters(database: Database, filters: ReportFilters): Promise<number> {
  return countDeadLetters(database, rangeOf(filters));
}

export const DEAD_LETTERS_COLUMNS = ['source', 'partition', 'position', 'code', 'message', 'first_seen_at'] as const;

const LISTED = `source, source_partition AS partition, toString(dead_letters.position) AS position_text, code, message,
  ${utc('dead_letters.first_seen_at')} AS seen_text`;

const LATEST_FIRST = `dead_letters.first_seen_at DESC, source DESC, source_partition DESC, dead_letters.position DESC,
  dead_letters.content_hash DESC`;

/** A page of rejected inputs that wait, the latest first. */
export function deadLetters(database: Database, asked: AskedLetters): Promise<DeadLetterRow[]> {
  const { before } = asked;
  const isBefore =
    before === null
      ? ''
      : `AND (toUnixTimestamp64Milli(dead_letters.first_seen_at), source, source_partition, dead_letters.position, dead_letters.content_hash)
          < ({seen:Int64}, {source:String}, {partition:Int32}, {position:UInt64}, {hash:UInt64})`;
  return database.query(
    deadLetterRow,
    `SELECT source, partition, position_text AS position, code, message, seen_text AS first_seen_at, seen_ms AS first_seen_ms,
       hash_text AS content_hash, bytes, beginning
     FROM
     (
       SELECT ${LISTED}, toFloat64(toUnixTimestamp64Milli(dead_letters.first_seen_at)) AS seen_ms,
         toString(dead_letters.content_hash) AS hash_text, toUInt32(length(raw)) AS bytes,
         substringUTF8(toValidUTF8(substring(raw, 1, 400)), 1, 200) AS beginning
       FROM dead_letters FINAL
       WHERE is_replayed = 0 AND ({code:String} = '' OR code = {code:String}) ${isBefore}
       ORDER BY ${LATEST_FIRST}
       LIMIT {limit:UInt32}
     )`,
    {
      code: asked.code ?? '',
      seen: before?.first_seen_ms ?? 0,
      source: before?.source ?? '',
      partition: before?.partition ?? 0,
      position: before?.position ?? '0',
      hash: before?.content_hash ?? '0',
      limit: asked.limit,
    },
  );
}

/** Report `dead-letters`, streamed: `DEAD_LETTERS_COLUMNS` as text, the latest first. */
export function allDeadLetters(database: Database): AsyncGenerator<(readonly unknown[])[]> {
  return database.stream(`SELECT ${LISTED} FROM dead_letters FINAL WHERE is_replayed = 0 ORDER BY ${LATEST_FIRST}`);
}

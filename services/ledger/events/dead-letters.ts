import { z } from 'zod';
import type { Rejection } from '@ctwa-ledger/schemas/event.ts';
import type { Database } from '../../clickhouse/database.ts';
import type { RefusedRowError } from '../../clickhouse/errors.ts';
import { insertApart } from '../../clickhouse/refused-rows.ts';
import { utcText } from '../../clickhouse/sql.ts';
import { ErasedNames } from './erased-names.ts';

/** Where a rejected value came from. */
export interface Position {
  /** File name, `webhook`, or topic. */
  readonly source: string;
  /** Kafka partition; 0 elsewhere. */
  readonly partition: number;
  /** Line of the file, offset in the partition, or milliseconds of arrival. */
  readonly position: number;
}

/** A value that could not be used, with its raw bytes untouched. */
export interface DeadLetter extends Position, Rejection {
  readonly raw: Buffer;
}

/** Letters sent in one insert; their bytes may be large. */
const MAX_BATCH_BYTES = 12 * 1024 * 1024;

/** The highest version stays: replayed over waiting, and of waiting ones the first seen. */
function version(isReplayed: boolean, firstSeenMs: number): string {
  return ((isReplayed ? 1n << 62n : 0n) + ((1n << 61n) - BigInt(firstSeenMs))).toString();
}

const COLUMNS = [
  'source',
  'source_partition',
  'position',
  'version',
  'code',
  'message',
  'first_seen_at',
  'is_replayed',
  'raw_base64',
];

function line(letter: DeadLetter, firstSeenMs: number, isReplayed: boolean): string {
  return `${JSON.stringify([
    letter.source,
    letter.partition,
    letter.position,
    version(isReplayed, firstSeenMs),
    letter.code,
    letter.message,
    (firstSeenMs / 1000).toFixed(3),
    isReplayed ? 1 : 0,
    letter.raw.toString('base64'),
  ])}\n`;
}

/** A letter without the names of customers who were erased. */
function withoutErased(letter: DeadLetter, erased: ErasedNames | null): DeadLetter {
  if (erased === null) return letter;
  return { ...letter, message: erased.text(letter.message, null), raw: erased.bytes(letter.raw, null) };
}

/** A letter that ClickHouse does not store, and why. */
export interface RefusedLetter {
  readonly letter: DeadLetter;
  readonly error: RefusedRowError;
}

/** Keeps rejected values; the same value at the same place is kept once. */
export class DeadLetters {
  readonly #database: Database;
  readonly #onRefused: ((refused: RefusedLetter) => void) | null;
  #letters: { readonly letter: DeadLetter; readonly firstSeenMs: number }[] = [];
  #bytes = 0;

  /**
   * @param onRefused told of letters that cannot be stored, where they are kept elsewhere; without it they fail the
   *   `flush`, after all others are stored
   */
  constructor(database: Database, onRefused: ((refused: RefusedLetter) => void) | null = null) {
    this.#database = database;
    this.#onRefused = onRefused;
  }

  /** @param firstSeenMs when it was first seen, Unix milliseconds; of several times the earliest is kept */
  async add(letter: DeadLetter, firstSeenMs: number = Date.now()): Promise<void> {
    this.#letters.push({ letter, firstSeenMs });
    this.#bytes += letter.raw.length;
    if (this.#bytes >= MAX_BATCH_BYTES) await this.flush();
  }

  /**
   * Resolves when every letter is stored.
   * @throws RefusedRowError of the first letter that ClickHouse does not store, unless somebody is told of them
   */
  async flush(): Promise<void> {
    if (this.#letters.length === 0) return;
    const erased = await ErasedNames.read(this.#database);
    const kept = this.#letters.map(({ letter, firstSeenMs }) => ({
      letter: withoutErased(letter, erased),
      firstSeenMs,
    }));
    this.#letters = [];
    this.#bytes = 0;
    const lines = kept.map(({ letter, firstSeenMs }) => line(letter, firstSeenMs, false));
    const refused = await insertApart(lines.length, (from, to) =>
      this.#database.insertLines('dead_letters', COLUMNS, lines.slice(from, to).join('')),
    );
    for (const { index, error } of refused) {
      const letter = kept[index]?.letter;
      if (letter === undefined || this.#onRefused === null) throw error;
      this.#onRefused({ letter, error });
    }
  }
}

/** Whether a row of `dead_letters` waits: it was neither replayed nor dismissed. As an expression. */
export const IS_WAITING = `is_replayed = 0
    AND (dead_letters.source, dead_letters.source_partition, dead_letters.position, dead_letters.content_hash) NOT IN
      (SELECT source, source_partition, position, content_hash FROM dismissed_letters FINAL WHERE is_dismissed = 1)`;

const letterRow = z.object({
  source: z.string(),
  source_partition: z.number(),
  position: z.string(),
  code: z.string(),
  message: z.string(),
  first_seen_at: z.string(),
  bytes: z.coerce.number(),
});

/** A waiting letter, without its bytes. */
export type ListedLetter = z.infer<typeof letterRow>;

/**
 * How many letters wait.
 * @param seen only those first seen then, Unix seconds, `to` exclusive; null = all
 */
export async function countDeadLetters(
  database: Database,
  seen: { readonly from: number; readonly to: number } | null = null,
): Promise<number> {
  const isMeant =
    seen === null
      ? ''
      : `AND first_seen_at >= toDateTime({from:UInt32}, 'UTC') AND first_seen_at < toDateTime({to:UInt32}, 'UTC')`;
  const [row] = await database.query(
    z.object({ n: z.coerce.number() }),
    `SELECT count() AS n FROM dead_letters FINAL WHERE ${IS_WAITING} ${isMeant}`,
    seen === null ? {} : { from: seen.from, to: seen.to },
  );
  return row?.n ?? 0;
}

/** Waiting letters, first seen first. */
export async function listDeadLetters(database: Database, limit: number): Promise<ListedLetter[]> {
  return database.query(
    letterRow,
    `SELECT source, source_partition, toString(position) AS position, code, message,
        ${utcText('first_seen_at')} AS first_seen_at, length(raw) AS bytes
     FROM dead_letters FINAL WHERE ${IS_WAITING}
     ORDER BY dead_letters.first_seen_at, source, source_partition, dead_letters.position LIMIT {limit:UInt32}`,
    { limit },
  );
}

const rawRow = letterRow.extend({ content_hash: z.string(), first_seen_ms: z.coerce.number(), raw_base64: z.string() });

/** Waiting letters with their bytes, some at a time. */
export async function* waitingDeadLetters(
  database: Database,
): AsyncGenerator<{ letter: DeadLetter; firstSeenMs: number }[]> {
  let after = { source: '', partition: -1, position: '0', content_hash: '0' };
  for (;;) {
    const rows = await database.query(
      rawRow,
      `SELECT source, source_partition, toString(position) AS position, toString(content_hash) AS content_hash, code, message,
          '' AS first_seen_at,
          length(raw) AS bytes, toUnixTimestamp64Milli(dead_letters.first_seen_at) AS first_seen_ms, base64Encode(raw) AS raw_base64
       FROM dead_letters FINAL
       WHERE ${IS_WAITING} AND (source, source_partition, dead_letters.position, dead_letters.content_hash)
           > ({source:String}, {partition:Int32}, {position:UInt64}, {content_hash:UInt64})
       ORDER BY source, source_partition, dead_letters.position, dead_letters.content_hash LIMIT 8`,
      after,
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    after = {
      source: last.source,
      partition: last.source_partition,
      position: last.position,
      content_hash: last.content_hash,
    };
    yield rows.map((row) => ({
      firstSeenMs: row.first_seen_ms,
      letter: {
        source: row.source,
        partition: row.source_partition,
        position: Number(row.position),
        code: row.code as Rejection['code'],
        message: row.message,
        raw: Buffer.from(row.raw_base64, 'base64'),
      },
    }));
  }
}

/** Marks a letter as replayed: it is listed no more, and a second ingest of the same value does not bring it back. */
export async function markReplayed(database: Database, letter: DeadLetter, firstSeenMs: number): Promise<void> {
  await database.insertLines('dead_letters', COLUMNS, line(letter, firstSeenMs, true));
}

import { z } from 'zod';
import { NARROWINGS, type ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Database } from '../clickhouse/database.ts';
import { reportOf, type ReportName } from './catalogue.ts';
import { tablesOf } from '../reports/report.ts';

const stateRow = z.object({ state: z.string() });

/**
 * A fingerprint of the parts of tables: whatever is written makes another part. A merge changes it too, which costs one
 * answer.
 */
export async function stateOf(database: Database, tables: readonly string[]): Promise<string> {
  const [row] = await database.query(
    stateRow,
    `SELECT toString(groupBitXor(sipHash64(table, name, hash_of_all_files))) AS state
     FROM system.parts WHERE database = currentDatabase() AND active AND table IN {tables:Array(String)}`,
    { tables: [...tables] },
  );
  return row?.state ?? '';
}

/**
 * A fingerprint of how far tables were written: another one whenever something is, and the same when parts are merged, so
 * that it can be kept for long.
 */
export async function writtenUpTo(database: Database, tables: readonly string[]): Promise<string> {
  const [row] = await database.query(
    stateRow,
    `SELECT toString(groupBitXor(sipHash64(table, partition_id, last_block))) AS state
     FROM
     (
       SELECT table, partition_id, max(max_block_number) AS last_block
       FROM system.parts WHERE database = currentDatabase() AND active AND table IN {tables:Array(String)}
       GROUP BY table, partition_id
     )`,
    { tables: [...tables] },
  );
  return row?.state ?? '';
}

/** What an answer depends on: the tables of a report, or these. */
export type Reads = ReportName | readonly string[];

/** Answers kept at once; each is one report of one range. */
const MAX_ANSWERS = 64;

/**
 * Answers of reports of amounts, for as long as nothing was written that they depend on. Planning such a query takes
 * longer than reading its rows, and a page asks for the same ones each time it is opened.
 */
export class Remembered {
  readonly #database: Database;
  readonly #answers = new Map<string, { readonly state: string; readonly answer: Promise<unknown> }>();

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * @param reads the report whose tables the answer depends on, or these tables
   * @param read must depend on nothing but the ledger, its `name` and the filters other than `as_of`: amounts have no clock
   */
  async ask<T>(name: string, reads: Reads, filters: ReportFilters, read: () => Promise<T>): Promise<T> {
    const { from, to, tz, is_tz_given } = filters;
    const only = NARROWINGS.map((narrowing) => filters[narrowing] ?? null);
    const key = JSON.stringify([name, from, to, tz, is_tz_given === true, only]);
    // Before the answer is read: what is written in between makes it newer than its state says, never older.
    const tables = typeof reads === 'string' ? tablesOf(reportOf(reads), filters) : reads;
    const state = await stateOf(this.#database, tables);
    const known = this.#answers.get(key);
    if (known?.state === state) return known.answer as Promise<T>;
    const answer = read();
    this.#answers.delete(key);
    this.#answers.set(key, { state, answer });
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= MAX_ANSWERS) break;
      this.#answers.delete(oldest);
    }
    answer.catch(() => {
      if (this.#answers.get(key)?.answer === answer) this.#answers.delete(key);
    });
    return answer;
  }
}

import { NARROWINGS, type ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Database } from '../clickhouse/database.ts';
import { stateOf } from '../clickhouse/table-state.ts';
import { reportOf, type ReportName } from './catalogue.ts';
import { tablesOf } from '../reports/report.ts';

/** The tables that an answer depends on: those of a report, or a list. */
export type Reads = ReportName | readonly string[];

/** Answers kept at once; each is for one report and one range. */
const MAX_ANSWERS = 64;

/**
 * Remembers answers of reports of amounts until something is written that they depend on. Planning such a query takes
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
   * @param read may depend only on the ledger, `name` and the filters other than `as_of`: amounts do not depend on the
   * clock
   */
  async ask<T>(name: string, reads: Reads, filters: ReportFilters, read: () => Promise<T>): Promise<T> {
    const { from, to, tz, is_tz_given, changed_since = null } = filters;
    const only = NARROWINGS.map((narrowing) => filters[narrowing] ?? null);
    const key = JSON.stringify([name, from, to, tz, is_tz_given === true, changed_since, only]);
    // Read before the answer: if something is written in between, the answer is newer than this state, never older.
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

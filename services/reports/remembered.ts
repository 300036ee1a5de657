import { z } from 'zod';
import { NARROWINGS, type ReportFilters } from '@ctwa-ledger/schemas/reports.ts';
import type { Database } from '../ledger/database.ts';

/** What amounts are read from. Whatever is written to a table makes another part. */
const TABLES = [
  'message_marks',
  'entry_marks',
  'charge_days',
  'place_bounds',
  'rate_cards',
  'rates',
  'accounts',
  'configuration',
  'closed_periods',
  'closed_charges',
];

const stateRow = z.object({ state: z.string() });

/** A fingerprint of the parts of all tables that amounts are read from; a merge changes it too, which costs one answer. */
async function stateOf(database: Database): Promise<string> {
  const [row] = await database.query(
    stateRow,
    `SELECT toString(groupBitXor(sipHash64(table, name, hash_of_all_files))) AS state
     FROM system.parts WHERE database = currentDatabase() AND active AND table IN {tables:Array(String)}`,
    { tables: TABLES },
  );
  return row?.state ?? '';
}

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
   * @param read must depend on nothing but the ledger, its `name` and the filters other than `as_of`: amounts have no clock
   */
  async ask<T>(name: string, filters: ReportFilters, read: () => Promise<T>): Promise<T> {
    const { from, to, tz, is_tz_given } = filters;
    const only = NARROWINGS.map((narrowing) => filters[narrowing] ?? null);
    const key = JSON.stringify([name, from, to, tz, is_tz_given === true, only]);
    // Before the answer is read: what is written in between makes it newer than its state says, never older.
    const state = await stateOf(this.#database);
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

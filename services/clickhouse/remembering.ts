import type { ClickHouseSettings } from '@clickhouse/client';
import type { Block } from './columns/reader.ts';
import { Database, type Parameters } from './database.ts';

/** How answers depend on the clock. */
export interface Clock {
  /** The parameter with the time, in Unix seconds. */
  readonly parameter: string;
  /**
   * The first moment after a time at which an answer may change although nothing is written, in Unix seconds; null =
   * never.
   */
  readonly nextChange: (database: Database, after: number) => Promise<number | null>;
}

interface Kept {
  /** The state of the tables before the answer was read. */
  readonly state: string;
  /** The time that was asked for; null when the answer does not depend on it. */
  readonly at: number | null;
  readonly lines: Promise<string>;
  bytes: number;
}

const MAX_BYTES = 32 * 1024 * 1024;
const MAX_ANSWERS = 1_000;
/** A larger answer is rare, and would push out too many others. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;

/** What ClickHouse answers differently each time, and what is in no table of the database. */
const VOLATILE = /\b(?:now|now64|today|yesterday|rand\w*|generate\w+)\(|\bsystem\./i;

/**
 * Remembers small answers of a database until one of their tables is written. Pages ask the same things each time they
 * are opened, and planning a statement often takes longer than reading its rows. An answer depends on the tables whose
 * names occur in its statement.
 */
export class Memory {
  readonly database: Database;
  readonly clock: Clock;
  /** By statement and parameters; what was asked for longest ago comes first. */
  readonly #answers = new Map<string, Kept>();
  #bytes = 0;

  constructor(database: Database, clock: Clock) {
    this.database = database;
    this.clock = clock;
  }

  /**
   * An answer in the form of {@link Database.lines}: from memory if it is right for these states and this time.
   * @param reader asks what else must be known
   * @param states read before: if something is written in between, the answer is newer than they are, never older
   */
  async lines(
    reader: Database,
    states: ReadonlyMap<string, string>,
    sql: string,
    parameters: Parameters,
    asking: ClickHouseSettings,
  ): Promise<string> {
    const state = [...states].filter(([table]) => sql.includes(table)).join(' ');
    const { [this.clock.parameter]: time, ...others } = parameters;
    const at = typeof time === 'number' && sql.includes(`{${this.clock.parameter}:`) ? time : null;
    const key = JSON.stringify([sql, others]);
    const known = this.#answers.get(key);
    if (known?.state !== state || !(await this.#isStillRight(reader, known, at)))
      return this.#keep(key, { state, at, lines: this.database.lines(sql, parameters, asking), bytes: 0 });
    // Meanwhile another may have taken its place.
    if (this.#answers.get(key) === known) {
      this.#answers.delete(key);
      this.#answers.set(key, known);
    }
    return known.lines;
  }

  async #isStillRight(reader: Database, known: Kept, at: number | null): Promise<boolean> {
    if (known.at === at) return true;
    if (known.at === null || at === null || at < known.at) return false;
    const next = await this.clock.nextChange(reader, known.at);
    return next === null || at < next;
  }

  async #keep(key: string, kept: Kept): Promise<string> {
    this.#forget(key);
    this.#answers.set(key, kept);
    try {
      const lines = await kept.lines;
      if (this.#answers.get(key) === kept) {
        kept.bytes = lines.length + key.length;
        this.#bytes += kept.bytes;
        if (kept.bytes > MAX_ANSWER_BYTES) this.#forget(key);
        this.#makeRoom();
      }
      return lines;
    } catch (error) {
      if (this.#answers.get(key) === kept) this.#forget(key);
      throw error;
    }
  }

  #forget(key: string): void {
    this.#bytes -= this.#answers.get(key)?.bytes ?? 0;
    this.#answers.delete(key);
  }

  #makeRoom(): void {
    for (const key of this.#answers.keys()) {
      if (this.#answers.size <= MAX_ANSWERS && this.#bytes <= MAX_BYTES) return;
      this.#forget(key);
    }
  }
}

/** A database as one request reads it: with what is remembered. It has no connection of its own. */
export class RememberingDatabase extends Database {
  readonly #memory: Memory;
  readonly #isReading: boolean;
  #states: Promise<ReadonlyMap<string, string>> | null = null;

  /**
   * @param isReading whether the request only reads. Then what tables contain is looked up once, because whatever was
   * written before the request began is in that; otherwise it is looked up for each statement.
   */
  constructor(memory: Memory, isReading: boolean) {
    const { location, name, role } = memory.database;
    super(location, name, role);
    this.#memory = memory;
    this.#isReading = isReading;
  }

  override tableStates(): Promise<ReadonlyMap<string, string>> {
    if (!this.#isReading) return this.#memory.database.tableStates();
    return (this.#states ??= this.#memory.database.tableStates());
  }

  override async lines(sql: string, parameters: Parameters, asking: ClickHouseSettings): Promise<string> {
    return VOLATILE.test(sql)
      ? this.#memory.database.lines(sql, parameters, asking)
      : this.#memory.lines(this, await this.tableStates(), sql, parameters, asking);
  }

  override stream(sql: string, parameters?: Parameters): AsyncGenerator<(readonly unknown[])[]> {
    return this.#memory.database.stream(sql, parameters);
  }

  override streamBlocks(sql: string, parameters?: Parameters): AsyncGenerator<Block> {
    return this.#memory.database.streamBlocks(sql, parameters);
  }
}

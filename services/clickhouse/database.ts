import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  ClickHouseError,
  ClickHouseLogLevel,
  createClient,
  type ClickHouseClient,
  type ClickHouseSettings,
} from '@clickhouse/client';
import { z } from 'zod';
import { BlockReader, type Block } from './columns/reader.ts';
import { insertOf, type EncodedBlock } from './columns/writer.ts';
import { callerOf } from './caller.ts';
import { findEngine, LOG_FILE } from './engine/find.ts';
import { LedgerAwayError, ActionableError, RefusedRowError } from './errors.ts';
import { withLists, type Parameters } from './parameters.ts';
import { isRunning } from './processes.ts';

/** Where the ledger's ClickHouse is. */
export type Location =
  | { readonly kind: 'embedded'; readonly dataDir: string }
  | {
      readonly kind: 'server';
      readonly url: string;
      readonly username: string;
      readonly password: string;
      /** PEM text of a private certificate authority, when the server's certificate is not publicly trusted. */
      readonly ca: string | null;
      /** A user that may only read, for what is shown and handed out; left out where there is none. */
      readonly reader?: { readonly username: string; readonly password: string };
    };

/** Whose credentials a database is opened with: the services' own, or those of the user that may only read. */
export type Role = 'own' | 'reader';

export type { Parameters } from './parameters.ts';
type Row = readonly unknown[];

/** Settings that every statement runs with, on the embedded engine and on a server alike. */
const SETTINGS = {
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_decimals: 1,
  // So that nothing depends on the zone of the server.
  session_timezone: 'UTC',
  // Old events spread over many months; each month is a partition.
  max_partitions_per_insert_block: '0',
  // Each of our inserts is one part per partition: we batch, not the server.
  async_insert: 0,
  // Merging equal rows within one insert took a third of its time. Readers ask for the final rows anyway.
  optimize_on_insert: 0,
  // Of final rows, those of other keys are left out before the other columns are read. Conditions on columns outside the
  // key stay where they are.
  optimize_move_to_prewhere_if_final: 1,
  // This optimisation finds nothing in our conditions, and takes a third of the planning of the queries of amounts.
  optimize_and_compare_chain: 0,
} as const;

/** ClickHouse itself refuses a read that tries to write, and ends a read whose client has gone. */
const READ_ONLY = { readonly: '2', cancel_http_readonly_queries_on_client_close: 1 } as const;

/**
 * A small answer is sent once it is complete: a statement that fails after its first rows is then an error and no broken
 * connection. The engine host plans such statements side by side.
 */
const WHOLE = { ...READ_ONLY, wait_end_of_query: 1 } as const;

const stateRow = z.object({ table: z.string(), state: z.string() });

/** A statement may carry the keys of some ten thousand threads. */
const MAX_STATEMENT_BYTES = String(512 * 1024 * 1024);

/** Connections of a pool, unless it is told otherwise; more statements wait for one of them. */
const CONNECTIONS = 16;
/** Work in the background takes one core at most, so that live traffic and readers keep the others. */
const BACKGROUND_CONNECTIONS = 4;
const BACKGROUND_SETTINGS = { max_threads: 1 } as const;

/** How long to wait for a server or engine that is away; a restart takes less. */
const WAIT_MS = 60_000;
const LONGEST_PAUSE_MS = 2_000;
const WATCH_EVERY_MS = 500;
/** Attempts at a server that has never answered: a wrong address is likelier than a slow restart. */
const FIRST_ATTEMPTS = 5;

function isAway(error: unknown): boolean {
  if (error instanceof LedgerAwayError) return true;
  if (error instanceof ClickHouseError || !(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return (
    code === 'ECONNREFUSED' ||
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    code === 'ETIMEDOUT' ||
    code === 'UND_ERR_SOCKET' ||
    error.message === 'aborted' ||
    error.message === 'socket hang up'
  );
}

/**
 * ClickHouse's codes for a value that does not fit its column. Other codes mean the statement, the server, its memory
 * or its disk, not a row.
 */
const REFUSALS_OF_ROWS = new Set([
  '6', // CANNOT_PARSE_TEXT
  '25', // CANNOT_PARSE_ESCAPE_SEQUENCE
  '26', // CANNOT_PARSE_QUOTED_STRING
  '27', // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  '33', // CANNOT_READ_ALL_DATA
  '38', // CANNOT_PARSE_DATE
  '41', // CANNOT_PARSE_DATETIME
  '53', // TYPE_MISMATCH
  '69', // ARGUMENT_OUT_OF_BOUND
  '70', // CANNOT_CONVERT_TYPE
  '72', // CANNOT_PARSE_NUMBER
  '117', // INCORRECT_DATA
  '131', // TOO_LARGE_STRING_SIZE
  '321', // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  '349', // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
  '407', // DECIMAL_OVERFLOW
  '469', // VIOLATED_CONSTRAINT
  '691', // UNKNOWN_ELEMENT_OF_ENUM
]);

const VARIABLES: Readonly<Record<Role, readonly [user: string, password: string]>> = {
  own: ['CLICKHOUSE_USER', 'CLICKHOUSE_PASSWORD'],
  reader: ['CLICKHOUSE_READ_USER', 'CLICKHOUSE_READ_PASSWORD'],
};

function asActionableError(error: unknown, where: string, role: Role): unknown {
  const [user, password] = VARIABLES[role];
  if (!(error instanceof ClickHouseError)) return error;
  if (error.code === '243' || /No space left on device/i.test(error.message))
    return new ActionableError(
      `The disk of the ledger at ${where} is full: ${error.message.trim()} Free space and run the command again; nothing is half-applied.`,
    );
  if (error.code === '497')
    return new ActionableError(
      `ClickHouse refused it: ${error.message} Grant the user of ${user} what it lacks, or create the database for it.`,
    );
  if (error.code === '516')
    return new ActionableError(`ClickHouse refused the user or password: check ${user} and ${password}.`);
  if (REFUSALS_OF_ROWS.has(error.code))
    return new RefusedRowError(`ClickHouse refused a row (code ${error.code}): ${error.message.trim()}`, {
      cause: error,
    });
  return new ActionableError(`ClickHouse could not do what it was asked (code ${error.code}): ${error.message}`, {
    cause: error,
  });
}

/**
 * One database of a ClickHouse, embedded or not, over HTTP. Statements are tried again when the engine was replaced.
 */
export class Database {
  readonly location: Location;
  readonly name: string;
  readonly role: Role;
  readonly #connections: number;
  readonly #settings: ClickHouseSettings;
  #client: Promise<ClickHouseClient> | null = null;
  #heartbeat: NodeJS.Timeout | null = null;
  #hasAnswered = false;
  /** Of the engine host; null on a server. */
  #enginePid: number | null = null;

  /**
   * @param connections how many statements are under way at once; further ones wait
   * @param settings of every statement, besides those that all databases share
   */
  constructor(
    location: Location,
    name: string,
    role: Role = 'own',
    connections: number = CONNECTIONS,
    settings: ClickHouseSettings = {},
  ) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw new ActionableError(`"${name}" is not a database name: use letters, digits and _.`);
    this.location = location;
    this.name = name;
    this.role = role;
    this.#connections = connections;
    this.#settings = settings;
  }

  /** The same database for work that nobody waits for. Close it, too. */
  forBackground(): Database {
    return new Database(this.location, this.name, this.role, BACKGROUND_CONNECTIONS, BACKGROUND_SETTINGS);
  }

  async #connect(): Promise<ClickHouseClient> {
    const { location } = this;
    const server = location.kind === 'server' ? location : await this.#embedded(location.dataDir);
    const { username, password } = (this.role === 'reader' ? server.reader : undefined) ?? server;
    return createClient({
      url: server.url,
      username,
      password,
      application: 'ctwa-ledger',
      database: this.name,
      request_timeout: 600_000,
      max_open_connections: this.#connections,
      keep_alive: { enabled: true, idle_socket_ttl: 2_000 },
      clickhouse_settings: { ...SETTINGS, ...this.#settings },
      use_multipart_params_auto: true,
      // Errors are thrown, and reported once by the caller, which knows what was being done.
      log: { level: ClickHouseLogLevel.OFF },
      ...(server.ca === null ? {} : { tls: { ca_cert: Buffer.from(server.ca) } }),
    });
  }

  async #embedded(dataDir: string): Promise<Extract<Location, { kind: 'server' }>> {
    const engine = await findEngine(dataDir);
    this.#enginePid = engine.pid;
    this.#heartbeat ??= setInterval(() => {
      // Keeps the host from going idle while this process works on something else.
      this.#client?.then((client) => client.ping()).catch(() => undefined);
    }, 10_000).unref();
    return { kind: 'server', url: engine.url, username: 'default', password: engine.key, ca: null };
  }

  /** Where the engine host writes what it could not answer; empty on a server. */
  get #engineLog(): string {
    return this.location.kind === 'embedded' ? join(this.location.dataDir, LOG_FILE) : '';
  }

  /**
   * Notices that the engine host ended although its connection does not say so: a request that is being sent at that
   * moment may never settle. The timer also keeps this process waiting for the answer.
   */
  #watchEngine(): { readonly ended: Promise<never>; readonly stop: () => void } {
    const pid = this.#enginePid;
    let timer: NodeJS.Timeout | undefined;
    const ended = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        if (pid !== null && !isRunning(pid))
          reject(new LedgerAwayError('The embedded ClickHouse ended while it was asked.'));
      }, WATCH_EVERY_MS);
    });
    ended.catch(() => undefined);
    return {
      ended,
      stop: () => {
        clearInterval(timer);
      },
    };
  }

  /**
   * What is read of an answer that comes in pieces.
   * @param close gives the answer up
   * @param read whether the engine has ended is known to it: some answers just stop then
   * @throws LedgerAwayError when the engine goes away in the middle: start again
   */
  async *#answered<T>(close: () => void, read: (hasEnded: () => boolean) => AsyncIterable<T>): AsyncGenerator<T> {
    const watch = this.#watchEngine();
    let hasEnded = false;
    watch.ended.catch(() => {
      hasEnded = true;
      close();
    });
    try {
      yield* read(() => hasEnded);
    } catch (error) {
      if (error instanceof LedgerAwayError || !(hasEnded || isAway(error))) throw error;
      const said = error instanceof Error ? error.message : String(error);
      // The engine host lives: the statement failed, and only its log says why.
      const why = this.#enginePid === null || hasEnded ? '' : ` ${this.#engineLog} says why.`;
      throw new LedgerAwayError(`ClickHouse broke off its answer (${said}).${why}`);
    } finally {
      watch.stop();
      close();
    }
  }

  /** Runs `work` with a connected client, and again with a fresh connection when the engine or server went away. */
  async #attempt<T>(work: (client: ClickHouseClient) => Promise<T>): Promise<T> {
    const began = Date.now();
    for (let attempt = 1; ; attempt++) {
      const connecting = (this.#client ??= this.#connect());
      try {
        const client = await connecting;
        const watch = this.#watchEngine();
        const result = await Promise.race([work(client), watch.ended]).finally(watch.stop);
        this.#hasAnswered = true;
        return result;
      } catch (error) {
        const unusable = await connecting.then(
          () => isAway(error),
          () => true,
        );
        if (unusable && this.#client === connecting) this.#client = null;
        const where = this.location.kind === 'server' ? this.location.url : this.location.dataDir;
        if (!isAway(error)) throw asActionableError(error, where, this.role);
        if (Date.now() - began > WAIT_MS || (attempt >= FIRST_ATTEMPTS && !this.#hasAnswered))
          throw new LedgerAwayError(
            `ClickHouse at ${where} cannot be reached (${error instanceof Error ? error.message : String(error)}). Check that it runs; the command can be run again.`,
          );
        const pause = Math.min(50 * 2 ** attempt, LONGEST_PAUSE_MS);
        await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
      }
    }
  }

  /**
   * Names the caller in the server's log. The embedded engine has no log, and opens a session for each set of settings.
   */
  #asking(method: (...given: never[]) => unknown): { readonly log_comment?: string } {
    return this.location.kind === 'server' ? { log_comment: callerOf(method) } : {};
  }

  /** A statement without an answer: DDL, or an insert whose rows come from the database itself. */
  async command(sql: string, parameters: Parameters = {}): Promise<void> {
    const { statement, scalars } = withLists(sql, parameters);
    const clickhouse_settings = { max_query_size: MAX_STATEMENT_BYTES, ...this.#asking(this.command) };
    await this.#attempt((client) => client.command({ query: statement, query_params: scalars, clickhouse_settings }));
  }

  /** All rows of a small answer, checked against a schema. 64-bit integers and decimals arrive as strings. */
  async query<T>(row: z.ZodType<T>, sql: string, parameters: Parameters = {}): Promise<T[]> {
    const lines = await this.lines(sql, parameters, this.#asking(this.query));
    // Line feeds in texts are escaped.
    return z.array(row).parse(JSON.parse(`[${lines.trimEnd().replaceAll('\n', ',')}]`));
  }

  /**
   * The rows of a small answer as JSON objects, one a line.
   * @param asking settings that name the caller
   */
  lines(sql: string, parameters: Parameters, asking: ClickHouseSettings): Promise<string> {
    return this.#attempt(async (client) => {
      const result = await client.query({
        query: sql,
        query_params: parameters,
        format: 'JSONEachRow',
        clickhouse_settings: { ...WHOLE, ...asking },
      });
      return result.text();
    });
  }

  /** A fingerprint of each table's parts. It changes with every write, and also with a merge, which costs one answer. */
  async tableStates(): Promise<ReadonlyMap<string, string>> {
    const rows = await this.query(
      stateRow,
      `SELECT table, toString(groupBitXor(sipHash64(name, hash_of_all_files))) AS state
       FROM system.parts WHERE database = currentDatabase() AND active GROUP BY table ORDER BY table`,
    );
    return new Map(rows.map(({ table, state }) => [table, state]));
  }

  /**
   * The rows of a large answer in batches, as arrays of columns. Bounded memory. The engine going away in the middle
   * throws `LedgerAwayError`: start again.
   */
  stream(sql: string, parameters: Parameters = {}): AsyncGenerator<Row[]> {
    return this.#stream(sql, parameters, { ...READ_ONLY, ...this.#asking(this.stream) });
  }

  async *#stream(sql: string, parameters: Parameters, clickhouse_settings: ClickHouseSettings): AsyncGenerator<Row[]> {
    const result = await this.#attempt((client) =>
      client.query({ query: sql, query_params: parameters, format: 'JSONCompactEachRow', clickhouse_settings }),
    );
    const close = (): void => {
      result.close();
    };
    yield* this.#answered(close, async function* () {
      for await (const rows of result.stream<Row>())
        // One parse for a batch of rows is several times cheaper than one for each.
        if (rows.length > 0) yield JSON.parse(`[${rows.map((row) => row.text).join(',')}]`) as Row[];
    });
  }

  /**
   * Inserts rows that are already JSON arrays, one a line, and waits until they are stored. Repeating it is harmless:
   * our tables keep one row per key, or do not mind a row twice.
   */
  async insertLines(table: string, columns: readonly string[], lines: string | readonly Buffer[]): Promise<void> {
    if (lines.length === 0) return;
    const data = typeof lines === 'string' ? [Buffer.from(lines)] : lines;
    const clickhouse_settings = this.#asking(this.insertLines);
    await this.#attempt(async (client) => {
      const { stream } = await client.exec({
        query: `INSERT INTO ${table} (${columns.join(', ')}) FORMAT JSONCompactEachRow`,
        values: Readable.from(data, { objectMode: false }),
        clickhouse_settings,
      });
      for await (const _ of stream as AsyncIterable<unknown>);
    });
  }

  /**
   * Inserts a block and waits until it is stored. Repeating it is harmless, as with lines.
   * @throws RefusedRowError when ClickHouse refuses a row of it; then none of it is stored
   */
  async insertBlock(table: string, block: EncodedBlock): Promise<void> {
    if (block.rows === 0) return;
    const clickhouse_settings = this.#asking(this.insertBlock);
    await this.#attempt(async (client) => {
      const { stream } = await client.exec({
        query: `${insertOf(table, block)} FORMAT Native`,
        values: Readable.from(block.chunks, { objectMode: false }),
        clickhouse_settings,
      });
      for await (const _ of stream as AsyncIterable<unknown>);
    });
  }

  /**
   * The rows of a large answer as blocks of columns. Bounded memory. The engine going away in the middle throws
   * `LedgerAwayError`: start again.
   */
  streamBlocks(sql: string, parameters: Parameters = {}): AsyncGenerator<Block> {
    const settings = { ...READ_ONLY, max_query_size: MAX_STATEMENT_BYTES, ...this.#asking(this.streamBlocks) };
    return this.#streamBlocks(sql, parameters, settings);
  }

  async *#streamBlocks(
    sql: string,
    parameters: Parameters,
    clickhouse_settings: ClickHouseSettings,
  ): AsyncGenerator<Block> {
    const { statement, scalars } = withLists(sql, parameters);
    const { stream } = await this.#attempt((client) =>
      client.exec({ query: `${statement} FORMAT Native`, query_params: scalars, clickhouse_settings }),
    );
    const close = (): void => {
      stream.destroy();
    };
    yield* this.#answered(close, async function* () {
      const reader = new BlockReader();
      for await (const chunk of stream as AsyncIterable<Buffer>) yield* reader.push(chunk);
      yield* reader.end();
    });
  }

  /**
   * A large answer as ClickHouse writes it in a format of its own, piece by piece. Bounded memory. The engine going
   * away in the middle throws `LedgerAwayError`: start again. As the user that may write: the embedded engine writes a
   * file.
   */
  async *streamBytes(sql: string, format: 'Parquet', parameters: Parameters = {}): AsyncGenerator<Buffer> {
    const { stream } = await this.#attempt((client) =>
      client.exec({
        query: `${sql} FORMAT ${format}`,
        query_params: parameters,
      }),
    );
    const close = (): void => {
      stream.destroy();
    };
    yield* this.#answered(close, async function* (hasEnded) {
      for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
      if (hasEnded()) throw new LedgerAwayError('ClickHouse went away while it answered.');
    });
  }

  /** Runs `work` with the database that always exists. */
  async #atHome<T>(work: (home: Database) => Promise<T>): Promise<T> {
    const home = new Database(this.location, 'default', this.role);
    try {
      return await work(home);
    } finally {
      await home.close();
    }
  }

  async #isKnown(home: Database): Promise<boolean> {
    const [known] = await home.query(
      z.object({ n: z.coerce.number() }),
      'SELECT count() AS n FROM system.databases WHERE name = {name:String}',
      { name: this.name },
    );
    return known?.n === 1;
  }

  /** Whether the database itself exists; every statement but this and `create` needs it. */
  exists(): Promise<boolean> {
    return this.#atHome((home) => this.#isKnown(home));
  }

  /** Creates the database itself where it is missing. */
  create(): Promise<void> {
    return this.#atHome(async (home) => {
      if (!(await this.#isKnown(home))) await home.command(`CREATE DATABASE IF NOT EXISTS ${this.name}`);
    });
  }

  async close(): Promise<void> {
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    this.#heartbeat = null;
    const client = this.#client;
    this.#client = null;
    await client?.then(
      (open) => open.close(),
      () => undefined,
    );
  }
}

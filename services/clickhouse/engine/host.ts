/**
 * The engine host: one process per data directory that holds the embedded ClickHouse (chDB) and speaks ClickHouse's
 * HTTP interface on loopback. Commands find it through `engine.json` in the data directory, whoever started it; the
 * lock on the directory has this one owner, and a crash of the engine is not a crash of a receiver.
 *
 * Run as `node host-main.js DATA_DIR IDLE_SECONDS`.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createReadStream, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { drainPending, Session, type ChdbQueryStream } from 'chdb';
import { ENGINE_FILE, proofOf, type EngineAddress } from './announcement.ts';

/** The folder in the data directory for bodies of inserts under way. */
const BODIES = 'inserting';
/** A larger request is refused: our processes never send more. */
const MAX_BODY_BYTES = 512 * 1024 * 1024;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const INSERT_WITH_DATA =
  /^\s*INSERT\s+INTO\s+([\w.]+)\s*(?:\(([\w\s,]+)\))?\s*FORMAT\s+(JSONCompactEachRow|JSONEachRow)\s*$/i;
/** An insert of columns, perhaps with some that are computed from them: chDB takes data from a file only. */
const INSERT_NATIVE =
  /^\s*INSERT\s+INTO\s+([\w.]+)\s*\(([\w\s,]+)\)\s*(?:SELECT\s+(.+?)\s+FROM\s+input\('(?:[^'\\]|\\.)*'\)\s*)?FORMAT\s+Native\s*$/is;
/** A session must not outlive the database that it uses. */
const DROPS = /^\s*DROP\s+DATABASE\b/i;
const READS = /^(?:\s+|--[^\n]*\n|\/\*.*?\*\/)*(?:WITH|SELECT|SHOW|DESCRIBE|DESC|EXISTS|EXPLAIN)\b/is;

/** Answered by the HTTP layer of a server; the embedded engine does not know them. */
const HTTP_ONLY = new Set([
  'query',
  'query_id',
  'database',
  'session_id',
  'user',
  'password',
  'role',
  'wait_end_of_query',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'enable_http_compression',
  'compress',
  'default_format',
  'buffer_size',
]);

/** So that 64-bit integers and decimals never become rounded JavaScript numbers, and clocks are UTC. */
const ALWAYS = {
  output_format_json_quote_64bit_integers: '1',
  output_format_json_quote_decimals: '1',
  // A statement may carry the keys of some ten thousand threads.
  max_query_size: String(MAX_BODY_BYTES),
  session_timezone: 'UTC',
};

interface Statement {
  readonly sql: string;
  readonly data: Buffer | null;
  readonly database: string;
  readonly settings: Record<string, string>;
  readonly parameters: Record<string, string>;
  /** Whether the answer is sent once it is complete, as `wait_end_of_query` asks of a server. It is planned on a thread of its own. */
  readonly isWhole: boolean;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES)
      throw new Error(`Code: 1. DB::Exception: the request is over ${MAX_BODY_BYTES} bytes. (TOO_LARGE)`);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

function identifier(name: string): string {
  if (!IDENTIFIER.test(name))
    throw new Error(`Code: 36. DB::Exception: "${name}" is not a parameter name. (BAD_ARGUMENTS)`);
  return name;
}

async function statementOf(request: IncomingMessage): Promise<Statement> {
  const url = new URL(request.url ?? '/', 'http://engine');
  const settings: Record<string, string> = { ...ALWAYS };
  const parameters: Record<string, string> = {};
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('param_')) parameters[identifier(name.slice('param_'.length))] = value;
    else if (!HTTP_ONLY.has(name) && IDENTIFIER.test(name)) settings[name] = value;
  }
  const database = url.searchParams.get('database') ?? 'default';
  const isWhole = url.searchParams.get('wait_end_of_query') === '1';
  const body = await bodyOf(request);
  const type = request.headers['content-type'] ?? '';
  let sql = url.searchParams.get('query');
  if (type.startsWith('multipart/form-data')) {
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
    for (const [name, value] of form) {
      const text = typeof value === 'string' ? value : await value.text();
      if (name === 'query') sql = text;
      else if (name.startsWith('param_')) parameters[identifier(name.slice('param_'.length))] = text;
    }
    return { sql: sql ?? '', data: null, database, settings, parameters, isWhole };
  }
  if (sql === null) return { sql: body.toString('utf8'), data: null, database, settings, parameters, isWhole };
  return { sql, data: body, database, settings, parameters, isWhole };
}

function quoted(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Refuses with the shape of a ClickHouse exception, which clients parse. */
function refuse(response: ServerResponse, status: number, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  if (response.headersSent) {
    // The answer has begun: only a broken connection can still say that it is incomplete. `engine.log` has the reason.
    if (!response.destroyed) process.stderr.write(`An answer was broken off: ${message}\n`);
    response.destroy();
    return;
  }
  const code = /Code: (\d+)/.exec(message)?.[1];
  // Not a refusal of the engine but an error of this program: keep it for `engine.log`.
  if (code === undefined) process.stderr.write(`${error instanceof Error ? (error.stack ?? message) : message}\n`);
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    ...(code === undefined ? {} : { 'x-clickhouse-exception-code': code }),
  });
  response.end(message === '' ? 'The engine host failed without a reason.' : message);
}

/** Answers row by row. ClickHouse plans the statement on this thread, so other requests wait for that: see `isWhole`. */
async function read(session: Session, statement: Statement, response: ServerResponse): Promise<void> {
  const stream: ChdbQueryStream = session.queryStream(statement.sql, { format: 'JSONCompactEachRow' });
  response.on('close', () => {
    stream.cancel();
  });
  for await (const chunk of stream) {
    if (response.destroyed) return;
    // The engine reuses its buffer for the next chunk.
    if (!response.write(Buffer.from(chunk.raw()))) await onceWritable(response);
  }
  response.end();
}

const READS_PARQUET = /^([\s\S]*)\sFORMAT Parquet\s*$/;

/**
 * Answers with Parquet through a file beside the data. In a stream, the engine would make each chunk a Parquet file of
 * its own, and such files cannot be joined.
 */
async function readParquet(session: Session, bodies: string, select: string, response: ServerResponse): Promise<void> {
  const file = join(bodies, `${randomBytes(12).toString('hex')}.parquet`);
  try {
    await session.queryAsync(`INSERT INTO FUNCTION file(${quoted(file)}, 'Parquet') ${select}`);
    for await (const chunk of createReadStream(file)) {
      if (response.destroyed) return;
      if (!response.write(chunk)) await onceWritable(response);
    }
    response.end();
  } finally {
    await rm(file, { force: true });
  }
}

function onceWritable(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

/** Turns a full disk under a file of this program into the engine's own exception for it. */
function asException(error: unknown): never {
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
    throw new Error(`Code: 243. DB::Exception: ${(error as Error).message} (NOT_ENOUGH_SPACE)`, { cause: error });
  throw error;
}

/** Inserts a body of ClickHouse's `Native` format through a file beside the data. */
async function insertNative(session: Session, bodies: string, insert: RegExpExecArray, data: Buffer): Promise<void> {
  const [, table = '', columns = '', selected = columns] = insert;
  const file = join(bodies, `${randomBytes(12).toString('hex')}.native`);
  try {
    await writeFile(file, data, { mode: 0o600 }).catch(asException);
    await session.queryAsync(
      `INSERT INTO ${table} (${columns}) SELECT ${selected} FROM file(${quoted(file)}, 'Native')`,
    );
  } finally {
    await rm(file, { force: true });
  }
}

async function write(session: Session, bodies: string, statement: Statement, response: ServerResponse): Promise<void> {
  const { sql, data } = statement;
  const native = data === null ? null : INSERT_NATIVE.exec(sql);
  if (data !== null && native !== null) {
    await insertNative(session, bodies, native, data);
    response.end();
    return;
  }
  const insert = data === null ? null : INSERT_WITH_DATA.exec(sql);
  if (data !== null && insert !== null) {
    const [, table, columns, format] = insert;
    if (data.length > 0)
      await session.insert({
        table: table ?? '',
        ...(columns === undefined ? {} : { columns: columns.split(',').map((c) => c.trim()) }),
        format: format as 'JSONCompactEachRow' | 'JSONEachRow',
        values: data,
      });
  } else {
    const whole = data === null || data.length === 0 ? sql : `${sql}\n${data.toString('utf8')}`;
    const result = await session.queryAsync(whole);
    response.write(result.bytes());
  }
  response.end();
}

/** Sessions kept open for the next request with the same settings, of each kind. */
const MAX_IDLE_SESSIONS = 16;

/**
 * Sessions by the settings that they were given: settings stick to a session, so a request takes one that has exactly
 * its own. Parameters stick too, but every statement sets all that it uses.
 */
class Sessions {
  readonly #path: string;
  readonly #idle = new Map<string, Session[]>();

  constructor(path: string) {
    this.#path = path;
  }

  async take(key: string, statements: string): Promise<Session> {
    const idle = this.#idle.get(key)?.pop();
    if (idle !== undefined) return idle;
    const session = new Session(this.#path);
    try {
      await session.queryAsync(statements);
    } catch (error) {
      session.close();
      throw error;
    }
    return session;
  }

  giveBack(key: string, session: Session): void {
    const idle = this.#idle.get(key) ?? [];
    this.#idle.set(key, idle);
    if (idle.length < MAX_IDLE_SESSIONS) idle.push(session);
    else session.close();
  }

  close(): void {
    for (const idle of this.#idle.values()) for (const session of idle) session.close();
    this.#idle.clear();
  }
}

async function answer(
  sessions: Sessions,
  bodies: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const statement = await statementOf(request);
  const before = Object.entries(statement.settings).map(([name, value]) => `SET ${name} = ${quoted(value)}`);
  if (statement.database !== 'default') before.push(`USE ${statement.database.replaceAll(/\W/g, '')}`);
  const key = before.join('; ');
  const session = await sessions.take(key, key);
  let isReusable = false;
  try {
    // As `SET param_…`, not through the binding of the package: that escapes once more what HTTP clients have escaped.
    const parameters = Object.entries(statement.parameters).map(([name, value]) => `param_${name} = ${quoted(value)}`);
    if (parameters.length > 0) await session.queryAsync(`SET ${parameters.join(', ')}`);
    const parquet = READS_PARQUET.exec(statement.sql);
    if (parquet !== null) await readParquet(session, bodies, parquet[1] ?? '', response);
    else if (
      !statement.isWhole &&
      READS.test(statement.sql) &&
      (statement.data === null || statement.data.length === 0)
    )
      await read(session, statement, response);
    else await write(session, bodies, statement, response);
    // A stream that was cancelled may still be ending.
    isReusable = !response.destroyed && DROPS.test(statement.sql) === false;
  } finally {
    if (isReusable) sessions.giveBack(key, session);
    else session.close();
  }
}

function hasKey(request: IncomingMessage, key: string): boolean {
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  const given = basic === undefined ? '' : Buffer.from(basic, 'base64').toString('utf8').split(':').slice(1).join(':');
  const a = Buffer.from(given);
  const b = Buffer.from(key);
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Says in the data directory where the host is. Returns the path of that file. */
function announce(dataDir: string, address: EngineAddress): string {
  const file = join(dataDir, ENGINE_FILE);
  // Written beside and renamed: a reader never sees half of it.
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(address), { mode: 0o600 });
  renameSync(`${file}.${process.pid}`, file);
  return file;
}

/**
 * Opens the data directory and serves until nobody has asked for `idleSeconds`.
 * @throws when another process holds the directory, or it cannot be written
 */
export async function runEngineHost(dataDir: string, idleSeconds: number): Promise<void> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const enginePath = join(dataDir, 'clickhouse');
  // Held for the whole life of the process: it keeps the engine and its lock, so that a request's session is cheap.
  const keeper = new Session(enginePath, { connectionArgs: ['--timezone=UTC', '--logger.level=none'] });
  await keeper.queryAsync('SELECT 1');
  const sessions = new Sessions(enginePath);
  const bodies = join(dataDir, BODIES);
  // Bodies that a killed host left behind are of no use: their senders send them again.
  rmSync(bodies, { recursive: true, force: true });
  mkdirSync(bodies, { mode: 0o700 });
  const key = randomBytes(24).toString('hex');
  let active = 0;
  let lastUse = Date.now();

  const server = createServer((request, response) => {
    // Proves to a client that this is the host of the announced key, before the client sends any key.
    const nonce = /^\/hello\?nonce=(\w{1,128})$/.exec(request.url ?? '')?.[1];
    if (nonce !== undefined) {
      lastUse = Date.now();
      response.end(proofOf(key, nonce));
      return;
    }
    if (!hasKey(request, key)) {
      refuse(response, 403, new Error('Code: 516. DB::Exception: wrong engine key. (AUTHENTICATION_FAILED)'));
      return;
    }
    if (request.url === '/ping') {
      lastUse = Date.now();
      response.end('Ok.\n');
      return;
    }
    active += 1;
    answer(sessions, bodies, request, response)
      .catch((error: unknown) => {
        refuse(response, 500, error);
      })
      .finally(() => {
        active -= 1;
        lastUse = Date.now();
      });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const file = announce(dataDir, { pid: process.pid, port: (server.address() as AddressInfo).port, key });

  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    rmSync(file, { force: true });
    server.close();
    server.closeIdleConnections();
    while (active > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    sessions.close();
    await drainPending();
    keeper.close();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
  setInterval(() => {
    if (active === 0 && Date.now() - lastUse > idleSeconds * 1000) void stop();
  }, 500);
}

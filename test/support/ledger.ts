import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Config } from '@ctwa-ledger/schemas/config.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { vi } from 'vitest';
import { z } from 'zod';
import { csvText } from '../../services/exports/csv.ts';
import { csvReport, type ReportName } from '../../services/exports/report.ts';
import type { Database } from '../../services/clickhouse/database.ts';
import { Ledger } from '../../services/ledger/ledger.ts';
import { settleSummaries } from '../../services/ledger/derived/summaries.ts';
import { MESSAGES_COLUMNS } from '../../services/reports/messages.ts';
import type { Prng } from '../../services/simulate/prng.ts';
import type { OracleReports, Row } from '../oracle/oracle.ts';
import { makeTables } from './tables.ts';
import { csvRows, DataDirectory, until, type Env, type Finished } from './product.ts';

export const isFull = process.env['CTWA_FULL'] === '1';
// Many cases in one test take their time; only what hangs is to be ended.
if (isFull) vi.setConfig({ testTimeout: 3 * 3_600_000 });

const CLI = fileURLToPath(new URL('../../services/cli/ctwa-ledger.js', import.meta.url));
/** Engines that a test leaves behind, should it be ended in the middle, go by themselves after so many seconds. */
const IDLE_SECONDS = '15';
/** What a developer's shell may carry and a test must not inherit. */
const FOREIGN = /^(CLICKHOUSE_|KAFKA_|META_|CTWA_)/;

for (const name of Object.keys(process.env)) if (FOREIGN.test(name) && name !== 'CTWA_FULL') delete process.env[name];
process.env['CTWA_ENGINE_IDLE_SECONDS'] = IDLE_SECONDS;

/** No range, UTC, and a clock by which everything is mature. */
export const EVERYTHING: ReportFilters = { from: null, to: null, tz: 'UTC', as_of: 1_800_000_000 };

const DEFAULT_DATABASE = 'ctwa_ledger';

/** Opens a ledger, whose tables are made if there are none. */
export async function openLedger(
  data: DataDirectory,
  database: string = DEFAULT_DATABASE,
  config: Config | null = null,
  onProgress: (threads: number) => void = () => undefined,
): Promise<Ledger> {
  await makeTables(data, database);
  const location = { kind: 'embedded', dataDir: data.path } as const;
  return Ledger.open({ location, database, config, command: 'a test', onProgress });
}

/** Opens a ledger for some work and closes it whatever happens. */
export async function withLedger<T>(
  data: DataDirectory,
  database: string,
  work: (ledger: Ledger) => Promise<T>,
  config: Config | null = null,
): Promise<T> {
  const ledger = await openLedger(data, database, config);
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}

/** Drops the database of a test and forgets what it held, so that many fit in one data directory. */
export async function drop(ledger: Ledger): Promise<void> {
  await ledger.database.command(`DROP DATABASE ${ledger.database.name}`);
}

export function ndjson(events: readonly unknown[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

export function writeNdjson(data: DataDirectory, name: string, events: readonly unknown[]): string {
  const path = data.file(name);
  writeFileSync(path, ndjson(events));
  return path;
}

/** The reports that the oracle knows too. */
const COMPARED = ['messages', 'conversations', 'daily', 'ads'] as const satisfies readonly ReportName[];
type ComparedName = (typeof COMPARED)[number];

export type ReportTexts = Readonly<Record<ComparedName, string>>;

/** Columns that tell when and how often a row was written: the same rows have others in another ledger. */
const CHANGE_COLUMNS = ['row_version', 'updated_at', 'is_gone'] as const;

/** A report as text, without the columns that tell when its rows were written. */
export function withoutTimes(text: string): string {
  const [header = ''] = text.split('\n');
  return onlyColumns(
    text,
    header.split(',').filter((column) => !CHANGE_COLUMNS.some((one) => one === column)),
  );
}

/** The columns of `messages` that say how a message is marked: neither what it costs nor when the row was written. */
const MARK_COLUMNS = [
  ...MESSAGES_COLUMNS.slice(0, MESSAGES_COLUMNS.indexOf('waba_id')),
  ...MESSAGES_COLUMNS.slice(MESSAGES_COLUMNS.indexOf('period') + 1, MESSAGES_COLUMNS.indexOf('participant')),
];

function onlyColumns(text: string, columns: readonly string[]): string {
  return csvText([columns, ...csvRows(text).map((row) => columns.map((column) => row[column] ?? ''))]);
}

/** Report `messages` or `conversations` as text, with what the events decide and neither prices nor times of writing. */
export function asMarked(report: 'messages' | 'conversations', text: string): string {
  return report === 'messages' ? onlyColumns(text, MARK_COLUMNS) : withoutTimes(text);
}

/**
 * The four reports as CSV, byte for byte what an export prints, but of messages and conversations only how they are
 * marked; summaries are settled first.
 */
export async function reportTexts(database: Database, filters: ReportFilters = EVERYTHING): Promise<ReportTexts> {
  await settleSummaries(database);
  const texts = { messages: '', conversations: '', daily: '', ads: '' };
  for (const report of COMPARED) for await (const part of csvReport(report, database, filters)) texts[report] += part;
  return {
    ...texts,
    messages: asMarked('messages', texts.messages),
    conversations: asMarked('conversations', texts.conversations),
  };
}

/** The four reports as rows, every cell as it is printed. */
export function rowsOf(texts: ReportTexts): OracleReports {
  return {
    messages: csvRows(texts.messages),
    conversations: csvRows(texts.conversations),
    daily: csvRows(texts.daily),
    ads: csvRows(texts.ads),
  };
}

/** The same rows cell by cell, so that the order of the columns counts in a comparison too. */
export function inOrder(reports: OracleReports): Record<ComparedName, [string, string][][]> {
  const cells = (rows: readonly Row[]): [string, string][][] => rows.map((row) => Object.entries(row));
  return {
    messages: cells(reports.messages),
    conversations: cells(reports.conversations),
    daily: cells(reports.daily),
    ads: cells(reports.ads),
  };
}

/** One number from the ledger. */
export async function numberFrom(database: Database, sql: string): Promise<number> {
  const [row] = await database.query(z.object({ n: z.coerce.number() }), sql);
  if (row === undefined) throw new Error(`No row from ${sql}`);
  return row.n;
}

export function shuffled<T>(items: readonly T[], prng: Prng): T[] {
  const list = [...items];
  for (let i = list.length - 1; i > 0; i--) {
    const j = prng.int(0, i);
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}

export interface CommandOptions {
  readonly env?: Env;
  /** What standard input carries; nothing when left out. */
  readonly input?: string | Buffer;
}

/** A command under way. */
export interface Running {
  readonly child: ChildProcess;
  /** Resolves when the process has ended, however it did. */
  readonly finished: Promise<Finished>;
}

/** Starts a command with exactly these arguments, in the data directory as its working directory. */
export function begin(data: DataDirectory, args: readonly string[], options: CommandOptions = {}): Running {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: data.path,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  data.adopt(child);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  // A command that ends before it has read its input closes the pipe, which is its good right.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const finished = new Promise<Finished>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') });
    });
  });
  return { child, finished };
}

/** Runs a command of the data directory to its end. */
export function run(data: DataDirectory, args: readonly string[], options: CommandOptions = {}): Promise<Finished> {
  return begin(data, [...args, '--data', data.path], options).finished;
}

/** Runs a command that must succeed. */
export async function succeed(
  data: DataDirectory,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Finished> {
  const finished = await run(data, args, options);
  if (finished.code !== 0) throw new Error(`${args.join(' ')} ended with ${String(finished.code)}: ${finished.stderr}`);
  return finished;
}

const countsSchema = z.object({
  read: z.number(),
  stored: z.number(),
  duplicate: z.number(),
  rejected: z.number(),
  seconds: z.number(),
});

/** The last line that `ingest` prints; that its sum is right is checked wherever it is read. */
export function countsOf(finished: Finished): Omit<z.infer<typeof countsSchema>, 'seconds'> {
  const last = finished.stdout.trimEnd().split('\n').at(-1) ?? '';
  const { read, stored, duplicate, rejected } = countsSchema.parse(JSON.parse(last));
  if (read !== stored + duplicate + rejected) throw new Error(`The counts do not add up: ${last}`);
  return { read, stored, duplicate, rejected };
}

/** Process id of the engine host of a data directory, when one has announced itself. */
export function enginePid(data: DataDirectory): number | null {
  try {
    const { pid } = JSON.parse(readFileSync(data.file('engine.json'), 'utf8')) as { pid: number };
    return pid;
  } catch {
    return null;
  }
}

/** A gate that something can be held at. */
export class Gate {
  #arrived: () => void = () => undefined;
  #open: () => void = () => undefined;
  /** Resolves when somebody stands at the gate. */
  readonly reached = new Promise<void>((resolve) => (this.#arrived = resolve));
  readonly #opened = new Promise<void>((resolve) => (this.#open = resolve));

  /** Waits until the gate is opened. */
  pass(): Promise<void> {
    this.#arrived();
    return this.#opened;
  }

  open(): void {
    this.#open();
  }
}

/** Holds the next insert of this ledger into a table at a gate, in whatever form; an open gate holds nothing. */
export function holdInsert(ledger: Ledger, held: string): Gate {
  const gate = new Gate();
  const { database } = ledger;
  const insertBlock = database.insertBlock.bind(database);
  const insertLines = database.insertLines.bind(database);
  const hold = async (): Promise<void> => {
    database.insertBlock = insertBlock;
    database.insertLines = insertLines;
    await gate.pass();
  };
  database.insertBlock = async (table, block) => {
    if (table === held && block.rows > 0) await hold();
    await insertBlock(table, block);
  };
  database.insertLines = async (table, columns, lines) => {
    if (table === held && lines.length > 0) await hold();
    await insertLines(table, columns, lines);
  };
  return gate;
}

/** Holds the next statement of this ledger that contains a text at a gate. */
export function holdCommand(ledger: Ledger, held: string): Gate {
  const gate = new Gate();
  const { database } = ledger;
  const command = database.command.bind(database);
  database.command = async (sql, parameters) => {
    if (sql.includes(held)) {
      database.command = command;
      await gate.pass();
    }
    await command(sql, parameters);
  };
  return gate;
}

export { DataDirectory, until };

/**
 * The register of imports: files that people and Meta give. A kind says how its files are read, what importing one would
 * do, and which rows it brings. The register keeps the file with its checksum, who imported it and when, and withdraws it.
 * All kinds are imported under one lease, so that no import is planned on what another one is changing.
 */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { underLease } from '../clickhouse/lease.ts';
import { utcText } from '../clickhouse/sql.ts';

/** A file as it was given. */
export interface GivenFile {
  /** File name, without its directory. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Rows that an import brings to a table. */
interface ImportedRows {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

/** An import that is to be entered. */
export interface NewImport {
  /** Its columns in the table of its kind, except when and by whom it was imported. */
  readonly entry: Readonly<Record<string, unknown>>;
  readonly rows: readonly ImportedRows[];
}

/** Imports of one kind as they are listed. */
interface Registry<Listed> {
  /** The table with one row for each import: its own columns, and those of the register. */
  readonly table: string;
  /** The column that identifies an import. */
  readonly id: Extract<keyof Listed, string>;
  /** What an import is called in messages, and the command that lists all of them. */
  readonly noun: string;
  readonly listedBy: string;
  /** All imports, whatever became of them. */
  list(database: Database): Promise<Listed[]>;
}

interface ListedImport {
  readonly state: 'holds' | 'replaced' | 'withdrawn';
}

/** A kind of import. */
export interface ImportKind<Given, Read, Planned, Listed extends ListedImport> extends Registry<Listed> {
  /** Tables that hold what its imports say: with `table`, all that an import touches. */
  readonly touches: readonly string[];
  /** @throws BrokenFileError that names every place that cannot be read */
  read(given: Given, database: Database): Promise<Read>;
  /**
   * What importing it would do, as the ledger stands.
   * @throws ActionableError where it does not go together with what holds
   */
  plan(read: Read, database: Database): Promise<Planned>;
  /** The imports to be entered for a plan, with the files that they come from; none where everything holds already. */
  changes(
    read: Read,
    planned: Planned,
  ): { readonly files: readonly GivenFile[]; readonly imports: readonly NewImport[] };
}

/** The tables that say what a kind says: an answer made of them is outdated by an import. */
export function tablesOf({
  table,
  touches,
}: {
  readonly table: string;
  readonly touches: readonly string[];
}): readonly string[] {
  return [table, ...touches];
}

const LEASE = 'imports';
/** An import takes a second or so; who comes meanwhile waits for it. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 100;
/** Rows sent in one insert. */
const MAX_BATCH_ROWS = 50_000;

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** What an import is known by: the same content, read in the same way, is the same import. */
export function importId(...content: readonly unknown[]): string {
  return sha256(JSON.stringify(content)).slice(0, 12);
}

/** The columns of the register as lists select them, with times as text. */
export function registeredColumns(table: string): string {
  return `${utcText(`${table}.imported_at`)} AS imported_at, imported_by, ${utcText(`${table}.withdrawn_at`)} AS withdrawn_at, withdrawn_by`;
}

/** @throws ActionableError when another import does not end */
export async function underImportLease<T>(database: Database, work: () => Promise<T>): Promise<T> {
  for (let waited = 0; waited <= PATIENCE_MS; waited += PAUSE_MS) {
    const done = await underLease(database, LEASE, async () => ({ result: await work() }));
    if (done !== null) return done.result;
    await pause(PAUSE_MS);
  }
  throw new ActionableError('Another import is being written. Try again when it is done.');
}

async function insertRows(database: Database, { table, columns, rows }: ImportedRows): Promise<void> {
  for (let from = 0; from < rows.length; from += MAX_BATCH_ROWS) {
    const lines = rows.slice(from, from + MAX_BATCH_ROWS).map((row) => `${JSON.stringify(row)}\n`);
    await database.insertLines(table, columns, lines.join(''));
  }
}

async function keepFiles(database: Database, files: readonly GivenFile[]): Promise<void> {
  for (const { bytes } of files) {
    const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
    await insertRows(database, {
      table: 'import_files',
      columns: ['checksum', 'base64'],
      rows: [[sha256(bytes), base64]],
    });
  }
}

const stampRow = z.object({ at: z.string(), next: z.string() });

/** All of them in one insert: what was given at once holds as a whole or not at all. */
async function enter(database: Database, table: string, imports: readonly NewImport[], by: string): Promise<void> {
  // Whatever the clock says, what is imported later counts as later.
  const [stamp] = await database.query(
    stampRow,
    `SELECT toString(greatest(now64(3, 'UTC'), max(imported_at) + toIntervalMillisecond(1))) AS at,
        toString(max(version) + 1) AS next
     FROM ${table}`,
  );
  const columns = Object.keys(imports[0]?.entry ?? {});
  await insertRows(database, {
    table,
    columns: [...columns, 'imported_at', 'imported_by', 'version'],
    rows: imports.map(({ entry }) => [...columns.map((column) => entry[column]), stamp?.at, by, stamp?.next]),
  });
}

/** What an import would do; nothing is written. @throws ActionableError like `importGiven` */
export async function previewGiven<Given, Read, Planned, Listed extends ListedImport>(
  database: Database,
  kind: ImportKind<Given, Read, Planned, Listed>,
  given: Given,
): Promise<{ readonly read: Read; readonly planned: Planned }> {
  const read = await kind.read(given, database);
  return { read, planned: await kind.plan(read, database) };
}

/**
 * Imports what was given as a whole or not at all. What holds already changes nothing; what was withdrawn or replaced
 * holds again.
 * @param by who imports it
 * @throws BrokenFileError that names every place that cannot be read; ActionableError where it does not go together with what
 * holds
 */
export async function importGiven<Given, Read, Planned, Listed extends ListedImport>(
  database: Database,
  kind: ImportKind<Given, Read, Planned, Listed>,
  given: Given,
  by: string,
): Promise<Planned> {
  const read = await kind.read(given, database);
  return underImportLease(database, async () => {
    const planned = await kind.plan(read, database);
    const { files, imports } = kind.changes(read, planned);
    if (imports.length === 0) return planned;
    await keepFiles(database, files);
    for (const { rows } of imports) for (const some of rows) await insertRows(database, some);
    // After their rows: an import that was interrupted says nothing.
    await enter(database, kind.table, imports, by);
    return planned;
  });
}

/**
 * Withdraws an import: it stays listed, and what it had replaced holds again. One that is withdrawn stays as it is.
 * @param by who withdraws it
 * @returns the import before and now
 * @throws ActionableError when there is none of that id
 */
export function withdrawImport<Listed extends ListedImport>(
  database: Database,
  registry: Registry<Listed>,
  id: string,
  by: string,
): Promise<{ readonly before: Listed; readonly now: Listed }> {
  const find = async (): Promise<Listed> => {
    const found = (await registry.list(database)).find((one) => one[registry.id] === id);
    if (found === undefined)
      throw new ActionableError(`There is no ${registry.noun} "${id}". See the ids with "${registry.listedBy}".`);
    return found;
  };
  return underImportLease(database, async () => {
    const before = await find();
    if (before.state === 'withdrawn') return { before, now: before };
    await database.command(
      `INSERT INTO ${registry.table}
       SELECT * REPLACE (now64(3, 'UTC') AS withdrawn_at, {by:String} AS withdrawn_by,
          (SELECT max(version) FROM ${registry.table}) + 1 AS version)
       FROM ${registry.table} FINAL WHERE ${registry.id} = {id:String}`,
      { id, by },
    );
    return { before, now: await find() };
  });
}

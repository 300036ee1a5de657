/**
 * The register of imports: files from people and from Meta. Each kind of import knows how its files are read, what
 * importing one would do, and which rows it brings. The register stores the file with its checksum, who imported it and
 * when, and withdraws imports. All kinds share one lease, so that no import is planned while another one changes the
 * ledger.
 */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { underLease } from '../clickhouse/lease.ts';
import { utcText } from '../clickhouse/sql.ts';

/** A file and its name. */
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

/** An import that is about to be entered. */
export interface NewImport {
  /** The columns of its kind's table, without those of the register. */
  readonly entry: Readonly<Record<string, unknown>>;
  readonly rows: readonly ImportedRows[];
}

/** How imports of one kind are stored and listed. */
interface Registry<Listed> {
  /** The table with one row for each import: columns of the kind and of the register. */
  readonly table: string;
  /** The column that identifies an import. */
  readonly id: Extract<keyof Listed, string>;
  /** The word for an import in messages, and the command that lists all of them. */
  readonly noun: string;
  readonly listedBy: string;
  /** All imports, also withdrawn and replaced ones. */
  list(database: Database): Promise<Listed[]>;
}

interface ListedImport {
  readonly state: 'holds' | 'replaced' | 'withdrawn';
}

/** A kind of import. */
export interface ImportKind<Given, Read, Planned, Listed extends ListedImport> extends Registry<Listed> {
  /** Tables with the contents of imports. Together with `table` these are all tables that an import changes. */
  readonly touches: readonly string[];
  /** @throws BrokenFileError that names every place that cannot be read */
  read(given: Given, database: Database): Promise<Read>;
  /**
   * What importing it would do to the ledger as it is now.
   * @throws ActionableError when it contradicts an import in force
   */
  plan(read: Read, database: Database): Promise<Planned>;
  /** The imports that a plan enters, with their files; empty when all of them are in force already. */
  changes(
    read: Read,
    planned: Planned,
  ): { readonly files: readonly GivenFile[]; readonly imports: readonly NewImport[] };
}

/** The tables with everything that imports of a kind say: an answer that depends on them is outdated by an import. */
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
/** An import takes about a second. Other imports wait for so long. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 100;
/** Rows of one insert. */
const MAX_BATCH_ROWS = 50_000;

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The id of an import: the same content, read in the same way, is the same import. */
export function importId(...content: readonly unknown[]): string {
  return sha256(JSON.stringify(content)).slice(0, 12);
}

/** The select list of the register's columns, with times as text. */
export function registeredColumns(table: string): string {
  return `${utcText(`${table}.imported_at`)} AS imported_at, imported_by, ${utcText(`${table}.withdrawn_at`)} AS withdrawn_at, withdrawn_by`;
}

/** @throws ActionableError when another import does not end in time */
export async function underImportLease<T>(database: Database, work: () => Promise<T>): Promise<T> {
  for (let waited = 0; waited <= PATIENCE_MS; waited += PAUSE_MS) {
    const done = await underLease(database, LEASE, async () => ({ result: await work() }));
    if (done !== null) return done.result;
    await pause(PAUSE_MS);
  }
  throw new ActionableError('Another import is in progress. Try again when it has finished.');
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

/** Enters all imports in one insert, so that they come into force together or not at all. */
async function enter(database: Database, table: string, imports: readonly NewImport[], by: string): Promise<void> {
  // Later than every earlier import, whatever the clock says.
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

/** What an import would do; writes nothing. @throws ActionableError like `importGiven` */
export async function previewGiven<Given, Read, Planned, Listed extends ListedImport>(
  database: Database,
  kind: ImportKind<Given, Read, Planned, Listed>,
  given: Given,
): Promise<{ readonly read: Read; readonly planned: Planned }> {
  const read = await kind.read(given, database);
  return { read, planned: await kind.plan(read, database) };
}

/**
 * Imports everything or nothing. Importing what is in force changes nothing; importing what was withdrawn or replaced
 * puts it in force again.
 * @param by who imports it
 * @throws BrokenFileError that names every place that cannot be read; ActionableError when it contradicts an import in
 * force
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
    // Entered after its rows, so that an interrupted import has no effect.
    await enter(database, kind.table, imports, by);
    return planned;
  });
}

/**
 * Withdraws an import: it stays listed, and what it replaced is in force again. Withdrawing it again changes nothing.
 * @param by who withdraws it
 * @returns the import before and after
 * @throws ActionableError when there is none with that id
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
      throw new ActionableError(`There is no ${registry.noun} "${id}". List the ids with "${registry.listedBy}".`);
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

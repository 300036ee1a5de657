import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { Database } from '../../services/clickhouse/database.ts';
import { migrate, readMigrations } from '../../services/clickhouse/migrations.ts';
import { DataDirectory, until } from './product.ts';

/** The database of the ledger that the statements were read from. */
const MODEL = 'model_of_tables';
const tableRow = z.object({ name: z.string(), statement: z.string() });
const migrationRow = z.object({ version: z.number(), name: z.string() });

const databaseOf = (data: DataDirectory, name: string): Database =>
  new Database({ kind: 'embedded', dataDir: data.path }, name);

/** Applies the migrations to a new ledger, and gives the statements that make the same tables at once. */
async function readStatements(): Promise<string> {
  const data = new DataDirectory();
  const database = databaseOf(data, MODEL);
  try {
    await database.create();
    await migrate(database);
    const tables = await database.query(
      tableRow,
      `SELECT name, create_table_query AS statement FROM system.tables
       WHERE database = currentDatabase() ORDER BY engine = 'MaterializedView', name`,
    );
    const migrations = await database.query(migrationRow, 'SELECT version, name FROM migrations ORDER BY version');
    const applied = migrations.map(({ version, name }) => `(${version}, '${name}', now())`);
    return [
      ...tables.map(({ statement }) => statement),
      `INSERT INTO ${MODEL}.migrations VALUES ${applied.join(', ')}`,
    ].join(';\n');
  } finally {
    await database.close();
    await data.remove();
  }
}

/** The first process that asks makes them, for the others too. */
async function statements(): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(readMigrations())).digest('hex');
  const file = join(tmpdir(), `ctwa-tables-${hash.slice(0, 16)}.sql`);
  const lock = `${file}.lock`;
  const locked = (): boolean => {
    try {
      mkdirSync(lock);
      return true;
    } catch {
      return false;
    }
  };
  return until('the statements that make tables are there', async () => {
    if (existsSync(file)) return readFileSync(file, 'utf8');
    if (!locked()) return null;
    try {
      writeFileSync(`${file}.new`, await readStatements());
      renameSync(`${file}.new`, file);
    } finally {
      rmdirSync(lock);
    }
    return readFileSync(file, 'utf8');
  });
}

/**
 * Makes the database of a ledger with the tables that the migrations make, at a fraction of their time; one that is there
 * is left alone. For tests that are not about how a ledger comes to be.
 */
export async function makeTables(data: DataDirectory, name = 'ctwa_ledger'): Promise<void> {
  const database = databaseOf(data, name);
  try {
    if (await database.exists()) return;
    const made = await statements();
    await database.create();
    await database.command(made.replaceAll(`${MODEL}.`, `${name}.`));
  } finally {
    await database.close();
  }
}

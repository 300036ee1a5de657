import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Database } from './database.ts';
import { ActionableError, LedgerNotThereError } from './errors.ts';

const DIRECTORY = fileURLToPath(new URL('../../sql/', import.meta.url));

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
}

/** The numbered files of `sql/`, in order. A statement ends with `;` at the end of a line. */
export function readMigrations(): Migration[] {
  return readdirSync(DIRECTORY)
    .filter((name) => /^\d{4}_.+\.sql$/.test(name))
    .sort()
    .map((name) => ({
      version: Number(name.slice(0, 4)),
      name,
      statements: readFileSync(DIRECTORY + name, 'utf8')
        .split(/;\s*$/m)
        .map((statement) => statement.trim())
        .filter((statement) => statement !== ''),
    }));
}

async function hasMigrations(database: Database): Promise<boolean> {
  const [exists] = await database.query(
    z.object({ n: z.coerce.number() }),
    "SELECT count() AS n FROM system.tables WHERE database = currentDatabase() AND name = 'migrations'",
  );
  return exists !== undefined && exists.n > 0;
}

/**
 * The versions that were applied, each by itself: a lower one may have been added after a higher one was applied.
 * @throws ActionableError when the ledger was written by a newer version of this program
 */
async function appliedVersions(database: Database, newest: number): Promise<ReadonlySet<number>> {
  const rows = await database.query(z.object({ version: z.number() }), 'SELECT DISTINCT version FROM migrations');
  const applied = new Set(rows.map((row) => row.version));
  const highest = Math.max(0, ...applied);
  if (highest > newest)
    throw new ActionableError(
      `The ledger was written by a newer version of ctwa-ledger (schema ${highest}, this program knows ${newest}). Update this program, or use another ledger.`,
    );
  return applied;
}

/**
 * Checks that the schema is the one that this program knows, and changes nothing.
 * @throws LedgerNotThereError when it is missing or older: a command that writes brings it up to date
 * @throws ActionableError when the ledger was written by a newer version of this program
 */
export async function checkSchema(database: Database): Promise<void> {
  const migrations = readMigrations();
  const newest = migrations.at(-1)?.version ?? 0;
  const applied = (await hasMigrations(database)) ? await appliedVersions(database, newest) : new Set<number>();
  if (migrations.some(({ version }) => !applied.has(version)))
    throw new LedgerNotThereError(
      `The tables of the ledger "${database.name}" are not up to date yet (${applied.size} of ${migrations.length} migrations are applied). A command that writes brings them up, consume or ingest for instance.`,
    );
}

/**
 * Brings the schema up to date. Idempotent, also when two processes do it at once.
 * @throws ActionableError when the ledger was written by a newer version of this program
 */
export async function migrate(database: Database): Promise<void> {
  const migrations = readMigrations();
  if (!(await hasMigrations(database)))
    await database.command(
      'CREATE TABLE IF NOT EXISTS migrations (version UInt32, name String, applied_at DateTime) ENGINE = ReplacingMergeTree ORDER BY version',
    );
  const applied = await appliedVersions(database, migrations.at(-1)?.version ?? 0);
  for (const migration of migrations) {
    if (applied.has(migration.version)) continue;
    for (const statement of migration.statements) await database.command(statement);
    await database.command('INSERT INTO migrations SELECT {version:UInt32}, {name:String}, now()', {
      version: migration.version,
      name: migration.name,
    });
  }
}

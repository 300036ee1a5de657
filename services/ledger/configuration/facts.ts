import { z } from 'zod';
import type { Database } from '../../clickhouse/database.ts';

/** A named fact about the ledger as a whole; null when it was never written. */
export async function readFact(database: Database, name: string): Promise<string | null> {
  const [row] = await database.query(
    z.object({ value: z.string() }),
    'SELECT value FROM ledger_facts FINAL WHERE name = {name:String}',
    {
      name,
    },
  );
  return row?.value ?? null;
}

export async function writeFact(database: Database, name: string, value: string): Promise<void> {
  await database.command('INSERT INTO ledger_facts SELECT {name:String}, {value:String}, now64(3)', { name, value });
}

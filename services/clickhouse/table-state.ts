import { z } from 'zod';
import type { Database } from './database.ts';

const stateRow = z.object({ state: z.string() });

/** A fingerprint of what tables contain. It changes with every write, and also with a merge, which costs one answer. */
export async function stateOf(database: Database, tables: readonly string[]): Promise<string> {
  const states = await database.tableStates();
  return tables.map((table) => states.get(table) ?? '').join(' ');
}

/**
 * A fingerprint of how far tables were written. It changes with every write and not with merges, so it can be stored
 * for long.
 */
export async function writtenUpTo(database: Database, tables: readonly string[]): Promise<string> {
  const [row] = await database.query(
    stateRow,
    `SELECT toString(groupBitXor(sipHash64(table, partition_id, last_block))) AS state
     FROM
     (
       SELECT table, partition_id, max(max_block_number) AS last_block
       FROM system.parts WHERE database = currentDatabase() AND active AND table IN {tables:Array(String)}
       GROUP BY table, partition_id
     )`,
    { tables: [...tables] },
  );
  return row?.state ?? '';
}

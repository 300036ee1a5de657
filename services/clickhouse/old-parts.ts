import { z } from 'zod';
import type { Database } from './database.ts';
import { ActionableError } from './errors.ts';

const partsRow = z.object({ table: z.string() });
const WAIT_MS = 120_000;
const PAUSE_MS = 250;

/**
 * Removes the parts of tables that deleted rows are still in. ClickHouse keeps parts that were replaced for some minutes.
 * @param again the command that goes on where this stopped
 * @throws ActionableError when they are still there after two minutes
 */
export async function removeOldParts(database: Database, tables: readonly string[], again: string): Promise<void> {
  const hurried = new Set<string>();
  try {
    for (const began = Date.now(); Date.now() - began < WAIT_MS;) {
      const left = await database.query(
        partsRow,
        `SELECT DISTINCT table FROM system.parts
         WHERE database = currentDatabase() AND NOT active AND table IN (SELECT arrayJoin({tables:Array(String)}))`,
        { tables: [...tables] },
      );
      if (left.length === 0) return;
      for (const { table } of left) {
        if (!hurried.has(table)) await database.command(`ALTER TABLE ${table} MODIFY SETTING old_parts_lifetime = 0`);
        hurried.add(table);
        // There is no such partition; asking for it cleans up at once.
        await database.command(`ALTER TABLE ${table} DROP PARTITION ID 'none'`);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    throw new ActionableError(
      `ClickHouse has not removed the files with the old rows within two minutes. Look at what it is busy with, and run: ${again}`,
    );
  } finally {
    for (const table of hurried) await database.command(`ALTER TABLE ${table} RESET SETTING old_parts_lifetime`);
  }
}

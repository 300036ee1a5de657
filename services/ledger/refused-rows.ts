import type { Database } from './database.ts';
import { RefusedRowError } from './errors.ts';

/** Why ClickHouse refused a row, and which line it was. */
export interface RefusedRow {
  /** Position among the lines that were given. */
  readonly index: number;
  readonly error: RefusedRowError;
}

/**
 * Inserts lines, and where ClickHouse refuses some halves them until it is known which: all others are stored.
 * @param lines JSON arrays, each with its line break
 * @throws whatever else fails: then some of the lines may be stored
 */
export async function insertApart(
  database: Pick<Database, 'insertLines'>,
  table: string,
  columns: readonly string[],
  lines: readonly string[],
): Promise<RefusedRow[]> {
  const refused: RefusedRow[] = [];
  const insert = async (from: number, to: number): Promise<void> => {
    try {
      await database.insertLines(table, columns, lines.slice(from, to).join(''));
    } catch (error) {
      if (!(error instanceof RefusedRowError)) throw error;
      if (to - from === 1) {
        refused.push({ index: from, error });
        return;
      }
      const middle = (from + to) >> 1;
      await insert(from, middle);
      await insert(middle, to);
    }
  };
  await insert(0, lines.length);
  return refused;
}

import { RefusedRowError } from './errors.ts';

/** Why ClickHouse refused a row, and which row it was. */
export interface RefusedRow {
  /** Position among the rows that were given. */
  readonly index: number;
  readonly error: RefusedRowError;
}

/**
 * Inserts rows, and where ClickHouse refuses some halves them until it is known which: all others are stored.
 * @param insert stores the rows from one position up to another
 * @throws whatever else fails: then some of the rows may be stored
 */
export async function insertApart(
  rows: number,
  insert: (from: number, to: number) => Promise<void>,
): Promise<RefusedRow[]> {
  const refused: RefusedRow[] = [];
  const attempt = async (from: number, to: number): Promise<void> => {
    try {
      await insert(from, to);
    } catch (error) {
      if (!(error instanceof RefusedRowError)) throw error;
      if (to - from === 1) {
        refused.push({ index: from, error });
        return;
      }
      const middle = (from + to) >> 1;
      await attempt(from, middle);
      await attempt(middle, to);
    }
  };
  await attempt(0, rows);
  return refused;
}

import { z } from 'zod';
import type { Database } from '../../clickhouse/database.ts';
import { recomputeSome, settle, type Derived, type Recomputation } from './derived.ts';
import { filledQuery, readQuery } from '../../clickhouse/sql.ts';

/** The grain of the summaries: every zone's midnight falls on a quarter hour. */
export const CELL_SECONDS = 900;

/** Cells that are recomputed together in the background: about a day of all numbers of a large account. */
const CELLS_AT_ONCE = 2_000;

const CELLS = readQuery('cells');

/**
 * Summaries of some rows, with the columns of `summary_cells`.
 * @param rows a query with the columns of `sql/queries/dirty_rows.sql`
 */
export function cellsSql(rows: string, version: string): string {
  return filledQuery(CELLS, { rows, version });
}

const RECOMPUTE = filledQuery(readQuery('recompute_cells'), {
  cells: cellsSql(readQuery('dirty_rows'), '{version:UInt64}'),
});

/** The summaries that pages and reports read. */
const SUMMARIES: Derived = {
  name: 'summaries',
  dirt: 'dirty_cells',
  time: 'cell_at',
  most: CELLS_AT_ONCE,
  async recompute(database, { stamps, from }, version) {
    await database.command(RECOMPUTE, { stamps, from, version });
    return stamps;
  },
};

/** How many cells wait to be recomputed. */
export async function dirtyCells(database: Database): Promise<number> {
  const [row] = await database.query(
    z.object({ n: z.coerce.number() }),
    'SELECT uniqExact(phone_number_id, cell_at) AS n FROM dirty_cells',
  );
  return row?.n ?? 0;
}

/** Recomputes the summaries of the latest dirty cells, so many at most, from the current rows. */
export function recomputeSummaries(database: Database, most = CELLS_AT_ONCE): Promise<Recomputation> {
  return recomputeSome(database, { ...SUMMARIES, most });
}

/** Recomputes until no cell is dirty that was dirty when it was called. */
export function settleSummaries(database: Database): Promise<void> {
  return settle(database, SUMMARIES);
}

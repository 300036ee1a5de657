import { z } from 'zod';
import type { Database } from '../../clickhouse/database.ts';

/** How many events there are, and when. */
export interface Extent {
  /** Stored rows, duplicates that are not merged yet included. */
  readonly events: number;
  /** Unix seconds; null when there is none. */
  readonly first_at: number | null;
  readonly last_at: number | null;
}

const extentRow = z.object({ n: z.coerce.number(), first_at: z.number(), last_at: z.number() });

/** Read from the parts of the table, so it costs the same whatever the ledger holds. */
export async function extentOf(database: Database): Promise<Extent> {
  const [row] = await database.query(
    extentRow,
    `SELECT sum(rows) AS n, toUInt32(min(min_time)) AS first_at, toUInt32(max(max_time)) AS last_at
     FROM system.parts WHERE database = currentDatabase() AND table = 'events' AND active`,
  );
  return row === undefined || row.n === 0
    ? { events: 0, first_at: null, last_at: null }
    : { events: row.n, first_at: row.first_at, last_at: row.last_at };
}

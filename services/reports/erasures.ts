import { erasureRow, type ErasureRow } from '@ctwa-ledger/schemas/erasures.ts';
import { utcText } from '../clickhouse/sql.ts';
import type { Database } from '../clickhouse/database.ts';
import { whole } from './report.ts';

/** Erasures of customers, the latest first. */
export function listErasures(database: Database): Promise<ErasureRow[]> {
  return database.query(
    erasureRow,
    `SELECT erasure_id, ${utcText('erasures.began_at')} AS began_at, ${utcText('erasures.ended_at')} AS ended_at, erased_by,
       phone_number_id, arrayStringConcat(erasures.tokens, ' ') AS tokens, toUInt32(rows) AS rows,
       toUInt32(length(erasures.files)) AS files
     FROM erasures FINAL ORDER BY erasures.began_at DESC, erasure_id`,
  );
}

/** Report `erasures`. */
export const erasuresReport = whole({
  name: 'erasures',
  one_row_per: 'erasure of a customer, the latest first',
  row: erasureRow,
  days: 'none',
  filters: [],
  settles: [],
  reads: ['erasures'],
  key: ['erasure_id'],
  rows: listErasures,
});

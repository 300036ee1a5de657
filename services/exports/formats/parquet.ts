import type { Column } from '../../reports/report.ts';
import { isDay, textOf, type Encoding } from './format.ts';

/** Rows of a table of this name are on their way into a file. */
export const LAID_DOWN = 'export_rows_';

/** Written at once. */
const LINES_BYTES = 4 * 1024 * 1024;

/** The value of a cell with the type that a reader of Parquet expects. */
function valueOf(column: Column): string {
  const cell = `rows.${column.name}`;
  if (isDay(column)) return `toDateOrNull(${cell})`;
  switch (column.type) {
    case 'integer':
      return column.is_nullable ? `toInt64OrNull(${cell})` : `toInt64(${cell})`;
    case 'number':
      return `toFloat64OrNull(${cell})`;
    case 'decimal':
      return `toDecimal128OrNull(${cell}, 18)`;
    case 'time':
      return `parseDateTime64BestEffortOrNull(${cell}, 3, 'UTC')`;
    case 'boolean':
      return `CAST(${cell} = 'true', 'Bool')`;
    case 'text':
      return column.is_nullable ? `nullIf(${cell}, '')` : cell;
  }
}

/**
 * Parquet as ClickHouse writes it: rows are laid down in a table as they come, because a report is more than a statement,
 * and read back in their order.
 */
export async function* encodeParquet({ columns, rows, database, run }: Encoding): AsyncGenerator<Uint8Array> {
  const table = `${LAID_DOWN}${run}`;
  const names = columns.map(({ name }) => name);
  // What an earlier run left that was killed.
  await database.command(`DROP TABLE IF EXISTS ${table} SYNC`);
  await database.command(
    `CREATE TABLE ${table} (row_number UInt64, ${names.map((name) => `${name} String`).join(', ')})
     ENGINE = MergeTree ORDER BY row_number`,
  );
  try {
    const given = ['row_number', ...names];
    let lines: Buffer[] = [];
    let bytes = 0;
    let number = 0;
    for await (const batch of rows) {
      const text = batch.map((row) => JSON.stringify([number++, ...row.map(textOf)])).join('\n');
      if (text === '') continue;
      lines.push(Buffer.from(`${text}\n`));
      bytes += text.length;
      if (bytes < LINES_BYTES) continue;
      await database.insertLines(table, given, lines);
      [lines, bytes] = [[], 0];
    }
    await database.insertLines(table, given, lines);
    yield* database.streamBytes(
      `SELECT ${columns.map((column) => `${valueOf(column)} AS ${column.name}`).join(', ')}
       FROM ${table} AS rows ORDER BY rows.row_number
       SETTINGS output_format_parquet_string_as_string = 1, output_format_parquet_compression_method = 'zstd',
         optimize_read_in_order = 1`,
      'Parquet',
    );
  } finally {
    await database.command(`DROP TABLE IF EXISTS ${table} SYNC`);
  }
}

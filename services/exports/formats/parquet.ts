import type { Database } from '../../clickhouse/database.ts';
import type { Column } from '../../reports/report.ts';
import { z } from 'zod';
import { isDay, textOf, type Encoding, type StatementEncoding } from './format.ts';

/** Prefix of temporary tables with rows of a file. */
const LAID_DOWN = 'export_rows_';

/** Size of one insert. */
const LINES_BYTES = 4 * 1024 * 1024;

/**
 * A cell with the type that readers of Parquet expect.
 * @param cell SQL of its text
 */
function valueOf(column: Column, cell: string): string {
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

function parquetOf(database: Database, values: readonly string[], from: string): AsyncGenerator<Uint8Array> {
  return database.streamBytes(
    `SELECT ${values.join(', ')} FROM ${from}
     SETTINGS output_format_parquet_string_as_string = 1, output_format_parquet_compression_method = 'zstd',
       optimize_read_in_order = 1`,
    'Parquet',
  );
}

/**
 * Parquet, written by ClickHouse. A report may be more than one statement, so its rows are inserted into a temporary
 * table and read back in order.
 */
export async function* encodeParquet({ columns, rows, database, run }: Encoding): AsyncGenerator<Uint8Array> {
  const table = `${LAID_DOWN}${run}`;
  const names = columns.map(({ name }) => name);
  // Left by an earlier run that was killed.
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
    const values = columns.map((column) => `${valueOf(column, `rows.${column.name}`)} AS ${column.name}`);
    yield* parquetOf(database, values, `${table} AS rows ORDER BY rows.row_number`);
  } finally {
    await database.command(`DROP TABLE IF EXISTS ${table} SYNC`);
  }
}

const kindRow = z.object({ kind: z.string(), times: z.coerce.number() });

/**
 * The same for a report that is one statement: its rows stay in ClickHouse. They are stored in a temporary table too,
 * so that the counted and the written rows are the same, whatever arrives meanwhile.
 */
export async function* encodeParquetStatement(encoding: StatementEncoding): AsyncGenerator<Uint8Array> {
  const { columns, statement, database, run, passage } = encoding;
  const table = `${LAID_DOWN}${run}`;
  const { sql, cells, order, parameters } = statement;
  const texts = passage.wanted.map((at) => `ifNull(toString(${cells[at] ?? "''"}), '') AS cell_${at}`);
  const values = columns.map((column, i) => `${valueOf(column, `cell_${passage.wanted[i] ?? 0}`)} AS value_${i}`);
  const keys = order.map((key, i) => `${key} AS key_${i}`);
  const keyNames = order.map((_, i) => `key_${i}`).join(', ');
  await database.command(`DROP TABLE IF EXISTS ${table} SYNC`);
  try {
    await database.command(
      `CREATE TABLE ${table} ENGINE = MergeTree ORDER BY (${keyNames}) SETTINGS allow_nullable_key = 1 AS
       SELECT ${values.join(', ')}, kind, ${keyNames}
       FROM (SELECT ${[...texts, ...keys].join(', ')}, ${passage.kindSql(statement)} AS kind FROM (${sql}))`,
      parameters,
    );
    const kinds = `SELECT toString(kind) AS kind, count() AS times FROM ${table} AS rows GROUP BY rows.kind`;
    for (const { kind, times } of await database.query(kindRow, kinds)) passage.count(kind, times);
    const named = columns.map(({ name }, i) => `value_${i} AS ${name}`);
    yield* parquetOf(database, named, `${table} ORDER BY ${keyNames}`);
  } finally {
    await database.command(`DROP TABLE IF EXISTS ${table} SYNC`);
  }
}

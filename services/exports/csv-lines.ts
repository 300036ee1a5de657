import type { Database } from '../clickhouse/database.ts';
import type { Block } from '../clickhouse/columns/reader.ts';
import type { Statement } from '../reports/report.ts';

/** The column of a block that holds the lines. */
const LINE = 'line';

/** Size of the pieces of text. */
const PIECE_BYTES = 1024 * 1024;
const LINE_END = 10;

/** Characters at the start of a cell that make a spreadsheet run it (contract.md 3). */
const FORMULA_SIGNS = ['=', '+', '-', '@', '\t', '\r'];

const quoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')}'`;

const SIGNS = FORMULA_SIGNS.map(quoted).join(', ');

/** SQL of a cell as `csvText` writes it: a formula gets an apostrophe, then the cell is quoted if needed. */
function cellSql(cell: string): string {
  const guarded = `if(substring(${cell}, 1, 1) IN (${SIGNS}) AND NOT match(${cell}, '^[+-]?[0-9]+([.][0-9]+)?\\\\z'), concat('\\'', ${cell}), ${cell})`;
  return `if(multiSearchAny(${cell}, ['"', ',', '\\n', '\\r']), concat('"', replaceAll(${guarded}, '"', '""'), '"'), ${guarded})`;
}

/**
 * SQL for a line of CSV. Nearly all lines are the cells with commas between them, in column `plain`. One test of the
 * whole line finds the others, and only their cells are escaped one by one.
 * @param cells columns of type String
 */
function lineSql(cells: readonly string[]): string {
  const found = ['"', '\n', '\r', ...FORMULA_SIGNS.map((sign) => `,${sign}`)].map(quoted).join(', ');
  const needsCare = `countSubstrings(plain, ',') != ${cells.length - 1} OR multiSearchAny(plain, [${found}])
    OR substring(plain, 1, 1) IN (${SIGNS})`;
  return `if(${needsCare}, arrayStringConcat(arrayMap(cell -> ${cellSql('cell')}, [${cells.join(', ')}]), ','), plain)`;
}

/**
 * The lines of a report as ClickHouse writes them, in the order of its rows, in blocks with a column `line` without the
 * line end. Bounded memory.
 * @param columns indexes of the cells to write
 * @param also further columns of the blocks, by name
 */
export function streamLines(
  database: Database,
  { sql, cells, order, parameters }: Statement,
  columns: readonly number[] = cells.map((_, at) => at),
  also: Readonly<Record<string, string>> = {},
): AsyncGenerator<Block> {
  const wanted = columns.map((at) => `cell_${at}`);
  const named = columns.map((at) => `ifNull(toString(${cells[at] ?? "''"}), '') AS cell_${at}`);
  const keys = order.map((key, i) => `${key} AS key_${i}`);
  const others = Object.entries(also).map(([name, cell]) => `${cell} AS ${name}`);
  const shown = [`CAST(${lineSql(wanted)}, 'String') AS ${LINE}`, ...Object.keys(also)];
  return database.streamBlocks(
    `SELECT ${[LINE, ...Object.keys(also)].join(', ')}
     FROM
     (
       SELECT ${[...shown, ...keys.map((_, i) => `key_${i}`)].join(', ')}
       FROM (SELECT *, concatWithSeparator(',', ${wanted.join(', ')}) AS plain
         FROM (SELECT ${[...named, ...others, ...keys].join(', ')} FROM (${sql})))
     )
     ORDER BY ${keys.map((_, i) => `key_${i}`).join(', ')}
     SETTINGS query_plan_execute_functions_after_sorting = 0`,
    parameters,
  );
}

/** The lines of a block as text with line ends, in pieces. */
export function* textOfLines(block: Block): Generator<string> {
  for (const piece of block.plainText(LINE).ended(LINE_END, PIECE_BYTES)) yield piece.toString('utf8');
}

import { isObject } from '@ctwa-ledger/schemas/json.ts';
import { MAX_ROWS, type FileRow, type Problems, type Sheet } from '../imports/rows.ts';
import { numberText, parseExact } from './exact-json.ts';

/** Names under which answers of APIs have what is looked for. */
const WRAPPINGS = ['response', 'usage_records'];

/** Whether a file is JSON, and no CSV or workbook. */
export function isJson(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 64))
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  return start.startsWith('{') || start.startsWith('[');
}

/** A value as the text of a cell. A moment becomes its day. What is not available is empty. */
function cellOf(value: unknown): string {
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return '';
  const text = numberText(value);
  if (text !== value) return text.replace(/^(-?\d+)\.0+$/, '$1');
  if (text === 'N/A') return '';
  return /^20\d{2}-\d{2}-\d{2}T/.test(text) ? text.slice(0, 10) : text;
}

const isNumber = (value: unknown): boolean => typeof value === 'string' && numberText(value) !== value;

/** The heading and the rows of a table: lists by position, or records by name. */
function tableIn(value: unknown): { readonly headings: string[]; readonly rows: unknown[][] } | null {
  if (Array.isArray(value)) {
    const records = value as unknown[];
    if (records.length === 0 || !records.every(isObject)) return null;
    const headings = [...new Set(records.flatMap((record) => Object.keys(record)))];
    return { headings, rows: records.map((record) => headings.map((heading) => record[heading])) };
  }
  if (!isObject(value)) return null;
  const { columns, rows } = value;
  if (Array.isArray(columns) && Array.isArray(rows)) {
    const headings = (columns as unknown[]).map((one) => cellOf(isObject(one) ? one['columnName'] : one));
    return { headings, rows: (rows as unknown[]).map((row) => (Array.isArray(row) ? (row as unknown[]) : [])) };
  }
  for (const name of WRAPPINGS) if (name in value) return tableIn(value[name]);
  return null;
}

/**
 * The table in an answer of an API, as a sheet: `columns` and `rows`, or a list of records. Its rows are counted from 1,
 * the heading included. Amounts are never JavaScript numbers.
 * @returns null when there is none, with the reason among `problems`
 */
export function readJsonTable(bytes: Uint8Array, problems: Problems): Sheet | null {
  let value: unknown;
  try {
    value = parseExact(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    problems.add(null, null, `The file is not JSON (${error instanceof Error ? error.message : String(error)}).`);
    return null;
  }
  const table = tableIn(value);
  if (table === null) {
    problems.add(null, null, 'There is no table in the file: neither "columns" with "rows", nor a list of records.');
    return null;
  }
  if (table.rows.length > MAX_ROWS) {
    problems.add(null, null, `The file has more than ${MAX_ROWS} rows: it is probably no invoice.`);
    return null;
  }
  const rowOf = (values: readonly unknown[], line: number): FileRow => ({
    sheet: null,
    line,
    cells: values.map(cellOf),
    numbers: new Set(values.flatMap((one, index) => (isNumber(one) ? [index] : []))),
  });
  const header = { sheet: null, line: 1, cells: table.headings, numbers: new Set<number>() };
  return { name: null, rows: [header, ...table.rows.map((values, index) => rowOf(values, index + 2))] };
}

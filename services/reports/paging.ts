import type { AskedPage, PageOf } from '@ctwa-ledger/schemas/reports.ts';
import type { Parameters } from '../ledger/database.ts';

/** Something rows are ordered by. `sql` must never be null: what is not known has a value that puts it where it belongs. */
export interface PageKey {
  readonly sql: string;
  readonly type: 'String' | 'Int64' | 'UInt64' | 'Decimal(38, 8)';
}

const MAX_CURSOR_CHARACTERS = 5_000;

/** Whether a text is a value of a key; what is none would be an error of ClickHouse's. */
const IS_VALUE: Readonly<Record<PageKey['type'], (text: string) => boolean>> = {
  String: () => true,
  Int64: (text) => /^-?\d{1,18}$/.test(text),
  UInt64: (text) => /^\d{1,20}$/.test(text) && BigInt(text) < 1n << 64n,
  'Decimal(38, 8)': (text) => /^-?\d{1,28}(\.\d{1,8})?$/.test(text),
};

function readCursor(text: string, keys: readonly PageKey[]): string[] | null {
  if (text === '' || text.length > MAX_CURSOR_CHARACTERS) return null;
  try {
    const values: unknown = JSON.parse(text);
    if (!Array.isArray(values) || values.length !== keys.length) return null;
    const texts = values.filter((value): value is string => typeof value === 'string');
    const isUsable = keys.every((key, i) => IS_VALUE[key.type](texts[i] ?? ''));
    return texts.length === keys.length && isUsable ? texts : null;
  } catch {
    return null;
  }
}

/** The parts of a query that reads one page by key, and what makes the page of its rows. */
export interface Paging {
  /** A column `page_cursor` of every row. */
  readonly cursor: string;
  /** A condition. */
  readonly where: string;
  /** `ORDER BY … LIMIT …`, with one row more than the page has: it says whether there is another page. */
  readonly order: string;
  readonly parameters: Parameters;
  /** Takes the cursors off the rows. */
  pageOf<Row extends { readonly page_cursor: readonly string[] }>(
    rows: readonly Row[],
  ): PageOf<Omit<Row, 'page_cursor'>>;
}

/**
 * Reads a table page by page, by the keys of its rows: rows that come or go before a page do not move it.
 * @param keys the column asked for first, then what makes a row unique
 */
export function paging({ sort, after, limit }: AskedPage, keys: readonly PageKey[]): Paging {
  const start = readCursor(after, keys);
  const tuple = keys.map(({ sql }) => sql).join(', ');
  const values = keys.map(({ type }, i) => `{page_${i}:${type}}`).join(', ');
  return {
    cursor: `[${keys.map(({ sql }) => `toString(${sql})`).join(', ')}] AS page_cursor`,
    where: start === null ? 'true' : `(${tuple}) ${sort.descending ? '<' : '>'} (${values})`,
    order: `ORDER BY ${keys.map(({ sql }) => `${sql}${sort.descending ? ' DESC' : ''}`).join(', ')} LIMIT ${limit + 1}`,
    parameters: Object.fromEntries((start ?? []).map((value, i) => [`page_${i}`, value])),
    pageOf: (rows) => {
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      return {
        rows: shown.map(({ page_cursor: _, ...row }) => row),
        next: rows.length > limit && last !== undefined ? JSON.stringify(last.page_cursor) : null,
        is_found: after === '' || start !== null,
      };
    },
  };
}

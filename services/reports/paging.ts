import type { AskedPage, PageOf } from '@ctwa-ledger/schemas/asked.ts';
import type { Parameters } from '../clickhouse/database.ts';

/** A key that orders rows. `sql` must never be null: replace an unknown value by one that sorts where it belongs. */
export interface PageKey {
  readonly sql: string;
  readonly type: 'String' | 'Int64' | 'UInt64' | 'Decimal(38, 8)';
}

const MAX_CURSOR_CHARACTERS = 5_000;

/** Whether a text is a value of a key's type. ClickHouse would answer with an error otherwise. */
const IS_VALUE: Readonly<Record<PageKey['type'], (text: string) => boolean>> = {
  String: () => true,
  Int64: (text) => /^-?\d{1,18}$/.test(text),
  UInt64: (text) => /^\d{1,20}$/.test(text) && BigInt(text) < 1n << 64n,
  'Decimal(38, 8)': (text) => /^-?\d{1,28}(\.\d{1,8})?$/.test(text),
};

function readCursor(text: string, keys: readonly Pick<PageKey, 'type'>[]): string[] | null {
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

/** The parts of a query that reads one page by keys, and a function that makes the page from its rows. */
export interface Paging {
  /** The column `page_cursor` of every row. */
  readonly cursor: string;
  /** A condition. */
  readonly where: string;
  /** `ORDER BY … LIMIT …`, with one row more than the page has, to tell whether another page follows. */
  readonly order: string;
  readonly parameters: Parameters;
  /** Makes a page of rows, and removes the cursors. */
  pageOf<Row extends { readonly page_cursor: readonly string[] }>(
    rows: readonly Row[],
  ): PageOf<Omit<Row, 'page_cursor'>>;
  /** Whether the rows are read backwards. */
  readonly is_backwards: boolean;
}

/**
 * Reads a table page by page, by the keys of its rows: rows that are added or removed before a page do not move it.
 * @param keys the requested column first, then those that make a row unique
 */
export function paging(asked: AskedPage, keys: readonly PageKey[]): Paging {
  const { sort, after, limit, before = '' } = asked;
  const is_backwards = before !== '';
  const place_text = is_backwards ? before : after;
  const start = readCursor(place_text, keys);
  const descending = sort.descending !== is_backwards;
  const tuple = keys.map(({ sql }) => sql).join(', ');
  const values = keys.map(({ type }, i) => `{page_${i}:${type}}`).join(', ');
  return {
    cursor: `[${keys.map(({ sql }) => `toString(${sql})`).join(', ')}] AS page_cursor`,
    where: start === null ? 'true' : `(${tuple}) ${descending ? '<' : '>'} (${values})`,
    order: `ORDER BY ${keys.map(({ sql }) => `${sql}${descending ? ' DESC' : ''}`).join(', ')} LIMIT ${limit + 1}`,
    is_backwards,
    parameters: Object.fromEntries((start ?? []).map((value, i) => [`page_${i}`, value])),
    pageOf: (rows) => {
      const read = rows.slice(0, limit);
      const shown = is_backwards ? read.toReversed() : read;
      const place = (row: { readonly page_cursor: readonly string[] } | undefined): string | null =>
        row === undefined ? null : JSON.stringify(row.page_cursor);
      const [isBegun, isMore] = [start !== null, rows.length > limit];
      return {
        rows: shown.map(({ page_cursor: _, ...row }) => row),
        next: isMore || is_backwards ? place(shown.at(-1)) : null,
        previous: isBegun && (isMore || !is_backwards) ? place(shown[0]) : null,
        is_found: place_text === '' || isBegun,
      };
    },
  };
}

/**
 * A page of a long table, read forwards or backwards. Where fewer rows come before a row than a page has, or none is
 * found, the first page is read.
 */
export async function pageOfTable<Asked extends AskedPage, Page extends PageOf<unknown>>(
  asked: Asked,
  read: (asked: Asked) => Promise<Page>,
): Promise<Page> {
  const page = await read(asked);
  if ((asked.before ?? '') === '' || (page.is_found && page.previous !== null && page.rows.length > 0)) return page;
  const first = await read({ ...asked, after: '', before: '' });
  return { ...first, is_found: page.is_found };
}

/** A position that the report did not give out. */
export class UnknownPositionError extends Error {}

/** A page of a report in its own order: so many rows, from the begin or after the position of a row. */
export interface ReportPage {
  readonly limit: number;
  /** The position of a row of an earlier page, JSON; null = from the begin. */
  readonly after: string | null;
}

/** @throws UnknownPositionError when the position does not have values of these keys */
export function positionAfter({ after }: ReportPage, keys: readonly Pick<PageKey, 'type'>[]): readonly string[] | null {
  if (after === null) return null;
  const position = readCursor(after, keys);
  if (position === null)
    throw new UnknownPositionError('The position after which the page should begin is not one of this report.');
  return position;
}

/** The parts of a query that reads a whole report, or one page of it. */
export interface ReportPaging {
  /** In a page: the column with the position of each row, after a comma. */
  readonly also: string;
  /** A condition. */
  readonly where: string;
  /** `ORDER BY …`, in a page with a limit of one row more, to tell whether another page follows. */
  readonly order: string;
  readonly parameters: Parameters;
}

/** Reads a report in the order of its keys. */
export function reportPaging(page: ReportPage | null, keys: readonly PageKey[], descending = false): ReportPaging {
  const order = `ORDER BY ${keys.map(({ sql }) => `${sql}${descending ? ' DESC' : ''}`).join(', ')}`;
  if (page === null) return { also: '', where: 'true', order, parameters: {} };
  const position = positionAfter(page, keys);
  const asked = {
    sort: { column: '', descending },
    after: position === null ? '' : JSON.stringify(position),
    limit: page.limit,
  };
  const { cursor, where, order: limited, parameters } = paging(asked, keys);
  return { also: `, ${cursor}`, where, order: limited, parameters };
}

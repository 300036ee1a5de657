import { queryOf } from '@ctwa-ledger/schemas/address-parameters.ts';
import type { PageOf } from '@ctwa-ledger/schemas/asked.ts';
import { quoted, type Repair } from '../filters/filters.ts';
import { rounded } from '../format/amounts.ts';

/** The column by which a table is sorted. */
export interface Sort<Column extends string = string> {
  readonly column: Column;
  readonly descending: boolean;
}

/** Rows per page that a reader can choose. */
export const PAGE_SIZES: readonly number[] = [25, 50, 100, 200];

/** The state of one table in a page's address. */
export interface TableState<Column extends string = string> {
  readonly sort: Sort<Column>;
  /** The row after which the page of the table begins, as its key or cursor; empty = the first page. */
  readonly after: string;
  /** The row before which the page ends, in place of one after which it begins; of tables that are read by cursors. */
  readonly before: string;
}

/** The sorts and pages of a table. */
export interface TableSpec<Column extends string = string> {
  /** Id of its frame, to which links jump. */
  readonly id: string;
  /**
   * Whether it is the page's main table. Its parameters are `sort` and `after`, those of others `<id>.sort` and
   * `<id>.after`.
   */
  readonly is_main?: boolean;
  /** The columns by which it can be sorted. Those in `words_first` begin with A, all others with the largest value. */
  readonly columns: readonly Column[];
  readonly words_first?: readonly Column[];
  readonly default_sort: Sort<Column>;
}

/** A table with a usual order of its own and without pages. @param id of its frame */
export function fixedTable(id: string): TableSpec {
  return { id, columns: [], default_sort: { column: '', descending: false } };
}

/** Longest key of a row in an address; Meta's ids and addresses of ads are shorter. */
const MAX_KEY_CHARACTERS = 2_500;

function nameOf(spec: TableSpec, what: 'sort' | 'after' | 'before' | 'rows' | 'columns'): string {
  return spec.is_main === true ? what : `${spec.id}.${what}`;
}

/** The parameter with a table's sort. */
const sortParameter = (spec: TableSpec): string => nameOf(spec, 'sort');
/** The parameter with the row after which a page of a table begins. */
export const afterParameter = (spec: TableSpec): string => nameOf(spec, 'after');

/** The parameter with the row before which a page of a table ends. */
export const beforeParameter = (spec: TableSpec): string => nameOf(spec, 'before');

/** The parameter with the rows per page. */
const rowsParameter = (spec: TableSpec): string => nameOf(spec, 'rows');
/** The parameter with the shown columns. */
const columnsParameter = (spec: TableSpec): string => nameOf(spec, 'columns');

/** The columns that an address selects, in the order of the table; null when it selects none. */
export function readColumns(
  params: URLSearchParams,
  spec: TableSpec,
  offered: readonly string[],
): readonly string[] | null {
  const asked = params.get(columnsParameter(spec))?.split(',') ?? [];
  const known = offered.filter((column) => asked.includes(column));
  return known.length === 0 ? null : known;
}

/** Rows per page: those in the address if they are a size on offer, else `usual`. */
function readRows(params: URLSearchParams, spec: TableSpec, usual: number): number {
  const asked = Number(params.get(rowsParameter(spec)));
  return PAGE_SIZES.includes(asked) ? asked : usual;
}

/** `-replied`: by that column, descending. */
function writeSort(sort: Sort): string {
  return `${sort.descending ? '-' : ''}${sort.column}`;
}

export function isSame(one: Sort, other: Sort): boolean {
  return one.column === other.column && one.descending === other.descending;
}

/** The table's state in an address. What cannot be used is left out, with a notice. */
export function readTable<Column extends string>(
  params: URLSearchParams,
  spec: TableSpec<Column>,
): { readonly state: TableState<Column>; readonly repairs: readonly Pick<Repair, 'notice'>[] } {
  const repairs: Pick<Repair, 'notice'>[] = [];
  const text = params.get(sortParameter(spec))?.trim() ?? '';
  const descending = text.startsWith('-');
  const column = spec.columns.find((known) => known === text.slice(descending ? 1 : 0));
  if (text !== '' && column === undefined)
    repairs.push({
      notice: `${sortParameter(spec)}: ${quoted(text)} is no column of the table; its usual order is shown.`,
    });
  const place = (parameter: string): string => {
    const key = params.get(parameter) ?? '';
    if (key.length <= MAX_KEY_CHARACTERS) return key;
    repairs.push({ notice: lostPlace(spec) });
    return '';
  };
  const [after, before] = [place(afterParameter(spec)), place(beforeParameter(spec))];
  return { state: { sort: column === undefined ? spec.default_sort : { column, descending }, after, before }, repairs };
}

/** The page that an address selects of a table that is read by cursors. @param usual rows on a page */
export function askedPage<Column extends string>(
  { sort, after, before }: TableState<Column>,
  params: URLSearchParams,
  spec: TableSpec<Column>,
  usual: number,
): TableState<Column> & { readonly limit: number } {
  return { sort, after, before, limit: readRows(params, spec, usual) };
}

/** The notice for a page that should begin after a row that is not there. */
export function lostPlace(spec: TableSpec): string {
  return `${afterParameter(spec)}: that row is not in this table; its first page is shown.`;
}

/** The sort after a click on a column's heading: reversed, or in the column's usual direction. */
export function nextSort<Column extends string>(
  spec: TableSpec<Column>,
  column: Column,
  current: Sort<Column>,
): Sort<Column> {
  if (column === current.column) return { column, descending: !current.descending };
  return { column, descending: spec.words_first?.includes(column) !== true };
}

/** A change of one table's state. */
export type TableChange<Column extends string> =
  | { readonly sort: Sort<Column> }
  | { readonly after: string }
  | { readonly before: string }
  /** Null = the default number. */
  | { readonly rows: number | null }
  /** Null = the default columns. */
  | { readonly columns: readonly string[] | null };

/**
 * The end of an address that differs from `params` in one table; everything else stays. Another sort or size begins at
 * the first page; other columns keep the page.
 */
export function tableSearch<Column extends string>(
  params: URLSearchParams,
  spec: TableSpec<Column>,
  change: TableChange<Column>,
): string {
  // A name that begins with a slash is the action of a form that was just sent.
  const changed = new URLSearchParams([...params].filter(([name]) => !name.startsWith('/')));
  const kept = 'columns' in change ? (changed.get(afterParameter(spec)) ?? '') : '';
  const after = 'after' in change ? change.after : kept;
  const before =
    'before' in change ? change.before : 'columns' in change ? (changed.get(beforeParameter(spec)) ?? '') : '';
  if ('rows' in change) {
    if (change.rows === null) changed.delete(rowsParameter(spec));
    else changed.set(rowsParameter(spec), String(change.rows));
  }
  if ('columns' in change) {
    if (change.columns === null) changed.delete(columnsParameter(spec));
    else changed.set(columnsParameter(spec), change.columns.join(','));
  }
  if ('sort' in change) {
    if (isSame(change.sort, spec.default_sort)) changed.delete(sortParameter(spec));
    else changed.set(sortParameter(spec), writeSort(change.sort));
  }
  if (after === '') changed.delete(afterParameter(spec));
  else changed.set(afterParameter(spec), after);
  if (before === '') changed.delete(beforeParameter(spec));
  else changed.set(beforeParameter(spec), before);
  return `${queryOf(changed)}#${spec.id}`;
}

/** The value by which a row is sorted: a number (for a decimal, a near one), a text, or null when it is not known. */
export type Value = number | string | null;

/** An amount to sort by, after its currency: those of two currencies cannot be compared. */
export const amountValue = (currency: string, decimal: string | null): Value =>
  decimal === null ? null : `${currency} ${rounded(decimal, 8)}`;

/** A time to sort by. */
export const timeValue = (iso: string | null): Value => (iso === null ? null : Date.parse(iso));

/** A decimal to sort by. */
export const decimalValue = (decimal: string | null): Value => (decimal === null ? null : Number(decimal));

const COLLATOR = new Intl.Collator('en', { numeric: true });

function compareValues(one: Value, other: Value): number {
  return typeof one === 'number' && typeof other === 'number'
    ? one - other
    : COLLATOR.compare(String(one), String(other));
}

/** Sorts rows. Rows without a value come last in both directions. Ties are ordered by key, so that pages are stable. */
export function sorted<Row, Column extends string>(
  rows: readonly Row[],
  sort: Sort<Column>,
  values: Readonly<Record<Column, (row: Row) => Value>>,
  keyOf: (row: Row) => string,
): Row[] {
  const valueOf = values[sort.column];
  return rows
    .map((row) => ({ row, value: valueOf(row), key: keyOf(row) }))
    .sort((a, b) => {
      const missing = Number(a.value === null) - Number(b.value === null);
      const order = a.value === null || b.value === null ? 0 : compareValues(a.value, b.value);
      return missing || (sort.descending ? -order : order) || COLLATOR.compare(a.key, b.key);
    })
    .map(({ row }) => row);
}

/** The position of a page among all rows of a table. */
export interface TablePlace {
  /**
   * The key after which the previous page begins, empty for the first one; of a table that is read by cursors, the row
   * before which it ends. Null = this is the first page.
   */
  readonly previous: string | null;
  /** Rows per page. */
  readonly size: number;
  /** Rows before the page; null = not known, because the table is read by cursors. */
  readonly skipped: number | null;
  readonly total: number;
}

/** The position of a page that was read by cursors. */
export function cursorPlace(page: Pick<PageOf<unknown>, 'previous'>, size: number, total: number): TablePlace {
  return { previous: page.previous, size, skipped: null, total };
}

/** What a table shows of its rows. */
export interface ShownTable<Row> {
  readonly rows: readonly Row[];
  /** The order of the rows; by default that of the table. */
  readonly state?: Pick<TableState, 'sort'>;
  /** The key or cursor after which the next page begins; null = there is none. */
  readonly next?: string | null;
  /** Where the page is, of a table with pages. */
  readonly place?: TablePlace;
}

/** A page of a table whose rows are all in memory. */
export interface TablePage<Row> extends ShownTable<Row> {
  readonly next: string | null;
  readonly place: TablePlace;
  /** False: there is no row with the key, so this is the first page. */
  readonly is_found: boolean;
}

/** The page of `rows` after a key. The position stays when rows before it are added or removed. */
export function pageAfter<Row>(
  rows: readonly Row[],
  after: string,
  keyOf: (row: Row) => string,
  page_rows: number,
): TablePage<Row> {
  const at = after === '' ? -1 : rows.findIndex((row) => keyOf(row) === after);
  const page = rows.slice(at + 1, at + 1 + page_rows);
  const last = page.at(-1);
  const before = rows[at - page_rows];
  const first = before === undefined ? '' : keyOf(before);
  return {
    rows: page,
    next: last !== undefined && at + 1 + page.length < rows.length ? keyOf(last) : null,
    place: { previous: at < 0 ? null : first, size: page_rows, skipped: at + 1, total: rows.length },
    is_found: after === '' || at >= 0,
  };
}

/** A table whose rows are all in memory: sorted, and cut to the page that its address selects. */
export function arranged<Row, Column extends string>(
  rows: readonly Row[],
  params: URLSearchParams,
  spec: TableSpec<Column> & { readonly page_rows: number },
  values: Readonly<Record<Column, (row: Row) => Value>>,
  keyOf: (row: Row) => string,
): TablePage<Row> & { readonly state: TableState<Column>; readonly notices: readonly string[] } {
  const { state, repairs } = readTable(params, spec);
  const page = pageAfter(
    sorted(rows, state.sort, values, keyOf),
    state.after,
    keyOf,
    readRows(params, spec, spec.page_rows),
  );
  const notices = [...repairs.map(({ notice }) => notice), ...(page.is_found ? [] : [lostPlace(spec)])];
  return { ...page, state, notices };
}

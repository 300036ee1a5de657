import { COLUMN_MEANINGS } from '@ctwa-ledger/schemas/column-meanings.ts';
import type { Snippet } from 'svelte';

import type { Repair } from '../filters/filters.ts';
import { isSame, readColumns, readTable, sorted, type Sort, type TableSpec, type Value } from './table.ts';

/** A column of a table, other than the first one, which names the row. */
export interface TableColumn<Row, Column extends string = string> {
  /** Its name in addresses, also for sorting. */
  readonly column: Column;
  readonly name: string;
  /** The heading above it and its neighbours with the same group. */
  readonly group?: string;
  /** Whether it has words and is left-aligned. */
  readonly text?: boolean;
  /** The columns of the report behind the table with the same values; by default that of the same name. */
  readonly of?: readonly string[];
  /** Its meaning, if it differs from that of the column with this name in reports. */
  readonly meaning?: string;
  /** Whether its words may take several lines. */
  readonly wraps?: boolean;
  /** Whether its link is the one that a click on the row follows. */
  readonly opens?: boolean;
  /** Given the column too, for columns of one kind. */
  readonly cell: Snippet<[Row, string]>;
  /**
   * Whether a row has a value here. A column without any value on the page is left out. By default a row has none whose
   * field of this name is empty.
   */
  readonly has?: (row: Row) => boolean;
  /** The value by which rows are sorted, in a table that sorts its rows on the page. Without it the column does not sort. */
  readonly sortsBy?: (row: Row) => Value;
  /** How dark a cell is, from 0 to 100: its number compared with the largest. */
  readonly heatOf?: (row: Row) => number;
  /** The content of the row of totals; nothing if there is no sum. */
  readonly total?: Snippet<[string]>;
}

/**
 * The meaning of the column with this name in reports, for readers of a page: how files write it, and what nothing looks
 * like in them, is left out.
 */
export function meaningOf(column: string): string | undefined {
  return COLUMN_MEANINGS[column]?.replace(/[,;] (?:null|empty|YYYY-MM|four decimals|64 bits)\b[^.]*/g, '');
}

/** For cells that say something whatever the field of their name has. */
export const always = (): boolean => true;

/** The columns to show: those that the reader chose, else those with a value. */
export function shownColumns<Row, Column extends string>(
  columns: readonly TableColumn<Row, Column>[],
  chosen: readonly string[] | null,
  rows: readonly Row[],
): readonly TableColumn<Row, Column>[] {
  if (chosen !== null) return columns.filter(({ column }) => chosen.includes(column));
  return columns.filter(({ column, has }) => rows.length === 0 || rows.some(has ?? ((row) => hasField(row, column))));
}

/** Whether the field of a row has a value. A column that no field belongs to always has one. */
function hasField(row: unknown, column: string): boolean {
  if (typeof row !== 'object' || row === null || !(column in row)) return true;
  const value = (row as Readonly<Record<string, unknown>>)[column];
  return value !== null && value !== undefined && value !== '';
}

/** The rows of a table on the page, in the order that its address selects. */
export interface SortedRows<Row> {
  /** The table with the columns by which it can be sorted. */
  readonly spec: TableSpec;
  readonly sort: Sort;
  readonly rows: readonly Row[];
  /** What the address asks for and the table does not have. */
  readonly repairs: readonly Pick<Repair, 'notice'>[];
}

/** Sorts rows that are all on the page, by the columns that have a value to sort by. */
export function sortedOnPage<Row>(
  params: URLSearchParams,
  fixed: TableSpec,
  columns: readonly Pick<TableColumn<Row>, 'column' | 'text' | 'sortsBy'>[],
  rows: readonly Row[],
  keyOf: (row: Row) => string,
): SortedRows<Row> {
  const able = columns.flatMap(({ column, text, sortsBy }) =>
    sortsBy === undefined ? [] : [{ column, text, sortsBy }],
  );
  const words = able.filter(
    ({ text, sortsBy }) => text === true && rows.some((row) => typeof sortsBy(row) === 'string'),
  );
  const spec = {
    ...fixed,
    columns: able.map(({ column }) => column),
    words_first: words.map(({ column }) => column),
  };
  const { state, repairs } = readTable(params, spec);
  const by = able.find(({ column }) => column === state.sort.column);
  const in_order = by === undefined ? rows : sorted(rows, state.sort, { [by.column]: by.sortsBy }, keyOf);
  return { spec, sort: state.sort, rows: in_order, repairs };
}

/** A table as the links to its report know it. */
export interface LinkedTable {
  readonly spec: TableSpec;
  /** Columns of the report that identify its rows. */
  readonly key: readonly string[];
  readonly columns: readonly Pick<TableColumn<never>, 'column' | 'of'>[];
}

/** The columns and the order that an address selects, as parameters of the report: nothing for those of the table. */
export function tableParameters(
  params: URLSearchParams,
  { spec, key, columns }: LinkedTable,
): { readonly columns?: string; readonly sort?: string } {
  const inReport = (name: string): readonly string[] => columns.find(({ column }) => column === name)?.of ?? [name];
  const chosen = readColumns(
    params,
    spec,
    columns.map(({ column }) => column),
  );
  const { sort } = readTable(params, spec).state;
  const [sorted] = isSame(sort, spec.default_sort) ? [] : inReport(sort.column);
  return {
    ...(chosen === null ? {} : { columns: [...new Set([...key, ...chosen.flatMap(inReport)])].join(',') }),
    ...(sorted === undefined ? {} : { sort: `${sort.descending ? '-' : ''}${sorted}` }),
  };
}

/** Neighbouring columns with one group, for the row above the headings. */
export function headGroups(
  columns: readonly Pick<TableColumn<never>, 'group'>[],
): readonly { readonly group: string; readonly span: number }[] {
  const groups: { group: string; span: number }[] = [];
  for (const { group = '' } of columns) {
    const last = groups.at(-1);
    if (last?.group === group) last.span += 1;
    else groups.push({ group, span: 1 });
  }
  return groups;
}

/** The columns after one of them is shown or hidden; null when they are then the default ones, or none is left. */
export function toggledColumns(
  all: readonly string[],
  shown: readonly string[],
  column: string,
): readonly string[] | null {
  const others = shown.filter((name) => name !== column);
  const next = all.filter((name) => (name === column ? !shown.includes(column) : others.includes(name)));
  return next.length === 0 ? null : next;
}

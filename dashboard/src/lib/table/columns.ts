import type { Snippet } from 'svelte';

/** A column of a table besides the first one, which names the row. */
export interface TableColumn<Row, Column extends string = string> {
  /** In addresses: also what it can be sorted by. */
  readonly column: Column;
  readonly name: string;
  /** The head above it and its neighbours of the same group. */
  readonly group?: string;
  /** A column of words stands left. */
  readonly text?: boolean;
  /** What it holds, where that is not what columns of this name hold in reports. */
  readonly meaning?: string;
  readonly cell: Snippet<[Row]>;
  /** Whether a row has anything here; a column in which none has is left out. Without it every row has. */
  readonly has?: (row: Row) => boolean;
  /** What stands in the row of totals; nothing where a sum says nothing. */
  readonly total?: Snippet;
}

/** The columns that a table shows: those that the reader chose, else those that have something. */
export function shownColumns<Row, Column extends string>(
  columns: readonly TableColumn<Row, Column>[],
  chosen: readonly string[] | null,
  rows: readonly Row[],
): readonly TableColumn<Row, Column>[] {
  if (chosen !== null) return columns.filter(({ column }) => chosen.includes(column));
  return columns.filter(({ has }) => has === undefined || rows.length === 0 || rows.some(has));
}

/** Neighbours of one group, for the row of heads above the heads. */
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

/** The columns after one of them is shown or hidden; null where they are then those of the page itself, or none is left. */
export function toggledColumns(
  all: readonly string[],
  shown: readonly string[],
  column: string,
): readonly string[] | null {
  const others = shown.filter((name) => name !== column);
  const next = all.filter((name) => (name === column ? !shown.includes(column) : others.includes(name)));
  return next.length === 0 ? null : next;
}

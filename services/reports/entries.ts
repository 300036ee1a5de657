import { count } from '@ctwa-ledger/schemas/cells.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { z } from 'zod';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { reportPaging, type PageKey } from './paging.ts';
import {
  changeColumns,
  neededColumns,
  printedCells,
  printedRow,
  printedSql,
  printedTime,
  type PrintedColumn,
  type PrintedColumns,
} from './printed.ts';
import { timeOfMs } from './repricings.ts';
import { columnsOf, streamed, type AskedRows, type Batch, type Statement } from './report.ts';
import { FROM, OF_ENTRIES, ofEntriesSql, parametersOf, TO } from './sql.ts';
import { filterTables } from './tables.ts';

const text: PrintedColumn = { cell: z.string() };

/** The columns of an entry. */
const ENTRY_COLUMNS = {
  conversation_id: {
    cell: z.string().describe('Id of the entry: the customer’s message that came from an ad or post.'),
    sql: 'entry_id',
    of: ['entry_id'],
  },
  phone_number_id: text,
  customer: text,
  entry_at: printedTime('entry_marks', 'entry_at'),
  source_type: text,
  ad_id: text,
  source_url: text,
  ctwa_clid: text,
  reply_message_id: text,
  replied_at: printedTime('entry_marks', 'replied_at'),
  seconds_to_reply: {
    cell: count.nullable(),
    sql: `if(replied_at IS NULL, '',
      toString(dateDiff('second', assumeNotNull(entry_marks.entry_at), assumeNotNull(entry_marks.replied_at))))`,
    of: ['replied_at', 'entry_at'],
  },
  opened_at: printedTime('entry_marks', 'opened_at'),
  expires_at: printedTime('entry_marks', 'expires_at'),
  free_messages: {
    cell: count,
    sql: "if(is_gone, '', toString(entry_marks.free_messages))",
    alias: 'free_messages_text',
  },
  ad_conversation_id: text,
} satisfies PrintedColumns;

/** The columns of report `conversations`, over rows of {@link standing} or {@link changedEntries}. */
const COLUMNS = { ...ENTRY_COLUMNS, ...changeColumns('entry_marks') } satisfies PrintedColumns;

const entryRow = printedRow(COLUMNS);
export const CONVERSATIONS_COLUMNS = columnsOf(entryRow);

/** Whether an entry is of the days and filters. */
const isAsked = (filters: ReportFilters): string =>
  `(entry_marks.entry_at >= ${FROM} AND entry_marks.entry_at < ${TO} AND ${ofEntriesSql(filters)})`;

const ORDER = ['sorted_at', 'conversation_id', 'phone_number_id'] as const;

const KEYS: readonly PageKey[] = [
  { sql: 'toInt64(toUnixTimestamp(entry_marks.sorted_at))', type: 'Int64' },
  { sql: 'entry_id', type: 'String' },
  { sql: 'toString(phone_number_id)', type: 'String' },
];

const KEPT = neededColumns(ENTRY_COLUMNS);

/** The entries of a question as they stand. */
const standing = (filters: ReportFilters): string => `
    SELECT ${KEPT.join(', ')}, version, changed_at AS updated_at, toUInt8(0) AS is_gone, entry_at AS sorted_at
    FROM entry_marks FINAL
    WHERE ${isAsked(filters)}`;

/** Columns that name an entry, which a tombstone keeps. */
const KEY: readonly string[] = ['entry_id', 'phone_number_id'];
const NULLABLE: readonly string[] = ['entry_at', 'replied_at', 'opened_at', 'expires_at', 'free_messages'];
const blankOf = (column: string): string => (NULLABLE.includes(column) ? 'NULL' : "''");

const IS_CHANGED = `entry_marks.changed_at >= ${timeOfMs('{changed_since:Int64}')}`;

/**
 * A condition on entries: those that may have been in an earlier answer to the same question, so that others need no
 * tombstone. Every time that an entry had is one of its events'.
 */
function mayHaveStood({ from, to }: ReportFilters): string {
  if (from === null && to === null) return 'true';
  return `(phone_number_id, entry_id) IN
    (SELECT phone_number_id, id FROM events
     WHERE kind = 'message' AND direction = 'inbound' AND timestamp >= ${FROM} AND timestamp < ${TO}
       AND (phone_number_id, id) IN (SELECT phone_number_id, entry_id FROM entry_marks WHERE ${IS_CHANGED}))`;
}

/**
 * The entries of a question that changed since a moment, and tombstones of those that it has no more. Whoever replaces
 * the rows of an earlier answer by these, and drops what is gone, has the answer of now.
 */
function changedEntries(filters: ReportFilters): string {
  const kept = KEPT.map((column) =>
    KEY.includes(column) ? column : `if(is_gone, ${blankOf(column)}, ${column}) AS ${column}`,
  );
  const blank = KEPT.map((column) => (KEY.includes(column) ? column : `${blankOf(column)} AS ${column}`));
  const retracted = `SELECT phone_number_id, entry_id FROM entry_marks WHERE is_retracted = 1 AND ${IS_CHANGED}`;
  return `
    SELECT ${kept.join(', ')}, version, updated_at, is_gone,
      ifNull(if(is_gone, NULL, rows.entry_at), toDateTime(0, 'UTC')) AS sorted_at
    FROM
    (
      SELECT ${KEPT.join(', ')}, version, changed_at AS updated_at, toUInt8(NOT ${isAsked(filters)}) AS is_gone
      FROM entry_marks FINAL
      WHERE ${IS_CHANGED} AND (NOT is_gone OR ${mayHaveStood(filters)})
    ) AS rows
    UNION ALL
    SELECT ${blank.join(', ')}, version, updated_at, toUInt8(1) AS is_gone, toDateTime(0, 'UTC') AS sorted_at
    FROM
    (
      SELECT ${KEY.join(', ')}, max(entry_marks.version) AS version, max(entry_marks.changed_at) AS updated_at
      FROM entry_marks
      WHERE is_retracted = 1 AND ${IS_CHANGED} AND (phone_number_id, entry_id) NOT IN
        (SELECT phone_number_id, entry_id FROM entry_marks FINAL WHERE (phone_number_id, entry_id) IN (${retracted}))
      GROUP BY ${KEY.join(', ')}
    )
    WHERE ${mayHaveStood(filters)}`;
}

/** @param also further columns, each after a comma */
function entriesSql(filters: ReportFilters, also: string, place: string, order: string): string {
  const rows = filters.changed_since == null ? standing(filters) : changedEntries(filters);
  return `SELECT ${printedSql(COLUMNS)}${also} FROM (${rows}) AS entry_marks WHERE ${place} ${order}`;
}

function parametersFor(filters: ReportFilters): Parameters {
  return { ...parametersOf(filters), changed_since: filters.changed_since ?? 0 };
}

/** Report `conversations`, streamed: `CONVERSATIONS_COLUMNS` as text, one row per entry. */
async function* entries(database: Database, { filters, page }: AskedRows): AsyncGenerator<Batch> {
  const { also, where, order, parameters } = reportPaging(page, KEYS);
  yield* database.stream(entriesSql(filters, also, where, order), { ...parametersFor(filters), ...parameters });
}

function entriesStatement(_: Database, { filters }: Omit<AskedRows, 'page'>): Promise<Statement> {
  return Promise.resolve({
    sql: entriesSql(filters, ', sorted_at', 'true', ''),
    cells: printedCells(COLUMNS),
    order: ORDER,
    parameters: parametersFor(filters),
  });
}

export const conversationsReport = streamed({
  name: 'conversations',
  one_row_per: 'entry, a customer’s message that came from an ad or post: its reply and its free entry window',
  row: entryRow,
  days: 'zone',
  has_changes: true,
  filters: OF_ENTRIES,
  settles: [],
  reads: (filters) => ['entry_marks', ...(filters.changed_since == null ? [] : ['events']), ...filterTables(filters)],
  rows: entries,
  statement: entriesStatement,
});

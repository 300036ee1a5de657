import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { z } from 'zod';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { readRatingBasis } from '../rating/basis.ts';
import { FEW_MESSAGES } from '../rating/places.ts';
import { changedMarks, changedMessages } from './changed-messages.ts';
import { closingsOf, OF_CHARGES } from './charges.ts';
import { NO_CLOSINGS, readClosingsInForce, readReopenedClosings } from './closings.ts';
import { reportPaging, type PageKey } from './paging.ts';
import { MESSAGE_COLUMNS, messagesSql, printedMessages, text } from './printed-messages.ts';
import { changeColumns, printedCells, printedRow, type PrintedColumns } from './printed.ts';
import { columnsOf, streamed, type AskedRows, type Batch, type Statement } from './report.ts';
import { readRepricings, type Repricings } from './repricings.ts';
import { MESSAGE_TABLES } from './tables.ts';

/** The columns of report `messages`. */
const COLUMNS = {
  ...MESSAGE_COLUMNS,
  billable: { ...MESSAGE_COLUMNS.billable, sql: `if(is_gone, '', ${MESSAGE_COLUMNS.billable.sql})` },
  participant: text,
  ...changeColumns('message_marks'),
} satisfies PrintedColumns;

const messageRow = printedRow(COLUMNS);
export const MESSAGES_COLUMNS = columnsOf(messageRow);

/** The order of report `messages`: by the time of sending, tombstones first. */
const ORDER = ['sorted_at', 'message_id', 'phone_number_id', 'participant', 'period'] as const;

const KEYS: readonly PageKey[] = [
  { sql: 'toInt64(toUnixTimestamp(message_marks.sorted_at))', type: 'Int64' },
  ...ORDER.slice(1).map((column) => ({ sql: `toString(${column})`, type: 'String' }) as const),
];

interface Query {
  readonly sql: string;
  readonly parameters: Parameters;
}

/** Whether few messages may have changed, so that reading them by their ids is faster than reading all. */
async function areFew(
  database: Database,
  asked: { readonly filters: ReportFilters; readonly since: number; readonly repricings: Repricings },
): Promise<boolean> {
  const { where, parameters } = changedMarks(asked);
  const [row] = await database.query(
    z.object({ n: z.coerce.number() }),
    `SELECT count() AS n FROM (SELECT 1 FROM message_marks WHERE ${where} LIMIT ${FEW_MESSAGES + 1})`,
    parameters,
  );
  return row !== undefined && row.n <= FEW_MESSAGES;
}

/** The messages of a question that changed since a moment, Unix milliseconds. */
async function changedBy(database: Database, asked: Omit<AskedRows, 'page'>, since: number): Promise<Query> {
  const { filters, by } = asked;
  // Days of charges in a zone belong to no closed month.
  const isOfZone = by === 'charged' && filters.is_tz_given === true;
  const [basis, repricings, closings, reopened] = await Promise.all([
    readRatingBasis(database),
    readRepricings(database),
    isOfZone ? NO_CLOSINGS : readClosingsInForce(database, 0),
    isOfZone ? { isAny: false, parameters: {} } : readReopenedClosings(database, since),
  ]);
  const changed = { basis, closings, filters, by, since, repricings, reopened };
  return changedMessages({ ...changed, areFew: await areFew(database, changed) });
}

/** The messages of a question, with the current basis and closings in force. */
async function printedBy(database: Database, asked: Omit<AskedRows, 'page'>): Promise<Query> {
  const { filters, by } = asked;
  if (filters.changed_since != null) return changedBy(database, asked, filters.changed_since);
  const [basis, repricings, closings] = await Promise.all([
    readRatingBasis(database),
    readRepricings(database),
    // Delivery may be long before or after sending, so any closing may hold messages sent in the range.
    by === 'charged' ? closingsOf(database, filters) : readClosingsInForce(database, 0),
  ]);
  return printedMessages({ basis, closings, filters, by }, repricings);
}

async function messagesStatement(database: Database, asked: Omit<AskedRows, 'page'>): Promise<Statement> {
  const { sql, parameters } = await printedBy(database, asked);
  return {
    sql: messagesSql(sql, COLUMNS, ', sorted_at', ''),
    cells: printedCells(COLUMNS),
    order: ORDER,
    parameters,
  };
}

/**
 * Report `messages`, streamed: `MESSAGES_COLUMNS` as text, one row per outbound message. For a closed month of an
 * account the frozen rows are printed, and `period` says so; not when the days of charges are requested in a zone.
 * Tiers and allowances are those of the charges: settle them first.
 */
async function* messages(database: Database, { filters, by, page }: AskedRows): AsyncGenerator<Batch> {
  const { sql, parameters } = await printedBy(database, { filters, by });
  if (page === null) {
    // By the columns themselves and not by page keys: there may be millions of rows to sort.
    const order = `ORDER BY message_marks.${ORDER.join(', ')}`;
    yield* database.stream(messagesSql(sql, COLUMNS, '', order), parameters);
    return;
  }
  const { also, where, order, parameters: place } = reportPaging(page, KEYS);
  const printed = `SELECT * FROM (${sql}) AS message_marks WHERE ${where}`;
  yield* database.stream(messagesSql(printed, COLUMNS, also, order), { ...parameters, ...place });
}

export const messagesReport = streamed({
  name: 'messages',
  one_row_per: 'message of the business, of a message to a group each participant: marks, amounts, Meta’s error, tag',
  row: messageRow,
  days: 'zone',
  takes_by: true,
  has_changes: true,
  filters: OF_CHARGES,
  settles: ['charges'],
  reads: MESSAGE_TABLES,
  rows: messages,
  statement: messagesStatement,
});

import { amount } from '@ctwa-ledger/schemas/cells.ts';
import type { MessagesBy } from '@ctwa-ledger/schemas/report-parameters.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { z } from 'zod';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { readRatingBasis, type RatingBasis } from '../rating/basis.ts';
import { BILLED_OR_SAVED, pricedSql } from '../rating/pricing.ts';
import { placedSql } from '../rating/ratable.ts';
import {
  CLOSED,
  IS_OF_CLOSING_IN_FORCE,
  readClosingsInForce,
  CLOSINGS_IN_FORCE,
  type ClosingsInForce,
} from './closings.ts';
import { closingsOf, OF_CHARGES } from './charges.ts';
import { reportPaging, type PageKey } from './paging.ts';
import {
  neededColumns,
  printedCells,
  printedRow,
  printedSql,
  printedTime,
  type PrintedColumn,
  type PrintedColumns,
} from './printed.ts';
import { columnsOf, streamed, type AskedRows, type Batch, type Statement } from './report.ts';
import { daysOf, FROM, narrowedSql, parametersOf, TO, widened } from './sql.ts';
import { MESSAGE_TABLES } from './tables.ts';

const text: PrintedColumn = { cell: z.string() };

/**
 * The columns of report `messages`, over rows with a price. An amount is that of one message, so nothing is rounded.
 */
const COLUMNS = {
  message_id: text,
  phone_number_id: text,
  customer: text,
  sent_at: printedTime('message_marks', 'sent_at'),
  delivered_at: printedTime('message_marks', 'delivered_at'),
  type: text,
  template_name: text,
  category: text,
  policy: text,
  predicted: text,
  reported: text,
  billing: text,
  billable: {
    cell: z.boolean().describe('Whether the message is charged.'),
    sql: "if(billing = 'BILLABLE', 'true', 'false')",
    of: ['billing'],
  },
  conversation_id: text,
  ad_id: text,
  waba_id: text,
  market: text,
  rated_category: text,
  currency: text,
  rate_card: { cell: z.string(), sql: 'card', alias: 'card', of: [] },
  list_cost: { cell: amount, sql: "ifNull(toString(rate), '')", of: ['rate'] },
  billed_cost: { cell: amount, sql: BILLED_OR_SAVED.billed, of: ['billing', 'rate'] },
  savings: { cell: amount, sql: BILLED_OR_SAVED.saved, of: ['billing', 'rate'] },
  unrated: { cell: z.string().describe('Why the message has no amount; empty where it has one.') },
  period: { cell: z.string(), of: [] },
  error_code: text,
  error_title: text,
  tag: text,
} satisfies PrintedColumns;

const messageRow = printedRow(COLUMNS);
export const MESSAGES_COLUMNS = columnsOf(messageRow);
const SELECTED = printedSql(COLUMNS);

/**
 * Columns that live messages and those of closed months have under the same name: for the columns above, for the order,
 * and for narrowing. Card and period have other names.
 */
const KEPT = [...neededColumns(COLUMNS), 'tier', 'participant'].join(', ');

/** Conditions on messages, for each relation. */
interface MessageRange {
  readonly marks: string;
  readonly rated: string;
  readonly closed: string;
  readonly parameters: Parameters;
}

function rangeOfMessages(filters: ReportFilters, by: MessagesBy): MessageRange {
  const parameters = parametersOf(filters);
  if (by !== 'charged' || filters.is_tz_given === true) {
    const column = by === 'sent' ? 'sent_at' : 'delivered_at';
    const range = `message_marks.${column} >= ${FROM} AND message_marks.${column} < ${TO}`;
    return { marks: range, rated: 'true', closed: range, parameters };
  }
  return {
    // One more day on both sides, for any zone. The exact day of a message is compared later.
    marks: `message_marks.delivered_at >= ${FROM} AND message_marks.delivered_at < ${TO}`,
    rated: 'day >= {first_day:Date} AND day < {end_day:Date}',
    closed: 'message_marks.day >= {first_day:Date} AND message_marks.day < {end_day:Date}',
    parameters: { ...widened(filters), ...daysOf(filters) },
  };
}

/** Columns that narrow messages before they are priced. */
const NARROWED_MARKS = {
  waba_id: 'toString(message_marks.waba_id)',
  phone_number_id: 'toString(message_marks.phone_number_id)',
  billing: 'toString(message_marks.billing)',
} as const;

/** Columns that narrow printed messages: those of the charges to which they belong. */
const NARROWED_MESSAGES = {
  waba_id: 'toString(waba_id)',
  phone_number_id: 'toString(phone_number_id)',
  market: 'toString(market)',
  category: 'toString(rated_category)',
  billing: 'toString(billing)',
  tier: 'tier',
  rate: "if(billing = 'BILLABLE', ifNull(toString(rate), ''), '')",
  rate_card: 'card',
  tag: 'tag',
} as const;

/** A part of the messages of a report, by conditions on marks and on frozen messages. */
export interface PartOfMessages {
  readonly marks: string;
  readonly closed: string;
}

const WHOLE: PartOfMessages = { marks: 'true', closed: 'true' };

/** Live messages outside closed months, and the messages that were frozen with closed months. */
function liveAndFrozen(live: string, range: MessageRange, part: PartOfMessages): string {
  return `
    SELECT ${KEPT}, card, 'live' AS period
    FROM (${live}) AS live
    ASOF LEFT JOIN (SELECT waba_id AS closed_waba_id, starts_at, ends_at FROM (${CLOSINGS_IN_FORCE})) AS closing
      ON toString(live.waba_id) = closing.closed_waba_id AND assumeNotNull(live.delivered_at) >= closing.starts_at
    WHERE live.delivered_at IS NULL OR live.delivered_at >= closing.ends_at
    UNION ALL
    SELECT ${KEPT}, rate_card, ${CLOSED}
    FROM closed_messages AS message_marks FINAL
    WHERE ${IS_OF_CLOSING_IN_FORCE} AND ${range.closed} AND ${part.closed}`;
}

/**
 * A query of the rows that report `messages` prints: live messages, and for closed months the frozen messages. A
 * message delivered in a month that is closed for its account is printed as it was frozen, or not at all: what came in
 * later is in report `adjustments`.
 * @param closings those of the range
 */
export function printedMessages(
  basis: RatingBasis,
  closings: ClosingsInForce,
  filters: ReportFilters,
  by: MessagesBy,
  part: PartOfMessages = WHOLE,
): { readonly sql: string; readonly parameters: Parameters } {
  const range = rangeOfMessages(filters, by);
  const before = narrowedSql(filters, NARROWED_MARKS);
  const narrowed = narrowedSql(filters, NARROWED_MESSAGES);
  const marks = `${range.marks} AND ${before.where} AND ${part.marks}`;
  const live = `SELECT * FROM (${pricedSql(placedSql(basis, marks), 'rated_category')}) WHERE ${range.rated}`;
  const printed = closings.isAny
    ? liveAndFrozen(live, range, part)
    : `SELECT ${KEPT}, card, 'live' AS period FROM (${live})`;
  return {
    sql: `SELECT * FROM (${printed}) WHERE ${narrowed.where}`,
    parameters: { ...range.parameters, ...basis.parameters, ...closings.parameters, ...narrowed.parameters },
  };
}

/**
 * Messages as report `messages` prints them.
 * @param also further columns, each after a comma
 * @param order `ORDER BY …`, and perhaps a limit
 */
export function messagesSql(printed: string, also: string, order: string): string {
  return `SELECT ${SELECTED}${also} FROM (${printed}) AS message_marks ${order}`;
}

/** The order of report `messages`. */
const KEYS: readonly PageKey[] = [
  { sql: 'toInt64(toUnixTimestamp(message_marks.sent_at))', type: 'Int64' },
  { sql: 'message_id', type: 'String' },
  { sql: 'toString(phone_number_id)', type: 'String' },
  { sql: 'participant', type: 'String' },
];

/** The messages of a question, with the current basis and closings in force. */
async function printedBy(
  database: Database,
  { filters, by }: Omit<AskedRows, 'page'>,
): Promise<ReturnType<typeof printedMessages>> {
  const [basis, closings] = await Promise.all([
    readRatingBasis(database),
    // Delivery may be long before or after sending, so any closing may hold messages sent in the range.
    by === 'charged' ? closingsOf(database, filters) : readClosingsInForce(database, 0),
  ]);
  return printedMessages(basis, closings, filters, by);
}

async function messagesStatement(database: Database, asked: Omit<AskedRows, 'page'>): Promise<Statement> {
  const { sql, parameters } = await printedBy(database, asked);
  return {
    sql: messagesSql(sql, ', sent_at, participant', ''),
    cells: printedCells(COLUMNS),
    order: ['sent_at', 'message_id', 'phone_number_id', 'participant'],
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
    const order = 'ORDER BY message_marks.sent_at, message_id, phone_number_id, participant';
    yield* database.stream(messagesSql(sql, '', order), parameters);
    return;
  }
  const { also, where, order, parameters: place } = reportPaging(page, KEYS);
  const printed = `SELECT * FROM (${sql}) AS message_marks WHERE ${where}`;
  yield* database.stream(messagesSql(printed, also, order), { ...parameters, ...place });
}

export const messagesReport = streamed({
  name: 'messages',
  one_row_per: 'message of the business, of a message to a group each participant: marks, amounts, Meta’s error, tag',
  row: messageRow,
  days: 'zone',
  takes_by: true,
  filters: OF_CHARGES,
  settles: ['charges'],
  reads: MESSAGE_TABLES,
  rows: messages,
  statement: messagesStatement,
});

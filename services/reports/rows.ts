import { amount, count, instant } from '@ctwa-ledger/schemas/cells.ts';
import type { MessagesBy } from '@ctwa-ledger/schemas/report-parameters.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { z } from 'zod';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { readRatingBasis, type RatingBasis } from '../rating/basis.ts';
import { BILLED_OR_SAVED, pricedSql } from '../rating/pricing.ts';
import { placedSql } from '../rating/ratable.ts';
import { CLOSED, IS_STANDING, readStandingPeriods, STANDING_PERIODS, type StandingPeriods } from './closed-periods.ts';
import { closingsOf, OF_CHARGES } from './charges.ts';
import { reportPaging, type PageKey } from './paging.ts';
import { columnsOf, streamed, type AskedRows, type Batch, type Statement } from './report.ts';
import { daysOf, FROM, isoTime, narrowedSql, parametersOf, TO } from './sql.ts';
import { MESSAGE_TABLES } from './tables.ts';
import { LAST_SECOND } from '@ctwa-ledger/schemas/time-limits.ts';
import { filledQuery, readQuery } from '../clickhouse/sql.ts';

const messageRow = z.object({
  message_id: z.string(),
  phone_number_id: z.string(),
  customer: z.string(),
  sent_at: instant,
  delivered_at: instant,
  type: z.string(),
  template_name: z.string(),
  category: z.string(),
  policy: z.string(),
  predicted: z.string(),
  reported: z.string(),
  billing: z.string(),
  billable: z.boolean().describe('Whether the message is charged.'),
  conversation_id: z.string(),
  ad_id: z.string(),
  waba_id: z.string(),
  market: z.string(),
  rated_category: z.string(),
  currency: z.string(),
  rate_card: z.string(),
  list_cost: amount,
  billed_cost: amount,
  savings: amount,
  unrated: z.string().describe('Why the message has no amount; empty where it has one.'),
  period: z.string(),
  error_code: z.string(),
  error_title: z.string(),
  tag: z.string(),
});
export const MESSAGES_COLUMNS = columnsOf(messageRow);

const conversationRow = z.object({
  conversation_id: z.string().describe('Id of the entry: the customer’s message that came from an ad or post.'),
  phone_number_id: z.string(),
  customer: z.string(),
  entry_at: instant,
  source_type: z.string(),
  ad_id: z.string(),
  source_url: z.string(),
  ctwa_clid: z.string(),
  reply_message_id: z.string(),
  replied_at: instant,
  seconds_to_reply: count.nullable(),
  opened_at: instant,
  expires_at: instant,
  free_messages: count,
  ad_conversation_id: z.string(),
});
export const CONVERSATIONS_COLUMNS = columnsOf(conversationRow);

/** Times in a query as reports print them, by the name of their column. */
function timesOf(table: string, columns: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(columns.map((column) => [column, isoTime(`${table}.${column}`)]));
}

const MESSAGES = readQuery('messages');
const MESSAGE_TIMES = timesOf('message_marks', ['sent_at', 'delivered_at']);
const CONVERSATIONS = readQuery('conversations');
const ENTRY_TIMES = timesOf('entry_marks', ['entry_at', 'replied_at', 'opened_at', 'expires_at']);

/** Conditions on messages, by what they are asked of. */
interface MessageRange {
  readonly marks: string;
  readonly rated: string;
  readonly closed: string;
  readonly parameters: Parameters;
}

const DAY_SECONDS = 86_400;

function rangeOfMessages(filters: ReportFilters, by: MessagesBy): MessageRange {
  const parameters = parametersOf(filters);
  if (by !== 'charged' || filters.is_tz_given === true) {
    const column = by === 'sent' ? 'sent_at' : 'delivered_at';
    const range = `message_marks.${column} >= ${FROM} AND message_marks.${column} < ${TO}`;
    return { marks: range, rated: 'true', closed: range, parameters };
  }
  const { from, to } = parameters;
  return {
    // A day more on both sides, whatever the zones; which day a message is of is asked exactly afterwards.
    marks: `message_marks.delivered_at >= ${FROM} AND message_marks.delivered_at < ${TO}`,
    rated: 'day >= {first_day:Date} AND day < {end_day:Date}',
    closed: 'message_marks.day >= {first_day:Date} AND message_marks.day < {end_day:Date}',
    parameters: {
      ...parameters,
      ...daysOf(filters),
      from: Math.max(from - DAY_SECONDS, 0),
      to: Math.min(to + DAY_SECONDS, LAST_SECOND),
    },
  };
}

/** What `sql/queries/messages.sql` prints, of live messages and of closed ones; those have their card under another name. */
const PRINTED = `message_id, phone_number_id, customer, sent_at, delivered_at, type, template_name, category, policy,
    predicted, reported, billing, conversation_id, ad_id, waba_id, market, rated_category, currency, rate, unrated, tier, participant, error_code, error_title, tag`;

/** What messages are narrowed by before they are priced. */
const NARROWED_MARKS = {
  waba_id: 'toString(message_marks.waba_id)',
  phone_number_id: 'toString(message_marks.phone_number_id)',
  billing: 'toString(message_marks.billing)',
} as const;

/** What printed messages are narrowed by: the columns of the charges that they are part of. */
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

/** A part of the messages of a report, told by conditions on marks and on frozen messages. */
export interface PartOfMessages {
  readonly marks: string;
  readonly closed: string;
}

const WHOLE: PartOfMessages = { marks: 'true', closed: 'true' };

/** Live messages that no closed month has, and the messages that were frozen with closed months. */
function liveAndFrozen(live: string, range: MessageRange, part: PartOfMessages): string {
  return `
    SELECT ${PRINTED}, card, 'live' AS period
    FROM (${live}) AS live
    ASOF LEFT JOIN (SELECT waba_id AS closed_waba_id, starts_at, ends_at FROM (${STANDING_PERIODS})) AS standing
      ON toString(live.waba_id) = standing.closed_waba_id AND assumeNotNull(live.delivered_at) >= standing.starts_at
    WHERE live.delivered_at IS NULL OR live.delivered_at >= standing.ends_at
    UNION ALL
    SELECT ${PRINTED}, rate_card, ${CLOSED}
    FROM closed_messages AS message_marks FINAL
    WHERE ${IS_STANDING} AND ${range.closed} AND ${part.closed}`;
}

/**
 * A query of what `sql/queries/messages.sql` prints. Live messages, and of closed months the messages that were frozen. A
 * message delivered in a month that is closed for its account is printed as it was frozen, or not at all: what came in later
 * is in report `adjustments`.
 * @param closings those of the range
 */
export function printedMessages(
  basis: RatingBasis,
  closings: StandingPeriods,
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
    : `SELECT ${PRINTED}, card, 'live' AS period FROM (${live})`;
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
  return filledQuery(MESSAGES, { ...MESSAGE_TIMES, ...BILLED_OR_SAVED, rated: printed, also, order });
}

/** The order of report `messages`. */
const KEYS: readonly PageKey[] = [
  { sql: 'toInt64(toUnixTimestamp(message_marks.sent_at))', type: 'Int64' },
  { sql: 'message_id', type: 'String' },
  { sql: 'toString(phone_number_id)', type: 'String' },
  { sql: 'participant', type: 'String' },
];

/** The messages of a question, with the basis and the closings that hold now. */
async function printedBy(
  database: Database,
  { filters, by }: Omit<AskedRows, 'page'>,
): Promise<ReturnType<typeof printedMessages>> {
  const [basis, closings] = await Promise.all([
    readRatingBasis(database),
    // Delivery may be long before or after sending, so any closing may have messages that were sent in the range.
    by === 'charged' ? closingsOf(database, filters) : readStandingPeriods(database, 0),
  ]);
  return printedMessages(basis, closings, filters, by);
}

/** What a query of `sql/queries` calls the cells of a report, where it cannot be what the report calls them. */
function cellsOf(columns: readonly string[], others: Readonly<Record<string, string>>): string[] {
  return columns.map((column) => others[column] ?? column);
}

async function messagesStatement(database: Database, asked: Omit<AskedRows, 'page'>): Promise<Statement> {
  const { sql, parameters } = await printedBy(database, asked);
  return {
    sql: messagesSql(sql, ', sent_at, participant', ''),
    cells: cellsOf(MESSAGES_COLUMNS, {
      sent_at: 'sent_at_text',
      delivered_at: 'delivered_at_text',
      rate_card: 'card',
    }),
    order: ['sent_at', 'message_id', 'phone_number_id', 'participant'],
    parameters,
  };
}

/**
 * Report `messages`, streamed: `MESSAGES_COLUMNS` as text, one row per outbound message. Of a closed month of an account the
 * frozen rows are printed, and `period` says so; not where days of a zone are asked for as those of charges. Tiers and allowances are those of the charges: settle them first.
 */
async function* messages(database: Database, { filters, by, page }: AskedRows): AsyncGenerator<Batch> {
  const { sql, parameters } = await printedBy(database, { filters, by });
  if (page === null) {
    // Columns as they are, and not the keys of a page: there may be millions of rows to sort.
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

/** Which entries came from the ad or post of the filters: of an address, those that name it themselves. */
const OF_AD = "({ad:String} = '' OR ad_id = {ad:String} OR entry_marks.source_url = {ad:String})";

const ENTRY_KEYS: readonly PageKey[] = [
  { sql: 'toInt64(toUnixTimestamp(entry_marks.entry_at))', type: 'Int64' },
  { sql: 'entry_id', type: 'String' },
  { sql: 'toString(phone_number_id)', type: 'String' },
];

/** Report `conversations`, streamed: `CONVERSATIONS_COLUMNS` as text, one row per entry. */
async function* conversations(database: Database, { filters, page }: AskedRows): AsyncGenerator<Batch> {
  const { also, where, order, parameters } = reportPaging(page, ENTRY_KEYS);
  const sql = conversationsSql(also, where, order);
  yield* database.stream(sql, { ...parametersOf(filters), ...parameters });
}

function conversationsSql(also: string, place: string, order: string): string {
  return filledQuery(CONVERSATIONS, { ...ENTRY_TIMES, from: FROM, to: TO, ad: OF_AD, also, place, order });
}

function conversationsStatement(_: Database, { filters }: Omit<AskedRows, 'page'>): Promise<Statement> {
  return Promise.resolve({
    sql: conversationsSql(', entry_at', 'true', ''),
    cells: cellsOf(CONVERSATIONS_COLUMNS, {
      entry_at: 'entry_at_text',
      replied_at: 'replied_at_text',
      opened_at: 'opened_at_text',
      expires_at: 'expires_at_text',
    }),
    order: ['entry_at', 'conversation_id', 'phone_number_id'],
    parameters: parametersOf(filters),
  });
}

export const conversationsReport = streamed({
  name: 'conversations',
  one_row_per: 'entry, a customer’s message that came from an ad or post: its reply and its free entry window',
  row: conversationRow,
  days: 'zone',
  filters: ['ad'],
  settles: [],
  reads: ['entry_marks'],
  rows: conversations,
  statement: conversationsStatement,
});

import { amount } from '@ctwa-ledger/schemas/cells.ts';
import type { MessagesBy } from '@ctwa-ledger/schemas/report-parameters.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { z } from 'zod';
import type { Parameters } from '../clickhouse/database.ts';
import type { RatingBasis } from '../rating/basis.ts';
import { BILLED_OR_SAVED, pricedSql } from '../rating/pricing.ts';
import { placedSql } from '../rating/ratable.ts';
import {
  CLOSED,
  CLOSING_CHANGED_MS,
  CLOSINGS_IN_FORCE,
  IS_OF_CLOSING_IN_FORCE,
  type ClosingsInForce,
} from './closings.ts';
import { neededColumns, printedSql, printedTime, type PrintedColumn, type PrintedColumns } from './printed.ts';
import { datedSql, timeOfMs, type Repricings } from './repricings.ts';
import { daysOf, FROM, narrowedSql, ofWindowsSql, parametersOf, TO, widened, type Condition } from './sql.ts';

export const text: PrintedColumn = { cell: z.string() };

/** The columns of a message with its price. An amount is that of one message, so nothing is rounded. */
export const MESSAGE_COLUMNS = {
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

/**
 * Columns that live messages and those of closed months have under the same name: for the columns above, for the order,
 * and for narrowing. Card and period have other names.
 */
export const KEPT: readonly string[] = [...neededColumns(MESSAGE_COLUMNS), 'tier', 'participant'];
export const KEPT_SQL = KEPT.join(', ');

/** Conditions on messages, for each relation. */
export interface MessageRange {
  readonly marks: string;
  readonly rated: string;
  readonly closed: string;
  readonly parameters: Parameters;
}

export function rangeOfMessages(filters: ReportFilters, by: MessagesBy): MessageRange {
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

/** The condition of the filters on messages with `card`, after they were priced. */
export function narrowedMessages(filters: ReportFilters): Condition {
  const { where, parameters } = narrowedSql(filters, NARROWED_MESSAGES);
  return { where: `${where} AND ${ofWindowsSql(filters)}`, parameters };
}

/** A part of the messages of a report, by conditions on marks and on frozen messages. */
export interface PartOfMessages {
  readonly marks: string;
  readonly closed: string;
}

const WHOLE: PartOfMessages = { marks: 'true', closed: 'true' };

/** Further columns of live and of frozen messages, each after a comma. */
interface FurtherColumns {
  readonly live: string;
  readonly frozen: string;
}

const NO_OTHERS: FurtherColumns = { live: '', frozen: '' };

/** What report `messages` has besides: how it is sorted, and when the row changed. */
const DATED: FurtherColumns = {
  live: ', version, updated_at, toUInt8(0) AS is_gone, sent_at AS sorted_at',
  frozen: `, version,
    ${timeOfMs(CLOSING_CHANGED_MS)} AS updated_at,
    toUInt8(0) AS is_gone, sent_at AS sorted_at`,
};

/** The time from which messages of an account are outside the closed month that began last, as a join with `live`. */
export const JOINED_CLOSING = `
    ASOF LEFT JOIN (SELECT waba_id AS closed_waba_id, starts_at, ends_at FROM (${CLOSINGS_IN_FORCE})) AS closing
      ON toString(live.waba_id) = closing.closed_waba_id AND assumeNotNull(live.delivered_at) >= closing.starts_at`;
export const IS_OUTSIDE_CLOSING = '(live.delivered_at IS NULL OR live.delivered_at >= closing.ends_at)';

/** The messages that were frozen with closed months. */
function frozenSql(also: string, range: MessageRange, part: PartOfMessages): string {
  return `
    SELECT ${KEPT_SQL}, rate_card AS card, ${CLOSED} AS period${also}
    FROM closed_messages AS message_marks FINAL
    WHERE ${IS_OF_CLOSING_IN_FORCE} AND ${range.closed} AND ${part.closed}`;
}

/** Live messages outside closed months, and the messages that were frozen with closed months. */
function liveAndFrozen(live: string, range: MessageRange, part: PartOfMessages, also: FurtherColumns): string {
  return `
    SELECT ${KEPT_SQL}, card, 'live' AS period${also.live}
    FROM (${live}) AS live ${JOINED_CLOSING}
    WHERE ${IS_OUTSIDE_CLOSING}
    UNION ALL
    ${frozenSql(also.frozen, range, part)}`;
}

/** Which messages are printed. */
export interface WantedMessages {
  readonly basis: RatingBasis;
  /** Those of the range. */
  readonly closings: ClosingsInForce;
  readonly filters: ReportFilters;
  readonly by: MessagesBy;
}

/**
 * A query of the rows that report `messages` prints: live messages, and for closed months the frozen messages. A
 * message delivered in a month that is closed for its account is printed as it was frozen, or not at all: what came in
 * later is in report `adjustments`.
 * @param repricings null when nobody asks when the rows changed
 */
export function printedMessages(
  { basis, closings, filters, by }: WantedMessages,
  repricings: Repricings | null = null,
  part: PartOfMessages = WHOLE,
): { readonly sql: string; readonly parameters: Parameters } {
  const range = rangeOfMessages(filters, by);
  const before = narrowedSql(filters, NARROWED_MARKS);
  const narrowed = narrowedMessages(filters);
  const marks = `${range.marks} AND ${before.where} AND ${part.marks}`;
  const priced = `SELECT * FROM (${pricedSql(placedSql(basis, marks), 'rated_category')}) WHERE ${range.rated}`;
  const live = repricings === null ? priced : datedSql(priced, repricings);
  const also = repricings === null ? NO_OTHERS : DATED;
  const printed = closings.isAny
    ? liveAndFrozen(live, range, part, also)
    : `SELECT ${KEPT_SQL}, card, 'live' AS period${also.live} FROM (${live})`;
  return {
    sql: `SELECT * FROM (${printed}) WHERE ${narrowed.where}`,
    parameters: {
      ...range.parameters,
      ...basis.parameters,
      ...closings.parameters,
      ...narrowed.parameters,
      ...repricings?.parameters,
    },
  };
}

/**
 * Messages with their columns as text.
 * @param also further columns, each after a comma
 * @param order `ORDER BY …`, and perhaps a limit
 */
export function messagesSql(printed: string, columns: PrintedColumns, also: string, order: string): string {
  return `SELECT ${printedSql(columns)}${also} FROM (${printed}) AS message_marks ${order}`;
}

import type { ReportFilters } from '@ctwa-ledger/schemas/reports.ts';
import type { Database, Parameters } from '../ledger/database.ts';
import { readRatingBasis, type RatingBasis } from '../rating/basis.ts';
import { pricedSql } from '../rating/pricing.ts';
import { placedSql } from '../rating/ratable.ts';
import {
  CLOSED,
  IS_STANDING,
  readStandingPeriods,
  STANDING_PERIODS,
  type StandingPeriods,
} from '../rating/standing-periods.ts';
import { closingsOf, daysOf } from './charges.ts';
import { FROM, isoTime, narrowedSql, parametersOf, readQuery, TO } from './sql.ts';

export const MESSAGES_COLUMNS = [
  'message_id',
  'phone_number_id',
  'customer',
  'sent_at',
  'delivered_at',
  'type',
  'template_name',
  'category',
  'policy',
  'predicted',
  'reported',
  'billing',
  'billable',
  'conversation_id',
  'ad_id',
  'waba_id',
  'market',
  'rated_category',
  'currency',
  'rate_card',
  'list_cost',
  'billed_cost',
  'savings',
  'unrated',
  'period',
  'error_code',
  'error_title',
  'tag',
] as const;

export const CONVERSATIONS_COLUMNS = [
  'conversation_id',
  'phone_number_id',
  'customer',
  'entry_at',
  'source_type',
  'ad_id',
  'source_url',
  'ctwa_clid',
  'reply_message_id',
  'replied_at',
  'seconds_to_reply',
  'opened_at',
  'expires_at',
  'free_messages',
  'ad_conversation_id',
] as const;

function filled(query: string, table: string): string {
  return query
    .replaceAll('%from%', FROM)
    .replaceAll('%to%', TO)
    .replaceAll(/%(\w+_at)%/g, (_, column: string) => isoTime(`${table}.${column}`));
}

const MESSAGES = filled(readQuery('messages'), 'message_marks');
const CONVERSATIONS = filled(readQuery('conversations'), 'entry_marks');

/**
 * What the days of a range are of: the time of sending or of delivery in the zone of the filters, or the days of report
 * `charges`: of delivery, in the zone of each account unless a zone is asked for.
 */
export type MessagesBy = 'sent' | 'delivered' | 'charged';

/** Conditions on messages, by what they are asked of. */
interface MessageRange {
  readonly marks: string;
  readonly rated: string;
  readonly closed: string;
  readonly parameters: Parameters;
}

const DAY_SECONDS = 86_400;
const LAST_SECOND = 4_294_967_295;

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
  const parts: Readonly<Record<string, string>> = { '%rated%': printed, '%also%': also, '%order%': order };
  return MESSAGES.replaceAll(/%(rated|also|order)%/g, (name) => parts[name] ?? '');
}

/**
 * Report `messages`, streamed: `MESSAGES_COLUMNS` as text, one row per outbound message. Of a closed month of an account the
 * frozen rows are printed, and `period` says so; not where days of a zone are asked for as those of charges. Tiers and allowances are those of the charges: settle them first.
 */
export async function* messages(
  database: Database,
  filters: ReportFilters,
  by: MessagesBy,
): AsyncGenerator<(readonly unknown[])[]> {
  const [basis, closings] = await Promise.all([
    readRatingBasis(database),
    // Delivery may be long before or after sending, so any closing may have messages that were sent in the range.
    by === 'charged' ? closingsOf(database, filters) : readStandingPeriods(database, 0),
  ]);
  const { sql, parameters } = printedMessages(basis, closings, filters, by);
  const order = 'ORDER BY message_marks.sent_at, message_id, phone_number_id, participant';
  yield* database.stream(messagesSql(sql, '', order), parameters);
}

/** Which entries came from the ad or post of the filters: of an address, those that name it themselves. */
const OF_AD = "({ad:String} = '' OR ad_id = {ad:String} OR entry_marks.source_url = {ad:String})";

/** Report `conversations`, streamed: `CONVERSATIONS_COLUMNS` as text, one row per entry. */
export function conversations(database: Database, filters: ReportFilters): AsyncGenerator<(readonly unknown[])[]> {
  return database.stream(
    CONVERSATIONS.replace('%ad%', () => OF_AD),
    parametersOf(filters),
  );
}

import type { ReportFilters } from '@ctwa-ledger/schemas/reports.ts';
import type { Database } from '../ledger/database.ts';
import { readRatingBasis } from '../rating/basis.ts';
import { pricedSql } from '../rating/pricing.ts';
import { placedSql } from '../rating/ratable.ts';
import { STANDING_PERIODS } from '../rating/standing-periods.ts';
import { FROM, isoTime, parametersOf, readQuery, TO } from './sql.ts';

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

const RANGE_OF_MESSAGES = `if({by:String} = 'delivered',
    message_marks.delivered_at >= ${FROM} AND message_marks.delivered_at < ${TO},
    message_marks.sent_at >= ${FROM} AND message_marks.sent_at < ${TO})`;

/** What `sql/queries/messages.sql` prints, of live messages and of closed ones; those have their card under another name. */
const PRINTED = `message_id, phone_number_id, customer, sent_at, delivered_at, type, template_name, category, policy,
    predicted, reported, billing, conversation_id, ad_id, waba_id, market, rated_category, currency, rate, unrated`;

/**
 * Live messages, and of closed months the messages that were frozen. A message delivered in a month that is closed for its
 * account is printed as it was frozen, or not at all: what came in later is in report `adjustments`.
 */
function printedSql(rated: string): string {
  return `
    SELECT ${PRINTED}, card, 'live' AS period
    FROM (${rated}) AS live
    ASOF LEFT JOIN (SELECT waba_id AS closed_waba_id, starts_at, ends_at FROM (${STANDING_PERIODS})) AS standing
      ON toString(live.waba_id) = standing.closed_waba_id AND assumeNotNull(live.delivered_at) >= standing.starts_at
    WHERE live.delivered_at IS NULL OR live.delivered_at >= standing.ends_at
    UNION ALL
    SELECT ${PRINTED}, rate_card, closed
    FROM closed_messages AS message_marks FINAL
    INNER JOIN (SELECT period_id, closed FROM (${STANDING_PERIODS})) AS standing USING period_id
    WHERE ${RANGE_OF_MESSAGES}`;
}

/**
 * Report `messages`, streamed: `MESSAGES_COLUMNS` as text, one row per outbound message. Of a closed month of an account the
 * frozen rows are printed, and `period` says so. Tiers and allowances are those of the charges: settle them first.
 */
export async function* messages(
  database: Database,
  filters: ReportFilters,
  by: 'sent' | 'delivered',
): AsyncGenerator<(readonly unknown[])[]> {
  const basis = await readRatingBasis(database);
  const rated = pricedSql(placedSql(basis, RANGE_OF_MESSAGES), 'rated_category');
  yield* database.stream(
    MESSAGES.replace('%rated%', () => printedSql(rated)),
    { ...parametersOf(filters), ...basis.parameters, by },
  );
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

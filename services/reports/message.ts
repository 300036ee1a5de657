import { messageRow, type ExplainedMessage, type MessageRow } from '@ctwa-ledger/schemas/message.ts';
import type { Database } from '../clickhouse/database.ts';
import { explainMessages, type LedgerToRead } from '../ledger/thread.ts';
import { readRatingBasis } from '../rating/basis.ts';
import { BILLED_OR_SAVED, pricedSql } from '../rating/pricing.ts';
import { FREE_PLACES } from '@ctwa-ledger/schemas/durations.ts';
import { placedSql } from '../rating/ratable.ts';
import { isClosedSql, readClosingsInForce } from './closings.ts';
import { whatToDo } from './failures.ts';
import { participantKeySql } from './participants.ts';
import { isoTime } from './sql.ts';

/** Identifies messages: ids are unique only within a business number. */
export interface AskedMessage {
  readonly message_id: string;
  /** Null = in all numbers. */
  readonly phone_number_id: string | null;
  /** IANA zone in which times are written. */
  readonly tz: string;
}

/** The messages with an id, and the facts that decide their amounts. */
async function readMessages(database: Database, asked: AskedMessage): Promise<MessageRow[]> {
  const [basis, closings] = await Promise.all([readRatingBasis(database), readClosingsInForce(database, 0)]);
  const meant = `message_id = {message_id:String} AND ({number:String} = '' OR phone_number_id = {number:String})`;
  return database.query(
    messageRow,
    `SELECT * REPLACE (nullIf(list_cost, '') AS list_cost, nullIf(billed_cost, '') AS billed_cost, nullIf(savings, '') AS savings)
     FROM
     (
     SELECT toString(phone_number_id) AS phone_number_id, message_id, customer, participant, ${participantKeySql('participant')} AS participant_key, toString(waba_id) AS waba_id,
        ${isoTime('marks.sent_at')} AS sent_time, ${isoTime('marks.delivered_at')} AS delivered_time, toString(marks.day) AS rated_day,
        type, template_name, category, policy, predicted, reported, billing, conversation_id, ad_id, source_type,
        model, market, rated_category, currency, card, tier,
        if(needs = 'rate' AND marks.basis != 'rate' AND unrated = '', toString(scope), NULL) AS free_place,
        ifNull(toString(rate), '') AS list_cost, ${BILLED_OR_SAVED.billed} AS billed_cost, ${BILLED_OR_SAVED.saved} AS savings,
        unrated, toBool(marks.delivered_at IS NOT NULL AND ${isClosedSql('marks.waba_id', 'marks.day')}) AS is_closed,
        toBool(is_failed) AS has_failed, toString(error_code) AS error_code, error_title, tag, recipient, dialled_customer
     FROM (${pricedSql(placedSql(basis, meant), 'rated_category')}) AS marks
     )
     ORDER BY phone_number_id, participant`,
    {
      ...basis.parameters,
      ...closings.parameters,
      message_id: asked.message_id,
      number: asked.phone_number_id ?? '',
      tz: asked.tz,
    },
  );
}

function missing(row: MessageRow): string {
  const card = `${row.currency} card per ${row.model}`;
  switch (row.unrated) {
    case 'unknown_category':
      return `its category is not known, or "${row.rated_category}" has no price column`;
    case 'no_account':
      return row.waba_id === ''
        ? 'no account lists its number: set one with ctwa-ledger accounts set WABA --phone-number-id'
        : `the account ${row.waba_id} has no currency: set it with ctwa-ledger accounts set ${row.waba_id} --currency`;
    case 'no_card':
      return `there is no ${card} for ${row.rated_day}: import one with ctwa-ledger rates import`;
    case 'market_not_on_card':
      return `the market ${row.market} is not on the ${card} of that day`;
    case 'not_offered':
      return `the ${card} of that day offers no ${row.rated_category} in ${row.market}`;
    case '':
      throw new TypeError(`Message ${row.message_id} has an amount.`);
  }
}

/** The source of a price: `marketing in Brazil, july.csv 2026-07-01, tier 101:MAX`. */
function priceOf(row: MessageRow): string {
  const tier = row.tier === '' ? '' : `, tier ${row.tier}`;
  return `${row.rated_category} in ${row.market}, ${row.card}${tier}`;
}

/** One sentence: what a message costs and why (rules.md M1 to M5). */
function explainAmount(row: MessageRow): string {
  if (row.billing === 'UNDELIVERED') return 'costs nothing: only delivered messages are charged (M4)';
  if (row.unrated !== '') return `no amount (${row.unrated}): ${missing(row)} (M5)`;
  if (row.free_place !== null) {
    const free =
      row.free_place === 'allowance' ? 'service messages of its number' : 'service conversations of its account';
    return `costs nothing: among the first ${FREE_PLACES} ${free} of the month (M3)`;
  }
  if (row.card === '') return 'costs nothing by rule, with and without a free entry window (M4)';
  return row.billing === 'BILLABLE'
    ? `billed ${row.currency} ${row.billed_cost ?? ''}: ${priceOf(row)} (M1)`
    : `saved ${row.currency} ${row.savings ?? ''}, which it would have cost outside the free entry window: ${priceOf(row)} (M4)`;
}

/** Precedes the amount of a message whose month is closed. */
const CLOSED =
  'its month is closed, and the bill stands as it was then (what changed since is in report adjustments); now: ';

function rowOf(row: { readonly phone_number_id: string; readonly participant: string }): string {
  return `${row.phone_number_id}\n${row.participant}`;
}

/** Meta's reason for the failure, and what to do about it. */
function explainFailure({ error_code, error_title, delivered_time }: MessageRow): string {
  const said = error_code === '' ? 'no error' : `error ${error_code}${error_title === '' ? '' : `, "${error_title}"`}`;
  const after = delivered_time === '' ? '' : ', although it was delivered too, and a delivery holds (F4)';
  const advice = whatToDo(error_code);
  return `Meta reports that it failed with ${said}${after}.${advice === '' ? '' : ` ${advice}`}`;
}

/**
 * Why messages are marked as they are, and cost what they cost; empty when there is no such outbound message. Settle
 * the charges first.
 */
export async function explain(ledger: LedgerToRead, asked: AskedMessage): Promise<ExplainedMessage[]> {
  const rows = await readMessages(ledger.reading, asked);
  const said = new Map((await explainMessages(ledger, asked.message_id, asked.tz)).map((one) => [rowOf(one), one]));
  const severalOf = (names: readonly string[] = []): readonly string[] => (names.length > 1 ? names : []);
  return rows.map((message) => ({
    message,
    mark_sentence: said.get(rowOf(message))?.sentence ?? message.billing,
    names: severalOf(said.get(rowOf(message))?.names),
    failure_sentence: message.has_failed ? explainFailure(message) : '',
    amount_sentence: `${message.is_closed ? CLOSED : ''}${explainAmount(message)}`,
  }));
}

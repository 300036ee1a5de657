import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Parameters } from '../clickhouse/database.ts';
import { pricedSql } from '../rating/pricing.ts';
import { placedSql } from '../rating/ratable.ts';
import { CLOSED, CLOSING_CHANGED_MS, IS_OF_CLOSING_IN_FORCE, type ClosingsInForce } from './closings.ts';
import {
  IS_OUTSIDE_CLOSING,
  JOINED_CLOSING,
  KEPT,
  KEPT_SQL,
  narrowedMessages,
  rangeOfMessages,
  type MessageRange,
  type WantedMessages,
} from './printed-messages.ts';
import { datedSql, mayHaveChanged, timeOfMs, type Repricings } from './repricings.ts';
import { FROM, TO, type Condition } from './sql.ts';

/** A question about the messages that changed since a moment. */
export interface ChangedSince extends WantedMessages {
  /** Unix milliseconds. */
  readonly since: number;
  readonly repricings: Repricings;
  /** Closings that were reopened since. */
  readonly reopened: ClosingsInForce;
  /** Whether few messages may have changed: then they are read by their ids. */
  readonly areFew: boolean;
}

const SINCE = timeOfMs('{changed_since:Int64}');

/** Columns that name a row, which a tombstone keeps. */
const KEY: readonly string[] = ['message_id', 'phone_number_id', 'participant'];
const NULLABLE: readonly string[] = ['sent_at', 'delivered_at', 'rate'];

const blankOf = (column: string): string => (NULLABLE.includes(column) ? 'NULL' : "''");

/** Leaves a row that is gone nothing but its key. It comes before the rows that stand. */
function blankedSql(rows: string): string {
  const columns = [...KEPT, 'card'].map((column) =>
    KEY.includes(column) ? column : `if(is_gone, ${blankOf(column)}, ${column}) AS ${column}`,
  );
  return `SELECT ${columns.join(', ')}, period, version, updated_at, toUInt8(is_gone) AS is_gone,
      ifNull(if(is_gone, NULL, rows.sent_at), toDateTime(0, 'UTC')) AS sorted_at
    FROM (${rows}) AS rows`;
}

/** The keys of marks that may have changed, retracted ones too. */
function changedKeys(where: string): string {
  return `SELECT phone_number_id, message_id FROM message_marks WHERE ${where}`;
}

/**
 * A condition on messages: those that may have been in an earlier answer to the same question. Others need no
 * tombstone, and those of other accounts are nobody's business. Every time that a mark had is one of its events', and
 * those are in `messages_by_time`.
 */
function mayHaveStood({ filters: { from, to, waba_id }, areFew }: ChangedSince, keys: string): string {
  const conditions = ['true'];
  if (waba_id != null)
    conditions.push(`phone_number_id IN
      (SELECT phone_number_id FROM message_marks WHERE waba_id IN {only_waba_id:Array(String)}
       UNION ALL SELECT phone_number_id FROM charge_days WHERE waba_id IN {only_waba_id:Array(String)}
       UNION ALL SELECT phone_number_id FROM events WHERE waba_id IN {only_waba_id:Array(String)}
       UNION ALL SELECT phone_number_id FROM removed_hours WHERE waba_id IN {only_waba_id:Array(String)})`);
  if (from !== null || to !== null)
    // By a hash, because there may be millions: of two with one hash, one gets a tombstone that it does not need.
    conditions.push(`sipHash64(phone_number_id, message_id) IN
      (SELECT sipHash64(phone_number_id, message_id) FROM messages_by_time
       WHERE cell_at > ${FROM} - 900 AND cell_at < ${TO} AND ${areFew ? `(phone_number_id, message_id) IN (${keys})` : 'true'})`);
  return conditions.join(' AND ');
}

/** Live messages that changed. Those that are printed no more, or never were, are gone. */
function changedLive(asked: ChangedSince, range: MessageRange, changed: string): string {
  const { basis, filters, repricings, areFew } = asked;
  const { where: narrowed } = narrowedMessages(filters);
  const keys = changedKeys(changed);
  const read = areFew ? `(phone_number_id, message_id) IN (${keys})` : changed;
  const marks = `(SELECT *, ifNull(${range.marks}, false) AS is_asked FROM message_marks FINAL WHERE ${read})`;
  const priced = pricedSql(placedSql(basis, 'true', marks), 'rated_category');
  const flagged = `
    SELECT ${KEPT_SQL}, card, 'live' AS period, version, updated_at,
      is_asked AND ifNull(${range.rated}, false) AND ${IS_OUTSIDE_CLOSING} AS is_printed
    FROM (${datedSql(priced, repricings)}) AS live ${JOINED_CLOSING}
    WHERE updated_at >= ${SINCE}`;
  return blankedSql(`
    SELECT *, NOT (is_printed AND ${narrowed}) AS is_gone FROM (${flagged})
    WHERE NOT is_gone OR (${mayHaveStood(asked, keys)})`);
}

/** Rows that later events took back. */
function retracted(asked: ChangedSince, ofNumber: string): string {
  const where = `is_retracted = 1 AND message_marks.changed_at >= ${SINCE} AND ${ofNumber}`;
  const columns = KEPT.map((column) => (KEY.includes(column) ? column : `${blankOf(column)} AS ${column}`));
  return `
    SELECT ${columns.join(', ')}, '' AS card, 'live' AS period, version, updated_at, toUInt8(1) AS is_gone,
      toDateTime(0, 'UTC') AS sorted_at
    FROM
    (
      SELECT ${KEY.join(', ')}, max(message_marks.version) AS version, max(message_marks.changed_at) AS updated_at
      FROM message_marks
      WHERE ${where} AND (${KEY.join(', ')}) NOT IN
        (SELECT ${KEY.join(', ')} FROM message_marks FINAL WHERE (phone_number_id, message_id) IN (${changedKeys(where)}))
      GROUP BY ${KEY.join(', ')}
    )
    WHERE ${mayHaveStood(asked, changedKeys(where))}`;
}

/** Frozen messages of months that were closed, and of months that were reopened. */
function frozenChanges({ closings, reopened, filters }: ChangedSince, range: MessageRange): string[] {
  const { where: narrowed } = narrowedMessages(filters);
  const frozen = (period: string, changed_ms: string, is_gone: 0 | 1, where: string): string =>
    blankedSql(`
      SELECT ${KEPT_SQL}, rate_card AS card, ${period} AS period, version, ${timeOfMs(changed_ms)} AS updated_at,
        ${is_gone} AS is_gone
      FROM closed_messages AS message_marks FINAL
      WHERE ${where} AND ${range.closed} AND ${narrowed}`);
  const ofReopened = (list: string, otherwise: string): string =>
    `transform(toString(period_id), {reopened_ids:Array(String)}, {${list}}, ${otherwise})`;
  return [
    ...(closings.isAny
      ? [
          frozen(
            CLOSED,
            CLOSING_CHANGED_MS,
            0,
            `${IS_OF_CLOSING_IN_FORCE} AND ${CLOSING_CHANGED_MS} >= {changed_since:Int64}`,
          ),
        ]
      : []),
    ...(reopened.isAny
      ? [
          frozen(
            ofReopened('reopened_texts:Array(String)', "''"),
            ofReopened('reopened_changed:Array(Int64)', 'toInt64(0)'),
            1,
            'period_id IN {reopened_ids:Array(String)}',
          ),
        ]
      : []),
  ];
}

/** The condition that a business number of the filters is. */
function ofNumberSql({ phone_number_id }: ReportFilters): string {
  return phone_number_id == null ? 'true' : 'message_marks.phone_number_id IN {only_phone_number_id:Array(String)}';
}

/** Marks that may have changed, as a condition on `message_marks`. */
export function changedMarks(asked: Pick<ChangedSince, 'filters' | 'repricings' | 'since'>): Condition {
  const { where, parameters } = mayHaveChanged(asked.repricings, asked.since);
  return {
    where: `${where} AND ${ofNumberSql(asked.filters)}`,
    parameters: { ...parameters, ...narrowedMessages(asked.filters).parameters },
  };
}

/**
 * The messages of a question that changed since a moment, and tombstones of those that it has no more. Whoever replaces
 * the rows of an earlier answer by these, and drops what is gone, has the answer of now.
 */
export function changedMessages(asked: ChangedSince): { readonly sql: string; readonly parameters: Parameters } {
  const { basis, closings, filters, by, repricings, reopened } = asked;
  const range = rangeOfMessages(filters, by);
  const changed = changedMarks(asked);
  const parts = [
    changedLive(asked, range, changed.where),
    retracted(asked, ofNumberSql(filters)),
    ...frozenChanges(asked, range),
  ];
  return {
    sql: parts.join('\nUNION ALL\n'),
    parameters: {
      ...range.parameters,
      ...basis.parameters,
      ...closings.parameters,
      ...reopened.parameters,
      ...repricings.parameters,
      ...changed.parameters,
    },
  };
}

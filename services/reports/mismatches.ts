import {
  mismatchesRow,
  mismatchRow,
  type AskedMismatches,
  type MismatchesRow,
  type MismatchRow,
  type ReportFilters,
} from '@ctwa-ledger/schemas/reports.ts';
import type { Database } from '../ledger/database.ts';
import { FROM, isoTime, parametersOf, TO } from './sql.ts';

/** V2's mismatches that were delivered in the range. FINAL: a mark that was one may be none any more. */
const MISMATCHES = `message_marks FINAL
  WHERE is_mismatch AND delivered_at >= ${FROM} AND delivered_at < ${TO}`;

/** Report `mismatches`: how many messages Meta reported otherwise than predicted, the most first (rules.md V2). */
export function mismatches(database: Database, filters: ReportFilters): Promise<MismatchesRow[]> {
  return database.query(
    mismatchesRow,
    `SELECT predicted, reported, category, policy, rule, toUInt32(count()) AS messages,
       ${isoTime('min(delivered_at)')} AS first_delivered_at, ${isoTime('max(delivered_at)')} AS last_delivered_at
     FROM ${MISMATCHES}
     GROUP BY predicted, reported, category, policy, rule
     ORDER BY messages DESC, predicted, reported, category, policy, rule`,
    parametersOf(filters),
  );
}

export const MISMATCHED_MESSAGES_COLUMNS = [
  'message_id',
  'phone_number_id',
  'customer',
  'delivered_at',
  'type',
  'template_name',
  'category',
  'policy',
  'predicted',
  'reported',
  'reported_category',
  'rule',
  'conversation_id',
  'ad_id',
] as const;

const COLUMNS = MISMATCHED_MESSAGES_COLUMNS.map((column) =>
  column === 'delivered_at'
    ? `${isoTime('message_marks.delivered_at')} AS delivered_text`
    : `toString(message_marks.${column}) AS ${column}`,
).join(', ');

/** Rows under the names of their columns: a text under the name of the time it is made of would be meant by the range. */
const NAMED = MISMATCHED_MESSAGES_COLUMNS.map((column) =>
  column === 'delivered_at' ? 'delivered_text AS delivered_at' : column,
).join(', ');

/** A page of the messages behind {@link mismatches}, the latest delivery first. */
export function mismatchedMessages(
  database: Database,
  filters: ReportFilters,
  asked: AskedMismatches,
): Promise<MismatchRow[]> {
  const { before } = asked;
  return database.query(
    mismatchRow,
    `SELECT ${NAMED} FROM
     (
       SELECT ${COLUMNS} FROM ${MISMATCHES}
         AND ({predicted:String} = '' OR predicted = {predicted:String})
         AND ({reported:String} = '' OR reported = {reported:String})
         ${before === null ? '' : "AND (message_marks.delivered_at, message_marks.phone_number_id, message_marks.message_id) < (toDateTime({before:UInt32}, 'UTC'), {before_number:String}, {before_id:String})"}
       ORDER BY message_marks.delivered_at DESC, message_marks.phone_number_id DESC, message_marks.message_id DESC
       LIMIT {limit:UInt32}
     )`,
    {
      ...parametersOf(filters),
      predicted: asked.predicted ?? '',
      reported: asked.reported ?? '',
      before: before?.delivered_at ?? 0,
      before_number: before?.phone_number_id ?? '',
      before_id: before?.message_id ?? '',
      limit: asked.limit,
    },
  );
}

/** Report `mismatched-messages`, streamed: `MISMATCHED_MESSAGES_COLUMNS` as text, the latest delivery first. */
export function allMismatchedMessages(
  database: Database,
  filters: ReportFilters,
): AsyncGenerator<(readonly unknown[])[]> {
  return database.stream(
    `SELECT ${COLUMNS} FROM ${MISMATCHES}
     ORDER BY message_marks.delivered_at DESC, message_marks.phone_number_id DESC, message_marks.message_id DESC`,
    parametersOf(filters),
  );
}

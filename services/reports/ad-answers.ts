import { adAnswersRow, adHoursRow, type AdAnswersRow, type AdHoursRow } from '@ctwa-ledger/schemas/ad-answers.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { REPLY_WITHIN_SECONDS } from '@ctwa-ledger/schemas/durations.ts';
import type { Database } from '../clickhouse/database.ts';
import { LAST_SECOND } from '@ctwa-ledger/schemas/time-limits.ts';
import { CALLED, JOINED_WITH_CALLED, storedUnder } from './customer-names.ts';
import { CAME, REMOVED_TABLES, REMOVED_THREADS } from './removed.ts';
import { whole } from './report.ts';
import { OF_CONVERSATIONS, ofConversationsSql } from './of-conversations.ts';
import { AS_OF, FROM, ofAdSql, ofNumberSql, parametersOf, TO } from './sql.ts';
import { filterTables } from './tables.ts';

/**
 * The ad conversations that begin in the range, with their first reply (W4) and the begin of the next one of the
 * thread. Entries after the range are read too, because a reply may answer a re-click there.
 */
export const startsSql = (filters: ReportFilters): string => `
  SELECT * FROM
  (
    SELECT *, leadInFrame(entered_at, 1, toDateTime(${LAST_SECOND}, 'UTC')) OVER
      (PARTITION BY phone_number_id, customer ORDER BY entered_at ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next_at
    FROM
    (
      SELECT phone_number_id, ad_conversation_id, argMax(entries.customer, starts_conversation) AS customer,
        argMax(entries.ad_id, starts_conversation) AS ad_id, argMax(entries.source_type, starts_conversation) AS source_type,
        argMax(entries.ctwa_clid, starts_conversation) != '' AS has_click,
        minIf(entries.entry_at, starts_conversation = 1) AS entered_at, min(entries.replied_at) AS first_reply_at,
        max(conversation_is_replied) = 1 AS is_replied, max(conversation_seconds_to_reply) AS seconds,
        NOT is_replied AND max(entries.entry_at) + INTERVAL ${REPLY_WITHIN_SECONDS} SECOND > ${AS_OF} AS is_pending
      FROM entry_marks AS entries FINAL
      WHERE entries.entry_at >= ${FROM}
      GROUP BY phone_number_id, ad_conversation_id
      HAVING countIf(starts_conversation = 1) > 0
    )
  )
  WHERE entered_at < ${TO} AND ${ofConversationsSql(filters, 'entered_at')}`;

/** Bands of time to the first reply, by the names of columns; `seconds` is null without a reply. */
const BANDS = {
  under_1_min: 'is_replied AND seconds < 60',
  under_5_min: 'is_replied AND seconds >= 60 AND seconds < 300',
  under_1_h: 'is_replied AND seconds >= 300 AND seconds < 3600',
  over_1_h: 'is_replied AND seconds >= 3600',
  never: 'NOT is_replied AND NOT is_pending',
} as const;

const counted = (condition: string, name: string): string => `toUInt32(countIf(${condition})) AS ${name}`;

/**
 * Report `ad-answers`: what became of ad conversations. A message of the customer belongs to the last conversation that
 * began before it. Messages of one second count as one: an event may have come twice, and reading ids would take most
 * of the time.
 */
export async function adAnswers(database: Database, filters: ReportFilters): Promise<AdAnswersRow[]> {
  const meant = storedUnder(`SELECT phone_number_id, customer FROM entry_marks
    WHERE entry_marks.entry_at >= ${FROM} AND entry_marks.entry_at < ${TO} AND ${ofAdSql(filters)} AND ${ofNumberSql(filters)}`);
  return database.query(
    adAnswersRow,
    `WITH starts AS (${startsSql(filters)})
     SELECT ad_id, source_type, toUInt32(count()) AS ad_conversations, ${counted('has_click', 'with_click_id')},
       ${counted('entered_at <= first_at', 'first_contacts')}, ${counted('is_replied', 'replied')},
       ${counted('is_pending', 'pending')},
       ${counted('is_replied AND later >= 1', 'wrote_again')}, ${counted('is_replied AND later >= 2', 'engaged')},
       ${Object.entries(BANDS)
         .flatMap(([band, condition]) => [
           counted(condition, `replied_${band}`),
           counted(`${condition} AND later >= 2`, `engaged_${band}`),
         ])
         // Without a reply there are no messages after it.
         .filter((column) => !column.endsWith(' engaged_never'))
         .join(',\n       ')}
     FROM
     (
       SELECT phone_number_id, customer, ad_id, source_type, has_click, entered_at, is_replied, seconds, is_pending, first_at,
         arrayCount(at -> at > assumeNotNull(first_reply_at) AND at < next_at, times) AS later
       FROM starts
       LEFT JOIN
       (
         SELECT events.phone_number_id AS phone_number_id, ${CALLED} AS customer,
           groupUniqArrayIf(timestamp, timestamp >= ${FROM}) AS times, min(timestamp) AS first_at
         FROM
         (
           SELECT phone_number_id, customer, timestamp FROM events
           WHERE kind = 'message' AND direction = 'inbound' AND ${CAME} AND (phone_number_id, customer) IN (${meant})
           UNION ALL
           SELECT phone_number_id, customer, arrayJoin(inbound) FROM ${REMOVED_THREADS} WHERE (phone_number_id, customer) IN (${meant})
         ) AS events ${JOINED_WITH_CALLED}
         GROUP BY phone_number_id, customer
       ) AS written USING (phone_number_id, customer)
     )
     GROUP BY ad_id, source_type
     ORDER BY ad_id, source_type`,
    parametersOf(filters),
  );
}

/** Report `ad-hours`: the hours of the week in which customers write, and those in which they get their first reply. */
export async function adHours(database: Database, filters: ReportFilters): Promise<AdHoursRow[]> {
  return database.query(
    adHoursRow,
    `SELECT toUInt32(toDayOfWeek(moment.2, 0, {tz:String})) AS weekday, toUInt32(toHour(moment.2, {tz:String})) AS hour_of_day,
       ${counted("moment.1 = 'entry'", 'entries')}, ${counted("moment.1 = 'reply'", 'first_replies')}
     FROM
     (
       SELECT arrayJoin([('entry', entry_marks.entry_at), ('reply', ifNull(entry_marks.replied_at, toDateTime(0, 'UTC')))]) AS moment
       FROM entry_marks FINAL
       WHERE entry_marks.entry_at >= ${FROM} AND entry_marks.entry_at < ${TO} AND ${ofConversationsSql(filters, 'entry_marks.entry_at')}
     )
     WHERE moment.2 > toDateTime(0, 'UTC')
     GROUP BY weekday, hour_of_day
     ORDER BY weekday, hour_of_day`,
    parametersOf(filters),
  );
}

export const adHoursReport = whole({
  name: 'ad-hours',
  one_row_per: 'hour of the week in which customers sent entries or got their first reply',
  row: adHoursRow,
  days: 'zone',
  filters: OF_CONVERSATIONS,
  settles: [],
  reads: (filters) => ['entry_marks', ...filterTables(filters)],
  key: ['weekday', 'hour_of_day'],
  rows: adHours,
});

export const adAnswersReport = whole({
  name: 'ad-answers',
  one_row_per: 'ad or post with a conversation that began: how soon it was answered, and what customers wrote then',
  row: adAnswersRow,
  days: 'zone',
  has_clock: true,
  filters: OF_CONVERSATIONS,
  settles: [],
  reads: (filters) => ['entry_marks', 'events', ...REMOVED_TABLES, 'customer_names', ...filterTables(filters)],
  key: ['ad_id', 'source_type'],
  rows: adAnswers,
});

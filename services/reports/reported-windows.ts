import { reportedWindowsRow, type ReportedWindowsRow } from '@ctwa-ledger/schemas/deliveries.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Database } from '../clickhouse/database.ts';
import { whole } from './report.ts';
import { FROM, isoTime, narrowedSql, parametersOf, TO } from './sql.ts';

/** The position of a message in the order in which a thread is decided (rules.md W4). */
const PLACE = '(assumeNotNull(marks.delivered_at), marks.sent_at, marks.message_id)';

/** Report `reported-windows`: free entry windows that only Meta reports, by the delivery of their first message. */
function reportedWindows(database: Database, filters: ReportFilters): Promise<ReportedWindowsRow[]> {
  const narrowed = narrowedSql(filters, { phone_number_id: 'toString(marks.phone_number_id)' });
  return database.query(
    reportedWindowsRow,
    `SELECT number AS phone_number_id, customer, window_id AS conversation_id,
       first_id AS first_message_id, ${isoTime('windows.first_at')} AS first_delivered_at,
       last_id AS last_message_id, ${isoTime('windows.last_at')} AS last_delivered_at,
       ${isoTime('windows.expires_at')} AS reported_expires_at, messages
     FROM
     (
       SELECT toString(marks.phone_number_id) AS number, marks.customer AS customer, marks.reported_window_id AS window_id,
         argMin(marks.message_id, ${PLACE}) AS first_id, min(marks.delivered_at) AS first_at,
         argMax(marks.message_id, ${PLACE}) AS last_id, max(marks.delivered_at) AS last_at,
         max(marks.reported_window_expires_at) AS expires_at, toUInt32(count()) AS messages
       FROM message_marks AS marks FINAL
       WHERE reported_window_id != '' AND ${narrowed.where}
       -- A message that names no customer is a thread of its own (rules.md F3).
       GROUP BY number, customer, window_id, if(marks.customer = '', marks.message_id, '')
     ) AS windows
     WHERE windows.first_at >= ${FROM} AND windows.first_at < ${TO}
     ORDER BY windows.first_at, number, customer, window_id`,
    { ...parametersOf(filters), ...narrowed.parameters },
  );
}

export const reportedWindowsReport = whole({
  name: 'reported-windows',
  one_row_per: 'free entry window that only Meta reports: no message of the customer names an ad or post',
  row: reportedWindowsRow,
  days: 'zone',
  filters: ['phone_number_id'],
  settles: [],
  reads: ['message_marks'],
  key: ['phone_number_id', 'customer', 'conversation_id', 'first_message_id'],
  rows: reportedWindows,
});

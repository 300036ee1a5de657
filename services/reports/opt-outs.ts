import { optOutsRow, type OptOutsRow } from '@ctwa-ledger/schemas/deliveries.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { PREFERENCE_TYPE } from '@ctwa-ledger/schemas/event.ts';
import type { Database } from '../clickhouse/database.ts';
import { CALLED, JOINED_WITH_CALLED } from './customer-names.ts';
import { whole } from './report.ts';
import { FROM, narrowedSql, parametersOf, TO } from './sql.ts';

/** Customers' own settings, and refusals of Meta's. A refusal has the time of its message. */
const SAID = `
SELECT toString(events.phone_number_id) AS number, ${CALLED} AS customer, toUInt32(events.timestamp) AS said_at,
    'stopped_marketing' AS opt_out
FROM events ${JOINED_WITH_CALLED}
WHERE kind = 'message' AND type = '${PREFERENCE_TYPE}' AND JSONExtractString(context, 'value') = 'stop'
    AND JSONExtractString(context, 'category') = 'marketing_messages'
UNION ALL
SELECT toString(phone_number_id) AS number, customer, toUInt32(message_marks.sent_at) AS said_at,
    if(error_code = '131050', 'stopped_marketing', 'unreachable') AS opt_out
FROM message_marks FINAL
WHERE is_failed AND delivered_at IS NULL AND error_code IN ('131050', '131026') AND participant = ''`;

/**
 * Report `opt-outs`: customers who stopped marketing or cannot be reached any more, by the last message before that.
 * Several refusals without a delivery in between count once.
 */
function optOuts(database: Database, filters: ReportFilters): Promise<OptOutsRow[]> {
  const narrowed = narrowedSql(filters, { phone_number_id: 'number' });
  return database.query(
    optOutsRow,
    `WITH said AS (SELECT number, customer, said_at, opt_out FROM (${SAID}) WHERE customer != '' AND ${narrowed.where})
     SELECT formatDateTime(toDateTime(stops.stopped_at, 'UTC'), '%F', {tz:String}) AS day, number AS phone_number_id, opt_out,
       template_name, ad_id, toUInt32(uniqExact(customer)) AS customers
     FROM
     (
       SELECT number, customer, opt_out, template_name, last_id, min(said_at) AS stopped_at,
         argMin(entries.ad_id, said_at) AS ad_id
       FROM
       (
         SELECT number, customer, said_at, opt_out, sent.template_name AS template_name, sent.message_id AS last_id
         FROM said ASOF LEFT JOIN
         (
           SELECT toString(phone_number_id) AS number, customer, message_id, toString(message_marks.template_name) AS template_name,
             toUInt32(assumeNotNull(message_marks.delivered_at)) AS delivered_at
           FROM message_marks FINAL
           WHERE is_template AND message_marks.delivered_at IS NOT NULL
             AND (toString(phone_number_id), customer) IN (SELECT number, customer FROM said)
         ) AS sent ON said.number = sent.number AND said.customer = sent.customer AND said.said_at >= sent.delivered_at
       ) AS caused ASOF LEFT JOIN
       (
         SELECT toString(phone_number_id) AS number, customer, toString(ad_id) AS ad_id, toUInt32(entry_marks.entry_at) AS entry_at
         FROM entry_marks FINAL WHERE (toString(phone_number_id), customer) IN (SELECT number, customer FROM said)
       ) AS entries
         ON caused.number = entries.number AND caused.customer = entries.customer AND caused.said_at >= entries.entry_at
       GROUP BY number, customer, opt_out, template_name, last_id
     ) AS stops
     WHERE toDateTime(stops.stopped_at, 'UTC') >= ${FROM} AND toDateTime(stops.stopped_at, 'UTC') < ${TO}
     GROUP BY day, phone_number_id, opt_out, template_name, ad_id
     ORDER BY day, phone_number_id, opt_out, template_name, ad_id`,
    { ...parametersOf(filters), ...narrowed.parameters },
  );
}

export const optOutsReport = whole({
  name: 'opt-outs',
  one_row_per:
    'day, number, kind, template and ad: customers who stopped marketing messages or cannot be reached any more, by what they were sent last before that',
  row: optOutsRow,
  days: 'zone',
  filters: ['phone_number_id'],
  settles: [],
  reads: ['events', 'message_marks', 'entry_marks', 'customer_names'],
  key: ['day', 'phone_number_id', 'opt_out', 'template_name', 'ad_id'],
  rows: optOuts,
});

import { failuresRow, type FailuresRow } from '@ctwa-ledger/schemas/deliveries.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Database } from '../clickhouse/database.ts';
import { whole } from './report.ts';
import { FROM, narrowedSql, parametersOf, TO } from './sql.ts';

const RETRY = 'Send it again later; Meta could not handle it at that moment.';
const SLOW_DOWN = 'Send more slowly, and send it again later.';
const TEMPLATE = 'Compare the template, its parameters and its approval with what was sent.';
const ACCOUNT = 'Look at the account in Meta Business Manager: it is restricted or violates a policy.';

/** What to do about Meta's error codes. */
const WHAT_TO_DO: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '4': SLOW_DOWN,
    '80007': SLOW_DOWN,
    '130429': SLOW_DOWN,
    '131056': 'Send fewer messages to this customer in a short time, and send it again later.',
    '131000': RETRY,
    '131016': RETRY,
    '131057': RETRY,
    '368': ACCOUNT,
    '130497': ACCOUNT,
    '131031': ACCOUNT,
    '131064': ACCOUNT,
    '130472': 'Nothing: Meta withholds marketing messages from this customer for an experiment.',
    '131026': 'Check that the number uses WhatsApp and has not blocked the business; send it another way.',
    '131042': 'Repair the payment method or the billing set-up of the account.',
    '131047': 'Send a template: more than 24 hours have passed since the customer last wrote.',
    '131049': 'Wait at least 24 hours before the next marketing message: Meta limits them for each customer.',
    '131050': 'Send this customer no marketing messages: they have stopped them.',
    '131060': 'Nothing: WhatsApp cannot hand the content of this message over.',
  }),
);

/** What to do about an error of Meta's; empty for an unknown code. Codes of templates are one range. */
export function whatToDo(code: string): string {
  return WHAT_TO_DO.get(code) ?? (/^132\d{3}$/.test(code) ? TEMPLATE : '');
}

const grouped = failuresRow.omit({ what_to_do: true });

const NARROWED = {
  waba_id: 'toString(message_marks.waba_id)',
  phone_number_id: 'toString(message_marks.phone_number_id)',
  error_code: 'toString(message_marks.error_code)',
  tag: 'message_marks.tag',
} as const;

/** Report `failures`: messages that failed and were never delivered, by day of sending, number and error. */
async function failures(database: Database, filters: ReportFilters): Promise<FailuresRow[]> {
  const narrowed = narrowedSql(filters, NARROWED);
  const rows = await database.query(
    grouped,
    `SELECT formatDateTime(message_marks.sent_at, '%F', {tz:String}) AS day, toString(phone_number_id) AS phone_number_id,
       toString(message_marks.error_code) AS error_code, topK(1)(message_marks.error_title)[1] AS error_title,
       toUInt32(count()) AS messages
     FROM message_marks FINAL
     WHERE is_failed AND delivered_at IS NULL
       AND message_marks.sent_at >= ${FROM} AND message_marks.sent_at < ${TO} AND ${narrowed.where}
     GROUP BY day, phone_number_id, error_code
     ORDER BY day, phone_number_id, messages DESC, error_code`,
    { ...parametersOf(filters), ...narrowed.parameters },
  );
  return rows.map((row) => ({ ...row, what_to_do: whatToDo(row.error_code) }));
}

export const failuresReport = whole({
  name: 'failures',
  one_row_per: 'day, number and error of Meta’s: messages that failed and were never delivered, and what to do',
  row: failuresRow,
  days: 'zone',
  filters: ['waba_id', 'phone_number_id', 'error_code', 'tag'],
  settles: [],
  reads: ['message_marks'],
  key: ['day', 'phone_number_id', 'error_code'],
  rows: failures,
});

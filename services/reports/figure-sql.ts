import { REPLY_WITHIN_SECONDS } from '@ctwa-ledger/schemas/durations.ts';
import type { BucketRows } from '@ctwa-ledger/schemas/figures.ts';
import { AS_OF, isoTime } from './sql.ts';

/** The figures of rules.md 6 as SQL over summaries, for any grouping of cells. */

/** A decimal without trailing zeros and exponent; null stays null. */
const decimalText = (sql: string): string =>
  `if(isNull(${sql}), NULL, toString(toDecimal64(round(assumeNotNull(${sql}), 4), 4)))`;

/** A quantile over whole conversations, linear between the two middle ones; null over none. */
const quantile = (level: string): string => {
  const value = `quantileExactInclusiveArray(${level})(seconds_to_reply)`;
  return `if(sum(length(seconds_to_reply)) = 0, NULL, ${decimalText(value)})`;
};

const REPLIED = 'sum(length(seconds_to_reply))';
const MATURE_UNREPLIED = `sum(arrayCount(at -> at + INTERVAL ${REPLY_WITHIN_SECONDS} SECOND <= ${AS_OF}, unreplied_last_entry_at))`;

/** Ten-thousandths of replied / mature, rounded half up in whole numbers, as a decimal with four places. */
const TEN_THOUSANDTHS = `intDiv(20000 * ${REPLIED} + ${REPLIED} + ${MATURE_UNREPLIED}, 2 * greatest(${REPLIED} + ${MATURE_UNREPLIED}, 1))`;
const RATE = `concat(toString(intDiv(${TEN_THOUSANDTHS}, 10000)), '.', leftPad(toString(${TEN_THOUSANDTHS} % 10000), 4, '0'))`;

/** rules.md 6, for any grouping of cells. */
export const CONVERSATION_FIGURES = `
    toUInt32(sum(summary_cells.ad_conversations)) AS ad_conversations,
    toUInt32(${REPLIED}) AS replied,
    toUInt32(${REPLIED} + ${MATURE_UNREPLIED}) AS mature,
    toUInt32(sum(summary_cells.ad_conversations) - ${REPLIED} - ${MATURE_UNREPLIED}) AS pending,
    if(${REPLIED} + ${MATURE_UNREPLIED} = 0, NULL, ${RATE}) AS reply_rate,
    ${quantile('0.5')} AS median_seconds_to_reply`;

export const P90 = `${quantile('0.9')} AS p90_seconds_to_reply`;

export const WINDOWS = `
    toUInt32(sum(summary_cells.windows_opened)) AS windows_opened,
    toUInt32(sum(summary_cells.windows_confirmed)) AS windows_confirmed`;

export const MESSAGES = [
  'messages',
  'delivered',
  'billable',
  'free_entry',
  'free_service',
  'covered',
  'unknown',
  'mismatches',
]
  .map((column) => `toUInt32(sum(summary_cells.${column})) AS ${column}`)
  .join(',\n    ');

export const SAVED = 'toUInt32(sum(summary_cells.saved_from_charge)) AS saved_from_charge';

export const REPORTED = ['reported_messages', 'allowance_differences', 'odd_reports']
  .map((column) => `toUInt32(sum(summary_cells.${column})) AS ${column}`)
  .join(', ');

export const REPORTED_ONLY = ['lost_referrals', 'windows_reported_only', 'messages_reported_only']
  .map((column) => `toUInt32(sum(summary_cells.${column})) AS ${column}`)
  .join(', ');

export const CUSTOMERS_DIFFER = 'toUInt32(sum(summary_cells.customers_differ)) AS customers_differ';

export const DAY = "formatDateTime(cell_at, '%F', {tz:String})";

export const ANYTHING = `sum(summary_cells.messages) + sum(summary_cells.ad_conversations) + sum(summary_cells.windows_opened)`;

/** The group of a cell's time, as text. */
export const BUCKET: Readonly<Record<BucketRows['grain'], string>> = {
  // The last time at which the local clock showed a whole hour, and which hour: where clocks go back, two hours have
  // one name, and where they go back by half an hour, an hour begins at half past.
  hour: "concat(toString(toUnixTimestamp(cell_at) - 60 * toMinute(cell_at, {tz:String})), ' ', toString(toHour(cell_at, {tz:String})))",
  day: DAY,
  week: 'toString(toMonday(toDate(cell_at, {tz:String})))',
};

export const FIRST_AT = 'toUnixTimestamp(min(cell_at))';
export const OF_AN_AD = `${P90}, ${WINDOWS},
    toUInt32(sum(summary_cells.free_messages)) AS free_messages,
    ${isoTime('min(summary_cells.first_entry_at)')} AS first_entry,
    ${isoTime('max(summary_cells.last_entry_at)')} AS last_entry,
    nullIf(first_entry, '') AS first_entry_at,
    nullIf(last_entry, '') AS last_entry_at`;

export const ANYTHING_OF_AN_AD =
  'sum(summary_cells.entries) + sum(summary_cells.windows_opened) + sum(summary_cells.free_messages)';

export const BY_FIRST_ENTRY = 'min(summary_cells.first_entry_at) NULLS FIRST, ad_id, source_type';

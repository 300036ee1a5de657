import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { tablesOf } from '../imports/register.ts';
import { RATE_CARDS } from '../rating/rate-cards.ts';
import { REMOVED_TABLES } from './removed.ts';
import { AD_SPEND } from '../spend/spend.ts';
import { isOfMessages } from './of-conversations.ts';
import { isOfNumbers } from './sql.ts';

const CHARGE_TABLES = [
  'charge_days',
  'priced_days',
  'priced_under',
  ...tablesOf(RATE_CARDS),
  'accounts',
  'configuration',
  'closed_periods',
  'closed_charges',
] as const;

/** Charges and the messages behind them. */
export const MESSAGE_TABLES = [
  ...CHARGE_TABLES,
  'charge_hours',
  'closed_messages',
  'entry_marks',
  'message_marks',
  'messages_by_time',
  'place_bounds',
  'repriced_hours',
] as const;

/** Tables of the match between months and Meta's numbers, and of what explains differences. */
export const MATCH_TABLES = [
  ...MESSAGE_TABLES,
  'events',
  ...REMOVED_TABLES,
  'meta_imports',
  'meta_points',
  'meta_message_counts',
] as const;

/** These, with evaluations and decisions of cases. */
export const CASE_TABLES = [...MATCH_TABLES, 'case_evaluations', 'case_decisions'] as const;

const INVOICE_TABLES = ['invoices', 'invoice_lines'] as const;

/** Tables of the match, and what is written off of it. */
export const STATEMENT_TABLES = [...MATCH_TABLES, 'write_off_entries'] as const;

/** Tables of the match, and those from which the whole bill is made. */
export const BILL_TABLES = [...MATCH_TABLES, 'meta_lines', ...INVOICE_TABLES] as const;

/** Tables of the page of a month's match. */
export const MATCH_PAGE_TABLES = [...BILL_TABLES, 'write_off_entries'] as const;

/** Tables that closing a month reads. */
export const CLOSE_TABLES = [
  ...CASE_TABLES,
  'write_off_entries',
  ...INVOICE_TABLES,
  'dead_letters',
  'dismissed_letters',
  'lost_records',
  'closed_reports',
  'closing_requests',
] as const;

/** Tables of charges. Days of a zone, and in closed months ads and tags, are read from the messages. */
export function chargeTables({ is_tz_given, ad, campaign, adset, tag }: ReportFilters): readonly string[] {
  const isByMessage = is_tz_given === true || [ad, campaign, adset, tag].some((given) => given != null);
  return isByMessage ? MESSAGE_TABLES : CHARGE_TABLES;
}

/** Tables in which filters look things up: business numbers of accounts, and messages of conversations. */
export function filterTables(filters: ReportFilters): readonly string[] {
  return [
    ...(filters.waba_id == null ? [] : ['charge_days', 'events', 'removed_hours']),
    ...(isOfMessages(filters) ? ['entry_marks', 'message_marks'] : []),
  ];
}

/** Tables of summaries by quarter hour, or of what they are made of. */
export function summaryTables(filters: ReportFilters): readonly string[] {
  const isMade = filters.market != null || isOfMessages(filters);
  return [...(isMade ? [...MESSAGE_TABLES, 'lost_referrals'] : ['summary_cells']), ...filterTables(filters)];
}

/** Costs and names of ads. */
export const SPEND_TABLES = [...tablesOf(AD_SPEND), 'ad_referrals'];

/** These, and those in which the numbers of ads are looked up. */
export function spendTables(filters: ReportFilters): readonly string[] {
  const isOfEntries = isOfNumbers(filters) || filters.market != null || isOfMessages(filters);
  return isOfEntries ? [...SPEND_TABLES, 'entry_marks', ...filterTables(filters)] : SPEND_TABLES;
}

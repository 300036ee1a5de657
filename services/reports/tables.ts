import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { tablesOf } from '../imports/register.ts';
import { RATE_CARDS } from '../rating/rate-cards.ts';
import { AD_SPEND } from '../spend/spend.ts';

/** Quarter hours summed up, and what an ad's address is looked up in. */
export const SUMMARY_TABLES = ['summary_cells', 'entry_marks'] as const;

const CHARGE_TABLES = [
  'charge_days',
  ...tablesOf(RATE_CARDS),
  'accounts',
  'configuration',
  'closed_periods',
  'closed_charges',
] as const;

/** Charges with the messages behind them. */
export const MESSAGE_TABLES = [
  ...CHARGE_TABLES,
  'charge_hours',
  'closed_messages',
  'entry_marks',
  'message_marks',
  'messages_by_time',
  'place_bounds',
] as const;

/** Months held against Meta's numbers: also what explains a difference. */
export const MATCH_TABLES = [
  ...MESSAGE_TABLES,
  'events',
  'meta_imports',
  'meta_points',
  'meta_message_counts',
] as const;

/** The same with what was evaluated and decided. */
export const CASE_TABLES = [...MATCH_TABLES, 'case_evaluations', 'case_decisions'] as const;

const INVOICE_TABLES = ['invoices', 'invoice_lines'] as const;

/** Charges beside Meta's numbers and invoices. */
export const SIDE_TABLES = [...CHARGE_TABLES, 'meta_imports', 'meta_points', ...INVOICE_TABLES] as const;

/** All that a month is closed by. */
export const CLOSE_TABLES = [
  ...CASE_TABLES,
  ...INVOICE_TABLES,
  'dead_letters',
  'lost_records',
  'closed_reports',
  'closing_requests',
] as const;

/** Charges as they are kept. Days of a zone, an ad's address and tags are found among the messages. */
export function chargeTables({ is_tz_given, ad, tag }: ReportFilters): readonly string[] {
  return is_tz_given === true || ad != null || tag != null ? MESSAGE_TABLES : CHARGE_TABLES;
}

/** What ads cost and are called. */
export const SPEND_TABLES = [...tablesOf(AD_SPEND), 'ad_referrals'];

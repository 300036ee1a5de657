import {
  casesReport,
  differencesReport,
  explanationsReport,
  invoiceLinesReport,
  messageCountsReport,
  metaControlsReport,
  metaImportsReport,
  metaLinesReport,
  reconciliationReport,
  statementReport,
  wholeBillReport,
  variancesReport,
  writeOffsReport,
} from '../reconciliation/reports.ts';
import { claimsReport } from '../reconciliation/claim-register.ts';
import { restatementsReport } from '../reconciliation/restatements.ts';
import { accountsReport } from '../reports/accounts.ts';
import { adjustmentsReport } from '../reports/adjustments.ts';
import { adAnswersReport, adHoursReport } from '../reports/ad-answers.ts';
import { adMessagesReport, adStepsReport } from '../reports/ad-steps.ts';
import { adFiguresReport, adSpendImportsReport } from '../reports/ads.ts';
import { chargesReport } from '../reports/charges.ts';
import { adConversationsReport } from '../reports/conversations.ts';
import { correctionsReport } from '../reports/corrections.ts';
import { failuresReport } from '../reports/failures.ts';
import { savedViewsReport } from '../reports/views.ts';
import { optOutsReport } from '../reports/opt-outs.ts';
import { adsReport, dailyReport, daysReport, hoursReport, overviewReport, weeksReport } from '../reports/figures.ts';
import { erasuresReport } from '../reports/erasures.ts';
import { focusReport } from '../reports/focus.ts';
import { focusBillingPeriodsReport } from '../reports/focus-billing-periods.ts';
import { deadLetterReasonsReport, deadLettersReport } from '../reports/health.ts';
import { adOutcomesReport, outcomesReport } from '../reports/outcomes.ts';
import { mismatchedMessagesReport, mismatchesReport } from '../reports/mismatches.ts';
import { rateCardsReport } from '../reports/rate-cards.ts';
import type { Report } from '../reports/report.ts';
import { reportedWindowsReport } from '../reports/reported-windows.ts';
import { conversationsReport } from '../reports/entries.ts';
import { messagesReport } from '../reports/messages.ts';
import {
  savingsAdsReport,
  savingsCategoriesReport,
  savingsDaysReport,
  savingsMarketsReport,
  savingsNumbersReport,
  savingsReport,
  savingsTagsReport,
  unratedReport,
} from '../reports/savings.ts';

/**
 * Every report. Command, API, files of days and the reference are made from these records. To add a
 * report, declare it beside its query and add a line here.
 */
const CATALOGUE = [
  messagesReport,
  conversationsReport,
  dailyReport,
  adsReport,
  chargesReport,
  adjustmentsReport,
  correctionsReport,
  focusReport,
  focusBillingPeriodsReport,
  daysReport,
  hoursReport,
  weeksReport,
  overviewReport,
  savingsReport,
  savingsDaysReport,
  savingsAdsReport,
  savingsCategoriesReport,
  savingsMarketsReport,
  savingsNumbersReport,
  savingsTagsReport,
  adFiguresReport,
  adAnswersReport,
  adHoursReport,
  adStepsReport,
  adMessagesReport,
  adSpendImportsReport,
  outcomesReport,
  adOutcomesReport,
  unratedReport,
  adConversationsReport,
  mismatchesReport,
  mismatchedMessagesReport,
  failuresReport,
  optOutsReport,
  savedViewsReport,
  reportedWindowsReport,
  deadLettersReport,
  deadLetterReasonsReport,
  erasuresReport,
  rateCardsReport,
  accountsReport,
  reconciliationReport,
  differencesReport,
  explanationsReport,
  variancesReport,
  statementReport,
  wholeBillReport,
  casesReport,
  writeOffsReport,
  messageCountsReport,
  metaControlsReport,
  metaImportsReport,
  metaLinesReport,
  invoiceLinesReport,
  restatementsReport,
  claimsReport,
] as const;

export type ReportName = (typeof CATALOGUE)[number]['name'];

/** The names of all reports, in the order in which they are listed. */
export const REPORTS: readonly ReportName[] = CATALOGUE.map(({ name }) => name);

const byName: ReadonlyMap<string, Report<ReportName>> = new Map(CATALOGUE.map((report) => [report.name, report]));

/** The report with a name; undefined when there is none. */
export function findReport(name: string): Report<ReportName> | undefined {
  return byName.get(name);
}

export function reportOf(name: ReportName): Report<ReportName> {
  const report = byName.get(name);
  if (report === undefined) throw new TypeError(`The catalogue has no report ${name}.`);
  return report;
}

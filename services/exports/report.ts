import type { z } from 'zod';
import { failuresRow, reportedWindowsRow } from '@ctwa-ledger/schemas/deliveries.ts';
import { waitingLettersRow } from '@ctwa-ledger/schemas/health.ts';
import { listedCardSchema } from '@ctwa-ledger/schemas/rate-cards.ts';
import {
  mismatchesRow,
  savingsAdsRow,
  savingsCategoriesRow,
  savingsDaysRow,
  savingsMarketsRow,
  savingsNumbersRow,
  savingsRow,
  savingsTagsRow,
  unratedRow,
} from '@ctwa-ledger/schemas/bill.ts';
import {
  adFiguresRow,
  adsRow,
  dailyRow,
  dayTotalsRow,
  hourTotalsRow,
  overviewRow,
  weekTotalsRow,
} from '@ctwa-ledger/schemas/figures.ts';
import type { Narrowing, ReportFilters } from '@ctwa-ledger/schemas/reports.ts';
import { spendImportRow } from '@ctwa-ledger/schemas/spend.ts';
import type { Database } from '../ledger/database.ts';
import { settleSummaries } from '../ledger/summaries.ts';
import { settleCharges } from '../rating/charges.ts';
import { adFigures } from '../reports/ads.ts';
import { adConversations, AD_CONVERSATIONS_COLUMNS } from '../reports/conversations.ts';
import { listRateCards } from '../rating/rate-cards.ts';
import { accountRows, ACCOUNTS_COLUMNS } from '../reports/accounts.ts';
import { adjustments, ADJUSTMENTS_COLUMNS } from '../reports/adjustments.ts';
import { allDeadLetters, DEAD_LETTERS_COLUMNS, deadLetterReasons } from '../reports/health.ts';
import { failures } from '../reports/failures.ts';
import { reportedWindows } from '../reports/reported-windows.ts';
import { focus, FOCUS_COLUMNS } from '../reports/focus.ts';
import { ads, columnsOf, daily, dayTotals, hourTotals, overview, weekTotals } from '../reports/figures.ts';
import { charges, CHARGES_COLUMNS } from '../reports/charges.ts';
import { allMismatchedMessages, MISMATCHED_MESSAGES_COLUMNS, mismatches } from '../reports/mismatches.ts';
import { conversations, CONVERSATIONS_COLUMNS, messages, MESSAGES_COLUMNS, type MessagesBy } from '../reports/rows.ts';
import {
  savings,
  savingsAds,
  savingsCategories,
  savingsDays,
  savingsMarkets,
  savingsNumbers,
  savingsTags,
  unrated,
} from '../reports/savings.ts';
import { listSpendImports } from '../spend/spend.ts';
import { csvText } from './csv.ts';

/** The reports of contract.md 3, and what pages show besides: `days`, `hours` and `weeks` over all numbers, `overview`, and sums of charges. */
export const REPORTS = [
  'messages',
  'conversations',
  'daily',
  'ads',
  'charges',
  'adjustments',
  'focus',
  'days',
  'hours',
  'weeks',
  'overview',
  'savings',
  'savings-days',
  'savings-ads',
  'savings-categories',
  'savings-markets',
  'savings-numbers',
  'savings-tags',
  'ad-figures',
  'ad-spend-imports',
  'unrated',
  'ad-conversations',
  'mismatches',
  'mismatched-messages',
  'failures',
  'reported-windows',
  'dead-letters',
  'dead-letter-reasons',
  'rate-cards',
  'accounts',
] as const;
export type ReportName = (typeof REPORTS)[number];

/** Reports that are read from the summaries, which must be settled first to be complete. */
const FROM_SUMMARIES: ReadonlySet<ReportName> = new Set([
  'daily',
  'ads',
  'ad-figures',
  'days',
  'hours',
  'weeks',
  'overview',
]);

/** Reports with amounts, whose tiers and allowances must be settled first. */
const FROM_CHARGES: ReadonlySet<ReportName> = new Set([
  'messages',
  'charges',
  'adjustments',
  'focus',
  'savings',
  'savings-days',
  'savings-ads',
  'savings-categories',
  'savings-markets',
  'savings-numbers',
  'savings-tags',
  'ad-figures',
  'unrated',
]);

/** What messages are priced by. */
const OF_MESSAGES = ['waba_id', 'phone_number_id', 'market', 'category', 'billing'] as const;
const OF_CHARGES = [...OF_MESSAGES, 'tier', 'rate', 'rate_card', 'tag'] as const;
const OF_MISMATCHES = [
  'predicted',
  'reported',
  'category',
  'policy',
  'rule',
  'circumstance',
  'waba_id',
  'phone_number_id',
] as const;

/** What each report can be narrowed to, besides days; one that is not listed is always whole. */
export const NARROWED_BY: Readonly<Partial<Record<ReportName, readonly Narrowing[]>>> = {
  conversations: ['ad'],
  'ad-conversations': ['ad', 'q', 'state'],
  daily: ['ad'],
  ads: ['ad'],
  days: ['ad'],
  hours: ['ad'],
  weeks: ['ad'],
  overview: ['ad'],
  'savings-ads': ['ad'],
  'ad-figures': ['ad'],
  'dead-letters': ['code'],
  messages: OF_CHARGES,
  charges: OF_CHARGES,
  savings: OF_CHARGES,
  'savings-days': OF_CHARGES,
  'savings-categories': OF_CHARGES,
  'savings-markets': OF_CHARGES,
  'savings-numbers': OF_CHARGES,
  'savings-tags': OF_CHARGES,
  unrated: OF_MESSAGES,
  mismatches: OF_MISMATCHES,
  'mismatched-messages': OF_MISMATCHES,
  failures: ['waba_id', 'phone_number_id', 'error_code', 'tag'],
  'reported-windows': ['phone_number_id'],
};

/** Brings up to date what some reports are read from; takes the user that may write. */
export async function settleReports(reports: readonly ReportName[], database: Database): Promise<void> {
  if (reports.some((report) => FROM_SUMMARIES.has(report))) await settleSummaries(database);
  if (reports.some((report) => FROM_CHARGES.has(report))) await settleCharges(database);
}

interface Source {
  readonly columns: readonly string[];
  readonly batches: AsyncGenerator<(readonly unknown[])[]>;
}

async function* inOneBatch(
  columns: readonly string[],
  rows: Promise<readonly Record<string, unknown>[]>,
): AsyncGenerator<(readonly unknown[])[]> {
  yield (await rows).map((row) => columns.map((column) => row[column]));
}

/** A report that fits in memory. */
function whole(row: z.ZodObject, rows: Promise<readonly Record<string, unknown>[]>): Source {
  const columns = columnsOf(row);
  return { columns, batches: inOneBatch(columns, rows) };
}

function source(report: ReportName, database: Database, filters: ReportFilters, by: MessagesBy): Source {
  switch (report) {
    case 'messages':
      return { columns: MESSAGES_COLUMNS, batches: messages(database, filters, by) };
    case 'conversations':
      return { columns: CONVERSATIONS_COLUMNS, batches: conversations(database, filters) };
    case 'ad-conversations':
      return { columns: AD_CONVERSATIONS_COLUMNS, batches: adConversations(database, filters) };
    case 'charges':
      return { columns: CHARGES_COLUMNS, batches: charges(database, filters) };
    case 'adjustments':
      return { columns: ADJUSTMENTS_COLUMNS, batches: adjustments(database, filters) };
    case 'focus':
      return { columns: FOCUS_COLUMNS, batches: focus(database, filters) };
    case 'daily':
      return whole(dailyRow, daily(database, filters));
    case 'days':
      return whole(dayTotalsRow, dayTotals(database, filters));
    case 'hours':
      return whole(hourTotalsRow, hourTotals(database, filters));
    case 'weeks':
      return whole(weekTotalsRow, weekTotals(database, filters));
    case 'overview':
      return whole(
        overviewRow,
        overview(database, filters).then((row) => [row]),
      );
    case 'ads':
      return whole(adsRow, ads(database, filters));
    case 'ad-figures':
      return whole(adFiguresRow, adFigures(database, filters));
    case 'ad-spend-imports':
      return whole(
        spendImportRow,
        listSpendImports(database).then((imports) =>
          imports.map((one) => ({
            ...one,
            totals: one.totals.map(({ currency, amount }) => `${currency} ${amount}`).join('; '),
          })),
        ),
      );
    case 'savings':
      return whole(savingsRow, savings(database, filters));
    case 'savings-days':
      return whole(savingsDaysRow, savingsDays(database, filters));
    case 'savings-ads':
      return whole(savingsAdsRow, savingsAds(database, filters));
    case 'savings-categories':
      return whole(savingsCategoriesRow, savingsCategories(database, filters));
    case 'savings-markets':
      return whole(savingsMarketsRow, savingsMarkets(database, filters));
    case 'savings-numbers':
      return whole(savingsNumbersRow, savingsNumbers(database, filters));
    case 'savings-tags':
      return whole(savingsTagsRow, savingsTags(database, filters));
    case 'failures':
      return whole(failuresRow, failures(database, filters));
    case 'reported-windows':
      return whole(reportedWindowsRow, reportedWindows(database, filters));
    case 'mismatches':
      return whole(mismatchesRow, mismatches(database, filters));
    case 'mismatched-messages':
      return { columns: MISMATCHED_MESSAGES_COLUMNS, batches: allMismatchedMessages(database, filters) };
    case 'dead-letters':
      return { columns: DEAD_LETTERS_COLUMNS, batches: allDeadLetters(database, filters) };
    case 'dead-letter-reasons':
      return whole(waitingLettersRow, deadLetterReasons(database));
    case 'rate-cards':
      return whole(listedCardSchema, listRateCards(database));
    case 'accounts':
      return { columns: ACCOUNTS_COLUMNS, batches: inOneBatch(ACCOUNTS_COLUMNS, accountRows(database)) };
    case 'unrated':
      return whole(unratedRow, unrated(database, filters));
  }
}

/**
 * A report as CSV text (contract.md 3), streamed in batches of rows, the first with the header: a query that fails fails
 * before anything is given out. Bounded memory.
 */
export async function* csvReport(
  report: ReportName,
  database: Database,
  filters: ReportFilters,
  by: MessagesBy = 'sent',
): AsyncGenerator<string> {
  const { columns, batches } = source(report, database, filters, by);
  let before = csvText([columns]);
  for await (const rows of batches) {
    yield before + csvText(rows);
    before = '';
  }
  if (before !== '') yield before;
}

/** The same rows as objects, one batch at a time, for JSON. */
export async function* objectReport(
  report: ReportName,
  database: Database,
  filters: ReportFilters,
  by: MessagesBy = 'sent',
): AsyncGenerator<Record<string, unknown>[]> {
  const { columns, batches } = source(report, database, filters, by);
  for await (const rows of batches)
    yield rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])));
}

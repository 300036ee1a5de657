import type { AdOutcomesRow } from './outcomes.ts';
import type { Invoice } from './invoices.ts';
import type { AdAnswersRow, AdHoursRow } from './ad-answers.ts';
import type { AdMessagesRow, AdStepsRow } from './ad-steps.ts';
import type { ClaimRow, Recovered } from './claims.ts';
import type { AskedPage, PageOf, ReportFilters } from './asked.ts';
import type { AdNameRow, AdFiguresRow, OverviewRow, BucketRows, Figures } from './figures.ts';
import type {
  SavingsRow,
  Bill,
  MetaSide,
  UnratedRow,
  MismatchesRow,
  MismatchRow,
  MismatchSort,
  ChargeRow,
  ChargeSort,
  ChargedMessageRow,
  ChargedMessageSort,
} from './bill.ts';
import type { CaseKey, CasesOfMonth, ChosenRows } from './cases.ts';
import type { ExplainedMessage } from './message.ts';
import type { ListedAccount } from './changes.ts';
import type { AskedThread, AskedAdConversations, ThreadView, AdConversationList } from './conversations.ts';
import type { AskedLetters, DeadLetterRow, Health } from './health.ts';
import type { ListedCard } from './rate-cards.ts';
import type { MetaImport, ReconciliationOfMonth, ToleranceTrial } from './meta.ts';
import type { Closing, MonthClose, PrintedMonth } from './periods.ts';
import type { SendRequest, SendResult } from './send-check.ts';
import type { ExportRun, ExportsOverview } from './exports.ts';
import type { AskedDeliveries, ListedTrigger, TriggerDefinition, TriggerDelivery, TriggerTest } from './triggers.ts';
import type { SpendImport } from './spend.ts';
import type { Suggested, Suggestion } from './suggestions.ts';
import type { SavedView } from './views.ts';
import type { StatementOfMonth } from './write-offs.ts';

/** An account by its names. */
export interface AccountName {
  readonly waba_id: string;
  readonly name: string | null;
  /** Displayed numbers of its business numbers, digits only, as far as they are known. */
  readonly numbers: readonly { readonly id: string; readonly display: string }[];
}

/** How current and complete the data on screen is. */
export interface LedgerStatus {
  /** `sample`: simulated data, labelled on every screen. `ledger`: real data. */
  readonly source: 'sample' | 'ledger';
  /** True while the sample data is still being written. */
  readonly loading_sample: boolean;
  /** Whether there are events besides the sample data. */
  readonly has_own_data: boolean;
  /** Number of stored event rows, including duplicates that are not merged yet. */
  readonly events: number;
  /** Unix seconds of the earliest and latest event; null when there is none. */
  readonly first_event_at: number | null;
  readonly last_event_at: number | null;
  /** When something was last stored, Unix seconds; null = not in the last three days. */
  readonly last_stored_at: number | null;
  /** Rejected inputs in the dead-letter table. */
  readonly dead_letters: number;
  /** Cells whose summary is being recomputed; 0 = the counts are complete. */
  readonly cells_behind: number;
  /** Hours of numbers whose charges are being recomputed; 0 = the amounts are complete. */
  readonly charge_hours_behind: number;
  /** IANA zones of the accounts, the most frequent first. */
  readonly account_zones: readonly string[];
  /** The configured accounts. */
  readonly accounts: readonly AccountName[];
  /** Saved views of pages, by name. */
  readonly views: readonly SavedView[];
}

/** The named queries of pages and API, for the data of one request. Implemented by `services/pages`. */
export interface Reports {
  status(): Promise<LedgerStatus>;
  overview(filters: ReportFilters): Promise<OverviewRow>;
  figures(filters: ReportFilters, grain: BucketRows['grain']): Promise<Figures>;
  adFigures(filters: ReportFilters): Promise<AdFiguresRow[]>;
  /** The same without savings, for days used in a comparison. */
  adCosts(filters: ReportFilters): Promise<AdFiguresRow[]>;
  /** What became of ad conversations: when they were answered, and what customers wrote after that. */
  adAnswers(filters: ReportFilters): Promise<AdAnswersRow[]>;
  /** Hours of the week in which customers write and get their first reply. */
  adHours(filters: ReportFilters): Promise<AdHoursRow[]>;
  /** The steps of ads as they are counted here and by Meta. */
  adSteps(filters: ReportFilters): Promise<AdStepsRow[]>;
  /** The messages of ad conversations, their expected charge, and the full cost of a conversation. */
  adMessages(filters: ReportFilters): Promise<AdMessagesRow[]>;
  /** What ads led to, by kind, source and currency. */
  adOutcomes(filters: ReportFilters): Promise<AdOutcomesRow[]>;
  adNames(ad_ids: readonly string[]): Promise<AdNameRow[]>;
  /** Values of a filter that contain a text, or whose names do. */
  suggestions(of: Suggested, text: string): Promise<Suggestion[]>;
  /** Imports of ad spend and names, the latest first. */
  spendImports(): Promise<SpendImport[]>;
  /** Imports of Meta's numbers, the latest first. */
  metaImports(): Promise<MetaImport[]>;
  /** Imported invoices, the latest first. */
  invoices(): Promise<Invoice[]>;
  /** Accounts that have charges in a month (`YYYY-MM`), or numbers of Meta's, by id. */
  accountsToReconcile(month: string): Promise<string[]>;
  /** A month of an account, held against Meta's numbers. */
  reconciliation(asked: { readonly waba_id: string; readonly month: string }): Promise<ReconciliationOfMonth>;
  /** The differences in that month, as cases. */
  cases(asked: { readonly waba_id: string; readonly month: string }): Promise<CasesOfMonth>;
  /** What the difference of a month consists of, and what is written off of it. */
  statement(asked: { readonly waba_id: string; readonly month: string }): Promise<StatementOfMonth>;
  /** A tolerance tried on the months up to one, the latest first. `percent` is a decimal, `messages` a whole number. */
  toleranceTrials(asked: {
    readonly waba_id: string;
    readonly month: string;
    readonly percent: string;
    readonly messages: string;
  }): Promise<readonly ToleranceTrial[]>;
  /** The evidence of a case, or of chosen rows, for a dispute: a ZIP archive. Null where these rows do not differ now. */
  evidencePack(
    of: CaseKey | ChosenRows,
  ): Promise<{ readonly name: string; readonly content: AsyncIterable<Uint8Array> } | null>;
  /** Claims, the latest month first, then by account. */
  claims(): Promise<ClaimRow[]>;
  /** The claimed and recovered sums of months that share a day with a range, by currency. */
  recovered(filters: ReportFilters): Promise<Recovered[]>;
  /** Accounts with messages in a month, numbers of Meta's or a closing, by id; empty = messages of no account. */
  accountsToClose(month: string): Promise<string[]>;
  /** A month of an account, with what a page needs to close it. */
  monthClose(asked: { readonly waba_id: string; readonly month: string }): Promise<MonthClose>;
  /** The report of a closing as it is printed; null when none was made. */
  printedMonth(period_id: string): Promise<PrintedMonth | null>;
  /** The folder of that report as a ZIP archive; null when none was made. */
  monthReportArchive(
    period_id: string,
  ): Promise<{ readonly name: string; readonly content: AsyncIterable<Uint8Array> } | null>;
  /** The closings in force of months that share a day with a range; `to` is exclusive. */
  closings(days: { readonly from: string; readonly to: string }): Promise<Closing[]>;
  savings(filters: ReportFilters): Promise<SavingsRow[]>;
  bill(filters: ReportFilters): Promise<Bill>;
  /** The numbers of Meta and of invoices beside what is expected, for a range and perhaps an account. */
  metaSide(filters: ReportFilters): Promise<MetaSide[]>;
  unrated(filters: ReportFilters): Promise<UnratedRow[]>;
  mismatches(filters: ReportFilters): Promise<MismatchesRow[]>;
  /** How many delivered messages of these days Meta reported; null where that is not known of what is asked for. */
  reportedMessages(filters: ReportFilters): Promise<number | null>;
  mismatchedMessages(filters: ReportFilters, asked: AskedPage<MismatchSort>): Promise<PageOf<MismatchRow>>;
  /** A page of the report `charges`. */
  charges(filters: ReportFilters, asked: AskedPage<ChargeSort>): Promise<PageOf<ChargeRow>>;
  /** How many rows that report has. */
  chargesCount(filters: ReportFilters): Promise<number>;
  /** A page of the delivered messages in the report `messages`, by the days of `charges`. */
  chargedMessages(filters: ReportFilters, asked: AskedPage<ChargedMessageSort>): Promise<PageOf<ChargedMessageRow>>;
  /** Messages with an id, in one business number or in all: ids are unique only within a number. Times are in `tz`. */
  messages(asked: {
    readonly message_id: string;
    readonly phone_number_id: string | null;
    readonly tz: string;
  }): Promise<ExplainedMessage[]>;
  /** A page of ad conversations. */
  conversations(asked: AskedAdConversations): Promise<AdConversationList>;
  /** How many there are under these filters. */
  conversationCount(filters: ReportFilters): Promise<number>;
  /** The thread of a message; null when there is no such message. */
  conversation(asked: AskedThread): Promise<ThreadView | null>;
  /** What would happen if a message were sent at a time, in Unix seconds. */
  sendCheck(request: SendRequest, options: { readonly at: number; readonly tz: string }): Promise<SendResult>;
  /** Saved triggers, and how often they fired. */
  triggers(): Promise<ListedTrigger[]>;
  /** Firings, and the deliveries of each; the latest first. */
  triggerDeliveries(asked: AskedDeliveries): Promise<TriggerDelivery[]>;
  /** The messages of some days, in Unix seconds, for which a trigger would have fired. */
  tryTrigger(definition: TriggerDefinition, days: { readonly from: number; readonly to: number }): Promise<TriggerTest>;
  /** Scheduled exports, and the reports that could be exported. */
  exports(): Promise<ExportsOverview>;
  /** The periods of a scheduled export with their runs, the most recently begun first. */
  exportRuns(schedule_id: string, limit: number): Promise<ExportRun[]>;
  health(): Promise<Health>;
  /** How many rejected inputs are kept that were first seen in the days of the filters. */
  waitingLetters(filters: ReportFilters): Promise<number>;
  deadLetters(asked: AskedLetters): Promise<PageOf<DeadLetterRow>>;
  rateCards(): Promise<ListedCard[]>;
  /** Accounts that are configured or seen in messages. */
  accounts(): Promise<ListedAccount[]>;
  /** Removes the sample data for good ("gone with one click"). */
  dismissSample(): Promise<void>;
  /** Makes the sample data again, if it was removed. Resolves when that has begun. */
  showSample(): Promise<void>;
}

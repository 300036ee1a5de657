import type { AdNameRow, AdFiguresRow, OverviewRow, BucketRows, Figures } from './figures.ts';
import type {
  SavingsRow,
  SavingsAdsRow,
  Bill,
  UnratedRow,
  MismatchesRow,
  MismatchRow,
  MismatchSort,
  ChargeRow,
  ChargeSort,
  ChargedMessageRow,
  ChargedMessageSort,
} from './bill.ts';
import type { ExplainedMessage } from './message.ts';
import type { ListedAccount } from './changes.ts';
import type { AskedConversation, AskedConversations, Conversation, ConversationList } from './conversations.ts';
import type { AskedLetters, DeadLetterRow, Health } from './health.ts';
import type { ListedCard } from './rate-cards.ts';
import type { SpendImport } from './spend.ts';

/** What every report can be asked with (contract.md 2). Dates are days in `tz`; `to` is exclusive. */
export interface ReportFilters extends Narrowed {
  /** First day, `YYYY-MM-DD`; null = from the beginning. */
  readonly from: string | null;
  /** Day after the last one, `YYYY-MM-DD`; null = to the end. */
  readonly to: string | null;
  /** IANA zone whose days are meant. */
  readonly tz: string;
  /** Whether the zone was asked for: charges are by the days of each account's own zone unless it was. */
  readonly is_tz_given?: boolean;
  /** Unix seconds: the clock for what depends on "now" (pending, mature). Filters nothing. */
  readonly as_of: number;
}

/**
 * What some reports can be narrowed to; which ones, `NARROWED_BY` says. `ad` is the id of an ad or post, or (text that
 * begins with http) the address that its entries came from; `q` what conversations are searched by and `state` what has become of them; the others are values
 * of columns: `category` and `market` of prices, `billing`, `predicted` and `reported` of marks, `code` of rejected inputs.
 * `tier`, `rate` and `rate_card` tell charges apart that have all else in common; `policy` and `rule` decided a prediction,
 * `circumstance` is what explains its difference from Meta's report. `tag` is what the sender attached, `error_code` Meta's.
 */
export const NARROWINGS = [
  'ad',
  'q',
  'state',
  'waba_id',
  'phone_number_id',
  'market',
  'category',
  'billing',
  'tier',
  'rate',
  'rate_card',
  'predicted',
  'reported',
  'policy',
  'rule',
  'circumstance',
  'tag',
  'error_code',
  'code',
] as const;
export type Narrowing = (typeof NARROWINGS)[number];
/** Null or left out = not narrowed. The empty text is a value of its own: what belongs to no account has an empty `waba_id`. */
export type Narrowed = { readonly [name in Narrowing]?: string | null };

/** A page of a table that is too long to be at hand: sorted by a column, and begun after the row of a cursor. */
export interface AskedPage<Column extends string = string> {
  readonly sort: { readonly column: Column; readonly descending: boolean };
  /** As {@link PageOf.next} gave it; empty = the first page. */
  readonly after: string;
  readonly limit: number;
}

export interface PageOf<Row> {
  readonly rows: readonly Row[];
  /** Where the next page begins; null = there is none. */
  readonly next: string | null;
  /** False: `after` named no place, so this is the first page. */
  readonly is_found: boolean;
}

/** How fresh and complete what is on screen is. */
export interface LedgerStatus {
  /** `sample`: simulated data, labelled on every screen. `ledger`: real data. */
  readonly source: 'sample' | 'ledger';
  /** True while the sample data is still being written. */
  readonly loading_sample: boolean;
  /** Number of stored event rows; duplicates that are not merged yet are counted. */
  readonly events: number;
  /** Unix seconds of the earliest and latest event; null when there is none. */
  readonly first_event_at: number | null;
  readonly last_event_at: number | null;
  /** When something was last stored, Unix seconds; null = nothing in the last three days. */
  readonly last_stored_at: number | null;
  /** Rejected inputs waiting in the dead-letter table. */
  readonly dead_letters: number;
  /** Cells whose summary is being recomputed; 0 = the counts are complete. */
  readonly cells_behind: number;
  /** Hours of numbers whose charges are being recomputed; 0 = the amounts are complete. */
  readonly charge_hours_behind: number;
  /** IANA zones of the accounts, those of most accounts first. */
  readonly account_zones: readonly string[];
}

/** The named queries that screens, CSV and API share. Implemented by `services/reports`. */
export interface Reports {
  /** Which data a request reads; `sample` asks for the sample data even when real data exists. */
  status(sample: boolean): Promise<LedgerStatus>;
  overview(filters: ReportFilters, sample: boolean): Promise<OverviewRow>;
  figures(filters: ReportFilters, grain: BucketRows['grain'], sample: boolean): Promise<Figures>;
  adFigures(filters: ReportFilters, sample: boolean): Promise<AdFiguresRow[]>;
  adNames(ad_ids: readonly string[], sample: boolean): Promise<AdNameRow[]>;
  /** Imports of ad spend and names, the latest first. */
  spendImports(sample: boolean): Promise<SpendImport[]>;
  savings(filters: ReportFilters, sample: boolean): Promise<SavingsRow[]>;
  savingsAds(filters: ReportFilters, sample: boolean): Promise<SavingsAdsRow[]>;
  bill(filters: ReportFilters, sample: boolean): Promise<Bill>;
  unrated(filters: ReportFilters, sample: boolean): Promise<UnratedRow[]>;
  mismatches(filters: ReportFilters, sample: boolean): Promise<MismatchesRow[]>;
  mismatchedMessages(
    filters: ReportFilters,
    asked: AskedPage<MismatchSort>,
    sample: boolean,
  ): Promise<PageOf<MismatchRow>>;
  /** A page of the report `charges`. */
  charges(filters: ReportFilters, asked: AskedPage<ChargeSort>, sample: boolean): Promise<PageOf<ChargeRow>>;
  /** A page of the delivered messages of the report `messages`, by the days of `charges`. */
  chargedMessages(
    filters: ReportFilters,
    asked: AskedPage<ChargedMessageSort>,
    sample: boolean,
  ): Promise<PageOf<ChargedMessageRow>>;
  /** Messages of an id, of one business number or of all: ids are unique only within a number. Times are in `tz`. */
  messages(
    asked: { readonly message_id: string; readonly phone_number_id: string | null; readonly tz: string },
    sample: boolean,
  ): Promise<ExplainedMessage[]>;
  /** A page of ad conversations. */
  conversations(asked: AskedConversations, sample: boolean): Promise<ConversationList>;
  /** The thread of a message; null when there is no such message. */
  conversation(asked: AskedConversation, sample: boolean): Promise<Conversation | null>;
  health(sample: boolean): Promise<Health>;
  /** How many rejected inputs wait that were first seen in the days of the filters. */
  waitingLetters(filters: ReportFilters, sample: boolean): Promise<number>;
  deadLetters(asked: AskedLetters, sample: boolean): Promise<PageOf<DeadLetterRow>>;
  rateCards(sample: boolean): Promise<ListedCard[]>;
  /** Accounts that are configured or seen in messages. */
  accounts(sample: boolean): Promise<ListedAccount[]>;
  /** Drops the sample data for good ("gone with one click"). */
  dismissSample(): Promise<void>;
}

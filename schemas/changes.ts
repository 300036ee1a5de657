import type { CaseDecision, WorkedCase } from './cases.ts';
import type { ClaimChange, ClaimOutcome, NewClaim } from './claims.ts';
import type { Account } from './config.ts';
import type { BrokenCsvFile } from './csv-file.ts';
import type { ReplayedLetters } from './health.ts';
import type { DayCut, DoneMetaImport, MetaField, MetaImport } from './meta.ts';
import type { MonthReport, Period } from './periods.ts';
import type { EffectiveDays, ImportedCard, PreviewedCard, WithdrawnCard } from './rate-cards.ts';
import type { RateModel } from './rate-file.ts';
import type { ExportDefinition, ExportState } from './exports.ts';
import type { ReplayedDelivery, SavedTrigger, TriggerDefinition, TriggerState } from './triggers.ts';
import type { KeptSpendMapping, PlannedSpendImport, SpendImport, SpendMapping, TypedSpend } from './spend.ts';

/** An account as pages list it: what is configured, and what is seen of it in messages. */
export interface ListedAccount {
  readonly account: Account;
  /** Null: it is only seen in messages. The file wins over a command or page. */
  readonly set_by: 'configuration file' | 'command' | null;
  readonly delivered_messages: number;
  /** The business numbers that its messages name. */
  readonly phone_number_ids: readonly string[];
}

/** Something that was not done, and why; in a sentence for people. */
export interface Refused {
  readonly ok: false;
  readonly message: string;
}

/** A scheduled export that was not added. */
export interface RefusedExport extends Refused {
  /** Whether the definition itself is wrong, like a time that cannot be read; otherwise another export is in its way. */
  readonly is_invalid: boolean;
}

/** A file that was uploaded, and how it is to be read. */
export interface HeldRateFile {
  /** Names the upload; it is forgotten after a while. */
  readonly upload: string;
  /** The day from which it is in force, `YYYY-MM-DD`; without it the file has to name one. */
  readonly effective?: string;
  /** Takes that day although the file names another one. */
  readonly effective_anyway?: boolean;
  /** For files that do not say themselves what is charged for. */
  readonly model?: RateModel;
}

/** A rate file of which nobody knows from which day it is in force. */
export interface UndatedRates extends Refused {
  /** File name. */
  readonly name: string;
  readonly days: EffectiveDays;
}

/** An export of ads that was uploaded, and how it is to be read. */
export interface HeldSpendFile {
  /** Names the upload; it is forgotten after a while. */
  readonly upload: string;
  readonly mapping: SpendMapping;
}

/** Answers of Meta's that are imported at once, and what they do not say themselves. */
export interface GivenMetaAnswers {
  /** In the order of their pages. */
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly waba_id?: string | undefined;
  readonly field?: MetaField | undefined;
  readonly days: DayCut;
  /** The days that were asked for, `to` excluded; null: as the points say. */
  readonly asked: { readonly from: string; readonly to: string } | null;
  /** Whether an answer of `analytics` counts what customers wrote. */
  readonly is_incoming: boolean;
}

/** A month that a person closes. */
export interface ClosedByPerson {
  /** Empty: the messages that belong to no account. */
  readonly waba_id: string;
  /** `YYYY-MM` */
  readonly month: string;
  /** As they call themselves: pages have no sign-in. */
  readonly by: string;
  readonly note: string;
  /** Whether it is closed although something may be missing. */
  readonly accept: boolean;
}

export interface BrokenUpload extends Refused, BrokenCsvFile {
  readonly ok: false;
  /** File name. */
  readonly name: string;
}

/** An account that was kept. */
export interface KeptAccount {
  readonly ok: true;
  /** Whether marks are still being folded again under it. */
  readonly is_folding: boolean;
}

/**
 * What the pages of one request may change. Every one of these is refused while the sample data is shown: whoever looks at it would take the
 * change for one of the sample.
 */
export interface Changes {
  /** Keeps an uploaded file for a preview. */
  holdFile(file: {
    readonly name: string;
    readonly bytes: Uint8Array;
  }): Promise<{ readonly ok: true; readonly upload: string } | Refused>;
  /** What importing a held file would change; nothing is written. */
  previewRates(
    file: HeldRateFile,
  ): Promise<
    | { readonly ok: true; readonly name: string; readonly cards: readonly PreviewedCard[] }
    | BrokenUpload
    | UndatedRates
    | Refused
  >;
  importRates(file: HeldRateFile): Promise<{ readonly ok: true; readonly cards: readonly ImportedCard[] } | Refused>;
  withdrawRates(card_id: string): Promise<{ readonly ok: true; readonly card: WithdrawnCard } | Refused>;
  /** What importing a held export of ads would do; nothing is written. */
  previewSpend(
    file: HeldSpendFile,
  ): Promise<
    { readonly ok: true; readonly name: string; readonly planned: PlannedSpendImport } | BrokenUpload | Refused
  >;
  importSpend(file: HeldSpendFile): Promise<{ readonly ok: true; readonly planned: PlannedSpendImport } | Refused>;
  /** Which heading is which column, as somebody said it and keeps it by name. */
  spendMappings(): Promise<readonly KeptSpendMapping[]>;
  /** Keeps a mapping by name; one that was kept under the same name is replaced. */
  keepSpendMapping(mapping: SpendMapping & { readonly name: string }): Promise<{ readonly ok: true } | Refused>;
  typeSpend(typed: TypedSpend): Promise<{ readonly ok: true; readonly planned: PlannedSpendImport } | Refused>;
  withdrawSpend(import_id: string): Promise<{ readonly ok: true; readonly withdrawn: SpendImport } | Refused>;
  /** Imports answers of Meta's, all of them or none. */
  importMeta(
    given: GivenMetaAnswers,
  ): Promise<{ readonly ok: true; readonly imported: readonly DoneMetaImport[] } | Refused>;
  withdrawMeta(import_id: string): Promise<{ readonly ok: true; readonly withdrawn: MetaImport } | Refused>;
  /**
   * Closes a month of an account. Not when something may be missing, unless that is accepted. A period of null: it was asked
   * for, and a second person closes it.
   */
  closeMonth(closing: ClosedByPerson): Promise<{ readonly ok: true; readonly period: Period | null } | Refused>;
  /** Makes the report of a closing, or finds the one that was made. */
  makeReport(made: {
    readonly period_id: string;
    readonly by: string;
  }): Promise<{ readonly ok: true; readonly report: MonthReport } | Refused>;
  /** Reopens a closed month, for a reason. */
  reopenMonth(reopening: {
    readonly period_id: string;
    readonly by: string;
    readonly because: string;
  }): Promise<{ readonly ok: true; readonly period: Period } | Refused>;
  /** Decides on a case of a month. */
  decideCase(
    decision: CaseDecision,
  ): Promise<{ readonly ok: true; readonly outcome: 'decided' | 'unchanged'; readonly case: WorkedCase } | Refused>;
  /** Makes a claim against Meta or a partner. */
  makeClaim(claim: NewClaim): Promise<({ readonly ok: true } & ClaimOutcome) | Refused>;
  /** Enters what happened to a claim. */
  changeClaim(claim_id: string, change: ClaimChange): Promise<({ readonly ok: true } & ClaimOutcome) | Refused>;
  /** Saves a new trigger, or with an id what an earlier one looks for and whom it tells. */
  saveTrigger(
    trigger_id: string | null,
    definition: TriggerDefinition,
  ): Promise<{ readonly ok: true; readonly trigger: SavedTrigger } | Refused>;
  /** Pauses a trigger, lets it go on, or deletes it. */
  setTriggerState(
    trigger_id: string,
    state: TriggerState,
  ): Promise<{ readonly ok: true; readonly trigger: SavedTrigger } | Refused>;
  /** Tells once more of a firing, or of all that were given up; by the number of deliveries. */
  replayDeliveries(
    which: ReplayedDelivery | 'given_up',
  ): Promise<{ readonly ok: true; readonly deliveries: number } | Refused>;
  /** Adds a scheduled export. */
  addExport(definition: ExportDefinition): Promise<{ readonly ok: true } | RefusedExport>;
  /** Pauses a scheduled export, lets it go on, or removes it. */
  setExportState(name: string, state: ExportState): Promise<{ readonly ok: true } | Refused>;
  /** Runs a scheduled export as if it were due now; by what went wrong, null when nothing did. */
  runExport(name: string): Promise<{ readonly ok: true; readonly error: string | null } | Refused>;
  setAccount(account: Account): Promise<KeptAccount | Refused>;
  /** Tries all waiting rejected inputs again; one at a time. */
  replayLetters(): Promise<{ readonly ok: true; readonly counts: ReplayedLetters } | Refused>;
  /** Threads folded so far under a changed account; null when none is being applied. */
  readonly foldedThreads: number | null;
}

import type { Invoice, InvoiceMapping, KeptInvoiceMapping, PreviewedInvoice } from './invoices.ts';
import type { CaseDecision, WorkedCase } from './cases.ts';
import type { ClaimChange, ClaimOutcome, NewClaim } from './claims.ts';
import type { OutcomeCells, PlannedOutcomes } from './outcomes.ts';
import type { NewWriteOff, WriteOffOutcome, WriteOffUndo } from './write-offs.ts';
import type { Account } from './config.ts';
import type { BrokenCsvFile } from './csv-file.ts';
import type { LettersToDismiss, ReplayedLetters } from './health.ts';
import type { DayCut, DoneMetaImport, MetaField, MetaImport } from './meta.ts';
import type { MonthReport, Period } from './periods.ts';
import type { EffectiveDays, ImportedCard, PreviewedCard, WithdrawnCard } from './rate-cards.ts';
import type { RateModel } from './rate-file.ts';
import type { NewView, SavedView } from './views.ts';
import type { ExportDefinition, ExportState } from './exports.ts';
import type { ReplayedDelivery, SavedTrigger, TriggerDefinition, TriggerState } from './triggers.ts';
import type { KeptSpendMapping, PlannedSpendImport, SpendImport, SpendMapping, TypedSpend } from './spend.ts';

/** An account as pages list it: its configuration, and its numbers in messages. */
export interface ListedAccount {
  readonly account: Account;
  /** Null when it is not configured and only messages name it. The file overrides a command or page. */
  readonly set_by: 'configuration file' | 'command' | null;
  readonly delivered_messages: number;
  /** The business numbers in its messages. */
  readonly phone_number_ids: readonly string[];
}

/** Why a change was refused, in a sentence for people. */
export interface Refused {
  readonly ok: false;
  readonly message: string;
}

/** A refused scheduled export. */
export interface RefusedExport extends Refused {
  /**
   * Whether the definition itself is wrong, like a time that cannot be read; otherwise it collides with another export.
   */
  readonly is_invalid: boolean;
}

/** An uploaded file, and how to read it. */
export interface HeldRateFile {
  /** Identifies the upload, which is dropped after a while. */
  readonly upload: string;
  /** The day from which it is in force, `YYYY-MM-DD`. Without it the file has to name one. */
  readonly effective?: string;
  /** Uses that day although the file names another one. */
  readonly effective_anyway?: boolean;
  /** For files that do not say what is charged for. */
  readonly model?: RateModel;
}

/** A rate file for which the day of coming into force is not known. */
export interface UndatedRates extends Refused {
  /** File name. */
  readonly name: string;
  readonly days: EffectiveDays;
}

/** What became of the events of an uploaded file; `read = stored + duplicate + rejected`. */
export interface TakenEvents {
  readonly ok: true;
  readonly name: string;
  readonly read: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly rejected: number;
  /** Where indented JSON is broken, and what to do; null when it is not. */
  readonly warning: string | null;
}

/** An uploaded export of ads, and how to read it. */
export interface HeldSpendFile {
  /** Identifies the upload, which is dropped after a while. */
  readonly upload: string;
  readonly mapping: SpendMapping;
}

/** Answers of Meta that are imported together, and facts that they do not contain. */
export interface GivenMetaAnswers {
  /** In the order of their pages. */
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly waba_id?: string | undefined;
  readonly field?: MetaField | undefined;
  readonly days: DayCut;
  /** The requested days, `to` excluded; null = those that the points name. */
  readonly asked: { readonly from: string; readonly to: string } | null;
  /** Whether an answer of `analytics` counts messages that customers wrote. */
  readonly is_incoming: boolean;
}

/** A month to be closed. */
export interface ClosedByPerson {
  /** Empty: the messages that belong to no account. */
  readonly waba_id: string;
  /** `YYYY-MM` */
  readonly month: string;
  /** The name that the person gives: pages have no sign-in. */
  readonly by: string;
  readonly note: string;
  /** Whether to close it although something may be missing. */
  readonly accept: boolean;
}

export interface BrokenUpload extends Refused, BrokenCsvFile {
  readonly ok: false;
  /** File name. */
  readonly name: string;
}

/** An uploaded invoice, and how it is read. */
export interface HeldInvoice {
  readonly upload: string;
  readonly mapping: InvoiceMapping;
}

/** The result of saving an account. */
export interface KeptAccount {
  readonly ok: true;
  /** Whether marks are still being folded again with it. */
  readonly is_folding: boolean;
}

/**
 * The changes that the pages of one request may make. All are refused while the sample data is shown, because the user
 * would expect the change in the sample.
 */
export interface Changes {
  /** Ingests a file of events. Not refused while the sample data is shown: the first event of one's own replaces it. */
  takeEvents(file: { readonly name: string; readonly bytes: Uint8Array }): Promise<TakenEvents | Refused>;
  /** Keeps an uploaded file in memory for a preview. */
  holdFile(file: {
    readonly name: string;
    readonly bytes: Uint8Array;
  }): Promise<{ readonly ok: true; readonly upload: string } | Refused>;
  /** What importing an uploaded file would change. Writes nothing. */
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
  /** What importing an uploaded export of ads would do. Writes nothing. */
  previewSpend(
    file: HeldSpendFile,
  ): Promise<
    { readonly ok: true; readonly name: string; readonly planned: PlannedSpendImport } | BrokenUpload | Refused
  >;
  importSpend(file: HeldSpendFile): Promise<{ readonly ok: true; readonly planned: PlannedSpendImport } | Refused>;
  /** A user's mapping of headings to columns, stored by name. */
  spendMappings(): Promise<readonly KeptSpendMapping[]>;
  /** Stores a mapping by name; it replaces an earlier one of that name. */
  keepSpendMapping(mapping: SpendMapping & { readonly name: string }): Promise<{ readonly ok: true } | Refused>;
  typeSpend(typed: TypedSpend): Promise<{ readonly ok: true; readonly planned: PlannedSpendImport } | Refused>;
  /** Enters outcomes of ad conversations, all of them or none. */
  importOutcomes(
    outcomes: readonly OutcomeCells[],
  ): Promise<{ readonly ok: true; readonly planned: PlannedOutcomes } | Refused>;
  withdrawSpend(import_id: string): Promise<{ readonly ok: true; readonly withdrawn: SpendImport } | Refused>;
  /** Imports answers of Meta, all of them or none. */
  importMeta(
    given: GivenMetaAnswers,
  ): Promise<{ readonly ok: true; readonly imported: readonly DoneMetaImport[] } | Refused>;
  /** The stored mappings of invoices, by name. */
  invoiceMappings(): Promise<readonly KeptInvoiceMapping[]>;
  /** What an uploaded invoice says by a mapping. Nothing is applied. */
  previewInvoice(
    held: HeldInvoice,
  ): Promise<
    { readonly ok: true; readonly name: string; readonly previewed: PreviewedInvoice } | BrokenUpload | Refused
  >;
  /** Imports an uploaded invoice, and stores the mapping under its name. */
  importInvoice(
    held: HeldInvoice & { readonly waba_id: string; readonly mapping: { readonly name: string } },
  ): Promise<{ readonly ok: true; readonly outcome: 'imported' | 'unchanged'; readonly invoice: Invoice } | Refused>;
  withdrawInvoice(import_id: string): Promise<{ readonly ok: true; readonly withdrawn: Invoice } | Refused>;
  withdrawMeta(import_id: string): Promise<{ readonly ok: true; readonly withdrawn: MetaImport } | Refused>;
  /**
   * Closes a month of an account; refused when something may be missing, unless that is accepted. A period of null: the
   * closing was requested, and a second person has to confirm it.
   */
  closeMonth(closing: ClosedByPerson): Promise<{ readonly ok: true; readonly period: Period | null } | Refused>;
  /** Makes the report of a closing, or returns the existing one. */
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
  /** Records what happened to a claim. */
  changeClaim(claim_id: string, change: ClaimChange): Promise<({ readonly ok: true } & ClaimOutcome) | Refused>;
  /** Writes off the difference of the rows of a case, or of chosen rows. */
  makeWriteOff(write_off: NewWriteOff): Promise<({ readonly ok: true } & WriteOffOutcome) | Refused>;
  /** Undoes a write-off, which stays listed. */
  undoWriteOff(write_off_id: string, undo: WriteOffUndo): Promise<({ readonly ok: true } & WriteOffOutcome) | Refused>;
  /** Saves a new trigger, or with an id changes the conditions and receivers of an existing one. */
  saveTrigger(
    trigger_id: string | null,
    definition: TriggerDefinition,
  ): Promise<{ readonly ok: true; readonly trigger: SavedTrigger } | Refused>;
  /** Pauses, resumes or deletes a trigger. */
  setTriggerState(
    trigger_id: string,
    state: TriggerState,
  ): Promise<{ readonly ok: true; readonly trigger: SavedTrigger } | Refused>;
  /** Delivers a firing again, or all deliveries that were given up. Returns the number of deliveries. */
  replayDeliveries(
    which: ReplayedDelivery | 'given_up',
  ): Promise<{ readonly ok: true; readonly deliveries: number } | Refused>;
  /** Adds a scheduled export. */
  addExport(definition: ExportDefinition): Promise<{ readonly ok: true } | RefusedExport>;
  /** Pauses, resumes or removes a scheduled export. */
  setExportState(name: string, state: ExportState): Promise<{ readonly ok: true } | Refused>;
  /** Runs a scheduled export as if it were due now. Returns what went wrong, or null. */
  runExport(name: string): Promise<{ readonly ok: true; readonly error: string | null } | Refused>;
  setAccount(account: Account): Promise<KeptAccount | Refused>;
  /** Tries all rejected inputs again, one run at a time. */
  replayLetters(): Promise<{ readonly ok: true; readonly counts: ReplayedLetters } | Refused>;
  /** Dismisses rejected inputs that wait, with a reason. */
  /** Saves a view of a page; the same name on the same page replaces the view that had it. */
  saveView(view: NewView): Promise<{ readonly ok: true; readonly view: SavedView } | Refused>;
  renameView(view_id: string, name: string): Promise<{ readonly ok: true } | Refused>;
  removeView(view_id: string): Promise<{ readonly ok: true } | Refused>;
  dismissLetters(meant: LettersToDismiss): Promise<{ readonly ok: true; readonly letters: number } | Refused>;
  /** Takes a dismissal back. */
  undoDismissal(dismissal_id: string): Promise<{ readonly ok: true; readonly letters: number } | Refused>;
  /** Threads folded so far under a changed account; null when no change is being applied. */
  readonly foldedThreads: number | null;
}

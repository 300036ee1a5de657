import { setTimeout as pause } from 'node:timers/promises';
import type {
  BrokenUpload,
  Changes,
  HeldRateFile,
  HeldSpendFile,
  KeptAccount,
  Refused,
  RefusedExport,
  TakenEvents,
  UndatedRates,
} from '@ctwa-ledger/schemas/changes.ts';
import type { Account } from '@ctwa-ledger/schemas/config.ts';
import type { LettersToDismiss, ReplayedLetters } from '@ctwa-ledger/schemas/health.ts';
import type { ImportedCard, PreviewedCard, WithdrawnCard } from '@ctwa-ledger/schemas/rate-cards.ts';
import { MAX_CSV_FILE_BYTES } from '@ctwa-ledger/schemas/csv-file.ts';
import type {
  KeptSpendMapping,
  PlannedSpendImport,
  SpendImport,
  SpendMapping,
  TypedSpend,
} from '@ctwa-ledger/schemas/spend.ts';
import type { OutcomeCells, PlannedOutcomes } from '@ctwa-ledger/schemas/outcomes.ts';
import type { ReplayedDelivery, SavedTrigger, TriggerDefinition, TriggerState } from '@ctwa-ledger/schemas/triggers.ts';
import { ingestUpload } from '../ingest/file.ts';
import { replayLetters } from '../ingest/replay.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import { waitingDeadLetters } from '../ledger/events/dead-letters.ts';
import { dismissLetters, undoDismissal } from '../ledger/events/dismissals.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import type { Database } from '../clickhouse/database.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { EffectiveDayError } from '../rating/effective-day.ts';
import { settleCharges } from '../rating/charges.ts';
import { importRateFile, previewRateFile, withdrawRateCard, type RateFile } from '../rating/rate-cards.ts';
import { keepSpendMapping, listSpendMappings } from '../spend/mappings.ts';
import {
  importSpendFile,
  importTypedSpend,
  previewSpendFile,
  withdrawSpendImport,
  type GivenSpendFile,
} from '../spend/spend.ts';
import type { ExportDefinition, ExportState } from '@ctwa-ledger/schemas/exports.ts';
import type { Exports } from '../exports/runner.ts';
import { addSchedule, checkedDefinition, setScheduleState } from '../exports/schedules.ts';
import { importOutcomes } from '../outcomes/outcomes.ts';
import { replayDelivery, replayGivenUp } from '../triggers/log.ts';
import { changeTrigger, createTrigger, setTriggerState } from '../triggers/register.ts';
import { removeView, renameView, saveView } from '../reports/views.ts';
import type { NewView, SavedView } from '@ctwa-ledger/schemas/views.ts';
import { ChangesOfBill } from './changes-of-bill.ts';
import { BY, IS_BEING_WRITTEN, IS_GONE, IS_SAMPLE, orBroken, orRefused, type WhereAllowed } from './refusals.ts';
import { Uploads } from './uploads.ts';

/** How long a page waits for marks to be folded again before it is shown with the folding still running. */
const PATIENCE_MS = 5_000;

const NO_EXPORTER: Refused = {
  ok: false,
  message: 'This process writes no files. Run “npx ctwa-ledger exports run” where the exporter is.',
};

export interface ChangesOptions {
  readonly ledger: Ledger;
  /** Whether a request shows the sample data. `sample`: the request asks for it. */
  readonly isSample: (sample: boolean) => Promise<boolean>;
  /** The database of the sample data; null when it is not there or not complete. */
  readonly sample: () => Database | null;
  /** Called when events of an upload are in the ledger. */
  readonly onEventsTaken: (counts: Pick<TakenEvents, 'read' | 'stored' | 'duplicate' | 'rejected'>) => void;
  /** Called when something changed that amounts depend on. */
  readonly onRatingChanged: () => void;
  /** Called when triggers changed, or one of their deliveries should be tried again. */
  readonly onTriggersChanged: () => void;
  /** Runs scheduled exports in this process; null when an exporter does. */
  readonly exports: () => Exports | null;
  readonly onError: (what: string, error: unknown) => void;
}

/** What is kept between requests. */
interface Kept {
  readonly options: ChangesOptions;
  readonly uploads: Uploads;
  folding: Promise<void> | null;
  folded: number;
  replaying: Promise<ReplayedLetters> | null;
}

/**
 * What pages do not set, so that it stays: how numbers are displayed, for how long events are kept, and the controls of a
 * closing, which whoever closes must not loosen.
 */
function setByCommand(account: Account | undefined): Partial<Account> {
  if (account === undefined) return {};
  const {
    waba_id: _waba_id,
    name: _name,
    time_zone: _time_zone,
    currency: _currency,
    portfolio_id: _portfolio_id,
    phone_number_ids: _phone_number_ids,
    closing_day: _closing_day,
    ...others
  } = account;
  return others;
}

/** Changes from pages, through the ledger's own connection. */
export class LedgerChanges {
  readonly #kept: Kept;

  constructor(options: ChangesOptions) {
    this.#kept = { options, uploads: new Uploads(), folding: null, folded: 0, replaying: null };
  }

  /**
   * The changes that one request may make.
   * @param sample whether it asks for the sample data even when real data exists
   */
  of(sample: boolean): Changes {
    return new ChangesOfRequest(this.#kept, sample);
  }

  /** Resolves when no change is being applied. */
  async idle(): Promise<void> {
    await this.#kept.replaying?.catch(() => undefined);
    await this.#kept.folding;
  }
}

class ChangesOfRequest extends ChangesOfBill implements Changes {
  readonly #kept: Kept;
  readonly #whereAllowed: WhereAllowed;
  /** For cards and imports, which can be tried on the sample data. They are removed with it. */
  readonly #whereTried: WhereAllowed;

  constructor(kept: Kept, sample: boolean) {
    const { isSample, ledger } = kept.options;
    const whereAllowed: WhereAllowed = async (work) =>
      (await isSample(sample)) ? IS_SAMPLE : orRefused(() => work(ledger.database));
    const whereTried: WhereAllowed = async (work) => {
      if (!(await isSample(sample))) return orRefused(() => work(ledger.database));
      const tried = kept.options.sample();
      return tried === null ? IS_BEING_WRITTEN : orRefused(() => work(tried));
    };
    super({ allowed: whereAllowed, tried: whereTried }, ledger.reading, kept.uploads);
    this.#kept = kept;
    this.#whereAllowed = whereAllowed;
    this.#whereTried = whereTried;
  }

  /** After a change that amounts depend on. Nothing recomputes the sample data in the background. */
  async #ratingChanged(database: Database): Promise<void> {
    if (database === this.#kept.options.ledger.database) this.#kept.options.onRatingChanged();
    else await settleCharges(database);
  }

  get foldedThreads(): number | null {
    return this.#kept.folding === null ? null : this.#kept.folded;
  }

  #rateFileOf({ upload, ...how }: HeldRateFile): RateFile | null {
    const file = this.#kept.uploads.find(upload);
    return file === null ? null : { ...file, ...how };
  }

  #spendFileOf({ upload, mapping }: HeldSpendFile): GivenSpendFile | null {
    const file = this.#kept.uploads.find(upload);
    return file === null ? null : { ...file, mapping };
  }

  takeEvents(file: { readonly name: string; readonly bytes: Uint8Array }): Promise<TakenEvents | Refused> {
    return orRefused(async () => {
      const { read, stored, duplicate, rejected, warning } = await ingestUpload(this.#kept.options.ledger, file);
      this.#kept.options.onEventsTaken({ read, stored, duplicate, rejected });
      return { ok: true, name: file.name, read, stored, duplicate, rejected, warning };
    });
  }

  holdFile(file: {
    readonly name: string;
    readonly bytes: Uint8Array;
  }): Promise<{ readonly ok: true; readonly upload: string } | Refused> {
    return this.#whereTried(() => {
      if (file.bytes.length > MAX_CSV_FILE_BYTES)
        throw new ActionableError(
          `${file.name} is larger than ${MAX_CSV_FILE_BYTES / 1024 / 1024} MB: it is probably not meant for import.`,
        );
      return Promise.resolve({ ok: true, upload: this.#kept.uploads.hold(file) });
    });
  }

  async previewRates(
    held: HeldRateFile,
  ): Promise<
    | { readonly ok: true; readonly name: string; readonly cards: readonly PreviewedCard[] }
    | BrokenUpload
    | UndatedRates
    | Refused
  > {
    const file = this.#rateFileOf(held);
    if (file === null) return IS_GONE;
    const { name } = file;
    return this.#whereTried((database) =>
      orBroken(file, async () => {
        try {
          return { ok: true as const, name, cards: await previewRateFile(database, file) };
        } catch (error) {
          if (!(error instanceof EffectiveDayError)) throw error;
          return { ok: false as const, name, message: error.message, days: error.days };
        }
      }),
    );
  }

  importRates(held: HeldRateFile): Promise<{ readonly ok: true; readonly cards: readonly ImportedCard[] } | Refused> {
    return this.#whereTried((database) =>
      this.#kept.uploads.together(JSON.stringify(held), async () => {
        const file = this.#rateFileOf(held);
        if (file === null) return IS_GONE;
        const cards = await importRateFile(database, { ...file, by: BY });
        await this.#ratingChanged(database);
        return { ok: true, cards };
      }),
    );
  }

  withdrawRates(card_id: string): Promise<{ readonly ok: true; readonly card: WithdrawnCard } | Refused> {
    return this.#whereTried(async (database) => {
      const card = await withdrawRateCard(database, card_id, BY);
      await this.#ratingChanged(database);
      return { ok: true, card };
    });
  }

  async previewSpend(
    held: HeldSpendFile,
  ): Promise<
    { readonly ok: true; readonly name: string; readonly planned: PlannedSpendImport } | BrokenUpload | Refused
  > {
    const file = this.#spendFileOf(held);
    if (file === null) return IS_GONE;
    return this.#whereTried((database) =>
      orBroken(file, async () => ({
        ok: true as const,
        name: file.name,
        planned: await previewSpendFile(database, file),
      })),
    );
  }

  importSpend(held: HeldSpendFile): Promise<{ readonly ok: true; readonly planned: PlannedSpendImport } | Refused> {
    return this.#whereTried((database) =>
      this.#kept.uploads.together(JSON.stringify(held), async () => {
        const file = this.#spendFileOf(held);
        if (file === null) return IS_GONE;
        const planned = await importSpendFile(database, { ...file, by: BY });
        return { ok: true, planned };
      }),
    );
  }

  async spendMappings(): Promise<readonly KeptSpendMapping[]> {
    const found = await this.#whereTried(async (database) => ({
      ok: true as const,
      mappings: await listSpendMappings(database),
    }));
    return found.ok ? found.mappings : [];
  }

  keepSpendMapping(mapping: SpendMapping & { readonly name: string }): Promise<{ readonly ok: true } | Refused> {
    return this.#whereTried(async (database) => {
      await keepSpendMapping(database, mapping, BY);
      return { ok: true };
    });
  }

  importOutcomes(
    outcomes: readonly OutcomeCells[],
  ): Promise<{ readonly ok: true; readonly planned: PlannedOutcomes } | Refused> {
    return this.#whereAllowed(async () => ({
      ok: true,
      planned: await importOutcomes(this.#kept.options.ledger.database, outcomes, BY),
    }));
  }

  typeSpend(typed: TypedSpend): Promise<{ readonly ok: true; readonly planned: PlannedSpendImport } | Refused> {
    return this.#whereTried(async (database) => ({
      ok: true,
      planned: await importTypedSpend(database, typed, BY),
    }));
  }

  withdrawSpend(import_id: string): Promise<{ readonly ok: true; readonly withdrawn: SpendImport } | Refused> {
    return this.#whereTried(async (database) => ({
      ok: true,
      withdrawn: await withdrawSpendImport(database, import_id, BY),
    }));
  }

  saveTrigger(
    trigger_id: string | null,
    definition: TriggerDefinition,
  ): Promise<{ readonly ok: true; readonly trigger: SavedTrigger } | Refused> {
    return this.#whereAllowed(async () => {
      const { database } = this.#kept.options.ledger;
      const trigger = await (trigger_id === null
        ? createTrigger(database, definition, BY)
        : changeTrigger(database, trigger_id, definition, BY));
      this.#kept.options.onTriggersChanged();
      return { ok: true, trigger };
    });
  }

  setTriggerState(
    trigger_id: string,
    state: TriggerState,
  ): Promise<{ readonly ok: true; readonly trigger: SavedTrigger } | Refused> {
    return this.#whereAllowed(async () => {
      const trigger = await setTriggerState(this.#kept.options.ledger.database, trigger_id, state, BY);
      this.#kept.options.onTriggersChanged();
      return { ok: true, trigger };
    });
  }

  async addExport(definition: ExportDefinition): Promise<{ readonly ok: true } | RefusedExport> {
    const now = Math.floor(Date.now() / 1000);
    const checked = await orRefused(() => {
      checkedDefinition(definition, now);
      return Promise.resolve({ ok: true } as const);
    });
    if (!checked.ok) return { ...checked, is_invalid: true };
    const added = await this.#whereAllowed(async () => {
      await addSchedule(this.#kept.options.ledger.database, definition, BY, now);
      return { ok: true } as const;
    });
    return added.ok ? added : { ...added, is_invalid: false };
  }

  setExportState(name: string, state: ExportState): Promise<{ readonly ok: true } | Refused> {
    return this.#whereAllowed(async () => {
      await setScheduleState(this.#kept.options.ledger.database, name, state, BY, Math.floor(Date.now() / 1000));
      return { ok: true };
    });
  }

  runExport(name: string): Promise<{ readonly ok: true; readonly error: string | null } | Refused> {
    return this.#whereAllowed(async () => {
      const exports = this.#kept.options.exports();
      if (exports === null) return NO_EXPORTER;
      const runs = await exports.runNow(name, BY, Math.floor(Date.now() / 1000));
      return { ok: true, error: runs.find(({ state }) => state === 'failed')?.error ?? null };
    });
  }

  replayDeliveries(
    which: ReplayedDelivery | 'given_up',
  ): Promise<{ readonly ok: true; readonly deliveries: number } | Refused> {
    return this.#whereAllowed(async () => {
      const { database } = this.#kept.options.ledger;
      const deliveries = await (which === 'given_up' ? replayGivenUp(database, null) : replayDelivery(database, which));
      this.#kept.options.onTriggersChanged();
      return { ok: true, deliveries };
    });
  }

  async #applyAccount(account: Account): Promise<void> {
    const { ledger } = this.#kept.options;
    const configuration = await readConfiguration(ledger.database);
    if (configuration?.settings.file_accounts.some(({ waba_id }) => waba_id === account.waba_id) === true)
      throw new ActionableError(
        `The configuration file sets ${account.waba_id} and overrides this page: change it there, and start again.`,
      );
    const known = configuration?.accounts.find(({ waba_id }) => waba_id === account.waba_id);
    const kept = { ...setByCommand(known), ...account };
    await ledger.setAccount(kept, (threads) => {
      this.#kept.folded = threads;
    });
  }

  setAccount(account: Account): Promise<KeptAccount | Refused> {
    return this.#whereAllowed(async () => {
      const { onError, onRatingChanged } = this.#kept.options;
      if (this.#kept.folding !== null)
        throw new ActionableError('Another change of an account is being applied. Try again when it is done.');
      this.#kept.folded = 0;
      const applied = this.#applyAccount(account);
      // A changed zone folds all marks again, which may take minutes. It continues even if the page is closed.
      let isLate = false;
      const folding = applied
        .catch((error: unknown) => {
          if (isLate) onError(`The account ${account.waba_id} could not be applied`, error);
        })
        .finally(() => {
          this.#kept.folding = null;
          onRatingChanged();
        });
      this.#kept.folding = folding;
      const impatience = new AbortController();
      isLate = await Promise.race([
        applied.then(() => false),
        pause(PATIENCE_MS, true, { signal: impatience.signal }),
      ]).finally(() => {
        impatience.abort();
      });
      return { ok: true, is_folding: isLate };
    });
  }

  saveView(view: NewView): Promise<{ readonly ok: true; readonly view: SavedView } | Refused> {
    return this.#whereAllowed(async (database) => ({ ok: true, view: await saveView(database, view, BY) }));
  }

  renameView(view_id: string, name: string): Promise<{ readonly ok: true } | Refused> {
    return this.#whereAllowed(async (database) => {
      await renameView(database, view_id, name, BY);
      return { ok: true };
    });
  }

  removeView(view_id: string): Promise<{ readonly ok: true } | Refused> {
    return this.#whereAllowed(async (database) => {
      await removeView(database, view_id, BY);
      return { ok: true };
    });
  }

  dismissLetters(meant: LettersToDismiss): Promise<{ readonly ok: true; readonly letters: number } | Refused> {
    return this.#whereAllowed(async () => {
      const { letters } = await dismissLetters(this.#kept.options.ledger.database, meant, BY);
      return { ok: true, letters };
    });
  }

  undoDismissal(dismissal_id: string): Promise<{ readonly ok: true; readonly letters: number } | Refused> {
    return this.#whereAllowed(async () => {
      const { letters } = await undoDismissal(this.#kept.options.ledger.database, dismissal_id, BY);
      return { ok: true, letters };
    });
  }

  replayLetters(): Promise<{ readonly ok: true; readonly counts: ReplayedLetters } | Refused> {
    return this.#whereAllowed(async () => {
      if (this.#kept.replaying !== null)
        throw new ActionableError('Rejected inputs are being replayed already. Reload in a while.');
      const { ledger } = this.#kept.options;
      this.#kept.replaying = replayLetters(ledger, waitingDeadLetters(ledger.database)).finally(() => {
        this.#kept.replaying = null;
        this.#kept.options.onRatingChanged();
      });
      return { ok: true, counts: await this.#kept.replaying };
    });
  }
}

import { setTimeout as pause } from 'node:timers/promises';
import type {
  BrokenUpload,
  Changes,
  HeldRateFile,
  HeldSpendFile,
  KeptAccount,
  Refused,
  UndatedRates,
} from '@ctwa-ledger/schemas/changes.ts';
import type { Account } from '@ctwa-ledger/schemas/config.ts';
import type { ReplayedLetters } from '@ctwa-ledger/schemas/health.ts';
import type { ImportedCard, PreviewedCard, WithdrawnCard } from '@ctwa-ledger/schemas/rate-cards.ts';
import { MAX_CSV_FILE_BYTES } from '@ctwa-ledger/schemas/csv-file.ts';
import type {
  KeptSpendMapping,
  PlannedSpendImport,
  SpendImport,
  SpendMapping,
  TypedSpend,
} from '@ctwa-ledger/schemas/spend.ts';
import { BrokenFileError } from '../files/broken-file.ts';
import { replayLetters } from '../ingest/replay.ts';
import { readConfiguration } from '../ledger/configuration.ts';
import { waitingDeadLetters } from '../ledger/dead-letters.ts';
import { LedgerError } from '../ledger/errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { EffectiveDayError } from '../rating/effective-day.ts';
import { importRateFile, previewRateFile, withdrawRateCard, type RateFile } from '../rating/rate-cards.ts';
import { keepSpendMapping, listSpendMappings } from '../spend/mappings.ts';
import {
  importSpendFile,
  importTypedSpend,
  previewSpendFile,
  withdrawSpendImport,
  type GivenSpendFile,
} from '../spend/spend.ts';
import { Uploads, type Upload } from './uploads.ts';

/** Who changed something, as the ledger keeps it: pages have no sign-in that could say more. */
const BY = 'dashboard';
/** How long a page waits for marks to be folded again before it is shown with the folding still under way. */
const PATIENCE_MS = 5_000;

const IS_SAMPLE: Refused = {
  ok: false,
  message: 'This is the sample data, which cannot be changed. Press “Start with my own data” first.',
};
const IS_GONE: Refused = {
  ok: false,
  message:
    'The upload is not there any more: it is kept for half an hour, and not over a restart. Choose the file again.',
};

export interface ChangesOptions {
  readonly ledger: Ledger;
  /** Whether a page is shown the sample data. */
  readonly isSample: (sample: boolean) => Promise<boolean>;
  /** Told when something changed that amounts are computed from. */
  readonly onRatingChanged: () => void;
  readonly onError: (what: string, error: unknown) => void;
}

/** Answers a `LedgerError` with its words; any other error is a bug and goes on. */
async function orRefused<T>(work: () => Promise<T>): Promise<T | Refused> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LedgerError) return { ok: false, message: error.message };
    throw error;
  }
}

/** The same, and what is wrong in a file place by place. */
async function orBroken<T>(file: Pick<Upload, 'name'>, work: () => Promise<T>): Promise<T | BrokenUpload | Refused> {
  return orRefused(async () => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BrokenFileError)) throw error;
      const { message, problems, more, headings } = error;
      return { ok: false, name: file.name, message, problems, more, ...(headings === null ? {} : { headings }) };
    }
  });
}

/** Changes from pages, through the ledger's own connection. */
export class LedgerChanges implements Changes {
  readonly #options: ChangesOptions;
  readonly #uploads = new Uploads();
  #folding: Promise<void> | null = null;
  #folded = 0;
  #replaying: Promise<ReplayedLetters> | null = null;

  constructor(options: ChangesOptions) {
    this.#options = options;
  }

  get foldedThreads(): number | null {
    return this.#folding === null ? null : this.#folded;
  }

  async #whereAllowed<T>(sample: boolean, work: () => Promise<T>): Promise<T | Refused> {
    return (await this.#options.isSample(sample)) ? IS_SAMPLE : orRefused(work);
  }

  #rateFileOf({ upload, ...how }: HeldRateFile): RateFile | null {
    const file = this.#uploads.find(upload);
    return file === null ? null : { ...file, ...how };
  }

  #spendFileOf({ upload, mapping }: HeldSpendFile): GivenSpendFile | null {
    const file = this.#uploads.find(upload);
    return file === null ? null : { ...file, mapping };
  }

  holdFile(
    file: { readonly name: string; readonly bytes: Uint8Array },
    sample: boolean,
  ): Promise<{ readonly ok: true; readonly upload: string } | Refused> {
    return this.#whereAllowed(sample, () => {
      if (file.bytes.length > MAX_CSV_FILE_BYTES)
        throw new LedgerError(
          `${file.name} is larger than ${MAX_CSV_FILE_BYTES / 1024 / 1024} MB: it is hardly one to import.`,
        );
      return Promise.resolve({ ok: true, upload: this.#uploads.hold(file) });
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
    return orBroken(file, async () => {
      try {
        return { ok: true, name, cards: await previewRateFile(this.#options.ledger.reading, file) };
      } catch (error) {
        if (!(error instanceof EffectiveDayError)) throw error;
        return { ok: false, name, message: error.message, days: error.days };
      }
    });
  }

  importRates(
    held: HeldRateFile,
    sample: boolean,
  ): Promise<{ readonly ok: true; readonly cards: readonly ImportedCard[] } | Refused> {
    return this.#whereAllowed(sample, () =>
      this.#uploads.together(JSON.stringify(held), async () => {
        const file = this.#rateFileOf(held);
        if (file === null) return IS_GONE;
        const cards = await importRateFile(this.#options.ledger.database, { ...file, by: BY });
        this.#options.onRatingChanged();
        return { ok: true, cards };
      }),
    );
  }

  withdrawRates(
    card_id: string,
    sample: boolean,
  ): Promise<{ readonly ok: true; readonly card: WithdrawnCard } | Refused> {
    return this.#whereAllowed(sample, async () => {
      const card = await withdrawRateCard(this.#options.ledger.database, card_id, BY);
      this.#options.onRatingChanged();
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
    return orBroken(file, async () => ({
      ok: true,
      name: file.name,
      planned: await previewSpendFile(this.#options.ledger.reading, file),
    }));
  }

  importSpend(
    held: HeldSpendFile,
    sample: boolean,
  ): Promise<{ readonly ok: true; readonly planned: PlannedSpendImport } | Refused> {
    return this.#whereAllowed(sample, () =>
      this.#uploads.together(JSON.stringify(held), async () => {
        const file = this.#spendFileOf(held);
        if (file === null) return IS_GONE;
        const planned = await importSpendFile(this.#options.ledger.database, { ...file, by: BY });
        return { ok: true, planned };
      }),
    );
  }

  spendMappings(): Promise<readonly KeptSpendMapping[]> {
    return listSpendMappings(this.#options.ledger.reading);
  }

  keepSpendMapping(
    mapping: SpendMapping & { readonly name: string },
    sample: boolean,
  ): Promise<{ readonly ok: true } | Refused> {
    return this.#whereAllowed(sample, async () => {
      await keepSpendMapping(this.#options.ledger.database, mapping, BY);
      return { ok: true };
    });
  }

  typeSpend(
    typed: TypedSpend,
    sample: boolean,
  ): Promise<{ readonly ok: true; readonly planned: PlannedSpendImport } | Refused> {
    return this.#whereAllowed(sample, async () => ({
      ok: true,
      planned: await importTypedSpend(this.#options.ledger.database, typed, BY),
    }));
  }

  withdrawSpend(
    import_id: string,
    sample: boolean,
  ): Promise<{ readonly ok: true; readonly withdrawn: SpendImport } | Refused> {
    return this.#whereAllowed(sample, async () => ({
      ok: true,
      withdrawn: await withdrawSpendImport(this.#options.ledger.database, import_id, BY),
    }));
  }

  async #applyAccount(account: Account): Promise<void> {
    const { ledger } = this.#options;
    const configuration = await readConfiguration(ledger.database);
    if (configuration?.settings.file_accounts.some(({ waba_id }) => waba_id === account.waba_id) === true)
      throw new LedgerError(
        `The configuration file sets ${account.waba_id} and wins: change it there, and start again.`,
      );
    await ledger.setAccount(account, (threads) => {
      this.#folded = threads;
    });
  }

  setAccount(account: Account, sample: boolean): Promise<KeptAccount | Refused> {
    return this.#whereAllowed(sample, async () => {
      const { onError, onRatingChanged } = this.#options;
      if (this.#folding !== null)
        throw new LedgerError('Another change of an account is being applied. Try again when it is done.');
      this.#folded = 0;
      const applied = this.#applyAccount(account);
      // A changed zone folds all marks again, which may take minutes: it goes on, whatever becomes of the page.
      let isLate = false;
      const folding = applied
        .catch((error: unknown) => {
          if (isLate) onError(`The account ${account.waba_id} could not be applied`, error);
        })
        .finally(() => {
          this.#folding = null;
          onRatingChanged();
        });
      this.#folding = folding;
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

  replayLetters(sample: boolean): Promise<{ readonly ok: true; readonly counts: ReplayedLetters } | Refused> {
    return this.#whereAllowed(sample, async () => {
      if (this.#replaying !== null)
        throw new LedgerError('Rejected inputs are being replayed already. Reload in a while.');
      const { ledger } = this.#options;
      this.#replaying = replayLetters(ledger, waitingDeadLetters(ledger.database)).finally(() => {
        this.#replaying = null;
        this.#options.onRatingChanged();
      });
      return { ok: true, counts: await this.#replaying };
    });
  }

  /** Resolves when no change is being applied any more. */
  async settled(): Promise<void> {
    await this.#replaying?.catch(() => undefined);
    await this.#folding;
  }
}

import { givenValues } from '@ctwa-ledger/schemas/asked.ts';
import type { ReconciliationOfMonth, ToleranceTrial } from '@ctwa-ledger/schemas/meta.ts';
import type { LedgerStatus, Reports } from '@ctwa-ledger/schemas/reports.ts';
import type { SendRequest, SendResult } from '@ctwa-ledger/schemas/send-check.ts';
import type { Database, Location } from '../clickhouse/database.ts';
import { ActionableError, LedgerAwayError } from '../clickhouse/errors.ts';
import { Memory, RememberingDatabase } from '../clickhouse/remembering.ts';
import { extentOf } from '../ledger/events/extent.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerToRead } from '../ledger/thread.ts';
import { evidencePack } from '../periods/evidence-pack.ts';
import { accountsToClose, monthClose } from '../periods/month-close.ts';
import { monthReportArchive, printedMonth } from '../periods/month-report.ts';
import { listInvoices } from '../reconciliation/invoices.ts';
import { listMetaImports } from '../reconciliation/imports.ts';
import { metaSide } from '../reconciliation/meta-side.ts';
import { casesOf, heldCases, type HeldCases } from '../reconciliation/case-register.ts';
import { listClaims, recoveredIn } from '../reconciliation/claim-register.ts';
import { readAmount } from '../reconciliation/amounts.ts';
import { readWholeBill } from '../reconciliation/bill-readings.ts';
import { statementOf } from '../reconciliation/statement.ts';
import { monthsUntil, tryTolerance } from '../reconciliation/tolerance-trial.ts';
import { listWriteOffs, writeOffLimits, writtenOff } from '../reconciliation/write-off-register.ts';
import type { WholeBillRow } from '@ctwa-ledger/schemas/whole-bill.ts';
import type { StatementRow } from '@ctwa-ledger/schemas/write-offs.ts';
import { accountsToReconcile, reconcileMonth, type AskedMonth } from '../reconciliation/reconcile.ts';
import { reconciliationOfMonth } from '../reconciliation/reports.ts';
import { closingsInForce } from '../reports/closings.ts';
import { listRateCards } from '../rating/rate-cards.ts';
import { accounts } from '../reports/accounts.ts';
import { chargedMessages } from '../reports/charged-messages.ts';
import { chargesCount, chargesPage } from '../reports/charges.ts';
import { conversationCount, conversationList } from '../reports/conversations.ts';
import { adOutcomes } from '../reports/outcomes.ts';
import { adAnswers, adHours } from '../reports/ad-answers.ts';
import { adMessages, adSteps } from '../reports/ad-steps.ts';
import { adCosts, adFigures, adNames } from '../reports/ads.ts';
import { pageOfTable } from '../reports/paging.ts';
import { figures, overview } from '../reports/figures.ts';
import { mismatchedMessages, mismatches, reportedMessages } from '../reports/mismatches.ts';
import { explain } from '../reports/message.ts';
import { deadLetters, health, waitingLetters } from '../reports/health.ts';
import { reportOf, REPORTS } from '../catalogue/catalogue.ts';
import { CLOCK } from '../reports/clock.ts';
import { CLOSE_TABLES, MATCH_PAGE_TABLES } from '../reports/tables.ts';
import { bill, savings, unrated } from '../reports/savings.ts';
import { freshness } from '../reports/status.ts';
import { suggestions } from '../reports/suggestions.ts';
import { threadView } from '../reports/thread.ts';
import { SendChecks, type CheckOptions } from '../send-check/send-checks.ts';
import { listSpendImports } from '../spend/spend.ts';
import { showExports } from '../exports/runner.ts';
import { listRuns } from '../exports/runs.ts';
import { listTriggersWithFirings, triggerDeliveries } from '../triggers/log.ts';
import { tryTrigger } from '../triggers/past.ts';
import { dismissSample, isSampleDismissed, openSample, recallSample } from '../sample/sample.ts';
import { Remembered } from './remembered.ts';

/** Past months on which a page tries a tolerance. */
const TRIED_MONTHS = 6;
/** A checklist may be so old if nothing is written. */
const CLOCK_MS = 600_000;

/** A month held against Meta's numbers, as pages show it. */
interface HeldMonth {
  readonly page: ReconciliationOfMonth;
  readonly cases: HeldCases;
  readonly statement: readonly StatementRow[];
  readonly bill: readonly WholeBillRow[];
}

/** What is remembered of a ledger. */
interface Memories {
  readonly answers: Memory;
  readonly results: Remembered;
}

/** What one request reads. */
interface Reads {
  readonly ledger: Ledger;
  readonly database: RememberingDatabase;
  readonly results: Remembered;
}
/** Resolves to the same for each question of a request that only reads. */
type Read = () => Promise<Reads>;

/** The ledger of a request, read with what is remembered. */
function toRead({ ledger, database }: Reads): LedgerToRead {
  return { reading: database, configuration: ledger.configuration };
}

/**
 * The ledger that pages and API read: the real one once it has an event, the sample data until then. The sample is
 * removed with the first real event, when a user removes it, or with `--empty`.
 */
export class ShownLedger {
  readonly #ledger: Ledger;
  readonly #location: Location;
  readonly #onError: (what: string, error: unknown) => void;
  #sample: Ledger | null = null;
  #loading: Promise<void> | null = null;
  /** Resolves when the sample data, if it is being removed, is gone. */
  #removing: Promise<void> = Promise.resolve();
  #hasRealData = false;
  readonly #memories = new WeakMap<Ledger, Memories>();
  readonly #sendChecks = new WeakMap<Database, SendChecks>();

  constructor(ledger: Ledger, location: Location, onError: (what: string, error: unknown) => void) {
    this.#ledger = ledger;
    this.#location = location;
    this.#onError = onError;
  }

  /** Decides which ledger to show. Starts to load the sample data if the ledger is empty. */
  async begin(options: { readonly empty: boolean; readonly nowSeconds: number }): Promise<void> {
    if (options.empty) await dismissSample(this.#ledger.database);
    if (options.empty || (await this.#checkRealData()) || (await isSampleDismissed(this.#ledger.database))) return;
    this.#load(options.nowSeconds);
  }

  /**
   * Begins to open the sample data, and makes it if it is not there.
   * @param allowed resolves when the ledger says that there may be sample data
   */
  #load(nowSeconds: number, allowed: Promise<void> = Promise.resolve()): void {
    this.#loading = allowed
      .then(() => openSample(this.#location, this.#ledger.database.name, nowSeconds))
      .then(
        (sample) => {
          this.#sample = sample;
        },
        (error: unknown) => {
          this.#onError('The sample data could not be loaded; the ledger itself works', error);
        },
      )
      .finally(() => {
        this.#loading = null;
      });
  }

  /** The database of the sample data; null when it is not there or not complete. */
  get sample(): Database | null {
    return this.#sample?.database ?? null;
  }

  /** Resolves when the sample data, if it is being loaded, is complete. */
  async loaded(): Promise<void> {
    await this.#loading;
  }

  /** Whether there are events besides the sample data, which goes with the first. */
  async #checkRealData(): Promise<boolean> {
    if (this.#hasRealData) return true;
    if ((await extentOf(this.#ledger.reading)).events === 0) return false;
    this.#hasRealData = true;
    await this.#removeSample();
    return true;
  }

  /** Removes the sample data. Whoever asks for it meanwhile waits: its database must be gone before it is made again. */
  #removeSample(): Promise<void> {
    const removed = this.#removing.then(async () => {
      await this.#loading;
      await this.#closeSample();
      await dismissSample(this.#ledger.database);
    });
    this.#removing = removed.catch(() => undefined);
    return removed;
  }

  async #closeSample(): Promise<void> {
    const sample = this.#sample;
    this.#sample = null;
    await sample?.close();
  }

  /** The ledger that a request reads. */
  async #read(sample: boolean): Promise<Ledger> {
    if (!sample && (await this.#checkRealData())) return this.#ledger;
    return this.#sample ?? this.#ledger;
  }

  /** Which data a page is shown. */
  async source(sample: boolean): Promise<LedgerStatus['source']> {
    return this.#sourceOf(await this.#read(sample), sample);
  }

  #sourceOf(read: Ledger, sample: boolean): LedgerStatus['source'] {
    if (read !== this.#ledger) return 'sample';
    // While the sample data is being loaded, its pages show the ledger, which is empty or not meant.
    const isAwaited = this.#loading !== null && (sample || !this.#hasRealData);
    return isAwaited ? 'sample' : 'ledger';
  }

  #memoriesOf(ledger: Ledger): Memories {
    const known = this.#memories.get(ledger) ?? {
      answers: new Memory(ledger.reading, CLOCK),
      results: new Remembered(),
    };
    this.#memories.set(ledger, known);
    return known;
  }

  /** @param isReading whether the request only reads; after a change, questions of the same request must see it */
  #readerOf(sample: boolean, isReading: boolean): Read {
    const begin = async (): Promise<Reads> => {
      const ledger = await this.#read(sample);
      const { answers, results } = this.#memoriesOf(ledger);
      return { ledger, database: new RememberingDatabase(answers, isReading), results };
    };
    let reads: Promise<Reads> | null = null;
    return () => (isReading ? (reads ??= begin()) : begin());
  }

  /** A month held against Meta's numbers. The page, its cases and its statement are made from the same result. */
  async #heldMonth(asked: AskedMonth, read: Read): Promise<HeldMonth> {
    const { database, results } = await read();
    return results.ask(database, `held-month ${JSON.stringify(asked)}`, MATCH_PAGE_TABLES, async () => {
      const held = await reconcileMonth(database, asked);
      // The result itself is too large to remember.
      return {
        page: await reconciliationOfMonth(database, held),
        cases: heldCases(held),
        statement: statementOf(held, await writtenOff(database, held)),
        bill: await readWholeBill(database, held),
      };
    });
  }

  /**
   * The ledger of an API request. Unlike a page it never shows the sample instead, because nobody would see a label.
   * Null when the request asks for the sample data and there is none.
   */
  async ledgerFor(sample: boolean): Promise<Ledger | null> {
    if (!sample) return this.#ledger;
    await this.#loading;
    return this.#sample;
  }

  #sendChecksOf({ reading }: Ledger): SendChecks {
    const known = this.#sendChecks.get(reading) ?? new SendChecks(reading);
    this.#sendChecks.set(reading, known);
    return known;
  }

  /** The same as `ledgerFor`, for a send check. */
  async sendCheckFor(request: SendRequest, options: CheckOptions, sample: boolean): Promise<SendResult | null> {
    const ledger = await this.ledgerFor(sample);
    return ledger === null ? null : this.#sendChecksOf(ledger).check(request, options);
  }

  /** Figures, ads and what they cost. */
  #figureQueries(read: Read) {
    return {
      overview: async (filters) => overview((await read()).database, filters),
      figures: async (filters, grain) => figures((await read()).database, filters, grain),
      adFigures: async (filters) => adFigures((await read()).database, filters),
      adCosts: async (filters) => adCosts((await read()).database, filters),
      adAnswers: async (filters) => adAnswers((await read()).database, filters),
      adHours: async (filters) => adHours((await read()).database, filters),
      adSteps: async (filters) => adSteps((await read()).database, filters),
      adMessages: async (filters) => adMessages((await read()).database, filters),
      adOutcomes: async (filters) => adOutcomes((await read()).database, filters),
      spendImports: async () => listSpendImports((await read()).database),
      suggestions: async (of, text) => suggestions((await read()).database, of, text),
      adNames: async (ad_ids) => adNames((await read()).database, ad_ids),
    } satisfies Partial<Reports>;
  }

  /** Meta’s numbers, cases, claims, and closed months. */
  #monthQueries(read: Read) {
    return {
      invoices: async () => listInvoices((await read()).database),
      metaImports: async () => listMetaImports((await read()).database),
      accountsToReconcile: async (month) => accountsToReconcile((await read()).database, month),
      reconciliation: async (asked) => (await this.#heldMonth(asked, read)).page,
      cases: async (asked) => casesOf((await read()).database, (await this.#heldMonth(asked, read)).cases, Date.now()),
      statement: async (asked) => {
        const { statement, bill } = await this.#heldMonth(asked, read);
        const { database } = await read();
        return {
          lines: statement,
          bill,
          write_offs: await listWriteOffs(database, asked),
          limits: await writeOffLimits(database, asked.waba_id),
        };
      },
      toleranceTrials: async ({ waba_id, month, percent, messages }) => {
        const tolerance = { percent: readAmount(percent), messages: BigInt(messages) };
        const months = monthsUntil(month, TRIED_MONTHS);
        const trials: ToleranceTrial[] = [];
        for await (const trial of tryTolerance((await read()).database, waba_id, months, tolerance)) trials.push(trial);
        return trials;
      },
      evidencePack: async (of) => {
        try {
          return await evidencePack((await read()).database, of, Date.now());
        } catch (error) {
          if (error instanceof ActionableError && !(error instanceof LedgerAwayError)) return null;
          throw error;
        }
      },
      claims: async () => listClaims((await read()).database),
      recovered: async ({ from, to, waba_id }) =>
        recoveredIn((await read()).database, { from, to }, waba_id == null ? null : givenValues(waba_id)),
      accountsToClose: async (month) => accountsToClose((await read()).database, month),
      printedMonth: async (period_id) => printedMonth((await read()).database, period_id),
      monthReportArchive: async (period_id) => monthReportArchive((await read()).database, period_id),
      monthClose: async (asked) => {
        const { database, results } = await read();
        return results.ask(
          database,
          // What is late or may still come depends on the time, but not to the minute.
          `month-close ${JSON.stringify(asked)} ${Math.floor(Date.now() / CLOCK_MS)}`,
          CLOSE_TABLES,
          () => monthClose(database, asked.waba_id, asked.month, Date.now()),
        );
      },
      closings: async (days) => closingsInForce((await read()).database, days),
    } satisfies Partial<Reports>;
  }

  /** The bill, and what differs from Meta’s report. */
  #billQueries(read: Read) {
    return {
      savings: async (filters) => savings((await read()).database, filters),
      bill: async (filters) => bill((await read()).database, filters),
      metaSide: async (filters) => metaSide((await read()).database, filters),
      mismatches: async (filters) => mismatches((await read()).database, filters),
      reportedMessages: async (filters) => reportedMessages((await read()).database, filters),
      mismatchedMessages: async (filters, asked) => {
        const { database } = await read();
        return pageOfTable(asked, (one) => mismatchedMessages(database, filters, one));
      },
      charges: async (filters, asked) => {
        const { database } = await read();
        return pageOfTable(asked, (one) => chargesPage(database, filters, one));
      },
      chargesCount: async (filters) => chargesCount((await read()).database, filters),
      chargedMessages: async (filters, asked) => {
        const { database } = await read();
        return pageOfTable(asked, (one) => chargedMessages(database, filters, one));
      },
      unrated: async (filters) => unrated((await read()).database, filters),
    } satisfies Partial<Reports>;
  }

  /** Single messages and conversations. */
  #threadQueries(read: Read) {
    return {
      messages: async (asked) => explain(toRead(await read()), asked),
      conversations: async (asked) => {
        const { database } = await read();
        return pageOfTable(asked.page, (page) => conversationList(database, { ...asked, page }));
      },
      conversationCount: async (filters) => conversationCount((await read()).database, filters),
      conversation: async (asked) => threadView(toRead(await read()), asked),
      sendCheck: async (request, options) => this.#sendChecksOf((await read()).ledger).check(request, options),
    } satisfies Partial<Reports>;
  }

  /** Exports, triggers, health, cards and accounts. */
  #operationQueries(read: Read) {
    return {
      exports: async () => ({
        exports: await showExports((await read()).database, Math.floor(Date.now() / 1000)),
        reports: REPORTS.filter((name) => reportOf(name).days !== 'month'),
      }),
      exportRuns: async (schedule_id, limit) => listRuns((await read()).database, schedule_id, limit),
      triggers: async () => listTriggersWithFirings((await read()).database),
      triggerDeliveries: async (asked) => triggerDeliveries((await read()).database, asked),
      tryTrigger: async (definition, days) => tryTrigger((await read()).database, definition, days),
      health: async () => health((await read()).database),
      waitingLetters: async (filters) => waitingLetters((await read()).database, filters),
      deadLetters: async (asked) => {
        const { database } = await read();
        return pageOfTable(asked, (one) => deadLetters(database, one));
      },
      rateCards: async () => listRateCards((await read()).database),
      accounts: async () => accounts((await read()).database),
    } satisfies Partial<Reports>;
  }

  /**
   * The queries of one request.
   * @param sample whether it asks for the sample data even when real data exists
   * @param isReading whether the request only reads
   */
  queriesOf(sample: boolean, isReading: boolean): Reports {
    const read = this.#readerOf(sample, isReading);
    return {
      status: async (): Promise<LedgerStatus> => {
        const { ledger, database } = await read();
        const source = this.#sourceOf(ledger, sample);
        return {
          source,
          loading_sample: source === 'sample' && this.#loading !== null,
          has_own_data: this.#hasRealData,
          ...(await freshness(database)),
        };
      },
      ...this.#figureQueries(read),
      ...this.#monthQueries(read),
      ...this.#billQueries(read),
      ...this.#threadQueries(read),
      ...this.#operationQueries(read),
      showSample: async () => {
        await this.#removing;
        // Nothing is awaited from here on, so that two requests at the same time do not make it twice.
        if (this.#sample === null && this.#loading === null)
          this.#load(Math.floor(Date.now() / 1000), recallSample(this.#ledger.database));
      },
      dismissSample: () => this.#removeSample(),
    };
  }

  async close(): Promise<void> {
    await this.#closeSample();
  }
}

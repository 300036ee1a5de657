import type { SavingsAdsRow } from '@ctwa-ledger/schemas/bill.ts';
import { givenValues, type ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { ReconciliationOfMonth, ToleranceTrial } from '@ctwa-ledger/schemas/meta.ts';
import type { LedgerStatus, Reports } from '@ctwa-ledger/schemas/reports.ts';
import type { SendRequest, SendResult } from '@ctwa-ledger/schemas/send-check.ts';
import type { Database, Location } from '../clickhouse/database.ts';
import { ActionableError, LedgerAwayError } from '../clickhouse/errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
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
import { Remembered, type Reads } from '../catalogue/remembered.ts';
import { CLOSE_TABLES, MATCH_PAGE_TABLES, SIDE_TABLES } from '../reports/tables.ts';
import { bill, savings, savingsOfFreeEntry, unrated } from '../reports/savings.ts';
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
  /** The look for own events that is under way. */
  #checking: Promise<boolean> | null = null;
  readonly #remembered = new WeakMap<Database, Remembered>();
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
  #checkRealData(): Promise<boolean> {
    if (this.#hasRealData) return Promise.resolve(true);
    // All reports of a page ask this, most of them at the same moment.
    this.#checking ??= this.#lookForRealData().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  async #lookForRealData(): Promise<boolean> {
    if ((await this.#ledger.extent()).events === 0) return false;
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
    if (!sample && (await this.#checkRealData())) return 'ledger';
    return this.#sample === null && this.#loading === null ? 'ledger' : 'sample';
  }

  async #database(sample: boolean): Promise<Database> {
    return (await this.#read(sample)).reading;
  }

  /** A report about the bill. It is read again only if something was written that it depends on. */
  async #askBill<T>(
    name: string,
    reads: Reads,
    report: (database: Database, filters: ReportFilters) => Promise<T>,
    filters: ReportFilters,
    sample: boolean,
  ): Promise<T> {
    const database = await this.#database(sample);
    const remembered = this.#remembered.get(database) ?? new Remembered(database);
    this.#remembered.set(database, remembered);
    return remembered.ask(name, reads, filters, () => report(database, filters));
  }

  #savingsOfFreeEntry(filters: ReportFilters, sample: boolean): Promise<SavingsAdsRow[]> {
    return this.#askBill('savings-of-free-entry', 'savings-ads', savingsOfFreeEntry, filters, sample);
  }

  /** A month held against Meta's numbers. The page, its cases and its statement are made from the same result. */
  #heldMonth(asked: AskedMonth, sample: boolean): Promise<HeldMonth> {
    return this.#askBill(
      `held-month ${JSON.stringify(asked)}`,
      MATCH_PAGE_TABLES,
      async (database) => {
        const held = await reconcileMonth(database, asked);
        // The result itself is too large to remember.
        return {
          page: await reconciliationOfMonth(database, held),
          cases: heldCases(held),
          statement: statementOf(held, await writtenOff(database, held)),
          bill: await readWholeBill(database, held),
        };
      },
      { from: null, to: null, tz: 'UTC', as_of: 0 },
      sample,
    );
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
  #figureQueries(sample: boolean) {
    return {
      overview: async (filters) => overview(await this.#database(sample), filters),
      figures: async (filters, grain) => figures(await this.#database(sample), filters, grain),
      adFigures: async (filters) =>
        adFigures(await this.#database(sample), filters, this.#savingsOfFreeEntry(filters, sample)),
      adCosts: async (filters) => adCosts(await this.#database(sample), filters),
      adAnswers: async (filters) => adAnswers(await this.#database(sample), filters),
      adHours: async (filters) => adHours(await this.#database(sample), filters),
      adSteps: (filters) => this.#askBill('ad-steps', 'ad-steps', adSteps, filters, sample),
      adMessages: (filters) => this.#askBill('ad-messages', 'ad-messages', adMessages, filters, sample),
      adOutcomes: async (filters) => adOutcomes(await this.#database(sample), filters),
      spendImports: async () => listSpendImports(await this.#database(sample)),
      suggestions: async (of, text) => suggestions(await this.#database(sample), of, text),
      adNames: async (ad_ids) => adNames(await this.#database(sample), ad_ids),
    } satisfies Partial<Reports>;
  }

  /** Meta’s numbers, cases, claims, and closed months. */
  #monthQueries(sample: boolean) {
    return {
      invoices: async () => listInvoices(await this.#database(sample)),
      metaImports: async () => listMetaImports(await this.#database(sample)),
      accountsToReconcile: async (month) => accountsToReconcile(await this.#database(sample), month),
      reconciliation: async (asked) => (await this.#heldMonth(asked, sample)).page,
      cases: async (asked) =>
        casesOf(await this.#database(sample), (await this.#heldMonth(asked, sample)).cases, Date.now()),
      statement: async (asked) => {
        const { statement, bill } = await this.#heldMonth(asked, sample);
        const database = await this.#database(sample);
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
        for await (const trial of tryTolerance(await this.#database(sample), waba_id, months, tolerance))
          trials.push(trial);
        return trials;
      },
      evidencePack: async (of) => {
        try {
          return await evidencePack(await this.#database(sample), of, Date.now());
        } catch (error) {
          if (error instanceof ActionableError && !(error instanceof LedgerAwayError)) return null;
          throw error;
        }
      },
      claims: async () => listClaims(await this.#database(sample)),
      recovered: async ({ from, to, waba_id }) =>
        recoveredIn(await this.#database(sample), { from, to }, waba_id == null ? null : givenValues(waba_id)),
      accountsToClose: async (month) => accountsToClose(await this.#database(sample), month),
      printedMonth: async (period_id) => printedMonth(await this.#database(sample), period_id),
      monthReportArchive: async (period_id) => monthReportArchive(await this.#database(sample), period_id),
      monthClose: (asked) =>
        this.#askBill(
          // What is late or may still come depends on the time, but not to the minute.
          `month-close ${JSON.stringify(asked)} ${Math.floor(Date.now() / CLOCK_MS)}`,
          CLOSE_TABLES,
          (database) => monthClose(database, asked.waba_id, asked.month, Date.now()),
          { from: null, to: null, tz: 'UTC', as_of: 0 },
          sample,
        ),
      closings: async (days) => closingsInForce(await this.#database(sample), days),
    } satisfies Partial<Reports>;
  }

  /** The bill, and what differs from Meta’s report. */
  #billQueries(sample: boolean) {
    return {
      savings: (filters) => this.#askBill('savings', 'savings', savings, filters, sample),
      bill: (filters) => this.#askBill('bill', 'savings', bill, filters, sample),
      metaSide: (filters) => this.#askBill('meta-side', SIDE_TABLES, metaSide, filters, sample),
      mismatches: (filters) => this.#askBill('mismatches', 'mismatches', mismatches, filters, sample),
      reportedMessages: async (filters) => reportedMessages(await this.#database(sample), filters),
      mismatchedMessages: (filters, asked) =>
        this.#askBill(
          `mismatched-messages ${JSON.stringify(asked)}`,
          'mismatched-messages',
          (database) => pageOfTable(asked, (one) => mismatchedMessages(database, filters, one)),
          filters,
          sample,
        ),
      charges: (filters, asked) =>
        this.#askBill(
          `charges ${JSON.stringify(asked)}`,
          'charges',
          (database) => pageOfTable(asked, (one) => chargesPage(database, filters, one)),
          filters,
          sample,
        ),
      chargesCount: (filters) => this.#askBill('charges-count', 'charges', chargesCount, filters, sample),
      chargedMessages: (filters, asked) =>
        this.#askBill(
          `messages ${JSON.stringify(asked)}`,
          'messages',
          (database) => pageOfTable(asked, (one) => chargedMessages(database, filters, one)),
          filters,
          sample,
        ),
      unrated: (filters) => this.#askBill('unrated', 'unrated', unrated, filters, sample),
    } satisfies Partial<Reports>;
  }

  /** Single messages and conversations. */
  #threadQueries(sample: boolean) {
    return {
      messages: async (asked) => explain(await this.#read(sample), asked),
      conversations: async (asked) => {
        const database = await this.#database(sample);
        return pageOfTable(asked.page, (page) => conversationList(database, { ...asked, page }));
      },
      conversationCount: async (filters) => conversationCount(await this.#database(sample), filters),
      conversation: async (asked) => threadView(await this.#read(sample), asked),
      sendCheck: async (request, options) => this.#sendChecksOf(await this.#read(sample)).check(request, options),
    } satisfies Partial<Reports>;
  }

  /** Exports, triggers, health, cards and accounts. */
  #operationQueries(sample: boolean) {
    return {
      exports: async () => ({
        exports: await showExports(await this.#database(sample), Math.floor(Date.now() / 1000)),
        reports: REPORTS.filter((name) => reportOf(name).days !== 'month'),
      }),
      exportRuns: async (schedule_id, limit) => listRuns(await this.#database(sample), schedule_id, limit),
      triggers: async () => listTriggersWithFirings(await this.#database(sample)),
      triggerDeliveries: async (asked) => triggerDeliveries(await this.#database(sample), asked),
      tryTrigger: async (definition, days) => tryTrigger(await this.#database(sample), definition, days),
      health: async () => health(await this.#database(sample)),
      waitingLetters: async (filters) => waitingLetters(await this.#database(sample), filters),
      deadLetters: async (asked) => {
        const database = await this.#database(sample);
        return pageOfTable(asked, (one) => deadLetters(database, one));
      },
      rateCards: async () => listRateCards(await this.#database(sample)),
      accounts: async () => accounts(await this.#database(sample)),
    } satisfies Partial<Reports>;
  }

  /**
   * The queries of one request.
   * @param sample whether it asks for the sample data even when real data exists
   */
  queriesOf(sample: boolean): Reports {
    return {
      status: async (): Promise<LedgerStatus> => {
        const source = await this.source(sample);
        return {
          source,
          loading_sample: source === 'sample' && this.#loading !== null,
          has_own_data: this.#hasRealData,
          ...(await freshness(await this.#read(sample))),
        };
      },
      ...this.#figureQueries(sample),
      ...this.#monthQueries(sample),
      ...this.#billQueries(sample),
      ...this.#threadQueries(sample),
      ...this.#operationQueries(sample),
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

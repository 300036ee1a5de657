import type { CaseDecision, WorkedCase } from '@ctwa-ledger/schemas/cases.ts';
import type {
  BrokenUpload,
  Changes,
  ClosedByPerson,
  GivenMetaAnswers,
  HeldInvoice,
  Refused,
} from '@ctwa-ledger/schemas/changes.ts';
import type { Invoice, KeptInvoiceMapping, PreviewedInvoice } from '@ctwa-ledger/schemas/invoices.ts';
import type { ClaimChange, ClaimOutcome, NewClaim } from '@ctwa-ledger/schemas/claims.ts';
import type { DoneMetaImport, MetaImport } from '@ctwa-ledger/schemas/meta.ts';
import type { MonthReport, Period } from '@ctwa-ledger/schemas/periods.ts';
import type { NewWriteOff, WriteOffOutcome, WriteOffUndo } from '@ctwa-ledger/schemas/write-offs.ts';
import type { Database } from '../clickhouse/database.ts';
import { makeMonthReport } from '../periods/month-report.ts';
import { closePeriod, reopenPeriod } from '../periods/periods.ts';
import { settleCharges } from '../rating/charges.ts';
import { decideCase } from '../reconciliation/case-register.ts';
import { changeClaim, makeClaim } from '../reconciliation/claim-register.ts';
import {
  importInvoice,
  keepInvoiceMapping,
  listInvoiceMappings,
  previewInvoice,
  withdrawInvoice,
} from '../reconciliation/invoices.ts';
import { importMetaAnswers, withdrawMetaImport } from '../reconciliation/imports.ts';
import { makeWriteOff, undoWriteOff } from '../reconciliation/write-off-register.ts';
import { BY, IS_GONE, orBroken, type WhereAllowed } from './refusals.ts';
import type { Uploads } from './uploads.ts';

/** Changes from pages that are about Meta's bill: its numbers, differences from them, and the close of months. */
export class ChangesOfBill implements Pick<
  Changes,
  | 'importMeta'
  | 'withdrawMeta'
  | 'invoiceMappings'
  | 'previewInvoice'
  | 'importInvoice'
  | 'withdrawInvoice'
  | 'closeMonth'
  | 'makeReport'
  | 'reopenMonth'
  | 'decideCase'
  | 'makeClaim'
  | 'changeClaim'
  | 'makeWriteOff'
  | 'undoWriteOff'
> {
  readonly #allowed: WhereAllowed;
  readonly #tried: WhereAllowed;
  readonly #reading: Database;
  readonly #uploads: Uploads;

  /**
   * @param where `allowed`: in the own ledger alone; `tried`: in the sample data too, where that is shown
   * @param reading connects as the user that only reads
   */
  constructor(
    where: { readonly allowed: WhereAllowed; readonly tried: WhereAllowed },
    reading: Database,
    uploads: Uploads,
  ) {
    this.#allowed = where.allowed;
    this.#tried = where.tried;
    this.#reading = reading;
    this.#uploads = uploads;
  }

  invoiceMappings(): Promise<readonly KeptInvoiceMapping[]> {
    return listInvoiceMappings(this.#reading);
  }

  async previewInvoice({
    upload,
    mapping,
  }: HeldInvoice): Promise<
    { readonly ok: true; readonly name: string; readonly previewed: PreviewedInvoice } | BrokenUpload | Refused
  > {
    const file = this.#uploads.find(upload);
    if (file === null) return IS_GONE;
    return orBroken(file, async () => ({
      ok: true,
      name: file.name,
      previewed: await previewInvoice(file, mapping),
    }));
  }

  importInvoice(
    held: HeldInvoice & { readonly waba_id: string; readonly mapping: { readonly name: string } },
  ): Promise<{ readonly ok: true; readonly outcome: 'imported' | 'unchanged'; readonly invoice: Invoice } | Refused> {
    return this.#allowed((database) =>
      this.#uploads.together(JSON.stringify(held), async () => {
        const file = this.#uploads.find(held.upload);
        if (file === null) return IS_GONE;
        // Read once before the mapping is stored: one by which the file cannot be read is of no use.
        await previewInvoice(file, held.mapping);
        await keepInvoiceMapping(database, held.mapping, BY);
        const done = await importInvoice(database, { ...file, waba_id: held.waba_id, by: BY }, held.mapping.name);
        return { ok: true as const, ...done };
      }),
    );
  }

  withdrawInvoice(import_id: string): Promise<{ readonly ok: true; readonly withdrawn: Invoice } | Refused> {
    return this.#allowed(async (database) => ({
      ok: true,
      withdrawn: await withdrawInvoice(database, import_id, BY),
    }));
  }

  importMeta(
    given: GivenMetaAnswers,
  ): Promise<{ readonly ok: true; readonly imported: readonly DoneMetaImport[] } | Refused> {
    return this.#tried(async (database) => {
      const { files, waba_id, field, days, asked, is_incoming } = given;
      const counts = is_incoming ? { counts: { direction: 'incoming' } as const } : {};
      const how = { waba_id, field, days, asked, ...counts, by: BY };
      return { ok: true, imported: await importMetaAnswers(database, files, how) };
    });
  }

  withdrawMeta(import_id: string): Promise<{ readonly ok: true; readonly withdrawn: MetaImport } | Refused> {
    return this.#tried(async (database) => ({
      ok: true,
      withdrawn: await withdrawMetaImport(database, import_id, BY),
    }));
  }

  closeMonth(closing: ClosedByPerson): Promise<{ readonly ok: true; readonly period: Period | null } | Refused> {
    return this.#allowed(async (database) => {
      const closed = await closePeriod(database, closing, Date.now);
      if (closed.outcome === 'closed') return { ok: true, period: closed.period };
      if (closed.outcome === 'requested') return { ok: true, period: null };
      return {
        ok: false,
        message: `${closing.month} was not closed: the checklist has items that have not passed. See them below, and say that you accept them to close the month all the same.`,
      };
    });
  }

  makeReport({
    period_id,
    by,
  }: {
    readonly period_id: string;
    readonly by: string;
  }): Promise<{ readonly ok: true; readonly report: MonthReport } | Refused> {
    return this.#allowed(async (database) => {
      const { report } = await makeMonthReport(database, period_id, by, Date.now());
      return { ok: true, report };
    });
  }

  reopenMonth({
    period_id,
    by,
    because,
  }: {
    readonly period_id: string;
    readonly by: string;
    readonly because: string;
  }): Promise<{ readonly ok: true; readonly period: Period } | Refused> {
    return this.#allowed(async (database) => {
      const { period } = await reopenPeriod(database, period_id, by, because);
      return { ok: true, period };
    });
  }

  decideCase(
    decision: CaseDecision,
  ): Promise<{ readonly ok: true; readonly outcome: 'decided' | 'unchanged'; readonly case: WorkedCase } | Refused> {
    return this.#allowed(async (database) => {
      await settleCharges(database);
      return { ok: true, ...(await decideCase(database, decision, Date.now())) };
    });
  }

  makeClaim(claim: NewClaim): Promise<({ readonly ok: true } & ClaimOutcome) | Refused> {
    return this.#allowed(async (database) => ({
      ok: true,
      ...(await makeClaim(database, claim)),
    }));
  }

  changeClaim(claim_id: string, change: ClaimChange): Promise<({ readonly ok: true } & ClaimOutcome) | Refused> {
    return this.#allowed(async (database) => ({
      ok: true,
      ...(await changeClaim(database, claim_id, change)),
    }));
  }

  makeWriteOff(write_off: NewWriteOff): Promise<({ readonly ok: true } & WriteOffOutcome) | Refused> {
    return this.#allowed(async (database) => {
      await settleCharges(database);
      return { ok: true, ...(await makeWriteOff(database, write_off)) };
    });
  }

  undoWriteOff(write_off_id: string, undo: WriteOffUndo): Promise<({ readonly ok: true } & WriteOffOutcome) | Refused> {
    return this.#allowed(async (database) => ({
      ok: true,
      ...(await undoWriteOff(database, write_off_id, undo)),
    }));
  }
}

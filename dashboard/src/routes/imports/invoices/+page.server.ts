import { valueIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import type { Changes } from '@ctwa-ledger/schemas/changes.ts';
import type { InvoiceMapping, KeptInvoiceMapping } from '@ctwa-ledger/schemas/invoices.ts';
import { mappingNameSchema } from '@ctwa-ledger/schemas/spend.ts';
import { fail, redirect } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import { search } from '$lib/filters/filters.ts';
import { invoiceSearch, invoiceStateIn, readInvoiceState, type InvoiceState } from '$lib/imports/invoices.ts';
import { INVOICE_TABLE, INVOICE_VALUES } from '$lib/imports/table.ts';
import { fieldText, heldUpload, READ_ONLY } from '$lib/server/forms.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import { arranged } from '$lib/table/table.ts';
import type { Actions, PageServerLoad } from './$types';

const PAGE_ROWS = 50;

/** The mapping of a stored name, or the columns that were chosen by hand. */
function mappingOf({ kept, mapping }: InvoiceState, mappings: readonly KeptInvoiceMapping[]): InvoiceMapping {
  const found = mappings.find(({ name }) => name === kept);
  if (found === undefined) return mapping;
  const { columns, currency, decimal_mark } = found;
  return {
    columns,
    ...(currency === undefined ? {} : { currency }),
    ...(decimal_mark === undefined ? {} : { decimal_mark }),
  };
}

function previewOf(asked: InvoiceState, mappings: readonly KeptInvoiceMapping[], changes: Changes) {
  return changes.previewInvoice({ upload: asked.upload, mapping: mappingOf(asked, mappings) });
}

export const load: PageServerLoad = async (event) => {
  const { locked } = await askedLedger(event);
  const { reports, changes } = event.locals;
  const params = event.url.searchParams;
  const asked = invoiceStateIn(params);
  const [invoices, mappings] = await Promise.all([
    reports.invoices(),
    changes === null || locked !== null ? [] : changes.invoiceMappings(),
  ]);
  const withdraw = valueIn(params, 'withdraw');
  const done = valueIn(params, 'done');
  const spec = { ...INVOICE_TABLE, page_rows: PAGE_ROWS };
  const table = arranged(invoices, params, spec, INVOICE_VALUES, ({ import_id }) => import_id);
  return {
    asked,
    table,
    own_repairs: table.notices.map((notice) => ({ notice })),
    mappings,
    locked,
    withdrawing: invoices.find(({ import_id, state }) => import_id === withdraw && state !== 'withdrawn') ?? null,
    done: invoices.find(({ import_id }) => import_id === done) ?? null,
    preview: asked !== null && changes !== null && locked === null ? await previewOf(asked, mappings, changes) : null,
  };
};

const problem = (status: number, message: string) => fail(status, { problem: message });

function goTo(end: string): never {
  redirect(303, `${resolve('/imports/invoices')}${end}`);
}

export const actions: Actions = {
  upload: async (event) => {
    const held = await heldUpload(event, 'split it by month.');
    if (!held.ok) return problem(held.status, held.message);
    const asked = readInvoiceState((name) => fieldText(held.form, name));
    goTo(`${invoiceSearch({ ...asked, upload: held.upload }, event.locals.filters)}#preview`);
  },

  import: async (event) => {
    const { changes } = event.locals;
    if (changes === null) return problem(403, READ_ONLY);
    const form = await event.request.formData();
    const asked = readInvoiceState((name) => fieldText(form, name));
    const name = mappingNameSchema.safeParse(asked.kept ?? fieldText(form, 'keep_as'));
    if (!name.success)
      return problem(400, `Give the columns a name, for the next invoice: it ${name.error.issues[0]?.message ?? ''}.`);
    const mapping = { ...mappingOf(asked, await changes.invoiceMappings()), name: name.data };
    const { upload, waba_id } = asked;
    const imported = await changes.importInvoice({ upload, waba_id, mapping });
    if (!imported.ok) return problem(409, imported.message);
    goTo(`${search(event.locals.filters, { done: imported.invoice.import_id })}#done`);
  },

  withdraw: async (event) => {
    const { changes } = event.locals;
    if (changes === null) return problem(403, READ_ONLY);
    const import_id = fieldText(await event.request.formData(), 'import_id');
    const withdrawn = await changes.withdrawInvoice(import_id);
    if (!withdrawn.ok) return problem(409, withdrawn.message);
    goTo(`${search(event.locals.filters, { done: import_id })}#done`);
  },
};

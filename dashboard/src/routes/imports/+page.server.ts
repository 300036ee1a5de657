import { valueIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import type { Changes } from '@ctwa-ledger/schemas/changes.ts';
import { mappingNameSchema, type KeptSpendMapping, type SpendMapping } from '@ctwa-ledger/schemas/spend.ts';
import { fail, redirect, type RequestEvent } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import {
  importsSearch,
  isMappedByHand,
  readImportsState,
  readMapping,
  type ImportsState,
  type PreviewState,
} from '$lib/imports/address.ts';
import { META_TABLE, META_VALUES, readAbout } from '$lib/imports/meta.ts';
import { IMPORT_TABLE, IMPORT_VALUES } from '$lib/imports/table.ts';
import { NOTHING_TYPED, readTyped, type TypedTexts } from '$lib/imports/typed.ts';
import { fieldText, fieldTexts, givenFiles, heldUpload, READ_ONLY } from '$lib/server/forms.ts';
import { arranged } from '$lib/table/table.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { Actions, PageServerLoad } from './$types';

const PAGE_ROWS = 50;

/** The mapping of a file: the stored one with that name, and additions to it. */
function mappingOf(
  { kept, mapping }: Pick<PreviewState, 'kept' | 'mapping'>,
  mappings: readonly KeptSpendMapping[],
): { readonly ok: true; readonly mapping: SpendMapping } | { readonly ok: false; readonly message: string } {
  const found = mappings.find(({ name }) => name === kept);
  if (kept !== null && found === undefined)
    return {
      ok: false,
      message: `No mapping of columns is kept under the name “${kept}” any more. Choose another one.`,
    };
  const currency = mapping.currency ?? found?.currency;
  return {
    ok: true,
    mapping: {
      columns: { ...found?.columns, ...mapping.columns },
      ...(currency === undefined ? {} : { currency }),
    },
  };
}

async function previewOf(asked: PreviewState, mappings: readonly KeptSpendMapping[], changes: Changes) {
  const read = mappingOf(asked, mappings);
  return read.ok
    ? changes.previewSpend({ upload: asked.upload, mapping: read.mapping })
    : { ...read, ok: false as const };
}

export const load: PageServerLoad = async (event) => {
  const { locked } = await askedLedger(event);
  const { reports, changes } = event.locals;
  const asked = readImportsState(event.url.searchParams);
  const [imports, meta_imports, cards] = await Promise.all([
    reports.spendImports(),
    reports.metaImports(),
    reports.rateCards(),
  ]);
  const table = arranged(
    imports,
    event.url.searchParams,
    { ...IMPORT_TABLE, page_rows: PAGE_ROWS },
    IMPORT_VALUES,
    (one) => one.import_id,
  );
  const meta = arranged(
    meta_imports,
    event.url.searchParams,
    { ...META_TABLE, page_rows: PAGE_ROWS },
    META_VALUES,
    (one) => one.import_id,
  );
  const ofMeta = (id: string) => meta_imports.find((one) => one.import_id === id) ?? null;
  const isPreview = asked.view === 'preview' && locked !== 'read_only';
  const mappings = changes === null ? [] : await changes.spendMappings();
  return {
    asked,
    table,
    meta,
    withdrawing_meta: asked.view === 'withdraw-meta' ? ofMeta(asked.import_id) : null,
    withdrawn_meta: asked.view === 'list' && asked.done?.what === 'meta-withdrawn' ? ofMeta(asked.done.id) : null,
    withdrawing: asked.view === 'withdraw' ? (imports.find((one) => one.import_id === asked.import_id) ?? null) : null,
    done:
      asked.view === 'list' && asked.done !== null
        ? (imports.find((one) => one.import_id === asked.done?.id) ?? null)
        : null,
    cards: { held: cards.filter(({ state }) => state === 'holds').length, all: cards.length },
    typed: { ...NOTHING_TYPED, ad_id: /^\d{1,30}$/.exec(valueIn(event.url.searchParams, 'ad') ?? '')?.[0] ?? '' },
    own_repairs: [...table.notices, ...meta.notices].map((notice) => ({ notice })),
    locked,
    /** The stored mappings. */
    mappings,
    preview: changes !== null && isPreview ? await previewOf(asked, mappings, changes) : null,
  };
};

interface Problem {
  /** The form with the problem. */
  readonly of: 'upload' | 'import' | 'typed' | 'withdraw' | 'meta';
  readonly message: string;
  readonly texts?: TypedTexts;
}

const problem = (status: number, what: Problem) => fail(status, { problem: what });

function goTo(event: RequestEvent, state: ImportsState, place: string): never {
  redirect(303, `${resolve('/imports')}${importsSearch(state, event.locals.filters)}#${place}`);
}

export const actions: Actions = {
  upload: async (event) => {
    const held = await heldUpload(event, 'export fewer days at once.');
    if (!held.ok) return problem(held.status, { of: 'upload', message: held.message });
    const how = readMapping((name) => fieldText(held.form, name));
    goTo(event, { view: 'preview', upload: held.upload, ...how }, 'preview');
  },

  import: async (event) => {
    const { changes } = event.locals;
    if (changes === null) return problem(403, { of: 'import', message: READ_ONLY });
    const form = await event.request.formData();
    const asked = readMapping((name) => fieldText(form, name));
    const read = mappingOf(asked, await changes.spendMappings());
    if (!read.ok) return problem(409, { of: 'import', message: read.message });
    const name = fieldText(form, 'keep_as');
    const known = mappingNameSchema.safeParse(name);
    const isKept = name !== '' && isMappedByHand(asked);
    if (isKept && !known.success)
      return problem(400, {
        of: 'import',
        message: `The columns cannot be kept as “${name}”: a name ${known.error.issues[0]?.message ?? ''}.`,
      });
    const { mapping } = read;
    const imported = await changes.importSpend({ upload: fieldText(form, 'upload'), mapping });
    if (!imported.ok) return problem(409, { of: 'import', message: imported.message });
    if (isKept && known.success) await changes.keepSpendMapping({ ...mapping, name: known.data });
    goTo(event, { view: 'list', done: { what: 'imported', id: imported.planned.import_id } }, 'done');
  },

  type: async (event) => {
    const { changes } = event.locals;
    const texts = fieldTexts(await event.request.formData(), NOTHING_TYPED);
    if (changes === null) return problem(403, { of: 'typed', message: READ_ONLY, texts });
    const read = readTyped(texts);
    if (!read.ok) return problem(400, { of: 'typed', message: read.problem, texts });
    const kept = await changes.typeSpend(read.typed);
    if (!kept.ok) return problem(409, { of: 'typed', message: kept.message, texts });
    goTo(event, { view: 'list', done: { what: 'imported', id: kept.planned.import_id } }, 'done');
  },

  // Answers with the page itself, which shows remarks about the file. Importing the same file again changes nothing.
  meta: async (event) => {
    const { changes } = event.locals;
    const given = await givenFiles(event, 'give fewer days at once.');
    if (!given.ok) return problem(given.status, { of: 'meta', message: given.message });
    if (changes === null) return problem(403, { of: 'meta', message: READ_ONLY });
    const read = readAbout((name) => fieldText(given.form, name));
    if (!read.ok) return problem(400, { of: 'meta', message: read.problem });
    const done = await changes.importMeta({ ...read.about, files: given.files });
    return done.ok ? { imported: done.imported } : problem(409, { of: 'meta', message: done.message });
  },

  withdraw_meta: async (event) => {
    const { changes } = event.locals;
    if (changes === null) return problem(403, { of: 'withdraw', message: READ_ONLY });
    const import_id = fieldText(await event.request.formData(), 'import_id');
    const withdrawn = await changes.withdrawMeta(import_id);
    if (!withdrawn.ok) return problem(409, { of: 'withdraw', message: withdrawn.message });
    goTo(event, { view: 'list', done: { what: 'meta-withdrawn', id: import_id } }, 'done');
  },

  withdraw: async (event) => {
    const { changes } = event.locals;
    if (changes === null) return problem(403, { of: 'withdraw', message: READ_ONLY });
    const import_id = fieldText(await event.request.formData(), 'import_id');
    const withdrawn = await changes.withdrawSpend(import_id);
    if (!withdrawn.ok) return problem(409, { of: 'withdraw', message: withdrawn.message });
    goTo(event, { view: 'list', done: { what: 'withdrawn', id: import_id } }, 'done');
  },
};

import { valueIn, type AddressParameter } from '@ctwa-ledger/schemas/address-parameters.ts';
import { SPEND_COLUMNS, type SpendColumn, type SpendMapping } from '@ctwa-ledger/schemas/spend.ts';

import { search, type FilterState } from '../filters/filters.ts';

/** An uploaded file, and the mapping of its headings to columns. */
export interface PreviewState {
  readonly view: 'preview';
  readonly upload: string;
  /** Name of a stored mapping; null = none. */
  readonly kept: string | null;
  /** Additions to that mapping. */
  readonly mapping: SpendMapping;
}

/** The state of the page of imports. It is in the address, so that the page works with links and forms alone. */
export type ImportsState =
  | { readonly view: 'list'; readonly done: { readonly what: (typeof DONE)[number]; readonly id: string } | null }
  | PreviewState
  | { readonly view: 'withdraw'; readonly import_id: string }
  /** An import of Meta's numbers. */
  | { readonly view: 'withdraw-meta'; readonly import_id: string };

const DONE = ['imported', 'withdrawn', 'meta-withdrawn'] as const satisfies readonly AddressParameter[];

/** The name of the field with the heading of a column. */
export const fieldOf = (column: SpendColumn): string => `column.${column}`;

const MAX_HEADING_CHARACTERS = 200;

/** The mapping of columns in a form or an address. */
export function readMapping(text: (name: string) => string): Pick<PreviewState, 'kept' | 'mapping'> {
  const columns: Partial<Record<SpendColumn, string>> = {};
  for (const column of SPEND_COLUMNS) {
    const heading = text(fieldOf(column)).trim().slice(0, MAX_HEADING_CHARACTERS);
    if (heading !== '') columns[column] = heading;
  }
  const currency = text('currency').trim().toUpperCase();
  const kept = text('mapping').trim();
  return { kept: kept === '' ? null : kept, mapping: { columns, ...(currency === '' ? {} : { currency }) } };
}

/** The same as fields of a form or address. */
export function writeMapping({
  kept,
  mapping,
}: Pick<PreviewState, 'kept' | 'mapping'>): Readonly<Record<string, string>> {
  const columns = Object.entries(mapping.columns).map(
    ([column, heading]) => [fieldOf(column as SpendColumn), heading] as const,
  );
  return {
    ...(kept === null ? {} : { mapping: kept }),
    ...Object.fromEntries(columns),
    ...(mapping.currency === undefined ? {} : { currency: mapping.currency }),
  };
}

/** Whether the mapping has something that is not stored yet. */
export const isMappedByHand = ({ mapping }: Pick<PreviewState, 'mapping'>): boolean =>
  Object.keys(mapping.columns).length > 0 || mapping.currency !== undefined;

/** Unknown parameters are ignored: this page's links are used at once and not kept. */
export function readImportsState(params: URLSearchParams): ImportsState {
  const upload = valueIn(params, 'upload');
  if (upload !== null) return { view: 'preview', upload, ...readMapping((name) => params.get(name) ?? '') };
  const import_id = valueIn(params, 'withdraw');
  if (import_id !== null) return { view: 'withdraw', import_id };
  const meta_id = valueIn(params, 'withdraw-meta');
  if (meta_id !== null) return { view: 'withdraw-meta', import_id: meta_id };
  const what = DONE.find((name) => valueIn(params, name) !== null);
  return { view: 'list', done: what === undefined ? null : { what, id: valueIn(params, what) ?? '' } };
}

/** The end of an address with a state of the page, and with the filters of the other pages. */
export function importsSearch(state: ImportsState, filters: FilterState): string {
  switch (state.view) {
    case 'list':
      return search(filters, state.done === null ? {} : { [state.done.what]: state.done.id });
    case 'preview':
      return search(filters, { upload: state.upload, ...writeMapping(state) });
    case 'withdraw':
      return search(filters, { withdraw: state.import_id });
    case 'withdraw-meta':
      return search(filters, { 'withdraw-meta': state.import_id });
  }
}

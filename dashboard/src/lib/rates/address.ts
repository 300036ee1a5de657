import {
  queryOf,
  valueIn,
  type AddressParameter,
  type AddressParameters,
} from '@ctwa-ledger/schemas/address-parameters.ts';
import { effectiveDateSchema, rateModelSchema, type RateModel } from '@ctwa-ledger/schemas/rate-file.ts';

import { writeFilters, type FilterState } from '../filters/filters.ts';

/** The change that was just made, for a notice. */
export interface Done {
  readonly what: 'imported' | 'withdrawn' | 'kept';
  /** Ids of cards, or of the account. */
  readonly ids: readonly string[];
}

/** An uploaded file, and how to read it. */
export interface PreviewState {
  readonly view: 'preview';
  readonly upload: string;
  /** `YYYY-MM-DD`; null = not given, or no such day: the file has to name one. */
  readonly effective: string | null;
  /** Whether to use that day although the file names another one. */
  readonly anyway: boolean;
  readonly model: RateModel | null;
}

/**
 * The state of the page "Rates & accounts". It is in the address, so that the page works with links and forms alone.
 */
export type RatesState =
  | { readonly view: 'list'; readonly done: Done | null }
  | PreviewState
  | { readonly view: 'withdraw'; readonly card_id: string }
  /** An empty id: a new account. */
  | { readonly view: 'account'; readonly waba_id: string };

const DONE = ['imported', 'withdrawn', 'kept'] as const satisfies readonly AddressParameter[];

/** Unknown parameters are ignored: this page's links are used at once and not kept. */
export function readRatesState(params: URLSearchParams): RatesState {
  const upload = valueIn(params, 'upload');
  if (upload !== null) {
    const effective = effectiveDateSchema.safeParse(valueIn(params, 'effective'));
    const model = rateModelSchema.safeParse(valueIn(params, 'model'));
    return {
      view: 'preview',
      upload,
      effective: effective.data ?? null,
      anyway: valueIn(params, 'anyway') !== null,
      model: model.data ?? null,
    };
  }
  const card_id = valueIn(params, 'withdraw');
  if (card_id !== null) return { view: 'withdraw', card_id };
  const waba_id = valueIn(params, 'account');
  if (waba_id !== null) return { view: 'account', waba_id };
  const what = DONE.find((name) => params.has(name));
  return { view: 'list', done: what === undefined ? null : { what, ids: params.getAll(what) } };
}

/** The parameters of a state other than the list. The empty text is a value: that of a new account. */
function ownOf(state: Exclude<RatesState, { readonly view: 'list' }>): AddressParameters {
  switch (state.view) {
    case 'preview':
      return {
        upload: state.upload,
        ...(state.effective === null ? {} : { effective: state.effective }),
        ...(state.anyway ? { anyway: '1' } : {}),
        ...(state.model === null ? {} : { model: state.model }),
      };
    case 'withdraw':
      return { withdraw: state.card_id };
    case 'account':
      return { account: state.waba_id };
  }
}

/** The end of an address with a state of the page, and with the filters of the other pages. */
export function ratesSearch(state: RatesState, filters: FilterState): string {
  const params = writeFilters(filters);
  if (state.view !== 'list') for (const [name, value] of Object.entries(ownOf(state))) params.set(name, value);
  else if (state.done !== null) for (const id of state.done.ids) params.append(state.done.what, id);
  return queryOf(params);
}

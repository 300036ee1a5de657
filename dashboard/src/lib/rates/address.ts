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

const DONE = ['imported', 'withdrawn', 'kept'] as const;

/** Unknown parameters are ignored: this page's links are used at once and not kept. */
export function readRatesState(params: URLSearchParams): RatesState {
  const upload = params.get('upload');
  if (upload !== null) {
    const effective = effectiveDateSchema.safeParse(params.get('effective'));
    const model = rateModelSchema.safeParse(params.get('model'));
    return {
      view: 'preview',
      upload,
      effective: effective.data ?? null,
      anyway: params.has('anyway'),
      model: model.data ?? null,
    };
  }
  const card_id = params.get('withdraw');
  if (card_id !== null) return { view: 'withdraw', card_id };
  const waba_id = params.get('account');
  if (waba_id !== null) return { view: 'account', waba_id };
  const what = DONE.find((name) => params.has(name));
  return { view: 'list', done: what === undefined ? null : { what, ids: params.getAll(what) } };
}

/** The end of an address with a state of the page, and with the filters of the other pages. */
export function ratesSearch(state: RatesState, filters: FilterState): string {
  const params = writeFilters(filters);
  switch (state.view) {
    case 'list':
      for (const id of state.done?.ids ?? []) params.append(state.done?.what ?? '', id);
      break;
    case 'preview':
      params.set('upload', state.upload);
      if (state.effective !== null) params.set('effective', state.effective);
      if (state.anyway) params.set('anyway', '1');
      if (state.model !== null) params.set('model', state.model);
      break;
    case 'withdraw':
      params.set('withdraw', state.card_id);
      break;
    case 'account':
      params.set('account', state.waba_id);
      break;
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

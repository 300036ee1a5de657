import { effectiveDateSchema, rateModelSchema, type RateModel } from '@ctwa-ledger/schemas/rate-file.ts';

import { writeFilters, type FilterState } from '../filters/filters.ts';

/** Something that was just done, by what it was done to. */
export interface Done {
  readonly what: 'imported' | 'withdrawn' | 'kept';
  /** Ids of cards, or of the account. */
  readonly ids: readonly string[];
}

/** A file that was uploaded, and how it is to be read. */
export interface PreviewState {
  readonly view: 'preview';
  readonly upload: string;
  /** `YYYY-MM-DD`; null = not given, or no such day: the file has to name one. */
  readonly effective: string | null;
  /** Whether that day is taken although the file names another one. */
  readonly anyway: boolean;
  readonly model: RateModel | null;
}

/** What the page "Rates & accounts" is at: its address says it, so that it works by links and forms alone. */
export type RatesState =
  | { readonly view: 'list'; readonly done: Done | null }
  | PreviewState
  | { readonly view: 'withdraw'; readonly card_id: string }
  /** An empty id: an account that is still to be named. */
  | { readonly view: 'account'; readonly waba_id: string };

const DONE = ['imported', 'withdrawn', 'kept'] as const;

/** Parameters that mean nothing are left aside: this page's links are followed at once and not kept. */
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

/** The end of an address that asks for a state of the page, with the filters of the other pages beside it. */
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

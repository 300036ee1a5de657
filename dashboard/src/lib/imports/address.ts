import { search, type FilterState } from '../filters/filters.ts';

/** What the page of imports is at: its address says it, so that it works by links and forms alone. */
export type ImportsState =
  | { readonly view: 'list'; readonly done: { readonly what: (typeof DONE)[number]; readonly id: string } | null }
  | { readonly view: 'preview'; readonly upload: string }
  | { readonly view: 'withdraw'; readonly import_id: string };

const DONE = ['imported', 'withdrawn'] as const;

/** Parameters that mean nothing are left aside: this page's links are followed at once and not kept. */
export function readImportsState(params: URLSearchParams): ImportsState {
  const upload = params.get('upload');
  if (upload !== null) return { view: 'preview', upload };
  const import_id = params.get('withdraw');
  if (import_id !== null) return { view: 'withdraw', import_id };
  const what = DONE.find((name) => params.has(name));
  return { view: 'list', done: what === undefined ? null : { what, id: params.get(what) ?? '' } };
}

/** The end of an address that asks for a state of the page, with the filters of the other pages beside it. */
export function importsSearch(state: ImportsState, filters: FilterState): string {
  switch (state.view) {
    case 'list':
      return search(filters, state.done === null ? {} : { [state.done.what]: state.done.id });
    case 'preview':
      return search(filters, { upload: state.upload });
    case 'withdraw':
      return search(filters, { withdraw: state.import_id });
  }
}

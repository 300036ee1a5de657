import type { AskedMismatches, MismatchRow } from '@ctwa-ledger/schemas/reports.ts';

import { writeFilters, type FilterState } from '../filters/filters.ts';

const MARKS = ['BILLABLE', 'FREE_ENTRY', 'FREE_SERVICE', 'COVERED', 'UNKNOWN'] as const;

/** What the page shows of the mismatches: its address says it. */
export type MismatchState = Pick<AskedMismatches, 'predicted' | 'reported' | 'before'>;

export const ALL_MISMATCHES: MismatchState = { predicted: null, reported: null, before: null };

/** What was left out of a link, said to the reader. */
export interface ReadMismatches {
  readonly state: MismatchState;
  readonly notices: readonly string[];
}

/** `<Unix seconds>.<number>.<message id>`; ids may hold dots, numbers do not. */
const CURSOR = /^(\d{1,10})\.(\d+)\.(.+)$/;

function readCursor(text: string): AskedMismatches['before'] {
  const [, seconds, phone_number_id, message_id] = CURSOR.exec(text) ?? [];
  if (seconds === undefined || phone_number_id === undefined || message_id === undefined) return null;
  const delivered_at = Number(seconds);
  return delivered_at > 0xffff_ffff ? null : { delivered_at, phone_number_id, message_id };
}

/** The state that a query string asks for; what cannot be used is left out, with a notice. */
export function readMismatchState(params: URLSearchParams): ReadMismatches {
  const notices: string[] = [];
  const mark = (name: 'predicted' | 'reported'): string | null => {
    const text = params.get(name)?.trim() ?? '';
    if (text === '') return null;
    const known = MARKS.find((one) => one === text.toUpperCase());
    if (known === undefined) notices.push(`${name}: “${text.slice(0, 40)}” is no mark; all marks are shown.`);
    return known ?? null;
  };
  const [predicted, reported] = [mark('predicted'), mark('reported')];
  const text = params.get('before') ?? '';
  const before = text === '' ? null : readCursor(text);
  if (text !== '' && before === null) notices.push('before: this is no place in the list; the latest are shown.');
  return { state: { predicted, reported, before }, notices };
}

/** The end of an address that asks for a state, with the filters of the other pages beside it. */
export function mismatchSearch(state: MismatchState, filters: FilterState): string {
  const params = writeFilters(filters);
  if (state.predicted !== null) params.set('predicted', state.predicted);
  if (state.reported !== null) params.set('reported', state.reported);
  if (state.before !== null)
    params.set('before', `${state.before.delivered_at}.${state.before.phone_number_id}.${state.before.message_id}`);
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

/** Where the page after a message begins. */
export function cursorAfter(row: Pick<MismatchRow, 'delivered_at' | 'phone_number_id' | 'message_id'>) {
  return {
    delivered_at: Date.parse(row.delivered_at) / 1000,
    phone_number_id: row.phone_number_id,
    message_id: row.message_id,
  };
}

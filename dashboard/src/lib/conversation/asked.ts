import type { ConversationCursor, TimelineCursor } from '@ctwa-ledger/schemas/conversations.ts';

import { writeFilters, type FilterState, type Repair } from '../filters/filters.ts';

/** What the address of the list says besides the filters of all pages. */
export interface AskedState {
  readonly q: string;
  readonly ad: string;
  /** Whole numbers of customers. */
  readonly reveal: boolean;
  readonly before: ConversationCursor | null;
}

type Notice = Pick<Repair, 'notice'>;

interface Read<T> {
  readonly asked: T;
  readonly repairs: readonly Notice[];
}

/** Longest text to search by; ids of Meta's are far shorter. */
const MAX_CHARACTERS = 500;
/** The last second that events can have. */
const LAST_SECOND = 4_294_967_295;

export const NOTHING_ASKED: AskedState = { q: '', ad: '', reveal: false, before: null };

function readCursor(text: string): ConversationCursor | null {
  const [, at, phone_number_id, entry_id] = /^(\d{1,10}),([^,]+),(.+)$/.exec(text) ?? [];
  if (at === undefined || phone_number_id === undefined || entry_id === undefined || Number(at) > LAST_SECOND)
    return null;
  return { at: Number(at), phone_number_id, entry_id };
}

function readTimelineCursor(text: string): TimelineCursor | null {
  const [, at, rank, id] = /^(\d{1,10}),(\d),(.+)$/.exec(text) ?? [];
  if (at === undefined || rank === undefined || id === undefined || Number(at) > LAST_SECOND) return null;
  return { at: Number(at), rank: Number(rank), id };
}

/** The cursor of an address; one that cannot be used is left out with a notice. */
function readBefore<T>(params: URLSearchParams, read: (text: string) => T | null, instead: string): Read<T | null> {
  const text = params.get('before') ?? '';
  const asked = text === '' ? null : read(text);
  const isBroken = text !== '' && asked === null;
  return {
    asked,
    repairs: isBroken ? [{ notice: `before: the link names no place to read on from; ${instead}` }] : [],
  };
}

/** Whether whole numbers of customers are asked for. */
export function readReveal(params: URLSearchParams): boolean {
  return params.get('reveal') === '1';
}

/** What the address of the list asks for; what cannot be used is left out with a notice. */
export function readAsked(params: URLSearchParams): Read<AskedState> {
  const repairs: Notice[] = [];
  const text = (name: 'q' | 'ad'): string => {
    const value = params.get(name)?.trim() ?? '';
    if (value.length <= MAX_CHARACTERS) return value;
    repairs.push({ notice: `${name}: longer than ${MAX_CHARACTERS} characters; it is left out.` });
    return '';
  };
  let q = text('q');
  if (q !== '' && !/[\p{L}\d]/u.test(q)) {
    repairs.push({ notice: 'q: has no digit and no letter; it is left out.' });
    q = '';
  }
  const before = readBefore(params, readCursor, 'the newest conversations are shown.');
  return {
    asked: { q, ad: text('ad'), reveal: readReveal(params), before: before.asked },
    repairs: [...repairs, ...before.repairs],
  };
}

/** Where in the time line an address asks to read. */
export function readTimelineBefore(params: URLSearchParams): Read<TimelineCursor | null> {
  return readBefore(params, readTimelineCursor, 'the latest events are shown.');
}

function asSearch(params: URLSearchParams): string {
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

/** End of the address of the list. */
export function listSearch(filters: FilterState, { q, ad, reveal, before }: AskedState): string {
  const params = writeFilters(filters);
  if (q !== '') params.set('q', q);
  if (ad !== '') params.set('ad', ad);
  if (reveal) params.set('reveal', '1');
  if (before !== null) params.set('before', `${before.at},${before.phone_number_id},${before.entry_id}`);
  return asSearch(params);
}

/** End of the address of one conversation. */
export function threadSearch(filters: FilterState, reveal: boolean, before: TimelineCursor | null = null): string {
  const params = writeFilters(filters);
  if (reveal) params.set('reveal', '1');
  if (before !== null) params.set('before', `${before.at},${before.rank},${before.id}`);
  return asSearch(params);
}

import {
  CONVERSATION_STATES,
  type ConversationState,
  type TimelineCursor,
} from '@ctwa-ledger/schemas/conversations.ts';

import { quoted, search, writeFilters, type FilterState, type Repair } from '../filters/filters.ts';
import { LAST_SECOND } from '@ctwa-ledger/schemas/time-limits.ts';

/** What the address of the list says besides the filters of all pages. */
export interface AskedState {
  readonly q: string;
  readonly ad: string;
  /** Null = all. */
  readonly state: ConversationState | null;
  /** Whole numbers of customers. */
  readonly reveal: boolean;
}

type Notice = Pick<Repair, 'notice'>;

interface Read<T> {
  readonly asked: T;
  readonly repairs: readonly Notice[];
}

/** Longest text to search by; ids of Meta's are far shorter. */
const MAX_CHARACTERS = 500;

export const NOTHING_ASKED: AskedState = { q: '', ad: '', state: null, reveal: false };

function readTimelineCursor(text: string): TimelineCursor | null {
  const [, at, rank, id] = /^(\d{1,10}),(\d),(.+)$/.exec(text) ?? [];
  if (at === undefined || rank === undefined || id === undefined || Number(at) > LAST_SECOND) return null;
  return { at: Number(at), rank: Number(rank), id };
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
  const named = params.get('state')?.trim() ?? '';
  const state = CONVERSATION_STATES.find((known) => known === named) ?? null;
  if (named !== '' && state === null)
    repairs.push({
      notice: `state: ${quoted(named)} is none of ${CONVERSATION_STATES.join(', ')}; all are shown.`,
    });
  return { asked: { q, ad: text('ad'), state, reveal: readReveal(params) }, repairs };
}

/** Where in the time line an address asks to read. */
export function readTimelineBefore(params: URLSearchParams): Read<TimelineCursor | null> {
  const text = params.get('before') ?? '';
  const asked = text === '' ? null : readTimelineCursor(text);
  const notice = 'before: the link names no place to read on from; the latest events are shown.';
  return { asked, repairs: text !== '' && asked === null ? [{ notice }] : [] };
}

/** What the address of the list says of its own. */
function ownOf({ q, ad, state, reveal }: AskedState): Readonly<Record<'q' | 'ad' | 'state' | 'reveal', string>> {
  return { q, ad, state: state ?? '', reveal: reveal ? '1' : '' };
}

/** End of the address of the list. */
export function listSearch(filters: FilterState, asked: AskedState): string {
  return search(filters, ownOf(asked));
}

/** End of the address of one conversation. */
export function threadSearch(filters: FilterState, reveal: boolean, before: TimelineCursor | null = null): string {
  const params = writeFilters(filters);
  if (reveal) params.set('reveal', '1');
  if (before !== null) params.set('before', `${before.at},${before.rank},${before.id}`);
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

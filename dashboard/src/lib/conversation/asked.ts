import { textIn, valueIn, type AddressParameters } from '@ctwa-ledger/schemas/address-parameters.ts';
import {
  CONVERSATION_STATES,
  type ConversationState,
  type TimelineCursor,
} from '@ctwa-ledger/schemas/conversations.ts';

import { quoted, search, type FilterState, type Repair } from '../filters/filters.ts';
import { LAST_SECOND } from '@ctwa-ledger/schemas/time-limits.ts';

/** The parameters of the list, besides the filters of all pages. */
export interface AskedState {
  readonly q: string;
  /** Null = all. */
  readonly state: ConversationState | null;
  /** Whether full customers are shown. */
  readonly reveal: boolean;
}

type Notice = Pick<Repair, 'notice'>;

interface Read<T> {
  readonly asked: T;
  readonly repairs: readonly Notice[];
}

/** Longest search text; Meta's ids are far shorter. */
const MAX_CHARACTERS = 500;

export const NOTHING_ASKED: AskedState = { q: '', state: null, reveal: false };

function readTimelineCursor(text: string): TimelineCursor | null {
  const [, at, rank, id] = /^(\d{1,10}),(\d),(.+)$/.exec(text) ?? [];
  if (at === undefined || rank === undefined || id === undefined || Number(at) > LAST_SECOND) return null;
  return { at: Number(at), rank: Number(rank), id };
}

/** Whether an address asks for full customers. */
export function readReveal(params: URLSearchParams): boolean {
  return valueIn(params, 'reveal') === '1';
}

/** The parameters of the list in an address. What cannot be used is left out, with a notice. */
export function readAsked(params: URLSearchParams): Read<AskedState> {
  const repairs: Notice[] = [];
  let q = textIn(params, 'q');
  if (q.length > MAX_CHARACTERS) {
    repairs.push({ notice: `q: longer than ${MAX_CHARACTERS} characters; it is left out.` });
    q = '';
  }
  if (q !== '' && !/[\p{L}\d]/u.test(q)) {
    repairs.push({ notice: 'q: has no digit and no letter; it is left out.' });
    q = '';
  }
  const named = textIn(params, 'state');
  const state = CONVERSATION_STATES.find((known) => known === named) ?? null;
  if (named !== '' && state === null)
    repairs.push({
      notice: `state: ${quoted(named)} is none of ${CONVERSATION_STATES.join(', ')}; all are shown.`,
    });
  return { asked: { q, state, reveal: readReveal(params) }, repairs };
}

/** The position in the timeline that an address selects. */
export function readTimelineBefore(params: URLSearchParams): Read<TimelineCursor | null> {
  const text = valueIn(params, 'before') ?? '';
  const asked = text === '' ? null : readTimelineCursor(text);
  const notice = 'before: the link names no place to read on from; the latest events are shown.';
  return { asked, repairs: text !== '' && asked === null ? [{ notice }] : [] };
}

/** The parameters of the list itself. */
function ownOf({ q, state, reveal }: AskedState): AddressParameters {
  return { q, state: state ?? '', reveal: reveal ? '1' : '' };
}

/** End of the address of the list. */
export function listSearch(filters: FilterState, asked: AskedState): string {
  return search(filters, ownOf(asked));
}

/** End of the address of one conversation. */
export function threadSearch(filters: FilterState, reveal: boolean, before: TimelineCursor | null = null): string {
  return search(filters, {
    reveal: reveal ? '1' : '',
    before: before === null ? '' : `${before.at},${before.rank},${before.id}`,
  });
}

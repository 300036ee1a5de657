import type { AskedLetters, DeadLetterRow } from '@ctwa-ledger/schemas/health.ts';

import { search, type FilterState, type Repair } from '../filters/filters.ts';

/** What the list of rejected inputs shows: the address says it. */
export type LettersState = Pick<AskedLetters, 'code' | 'before'>;

/** Reasons are such words; one that no letter has shows none. */
const CODE = /^[a-z0-9_]{1,60}$/i;
/** `<milliseconds>,<partition>,<position>,<hash>,<source>`: the source comes last, because names of files hold anything. */
const CURSOR = /^(\d{1,15}),(-?\d{1,10}),(\d{1,20}),(\d{1,20}),(.*)$/s;

const LARGEST = (1n << 64n) - 1n;

function readCursor(text: string): LettersState['before'] {
  const [, seen, partition, position, content_hash, source] = CURSOR.exec(text) ?? [];
  if (seen === undefined || partition === undefined || position === undefined || content_hash === undefined)
    return null;
  if (BigInt(position) > LARGEST || BigInt(content_hash) > LARGEST || Math.abs(Number(partition)) > 0x7fff_ffff)
    return null;
  return { first_seen_ms: Number(seen), partition: Number(partition), position, content_hash, source: source ?? '' };
}

/** The state that a query string asks for; what cannot be used is left out, with a notice. */
export function readLettersState(params: URLSearchParams): {
  readonly state: LettersState;
  readonly repairs: readonly Pick<Repair, 'notice'>[];
} {
  const repairs: Pick<Repair, 'notice'>[] = [];
  const code = params.get('code') ?? '';
  if (code !== '' && !CODE.test(code))
    repairs.push({ notice: `code: “${code.slice(0, 40)}” is no reason; rejected inputs of every reason are shown.` });
  const text = params.get('before') ?? '';
  const before = text === '' ? null : readCursor(text);
  if (text !== '' && before === null)
    repairs.push({ notice: 'before: the link names no place in the list; the latest are shown.' });
  return { state: { code: CODE.test(code) ? code : null, before }, repairs };
}

/** The end of an address that asks for a state, with the filters of the other pages beside it. */
export function lettersSearch(state: LettersState, filters: FilterState): string {
  const { code, before } = state;
  return search(filters, {
    code: code ?? '',
    before:
      before === null
        ? ''
        : [before.first_seen_ms, before.partition, before.position, before.content_hash, before.source].join(','),
  });
}

/** What tells letters apart. */
export const letterKey = (letter: DeadLetterRow): string =>
  `${letter.partition} ${letter.position} ${letter.content_hash} ${letter.source}`;

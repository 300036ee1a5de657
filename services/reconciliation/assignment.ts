import { EXPLANATION_CODES, type ExplanationCode } from '@ctwa-ledger/schemas/meta.ts';
import { sizeOf, smaller } from './amounts.ts';
import type { LosingCause, MovingCause, Source } from './causes.ts';
import { groupsOf, type JudgedRow } from './differences.ts';

/**
 * How often shares are learned again from what was assigned by them. More rounds change next to nothing.
 */
const ROUNDS = 4;
/** Rows on each side of a group between which messages may move; the largest differences first. */
const MAX_SIDE = 64;
/** The same where any message may be meant: among more rows it would be guessing. */
const MAX_SIDE_OF_ANY = 12;
/** What is believed of a share before anything was assigned, as if it had been seen in so many messages. */
const PRIOR_MESSAGES = 4;
const PRIOR_SHARE = 0.05;
/** Logarithm of how likely it is that something else makes up for a message in another row. */
const HIDDEN = Math.log(0.1);
/** That is believed only of messages of which so many moved elsewhere. */
const MIN_SHARE_HIDDEN = 0.05;

/** A possible explanation of one row, or of the two rows between which messages moved. */
interface Move {
  readonly code: ExplanationCode;
  readonly rows: readonly JudgedRow[];
  /** The rows between which messages moved; empty where they moved nowhere. */
  readonly between: readonly JudgedRow[];
  readonly source: Source;
  /** The row whose messages may be meant, and how many they are. */
  readonly of: JudgedRow;
  readonly suspects: number;
  /** Moves of one kind have one share, and kinds of one family have the same suspects. */
  readonly kind: string;
  readonly family: string;
  readonly share?: number | undefined;
  /** Whether something else makes up for it in the other row. */
  readonly is_hidden: boolean;
  readonly detail: (others: readonly JudgedRow[], row: JudgedRow) => string;
}

/** How many messages of a row a cause explains, and the evidence in words. */
export interface Assigned {
  readonly code: ExplanationCode;
  readonly row: JudgedRow;
  readonly volume: bigint;
  readonly detail: string;
}

const isOver = (row: JudgedRow): boolean => row.volume_difference > 0n;
const isUnder = (row: JudgedRow): boolean => row.volume_difference < 0n;

const largest = (rows: readonly JudgedRow[], max: number): readonly JudgedRow[] =>
  rows.length <= max
    ? rows
    : rows.toSorted((a, b) => Number(sizeOf(b.volume_difference) - sizeOf(a.volume_difference))).slice(0, max);

/**
 * Moves of messages between rows of a group: from one that has too many to one that has too few; and with only one of
 * them, because in the other one something else makes up for it.
 */
function* movesIn(group: readonly JudgedRow[], cause: MovingCause, n: number): Generator<Move> {
  const { code, source, label, detail } = cause;
  const isAny = source.is_every_message === true;
  const max = isAny ? MAX_SIDE_OF_ANY : MAX_SIDE;
  const over = largest(group.filter(isOver), max);
  const under = largest(group.filter(isUnder), max);
  const others = isAny ? [] : largest(group, max);
  for (const from of new Set([...over, ...others])) {
    const suspects = Number(source.count(from));
    if (suspects === 0) continue;
    const family = `${n} ${label(from)}`;
    const move = (to: JudgedRow, rows: readonly JudgedRow[]): Move => ({
      ...{ code, rows, between: [from, to], source, of: from, suspects, kind: `${family} ${label(to)}`, family },
      ...{ is_hidden: rows.length === 1, detail },
    });
    const isPossible = (to: JudgedRow): boolean => from !== to && cause.isPossible(from, to);
    for (const to of under)
      if (isPossible(to)) {
        if (isOver(from)) yield move(to, [from, to]);
        if (!isAny) yield move(to, [to]);
      }
    if (isOver(from)) for (const to of others) if (isPossible(to)) yield move(to, [from]);
  }
}

function* movesBetween(rows: readonly JudgedRow[], cause: MovingCause, n: number): Generator<Move> {
  for (const group of groupsOf(rows, (row) => cause.key(row).join('\n')).values())
    if (group.some((row) => row.volume_difference !== 0n)) yield* movesIn(group, cause, n);
}

function* movesOut(rows: readonly JudgedRow[], cause: LosingCause, n: number): Generator<Move> {
  const { code, source, share } = cause;
  const family = String(n);
  const detail: Move['detail'] = (_, row) => cause.detail(row);
  for (const of of rows) {
    const suspects = isOver(of) === cause.is_ours ? Number(source.count(of)) : 0;
    const kind = `${family} ${of.pricing_type}`;
    if (suspects > 0)
      yield { code, rows: [of], between: [], source, of, suspects, kind, family, share, is_hidden: false, detail };
  }
}

/** Rows with a category first: those without one take what is left. */
function byCategory(rows: readonly JudgedRow[]): readonly JudgedRow[] {
  const place = ({ category }: JudgedRow): number => (category === 'ANY' || category === '' ? 1 : 0);
  return rows.toSorted((a, b) => place(a) - place(b));
}

/** By family, how many messages may be meant in all rows, those that agree included. */
function suspectsOf(
  rows: readonly JudgedRow[],
  moving: readonly MovingCause[],
  losing: readonly LosingCause[],
): ReadonlyMap<string, number> {
  const suspects = new Map<string, number>();
  const add = (family: string, count: bigint): void => {
    if (count > 0n) suspects.set(family, (suspects.get(family) ?? 0) + Number(count));
  };
  for (const [n, { source, label }] of moving.entries())
    for (const row of rows) add(`${n} ${label(row)}`, source.count(row));
  for (const [n, { source }] of losing.entries()) {
    const family = String(moving.length + n);
    if (source.total === undefined) for (const row of rows) add(family, source.count(row));
    else add(family, source.total());
  }
  return suspects;
}

/** The share of the suspects of each kind that were counted otherwise, learned from what was assigned. */
function learn(
  moves: readonly Move[],
  suspects: ReadonlyMap<string, number>,
  assigned: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  for (const { kind, family } of moves) {
    if (shares.has(kind)) continue;
    const moved = (assigned.get(kind) ?? 0) + PRIOR_MESSAGES * PRIOR_SHARE;
    shares.set(kind, Math.min(1, moved / ((suspects.get(family) ?? 0) + PRIOR_MESSAGES)));
  }
  return shares;
}

/**
 * How well a move explains each message of its rows: the logarithm of how much likelier the differences are with it
 * than without it, if the messages of a kind are counted otherwise one by one with the share of the kind.
 */
function gainOf({ rows, suspects, share, kind, is_hidden }: Move, shares: ReadonlyMap<string, number>): number {
  const size = Number(rows.map((row) => sizeOf(row.volume_difference)).reduce(smaller));
  const expected = suspects * (share ?? shares.get(kind) ?? PRIOR_SHARE);
  return (Math.log(expected / Math.min(size, suspects)) + 1 + (is_hidden ? HIDDEN : 0)) / rows.length;
}

interface Taken {
  readonly move: Move;
  readonly volume: bigint;
}

/** Takes moves, the best first, as long as their rows differ and their messages are there. */
function assign(
  moves: readonly Move[],
  shares: ReadonlyMap<string, number>,
  differences: ReadonlyMap<JudgedRow, bigint>,
): readonly Taken[] {
  const rank = ({ code }: Move): number => EXPLANATION_CODES.indexOf(code);
  const ordered = moves
    .filter(({ is_hidden, kind }) => !is_hidden || (shares.get(kind) ?? 0) >= MIN_SHARE_HIDDEN)
    .map((move) => ({ move, gain: gainOf(move, shares) }))
    .sort((a, b) => b.gain - a.gain || rank(a.move) - rank(b.move));
  const left = new Map(differences);
  const taken: Taken[] = [];
  for (const { move } of ordered) {
    const wanted = move.rows.map((row) => left.get(row) ?? 0n).reduce(smaller);
    if (wanted === 0n) continue;
    const volume = move.source.take(move.of, wanted);
    if (volume === 0n) continue;
    for (const row of move.rows) left.set(row, (left.get(row) ?? 0n) - volume);
    taken.push({ move, volume });
  }
  return taken;
}

const MADE_UP_FOR = 'There something else makes up for it.';

/** What is assigned to each row, with one text for each of its causes. */
function* told(taken: readonly Taken[]): Generator<Assigned> {
  const byRow = new Map<JudgedRow, Map<string, Taken[]>>();
  for (const one of taken)
    for (const row of one.move.rows) {
      const causes = byRow.get(row) ?? new Map<string, Taken[]>();
      byRow.set(row, causes);
      causes.set(one.move.code, [...(causes.get(one.move.code) ?? []), one]);
    }
  for (const [row, causes] of byRow)
    for (const parts of causes.values()) {
      const [first] = parts;
      if (first === undefined) continue;
      const others = parts.flatMap(({ move }) => move.between.filter((one) => one !== row));
      const volume = parts.reduce((sum, part) => sum + part.volume, 0n);
      const detail = first.move.detail(others, row);
      const isHidden = parts.every(({ move }) => move.is_hidden);
      yield { code: first.move.code, row, volume, detail: isHidden ? `${detail} ${MADE_UP_FOR}` : detail };
    }
}

/**
 * Assigns the differences of rows to causes. A row may differ for several reasons, and one message that is counted in
 * another row makes two rows differ. So it is learned from the whole month which causes are at work: of the messages
 * that a cause suspects, the share that is missing or moved. What is likeliest by these shares is assigned first. No
 * row is assigned more than its difference, and no message twice by one cause.
 * @param rows all rows of the month
 * @param differences what is to be explained of each row that differs; sizes
 * @param reset makes all messages of the evidence available again
 */
export function assignDifferences(
  rows: readonly JudgedRow[],
  differences: ReadonlyMap<JudgedRow, bigint>,
  moving: readonly MovingCause[],
  losing: readonly LosingCause[],
  reset: () => void,
): Iterable<Assigned> {
  const differing = byCategory([...differences.keys()]);
  const moves = [
    ...moving.flatMap((cause, n) => [...movesBetween(rows, cause, n)]),
    ...losing.flatMap((cause, n) => [...movesOut(differing, cause, moving.length + n)]),
  ];
  const suspects = suspectsOf(rows, moving, losing);
  let assigned: ReadonlyMap<string, number> = new Map();
  let taken: readonly Taken[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    reset();
    taken = assign(moves, learn(moves, suspects, assigned), differences);
    const sums = new Map<string, number>();
    for (const { move, volume } of taken)
      if (!move.is_hidden) sums.set(move.kind, (sums.get(move.kind) ?? 0) + Number(volume));
    assigned = sums;
  }
  return told(taken);
}

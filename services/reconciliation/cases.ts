import type { CaseAction, CaseResolution, CaseState, OpenReason } from '@ctwa-ledger/schemas/cases.ts';
import { EXPLANATION_CODES, type ExplanationCode } from '@ctwa-ledger/schemas/meta.ts';

const DAY_MS = 86_400_000;

/** How much a case differs on one day, row by row. Amounts are of the twelfth decimal. */
export interface DaySize {
  readonly rows: number;
  readonly volume: bigint;
  /** Of the rows of which both costs are known. */
  readonly cost: bigint;
}

/** How much a case differed in one evaluation. */
export interface CaseSize {
  readonly rows: number;
  readonly volume_difference: bigint;
  readonly gross_volume: bigint;
  /** Null: of no row both costs are known. */
  readonly cost_difference: bigint | null;
  readonly gross_cost: bigint | null;
  readonly unknown_costs: number;
  /** Of its rows, as they are kept. */
  readonly checksum: string;
  /** By day; the empty one stands for the month where Meta's points are of all of it. */
  readonly days: ReadonlyMap<string, DaySize>;
}

/** What an evaluation was made of, each as a fingerprint. */
export interface Sources {
  readonly imports: string;
  readonly cards: string;
  readonly account: string;
  readonly events: string;
}

/** A month held against Meta's numbers at one moment: a pass has no case. */
export interface Evaluation {
  readonly evaluation_id: string;
  /** Unix milliseconds. */
  readonly at: number;
  /** Days that Meta's side says nothing of. */
  readonly missing_days: readonly string[];
  readonly sources: Sources;
  readonly cases: ReadonlyMap<ExplanationCode, CaseSize>;
}

/** What somebody decided on a case. Of two of one revision the first holds. */
export interface Decision {
  readonly decision_id: string;
  readonly revision: number;
  /** Unix milliseconds. */
  readonly at: number;
  readonly action: CaseAction;
  readonly by: string;
  readonly note: string;
  /** `accept`: the last day on which it holds, UTC. */
  readonly until: string;
  readonly assignee: string;
  readonly evaluation_id: string;
  /** The closing that held then; empty: the month was open. */
  readonly period_id: string;
}

/** Where a case stands. */
export interface Standing {
  readonly state: CaseState;
  /** Null where it is not open. */
  readonly open_because: OpenReason | null;
  readonly first_seen: number;
  readonly last_seen: number;
  /** When it last differed. */
  readonly size: CaseSize;
  /** Of the evaluation in which it last differed. */
  readonly seen_in: Evaluation;
  /** Whether Meta's numbers are there for its days. */
  readonly is_known: boolean;
  readonly assignee: string;
  /** What decided the state last; null: nobody did. */
  readonly decided: Decision | null;
  /** What was accepted, as it was then; null where it is not accepted. */
  readonly accepted: CaseSize | null;
  readonly resolved_at: number | null;
  readonly resolved_by: readonly CaseResolution[];
  readonly comments: number;
}

/** Whether a case differs on some day by more than was accepted. */
function isGrown(size: CaseSize, accepted: CaseSize): boolean {
  return [...size.days].some(([day, one]) => {
    const known = accepted.days.get(day);
    return known === undefined || one.rows > known.rows || one.volume > known.volume || one.cost > known.cost;
  });
}

/** Whether Meta's side still says something of all days of a case: what it does not speak of has not come right. */
function isAnswered({ days }: CaseSize, { missing_days }: Evaluation): boolean {
  return !missing_days.some((day) => days.has(day) || days.has(''));
}

/** Whether another case grew on the days of one that is gone: then its rows differ still, and are explained otherwise. */
function isElsewhere(code: ExplanationCode, gone: CaseSize, before: Evaluation, now: Evaluation): boolean {
  return [...now.cases].some(
    ([other, { days }]) =>
      other !== code &&
      [...days].some(
        ([day, { rows }]) => gone.days.has(day) && rows > (before.cases.get(other)?.days.get(day)?.rows ?? 0),
      ),
  );
}

const SOURCES = [
  ['imports', 'restatement'],
  ['cards', 'rate_card'],
  ['account', 'account'],
  ['events', 'late_events'],
] as const;

function resolutionsOf(code: ExplanationCode, { size, seen_in }: Standing, now: Evaluation): CaseResolution[] {
  const changed = SOURCES.filter(([source]) => seen_in.sources[source] !== now.sources[source]);
  const found: CaseResolution[] = [
    ...(isElsewhere(code, size, seen_in, now) ? (['other_explanation'] as const) : []),
    ...changed.map(([, resolution]) => resolution),
  ];
  return found.length === 0 ? ['not_known'] : found;
}

function reopened(standing: Standing, open_because: OpenReason): Standing {
  return { ...standing, state: 'open', open_because, accepted: null, resolved_at: null, resolved_by: [] };
}

/** The first moment at which an acceptance holds no more, Unix milliseconds. */
const endOf = (until: string): number => Date.parse(until) + DAY_MS;

/** An acceptance ends by time alone. */
function atTime(standing: Standing | null, at: number): Standing | null {
  if (standing?.state !== 'accepted' || at < endOf(standing.decided?.until ?? '')) return standing;
  return reopened(standing, 'expired');
}

function afterEvaluation(code: ExplanationCode, standing: Standing | null, now: Evaluation): Standing | null {
  const size = now.cases.get(code);
  if (size === undefined) {
    if (standing === null || standing.state === 'resolved') return standing;
    if (!isAnswered(standing.size, now)) return { ...standing, is_known: false };
    return {
      ...standing,
      state: 'resolved',
      open_because: null,
      accepted: null,
      is_known: true,
      resolved_at: now.at,
      resolved_by: resolutionsOf(code, standing, now),
    };
  }
  if (standing === null)
    return {
      state: 'open',
      open_because: 'new',
      first_seen: now.at,
      last_seen: now.at,
      size,
      seen_in: now,
      is_known: true,
      assignee: '',
      decided: null,
      accepted: null,
      resolved_at: null,
      resolved_by: [],
      comments: 0,
    };
  const seen = { ...standing, last_seen: now.at, size, seen_in: now, is_known: true };
  if (standing.state === 'resolved') return reopened(seen, 'again');
  if (standing.accepted !== null && isGrown(size, standing.accepted)) return reopened(seen, 'grown');
  return seen;
}

/** What a decision makes of a case. One that came too late, because nothing differs any more, is kept and changes nothing. */
function afterDecision(standing: Standing, decision: Decision): Standing {
  switch (decision.action) {
    case 'assign':
      return { ...standing, assignee: decision.assignee };
    case 'comment':
      return { ...standing, comments: standing.comments + 1 };
    case 'acknowledge':
    case 'accept':
    case 'reopen':
      if (standing.state === 'resolved') return standing;
      break;
  }
  const decided = { ...standing, decided: decision };
  switch (decision.action) {
    case 'acknowledge':
      return { ...decided, state: 'acknowledged', open_because: null, accepted: null };
    case 'accept':
      return { ...decided, state: 'accepted', open_because: null, accepted: standing.size };
    case 'reopen':
      return standing.state === 'open' ? standing : reopened(decided, 'taken_back');
  }
}

/** The decisions that hold, one of each revision, in their order. */
export function decisionsInForce(decisions: readonly Decision[]): readonly Decision[] {
  const ordered = decisions.toSorted((a, b) => a.at - b.at || (a.decision_id < b.decision_id ? -1 : 1));
  const first = new Map<number, Decision>();
  for (const one of ordered) if (!first.has(one.revision)) first.set(one.revision, one);
  return [...first.values()].toSorted((a, b) => a.revision - b.revision);
}

/**
 * Where a case stands, from what was evaluated and decided in its order; null: it never differed. Pure: the same lists
 * and the same moment give the same answer.
 * @param now Unix milliseconds
 */
export function standingOf(
  code: ExplanationCode,
  evaluations: readonly Evaluation[],
  decisions: readonly Decision[],
  now: number,
): Standing | null {
  const steps = [
    ...evaluations.map((evaluation) => ({ at: evaluation.at, evaluation })),
    ...decisionsInForce(decisions).map((decision) => ({ at: decision.at, decision })),
  ].toSorted((a, b) => a.at - b.at || ('evaluation' in a ? 0 : 1) - ('evaluation' in b ? 0 : 1));
  let standing: Standing | null = null;
  for (const step of steps) {
    standing = atTime(standing, step.at);
    if ('evaluation' in step) standing = afterEvaluation(code, standing, step.evaluation);
    else if (standing !== null) standing = afterDecision(standing, step.decision);
  }
  return atTime(standing, now);
}

/** The explanations that ever were a case of a month, in their usual order. */
export function codesIn(evaluations: readonly Evaluation[]): readonly ExplanationCode[] {
  const known = new Set(evaluations.flatMap(({ cases }) => [...cases.keys()]));
  return EXPLANATION_CODES.filter((code) => known.has(code));
}

/** Whole days from when a case was first seen until it was resolved, or now. */
export function ageDays({ first_seen, resolved_at }: Standing, now: number): number {
  return Math.max(0, Math.floor(((resolved_at ?? now) - first_seen) / DAY_MS));
}

/** Days of age of the cases that are not resolved, weighted by their amounts; null where none has one. One currency. */
export function weightedAge(standings: readonly Standing[], now: number): number | null {
  const open = standings.filter(({ state, size }) => state !== 'resolved' && (size.gross_cost ?? 0n) > 0n);
  const total = open.reduce((sum, { size }) => sum + (size.gross_cost ?? 0n), 0n);
  if (total === 0n) return null;
  const weighted = open.reduce((sum, one) => sum + (one.size.gross_cost ?? 0n) * BigInt(ageDays(one, now)), 0n);
  // Tenths of a day: a ratio, and no amount any more.
  return Number((weighted * 10n) / total) / 10;
}

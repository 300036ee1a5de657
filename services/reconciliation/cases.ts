import type { CaseAction, CaseResolution, CaseState, OpenReason } from '@ctwa-ledger/schemas/cases.ts';
import { EXPLANATION_CODES, type ExplanationCode } from '@ctwa-ledger/schemas/meta.ts';

const DAY_MS = 86_400_000;

/** By how much a case differs on one day, summed over its rows. Amounts have twelve decimals. */
export interface DaySize {
  readonly rows: number;
  readonly volume: bigint;
  /** Over the rows with both costs. */
  readonly cost: bigint;
}

/** The size of a case in one evaluation. */
export interface CaseSize {
  readonly rows: number;
  readonly volume_difference: bigint;
  readonly gross_volume: bigint;
  /** Null when no row has both costs. */
  readonly cost_difference: bigint | null;
  readonly gross_cost: bigint | null;
  readonly unknown_costs: number;
  /** Checksum of its stored rows. */
  readonly checksum: string;
  /** By day. The empty day stands for the month, if Meta's points are for the whole month. */
  readonly days: ReadonlyMap<string, DaySize>;
}

/** The sources of an evaluation, each as a fingerprint. */
export interface Sources {
  readonly imports: string;
  readonly cards: string;
  readonly account: string;
  readonly events: string;
}

/** A month held against Meta's numbers at one moment. If nothing differs it has no case. */
export interface Evaluation {
  readonly evaluation_id: string;
  /** Unix milliseconds. */
  readonly at: number;
  /** Days that Meta's numbers do not cover. */
  readonly missing_days: readonly string[];
  readonly sources: Sources;
  readonly cases: ReadonlyMap<ExplanationCode, CaseSize>;
}

/** A person's decision on a case. Of two with one revision the first is in force. */
export interface Decision {
  readonly decision_id: string;
  readonly revision: number;
  /** Unix milliseconds. */
  readonly at: number;
  readonly action: CaseAction;
  readonly by: string;
  readonly note: string;
  /** `accept`: the last day of the acceptance, UTC. */
  readonly until: string;
  readonly assignee: string;
  readonly evaluation_id: string;
  /** The closing in force at that time; empty when the month was open. */
  readonly period_id: string;
}

/** The current state of a case. */
export interface Standing {
  readonly state: CaseState;
  /** Null when it is not open. */
  readonly open_because: OpenReason | null;
  readonly first_seen: number;
  readonly last_seen: number;
  /** Its size when it last differed. */
  readonly size: CaseSize;
  /** The evaluation in which it last differed. */
  readonly seen_in: Evaluation;
  /** Whether Meta's numbers cover its days. */
  readonly is_known: boolean;
  readonly assignee: string;
  /** The decision that last set its state; null when there is none. */
  readonly decided: Decision | null;
  /** The accepted size; null when it is not accepted. */
  readonly accepted: CaseSize | null;
  readonly resolved_at: number | null;
  readonly resolved_by: readonly CaseResolution[];
  readonly comments: number;
}

/** Whether a case exceeds the accepted size on some day. */
function isGrown(size: CaseSize, accepted: CaseSize): boolean {
  return [...size.days].some(([day, one]) => {
    const known = accepted.days.get(day);
    return known === undefined || one.rows > known.rows || one.volume > known.volume || one.cost > known.cost;
  });
}

/** Whether Meta's numbers still cover all days of a case: a difference that cannot be compared is not resolved. */
function isAnswered({ days }: CaseSize, { missing_days }: Evaluation): boolean {
  return !missing_days.some((day) => days.has(day) || days.has(''));
}

/** Whether another case grew on the days of one that is gone: its rows then still differ, with another explanation. */
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

/** The first moment after an acceptance, Unix milliseconds. */
const endOf = (until: string): number => Date.parse(until) + DAY_MS;

/** The state at a later time: an acceptance ends by time alone. */
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

/** The state after a decision. A decision on a case that no longer differs is stored and changes nothing. */
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

/** The decisions in force, one for each revision, in order. */
export function decisionsInForce(decisions: readonly Decision[]): readonly Decision[] {
  const ordered = decisions.toSorted((a, b) => a.at - b.at || (a.decision_id < b.decision_id ? -1 : 1));
  const first = new Map<number, Decision>();
  for (const one of ordered) if (!first.has(one.revision)) first.set(one.revision, one);
  return [...first.values()].toSorted((a, b) => a.revision - b.revision);
}

/**
 * The state of a case, from its evaluations and decisions in order; null when it never differed. Pure: the same lists
 * and the same time give the same answer.
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

/** All explanations that were ever a case of a month, in their usual order. */
export function codesIn(evaluations: readonly Evaluation[]): readonly ExplanationCode[] {
  const known = new Set(evaluations.flatMap(({ cases }) => [...cases.keys()]));
  return EXPLANATION_CODES.filter((code) => known.has(code));
}

/** Whole days from the first evaluation of a case until it was resolved, or until now. */
export function ageDays({ first_seen, resolved_at }: Standing, now: number): number {
  return Math.max(0, Math.floor(((resolved_at ?? now) - first_seen) / DAY_MS));
}

/** Age in days of the cases that are not resolved, weighted by their amounts; null when none has one. One currency. */
export function weightedAge(standings: readonly Standing[], now: number): number | null {
  const open = standings.filter(({ state, size }) => state !== 'resolved' && (size.gross_cost ?? 0n) > 0n);
  const total = open.reduce((sum, { size }) => sum + (size.gross_cost ?? 0n), 0n);
  if (total === 0n) return null;
  const weighted = open.reduce((sum, one) => sum + (one.size.gross_cost ?? 0n) * BigInt(ageDays(one, now)), 0n);
  // Tenths of a day. It is a ratio and no amount, so a JavaScript number is allowed.
  return Number((weighted * 10n) / total) / 10;
}

import { randomBytes } from 'node:crypto';
import {
  CASE_ACTIONS,
  MAX_ACCEPTED_DAYS,
  type CaseAction,
  type CaseDecision,
  type CaseRow,
  type CasesOfMonth,
  type CaseState,
  type WorkedCase,
} from '@ctwa-ledger/schemas/cases.ts';
import { EXPLANATION_CODES, type ExplanationCode } from '@ctwa-ledger/schemas/meta.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { CLOSINGS_IN_FORCE } from '../reports/closings.ts';
import { amountText } from './amounts.ts';
import { findCases, readSizes, readSources, sizesText, sourcesSchema, type FoundCase } from './case-evaluation.ts';
import {
  ageDays,
  codesIn,
  decisionsInForce,
  standingOf,
  weightedAge,
  type CaseSize,
  type Decision,
  type Evaluation,
  type Sources,
  type Standing,
} from './cases.ts';
import { isDifferent } from './judgement.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { reconcileMonth, type AskedMonth, type ReconciledMonth } from './reconcile.ts';

/** Evaluations and decisions are made by one process at a time, so that each one knows the earlier ones. */
const LEASES = { evaluation: 'case-evaluations', decision: 'case-decisions' } as const;
const DAY_MS = 86_400_000;

const evaluationRow = z.object({
  evaluation_id: z.string(),
  at: z.coerce.number(),
  missing_days: z.array(z.string()),
  sources: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(sourcesSchema),
  cases: z.string().transform(readSizes),
});

/** The evaluations of a month, oldest first. */
function readEvaluations(database: Database, { waba_id, month }: AskedMonth): Promise<Evaluation[]> {
  return database.query(
    evaluationRow,
    `SELECT evaluation_id, toUnixTimestamp64Milli(case_evaluations.evaluated_at) AS at,
       arrayMap(day -> toString(day), missing_days) AS missing_days, sources, cases
     FROM case_evaluations FINAL WHERE waba_id = {waba_id:String} AND month = {first_day:Date}
     ORDER BY case_evaluations.evaluated_at, evaluation_id`,
    { waba_id, first_day: `${month}-01` },
  );
}

const decisionRow = z.object({
  explanation: z.enum(EXPLANATION_CODES),
  decision_id: z.string(),
  revision: z.number(),
  at: z.coerce.number(),
  action: z.enum(CASE_ACTIONS),
  by: z.string(),
  note: z.string(),
  until: z.string(),
  assignee: z.string(),
  evaluation_id: z.string(),
  period_id: z.string(),
});
type DecisionRow = z.infer<typeof decisionRow>;

function readDecisions(database: Database, { waba_id, month }: AskedMonth): Promise<DecisionRow[]> {
  return database.query(
    decisionRow,
    `SELECT toString(explanation) AS explanation, decision_id, revision,
       toUnixTimestamp64Milli(case_decisions.decided_at) AS at, toString(action) AS action, decided_by AS by, note, until,
       assignee, evaluation_id, period_id
     FROM case_decisions FINAL WHERE waba_id = {waba_id:String} AND month = {first_day:Date}
     ORDER BY revision, case_decisions.decided_at, decision_id`,
    { waba_id, first_day: `${month}-01` },
  );
}

/** All evaluations and decisions of a month. */
interface History {
  readonly evaluations: readonly Evaluation[];
  readonly decisions: readonly DecisionRow[];
}

async function readHistory(database: Database, asked: AskedMonth): Promise<History> {
  const [evaluations, decisions] = await Promise.all([
    readEvaluations(database, asked),
    readDecisions(database, asked),
  ]);
  return { evaluations, decisions };
}

const of = ({ decisions }: History, code: ExplanationCode): Decision[] =>
  decisions.filter(({ explanation }) => explanation === code);

/** The parts of a month held against Meta's numbers that cases are made from. */
export interface HeldCases extends Pick<ReconciledMonth, 'waba_id' | 'month' | 'currency' | 'missing_days'> {
  readonly cases: ReadonlyMap<ExplanationCode, CaseSize>;
}

function sizesOf(found: ReadonlyMap<ExplanationCode, FoundCase>): HeldCases['cases'] {
  return new Map([...found].map(([code, { size }]) => [code, size]));
}

export function heldCases(held: ReconciledMonth): HeldCases {
  const { waba_id, month, currency, missing_days } = held;
  return { waba_id, month, currency, missing_days, cases: sizesOf(findCases(held)) };
}

/** Why a month is evaluated, as stored. `background`: not requested; one of its sources has changed. */
export type EvaluationPurpose = 'reconcile' | 'background' | 'decision' | 'close';

/**
 * Whether an evaluation repeats the one before, with the same imports, cards and account. Today's traffic changes the
 * sources of a month every minute, but almost never the result.
 */
function saysTheSame(before: Evaluation | undefined, held: ReconciledMonth, sources: Sources, sizes: string): boolean {
  return (
    before !== undefined &&
    before.sources.imports === sources.imports &&
    before.sources.cards === sources.cards &&
    before.sources.account === sources.account &&
    before.missing_days.join() === held.missing_days.join() &&
    sizesText(before.cases) === sizes
  );
}

/**
 * Holds a month against Meta's numbers and stores the result, also if nothing differs. A month that Meta's numbers
 * never covered is not stored. A background result without news is stored once a day. Settle the charges first.
 */
export async function evaluateMonth(
  database: Database,
  asked: AskedMonth,
  { purpose, by }: { readonly purpose: EvaluationPurpose; readonly by: string },
): Promise<ReconciledMonth> {
  return oneAtATime(database, LEASES.evaluation, 'the cases', async () => {
    const sources = await readSources(database, asked);
    const held = await reconcileMonth(database, asked);
    const before = await readEvaluations(database, asked);
    if (held.taken_at.size === 0 && before.length === 0) return held;
    const found = findCases(held);
    const sizes = sizesText(sizesOf(found));
    const last = before.at(-1);
    const isFresh = last !== undefined && Date.now() - last.at < DAY_MS;
    if (purpose === 'background' && isFresh && saysTheSame(last, held, sources, sizes)) return held;
    const evaluation_id = randomBytes(8).toString('hex');
    // Written before the evaluation that refers to them.
    await database.insertLines(
      'case_rows',
      ['checksum', 'rows'],
      [...found.values()].map(({ size, rows }) => `${JSON.stringify([size.checksum, rows])}\n`).join(''),
    );
    const different = held.rows.filter(({ row }) => isDifferent(row.status)).length;
    await database.insertLines(
      'case_evaluations',
      [
        ...['waba_id', 'month', 'evaluation_id', 'purpose', 'evaluated_by', 'currency'],
        ...['rows', 'different', 'missing_days', 'sources', 'cases'],
      ],
      `${JSON.stringify([
        ...[asked.waba_id, `${asked.month}-01`, evaluation_id, purpose, by, held.currency],
        ...[held.rows.length, different, held.missing_days, JSON.stringify(sources), sizes],
      ])}\n`,
    );
    return held;
  });
}

const utc = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}+00:00`;

function rowOf({ waba_id, month, currency }: HeldCases, code: ExplanationCode, one: Standing, now: number): CaseRow {
  const { size, decided } = one;
  return {
    waba_id,
    month,
    explanation: code,
    state: one.state,
    open_because: one.open_because ?? '',
    rows: size.rows,
    volume_difference: size.volume_difference.toString(),
    gross_volume_difference: size.gross_volume.toString(),
    currency,
    cost_difference: size.cost_difference === null ? null : amountText(size.cost_difference),
    gross_cost_difference: size.gross_cost === null ? null : amountText(size.gross_cost),
    unknown_costs: size.unknown_costs,
    assignee: one.assignee,
    first_seen_at: utc(one.first_seen),
    last_seen_at: utc(one.last_seen),
    age_days: ageDays(one, now),
    decided_by: decided?.by ?? '',
    decided_at: decided === null ? null : utc(decided.at),
    note: decided?.note ?? '',
    accepted_until: one.state === 'accepted' ? (decided?.until ?? '') : '',
    resolved_at: one.resolved_at === null ? null : utc(one.resolved_at),
    resolved_by: one.resolved_by.join(' '),
    comments: one.comments,
    is_known: one.is_known,
  };
}

/** The version of a case that a decision refers to: the number of decisions on it, and a checksum of its rows. */
function seenOf(history: History, code: ExplanationCode, { size }: Standing): string {
  return `${lastRevision(of(history, code))}-${size.checksum.slice(0, 16)}`;
}

const lastRevision = (decisions: readonly Decision[]): number =>
  decisions.reduce((highest, { revision }) => Math.max(highest, revision), 0);

/** The cases of a month that was just held against Meta's numbers, with earlier evaluations and decisions. */
export async function casesOf(database: Database, held: HeldCases, now: number): Promise<CasesOfMonth> {
  const { waba_id, month, currency, missing_days, cases: sizes } = held;
  const asked = { waba_id, month };
  const [history, sources] = await Promise.all([readHistory(database, asked), readSources(database, asked)]);
  // Later than all earlier ones, whatever the clocks of processes say.
  const at = Math.max(now, ...[...history.evaluations, ...history.decisions].map((one) => one.at));
  const evaluations = [...history.evaluations, { evaluation_id: '', at, missing_days, sources, cases: sizes }];
  const standings = codesIn(evaluations).flatMap((code) => {
    const standing = standingOf(code, evaluations, of(history, code), now);
    return standing === null ? [] : [{ code, standing }];
  });
  const cases = standings.map(({ code, standing }): WorkedCase => ({
    ...rowOf(held, code, standing, now),
    seen: seenOf(history, code, standing),
    history: decisionsInForce(of(history, code)).map(({ at, by, action, note, until, assignee, period_id }) => ({
      at: utc(at),
      ...{ by, action, note, until, assignee, period_id },
    })),
  }));
  const all = standings.map(({ standing }) => standing);
  return { waba_id, month, currency, cases, weighted_age_days: weightedAge(all, now) };
}

/** The cases of a month of an account. Settle the charges first. */
export async function casesOfMonth(database: Database, asked: AskedMonth, now: number): Promise<CasesOfMonth> {
  return casesOf(database, heldCases(await reconcileMonth(database, asked)), now);
}

/** The result of a decision; `unchanged`: it repeats the last one, and nothing has happened since. */
export interface Decided {
  readonly outcome: 'decided' | 'unchanged';
  readonly case: WorkedCase;
}

const nameOf = ({ explanation, month, waba_id }: CaseDecision): string =>
  `Case ${explanation} of ${month} of account ${waba_id}`;

/** @throws ActionableError when the case does not allow the decision */
function refuseWrong(decision: CaseDecision, { state }: Standing, now: number): void {
  const { action, until = '' } = decision;
  if (state === 'resolved' && action !== 'assign' && action !== 'comment')
    throw new ActionableError(
      `${nameOf(decision)} is resolved: nothing differs any more, so there is nothing to ${action}.`,
    );
  if (action === 'reopen' && state === 'open') throw new ActionableError(`${nameOf(decision)} is open already.`);
  if (action !== 'accept') return;
  const today = new Date(now).toISOString().slice(0, 10);
  const last = new Date(now + MAX_ACCEPTED_DAYS * DAY_MS).toISOString().slice(0, 10);
  if (until < today || until > last)
    throw new ActionableError(
      `until ${until} is not a day from ${today} to ${last}: an acceptance ends within a year.`,
    );
}

/** The state after an action; null = the action does not change it. */
const STATE_AFTER: Readonly<Record<CaseAction, CaseState | null>> = {
  acknowledge: 'acknowledged',
  accept: 'accepted',
  reopen: 'open',
  assign: null,
  comment: null,
};

/** Whether the last decision on a case was the same one and is still in force. */
function isRepeated(decision: CaseDecision, last: Decision | undefined, { state }: Standing): boolean {
  const { action, by, note, until = '', assignee = '' } = decision;
  return (
    last?.action === action &&
    (STATE_AFTER[action] ?? state) === state &&
    last.by === by &&
    last.note === note &&
    last.until === until &&
    last.assignee === assignee
  );
}

/** Whether a case has changed since the person saw it. Comments are accepted in any case. */
function isOutdated({ seen, action }: CaseDecision, now: string): boolean {
  if (seen === undefined || action === 'comment') return false;
  const revision = (text: string): string => text.split('-')[0] ?? '';
  return action === 'assign' ? revision(seen) !== revision(now) : seen !== now;
}

/**
 * Decides on a case, or adds a comment. The evidence of that moment is stored: the month is evaluated again before a
 * decision that sets a state, and before the first comment. A closed month can be worked on too: the closing keeps its
 * checklist, and the decision names the closing.
 * @param now Unix milliseconds
 * @throws ActionableError when there is no such case, it does not allow the decision, or it has changed since the
 * person saw it
 */
export async function decideCase(database: Database, decision: CaseDecision, now: number): Promise<Decided> {
  const { waba_id, month, explanation, action, by, note, until = '', assignee = '' } = decision;
  const asked = { waba_id, month };
  const isKept = STATE_AFTER[action] !== null || (await readEvaluations(database, asked)).length === 0;
  const held = isKept
    ? await evaluateMonth(database, asked, { purpose: 'decision', by })
    : await reconcileMonth(database, asked);
  return oneAtATime(database, LEASES.decision, 'the cases', async () => {
    const history = await readHistory(database, asked);
    const before = of(history, explanation);
    const standing = standingOf(explanation, history.evaluations, before, now);
    if (standing === null)
      throw new ActionableError(
        `There is no case ${explanation} of ${month} of account ${waba_id}. See the cases with "ctwa-ledger reconcile cases --month ${month}".`,
      );
    const caseNow = async (): Promise<WorkedCase> => {
      const all = await casesOf(database, heldCases(held), now);
      const found = all.cases.find((one) => one.explanation === explanation);
      if (found === undefined) throw new TypeError(`${nameOf(decision)} is not among the cases of its month.`);
      return found;
    };
    if (isRepeated(decision, decisionsInForce(before).at(-1), standing))
      return { outcome: 'unchanged', case: await caseNow() };
    if (isOutdated(decision, seenOf(history, explanation, standing)))
      throw new ActionableError(
        `${nameOf(decision)} has changed: somebody decided on it, or it has other rows. Look at it again, then decide.`,
      );
    refuseWrong(decision, standing, now);
    const decision_id = randomBytes(8).toString('hex');
    const revision = lastRevision(before) + 1;
    await database.command(
      `INSERT INTO case_decisions (waba_id, month, explanation, revision, decision_id, action, decided_by, note, until, assignee, evaluation_id, period_id)
       SELECT {waba_id:String}, {first_day:Date}, {explanation:String}, {revision:UInt32}, {decision_id:String}, {action:String},
         {by:String}, {note:String}, {until:String}, {assignee:String}, {evaluation_id:String},
         (SELECT max(period_id) FROM (${CLOSINGS_IN_FORCE}) AS standing WHERE standing.waba_id = {waba_id:String} AND standing.month = {first_day:Date})
       WHERE ({waba_id:String}, {first_day:Date}, {explanation:String}, {revision:UInt32}) NOT IN
         (SELECT waba_id, month, toString(explanation), revision FROM case_decisions)`,
      {
        ...{ waba_id, first_day: `${month}-01`, explanation, revision, decision_id, action, by, note, until, assignee },
        evaluation_id: standing.seen_in.evaluation_id,
      },
    );
    // Read back: after a long pause another process may have taken this one for dead and decided meanwhile.
    const inForce = decisionsInForce(of(await readHistory(database, asked), explanation));
    if (!inForce.some((one) => one.decision_id === decision_id))
      throw new ActionableError(
        `${nameOf(decision)} was decided on by somebody else at the same moment. Look at it again.`,
      );
    return { outcome: 'decided', case: await caseNow() };
  });
}

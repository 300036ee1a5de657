import type { CaseState, CasesOfMonth } from '@ctwa-ledger/schemas/cases.ts';
import type { CountFinding, MessageCountRow, MetaControl } from '@ctwa-ledger/schemas/meta.ts';
import type { Check, CheckState, Examination, Finding } from '@ctwa-ledger/schemas/periods.ts';
import { DateTime } from 'luxon';
import { z } from 'zod';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database } from '../clickhouse/database.ts';
import { metaControls } from '../reconciliation/control-readings.ts';
import { biasesOf } from '../reconciliation/bias.ts';
import { codeOf } from '../reconciliation/case-evaluation.ts';
import { casesOf, heldCases } from '../reconciliation/case-register.ts';
import { amountText, larger, readAmount, sizeOf } from '../reconciliation/amounts.ts';
import { isDifferent } from '../reconciliation/judgement.ts';
import {
  reconcileMonth,
  sumKnown,
  summaryOf,
  type ExplainedRow,
  type ReconciledMonth,
} from '../reconciliation/reconcile.ts';
import { waitingLettersSince } from '../reports/health.ts';
import { chargeRowsSql, pricedCharges } from '../reports/charges.ts';
import { isSettled, type WrittenOff } from '../reconciliation/statement.ts';
import { writtenOff } from '../reconciliation/write-off-register.ts';
import { settledAt } from '../reconciliation/whole-days.ts';
import { LATELY_HOURS, lookForMissing, OUTCOME_DAYS, type Completeness } from './completeness.ts';
import type { AccountMonth } from './month.ts';
import { judgeMonth } from './verdict.ts';

const DAY_SECONDS = 86_400;
/** Tolerance for the rounding of a line to cents: half a cent. */
const ROUNDING_OF_A_LINE = readAmount('0.005');

type Of<Name extends Check['check']> = Extract<Check, { readonly check: Name }>;
type FindingOf<Name extends Finding['finding']> = Extract<Finding, { readonly finding: Name }>;

function findingsOf<Name extends Finding['finding']>(findings: readonly Finding[], name: Name): FindingOf<Name>[] {
  return findings.filter((one): one is FindingOf<Name> => one.finding === name);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

/** The first state whose condition holds; `passed` when none does. */
function firstOf(...states: readonly (readonly [CheckState, boolean])[]): CheckState {
  return states.find(([, holds]) => holds)?.[0] ?? 'passed';
}

/** The day of a moment in the account's zone. */
function dayAt(seconds: number, { time_zone }: AccountMonth): string {
  return DateTime.fromSeconds(seconds, { zone: time_zone }).toFormat('yyyy-MM-dd');
}

/** A month of an account with everything that its checklist needs. */
interface Examined extends Completeness {
  readonly month: AccountMonth;
  /** Unix seconds. */
  readonly now: number;
  readonly held: ReconciledMonth;
  readonly worked: CasesOfMonth;
  readonly written: WrittenOff;
}

function checkMetaNumbers({ month, now, held }: Examined): Of<'meta_numbers'> {
  const { missing_days, taken_at } = held;
  const unsettled = [...taken_at]
    .filter(([day, taken]) => taken < settledAt(day, month.time_zone) * 1_000)
    .map(([day]) => day);
  const last = unsettled.at(-1);
  const settles = last === undefined ? null : settledAt(last, month.time_zone);
  return {
    check: 'meta_numbers',
    state: firstOf(
      ['unknown', taken_at.size === 0],
      ['open', missing_days.length > 0],
      ['pending', settles !== null && now < settles],
      ['warning', settles !== null],
    ),
    days: missing_days.length + taken_at.size,
    missing_days: [...missing_days],
    unsettled_days: unsettled,
    settles_on: settles === null ? null : dayAt(settles, month),
  };
}

async function lettersAndLosses(
  database: Database,
  { from }: AccountMonth,
): Promise<{ readonly dead_letters: number; readonly lost_records: number }> {
  const [[lost], dead_letters] = await Promise.all([
    database.query(
      z.object({ records: z.coerce.number() }),
      `SELECT sum(to_offset - from_offset) AS records FROM lost_records FINAL
       WHERE noticed_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')`,
      { from: from * 1_000 },
    ),
    // Inputs first seen before the month began do not belong to it.
    waitingLettersSince(database, from),
  ]);
  return { dead_letters, lost_records: lost?.records ?? 0 };
}

/** Whether Meta counts as many messages as we do, on every day and in every row. */
function agreesWithMeta({ missing_days, rows, taken_at }: ReconciledMonth): boolean {
  return taken_at.size > 0 && missing_days.length === 0 && rows.every(({ row }) => row.volume_difference === 0n);
}

async function checkEvents(database: Database, examined: Examined): Promise<Of<'events'>> {
  const { month, findings, unwatched_numbers, held } = examined;
  const gaps = findingsOf(findings, 'gap');
  const lately = findingsOf(findings, 'stored_lately');
  const last = lately.map(({ last_stored_at }) => Date.parse(last_stored_at) / 1_000).toSorted((a, b) => a - b);
  const other = await lettersAndLosses(database, month);
  const agrees = agreesWithMeta(held);
  const settles = last.at(-1);
  return {
    check: 'events',
    state: firstOf(
      ['open', gaps.length > 0 && !agrees],
      ['unknown', !agrees && unwatched_numbers.length > 0],
      ['warning', gaps.length > 0 || other.dead_letters > 0 || other.lost_records > 0],
      ['pending', lately.length > 0],
    ),
    gaps: gaps.length,
    missing_hours: sum(gaps.map(({ missing_hours }) => missing_hours)),
    unwatched_numbers: [...unwatched_numbers],
    agrees_with_meta: agrees,
    stored_lately: sum(lately.map(({ events }) => events)),
    ...other,
    settles_on: settles === undefined ? null : dayAt(settles + LATELY_HOURS * 3_600, month),
  };
}

type Totals = Pick<
  MessageCountRow,
  'our_sent' | 'meta_sent' | 'our_delivered' | 'meta_delivered' | 'our_incoming' | 'meta_incoming'
>;

/** Sums of Meta's counts, and of ours on the same days and numbers. */
function totalsOf(counts: readonly MessageCountRow[]): Totals {
  const metas = (key: 'meta_sent' | 'meta_delivered' | 'meta_incoming'): number | null => {
    const known = counts.map((row) => row[key]).filter((n) => n !== null);
    return known.length === 0 ? null : sum(known);
  };
  const ours = (key: 'sent' | 'delivered' | 'incoming'): number =>
    sum(counts.filter((row) => row[`meta_${key}`] !== null).map((row) => row[`our_${key}`]));
  return {
    our_sent: ours('sent'),
    meta_sent: metas('meta_sent'),
    our_delivered: ours('delivered'),
    meta_delivered: metas('meta_delivered'),
    our_incoming: ours('incoming'),
    meta_incoming: metas('meta_incoming'),
  };
}

function checkCounts({ held }: Examined): Of<'counts'> | null {
  const { counts, taken_at, missing_days: without } = held;
  if (counts.length === 0) return null;
  const found = (finding: CountFinding): number => counts.filter((row) => row.finding === finding).length;
  const days = taken_at.size + without.length;
  const missing_days = days - new Set(counts.map(({ day }) => day)).size;
  const [gap, other_responder, missing] = [found('gap'), found('other_responder'), found('missing')];
  const [outcomes, surplus] = [found('outcomes'), found('surplus')];
  return {
    check: 'counts',
    state: firstOf(
      ['open', gap + missing + outcomes + surplus > 0],
      ['warning', other_responder > 0 || missing_days > 0],
    ),
    ...{ days, missing_days, rows: counts.length, gap, other_responder, missing, outcomes, surplus },
    ...totalsOf(counts),
  };
}

async function checkControls(database: Database, { held }: Examined): Promise<Of<'controls'> | null> {
  if (held.taken_at.size === 0) return null;
  const controls = await metaControls(database, held);
  const found = (name: MetaControl): number => controls.filter(({ control }) => control === name).length;
  const [free_service, tiers, free_cost] = [found('free_service'), found('tiers'), found('free_cost')];
  const [price, max_price, restated] = [found('price'), found('max_price'), found('restated')];
  return {
    check: 'controls',
    // A maximum price is nothing wrong.
    state: firstOf(['warning', free_service + tiers + free_cost + price + restated > 0]),
    ...{ free_service, tiers, free_cost, price, max_price, restated },
  };
}

function checkOutcomes({ month, findings, now }: Examined): Of<'outcomes'> {
  const without = findingsOf(findings, 'no_outcome');
  const given_up = (sent_at: string): number => Date.parse(sent_at) / 1_000 + OUTCOME_DAYS * DAY_SECONDS;
  const last = without
    .map(({ last_sent_at }) => given_up(last_sent_at))
    .toSorted((a, b) => a - b)
    .at(-1);
  return {
    check: 'outcomes',
    state: firstOf(
      ['open', without.some(({ first_sent_at }) => given_up(first_sent_at) <= now)],
      ['pending', without.length > 0],
    ),
    messages: sum(without.map(({ messages }) => messages)),
    settles_on: last === undefined || last <= now ? null : dayAt(last, month),
  };
}

/** The expected charge of a month. */
interface Expected {
  readonly delivered: number;
  readonly unrated: number;
  /** The cost of the messages with an amount; null when none is charged. */
  readonly cost: string;
}

async function expectedCharge(database: Database, month: AccountMonth): Promise<Expected> {
  const { first_day: from, end_day: to, waba_id } = month;
  const { sql, parameters } = await pricedCharges(database, { from, to, tz: 'UTC', as_of: 0, waba_id });
  const [row] = await database.query(
    z.object({ delivered: z.coerce.number(), without: z.coerce.number(), cost: z.string() }),
    `SELECT sum(toUInt64(volume)) AS delivered, sum(toUInt64(unrated)) AS without,
        toString(sum(toDecimal128(if(billed_cost = '', '0', billed_cost), 8))) AS cost
     FROM (${chargeRowsSql(sql)})`,
    parameters,
  );
  return { delivered: row?.delivered ?? 0, unrated: row?.without ?? 0, cost: row?.cost ?? '0' };
}

/** Nothing is written off. */
const NOTHING_WRITTEN: WrittenOff = new Map();

/** Whether the case of a row is accepted. */
function isAccepted(row: ExplainedRow, { cases }: CasesOfMonth): boolean {
  const code = codeOf(row);
  return cases.some(({ explanation, state }) => explanation === code && state === 'accepted');
}

function checkDifferences({ held, worked, written }: Examined): Of<'differences'> {
  const { rows, missing_days, currency, taken_at } = held;
  const summary = summaryOf(held);
  const differing = rows.filter(({ row }) => isDifferent(row.status));
  const unexplained = differing.filter((row) => !isSettled(row, NOTHING_WRITTEN));
  const left = unexplained.filter((row) => !isSettled(row, written));
  const accepted = left.filter((row) => isAccepted(row, worked)).length;
  const biases = biasesOf(held);
  const no_cost = rows.filter(({ row }) => row.status === 'no_cost').length;
  return {
    check: 'differences',
    state: firstOf(
      ['unknown', taken_at.size === 0],
      ['open', accepted < left.length],
      ['unknown', missing_days.length > 0],
      ['warning', differing.length > 0 || no_cost > 0 || biases.length > 0],
    ),
    rows: rows.length,
    different: differing.length,
    explained: differing.length - unexplained.length,
    written_off: unexplained.length - left.length,
    accepted,
    within_tolerance: summary.within_tolerance,
    biases,
    no_cost,
    missing_days: missing_days.length,
    currency,
    our_cost: summary.our_cost,
    meta_cost: summary.meta_cost,
    cost_difference: sumKnown(rows.map(({ row }) => row.cost_difference)),
  };
}

function checkCases({ held, worked: { cases } }: Examined): Of<'cases'> | null {
  if (held.taken_at.size === 0 && cases.length === 0) return null;
  const inState = (name: CaseState): number => cases.filter(({ state }) => state === name).length;
  const resolved = inState('resolved');
  return {
    check: 'cases',
    // Unresolved cases are a warning here. Whether a difference is a break is decided by the item of the differences.
    state: firstOf(['warning', resolved < cases.length]),
    open: inState('open'),
    acknowledged: inState('acknowledged'),
    accepted: inState('accepted'),
    resolved,
  };
}

const invoicedRow = z.object({
  is_own: z.number(),
  currency: z.string(),
  lines: z.coerce.number(),
  amount: z.string(),
});

/** Lines that are charges for a month, by currency, on invoices of the account and on those without an account. */
function invoicedCharges(
  database: Database,
  { waba_id, first_day }: AccountMonth,
): Promise<z.infer<typeof invoicedRow>[]> {
  return database.query(
    invoicedRow,
    `SELECT toUInt8(waba_id != '') AS is_own, toString(invoice_lines.currency) AS currency, count() AS lines, toString(sum(amount)) AS amount
     FROM (SELECT * FROM invoice_lines FINAL WHERE month = {first_day:Date} AND kind = 'charge') AS invoice_lines
     INNER JOIN (SELECT import_id, waba_id FROM invoices FINAL WHERE withdrawn_at IS NULL AND waba_id IN ('', {waba_id:String})) AS held
       USING import_id
     GROUP BY is_own, currency ORDER BY currency`,
    { waba_id, first_day },
  );
}

async function checkInvoice(database: Database, { month, held }: Examined, expected: Expected): Promise<Of<'invoice'>> {
  const { currency } = held;
  const charges = await invoicedCharges(database, month);
  const own = charges.filter(({ is_own }) => is_own === 1);
  const found = own.find((one) => one.currency === currency);
  const metas = held.missing_days.length === 0 ? summaryOf(held).meta_cost : null;
  const against = metas ?? (expected.unrated === 0 ? expected.cost : null);
  const lines = found?.lines ?? 0;
  const difference = found === undefined || against === null ? null : readAmount(found.amount) - readAmount(against);
  const allowed = larger(ROUNDING_OF_A_LINE * BigInt(Math.max(lines, 1)), sizeOf(readAmount(against ?? '0')) / 10_000n);
  return {
    check: 'invoice',
    state: firstOf(['unknown', difference === null], ['open', difference !== null && sizeOf(difference) > allowed]),
    currency,
    invoiced: found === undefined ? null : amountText(readAmount(found.amount)),
    lines,
    held_against: against === null ? null : metas === null ? 'expected' : 'meta',
    amount: against === null ? null : amountText(readAmount(against)),
    difference: difference === null ? null : amountText(difference),
    unassigned_lines: sum(charges.filter(({ is_own }) => is_own === 0).map((one) => one.lines)),
    other_currencies: own.map((one) => one.currency).filter((one) => one !== currency),
  };
}

function checkClosedOnce({ findings }: Examined): Of<'closed_once'> {
  const before = findingsOf(findings, 'closed_before');
  return {
    check: 'closed_once',
    state: firstOf(['open', before.length > 0]),
    messages: sum(before.map(({ messages }) => messages)),
    months: [...new Set(before.map((one) => one.month))],
  };
}

/**
 * The checklist of a month of an account, and the verdict. Settle the charges first.
 * @param now the clock that decides what is late or may still come, in Unix milliseconds
 * @param evaluated the month as it was just held against Meta's numbers, if it was
 */
export async function examineMonth(
  database: Database,
  month: AccountMonth,
  now: number,
  evaluated?: ReconciledMonth,
): Promise<Examination> {
  const missing = await lookForMissing(database, month, now);
  const asked = { waba_id: month.waba_id, month: month.month };
  const held = evaluated ?? (await reconcileMonth(database, asked));
  const expected = await expectedCharge(database, month);
  const accounts = (await readConfiguration(database))?.accounts ?? [];
  const has_currency = accounts.some(({ waba_id, currency }) => waba_id === month.waba_id && currency !== undefined);
  const worked = await casesOf(database, heldCases(held), now);
  const written = await writtenOff(database, held);
  const examined: Examined = { ...missing, month, now: now / 1_000, held, worked, written };
  const counts = checkCounts(examined);
  const controls = await checkControls(database, examined);
  const cases = checkCases(examined);
  const checklist: Check[] = [
    checkMetaNumbers(examined),
    await checkEvents(database, examined),
    ...(counts === null ? [] : [counts]),
    ...(controls === null ? [] : [controls]),
    checkOutcomes(examined),
    {
      check: 'prices',
      state: firstOf(['open', expected.unrated > 0 || (!has_currency && expected.delivered > 0)]),
      delivered: expected.delivered,
      unrated: expected.unrated,
      has_currency,
    },
    checkDifferences(examined),
    ...(cases === null ? [] : [cases]),
    await checkInvoice(database, examined, expected),
    checkClosedOnce(examined),
  ];
  return { ...judgeMonth(checklist), checklist, findings: missing.findings };
}

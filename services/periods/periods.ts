import { createHash, randomBytes } from 'node:crypto';
import {
  checkSchema,
  findingSchema,
  mustBeAccepted,
  periodSchema,
  periodTotalSchema,
  usedCardSchema,
  type Check,
  type ClosingRequest,
  type Examination,
  type Finding,
  type Period,
  type Verdict,
} from '@ctwa-ledger/schemas/periods.ts';
import { z } from 'zod';
import { csvText } from '../exports/csv.ts';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { underLease } from '../clickhouse/lease.ts';
import { readRatingBasis } from '../rating/basis.ts';
import { settleCharges } from '../rating/charges.ts';
import { pricedSql } from '../rating/pricing.ts';
import { placedSql } from '../rating/ratable.ts';
import { CARDS_IN_FORCE } from '../rating/rate-cards.ts';
import { evaluateMonth } from '../reconciliation/case-register.ts';
import { CLOSINGS_IN_FORCE } from '../reports/closings.ts';
import { freezeCorrections } from '../reports/corrections.ts';
import { CHARGES_COLUMNS, CHARGES_KEY, chargeRowsSql, CLOSED_CHARGE, pricedCharges } from '../reports/charges.ts';
import { examineMonth } from './checklist.ts';
import { askOrFind, needsSecondPerson, type KeptRequest } from './closing-requests.ts';
import { accountMonth, accountName, type AccountMonth } from './month.ts';

/** The lease under which one process at a time closes months. */
const LEASE = 'periods';
/** How often a month that changes during the copy is copied again. */
const ATTEMPTS = 5;
const DAY_SECONDS = 86_400;

const iso = (column: string, format: string): string => `concat(formatDateTime(${column}, '${format}'), '+00:00')`;

const LIST = `
SELECT period_id, waba_id, substring(toString(month), 1, 7) AS month, if(reopened_at IS NULL, 'closed', 'reopened') AS state,
    time_zone, ${iso('closed_periods.closed_at', '%FT%T')} AS closed_at, closed_by,
    ${iso('closed_periods.cut_off', '%FT%T')} AS cut_off, rate_cards, totals, charges, messages, checksum, findings,
    ${iso('closed_periods.reopened_at', '%FT%T')} AS reopened_at, reopened_by,
    note, reopened_because, requested_by, verdict, if(checklist = '', '[]', checklist) AS checklist
FROM closed_periods FINAL
ORDER BY closed_periods.month DESC, waba_id, closed_periods.closed_at DESC, period_id`;

function json<T>(schema: z.ZodType<T>): z.ZodType<T, string> {
  return z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);
}

const listedRow = periodSchema.extend({
  rate_cards: json(z.array(usedCardSchema)),
  totals: json(z.array(periodTotalSchema)),
  findings: json(z.array(findingSchema)),
  checklist: json(z.array(checkSchema)),
});

/** All closings, also those that were reopened: the latest month first, then by account. */
export function listPeriods(database: Database): Promise<Period[]> {
  return database.query(listedRow, LIST);
}

/**
 * Checks that a month can be closed at all.
 * @param now the clock that decides whether the month is over, in Unix milliseconds
 * @throws ActionableError when there is no such account, the month is not over in its zone, or is closed already
 */
export async function closableMonth(
  database: Database,
  waba_id: string,
  month: string,
  now: number,
): Promise<AccountMonth> {
  const found = await accountMonth(database, waba_id, month);
  if (found.to * 1_000 > now)
    throw new ActionableError(
      `${month} is not over for ${accountName(waba_id)}: it ends at midnight before ${found.end_day} in ${found.time_zone}. Close it after that.`,
    );
  const [standing] = await database.query(
    z.object({ period_id: z.string(), closed_text: z.string() }),
    `SELECT period_id, closed_text FROM (${CLOSINGS_IN_FORCE}) WHERE waba_id = {waba_id:String} AND month = {first_day:Date}`,
    { waba_id, first_day: found.first_day },
  );
  if (standing !== undefined)
    throw new ActionableError(
      `${month} of ${accountName(waba_id)} is closed already, since ${standing.closed_text}. To close it anew, reopen it first: ctwa-ledger periods reopen ${standing.period_id}`,
    );
  return found;
}

/** A copy of a month's rows. */
interface Copy {
  readonly period_id: string;
  readonly month: AccountMonth;
}

/** The live rows of charges of a month. */
async function liveRows(
  database: Database,
  { waba_id, first_day, end_day }: AccountMonth,
): Promise<{ readonly sql: string; readonly parameters: Parameters }> {
  const { sql, parameters } = await pricedCharges(database, { from: first_day, to: end_day, tz: 'UTC', as_of: 0 });
  return {
    sql: chargeRowsSql(`SELECT * FROM (${sql}) WHERE waba_id = {period_waba:String}`),
    parameters: { ...parameters, period_waba: waba_id },
  };
}

const CLOSED_ROWS = `SELECT ${CLOSED_CHARGE} FROM closed_charges FINAL WHERE period_id = {period_id:String}`;

/** A fingerprint of charges that does not depend on their order. */
async function fingerprint(database: Database, rows: string, parameters: Parameters): Promise<string> {
  const columns = CHARGES_COLUMNS.slice(0, -1).map((column) => `toString(${column})`);
  const [row] = await database.query(
    z.object({ print: z.string() }),
    `SELECT concat(toString(count()), ' ', toString(sum(sipHash64(${columns.join(', ')})))) AS print FROM (${rows})`,
    parameters,
  );
  return row?.print ?? '';
}

async function copyCharges(database: Database, { period_id, month }: Copy): Promise<void> {
  const { sql, parameters } = await liveRows(database, month);
  const columns = CHARGES_COLUMNS.slice(0, -1).join(', ');
  await database.command(
    `INSERT INTO closed_charges (period_id, ${columns})
     SELECT {period_id:String}, toDate(day), ${CHARGES_COLUMNS.slice(1, -1).join(', ')} FROM (${sql})`,
    { ...parameters, period_id },
  );
}

/** Columns that messages have under the same name before and after they are copied. */
const MESSAGE = `phone_number_id, message_id, participant, customer, sent_at, delivered_at, day, type, template_name, category, policy,
    predicted, reported, billing, conversation_id, ad_id, waba_id, market, rated_category, tier, currency, rate, unrated, tag,
    error_code, error_title, version`;

async function copyMessages(database: Database, { period_id, month }: Copy): Promise<void> {
  const basis = await readRatingBasis(database);
  // One more day on both sides, for any zone. The exact day of a message is compared later.
  const near = `waba_id = {period_waba:String} AND delivered_at >= toDateTime({near_from:UInt32}, 'UTC') AND delivered_at < toDateTime({near_to:UInt32}, 'UTC')`;
  await database.command(
    `INSERT INTO closed_messages (period_id, ${MESSAGE}, rate_card)
     SELECT {period_id:String}, ${MESSAGE}, card
     FROM (${pricedSql(placedSql(basis, near), 'rated_category')})
     WHERE day >= {first_day:Date} AND day < {end_day:Date}`,
    {
      ...basis.parameters,
      period_id,
      period_waba: month.waba_id,
      near_from: Math.max(month.from - DAY_SECONDS, 0),
      near_to: month.to + DAY_SECONDS,
      first_day: month.first_day,
      end_day: month.end_day,
    },
  );
}

/** Rows of charges that are not exactly the sums of their messages. */
async function unexplainedCharges(database: Database, period_id: string): Promise<number> {
  const decimal = (text: string): string => `toDecimal128(if(${text} = '', '0', ${text}), 8)`;
  const key = CHARGES_KEY.join(', ');
  const [row] = await database.query(
    z.object({ n: z.coerce.number() }),
    `SELECT count() AS n FROM
     (
         SELECT ${key} FROM
         (
             SELECT ${key}, toInt64(volume) AS n, ${decimal('list_cost')} AS list, ${decimal('billed_cost')} AS billed, toInt64(unrated) AS without
             FROM closed_charges FINAL WHERE period_id = {period_id:String}
             UNION ALL
             SELECT day, waba_id, phone_number_id, market, rated_category, billing, tier,
                 if(billing = 'BILLABLE', ifNull(toString(message.rate), ''), ''), currency, rate_card,
                 -1, -toDecimal128(ifNull(message.rate, 0), 8), if(billing = 'BILLABLE', -toDecimal128(ifNull(message.rate, 0), 8), 0), if(unrated = '', 0, -1)
             FROM closed_messages AS message FINAL WHERE period_id = {period_id:String}
         )
         GROUP BY ${key}
         HAVING sum(n) != 0 OR sum(list) != 0 OR sum(billed) != 0 OR sum(without) != 0
     )`,
    { period_id },
  );
  return row?.n ?? 0;
}

type UsedCard = z.infer<typeof usedCardSchema>;

/** The cards that priced the rows of a copy: list cards by the name in the rows, and tier files that were in force. */
function usedCards(database: Database, { period_id, month }: Copy): Promise<UsedCard[]> {
  const ofCopy = 'FROM closed_charges WHERE period_id = {period_id:String}';
  const tiers = `SELECT * FROM (${CARDS_IN_FORCE}) WHERE kind = 'tiers' AND currency IN (SELECT currency ${ofCopy} AND tier != '')`;
  return database.query(
    usedCardSchema,
    `SELECT card_id, toString(kind) AS kind, name, toString(effective_date) AS effective_date, checksum
     FROM (${CARDS_IN_FORCE}) AS cards
     WHERE (kind = 'list' AND (currency, concat(name, ' ', toString(cards.effective_date))) IN (SELECT currency, rate_card ${ofCopy}))
        OR card_id IN
          (SELECT card_id FROM (${tiers}) AS tiers WHERE tiers.effective_date < {end_day:Date}
             AND tiers.effective_date >= (SELECT max(earlier.effective_date) FROM (${tiers}) AS earlier WHERE earlier.effective_date <= {first_day:Date}))
     ORDER BY kind, cards.effective_date, name, card_id`,
    { period_id, first_day: month.first_day, end_day: month.end_day },
  );
}

/** The facts about a valid copy. */
interface Frozen extends Copy {
  /** Unix milliseconds. */
  readonly cut_off: number;
  readonly rate_cards: readonly UsedCard[];
}

/**
 * Copies a month inside ClickHouse. The copy is valid if the live charges are the same before it, after it and in it,
 * recomputed in between, and if its messages add up to its charges. Then it is the month as it was at the cut-off.
 * @returns null when something changed meanwhile
 */
async function tryCopy(database: Database, month: AccountMonth, clock: () => number): Promise<Frozen | null> {
  const period_id = `${month.month}-${randomBytes(6).toString('hex')}`;
  const copy = { period_id, month };
  const live = async (): Promise<string> => {
    const { sql, parameters } = await liveRows(database, month);
    return fingerprint(database, sql, parameters);
  };
  const before = await live();
  const cut_off = clock();
  await copyCharges(database, copy);
  await copyMessages(database, copy);
  await freezeCorrections(database, { period_id, waba_id: month.waba_id, month: month.month });
  const rate_cards = await usedCards(database, copy);
  await settleCharges(database);
  const copied = await fingerprint(database, CLOSED_ROWS, { period_id });
  if (copied !== before || (await live()) !== before || (await unexplainedCharges(database, period_id)) > 0)
    return null;
  return { ...copy, cut_off, rate_cards };
}

/** Removes copies that belong to no closing, because something arrived during the copy. */
async function forgetLeftovers(database: Database): Promise<void> {
  for (const table of ['closed_charges', 'closed_messages', 'closed_corrections']) {
    const rows = await database.query(
      z.object({ period_id: z.string() }),
      `SELECT DISTINCT toString(period_id) AS period_id FROM ${table} WHERE period_id NOT IN (SELECT period_id FROM closed_periods)`,
    );
    if (rows.length > 0)
      await database.command(`DELETE FROM ${table} WHERE period_id IN {leftovers:Array(String)}`, {
        leftovers: rows.map((row) => row.period_id),
      });
  }
}

/** The charges of a copy, as they will be printed. */
async function* copiedCharges(database: Database, period_id: string, closed: string): AsyncGenerator<unknown[][]> {
  const batches = database.stream(`${CLOSED_ROWS} ORDER BY ${CHARGES_KEY.join(', ')}`, { period_id });
  for await (const rows of batches) yield rows.map((row) => [...row, closed]);
}

/** The text of report `charges` for a month frozen at that time. */
const closedText = (closed_at: string): string => `closed ${closed_at}`;

/** The rows of report `charges` that a closing froze, whether it is in force or not. */
export function closedCharges(
  database: Database,
  { period_id, closed_at }: Pick<Period, 'period_id' | 'closed_at'>,
): AsyncGenerator<unknown[][]> {
  return copiedCharges(database, period_id, closedText(closed_at));
}

/** SHA-256 of the charges of a copy, as they will be printed. */
async function checksumOf(database: Database, period_id: string, closed: string): Promise<string> {
  const hash = createHash('sha256').update(csvText([CHARGES_COLUMNS]));
  for await (const rows of copiedCharges(database, period_id, closed)) hash.update(csvText(rows));
  return hash.digest('hex');
}

async function totalsOf(database: Database, period_id: string): Promise<z.infer<typeof periodTotalSchema>[]> {
  const sum = (column: string): string =>
    `toString(sum(toDecimal128(if(closed_charges.${column} = '', '0', closed_charges.${column}), 8))) AS ${column}`;
  const count = (column: string): string => `toString(sum(toUInt64(closed_charges.${column}))) AS ${column}`;
  return database.query(
    periodTotalSchema,
    `SELECT currency, ${count('volume')}, ${sum('list_cost')}, ${sum('billed_cost')}, ${sum('savings')}, ${count('unrated')}
     FROM closed_charges FINAL WHERE period_id = {period_id:String} GROUP BY currency ORDER BY currency`,
    { period_id },
  );
}

const COPIED_CHARGES = '(SELECT count() FROM closed_charges FINAL WHERE period_id = {period_id:String})';
const COPIED_MESSAGES = '(SELECT count() FROM closed_messages FINAL WHERE period_id = {period_id:String})';

async function countsOf(database: Database, period_id: string): Promise<{ charges: string; messages: string }> {
  const [row] = await database.query(
    z.object({ charges: z.string(), messages: z.string() }),
    `SELECT toString(${COPIED_CHARGES}) AS charges, toString(${COPIED_MESSAGES}) AS messages`,
    { period_id },
  );
  if (row === undefined) throw new ActionableError('The rows of the copy could not be counted. Close the month again.');
  return row;
}

/**
 * Turns a copy into a closing, unless the copy is incomplete or the month was closed meanwhile: another process may
 * have taken this one for dead after a long pause, and removed its copy.
 */
async function writePeriod(
  database: Database,
  frozen: Frozen,
  { closing, request, examination: { verdict, checklist, findings } }: Decided,
  now: number,
): Promise<void> {
  const { period_id, month } = frozen;
  const closed = closedText(`${new Date(now).toISOString().slice(0, 19)}+00:00`);
  await database.command(
    `INSERT INTO closed_periods
     SELECT {period_id:String}, {waba_id:String}, {first_day:Date}, {time_zone:String}, toDateTime({from:UInt32}, 'UTC'),
        toDateTime({to:UInt32}, 'UTC'), fromUnixTimestamp64Milli({now:Int64}, 'UTC'), {by:String},
        fromUnixTimestamp64Milli({cut_off:Int64}, 'UTC'), {rate_cards:String}, {totals:String}, {charges:UInt64},
        {messages:UInt64}, {checksum:String}, {findings:String}, NULL, '', 1,
        {note:String}, '', {verdict:String}, {checklist:String}, {requested_by:String}, {request_id:String}, now64(3, 'UTC')
     WHERE ${COPIED_CHARGES} = {charges:UInt64} AND ${COPIED_MESSAGES} = {messages:UInt64}
       AND ({waba_id:String}, {first_day:Date}) NOT IN (SELECT waba_id, month FROM (${CLOSINGS_IN_FORCE}))`,
    {
      period_id,
      waba_id: month.waba_id,
      first_day: month.first_day,
      time_zone: month.time_zone,
      from: month.from,
      to: month.to,
      now,
      by: closing.by,
      cut_off: frozen.cut_off,
      rate_cards: JSON.stringify(frozen.rate_cards),
      totals: JSON.stringify(await totalsOf(database, period_id)),
      ...(await countsOf(database, period_id)),
      checksum: await checksumOf(database, period_id, closed),
      findings: JSON.stringify(findings),
      note: closing.note ?? '',
      requested_by: request?.by ?? '',
      request_id: request?.request_id ?? '',
      verdict,
      checklist: JSON.stringify(checklist),
    },
  );
}

/** The parameters of a closing. */
export interface Closing {
  /** Empty = messages that belong to no account. */
  readonly waba_id: string;
  /** `YYYY-MM` */
  readonly month: string;
  /** The person who closes it, and their comment. */
  readonly by: string;
  readonly note?: string;
  /** Whether to close it although something may be missing. The findings are stored with it. */
  readonly accept: boolean;
}

/** A closing that nothing prevents. */
interface Decided {
  readonly closing: Closing;
  readonly examination: Examination;
  /** The request for it; null when none was needed. */
  readonly request: KeptRequest | null;
}

/**
 * `requested`: nothing was closed, because a second person has to. `incomplete`: nothing was closed, because of the
 * findings or the checklist.
 */
export type ClosingOutcome =
  | { readonly outcome: 'requested'; readonly request: ClosingRequest }
  | { readonly outcome: 'closed'; readonly period: Period }
  | {
      readonly outcome: 'incomplete';
      readonly findings: readonly Finding[];
      readonly verdict: Verdict;
      readonly checklist: readonly Check[];
    };

async function closeAlone(database: Database, decided: Decided, clock: () => number): Promise<Period> {
  const { closing } = decided;
  // Checked again: another process may have closed it before this one got the lease.
  const month = await closableMonth(database, closing.waba_id, closing.month, clock());
  await forgetLeftovers(database);
  let frozen: Frozen | null = null;
  for (let attempt = 1; frozen === null && attempt <= ATTEMPTS; attempt++)
    frozen = await tryCopy(database, month, clock);
  if (frozen === null)
    throw new ActionableError(
      `${closing.month} of ${accountName(closing.waba_id)} changed while it was copied, ${ATTEMPTS} times in a row, and was not closed. Wait until no more of its events come in, and close it again.`,
    );
  await writePeriod(database, frozen, decided, clock());
  const period = (await listPeriods(database)).find(({ period_id }) => period_id === frozen.period_id);
  if (period === undefined)
    throw new ActionableError(
      `Another process took over closing months meanwhile, and ${closing.month} was not closed here. See "ctwa-ledger periods list", and close it again if it is not there.`,
    );
  return period;
}

/**
 * Closes a month of an account: freezes its charges and messages as they are known now. The rows are copied and never
 * recomputed, and reports print the copy from then on. Later changes are in report `adjustments`. If the account needs
 * a second person, the first call stores a request, and a call by another person closes.
 * @param clock returns the current time in Unix milliseconds, by the clock of the processes that land events
 * @throws ActionableError when there is no such account, the month is not over in its zone, is closed already, or keeps
 * changing
 */
export async function closePeriod(database: Database, closing: Closing, clock: () => number): Promise<ClosingOutcome> {
  const month = await closableMonth(database, closing.waba_id, closing.month, clock());
  await settleCharges(database);
  const held = await evaluateMonth(database, closing, { purpose: 'close', by: closing.by });
  const examination = await examineMonth(database, month, clock(), held);
  const { findings, verdict, checklist } = examination;
  if (mustBeAccepted(examination) && !closing.accept) return { outcome: 'incomplete', findings, verdict, checklist };
  const requested = (await needsSecondPerson(database, closing.waba_id))
    ? await askOrFind(database, month, closing)
    : null;
  if (requested?.is_asked === true) return { outcome: 'requested', request: requested.request };
  const decided = { closing, examination, request: requested?.request ?? null };
  const period = await underLease(database, LEASE, () => closeAlone(database, decided, clock));
  if (period === null)
    throw new ActionableError(
      'Another process is closing a month at this moment. Wait until it is done, and close it again.',
    );
  return { outcome: 'closed', period };
}

/** The result of reopening; `unchanged`: it was reopened before. */
export interface Reopened {
  readonly outcome: 'reopened' | 'unchanged';
  readonly period: Period;
}

async function periodOf(database: Database, period_id: string): Promise<Period> {
  const period = (await listPeriods(database)).find((listed) => listed.period_id === period_id);
  if (period === undefined)
    throw new ActionableError(`There is no closing "${period_id}". List the ids with "ctwa-ledger periods list".`);
  return period;
}

/**
 * Reopens a closed month: reports print live rows again, and it can be closed again. The closing stays listed, with its
 * rows.
 * @param by who reopens it
 * @param because the reason; empty = none was given
 * @throws ActionableError when there is no such closing
 */
export async function reopenPeriod(database: Database, period_id: string, by: string, because = ''): Promise<Reopened> {
  const period = await periodOf(database, period_id);
  if (period.state === 'reopened') return { outcome: 'unchanged', period };
  await database.command(
    `INSERT INTO closed_periods
     SELECT * REPLACE (now64(3, 'UTC') AS reopened_at, {by:String} AS reopened_by, version + 1 AS version,
        {because:String} AS reopened_because, now64(3, 'UTC') AS changed_at)
     FROM closed_periods FINAL WHERE period_id = {period_id:String}`,
    { period_id, by, because },
  );
  return { outcome: 'reopened', period: await periodOf(database, period_id) };
}

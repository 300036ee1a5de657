import { randomBytes } from 'node:crypto';
import type { Account } from '@ctwa-ledger/schemas/config.ts';
import { EXPLANATION_CODES, rowKeyOf } from '@ctwa-ledger/schemas/meta.ts';
import {
  WRITE_OFF_REASONS,
  type NewWriteOff,
  type StatementOfMonth,
  type WriteOffOutcome,
  type WriteOffRow,
  type WriteOffUndo,
} from '@ctwa-ledger/schemas/write-offs.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import type { Lease } from '../clickhouse/lease.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import { CLOSINGS_IN_FORCE } from '../reports/closings.ts';
import { amountText, readAmount, sizeOf } from './amounts.ts';
import { codeOf } from './case-evaluation.ts';
import { evaluateMonth } from './case-register.ts';
import { oneAtATime, OvertakenError } from './one-at-a-time.ts';
import { differingRows, type AskedMonth, type ExplainedRow, type ReconciledMonth } from './reconcile.ts';
import { coveredRow, type WrittenOff } from './statement.ts';
import {
  writeOffStanding,
  writtenRows,
  type WriteOffEntry,
  type WriteOffStanding,
  type WrittenRow,
} from './write-offs.ts';

const LEASE = 'write-offs';
/** Rows that one write-off may have. More differences than these are a cause to be found. */
const MAX_ROWS = 5_000;

const writtenRow = z
  .tuple([z.string(), z.string(), z.string().nullable()])
  .transform(([key, volume, cost]): WrittenRow => ({
    key,
    volume: BigInt(volume),
    cost: cost === null ? null : readAmount(cost),
  }));

const entryRow = z.object({
  write_off_id: z.string(),
  waba_id: z.string(),
  month: z.string(),
  explanation: z.union([z.enum(EXPLANATION_CODES), z.literal('')]),
  currency: z.string(),
  entry_id: z.string(),
  revision: z.number(),
  at: z.coerce.number(),
  by: z.string(),
  action: z.enum(['write_off', 'undo']),
  reason: z.enum(WRITE_OFF_REASONS),
  note: z.string(),
  rows: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.array(writtenRow)),
});

/** A write-off with its state. */
interface WriteOff extends Pick<
  z.infer<typeof entryRow>,
  'write_off_id' | 'waba_id' | 'month' | 'explanation' | 'currency'
> {
  readonly standing: WriteOffStanding;
}

/** The write-offs of a month, or all of an account or of all accounts. */
async function readWriteOffs(database: Database, of: Partial<AskedMonth> = {}): Promise<WriteOff[]> {
  const rows = await database.query(
    entryRow,
    `SELECT write_off_id, waba_id, substring(toString(write_off_entries.month), 1, 7) AS month, toString(explanation) AS explanation,
       toString(currency) AS currency, entry_id, revision, toUnixTimestamp64Milli(write_off_entries.entered_at) AS at,
       entered_by AS by, toString(action) AS action, toString(reason) AS reason, note, rows
     FROM write_off_entries FINAL
     WHERE ${of.waba_id === undefined ? 'true' : 'waba_id = {waba_id:String}'}
       AND ${of.month === undefined ? 'true' : 'write_off_entries.month = {first_day:Date}'}
     ORDER BY write_off_id, revision`,
    {
      ...(of.waba_id === undefined ? {} : { waba_id: of.waba_id }),
      ...(of.month === undefined ? {} : { first_day: `${of.month}-01` }),
    },
  );
  return [...new Set(rows.map(({ write_off_id }) => write_off_id))].flatMap((id) => {
    const entries: (z.infer<typeof entryRow> & WriteOffEntry)[] = rows.filter(
      ({ write_off_id }) => write_off_id === id,
    );
    const standing = writeOffStanding(entries);
    const [first] = entries;
    return first === undefined || standing === null ? [] : [{ ...first, standing }];
  });
}

const utc = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}+00:00`;
const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, one) => total + one, 0n);

/** The sums of rows that are written off. */
function sizesOf(rows: readonly WrittenRow[]): {
  readonly volume: bigint;
  readonly gross_volume: bigint;
  readonly cost: bigint | null;
  readonly gross_cost: bigint;
  readonly unknown_costs: number;
} {
  const costs = rows.flatMap(({ cost }) => (cost === null ? [] : [cost]));
  return {
    volume: sum(rows.map(({ volume }) => volume)),
    gross_volume: sum(rows.map(({ volume }) => sizeOf(volume))),
    cost: costs.length === 0 ? null : sum(costs),
    gross_cost: sum(costs.map(sizeOf)),
    unknown_costs: rows.length - costs.length,
  };
}

function rowOf({ write_off_id, waba_id, month, explanation, currency, standing }: WriteOff): WriteOffRow {
  const { made, undone } = standing;
  const { volume, gross_volume, cost, gross_cost, unknown_costs } = sizesOf(made.rows);
  return {
    ...{ write_off_id, waba_id, month, explanation, currency, unknown_costs },
    state: undone === null ? 'in_force' : 'undone',
    reason: made.reason,
    note: made.note,
    rows: made.rows.length,
    volume_difference: volume.toString(),
    gross_volume_difference: gross_volume.toString(),
    cost_difference: cost === null ? null : amountText(cost),
    gross_cost_difference: cost === null ? null : amountText(gross_cost),
    made_at: utc(made.at),
    made_by: made.by,
    undone_at: undone === null ? null : utc(undone.at),
    undone_by: undone?.by ?? '',
    undone_because: undone?.note ?? '',
  };
}

/** All write-offs of the filters, those that were undone included: the latest month first, then in their order. */
export async function listWriteOffs(database: Database, of: Partial<AskedMonth> = {}): Promise<WriteOffRow[]> {
  const rows = (await readWriteOffs(database, of)).map(rowOf);
  const key = ({ waba_id, made_at, write_off_id }: WriteOffRow): string => [waba_id, made_at, write_off_id].join('\n');
  return rows.toSorted((a, b) => (a.month === b.month ? (key(a) < key(b) ? -1 : 1) : a.month > b.month ? -1 : 1));
}

/** The states of write-offs in the currency of a month: an amount in another one, which the account had before, is none. */
function standingsIn(writeOffs: readonly WriteOff[], currency: string): WriteOffStanding[] {
  return writeOffs.map(({ standing, currency: own }) =>
    own === currency
      ? standing
      : { ...standing, made: { ...standing.made, rows: standing.made.rows.map((row) => ({ ...row, cost: null })) } },
  );
}

/** What is written off of the rows of a month. */
export async function writtenOff(
  database: Database,
  { waba_id, month, currency }: Pick<ReconciledMonth, 'waba_id' | 'month' | 'currency'>,
): Promise<WrittenOff> {
  return writtenRows(standingsIn(await readWriteOffs(database, { waba_id, month }), currency));
}

/**
 * What is left of the rows that are to be written off.
 * @throws ActionableError when there are none, or a chosen one does not differ
 */
function rowsToWrite(held: ReconciledMonth, asked: NewWriteOff, written: WrittenOff): WrittenRow[] {
  const { waba_id, month, explanation, rows: keys } = asked;
  const chosen = new Set(keys);
  const isAsked = (of: ExplainedRow): boolean =>
    explanation === undefined ? chosen.has(rowKeyOf(of.row)) : codeOf(of) === explanation;
  const found = differingRows(held).filter(isAsked);
  if (explanation !== undefined && found.length === 0)
    throw new ActionableError(
      `No row of ${month} of account ${waba_id} is ${explanation} now: there is nothing to write off. See the cases with "ctwa-ledger reconcile cases --month ${month}".`,
    );
  if (explanation === undefined && found.length < chosen.size)
    throw new ActionableError(
      `${chosen.size - found.length} of the ${chosen.size} chosen rows of ${month} of account ${waba_id} do not differ now. See the rows with "ctwa-ledger export reconciliation-differences --month ${month}", and choose anew.`,
    );
  if (found.length > MAX_ROWS)
    throw new ActionableError(
      `${found.length} rows are more than the ${MAX_ROWS} that are written off at once. Find out why so many rows differ.`,
    );
  return found.flatMap((of) => {
    const { volume, cost } = coveredRow(of, written);
    return volume === 0n && (cost ?? 0n) === 0n ? [] : [{ key: rowKeyOf(of.row), volume, cost }];
  });
}

async function accountOf(database: Database, waba_id: string): Promise<Account | undefined> {
  return (await readConfiguration(database))?.accounts.find((one) => one.waba_id === waba_id);
}

/** How much may be written off in a month of an account. */
export async function writeOffLimits(database: Database, waba_id: string): Promise<StatementOfMonth['limits']> {
  const account = await accountOf(database, waba_id);
  return { amount: account?.write_off_amount ?? null, messages: account?.write_off_messages ?? null };
}

const HOW_TO_SET = 'Set it with "ctwa-ledger accounts set';

/**
 * Holds what is written off in a month, with what is to be written off, against the limits of the account.
 * @throws ActionableError that names the limit, what is written off already, and what was asked for
 */
function refuseOverLimit(
  { waba_id, month }: AskedMonth,
  account: Account | undefined,
  before: readonly WrittenRow[],
  rows: readonly WrittenRow[],
): void {
  const { write_off_amount: amount, write_off_messages: messages, currency = '' } = account ?? {};
  const [held, asked] = [sizesOf(before), sizesOf(rows)];
  const of = `${month} of account ${waba_id}`;
  if (amount === undefined && messages === undefined)
    throw new ActionableError(
      `Account ${waba_id} has no limit for write-offs, so nothing can be written off. ${HOW_TO_SET} ${waba_id} --write-off-amount 25".`,
    );
  if (asked.gross_cost > 0n && amount === undefined)
    throw new ActionableError(
      `${currency} ${amountText(asked.gross_cost)} cannot be written off: account ${waba_id} has no limit in money for write-offs. ${HOW_TO_SET} ${waba_id} --write-off-amount 25".`,
    );
  if (asked.unknown_costs > 0 && messages === undefined)
    throw new ActionableError(
      `The amount of ${asked.unknown_costs} of the ${rows.length} rows is not known, and account ${waba_id} has no limit in messages for write-offs. ${HOW_TO_SET} ${waba_id} --write-off-messages 50".`,
    );
  if (amount !== undefined && held.gross_cost + asked.gross_cost > readAmount(amount))
    throw new ActionableError(
      `${currency} ${amountText(asked.gross_cost)} cannot be written off: the limit for ${of} is ${currency} ${amount}, of which ${currency} ${amountText(held.gross_cost)} is written off already.`,
    );
  if (messages !== undefined && held.gross_volume + asked.gross_volume > BigInt(messages))
    throw new ActionableError(
      `A difference of ${asked.gross_volume} cannot be written off: the limit for ${of} is ${messages}, of which ${held.gross_volume} is written off already.`,
    );
}

const cellsOf = (rows: readonly WrittenRow[]): string =>
  JSON.stringify(
    rows.map(({ key, volume, cost }) => [key, volume.toString(), cost === null ? null : amountText(cost)]),
  );

type WrittenEntry = Pick<WriteOff, 'write_off_id' | 'waba_id' | 'month' | 'explanation' | 'currency'> &
  Omit<WriteOffEntry, 'at' | 'entry_id'>;

/**
 * Enters an event of a write-off while the lease is held.
 * @throws OvertakenError when another process took over the lease, or entered that revision first
 */
async function enter(database: Database, lease: Lease, { rows, month, ...entry }: WrittenEntry): Promise<WriteOffRow> {
  const entry_id = randomBytes(8).toString('hex');
  const asked = { waba_id: entry.waba_id, month };
  await database.command(
    `INSERT INTO write_off_entries (write_off_id, revision, entry_id, entered_by, action, reason, note, waba_id, month, explanation, currency, rows, period_id)
     SELECT {write_off_id:String}, {revision:UInt32}, {entry_id:String}, {by:String}, {action:String}, {reason:String}, {note:String},
       {waba_id:String}, {first_day:Date}, {explanation:String}, {currency:String}, {rows:String},
       (SELECT max(period_id) FROM (${CLOSINGS_IN_FORCE}) AS standing WHERE standing.waba_id = {waba_id:String} AND standing.month = {first_day:Date})
     WHERE ({write_off_id:String}, {revision:UInt32}) NOT IN (SELECT write_off_id, revision FROM write_off_entries)
       AND (SELECT max(token) FROM leases WHERE name = {lease:String}) = {token:UInt64}`,
    { ...entry, entry_id, first_day: `${month}-01`, rows: cellsOf(rows), lease: LEASE, token: lease.token },
  );
  const found = (await readWriteOffs(database, asked)).find(({ write_off_id }) => write_off_id === entry.write_off_id);
  const own = entry.revision === 1 ? found?.standing.made : found?.standing.undone;
  if (found === undefined || own?.entry_id !== entry_id)
    throw new OvertakenError(`Write-off ${entry.write_off_id} was entered by another process first.`);
  return rowOf(found);
}

/** The write-off that was made last of the same rows in the same words, if it is in force. */
function repeated(known: readonly WriteOff[], { explanation, rows, reason, note, by }: NewWriteOff): WriteOff | null {
  const keys = rows === undefined ? null : [...new Set(rows)].toSorted().join('\n');
  const found = known.filter(({ explanation: code, standing: { made, undone } }) => {
    const isOfRows =
      keys === null ||
      made.rows
        .map(({ key }) => key)
        .toSorted()
        .join('\n') === keys;
    return (
      undone === null &&
      code === (explanation ?? '') &&
      isOfRows &&
      made.reason === reason &&
      made.note === note &&
      made.by === by
    );
  });
  return found.toSorted((a, b) => a.standing.made.at - b.standing.made.at).at(-1) ?? null;
}

/**
 * Writes off what is left of the difference of rows, as it is at that moment. The evidence is stored: the month is
 * evaluated. A closed month can be worked on too, and its closing stays what it was. The same again changes nothing.
 * Settle the charges first.
 * @throws ActionableError when there are no such rows, or it is more than the account's limit
 */
export async function makeWriteOff(database: Database, asked: NewWriteOff): Promise<WriteOffOutcome> {
  const { waba_id, month, reason, note, by } = asked;
  const explanation = asked.explanation ?? '';
  const held = await evaluateMonth(database, asked, { purpose: 'decision', by });
  return oneAtATime(database, LEASE, 'write-offs', async (lease) => {
    const known = await readWriteOffs(database, { waba_id, month });
    const standings = standingsIn(known, held.currency);
    const rows = rowsToWrite(held, asked, writtenRows(standings));
    const same = rows.length === 0 ? repeated(known, asked) : null;
    if (same !== null) return { outcome: 'unchanged', write_off: rowOf(same) };
    if (rows.length === 0)
      throw new ActionableError(
        `Nothing is left of these rows of ${month} of account ${waba_id}: all of their difference is written off. See it with "ctwa-ledger write-offs list".`,
      );
    const account = await accountOf(database, waba_id);
    const before = standings.flatMap(({ made, undone }) => (undone === null ? made.rows : []));
    refuseOverLimit({ waba_id, month }, account, before, rows);
    const write_off_id = randomBytes(6).toString('hex');
    const { currency } = held;
    const entry = { write_off_id, waba_id, month, explanation, currency, reason, note, by, rows } as const;
    return {
      outcome: 'entered',
      write_off: await enter(database, lease, { ...entry, revision: 1, action: 'write_off' }),
    };
  });
}

/**
 * Undoes a write-off: its rows differ again. It stays listed. The same again changes nothing.
 * @throws ActionableError when there is no such write-off, or it was undone before in other words
 */
export async function undoWriteOff(
  database: Database,
  write_off_id: string,
  { by, note }: WriteOffUndo,
): Promise<WriteOffOutcome> {
  return oneAtATime(database, LEASE, 'write-offs', async (lease) => {
    const found = (await readWriteOffs(database)).find((one) => one.write_off_id === write_off_id);
    if (found === undefined)
      throw new ActionableError(
        `There is no write-off "${write_off_id}". List the ids with "ctwa-ledger write-offs list".`,
      );
    const { made, undone } = found.standing;
    if (undone?.by === by && undone.note === note) return { outcome: 'unchanged', write_off: rowOf(found) };
    if (undone !== null)
      throw new ActionableError(`Write-off ${write_off_id} was undone before, by ${undone.by} on ${utc(undone.at)}.`);
    const { waba_id, month, explanation, currency } = found;
    const entry = { write_off_id, waba_id, month, explanation, currency, reason: made.reason, note, by, rows: [] };
    return { outcome: 'entered', write_off: await enter(database, lease, { ...entry, revision: 2, action: 'undo' }) };
  });
}

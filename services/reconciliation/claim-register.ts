import { createHash, randomBytes } from 'node:crypto';
import {
  CLAIM_ACTIONS,
  claimRow,
  type ClaimChange,
  type ClaimOutcome,
  type ClaimRow,
  type NewClaim,
  type Recovered,
} from '@ctwa-ledger/schemas/claims.ts';
import { EXPLANATION_CODES } from '@ctwa-ledger/schemas/meta.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import type { Lease } from '../clickhouse/lease.ts';
import { whole } from '../reports/report.ts';
import { amountText, readAmount, scaledAmount, sizeOf, smaller } from './amounts.ts';
import { claimStanding, entriesInForce, isAllowed, type ClaimEntry, type ClaimStanding } from './claims.ts';
import { oneAtATime, OvertakenError } from './one-at-a-time.ts';

const LEASE = 'claims';
const MAX_CHARACTERS = { by: 100, reference: 200, note: 1_000, credit: 200 } as const;

const entryRow = z.object({
  claim_id: z.string(),
  waba_id: z.string(),
  month: z.string(),
  explanation: z.union([z.enum(EXPLANATION_CODES), z.literal('')]),
  currency: z.string(),
  entry_id: z.string(),
  revision: z.number(),
  at: z.coerce.number(),
  by: z.string(),
  action: z.enum(CLAIM_ACTIONS),
  note: z.string(),
  amount: z.string().transform(readAmount),
  reference: z.string(),
  credit: z.string(),
});

/** A claim with its history. */
interface Claim extends Pick<z.infer<typeof entryRow>, 'claim_id' | 'waba_id' | 'month' | 'explanation' | 'currency'> {
  readonly entries: readonly ClaimEntry[];
  readonly standing: ClaimStanding;
}

function groups<T>(all: readonly T[], keyOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const found = new Map<string, T[]>();
  for (const one of all) found.set(keyOf(one), [...(found.get(keyOf(one)) ?? []), one]);
  return found;
}

async function readClaims(database: Database): Promise<Claim[]> {
  const rows = await database.query(
    entryRow,
    `SELECT claim_id, waba_id, substring(toString(month), 1, 7) AS month, toString(explanation) AS explanation,
       toString(currency) AS currency, entry_id, revision, toUnixTimestamp64Milli(claim_entries.entered_at) AS at, entered_by AS by,
       toString(action) AS action, note, toString(claim_entries.amount) AS amount, reference, credit
     FROM claim_entries FINAL ORDER BY claim_id, revision`,
  );
  return [...groups(rows, ({ claim_id }) => claim_id).values()].flatMap((entries) => {
    const [first] = entries;
    const standing = claimStanding(entries);
    return first === undefined || standing === null ? [] : [{ ...first, entries, standing }];
  });
}

const utc = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}+00:00`;

function rowOf({ claim_id, waba_id, month, explanation, currency, standing }: Claim): ClaimRow {
  const { state, claimed, recovered, reference, credits, made, last } = standing;
  return {
    ...{ claim_id, waba_id, month, explanation, state, currency },
    claimed: amountText(claimed),
    recovered: amountText(recovered),
    reference,
    credits: credits.join(' '),
    note: last.note,
    made_at: utc(made.at),
    made_by: made.by,
    changed_at: utc(last.at),
    changed_by: last.by,
  };
}

/** All claims, the latest month first, then by account. */
export async function listClaims(database: Database): Promise<ClaimRow[]> {
  const rows = (await readClaims(database)).map(rowOf);
  const key = ({ waba_id, made_at, claim_id }: ClaimRow): string => [waba_id, made_at, claim_id].join('\n');
  return rows.toSorted((a, b) => (a.month === b.month ? (key(a) < key(b) ? -1 : 1) : a.month > b.month ? -1 : 1));
}

/**
 * The claimed and recovered sums of months that share a day with a range, by currency, without withdrawn claims.
 * @param days the first day and the day after the last one; null: no bound
 */
export async function recoveredIn(
  database: Database,
  days: { readonly from: string | null; readonly to: string | null },
  accounts: readonly string[] | null,
): Promise<Recovered[]> {
  const claims = (await listClaims(database)).filter(
    (one) =>
      one.state !== 'withdrawn' &&
      (accounts === null || accounts.includes(one.waba_id)) &&
      (days.from === null || one.month >= days.from.slice(0, 7)) &&
      (days.to === null || `${one.month}-01` < days.to),
  );
  const sum = (of: readonly ClaimRow[], column: 'claimed' | 'recovered'): string =>
    amountText(of.reduce((total, one) => total + readAmount(one[column]), 0n));
  return [...groups(claims, ({ currency }) => currency)]
    .map(([currency, of]) => ({
      currency,
      claims: of.length,
      claimed: sum(of, 'claimed'),
      recovered: sum(of, 'recovered'),
    }))
    .toSorted((a, b) => (a.currency < b.currency ? -1 : 1));
}

export const claimsReport = whole({
  name: 'claims',
  one_row_per: 'claim against Meta or a partner, with what was recovered of it',
  row: claimRow,
  days: 'none',
  filters: ['waba_id'],
  settles: [],
  reads: ['claim_entries'],
  key: ['claim_id'],
  rows: async (database, { waba_id }) =>
    (await listClaims(database)).filter((one) => waba_id == null || one.waba_id === waba_id),
});

function positive(text: string, what: string): bigint {
  const amount = /^\d+(\.\d{1,12})?$/.test(text) ? scaledAmount(text) : null;
  if (amount === null || amount <= 0n)
    throw new ActionableError(`${what} "${text}" is no amount above 0 with at most 12 decimals, like 12.50.`);
  return amount;
}

function refuseLong(given: Readonly<Partial<Record<keyof typeof MAX_CHARACTERS, string>>>): void {
  for (const [name, max] of Object.entries(MAX_CHARACTERS))
    if ((given[name as keyof typeof MAX_CHARACTERS] ?? '').length > max)
      throw new ActionableError(`${name} has more than ${max} characters: say it shorter.`);
}

interface WrittenEntry extends Omit<ClaimEntry, 'at' | 'entry_id'> {
  readonly claim_id: string;
  readonly waba_id: string;
  readonly month: string;
  readonly explanation: string;
  readonly currency: string;
}

/**
 * Enters an event of a claim while the lease is held.
 * @throws OvertakenError when another process took over the lease, or entered that revision first
 */
async function enter(database: Database, lease: Lease, { amount, month, ...entry }: WrittenEntry): Promise<ClaimRow> {
  const entry_id = randomBytes(8).toString('hex');
  await database.command(
    `INSERT INTO claim_entries (claim_id, revision, entry_id, entered_by, action, note, waba_id, month, explanation, amount, currency, reference, credit)
     SELECT {claim_id:String}, {revision:UInt32}, {entry_id:String}, {by:String}, {action:String}, {note:String}, {waba_id:String},
       {first_day:Date}, {explanation:String}, toDecimal128({amount:String}, 12), {currency:String}, {reference:String}, {credit:String}
     WHERE ({claim_id:String}, {revision:UInt32}) NOT IN (SELECT claim_id, revision FROM claim_entries)
       AND (SELECT max(token) FROM leases WHERE name = {lease:String}) = {token:UInt64}`,
    {
      ...{ ...entry, entry_id, first_day: `${month}-01`, amount: amountText(amount) },
      ...{ lease: LEASE, token: lease.token },
    },
  );
  const claim = (await readClaims(database)).find(({ claim_id }) => claim_id === entry.claim_id);
  if (claim === undefined || !entriesInForce(claim.entries).some((one) => one.entry_id === entry_id))
    throw new OvertakenError(`Claim ${entry.claim_id} was changed by another process first.`);
  return rowOf(claim);
}

/**
 * Makes a claim. The same account, month, case, amount, currency and number again is the same claim.
 * @throws ActionableError when it is incomplete
 */
export async function makeClaim(database: Database, claim: NewClaim): Promise<ClaimOutcome> {
  const { waba_id, month, explanation, currency, reference, note, by } = claim;
  refuseLong({ by, reference, note });
  const amount = positive(claim.amount, 'The amount');
  const said = [waba_id, month, explanation, amountText(amount), currency, reference];
  const claim_id = createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 12);
  return oneAtATime(database, LEASE, 'claims', async (lease) => {
    const known = (await readClaims(database)).find((one) => one.claim_id === claim_id);
    if (known?.standing.state === 'withdrawn')
      throw new ActionableError(
        `The same claim was made before and withdrawn (${claim_id}). Give it a number of its own with --reference to make it anew.`,
      );
    if (known !== undefined) return { outcome: 'unchanged', claim: rowOf(known) };
    const entry = { claim_id, waba_id, month, explanation, currency, amount, reference, note, by };
    return {
      outcome: 'entered',
      claim: await enter(database, lease, { ...entry, revision: 1, action: 'make', credit: '' }),
    };
  });
}

/** A credit memo with its amount, in units of the twelfth decimal. */
interface Credit {
  readonly amount: bigint;
  readonly currency: string;
}

const creditRow = z.object({ amount: z.string(), currency: z.string() });

/**
 * The line of an invoice with a credit, or a credit memo among Meta's invoices.
 * @throws ActionableError when there is none
 */
async function findCredit(database: Database, credit: string): Promise<Credit> {
  const parts = credit.split(':');
  const [import_id = '', line = ''] = [parts.at(0), parts.at(-1)];
  const ofInvoice =
    parts.length < 2 || !/^\d{1,9}$/.test(line)
      ? []
      : await database.query(
          creditRow,
          `SELECT toString(invoice_lines.amount) AS amount, toString(invoice_lines.currency) AS currency FROM invoice_lines FINAL
           WHERE import_id = {import_id:String} AND line = {line:UInt32} AND ({sheet:String} = '' OR sheet = {sheet:String})
             AND import_id IN (SELECT import_id FROM invoices FINAL WHERE withdrawn_at IS NULL)`,
          { import_id, line: Number(line), sheet: parts.slice(1, -1).join(':') },
        );
  const details = (name: string): string => `JSONExtractString(line, 'billed_amount_details', '${name}')`;
  const ofMeta = await database.query(
    creditRow,
    `SELECT DISTINCT ${details('total_amount')} AS amount, ${details('currency')} AS currency FROM (SELECT * FROM meta_lines FINAL) AS lines
     WHERE JSONExtractString(line, 'id') = {credit:String} AND upper(JSONExtractString(line, 'type')) = 'CM' AND import_id IN
       (SELECT import_id FROM meta_imports FINAL WHERE withdrawn_at IS NULL AND field = 'business_invoices')`,
    { credit },
  );
  const [found, ...others] = [...ofInvoice, ...ofMeta];
  if (found === undefined)
    throw new ActionableError(
      `There is no credit "${credit}": give a line of an invoice as IMPORT-ID:LINE (see "ctwa-ledger export invoice-lines"), or the id of a credit memo (CM) among Meta's invoices that were imported.`,
    );
  if (others.length > 0)
    throw new ActionableError(`"${credit}" names several lines: say the sheet too, as IMPORT-ID:SHEET:LINE.`);
  const amount = scaledAmount(found.amount.replaceAll(',', ''));
  if (amount === null || amount === 0n)
    throw new ActionableError(`Credit "${credit}" has no amount, so nothing can be paid by it.`);
  if (ofInvoice.length > 0 && amount > 0n)
    throw new ActionableError(`Line "${credit}" of the invoice gives nothing back: its amount is above 0.`);
  return { amount: sizeOf(amount), currency: found.currency };
}

/** How much of a claim a credit pays. @throws ActionableError when it is too much, or in another currency */
async function payment(
  database: Database,
  claims: readonly Claim[],
  claim: Claim,
  change: ClaimChange,
): Promise<bigint> {
  const { standing, currency } = claim;
  const credit = await findCredit(database, change.credit);
  if (credit.currency !== currency)
    throw new ActionableError(
      `The credit is in ${credit.currency}, the claim in ${currency}: nothing is converted here.`,
    );
  const used = claims
    .flatMap(({ entries }) => entriesInForce(entries))
    .filter((entry) => entry.action === 'pay' && entry.credit === change.credit)
    .reduce((sum, { amount }) => sum + amount, 0n);
  const left = credit.amount - used;
  const open = standing.claimed - standing.recovered;
  const amount = change.amount === '' ? smaller(left, open) : positive(change.amount, 'The amount');
  if (amount > left || left <= 0n)
    throw new ActionableError(
      `Credit "${change.credit}" gives back ${currency} ${amountText(credit.amount)}, of which claims have taken ${amountText(used)}: there is not as much left.`,
    );
  if (amount > open)
    throw new ActionableError(
      `${currency} ${amountText(open)} of the claim are open: it cannot be paid ${amountText(amount)}.`,
    );
  return amount;
}

/**
 * Enters what happened to a claim. The same event again changes nothing.
 * @throws ActionableError when there is no such claim, its state does not allow the event, or its credit is not valid
 */
export async function changeClaim(database: Database, claim_id: string, change: ClaimChange): Promise<ClaimOutcome> {
  const { action, note, by, reference, credit } = change;
  refuseLong({ by, reference, note, credit });
  if (action === 'refer' && reference === '') throw new ActionableError('Say the number of the case with --reference.');
  return oneAtATime(database, LEASE, 'claims', async (lease) => {
    const claims = await readClaims(database);
    const claim = claims.find((one) => one.claim_id === claim_id);
    if (claim === undefined)
      throw new ActionableError(`There is no claim "${claim_id}". List the ids with "ctwa-ledger claims list".`);
    const { standing, entries, waba_id, month, explanation, currency } = claim;
    const { last } = standing;
    const isSame = last.action === action && last.by === by && last.note === note && last.credit === credit;
    if (isSame && (reference === '' || last.reference === reference))
      if (change.amount === '' || scaledAmount(change.amount) === last.amount)
        return { outcome: 'unchanged', claim: rowOf(claim) };
    if (!isAllowed(standing.state, action))
      throw new ActionableError(
        `Claim ${claim_id} is ${standing.state.replaceAll('_', ' ')}: it cannot be changed so (${action}).`,
      );
    const amount = action === 'pay' ? await payment(database, claims, claim, change) : 0n;
    const revision = entries.reduce((highest, one) => Math.max(highest, one.revision), 0) + 1;
    const entry = {
      claim_id,
      waba_id,
      month,
      explanation,
      currency,
      amount,
      reference,
      note,
      by,
      action,
      credit,
      revision,
    };
    return { outcome: 'entered', claim: await enter(database, lease, entry) };
  });
}

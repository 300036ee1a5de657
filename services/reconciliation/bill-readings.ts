import { LINE_KINDS } from '@ctwa-ledger/schemas/invoices.ts';
import type { WholeBillRow } from '@ctwa-ledger/schemas/whole-bill.ts';
import { DateTime } from 'luxon';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import { firstMoment } from '../reports/sql.ts';
import { readAmount, scaledAmount } from './amounts.ts';
import type { ReconciledMonth } from './reconcile.ts';
import { wholeBill, type BillFacts, type BillPart, type MetaDocument } from './whole-bill.ts';
import { monthAfter } from './whole-days.ts';

type UsageField = 'call_analytics' | 'business_agent_insights';

const usageRow = z.object({
  import_id: z.string(),
  starts: z.coerce.number(),
  ends: z.coerce.number(),
  cost: z.string().transform(readAmount),
  without: z.coerce.number(),
});

/** Days of a stretch of time that is not empty, in a zone. */
function daysOf(starts: number, ends: number, zone: string): string[] {
  const days: string[] = [];
  const last = DateTime.fromSeconds(Math.max(ends - 1, starts), { zone });
  for (let day = DateTime.fromSeconds(starts, { zone }).startOf('day'); day <= last; day = day.plus({ days: 1 }))
    days.push(day.toFormat('yyyy-MM-dd'));
  return days;
}

/**
 * What Meta says that calls, or its agent, cost in a month. Of several imports the latest holds for each day that it
 * names. Lines without a cost make the sum unknown.
 */
async function readUsage(
  database: Database,
  { waba_id, month }: ReconciledMonth,
  zone: string,
  field: UsageField,
): Promise<BillPart> {
  const first_day = `${month}-01`;
  const from = firstMoment(first_day, zone).toSeconds();
  const to = firstMoment(monthAfter(first_day), zone).toSeconds();
  // Sorted by the time of their import: later ones replace earlier ones.
  const rows = await database.query(
    usageRow,
    `SELECT import_id, toUnixTimestamp(assumeNotNull(lines.starts_at)) AS starts,
        toUnixTimestamp(ifNull(lines.ends_at, lines.starts_at)) AS ends,
        toString(sum(ifNull(lines.amount, toDecimal128(0, 12)))) AS cost, countIf(lines.amount IS NULL) AS without
     FROM
     (
       SELECT import_id, starts_at, ends_at,
         toDecimal128OrNull(replaceAll(replaceAll(JSONExtractRaw(line, 'cost'), '"', ''), ',', ''), 12) AS amount
       FROM (SELECT * FROM meta_lines FINAL) AS meta_lines
       WHERE meta_lines.starts_at >= toDateTime({from:UInt32}, 'UTC') AND meta_lines.starts_at < toDateTime({to:UInt32}, 'UTC')
     ) AS lines
     INNER JOIN
       (SELECT import_id, imported_at FROM meta_imports FINAL
        WHERE withdrawn_at IS NULL AND waba_id = {waba_id:String} AND field = {field:String}) AS imports USING import_id
     GROUP BY import_id, imports.imported_at, starts, ends
     ORDER BY imports.imported_at, import_id`,
    { waba_id, field, from, to },
  );
  if (rows.length === 0) return { amount: null, source: '', reason: `Meta's ${field} of the month were not imported.` };
  const holder = new Map<string, string>();
  for (const { import_id, starts, ends } of rows)
    for (const day of daysOf(starts, ends, zone)) holder.set(day, import_id);
  const held = rows.filter((row) =>
    daysOf(row.starts, row.ends, zone).some((day) => holder.get(day) === row.import_id),
  );
  const cut = held.filter((row) => daysOf(row.starts, row.ends, zone).some((day) => holder.get(day) !== row.import_id));
  const without = held.reduce((total, row) => total + row.without, 0);
  if (without > 0) return { amount: null, source: '', reason: `Of Meta's lines ${without} have no cost.` };
  if (cut.length > 0)
    return { amount: null, source: '', reason: 'A later import replaces part of what an earlier one sums up.' };
  return { amount: held.reduce((total, row) => total + row.cost, 0n), source: 'meta_analytics', reason: '' };
}

const documentRow = z.object({
  type: z.string(),
  currency: z.string(),
  net: z.string(),
  tax: z.string(),
  total: z.string(),
});

/** The size of an amount as Meta writes it, with commas between thousands; null when there is none. */
function sizeIn(text: string): bigint | null {
  const amount = scaledAmount(text.replaceAll(',', '').trim());
  return amount === null ? null : amount < 0n ? -amount : amount;
}

/** Meta's documents of a month, each as the latest import has it. */
async function readDocuments(database: Database, { waba_id, month }: ReconciledMonth): Promise<MetaDocument[]> {
  const of = (name: string): string => `replaceAll(JSONExtractRaw(line, 'billed_amount_details', '${name}'), '"', '')`;
  const rows = await database.query(
    documentRow,
    `SELECT type, currency, net, tax, total
     FROM
     (
       SELECT import_id, JSONExtractString(line, 'id') AS id,
         upper(if(JSONExtractString(line, 'type') = '', JSONExtractString(line, 'invoice_type'), JSONExtractString(line, 'type'))) AS type,
         upper(${of('currency')}) AS currency, ${of('net_amount')} AS net, ${of('tax_amount')} AS tax, ${of('total_amount')} AS total,
         substring(JSONExtractString(line, 'billing_period'), 1, 7) AS month
       FROM (SELECT * FROM meta_lines FINAL) AS meta_lines
     ) AS documents
     INNER JOIN
       (SELECT import_id, imported_at FROM meta_imports FINAL
        WHERE withdrawn_at IS NULL AND waba_id = {waba_id:String} AND field = 'business_invoices') AS imports USING import_id
     WHERE month = {month:String}
     ORDER BY imports.imported_at DESC, import_id
     LIMIT 1 BY id`,
    { waba_id, month },
  );
  return rows.map(({ type, currency, net, tax, total }) => ({
    ...{ type, currency, net: sizeIn(net), tax: sizeIn(tax), total: sizeIn(total) },
  }));
}

const sumRow = z.object({ kind: z.enum(LINE_KINDS), currency: z.string(), amount: z.string().transform(readAmount) });

/** Sums of the lines of imported invoices of the account. */
function readLineSums(database: Database, { waba_id, month }: ReconciledMonth): Promise<z.infer<typeof sumRow>[]> {
  return database.query(
    sumRow,
    `SELECT toString(kind) AS kind, toString(invoice_lines.currency) AS currency, toString(sum(amount)) AS amount
     FROM (SELECT * FROM invoice_lines FINAL WHERE month = {first_day:Date}) AS invoice_lines
     INNER JOIN (SELECT import_id FROM invoices FINAL WHERE withdrawn_at IS NULL AND waba_id = {waba_id:String}) AS held
       USING import_id
     GROUP BY kind, currency ORDER BY kind, currency`,
    { waba_id, first_day: `${month}-01` },
  );
}

/** What messages cost: Meta's charge if it is whole, else the expected one if that is. */
function messagesOf({ rows, missing_days, taken_at }: ReconciledMonth): BillPart {
  const all = rows.map(({ row }) => row);
  const ofMeta = all.filter(({ has_point }) => has_point);
  const isWhole = taken_at.size > 0 && missing_days.length === 0;
  const isKnown = isWhole && all.every(({ status, meta_cost }) => status !== 'no_cost' && meta_cost !== null);
  const sum = (amounts: readonly (bigint | null)[]): bigint =>
    amounts.reduce<bigint>((total, amount) => total + (amount ?? 0n), 0n);
  if (isKnown) return { amount: sum(ofMeta.map(({ meta_cost }) => meta_cost)), source: 'meta_analytics', reason: '' };
  if (isWhole && all.every(({ unrated }) => unrated === 0n))
    return {
      amount: sum(all.map(({ our_cost }) => our_cost)),
      source: 'expected',
      reason: "Meta's numbers do not say what everything costs.",
    };
  return {
    amount: null,
    source: '',
    reason: isWhole
      ? "Meta's numbers do not say what everything costs, and some messages have no amount here."
      : "Meta's numbers are missing for days of the month.",
  };
}

/** The whole bill of a month that was held against Meta's numbers. */
export async function readWholeBill(database: Database, held: ReconciledMonth): Promise<WholeBillRow[]> {
  const { waba_id, month, currency } = held;
  const accounts = (await readConfiguration(database))?.accounts ?? [];
  const zone = accounts.find((one) => one.waba_id === waba_id)?.time_zone ?? 'UTC';
  const facts: BillFacts = {
    ...{ waba_id, month, currency },
    documents: await readDocuments(database, held),
    lines: await readLineSums(database, held),
    messages: messagesOf(held),
    calls: await readUsage(database, held, zone, 'call_analytics'),
    agent: await readUsage(database, held, zone, 'business_agent_insights'),
  };
  return wholeBill(facts);
}

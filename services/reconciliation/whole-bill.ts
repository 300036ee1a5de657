import type { LineKind } from '@ctwa-ledger/schemas/invoices.ts';
import { BILL_LINES, type BillLine, type BillSource, type WholeBillRow } from '@ctwa-ledger/schemas/whole-bill.ts';
import { amountText } from './amounts.ts';

/** An amount, in units of the twelfth decimal; null with the reason why it is not known. */
export interface BillPart {
  readonly amount: bigint | null;
  readonly source: BillSource;
  readonly reason: string;
}

/** A document of Meta's: an invoice, a credit memo or a debit memo. Amounts are sizes. */
export interface MetaDocument {
  readonly type: string;
  readonly currency: string;
  /** Null when the document does not say it, or not in a form that can be read. */
  readonly net: bigint | null;
  readonly tax: bigint | null;
  readonly total: bigint | null;
}

/** What is known of the bill of a month of an account. */
export interface BillFacts {
  readonly waba_id: string;
  /** `YYYY-MM` */
  readonly month: string;
  /** Of the account. */
  readonly currency: string;
  readonly documents: readonly MetaDocument[];
  /** Sums of the lines of imported invoices, by kind and currency. */
  readonly lines: readonly { readonly kind: LineKind; readonly currency: string; readonly amount: bigint }[];
  readonly messages: BillPart;
  readonly calls: BillPart;
  readonly agent: BillPart;
}

const LINE_OF_KIND: Readonly<Record<Exclude<LineKind, 'charge'>, BillLine>> = {
  tax: 'tax',
  fee: 'fees',
  credit: 'credits',
  rounding: 'rounding',
  adjustment: 'adjustments',
  refund: 'refunds',
};

/** A credit memo takes away, an invoice and a debit memo add. A pro forma invoice asks for nothing. */
const SIGNS: Readonly<Record<string, bigint>> = { INV: 1n, DM: 1n, CM: -1n };

type Parts = Map<BillLine, BillPart>;

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, one) => total + one, 0n);

function notInIt(others: readonly string[]): string {
  const currencies = [...new Set(others)].toSorted();
  return currencies.length === 0 ? '' : `What is in ${currencies.join(', ')} is not in it.`;
}

/** The net amount of a document, without its tax; if it names no tax, the total. */
function netOf({ net, tax, total }: MetaDocument): bigint | null {
  return net ?? (total === null ? null : total - (tax ?? 0n));
}

function totalOf({ net, tax, total }: MetaDocument): bigint | null {
  return total ?? (net === null ? null : net + (tax ?? 0n));
}

/** The bill by Meta's own documents. */
function byDocuments(documents: readonly MetaDocument[], currency: string): Parts {
  const asking = documents.filter(({ type }) => type in SIGNS);
  const own = asking.filter((one) => one.currency === currency);
  const parts: Parts = new Map();
  const add = (line: BillLine, of: readonly MetaDocument[], amountOf: (one: MetaDocument) => bigint | null): void => {
    const amounts = of.map((one) => ({ sign: SIGNS[one.type] ?? 1n, amount: amountOf(one) }));
    const known = amounts.flatMap(({ sign, amount }) => (amount === null ? [] : [sign * amount]));
    const unknown = amounts.length - known.length;
    parts.set(line, {
      amount: unknown > 0 ? null : sum(known),
      source: 'meta_invoices',
      reason: unknown > 0 ? `${unknown} of ${of.length} documents of Meta's do not say it.` : '',
    });
  };
  add('billed', own, totalOf);
  const others = asking.filter((one) => one.currency !== currency).map((one) => one.currency);
  const billed = parts.get('billed');
  if (billed !== undefined) parts.set('billed', { ...billed, reason: billed.reason || notInIt(others) });
  for (const [line, type] of [
    ['debit_memos', 'DM'],
    ['credit_memos', 'CM'],
  ] as const) {
    const memos = own.filter((one) => one.type === type);
    if (memos.length > 0) add(line, memos, netOf);
  }
  const taxed = own.filter(({ tax }) => tax !== null);
  if (taxed.length > 0) add('tax', taxed, ({ tax }) => tax);
  return parts;
}

/** The bill by the lines of imported invoices. */
function byLines(lines: BillFacts['lines'], currency: string): Parts {
  const own = lines.filter((one) => one.currency === currency);
  const others = lines.filter((one) => one.currency !== currency).map((one) => one.currency);
  const source = 'invoice_files';
  const parts: Parts = new Map([
    ['billed', { amount: sum(own.map(({ amount }) => amount)), source, reason: notInIt(others) }],
  ]);
  for (const { kind, amount } of own) {
    if (kind === 'charge') continue;
    const line = LINE_OF_KIND[kind];
    parts.set(line, { amount: amount + (parts.get(line)?.amount ?? 0n), source, reason: '' });
  }
  return parts;
}

function billedParts({ documents, lines, currency }: BillFacts): Parts {
  const isOwn = (one: { readonly currency: string }): boolean => one.currency === currency;
  if (documents.some((one) => one.type in SIGNS && isOwn(one))) return byDocuments(documents, currency);
  if (lines.some(isOwn)) return byLines(lines, currency);
  const others = [...documents, ...lines].map((one) => one.currency);
  const reason =
    currency === ''
      ? 'The account has no currency.'
      : others.length > 0
        ? `No invoice is in ${currency}. ${notInIt(others)}`
        : 'No invoice of the month was imported.';
  return new Map([['billed', { amount: null, source: '', reason }]]);
}

/**
 * The whole bill of a month: what is billed, by Meta's own documents or else by the lines of imported invoices, and
 * what it consists of. The lines between `billed` and `residual` and the residual add up to what is billed. A line of
 * which the amount is not known is in no sum; the residual names it. Pure.
 */
export function wholeBill(facts: BillFacts): WholeBillRow[] {
  const { waba_id, month, currency, messages, calls, agent } = facts;
  const parts = billedParts(facts);
  for (const [line, part] of [
    ['messages', messages],
    ['calls', calls],
    ['agent', agent],
  ] as const)
    parts.set(line, part);
  const billed = parts.get('billed')?.amount ?? null;
  const inIt = [...parts].filter(([line]) => line !== 'billed');
  const unknown = inIt.filter(([, { amount }]) => amount === null).map(([line]) => line.replaceAll('_', ' '));
  const known = inIt.flatMap(([, { amount }]) => (amount === null ? [] : [amount]));
  parts.set('residual', {
    amount: billed === null ? null : billed - sum(known),
    source: '',
    reason:
      billed === null
        ? 'It is not known what is billed.'
        : unknown.length === 0
          ? ''
          : `Not known: ${unknown.join(', ')}.`,
  });
  return BILL_LINES.flatMap((line) => {
    const part = parts.get(line);
    if (part === undefined) return [];
    const { amount, source, reason } = part;
    return [{ waba_id, month, line, source, currency, amount: amount === null ? null : amountText(amount), reason }];
  });
}

import { describe, expect, it } from 'vitest';
import { readAmount } from '../../services/reconciliation/amounts.ts';
import {
  wholeBill,
  type BillFacts,
  type BillPart,
  type MetaDocument,
} from '../../services/reconciliation/whole-bill.ts';

const is = (amount: string): BillPart => ({ amount: readAmount(amount), source: 'meta_analytics', reason: '' });
const UNKNOWN: BillPart = { amount: null, source: '', reason: 'It was not imported.' };

/** A document of Meta's by its type, net amount, tax and total; null where it does not say it. */
function document(
  [type, net, tax, total]: readonly [string, string | null, string | null, string | null],
  currency = 'USD',
): MetaDocument {
  const amount = (text: string | null): bigint | null => (text === null ? null : readAmount(text));
  return { type, currency, net: amount(net), tax: amount(tax), total: amount(total) };
}

const line = (kind: BillFacts['lines'][number]['kind'], amount: string, currency = 'USD') => ({
  ...{ kind, currency },
  amount: readAmount(amount),
});

const FACTS: BillFacts = {
  ...{ waba_id: '10', month: '2026-10', currency: 'USD', documents: [], lines: [] },
  ...{ messages: is('100'), calls: is('20'), agent: is('3') },
};

/** The lines with their amounts. */
const bill = (some: Partial<BillFacts>): Record<string, string | null> =>
  Object.fromEntries(wholeBill({ ...FACTS, ...some }).map(({ line: name, amount }) => [name, amount]));

const USED = { messages: '100', calls: '20', agent: '3' };

describe('the whole bill of a month', () => {
  it.each<[string, Partial<BillFacts>, Record<string, string | null>]>([
    [
      'an invoice with its tax',
      { documents: [document(['INV', '123', '12.3', '135.3'])] },
      { billed: '135.3', ...USED, tax: '12.3', residual: '0' },
    ],
    [
      'memos beside it',
      {
        documents: [
          document(['INV', '120', '12', '132']),
          document(['DM', '5', '0.5', '5.5']),
          document(['CM', '10', '1', '11']),
        ],
      },
      { billed: '126.5', ...USED, debit_memos: '5', credit_memos: '-10', tax: '11.5', residual: '-3' },
    ],
    [
      'an invoice that names only its total',
      { documents: [document(['INV', null, null, '123'])] },
      { billed: '123', ...USED, residual: '0' },
    ],
    [
      'an invoice that names only what is in it',
      { documents: [document(['INV', '123', '7', null])] },
      { billed: '130', ...USED, tax: '7', residual: '0' },
    ],
    [
      'a pro forma invoice beside it',
      { documents: [document(['INV', '123', '0', '123']), document(['PRO_FORMA', '123', '0', '123'])] },
      { billed: '123', ...USED, tax: '0', residual: '0' },
    ],
    [
      'lines of every kind',
      {
        lines: [
          ...[
            line('charge', '123'),
            line('tax', '10'),
            line('fee', '6'),
            line('credit', '-5'),
            line('rounding', '0.01'),
          ],
          ...[line('adjustment', '2'), line('refund', '-1')],
        ],
      },
      {
        ...{ billed: '135.01', ...USED, fees: '6', credits: '-5', adjustments: '2', refunds: '-1' },
        ...{ rounding: '0.01', tax: '10', residual: '0' },
      },
    ],
    [
      'Meta’s documents before lines of files',
      { documents: [document(['INV', '123', '0', '123'])], lines: [line('charge', '999')] },
      { billed: '123', ...USED, tax: '0', residual: '0' },
    ],
    ['nothing billed', {}, { billed: null, ...USED, residual: null }],
    [
      'a document without amounts',
      { documents: [document(['INV', null, null, null])] },
      { billed: null, ...USED, residual: null },
    ],
    ['another currency', { lines: [line('charge', '1', 'EUR')] }, { billed: null, ...USED, residual: null }],
    [
      'calls that are not known',
      { lines: [line('charge', '123')], calls: UNKNOWN },
      { billed: '123', ...USED, calls: null, residual: '20' },
    ],
  ])('has %s', (_, some, expected) => {
    expect(bill(some)).toEqual(expected);
  });

  it('adds up, whatever it consists of', () => {
    const rows = wholeBill({
      ...FACTS,
      lines: [line('charge', '77.123456'), line('tax', '9.1'), line('credit', '-3')],
    });
    const amount = (name: string): bigint => readAmount(rows.find((one) => one.line === name)?.amount ?? '0');
    const parts = rows.filter((one) => one.line !== 'billed').map(({ line: name }) => amount(name));
    expect(parts.reduce((total, one) => total + one, 0n)).toBe(amount('billed'));
  });

  it.each<[string, Partial<BillFacts>, string, string]>([
    ['no invoice', {}, 'billed', 'No invoice of the month was imported.'],
    ['no currency', { currency: '' }, 'billed', 'The account has no currency.'],
    [
      'another currency',
      { lines: [line('tax', '1', 'EUR')] },
      'billed',
      'No invoice is in USD. What is in EUR is not in it.',
    ],
    [
      'one more currency',
      { lines: [line('tax', '1', 'EUR'), line('charge', '1')] },
      'billed',
      'What is in EUR is not in it.',
    ],
    [
      'what is unknown',
      { lines: [line('charge', '1')], calls: UNKNOWN, agent: UNKNOWN },
      'residual',
      'Not known: calls, agent.',
    ],
    ['nothing billed', {}, 'residual', 'It is not known what is billed.'],
  ])('says why: %s', (_, some, name, reason) => {
    expect(wholeBill({ ...FACTS, ...some }).find((one) => one.line === name)?.reason).toBe(reason);
  });
});

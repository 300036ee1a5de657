import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InvoiceMapping } from '../../schemas/invoices.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { changeClaim, makeClaim, recoveredIn } from '../../services/reconciliation/claim-register.ts';
import { importMetaAnswers } from '../../services/reconciliation/imports.ts';
import { parseInvoice } from '../../services/reconciliation/invoice-file.ts';
import {
  importInvoice,
  invoiceLines,
  invoiceMapping,
  keepInvoiceMapping,
  listInvoices,
  withdrawInvoice,
} from '../../services/reconciliation/invoices.ts';
import { DataDirectory, openLedger, run, succeed } from '../support/ledger.ts';
import { workbookOf } from '../support/workbook.ts';

const MAPPING: InvoiceMapping = {
  columns: { month: 'Period', market: 'Country', category: 'Type', volume: 'Messages', amount: 'Net', kind: 'Kind' },
  currency: 'EUR',
};

const csv = (...rows: string[]): Buffer =>
  Buffer.from(['Period;Country;Type;Messages;Net;Kind', ...rows, ''].join('\n'));

async function amounts(bytes: Uint8Array, mapping: InvoiceMapping = MAPPING) {
  const parsed = await parseInvoice(bytes, mapping);
  return parsed.ok
    ? parsed.lines.map(({ kind, volume, amount, currency }) => [kind, volume, amount, currency])
    : parsed.problems;
}

describe('an invoice', () => {
  it('has its lines by kind, amounts as they are printed', async () => {
    expect(
      await amounts(
        csv(
          '2026-10;Brazil;Marketing;1.234.567;77.160,4375;Usage',
          'October 2026;Brazil;Utility;12;-0,08;Credit memo',
          '10/2026;;;;1.466,05;VAT',
          '2026-10-31;;;;(0,01);rounding',
          '2026-10;;Platform;;€ 49,00;',
        ),
      ),
    ).toEqual([
      ['charge', '1234567', '77160.4375', 'EUR'],
      ['credit', '12', '-0.08', 'EUR'],
      ['tax', null, '1466.05', 'EUR'],
      ['rounding', null, '-0.01', 'EUR'],
      ['charge', null, '49', 'EUR'],
    ]);
  });

  it('is read by the decimal sign that the mapping says, where the column leaves doubt', async () => {
    const doubtful = csv('2026-10;BR;marketing;1;1.234;usage');
    expect(await amounts(doubtful)).toMatchObject([
      {
        line: 2,
        column: '5 (Net)',
        message: expect.stringMatching(/two different amounts.*--decimal point/) as unknown,
      },
    ]);
    expect(await amounts(doubtful, { ...MAPPING, decimal_mark: '.' })).toEqual([['charge', '1', '1.234', 'EUR']]);
    expect(await amounts(doubtful, { ...MAPPING, decimal_mark: ',' })).toEqual([['charge', '1', '1234', 'EUR']]);
  });

  it('may be a workbook', async () => {
    const rows = [
      ['Invoice of a partner'],
      ['Period', 'Country', 'Type', 'Messages', 'Net', 'Kind'],
      ['2026-10', 'India', 'Marketing', 1_000_000, 11_800.5, 'Usage'],
    ] as const;
    expect(await amounts(await workbookOf({ name: 'October', rows }))).toEqual([
      ['charge', '1000000', '11800.5', 'EUR'],
    ]);
  });

  it.each<[string, Buffer, InvoiceMapping, RegExp]>([
    ['a month that is none', csv('13/2026;;;;1,50;'), MAPPING, /"13\/2026" is not a month/],
    ['a sum', csv('Total;;;;1,50;'), MAPPING, /leave out rows that sum up others/],
    ['an amount that is none', csv('2026-10;;;;n/a;'), MAPPING, /is not an amount/],
    ['both signs', csv('2026-10;;;;1.234,56;', '2026-10;;;;1,234.56;'), MAPPING, /"1.234,56" is not an amount/],
    ['another kind', csv('2026-10;;;;1,50;Gift'), MAPPING, /"Gift" must be one of charge, tax/],
    ['a volume that is none', csv('2026-10;;;some;1,50;'), MAPPING, /"some" is not a number of messages/],
    ['another currency', csv('2026-10;;;;USD 1,50;'), MAPPING, /in USD, but the mapping says EUR/],
    ['no currency', csv('2026-10;;;;1,50;'), { columns: MAPPING.columns }, /The currency is not known: map a column/],
    ['no such header', Buffer.from('A,B\n1,2\n'), MAPPING, /no header with "Period".*columns found are: "A", "B"/],
    ['no lines', csv(), MAPPING, /no lines under the header/],
    ['a PDF', Buffer.from('%PDF-1.7 '), MAPPING, /is a PDF/],
  ])('with %s is not taken', async (_, bytes, mapping, message) => {
    const found = await amounts(bytes, mapping);
    expect(found.map((one) => ('message' in one ? one.message : one)).join('\n')).toMatch(message);
  });
});

describe('invoices in the ledger', () => {
  const data = new DataDirectory();
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await openLedger(data);
  });
  afterAll(async () => {
    await ledger.close();
    await data.remove();
  });

  it('hold once, and can be taken back', async () => {
    const { database } = ledger;
    await keepInvoiceMapping(database, { name: 'partner', ...MAPPING, decimal_mark: ',' }, 'ana');
    expect(await invoiceMapping(database, 'partner')).toMatchObject({ ...MAPPING, decimal_mark: ',', kept_by: 'ana' });
    await expect(invoiceMapping(database, 'other')).rejects.toThrow(/The saved mappings are "partner"/);
    const file = {
      name: 'october.csv',
      bytes: csv('2026-10;BR;marketing;2;0,125;', '2026-10;;;;0,02;tax'),
      waba_id: '1',
      by: 'ana',
    };
    const { outcome, invoice } = await importInvoice(database, file, 'partner');
    expect(outcome).toBe('imported');
    expect(invoice).toMatchObject({
      lines: 2,
      totals: [
        { month: '2026-10', kind: 'charge', currency: 'EUR', amount: '0.125' },
        { month: '2026-10', kind: 'tax', currency: 'EUR', amount: '0.02' },
      ],
    });
    expect((await importInvoice(database, file, 'partner')).outcome).toBe('unchanged');
    expect(await invoiceLines(database)).toMatchObject([
      { line: 2, market: 'BR', category: 'marketing', kind: 'charge', volume: '2', amount: '0.125' },
      { line: 3, kind: 'tax', volume: null, amount: '0.02' },
    ]);
    expect((await withdrawInvoice(database, invoice.import_id, 'ben')).state).toBe('withdrawn');
    expect(await invoiceLines(database)).toEqual([]);
    expect((await importInvoice(database, file, 'partner')).outcome).toBe('imported');
    expect((await listInvoices(database)).map(({ state }) => state)).toEqual(['holds']);
    await expect(importInvoice(database, { ...file, bytes: csv('x;;;;1;') }, 'partner')).rejects.toThrow(/line 2/);
    expect(await listInvoices(database)).toHaveLength(1);
  });

  it('pay claims, as far as a credit of their currency goes, and once', async () => {
    const { database } = ledger;
    const october = { waba_id: '1', month: '2026-10', explanation: '', currency: 'EUR', note: '', by: 'ana' } as const;
    const claims = await Promise.all(
      ['5', '4', '5'].map((amount) => makeClaim(database, { ...october, amount, reference: '' })),
    );
    // The same claim twice is one.
    expect(claims.map(({ outcome }) => outcome).toSorted()).toEqual(['entered', 'entered', 'unchanged']);
    const [five, four] = claims.map(({ claim }) => claim.claim_id);
    const dollars = await makeClaim(database, { ...october, amount: '5', currency: 'USD', reference: 'case 1' });
    await expect(makeClaim(database, { ...october, amount: '-5', reference: '' })).rejects.toThrow('no amount above 0');

    const file = {
      name: 'credits.csv',
      bytes: csv('2026-10;;;;-6,00;credit', '2026-10;;;;7,00;'),
      waba_id: '1',
      by: 'ana',
    };
    const { invoice } = await importInvoice(database, file, 'partner');
    const memo = `${invoice.import_id}:2`;
    const change = { note: '', by: 'ana', reference: '', amount: '', credit: '' };
    const pay = (id: string, credit: string, amount = ''): ReturnType<typeof changeClaim> =>
      changeClaim(database, id, { ...change, action: 'pay', credit, amount });
    await expect(pay(five!, `${invoice.import_id}:3`)).rejects.toThrow('gives nothing back');
    await expect(pay(five!, 'CM-1')).rejects.toThrow('There is no credit "CM-1"');
    await expect(pay(dollars.claim.claim_id, memo)).rejects.toThrow('The credit is in EUR, the claim in USD');

    // Twice at the same time: paid once.
    const twice = await Promise.all([pay(five!, memo), pay(five!, memo)]);
    expect(twice.map(({ outcome }) => outcome).toSorted()).toEqual(['entered', 'unchanged']);
    expect(twice[0]!.claim).toMatchObject({ state: 'paid', claimed: '5', recovered: '5', credits: memo });
    await expect(pay(four!, memo, '2')).rejects.toThrow('there is not as much left');
    expect((await pay(four!, memo)).claim).toMatchObject({ state: 'paid_in_part', recovered: '1' });
    await expect(changeClaim(database, five!, { ...change, action: 'withdraw' })).rejects.toThrow('is paid');

    const cm = {
      id: '1',
      business_invoices: {
        data: [
          { id: 'CM-1', type: 'CM', billed_amount_details: { currency: 'EUR', total_amount: '1,003.00' } },
          { id: 'INV-1', type: 'INV', billed_amount_details: { currency: 'EUR', total_amount: '9.00' } },
        ],
      },
    };
    await importMetaAnswers(database, [{ name: 'invoices.json', bytes: Buffer.from(JSON.stringify(cm)) }], {
      ...{ days: 'account', asked: null, by: 'ana' },
    });
    await expect(pay(four!, 'INV-1')).rejects.toThrow('There is no credit "INV-1"');
    expect((await pay(four!, 'CM-1')).claim).toMatchObject({ state: 'paid', recovered: '4', credits: `${memo} CM-1` });
    await changeClaim(database, dollars.claim.claim_id, { ...change, action: 'withdraw' });
    // By currency, and never what was withdrawn.
    expect(await recoveredIn(database, { from: '2026-10-10', to: '2026-11-01' }, ['1'])).toEqual([
      { currency: 'EUR', claims: 2, claimed: '9', recovered: '9' },
    ]);
    expect(await recoveredIn(database, { from: '2026-11-01', to: null }, null)).toEqual([]);
    const { stdout } = await succeed(data, ['claims', 'list']);
    const listed = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { state: string });
    expect(listed.map(({ state }) => state).toSorted()).toEqual(['paid', 'paid', 'withdrawn']);
  });

  it('come by command', async () => {
    const path = data.file('invoice.csv');
    writeFileSync(path, 'Mês,Valor\n2026-10,"R$ 1.234,56"\n');
    const columns = ['--column', 'month=Mês', '--column', 'amount=Valor'];
    await succeed(data, ['invoice', 'map', 'brl', ...columns, '--currency', 'BRL']);
    const { stdout } = await succeed(data, ['invoice', 'import', path, '--mapping', 'brl']);
    expect(JSON.parse(stdout)).toMatchObject({ totals: [{ amount: '1234.56', currency: 'BRL' }], outcome: 'imported' });
    expect(await run(data, ['invoice', 'map', 'x', '--column', 'price=Valor'])).toMatchObject({ code: 2 });
  });
});

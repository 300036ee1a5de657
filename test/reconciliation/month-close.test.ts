import type { Check, CheckName, Examination } from '@ctwa-ledger/schemas/periods.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { settleReports } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { examineMonth } from '../../services/periods/checklist.ts';
import { accountMonth } from '../../services/periods/month.ts';
import { monthClose } from '../../services/periods/month-close.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { importMetaAnswers, type MetaImportOptions } from '../../services/reconciliation/imports.ts';
import { metaSide } from '../../services/reconciliation/meta-side.ts';
import { importInvoice, keepInvoiceMapping } from '../../services/reconciliation/invoices.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, EVERYTHING, openLedger } from '../support/ledger.ts';
import { answer, file } from './meta.ts';
import { counted, Decimal, pointsOf, type Point } from './naive.ts';
import { ACCOUNT, LIST_CARD, MONTH, NUMBERS, TIER_CARD, traffic, WABA } from './world.ts';

const data = new DataDirectory();
let ledger: Ledger;

/** Of the number that sends in every hour: the other one is silent for hours by chance. */
const messages = traffic(3).filter(
  ({ trait, stored }) =>
    (trait === 'none' || trait === 'unreported') && stored.every((event) => event['phone_number_id'] === NUMBERS[0].id),
);
const ours = counted(
  messages.flatMap((message) => message.stored),
  ACCOUNT,
);
const points = pointsOf(ours);
const total = ours.reduce((sum, { cost }) => sum.plus(cost ?? 0), new Decimal(0));
/** Long after everything was stored. */
const LATER = Date.now() + 60 * 86_400_000;

beforeAll(async () => {
  ledger = await openLedger(data, 'month_close', { accounts: [ACCOUNT] });
  const { database } = ledger;
  for (const [name, text] of [
    ['list.csv', LIST_CARD],
    ['tiers.csv', TIER_CARD],
  ] as const)
    await importRateFile(database, { name, bytes: Buffer.from(text), effective: '2026-10-01', by: 'a test' });
  await ledger.record(parsed(messages.flatMap((message) => message.stored)));
  await settleReports(['reconciliation'], database);
  await keepInvoiceMapping(
    database,
    { name: 'plain', columns: { month: 'Month', amount: 'Amount', currency: 'Currency', kind: 'Kind' } },
    'a test',
  );
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});
beforeEach(async () => {
  for (const table of ['meta_imports', 'meta_points', 'import_files', 'invoices', 'invoice_lines'])
    await ledger.database.command(`TRUNCATE TABLE ${table}`);
});

const OPTIONS: MetaImportOptions = { days: 'account', asked: { from: '2026-10-01', to: '2026-11-01' }, by: 'a test' };

async function takeMeta(counts: readonly Point[], options: MetaImportOptions = OPTIONS): Promise<void> {
  await importMetaAnswers(ledger.database, [file('meta.json', answer(counts))], options);
}

async function takeInvoice(lines: readonly string[], waba_id: string = WABA): Promise<void> {
  const bytes = Buffer.from(['Month,Amount,Currency,Kind', ...lines, ''].join('\n'));
  await importInvoice(ledger.database, { name: 'invoice.csv', bytes, waba_id, by: 'a test' }, 'plain');
}

async function examine(now = LATER): Promise<Examination> {
  const { database } = ledger;
  return examineMonth(database, await accountMonth(database, WABA, MONTH), now);
}

function itemOf<Name extends CheckName>(
  { checklist }: Examination,
  name: Name,
): Extract<Check, { readonly check: Name }> | undefined {
  return checklist.find((one): one is Extract<Check, { readonly check: Name }> => one.check === name);
}

const charge = (amount: string, currency = 'USD'): string => `${MONTH},${amount},${currency},charge`;

describe('what Meta says beside what is expected', () => {
  const OCTOBER = { ...EVERYTHING, from: '2026-10-01', to: '2026-11-01' };
  const sumOf = (of: (one: { readonly day: string }) => boolean): string =>
    ours
      .filter(of)
      .reduce((sum, { cost }) => sum.plus(cost ?? 0), new Decimal(0))
      .toFixed();

  it('is of the days that both know, and of whole months', async () => {
    const { database } = ledger;
    expect(await metaSide(database, OCTOBER)).toEqual([]);
    await takeMeta(
      points.filter(({ day }) => day < '2026-10-20'),
      { ...OPTIONS, asked: { from: '2026-10-01', to: '2026-10-20' } },
    );
    await takeInvoice([charge('1.25'), `${MONTH},3.5,USD,tax`]);
    const known = sumOf(({ day }) => day < '2026-10-20');
    const expected = { currency: 'USD', meta: { cost: known, expected: known, difference: '0' } };
    expect(await metaSide(database, OCTOBER)).toMatchObject([
      {
        ...expected,
        meta: { days: 19, of_days: 31 },
        invoice: {
          amount: '1.25',
          expected: total.toFixed(),
          difference: total.minus('1.25').toFixed(),
          months: [MONTH],
        },
      },
    ]);
    expect(await metaSide(database, { ...OCTOBER, waba_id: '1' })).toEqual([]);
    const week = await metaSide(database, { ...OCTOBER, from: '2026-10-05', to: '2026-10-12' });
    const ofWeek = sumOf(({ day }) => day >= '2026-10-05' && day < '2026-10-12');
    expect(week).toMatchObject([{ meta: { cost: ofWeek, difference: '0', days: 7, of_days: 7 }, invoice: null }]);
    // Where Meta names no charge nothing is said of it: it is not 0.
    expect(await metaSide(database, { ...OCTOBER, from: '2026-10-25', to: '2026-10-28' })).toEqual([]);
  });

  it('is not known where Meta names no charge, or 0 for all', async () => {
    await takeMeta(points.map((point) => ({ ...point, cost: undefined })));
    expect(await metaSide(ledger.database, OCTOBER)).toEqual([]);
    await ledger.database.command('TRUNCATE TABLE meta_imports');
    await takeMeta(points.map((point) => ({ ...point, cost: new Decimal(0) })));
    expect(await metaSide(ledger.database, OCTOBER)).toEqual([]);
  });
});

describe('the checklist of a month', () => {
  it('is reconciled when Meta counts as we do and the invoice is for that', async () => {
    await takeMeta(points);
    await takeInvoice([charge(total.minus(1).toFixed(2)), charge('1.00'), `${MONTH},3.5,USD,tax`]);
    const examination = await examine();
    expect(examination).toMatchObject({ verdict: 'reconciled', because: [], findings: [] });
    expect(itemOf(examination, 'differences')).toMatchObject({
      different: 0,
      cost_difference: '0',
      our_cost: total.toFixed(),
      meta_cost: total.toFixed(),
    });
    // The tax is a line of its own.
    expect(itemOf(examination, 'invoice')).toMatchObject({ lines: 2, held_against: 'meta', amount: total.toFixed() });
    expect(itemOf(examination, 'events')).toMatchObject({ agrees_with_meta: true });
    expect(itemOf(examination, 'prices')).toMatchObject({ delivered: ours.length, unrated: 0, has_currency: true });
  });

  it('has breaks where Meta charges another price, and where the invoice does', async () => {
    await takeMeta(
      points.map((point) =>
        point.country === 'IN' && point.pricing_type === 'REGULAR' && point.cost !== undefined
          ? { ...point, cost: point.cost.times(2) }
          : point,
      ),
    );
    await takeInvoice([charge(total.times(3).toFixed(2))]);
    const examination = await examine();
    expect(examination).toMatchObject({ verdict: 'breaks', because: ['differences', 'invoice'] });
    const differences = itemOf(examination, 'differences')!;
    expect(differences.different).toBeGreaterThan(0);
    expect(differences.explained).toBe(0);
    expect(new Decimal(differences.cost_difference!).lt(0)).toBe(true);
    const invoice = itemOf(examination, 'invoice')!;
    expect(invoice.difference).toBe(new Decimal(invoice.invoiced!).minus(invoice.amount!).toFixed());
  });

  it('names the days that Meta says nothing of, and holds the invoice against the expected charge', async () => {
    await takeMeta(
      points.filter(({ day }) => day < '2026-10-20'),
      { ...OPTIONS, asked: { from: '2026-10-01', to: '2026-10-20' } },
    );
    await takeInvoice([charge(total.toFixed(2))]);
    const examination = await examine();
    expect(examination.verdict).toBe('incomplete');
    expect(examination.because).toEqual(expect.arrayContaining(['meta_numbers', 'differences']));
    const days = itemOf(examination, 'meta_numbers')!;
    expect([days.state, days.days, days.missing_days.length, days.missing_days[0]]).toEqual([
      'open',
      31,
      12,
      '2026-10-20',
    ]);
    expect(itemOf(examination, 'differences')).toMatchObject({ state: 'unknown', different: 0, missing_days: 12 });
    expect(itemOf(examination, 'invoice')).toMatchObject({ state: 'passed', held_against: 'expected' });
  });

  it('is not sure of costs that Meta does not name', async () => {
    await takeMeta(points.map((point) => ({ ...point, cost: undefined })));
    await takeInvoice([charge(total.toFixed(2))]);
    const examination = await examine();
    expect(examination).toMatchObject({ verdict: 'warnings', because: ['differences'] });
    expect(itemOf(examination, 'differences')).toMatchObject({ meta_cost: null, cost_difference: null });
    expect(itemOf(examination, 'differences')!.no_cost).toBeGreaterThan(0);
    expect(itemOf(examination, 'invoice')).toMatchObject({ state: 'passed', held_against: 'expected' });
  });

  it('does not know an invoice in another currency, or one that names no account', async () => {
    await takeMeta(points);
    await takeInvoice([charge(total.toFixed(2), 'EUR')]);
    await takeInvoice([charge(total.toFixed(2))], '');
    const examination = await examine();
    expect(examination).toMatchObject({ verdict: 'incomplete', because: ['invoice'] });
    expect(itemOf(examination, 'invoice')).toMatchObject({
      state: 'unknown',
      invoiced: null,
      other_currencies: ['EUR'],
      unassigned_lines: 1,
    });
  });

  it('waits for what may still come, until a day that it names', async () => {
    await takeMeta(points);
    await takeInvoice([charge(total.toFixed(2))]);
    // Within a day of storing them; Meta's numbers were taken when they had settled.
    const examination = await examine(Date.now());
    expect(examination).toMatchObject({ verdict: 'pending', because: ['events'] });
    expect(itemOf(examination, 'events')!.settles_on).toMatch(/^20\d\d-\d\d-\d\d$/);
    // The same numbers, taken on the first of November.
    await ledger.database.command(
      `INSERT INTO meta_imports SELECT * REPLACE (toDateTime64('2026-11-01 12:00:00', 3, 'UTC') AS imported_at, version + 1 AS version) FROM meta_imports FINAL`,
    );
    expect(itemOf(await examine(Date.parse('2026-11-02T00:00:00Z')), 'meta_numbers')).toMatchObject({
      state: 'pending',
      unsettled_days: ['2026-10-30', '2026-10-31'],
      settles_on: '2026-11-03',
    });
    expect(itemOf(await examine(), 'meta_numbers')).toMatchObject({ state: 'warning' });
  });

  it('knows how early it is by the account', async () => {
    const { database } = ledger;
    const at = async (text: string) => monthClose(database, WABA, MONTH, Date.parse(text));
    // Midnight is at 03:00 UTC.
    expect(await at('2026-11-05T02:59:00Z')).toMatchObject({
      is_over: true,
      is_early: true,
      earliest_day: '2026-11-05',
    });
    expect(await at('2026-11-05T03:00:00Z')).toMatchObject({ is_early: false });
    expect(await at('2026-11-01T02:59:00Z')).toMatchObject({ is_over: false, closed: null, closings: [] });
    const later = await openLedger(data, 'month_close', { accounts: [{ ...ACCOUNT, closing_day: 10 }] });
    await later.close();
    expect(await at('2026-11-05T03:00:00Z')).toMatchObject({ is_early: true, earliest_day: '2026-11-10' });
  });
});

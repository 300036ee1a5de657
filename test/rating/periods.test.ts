import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Decimal as AnyDecimal } from 'decimal.js';
import { afterAll, describe, expect, it } from 'vitest';
import type { Account } from '@ctwa-ledger/schemas/config.ts';
import type { MessagesBy } from '@ctwa-ledger/schemas/report-parameters.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { csvReport, settleReports, type ReportName } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { explain } from '../../services/reports/message.ts';
import { completeness } from '../../services/periods/completeness.ts';
import { gapsOf } from '../../services/reports/gaps.ts';
import { accountMonth } from '../../services/periods/month.ts';
import { closePeriod, listPeriods, reopenPeriod, type ClosingOutcome } from '../../services/periods/periods.ts';
import { settleCharges } from '../../services/rating/charges.ts';
import { importRateFile, listRateCards, withdrawRateCard } from '../../services/rating/rate-cards.ts';
import { marketOf } from '../../services/rating/markets.ts';
import { chargedMessages } from '../../services/reports/charged-messages.ts';
import { CHARGES_KEY } from '../../services/reports/charges.ts';
import { Prng } from '../../services/simulate/prng.ts';
import type { Row } from '../oracle/oracle.ts';
import { fileText, randomMoney } from '../oracle/rating-arbitraries.ts';
import { parsed } from '../support/expected-rows.ts';
import {
  drop,
  holdCommand,
  isFull,
  numberFrom,
  openLedger,
  run,
  shuffled,
  succeed,
  writeNdjson,
  withoutTimes,
} from '../support/ledger.ts';
import { csvRows, DataDirectory } from '../support/product.ts';

/** Digits enough that nothing is ever rounded. */
const Decimal = AnyDecimal.clone({ precision: 100 });

const data = new DataDirectory();
afterAll(() => data.remove());

const ZONE = 'America/Sao_Paulo';
const ACCOUNTS: Account[] = [
  { waba_id: 'W1', time_zone: ZONE, currency: 'USD', phone_number_ids: ['N1'] },
  { waba_id: 'W2', currency: 'USD', phone_number_ids: ['N2'] },
];
/** What a file name may hold: it goes through CSV and JSON. */
const LIST_NAME = 'Tarifas, "novas" \\ é.csv';
const LIST = 'Cost per message\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,0.0625,0.0068,0.0068\n';
const TIERS =
  'Market,Currency,Message type,From,To,Rate\nBrazil,USD,utility,1,3,0.00600001\nBrazil,USD,utility,4,MAX,0.005\n';

const at = (text: string): number => Date.parse(text) / 1_000;

interface Sent {
  readonly id: string;
  readonly delivered: string;
  readonly category?: string;
  readonly number?: string;
  readonly customer?: string;
}

/** A template that was sent a minute before it was delivered. */
function template({ id, delivered, category = 'utility', number = 'N1', customer = '5511955550001' }: Sent): object[] {
  const of = { phone_number_id: number, wa_id: customer, id };
  const time = at(delivered);
  return [
    {
      event: 'message',
      direction: 'outbound',
      ...of,
      timestamp: time - 60,
      type: 'template',
      template: { name: 't', category },
    },
    { event: 'status', ...of, status: 'delivered', timestamp: time },
  ];
}

const utilities = (...days: string[]): object[] =>
  days.flatMap((day) => template({ id: `utility.${day}`, delivered: `2026-10-${day}T15:00:00Z` }));

const CLICK = {
  event: 'message',
  direction: 'inbound',
  phone_number_id: 'N1',
  wa_id: '5511955550009',
  id: 'click',
  timestamp: at('2026-10-05T12:00:00Z'),
  type: 'text',
  referral: { source_type: 'ad', source_id: 'ad-1' },
};

/** A month with tiers, a free entry window, messages around both midnights, another account, and one without an account. */
const EVENTS: object[] = [
  ...utilities('03', '06', '09', '12', '15'),
  ...template({ id: 'first', delivered: '2026-10-01T03:00:00Z', category: 'marketing' }),
  ...template({ id: 'before', delivered: '2026-10-01T02:59:59Z', category: 'marketing' }),
  ...template({ id: 'last', delivered: '2026-11-01T02:59:59Z', category: 'marketing' }),
  ...template({ id: 'after', delivered: '2026-11-01T03:00:00Z', category: 'marketing' }),
  CLICK,
  ...template({ id: 'opener', delivered: '2026-10-05T13:00:00Z', category: 'utility', customer: '5511955550009' }),
  ...template({ id: 'saved', delivered: '2026-10-05T14:00:00Z', category: 'marketing', customer: '5511955550009' }),
  ...template({ id: 'other', delivered: '2026-10-07T14:00:00Z', category: 'marketing', number: 'N2' }),
  ...template({ id: 'nobody', delivered: '2026-10-07T14:00:00Z', category: 'marketing', number: 'N3' }),
];

const OCTOBER: ReportFilters = { from: '2026-10-01', to: '2026-11-01', tz: 'UTC', as_of: 1_800_000_000 };
const ALL: ReportFilters = { ...OCTOBER, from: null, to: null };

async function text(
  { database }: Ledger,
  report: ReportName,
  filters: ReportFilters = OCTOBER,
  by: MessagesBy = 'sent',
): Promise<string> {
  await settleReports([report], database);
  let all = '';
  for await (const part of csvReport(report, database, filters, by)) all += part;
  return all;
}

/** Rows of an account as they are printed, with the header. */
function linesOf(csv: string, waba_id: string): string {
  const lines = csv.split('\n');
  return lines
    .filter((line, i) => i === 0 || line.split(',')[1] === waba_id)
    .map((line) => `${line}\n`)
    .join('');
}

async function importFile({ database }: Ledger, name: string, content: string, effective: string): Promise<string> {
  const [card] = await importRateFile(database, { name, bytes: Buffer.from(content), effective, by: 'ana' });
  return card!.card_id;
}

const close = ({ database }: Ledger, waba_id = 'W1', accept = true): Promise<ClosingOutcome> =>
  closePeriod(database, { waba_id, month: '2026-10', by: 'ana', accept }, Date.now);

let databases = 0;
async function withMonth(work: (ledger: Ledger) => Promise<void>, events: readonly object[] = EVENTS): Promise<void> {
  const ledger = await openLedger(data, `periods_${databases++}`, { accounts: ACCOUNTS });
  try {
    await importFile(ledger, LIST_NAME, LIST, '2026-07-01');
    await importFile(ledger, 'tiers.csv', TIERS, '2026-07-01');
    await ledger.record(parsed(events));
    await work(ledger);
    await drop(ledger);
  } finally {
    await ledger.close();
  }
}

const SUMS = ['volume', 'list_cost', 'billed_cost', 'savings', 'unrated'] as const;

/** now − frozen, from two exports. */
function difference(now: readonly Row[], frozen: readonly Row[]): Row[] {
  const rows = new Map<string, Row>();
  const add = (row: Row, sign: 1 | -1): void => {
    const key = JSON.stringify(CHARGES_KEY.map((column) => row[column]));
    const known = rows.get(key) ?? Object.fromEntries(CHARGES_KEY.map((column) => [column, row[column]!]));
    for (const column of SUMS)
      if (row[column] !== '')
        known[column] = new Decimal(known[column] ?? '0').plus(new Decimal(row[column]!).times(sign)).toFixed();
    rows.set(key, known);
  };
  for (const row of now) add(row, 1);
  for (const row of frozen) add(row, -1);
  return [...rows.values()].filter((row) => SUMS.some((column) => !new Decimal(row[column] ?? '0').isZero()));
}

const byKey = (rows: readonly Row[]): Record<string, Row> =>
  Object.fromEntries(
    rows.map(({ closed_at: _, ...row }) => [
      JSON.stringify(CHARGES_KEY.map((column) => row[column])),
      Object.fromEntries(Object.entries(row).filter(([, cell]) => cell !== '')),
    ]),
  );

/** That adjustments are the live month less the frozen one; the live one is asked for by the days of a zone. */
async function expectAdjusted(ledger: Ledger, tz: string): Promise<Row[]> {
  const now = csvRows(linesOf(await text(ledger, 'charges', { ...OCTOBER, tz, is_tz_given: true }), 'W1'));
  const frozen = csvRows(linesOf(await text(ledger, 'charges'), 'W1'));
  expect(new Set(now.map((row) => row['period']))).toEqual(new Set(['live']));
  const adjustments = csvRows(await text(ledger, 'adjustments'));
  expect(byKey(adjustments)).toEqual(byKey(difference(now, frozen)));
  return adjustments;
}

describe('a closed month', () => {
  it('prints what was printed when it was closed, and what it was closed with', () =>
    withMonth(async (ledger) => {
      const before = await text(ledger, 'charges');
      const messages = await text(ledger, 'messages', ALL);
      const outcome = await close(ledger);
      if (outcome.outcome !== 'closed') throw new Error('It was not closed.');
      const { period } = outcome;
      const label = `closed ${period.closed_at}`;
      const after = await text(ledger, 'charges');
      expect(linesOf(after, 'W1')).toBe(linesOf(before, 'W1').replaceAll(',live\n', `,${label}\n`));
      expect(linesOf(after, 'W2')).toBe(linesOf(before, 'W2'));
      expect(linesOf(after, '')).toBe(linesOf(before, ''));
      expect(createHash('sha256').update(linesOf(after, 'W1').replace(/\n+$/, '\n')).digest('hex')).toBe(
        period.checksum,
      );
      const rows = csvRows(linesOf(after, 'W1'));
      const total = (column: string): string => AnyDecimal.sum(...rows.map((row) => row[column]!)).toFixed();
      expect(period).toMatchObject({
        waba_id: 'W1',
        month: '2026-10',
        state: 'closed',
        time_zone: ZONE,
        closed_by: 'ana',
        charges: rows.length,
        messages: 9,
        totals: [
          {
            currency: 'USD',
            volume: '9',
            list_cost: total('list_cost'),
            billed_cost: total('billed_cost'),
            savings: total('savings'),
            unrated: '0',
          },
        ],
        rate_cards: [
          { kind: 'list', name: LIST_NAME, effective_date: '2026-07-01' },
          { kind: 'tiers', name: 'tiers.csv', effective_date: '2026-07-01' },
        ],
        reopened_at: null,
      });
      expect(Number(period.totals[0]!.savings)).toBeGreaterThan(0);
      expect(period.findings.map(({ finding }) => finding)).toContain('stored_lately');
      const closedMessages = await text(ledger, 'messages', ALL);
      const periodOf = Object.fromEntries(csvRows(closedMessages).map((row) => [row['message_id'], row['period']]));
      expect(periodOf).toMatchObject({
        first: label,
        last: label,
        before: 'live',
        after: 'live',
        other: 'live',
        saved: label,
      });
      expect(withoutTimes(closedMessages.replaceAll(`,${label},`, ',live,'))).toBe(withoutTimes(messages));
      expect(await text(ledger, 'adjustments')).toMatch(/^day,.*,unrated,closed_at\n$/);
    }));

  it('is reprinted to the byte whatever becomes known later, and adjustments are now less frozen', () =>
    withMonth(async (ledger) => {
      await close(ledger);
      const frozen = linesOf(await text(ledger, 'charges'), 'W1');
      const delivered = { ...OCTOBER, tz: ZONE };
      const ofAccount = async (): Promise<string[]> =>
        (await text(ledger, 'messages', delivered, 'delivered')).split('\n').filter((line) => line.includes(',W1,'));
      const messages = await ofAccount();
      expect(messages).toHaveLength(9);
      const expectReprint = async (): Promise<void> => {
        expect(linesOf(await text(ledger, 'charges'), 'W1')).toBe(frozen);
        expect(await ofAccount()).toEqual(messages);
      };

      // A late message takes the second place of the tier: all after it move up, and one of them falls into the next tier.
      await ledger.record(parsed(utilities('04')));
      await expectReprint();
      const shifted = await expectAdjusted(ledger, ZONE);
      expect(shifted.map(({ day, tier, volume, billed_cost }) => [day, tier, volume, billed_cost])).toEqual([
        ['2026-10-04', '1:3', '1', '0.00600001'],
        ['2026-10-09', '1:3', '-1', '-0.00600001'],
        ['2026-10-09', '4:MAX', '1', '0.005'],
      ]);
      expect(new Set(shifted.map((row) => row['closed_at'])).size).toBe(1);

      // A status says that Meta charged for a message that was free.
      await ledger.record(
        parsed([
          {
            event: 'status',
            phone_number_id: 'N1',
            wa_id: '5511955550009',
            id: 'saved',
            status: 'read',
            timestamp: at('2026-11-02T10:00:00Z'),
            pricing: { billable: true, pricing_model: 'PMP', type: 'regular', category: 'marketing' },
          },
        ]),
      );
      await expectReprint();
      await expectAdjusted(ledger, ZONE);

      const card = await importFile(ledger, 'mended.csv', LIST.replace('0.0625', '0.07'), '2026-10-01');
      await expectReprint();
      expect((await expectAdjusted(ledger, ZONE)).some((row) => row['rate_card'] === 'mended.csv 2026-10-01')).toBe(
        true,
      );

      await withdrawRateCard(ledger.database, card, 'ana');
      const list = (await listRateCards(ledger.database)).find(({ name }) => name === LIST_NAME);
      await withdrawRateCard(ledger.database, list!.card_id, 'ana');
      await expectReprint();
      const unrated = await expectAdjusted(ledger, ZONE);
      expect(unrated.some((row) => row['unrated'] !== '0' && row['list_cost'] === '')).toBe(true);
    }));

  it('is live by the days of a zone, and so are the messages behind its charges', () =>
    withMonth(async (ledger) => {
      await close(ledger);
      await ledger.record(parsed(utilities('04')));
      const filters = { ...OCTOBER, tz: ZONE, is_tz_given: true };
      const charges = csvRows(await text(ledger, 'charges', filters));
      const exported = csvRows(await text(ledger, 'messages', filters, 'charged'));
      const sort = { column: 'delivered_at', descending: false } as const;
      const shown = await chargedMessages(ledger.database, filters, { sort, after: '', limit: 100 });
      const ids = exported.map((row) => row['message_id']);
      expect(ids).toContain('utility.04');
      expect(shown.rows.map(({ message_id }) => message_id).sort()).toEqual(ids.toSorted());
      expect(new Set([...exported, ...shown.rows].map((row) => row['period']))).toEqual(new Set(['live']));
      for (const column of ['list_cost', 'billed_cost', 'savings'] as const) {
        const total = (rows: readonly Row[]): string =>
          AnyDecimal.sum(...rows.map((row) => row[column] || '0')).toFixed();
        expect(total(exported)).toBe(total(charges));
        expect(total(shown.rows)).toBe(total(charges));
      }
      expect(AnyDecimal.sum(...charges.map((row) => row['volume']!)).toFixed()).toBe(String(ids.length));
    }));

  it('is said of its messages, beside what they would cost now', () =>
    withMonth(async (ledger) => {
      const amountOf = async (message_id: string): Promise<string> => {
        await settleCharges(ledger.database);
        const asked = { message_id, phone_number_id: 'N1', tz: 'UTC' };
        return (await explain(ledger, asked))[0]!.amount_sentence;
      };
      const [first, after] = [await amountOf('first'), await amountOf('after')];
      expect(first).toMatch(/^billed USD 0.0625: /);
      await close(ledger);
      expect(await amountOf('first')).toBe(
        `its month is closed, and the bill stands as it was then (what changed since is in report adjustments); now: ${first}`,
      );
      expect(await amountOf('after')).toBe(after);
    }));

  it('has its messages page by page, however few of them are looked at', () =>
    withMonth(async (ledger) => {
      await settleCharges(ledger.database);
      // The opener is free, and takes the place after the last charged one (M4).
      const last = ['opener', 'utility.12', 'utility.15'];
      const listed = csvRows(await text(ledger, 'messages', OCTOBER, 'charged'))
        .filter((row) => row['rate_card'] === `${LIST_NAME} 2026-07-01`)
        .map((row) => row['message_id']!);
      for (const [descending, only, wanted] of [
        [false, { tier: '4:MAX' }, last],
        [true, { tier: '4:MAX' }, last],
        [true, { rate_card: `${LIST_NAME} 2026-07-01` }, listed],
        [false, { tier: 'none' }, []],
      ] as const) {
        const found: string[] = [];
        for (let after: string | null = ''; after !== null;) {
          const sort = { column: 'delivered_at', descending } as const;
          const page = await chargedMessages(ledger.database, { ...OCTOBER, ...only }, { sort, after, limit: 1 }, 2);
          expect(page.is_found).toBe(true);
          found.push(...page.rows.map(({ message_id }) => message_id));
          after = page.next;
        }
        expect(found.toSorted()).toEqual(wanted.toSorted());
      }
    }));

  it('stays as it is when its account gets another zone', async () => {
    const byCommand = { accounts: ACCOUNTS.filter(({ waba_id }) => waba_id !== 'W1') };
    const ledger = await openLedger(data, `periods_${databases++}`, byCommand);
    try {
      await ledger.setAccount(ACCOUNTS[0]!);
      await importFile(ledger, LIST_NAME, LIST, '2026-07-01');
      await ledger.record(parsed(EVENTS));
      await close(ledger);
      const frozen = linesOf(await text(ledger, 'charges'), 'W1');
      const delivered = { ...OCTOBER, tz: ZONE };
      const messages = await text(ledger, 'messages', delivered, 'delivered');
      const ids = csvRows(await text(ledger, 'messages', ALL)).map((row) => row['message_id']);
      await ledger.setAccount({ ...ACCOUNTS[0]!, time_zone: 'Asia/Tokyo' });
      expect(linesOf(await text(ledger, 'charges'), 'W1')).toBe(frozen);
      expect(withoutTimes(await text(ledger, 'messages', delivered, 'delivered'))).toBe(withoutTimes(messages));
      expect(csvRows(await text(ledger, 'messages', ALL)).map((row) => row['message_id'])).toEqual(ids);
      const adjusted = await expectAdjusted(ledger, 'Asia/Tokyo');
      expect(adjusted.map(({ day, volume }) => [day, volume])).toEqual(
        expect.arrayContaining([
          ['2026-10-01', '1'],
          ['2026-10-31', '-1'],
        ]),
      );
      // By the new zone the last message of October is one of November, and would be frozen twice.
      const november = await accountMonth(ledger.database, 'W1', '2026-11');
      expect(await completeness(ledger.database, november, Date.now() + 3 * 86_400_000)).toEqual([
        { finding: 'closed_before', period_id: expect.any(String) as string, month: '2026-10', messages: 1 },
      ]);
      await drop(ledger);
    } finally {
      await ledger.close();
    }
  });

  it('can be reopened, stays listed, and can be closed anew', () =>
    withMonth(async (ledger) => {
      const before = await text(ledger, 'charges');
      await close(ledger);
      await ledger.record(parsed(utilities('04')));
      const [first] = await listPeriods(ledger.database);
      expect(await reopenPeriod(ledger.database, first!.period_id, 'rui')).toMatchObject({
        outcome: 'reopened',
        period: { state: 'reopened', reopened_by: 'rui' },
      });
      expect(await reopenPeriod(ledger.database, first!.period_id, 'eva')).toMatchObject({
        outcome: 'unchanged',
        period: { reopened_by: 'rui' },
      });
      const live = await text(ledger, 'charges');
      expect(live).not.toContain('closed');
      expect(live).not.toBe(before);
      expect(csvRows(await text(ledger, 'adjustments'))).toEqual([]);
      await close(ledger);
      expect((await listPeriods(ledger.database)).map(({ state, messages }) => [state, messages])).toEqual([
        ['closed', 10],
        ['reopened', 9],
      ]);
      expect(csvRows(await text(ledger, 'adjustments'))).toEqual([]);
      await expect(reopenPeriod(ledger.database, 'nonsense', 'eva')).rejects.toThrow('There is no closing "nonsense"');
    }));
});

describe('closing', () => {
  it('closes nothing when it is interrupted after the copy, and can be done again', () =>
    withMonth(async (ledger) => {
      const before = await text(ledger, 'charges');
      const gate = holdCommand(ledger, 'INSERT INTO closed_periods');
      const { database } = ledger;
      const abandoned = closePeriod(database, { waba_id: 'W1', month: '2026-10', by: 'ana', accept: true }, Date.now);
      await gate.reached;
      const copied = await numberFrom(database, 'SELECT count() AS n FROM closed_messages');
      expect(copied).toBe(9);
      expect(await listPeriods(database)).toEqual([]);
      expect(await text(ledger, 'charges')).toBe(before);
      // While one closes, another is told so; one that died is not waited for.
      await expect(close(ledger, 'W2')).rejects.toThrow('Another process is closing a month');
      await database.command(
        `INSERT INTO leases SELECT name, token + 1, '', now64(3) FROM leases FINAL WHERE name = 'periods'`,
      );
      const closed = await close(ledger);
      expect(closed.outcome).toBe('closed');
      // What was left behind belongs to no closing, and is gone.
      expect(await numberFrom(database, 'SELECT uniqExact(period_id) AS n FROM closed_messages')).toBe(1);
      expect(await numberFrom(database, 'SELECT count() AS n FROM closed_messages')).toBe(9);
      // Nor does it matter should the one that was taken for dead go on.
      const failed = expect(abandoned).rejects.toThrow('Another process took over closing months');
      gate.open();
      await failed;
      expect(await listPeriods(database)).toHaveLength(1);
    }));

  it('copies again when the month changed meanwhile', () =>
    withMonth(async (ledger) => {
      const { database } = ledger;
      const command = database.command.bind(database);
      let late = utilities('04');
      database.command = async (sql, parameters) => {
        await command(sql, parameters);
        if (!sql.includes('INSERT INTO closed_charges') || late.length === 0) return;
        const events = late;
        late = [];
        await ledger.record(parsed(events));
      };
      expect(await close(ledger)).toMatchObject({ outcome: 'closed', period: { messages: 10 } });
      expect(await text(ledger, 'adjustments')).toMatch(/^day,[^\n]*\n$/);
    }));

  it('closes months of accounts one by one, and the messages of no account', () =>
    withMonth(async (ledger) => {
      await close(ledger, '');
      expect(await close(ledger, 'W2')).toMatchObject({ outcome: 'closed', period: { messages: 1 } });
      const rows = csvRows(await text(ledger, 'charges'));
      expect(rows.map(({ waba_id, period }) => [waba_id, period!.slice(0, 6)])).toEqual(
        expect.arrayContaining([
          ['', 'closed'],
          ['W1', 'live'],
          ['W2', 'closed'],
        ]),
      );
    }));

  it('is refused for what cannot be closed, with what to do', () =>
    withMonth(async (ledger) => {
      const { database } = ledger;
      const closing = { waba_id: 'W1', month: '2026-10', by: 'ana', accept: true };
      await expect(closePeriod(database, { ...closing, waba_id: 'W9' }, Date.now)).rejects.toThrow(
        'There is no account W9',
      );
      const end = at('2026-11-01T03:00:00Z') * 1_000;
      await expect(closePeriod(database, closing, () => end - 1)).rejects.toThrow(
        '2026-10 is not over for account W1: it ends at midnight before 2026-11-01 in America/Sao_Paulo',
      );
      expect((await closePeriod(database, closing, () => end)).outcome).toBe('closed');
      await expect(close(ledger)).rejects.toThrow(/is closed already, since .* ctwa-ledger periods reopen 2026-10-/);
      expect(await listPeriods(database)).toHaveLength(1);
    }));
});

describe('on random months', () => {
  /** Months of accounts that are closed; the others stay live beside them. */
  const CLOSINGS = isFull ? 5 : 2;
  const later = (): number => Date.parse('2027-01-15T00:00:00Z');
  const amount = (rows: readonly Row[], column: string): string =>
    rows.reduce((sum, row) => sum.plus(row[column] === '' ? 0 : row[column]!), new Decimal(0)).toFixed();

  it.each(isFull ? [1, 2, 3, 4, 5, 6, 7, 8] : [1])(
    'frozen rows stay, messages add up to them, and adjustments lead to what is live (%i)',
    async (seed) => {
      const world = randomMoney(seed, 1_000, marketOf);
      const events = shuffled(parsed(world.events), new Prng(seed));
      const ledger = await openLedger(data, `periods_${databases++}`, {
        accounts: [...world.accounts],
        policy: world.policy,
      });
      const { database } = ledger;
      try {
        const half = Math.floor(world.cards.length / 2);
        const importCards = async (cards: typeof world.cards): Promise<void> => {
          for (const card of cards) await importFile(ledger, card.name, fileText(card), card.effective_date);
        };
        await importCards(world.cards.slice(0, half));
        await ledger.record(events.slice(0, 800));
        const live = csvRows(await text(ledger, 'charges', ALL));
        const monthOf = (row: Row): string => `${row['day']!.slice(0, 7)} ${row['waba_id']!}`;
        const closed = new Set(shuffled([...new Set(live.map(monthOf))], new Prng(seed)).slice(0, CLOSINGS));
        for (const key of closed) {
          const closing = { waba_id: key.slice(8), month: key.slice(0, 7), by: 'ana', accept: true };
          expect((await closePeriod(database, closing, later)).outcome).toBe('closed');
        }
        const isClosed = (row: Row): boolean => closed.has(monthOf(row));
        const frozen = csvRows(await text(ledger, 'charges', ALL)).filter((row) => row['period'] !== 'live');
        const without = (rows: readonly Row[]): Row[] => rows.map(({ period: _, ...row }) => row);
        expect(without(frozen)).toEqual(without(live.filter(isClosed)));
        const closedMessages = async (): Promise<Row[]> =>
          csvRows(await text(ledger, 'messages', ALL)).filter((row) => row['period'] !== 'live');
        const messages = await closedMessages();
        for (const column of ['list_cost', 'billed_cost', 'savings'])
          expect(amount(messages, column)).toBe(amount(frozen, column));

        await ledger.record(events.slice(800));
        await importCards(world.cards.slice(half));
        expect(csvRows(await text(ledger, 'charges', ALL)).filter((row) => row['period'] !== 'live')).toEqual(frozen);
        expect(await closedMessages()).toEqual(messages);
        const adjustments = csvRows(await text(ledger, 'adjustments', ALL));
        for (const { period_id } of await listPeriods(database)) await reopenPeriod(database, period_id, 'ana');
        const now = csvRows(await text(ledger, 'charges', ALL)).filter(isClosed);
        expect(adjustments.length).toBeGreaterThan(0);
        expect(byKey(adjustments)).toEqual(byKey(difference(now, frozen)));
        await drop(ledger);
      } finally {
        await ledger.close();
      }
    },
  );
});

/** An event an hour, 9 to 18 h UTC of every day of October but those left out. */
function hourly(leaveOut: (day: number, hour: number) => boolean): object[] {
  const events: object[] = [];
  for (let day = 1; day <= 31; day++)
    for (let hour = 9; hour < 18; hour++)
      if (!leaveOut(day, hour))
        events.push({
          event: 'message',
          direction: 'inbound',
          phone_number_id: 'N2',
          wa_id: '5511955550002',
          id: `in.${day}.${hour}`,
          timestamp: at('2026-10-01T00:00:00Z') + (day - 1) * 86_400 + hour * 3_600,
          type: 'text',
        });
  return events;
}

const sentOnly = (id: string, sent: string, status?: string): object[] => [
  {
    event: 'message',
    direction: 'outbound',
    phone_number_id: 'N2',
    wa_id: '5511955550002',
    id,
    timestamp: at(sent),
    type: 'template',
    template: { name: 't', category: 'utility' },
  },
  ...(status === undefined
    ? []
    : [{ event: 'status', phone_number_id: 'N2', wa_id: '5511955550002', id, status, timestamp: at(sent) + 60 }]),
];

describe('completeness', () => {
  const DAYS_LATER = Date.now() + 3 * 86_400_000;
  const whole = (): object[] => template({ id: 'm', delivered: '2026-10-07T14:00:00Z', number: 'N2' });

  const CASES: [name: string, events: object[], now: number, expected: object[]][] = [
    ['nothing to say', whole(), DAYS_LATER, []],
    [
      'sent without outcome, in the month and 30 days before',
      [
        ...whole(),
        ...sentOnly('a', '2026-10-31T23:59:59Z', 'sent'),
        ...sentOnly('b', '2026-09-01T00:00:00Z'),
        ...sentOnly('too early', '2026-08-31T23:59:59Z'),
        ...sentOnly('too late', '2026-11-01T00:00:00Z'),
        ...sentOnly('failed', '2026-10-08T00:00:00Z', 'failed'),
        ...sentOnly('read', '2026-10-08T00:00:00Z', 'read'),
      ],
      DAYS_LATER,
      [
        {
          finding: 'no_outcome',
          phone_number_id: 'N2',
          messages: 2,
          first_sent_at: '2026-09-01T00:00:00+00:00',
          last_sent_at: '2026-10-31T23:59:59+00:00',
        },
      ],
    ],
    ['nights and a short silence', hourly((day, hour) => day === 14 && hour >= 13), DAYS_LATER, []],
    [
      'a day without events, and the afternoon before',
      hourly((day, hour) => day === 15 || (day === 14 && hour >= 15)),
      DAYS_LATER,
      [
        {
          finding: 'gap',
          phone_number_id: 'N2',
          from: '2026-10-14T15:00:00+00:00',
          to: '2026-10-15T18:00:00+00:00',
          missing_hours: 12,
        },
      ],
    ],
    ['days off', hourly((day) => [3, 4, 10, 11, 17, 18, 24, 25, 31].includes(day)), DAYS_LATER, []],
    ['a number that stopped', hourly((day) => day > 20), DAYS_LATER, []],
    [
      'messages without a price',
      [
        ...whole(),
        ...template({ id: 'x', delivered: '2026-10-07T14:00:00Z', number: 'N2', customer: '919955550001' }),
        ...template({ id: 'y', delivered: '2026-11-01T00:00:00Z', number: 'N2', customer: '919955550001' }),
      ],
      DAYS_LATER,
      [{ finding: 'unrated', reason: 'market_not_on_card', messages: 1 }],
    ],
    [
      'events that have just come in',
      whole(),
      Date.now(),
      [{ finding: 'stored_lately', phone_number_id: 'N2', events: 2, last_stored_at: expect.any(String) }],
    ],
  ];

  it.each(CASES)('%s', (_, events, now, expected) =>
    withMonth(async ({ database }) => {
      await settleCharges(database);
      expect(await completeness(database, await accountMonth(database, 'W2', '2026-10'), now)).toEqual(expected);
    }, events),
  );

  it('keeps an incomplete month open until that is accepted', () =>
    withMonth(async (ledger) => {
      expect(await close(ledger, 'W1', false)).toMatchObject({
        outcome: 'incomplete',
        findings: [{ finding: 'stored_lately', phone_number_id: 'N1' }],
      });
      expect(await listPeriods(ledger.database)).toEqual([]);
      expect(await close(ledger, 'W1', true)).toMatchObject({
        period: { findings: [{ finding: 'stored_lately', phone_number_id: 'N1' }] },
      });
    }));

  it('finds gaps between the first and the last event only, and where other weeks have some', () => {
    const hour = 3_600;
    const week = 168 * hour;
    const month = { from: 0, to: 4 * week };
    const active = (...skipped: number[]): Set<number> =>
      new Set(Array.from({ length: 4 * 168 }, (_, i) => i * hour).filter((_, i) => !skipped.includes(i)));
    const slotOf = (time: number): number => (time / hour) % 168;
    const hours = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);
    expect(gapsOf(active(), month, slotOf)).toEqual([]);
    expect(gapsOf(active(...hours(200, 5)), month, slotOf)).toEqual([]);
    expect(gapsOf(active(...hours(200, 6)), month, slotOf)).toEqual([
      { from: 200 * hour, to: 206 * hour, missing_hours: 6 },
    ]);
    expect(gapsOf(active(...hours(0, 20)), month, slotOf)).toEqual([]);
    // Silent in three weeks of four: not usual any more.
    expect(gapsOf(active(...hours(20, 6), ...hours(188, 6), ...hours(356, 6)), month, slotOf)).toEqual([]);
    expect(gapsOf(active(...hours(200, 12)), { from: 206 * hour, to: 4 * week }, slotOf)).toEqual([
      { from: 206 * hour, to: 212 * hour, missing_hours: 6 },
    ]);
  });
});

describe('the command line', () => {
  it('checks, closes, lists and reopens', async () => {
    const lines = (output: string): Record<string, unknown>[] =>
      output
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const config = data.file('ctwa-ledger.config.json');
    writeFileSync(config, JSON.stringify({ accounts: ACCOUNTS }));
    await succeed(data, ['ingest', writeNdjson(data, 'october.ndjson', EVENTS)]);
    const checked = await run(data, ['close', '2026-10', '--check']);
    expect(checked.code).toBe(1);
    expect(lines(checked.stdout).map(({ waba_id, outcome }) => [waba_id, outcome])).toEqual([
      ['', 'incomplete'],
      ['W1', 'incomplete'],
      ['W2', 'incomplete'],
    ]);
    const refused = await run(data, ['close', '2026-10', '--waba', 'W1']);
    expect(refused.code).toBe(1);
    expect(lines(refused.stdout)).toMatchObject([{ waba_id: 'W1', outcome: 'incomplete', findings: [{}, {}] }]);
    expect(refused.stderr).toContain('--accept');
    expect(lines((await succeed(data, ['periods', 'list'])).stdout)).toEqual([]);
    const closed = await succeed(data, ['close', '2026-10', '--waba', 'W1', '--waba', 'none', '--accept']);
    expect(lines(closed.stdout)).toMatchObject([
      { waba_id: 'W1', outcome: 'closed', messages: 9 },
      { waba_id: '', outcome: 'closed', messages: 1 },
    ]);
    const rest = await succeed(data, ['close', '2026-10', '--accept']);
    expect(lines(rest.stdout)).toMatchObject([{ waba_id: 'W2' }]);
    const listed = lines((await succeed(data, ['periods', 'list'])).stdout);
    expect(listed.map(({ waba_id, state }) => [waba_id, state])).toEqual([
      ['', 'closed'],
      ['W1', 'closed'],
      ['W2', 'closed'],
    ]);
    const exported = await succeed(data, ['export', 'charges', '--from', '2026-10-01', '--to', '2026-11-01']);
    expect(createHash('sha256').update(linesOf(exported.stdout, 'W1').replace(/\n+$/, '\n')).digest('hex')).toBe(
      listed[1]!['checksum'],
    );
    expect((await succeed(data, ['export', 'adjustments'])).stdout.trimEnd().split('\n')).toHaveLength(1);
    const id = String(listed[1]!['period_id']);
    expect(lines((await succeed(data, ['periods', 'reopen', id])).stdout)).toMatchObject([
      { period_id: id, state: 'reopened', outcome: 'reopened' },
    ]);

    const refusals: [args: string[], code: number, words: string][] = [
      [['close', '2026-13'], 2, '"2026-13" is not a month'],
      [['close', '2026-10', '--check', '--accept'], 2, 'leave out one of the two'],
      [['close', '2026-10', '--waba', 'W2'], 1, 'is closed already'],
      [['close', '2026-10', '--waba', 'W9'], 1, 'There is no account W9'],
      [['close', '2020-01'], 1, 'No message was delivered in 2020-01'],
      [['periods', 'reopen', 'nonsense'], 1, 'There is no closing "nonsense"'],
    ];
    for (const [args, code, words] of refusals) {
      const ended = await run(data, args);
      expect([args, ended.code, ended.stdout]).toEqual([args, code, '']);
      expect(ended.stderr).toContain(words);
    }
  });
});

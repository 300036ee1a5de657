import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { MessagesBy } from '@ctwa-ledger/schemas/report-parameters.ts';
import { csvReport, objectReport, readPage, settleReports } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { closePeriod, listPeriods, reopenPeriod } from '../../services/periods/periods.ts';
import { marketOf } from '../../services/rating/markets.ts';
import { importRateFile, listRateCards, withdrawRateCard } from '../../services/rating/rate-cards.ts';
import { Prng } from '../../services/simulate/prng.ts';
import { randomTraffic } from '../oracle/arbitraries.ts';
import type { Row } from '../oracle/oracle.ts';
import { allowanceWorld, fileText, randomMoney, type MoneyWorld } from '../oracle/rating-arbitraries.ts';
import { parsed } from '../support/expected-rows.ts';
import { drop, EVERYTHING, isFull, openLedger, shuffled } from '../support/ledger.ts';
import { csvRows, DataDirectory } from '../support/product.ts';

/** What changed since a moment, asked for again and again, against the whole report. */

const data = new DataDirectory();
afterAll(() => data.remove());

const ROUNDS = isFull ? 14 : 5;

type Dated = 'messages' | 'conversations';

interface Question {
  readonly report: Dated;
  readonly filters: ReportFilters;
  readonly by?: MessagesBy;
}

const KEYS: Readonly<Record<Dated, readonly string[]>> = {
  messages: ['message_id', 'phone_number_id', 'participant', 'period'],
  conversations: ['conversation_id', 'phone_number_id'],
};

async function rowsOf({ database }: Ledger, { report, filters, by }: Question): Promise<Row[]> {
  await settleReports([report], database);
  let text = '';
  for await (const part of csvReport(report, database, filters, by)) text += part;
  return csvRows(text);
}

async function now({ database }: Ledger): Promise<number> {
  const row = z.object({ ms: z.coerce.number() });
  const [found] = await database.query(row, 'SELECT toString(toUnixTimestamp64Milli(now64(3))) AS ms');
  return found!.ms;
}

/** Somebody who keeps a copy of a report: read once, and then only what changed. */
class Reader {
  readonly question: Question;
  readonly #rows = new Map<string, Row>();
  #since = 0;
  /** Rows of the last answer, tombstones included. */
  answered = 0;

  constructor(question: Question) {
    this.question = question;
  }

  async follow(ledger: Ledger): Promise<void> {
    const since = await now(ledger);
    const { filters } = this.question;
    const isFirst = this.#since === 0;
    const asked = isFirst ? filters : { ...filters, changed_since: this.#since };
    const rows = await rowsOf(ledger, { ...this.question, filters: asked });
    this.#since = since;
    this.answered = rows.length;
    for (const row of rows) {
      const key = KEYS[this.question.report].map((column) => row[column]).join('\n');
      if (row['is_gone'] === 'true') this.#rows.delete(key);
      else this.#rows.set(key, row);
    }
    expect(isFirst && rows.some((row) => row['is_gone'] === 'true')).toBe(false);
  }

  get copy(): string[] {
    return [...this.#rows.values()].map((row) => JSON.stringify(row)).sort();
  }
}

async function expectSame(ledger: Ledger, readers: readonly Reader[]): Promise<void> {
  for (const reader of readers) {
    await reader.follow(ledger);
    const whole = (await rowsOf(ledger, reader.question)).map((row) => JSON.stringify(row)).sort();
    expect(reader.copy, JSON.stringify(reader.question)).toEqual(whole);
  }
}

async function importCard(ledger: Ledger, card: MoneyWorld['cards'][number]): Promise<void> {
  await importRateFile(ledger.database, {
    name: card.name,
    bytes: Buffer.from(fileText(card)),
    effective: card.effective_date,
    by: 'a test',
  });
}

/** Questions whose rows come and go: days by sending, delivery and charge, marks, accounts, and one that has no filter. */
function questions(waba_id: string): Question[] {
  const october = { ...EVERYTHING, from: '2026-10-01', to: '2026-11-01' };
  return [
    { report: 'messages', filters: EVERYTHING },
    { report: 'messages', filters: october },
    { report: 'messages', filters: { ...october, tz: 'America/Sao_Paulo' }, by: 'delivered' },
    { report: 'messages', filters: october, by: 'charged' },
    { report: 'messages', filters: { ...EVERYTHING, billing: 'BILLABLE' } },
    { report: 'messages', filters: { ...EVERYTHING, waba_id } },
    { report: 'conversations', filters: EVERYTHING },
    { report: 'conversations', filters: october },
  ];
}

/** Closes a month that some message of the account was delivered in, or reopens one. */
async function closeOrReopen(ledger: Ledger, prng: Prng): Promise<void> {
  const { database } = ledger;
  const closed = (await listPeriods(database)).find(({ state }) => state === 'closed');
  if (closed !== undefined && prng.chance(0.5)) {
    await reopenPeriod(database, closed.period_id, 'a test');
    return;
  }
  const months = await database.query(
    z.object({ waba_id: z.string(), month: z.string() }),
    `SELECT DISTINCT toString(waba_id) AS waba_id, formatDateTime(day, '%Y-%m') AS month FROM charge_days
     WHERE volume > 0 AND waba_id != '' ORDER BY waba_id, month`,
  );
  const isClosed = new Set(
    (await listPeriods(database)).filter(({ state }) => state === 'closed').map((one) => `${one.waba_id} ${one.month}`),
  );
  const open = months.filter(({ waba_id, month }) => !isClosed.has(`${waba_id} ${month}`));
  if (open.length === 0) return;
  const closing = { ...open[prng.int(0, open.length - 1)]!, by: 'a test', accept: true };
  await closePeriod(database, closing, () => Date.parse('2030-01-05T00:00:00Z'));
}

describe('who upserts what changed since a moment has the whole report', () => {
  let ledgers = 0;

  async function withLedger(world: MoneyWorld, work: (ledger: Ledger) => Promise<void>): Promise<void> {
    const accounts = world.accounts.map(({ waba_id }) => ({ waba_id }));
    const ledger = await openLedger(data, `changes_${ledgers++}`, { policy: world.policy });
    try {
      for (const account of accounts) await ledger.setAccount(account);
      await work(ledger);
      await drop(ledger);
    } finally {
      await ledger.close();
    }
  }

  it.each(Array.from({ length: isFull ? 20 : 1 }, (_, i) => i + 1))(
    'after events in any order, cards, accounts and closings, world %i',
    async (seed) => {
      const prng = new Prng(seed);
      const world = randomMoney(seed, 300, marketOf);
      const events = shuffled(parsed([...world.events, ...randomTraffic(seed, 300)]), prng);
      const cards = shuffled(world.cards, prng);
      await withLedger(world, async (ledger) => {
        const readers = questions(world.accounts[0]!.waba_id).map((question) => new Reader(question));
        const record = (some: LedgerEvent[]): Promise<unknown> => ledger.record(some);
        const steps: (() => Promise<unknown>)[] = [
          () => record(events.splice(0, prng.int(1, 5))),
          () => record(events.splice(0, prng.int(1, 120))),
          async () => {
            for (const card of cards.splice(0, 4)) await importCard(ledger, card);
          },
          async () => {
            const held = (await listRateCards(ledger.database)).filter(({ state }) => state === 'holds');
            if (held.length > 0)
              await withdrawRateCard(ledger.database, held[prng.int(0, held.length - 1)]!.card_id, 'a test');
          },
          () => ledger.setAccount(world.accounts[prng.int(0, world.accounts.length - 1)]!),
          () => closeOrReopen(ledger, prng),
          () => Promise.resolve(),
        ];
        await record(events.splice(0, 250));
        await expectSame(ledger, readers);
        const answers: number[] = [];
        for (let round = 0; round < ROUNDS; round++) {
          for (let i = prng.int(1, 2); i > 0; i--) await steps[prng.int(0, steps.length - 1)]!();
          await expectSame(ledger, readers);
          answers.push(readers[0]!.answered);
        }
        // An answer of everything each time would be right too, and of no use.
        expect(Math.min(...answers)).toBeLessThan(readers[0]!.copy.length / 4);
      });
    },
  );

  it.each(['PMP-2026-10', 'CBP-2023-06'] as const)(
    'where a late message moves the free places of %s',
    async (policy) => {
      const world = allowanceWorld({ policy, charged: 1_060, free: 20 });
      const late = shuffled(parsed(world.events), new Prng(3));
      const events = late.splice(isFull ? 40 : 8);
      await withLedger(world, async (ledger) => {
        for (const account of world.accounts) await ledger.setAccount(account);
        for (const card of world.cards) await importCard(ledger, card);
        await ledger.record(events);
        const reader = new Reader({ report: 'messages', filters: EVERYTHING });
        await expectSame(ledger, [reader]);
        // Charges were computed after the first question was asked, so that all messages come once more.
        await expectSame(ledger, [reader]);
        const answers: number[] = [];
        for (const event of late) {
          await ledger.record([event]);
          await expectSame(ledger, [reader]);
          answers.push(reader.answered);
        }
        // With its mark also the others come whose price it moved.
        expect(Math.max(...answers)).toBeGreaterThan(1);
        expect(Math.min(...answers)).toBeLessThan(reader.copy.length / 4);
      });
    },
  );

  it('page by page and as JSON too', async () => {
    const world = randomMoney(5, 300, marketOf);
    const events = shuffled(parsed([...world.events, ...randomTraffic(5, 200)]), new Prng(5));
    await withLedger(world, async (ledger) => {
      await ledger.record(events.slice(0, 300));
      const since = await now(ledger);
      await ledger.record(events.slice(300));
      for (const report of ['messages', 'conversations'] as const) {
        const filters = { ...EVERYTHING, billing: report === 'messages' ? 'BILLABLE' : null, changed_since: since };
        const whole = await rowsOf(ledger, { report, filters });
        const paged: unknown[] = [];
        for (let after: string | null = null; ;) {
          const page = await readPage(report, ledger.database, { filters, by: 'sent', page: { limit: 7, after } });
          paged.push(...page.rows);
          if ((after = page.next) === null) break;
        }
        const objects: unknown[] = [];
        for await (const batch of objectReport(report, ledger.database, filters)) objects.push(...batch);
        expect(paged).toEqual(objects);
        const keys = KEYS[report];
        const keyOf = (row: Row): string => keys.map((key) => row[key]).join(' ');
        expect((objects as Row[]).map(keyOf)).toEqual(whole.map(keyOf));
        expect(whole.length).toBeGreaterThan(20);
      }
      const tombstones = (
        await rowsOf(ledger, {
          report: 'messages',
          filters: { ...EVERYTHING, billing: 'BILLABLE', changed_since: since },
        })
      ).filter((row) => row['is_gone'] === 'true');
      expect(tombstones.length).toBeGreaterThan(0);
      for (const tombstone of tombstones) {
        const filled = Object.keys(tombstone).filter((column) => tombstone[column] !== '');
        const wanted = ['message_id', 'phone_number_id', 'period', 'row_version', 'updated_at', 'is_gone'];
        expect(filled.filter((column) => column !== 'participant')).toEqual(wanted);
      }
    });
  });
});

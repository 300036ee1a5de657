import type { ClickHouseSettings } from '@clickhouse/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { CONVERSATION_STATES } from '@ctwa-ledger/schemas/conversations.ts';
import { Database, type Parameters } from '../../services/clickhouse/database.ts';
import { Memory, RememberingDatabase } from '../../services/clickhouse/remembering.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { settleSummaries } from '../../services/ledger/derived/summaries.ts';
import { Remembered } from '../../services/pages/remembered.ts';
import { settleCharges } from '../../services/rating/charges.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { adAnswers } from '../../services/reports/ad-answers.ts';
import { CLOCK } from '../../services/reports/clock.ts';
import { conversationCount, conversationList } from '../../services/reports/conversations.ts';
import { figures, figuresOfSources } from '../../services/reports/figures.ts';
import { savings } from '../../services/reports/savings.ts';
import { Prng } from '../../services/simulate/prng.ts';
import { randomTraffic } from '../oracle/arbitraries.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, EVERYTHING, isFull, openLedger, shuffled } from '../support/ledger.ts';

/** A database that notes the statements that reach it, without those that look up what tables contain. */
class Noting extends Database {
  readonly asked: string[] = [];

  override lines(sql: string, parameters: Parameters, asking: ClickHouseSettings): Promise<string> {
    if (!sql.includes('system.parts')) this.asked.push(sql);
    return super.lines(sql, parameters, asking);
  }
}

const numberRow = z.object({ n: z.coerce.number() });

describe('answers to pages are remembered', () => {
  const data = new DataDirectory();
  let ledger: Ledger;
  let database: Noting;
  let memory: Memory;

  beforeAll(async () => {
    ledger = await openLedger(data);
    database = new Noting(ledger.database.location, ledger.database.name);
    memory = new Memory(database, CLOCK);
  });
  afterEach(() => {
    database.asked.length = 0;
  });
  afterAll(async () => {
    await database.close();
    await ledger.close();
    await data.remove();
  });

  /** A request that only reads. */
  const request = (): RememberingDatabase => new RememberingDatabase(memory, true);

  /** How many statements reach ClickHouse when something is asked in a new request. */
  const asked = async (ask: (reading: Database) => Promise<unknown>): Promise<number> => {
    const before = database.asked.length;
    await ask(request());
    return database.asked.length - before;
  };

  const event = (second: number, more: object): object => ({
    waba_id: '1',
    phone_number_id: '2',
    wa_id: '5511955551234',
    id: 'wamid.1',
    timestamp: 1_790_000_000 + second,
    ...more,
  });

  it('until one of the tables is written that they are read from', async () => {
    const bill = (more: Partial<ReportFilters> = {}) =>
      asked((reading) => savings(reading, { ...EVERYTHING, ...more }));
    expect(await bill()).toBeGreaterThan(0);
    expect(await bill()).toBe(0);
    // Amounts have no clock, but days, zones, and what they are narrowed to.
    expect(await bill({ as_of: 1 })).toBe(0);
    for (const change of [
      { from: '2026-01-01' },
      { tz: 'Asia/Tokyo', is_tz_given: true },
      { ad: '1' },
      { market: 'Brazil' },
      { waba_id: '' },
    ])
      expect(await bill(change), JSON.stringify(change)).toBeGreaterThan(0);
    expect(await bill()).toBe(0);
    await importRateFile(ledger.database, {
      name: 'a.csv',
      bytes: Buffer.from(
        'Cost per message\nMarket,Currency,Marketing,Utility,Authentication,Authentication-International,Service\nOther,USD,1,1,1,1,1\n',
      ),
      effective: '2026-01-01',
      by: 'test',
    });
    expect(await bill()).toBeGreaterThan(0);
  });

  it('while messages arrive, until what is read is computed again', async () => {
    const asks = {
      charges: () => asked((reading) => savings(reading, EVERYTHING)),
      summaries: () => asked((reading) => figures(reading, EVERYTHING, 'day')),
      // Days of a zone are found among the messages.
      zone: () => asked((reading) => savings(reading, { ...EVERYTHING, is_tz_given: true })),
    };
    const readAgain = async (): Promise<string[]> => {
      const names: string[] = [];
      for (const [name, ask] of Object.entries(asks)) if ((await ask()) > 0) names.push(name);
      return names;
    };
    await readAgain();
    expect(await readAgain()).toEqual([]);
    await ledger.record(
      parsed([
        event(0, { event: 'message', direction: 'outbound', type: 'text' }),
        event(0, { event: 'status', status: 'delivered' }),
      ]),
    );
    expect(await readAgain()).toEqual(['zone']);
    await settleSummaries(ledger.database);
    expect(await readAgain()).toEqual(['summaries']);
    await settleCharges(ledger.database);
    expect(await readAgain()).toEqual(['charges']);
  });

  it('for one request as it began, but not for one that writes', async () => {
    const count = async (reading: Database): Promise<number> =>
      (await reading.query(numberRow, 'SELECT count() AS n FROM events'))[0]?.n ?? -1;
    const reading = request();
    const writing = new RememberingDatabase(memory, false);
    const before = await count(reading);
    expect(await count(writing)).toBe(before);
    await ledger.record(parsed([event(1, { event: 'status', status: 'read' })]));
    expect(await count(reading)).toBe(before);
    expect(await count(writing)).toBe(before + 1);
    expect(await count(request())).toBe(before + 1);
  });

  it.each([
    'SELECT toUnixTimestamp(now()) AS n',
    'SELECT count() AS n FROM system.one',
    'SELECT rand() % 2 AS n FROM events',
  ])('but never what changes by itself: %s', async (sql) => {
    const ask = () => asked((reading) => reading.query(numberRow, sql));
    expect([await ask(), await ask()]).toEqual([1, 1]);
  });

  it('but no errors', async () => {
    const ask = () =>
      asked((reading) => reading.query(numberRow, 'SELECT throwIf(1) AS n FROM events').catch(() => null));
    expect([await ask(), await ask()]).toEqual([1, 1]);
  });

  it('and no more of them than there is room for', async () => {
    const ask = (n: number) =>
      asked((reading) => reading.query(numberRow, 'SELECT {n:UInt32} AS n FROM events LIMIT 1', { n }));
    await ask(0);
    expect(await ask(0)).toBe(0);
    const long = (n: number) =>
      request().query(
        z.object({ text: z.string() }),
        `SELECT repeat('${n % 10}6789', 400000) AS text FROM events WHERE {n:UInt32} > 0 LIMIT 1`,
        { n },
      );
    for (let n = 1; n <= 25; n++) await long(n);
    expect(await ask(0)).toBe(1);
  });

  it('and a result made of them, until a table is written that it is said to depend on', async () => {
    const results = new Remembered();
    let made = 0;
    const ask = (key: string) => results.ask(request(), key, ['accounts'], () => Promise.resolve((made += 1)));
    expect([await ask('a'), await ask('a'), await ask('b'), await ask('a')]).toEqual([1, 1, 2, 1]);
    await ledger.database.command(`INSERT INTO accounts SELECT '1', '{"waba_id":"1"}', now64(3)`);
    expect(await ask('a')).toBe(3);
    const failing = results.ask(request(), 'c', ['accounts'], () => Promise.reject(new Error('away')));
    await expect(failing).rejects.toThrow('away');
    expect(await ask('c')).toBe(4);
    for (let n = 0; n < 100; n++) await ask(`other ${n}`);
    expect(await ask('a')).toBe(105);
  });
});

/** What a count can depend on: the end of the time to reply, and the begin and end of free entry windows. */
const MOMENTS = ['entry_at + 86400', 'conversation_last_entry_at + 86400', 'opened_at', 'expires_at'];
const MOMENTS_OF_A_KIND = isFull ? 40 : 3;

describe('what is remembered is right whenever it is asked', () => {
  const data = new DataDirectory();
  afterAll(() => data.remove());

  it('of counts that change with the clock alone', async () => {
    const ledger = await openLedger(data);
    try {
      await ledger.record(parsed(randomTraffic(1, 300)));
      await settleSummaries(ledger.database);
      const asks: ((reading: Database, as_of: number) => Promise<unknown>)[] = [
        (reading, as_of) => figures(reading, { ...EVERYTHING, as_of }, 'week'),
        (reading, as_of) => figuresOfSources(reading, { ...EVERYTHING, as_of }),
        (reading, as_of) => adAnswers(reading, { ...EVERYTHING, as_of }),
        ...CONVERSATION_STATES.map((state) => (reading: Database, as_of: number) => {
          const filters = { ...EVERYTHING, as_of, state };
          return Promise.all([
            conversationCount(reading, filters),
            conversationList(reading, {
              filters,
              page: { sort: { column: 'entry_at', descending: false }, after: '', limit: 50 },
            }),
          ]);
        }),
      ];
      const prng = new Prng(1);
      const times: number[] = [];
      for (const kind of MOMENTS) {
        const moments = await ledger.database.query(
          numberRow,
          `SELECT DISTINCT toUInt32(toUnixTimestamp(${kind})) AS n FROM entry_marks FINAL WHERE n > 0 ORDER BY n`,
        );
        expect(moments.length, kind).toBeGreaterThan(10);
        for (const { n } of shuffled(moments, prng).slice(0, MOMENTS_OF_A_KIND)) times.push(n - 1, n);
      }
      const counting = new Noting(ledger.database.location, ledger.database.name);
      const database = new Noting(ledger.database.location, ledger.database.name);
      let read = 0;
      const memory = new Memory(counting, CLOCK);
      const rising = times.toSorted((one, other) => one - other);
      for (const as_of of [...rising, ...rising.slice(0, 2)])
        for (const ask of asks) {
          const remembered = await ask(new RememberingDatabase(memory, true), as_of);
          const before = database.asked.length;
          expect(remembered, String(as_of)).toEqual(await ask(database, as_of));
          read += database.asked.length - before;
        }
      // Otherwise nothing was remembered, and the test would say nothing.
      expect(counting.asked.length).toBeLessThan(read);
      await counting.close();
      await database.close();
    } finally {
      await ledger.close();
    }
  });
});

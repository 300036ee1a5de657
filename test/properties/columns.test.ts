import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';
import { EVENT_SELECTION, eventsOfBlocks } from '../../services/ledger/events/event-rows.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { randomTraffic } from '../oracle/arbitraries.ts';
import { parsed } from '../support/expected-rows.ts';
import { numberFrom, withLedger } from '../support/ledger.ts';
import { DataDirectory } from '../support/product.ts';

const data = new DataDirectory();
afterAll(() => data.remove());

const text = fc.oneof(
  fc.constant(''),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '\0',
    'a\0b',
    "it's",
    '\\N',
    '\\',
    '"',
    '\n\r\t',
    'ü'.repeat(64),
    '👩‍👩‍👧',
    '\u2028',
    '123',
    'null',
    '[]',
  ),
);

/** What a stored event may hold, whether Meta sends it or not: any text anywhere, and the edges of its numbers. */
const EVENT: fc.Arbitrary<LedgerEvent> = fc
  .record({
    base: fc.constantFrom(...parsed(randomTraffic(7, 400))),
    texts: fc.array(text, { minLength: 30, maxLength: 30 }),
    timestamp: fc.constantFrom(1_420_070_400, 1_785_000_000, 4_102_444_800),
    expiration: fc.constantFrom(-1, 0, 1, 4_294_967_296, Number.MAX_SAFE_INTEGER),
    keep: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ base, texts, timestamp, expiration, keep }) => {
    const entries = Object.entries(base).map(([name, value], i): [string, unknown] => {
      if (name === 'event' || name === 'direction' || typeof value !== 'string') return [name, value];
      return [name, i / 30 < keep ? value : texts[i]];
    });
    const event = { ...Object.fromEntries(entries), timestamp } as unknown as LedgerEvent;
    const { group_id, wa_id, user_id } = event;
    const customer = group_id !== '' ? group_id : wa_id !== '' ? wa_id : user_id;
    const named = { ...event, customer: customer as LedgerEvent['customer'] };
    return named.event === 'status' ? { ...named, conversation_expiration: expiration } : named;
  });

async function land(ledger: Ledger, events: readonly LedgerEvent[]): Promise<void> {
  const landing = ledger.beginLanding();
  for (const event of events) await landing.add(event);
  await landing.finish();
}

/** The same events as JSON: what ClickHouse itself makes of the text form. */
async function insertAsText(ledger: Ledger, table: string, events: readonly LedgerEvent[]): Promise<void> {
  const names = EVENT_SELECTION.split(', ').filter((name) => name !== 'customer');
  const lines = events.map((event) => {
    const cells: Record<string, unknown> = { ...event, kind: event.event };
    const defaults: Record<string, unknown> = { conversation_expiration: -1, pricing_billable: -1 };
    return `${JSON.stringify(names.map((name) => cells[name] ?? defaults[name] ?? ''))}\n`;
  });
  await ledger.database.insertLines(table, names, lines.join(''));
}

it('store what the text form stores, and read what was stored', async () => {
  await withLedger(data, 'columns', async (ledger) => {
    const { database } = ledger;
    await database.command('CREATE TABLE events_of_text AS events');
    const columns = `${EVENT_SELECTION}, variant`;
    const differences = (from: string, other: string): Promise<unknown[]> =>
      database.query(z.unknown(), `SELECT ${columns} FROM ${from} EXCEPT SELECT ${columns} FROM ${other}`);
    const long = 'ä'.repeat(1_500_000);
    const base = parsed(randomTraffic(8, 1))[0] as LedgerEvent;
    const batches = [...fc.sample(fc.array(EVENT, { minLength: 100, maxLength: 200 }), { seed: 11, numRuns: 15 })];
    // A block of one event leaves out most columns.
    const alone = parsed(randomTraffic(9, 60)).map((event) => [event]);
    for (const events of [...batches, ...alone, [{ ...base, errors: long }, base]]) {
      await database.command('TRUNCATE TABLE events');
      await database.command('TRUNCATE TABLE events_of_text');
      await land(ledger, events);
      await insertAsText(ledger, 'events_of_text', events);
      expect(await differences('events', 'events_of_text')).toEqual([]);
      expect(await differences('events_of_text', 'events')).toEqual([]);
      const back: LedgerEvent[] = [];
      for await (const block of database.streamBlocks(`SELECT ${EVENT_SELECTION} FROM events FINAL`))
        back.push(...eventsOfBlocks([block]));
      const distinct = new Set(events.map((event) => JSON.stringify(event, Object.keys(event).sort())));
      const read = new Set(back.map((event) => JSON.stringify(event, Object.keys(event).sort())));
      expect(read).toEqual(distinct);
      expect(back).toHaveLength(distinct.size);
    }
  });
});

it('find threads by names of any characters', async () => {
  await withLedger(data, 'columns_named', async (ledger) => {
    const names = ["'", '\\', "\\'", 'a\0b', '{x:String}', '{others:Array(String)}', '$&', "') OR 1=1 --", 'ü', '\n'];
    for (const name of names) {
      const rows: string[] = [];
      const query = `SELECT arrayJoin({names:Array(String)}) AS name, {others:Array(String)}[1] AS other, {one:String} AS one`;
      const parameters = { names: [name, 'x'], others: [name], one: name };
      for await (const block of ledger.database.streamBlocks(query, parameters))
        for (let row = 0; row < block.rows; row++)
          rows.push(...['name', 'other', 'one'].map((column) => block.text(column).at(row)));
      expect(rows).toEqual([name, name, name, 'x', name, name]);
    }
  });
});

it('take lists of any length in a command', async () => {
  await withLedger(data, 'columns_lists', async ({ database }) => {
    const stamps = Array.from({ length: 20_000 }, (_, i) => `stamp ${i}`);
    await database.command(
      'INSERT INTO ledger_facts (name, value, changed_at) SELECT arrayJoin({stamps:Array(String)}), {value:String}, now64(3)',
      { stamps, value: 'here' },
    );
    expect(await numberFrom(database, "SELECT uniqExact(name) AS n FROM ledger_facts WHERE value = 'here'")).toBe(
      20_000,
    );
  });
});

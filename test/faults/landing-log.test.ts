import { namesOfCustomer, type LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DEFAULT_POLICY_SETTINGS } from '@ctwa-ledger/schemas/config.ts';
import { ingestFile } from '../../services/ingest/file.ts';
import { LedgerSink } from '../../services/ingest/webhook.ts';
import { keyOfMessage, keyOfThread, STORED_KEYS } from '../../services/ledger/events/keys.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { ThreadEvents } from '../../services/ledger/threads/thread-cache.ts';
import { landedUnder, threadText } from '../../services/ledger/events/thread-key.ts';
import { randomTraffic } from '../oracle/arbitraries.ts';
import { oracleReports } from '../oracle/oracle.ts';
import { parsed } from '../support/expected-rows.ts';
import {
  DataDirectory,
  drop,
  EVERYTHING,
  holdInsert,
  inOrder,
  numberFrom,
  openLedger,
  reportTexts,
  rowsOf,
  until,
  writeNdjson,
} from '../support/ledger.ts';

const data = new DataDirectory();
afterAll(() => data.remove());

type Raw = Readonly<Record<string, unknown>>;

const HOUR = 3_600;
const T0 = Date.UTC(2025, 9, 15, 12) / 1000;
const NUMBER = '106540352242922';

const base = (id: string, customer: string | null, at: number): Raw => ({
  ...{ phone_number_id: NUMBER, id: `wamid.${id}`, timestamp: T0 + at },
  ...(customer === null ? {} : { user_id: `u.${customer}` }),
});
const click = (id: string, customer: string, at: number): Raw => ({
  ...base(id, customer, at),
  ...{ event: 'message', direction: 'inbound', type: 'text', referral: { source_type: 'ad', source_id: 'ad-1' } },
});
const reply = (id: string, customer: string, at: number): Raw => ({
  ...base(id, customer, at),
  ...{ event: 'message', direction: 'outbound', type: 'text' },
});
const delivered = (id: string, customer: string | null, at: number): Raw => ({
  ...base(id, customer, at),
  ...{ event: 'status', status: 'delivered' },
});

async function expectOracle(ledger: Ledger, events: readonly unknown[]): Promise<void> {
  const expected = oracleReports({
    ...{ events, accounts: [], policy: DEFAULT_POLICY_SETTINGS },
    ...{ tz: EVERYTHING.tz, as_of: EVERYTHING.as_of },
  });
  expect(inOrder(rowsOf(await reportTexts(ledger.database)))).toEqual(inOrder(expected));
}

let databases = 0;

async function withLedgers(work: (a: Ledger, b: Ledger) => Promise<void>): Promise<void> {
  databases += 1;
  const name = `ctwa_log_${databases}`;
  const a = await openLedger(data, name);
  const b = await openLedger(data, name);
  try {
    await work(a, b);
  } finally {
    await drop(b);
    await a.close();
    await b.close();
  }
}

/** The statements of a ledger that read rows of a table. */
function watchReads(ledger: Ledger, table: string): { readonly statements: string[] } {
  const { database } = ledger;
  const statements: string[] = [];
  const [query, stream] = [database.query.bind(database), database.stream.bind(database)];
  const streamBlocks = database.streamBlocks.bind(database);
  const note = (sql: string): void => {
    if (new RegExp(`FROM ${table}\\b`).test(sql)) statements.push(sql);
  };
  database.query = (row, sql, parameters) => {
    note(sql);
    return query(row, sql, parameters);
  };
  database.stream = (sql, parameters) => {
    note(sql);
    return stream(sql, parameters);
  };
  database.streamBlocks = (sql, parameters) => {
    note(sql);
    return streamBlocks(sql, parameters);
  };
  return { statements };
}

/** Lets a ledger find out which threads there are; what it is asked for that is landed. */
async function loadKnownKeys(ledger: Ledger, events: readonly unknown[]): Promise<void> {
  const { database } = ledger;
  const streamBlocks = database.streamBlocks.bind(database);
  let isLoaded = false;
  database.streamBlocks = async function* (sql, parameters) {
    yield* streamBlocks(sql, parameters);
    if (sql === STORED_KEYS) isLoaded = true;
  };
  await ledger.record(parsed(events));
  await until('the known keys are loaded', () => isLoaded);
  database.streamBlocks = streamBlocks;
}

/** Lands without a word to the log, and without marks: what a process does that dies early. */
async function landAlone(ledger: Ledger, events: readonly unknown[]): Promise<void> {
  const landing = ledger.beginLanding();
  for (const event of parsed(events)) await landing.add(event);
  await landing.finish();
}

const first = [click('c', 'x', 0), reply('r', 'x', HOUR), delivered('r', 'x', HOUR)];
const theirs = [reply('r0', 'x', HOUR / 2), delivered('r0', 'x', HOUR / 2)];
const last = [reply('r2', 'x', 2 * HOUR), delivered('r2', 'x', 2 * HOUR)];

describe('a writer of live traffic', () => {
  it('reads nothing of threads that it remembers, nor of new ones', async () => {
    await withLedgers(async (a) => {
      await loadKnownKeys(a, first);
      const [events, names] = [watchReads(a, 'events'), watchReads(a, 'message_names')];
      await a.record(parsed(last));
      await a.record(parsed([click('n', 'new', 0), reply('n1', 'new', HOUR)]));
      expect([...events.statements, ...names.statements]).toEqual([]);
      expect(await a.record(parsed([...last, ...theirs]))).toEqual({ stored: theirs.length });
      expect([...events.statements, ...names.statements]).toEqual([]);
      await expectOracle(a, [...first, ...last, ...theirs, click('n', 'new', 0), reply('n1', 'new', HOUR)]);
    });
  });

  it('reads ahead threads of other writers, and notices later landings on them', async () => {
    const away = [click('o', 'other', 0), reply('o1', 'other', HOUR), delivered('o1', 'other', HOUR)];
    const begun = [click('z', 'z', 0)];
    await withLedgers(async (a, b) => {
      await b.record(parsed([...first, ...away]));
      await a.readAhead();
      await a.record(parsed([...begun, click('z2', 'z', HOUR)]));
      const events = watchReads(a, 'events');
      await a.record(parsed(last));
      expect(events.statements).toEqual([]);
      await b.record(parsed([reply('o2', 'other', 2 * HOUR)]));
      await a.record(parsed([delivered('o2', 'other', 2 * HOUR)]));
      const all = [...first, ...away, ...begun, click('z2', 'z', HOUR), ...last, reply('o2', 'other', 2 * HOUR)];
      await expectOracle(a, [...all, delivered('o2', 'other', 2 * HOUR)]);
    });
  });

  it('notices what another writer landed on a thread in memory', async () => {
    await withLedgers(async (a, b) => {
      await loadKnownKeys(a, first);
      await b.record(parsed(theirs));
      await a.record(parsed(last));
      await expectOracle(a, [...first, ...theirs, ...last]);
    });
  });

  it('reads nothing again because another landed something else', async () => {
    await withLedgers(async (a, b) => {
      await loadKnownKeys(a, first);
      await b.record(parsed([click('o', 'other', 0), reply('o1', 'other', HOUR)]));
      const events = watchReads(a, 'events');
      await a.record(parsed(last));
      expect(events.statements).toEqual([]);
      await expectOracle(a, [...first, ...last, click('o', 'other', 0), reply('o1', 'other', HOUR)]);
    });
  });

  it('notices a thread that another made, although it knew all threads', async () => {
    await withLedgers(async (a, b) => {
      await loadKnownKeys(a, [click('z', 'z', 0)]);
      await b.record(parsed(first));
      await a.record(parsed(last));
      await expectOracle(a, [...first, ...last, click('z', 'z', 0)]);
    });
  });

  it('notices that another made a thread while it folded the same', async () => {
    await withLedgers(async (a, b) => {
      await loadKnownKeys(a, [click('z', 'z', 0)]);
      const gate = holdInsert(a, 'message_marks');
      const folding = a.record(parsed(last));
      await gate.reached;
      await b.record(parsed(first));
      gate.open();
      await folding;
      await a.record(parsed(theirs));
      await expectOracle(a, [...first, ...last, ...theirs, click('z', 'z', 0)]);
    });
  });

  it('notices a file that another ingested', async () => {
    await withLedgers(async (a, b) => {
      await loadKnownKeys(a, first);
      await ingestFile(b, writeNdjson(data, 'theirs.ndjson', theirs), () => undefined);
      await a.record(parsed(last));
      await expectOracle(a, [...first, ...theirs, ...last]);
    });
  });

  it.each([
    ['by what it lands', [reply('r', 'y', HOUR - 60), click('d', 'y', 0)]],
    ['by a status of nobody', [delivered('r', null, HOUR + 5)]],
  ])('notices that another linked a thread which it remembers as alone, %s', async (_, linking) => {
    await withLedgers(async (a, b) => {
      await loadKnownKeys(a, first);
      await b.record(parsed(linking));
      await a.record(parsed(last));
      await expectOracle(a, [...first, ...linking, ...last]);
      await a.record(parsed(theirs));
      await b.record(parsed([delivered('r', 'y', 3 * HOUR)]));
      await expectOracle(a, [...first, ...linking, ...last, ...theirs, delivered('r', 'y', 3 * HOUR)]);
    });
  });

  it('reads the thread that another linked to one which it remembers as alone', async () => {
    const begun = [click('c', 'x', 0), reply('r', 'x', HOUR)];
    await withLedgers(async (a, b) => {
      await loadKnownKeys(a, begun);
      // Alone, the thread has no delivery of its answer.
      await b.record(parsed([delivered('r', null, HOUR + 5)]));
      // Here the link is heard of; the thread itself is read with the next batch.
      await a.record(parsed([click('z', 'z', 0)]));
      await a.record(parsed(last));
      await expectOracle(a, [...begun, delivered('r', null, HOUR + 5), click('z', 'z', 0), ...last]);
    });
  });

  it('asks for links only of threads that another linked, whether it remembers them or not', async () => {
    const linked = [click('d', 'y', 0), reply('d1', 'y', HOUR), delivered('d1', 'w', HOUR + 5)];
    await withLedgers(async (a, b) => {
      await b.record(parsed([...first, ...linked]));
      await loadKnownKeys(a, [click('z', 'z', 0)]);
      const links = watchReads(a, 'thread_links');
      await a.record(parsed(last));
      expect(links.statements).toEqual([]);
      await a.record(parsed([click('d2', 'w', 2 * HOUR)]));
      expect(links.statements).not.toEqual([]);
      await expectOracle(a, [...first, ...linked, click('z', 'z', 0), ...last, click('d2', 'w', 2 * HOUR)]);
    });
  });

  it('links threads by its own names, whether they are in memory or not', async () => {
    await withLedgers(async (a) => {
      await loadKnownKeys(a, [...first, click('d', 'y', 0)]);
      const linking = [reply('r', 'y', HOUR - 60), delivered('fresh', null, HOUR), reply('fresh', 'x', HOUR - 9)];
      await a.record(parsed(linking));
      await a.record(parsed(last));
      await expectOracle(a, [...first, click('d', 'y', 0), ...linking, ...last]);
    });
  });

  it('links a thread that it remembers as alone and touches by something else', async () => {
    await withLedgers(async (a) => {
      await loadKnownKeys(a, [...first, click('d', 'y', 0)]);
      const linking = [reply('r', 'y', HOUR - 60), ...theirs];
      await a.record(parsed(linking));
      await a.record(parsed(last));
      await a.record(parsed([delivered('r', 'x', 3 * HOUR)]));
      await expectOracle(a, [...first, click('d', 'y', 0), ...linking, ...last, delivered('r', 'x', 3 * HOUR)]);
    });
  });

  it('that failed counts and folds what comes again', async () => {
    await withLedgers(async (a) => {
      await loadKnownKeys(a, first);
      const insert = a.database.insertBlock.bind(a.database);
      a.database.insertBlock = (table, block) =>
        table === 'message_marks' ? Promise.reject(new Error('refused')) : insert(table, block);
      await expect(a.record(parsed(last))).rejects.toThrow('refused');
      a.database.insertBlock = insert;
      expect(await a.record(parsed(last))).toEqual({ stored: 0 });
      await expectOracle(a, [...first, ...last]);
    });
  });
});

describe('a log of landings', () => {
  const tables = ['landing_log', 'recent_landings'];

  it('that is behind, because its writer died, is made good when the events come again', async () => {
    await withLedgers(async (a, b) => {
      await loadKnownKeys(a, first);
      await landAlone(b, theirs);
      await a.record(parsed(last));
      expect(await b.record(parsed(theirs))).toEqual({ stored: 0 });
      await expectOracle(a, [...first, ...theirs, ...last]);
      await a.record(parsed([delivered('r2', 'x', 3 * HOUR)]));
      await expectOracle(a, [...first, ...theirs, ...last, delivered('r2', 'x', 3 * HOUR)]);
    });
  });

  it('that is behind while its writer stalls is caught up by the next writer', async () => {
    await withLedgers(async (a, b) => {
      await loadKnownKeys(a, first);
      const gate = holdInsert(b, 'recent_landings');
      const folding = b.record(parsed(theirs));
      await gate.reached;
      await a.record(parsed(last));
      gate.open();
      await folding;
      await expectOracle(a, [...first, ...theirs, ...last]);
    });
  });

  it.each([
    ['in its sum', 'INSERT INTO landing_log (token) VALUES (12345)'],
    ['in its rows', 'INSERT INTO recent_landings (token, keys) VALUES (12345, [1, 2])'],
  ])('that is ahead %s costs a look, and no more', async (_, statement) => {
    await withLedgers(async (a) => {
      await loadKnownKeys(a, first);
      await a.database.command(statement);
      await a.record(parsed(last));
      const events = watchReads(a, 'events');
      await a.record(parsed(theirs));
      expect(events.statements).toEqual([]);
      await expectOracle(a, [...first, ...theirs, ...last]);
    });
  });

  it.each([
    ['all of it', tables],
    ['its sum', ['landing_log']],
    ['its rows', ['recent_landings']],
  ])('that is lost hides no landing: %s', async (_, lost) => {
    await withLedgers(async (a, b) => {
      await loadKnownKeys(a, first);
      await b.record(parsed(theirs));
      for (const table of lost) await a.database.command(`TRUNCATE TABLE ${table}`);
      await a.record(parsed(last));
      await expectOracle(a, [...first, ...theirs, ...last]);
    });
  });

  it.each(tables)('of which one row is lost or comes twice hides no landing: %s', async (table) => {
    await withLedgers(async (a, b) => {
      await loadKnownKeys(a, first);
      await b.record(parsed([click('o', 'other', 0)]));
      await a.database.command(`ALTER TABLE ${table} DELETE WHERE 1 SETTINGS mutations_sync = 1`);
      await b.record(parsed(theirs));
      await a.record(parsed(last));
      await a.database.command(`INSERT INTO ${table} (token) SELECT token FROM ${table} LIMIT 1`);
      const more = [delivered('r2', 'x', 3 * HOUR)];
      await b.record(parsed(more));
      await a.record(parsed([reply('r3', 'x', 4 * HOUR)]));
      await expectOracle(a, [
        ...[...first, ...theirs, ...last, ...more],
        ...[click('o', 'other', 0), reply('r3', 'x', 4 * HOUR)],
      ]);
    });
  });
});

describe('deliveries', () => {
  it('that are landed while those before are being folded are folded next', async () => {
    await withLedgers(async (a) => {
      await a.beginWriting();
      const sink = new LedgerSink(a, () => undefined);
      const of = (raw: Raw, onDurable?: () => void): Promise<unknown> =>
        sink.take({ events: parsed([raw]), rejections: [], raw: Buffer.alloc(10) }, onDurable);
      const events = ['x', 'y', 'z'].map((customer) => click(customer, customer, 0)) as [Raw, Raw, Raw];

      const marks = holdInsert(a, 'entry_marks');
      const first = of(events[0]);
      await marks.reached;
      let second = Promise.resolve() as Promise<unknown>;
      await new Promise<void>((landed) => {
        second = of(events[1], landed);
      });
      const landing = holdInsert(a, 'events');
      const third = of(events[2]);
      await landing.reached;
      marks.open();
      await Promise.all([first, second]);
      landing.open();

      expect(await third).toEqual({ read: 1, stored: 1, duplicate: 0, rejected: 0 });
      await sink.idle();
      await expectOracle(a, events);
    });
  });
});

describe('what is compared in memory', () => {
  const odd = ['ß', 'é', 'e\u0301', '你好', '👋🏽', '"\\/', "'; DROP", '\u2028', ' ', '0', '-1'];
  const traffic: unknown[] = [
    ...randomTraffic(77, 2_000),
    ...odd.flatMap((text) => [
      { ...reply(text, text, 0), sender: text, tag: text, context: { id: text } },
      { ...click(`c${text}`, text, 0), text: { body: text } },
      { ...delivered(text, text, 0), errors: [{ code: 1, title: text }] },
      { ...delivered(text, null, 0), conversation: { id: text, expiration_timestamp: '4102444800' } },
    ]),
  ];

  it('has the hashes that the ledger has', async () => {
    await withLedgers(async (a) => {
      const events: LedgerEvent[] = parsed(traffic);
      await a.record(events);
      const stored = new Set<number>();
      for await (const rows of a.database.stream(STORED_KEYS)) for (const [key] of rows) stored.add(Number(key));
      const own = new Set<number>();
      for (const event of events) {
        own.add(keyOfMessage(event));
        if (event.customer !== '') own.add(keyOfThread(landedUnder(event)));
        // A name that an event gives is known like one that events are landed under.
        for (const customer of namesOfCustomer(event))
          own.add(keyOfThread({ ...landedUnder(event), customer, nameless_id: '' }));
      }
      expect([...stored].sort()).toEqual([...own].sort());
    });
  });

  it('is as many events as the ledger counts', async () => {
    await withLedgers(async (a) => {
      const events: LedgerEvent[] = parsed(traffic);
      const threads = new Map<string, ThreadEvents>();
      for (const event of [...events, ...events.toReversed()]) {
        const name = threadText(landedUnder(event));
        let thread = threads.get(name);
        if (thread === undefined) threads.set(name, (thread = new ThreadEvents([])));
        thread.add(event);
      }
      expect(await a.record(events)).toEqual({
        stored: await numberFrom(a.database, 'SELECT count() AS n FROM events FINAL'),
      });
      const counted = await a.database.query(
        z.object({ phone_number_id: z.string(), customer: z.string(), nameless_id: z.string(), n: z.coerce.number() }),
        `SELECT phone_number_id, customer, if(customer = '', id, '') AS nameless_id, count() AS n
         FROM events FINAL GROUP BY phone_number_id, customer, nameless_id`,
      );
      expect(new Map(counted.map((row) => [threadText(row), row.n]))).toEqual(
        new Map([...threads].map(([name, thread]) => [name, thread.all.length])),
      );
    });
  });
});

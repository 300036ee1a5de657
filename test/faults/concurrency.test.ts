import { hostname } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_POLICY_SETTINGS, type Config, type PolicySettings } from '@ctwa-ledger/schemas/config.ts';
import { Database } from '../../services/clickhouse/database.ts';
import { ConfigurationChangedError, ActionableError } from '../../services/clickhouse/errors.ts';
import type { Landing } from '../../services/ledger/events/landing.ts';
import { Ledger } from '../../services/ledger/ledger.ts';
import { dirtyCells, recomputeSummaries, settleSummaries } from '../../services/ledger/derived/summaries.ts';
import { Prng } from '../../services/simulate/prng.ts';
import { randomTraffic } from '../oracle/arbitraries.ts';
import { oracleReports } from '../oracle/oracle.ts';
import { parsed } from '../support/expected-rows.ts';
import {
  begin,
  countsOf,
  DataDirectory,
  drop,
  EVERYTHING,
  Gate,
  holdCommand,
  holdInsert,
  inOrder,
  isFull,
  numberFrom,
  openLedger,
  reportTexts,
  rowsOf,
  shuffled,
  succeed,
  until,
  withLedger,
  writeNdjson,
} from '../support/ledger.ts';

const data = new DataDirectory();
afterAll(() => data.remove());

const HOUR = 3_600;
const T0 = Date.UTC(2025, 9, 15, 12) / 1000;

type Raw = Readonly<Record<string, unknown>>;

/** Events of one world: its customers and messages are nobody else's. */
class World {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  #base(id: string, customer: string | null, at: number): Raw {
    const named = customer === null ? {} : { user_id: `${this.#name}.${customer}` };
    return { phone_number_id: '106540352242922', ...named, id: `wamid.${this.#name}.${id}`, timestamp: T0 + at };
  }

  click(id: string, customer: string, at: number): Raw {
    const referral = { source_type: 'ad', source_id: `ad-${id}`, ctwa_clid: 'Aff-n8' };
    return { ...this.#base(id, customer, at), event: 'message', direction: 'inbound', type: 'text', referral };
  }

  reply(id: string, customer: string, at: number): Raw {
    return { ...this.#base(id, customer, at), event: 'message', direction: 'outbound', type: 'text' };
  }

  template(id: string, customer: string, at: number): Raw {
    const template = { name: 'follow_up', category: 'marketing' };
    return { ...this.reply(id, customer, at), type: 'template', template };
  }

  status(id: string, customer: string | null, status: string, at: number): Raw {
    return { ...this.#base(id, customer, at), event: 'status', status };
  }
}

interface Settings {
  readonly accounts: Config['accounts'] & object;
  readonly policy: PolicySettings;
}

const DEFAULTS: Settings = { accounts: [], policy: DEFAULT_POLICY_SETTINGS };
/** Under it no ad makes an entry. */
const POSTS_ONLY: Settings = { accounts: [], policy: { ...DEFAULT_POLICY_SETTINGS, entry_sources: ['post'] } };

async function expectOracle(ledger: Ledger, events: readonly unknown[], settings = DEFAULTS): Promise<void> {
  const expected = oracleReports({ events, ...settings, tz: EVERYTHING.tz, as_of: EVERYTHING.as_of });
  expect(inOrder(rowsOf(await reportTexts(ledger.database)))).toEqual(inOrder(expected));
}

let databases = 0;

/** Several holders of one new ledger, as several processes would be; it is dropped in the end. */
async function withLedgers(work: (a: Ledger, b: Ledger) => Promise<void>, config: Config | null = null): Promise<void> {
  databases += 1;
  const name = `ctwa_case_${databases}`;
  const a = await openLedger(data, name, config);
  const b = await openLedger(data, name);
  try {
    await work(a, b);
  } finally {
    await drop(b);
    await a.close();
    await b.close();
  }
}

async function land(ledger: Ledger, events: readonly unknown[]): Promise<Landing> {
  const landing = ledger.beginLanding();
  for (const event of parsed(events)) await landing.add(event);
  await landing.finish();
  return landing;
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((first, i) => permutations(items.toSpliced(i, 1)).map((others) => [first, ...others]));
}

/** All ways to go through two lists at once, each in its own order. */
function interleavings<T>(a: readonly T[], b: readonly T[]): T[][] {
  const [firstA, ...restA] = a;
  const [firstB, ...restB] = b;
  if (firstA === undefined) return [[...b]];
  if (firstB === undefined) return [[...a]];
  return [
    ...interleavings(restA, b).map((others) => [firstA, ...others]),
    ...interleavings(a, restB).map((others) => [firstB, ...others]),
  ];
}

describe('several processes at once', () => {
  it('make the reports that a single ingest makes, with a rebuild in the middle', async () => {
    const events = randomTraffic(31, isFull ? 30_000 : 5_000);
    const prng = new Prng(5);
    const pieces = Array.from({ length: 3 }, (): unknown[] => []);
    for (const event of events) {
      const owner = prng.int(0, 2);
      pieces.forEach((piece, i) => {
        if (i === owner || prng.chance(0.3)) piece.push(event);
      });
    }
    const files = pieces.map((piece, i) => writeNdjson(data, `piece-${i}.ndjson`, shuffled(piece, prng)));
    const inDatabase = { env: { CLICKHOUSE_DATABASE: 'together' } };
    // None of them finds an engine: they start at once, and one of them starts it.
    const ingests = files.map((file) => begin(data, ['ingest', file, '--data', data.path], inDatabase));
    // Not by `withLedger`: here the migrations run, in every process that finds none applied.
    const ledger = await Ledger.open({
      location: { kind: 'embedded', dataDir: data.path },
      database: 'together',
      config: null,
      command: 'a test',
      onProgress: () => undefined,
    });
    try {
      await until('some events have landed', async () =>
        (await numberFrom(ledger.database, 'SELECT count() AS n FROM events')) > 0 ? true : null,
      );
      const rebuilt = await succeed(data, ['rebuild'], inDatabase);
      expect(rebuilt.stderr).toBe('');
      for (const [i, ingest] of ingests.entries()) {
        const finished = await ingest.finished;
        expect(finished).toMatchObject({ code: 0, stderr: '' });
        expect(countsOf(finished)).toMatchObject({ read: pieces[i]!.length, rejected: 0 });
      }
      expect(await numberFrom(ledger.database, 'SELECT max(epoch) AS n FROM configuration')).toBe(2);
      await expectOracle(ledger, events);
      await drop(ledger);
    } finally {
      await ledger.close();
    }
  });
});

/** What one of two writers does: land, fold until its marks are about to be written, write them. */
class StepwiseWriter {
  readonly #ledger: Ledger;
  readonly #events: readonly unknown[];
  #landing: Landing | null = null;
  #gate: Gate | null = null;
  #folding: Promise<unknown> = Promise.resolve();

  constructor(ledger: Ledger, events: readonly unknown[]) {
    this.#ledger = ledger;
    this.#events = events;
  }

  readonly steps = [
    async (): Promise<void> => {
      this.#landing = await land(this.#ledger, this.#events);
    },
    async (): Promise<void> => {
      this.#gate = holdInsert(this.#ledger, 'message_marks');
      this.#folding = this.#ledger.fold(this.#landing!);
      // A fold that finds all done writes nothing and is not held.
      await Promise.race([this.#gate.reached, this.#folding]);
    },
    async (): Promise<void> => {
      this.#gate!.open();
      await this.#folding;
    },
  ];
}

describe('two writers in every order of their steps', () => {
  const splits: Record<string, (world: World) => readonly [readonly Raw[], readonly Raw[]]> = {
    'on one thread': (w) => [
      [w.click('c1', 'x', 0), w.reply('r1', 'x', 2 * HOUR), w.status('r1', 'x', 'delivered', 2 * HOUR)],
      [w.reply('r0', 'x', HOUR), w.status('r0', 'x', 'delivered', HOUR), w.click('c2', 'x', HOUR / 2)],
    ],
    'with the same events': (w) => {
      const events = [w.click('c', 'x', 0), w.reply('r', 'x', HOUR), w.status('r', 'x', 'read', HOUR)];
      return [events, events];
    },
    'who name different customers for a message': (w) => [
      [w.click('c', 'x', 0), w.reply('r', 'x', HOUR), w.status('r', 'x', 'delivered', HOUR + 5)],
      [w.reply('r', 'y', HOUR - 1), w.click('d', 'y', HOUR / 2), w.template('t', 'y', 2 * HOUR)],
    ],
    'one of whom knows only a status without a customer': (w) => [
      [w.status('r', null, 'delivered', HOUR + 5)],
      [w.click('c', 'x', 0), w.reply('r', 'x', HOUR)],
    ],
    'who know a message from statuses alone': (w) => [
      [w.status('r', null, 'sent', HOUR), w.status('r', 'x', 'delivered', HOUR + 9)],
      [w.status('r', 'y', 'delivered', HOUR + 5), w.click('c', 'y', 0), w.click('d', 'x', 0)],
    ],
  };

  it.each(Object.entries(splits))('%s', async (_, split) => {
    await withLedgers(async (a, b) => {
      const orders = interleavings(['a', 'a', 'a'], ['b', 'b', 'b']).filter((_, i) => isFull || i % 4 === 0);
      expect(orders).toHaveLength(isFull ? 20 : 5);
      const events: Raw[] = [];
      for (const [i, order] of orders.entries()) {
        const [ofA, ofB] = split(new World(`w${i}`));
        events.push(...ofA, ...ofB);
        const [stepsA, stepsB] = [new StepwiseWriter(a, ofA), new StepwiseWriter(b, ofB)].map((w) => [...w.steps]);
        for (const who of order) await (who === 'a' ? stepsA : stepsB)!.shift()!();
      }
      await expectOracle(a, events);
    });
  });
});

describe('a writer that stalls', () => {
  const world = new World('s');
  const early = [world.click('c', 'x', 0), world.reply('r', 'x', HOUR), world.status('r', 'x', 'delivered', HOUR)];
  const late = [world.reply('r0', 'x', HOUR / 2), world.status('r0', 'x', 'delivered', HOUR / 2)];
  /** With a message of two threads, and one of none. */
  const tangled = [
    ...early,
    world.reply('m', 'x', 2 * HOUR),
    world.reply('m', 'y', 2 * HOUR - 60),
    world.status('m', null, 'delivered', 2 * HOUR + 9),
    world.status('lost', null, 'delivered', HOUR),
  ];

  it('until after others landed more and finished does not win with its older marks', async () => {
    await withLedgers(async (a, b) => {
      const gate = holdInsert(a, 'message_marks');
      const folding = a.record(parsed(early));
      await gate.reached;
      await b.record(parsed(late));
      await settleSummaries(b.database);
      await expectOracle(b, [...early, ...late]);
      gate.open();
      await folding;
      await expectOracle(b, [...early, ...late]);
    });
  });

  it('or crashes between landing and folding leaves events whose marks come when they are sent again', async () => {
    await withLedgers(async (a, b) => {
      await land(a, tangled);
      await a.close();
      expect(await numberFrom(b.database, 'SELECT count() AS n FROM message_marks')).toBe(0);
      expect(await b.record(parsed(tangled))).toEqual({ stored: 0 });
      await expectOracle(b, tangled);
    });
  });

  it.each(['message_marks', 'entry_marks', 'dirty_cells', 'folded_threads'])(
    'or crashes before it writes %s leaves events whose marks come when they are sent again',
    async (table) => {
      await withLedgers(async (a, b) => {
        const gate = holdInsert(a, table);
        void a.record(parsed(tangled));
        await gate.reached;
        expect(await b.record(parsed(tangled))).toEqual({ stored: 0 });
        await expectOracle(b, tangled);
      });
    },
  );

  it('while the epoch is raised folds again under the new one', async () => {
    await withLedgers(async (a, b) => {
      const gate = holdInsert(a, 'message_marks');
      const folding = a.record(parsed(early));
      await gate.reached;
      const landed = await land(a, late);
      await b.rebuild(undefined, { raiseEpoch: true });
      gate.open();
      await folding;
      await a.fold(landed);
      expect(a.configuration.epoch).toBe(b.configuration.epoch);
      for (const table of ['message_marks', 'entry_marks'])
        expect(
          await numberFrom(b.database, `SELECT min(bitShiftRight(version, 40)) AS n FROM ${table} FINAL`),
          table,
        ).toBe(Number(b.configuration.epoch));
      await expectOracle(b, [...early, ...late]);
    });
  });

  it('while the configuration is changed says so, and its older marks do not win', async () => {
    await withLedgers(async (a, b) => {
      const gate = holdInsert(a, 'message_marks');
      const folding = a.record(parsed(early));
      await gate.reached;
      const changed = await openLedger(data, a.database.name, POSTS_ONLY);
      gate.open();
      await expect(folding).rejects.toBeInstanceOf(ConfigurationChangedError);
      await expectOracle(b, early, POSTS_ONLY);
      await changed.close();
    });
  });
});

describe('a configuration that another process changes', () => {
  const world = new World('k');
  const events = [world.click('c', 'x', 0), world.reply('r', 'x', HOUR), world.status('r', 'x', 'delivered', HOUR)];
  const more = [world.template('t', 'x', 2 * HOUR), world.status('t', 'x', 'delivered', 2 * HOUR)];

  it('is told to a writer of the old one, and nothing is lost when that runs again', async () => {
    await withLedgers(async (a, b) => {
      await a.record(parsed(events));
      await (await openLedger(data, a.database.name, POSTS_ONLY)).close();
      await expect(a.record(parsed(more))).rejects.toBeInstanceOf(ConfigurationChangedError);
      await withLedger(data, b.database.name, async (again) => {
        expect(await again.record(parsed(more))).toEqual({ stored: 0 });
        await expectOracle(again, [...events, ...more], POSTS_ONLY);
      });
    });
  });

  it('is refused while others write, and applied when they are done', async () => {
    await withLedgers(async (a, b) => {
      await a.record(parsed(events));
      await a.beginWriting();
      const refusal = await openLedger(data, a.database.name, POSTS_ONLY).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(ActionableError);
      expect((refusal as ActionableError).message).toMatch(/"a test" \(process \d+ on .+\)\. Stop it/);
      await expectOracle(b, events);
      await a.close();
      await withLedger(
        data,
        b.database.name,
        async (changed) => {
          await expectOracle(changed, events, POSTS_ONLY);
        },
        POSTS_ONLY,
      );
    });
  });

  it('may be changed by a writer itself, above whatever epoch others have raised', async () => {
    await withLedgers(async (a, b) => {
      const unnamed = [{ ...world.template('n', 'x', HOUR), timestamp: Date.UTC(2025, 5, 30, 23) / 1000 }];
      const account = { waba_id: '99', time_zone: 'Asia/Tokyo', phone_number_ids: ['106540352242922'] };
      const delivered = [{ ...world.status('n', 'x', 'delivered', 0), timestamp: Date.UTC(2025, 5, 30, 23) / 1000 }];
      await a.beginWriting();
      await a.record(parsed([...unnamed, ...delivered]));
      await b.rebuild(undefined, { raiseEpoch: true });
      await b.rebuild(undefined, { raiseEpoch: true });
      await a.setAccount(account);
      await expectOracle(b, [...unnamed, ...delivered], { ...DEFAULTS, accounts: [account] });
    });
  });

  it('by two at once is the one that was written last, and no mark of the other stays', async () => {
    await withLedgers(async (a, b) => {
      await a.record(parsed([...events, ...more]));
      // Both have found the same epoch, and each is about to write the next.
      const gates = [new Gate(), new Gate()];
      const waiting = [...gates];
      const command = Reflect.get(Database.prototype, 'command') as Database['command'];
      Database.prototype.command = async function (sql, parameters) {
        if (sql.startsWith('INSERT INTO configuration ')) await waiting.shift()?.pass();
        await command.call(this, sql, parameters);
      };
      try {
        const one = openLedger(data, a.database.name, POSTS_ONLY);
        await gates[0]!.reached;
        const other = openLedger(data, a.database.name, {
          policy: { ...DEFAULT_POLICY_SETTINGS, max_window_hours: 1 },
        });
        await gates[1]!.reached;
        gates[1]!.open();
        await (await other).close();
        gates[0]!.open();
        await (await one).close();
      } finally {
        Database.prototype.command = command;
      }
      await expectOracle(b, [...events, ...more], POSTS_ONLY);
    });
  });

  it.each(['message_marks', 'dirty_cells', 'folded_threads'])(
    'and crashes before it has written %s is applied to its end by whoever comes next',
    async (table) => {
      await withLedgers(async (a, b) => {
        await a.record(parsed([...events, ...more]));
        await settleSummaries(a.database);
        const insert = Reflect.get(Database.prototype, 'insertBlock') as Database['insertBlock'];
        // The ledger that is opened makes its own connection, so what it writes can be cut off only here.
        Database.prototype.insertBlock = function (into, block) {
          if (into === table) return Promise.reject(new Error('killed'));
          return insert.call(this, into, block);
        };
        try {
          await expect(openLedger(data, a.database.name, POSTS_ONLY)).rejects.toThrow('killed');
        } finally {
          Database.prototype.insertBlock = insert;
        }
        await withLedger(data, b.database.name, async (next) => {
          await expectOracle(next, [...events, ...more], POSTS_ONLY);
        });
      });
    },
  );
});

describe('a message that moves between threads', () => {
  it('has one row, that of the naive rules, in every order of landing', async () => {
    // Copies that name two customers, a status that names a third and one that names nobody; all have a click to answer.
    const eventsOf = (w: World): Raw[] => [
      w.reply('m', 'x', HOUR),
      w.reply('m', 'y', HOUR - 60),
      w.status('m', 'z', 'delivered', HOUR + 5),
      w.status('m', null, 'read', HOUR + 9),
      w.click('cx', 'x', 0),
      w.click('cy', 'y', 60),
    ];
    await withLedgers(async (a, b) => {
      const orders = permutations([0, 1, 2, 3, 4, 5]);
      const worlds = orders.map((_, i) => eventsOf(new World(`w${i}`)));
      const landed: Raw[] = [];
      for (let step = 0; step < 6; step++) {
        // Every order in worlds of its own, so that one landing takes a step in all of them.
        const batch = orders.map((order, i) => worlds[i]![order[step]!]!);
        landed.push(...batch);
        await (step % 2 === 0 ? a : b).record(parsed(batch));
        await expectOracle(b, landed);
        const rows = await numberFrom(b.database, 'SELECT count() AS n FROM message_marks FINAL');
        const ids = await numberFrom(b.database, 'SELECT uniqExact(message_id) AS n FROM message_marks FINAL');
        expect(rows).toBe(ids);
      }
    });
  });
});

describe('summaries', () => {
  const batch = (w: World, n: number): Raw[] => [
    w.click(`c${n}`, `x${n % 3}`, n * 500),
    w.reply(`r${n}`, `x${n % 3}`, n * 500 + 400),
    w.status(`r${n}`, `x${n % 3}`, n % 4 === 0 ? 'sent' : 'delivered', n * 500 + 450),
    ...(n % 4 === 1 ? [w.status(`r${n - 1}`, null, 'delivered', n * 700)] : []),
    ...(n % 4 === 2 ? [w.reply(`r${n - 1}`, `x${n % 3}`, n * 500 - 600)] : []),
  ];
  const world = new World('f');

  async function expectSettled(ledger: Ledger, events: readonly unknown[]): Promise<void> {
    await expectOracle(ledger, events);
    expect(await dirtyCells(ledger.database)).toBe(0);
  }

  /** As if the holder had not been heard of for longer than a lease lasts. */
  async function letTheLeaseRunOut(ledger: Ledger): Promise<void> {
    await ledger.database.command(
      'ALTER TABLE leases UPDATE taken_at = taken_at - 600 WHERE 1 SETTINGS mutations_sync = 1',
    );
  }

  it('recomputed by two at once while others write are those of the rows', async () => {
    await withLedgers(async (a, b) => {
      const events: Raw[] = [];
      for (let n = 0; n < (isFull ? 60 : 12); n++) {
        const some = batch(world, n);
        events.push(...some);
        await Promise.all([
          (n % 2 === 0 ? a : b).record(parsed(some)),
          recomputeSummaries(a.database),
          recomputeSummaries(b.database),
        ]);
      }
      await expectSettled(b, events);
    });
  });

  it('recomputed some at a time, the latest first, are those of the rows', async () => {
    await withLedgers(async (a, b) => {
      const events = Array.from({ length: 12 }, (_, n) => batch(world, n)).flat();
      for (let n = 0; n < 12; n += 4)
        await a.record(parsed(events.filter((__, at) => at % 12 >= n && at % 12 < n + 4)));
      const first = (table: string): Promise<number> =>
        numberFrom(a.database, `SELECT toUnixTimestamp(min(cell_at)) AS n FROM ${table}`);
      const oldest = await first('dirty_cells');
      let left = await dirtyCells(a.database);
      for (let pass = 0; left > 0; pass++) {
        expect(await recomputeSummaries(a.database, 2)).toBe('done');
        const now = await dirtyCells(a.database);
        expect(now).toBeLessThan(left);
        if (pass === 0) expect(await first('summary_cells')).toBeGreaterThan(oldest);
        left = now;
      }
      await expectSettled(b, events);
    });
  });

  it.each(['INSERT INTO summary_cells', 'DELETE FROM dirty_cells'])(
    'are not spoilt by a holder that stalls before %s',
    async (statement) => {
      await withLedgers(async (a, b) => {
        const events = [...batch(world, 0), ...batch(world, 1)];
        await a.record(parsed(events));
        const gate = holdCommand(a, statement);
        const stalled = recomputeSummaries(a.database);
        await gate.reached;
        expect(await recomputeSummaries(b.database)).toBe('held_by_another');

        const more = batch(world, 2);
        await b.record(parsed(more));
        await letTheLeaseRunOut(b);
        expect(await recomputeSummaries(b.database)).toBe('done');
        expect(await dirtyCells(b.database)).toBe(0);

        const evenMore = batch(world, 3);
        await b.record(parsed(evenMore));
        gate.open();
        await stalled;
        expect(await dirtyCells(b.database)).toBeGreaterThan(0);
        await expectSettled(b, [...events, ...more, ...evenMore]);
      });
    },
  );

  it('of a holder that died are made by the next one at once', async () => {
    await withLedgers(async (a, b) => {
      const events = batch(world, 1);
      await a.record(parsed(events));
      // A process id above what systems give.
      await a.database.command(
        "INSERT INTO leases SELECT 'summaries', 1048576, concat({host:String}, '/999999999/abc'), now64(3)",
        { host: hostname() },
      );
      expect(await recomputeSummaries(b.database)).toBe('done');
      await expectSettled(b, events);
    });
  });
});

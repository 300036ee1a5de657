import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_POLICY_SETTINGS } from '@ctwa-ledger/schemas/config.ts';
import { DeadLetters } from '../../services/ledger/events/dead-letters.ts';
import { randomTraffic } from '../oracle/arbitraries.ts';
import { oracleReports } from '../oracle/oracle.ts';
import {
  begin,
  countsOf,
  DataDirectory,
  EVERYTHING,
  inOrder,
  ndjson,
  numberFrom,
  reportTexts,
  rowsOf,
  run,
  succeed,
  withLedger,
  writeNdjson,
  type CommandOptions,
} from '../support/ledger.ts';
import {
  csvRows,
  deliveredStatus,
  envelope,
  inbound,
  NUMBER,
  statuses,
  type DataDirectory as Directory,
} from '../support/product.ts';
import { AT, lettersOf, message, messageIds } from '../support/stored.ts';

const data = new DataDirectory();
afterAll(() => data.remove());

let databases = 0;

/** A ledger of its own for a test, in the engine that they all share. */
function newLedger(): { readonly database: string; readonly options: CommandOptions } {
  databases += 1;
  const database = `ctwa_case_${databases}`;
  return { database, options: { env: { CLICKHOUSE_DATABASE: database } } };
}

/** One line on stderr and nothing on stdout: what a person, and a script that reads stdout, can live with. */
function expectFailure(
  finished: { readonly code: number | null; readonly stdout: string; readonly stderr: string },
  code: number,
  ...says: readonly (string | RegExp)[]
): void {
  for (const text of says) expect(finished.stderr).toMatch(text);
  expect(finished.stderr).not.toMatch(/\n\s+at /);
  expect(finished).toMatchObject({ code, stdout: '' });
}

describe('an input that cannot be read', () => {
  it.each([
    ['missing', 'nothing-here.ndjson', /nothing-here\.ndjson does not exist\. Give the path of an NDJSON file/],
    ['a directory', '.', /\. is a directory\. Give its files/],
  ])('%s: names it and says what to give', async (_, path, says) => {
    expectFailure(await run(data, ['ingest', path]), 1, says);
  });

  it('is found out before another file of the same command is touched', async () => {
    const { database, options } = newLedger();
    const good = writeNdjson(data, 'first.ndjson', [message('A')]);
    expectFailure(await run(data, ['ingest', good, data.file('second.ndjson')], options), 1, 'second.ndjson');
    await withLedger(data, database, async (ledger) => {
      expect(await messageIds(ledger.database)).toEqual([]);
    });
  });

  it('empty: reads nothing', async () => {
    const empty = writeNdjson(data, 'empty.ndjson', []);
    const counts = countsOf(await succeed(data, ['ingest', empty], newLedger().options));
    expect(counts).toEqual({ read: 0, stored: 0, duplicate: 0, rejected: 0 });
  });

  it('gzip cut off in the middle: keeps what came before, and is made good by the whole file', async () => {
    const { database, options } = newLedger();
    const events = randomTraffic(3, 20_000);
    const whole = gzipSync(ndjson(events));
    writeFileSync(data.file('cut.ndjson.gz'), whole.subarray(0, whole.length / 2));
    writeFileSync(data.file('whole.ndjson.gz'), whole);
    const cut = await run(data, ['ingest', data.file('cut.ndjson.gz')], options);
    expectFailure(cut, 1, /cut\.ndjson\.gz could not be read to its end .*run it again/);
    const before = Number(/(\d+) events before that are in the ledger/.exec(cut.stderr)?.[1]);
    expect(before).toBeGreaterThan(0);
    const counts = countsOf(await succeed(data, ['ingest', data.file('whole.ndjson.gz')], options));
    expect(counts).toMatchObject({ read: events.length, rejected: 0 });
    expect(counts.duplicate).toBeGreaterThanOrEqual(before);
    await withLedger(data, database, async (ledger) => {
      const expected = oracleReports({ events, accounts: [], policy: DEFAULT_POLICY_SETTINGS, ...CLOCK });
      expect(inOrder(rowsOf(await reportTexts(ledger.database)))).toEqual(inOrder(expected));
    });
  });

  it('called .gz but no gzip: says so', async () => {
    writeFileSync(data.file('plain.ndjson.gz'), ndjson([message('A')]));
    const finished = await run(data, ['ingest', data.file('plain.ndjson.gz')], newLedger().options);
    expectFailure(finished, 1, /plain\.ndjson\.gz could not be read to its end \(incorrect header check\)/);
  });
});

const CLOCK = { tz: EVERYTHING.tz, as_of: EVERYTHING.as_of };

describe('a line that cannot be used', () => {
  const huge = Buffer.from(JSON.stringify(message('huge', { text: { body: 'x'.repeat(10 * 1024 * 1024) } })));
  const lines: readonly (readonly [string, Buffer | string, string])[] = [
    ['10 MB', huge, 'too_large'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0xc3, 0x28, 0x00, 0x7d]), 'invalid_utf8'],
    ['JSON cut short', '{"event":"message","id":"wamid.cut', 'not_json'],
    ['no JSON at all', 'hello', 'not_json'],
    ['JSON of another kind', '[1,2,3]', 'not_an_event'],
    ['a wrong type', JSON.stringify(message('type', { id: 7 })), 'schema'],
    ['a missing field', JSON.stringify(message('lacks', { phone_number_id: undefined })), 'schema'],
    ['an unknown event', JSON.stringify(message('event', { event: 'call' })), 'not_an_event'],
    ['half a character in the reason', `{"event":"${'x'.repeat(39)}😀"}`, 'not_an_event'],
    ['no customer', JSON.stringify(message('nobody', { wa_id: '' })), 'schema'],
    ['a time of no number', JSON.stringify(message('when', { timestamp: 'yesterday' })), 'schema'],
    ['the year 1970', JSON.stringify(message('old', { timestamp: '86400' })), 'timestamp_too_old'],
    ['the year 2099', JSON.stringify(message('new', { timestamp: '4070908800' })), 'timestamp_in_future'],
    ['milliseconds', JSON.stringify(message('ms', { timestamp: String(AT * 1000) })), 'timestamp_in_future'],
  ];
  const good = [message('first'), message('last', { timestamp: AT + 5 })].map((event) => JSON.stringify(event));
  const { database, options } = newLedger();
  const file = data.file('lines.ndjson');
  const all = [good[0]!, ...lines.map(([, line]) => line), good[1]!];

  it('is kept with its bytes and its reason, and the good ones around it are stored', async () => {
    writeFileSync(file, Buffer.concat(all.flatMap((line) => [Buffer.from(line), Buffer.from('\n')])));
    const finished = await succeed(data, ['ingest', file], options);
    expect(countsOf(finished)).toEqual({ read: all.length, stored: 2, duplicate: 0, rejected: lines.length });
    expect(finished.stderr).toMatch(
      `${lines.length} events could not be used; see them with: ctwa-ledger dead-letter list`,
    );
    await withLedger(data, database, async (ledger) => {
      expect(await messageIds(ledger.database)).toEqual(['wamid.first', 'wamid.last']);
      const letters = await lettersOf(ledger.database);
      expect(letters.size).toBe(lines.length);
      for (const [i, [what, line, code]] of lines.entries()) {
        const letter = letters.get(i + 2);
        expect({ what, code: letter?.code }).toEqual({ what, code });
        expect(letter?.raw.equals(Buffer.from(line)), what).toBe(true);
      }
    });
  });

  it('is listed with its place, and counted once however often it comes', async () => {
    expect(countsOf(await succeed(data, ['ingest', file], options))).toMatchObject({ stored: 0, duplicate: 2 });
    const listed = (await succeed(data, ['dead-letter', 'list'], options)).stdout.trimEnd().split('\n');
    expect(listed).toHaveLength(lines.length);
    const first = JSON.parse(listed[0]!) as unknown;
    expect(first).toMatchObject({ source: file, position: '2', code: 'too_large', bytes: huge.length });
    const few = await succeed(data, ['dead-letter', 'list', '--limit', '3'], options);
    expect(few.stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(few.stderr).toMatch(`${lines.length - 3} more wait`);
  });

  it('is replayed after a fix, and does not come back', async () => {
    const fixed = Buffer.from(` ${JSON.stringify(message('fixed', { sender: 'é' }))}\r`);
    await withLedger(data, database, async (ledger) => {
      // What an earlier version refused and this one takes.
      const letters = new DeadLetters(ledger.database);
      await letters.add({ source: file, partition: 0, position: 99, code: 'schema', message: 'refused', raw: fixed });
      await letters.flush();
      expect((await lettersOf(ledger.database)).get(99)?.raw.toString('base64')).toBe(fixed.toString('base64'));
    });
    const replayed = await succeed(data, ['dead-letter', 'replay'], options);
    expect(JSON.parse(replayed.stdout)).toEqual({
      letters: lines.length + 1,
      replayed: 1,
      still_rejected: lines.length,
    });
    await withLedger(data, database, async (ledger) => {
      expect(await messageIds(ledger.database)).toEqual(['wamid.first', 'wamid.fixed', 'wamid.last']);
      const letters = new DeadLetters(ledger.database);
      await letters.add({ source: file, partition: 0, position: 99, code: 'schema', message: 'refused', raw: fixed });
      await letters.flush();
      const waiting = await lettersOf(ledger.database);
      expect(waiting.size).toBe(lines.length);
      for (const [i, [what, line]] of lines.entries())
        expect(waiting.get(i + 2)?.raw.equals(Buffer.from(line)), what).toBe(true);
      const { daily } = rowsOf(await reportTexts(ledger.database));
      expect(daily).toMatchObject([{ messages: '3' }]);
    });
  });
});

describe('unusual input that can be used', () => {
  it('keeps enum values that it does not know', async () => {
    const { database, options } = newLedger();
    const file = writeNdjson(data, 'unknown.ndjson', [
      message('A', { type: 'hologram', origin: 'carrier_pigeon', device: 'fridge' }),
      message('B', { type: 'template', template: { name: 't', category: 'TELEPATHY' } }),
      {
        ...deliveredStatus('wamid.A', AT + 1),
        event: 'status',
        phone_number_id: NUMBER,
        pricing: { billable: true, type: 'barter', category: 'gift' },
      },
    ]);
    expect(countsOf(await succeed(data, ['ingest', file], options))).toMatchObject({ stored: 3, rejected: 0 });
    await withLedger(data, database, async (ledger) => {
      expect(rowsOf(await reportTexts(ledger.database)).messages).toMatchObject([
        { message_id: 'wamid.A', type: 'hologram', category: 'service', reported: 'BILLABLE', billing: 'BILLABLE' },
        { message_id: 'wamid.B', type: 'template', category: 'telepathy', billing: 'UNDELIVERED' },
      ]);
    });
  });

  it('takes the good items of an envelope and keeps the whole of it for the bad one', async () => {
    const { database, options } = newLedger();
    const mixed = envelope(
      inbound([
        { from: '16505551234', id: 'wamid.in', timestamp: String(AT), type: 'text' },
        { from: '16505551234', id: 'wamid.bad', timestamp: '12', type: 'text' },
      ]),
      statuses([deliveredStatus('wamid.out', AT + 9)]),
    );
    writeFileSync(data.file('envelope.ndjson'), `${mixed}\n`);
    const counts = countsOf(await succeed(data, ['ingest', data.file('envelope.ndjson')], options));
    expect(counts).toEqual({ read: 3, stored: 2, duplicate: 0, rejected: 1 });
    await withLedger(data, database, async (ledger) => {
      expect(await messageIds(ledger.database)).toEqual(['wamid.out']);
      expect(await lettersOf(ledger.database)).toEqual(
        new Map([[1, { code: 'timestamp_too_old', raw: Buffer.from(mixed) }]]),
      );
    });
  });

  it('reads standard input, with a byte order mark, line ends of Windows, blank lines and no end of the last line', async () => {
    const { database, options } = newLedger();
    const [a, b, c] = ['A', 'B', 'C'].map((id) => JSON.stringify(message(id)));
    const input = `\ufeff${a!}\r\n\r\n  \n${b!}\r\n${c!}`;
    const counts = countsOf(await succeed(data, ['ingest', '-'], { ...options, input }));
    expect(counts).toEqual({ read: 3, stored: 3, duplicate: 0, rejected: 0 });
    await withLedger(data, database, async (ledger) => {
      expect(await messageIds(ledger.database)).toEqual(['wamid.A', 'wamid.B', 'wamid.C']);
    });
  });
});

describe('wrong usage', () => {
  it.each([
    ['an unknown command', ['ingets'], /ingets/],
    ['an unknown option', ['ingest', 'x', '--dta', 'y'], /--dta/],
    ['no file', ['ingest'], /file/],
    [
      'an unknown report',
      ['export', 'invoices'],
      /no report "invoices"\. The reports are messages, conversations, daily, ads/,
    ],
    ['an unknown zone', ['export', 'daily', '--tz', 'Mars/Olympus'], /"Mars\/Olympus" is not an IANA time zone/],
    ['an offset for a zone', ['export', 'daily', '--tz', '+03:00'], /is not an IANA time zone/],
    ['a day that is none', ['export', 'daily', '--from', '2025-02-30'], /"2025-02-30" is not a date/],
    ['a range backwards', ['export', 'daily', '--from', '2025-03-02', '--to', '2025-03-01'], /not before/],
    ['a time that is none', ['export', 'daily', '--as-of', 'noon'], /"noon" is not a time/],
    ['--by of another report', ['export', 'daily', '--by', 'sent'], /--by can only be used with the report messages/],
    ['an unknown --by', ['export', 'messages', '--by', 'read'], /sent, delivered/],
    ['a limit that is none', ['dead-letter', 'list', '--limit', 'all'], /--limit "all" is not a whole number/],
    ['an unknown currency', ['accounts', 'set', '1', '--currency', 'pesos'], /currency/],
  ])('%s: exit code 2, and what is wrong', async (_, args, says) => {
    expectFailure(await run(data, args), 2, says);
  });

  it('--data together with a server: exit code 2', async () => {
    const finished = await run(data, ['export', 'daily'], { env: { CLICKHOUSE_URL: 'http://127.0.0.1:1' } });
    expectFailure(finished, 2, /--data is for the embedded ClickHouse, but CLICKHOUSE_URL names a server/);
  });
});

describe('surroundings that do not fit', () => {
  it('an unknown key of the configuration is named, with the file that it is in', async () => {
    const { options } = newLedger();
    await succeed(data, ['ingest', writeNdjson(data, 'before.ndjson', [message('A')])], options);
    for (const [config, says] of [
      [{ polcy: {} }, /at the top: .*polcy/],
      [{ policy: { clok: 'sent' } }, /at "policy": .*clok/],
      [{ accounts: [{ waba_id: '1', timezone: 'UTC' }] }, /at "accounts\.0": .*timezone/],
      [
        { accounts: [{ waba_id: '1', time_zone: 'Mars' }] },
        /at "accounts\.0\.time_zone": "Mars" is not an IANA time zone/,
      ],
    ] as const) {
      writeFileSync(data.file('wrong.json'), JSON.stringify(config));
      const finished = await run(data, ['export', 'daily', '--config', data.file('wrong.json')], options);
      expectFailure(finished, 1, /wrong\.json is wrong/, says);
    }
    writeFileSync(data.file('wrong.json'), '{"accounts":');
    expectFailure(
      await run(data, ['rebuild', '--config', data.file('wrong.json')], options),
      1,
      'wrong.json is not JSON',
    );
    expectFailure(
      await run(data, ['rebuild', '--config', data.file('none.json')], options),
      1,
      'none.json cannot be read',
    );
  });

  it('a data directory that is a file', async () => {
    const file = writeNdjson(data, 'a-file', []);
    const finished = await begin(data, ['export', 'daily', '--data', file]).finished;
    expectFailure(finished, 1, `${file}`, /Give another one with --data/);
    const below = await begin(data, ['export', 'daily', '--data', `${file}/below`]).finished;
    expectFailure(below, 1, `${file}/below`, /Name another directory with --data/);
  });

  it('a ledger that a newer version has written', async () => {
    const { database, options } = newLedger();
    await withLedger(data, database, async (ledger) => {
      await ledger.database.command("INSERT INTO migrations SELECT 9999, '9999_from_the_future.sql', now()");
    });
    const file = writeNdjson(data, 'newer.ndjson', [message('A')]);
    for (const args of [
      ['export', 'daily'],
      ['ingest', file],
    ])
      expectFailure(await run(data, args, options), 1, /written by a newer version .*schema 9999.*Update this program/);
  });

  it('a data directory that another program holds', async () => {
    const held = new DataDirectory();
    const chdb = createRequire(import.meta.url).resolve('chdb');
    const program = `
      const { Session } = require(${JSON.stringify(chdb)});
      const session = new Session(${JSON.stringify(held.file('clickhouse'))});
      session.query('SELECT 1');
      process.stdout.write('held');
      setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    held.adopt(holder);
    await once(holder.stdout, 'data');
    try {
      const finished = await run(held, ['export', 'daily']);
      expectFailure(finished, 1, `The data directory ${held.path} is held by`, /End it, or give another directory/);
      if (process.platform === 'linux') expect(finished.stderr).toContain(`(process ${String(holder.pid)})`);
    } finally {
      const ended = once(holder, 'exit');
      holder.kill('SIGKILL');
      await ended;
    }
    // The lock goes with its holder.
    expect(csvRows((await succeed(held, ['export', 'daily'])).stdout)).toEqual([]);
    await held.remove();
  });

  it('a report that cannot be written where it was asked for', async () => {
    const { options } = newLedger();
    await succeed(data, ['ingest', writeNdjson(data, 'one.ndjson', [message('A')])], options);
    mkdirSync(data.file('reports'));
    writeFileSync(data.file('reports/taken.csv'), 'as it was');
    mkdirSync(data.file('reports/directory.csv'));
    for (const path of ['nowhere/daily.csv', 'reports/taken.csv/daily.csv', 'reports/directory.csv']) {
      const finished = await run(data, ['export', 'messages', '--out', data.file(path)], options);
      expectFailure(finished, 1, `could not be written to ${data.file(path)}`);
    }
    expect(readdirSync(data.file('reports')).sort()).toEqual(['directory.csv', 'taken.csv']);
    expect(readFileSync(data.file('reports/taken.csv'), 'utf8')).toBe('as it was');
    await succeed(data, ['export', 'messages', '--out', data.file('reports/taken.csv')], options);
    expect(csvRows(readFileSync(data.file('reports/taken.csv'), 'utf8'))).toHaveLength(1);
    expect(readdirSync(data.file('reports')).sort()).toEqual(['directory.csv', 'taken.csv']);
  });
});

/** A small file system of its own in memory, where this machine lets us mount one; else why not. */
function mountSmall(directory: Directory, megabytes: number): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can mount a small disk';
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', directory.path]);
  return mount.status === 0 ? null : `this machine does not mount a small disk: ${String(mount.stderr)}`;
}

describe('a full disk', () => {
  it('is named, and the same command gives the whole result when there is room', async (context) => {
    const small = new DataDirectory();
    const why = mountSmall(small, 256);
    if (why !== null) {
      await small.remove();
      context.skip(why);
    }
    try {
      const events = randomTraffic(12, 20_000);
      const file = writeNdjson(data, 'much.ndjson', events);
      // The ledger exists, so that the disk fills up under an ingest and not under its first tables.
      await succeed(small, ['accounts', 'list']);
      await small.killEngine();
      for (const megabytes of [0.02, 1, 3]) {
        const { bsize, bavail } = statfsSync(small.path);
        const ballast = Math.max(Math.floor(bsize * bavail - megabytes * 1024 * 1024), 0);
        writeFileSync(small.file('ballast'), Buffer.alloc(ballast));
        const finished = await run(small, ['ingest', file]);
        expectFailure(finished, 1, small.path, /disk|space/i, /[Ff]ree/);
        writeFileSync(small.file('ballast'), '');
      }
      expect(spawnSync('mount', ['-o', 'remount,size=1024m', small.path]).status).toBe(0);
      const counts = countsOf(await succeed(small, ['ingest', file]));
      expect(counts).toMatchObject({ read: events.length, rejected: 0 });
      await withLedger(small, 'ctwa_ledger', async (ledger) => {
        expect(await numberFrom(ledger.database, 'SELECT count() AS n FROM dead_letters')).toBe(0);
        const expected = oracleReports({ events, accounts: [], policy: DEFAULT_POLICY_SETTINGS, ...CLOCK });
        expect(inOrder(rowsOf(await reportTexts(ledger.database)))).toEqual(inOrder(expected));
      });
    } finally {
      await small.killEngine();
      spawnSync('umount', ['--lazy', small.path]);
      await small.remove();
    }
  });
});

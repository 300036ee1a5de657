import { MAX_VALUE_BYTES } from '@ctwa-ledger/schemas/event.ts';
import { afterAll, afterEach, expect, it } from 'vitest';
import { z } from 'zod';
import { countDeadLetters } from '../../services/ledger/events/dead-letters.ts';
import { describeKafka } from '../support/kafka.ts';
import { succeed, withLedger, withoutTimes } from '../support/ledger.ts';
import { DataDirectory, NUMBER, until } from '../support/product.ts';
import { traffic, World } from './consuming.ts';

const AT = 1_785_000_000;
const NOW = Math.floor(Date.now() / 1000);
const DAY = 86_400;

const status = (id: string, timestamp: number): object => ({
  event: 'status',
  phone_number_id: NUMBER,
  wa_id: '16505551234',
  id,
  status: 'delivered',
  timestamp: String(timestamp),
});

/** Every way for a value to be unusable, with the reason that it is given. */
const POISON: readonly (readonly [code: string, value: Buffer | null])[] = [
  ['not_json', Buffer.from('{"event":')],
  ['not_json', Buffer.alloc(0)],
  ['tombstone', null],
  ['too_large', Buffer.alloc(MAX_VALUE_BYTES + 1, 'x')],
  ['schema', Buffer.from('{"event":"message"}')],
  ['not_an_event', Buffer.from('null')],
  ['not_an_event', Buffer.from('[1,2]')],
  ['invalid_utf8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
  ['timestamp_in_future', Buffer.from(JSON.stringify(status('wamid.future', NOW + 3 * DAY)))],
  ['timestamp_too_old', Buffer.from(JSON.stringify(status('wamid.past', 1_000)))],
];

const letterSchema = z.object({
  source: z.string(),
  source_partition: z.number(),
  position: z.string(),
  code: z.string(),
  message: z.string(),
  bytes: z.number(),
});

describeKafka('values that cannot be used', {}, (kafka) => {
  const data = new DataDirectory();
  let world: World;
  afterEach(() => world.close());
  afterAll(() => data.remove());

  async function list(): Promise<z.infer<typeof letterSchema>[]> {
    const { stdout } = await succeed(data, ['dead-letter', 'list', '--limit', '999'], {
      env: { CLICKHOUSE_DATABASE: world.database },
    });
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => letterSchema.parse(JSON.parse(line)));
  }

  const waiting = (): Promise<number> =>
    withLedger(data, world.database, (ledger) => countDeadLetters(ledger.database));

  it('cost themselves alone, wherever in a batch they are', async () => {
    world = await World.create(kafka, data, 1);
    const good = traffic(211, 44).filter((value) => 'direction' in value);
    // First, last, alone between others, and several in a row.
    const records: { key: string; value: Buffer | null; code: string | null }[] = [];
    const add = (code: string | null, value: Buffer | null): void => {
      records.push({ key: 'k', value, code });
    };
    const poison = POISON.filter(([, value]) => (value?.length ?? 0) < kafka.maxBytes);
    for (const [i, [code, value]] of poison.entries()) {
      add(code, value);
      if (good[i] !== undefined) add(null, Buffer.from(JSON.stringify(good[i])));
    }
    for (const event of good.slice(poison.length)) add(null, Buffer.from(JSON.stringify(event)));
    for (const [code, value] of poison) add(code, value);
    await kafka.produce(world.names.messages, records);
    const consumer = world.consume();
    await world.untilCaughtUp();
    const { read, rejected } = await consumer.counts();
    expect({ read, rejected }).toEqual({ read: records.length, rejected: 2 * poison.length });
    await world.expectAsFromFile(good);

    const expected = records.flatMap(({ code, value }, offset) => (code === null ? [] : [{ code, value, offset }]));
    const inTopic = (await kafka.readAll(world.names.deadLetter)).sort(
      (a, b) => Number(a.headers['offset']) - Number(b.headers['offset']),
    );
    expect(
      inTopic.map(({ headers, bytes }) => [headers['offset'], headers['reason_code'], bytes?.length ?? 0]),
    ).toEqual(expected.map(({ code, value, offset }) => [String(offset), code, value?.length ?? 0]));
    for (const [i, { headers, bytes }] of inTopic.entries()) {
      expect(headers).toMatchObject({ source_topic: world.names.messages, partition: '0' });
      expect(headers['message']).not.toBe('');
      expect(Math.abs(Date.parse(headers['first_seen'] ?? '') / 1000 - NOW)).toBeLessThan(DAY);
      expect((bytes ?? Buffer.alloc(0)).equals(expected[i]!.value ?? Buffer.alloc(0))).toBe(true);
    }
    const inTable = (await list()).sort((a, b) => Number(a.position) - Number(b.position));
    expect(inTable.map(({ source, position, code, bytes }) => [source, position, code, bytes])).toEqual(
      expected.map(({ code, value, offset }) => [world.names.messages, String(offset), code, value?.length ?? 0]),
    );
    await consumer.stop();
  });

  it('are those that ClickHouse refuses, too: each costs itself alone', async () => {
    world = await World.create(kafka, data, 1);
    const refused = ['wamid.poison1', 'wamid.poison2'].map((id) => status(id, AT));
    const good = traffic(213, 400);
    const values = [refused[0]!, ...good.slice(0, 200), refused[1]!, ...good.slice(200)];
    const alter = (change: string): Promise<void> =>
      withLedger(data, world.database, (ledger) => ledger.database.command(`ALTER TABLE events ${change}`));
    await alter("ADD CONSTRAINT no_poison CHECK position(id, 'poison') = 0");
    await world.produce(values);
    const consumer = world.consume();
    await world.untilCaughtUp();
    expect(await consumer.counts()).toMatchObject({ rejected: 2 });
    const letters = await kafka.readAll(world.names.deadLetter);
    expect(letters.map(({ headers }) => headers['reason_code'])).toEqual(['refused_by_ledger', 'refused_by_ledger']);
    expect(letters.map(({ headers }) => headers['source_topic'])).toEqual([world.names.statuses, world.names.statuses]);
    expect((await list()).map(({ code }) => code)).toEqual(['refused_by_ledger', 'refused_by_ledger']);
    // It goes on, and the rest is as if they had never been.
    expect(await consumer.status('/readyz')).toBe(200);
    await consumer.stop();
    await world.expectAsFromFile(good);
    // Mended, they can be replayed, and then nothing is missing.
    await alter('DROP CONSTRAINT no_poison');
    await succeed(data, ['dead-letter', 'replay'], { env: { CLICKHOUSE_DATABASE: world.database } });
    await world.expectAsFromFile([...good, ...refused]);
    expect(await waiting()).toBe(0);
  });

  it('are tried again from the table, and from the topic', async () => {
    world = await World.create(kafka, data, 2);
    const env = { KAFKA_BROKERS: kafka.brokers, KAFKA_TOPIC_PREFIX: world.prefix, CLICKHOUSE_DATABASE: world.database };
    const replay = async (from: string, into: string = world.database): Promise<unknown> => {
      const options = { env: { ...env, CLICKHOUSE_DATABASE: into } };
      return JSON.parse((await succeed(data, ['dead-letter', 'replay', '--from', from], options)).stdout);
    };
    // As if a version before had not known what to do with them: letters of values that are good today.
    const good = traffic(212, 30);
    const headers = (offset: number): Record<string, string> => ({
      source_topic: world.names.messages,
      partition: '0',
      offset: String(offset),
      reason_code: 'schema',
      message: 'Not known then.',
      first_seen: new Date(AT * 1000).toISOString(),
    });
    const letters = good.map((event, i) => ({ key: null, value: JSON.stringify(event), headers: headers(i) }));
    letters.push({ key: null, value: 'still not json', headers: headers(good.length) });
    // Somebody else's, in the same topic: neither lost nor taken for ours. Nor does one stop anything that no column takes.
    const impossible = [{ partition: '99999999999' }, { offset: '9999999999999999' }, { reason_code: 'x'.repeat(99) }];
    const strange = impossible.map((header) => ({
      key: null,
      value: 'strange',
      headers: { ...headers(0), ...header },
    }));
    // A time that cannot be is not the letter's fault, who may hold the only copy of an event.
    letters[0]!.headers['first_seen'] = '+275760-09-13T00:00:00.000Z';
    letters[1]!.headers['first_seen'] = '-271821-04-20T00:00:00.000Z';
    await kafka.produce(world.names.deadLetter, [
      { key: null, value: 'no letter', headers: {} },
      ...strange,
      ...letters,
      { key: null, value: null, headers: {} },
    ]);
    const consumer = world.consume();
    await consumer.untilReady();
    await until('the letters are in the table', async () => (await waiting()) === letters.length);
    expect(await consumer.status('/readyz')).toBe(200);
    await consumer.stop();

    const counts = { letters: letters.length, replayed: good.length, still_rejected: 1 };
    expect(await replay('table')).toEqual(counts);
    await world.expectAsFromFile(good);
    expect(await list()).toMatchObject([{ code: 'schema', bytes: 'still not json'.length }]);
    expect(await replay('table')).toEqual({ letters: 1, replayed: 0, still_rejected: 1 });
    // The consumers do not bring back what was replayed.
    const second = world.consume();
    await second.untilReady();
    await second.stop();
    expect(await waiting()).toBe(1);

    // Into another ledger from the topic: the table of that one knows nothing yet.
    const other = `${world.database}_other`;
    await withLedger(data, other, () => Promise.resolve());
    expect(await replay('topic', other)).toEqual(counts);
    const texts = await world.reports();
    const rows = async (database: string): Promise<string> =>
      withoutTimes((await succeed(data, ['export', 'messages'], { env: { CLICKHOUSE_DATABASE: database } })).stdout);
    expect(await rows(other)).toBe(await rows(world.database));
    expect(texts.messages.split('\n').length).toBeGreaterThan(2);
    // Again, and into the first: nothing changes.
    expect(await replay('topic', other)).toEqual(counts);
    expect(await replay('topic')).toEqual(counts);
    expect(await world.reports()).toEqual(texts);
    expect(await waiting()).toBe(1);
  });
});

import { canonicalEvent, parseEvent } from '@ctwa-ledger/schemas/event.ts';
import { afterAll, afterEach, expect, it } from 'vitest';
import { countDeadLetters } from '../../services/ledger/events/dead-letters.ts';
import { parsed } from '../support/expected-rows.ts';
import { describeKafka } from '../support/kafka.ts';
import { countsOf, succeed, withLedger, writeNdjson } from '../support/ledger.ts';
import {
  DataDirectory,
  deliveredStatus,
  envelope,
  inbound,
  NUMBER,
  SECRETS,
  signatureOf,
  statuses,
  until,
  type Change,
} from '../support/product.ts';
import { traffic, World, type ConsumerProcess } from './consuming.ts';

const AT = 1_785_000_000;
const NOW = Math.floor(Date.now() / 1000);

describeKafka('a receiver before a broker', { own: true }, (kafka) => {
  const data = new DataDirectory();
  let world: World;
  afterEach(() => world.close());
  afterAll(() => data.remove());

  async function deliver(receiver: ConsumerProcess, body: string | Buffer): Promise<number> {
    const response = await fetch(`${await receiver.url()}/webhook`, {
      method: 'POST',
      headers: { 'x-hub-signature-256': signatureOf(body) },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    });
    await response.arrayBuffer();
    return response.status;
  }

  function receive(): ConsumerProcess {
    return world.command(['webhook', '--port', '0', '--data', data.path], SECRETS);
  }

  const message = (from: Record<string, string>, id: string, at: number): object => ({
    ...from,
    id,
    timestamp: String(at),
    type: 'text',
    text: { body: 'not stored' },
  });

  it('says 200 when the broker has the events, by thread, and the same events', async () => {
    world = await World.create(kafka, data, 4);
    const receiver = receive();
    const changes: Change[] = [
      inbound([
        message({ from: '16505551234' }, 'wamid.W1', AT),
        message({ from_user_id: 'US.13491208655302741918' }, 'wamid.W2', AT + 1),
      ]),
      statuses([
        deliveredStatus('wamid.W3', AT + 2),
        { id: 'wamid.W4', status: 'failed', timestamp: String(AT + 3), errors: [{ code: 131_049, title: 'no' }] },
      ]),
    ];
    expect(await deliver(receiver, envelope(...changes))).toBe(200);
    const messages = await kafka.readAll(world.names.messages);
    const statusRecords = await kafka.readAll(world.names.statuses);
    expect(messages.map(({ key }) => key).sort()).toEqual([
      `${NUMBER}:16505551234`,
      `${NUMBER}:US.13491208655302741918`,
    ]);
    expect(statusRecords.map(({ key }) => key).sort()).toEqual([`${NUMBER}:`, `${NUMBER}:16505551234`]);
    for (const { key, value } of [...messages, ...statusRecords]) {
      const again = parseEvent(JSON.parse(value ?? ''), NOW);
      if (!again.ok) throw new Error(again.rejection.message);
      expect(canonicalEvent(again.event)).toBe(value);
      expect(`${again.event.phone_number_id}:${again.event.customer}`).toBe(key);
      expect(value).not.toContain('not stored');
    }
    const consumer = world.consume();
    await world.untilCaughtUp();
    await world.expectAsFromFile([JSON.parse(envelope(...changes)) as object]);

    // What cannot be used is taken, because it would be no better the next time; and what can, of the same body.
    const half = envelope(statuses([deliveredStatus('wamid.W5', AT + 9), { id: 'wamid.W6', status: 'sent' }]));
    const bodies = ['not json', Buffer.from([0xff, 0xfe]), half];
    for (const body of bodies) expect(await deliver(receiver, body)).toBe(200);
    const letters = await kafka.readAll(world.names.deadLetter);
    expect(letters.map(({ headers }) => headers['source_topic'])).toEqual(['webhook', 'webhook', 'webhook']);
    expect(letters.map(({ bytes }) => bytes?.toString('hex')).sort()).toEqual(
      bodies.map((body) => Buffer.from(body).toString('hex')).sort(),
    );
    const listed = async (): Promise<string> =>
      (await succeed(data, ['dead-letter', 'list'], { env: { CLICKHOUSE_DATABASE: world.database } })).stdout;
    await until(
      'the letters are in the table',
      async () => (await withLedger(data, world.database, (l) => countDeadLetters(l.database))) === 3,
    );
    expect(await listed()).toContain('"source":"webhook"');
    await world.untilCaughtUp();
    const { messages: rows } = await world.reports();
    expect(rows).toContain('wamid.W5');
    await consumer.stop();
    await receiver.stop();
  });

  it('says 503 while the broker is away, and nothing that it took is lost', async () => {
    world = await World.create(kafka, data, 2);
    const receiver = receive();
    const taken = new Set<string>();
    const sendAgainUntilTaken = async (id: string, onRefused: () => Promise<void>): Promise<void> => {
      const body = envelope(statuses([deliveredStatus(id, AT + taken.size)]));
      await until(`${id} is taken`, async () => {
        const code = await deliver(receiver, body);
        expect([200, 503]).toContain(code);
        if (code === 200) taken.add(id);
        else await onRefused();
        return code === 200;
      });
    };
    const never = (): Promise<void> => Promise.reject(new Error('It was refused although the broker runs.'));
    await sendAgainUntilTaken('wamid.0', never);
    await kafka.own.stop();
    let refused = 0;
    await sendAgainUntilTaken('wamid.1', async () => {
      refused += 1;
      expect(await receiver.status('/readyz')).not.toBe(200);
      if (refused === 2) await kafka.own.restart();
    });
    expect(refused).toBeGreaterThanOrEqual(2);
    await sendAgainUntilTaken('wamid.2', () => Promise.resolve());
    const records = (await kafka.readAll(world.names.statuses)).map(({ value }) => value ?? '');
    const events = parsed(records.map((value) => JSON.parse(value) as unknown));
    // At least once: the one that was refused may have been stored all the same.
    expect(new Set(events.map((event) => event.id))).toEqual(taken);
    await receiver.stop();
  });

  it('is part of start, which consumes as well', async () => {
    world = await World.create(kafka, data, 2);
    const env = { ...SECRETS, CLICKHOUSE_DATABASE: world.database };
    const product = world.command(['start', '--port', '0', '--empty', '--data', data.path], env);
    expect(await deliver(product, envelope(statuses([deliveredStatus('wamid.S1', AT)])))).toBe(200);
    const values = traffic(213, 100);
    await world.produce(values);
    await product.untilReady();
    await until('all is read', async () => (await product.counts()).read >= 102);
    const delivered = JSON.parse(envelope(statuses([deliveredStatus('wamid.S1', AT)]))) as object;
    await until('the rows are there', async () => (await world.reports()).messages.includes('wamid.S1'));
    await world.expectAsFromFile([...values, delivered]);
    await world.expectBillingComplete();
    expect((await kafka.readAll(world.names.statuses)).some(({ value }) => value?.includes('wamid.S1'))).toBe(true);
    await product.stop();
  });

  it('counts what comes twice as duplicates, in whatever shape it comes', async () => {
    world = await World.create(kafka, data, 2);
    const receiver = receive();
    const body = envelope(statuses([deliveredStatus('wamid.D1', AT)]));
    for (let i = 0; i < 3; i++) expect(await deliver(receiver, body)).toBe(200);
    await world.produce([JSON.parse(body) as object]);
    const consumer = world.consume();
    await world.untilCaughtUp();
    expect(await consumer.counts()).toEqual({ read: 4, stored: 1, duplicate: 3, rejected: 0 });
    const file = writeNdjson(data, 'twice.ndjson', [JSON.parse(body)]);
    const finished = await succeed(data, ['ingest', file], { env: { CLICKHOUSE_DATABASE: world.database } });
    expect(countsOf(finished)).toEqual({ read: 1, stored: 0, duplicate: 1, rejected: 0 });
    await consumer.stop();
    await receiver.stop();
  });
});

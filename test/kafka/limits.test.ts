import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { brokerError, connectKafka, type KafkaSettings } from '../../services/kafka/connection.ts';
import { RecordProducer, type OutgoingRecord } from '../../services/kafka/record-producer.ts';
import { TopicSink } from '../../services/kafka/topic-sink.ts';
import { topicNames } from '../../services/kafka/topics.ts';
import type { DeadLetter } from '../../services/ledger/events/dead-letters.ts';
import { ActionableError } from '../../services/clickhouse/errors.ts';
import { parsed } from '../support/expected-rows.ts';
import { describeKafka } from '../support/kafka.ts';
import { run } from '../support/ledger.ts';
import { DataDirectory, NUMBER } from '../support/product.ts';
import { traffic, World } from './consuming.ts';

const AT = 1_785_000_000;
const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const;

/** Events whose marks are some 300 bytes each on the billing topic. */
function templates(count: number): object[] {
  return Array.from({ length: count }, (_, i) => ({
    event: 'message',
    direction: 'outbound',
    phone_number_id: NUMBER,
    wa_id: `16505${String(550_000 + i)}`,
    id: `wamid.${String(i).padStart(5, '0')}.${'x'.repeat(60)}`,
    timestamp: String(AT + i),
    type: 'template',
    template: { name: 'offer', language: 'en', category: 'MARKETING' },
  }));
}

describeKafka('topics with the defaults of a broker', { laps: ['defaults'] }, (kafka) => {
  const data = new DataDirectory();
  let world: World | null = null;
  let settings: KafkaSettings;
  let producer: RecordProducer;
  beforeAll(() => {
    settings = { brokers: kafka.brokers.split(','), tls: null, sasl: null, topicPrefix: '' };
    producer = new RecordProducer(connectKafka(settings, pino({ level: 'silent' })));
  });
  afterEach(async () => {
    await world?.close();
    world = null;
  });
  afterAll(async () => {
    await producer.close();
    await data.remove();
  });

  const valuesOf = async (topic: string): Promise<string[]> =>
    (await kafka.readAll(topic)).map(({ value }) => value ?? '').sort();

  it('take the marks of a backlog of one partition, which are more than they take at once', async () => {
    world = await World.create(kafka, data, 1);
    const values = templates(5_000);
    await world.produce(values);
    const consumer = world.consume();
    await world.untilCaughtUp();
    expect(await consumer.counts()).toEqual({ read: 5_000, stored: 5_000, duplicate: 0, rejected: 0 });
    await world.expectBillingComplete();
    const sent = (await kafka.readAll(world.names.billing)).reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    expect(sent).toBeGreaterThan(kafka.maxBytes);
    expect(consumer.log).not.toContain('refused a record');
    await consumer.stop();
  });

  it('refuse the one record that does not fit, and take all others, once and in order', async () => {
    const topic = kafka.unique('one-too-large');
    await kafka.createTopics([topic], 2);
    const values = Array.from({ length: 40 }, (_, i) => `${i} ${'v'.repeat(100_000)}`);
    const records: OutgoingRecord[] = values.map((value) => ({ topic, key: 'same', value }));
    // Bytes by chance do not compress; text does, and fits compressed.
    const tooLarge = { topic, key: 'same', value: randomBytes(2_000_000) };
    const compressible = { topic, key: 'same', value: 'c'.repeat(3_000_000) };
    const refused = await producer.send([...records.slice(0, 20), tooLarge, compressible, ...records.slice(20)]);
    expect(refused.map(({ record }) => record)).toEqual([tooLarge]);
    expect(refused[0]!.bytes).toBeGreaterThan(2_000_000);
    const stored = (await kafka.readAll(topic)).map(({ value }) => value);
    expect(stored).toEqual([...values.slice(0, 20), compressible.value, ...values.slice(20)]);
  });

  it('are found by halving when the limit of a topic is not known', async () => {
    const topic = kafka.unique('lowered');
    await kafka.createTopics([topic], 1);
    const records = Array.from({ length: 300 }, (_, i) => ({
      topic,
      key: `k${i}`,
      value: `${i} ${'v'.repeat(1_000)}`,
    }));
    expect(await producer.send(records.slice(0, 1))).toEqual([]);
    // Known by now, and another one from here on.
    await kafka.configure(topic, { 'max.message.bytes': '20000' });
    expect(await producer.send(records.slice(1))).toEqual([]);
    expect(new Set(await valuesOf(topic))).toEqual(new Set(records.map(({ value }) => value)));
  });

  it('are not created by a writer when they are missing', async () => {
    const topic = kafka.unique('never-created');
    const failure = await producer.send([{ topic, key: 'k', value: 'v' }]).catch((error: unknown) => error);
    expect(String(brokerError(failure, settings))).toContain('ctwa-ledger topics create');
    await expect(kafka.endOffsets(topic)).rejects.toThrow();
    // Not even by the one who has just asked for it.
    expect(
      await run(data, ['consume'], { env: { KAFKA_BROKERS: kafka.brokers, KAFKA_TOPIC_PREFIX: `${topic}.` } }),
    ).toMatchObject({ code: 1 });
  });

  it.each(CODECS)('that compress with %s are read like any', async (codec) => {
    const [recompressed, fromJava] = [kafka.unique('compressed'), kafka.unique('java')];
    await kafka.createTopics([recompressed], 3, { 'compression.type': codec });
    await kafka.createTopics([fromJava], 3);
    const values = traffic(17, 1_500).map((value) => JSON.stringify(value));
    const records = values.map((value, i) => ({ key: `${i % 50}`, value }));
    // What we write is compressed by the broker; what Java writes by itself.
    await producer.send(records.map((record) => ({ ...record, topic: recompressed })));
    await kafka.produceInJava(fromJava, records, codec);
    expect(await valuesOf(recompressed)).toEqual([...values].sort());
    expect(await valuesOf(fromJava)).toEqual([...values].sort());
  });

  it('that compress are consumed to the end, and a batch that unpacks without end costs itself alone', async () => {
    world = await World.create(kafka, data, 2);
    for (const topic of Object.values(world.names)) await kafka.configure(topic, { 'compression.type': 'zstd' });
    const values = traffic(18, 300);
    await world.produce(values.slice(0, 150));
    // The broker keeps what it is given, so it must not compress this anew.
    const { messages } = world.names;
    await kafka.configure(messages, { 'compression.type': 'producer' });
    const bomb = { key: 'bomb', value: Buffer.alloc(100_000_000), partition: 1 };
    await kafka.produce(messages, [bomb, { ...bomb, value: 'not json' }], { gzip: true });
    await world.produce(values.slice(150));
    const consumer = world.consume();
    await world.untilCaughtUp();
    // A consumer that loses its broker for a moment reads again what it had not committed.
    const read = await kafka.readAll(world.names.deadLetter);
    const places = new Map(read.map(({ headers, bytes }) => [headers['offset'], { ...headers, bytes }]));
    const letters = [...places.values()];
    expect(letters.map((letter) => letter['reason_code' as never])).toEqual(['unreadable_batch', 'unreadable_batch']);
    expect(letters.map((letter) => letter['source_topic' as never])).toEqual([messages, messages]);
    expect(letters.some((letter) => String(letter['message' as never]).includes('compressed with gzip'))).toBe(true);
    // The bytes as they came: of the whole batch, with its first record.
    expect(letters.map(({ bytes }) => (bytes ?? []).length).sort((a, b) => b - a)[0]).toBeGreaterThan(1_000);
    await world.expectAsFromFile(values);
    expect(consumer.log).not.toContain('cannot be reached');
    await consumer.stop();
  });

  it('that are compacted keep every dead letter, and sources that are get a warning', async () => {
    world = await World.create(kafka, data, 1);
    for (const topic of Object.values(world.names)) await kafka.configure(topic, { 'cleanup.policy': 'compact' });
    const { messages, deadLetter } = world.names;
    const values = ['not json', 'nor this', null];
    await kafka.produce(
      messages,
      values.map((value) => ({ key: 'k', value })),
    );
    const consumer = world.consume();
    await consumer.says(`The topic ${messages} is compacted`);
    await world.untilCaughtUp();
    const letters = await kafka.readAll(deadLetter);
    expect(letters.map(({ headers }) => headers['reason_code'])).toEqual(['not_json', 'not_json', 'tombstone']);
    expect(new Set(letters.map(({ key }) => key)).size).toBe(3);
    await consumer.stop();
    const doctor = await run(data, ['doctor'], { env: world.env });
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toContain('WRONG Kafka: The topic');
  });

  describe('and deliveries of the webhook that are larger', () => {
    const names = topicNames('');
    const [message] = parsed(templates(1));
    const delivery = async (): Promise<{ sink: TopicSink; alone: TopicSink; kept: DeadLetter[] }> => {
      const prefix = `${kafka.unique('hook')}.`;
      await kafka.createTopics(Object.values(topicNames(prefix)), 1);
      const kept: DeadLetter[] = [];
      const keep = (letters: readonly DeadLetter[]): Promise<void> => {
        kept.push(...letters);
        return Promise.resolve();
      };
      return {
        sink: new TopicSink(producer, topicNames(prefix), keep),
        alone: new TopicSink(producer, topicNames(prefix), null),
        kept,
      };
    };

    it('are kept in the ledger where there is one, and left to Meta where there is none', async () => {
      if (message?.event !== 'message') throw new Error(`No message for ${names.messages}.`);
      const { sink, alone, kept } = await delivery();
      const large = { ...message, referral_body: randomBytes(1_500_000).toString('base64') };
      const raw = randomBytes(2_500_000);
      const rejection = { code: 'not_json', message: 'It is not JSON.' } as const;
      const events = [message, large];
      expect(await sink.take({ events, rejections: [], raw })).toEqual({ read: 2, produced: 1, rejected: 1 });
      expect(await sink.take({ events: [message], rejections: [rejection], raw })).toEqual({
        read: 2,
        produced: 1,
        rejected: 1,
      });
      expect(kept.map(({ code, source }) => [code, source])).toEqual([
        ['too_large_for_topic', 'webhook'],
        ['not_json', 'webhook'],
      ]);
      expect(JSON.parse(kept[0]!.raw.toString())).toMatchObject({ id: message.id });
      expect(kept[1]!.raw.equals(raw)).toBe(true);
      await expect(alone.take({ events, rejections: [], raw })).rejects.toThrow(ActionableError);
      await expect(alone.take({ events, rejections: [], raw })).rejects.toThrow(/Raise max\.message\.bytes/);
    });
  });
});

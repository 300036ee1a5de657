import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Partitioners, type SASLOptions } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { startBroker } from '../../scripts/kafka/broker.js';
import { describeKafka, kafkaClient, type RecordToSend } from '../support/kafka.ts';
import { DataDirectory, until } from '../support/product.ts';

const COMMAND = fileURLToPath(new URL('../../scripts/kafka.js', import.meta.url));
const BROKER = new URL('../../scripts/kafka/broker.js', import.meta.url).href;
const USER = { name: 'app', password: 'a-secret.of_the~app' };

const NEEDS = {
  secure: { users: [USER] },
  properties: { 'auto.create.topics.enable': 'false' },
  laps: ['own'],
} as const;

function numbered(count: number): RecordToSend[] {
  return Array.from({ length: count }, (_, i) => ({ key: `key ${i % 97}`, value: `${i} ${'x'.repeat(200)}` }));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describeKafka('a broker for development and tests', NEEDS, (kafka) => {
  it('keeps what it is given: keys, values, headers, and the order within a key', async () => {
    const topic = kafka.unique('round-trip');
    await kafka.createTopics([topic], 4);
    const before = Date.now();
    await kafka.produce(topic, numbered(1_000), { batch: 300, gzip: true });
    await kafka.produce(topic, [{ key: null, value: 'é', partition: 3, headers: { from: 'a test' } }]);
    const records = await kafka.readAll(topic);
    const { value, key, headers, timestamp } = records.at(-1)!;
    expect({ value, key, headers }).toEqual({ value: 'é', key: null, headers: { from: 'a test' } });
    // The broker's clock, which is this one.
    expect(timestamp).toBeGreaterThanOrEqual(before);
    for (let i = 0; i < 97; i++) {
      const values = records.filter((record) => record.key === `key ${i}`).map((record) => parseInt(record.value!));
      expect(values).toEqual(numbered(1_000).flatMap((record, n) => (record.key === `key ${i}` ? [n] : [])));
    }
    const ends = await kafka.endOffsets(topic);
    expect(ends).toHaveLength(4);
    expect(ends.reduce((sum, end) => sum + end, 0)).toBe(1_001);
    expect(await kafka.committedOffsets(kafka.unique('nobody'), topic)).toEqual([-1, -1, -1, -1]);
    await kafka.deleteTopics([topic]);
  });

  it('takes messages of eight megabytes less a little', async () => {
    const topic = kafka.unique('large');
    await kafka.createTopics([topic], 1);
    await kafka.produce(topic, [{ key: 'k', value: Buffer.alloc(8_000_000, 'x') }]);
    const [record] = await kafka.readAll(topic);
    expect(record?.value).toHaveLength(8_000_000);
  });

  it('does not create topics by itself', async () => {
    const producer = kafkaClient(kafka.brokers, { retry: { retries: 1 } }).producer({
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    const sending = producer.send({ topic: kafka.unique('never-created'), messages: [{ value: 'lost' }] });
    await expect(sending).rejects.toThrow(/does not host this topic/);
    await producer.disconnect();
  });

  it('loses nothing that it has acknowledged when it is killed under load', async () => {
    const topic = kafka.unique('killed');
    await kafka.createTopics([topic], 4);
    const records = numbered(20_000);
    let safe = 0;
    const { brokers, pid } = kafka.own;
    const endAndRestart = async (): Promise<void> => {
      await until('a quarter is acknowledged', () => safe >= records.length / 4);
      await kafka.own.kill();
      expect(isAlive(pid!)).toBe(false);
      expect(kafka.own.pid).toBeNull();
      expect(safe).toBeLessThan(records.length);
      await kafka.own.restart();
      expect(kafka.own.brokers).toBe(brokers);
    };
    await Promise.all([
      kafka.produce(topic, records, { batch: 250, acknowledged: (count) => (safe = count) }),
      endAndRestart(),
    ]);
    const numbers = (await kafka.readAll(topic)).map((record) => parseInt(record.value!)).sort((a, b) => a - b);
    // Neither lost nor twice: the producer is idempotent, across the kill too.
    expect(numbers).toEqual(records.map((_, i) => i));
  });

  it('stops cleanly, and is back on the same ports with the same records', async () => {
    const topic = kafka.unique('stopped');
    await kafka.createTopics([topic], 1);
    await kafka.produce(topic, numbered(10));
    const { brokers, secure } = kafka.own;
    await kafka.own.stop();
    await expect(
      kafkaClient(brokers, { retry: { retries: 0 } })
        .admin()
        .connect(),
    ).rejects.toThrow(/ECONNREFUSED/);
    await kafka.own.restart();
    expect(kafka.own).toMatchObject({ brokers, secure });
    expect(await kafka.readAll(topic)).toHaveLength(10);
  });

  describe('the secure listener', () => {
    const connect = async (sasl: SASLOptions, ssl: object | boolean): Promise<string[]> => {
      // A second, the default, is little for TLS beside other tests.
      const patient = { connectionTimeout: 20_000, retry: { retries: 0 } };
      const admin = kafkaClient(kafka.own.secure!.brokers, { ssl, sasl, ...patient }).admin();
      await admin.connect();
      try {
        return await admin.listTopics();
      } finally {
        await admin.disconnect();
      }
    };
    const authority = (): object => ({ ca: readFileSync(kafka.own.secure!.caFile, 'utf8') });

    for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
      it(`takes ${mechanism} with the right password only`, async () => {
        const sasl = { mechanism, username: USER.name, password: USER.password } as SASLOptions;
        expect(await connect(sasl, authority())).toBeInstanceOf(Array);
        const wrong = { ...sasl, password: 'another' } as SASLOptions;
        await expect(connect(wrong, authority())).rejects.toMatchObject({ name: 'KafkaJSSASLAuthenticationError' });
      });
    }

    it('has a certificate that is not trusted by default', async () => {
      const sasl = { mechanism: 'plain', username: USER.name, password: USER.password } as const;
      await expect(connect(sasl, true)).rejects.toThrow(/self-signed certificate/);
    });
  });

  it('ends with the process that started it, even one that is killed', async () => {
    const data = new DataDirectory();
    try {
      const program = `import { startBroker } from ${JSON.stringify(BROKER)};
        const { pid } = await startBroker({ dataDir: ${JSON.stringify(data.file('kafka'))} });
        console.log(pid);`;
      const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      data.adopt(parent);
      const [line] = (await parent.stdout.take(1).toArray()) as Buffer[];
      const pid = Number(line!.toString());
      expect(isAlive(pid)).toBe(true);
      parent.kill('SIGKILL');
      await until('the broker is gone', () => !isAlive(pid));
    } finally {
      await data.remove();
    }
  });

  it('takes no data directory that another broker runs on', async () => {
    const dataDir = dirname(dirname(kafka.own.secure!.caFile));
    await expect(startBroker({ dataDir })).rejects.toThrow(`A broker runs on ${dataDir} already`);
    expect(isAlive(kafka.own.pid!)).toBe(true);
  });

  it('says that its port is taken', async () => {
    const data = new DataDirectory();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      await expect(startBroker({ dataDir: data.path, port })).rejects.toThrow(`Port ${port} of 127.0.0.1 is taken`);
    } finally {
      server.close();
      await data.remove();
    }
  });
});

describe('npm run kafka', () => {
  it('says in one sentence that there is no Java', () => {
    const { JAVA_HOME: _, ...env } = process.env;
    const { status, stderr } = spawnSync(process.execPath, [COMMAND], {
      env: { ...env, PATH: '/nowhere' },
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'A Kafka broker needs Java 17 or newer, and there is no Java here.\n',
    });
  });
});

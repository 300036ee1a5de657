import { createServer, type AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeKafka } from '../support/kafka.ts';
import { isFull, run } from '../support/ledger.ts';
import {
  DataDirectory,
  deliveredStatus,
  envelope,
  SECRETS,
  signatureOf,
  statuses,
  type Env,
  type Finished,
  until,
} from '../support/product.ts';
import { traffic, World } from './consuming.ts';

const USER = { name: 'app', password: 'a-secret.of_the~app' };

/** One clear line, nothing of the inside, and the exit code of contract.md 2. */
function expectRefusal({ code, stdout, stderr }: Finished, expected: number, ...words: string[]): void {
  expect(code, stderr).toBe(expected);
  expect(stdout).toBe('');
  const said = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  expect(said, stderr).toHaveLength(1);
  for (const word of words) expect(said[0]).toContain(word);
  expect(stderr).not.toMatch(/^\s+at /m);
}

describe('a consumer that is configured wrongly', () => {
  const data = new DataDirectory();
  afterAll(() => data.remove());

  it.each<[string, Env, string]>([
    ['no broker', {}, 'KAFKA_BROKERS'],
    ['a broker without a port', { KAFKA_BROKERS: 'kafka' }, '"kafka" is not host:port'],
    ['an address with a scheme', { KAFKA_BROKERS: 'kafka://kafka:9092' }, 'is not host:port'],
    ['a second address that is none', { KAFKA_BROKERS: 'kafka:9092,kafka 9093' }, '"kafka 9093" is not host:port'],
    ['nothing but commas', { KAFKA_BROKERS: ' , ' }, 'names no broker'],
    ['a port that is none', { KAFKA_BROKERS: 'kafka:99999' }, 'kafka:99999'],
    ['a user without a password', { KAFKA_BROKERS: 'k:9092', KAFKA_USER: 'app' }, 'KAFKA_PASSWORD'],
    ['a password without a user', { KAFKA_BROKERS: 'k:9092', KAFKA_PASSWORD: 'x' }, 'KAFKA_USER'],
    ['a mechanism alone', { KAFKA_BROKERS: 'k:9092', KAFKA_SASL_MECHANISM: 'plain' }, 'KAFKA_USER'],
    [
      'an unknown mechanism',
      { KAFKA_BROKERS: 'k:9092', KAFKA_SASL_MECHANISM: 'gssapi', KAFKA_USER: 'a', KAFKA_PASSWORD: 'b' },
      'KAFKA_SASL_MECHANISM "gssapi"',
    ],
    ['a switch that is none', { KAFKA_BROKERS: 'k:9092', KAFKA_SSL: 'yes' }, 'KAFKA_SSL "yes"'],
    ['a session of no time', { KAFKA_BROKERS: 'k:9092', KAFKA_SESSION_TIMEOUT_MS: '10' }, 'KAFKA_SESSION_TIMEOUT_MS'],
  ])('with %s says so', async (_, env, words) => {
    expectRefusal(await run(data, ['consume'], { env }), 2, words);
  });
});

describe('a consumer whose file is missing', () => {
  const data = new DataDirectory();
  afterAll(() => data.remove());

  it('says which', async () => {
    const env = { KAFKA_BROKERS: 'kafka:9092', KAFKA_CA_FILE: '/nowhere/ca.pem' };
    expectRefusal(await run(data, ['consume'], { env }), 1, 'KAFKA_CA_FILE', '/nowhere/ca.pem');
  });
});

describeKafka('a consumer that a broker refuses', { secure: { users: [USER] } }, (kafka) => {
  const data = new DataDirectory();
  const worlds: World[] = [];
  let secure: Env;
  beforeAll(() => {
    secure = {
      KAFKA_BROKERS: kafka.own.secure!.brokers,
      KAFKA_CA_FILE: kafka.own.secure!.caFile,
      KAFKA_USER: USER.name,
      KAFKA_PASSWORD: USER.password,
    };
  });
  afterEach(async () => {
    for (const used of worlds.splice(0)) await used.close();
  });
  afterAll(() => data.remove());

  async function newWorld(partitions: number): Promise<World> {
    const world = await World.create(kafka, data, partitions);
    worlds.push(world);
    return world;
  }

  const consume = (env: Env, ...args: string[]): Promise<Finished> =>
    run(data, ['consume', ...args], { env: { KAFKA_SESSION_TIMEOUT_MS: '2000', ...env } });

  it('says that its topics are not there, and how to make them', async () => {
    const prefix = `${kafka.unique('none')}.`;
    const env = { KAFKA_BROKERS: kafka.brokers, KAFKA_TOPIC_PREFIX: prefix };
    expectRefusal(await consume(env), 1, `${prefix}whatsapp.messages`, 'ctwa-ledger topics create');
    await kafka.createTopics([`${prefix}whatsapp.messages`], 3);
    expectRefusal(await consume(env), 1, `${prefix}whatsapp.statuses does not exist`);
    await kafka.createTopics([`${prefix}whatsapp.statuses`], 4);
    expectRefusal(await consume(env), 1, 'has 3 partitions', 'has 4', 'equally many');
  });

  it('says that its session is longer than the broker allows', async () => {
    const world = await newWorld(1);
    const env = { ...world.env, KAFKA_SESSION_TIMEOUT_MS: '9000000' };
    expectRefusal(await consume(env), 1, 'INVALID_SESSION_TIMEOUT', 'KAFKA_SESSION_TIMEOUT_MS');
  });

  it('says that the credentials are wrong', async () => {
    for (const mechanism of ['plain', 'scram-sha-256', 'SCRAM-SHA-512'])
      expectRefusal(
        await consume({ ...secure, KAFKA_PASSWORD: 'wrong', KAFKA_SASL_MECHANISM: mechanism }),
        1,
        'refused the credentials',
        'KAFKA_PASSWORD',
      );
  });

  it('says that the certificate is not trusted', async () => {
    const { KAFKA_CA_FILE: _, ...rest } = secure;
    expectRefusal(await consume({ ...rest, KAFKA_SSL: 'true' }), 1, 'certificate', 'KAFKA_CA_FILE');
  });

  it('says that its authority is no certificate', async () => {
    const file = data.file('no-certificate.pem');
    writeFileSync(file, 'nothing of the kind');
    expectRefusal(await consume({ ...secure, KAFKA_CA_FILE: file }), 1, 'KAFKA_CA_FILE');
  });

  it.each(isFull ? ['plain', 'scram-sha-256', 'scram-sha-512'] : ['plain', 'scram-sha-512'])(
    'reads and receives over TLS with %s when all is right',
    async (mechanism) => {
      const world = await newWorld(3);
      const env = { ...secure, KAFKA_SASL_MECHANISM: mechanism };
      const values = traffic(3, 120);
      await world.produce(values);
      const consumer = world.consume({ env });
      const args = ['webhook', '--port', '0', '--data', data.path];
      const webhook = world.command(args, { ...env, ...SECRETS });
      const body = envelope(statuses([deliveredStatus(`wamid.${mechanism}`, 1_785_000_000)]));
      const response = await fetch(`${await webhook.url()}/webhook`, {
        method: 'POST',
        headers: { 'x-hub-signature-256': signatureOf(body) },
        body,
      });
      expect(response.status).toBe(200);
      await until('it is ready', async () => (await webhook.status('/readyz')) === 200);
      await world.untilCaughtUp();
      await world.expectAsFromFile([...values, JSON.parse(body) as object]);
      await consumer.stop();
      await webhook.stop();
    },
  );

  it('waits for a broker that is not there yet, and says so', async () => {
    // A port that nobody has now and the broker's own client never asks.
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const world = await newWorld(3);
    const nobody = world.consume({ env: { KAFKA_BROKERS: `127.0.0.1:${port}` } });
    await nobody.says('cannot be reached');
    await until('it says that it is not ready', async () => (await nobody.status('/readyz')) === 503);
    await until('it says that it lives', async () => (await nobody.status('/healthz')) === 200);
    await nobody.stop();

    const values = traffic(4, 120);
    await world.produce(values);
    await kafka.own.stop();
    const consumer = world.consume();
    await consumer.says('cannot be reached');
    expect(consumer.hasEnded).toBe(false);
    await kafka.own.restart();
    await world.untilCaughtUp();
    await world.expectAsFromFile(values);
    await consumer.stop();
  });

  it('speaks no TLS to a broker that wants it, and names the switch', async () => {
    const world = await newWorld(1);
    const plain = world.consume({ env: { KAFKA_BROKERS: kafka.own.secure!.brokers } });
    await plain.says('KAFKA_SSL');
    await until('it says that it is not ready', async () => (await plain.status('/readyz')) === 503);
    await plain.stop();
  });
});

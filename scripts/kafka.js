/** `npm run kafka`: a Kafka broker for development, with the topics, until Ctrl-C. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { kafkaUnavailable, startBroker } from './kafka/broker.js';
import { installPackages, ROOT } from './prepare.js';

const DATA = join('.data', 'kafka');
/** Of one size, because partition p of all of them belongs to one consumer. */
const KEYED = ['whatsapp.messages', 'whatsapp.statuses', 'whatsapp.billing'];
const DEAD_LETTERS = 'whatsapp.dead-letter';
/** As ctwa-ledger topics create makes them. */
const CONFIG = [
  { name: 'message.timestamp.type', value: 'LogAppendTime' },
  { name: 'max.message.bytes', value: String(8 * 1024 * 1024) },
  { name: 'retention.ms', value: String(14 * 24 * 60 * 60 * 1000) },
];

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function readOptions() {
  const natural = (name, text, largest) => {
    const number = Number(text);
    if (!/^\d+$/.test(text) || number < 1 || number > largest) fail(`--${name} is a number from 1 to ${largest}.`);
    return number;
  };
  try {
    const { values } = parseArgs({
      options: { port: { type: 'string', default: '9092' }, partitions: { type: 'string', default: '12' } },
    });
    return {
      port: natural('port', values.port, 65_535),
      partitions: natural('partitions', values.partitions, 1_000),
    };
  } catch (error) {
    return fail(`${error.message} Usage: npm run kafka -- [--port 9092] [--partitions 12]`);
  }
}

/** Creates the topics that are missing. A topic that is there keeps its partitions: to change them moves keys. */
async function createTopics(brokers, partitions) {
  const { Kafka, logLevel } = await import('kafkajs');
  const admin = new Kafka({ brokers: [brokers], clientId: 'npm-run-kafka', logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const wanted = [
      ...KEYED.map((topic) => ({ topic, numPartitions: partitions, configEntries: CONFIG })),
      { topic: DEAD_LETTERS, numPartitions: 1, configEntries: CONFIG },
    ];
    await admin.createTopics({ topics: wanted.filter(({ topic }) => !existing.has(topic)) });
    const { topics } = await admin.fetchTopicMetadata({ topics: wanted.map(({ topic }) => topic) });
    const sizes = new Map(topics.map(({ name, partitions: list }) => [name, list.length]));
    return wanted.map(({ topic }) => ({ name: topic, partitions: sizes.get(topic) }));
  } finally {
    await admin.disconnect();
  }
}

const { port, partitions } = readOptions();
const reason = kafkaUnavailable();
if (reason !== null) fail(reason);
installPackages();
process.chdir(ROOT);

let broker;
try {
  broker = await startBroker({
    dataDir: join(ROOT, DATA),
    port,
    properties: { 'auto.create.topics.enable': 'false' },
  });
} catch (error) {
  fail(error.message);
}
let isStopping = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    isStopping = true;
    void broker.stop();
  });
try {
  const topics = await createTopics(broker.brokers, partitions);
  process.stdout.write(`A Kafka broker runs, its data are in ${DATA}; Ctrl-C stops it.

KAFKA_BROKERS=${broker.brokers}

${topics.map((topic) => `${topic.name}: ${topic.partitions} partition${topic.partitions === 1 ? '' : 's'}\n`).join('')}
From another terminal, for instance:
  KAFKA_BROKERS=${broker.brokers} npm start
`);
} catch (error) {
  if (!isStopping) {
    await broker.stop();
    fail(`The topics could not be created: ${error.message}`);
  }
}
await broker.ended();
if (!isStopping) fail(`The broker has ended by itself: see ${join(DATA, 'kafka.log')}.`);

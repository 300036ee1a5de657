import { setTimeout as pause } from 'node:timers/promises';
import kafkajs, { type Admin, type ITopicConfig } from 'kafkajs';
import { ActionableError } from '../clickhouse/errors.ts';

// Node does not find this name among the exports of the package by itself.
const { ConfigResourceTypes } = kafkajs;

/** Names of the topics (contract.md 1). */
export interface TopicNames {
  readonly messages: string;
  readonly statuses: string;
  readonly deadLetter: string;
  readonly billing: string;
  readonly adTrigger: string;
}

export function topicNames(prefix: string): TopicNames {
  return {
    messages: `${prefix}whatsapp.messages`,
    statuses: `${prefix}whatsapp.statuses`,
    deadLetter: `${prefix}whatsapp.dead-letter`,
    billing: `${prefix}whatsapp.billing`,
    adTrigger: `${prefix}whatsapp.ad-trigger`,
  };
}

/** The largest record that an unconfigured topic takes: `message.max.bytes` of a broker. */
export const DEFAULT_RECORD_BYTES = 1_048_588;
/** Values of up to 3 MB, with headers and the batch around them, uncompressed. */
const MAX_RECORD_BYTES = 8 * 1024 * 1024;
const RETENTION_MS = 14 * 24 * 60 * 60 * 1000;

async function partitionsOf(admin: Admin): Promise<Map<string, number>> {
  const { topics } = await admin.fetchTopicMetadata();
  return new Map(topics.map(({ name, partitions }) => [name, partitions.length]));
}

const LOOK_EVERY_MS = 50;
const MAX_LOOKS = 200;

/**
 * Creates topics, and waits until every partition has a leader. kafkajs's own waiting is not used: for some
 * milliseconds a broker may not know a topic that its controller has just created, and kafkajs takes that for a
 * failure.
 */
export async function createWithLeaders(admin: Admin, topics: readonly ITopicConfig[]): Promise<void> {
  await admin.createTopics({ waitForLeaders: false, topics: [...topics] });
  for (let look = 0; look < MAX_LOOKS; look++) {
    // Reads all topics: asking by name for a topic that is not known yet is an error.
    const known = new Map((await admin.fetchTopicMetadata()).topics.map(({ name, partitions }) => [name, partitions]));
    const isLed = ({ topic, numPartitions = 1 }: ITopicConfig): boolean =>
      (known.get(topic) ?? []).filter(({ leader }) => leader >= 0).length >= numPartitions;
    if (topics.every(isLed)) return;
    await pause(LOOK_EVERY_MS);
  }
  throw new ActionableError(
    `The topics ${topics.map(({ topic }) => topic).join(', ')} were created, but not all their partitions have a leader. Check the brokers, then try again.`,
  );
}

/** The topics among these that do not exist. */
export async function missingTopics(admin: Admin, topics: readonly string[]): Promise<string[]> {
  const known = await partitionsOf(admin);
  return topics.filter((topic) => (known.get(topic) ?? 0) === 0);
}

export interface NewTopics {
  readonly partitions: number;
  readonly replication: number;
}

/**
 * Creates the missing topics: both sources with the same number of partitions, record time = append time.
 * @returns the names of those created
 * @throws ActionableError when the sources exist with another number of partitions
 */
export async function createTopics(admin: Admin, names: TopicNames, wanted: NewTopics): Promise<string[]> {
  const known = await partitionsOf(admin);
  for (const topic of [names.messages, names.statuses]) {
    const partitions = known.get(topic);
    if (partitions !== undefined && partitions !== wanted.partitions)
      throw new ActionableError(
        `The topic ${topic} exists with ${partitions} partitions, not ${wanted.partitions}. A change moves keys between partitions: stop the producers, let the consumers drain it, then change both topics alike.`,
      );
  }
  const missing = Object.values(names).filter((topic) => !known.has(topic));
  if (missing.length > 0)
    await createWithLeaders(
      admin,
      missing.map((topic) => ({
        topic,
        numPartitions: wanted.partitions,
        replicationFactor: wanted.replication,
        configEntries: [
          { name: 'message.timestamp.type', value: 'LogAppendTime' },
          { name: 'max.message.bytes', value: String(MAX_RECORD_BYTES) },
          { name: 'retention.ms', value: String(RETENTION_MS) },
        ],
      })),
    );
  return missing;
}

/**
 * Checks the source topics before anything is read: both must exist, with the same number of partitions.
 * @returns the number of partitions of each source
 * @throws ActionableError that says which topic is wrong and what to do
 */
export async function checkSources(admin: Admin, names: TopicNames): Promise<number> {
  const known = await partitionsOf(admin);
  const messages = known.get(names.messages) ?? 0;
  const statuses = known.get(names.statuses) ?? 0;
  const missing = [names.messages, names.statuses].filter((topic) => (known.get(topic) ?? 0) === 0);
  if (missing.length > 0)
    throw new ActionableError(
      `The topic ${missing.join(' and the topic ')} does not exist. Create both with the same number of partitions: ctwa-ledger topics create`,
    );
  if (messages !== statuses)
    throw new ActionableError(
      `${names.messages} has ${messages} partitions and ${names.statuses} has ${statuses}. They must have equally many, so that both topics of a thread go to one consumer: add partitions to the smaller one while nothing is produced, then start again.`,
    );
  return messages;
}

/**
 * Creates the two topics that we write if they are missing, with as many partitions as the sources.
 * @throws ActionableError when that is not allowed
 */
export async function ensureOutputs(admin: Admin, names: TopicNames, partitions: number): Promise<void> {
  const missing = await missingTopics(admin, [names.deadLetter, names.billing]);
  if (missing.length === 0) return;
  try {
    await createTopics(admin, names, { partitions, replication: await replicationOf(admin, names.messages) });
  } catch (error) {
    throw new ActionableError(
      `The topic ${missing.join(' and the topic ')} does not exist and could not be created (${error instanceof Error ? error.message : String(error)}). Create it: ctwa-ledger topics create`,
    );
  }
}

/**
 * Creates the topic of triggers if it is missing, with as many partitions as the sources. It is needed only when there
 * is a trigger.
 * @throws ActionableError when that is not allowed
 */
export async function ensureAdTrigger(admin: Admin, names: TopicNames): Promise<void> {
  if ((await missingTopics(admin, [names.adTrigger])).length === 0) return;
  try {
    const partitions = await checkSources(admin, names);
    await createTopics(admin, names, { partitions, replication: await replicationOf(admin, names.messages) });
  } catch (error) {
    throw new ActionableError(
      `The topic ${names.adTrigger} does not exist and could not be created (${error instanceof Error ? error.message : String(error)}). Create it: ctwa-ledger topics create`,
    );
  }
}

async function replicationOf(admin: Admin, topic: string): Promise<number> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return topics[0]?.partitions[0]?.replicas.length ?? 1;
}

/** The settings of a topic that matter to its readers and writers. */
export interface TopicSettings {
  /** Bytes that it takes for one partition in one request (`max.message.bytes`). */
  readonly max_record_bytes: number;
  /** Whether its records carry the broker's time. On other topics the producer sets the time, and it is ignored. */
  readonly is_append_timed: boolean;
  /** Whether the broker deletes all but the last record with a key. */
  readonly is_compacted: boolean;
}

/**
 * Reads the settings of topics.
 * @throws what the broker said, for instance that this user may not read them
 */
export async function topicSettings(
  admin: Admin,
  topics: readonly string[],
): Promise<ReadonlyMap<string, TopicSettings>> {
  const configNames = ['message.timestamp.type', 'max.message.bytes', 'cleanup.policy'];
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configNames })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => {
      const valueOf = (name: string): string =>
        configEntries.find(({ configName }) => configName === name)?.configValue ?? '';
      const settings = {
        max_record_bytes: Number(valueOf('max.message.bytes')) || DEFAULT_RECORD_BYTES,
        is_append_timed: valueOf('message.timestamp.type') === 'LogAppendTime',
        is_compacted: valueOf('cleanup.policy').split(',').includes('compact'),
      };
      return [resourceName, settings];
    }),
  );
}

/** The warning for a source that loses events before they are read. */
export function compactionWarning(topic: string): string {
  return `The topic ${topic} is compacted: its broker deletes all but the last event of each conversation, read or not. Set cleanup.policy=delete on it.`;
}

import { pino } from 'pino';
import { brokerError, connectKafka } from '../../kafka/connection.ts';
import { createTopics, topicNames } from '../../kafka/topics.ts';
import { requiredKafkaSettings } from '../kafka-settings.ts';
import { UsageError } from '../settings.ts';

export interface TopicsOptions {
  readonly partitions: string;
  readonly replication: string;
}

function count(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!/^\d{1,4}$/.test(text) || value < 1 || value > most)
    throw new UsageError(`--${name} "${text}" is not a whole number from 1 to ${most}.`);
  return value;
}

/** Creates missing topics; running it again changes nothing. Prints one JSON object per topic. */
export async function topicsCreate(options: TopicsOptions): Promise<void> {
  const settings = requiredKafkaSettings();
  const wanted = {
    partitions: count('partitions', options.partitions, 1_000),
    replication: count('replication', options.replication, 10),
  };
  const names = topicNames(settings.topicPrefix);
  const admin = connectKafka(settings, pino({ level: 'silent' })).admin();
  try {
    await admin.connect();
    const created = await createTopics(admin, names, wanted);
    for (const topic of Object.values(names))
      process.stdout.write(`${JSON.stringify({ topic, created: created.includes(topic) })}\n`);
  } catch (error) {
    throw brokerError(error, settings);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

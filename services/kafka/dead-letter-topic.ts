import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import type { DeadLetter } from '../ledger/events/dead-letters.ts';
import { letterOf } from './records.ts';

/**
 * The letters in the dead-letter topic now, in batches, oldest first within each partition. Reads with a group of its
 * own, which is deleted afterwards.
 * @throws what the broker said
 */
export async function* lettersInTopic(
  kafka: Kafka,
  topic: string,
): AsyncGenerator<{ readonly letter: DeadLetter; readonly firstSeenMs: number }[]> {
  const admin = kafka.admin();
  await admin.connect();
  const groupId = `ctwa-ledger-replay-${randomUUID()}`;
  const consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: 100,
    allowAutoTopicCreation: false,
    retry: { retries: 5 },
  });
  const fetched: { found: { letter: DeadLetter; firstSeenMs: number }[]; done: () => void }[] = [];
  let failure: unknown = null;
  let wake: () => void = () => undefined;
  try {
    const ends = new Map<number, bigint>();
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
      if (BigInt(high) > BigInt(low)) ends.set(partition, BigInt(high));
    if (ends.size === 0) return;
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      failure = payload.error;
      wake();
    });
    // By the event, because a batch with only aborted or deleted records is not passed to `eachBatch`.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      if (BigInt(payload.lastOffset) + 1n >= (ends.get(payload.partition) ?? 0n)) ends.delete(payload.partition);
      wake();
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch, heartbeat }) => {
        const end = ends.get(batch.partition) ?? 0n;
        const found = batch.messages
          .filter((record) => BigInt(record.offset) < end)
          .map((record) => letterOf(record, Date.now()));
        let isDone = false;
        const handled = new Promise<void>((resolve) => {
          fetched.push({
            found: found.filter((letter) => letter !== null),
            done: () => {
              isDone = true;
              resolve();
            },
          });
        });
        wake();
        while (!isDone) {
          await Promise.race([handled, new Promise((resolve) => setTimeout(resolve, 1_000))]);
          await heartbeat();
        }
      },
    });
    while (ends.size > 0) {
      const next = fetched.shift();
      if (next === undefined) {
        if (failure !== null) throw failure as Error;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      if (next.found.length > 0) yield next.found;
      next.done();
    }
  } finally {
    for (const { done } of fetched) done();
    await consumer.disconnect().catch(() => undefined);
    await admin.deleteGroups([groupId]).catch(() => undefined);
    await admin.disconnect();
  }
}

import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import type { DeadLetter } from '../ledger/events/dead-letters.ts';
import { letterOf } from './records.ts';

interface FoundLetter {
  readonly letter: DeadLetter;
  readonly firstSeenMs: number;
}

/** Batches on their way from the consumer to whoever reads them. The consumer goes on when one was handled. */
class HandedOver {
  #waiting: { readonly found: FoundLetter[]; readonly done: () => void }[] = [];
  #failure: unknown = null;
  #wake: () => void = () => undefined;

  /** Resolves when the batch was handled; meanwhile the consumer stays in its group. */
  async put(found: FoundLetter[], heartbeat: () => Promise<void>): Promise<void> {
    let isDone = false;
    const handled = new Promise<void>((resolve) => {
      this.#waiting.push({
        found,
        done: () => {
          isDone = true;
          resolve();
        },
      });
    });
    this.#wake();
    while (!isDone) {
      await Promise.race([handled, new Promise((resolve) => setTimeout(resolve, 1_000))]);
      await heartbeat();
    }
  }

  /** Lets whoever waits look again whether there is more to come. */
  wake(): void {
    this.#wake();
  }

  fail(error: unknown): void {
    this.#failure = error;
    this.#wake();
  }

  /** Batches for as long as there is more. @throws what the consumer failed with */
  async *takeWhile(isMore: () => boolean): AsyncGenerator<FoundLetter[]> {
    while (isMore()) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        if (this.#failure !== null) throw this.#failure as Error;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      if (next.found.length > 0) yield next.found;
      next.done();
    }
  }

  /** Lets the consumer end: nobody reads any more. */
  end(): void {
    for (const { done } of this.#waiting) done();
  }
}

/**
 * The letters in the dead-letter topic now, in batches, oldest first within each partition. Reads with a group of its
 * own, which is deleted afterwards.
 * @throws what the broker said
 */
export async function* lettersInTopic(kafka: Kafka, topic: string): AsyncGenerator<FoundLetter[]> {
  const admin = kafka.admin();
  await admin.connect();
  const groupId = `ctwa-ledger-replay-${randomUUID()}`;
  const consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: 100,
    allowAutoTopicCreation: false,
    retry: { retries: 5 },
  });
  const fetched = new HandedOver();
  try {
    const ends = new Map<number, bigint>();
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
      if (BigInt(high) > BigInt(low)) ends.set(partition, BigInt(high));
    if (ends.size === 0) return;
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      fetched.fail(payload.error);
    });
    // By the event, because a batch with only aborted or deleted records is not passed to `eachBatch`.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      if (BigInt(payload.lastOffset) + 1n >= (ends.get(payload.partition) ?? 0n)) ends.delete(payload.partition);
      fetched.wake();
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
        await fetched.put(
          found.filter((letter) => letter !== null),
          heartbeat,
        );
      },
    });
    yield* fetched.takeWhile(() => ends.size > 0);
  } finally {
    fetched.end();
    await consumer.disconnect().catch(() => undefined);
    await admin.deleteGroups([groupId]).catch(() => undefined);
    await admin.disconnect();
  }
}

import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { DeadLetters, type DeadLetter } from '../ledger/events/dead-letters.ts';
import type { Database } from '../clickhouse/database.ts';
import { letterOf } from './records.ts';

/**
 * Copies what arrives in the dead-letter topic into the ledger's table, where it is listed: the webhook receiver writes
 * its letters to the topic alone, because it must not need the ledger. Letters that are there already stay as they are.
 */
export class DeadLetterMirror {
  readonly #kafka: Kafka;
  readonly #group: string;
  readonly #topic: string;
  readonly #database: Database;
  readonly #log: Logger;
  readonly #sessionTimeoutMs: number;
  #stop: () => Promise<void> = () => Promise.resolve();

  constructor(
    kafka: Kafka,
    { group, sessionTimeoutMs }: { readonly group: string; readonly sessionTimeoutMs: number },
    topic: string,
    database: Database,
    log: Logger,
  ) {
    this.#log = log;
    this.#kafka = kafka;
    this.#group = `${group}-dead-letters`;
    this.#sessionTimeoutMs = sessionTimeoutMs;
    this.#topic = topic;
    this.#database = database;
  }

  /**
   * @param onEnd told once when it cannot go on
   * @throws what the broker said
   */
  async start(onEnd: (error: unknown) => void): Promise<void> {
    const consumer = this.#kafka.consumer({
      groupId: this.#group,
      // That of the consumers: while a dead member is waited for, nobody joins, and who joins cannot be stopped.
      sessionTimeout: this.#sessionTimeoutMs,
      heartbeatInterval: Math.floor(this.#sessionTimeoutMs / 10),
      rebalanceTimeout: Math.max(this.#sessionTimeoutMs, 30_000),
      maxWaitTimeInMs: 100,
      allowAutoTopicCreation: false,
      retry: { retries: 5, restartOnFailure: () => Promise.resolve(false) },
    });
    this.#stop = () => consumer.disconnect().catch(() => undefined);
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      onEnd(payload.error);
    });
    await consumer.connect();
    await consumer.subscribe({ topic: this.#topic, fromBeginning: true });
    await consumer.run({
      eachBatch: async ({ batch }) => {
        const { topic, partition, messages } = batch;
        // It stays in the topic; to ask for it again and again would keep all others from the table.
        const table = new DeadLetters(this.#database, ({ letter, error }) => {
          this.#log.error(
            { err: error, source: letter.source, source_partition: letter.partition, position: letter.position },
            `ClickHouse does not store a letter of ${topic}, partition ${partition}; it is in the topic only.`,
          );
        });
        for (const record of messages) {
          const found = letterOf(record, Date.now());
          if (found !== null) await table.add(found.letter, found.firstSeenMs);
          else
            this.#log.warn(
              { topic, partition, offset: record.offset },
              'A record of the dead-letter topic is no dead letter of ours; it is left there.',
            );
        }
        // Stored before the client commits what this call has returned from.
        await table.flush();
      },
    });
  }

  async stop(): Promise<void> {
    await this.#stop();
  }
}

/**
 * The letters that the dead-letter topic holds now, oldest first in each partition, some at a time. Reads as a group of
 * its own that is gone afterwards.
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
    // The event, because a batch of nothing but aborted or deleted records is not handed over.
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

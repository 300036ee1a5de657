import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { DeadLetters } from '../ledger/events/dead-letters.ts';
import type { Database } from '../clickhouse/database.ts';
import { letterOf } from './records.ts';

/**
 * Copies letters from the dead-letter topic into the ledger's table, which is what lists them. The webhook receiver
 * writes its letters to the topic only, because it must work without the ledger. Letters that are in the table stay as
 * they are.
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
   * @param onEnd called once when it cannot go on
   * @throws what the broker said
   */
  async start(onEnd: (error: unknown) => void): Promise<void> {
    const consumer = this.#kafka.consumer({
      groupId: this.#group,
      // Same as the consumers': until the broker drops a dead member nobody can join, and a member that is joining
      // cannot be stopped.
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
        // The letter stays in the topic. Trying it again and again would keep all others out of the table.
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

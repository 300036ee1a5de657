import type { Logger } from 'pino';
import type { Database } from '../clickhouse/database.ts';
import { connectKafka, type KafkaSettings } from '../kafka/connection.ts';
import { RecordProducer } from '../kafka/record-producer.ts';
import { ensureAdTrigger, topicNames } from '../kafka/topics.ts';
import type { TriggerTopic } from '../triggers/delivery.ts';
import { TriggerKeeper } from '../triggers/keeper.ts';

/** The topic of triggers. It is created, and a producer connected, with the first message for it. */
class AdTriggerTopic implements TriggerTopic {
  readonly #settings: KafkaSettings;
  readonly #log: Logger;
  #producer: RecordProducer | null = null;
  #isThere: Promise<void> | null = null;

  constructor(settings: KafkaSettings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
  }

  async #ensure(): Promise<void> {
    const admin = connectKafka(this.#settings, this.#log).admin();
    try {
      await admin.connect();
      await ensureAdTrigger(admin, topicNames(this.#settings.topicPrefix));
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }

  async send({ key, value, idempotency_key }: Parameters<TriggerTopic['send']>[0]): Promise<void> {
    try {
      await (this.#isThere ??= this.#ensure());
    } catch (error) {
      this.#isThere = null;
      throw error;
    }
    this.#producer ??= new RecordProducer(connectKafka(this.#settings, this.#log));
    const topic = topicNames(this.#settings.topicPrefix).adTrigger;
    const [refused] = await this.#producer.send([{ topic, key, value, headers: { idempotency_key } }]);
    if (refused !== undefined) throw new Error(`the topic does not take ${refused.bytes} bytes: ${refused.reason}`);
  }

  async close(): Promise<void> {
    await this.#producer?.close();
  }
}

/** Fires triggers while a process runs. */
export interface FiringTriggers {
  readonly keeper: Pick<TriggerKeeper, 'nudge' | 'changed'>;
  readonly stop: () => Promise<void>;
}

/**
 * Starts to fire triggers in the background.
 * @param secret signs requests to webhooks; null = none is sent
 */
export function fireTriggers(
  database: Database,
  options: { readonly kafka: KafkaSettings | null; readonly secret: string | null },
  log: Logger,
): FiringTriggers {
  const topic = options.kafka === null ? null : new AdTriggerTopic(options.kafka, log);
  const keeper = new TriggerKeeper(database, { topic, secret: options.secret }, (error) => {
    log.error({ err: error }, 'Triggers could not be looked at; it is tried again');
  });
  return {
    keeper,
    stop: async () => {
      await keeper.stop();
      await topic?.close();
    },
  };
}

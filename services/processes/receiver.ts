import { Metrics } from '../http/metrics.ts';
import { createHttpServer } from '../http/server.ts';
import type { WebhookSecrets } from '../ingest/webhook.ts';
import { brokerError, connectKafka, type KafkaSettings } from '../kafka/connection.ts';
import { RecordProducer } from '../kafka/record-producer.ts';
import { TopicSink } from '../kafka/topic-sink.ts';
import { missingTopics, topicNames } from '../kafka/topics.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { beginListening, createLog, type Serving } from './listening.ts';

export interface ReceiverOptions {
  readonly kafka: KafkaSettings;
  readonly host: string;
  readonly port: number;
  readonly secrets: WebhookSecrets;
}

/**
 * The webhook receiver in front of a broker: Meta gets 200 once the brokers have the events, and no ledger is needed.
 * While the brokers are away deliveries are answered with 503, and Meta sends them again.
 */
export async function serveReceiver(options: ReceiverOptions): Promise<Serving> {
  const log = createLog();
  const kafka = connectKafka(options.kafka, log);
  const names = topicNames(options.kafka.topicPrefix);
  const producer = new RecordProducer(kafka);
  const sink = new TopicSink(producer, names, null);
  const server = createHttpServer({
    secrets: options.secrets,
    sink: (delivery) => sink.take(delivery),
    reports: null,
    metrics: new Metrics(),
    hosts: null,
    checkReady: async () => {
      const admin = kafka.admin({ retry: { retries: 1 } });
      try {
        await admin.connect();
        const missing = await missingTopics(admin, [names.messages, names.statuses, names.deadLetter]);
        if (missing.length > 0)
          throw new ActionableError(
            `The topic ${missing.join(', ')} does not exist. Create it: ctwa-ledger topics create`,
          );
      } catch (error) {
        throw brokerError(error, options.kafka);
      } finally {
        await admin.disconnect().catch(() => undefined);
      }
    },
    onError: (what, error) => {
      log.error({ err: brokerError(error, options.kafka) }, what);
    },
  });
  const listening = await beginListening(server, options);
  return {
    url: listening.url,
    loaded: () => Promise.resolve(),
    stop: async () => {
      await listening.close();
      await producer.close();
    },
  };
}

import type { Delivery, DeliveryCounts } from '../ingest/webhook.ts';
import { summarised } from '../ingest/value.ts';
import type { RecordProducer } from './producer.ts';
import { deadLetterRecord, eventRecord } from './records.ts';
import type { TopicNames } from './topics.ts';

/**
 * Webhook deliveries into the topics: resolves when the brokers have every event, and the body of a delivery that holds
 * something unusable as a dead letter.
 */
export class TopicSink {
  readonly #producer: RecordProducer;
  readonly #names: TopicNames;

  constructor(producer: RecordProducer, names: TopicNames) {
    this.#producer = producer;
    this.#names = names;
  }

  async take(delivery: Delivery): Promise<DeliveryCounts> {
    const records = delivery.events.map((event) => eventRecord(event, this.#names));
    const rejection = summarised(delivery.rejections);
    if (rejection !== null) {
      // No position: the same body sent again is the same letter.
      const letter = { ...rejection, source: 'webhook', partition: 0, position: 0, raw: delivery.raw };
      records.push(deadLetterRecord(letter, Date.now(), this.#names));
    }
    await this.#producer.send(records);
    return {
      read: delivery.events.length + delivery.rejections.length,
      produced: delivery.events.length,
      rejected: delivery.rejections.length,
    };
  }
}

import type { Delivery, DeliveryCounts } from '../ingest/webhook.ts';
import { summarised } from '../ingest/value.ts';
import type { DeadLetter } from '../ledger/events/dead-letters.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import type { RecordProducer, RefusedRecord } from './record-producer.ts';
import { deadLetterRecord, eventRecord } from './records.ts';
import type { TopicNames } from './topics.ts';

/** No position: the same body sent again is the same letter. */
const WEBHOOK = { source: 'webhook', partition: 0, position: 0 } as const;

function advice({ record, bytes, reason }: RefusedRecord): string {
  return `${record.topic} does not take a record of ${bytes} bytes (${reason}). Raise max.message.bytes of the topic to ${bytes} at least`;
}

/**
 * Webhook deliveries into the topics: resolves when the brokers have every event, and the body of a delivery that holds
 * something unusable as a dead letter.
 */
export class TopicSink {
  readonly #producer: RecordProducer;
  readonly #names: TopicNames;
  readonly #keep: ((letters: readonly DeadLetter[]) => Promise<void>) | null;

  /** @param keep keeps what topics do not take as dead letters of the ledger; null where there is none */
  constructor(
    producer: RecordProducer,
    names: TopicNames,
    keep: ((letters: readonly DeadLetter[]) => Promise<void>) | null,
  ) {
    this.#producer = producer;
    this.#names = names;
    this.#keep = keep;
  }

  /** @throws ActionableError when a topic will never take some of it and it is kept nowhere else: the sender has to keep it */
  async take(delivery: Delivery): Promise<DeliveryCounts> {
    const records = delivery.events.map((event) => eventRecord(event, this.#names));
    const rejection = summarised(delivery.rejections);
    const letter: DeadLetter | null = rejection === null ? null : { ...rejection, ...WEBHOOK, raw: delivery.raw };
    if (letter !== null) records.push(deadLetterRecord(letter, Date.now(), this.#names));
    const refused = await this.#producer.send(records);
    const [first] = refused;
    if (first !== undefined) {
      if (this.#keep === null)
        throw new ActionableError(
          `The topic ${advice(first)}: until then Meta sends the delivery again, and nothing is lost.`,
        );
      await this.#keep(refused.map((one) => this.#letterOf(one, letter)));
    }
    const refusedEvents = refused.filter(({ record }) => record.topic !== this.#names.deadLetter).length;
    return {
      read: delivery.events.length + delivery.rejections.length,
      produced: delivery.events.length - refusedEvents,
      rejected: delivery.rejections.length + refusedEvents,
    };
  }

  /** An event that its topic does not take, as a letter; the letter of the delivery as it is. */
  #letterOf(refused: RefusedRecord, ofDelivery: DeadLetter | null): DeadLetter {
    if (ofDelivery !== null && refused.record.topic === this.#names.deadLetter) return ofDelivery;
    const message = `The topic ${advice(refused)}, or replay the event from here.`;
    return { ...WEBHOOK, code: 'too_large_for_topic', message, raw: Buffer.from(refused.record.value) };
  }
}

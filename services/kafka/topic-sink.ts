import type { Delivery, DeliveryCounts } from '../ingest/webhook.ts';
import { summarised } from '../ingest/value.ts';
import type { DeadLetter } from '../ledger/events/dead-letters.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import type { RecordProducer, RefusedRecord } from './record-producer.ts';
import { deadLetterRecord, eventRecord } from './records.ts';
import type { TopicNames } from './topics.ts';

/** It has no position: the same body sent again is the same letter. */
const WEBHOOK = { source: 'webhook', partition: 0, position: 0 } as const;

function advice({ record, bytes, reason }: RefusedRecord): string {
  return `${record.topic} does not take a record of ${bytes} bytes (${reason}). Raise max.message.bytes of the topic to ${bytes} at least`;
}

/**
 * Sends webhook deliveries to the topics. Resolves when the brokers have every event. The body of a delivery with
 * something that cannot be used is sent as a dead letter.
 */
export class TopicSink {
  readonly #producer: RecordProducer;
  readonly #names: TopicNames;
  readonly #keep: ((letters: readonly DeadLetter[]) => Promise<void>) | null;

  /** @param keep keeps events that topics refuse, as dead letters of the ledger; null when there is no ledger */
  constructor(
    producer: RecordProducer,
    names: TopicNames,
    keep: ((letters: readonly DeadLetter[]) => Promise<void>) | null,
  ) {
    this.#producer = producer;
    this.#names = names;
    this.#keep = keep;
  }

  /**
   * @throws ActionableError when a topic will always refuse an event and no ledger keeps it: the sender has to keep it
   */
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

  /** A dead letter for an event that its topic refuses; the letter of the delivery is used as it is. */
  #letterOf(refused: RefusedRecord, ofDelivery: DeadLetter | null): DeadLetter {
    if (ofDelivery !== null && refused.record.topic === this.#names.deadLetter) return ofDelivery;
    const message = `The topic ${advice(refused)}, or replay the event from here.`;
    return { ...WEBHOOK, code: 'too_large_for_topic', message, raw: Buffer.from(refused.record.value) };
  }
}

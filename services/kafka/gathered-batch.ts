import type { KafkaMessage } from 'kafkajs';
import { readBytes, summarised, type Outcome } from '../ingest/value.ts';
import type { DeadLetter } from '../ledger/events/dead-letters.ts';
import type { Landing } from '../ledger/events/landing.ts';
import type { OwnPosition } from './group-member.ts';
import { rejectionOfRecord } from './records.ts';

/** The result of one batch. `read = stored + duplicate + rejected`. */
export interface BatchReport {
  readonly read: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly rejected: number;
  /** Reason codes of the dead letters. */
  readonly codes: readonly string[];
  readonly emitted: number;
  /** Records that Kafka's topics refused, by topic; the ledger has their contents. */
  readonly refused: ReadonlyMap<string, number>;
  /** From the first gathered record to marks in the ledger. */
  readonly seconds: number;
  /** When its marks could be read in the ledger, Unix milliseconds. */
  readonly marked_at_ms: number;
  /** The part of it spent on folding and writing marks. */
  readonly rebuild_seconds: number;
  /** When the broker took each record, Unix milliseconds. */
  readonly appended_at_ms: readonly number[];
}

/**
 * Events of one batch at most, while the batch before it is written; then nothing more is taken. Events land while they
 * are gathered, so memory does not grow with the batch, and a thread is folded once for all events of a batch: threads that
 * last for weeks have events in several batches of a long backlog, and are folded in each.
 */
const MAX_EVENTS = 4_000_000;
const MAX_BYTES = 1024 * 1024 * 1024;
/** Letters are kept in memory with their bytes, up to this. */
const MAX_LETTER_BYTES = 32 * 1024 * 1024;

/** The origin of the records of one fetch, and what is known about their time. */
export interface RecordSource {
  readonly topic: string;
  readonly partition: number;
  /** Whether the times of its records are the broker's. */
  readonly isAppendTimed: boolean;
  /** When the fetch arrived, Unix milliseconds. */
  readonly nowMs: number;
}

/** The records of one batch: their events as they land, their dead letters, and the offsets to commit after them. */
export class GatheredBatch {
  readonly landing: Landing;
  readonly letters: DeadLetter[] = [];
  /** Reason codes of its dead letters, including those that ClickHouse refused while the batch landed. */
  readonly codes: string[] = [];
  /** Records that topics refused, by topic. */
  readonly refused = new Map<string, number>();
  readonly #positions = new Map<string, OwnPosition>();
  readonly #appendedAtMs: number[] = [];
  readonly #beganAt = performance.now();
  #read = 0;
  #rejected = 0;
  #bytes = 0;
  #letterBytes = 0;

  /**
   * @param begin begins the landing of its events
   * @param keep keeps the events that ClickHouse refuses, as dead letters of this batch
   */
  constructor(
    begin: (putAside: (letters: readonly DeadLetter[]) => Promise<void>) => Landing,
    keep: (letters: readonly DeadLetter[], batch: GatheredBatch) => Promise<void>,
  ) {
    this.landing = begin(async (letters) => {
      this.#rejected += letters.length;
      await keep(letters, this);
    });
  }

  /** Events and rejections so far. */
  get read(): number {
    return this.#read;
  }

  get isEmpty(): boolean {
    return this.#positions.size === 0;
  }

  get isFull(): boolean {
    return this.landing.events >= MAX_EVENTS || this.#bytes >= MAX_BYTES || this.#letterBytes >= MAX_LETTER_BYTES;
  }

  /** By topic and partition, the offset to commit once the batch is written. */
  get positions(): ReadonlyMap<string, OwnPosition> {
    return this.#positions;
  }

  reach(position: OwnPosition): void {
    this.#positions.set(`${position.topic}/${position.partition}`, position);
  }

  /**
   * Takes the events of one record.
   * @returns a promise to await before the next record, if the landing needs it: the back-pressure
   */
  add(record: KafkaMessage, { topic, partition, isAppendTimed, nowMs }: RecordSource): Promise<void> | undefined {
    const value = record.value ?? Buffer.alloc(0);
    const recordMs = Number(record.timestamp);
    const clockMs = isAppendTimed ? recordMs : nowMs;
    const origin = { source: topic, partition, position: Number(record.offset) };
    const rejections = [];
    let waiting: Promise<void> | undefined;
    const unusable = rejectionOfRecord(record);
    const outcomes: Outcome[] =
      unusable === null ? readBytes(value, Math.floor(clockMs / 1000)) : [{ kind: 'rejected', rejection: unusable }];
    for (const outcome of outcomes) {
      this.#read += 1;
      if (outcome.kind === 'event') waiting = this.landing.add(outcome.event, origin) ?? waiting;
      else rejections.push(outcome.rejection);
    }
    this.#bytes += value.length;
    this.#rejected += rejections.length;
    const rejection = summarised(rejections);
    if (rejection !== null) {
      this.letters.push({ ...rejection, ...origin, raw: value });
      this.#letterBytes += value.length;
    }
    this.#appendedAtMs.push(clockMs);
    return waiting;
  }

  /**
   * The result of the batch.
   * @param done `foldBegan` and `foldEnded` are `performance.now()` before and after its threads were folded and their
   *   marks emitted, `marked` when the ledger had the marks
   */
  report(done: {
    readonly stored: number;
    readonly emitted: number;
    readonly foldBegan: number;
    readonly foldEnded: number;
    readonly marked: number;
  }): BatchReport {
    return {
      read: this.#read,
      stored: done.stored,
      duplicate: this.#read - this.#rejected - done.stored,
      rejected: this.#rejected,
      codes: this.codes,
      emitted: done.emitted,
      refused: this.refused,
      seconds: (done.marked - this.#beganAt) / 1000,
      marked_at_ms: Math.round(performance.timeOrigin + done.marked),
      rebuild_seconds: (done.foldEnded - done.foldBegan) / 1000,
      appended_at_ms: this.#appendedAtMs,
    };
  }
}

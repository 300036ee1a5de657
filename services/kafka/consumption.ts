import type { Logger } from 'pino';
import { DeadLetters, type DeadLetter } from '../ledger/events/dead-letters.ts';
import type { Landing } from '../ledger/events/landing.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Emitter } from '../ledger/marks/marks.ts';
import { readBytes, summarised, type Outcome } from '../ingest/value.ts';
import { Behind } from './behind.ts';
import type { FetchedRecords, OwnPosition } from './consumer.ts';
import type { OutgoingRecord, RecordProducer } from './producer.ts';
import { billingRecord, deadLetterRecord, rejectionOfRecord } from './records.ts';
import type { TopicNames } from './topics.ts';

/** What one batch came to. `read = stored + duplicate + rejected`. */
export interface BatchReport {
  readonly read: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly rejected: number;
  /** Reason codes of the dead letters. */
  readonly codes: readonly string[];
  readonly emitted: number;
  /** Records that Kafka's topics did not take, by topic; what they said is in the ledger. */
  readonly refused: ReadonlyMap<string, number>;
  /** From the first record gathered to marks in the ledger. */
  readonly seconds: number;
  /** Of these, folding and writing marks. */
  readonly rebuild_seconds: number;
  /** When the broker took each record, Unix milliseconds. */
  readonly appended_at_ms: readonly number[];
}

export interface ConsumptionParts {
  readonly ledger: Ledger;
  readonly producer: RecordProducer;
  readonly names: TopicNames;
  /** Topics whose record time is the broker's clock. */
  readonly appendTimed: ReadonlySet<string>;
  readonly commit: (positions: readonly OwnPosition[]) => Promise<void>;
  readonly onBatch: (report: BatchReport) => void;
  readonly onTick: () => void;
  readonly log: Logger;
}

/**
 * What is gathered at most while the batch before it is being settled; then nothing more is taken. It lands while it is
 * gathered, so memory does not grow with it, and a thread is folded once for all that a batch brings of it.
 */
const MAX_EVENTS = 1_000_000;
const MAX_BYTES = 1024 * 1024 * 1024;
/** Letters are kept in memory with their bytes. */
const MAX_LETTER_BYTES = 32 * 1024 * 1024;
/** So that the partitions of one fetch come together, and a trickle does not become as many writes. */
const LINGER_MS = 20;
/** A backlog of which nothing comes for so long is folded as far as it came. */
const STALLED_MS = 500;
const HEARTBEAT_MS = 500;
const COMMIT_AGAIN_MS = 1_000;

interface Gathered {
  readonly landing: Landing;
  readonly letters: DeadLetter[];
  readonly positions: Map<string, OwnPosition>;
  readonly appended_at_ms: number[];
  readonly codes: string[];
  readonly refused: Map<string, number>;
  readonly beganAt: number;
  read: number;
  rejected: number;
  bytes: number;
  letterBytes: number;
}

function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Something that others wait for, again and again. */
class Signal {
  #resolve: () => void = () => undefined;
  #promise = new Promise<void>((resolve) => (this.#resolve = resolve));

  get next(): Promise<void> {
    return this.#promise;
  }

  fire(): void {
    this.#resolve();
    this.#promise = new Promise((resolve) => (this.#resolve = resolve));
  }
}

/**
 * From records to marks: gathers what is fetched while the batch before is being landed, folded, emitted and committed,
 * in this order. A batch is whatever came meanwhile: small and quick when little comes, large when there is a backlog.
 */
export class Consumption {
  readonly #parts: ConsumptionParts;
  #gathering: Gathered;
  #uncommitted = new Map<string, OwnPosition>();
  readonly #behind = new Behind();
  readonly #arrived = new Signal();
  readonly #room = new Signal();
  #isDraining = false;
  #hasFailed = false;

  constructor(parts: ConsumptionParts) {
    this.#parts = parts;
    this.#gathering = this.#begin();
  }

  #begin(): Gathered {
    const gathered: Gathered = {
      landing: this.#parts.ledger.beginLiveLanding(async (letters) => {
        gathered.rejected += letters.length;
        await this.#keepLetters(letters, gathered);
      }),
      letters: [],
      positions: new Map(),
      appended_at_ms: [],
      codes: [],
      refused: new Map(),
      beganAt: performance.now(),
      read: 0,
      rejected: 0,
      bytes: 0,
      letterBytes: 0,
    };
    return gathered;
  }

  get #isClosed(): boolean {
    return this.#isDraining || this.#hasFailed;
  }

  get #isEmpty(): boolean {
    return this.#gathering.positions.size === 0;
  }

  get #isFull(): boolean {
    const { landing, bytes, letterBytes } = this.#gathering;
    return landing.events >= MAX_EVENTS || bytes >= MAX_BYTES || letterBytes >= MAX_LETTER_BYTES;
  }

  /**
   * Takes the records of one fetch of one partition; waits while a full batch is gathered already.
   * @returns whether all were taken: a consumption that drains or has failed takes no more
   * @throws what `heartbeat` throws: then those not taken yet come again
   */
  async take(
    { topic, partition, records, endOffset, behind, generation }: FetchedRecords,
    heartbeat: () => Promise<void>,
  ): Promise<boolean> {
    if (this.#isClosed) return false;
    this.#behind.note(topic, partition, behind, generation);
    const isAppendTimed = this.#parts.appendTimed.has(topic);
    const nowMs = Date.now();
    if (records.length === 0)
      this.#gathering.positions.set(`${topic}/${partition}`, { topic, partition, offset: endOffset, generation });
    for (const record of records) {
      while (this.#isFull && !this.#isClosed) {
        this.#arrived.fire();
        await this.#beating(this.#room.next, heartbeat);
      }
      if (this.#isClosed) return false;
      const gathered = this.#gathering;
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
        gathered.read += 1;
        if (outcome.kind === 'event') waiting = gathered.landing.add(outcome.event, origin) ?? waiting;
        else rejections.push(outcome.rejection);
      }
      gathered.bytes += value.length;
      gathered.rejected += rejections.length;
      const rejection = summarised(rejections);
      if (rejection !== null) {
        gathered.letters.push({ ...rejection, ...origin, raw: value });
        gathered.letterBytes += value.length;
      }
      gathered.appended_at_ms.push(isAppendTimed ? recordMs : nowMs);
      // Known with its record, so that a batch that is settled in the middle of a fetch commits what it holds.
      const offset = record === records.at(-1) ? endOffset : (BigInt(record.offset) + 1n).toString();
      gathered.positions.set(`${topic}/${partition}`, { topic, partition, offset, generation });
      // A part that cannot be stored fails the whole batch when it is settled.
      if (waiting !== undefined)
        await this.#beating(
          waiting.catch(() => undefined),
          heartbeat,
        );
    }
    this.#arrived.fire();
    return true;
  }

  /** Waits, with heartbeats. */
  async #beating(work: Promise<void>, heartbeat: () => Promise<void>): Promise<void> {
    let isDone = false;
    const settled = work.then(() => {
      isDone = true;
    });
    while (!isDone) {
      await Promise.race([settled, later(HEARTBEAT_MS)]);
      this.#parts.onTick();
      await heartbeat();
    }
  }

  /**
   * Settles batch after batch until it is drained.
   * @throws what made a batch fail; nothing of it was committed, so whoever consumes next reads it again
   */
  async run(): Promise<void> {
    try {
      while (!this.#isEmpty || !this.#isDraining || this.#uncommitted.size > 0) {
        this.#parts.onTick();
        if (this.#isEmpty) {
          if (this.#uncommitted.size > 0) await this.#commit();
          if (this.#isDraining) return;
          if (this.#isEmpty) await Promise.race([this.#arrived.next, later(COMMIT_AGAIN_MS)]);
          continue;
        }
        if (!this.#isDraining && !this.#isFull) await later(LINGER_MS);
        await this.#gatherBacklog();
        if (this.#isEmpty) continue;
        const gathered = this.#gathering;
        this.#gathering = this.#begin();
        this.#room.fire();
        await this.#settle(gathered);
      }
    } catch (error) {
      this.#hasFailed = true;
      this.#room.fire();
      throw error;
    }
  }

  /** While there is a backlog, gathers as much of it as fits: a thread is folded once for all that comes of it. */
  async #gatherBacklog(): Promise<void> {
    while (this.#behind.isBacklog && !this.#isFull && !this.#isClosed) {
      const read = this.#gathering.read;
      await Promise.race([this.#arrived.next, later(STALLED_MS)]);
      this.#parts.onTick();
      if (this.#gathering.read === read) return;
    }
  }

  /** What is gathered is still settled; `run` resolves after that. Take no more. */
  drain(): void {
    this.#isDraining = true;
    this.#arrived.fire();
    this.#room.fire();
  }

  /** The batch under way is the last one. What was gathered since is left to the next reader of the partitions. */
  abandon(): void {
    this.#gathering = this.#begin();
    this.drain();
  }

  async #settle(gathered: Gathered): Promise<void> {
    await this.#keepLetters(gathered.letters, gathered);
    let emitted = 0;
    const emitter: Emitter = async (marks) => {
      const records = marks.map((mark) => billingRecord(mark, this.#parts.names));
      emitted += marks.length - (await this.#send(records, gathered));
    };
    const began = performance.now();
    const { stored } = await this.#parts.ledger.fold(gathered.landing, { emitter });
    const ended = performance.now();
    for (const [key, position] of gathered.positions) this.#uncommitted.set(key, position);
    this.#parts.onBatch({
      read: gathered.read,
      stored,
      duplicate: gathered.read - gathered.rejected - stored,
      rejected: gathered.rejected,
      codes: gathered.codes,
      emitted,
      refused: gathered.refused,
      seconds: (ended - gathered.beganAt) / 1000,
      rebuild_seconds: (ended - began) / 1000,
      appended_at_ms: gathered.appended_at_ms,
    });
    await this.#commit();
  }

  /** Into the ledger's table first, then to their topic; a letter that its topic does not take is in the table at least. */
  async #keepLetters(letters: readonly DeadLetter[], gathered: Gathered): Promise<void> {
    if (letters.length === 0) return;
    for (const { code } of letters) gathered.codes.push(code);
    const table = new DeadLetters(this.#parts.ledger.database, ({ letter, error }) => {
      this.#parts.log.error(
        { err: error, topic: letter.source, partition: letter.partition, offset: letter.position },
        `ClickHouse does not store a dead letter; it is in ${this.#parts.names.deadLetter} only. Mend the ledger, then run: ctwa-ledger dead-letter replay --from topic`,
      );
    });
    for (const letter of letters) await table.add(letter);
    await table.flush();
    const now = Date.now();
    await this.#send(
      letters.map((letter) => deadLetterRecord(letter, now, this.#parts.names)),
      gathered,
    );
  }

  /**
   * Sends records that the ledger has. One that its topic does not take is said and counted, and nothing waits for it.
   * @returns how many were not taken
   */
  async #send(records: readonly OutgoingRecord[], gathered: Gathered): Promise<number> {
    const refused = await this.#parts.producer.send(records);
    for (const { record, bytes, reason } of refused) {
      gathered.refused.set(record.topic, (gathered.refused.get(record.topic) ?? 0) + 1);
      this.#parts.log.warn(
        { topic: record.topic, key: String(record.key).slice(0, 200), bytes },
        `Kafka refused a record (${reason}); what it says is in the ledger. Raise max.message.bytes of the topic to ${bytes} at least.`,
      );
    }
    return refused.length;
  }

  /** A commit that fails is repeated with the next one: until then the same records may come twice, no more. */
  async #commit(): Promise<void> {
    const positions = this.#uncommitted;
    this.#uncommitted = new Map();
    try {
      await this.#parts.commit([...positions.values()]);
    } catch (error) {
      this.#parts.log.debug({ err: error }, 'offsets could not be committed; they go with the next ones');
      for (const [key, position] of positions) if (!this.#uncommitted.has(key)) this.#uncommitted.set(key, position);
    }
  }
}

import type { KafkaMessage } from 'kafkajs';
import type { Logger } from 'pino';
import { DeadLetters, type DeadLetter } from '../ledger/events/dead-letters.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Emitter } from '../ledger/marks/marks.ts';
import { Behind } from './behind.ts';
import { GatheredBatch, type BatchReport } from './gathered-batch.ts';
import type { FetchedRecords, OwnPosition } from './group-member.ts';
import type { OutgoingRecord, RecordProducer } from './record-producer.ts';
import { billingRecord, deadLetterRecord } from './records.ts';
import type { TopicNames } from './topics.ts';

export interface ConsumptionParts {
  readonly ledger: Ledger;
  readonly producer: RecordProducer;
  readonly names: TopicNames;
  /** Topics whose record times are the broker's. */
  readonly appendTimed: ReadonlySet<string>;
  readonly commit: (positions: readonly OwnPosition[]) => Promise<void>;
  readonly onBatch: (report: BatchReport) => void;
  readonly onTick: () => void;
  readonly log: Logger;
}

/**
 * Waited for before a batch is written, so that the partitions of one fetch are in one batch and slow traffic needs
 * fewer writes.
 */
const LINGER_MS = 20;
/**
 * Events of a batch that is no backlog. Live landings take somewhat more, because one record may bring many events.
 */
const MAX_LIVE_EVENTS = 16_000;
/** If no record of a backlog arrives for so long, what has arrived is folded. */
const STALLED_MS = 500;
const HEARTBEAT_MS = 500;
const COMMIT_AGAIN_MS = 1_000;

function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A condition that callers wait for, again and again. */
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
 * Turns records into marks. It gathers fetched records while the batch before is landed and folded, so a batch is small
 * and quick when little comes, and large when there is a backlog. It lands a batch while the marks of the batch before are
 * emitted and committed. Folding, emitting and committing are done batch by batch, in this order.
 */
export class Consumption {
  readonly #parts: ConsumptionParts;
  #gathering: GatheredBatch;
  #uncommitted = new Map<string, OwnPosition>();
  readonly #behind = new Behind();
  readonly #arrived = new Signal();
  readonly #room = new Signal();
  #isDraining = false;
  #hasFailed = false;
  /** The batch whose marks are written, until it is committed. */
  #underWay: Promise<void> = Promise.resolve();

  constructor(parts: ConsumptionParts) {
    this.#parts = parts;
    this.#gathering = this.#begin();
  }

  #begin(): GatheredBatch {
    return new GatheredBatch(
      (putAside) => this.#parts.ledger.beginLiveLanding(putAside),
      (letters, batch) => this.#keepLetters(letters, batch),
    );
  }

  /** Whether the batch takes no more. Only a backlog may be larger than what is folded as live traffic. */
  get #isFull(): boolean {
    const { landing, isFull, read } = this.#gathering;
    return isFull || (landing.events >= MAX_LIVE_EVENTS && !this.#behind.isBacklog(read));
  }

  get #isClosed(): boolean {
    return this.#isDraining || this.#hasFailed;
  }

  /**
   * Takes the records of one fetch of one partition. Waits while the next batch is already full.
   * @returns whether all were taken: a consumption that drains or has failed takes no more
   * @throws what `heartbeat` throws; records not taken yet are then fetched again
   */
  async take(
    { topic, partition, records, endOffset, behind, generation }: FetchedRecords,
    heartbeat: () => Promise<void>,
  ): Promise<boolean> {
    if (this.#isClosed) return false;
    this.#behind.note(topic, partition, behind, generation);
    const source = { topic, partition, isAppendTimed: this.#parts.appendTimed.has(topic), nowMs: Date.now() };
    const final = records.at(-1);
    /** The last record taken whose offset is not noted in its batch. */
    let open: KafkaMessage | null = null;
    // Before each wait, so that a batch written in the middle of a fetch commits exactly what it holds.
    const note = (): void => {
      if (open === null) return;
      const offset = open === final ? endOffset : (BigInt(open.offset) + 1n).toString();
      this.#gathering.reach({ topic, partition, offset, generation });
      open = null;
    };
    if (final === undefined) this.#gathering.reach({ topic, partition, offset: endOffset, generation });
    for (const record of records) {
      while (this.#isFull && !this.#isClosed) {
        note();
        this.#arrived.fire();
        await this.#beating(this.#room.next, heartbeat);
      }
      if (this.#isClosed) return false;
      const waiting = this.#gathering.add(record, source);
      open = record;
      if (waiting === undefined) continue;
      note();
      // If this part cannot be stored, the whole batch fails when it is written.
      await this.#beating(
        waiting.catch(() => undefined),
        heartbeat,
      );
    }
    note();
    this.#arrived.fire();
    return true;
  }

  /** Waits for `work`, and sends heartbeats meanwhile. */
  async #beating(work: Promise<void>, heartbeat: () => Promise<void>): Promise<void> {
    let isDone = false;
    const done = work.then(() => {
      isDone = true;
    });
    while (!isDone) {
      await Promise.race([done, later(HEARTBEAT_MS)]);
      this.#parts.onTick();
      await heartbeat();
    }
  }

  /**
   * Writes batch after batch until it is drained.
   * @throws the error of a batch that failed; nothing of it was committed, so the next consumer reads it again
   */
  async run(): Promise<void> {
    try {
      for (;;) {
        this.#parts.onTick();
        if (this.#gathering.isEmpty) {
          await this.#underWay;
          if (this.#uncommitted.size > 0) await this.#commit();
          if (!this.#gathering.isEmpty) continue;
          if (this.#isDraining) return;
          await Promise.race([this.#arrived.next, later(COMMIT_AGAIN_MS)]);
          continue;
        }
        if (!this.#isDraining && !this.#isFull) await later(LINGER_MS);
        await this.#gatherBacklog();
        if (this.#gathering.isEmpty) continue;
        await this.#land();
      }
    } catch (error) {
      this.#hasFailed = true;
      this.#gathering.landing.leave();
      this.#room.fire();
      throw error;
    }
  }

  /** Lands what was gathered, and begins to write it; resolves when its marks are in the ledger. */
  async #land(): Promise<void> {
    const gathered = this.#gathering;
    this.#gathering = this.#begin();
    this.#room.fire();
    const { ledger } = this.#parts;
    const landing = ledger.land(gathered.landing);
    landing.catch(() => undefined);
    try {
      await this.#underWay;
    } catch (error) {
      await landing.catch(() => undefined);
      await ledger.giveUp(gathered.landing);
      throw error;
    }
    await new Promise<void>((resolve, reject) => {
      this.#underWay = this.#write(gathered, landing, resolve);
      this.#underWay.then(resolve, reject);
    });
  }

  /** In a backlog, gathers as much as fits, so that each thread is folded once for all of its events. */
  async #gatherBacklog(): Promise<void> {
    while (this.#behind.isBacklog(this.#gathering.read) && !this.#isFull && !this.#isClosed) {
      const read = this.#gathering.read;
      await Promise.race([this.#arrived.next, later(STALLED_MS)]);
      this.#parts.onTick();
      if (this.#gathering.read === read) return;
    }
  }

  /** Stops taking records. What is gathered is still written, then `run` resolves. */
  drain(): void {
    this.#isDraining = true;
    this.#arrived.fire();
    this.#room.fire();
  }

  /** Makes the current batch the last one. What was gathered since is left to the next reader of the partitions. */
  abandon(): void {
    this.#gathering.landing.leave();
    this.#gathering = this.#begin();
    this.drain();
  }

  /** @param onMarked called when the marks are in the ledger, before they are emitted */
  async #write(gathered: GatheredBatch, landing: Promise<void>, onMarked: () => void): Promise<void> {
    try {
      await landing;
      await this.#keepLetters(gathered.letters, gathered);
    } catch (error) {
      await this.#parts.ledger.giveUp(gathered.landing);
      throw error;
    }
    let emitted = 0;
    const emitter: Emitter = async (marks) => {
      const records = marks.map((mark) => billingRecord(mark, this.#parts.names));
      emitted += marks.length - (await this.#send(records, gathered));
    };
    const foldBegan = performance.now();
    let marked: number | null = null;
    const { stored } = await this.#parts.ledger.fold(gathered.landing, {
      emitter,
      onMarked: () => {
        marked = performance.now();
        onMarked();
      },
    });
    const foldEnded = performance.now();
    for (const [key, position] of gathered.positions) this.#uncommitted.set(key, position);
    this.#parts.onBatch(gathered.report({ stored, emitted, foldBegan, foldEnded, marked: marked ?? foldEnded }));
    await this.#commit();
  }

  /**
   * Writes letters to the ledger's table first, then to their topic. A letter that the topic refuses is at least in the
   * table.
   */
  async #keepLetters(letters: readonly DeadLetter[], gathered: GatheredBatch): Promise<void> {
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
   * Sends records of events that are in the ledger. A refused record is logged and counted, and holds up nothing.
   * @returns how many were refused
   */
  async #send(records: readonly OutgoingRecord[], gathered: GatheredBatch): Promise<number> {
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

  /**
   * A commit that fails is repeated with the next one. Until then, a restart would read the same records again, which
   * changes nothing.
   */
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

import { canonicalEvent, type LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Database } from '../../clickhouse/database.ts';
import type { DeadLetter, Position } from './dead-letters.ts';
import type { ErasedNames } from './erased-names.ts';
import { ActionableError, RefusedRowError } from '../../clickhouse/errors.ts';
import type { RemovedEvents } from './removed-events.ts';
import { eventsOfBlocks, EventsWriter } from './event-rows.ts';
import { LandedBlocks } from './landed-blocks.ts';
import { readBlocks } from '../../clickhouse/columns/reader.ts';
import type { EncodedBlock } from '../../clickhouse/columns/writer.ts';
import { insertApart } from '../../clickhouse/refused-rows.ts';
import { newStamp } from '../../clickhouse/stamp.ts';
import { WritingPause } from './writing-pause.ts';

/** Identifies one landing and orders landings by their beginning: a stamp whose lowest bit is 0. */
export type LandingNumber = bigint & { readonly landing: unique symbol };

const ALL_BITS = (1n << 64n) - 1n;
/** Rows of the first insert, small so that progress shows early; each further insert has twice as many. */
const EVENTS_OF_FIRST_INSERT = 62_500;
/** Rows of one insert at most: larger parts are quicker to read and merge, but take memory. */
const EVENTS_PER_INSERT = 250_000;
/** Text that is sent in one insert at most, for events of unusual size. */
const BYTES_PER_INSERT = 64 * 1024 * 1024;
/** Events between two measurements of the text that is held. */
const EVENTS_PER_LOOK = 16;
/** ClickHouse quotes a refused row at length. */
const MAX_REASON_CHARS = 600;
/**
 * Live traffic comes in batches of so many events at most. A larger one is a backlog: its events would be forgotten before
 * they are needed.
 */
export const LIVE_EVENTS = 20_000;

export function newLandingNumber(): LandingNumber {
  return ((newStamp() >> 1n) << 1n) as LandingNumber;
}

/** Of two landings of the same event the first is kept: `events` keeps the highest rank. */
export function rankOf(landing: LandingNumber): bigint {
  return ALL_BITS ^ landing;
}

/**
 * The rank of a landing whose threads `touched` does not list, because its writer has them in memory. The lowest bit
 * tells the view that lists them.
 */
export function unlistedRankOf(landing: LandingNumber): bigint {
  return rankOf(landing) ^ 1n;
}

/** Puts aside what ClickHouse refuses; resolves when it is kept. */
export type PutAside = (letters: readonly DeadLetter[]) => Promise<void>;

/** Events that are held until the ledger was asked whether their threads were removed. */
const MAX_DOUBTFUL = 20_000;

/** What a landing must know of what is not in the ledger any more. */
export interface Gone {
  /** Whose names are not landed; null = nobody's. */
  readonly erased: ErasedNames | null;
  /** Which events were removed by age; null = none. */
  readonly removed: RemovedEvents | null;
}

/** What a landing has in common with the others of its process. */
export interface Ground {
  /** What is gone now. */
  readonly gone: () => Gone;
  readonly pause: WritingPause;
  /** The landings that are backlogs, until they are folded or given up. */
  readonly backlogs: Set<Landing>;
}

const OPEN_GROUND: Ground = {
  gone: () => ({ erased: null, removed: null }),
  pause: new WritingPause(),
  backlogs: new Set(),
};

/** The source of an event that came without one. */
const NOWHERE: Position = { source: '', partition: 0, position: 0 };

/** Where events came from: many come from one place, and an object for each would live as long as its block. */
class Origins {
  /** The first event of each run from one source and partition. */
  readonly #firsts: number[] = [];
  readonly #places: Position[] = [];
  readonly #positions: number[] = [];

  add(origin: Position): void {
    const last = this.#places.at(-1);
    if (last?.source !== origin.source || last.partition !== origin.partition) {
      this.#firsts.push(this.#positions.length);
      this.#places.push(origin);
    }
    this.#positions.push(origin.position);
  }

  at(index: number): Position {
    const run = this.#firsts.findLastIndex((first) => first <= index);
    const place = this.#places[run];
    const position = this.#positions[index];
    return place === undefined || position === undefined ? NOWHERE : { ...place, position };
  }
}

function tooLate(on: string): string {
  return `It came after the events of its conversation were removed${on === '' ? '' : ` on ${on}`}, as old events are (docs/contract.md, retention). Marks and amounts stay as they were; the event is kept here.`;
}

function rawOf(event: LedgerEvent | undefined): Buffer {
  if (event === undefined) throw new RangeError('A refused row is not one of those that were sent.');
  return Buffer.from(canonicalEvent(event));
}

/** Lands events: validated events in, rows in `events` out. Holds at most one insert's worth and one being sent. */
export class Landing {
  readonly #database: Pick<Database, 'insertBlock'>;
  #number: LandingNumber | null = null;
  #writer: EventsWriter | null = null;
  /** Where the events in the writer came from, in their order. */
  #origins = new Origins();
  #sending: Promise<void> = Promise.resolve();
  #hasSent = false;
  #perInsert = EVENTS_OF_FIRST_INSERT;
  #finished: Promise<void> | null = null;
  #events = 0;
  #hasNameless = false;
  #kept: LedgerEvent[] | null = [];
  #blocks: LandedBlocks | null = null;
  readonly #mostKept: number;
  readonly #putAside: PutAside | null;
  readonly #ground: Ground;
  /** Whether it is noted as being written. */
  #isEntered = false;
  /** Events that may be of threads whose events were removed, or came during a pause. */
  #doubtful: { readonly given: LedgerEvent; readonly event: LedgerEvent; readonly origin: Position }[] = [];

  /**
   * @param mostKept that many events stay in memory until the landing is folded, for a writer that remembers threads; a
   *   landing of more is a backlog
   * @param putAside takes the events that ClickHouse refuses, and those that came after the events of their thread were
   *   removed; null = such an event fails the landing
   */
  constructor(
    database: Pick<Database, 'insertBlock'>,
    mostKept = 0,
    putAside: PutAside | null = null,
    ground: Ground = OPEN_GROUND,
  ) {
    this.#database = database;
    this.#mostKept = mostKept;
    this.#putAside = putAside;
    this.#ground = ground;
  }

  /** Assigned with the first event. */
  get number(): LandingNumber {
    if (this.#number === null) throw new RangeError('A landing without events has no number.');
    return this.#number;
  }

  /** Events taken so far. */
  get events(): number {
    return this.#events + this.#doubtful.length;
  }

  /** Whether `settle` has something to ask. */
  get isDoubtful(): boolean {
    return this.#doubtful.length > 0;
  }

  /** Whether some event names no customer. */
  get hasNameless(): boolean {
    return this.#hasNameless;
  }

  /** The events; null where they are too many, or ClickHouse refused some. */
  get kept(): readonly LedgerEvent[] | null {
    return this.#kept;
  }

  /** Of a backlog, the events as they were sent; null where there are too many, or ClickHouse refused some. */
  get blocks(): LandedBlocks | null {
    return this.#blocks;
  }

  /**
   * Takes one event. Await what it returns, if anything: it is the back-pressure.
   * @param origin where it came from, for the dead letter if ClickHouse refuses it
   */
  add(given: LedgerEvent, origin: Position = NOWHERE): Promise<void> | undefined {
    const { erased, removed } = this.#ground.gone();
    const event = erased?.event(given) ?? given;
    const isPaused = this.#ground.pause.isOn && !this.#isEntered;
    const mayBeRemoved =
      removed !== null && (removed.mayConcern(event) || (event !== given && removed.mayConcern(given)));
    if (!isPaused && !mayBeRemoved) return this.#take(event, origin);
    this.#doubtful.push({ given, event, origin });
    return isPaused || this.#doubtful.length >= MAX_DOUBTFUL ? this.settle() : undefined;
  }

  /**
   * Asks what those events are that may be of threads whose events were removed. One that was removed is a duplicate; one
   * that comes late is put aside; the others are taken.
   */
  async settle(): Promise<void> {
    while (this.#ground.pause.isOn && !this.#isEntered) await this.#ground.pause.over();
    this.#enter();
    const doubtful = this.#doubtful;
    this.#doubtful = [];
    const { removed } = this.#ground.gone();
    const standings = await removed?.standings(doubtful).catch((error: unknown) => {
      this.#doubtful = [...doubtful, ...this.#doubtful];
      throw error;
    });
    const late: DeadLetter[] = [];
    for (const [i, { event, origin }] of doubtful.entries()) {
      const { standing, on } = standings?.[i] ?? { standing: 'other', on: '' };
      if (standing === 'other') {
        const taken = this.#take(event, origin);
        if (taken !== undefined) await taken;
      } else if (standing === 'late')
        late.push({ ...origin, code: 'events_removed', message: tooLate(on), raw: rawOf(event) });
    }
    if (late.length === 0) return;
    if (this.#putAside === null) throw new ActionableError(late[0]?.message ?? '');
    await this.#putAside(late);
  }

  #enter(): void {
    if (this.#isEntered) return;
    this.#ground.pause.enter();
    this.#isEntered = true;
  }

  /** Notes that it is not being written any more: it is folded, or given up. */
  leave(): void {
    if (this.#isEntered) this.#ground.pause.leave();
    this.#isEntered = false;
    this.#ground.backlogs.delete(this);
  }

  #take(event: LedgerEvent, origin: Position): Promise<void> | undefined {
    this.#enter();
    // Not earlier: the lowest number keeps a duplicate, so a process that idles on its input must not hold an early
    // one.
    this.#number ??= newLandingNumber();
    this.#events += 1;
    if (event.customer === '') this.#hasNameless = true;
    this.#keep(event);
    const writer = (this.#writer ??= new EventsWriter());
    writer.add(event);
    this.#blocks?.add(event);
    this.#origins.add(origin);
    const isFull =
      writer.events >= this.#perInsert || (writer.events % EVENTS_PER_LOOK === 0 && writer.bytes >= BYTES_PER_INSERT);
    return isFull ? this.#send(false) : undefined;
  }

  #keep(event: LedgerEvent): void {
    if (this.#events <= this.#mostKept) this.#kept?.push(event);
    else if (this.#events === this.#mostKept + 1) this.#becomeBacklog();
  }

  #becomeBacklog(): void {
    this.#ground.backlogs.add(this);
    const kept = this.#kept;
    this.#kept = null;
    // A block that was sent was not kept, so its rows must be read back.
    if (kept === null || this.#hasSent) return;
    this.#blocks = new LandedBlocks();
    for (const event of kept) this.#blocks.add(event);
  }

  async #send(isLast: boolean): Promise<void> {
    const writer = this.#writer;
    if (writer === null) return;
    const origins = this.#origins;
    this.#writer = null;
    this.#origins = new Origins();
    const isAllInMemory = this.#kept !== null && isLast && !this.#hasSent;
    this.#hasSent = true;
    this.#perInsert = Math.min(2 * this.#perInsert, EVENTS_PER_INSERT);
    const block = writer.encode(isAllInMemory ? unlistedRankOf(this.number) : rankOf(this.number));
    if (this.#blocks?.keep(block) === false) this.#blocks = null;
    await this.#sending;
    const sending = this.#insert(block, origins);
    // The next `add` or `finish` throws it; until then it must not count as an unhandled rejection.
    sending.catch(() => undefined);
    this.#sending = sending;
  }

  async #insert(block: EncodedBlock, origins: Origins): Promise<void> {
    try {
      await this.#database.insertBlock('events', block);
    } catch (error) {
      if (!(error instanceof RefusedRowError) || this.#putAside === null) throw error;
      await this.#insertApart(block, origins, this.#putAside);
    }
  }

  /** Stores the events that ClickHouse takes. Puts aside each one that it refuses, as it was read. */
  async #insertApart(block: EncodedBlock, origins: Origins, putAside: PutAside): Promise<void> {
    // A refused event is not in the ledger, so it must not be remembered.
    this.#kept = null;
    this.#blocks = null;
    const events = eventsOfBlocks(readBlocks(block.chunks));
    const refused = await insertApart(events.length, async (from, to) => {
      const writer = new EventsWriter();
      for (const event of events.slice(from, to)) writer.add(event);
      await this.#database.insertBlock('events', writer.encode(rankOf(this.number)));
    });
    if (refused.length === 0) return;
    await putAside(
      refused.map(({ index, error }) => ({
        ...origins.at(index),
        code: 'refused_by_ledger' as const,
        message: `${error.message.slice(0, MAX_REASON_CHARS)} The event is kept as it was read; repair the ledger, then replay it.`,
        raw: rawOf(events[index]),
      })),
    );
  }

  /** Resolves when every event taken is stored and fsynced, or put aside. Nothing may be added any more. */
  finish(): Promise<void> {
    return (this.#finished ??= this.#finish());
  }

  async #finish(): Promise<void> {
    if (this.isDoubtful) await this.settle();
    await this.#send(true);
    await this.#sending;
  }
}

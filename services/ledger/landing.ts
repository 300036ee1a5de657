import { randomInt } from 'node:crypto';
import { canonicalEvent, type LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Database } from './database.ts';
import type { DeadLetter, Position } from './dead-letters.ts';
import { RefusedRowError } from './errors.ts';
import {
  EVENT_COLUMNS,
  eventLine,
  eventOfLine,
  MESSAGE_COLUMNS,
  messageLine,
  STATUS_COLUMNS,
  statusLine,
} from './event-rows.ts';
import { insertApart } from './refused-rows.ts';
import { landedUnder, threadText, type ThreadKey } from './threads.ts';

/** Identifies one landing and orders landings by their beginning: milliseconds since 1970 and 20 random bits. */
export type LandingNumber = bigint & { readonly landing: unique symbol };

const ALL_BITS = (1n << 64n) - 1n;
/** Rows that are sent in one insert; larger parts merge less, smaller ones wait less. */
const EVENTS_PER_INSERT = 100_000;
/** Text that is sent in one insert at most, for events of unusual size. */
const CHARS_PER_INSERT = 64 * 1024 * 1024;
const CHARS_PER_CHUNK = 64 * 1024;
/** Threads that a landing remembers by name; more are looked up in `touched`. */
const MAX_REMEMBERED_THREADS = 1_000;
/** So many go into one insert, in one part; more go as messages and statuses apart, which is less to read. */
const MAX_EVENTS_TOGETHER = 2_000;
/** ClickHouse quotes a refused row at length. */
const MAX_REASON_CHARS = 600;
/** Live traffic comes in smaller batches; of a larger one, a backlog, little would be remembered until it is needed. */
const MAX_KEPT_EVENTS = 20_000;

export function newLandingNumber(): LandingNumber {
  return ((BigInt(Date.now()) << 20n) | BigInt(randomInt(1 << 20))) as LandingNumber;
}

/** Of two landings of the same event the first is kept: `events` keeps the highest rank. */
export function rankOf(landing: LandingNumber): bigint {
  return ALL_BITS ^ landing;
}

/** Puts aside what ClickHouse refuses; resolves when it is kept. */
export type PutAside = (letters: readonly DeadLetter[]) => Promise<void>;

/** Where an event came from that nobody said more of. */
const NOWHERE: Position = { source: '', partition: 0, position: 0 };

/** What `Lines` held: the bytes of an insert, and where each line came from. */
interface Sealed {
  readonly chunks: readonly Buffer[];
  readonly origins: readonly Position[];
}

/** Lines on their way to an insert, as bytes: many small strings kept until the end cost more than everything else. */
class Lines {
  #chunks: Buffer[] = [];
  #origins: Position[] = [];
  #text = '';
  chars = 0;

  get count(): number {
    return this.#origins.length;
  }

  add(line: string, origin: Position): void {
    this.#text += line;
    this.#origins.push(origin);
    this.chars += line.length;
    if (this.#text.length > CHARS_PER_CHUNK) this.#seal();
  }

  #seal(): void {
    if (this.#text !== '') this.#chunks.push(Buffer.from(this.#text));
    this.#text = '';
  }

  /** What was added so far; begins anew. */
  take(): Sealed {
    this.#seal();
    const sealed = { chunks: this.#chunks, origins: this.#origins };
    this.#chunks = [];
    this.#origins = [];
    this.chars = 0;
    return sealed;
  }
}

/** Lands events: validated events in, rows in `events` out. Holds at most one insert's worth and one being sent. */
export class Landing {
  readonly #database: Pick<Database, 'insertLines'>;
  #number: LandingNumber | null = null;
  #rank = '';
  readonly #messages = new Lines();
  readonly #statuses = new Lines();
  #sending: Promise<void> = Promise.resolve();
  #events = 0;
  #hasNameless = false;
  #threads: Map<string, ThreadKey> | null = new Map();
  #kept: LedgerEvent[] | null;
  /** Of the kept events, in their order. */
  #origins: Position[] = [];
  readonly #putAside: PutAside | null;

  /**
   * @param keepsEvents whether the events are kept until the landing is folded, for who remembers threads
   * @param putAside takes the events that ClickHouse refuses; null = one of them fails the landing
   */
  constructor(database: Pick<Database, 'insertLines'>, keepsEvents = false, putAside: PutAside | null = null) {
    this.#database = database;
    this.#kept = keepsEvents ? [] : null;
    this.#putAside = putAside;
  }

  /** Known once it has begun, which is with the first event: who waits for input for long is not first. */
  get number(): LandingNumber {
    if (this.#number === null) {
      this.#number = newLandingNumber();
      this.#rank = rankOf(this.#number).toString();
    }
    return this.#number;
  }

  /** Events taken so far. */
  get events(): number {
    return this.#events;
  }

  /** Whether some event names no customer. */
  get hasNameless(): boolean {
    return this.#hasNameless;
  }

  /** The threads that it touched, while they are few; null when there are too many to be asked for by name. */
  get threads(): readonly ThreadKey[] | null {
    return this.#threads === null ? null : [...this.#threads.values()];
  }

  /** The events; null where they are not kept, or too many. */
  get kept(): readonly LedgerEvent[] | null {
    return this.#kept;
  }

  /**
   * Takes one event. Await what it returns, if anything: it is the back-pressure.
   * @param origin what is said of where it came from, should ClickHouse refuse it
   */
  add(event: LedgerEvent, origin: Position = NOWHERE): Promise<void> | undefined {
    if (this.#events === 0) void this.number;
    this.#events += 1;
    if (event.customer === '') this.#hasNameless = true;
    this.#remember(event);
    this.#kept?.push(event);
    // Few are made into lines at the end, when it is known that they are few.
    if (this.#kept !== null && this.#events <= MAX_EVENTS_TOGETHER + 1) this.#origins.push(origin);
    if (this.#kept !== null && this.#events <= MAX_EVENTS_TOGETHER) return undefined;
    if (this.#kept !== null && this.#events === MAX_EVENTS_TOGETHER + 1)
      this.#kept.forEach((few, i) => this.#write(few, this.#origins[i] ?? NOWHERE));
    else this.#write(event, origin);
    if (this.#events > MAX_KEPT_EVENTS) this.#kept = null;
    const full =
      this.#messages.count + this.#statuses.count >= EVENTS_PER_INSERT ||
      this.#messages.chars + this.#statuses.chars >= CHARS_PER_INSERT;
    return full ? this.#send() : undefined;
  }

  #write(event: LedgerEvent, origin: Position): void {
    if (event.event === 'message') this.#messages.add(messageLine(event, this.#rank), origin);
    else this.#statuses.add(statusLine(event, this.#rank), origin);
  }

  #remember(event: LedgerEvent): void {
    if (this.#threads === null) return;
    const thread = landedUnder(event);
    this.#threads.set(threadText(thread), thread);
    if (this.#threads.size > MAX_REMEMBERED_THREADS) this.#threads = null;
  }

  async #send(): Promise<void> {
    const messages = this.#messages.take();
    const statuses = this.#statuses.take();
    await this.#sending;
    const sending = Promise.all([this.#insert(MESSAGE_COLUMNS, messages), this.#insert(STATUS_COLUMNS, statuses)]).then(
      () => undefined,
    );
    // Reported to whoever awaits the next `add` or `finish`; until then it must not count as unhandled.
    sending.catch(() => undefined);
    this.#sending = sending;
  }

  async #insert(columns: readonly string[], { chunks, origins }: Sealed): Promise<void> {
    try {
      await this.#database.insertLines('events', columns, chunks);
    } catch (error) {
      if (!(error instanceof RefusedRowError) || this.#putAside === null) throw error;
      await this.#insertApart(columns, chunks, origins, this.#putAside);
    }
  }

  /** Stores all that ClickHouse takes, and puts aside what it refuses: each event as it was read, on its own. */
  async #insertApart(
    columns: readonly string[],
    chunks: readonly Buffer[],
    origins: readonly Position[],
    putAside: PutAside,
  ): Promise<void> {
    // What is not in the ledger must not be remembered as if it were.
    this.#kept = null;
    const lines = Buffer.concat(chunks).toString('utf8').split('\n').slice(0, -1);
    const refused = await insertApart(
      this.#database,
      'events',
      columns,
      lines.map((line) => `${line}\n`),
    );
    if (refused.length === 0) return;
    await putAside(
      refused.map(({ index, error }) => ({
        ...(origins[index] ?? NOWHERE),
        code: 'refused_by_ledger' as const,
        message: `${error.message.slice(0, MAX_REASON_CHARS)} The event is kept as it was read; mend the ledger, then replay it.`,
        raw: Buffer.from(canonicalEvent(eventOfLine(columns, lines[index] ?? ''))),
      })),
    );
  }

  /** Resolves when every event taken is stored and fsynced, or put aside. */
  async finish(): Promise<void> {
    if (this.#kept !== null && this.#events <= MAX_EVENTS_TOGETHER) {
      const lines = this.#kept.map((event) => eventLine(event, this.#rank)).join('');
      await this.#insert(EVENT_COLUMNS, { chunks: [Buffer.from(lines)], origins: this.#origins });
      return;
    }
    await this.#send();
    await this.#sending;
  }
}

import { randomInt } from 'node:crypto';
import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Database } from './database.ts';
import { EVENT_COLUMNS, eventLine, MESSAGE_COLUMNS, messageLine, STATUS_COLUMNS, statusLine } from './event-rows.ts';
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
/** Live traffic comes in smaller batches; of a larger one, a backlog, little would be remembered until it is needed. */
const MAX_KEPT_EVENTS = 20_000;

export function newLandingNumber(): LandingNumber {
  return ((BigInt(Date.now()) << 20n) | BigInt(randomInt(1 << 20))) as LandingNumber;
}

/** Of two landings of the same event the first is kept: `events` keeps the highest rank. */
export function rankOf(landing: LandingNumber): bigint {
  return ALL_BITS ^ landing;
}

/** Lines on their way to an insert, as bytes: many small strings kept until the end cost more than everything else. */
class Lines {
  #chunks: Buffer[] = [];
  #text = '';
  count = 0;
  chars = 0;

  add(line: string): void {
    this.#text += line;
    this.count += 1;
    this.chars += line.length;
    if (this.#text.length > CHARS_PER_CHUNK) this.#seal();
  }

  #seal(): void {
    if (this.#text !== '') this.#chunks.push(Buffer.from(this.#text));
    this.#text = '';
  }

  /** The bytes so far; begins anew. */
  take(): Buffer[] {
    this.#seal();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.count = 0;
    this.chars = 0;
    return chunks;
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

  /** @param keepsEvents whether the events are kept until the landing is folded, for who remembers threads */
  constructor(database: Pick<Database, 'insertLines'>, keepsEvents = false) {
    this.#database = database;
    this.#kept = keepsEvents ? [] : null;
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

  /** Takes one event. Await what it returns, if anything: it is the back-pressure. */
  add(event: LedgerEvent): Promise<void> | undefined {
    if (this.#events === 0) void this.number;
    this.#events += 1;
    if (event.customer === '') this.#hasNameless = true;
    this.#remember(event);
    this.#kept?.push(event);
    // Few are made into lines at the end, when it is known that they are few.
    if (this.#kept !== null && this.#events <= MAX_EVENTS_TOGETHER) return undefined;
    if (this.#kept !== null && this.#events === MAX_EVENTS_TOGETHER + 1) this.#kept.forEach((few) => this.#write(few));
    else this.#write(event);
    if (this.#events > MAX_KEPT_EVENTS) this.#kept = null;
    const full =
      this.#messages.count + this.#statuses.count >= EVENTS_PER_INSERT ||
      this.#messages.chars + this.#statuses.chars >= CHARS_PER_INSERT;
    return full ? this.#send() : undefined;
  }

  #write(event: LedgerEvent): void {
    if (event.event === 'message') this.#messages.add(messageLine(event, this.#rank));
    else this.#statuses.add(statusLine(event, this.#rank));
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
    const sending = Promise.all([
      this.#database.insertLines('events', MESSAGE_COLUMNS, messages),
      this.#database.insertLines('events', STATUS_COLUMNS, statuses),
    ]).then(() => undefined);
    // Reported to whoever awaits the next `add` or `finish`; until then it must not count as unhandled.
    sending.catch(() => undefined);
    this.#sending = sending;
  }

  /** Resolves when every event taken is stored and fsynced. */
  async finish(): Promise<void> {
    if (this.#kept !== null && this.#events <= MAX_EVENTS_TOGETHER) {
      const lines = this.#kept.map((event) => eventLine(event, this.#rank)).join('');
      await this.#database.insertLines('events', EVENT_COLUMNS, lines);
      return;
    }
    await this.#send();
    await this.#sending;
  }
}

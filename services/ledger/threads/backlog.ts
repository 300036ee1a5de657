import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Block, TextCells } from '../../clickhouse/columns/reader.ts';
import type { Database, Parameters } from '../../clickhouse/database.ts';
import { EVENT_SELECTION, EventCells } from '../events/event-rows.ts';
import type { LandedBlocks } from '../events/landed-blocks.ts';
import { rankOf, type LandingNumber } from '../events/landing.ts';
import { enterLargeLanding } from '../events/landing-log.ts';
import { linkThreads } from './links.ts';
import { Marks, versionOf, type Emitter, type Footing } from '../marks/marks.ts';
import {
  namelessRow,
  NEXT_NAMELESS,
  statesOfTouched,
  TOUCHED_BEFORE,
  TOUCHED_LINKED,
  TOUCHED_NAMED,
} from './thread-states.ts';
import { ThreadEvents } from './thread-cache.ts';
import { threadText, type ThreadKey } from '../events/thread-key.ts';
import { readComponents, readThreads } from './threads.ts';

/** Rows of marks that are written together: larger parts merge less, but the last one is waited for. */
const ROWS_PER_WRITE = 100_000;
/** Text of marks that is held at most. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;
/** Threads that share messages are folded with all that they reach, so many events at once. */
const LINKED_EVENTS_AT_ONCE = 100_000;
/** Messages without a customer that are asked for at once. */
const NAMELESS_AT_ONCE = 20_000;
const THREADS_PER_PROGRESS = 5_000;
/** By then a statement is on its way to ClickHouse. */
const SENT_AFTER_MS = 5;
/** Threads that are folded from memory before others have their turn. */
const THREADS_PER_TURN = 100;

/** Whom a fold of a backlog tells. */
export interface BacklogOptions {
  /** Told of the marks of touched threads that were not emitted at their version. */
  readonly emitter?: Emitter | null | undefined;
  /** Threads done so far. */
  readonly onProgress?: ((threads: number) => void) | undefined;
}

/** A landing whose threads ClickHouse knows, however many they are. */
export interface LandedBacklog {
  readonly landing: LandingNumber;
  /** Whether it may hold events that name no customer. */
  readonly hasNameless: boolean;
  /** Its events; null where they are not in memory. */
  readonly blocks: LandedBlocks | null;
}

/** What the ledger says of a thread besides its events. */
interface ThreadState {
  readonly version: string;
  readonly isLinked: boolean;
}

const UNKNOWN: ThreadState = { version: '', isLinked: false };

/** States in the order of their threads, to be asked for in that order. */
class ThreadStates {
  readonly #blocks: AsyncGenerator<Block>;
  #block: Block | null = null;
  #row = 0;
  #hasEnded = false;

  constructor(database: Database, landing: LandingNumber, emitter: Emitter | null) {
    this.#blocks = database.streamBlocks(statesOfTouched(emitter !== null), { landing: landing.toString() });
  }

  /** The state of a thread that comes after all those asked for before. */
  async of(number: string, customer: string): Promise<ThreadState> {
    for (;;) {
      if (this.#block === null && !(await this.#read())) return UNKNOWN;
      const block = this.#block;
      if (block === null) return UNKNOWN;
      for (; this.#row < block.rows; this.#row++) {
        const row = this.#row;
        const order =
          compareUtf8(block.text('phone_number_id').at(row), number) ||
          compareUtf8(block.text('customer').at(row), customer);
        if (order > 0) return UNKNOWN;
        if (order === 0)
          return { version: block.text('version').at(row), isLinked: block.number('is_linked').at(row) === 1 };
      }
      this.#block = null;
    }
  }

  async #read(): Promise<boolean> {
    if (this.#hasEnded) return false;
    const next = await this.#blocks.next();
    this.#hasEnded = next.done === true;
    this.#block = next.done === true ? null : next.value;
    this.#row = 0;
    return !this.#hasEnded;
  }

  async close(): Promise<void> {
    await this.#blocks.return(undefined);
  }
}

/** Rows of one thread in one block. */
interface Run {
  readonly events: EventCells;
  readonly isNew: { at(row: number): number };
  readonly from: number;
  readonly to: number;
}

/** A thread as it comes out of the stream. */
interface Streamed {
  readonly phone_number_id: string;
  readonly customer: string;
  readonly runs: Run[];
}

/**
 * Folds all that a landing touched in one pass: one stream of the events of whole threads, in the order of the threads, in
 * which ClickHouse selects the threads. For landings of any size.
 */
export class Backlog {
  readonly #database: Database;
  readonly #landed: LandedBacklog;
  readonly #landing: LandingNumber;
  readonly #footing: Footing;
  readonly #emitter: Emitter | null;
  readonly #onProgress: (threads: number) => void;
  #marks: Marks;
  /** The write under way: the engine stores marks while the next threads are folded. */
  #writing: Promise<void> = Promise.resolve();
  #linked: ThreadKey[] = [];
  /** The events of linked threads that came with the stream. */
  #linkedEvents = new Map<string, LedgerEvent[]>();
  #linkedCount = 0;
  #threads = 0;
  #stored = 0;

  constructor(database: Database, landed: LandedBacklog, footing: Footing, options: BacklogOptions = {}) {
    this.#database = database;
    this.#landed = landed;
    this.#landing = landed.landing;
    this.#footing = footing;
    this.#emitter = options.emitter ?? null;
    this.#onProgress = options.onProgress ?? ((): void => undefined);
    this.#marks = new Marks(this.#emitter);
  }

  /**
   * Folds every thread that the landing touched and whose marks do not carry its events yet, or were not emitted.
   * @returns how many events this landing was the first to store
   */
  async run(): Promise<{ readonly stored: number }> {
    await enterLargeLanding(this.#database);
    await Promise.all([linkThreads(this.#database, this.#landing), this.#openBlocks()]);
    // Other writers may have read that a thread is alone. They must hear of its links before its events are read here.
    await enterLargeLanding(this.#database);
    const { blocks } = this.#landed;
    if (blocks === null) await this.#named(TOUCHED_NAMED);
    else await this.#landedOnly(blocks);
    // ClickHouse stores what there is while linked threads are read.
    await this.#write();
    await this.#foldLinked();
    if (this.#landed.hasNameless) await this.#nameless();
    await this.#write();
    await this.#writing;
    this.#onProgress(this.#threads);
    return { stored: this.#stored };
  }

  /** While ClickHouse works on what was asked just before. */
  async #openBlocks(): Promise<void> {
    if (this.#landed.blocks === null) return;
    await sleep(SENT_AFTER_MS);
    this.#landed.blocks.open();
  }

  /**
   * Folds the threads of which the ledger has only events of this landing, from memory, and reads the others. Which those are
   * is asked after the landing was entered in the log: whoever lands events of one of them later folds it again.
   */
  async #landedOnly(blocks: LandedBlocks): Promise<void> {
    const landing = this.#landing.toString();
    const [before, linked] = await Promise.all([
      this.#namesOf(TOUCHED_BEFORE, { landing, rank: rankOf(this.#landing).toString() }),
      this.#namesOf(TOUCHED_LINKED, { landing }),
    ]);
    for (const { thread, events } of blocks.threads((one) => !before.has(threadText(one)))) {
      const copies = new ThreadEvents([]);
      for (const event of events) copies.add(event);
      const distinct = [...copies.all];
      this.#stored += distinct.length;
      if (linked.has(threadText(thread))) await this.#takeLinked(thread, distinct);
      else {
        this.#marks.fold(distinct, [thread], this.#footing.rulebook, this.#footing.epoch);
        await this.#writeIfMany();
      }
      this.#countThread();
      // What is being written goes on only while this thread of Node waits.
      if (this.#threads % THREADS_PER_TURN === 0) await nextTurn();
    }
    // By now others may have landed events of threads that were folded above. They fold those threads again.
    if (before.size > 0) await this.#named(TOUCHED_BEFORE, (name) => before.has(name));
  }

  async #namesOf(statement: string, parameters: Parameters): Promise<ReadonlySet<string>> {
    const names = new Set<string>();
    for await (const block of this.#database.streamBlocks(statement, parameters)) {
      const [numbers, customers] = [block.text('phone_number_id'), block.text('customer')];
      for (let row = 0; row < block.rows; row++)
        names.add(threadText({ phone_number_id: numbers.at(row), customer: customers.at(row), nameless_id: '' }));
    }
    return names;
  }

  #countThread(): void {
    this.#threads += 1;
    if (this.#threads % THREADS_PER_PROGRESS === 0) this.#onProgress(this.#threads);
  }

  /**
   * @param names a statement for those of the touched threads that are folded
   * @param isMeant leaves out some of them, by their texts
   */
  async #named(names: string, isMeant: (name: string) => boolean = () => true): Promise<void> {
    const states = new ThreadStates(this.#database, this.#landing, this.#emitter);
    try {
      for await (const thread of this.#streamed(names)) {
        if (!isMeant(threadText({ ...thread, nameless_id: '' }))) continue;
        const state = await states.of(thread.phone_number_id, thread.customer);
        await this.#take(thread, state);
      }
    } finally {
      await states.close();
    }
  }

  /** Threads with all their events, in the order of number and customer. */
  async *#streamed(names: string): AsyncGenerator<Streamed> {
    const blocks = this.#database.streamBlocks(
      `SELECT ${EVENT_SELECTION}, landing_rank = {rank:UInt64} AS is_new FROM events FINAL
       WHERE (phone_number_id, customer) IN (${names})
       ORDER BY phone_number_id, customer
       SETTINGS do_not_merge_across_partitions_select_final = 1, max_block_size = 32768`,
      { landing: this.#landing.toString(), rank: rankOf(this.#landing).toString() },
    );
    let thread = null as Streamed | null;
    for await (const block of blocks) {
      const events = new EventCells(block);
      const isNew = block.number('is_new');
      const numbers = block.text('phone_number_id');
      const customers: TextCells = block.plainText('customer');
      for (let from = 0; from < block.rows;) {
        const phone_number_id = numbers.at(from);
        let to = from + 1;
        while (to < block.rows && customers.isSame(from, to) && numbers.at(to) === phone_number_id) to++;
        const customer = customers.at(from);
        if (thread?.phone_number_id !== phone_number_id || thread.customer !== customer) {
          if (thread !== null) yield thread;
          thread = { phone_number_id, customer, runs: [] };
        }
        thread.runs.push({ events, isNew, from, to });
        from = to;
      }
    }
    if (thread !== null) yield thread;
  }

  async #take({ phone_number_id, customer, runs }: Streamed, state: ThreadState): Promise<void> {
    const { epoch, rulebook } = this.#footing;
    const key: ThreadKey = { phone_number_id, customer, nameless_id: '' };
    let count = 0;
    for (const { isNew, from, to } of runs) {
      count += to - from;
      for (let row = from; row < to; row++) this.#stored += isNew.at(row);
    }
    // A linked thread's version counts events of other threads too, so no count of its own tells that it is done.
    if (state.isLinked) await this.#takeLinked(key, eventsOf(runs));
    else if (state.version !== versionOf(epoch, count)) {
      this.#marks.fold(eventsOf(runs), [key], rulebook, epoch);
      await this.#writeIfMany();
    }
    this.#countThread();
  }

  async #takeLinked(thread: ThreadKey, events: LedgerEvent[]): Promise<void> {
    this.#linked.push(thread);
    this.#linkedEvents.set(threadText(thread), events);
    this.#linkedCount += events.length;
    if (this.#linkedCount >= LINKED_EVENTS_AT_ONCE) await this.#foldLinked();
  }

  /**
   * Folds threads that share messages, each with all those that it reaches. The version counts the events of all of them,
   * so that a message that moves from one to another gets a higher one.
   */
  async #foldLinked(): Promise<void> {
    const linked = this.#linked;
    const known = this.#linkedEvents;
    this.#linked = [];
    this.#linkedEvents = new Map();
    this.#linkedCount = 0;
    if (linked.length === 0) return;
    for (const together of await readComponents(this.#database, linked, known)) {
      this.#marks.fold(together, [], this.#footing.rulebook, this.#footing.epoch);
      await this.#writeIfMany();
    }
  }

  /** Messages that nothing names a customer of, each a thread of its own; linked ones go with the threads they link. */
  async #nameless(): Promise<void> {
    let after = { phone_number_id: '', id: '' };
    for (;;) {
      const slice = await this.#database.query(namelessRow, NEXT_NAMELESS, {
        landing: this.#landing.toString(),
        rank: rankOf(this.#landing).toString(),
        after_number: after.phone_number_id,
        after_id: after.id,
        limit: NAMELESS_AT_ONCE,
      });
      const last = slice.at(-1);
      if (last === undefined) return;
      after = last;
      const alone: ThreadKey[] = [];
      const linked = new Map<string, ThreadKey>();
      for (const { phone_number_id, id, landed, other_customers } of slice) {
        this.#stored += landed;
        if (other_customers.length === 0) alone.push({ phone_number_id, customer: '', nameless_id: id });
        for (const customer of other_customers) {
          const thread = { phone_number_id, customer, nameless_id: '' };
          linked.set(threadText(thread), thread);
        }
      }
      const events = await readThreads(this.#database, alone);
      for (const thread of alone) {
        const { rulebook, epoch } = this.#footing;
        this.#marks.fold(events.get(threadText(thread)) ?? [], [thread], rulebook, epoch);
      }
      this.#linked = [...linked.values()];
      await this.#foldLinked();
      await this.#writeIfMany();
      if (slice.length < NAMELESS_AT_ONCE) return;
    }
  }

  async #writeIfMany(): Promise<void> {
    if (this.#marks.rows >= ROWS_PER_WRITE || this.#marks.bytes >= MAX_TEXT_BYTES) await this.#write();
  }

  /** Hands the marks so far to the ledger; waits for those handed over before. */
  async #write(): Promise<void> {
    const marks = this.#marks;
    this.#marks = new Marks(this.#emitter);
    await this.#writing;
    this.#writing = marks.write(this.#database);
    // The next write throws it; until then it must not count as an unhandled rejection.
    this.#writing.catch(() => undefined);
  }
}

function eventsOf(runs: readonly Run[]): LedgerEvent[] {
  const events: LedgerEvent[] = [];
  for (const run of runs) for (let row = run.from; row < run.to; row++) events.push(run.events.at(row));
  return events;
}

import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Database } from '../../clickhouse/database.ts';
import { EVENT_SELECTION, EventCells } from '../events/event-rows.ts';
import { rankOf, unlistedRankOf, type LandingNumber } from '../events/landing.ts';
import { landedUnder, threadText, type ThreadKey } from '../events/thread-key.ts';
import { readLinks } from './links.ts';
import type { Batch, Touched } from './live-batch.ts';
import { ThreadEvents } from './thread-cache.ts';
import { versionRow, VERSIONS_OF_THREADS } from './thread-states.ts';
import { ofThreads } from './threads.ts';

/** What is asked of the ledger at once. */
const THREADS_PER_QUESTION = 5_000;

/**
 * Reads what the ledger holds of the threads of a batch, and tells the events that the batch stored first from those that
 * were there before it: both are read, because a batch lands while its threads are read.
 */
export class LiveReader {
  readonly #database: Database;
  /** Under which rank an event was read that was landed not long ago. */
  readonly #ranks = new WeakMap<LedgerEvent, string>();
  /** Below the number of every landing of this process. */
  readonly #firstNumber: bigint;
  /** Ranks of this process's landings that are stored, or soon will be, and are not folded yet. */
  readonly #waiting = new Set<string>();

  constructor(database: Database) {
    this.#database = database;
    this.#firstNumber = BigInt(Date.now()) << 20n;
  }

  /**
   * Events of these landings are left out of what is read, until their turn comes: they count as new then, so that what
   * they link is found.
   */
  hold(numbers: readonly LandingNumber[]): void {
    for (const rank of ranksOf(numbers)) this.#waiting.add(rank);
  }

  /** The turn of held landings has come, or will not come. */
  release(numbers: readonly LandingNumber[]): void {
    for (const rank of ranksOf(numbers)) this.#waiting.delete(rank);
  }

  /**
   * Reads threads whole, with their links.
   * @param mayBeLinked whether a thread may share messages with others; null = any may
   * @param isDoubted whether others may be at work on them: then nothing can be said of what was there before
   */
  async read(
    unknown: readonly Touched[],
    mayBeLinked: ((thread: Touched) => boolean) | null,
    isDoubted: boolean,
  ): Promise<void> {
    const byName = new Map(unknown.map((touched) => [threadText(touched.thread), touched]));
    for (let from = 0; from < unknown.length; from += THREADS_PER_QUESTION) {
      const slice = unknown.slice(from, from + THREADS_PER_QUESTION);
      const threads = slice.map(({ thread }) => thread);
      const doubtful = mayBeLinked === null ? slice : slice.filter(mayBeLinked);
      const [events, links] = await Promise.all([
        this.eventsOf(threads, isDoubted),
        readLinks(
          this.#database,
          doubtful.map(({ thread }) => thread),
        ),
        isDoubted ? undefined : this.askVersions(slice),
      ]);
      for (const thread of threads) {
        const touched = byName.get(threadText(thread));
        if (touched === undefined) continue;
        const stored = events.get(threadText(thread)) ?? [];
        touched.events = new ThreadEvents(stored);
        touched.before = isDoubted ? null : stored;
        touched.links = links.get(threadText(thread)) ?? [];
      }
    }
  }

  /**
   * All events of threads, each row once. Not FINAL: finding copies is cheaper here than merging parts there. On one
   * core: sharing out the few granules of each thread among several takes twice the time in all.
   * @param withHeld whether events of held landings are among them: for who asks about the links of all events
   */
  async eventsOf(threads: readonly ThreadKey[], withHeld = false): Promise<Map<string, readonly LedgerEvent[]>> {
    const byThread = new Map<string, ThreadEvents>();
    if (threads.length === 0) return new Map();
    const { where, parameters } = ofThreads(threads);
    // The rank is asked for where one of this process's landings may have it.
    const blocks = this.#database.streamBlocks(
      `SELECT ${EVENT_SELECTION}, if(landing_rank <= {newest:UInt64}, toString(landing_rank), '') AS late_rank
       FROM events WHERE ${where} SETTINGS max_threads = 1`,
      { ...parameters, newest: rankOf(this.#firstNumber as LandingNumber).toString() },
    );
    for await (const block of blocks) {
      const cells = new EventCells(block);
      const ranks = block.text('late_rank');
      for (let row = 0; row < block.rows; row++) {
        const event = cells.at(row);
        const name = threadText(landedUnder(event));
        let events = byThread.get(name);
        if (events === undefined) byThread.set(name, (events = new ThreadEvents([])));
        this.#rank(event, events.add(event), ranks.at(row));
      }
    }
    const isLeftOut = (event: LedgerEvent): boolean => this.#waiting.has(this.#ranks.get(event) ?? '');
    const left = withHeld || this.#waiting.size === 0 ? null : isLeftOut;
    return new Map(
      [...byThread].map(([name, { all }]) => [name, left === null ? all : all.filter((event) => !left(event))]),
    );
  }

  /** Notes under which rank an event was landed first: that is the highest of its copies. */
  #rank(event: LedgerEvent, copy: LedgerEvent | null, rank: string): void {
    const known = copy === null ? '0' : (this.#ranks.get(copy) ?? '');
    // Landed before this process began, so by none of its own landings.
    if (rank === '' || known === '') this.#ranks.delete(copy ?? event);
    else if (BigInt(rank) > BigInt(known)) this.#ranks.set(copy ?? event, rank);
  }

  /**
   * Puts the events of a batch to those that were there.
   * @param numbers of the landings that they came with
   * @returns how many those were the first to store
   */
  take(batch: Batch, numbers: readonly LandingNumber[]): number {
    const ranks = new Set(ranksOf(numbers));
    let stored = 0;
    for (const touched of batch.threads.values()) {
      const own = new Set<LedgerEvent>();
      for (const event of touched.landed) {
        const copy = touched.events?.add(event) ?? null;
        // Read back already: the landing's own, the first time.
        const isOwn = copy !== null && ranks.has(this.#ranks.get(copy) ?? '');
        if (copy !== null && !isOwn) continue;
        if (copy !== null) {
          this.#ranks.delete(copy);
          own.add(copy);
        }
        touched.hasNews = true;
        stored += 1;
      }
      if (own.size > 0) touched.before = touched.before?.filter((event) => !own.has(event)) ?? null;
    }
    return stored;
  }

  /** Asks at which versions threads were folded and emitted; of a message without a customer that is not asked. */
  async askVersions(threads: readonly Touched[]): Promise<void> {
    const named = threads.filter(({ thread }) => thread.customer !== '');
    if (named.length === 0) return;
    const byName = new Map(named.map((touched) => [threadText(touched.thread), touched]));
    const versions = await this.#database.query(versionRow, VERSIONS_OF_THREADS, {
      numbers: named.map(({ thread }) => thread.phone_number_id),
      customers: named.map(({ thread }) => thread.customer),
    });
    for (const { what, thread, version } of versions) {
      const touched = byName.get(threadText({ ...thread, nameless_id: '' }));
      if (touched !== undefined) touched[what] = version;
    }
  }
}

/** The ranks that rows of these landings may carry. */
function ranksOf(numbers: readonly LandingNumber[]): string[] {
  return numbers.flatMap((number) => [rankOf(number).toString(), unlistedRankOf(number).toString()]);
}

import type { z } from 'zod';
import type { Rulebook } from '../lifecycle/rulebook.ts';
import { Backlog } from './backlog.ts';
import type { Database } from './database.ts';
import { rankOf, type LandingNumber } from './landing.ts';
import { linkThreads } from './links.ts';
import { Marks, versionOf, type Emitter } from './marks.ts';
import type { ThreadCache } from './thread-cache.ts';
import {
  countRow,
  countsOfThreads,
  linkRow,
  LINKS_OF_THREADS,
  versionRow,
  VERSIONS_OF_THREADS,
} from './thread-states.ts';
import { ofThreads, readComponents, readThreads, threadText, type EventsByThread, type ThreadKey } from './threads.ts';

/** What the fold works under; asked anew after writing, because another process may have changed it. */
export interface Footing {
  readonly epoch: bigint;
  readonly rulebook: Rulebook;
}

/** Whom a rebuild tells, and what it may take from memory. */
export interface RebuildOptions {
  /** Told of the marks of touched threads that were not emitted at their version. */
  readonly emitter?: Emitter | null | undefined;
  readonly cache?: ThreadCache | null | undefined;
  /** Threads folded so far. */
  readonly onProgress?: ((threads: number) => void) | undefined;
}

/** What is rebuilt: what a landing touched. */
export interface Touched {
  readonly landing: LandingNumber;
  /** Whether the landing may hold events that name no customer. */
  readonly hasNameless: boolean;
  /** The threads, when they are few; null = look them up. */
  readonly threads: readonly ThreadKey[] | null;
}

/** Derives the marks of touched threads from all their events. One instance per landing. */
export class Rebuild {
  readonly #database: Database;
  readonly #touched: Touched;
  readonly #landing: LandingNumber;
  readonly #emitter: Emitter | null;
  readonly #cache: ThreadCache | null;
  readonly #footing: Footing;
  readonly #onProgress: (threads: number) => void;
  #threads = 0;
  /** The last write under way: the engine stores marks while this process folds the next threads. */
  #writing: Promise<void> = Promise.resolve();

  constructor(database: Database, touched: Touched, footing: Footing, options: RebuildOptions = {}) {
    this.#database = database;
    this.#touched = touched;
    this.#landing = touched.landing;
    this.#footing = footing;
    this.#emitter = options.emitter ?? null;
    this.#cache = options.cache ?? null;
    this.#onProgress = options.onProgress ?? ((): void => undefined);
  }

  /**
   * Rebuilds every thread that the landing touched and whose marks do not carry its events yet, or were not emitted.
   * @returns how many events this landing was the first to store
   */
  async run(): Promise<{ readonly stored: number }> {
    const { threads } = this.#touched;
    const stored = await (threads === null ? this.#many() : this.#few(threads));
    await this.#writing;
    return { stored };
  }

  /** Any number of threads, looked up by ClickHouse. */
  #many(): Promise<number> {
    return new Backlog(this.#database, this.#landing, {
      ...this.#footing,
      emitter: this.#emitter,
      onProgress: this.#onProgress,
    }).run(this.#touched.hasNameless);
  }

  /** Few threads, whose names are known: everything about them is asked for at once. For live traffic. */
  async #few(threads: readonly ThreadKey[]): Promise<number> {
    const byName = threads.filter((thread) => thread.customer !== '');
    const nameless = threads.filter((thread) => thread.customer === '');
    const readLinks = (): Promise<z.infer<typeof linkRow>[]> =>
      this.#database.query(linkRow, LINKS_OF_THREADS, {
        ...namesOf(byName),
        nameless_numbers: nameless.map((thread) => thread.phone_number_id),
        nameless_ids: nameless.map((thread) => thread.nameless_id),
        landing: this.#landing.toString(),
      });
    const { where, parameters } = ofThreads(threads);
    const rank = rankOf(this.#landing).toString();
    const [counts, knownLinks] = await Promise.all([
      this.#database.query(countRow, countsOfThreads(where), { ...parameters, rank }),
      readLinks(),
    ]);
    let links = knownLinks;
    if (links.some((link) => link.phone_number_id === '')) {
      await linkThreads(this.#database, this.#landing);
      links = await readLinks();
    }
    const linked = new Map<string, ThreadKey>();
    const isLinked = new Set<string>();
    for (const { phone_number_id, customer, nameless_id, other_customer } of links) {
      if (phone_number_id === '') continue;
      isLinked.add(threadText({ phone_number_id, customer, nameless_id }));
      // A message without a customer goes with the threads that it links.
      const thread = named({ phone_number_id, customer: customer === '' ? other_customer : customer });
      linked.set(threadText(thread), thread);
    }
    const eventsOf = new Map(counts.map((row) => [threadText(row), row.events]));
    const landed = new Map(counts.map((row) => [threadText(row), row.landed]));
    const alone = await this.#unfinished(
      threads.filter((thread) => !isLinked.has(threadText(thread))),
      eventsOf,
      landed,
    );
    await this.#fold(alone, [...linked.values()], eventsOf);
    this.#threads += threads.length;
    this.#onProgress(this.#threads);
    return counts.reduce((sum, row) => sum + row.landed, 0);
  }

  /**
   * Threads without those that brought nothing new and are done. A thread that has new events is not asked about: at
   * worst another writer has folded it with them already, and the same rows are written again.
   */
  async #unfinished(
    threads: readonly ThreadKey[],
    eventsOf: ReadonlyMap<string, number>,
    landed: ReadonlyMap<string, number>,
  ): Promise<ThreadKey[]> {
    const hasNews = (thread: ThreadKey): boolean => thread.customer === '' || (landed.get(threadText(thread)) ?? 0) > 0;
    const old = threads.filter((thread) => !hasNews(thread));
    if (old.length === 0) return [...threads];
    const versions = await this.#database.query(versionRow, VERSIONS_OF_THREADS, namesOf(old));
    const carried = { folded: new Map<string, string>(), emitted: new Map<string, string>() };
    for (const { what, thread, version } of versions) carried[what].set(threadText(named(thread)), version);
    return threads.filter((thread) => {
      const key = threadText(thread);
      return (
        hasNews(thread) || this.#isStale(eventsOf.get(key) ?? 0, carried.folded.get(key), carried.emitted.get(key))
      );
    });
  }

  /** Whether marks made of other events than a thread has now are stored, or were emitted last. */
  #isStale(events: number, folded: string | undefined, emitted: string | undefined): boolean {
    const version = versionOf(this.#footing.epoch, events);
    // What was emitted was stored before.
    return emitted !== version && (this.#emitter !== null || folded !== version);
  }

  /**
   * Folds threads and hands their marks to the ledger.
   * @param alone threads that share no message with another
   * @param linked threads that do: they are folded with all those, and the version counts the events of all of them, so
   * that a message that moves from one to another gets a higher one
   * @param counts how many events the ledger counts of which thread
   */
  async #fold(
    alone: readonly ThreadKey[],
    linked: readonly ThreadKey[],
    counts: ReadonlyMap<string, number> = new Map(),
  ): Promise<void> {
    if (alone.length + linked.length === 0) return;
    const { epoch, rulebook } = this.#footing;
    const marks = new Marks(this.#emitter);
    const events = await this.#eventsOf([...alone, ...linked], counts);
    for (const thread of alone) marks.fold(events.get(threadText(thread)) ?? [], [thread], rulebook, epoch);
    if (linked.length > 0)
      for (const together of await readComponents(this.#database, linked, events))
        marks.fold(together, [], rulebook, epoch);
    await this.#writing;
    this.#writing = marks.write(this.#database);
    this.#writing.catch(() => undefined);
  }

  /** The events of whole threads: from memory where that is whole, else read. */
  async #eventsOf(threads: readonly ThreadKey[], counts: ReadonlyMap<string, number>): Promise<EventsByThread> {
    const events: EventsByThread = new Map();
    const missing: ThreadKey[] = [];
    for (const thread of threads) {
      const key = threadText(thread);
      const remembered = this.#cache?.whole(thread, counts.get(key) ?? 0) ?? null;
      if (remembered === null) missing.push(thread);
      else events.set(key, remembered);
    }
    const read = await readThreads(this.#database, missing);
    for (const thread of missing) {
      const found = read.get(threadText(thread)) ?? [];
      events.set(threadText(thread), found);
      this.#cache?.replace(thread, found);
    }
    return events;
  }
}

function namesOf(threads: readonly ThreadKey[]): { readonly numbers: string[]; readonly customers: string[] } {
  return {
    numbers: threads.map((thread) => thread.phone_number_id),
    customers: threads.map((thread) => thread.customer),
  };
}

function named(thread: { readonly phone_number_id: string; readonly customer: string }): ThreadKey {
  return { phone_number_id: thread.phone_number_id, customer: thread.customer, nameless_id: '' };
}

import { once } from 'node:events';
import { z } from 'zod';
import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Database } from '../../clickhouse/database.ts';
import { LedgerAwayError } from '../../clickhouse/errors.ts';
import { keyOfMessage, keyOfThread } from '../events/keys.ts';
import { KnownKeys } from './known-keys.ts';
import type { LandingNumber } from '../events/landing.ts';
import { LANDED, LandingLog, type LandedByOthers } from '../events/landing-log.ts';
import { askNames, doubtfulMessages, doubtfulNames, doubtfulOfUnsettled, type Doubtful } from './doubtful.ts';
import { Batch, isLinked, unread, type Touched } from './live-batch.ts';
import { liveComponents, type Member } from './live-components.ts';
import { LiveReader } from './live-reader.ts';
import { recentThreads } from './recent-threads.ts';
import { linkThreadsOf } from './links.ts';
import { Marks, versionOf, type Emitter, type Footing } from '../marks/marks.ts';
import { ThreadCache, ThreadEvents, type RememberedThread } from './thread-cache.ts';
import type { ThreadKey } from '../events/thread-key.ts';

/** Threads that are read ahead at once, between two batches; the next batch waits. */
const THREADS_AHEAD = 400;
/** Pause between two times that all of them are read ahead: a process that lands large files must not set the pace. */
const SHORTEST_PAUSE_MS = 60_000;
/** How often a batch begins again because the engine was replaced, or another process changed the configuration. */
const ATTEMPTS = 8;

/** Landings whose events are all in memory, folded together. */
export interface LiveLandings {
  readonly numbers: readonly LandingNumber[];
  readonly events: readonly LedgerEvent[];
  /** Resolves when the events are visible in the ledger; with false when some of them were put aside. */
  readonly stored: Promise<boolean>;
}

/** Epoch and configuration as they are in the ledger. */
export interface Standing {
  readonly epoch: string;
  readonly hash: string;
}

export interface LiveOptions {
  readonly emitter: Emitter | null;
  /** The epoch and rulebook to fold under. */
  readonly footing: () => Footing;
  /**
   * Whether the ledger still has that epoch and configuration; otherwise `footing` returns the new ones from now on.
   */
  readonly stillHolds: (now: Standing) => Promise<boolean>;
  /** Called when marks of the batch can be read in the ledger; again when they are written again. */
  readonly onMarked?: (() => void) | undefined;
}

const standingRow = z.object({ epoch: z.string(), hash: z.string(), landed: z.string() });

const STANDING = `
SELECT toString(epoch) AS epoch, hash, (${LANDED}) AS landed
FROM configuration FINAL ORDER BY configuration.epoch DESC LIMIT 1`;

/**
 * Folds live traffic: batches that fit in memory, of threads that were mostly touched before or are new. Neither kind
 * is looked up. What is remembered of a thread is right until another process lands events of it. After writing, the
 * log of landings says whether one did; then the batch is folded again from the events in the ledger.
 *
 * Why that is enough: every writer makes its events visible, then enters them in the log, then looks at the log. Of two
 * whose batches touch the same thread or message, the one that enters later sees the other's entry, finds the other's
 * events when it reads again, and writes the higher version. One writer's own batches take turns.
 */
export class LiveFold {
  readonly #database: Database;
  readonly #cache = new ThreadCache();
  readonly #known: KnownKeys;
  readonly #log: LandingLog;
  readonly #reader: LiveReader;
  #turn: Promise<unknown> = Promise.resolve();
  #readsAhead = false;
  /** Whether threads are to be read ahead once the next batch is folded. */
  #isAheadDue = false;
  #aheadNotBefore = -Infinity;
  #ahead: Promise<void> = Promise.resolve();
  readonly #closing = new AbortController();

  constructor(database: Database) {
    this.#database = database;
    this.#known = new KnownKeys(database);
    this.#log = new LandingLog(database);
    this.#reader = new LiveReader(database);
  }

  /**
   * Derives the marks of all threads that landings touched.
   * @returns how many of their events were new; null when they are not all in the ledger, and nothing was folded
   */
  fold(landings: LiveLandings, options: LiveOptions): Promise<number | null> {
    // A batch that waits for its turn has not asked for it yet.
    landings.stored.catch(() => undefined);
    this.#reader.hold(landings.numbers);
    const turn = this.#turn.then(async () => {
      this.#reader.release(landings.numbers);
      try {
        return await this.#attempt(landings, options);
      } catch (error) {
        // The caller tries once more, or gives them up.
        this.#reader.hold(landings.numbers);
        throw error;
      }
    });
    this.#turn = turn.catch(() => undefined);
    // Should it fail, threads are read when they are touched, which is only slower.
    if (this.#isAheadDue)
      this.#ahead = Promise.all([this.#ahead, turn])
        .then(() => this.#readAheadIfDue())
        .catch(() => undefined);
    return turn;
  }

  /** Works between two batches, and forgets all that is remembered. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work).finally(() => {
      this.#forget();
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Call it before a landing is stored that may have to wait for other batches. Then fold it, or give it up. */
  expect(number: LandingNumber): void {
    this.#reader.hold([number]);
  }

  /** Expected landings that turned out too large, or not whole: they are folded by other means. */
  release(numbers: readonly LandingNumber[]): void {
    this.#reader.release(numbers);
  }

  /** Landings, stored or not, that are not folded here: whoever gets their events again does it. */
  giveUp(numbers: readonly LandingNumber[]): void {
    this.#reader.release(numbers);
    this.#forget();
  }

  /**
   * Reads which keys the ledger has, and threads that traffic is likely to touch; again after a batch when another process
   * landed what nothing lists. Batches need not wait for it.
   * @returns resolves when they are read, or cannot be
   */
  readAhead(): Promise<void> {
    this.#readsAhead = this.#isAheadDue = true;
    const turn = this.#turn.then(async () => {
      await this.#follow();
      this.#known.keepLoaded();
    });
    this.#turn = turn.catch(() => undefined);
    const ahead = this.#ahead.then(async () => {
      await turn;
      if (this.#isClosed) return;
      await Promise.race([this.#known.loaded(), once(this.#closing.signal, 'abort')]);
      await this.#readAheadIfDue();
    });
    // Should it fail, threads are read when they are touched, which is only slower.
    return (this.#ahead = ahead.catch(() => undefined));
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Stops reading ahead. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#ahead;
  }

  /**
   * Reads threads, some at a time between batches. Reading them one by one when they are touched costs the engine
   * several times as much, and their batches wait.
   */
  async #readAheadIfDue(): Promise<void> {
    if (this.#isClosed || !this.#isAheadDue || performance.now() < this.#aheadNotBefore) return;
    this.#isAheadDue = false;
    this.#aheadNotBefore = performance.now() + SHORTEST_PAUSE_MS;
    const threads = await recentThreads(this.#database);
    for (let from = 0; from < threads.length && !this.#isClosed && !this.#cache.isNearlyFull; from += THREADS_AHEAD) {
      const part = threads.slice(from, from + THREADS_AHEAD);
      const turn = this.#turn.then(() => this.#keepRead(part));
      this.#turn = turn.catch(() => undefined);
      await turn;
    }
  }

  /** Reads and keeps threads that are not in memory. The next batch notices what others land in them from now on. */
  async #keepRead(threads: readonly ThreadKey[]): Promise<void> {
    if (this.#isClosed) return;
    await this.#follow();
    const missing = threads.filter((thread) => this.#cache.get(thread) === null).map(unread);
    await this.#reader.read(missing, this.#mayBeLinked, false);
    for (const { thread, events, links, folded, emitted } of missing) {
      if (events === null || links === null) continue;
      const versions = links.length === 0 ? { folded, emitted } : { folded: null, emitted: null };
      this.#cache.keep(thread, { events: events.all, links, isSettled: false, ...versions });
    }
  }

  async #attempt(landings: LiveLandings, options: LiveOptions): Promise<number | null> {
    let mustRead = false;
    let hasEntered = false;
    const entered = (): void => {
      hasEntered = true;
    };
    for (let attempt = 1; ; attempt++) {
      try {
        const outcome = await this.#foldOnce(landings, options, mustRead, hasEntered ? null : entered);
        if (outcome !== 'again') return outcome;
        mustRead = true;
      } catch (error) {
        this.#forget();
        // Events that are not stored are a failure of their landing.
        await landings.stored;
        if (!(error instanceof LedgerAwayError) || attempt >= ATTEMPTS) throw error;
        mustRead = true;
      }
    }
  }

  #forget(): void {
    this.#cache.clear();
    this.#known.forget();
    this.#log.forget();
  }

  /**
   * @param mustRead whether all is to be read that the batch touches
   * @param entered called when the landing is in the log; null when it is already
   * @returns how many events were new; null when not all were stored; `again` when it must be done anew
   */
  async #foldOnce(
    landings: LiveLandings,
    options: LiveOptions,
    mustRead: boolean,
    entered: (() => void) | null,
  ): Promise<number | null | 'again'> {
    await this.#follow();
    this.#known.keepLoaded();
    const batch = new Batch(landings.events);
    const unknown = this.#recall(batch, mustRead);
    const isEmitting = options.emitter !== null;
    const { epoch } = options.footing();
    const wasFolded = (touched: Touched): boolean => isSettled(touched, epoch);
    const doubtful = [
      ...doubtfulMessages(batch, this.#known, mustRead),
      ...doubtfulNames(batch, this.#known, mustRead, wasFolded),
    ];
    // Before they are stored: even if the landing fails, nothing may take these keys for new later.
    this.#known.add(batch.keys);

    const [isWhole] = await Promise.all([
      landings.stored,
      askNames(this.#database, doubtful),
      this.#reader.read(unknown, mustRead ? null : this.#mayBeLinked, mustRead),
    ]);
    if (!isWhole) {
      for (const { key } of batch.threads.values()) this.#cache.forget(key);
      return null;
    }
    const stored = this.#reader.take(batch, landings.numbers);
    const concerned = new Set(batch.keys);
    const footing = options.footing();
    const unsettled = doubtfulOfUnsettled(batch, wasFolded);
    await askNames(this.#database, unsettled);
    await this.#link(batch, [...doubtful, ...unsettled], concerned);

    const marks = new Marks(options.emitter);
    const alone = await this.#unfinished(batch, footing, isEmitting);
    for (const touched of alone) foldAlone(touched, marks, footing, isEmitting);
    const components = await liveComponents(this.#database, this.#reader, batch, (thread) =>
      mustRead ? null : this.#cache.get(thread),
    );
    const linked = components.flatMap(({ members }) => {
      marks.fold(
        members.flatMap(({ events }) => events ?? []),
        [],
        footing.rulebook,
        footing.epoch,
      );
      return members;
    });
    for (const { thread } of linked) concerned.add(keyOfThread(thread));

    await Promise.all([
      marks.writeRows(this.#database),
      entered === null ? undefined : this.#log.enter([...batch.keys]).then(entered),
    ]);
    options.onMarked?.();
    const [[now]] = await Promise.all([
      this.#database.query(standingRow, STANDING),
      marks.writeDirt(this.#database),
      marks.emit(),
    ]);
    const landedByOthers = await this.#log.catchUp(now?.landed ?? '');
    this.#heed(landedByOthers);
    // Threads that were read after the landing was entered are safe: a later writer sees the entry.
    if (entered !== null && touches(landedByOthers, concerned)) return 'again';
    if (now !== undefined && !(await options.stillHolds(now))) return 'again';
    await marks.writeDone(this.#database);
    this.#remember(batch, alone, linked, landedByOthers, footing, isEmitting);
    return stored;
  }

  /** Before anything is remembered or read, so that landings of others are noticed from here on. */
  async #follow(): Promise<void> {
    if (!this.#log.isFollowed) this.#heed(await this.#log.catchUp(await this.#log.look()));
  }

  /** A message without a customer is not in the filter of linked threads. */
  readonly #mayBeLinked = ({ thread, key }: Touched): boolean => thread.customer === '' || this.#known.mayBeLinked(key);

  /** Forgets the threads that others touched. */
  #heed({ keys, touchesAll }: LandedByOthers): void {
    for (const key of keys) this.#cache.forget(key);
    this.#known.add(keys);
    // Which of them the others linked is not listed.
    this.#known.addLinked(keys);
    if (!touchesAll) return;
    this.#cache.clear();
    this.#known.forget();
    this.#isAheadDue = this.#readsAhead;
  }

  /**
   * What is known of the threads of a batch.
   * @returns those that must be read
   */
  #recall(batch: Batch, mustRead: boolean): Touched[] {
    const unknown: Touched[] = [];
    for (const touched of batch.threads.values()) {
      const { thread, key, landed } = touched;
      const remembered = mustRead ? null : this.#cache.get(thread);
      if (remembered !== null) {
        touched.events = new ThreadEvents(remembered.events);
        touched.before = remembered.events;
        touched.links = remembered.links;
        touched.isSettled = remembered.isSettled;
        touched.folded = remembered.folded;
        touched.emitted = remembered.emitted;
        continue;
      }
      // A message without a customer is a thread of its own: the thread is new if the message is.
      const isNew = !this.#known.mayHave(thread.customer === '' ? keyOfMessage(landed[0] as LedgerEvent) : key);
      if (isNew && !mustRead) {
        touched.events = new ThreadEvents([]);
        touched.before = [];
      } else unknown.push(touched);
    }
    return unknown;
  }

  /**
   * Links the threads of messages that several threads name, and of names that several threads have or give.
   * @param concerned takes the hashes of threads that are linked now
   */
  async #link(batch: Batch, doubtful: readonly Doubtful[], concerned: Set<number>): Promise<void> {
    const linked = new Set<number>();
    const shared = doubtful.filter(({ customers }) => customers.size > 1);
    for (const { phone_number_id, text, customers } of shared)
      for (const customer of customers)
        linked.add(keyOfThread({ phone_number_id, customer, nameless_id: customer === '' ? text : '' }));
    if (linked.size === 0) return;
    // Whether the batch has the message or name under this thread or under others.
    for (const touched of batch.threads.values()) if (linked.has(touched.key)) touched.links = null;
    await linkThreadsOf(this.#database, shared);
    // Other writers may believe that one of them is alone. They must hear of the link before more is read here.
    await this.#log.enter([...linked]);
    this.#known.addLinked(linked);
    for (const key of linked) {
      this.#cache.forget(key);
      concerned.add(key);
    }
  }

  /**
   * Threads to be folded by themselves: those with new events, and those not known to be done. The ledger is not asked
   * about a thread with new events: at worst another writer has folded them already, and the same rows are written
   * again.
   */
  async #unfinished(batch: Batch, footing: Footing, isEmitting: boolean): Promise<Touched[]> {
    const alone = [...batch.threads.values()].filter((touched) => !isLinked(touched));
    const isDone = (touched: Touched): boolean =>
      isDoneAt(touched, versionOf(footing.epoch, touched.events?.all.length ?? 0), isEmitting);
    const hasNews = ({ thread, hasNews }: Touched): boolean => hasNews || thread.customer === '';
    await this.#reader.askVersions(alone.filter((touched) => !hasNews(touched) && !isDone(touched)));
    return alone.filter((touched) => hasNews(touched) || !isDone(touched));
  }

  /** Keeps the threads of a batch, and those that they are linked to, unless another process touched them. */
  #remember(
    batch: Batch,
    folded: readonly Touched[],
    linked: readonly Member[],
    landedByOthers: LandedByOthers,
    footing: Footing,
    isEmitting: boolean,
  ): void {
    if (landedByOthers.touchesAll) return;
    for (const touched of folded) {
      const version = versionOf(footing.epoch, touched.events?.all.length ?? 0);
      if (isEmitting) touched.emitted = version;
      else touched.folded = version;
    }
    const keep = (thread: ThreadKey, remembered: RememberedThread): void => {
      if (!landedByOthers.keys.has(keyOfThread(thread))) this.#cache.keep(thread, remembered);
    };
    for (const touched of batch.threads.values()) {
      const { thread, events, links, folded, emitted } = touched;
      if (events !== null && !isLinked(touched))
        keep(thread, { events: events.all, links: links ?? [], isSettled: true, folded, emitted });
    }
    for (const { thread, events, links, isSettled } of linked)
      if (events !== null && links !== null) keep(thread, { events, links, isSettled, folded: null, emitted: null });
  }
}

/** Whether the marks of a thread are in the ledger at a version, and also sent where marks are sent. */
function isDoneAt({ folded, emitted }: Touched, version: string, isEmitting: boolean): boolean {
  // A mark is stored before it is emitted.
  return emitted === version || (!isEmitting && folded === version);
}

/** Whether it is certain that a thread was folded with its events before the batch. Its marks need not have been emitted. */
function isSettled(touched: Touched, epoch: bigint): boolean {
  const { before } = touched;
  return touched.isSettled || (before !== null && isDoneAt(touched, versionOf(epoch, before.length), false));
}

/**
 * Folds a thread that shares no message and no name. Only the rows that became others are written where it is known what is there;
 * should another writer be at work on the thread, one of both sees the other in the log of landings, and writes all
 * rows.
 */
function foldAlone(touched: Touched, marks: Marks, { rulebook, epoch }: Footing, isEmitting: boolean): void {
  const { thread, before } = touched;
  const events = touched.events?.all ?? [];
  const isKnown = before !== null && isDoneAt(touched, versionOf(epoch, before.length), isEmitting);
  if (isKnown) marks.foldOn(before, events, thread, rulebook, epoch);
  else marks.fold(events, [thread], rulebook, epoch);
}

function touches({ keys, touchesAll }: LandedByOthers, concerned: ReadonlySet<number>): boolean {
  if (touchesAll) return true;
  for (const key of keys) if (concerned.has(key)) return true;
  return false;
}

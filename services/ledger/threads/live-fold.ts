import { z } from 'zod';
import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Database } from '../../clickhouse/database.ts';
import { LedgerAwayError } from '../../clickhouse/errors.ts';
import { EVENT_SELECTION, EventCells } from '../events/event-rows.ts';
import { keyOfMessage, keyOfThread } from '../events/keys.ts';
import { KnownKeys } from './known-keys.ts';
import { rankOf, unlistedRankOf, type LandingNumber } from '../events/landing.ts';
import { LANDED, LandingLog, type LandedByOthers } from '../events/landing-log.ts';
import { Batch, isLinked, type MessageKey, type Touched } from './live-batch.ts';
import { linkThreadsOf, readLinks, readNames } from './links.ts';
import { Marks, versionOf, type Emitter, type Footing } from '../marks/marks.ts';
import { ThreadCache, ThreadEvents, type RememberedThread } from './thread-cache.ts';
import { versionRow, VERSIONS_OF_THREADS } from './thread-states.ts';
import { landedUnder, threadText, type ThreadKey } from '../events/thread-key.ts';
import { Components, ofThreads } from './threads.ts';

/** What is asked of the ledger at once. */
const THREADS_PER_QUESTION = 5_000;
/** Batches that are begun again because the engine was replaced in the middle, or another process changed the ground. */
const ATTEMPTS = 8;

/** Landings whose events are all in memory, folded together. */
export interface LiveLandings {
  readonly numbers: readonly LandingNumber[];
  readonly events: readonly LedgerEvent[];
  /** Resolves when the events can be seen; with false when some of them were put aside. */
  readonly stored: Promise<boolean>;
}

/** Epoch and configuration as they are in the ledger. */
export interface Standing {
  readonly epoch: string;
  readonly hash: string;
}

export interface LiveOptions {
  readonly emitter: Emitter | null;
  /** What to fold under now. */
  readonly footing: () => Footing;
  /** Whether that is still what the ledger says; otherwise `footing` gives what it says from now on. */
  readonly stillHolds: (now: Standing) => Promise<boolean>;
}

const standingRow = z.object({ epoch: z.string(), hash: z.string(), landed: z.string() });

const STANDING = `
SELECT toString(epoch) AS epoch, hash, (${LANDED}) AS landed
FROM configuration FINAL ORDER BY configuration.epoch DESC LIMIT 1`;

/** A thread among threads that share messages. */
interface Member {
  readonly thread: ThreadKey;
  events: readonly LedgerEvent[] | null;
  links: readonly ThreadKey[] | null;
}

/** Threads that share messages, all of them: they are folded together. */
interface Component {
  readonly members: Member[];
}

/** A message of a batch that may be named by threads which are not known to share it. */
interface Doubtful {
  readonly message: MessageKey;
  /** Whether the ledger may hold events of it besides those of the batch. */
  readonly mayBeStored: boolean;
  /** The customers that its events name; the empty text for an event that names none. */
  readonly customers: Set<string>;
}

/**
 * Folds live traffic: batches that fit in memory, of threads that were mostly touched before or are new. Neither is
 * looked up. What is known of them holds as long as others do not land what touches them; after writing, the log of
 * landings says whether they did, and then the batch is folded again from what the ledger holds.
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
  /** Under which rank an event was read that was landed not long ago. */
  readonly #ranks = new WeakMap<LedgerEvent, string>();
  readonly #firstNumber: bigint;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(database: Database) {
    this.#database = database;
    this.#known = new KnownKeys(database);
    this.#log = new LandingLog(database);
    this.#firstNumber = BigInt(Date.now()) << 20n;
  }

  /**
   * Derives the marks of all threads that landings touched.
   * @returns how many of their events were new; null when they are not all in the ledger, and nothing was folded
   */
  fold(landings: LiveLandings, options: LiveOptions): Promise<number | null> {
    // Whoever waits for its turn has not asked for it yet.
    landings.stored.catch(() => undefined);
    const turn = this.#turn.then(() => this.#attempt(landings, options));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #attempt(landings: LiveLandings, options: LiveOptions): Promise<number | null> {
    let mustRead = false;
    let hasEntered = false;
    const entered = (): void => {
      hasEntered = true;
    };
    for (let attempt = 1; ; attempt++) {
      try {
        const outcome = await this.#settle(landings, options, mustRead, hasEntered ? null : entered);
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
  async #settle(
    landings: LiveLandings,
    options: LiveOptions,
    mustRead: boolean,
    entered: (() => void) | null,
  ): Promise<number | null | 'again'> {
    // Before anything is believed or read: what others land from here on is noticed.
    if (!this.#log.isFollowed) this.#heed(await this.#log.catchUp(await this.#log.look()));
    this.#known.keepLoaded();
    const batch = new Batch(landings.events);
    const unknown = this.#recall(batch, mustRead);
    const doubtful = this.#doubtful(batch, mustRead);
    // Before they are stored: whatever becomes of the landing, nobody must take them for new later.
    this.#known.add(batch.keys);

    const [isWhole] = await Promise.all([landings.stored, this.#ask(doubtful), this.#read(unknown, mustRead)]);
    if (!isWhole) {
      for (const { key } of batch.threads.values()) this.#cache.forget(key);
      return null;
    }
    const stored = this.#take(
      batch,
      new Set(landings.numbers.flatMap((number) => [rankOf(number).toString(), unlistedRankOf(number).toString()])),
    );
    const concerned = new Set(batch.keys);
    await this.#link(batch, doubtful, concerned);

    const footing = options.footing();
    const marks = new Marks(options.emitter);
    const alone = await this.#unfinished(batch, footing, options.emitter !== null);
    for (const touched of alone) foldAlone(touched, marks, footing, options.emitter !== null);
    const linked = (await this.#components(batch, mustRead)).flatMap(({ members }) => {
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
    const [[now]] = await Promise.all([
      this.#database.query(standingRow, STANDING),
      marks.writeDirt(this.#database),
      marks.emit(),
    ]);
    const landedByOthers = await this.#log.catchUp(now?.landed ?? '');
    this.#heed(landedByOthers);
    // What was read after the landing was entered is safe: who lands later sees the entry.
    if (entered !== null && touches(landedByOthers, concerned)) return 'again';
    if (now !== undefined && !(await options.stillHolds(now))) return 'again';
    await marks.writeDone(this.#database);
    this.#remember(batch, alone, linked, landedByOthers, footing, options.emitter !== null);
    return stored;
  }

  /** Forgets what others touched. */
  #heed({ keys, touchesAll }: LandedByOthers): void {
    for (const key of keys) this.#cache.forget(key);
    this.#known.add(keys);
    if (!touchesAll) return;
    this.#cache.clear();
    this.#known.forget();
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
        touched.folded = remembered.folded;
        touched.emitted = remembered.emitted;
        continue;
      }
      // A message without a customer is a thread of its own, and as new as itself.
      const isNew = !this.#known.mayHave(thread.customer === '' ? keyOfMessage(landed[0] as LedgerEvent) : key);
      if (isNew && !mustRead) touched.events = new ThreadEvents([]);
      else unknown.push(touched);
    }
    return unknown;
  }

  /** Messages that are new to some thread of the batch, so that they may be named by another. */
  #doubtful(batch: Batch, mustRead: boolean): Doubtful[] {
    const doubtful: Doubtful[] = [];
    for (const { message, threads } of batch.messages) {
      // Known under its threads already: whoever named it otherwise, then or later, has linked them.
      if ([...threads].every(({ events }) => events?.hasMessage(message.id) === true)) continue;
      const mayBeStored = mustRead || this.#known.mayHave(keyOfMessage(message));
      doubtful.push({
        message,
        mayBeStored,
        customers: new Set([...threads].map(({ thread }) => thread.customer)),
      });
    }
    return doubtful;
  }

  /** Asks what else doubtful messages are named by. */
  async #ask(doubtful: readonly Doubtful[]): Promise<void> {
    const asked = doubtful.filter(({ mayBeStored }) => mayBeStored);
    const names = await readNames(
      this.#database,
      asked.map(({ message }) => message),
    );
    asked.forEach(({ customers }, i) => {
      for (const customer of names[i] ?? []) customers.add(customer);
    });
  }

  /**
   * Reads threads whole, with their links.
   * @param isDoubted whether others may be at work on them: then nothing can be said of what was there before
   */
  async #read(unknown: readonly Touched[], isDoubted: boolean): Promise<void> {
    const byName = new Map(unknown.map((touched) => [threadText(touched.thread), touched]));
    for (let from = 0; from < unknown.length; from += THREADS_PER_QUESTION) {
      const slice = unknown.slice(from, from + THREADS_PER_QUESTION);
      const threads = slice.map(({ thread }) => thread);
      const [events, links] = await Promise.all([
        this.#eventsOf(threads),
        readLinks(this.#database, threads),
        isDoubted ? undefined : this.#askVersions(slice),
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

  /** All events of threads, each row once. Not FINAL: finding copies is cheaper here than merging parts there. */
  async #eventsOf(threads: readonly ThreadKey[]): Promise<Map<string, readonly LedgerEvent[]>> {
    const byThread = new Map<string, ThreadEvents>();
    if (threads.length === 0) return new Map();
    const { where, parameters } = ofThreads(threads);
    // The rank is asked for where one of this process's landings may have it.
    const blocks = this.#database.streamBlocks(
      `SELECT ${EVENT_SELECTION}, if(landing_rank <= {newest:UInt64}, toString(landing_rank), '') AS late_rank
       FROM events WHERE ${where}`,
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
    return new Map([...byThread].map(([name, events]) => [name, events.all]));
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
   * @param ranks of the landings that they came with
   * @returns how many those were the first to store
   */
  #take(batch: Batch, ranks: ReadonlySet<string>): number {
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

  /**
   * Links the threads of messages that several threads name.
   * @param concerned takes the hashes of threads that are linked now
   */
  async #link(batch: Batch, doubtful: readonly Doubtful[], concerned: Set<number>): Promise<void> {
    const linked = new Set<number>();
    const shared = doubtful.filter(({ customers }) => customers.size > 1);
    for (const { message, customers } of shared) {
      const { phone_number_id, id } = message;
      for (const customer of customers)
        linked.add(keyOfThread({ phone_number_id, customer, nameless_id: customer === '' ? id : '' }));
    }
    if (linked.size === 0) return;
    // Whether the batch names the message under it or under others.
    for (const touched of batch.threads.values()) if (linked.has(touched.key)) touched.links = null;
    await linkThreadsOf(
      this.#database,
      shared.map(({ message }) => message),
    );
    // Who believes that one of them is alone must hear of it before more is read here.
    await this.#log.enter([...linked]);
    for (const key of linked) {
      this.#cache.forget(key);
      concerned.add(key);
    }
  }

  /**
   * The threads that share messages with threads of the batch, however far that reaches.
   * @param mustRead whether nothing is to be taken from memory
   */
  async #components(batch: Batch, mustRead: boolean): Promise<Component[]> {
    const components = new Components();
    const found = new Map<string, Member>();
    let frontier: Member[] = [...batch.threads.values()]
      .filter(isLinked)
      .map(({ thread, events, links }) => ({ thread, links, events: events?.all ?? null }));
    for (const member of frontier) found.set(threadText(member.thread), member);
    while (frontier.length > 0) {
      const unknown = frontier.filter(({ links }) => links === null);
      const links = await readLinks(
        this.#database,
        unknown.map(({ thread }) => thread),
      );
      for (const member of unknown) member.links = links.get(threadText(member.thread)) ?? [];
      const next: Member[] = [];
      for (const { thread, links } of frontier)
        for (const other of links ?? []) {
          const name = threadText(other);
          components.join(threadText(thread), name);
          if (found.has(name)) continue;
          const remembered = mustRead ? null : this.#cache.get(other);
          const member = { thread: other, links: remembered?.links ?? null, events: remembered?.events ?? null };
          found.set(name, member);
          next.push(member);
        }
      frontier = next;
    }
    const missing = [...found.values()].filter(({ events }) => events === null).map(({ thread }) => thread);
    const read = await this.#eventsOf(missing);
    const byRoot = new Map<string, Component>();
    for (const [name, member] of found) {
      member.events ??= read.get(name) ?? [];
      const root = components.find(name);
      const component = byRoot.get(root);
      if (component === undefined) byRoot.set(root, { members: [member] });
      else component.members.push(member);
    }
    return [...byRoot.values()];
  }

  /**
   * Threads to be folded by themselves: those that brought something new, or are not known to be done. A thread that has
   * new events is not asked about: at worst another writer has folded it with them already, and the same rows are
   * written again.
   */
  async #unfinished(batch: Batch, footing: Footing, isEmitting: boolean): Promise<Touched[]> {
    const alone = [...batch.threads.values()].filter((touched) => !isLinked(touched));
    const isDone = (touched: Touched): boolean =>
      isDoneAt(touched, versionOf(footing.epoch, touched.events?.all.length ?? 0), isEmitting);
    const hasNews = ({ thread, hasNews }: Touched): boolean => hasNews || thread.customer === '';
    await this.#askVersions(alone.filter((touched) => !hasNews(touched) && !isDone(touched)));
    return alone.filter((touched) => hasNews(touched) || !isDone(touched));
  }

  /** Asks at which versions threads were folded and emitted; of a message without a customer that is not asked. */
  async #askVersions(threads: readonly Touched[]): Promise<void> {
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
        keep(thread, { events: events.all, links: links ?? [], folded, emitted });
    }
    for (const { thread, events, links } of linked)
      if (events !== null && links !== null) keep(thread, { events, links, folded: null, emitted: null });
  }
}

/** Whether the marks of a thread are in the ledger at a version, and also sent where marks are sent. */
function isDoneAt({ folded, emitted }: Touched, version: string, isEmitting: boolean): boolean {
  // What was emitted was stored before.
  return emitted === version || (!isEmitting && folded === version);
}

/**
 * Folds a thread that shares no message. Only the rows that became others are written where it is known what is there; should
 * another writer be at work on the thread, one of both sees the other in the log of landings, and writes all rows.
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

import { z } from 'zod';
import type { Rulebook } from '../lifecycle/rulebook.ts';
import type { Database } from './database.ts';
import { rankOf, type LandingNumber } from './landing.ts';
import { Marks, versionOf, type Emitter } from './marks.ts';
import { readComponents, readThreads, threadText, type EventsByThread, type ThreadKey } from './threads.ts';

/** Threads whose events are held together in memory. */
const THREADS_PER_SLICE = 3_000;
/** Free text (context, errors, …) of events that are held together in memory; other columns are short. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;
/** Names of touched threads that are listed at once: listing them reads all that the landing touched. */
const THREADS_PER_PAGE = 20 * THREADS_PER_SLICE;

/** What the fold works under; asked anew after writing, because another process may have changed it. */
export interface Footing {
  readonly epoch: bigint;
  readonly rulebook: Rulebook;
}

const threadRow = z.object({ phone_number_id: z.string(), customer: z.string() });

const stateRow = threadRow.extend({
  events: z.coerce.number(),
  landed: z.coerce.number(),
  bytes: z.coerce.number(),
  folded: z.string(),
  emitted: z.string(),
  is_linked: z.number(),
});

const TOUCHED_THREADS = `
SELECT DISTINCT phone_number_id, customer FROM touched
WHERE landing = {landing:UInt64} AND customer != ''
  AND (phone_number_id, customer) > ({after_number:String}, {after_customer:String})
ORDER BY phone_number_id, customer LIMIT {limit:UInt32}`;

/**
 * For some threads: how many events they have, how many of those a landing was the first to store, the version that
 * their marks carry, and whether they share a message with another thread.
 */
const STATE_OF_THREADS = `
WITH slice AS (SELECT arrayJoin(arrayZip({numbers:Array(String)}, {customers:Array(String)})))
SELECT t.phone_number_id AS phone_number_id, t.customer AS customer, t.events AS events, t.landed AS landed, t.bytes AS bytes,
    toString(f.version) AS folded, toString(e.version) AS emitted,
    (t.phone_number_id, t.customer) IN
        (SELECT phone_number_id, customer FROM thread_links WHERE (phone_number_id, customer) IN slice) AS is_linked
FROM
(
    SELECT phone_number_id, customer, count() AS events, countIf(landing_rank = {rank:UInt64}) AS landed,
        sum(length(context) + length(sender) + length(errors) + length(referral_headline) + length(referral_body)) AS bytes
    FROM events FINAL
    WHERE (phone_number_id, customer) IN slice
    GROUP BY phone_number_id, customer
) AS t
LEFT JOIN
(
    SELECT phone_number_id, customer, max(version) AS version
    FROM folded_threads
    WHERE (phone_number_id, customer) IN slice AND nameless_id = ''
    GROUP BY phone_number_id, customer
) AS f ON t.phone_number_id = f.phone_number_id AND t.customer = f.customer
LEFT JOIN
(
    SELECT phone_number_id, customer, max(version) AS version
    FROM emitted_threads
    WHERE (phone_number_id, customer) IN slice AND nameless_id = ''
    GROUP BY phone_number_id, customer
) AS e ON t.phone_number_id = e.phone_number_id AND t.customer = e.customer
SETTINGS do_not_merge_across_partitions_select_final = 1`;

const versionRow = z.object({ what: z.enum(['folded', 'emitted', 'shared']), thread: threadRow, version: z.string() });

/**
 * For some named threads the versions that their marks carry and that were emitted; and one row `shared` when the events
 * of some message of a landing name several customers.
 */
const VERSIONS_OF_THREADS = `
WITH slice AS (SELECT arrayJoin(arrayZip({numbers:Array(String)}, {customers:Array(String)})))
SELECT 'folded' AS what, CAST((phone_number_id, customer), 'Tuple(phone_number_id String, customer String)') AS thread,
    toString(max(version)) AS version
FROM folded_threads WHERE (phone_number_id, customer) IN slice AND nameless_id = '' GROUP BY phone_number_id, customer
UNION ALL
SELECT 'emitted', CAST((phone_number_id, customer), 'Tuple(phone_number_id String, customer String)'), toString(max(version))
FROM emitted_threads WHERE (phone_number_id, customer) IN slice AND nameless_id = '' GROUP BY phone_number_id, customer
UNION ALL
SELECT 'shared', CAST(('', ''), 'Tuple(phone_number_id String, customer String)'), '0'
FROM
(
    SELECT message_key FROM message_names
    WHERE message_key IN (SELECT message_key FROM touched WHERE landing = {landing:UInt64})
    GROUP BY message_key HAVING uniqExact(customer) > 1 LIMIT 1
)`;

const linkRow = threadRow.extend({ nameless_id: z.string(), other_customer: z.string() });

/** The links of some threads: by name, and of messages that name no customer by the message. */
const LINKS_OF_THREADS = `
SELECT DISTINCT phone_number_id, customer, '' AS nameless_id, other_customer
FROM thread_links
WHERE customer != ''
  AND (phone_number_id, customer) IN (SELECT arrayJoin(arrayZip({numbers:Array(String)}, {customers:Array(String)})))
UNION ALL
SELECT DISTINCT l.phone_number_id, '' AS customer, m.id AS nameless_id, l.other_customer
FROM thread_links AS l
INNER JOIN
(
    SELECT tupleElement(pair, 1) AS phone_number_id, tupleElement(pair, 2) AS id, sipHash64(phone_number_id, id) AS message_key
    FROM (SELECT arrayJoin(arrayZip({nameless_numbers:Array(String)}, {nameless_ids:Array(String)})) AS pair)
) AS m ON l.phone_number_id = m.phone_number_id AND l.message_key = m.message_key
WHERE l.customer = '' AND (l.phone_number_id, l.message_key) IN
    (SELECT tupleElement(pair, 1), sipHash64(tupleElement(pair, 1), tupleElement(pair, 2))
     FROM (SELECT arrayJoin(arrayZip({nameless_numbers:Array(String)}, {nameless_ids:Array(String)})) AS pair))`;

const namelessRow = z.object({
  phone_number_id: z.string(),
  id: z.string(),
  landed: z.coerce.number(),
  other_customers: z.array(z.string()),
});

const NEXT_NAMELESS = `
WITH slice AS
(
    SELECT DISTINCT phone_number_id, nameless_id FROM touched
    WHERE landing = {landing:UInt64} AND customer = ''
      AND (phone_number_id, nameless_id) > ({after_number:String}, {after_id:String})
    ORDER BY phone_number_id, nameless_id LIMIT {limit:UInt32}
)
SELECT t.phone_number_id AS phone_number_id, t.id AS id, t.landed AS landed,
    groupUniqArrayIf(l.other_customer, l.other_customer != '') AS other_customers
FROM
(
    SELECT phone_number_id, id, sipHash64(phone_number_id, id) AS message_key,
        countIf(landing_rank = {rank:UInt64}) AS landed
    FROM events FINAL
    WHERE (phone_number_id, customer, id) IN (SELECT phone_number_id, '', nameless_id FROM slice)
    GROUP BY phone_number_id, id
) AS t
LEFT JOIN
(
    SELECT phone_number_id, message_key, other_customer FROM thread_links
    WHERE customer = '' AND (phone_number_id, message_key) IN
        (SELECT phone_number_id, sipHash64(phone_number_id, nameless_id) FROM slice)
) AS l ON t.phone_number_id = l.phone_number_id AND t.message_key = l.message_key
GROUP BY t.phone_number_id, t.id, t.landed, t.message_key
ORDER BY phone_number_id, id
SETTINGS do_not_merge_across_partitions_select_final = 1`;

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
  readonly #footing: Footing;
  readonly #onProgress: (threads: number) => void;
  #threads = 0;
  /** The last write under way: the engine stores marks while this process folds the next threads. */
  #writing: Promise<void> = Promise.resolve();

  constructor(
    database: Database,
    touched: Touched,
    footing: Footing,
    emitter: Emitter | null = null,
    onProgress: (threads: number) => void = () => undefined,
  ) {
    this.#database = database;
    this.#touched = touched;
    this.#landing = touched.landing;
    this.#footing = footing;
    this.#emitter = emitter;
    this.#onProgress = onProgress;
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

  /** Any number of threads, looked up and folded slice by slice. */
  async #many(): Promise<number> {
    await this.#linkThreads();
    const stored = await this.#named();
    return stored + (this.#touched.hasNameless ? await this.#nameless() : 0);
  }

  /**
   * Links the threads of messages whose events name several customers. Names are stored with the landing, before they
   * are looked at here, so of two writers that name one message differently at least one sees both.
   */
  async #linkThreads(): Promise<void> {
    await this.#database.command(
      `INSERT INTO thread_links
       WITH shared AS
       (
           SELECT message_key FROM message_names
           WHERE message_key IN (SELECT message_key FROM touched WHERE landing = {landing:UInt64})
           GROUP BY message_key HAVING uniqExact(customer) > 1
       )
       SELECT DISTINCT a.phone_number_id, a.customer, a.message_key, b.customer, b.nameless_id
       FROM (SELECT * FROM message_names WHERE message_key IN shared) AS a
       INNER JOIN (SELECT * FROM message_names WHERE message_key IN shared) AS b
           ON a.message_key = b.message_key AND a.phone_number_id = b.phone_number_id
       WHERE a.customer != b.customer`,
      { landing: this.#landing.toString() },
    );
  }

  /** Few threads, whose names are known: everything about them is asked for at once. For live traffic. */
  async #few(threads: readonly ThreadKey[]): Promise<number> {
    const byName = threads.filter((thread) => thread.customer !== '');
    const nameless = threads.filter((thread) => thread.customer === '');
    const names = {
      numbers: byName.map((thread) => thread.phone_number_id),
      customers: byName.map((thread) => thread.customer),
    };
    const readLinks = (): Promise<z.infer<typeof linkRow>[]> =>
      this.#database.query(linkRow, LINKS_OF_THREADS, {
        ...names,
        nameless_numbers: nameless.map((thread) => thread.phone_number_id),
        nameless_ids: nameless.map((thread) => thread.nameless_id),
      });
    const [{ byThread, landed }, versions, knownLinks] = await Promise.all([
      readThreads(this.#database, threads, rankOf(this.#landing)),
      this.#database.query(versionRow, VERSIONS_OF_THREADS, { ...names, landing: this.#landing.toString() }),
      readLinks(),
    ]);
    let links = knownLinks;
    if (versions.some((row) => row.what === 'shared')) {
      await this.#linkThreads();
      links = await readLinks();
    }
    const linked = new Map<string, ThreadKey>();
    const isLinked = new Set<string>();
    for (const { phone_number_id, customer, nameless_id, other_customer } of links) {
      isLinked.add(threadText({ phone_number_id, customer, nameless_id }));
      // A message without a customer goes with the threads that it links.
      const thread = named({ phone_number_id, customer: customer === '' ? other_customer : customer });
      linked.set(threadText(thread), thread);
    }
    const carried = { folded: new Map<string, string>(), emitted: new Map<string, string>() };
    for (const { what, thread, version } of versions)
      if (what !== 'shared') carried[what].set(threadText(named(thread)), version);
    const { epoch } = this.#footing;
    const alone = threads.filter((thread) => {
      const key = threadText(thread);
      if (isLinked.has(key)) return false;
      return this.#isStale(epoch, byThread.get(key)?.length ?? 0, carried.folded.get(key), carried.emitted.get(key));
    });
    await this.#fold(alone, [...linked.values()], byThread);
    this.#threads += threads.length;
    this.#onProgress(this.#threads);
    return landed;
  }

  /** Whether marks made of other events than a thread has now are stored, or were emitted last. */
  #isStale(epoch: bigint, events: number, folded: string | undefined, emitted: string | undefined): boolean {
    const version = versionOf(epoch, events);
    return folded !== version || (this.#emitter !== null && emitted !== version);
  }

  /** The threads that the landing touched, slice by slice in the order of their keys. */
  async *#slices(): AsyncGenerator<ThreadKey[]> {
    let after = { phone_number_id: '', customer: '' };
    for (;;) {
      const page = await this.#database.query(threadRow, TOUCHED_THREADS, {
        landing: this.#landing.toString(),
        after_number: after.phone_number_id,
        after_customer: after.customer,
        limit: THREADS_PER_PAGE,
      });
      const last = page.at(-1);
      if (last === undefined) return;
      after = last;
      for (let i = 0; i < page.length; i += THREADS_PER_SLICE) yield page.slice(i, i + THREADS_PER_SLICE).map(named);
      if (page.length < THREADS_PER_PAGE) return;
    }
  }

  async #stateOf(threads: readonly ThreadKey[]): Promise<z.infer<typeof stateRow>[]> {
    return this.#database.query(stateRow, STATE_OF_THREADS, {
      rank: rankOf(this.#landing).toString(),
      numbers: threads.map((thread) => thread.phone_number_id),
      customers: threads.map((thread) => thread.customer),
    });
  }

  async #named(): Promise<number> {
    let stored = 0;
    for await (const slice of this.#slices()) {
      const { epoch } = this.#footing;
      const states = await this.#stateOf(slice);
      for (const thread of states) stored += thread.landed;
      // A linked thread's version counts events of other threads too, so no count of its own tells that it is done.
      const stale = states.filter(
        (thread) => thread.is_linked === 1 || this.#isStale(epoch, thread.events, thread.folded, thread.emitted),
      );
      for (const some of byBytes(stale))
        await this.#fold(
          some.filter((thread) => thread.is_linked === 0).map(named),
          some.filter((thread) => thread.is_linked === 1).map(named),
        );
      this.#threads += slice.length;
      this.#onProgress(this.#threads);
    }
    return stored;
  }

  /** Messages that nothing names a customer of, each a thread of its own; linked ones go with the threads they link. */
  async #nameless(): Promise<number> {
    let stored = 0;
    let after = { phone_number_id: '', id: '' };
    for (;;) {
      const slice = await this.#database.query(namelessRow, NEXT_NAMELESS, {
        landing: this.#landing.toString(),
        rank: rankOf(this.#landing).toString(),
        after_number: after.phone_number_id,
        after_id: after.id,
        limit: THREADS_PER_SLICE,
      });
      const last = slice.at(-1);
      if (last === undefined) return stored;
      after = last;
      const alone: ThreadKey[] = [];
      const linked = new Map<string, ThreadKey>();
      for (const { phone_number_id, id, landed, other_customers } of slice) {
        stored += landed;
        if (other_customers.length === 0) alone.push({ phone_number_id, customer: '', nameless_id: id });
        for (const customer of other_customers) {
          const thread = named({ phone_number_id, customer });
          linked.set(threadText(thread), thread);
        }
      }
      await this.#fold(alone, [...linked.values()]);
      if (slice.length < THREADS_PER_SLICE) return stored;
    }
  }

  /**
   * Folds threads and hands their marks to the ledger.
   * @param alone threads that share no message with another
   * @param linked threads that do: they are folded with all those, and the version counts the events of all of them, so
   * that a message that moves from one to another gets a higher one
   * @param known events that were read already, of whole threads
   */
  async #fold(
    alone: readonly ThreadKey[],
    linked: readonly ThreadKey[],
    known: EventsByThread | null = null,
  ): Promise<void> {
    if (alone.length + linked.length === 0) return;
    const { epoch, rulebook } = this.#footing;
    const marks = new Marks(this.#emitter);
    const events = known ?? (await readThreads(this.#database, [...alone, ...linked])).byThread;
    for (const thread of alone) marks.fold(events.get(threadText(thread)) ?? [], [thread], rulebook, epoch);
    if (linked.length > 0)
      for (const together of await readComponents(this.#database, linked, events))
        marks.fold(together, [], rulebook, epoch);
    await this.#writing;
    this.#writing = marks.write(this.#database);
    this.#writing.catch(() => undefined);
  }
}

/** Threads in runs whose free texts fit in memory together. */
function* byBytes<T extends { readonly bytes: number }>(threads: readonly T[]): Generator<T[]> {
  let run: T[] = [];
  let bytes = 0;
  for (const thread of threads) {
    if (run.length > 0 && bytes + thread.bytes > MAX_TEXT_BYTES) {
      yield run;
      run = [];
      bytes = 0;
    }
    run.push(thread);
    bytes += thread.bytes;
  }
  if (run.length > 0) yield run;
}

function named(thread: { readonly phone_number_id: string; readonly customer: string }): ThreadKey {
  return { phone_number_id: thread.phone_number_id, customer: thread.customer, nameless_id: '' };
}

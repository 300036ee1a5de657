import { z } from 'zod';
import type { Database } from '../../clickhouse/database.ts';
import { LINKED_COUNT, LINKED_KEYS, STORED_COUNT, STORED_KEYS } from '../events/keys.ts';

const BITS_PER_KEY = 16;
/** With fewer bits for each key, too many unknown keys look known; then the filter is made again, larger. */
const LEAST_BITS_PER_KEY = 8;
const LEAST_BITS = 1 << 22;
/** 512 MiB. */
const MOST_BITS = 2 ** 32;
const HASHES = 5;
/** Share of the time that loading may take at most. */
const DUTY = 0.05;
const SHORTEST_PAUSE_MS = 10_000;

/** Spreads the bits of a hash; different seeds give independent hashes. */
function spread(key: number, seed: number): number {
  let h = Math.imul(key ^ seed, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A Bloom filter of 32-bit keys: every key that was added is found, and few others are. */
export class KeyFilter {
  readonly #words: Uint32Array;
  readonly #mask: number;
  #keys = 0;

  /** @param expected keys that it is made for; it may take as many again */
  constructor(expected: number) {
    let bits = LEAST_BITS;
    while (bits < expected * BITS_PER_KEY && bits < MOST_BITS) bits *= 2;
    this.#words = new Uint32Array(bits / 32);
    this.#mask = bits - 1;
  }

  get isFull(): boolean {
    return this.#keys * LEAST_BITS_PER_KEY > this.#mask && this.#mask + 1 < MOST_BITS;
  }

  add(key: number): void {
    let bit = spread(key, 0x9e3779b9);
    const step = spread(key, 0x7f4a7c15) | 1;
    let isNew = false;
    for (let i = 0; i < HASHES; i++, bit = (bit + step) >>> 0) {
      const at = (bit & this.#mask) >>> 5;
      const word = this.#words[at] ?? 0;
      const changed = word | (1 << (bit & 31));
      if (changed >>> 0 !== word) isNew = true;
      this.#words[at] = changed;
    }
    if (isNew) this.#keys += 1;
  }

  has(key: number): boolean {
    let bit = spread(key, 0x9e3779b9);
    const step = spread(key, 0x7f4a7c15) | 1;
    for (let i = 0; i < HASHES; i++, bit = (bit + step) >>> 0)
      if ((((this.#words[(bit & this.#mask) >>> 5] ?? 0) >>> (bit & 31)) & 1) === 0) return false;
    return true;
  }
}

interface Filters {
  /** Threads and messages. */
  readonly stored: KeyFilter;
  /** Threads with a customer that share messages with others. */
  readonly linked: KeyFilter;
}

/** Keys that were added while the filters were loaded, perhaps too late to be read. */
interface Added {
  readonly stored: number[];
  readonly linked: number[];
}

/**
 * Which threads and messages the ledger may know, and which threads it may have linked, so that the others need not be
 * looked up. Loaded in the background; until then everything may be known and linked. A writer adds the keys that it
 * lands and links, and says when others landed keys that it does not know.
 */
export class KnownKeys {
  readonly #database: Database;
  #filters: Filters | null = null;
  #added: Added | null = null;
  #loading: Promise<Filters> | null = null;
  #notBefore = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Whether something with this key may be in the ledger. */
  mayHave(key: number): boolean {
    return this.#filters === null || this.#filters.stored.has(key);
  }

  /** Whether a thread with a customer may share messages with others. */
  mayBeLinked(key: number): boolean {
    return this.#filters === null || this.#filters.linked.has(key);
  }

  /** Adds the keys of threads and messages. */
  add(keys: Iterable<number>): void {
    for (const key of keys) {
      this.#filters?.stored.add(key);
      this.#added?.stored.push(key);
    }
  }

  /** Adds the keys of threads that share messages. */
  addLinked(keys: Iterable<number>): void {
    for (const key of keys) {
      this.#filters?.linked.add(key);
      this.#added?.linked.push(key);
    }
  }

  /**
   * Other processes landed events without listing their threads: everything may be known until this is loaded again.
   */
  forget(): void {
    this.#filters = null;
    this.#added = null;
    this.#loading = null;
  }

  /**
   * Begins to load where that is due. Call it before the keys of a landing are added, and only while all that was
   * landed before has been added.
   */
  keepLoaded(): void {
    const isFull = this.#filters !== null && (this.#filters.stored.isFull || this.#filters.linked.isFull);
    if (this.#loading !== null || (this.#filters !== null && !isFull)) return;
    if (performance.now() < this.#notBefore) return;
    this.#notBefore = performance.now() + SHORTEST_PAUSE_MS;
    const added: Added = { stored: [], linked: [] };
    this.#added = added;
    const loading = this.#load();
    this.#loading = loading;
    loading.then(
      (filters) => {
        if (this.#loading !== loading) return;
        for (const key of added.stored) filters.stored.add(key);
        for (const key of added.linked) filters.linked.add(key);
        this.#filters = filters;
        this.#loading = null;
        this.#added = null;
      },
      () => {
        // Should it fail, every key may be known, and the ledger is asked, which is only slower.
        if (this.#loading === loading) this.#loading = this.#added = null;
      },
    );
  }

  /** Resolves when what is being loaded is loaded, or could not be. */
  async loaded(): Promise<void> {
    await this.#loading?.catch(() => undefined);
  }

  async #load(): Promise<Filters> {
    const began = performance.now();
    try {
      const linked = await this.#read(LINKED_COUNT, LINKED_KEYS);
      return { linked, stored: await this.#read(STORED_COUNT, STORED_KEYS) };
    } finally {
      const took = performance.now() - began;
      this.#notBefore = performance.now() + Math.max(SHORTEST_PAUSE_MS, took / DUTY);
    }
  }

  /** A filter of the keys that a statement gives. Other work goes on between two blocks of them. */
  async #read(counting: string, sql: string): Promise<KeyFilter> {
    const [expected] = await this.#database.query(z.object({ keys: z.coerce.number() }), counting);
    const filter = new KeyFilter(expected?.keys ?? 0);
    for await (const block of this.#database.streamBlocks(sql)) {
      const keys = block.number('key');
      for (let row = 0, last = -1; row < block.rows; row++) {
        const key = keys.at(row);
        if (key !== last) filter.add(key);
        last = key;
      }
    }
    return filter;
  }
}

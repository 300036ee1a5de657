import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { readBlocks } from '../../clickhouse/columns/reader.ts';
import type { EncodedBlock } from '../../clickhouse/columns/writer.ts';
import { EventCells } from './event-rows.ts';
import type { ThreadKey } from './thread-key.ts';

/** Bytes of blocks that are kept at most; reading them takes as much again. */
const MAX_BYTES = 256 * 1024 * 1024;
const FIRST_EVENTS = 1024;
const NONE = -1;

/** A block that can be read, and the place of its first row among all. */
interface OpenBlock {
  readonly cells: EventCells;
  readonly from: number;
}

/**
 * The events of one landing as they were sent, with the rows of each thread: a thread of which the ledger has no other
 * events need not be read back. Events without a customer are not listed.
 */
export class LandedBlocks {
  readonly #maxBytes: number;
  readonly #blocks: Buffer[] = [];
  #open: readonly OpenBlock[] | null = null;
  #bytes = 0;
  #rows = 0;
  /** Places in `#threads`, by number and customer. */
  readonly #places = new Map<string, Map<string, number>>();
  #lastNumber: string | null = null;
  #lastPlaces = new Map<string, number>();
  readonly #threads: ThreadKey[] = [];
  /** The last row of each thread. */
  readonly #lastRows: number[] = [];
  /** For each row the one before it in its thread. */
  #rowsBefore = new Int32Array(FIRST_EVENTS);

  constructor(maxBytes: number = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Notes the next row of the block that is being made. */
  add({ phone_number_id, customer }: LedgerEvent): void {
    const row = this.#rows++;
    if (row === this.#rowsBefore.length) {
      const grown = new Int32Array(2 * row);
      grown.set(this.#rowsBefore);
      this.#rowsBefore = grown;
    }
    if (customer === '') return;
    const places = this.#placesOf(phone_number_id);
    const place = places.get(customer);
    if (place === undefined) {
      places.set(customer, this.#threads.length);
      this.#threads.push({ phone_number_id, customer, nameless_id: '' });
      this.#lastRows.push(row);
      this.#rowsBefore[row] = NONE;
    } else {
      this.#rowsBefore[row] = this.#lastRows[place] ?? NONE;
      this.#lastRows[place] = row;
    }
  }

  #placesOf(phone_number_id: string): Map<string, number> {
    // Most events are of the number of the one before.
    if (phone_number_id === this.#lastNumber) return this.#lastPlaces;
    let places = this.#places.get(phone_number_id);
    if (places === undefined) this.#places.set(phone_number_id, (places = new Map<string, number>()));
    this.#lastNumber = phone_number_id;
    return (this.#lastPlaces = places);
  }

  /**
   * Keeps the block of the rows noted since the last one.
   * @returns whether there was room; without, this must not be used any more
   */
  keep({ chunks }: EncodedBlock): boolean {
    const block = Buffer.concat(chunks);
    this.#blocks.push(block);
    this.#bytes += block.length;
    return this.#bytes <= this.#maxBytes;
  }

  /** Reads the blocks as columns, which takes a while: it can be done while ClickHouse is asked something. */
  open(): void {
    this.#opened();
  }

  #opened(): readonly OpenBlock[] {
    if (this.#open !== null) return this.#open;
    const open: OpenBlock[] = [];
    let rows = 0;
    for (const block of readBlocks(this.#blocks)) {
      open.push({ cells: new EventCells(block), from: rows });
      rows += block.rows;
    }
    return (this.#open = open);
  }

  /**
   * The threads, those that began first first, with their events; copies are not removed. What was landed together is
   * read together, which spares the processor's caches.
   * @param isWanted whether a thread is read
   */
  *threads(
    isWanted: (thread: ThreadKey) => boolean,
  ): Generator<{ readonly thread: ThreadKey; readonly events: LedgerEvent[] }> {
    const blocks = this.#opened();
    for (const [place, thread] of this.#threads.entries()) {
      if (!isWanted(thread)) continue;
      const events: LedgerEvent[] = [];
      let at = blocks.length - 1;
      for (let row = this.#lastRows[place] ?? NONE; row !== NONE; row = this.#rowsBefore[row] ?? NONE) {
        while (at > 0 && (blocks[at]?.from ?? 0) > row) at -= 1;
        const block = blocks[at];
        if (block === undefined) break;
        events.push(block.cells.at(row - block.from));
      }
      yield { thread, events: events.reverse() };
    }
  }
}

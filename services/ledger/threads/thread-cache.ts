import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { isSameEvent } from '../events/event-rows.ts';
import { keyOfThread } from '../events/keys.ts';
import { threadText, type ThreadKey } from '../events/thread-key.ts';

/** Bytes that remembered threads may take together; the threads touched longest ago are forgotten first. */
const MAX_BYTES = 256 * 1024 * 1024;
/** Bytes of an event without its texts: its fields and the references to it. */
const BYTES_OF_EVENT = 640;
const BYTES_OF_THREAD = 320;
/** A thread with more events is read when it is needed: finding copies in it would cost more. */
const MAX_EVENTS_OF_THREAD = 400;
/** Events with longer free texts are not kept, nor are their threads. */
const MAX_TEXT_CHARS = 2_000;

/** Chars of texts that may be of any length. */
function textChars(event: LedgerEvent): number {
  const own =
    event.event === 'message'
      ? event.context.length + event.sender.length + event.referral_headline.length + event.referral_body.length
      : 0;
  return own + event.errors.length + event.tag.length;
}

/** Events of one thread, each row of `events` once. */
export class ThreadEvents {
  readonly #all: LedgerEvent[];
  /** Events by message; made when it is first needed. */
  #ofMessage: Map<string, LedgerEvent[]> | null = null;

  /** @param distinct events of which no two are the same row */
  constructor(distinct: readonly LedgerEvent[]) {
    this.#all = [...distinct];
  }

  get all(): readonly LedgerEvent[] {
    return this.#all;
  }

  #index(): Map<string, LedgerEvent[]> {
    if (this.#ofMessage !== null) return this.#ofMessage;
    const index = new Map<string, LedgerEvent[]>();
    for (const event of this.#all) {
      const of = index.get(event.id);
      if (of === undefined) index.set(event.id, [event]);
      else of.push(event);
    }
    return (this.#ofMessage = index);
  }

  hasMessage(id: string): boolean {
    return this.#index().has(id);
  }

  /**
   * Adds an event.
   * @returns the copy that was there already; null when there was none
   */
  add(event: LedgerEvent): LedgerEvent | null {
    const of = this.#index().get(event.id);
    const copy = of?.find((other) => isSameEvent(other, event)) ?? null;
    if (copy !== null) return copy;
    if (of === undefined) this.#index().set(event.id, [event]);
    else of.push(event);
    this.#all.push(event);
    return null;
  }
}

/** A thread that is whole in memory. */
export interface RememberedThread {
  /** All events that were landed under it. */
  readonly events: readonly LedgerEvent[];
  /** Threads that it shares messages or names with. */
  readonly links: readonly ThreadKey[];
  /** Whether it was folded with these events. */
  readonly isSettled: boolean;
  /** The version that its marks are known to carry in the ledger; null = not known. */
  readonly folded: string | null;
  /** The version that was emitted last; null = not known. */
  readonly emitted: string | null;
}

interface Kept extends RememberedThread {
  readonly name: string;
  readonly bytes: number;
}

/**
 * Recently touched threads, so that live traffic does not read them back. It holds all events of a thread that the
 * ledger holds, or none: its user must notice when others land, and forget the threads that they touched.
 */
export class ThreadCache {
  readonly #maxBytes: number;
  /** By the hash of the thread, because the log of landings names threads by it. */
  readonly #threads = new Map<number, Kept>();
  #bytes = 0;

  constructor(maxBytes: number = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether it is so full that further threads would soon displace others. */
  get isNearlyFull(): boolean {
    return this.#bytes > 0.9 * this.#maxBytes;
  }

  get(thread: ThreadKey): RememberedThread | null {
    const kept = this.#threads.get(keyOfThread(thread));
    return kept?.name === threadText(thread) ? kept : null;
  }

  /** Keeps a thread, unless it is too long for that. */
  keep(thread: ThreadKey, remembered: RememberedThread): void {
    const key = keyOfThread(thread);
    // Deleted first: the last touched is the last of the map.
    this.forget(key);
    const { events } = remembered;
    if (events.length > MAX_EVENTS_OF_THREAD) return;
    let bytes = BYTES_OF_THREAD * (1 + remembered.links.length) + events.length * BYTES_OF_EVENT;
    for (const event of events) {
      const chars = textChars(event);
      if (chars > MAX_TEXT_CHARS) return;
      // A string with characters beyond Latin-1 takes two bytes for each.
      bytes += 2 * chars;
    }
    this.#threads.set(key, { ...remembered, name: threadText(thread), bytes });
    this.#bytes += bytes;
    this.#evict();
  }

  /** @param key the hash of a thread */
  forget(key: number): void {
    const kept = this.#threads.get(key);
    if (kept === undefined) return;
    this.#threads.delete(key);
    this.#bytes -= kept.bytes;
  }

  clear(): void {
    this.#threads.clear();
    this.#bytes = 0;
  }

  #evict(): void {
    for (const [key] of this.#threads) {
      if (this.#bytes <= this.#maxBytes) return;
      this.forget(key);
    }
  }
}

import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { isSameEvent } from './event-rows.ts';
import { landedUnder, threadText, type ThreadKey } from './threads.ts';

/** Events that are remembered in all; the threads that were touched longest ago go first. */
const MAX_EVENTS = 200_000;
/** Longer threads are read when they are needed: finding copies in them would cost more. */
const MAX_EVENTS_OF_THREAD = 400;
/** Events with longer free texts are not kept, nor are their threads. */
const MAX_TEXT_CHARS = 2_000;

function isLong(event: LedgerEvent): boolean {
  const own =
    event.event === 'message'
      ? event.context.length + event.sender.length + event.referral_headline.length + event.referral_body.length
      : 0;
  return own + event.errors.length + event.tag.length > MAX_TEXT_CHARS;
}

/**
 * Events of recently touched threads, so that live traffic does not read them back. It holds nothing that the ledger
 * does not, so a thread of which it knows as many distinct events as the ledger counts is known whole; with fewer it is
 * read. Whoever else writes is noticed by that count, and nothing has to be told to a cache.
 */
export class ThreadCache {
  readonly #threads = new Map<string, LedgerEvent[]>();
  #events = 0;

  /** All events of a thread, if they are as many as the ledger counts; else null, and it must be read. */
  whole(thread: ThreadKey, count: number): readonly LedgerEvent[] | null {
    const known = this.#threads.get(threadText(thread));
    return known?.length === count ? known : null;
  }

  /** Adds events that are in the ledger now, to be seen by whoever asks it. */
  learn(events: readonly LedgerEvent[]): void {
    for (const event of events) {
      const key = threadText(landedUnder(event));
      const known = this.#threads.get(key);
      if (known?.some((other) => isSameEvent(other, event)) === true) continue;
      this.#set(key, known === undefined ? [event] : [...known, event]);
    }
    this.#evict();
  }

  /** What was read of a thread takes the place of what was known. */
  replace(thread: ThreadKey, events: readonly LedgerEvent[]): void {
    this.#set(threadText(thread), [...events]);
    this.#evict();
  }

  #set(key: string, events: LedgerEvent[]): void {
    this.#events -= this.#threads.get(key)?.length ?? 0;
    // Deleted first: the last touched is the last of the map.
    this.#threads.delete(key);
    if (events.length > MAX_EVENTS_OF_THREAD || events.some(isLong)) return;
    this.#threads.set(key, events);
    this.#events += events.length;
  }

  #evict(): void {
    for (const [key, events] of this.#threads) {
      if (this.#events <= MAX_EVENTS) return;
      this.#threads.delete(key);
      this.#events -= events.length;
    }
  }
}

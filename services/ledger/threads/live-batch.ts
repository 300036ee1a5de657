import { namesOfCustomer, type LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { keyOfMessage, keyOfThread } from '../events/keys.ts';
import { landedUnder, threadText, type ThreadKey } from '../events/thread-key.ts';
import type { ThreadEvents } from './thread-cache.ts';

export type MessageKey = Pick<LedgerEvent, 'phone_number_id' | 'id'>;

/** A thread that a batch touches. */
export interface Touched {
  readonly thread: ThreadKey;
  readonly key: number;
  readonly landed: LedgerEvent[];
  /** Its events in the ledger, those of the batch included once they are added; null = not known yet. */
  events: ThreadEvents | null;
  /** Its events before the batch; null = not known. */
  before: readonly LedgerEvent[] | null;
  /** Threads that it shares messages with; null = there are some, but they are not known. */
  links: readonly ThreadKey[] | null;
  /** Whether the batch brought an event that was not there. */
  hasNews: boolean;
  /** Whether it was folded with its events before the batch, and linked before that, as far as is remembered. */
  isSettled: boolean;
  /** The versions at which its marks were stored and emitted: empty = never, null = not known. */
  folded: string | null;
  emitted: string | null;
}

/** A thread of which nothing is known yet. */
export function unread(thread: ThreadKey): Touched {
  return {
    thread,
    key: keyOfThread(thread),
    landed: [],
    events: null,
    before: null,
    links: [],
    hasNews: false,
    isSettled: false,
    folded: null,
    emitted: null,
  };
}

/** Whether a thread shares messages with others, or may. */
export function isLinked({ links }: Touched): boolean {
  return links === null || links.length > 0;
}

/** What a batch touches. */
export class Batch {
  readonly threads = new Map<string, Touched>();
  /** Threads that name a message, by message. */
  readonly #namedBy = new Map<string, { readonly message: MessageKey; readonly threads: Set<Touched> }>();
  /** Hashes of all its threads and messages, and of the threads of all names that its events give. */
  readonly keys = new Set<number>();

  constructor(events: readonly LedgerEvent[]) {
    for (const event of events) {
      const thread = landedUnder(event);
      const name = threadText(thread);
      let touched = this.threads.get(name);
      if (touched === undefined) {
        touched = unread(thread);
        this.threads.set(name, touched);
        this.keys.add(touched.key);
      }
      touched.landed.push(event);
      for (const customer of namesOfCustomer(event))
        if (customer !== event.customer) this.keys.add(keyOfThread({ ...thread, customer }));
      const message = `${event.phone_number_id}\u0000${event.id}`;
      const named = this.#namedBy.get(message);
      if (named === undefined) {
        this.#namedBy.set(message, { message: event, threads: new Set([touched]) });
        this.keys.add(keyOfMessage(event));
      } else named.threads.add(touched);
    }
  }

  get messages(): Iterable<{ readonly message: MessageKey; readonly threads: ReadonlySet<Touched> }> {
    return this.#namedBy.values();
  }
}

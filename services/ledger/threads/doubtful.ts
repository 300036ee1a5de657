import { namesOfCustomer, type LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Database } from '../../clickhouse/database.ts';
import { keyOfMessage, keyOfThread } from '../events/keys.ts';
import { threadText, type ThreadKey } from '../events/thread-key.ts';
import type { KnownKeys } from './known-keys.ts';
import { readNames, type Shareable } from './links.ts';
import type { Batch, Touched } from './live-batch.ts';

/** A message or a name of a batch that may be shared by threads which are not known to share it. */
export interface Doubtful extends Shareable {
  /** Whether the ledger may hold events with it besides those of the batch. */
  readonly mayBeStored: boolean;
  /** The customers of the threads that share it; the empty text for an event of a message that names none. */
  readonly customers: Set<string>;
}

/**
 * Messages that are new to some thread of the batch, so that they may be named by another.
 * @param mustRead whether nothing is to be believed that is remembered
 */
export function doubtfulMessages(batch: Batch, known: KnownKeys, mustRead: boolean): Doubtful[] {
  const doubtful: Doubtful[] = [];
  for (const { message, threads } of batch.messages) {
    // Known under its threads already. Of a thread that was folded, the event that names another customer has linked them;
    // of another one, `doubtfulOfUnsettled` asks.
    if ([...threads].every(({ events }) => events?.hasMessage(message.id) === true)) continue;
    const mayBeStored = mustRead || known.mayHave(keyOfMessage(message));
    doubtful.push({
      phone_number_id: message.phone_number_id,
      kind: 'message',
      text: message.id,
      mayBeStored,
      customers: new Set([...threads].map(({ thread }) => thread.customer)),
    });
  }
  return doubtful;
}

/**
 * Names that are new to some thread of the batch (rules.md F9), so that another may have or give them.
 * @param isSettled whether it is certain that a thread was folded with the events that are remembered of it: then it was
 * linked by their names, too
 */
export function doubtfulNames(
  batch: Batch,
  known: KnownKeys,
  mustRead: boolean,
  isSettled: (touched: Touched) => boolean,
): Doubtful[] {
  const doubtful = new Map<string, Doubtful>();
  for (const touched of batch.threads.values()) {
    const { thread, landed, before } = touched;
    if (thread.customer === '') continue;
    const names = namesIn(landed);
    if (!mustRead && before !== null && isSettled(touched)) for (const name of namesIn(before)) names.delete(name);
    for (const name of names) {
      const named: ThreadKey = { ...thread, customer: name };
      const text = threadText(named);
      const other = doubtful.get(text);
      if (other !== undefined) other.customers.add(thread.customer);
      else
        doubtful.set(text, {
          phone_number_id: thread.phone_number_id,
          kind: 'name',
          text: name,
          mayBeStored: mustRead || known.mayHave(keyOfThread(named)),
          customers: new Set([thread.customer]),
        });
    }
  }
  return [...doubtful.values()];
}

/**
 * All messages and names of threads that are not known to have been folded with the events that they had before the batch.
 * A process that died between landing and folding leaves such threads, and with them links that nobody has noted. The
 * events that it landed may come again later than others of the thread, and are no news then.
 * @param isSettled as for {@link doubtfulNames}, of threads whose events are all known
 */
export function doubtfulOfUnsettled(batch: Batch, isSettled: (touched: Touched) => boolean): Doubtful[] {
  const doubtful: Doubtful[] = [];
  for (const touched of batch.threads.values()) {
    const { thread, events, before } = touched;
    if (events === null || before?.length === 0 || isSettled(touched)) continue;
    const { phone_number_id, customer } = thread;
    const add = (kind: Doubtful['kind'], text: string): void => {
      doubtful.push({ phone_number_id, kind, text, mayBeStored: true, customers: new Set([customer]) });
    };
    for (const id of new Set(events.all.map((event) => event.id))) add('message', id);
    if (customer !== '') for (const name of namesIn(events.all)) add('name', name);
  }
  return doubtful;
}

/** The names that events give their customers, those that they are landed under included. */
function namesIn(events: readonly LedgerEvent[]): Set<string> {
  const names = new Set<string>();
  let last: LedgerEvent | null = null;
  for (const event of events) {
    // Events of a thread nearly always give the same names.
    if (last?.wa_id === event.wa_id && last.user_id === event.user_id && isPlain(last) && isPlain(event)) continue;
    last = event;
    for (const name of namesOfCustomer(event)) names.add(name);
  }
  return names;
}

/** Whether an event can give no names but number and id. */
function isPlain(event: LedgerEvent): boolean {
  const hasChange = event.event === 'message' && event.identity_change !== '';
  return event.parent_user_id === '' && event.group_id === '' && !hasChange;
}

/** Asks by which other threads doubtful messages and names are shared. */
export async function askNames(database: Database, doubtful: readonly Doubtful[]): Promise<void> {
  const asked = doubtful.filter(({ mayBeStored }) => mayBeStored);
  const names = await readNames(database, asked);
  asked.forEach(({ customers }, i) => {
    for (const customer of names[i] ?? []) customers.add(customer);
  });
}

import type { Database } from '../../clickhouse/database.ts';
import { keyOfMessage } from '../events/keys.ts';
import type { KnownKeys } from './known-keys.ts';
import { readNames } from './links.ts';
import type { Batch, MessageKey } from './live-batch.ts';

/** A message of a batch that may be named by threads which are not known to share it. */
export interface Doubtful {
  readonly message: MessageKey;
  /** Whether the ledger may hold events of it besides those of the batch. */
  readonly mayBeStored: boolean;
  /** The customers that its events name; the empty text for an event that names none. */
  readonly customers: Set<string>;
}

/**
 * Messages that are new to some thread of the batch, so that they may be named by another.
 * @param mustRead whether nothing is to be believed that is remembered
 */
export function doubtfulMessages(batch: Batch, known: KnownKeys, mustRead: boolean): Doubtful[] {
  const doubtful: Doubtful[] = [];
  for (const { message, threads } of batch.messages) {
    // Known under its threads already: the event that names another customer has linked them.
    if ([...threads].every(({ events }) => events?.hasMessage(message.id) === true)) continue;
    const mayBeStored = mustRead || known.mayHave(keyOfMessage(message));
    doubtful.push({
      message,
      mayBeStored,
      customers: new Set([...threads].map(({ thread }) => thread.customer)),
    });
  }
  return doubtful;
}

/** Asks what else doubtful messages are named by. */
export async function askNames(database: Database, doubtful: readonly Doubtful[]): Promise<void> {
  const asked = doubtful.filter(({ mayBeStored }) => mayBeStored);
  const names = await readNames(
    database,
    asked.map(({ message }) => message),
  );
  asked.forEach(({ customers }, i) => {
    for (const customer of names[i] ?? []) customers.add(customer);
  });
}

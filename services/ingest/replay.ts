import { DeadLetters, markReplayed, type DeadLetter } from '../ledger/events/dead-letters.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { readBytes } from './value.ts';

/** What became of dead letters that were tried again. */
export interface ReplayCounts {
  readonly letters: number;
  /** Letters whose events are all in the ledger now. */
  readonly replayed: number;
  /** Letters that still hold an event that cannot be used; they are kept. */
  readonly still_rejected: number;
}

/** Batches of letters, each with the time when it was first seen in Unix milliseconds. */
export type LetterBatches = AsyncIterable<readonly { readonly letter: DeadLetter; readonly firstSeenMs: number }[]>;

/**
 * Tries letters again, after a fix. A letter is done when all of its events can be used. A letter from elsewhere than
 * the ledger's table that is not done is kept in that table.
 */
export async function replayLetters(ledger: Ledger, batches: LetterBatches): Promise<ReplayCounts> {
  let letters = 0;
  let replayed = 0;
  for await (const batch of batches) {
    const waiting = new DeadLetters(ledger.database);
    for (const { letter, firstSeenMs } of batch) {
      letters += 1;
      const outcomes = readBytes(letter.raw, Math.floor(Date.now() / 1000));
      const events = outcomes.flatMap((outcome) => (outcome.kind === 'event' ? [outcome.event] : []));
      let refused = 0;
      const putAside = (some: readonly DeadLetter[]): Promise<void> => {
        refused += some.length;
        return Promise.resolve();
      };
      if (events.length > 0) await ledger.record(events, { putAside });
      // The letter also keeps the events that ClickHouse refuses.
      if (events.length < outcomes.length || refused > 0) {
        await waiting.add(letter, firstSeenMs);
        continue;
      }
      await markReplayed(ledger.database, letter, firstSeenMs);
      replayed += 1;
    }
    await waiting.flush();
  }
  return { letters, replayed, still_rejected: letters - replayed };
}

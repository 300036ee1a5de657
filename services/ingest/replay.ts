import { markReplayed, waitingDeadLetters } from '../ledger/dead-letters.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { readBytes } from './value.ts';

/** What became of the waiting dead letters. */
export interface ReplayCounts {
  readonly letters: number;
  /** Letters whose every event is in the ledger now. */
  readonly replayed: number;
  /** Letters that still hold something unusable; they keep waiting. */
  readonly still_rejected: number;
}

/** Tries every waiting dead letter again, after a fix. A letter is done when all of its events can be used. */
export async function replayDeadLetters(ledger: Ledger): Promise<ReplayCounts> {
  let letters = 0;
  let replayed = 0;
  for await (const batch of waitingDeadLetters(ledger.database)) {
    for (const { letter, firstSeenMs } of batch) {
      letters += 1;
      const outcomes = readBytes(letter.raw, Math.floor(Date.now() / 1000));
      const events = outcomes.flatMap((outcome) => (outcome.kind === 'event' ? [outcome.event] : []));
      if (events.length > 0) await ledger.record(events);
      if (events.length < outcomes.length) continue;
      await markReplayed(ledger.database, letter, firstSeenMs);
      replayed += 1;
    }
  }
  return { letters, replayed, still_rejected: letters - replayed };
}

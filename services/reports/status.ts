import type { LedgerStatus } from '@ctwa-ledger/schemas/reports.ts';
import { countDeadLetters } from '../ledger/dead-letters.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { dirtyCells } from '../ledger/summaries.ts';

/** How fresh and complete a ledger is; `source` and `loading_sample` are the caller's to say. */
export async function freshness(ledger: Ledger): Promise<Omit<LedgerStatus, 'source' | 'loading_sample'>> {
  const [extent, dead_letters, cells_behind] = await Promise.all([
    ledger.extent(),
    countDeadLetters(ledger.reading),
    dirtyCells(ledger.reading),
  ]);
  return {
    events: extent.events,
    first_event_at: extent.first_at,
    last_event_at: extent.last_at,
    dead_letters,
    cells_behind,
  };
}

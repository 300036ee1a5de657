import { z } from 'zod';
import type { Account } from '@ctwa-ledger/schemas/config.ts';
import { compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import type { LedgerStatus } from '@ctwa-ledger/schemas/reports.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database } from '../clickhouse/database.ts';
import { countDeadLetters } from '../ledger/events/dead-letters.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { dirtyCells } from '../ledger/derived/summaries.ts';
import { dirtyChargeHours } from '../rating/charges.ts';

/** The zones of accounts, the most frequent first. */
function zonesOf(accounts: readonly Account[]): string[] {
  const counts = new Map<string, number>();
  for (const { time_zone } of accounts)
    if (time_zone !== undefined) counts.set(time_zone, (counts.get(time_zone) ?? 0) + 1);
  return [...counts].sort(([one, a], [other, b]) => b - a || compareUtf8(one, other)).map(([zone]) => zone);
}

/** Small landings are in the log of landings, large ones in `touched`. */
async function lastStoredAt(database: Database): Promise<number | null> {
  const row = z.object({ at: z.number() });
  const [stored] = await database.query(
    row,
    `SELECT toUnixTimestamp(greatest(
       (SELECT max(touched_at) FROM touched), (SELECT toDateTime(max(landed_at), 'UTC') FROM landing_log))) AS at`,
  );
  return stored?.at || null;
}

/** How current and complete a ledger is; the caller adds `source` and `loading_sample`. */
export async function freshness(ledger: Ledger): Promise<Omit<LedgerStatus, 'source' | 'loading_sample'>> {
  const [extent, last_stored_at, dead_letters, cells_behind, charge_hours_behind, configuration] = await Promise.all([
    ledger.extent(),
    lastStoredAt(ledger.reading),
    countDeadLetters(ledger.reading),
    dirtyCells(ledger.reading),
    dirtyChargeHours(ledger.reading),
    readConfiguration(ledger.reading),
  ]);
  return {
    events: extent.events,
    first_event_at: extent.first_at,
    last_event_at: extent.last_at,
    last_stored_at,
    dead_letters,
    cells_behind,
    charge_hours_behind,
    account_zones: zonesOf(configuration?.accounts ?? []),
  };
}

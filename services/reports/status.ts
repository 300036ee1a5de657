import { z } from 'zod';
import type { Account } from '@ctwa-ledger/schemas/config.ts';
import { compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import type { LedgerStatus } from '@ctwa-ledger/schemas/reports.ts';
import { savedViewRow } from '@ctwa-ledger/schemas/views.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database } from '../clickhouse/database.ts';
import { countDeadLetters } from '../ledger/events/dead-letters.ts';
import { extentOf } from '../ledger/events/extent.ts';
import { dirtyCells } from '../ledger/derived/summaries.ts';
import { dirtyChargeHours } from '../rating/charges.ts';
import { VIEWS_SQL } from './views.ts';

/** The zones of accounts, the most frequent first. */
function zonesOf(accounts: readonly Account[]): string[] {
  const counts = new Map<string, number>();
  for (const { time_zone } of accounts)
    if (time_zone !== undefined) counts.set(time_zone, (counts.get(time_zone) ?? 0) + 1);
  return [...counts].sort(([one, a], [other, b]) => b - a || compareUtf8(one, other)).map(([zone]) => zone);
}

const storedRow = z.object({ at: z.number(), views: z.array(savedViewRow) });

/**
 * When something was last stored, Unix seconds, and the saved views. Small landings are in the log of landings, large
 * ones in `touched`.
 */
async function readStored(database: Database): Promise<z.infer<typeof storedRow>> {
  const [stored] = await database.query(
    storedRow,
    `SELECT toUnixTimestamp(greatest(
       (SELECT max(touched_at) FROM touched), (SELECT toDateTime(max(landed_at), 'UTC') FROM landing_log))) AS at,
       ${VIEWS_SQL} AS views`,
  );
  return stored ?? { at: 0, views: [] };
}

/** How current and complete a ledger is; the caller adds what it knows of the sample data. */
export async function freshness(
  database: Database,
): Promise<Omit<LedgerStatus, 'source' | 'loading_sample' | 'has_own_data'>> {
  const [extent, stored, dead_letters, cells_behind, charge_hours_behind, configuration] = await Promise.all([
    extentOf(database),
    readStored(database),
    countDeadLetters(database),
    dirtyCells(database),
    dirtyChargeHours(database),
    readConfiguration(database),
  ]);
  return {
    events: extent.events,
    first_event_at: extent.first_at,
    last_event_at: extent.last_at,
    last_stored_at: stored.at || null,
    dead_letters,
    cells_behind,
    charge_hours_behind,
    account_zones: zonesOf(configuration?.accounts ?? []),
    accounts: (configuration?.accounts ?? []).map(({ waba_id, name = null, phone_numbers = [] }) => ({
      waba_id,
      name,
      numbers: phone_numbers,
    })),
    views: stored.views,
  };
}

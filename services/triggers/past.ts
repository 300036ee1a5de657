import type { TriggerDefinition, TriggerTest, WouldHaveFired } from '@ctwa-ledger/schemas/triggers.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { campaignsOfAds } from './campaigns.ts';
import { endOf, momentOf } from './deadlines.ts';
import { passes } from './matching.ts';

const WEEK_SECONDS = 7 * 86_400;
const MAX_SHOWN = 100;

const entryRow = z.object({
  phone_number_id: z.string(),
  entry_id: z.string(),
  customer: z.string(),
  entry_at: z.coerce.number(),
  ad_id: z.string(),
  source_url: z.string(),
  replied_at: z.coerce.number().nullable(),
  opened_at: z.coerce.number().nullable(),
  expires_at: z.coerce.number().nullable(),
});
type EntryRow = z.infer<typeof entryRow>;

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', '+00:00');
}

/** Whether a window of one thread was open at a time. */
function isOpen(rows: readonly EntryRow[], at: number): boolean {
  return rows.some(
    ({ opened_at, expires_at }) => opened_at !== null && expires_at !== null && opened_at <= at && at < expires_at,
  );
}

/**
 * The past messages for which a trigger would have fired, had each arrived when it was written. For deadlines this uses
 * what is known today.
 * @param days Unix seconds, `to` excluded
 */
export async function tryTrigger(
  database: Database,
  definition: TriggerDefinition,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<TriggerTest> {
  const [rows, campaigns] = await Promise.all([
    database.query(
      entryRow,
      `SELECT phone_number_id, entry_id, customer, toUInt32(entry_marks.entry_at) AS entry_at, ad_id, source_url,
          toUInt32(entry_marks.replied_at) AS replied_at, toUInt32(entry_marks.opened_at) AS opened_at,
          toUInt32(entry_marks.expires_at) AS expires_at
       FROM entry_marks FINAL
       WHERE is_retracted = 0 AND entry_marks.entry_at >= toDateTime({earliest:UInt32}, 'UTC')
         AND entry_marks.entry_at < toDateTime({to:UInt32}, 'UTC')`,
      // A window that ended in these days may belong to an earlier entry.
      { earliest: Math.max(0, from - 2 * WEEK_SECONDS), to },
    ),
    definition.filters.campaigns.length === 0 ? Promise.resolve(new Map<string, string>()) : campaignsOfAds(database),
  ]);
  const threads = new Map<string, EntryRow[]>();
  for (const row of rows) {
    const key = `${row.phone_number_id}\n${row.customer}`;
    threads.set(key, [...(threads.get(key) ?? []), row]);
  }
  const found: WouldHaveFired[] = [];
  for (const row of rows) {
    const at = timeOf(definition, row, threads.get(`${row.phone_number_id}\n${row.customer}`) ?? []);
    if (at === null || at < from || at >= to || !passes(definition, row, campaigns)) continue;
    const { phone_number_id, entry_id: message_id, customer, ad_id, source_url } = row;
    found.push({ phone_number_id, message_id, customer, entry_at: iso(row.entry_at), at: iso(at), ad_id, source_url });
  }
  found.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : a.message_id < b.message_id ? -1 : 1));
  return { from: iso(from), to: iso(to), fired: found.length, messages: found.slice(0, MAX_SHOWN) };
}

/** When it would have fired for an entry, in Unix seconds; null = never. */
function timeOf(definition: TriggerDefinition, row: EntryRow, thread: readonly EntryRow[]): number | null {
  const { kind } = definition;
  if (kind === 'arrival') return row.entry_at;
  const { opened_at, expires_at, replied_at } = row;
  const entry = {
    entry_at: row.entry_at,
    window: opened_at === null || expires_at === null ? null : { opened_at, expires_at },
  };
  const moment = momentOf(definition, entry);
  if (moment === null || endOf(kind, entry) === null) return null;
  const at = Math.ceil(moment / 1000);
  if (kind === 'unanswered' && ((replied_at !== null && replied_at <= at) || isOpen(thread, at))) return null;
  return at;
}

import { z } from 'zod';
import { REPLY_WITHIN_SECONDS } from '@ctwa-ledger/schemas/durations.ts';
import type { Database } from '../clickhouse/database.ts';
import type { Clock } from '../clickhouse/remembering.ts';

const nextRow = z.object({ next: z.number() });

/**
 * The first moment after a time at which a count changes although nothing is written: when an entry, or a conversation,
 * can no longer be answered within 24 h (rules.md 6), or a free entry window opens or expires (W9). Every use of the
 * parameter `as_of` compares it with one of these.
 * @returns Unix seconds; null = never
 */
async function nextChange(database: Database, after: number): Promise<number | null> {
  const pending = (at: string): string => `toUnixTimestamp(${at}) + ${REPLY_WITHIN_SECONDS}`;
  const [row] = await database.query(
    nextRow,
    `SELECT toUInt32(min(moment)) AS next
     FROM
     (
       SELECT arrayJoin([${pending('entry_at')}, ${pending('ifNull(conversation_last_entry_at, entry_at)')},
         toUnixTimestamp(ifNull(opened_at, entry_at)), toUnixTimestamp(ifNull(expires_at, entry_at))]) AS moment
       FROM entry_marks
       UNION ALL
       SELECT ${pending('arrayJoin(unreplied_last_entry_at)')} AS moment FROM summary_cells
     )
     WHERE moment > {after:UInt32}`,
    { after },
  );
  return row === undefined || row.next === 0 ? null : row.next;
}

/** How counts depend on the time that is asked for. */
export const CLOCK: Clock = { parameter: 'as_of', nextChange };

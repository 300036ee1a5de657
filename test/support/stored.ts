import { z } from 'zod';
import type { Database } from '../../services/clickhouse/database.ts';
import { waitingDeadLetters } from '../../services/ledger/events/dead-letters.ts';
import { NUMBER } from './product.ts';

export const AT = Date.UTC(2025, 9, 15, 12) / 1000;

export function message(id: string, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  const fields = { phone_number_id: NUMBER, wa_id: '16505551234', id: `wamid.${id}`, timestamp: String(AT) };
  return { event: 'message', direction: 'outbound', ...fields, type: 'text', ...more };
}

/** Waiting dead letters: reason and bytes by line. */
export async function lettersOf(database: Database): Promise<Map<number, { code: string; raw: Buffer }>> {
  const letters = new Map<number, { code: string; raw: Buffer }>();
  for await (const batch of waitingDeadLetters(database))
    for (const { letter } of batch) letters.set(letter.position, { code: letter.code, raw: letter.raw });
  return letters;
}

const idsSchema = z.object({ id: z.string() });

export async function messageIds(database: Database): Promise<string[]> {
  const rows = await database.query(idsSchema, 'SELECT message_id AS id FROM message_marks FINAL ORDER BY id');
  return rows.map((row) => row.id);
}

import { z } from 'zod';
import {
  mismatchesRow,
  mismatchRow,
  type MismatchesRow,
  type MismatchRow,
  type MismatchSort,
} from '@ctwa-ledger/schemas/bill.ts';
import type { AskedPage, PageOf, ReportFilters } from '@ctwa-ledger/schemas/reports.ts';
import type { Database, Parameters } from '../ledger/database.ts';
import { participantKeySql } from './participants.ts';
import { paging, type PageKey } from './paging.ts';
import { FROM, isoTime, narrowedSql, parametersOf, TO } from './sql.ts';

const column = (name: string): string => `toString(message_marks.${name})`;

/** What tells groups of mismatches apart, and whose messages they are. */
const NARROWED = {
  predicted: column('predicted'),
  reported: column('reported'),
  category: column('category'),
  policy: column('policy'),
  rule: column('rule'),
  circumstance: column('circumstance'),
  waba_id: column('waba_id'),
  phone_number_id: column('phone_number_id'),
} as const;

/** V2's mismatches that were delivered in the range. FINAL: a mark that was one may be none any more. */
function mismatchesOf(filters: ReportFilters): { readonly from: string; readonly parameters: Parameters } {
  const narrowed = narrowedSql(filters, NARROWED);
  return {
    from: `message_marks FINAL
      WHERE is_mismatch AND message_marks.delivered_at >= ${FROM} AND message_marks.delivered_at < ${TO} AND ${narrowed.where}`,
    parameters: { ...parametersOf(filters), ...narrowed.parameters },
  };
}

/** Report `mismatches`: how many messages Meta reported otherwise than predicted, the most first (rules.md V2). */
export function mismatches(database: Database, filters: ReportFilters): Promise<MismatchesRow[]> {
  const { from, parameters } = mismatchesOf(filters);
  return database.query(
    mismatchesRow,
    `SELECT predicted, reported, category, policy, rule, circumstance, toUInt32(count()) AS messages,
       ${isoTime('min(delivered_at)')} AS first_delivered_at, ${isoTime('max(delivered_at)')} AS last_delivered_at
     FROM ${from}
     GROUP BY predicted, reported, category, policy, rule, circumstance
     ORDER BY messages DESC, predicted, reported, category, policy, rule, circumstance`,
    parameters,
  );
}

export const MISMATCHED_MESSAGES_COLUMNS = [
  'message_id',
  'phone_number_id',
  'customer',
  'delivered_at',
  'type',
  'template_name',
  'category',
  'policy',
  'predicted',
  'reported',
  'reported_category',
  'rule',
  'conversation_id',
  'ad_id',
  'circumstance',
] as const;

const COLUMNS = MISMATCHED_MESSAGES_COLUMNS.map((name) =>
  name === 'delivered_at' ? `${isoTime('message_marks.delivered_at')} AS delivered_text` : `${column(name)} AS ${name}`,
).join(', ');

const DELIVERED: PageKey = {
  sql: 'toInt64(toUnixTimestamp(assumeNotNull(message_marks.delivered_at)))',
  type: 'Int64',
};

const text = (name: string): PageKey => ({ sql: column(name), type: 'String' });

function keysOf(sort: MismatchSort): readonly PageKey[] {
  const message = [DELIVERED, text('phone_number_id'), text('message_id'), text('participant')];
  return sort === 'delivered_at' ? message : [text(sort), ...message];
}

const pagedRow = mismatchRow
  .omit({ delivered_at: true })
  .extend({ delivered_text: z.string(), page_cursor: z.array(z.string()) });

/** A page of the messages behind {@link mismatches}, in the order asked for. */
export async function mismatchedMessages(
  database: Database,
  filters: ReportFilters,
  asked: AskedPage<MismatchSort>,
): Promise<PageOf<MismatchRow>> {
  const { from, parameters } = mismatchesOf(filters);
  const page = paging(asked, keysOf(asked.sort.column));
  const found = await database.query(
    pagedRow,
    `SELECT ${COLUMNS}, ${participantKeySql('message_marks.participant')} AS participant_key, ${page.cursor} FROM ${from} AND ${page.where} ${page.order}`,
    { ...parameters, ...page.parameters },
  );
  const { rows, ...place } = page.pageOf(found);
  // A text under the name of the time it is made of would be meant by the range.
  return { ...place, rows: rows.map(({ delivered_text, ...row }) => ({ ...row, delivered_at: delivered_text })) };
}

/** Report `mismatched-messages`, streamed: `MISMATCHED_MESSAGES_COLUMNS` as text, the latest delivery first. */
export function allMismatchedMessages(
  database: Database,
  filters: ReportFilters,
): AsyncGenerator<(readonly unknown[])[]> {
  const { from, parameters } = mismatchesOf(filters);
  return database.stream(
    `SELECT ${COLUMNS} FROM ${from}
     ORDER BY message_marks.delivered_at DESC, message_marks.phone_number_id DESC, message_marks.message_id DESC,
       message_marks.participant DESC`,
    parameters,
  );
}

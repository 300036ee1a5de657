import { count } from '@ctwa-ledger/schemas/cells.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { reportPaging, type PageKey } from './paging.ts';
import {
  printedCells,
  printedRow,
  printedSql,
  printedTime,
  type PrintedColumn,
  type PrintedColumns,
} from './printed.ts';
import { columnsOf, streamed, type AskedRows, type Batch, type Statement } from './report.ts';
import { FROM, parametersOf, TO } from './sql.ts';

const text: PrintedColumn = { cell: z.string() };

/** The columns of report `conversations`, over the rows of entries. */
const COLUMNS = {
  conversation_id: {
    cell: z.string().describe('Id of the entry: the customer’s message that came from an ad or post.'),
    sql: 'entry_id',
  },
  phone_number_id: text,
  customer: text,
  entry_at: printedTime('entry_marks', 'entry_at'),
  source_type: text,
  ad_id: text,
  source_url: text,
  ctwa_clid: text,
  reply_message_id: text,
  replied_at: printedTime('entry_marks', 'replied_at'),
  seconds_to_reply: {
    cell: count.nullable(),
    sql: `if(replied_at IS NULL, '',
      toString(dateDiff('second', entry_marks.entry_at, assumeNotNull(entry_marks.replied_at))))`,
  },
  opened_at: printedTime('entry_marks', 'opened_at'),
  expires_at: printedTime('entry_marks', 'expires_at'),
  free_messages: { cell: count, sql: 'toString(entry_marks.free_messages)', alias: 'free_messages_text' },
  ad_conversation_id: text,
} satisfies PrintedColumns;

const entryRow = printedRow(COLUMNS);
export const CONVERSATIONS_COLUMNS = columnsOf(entryRow);

/** Whether an entry came from the ad or post of the filters. For an address: whether the entry names it. */
const OF_AD = "({ad:String} = '' OR ad_id = {ad:String} OR entry_marks.source_url = {ad:String})";

const KEYS: readonly PageKey[] = [
  { sql: 'toInt64(toUnixTimestamp(entry_marks.entry_at))', type: 'Int64' },
  { sql: 'entry_id', type: 'String' },
  { sql: 'toString(phone_number_id)', type: 'String' },
];

/** @param also further columns, each after a comma */
function entriesSql(also: string, place: string, order: string): string {
  return `SELECT ${printedSql(COLUMNS)}${also}
    FROM entry_marks FINAL
    WHERE entry_marks.entry_at >= ${FROM} AND entry_marks.entry_at < ${TO} AND ${OF_AD} AND ${place}
    ${order}`;
}

/** Report `conversations`, streamed: `CONVERSATIONS_COLUMNS` as text, one row per entry. */
async function* entries(database: Database, { filters, page }: AskedRows): AsyncGenerator<Batch> {
  const { also, where, order, parameters } = reportPaging(page, KEYS);
  yield* database.stream(entriesSql(also, where, order), { ...parametersOf(filters), ...parameters });
}

function entriesStatement(_: Database, { filters }: Omit<AskedRows, 'page'>): Promise<Statement> {
  return Promise.resolve({
    sql: entriesSql(', entry_at', 'true', ''),
    cells: printedCells(COLUMNS),
    order: ['entry_at', 'conversation_id', 'phone_number_id'],
    parameters: parametersOf(filters),
  });
}

export const conversationsReport = streamed({
  name: 'conversations',
  one_row_per: 'entry, a customer’s message that came from an ad or post: its reply and its free entry window',
  row: entryRow,
  days: 'zone',
  filters: ['ad'],
  settles: [],
  reads: ['entry_marks'],
  rows: entries,
  statement: entriesStatement,
});

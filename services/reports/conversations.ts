import { count } from '@ctwa-ledger/schemas/cells.ts';
import { z } from 'zod';
import type {
  AskedAdConversations,
  ConversationColumn,
  AdConversationList,
  AdConversationRow,
  ConversationState,
} from '@ctwa-ledger/schemas/conversations.ts';
import { REPLY_WITHIN_SECONDS } from '@ctwa-ledger/schemas/durations.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Database } from '../clickhouse/database.ts';
import { customersNamed } from './customer-names.ts';
import { paging, reportPaging, type PageKey } from './paging.ts';
import { printedRow, printedSql, printedTime, type PrintedColumn, type PrintedColumns } from './printed.ts';
import { columnsOf, streamed, type AskedRows, type Batch } from './report.ts';
import { OF_CONVERSATIONS, ofMessagesSql } from './of-conversations.ts';
import { AS_OF, FROM, ofEntriesSql, parametersOf, TO, type Condition } from './sql.ts';
import { filterTables } from './tables.ts';
import { givenTuples } from '../clickhouse/sql.ts';

const seconds = (column: string): string => `toUnixTimestamp(entry_marks.${column})`;

const messageRow = z.object({
  phone_number_id: z.string(),
  message_id: z.string(),
  customer: z.string(),
  /** The entry itself, or the entry whose free entry window the message is in; empty = neither. */
  owner: z.string(),
  at: z.number(),
});
type FoundMessage = z.infer<typeof messageRow>;

/** The entries and outbound messages with an id. */
function findMessages(database: Database, id: string): Promise<FoundMessage[]> {
  return database.query(
    messageRow,
    `SELECT toString(phone_number_id) AS phone_number_id, entry_id AS message_id, customer, entry_id AS owner, ${seconds('entry_at')} AS at
     FROM entry_marks FINAL WHERE entry_id = {id:String}
     UNION ALL
     SELECT toString(phone_number_id), message_id, customer, conversation_id, toUnixTimestamp(message_marks.sent_at)
     FROM message_marks FINAL WHERE message_id = {id:String}`,
    { id },
  );
}

/**
 * The ad conversation of a message: that of its entry, else the one of its thread at the time of sending; null = none.
 */
async function conversationOf(database: Database, message: FoundMessage): Promise<string | null> {
  const [found] = await database.query(
    z.object({ ad_conversation_id: z.string() }),
    `SELECT ad_conversation_id FROM entry_marks FINAL
     WHERE phone_number_id = {phone_number_id:String} AND customer = {customer:String}
       AND if({owner:String} = '', ${seconds('entry_at')} <= {at:UInt32}, entry_id = {owner:String})
     ORDER BY entry_marks.entry_at DESC, entry_id DESC LIMIT 1`,
    { ...message },
  );
  return found?.ad_conversation_id ?? null;
}

const IN_RANGE = `entry_marks.entry_at >= ${FROM} AND entry_marks.entry_at < ${TO}`;

/** Digits and the characters that people put between them. */
const NUMBER = /^[\d\s+().-]+$/;

function ofCustomer(q: string): Condition {
  if (q === '') return { where: IN_RANGE, parameters: {} };
  if (NUMBER.test(q))
    return {
      // A search without digits finds nothing: an empty text would be part of every number.
      // The sender may spell a customer's number differently from Meta (rules.md F3).
      where: `${IN_RANGE} AND {digits:String} != '' AND (position(customer, {digits:String}) > 0
        OR (phone_number_id, customer) IN (${customersNamed('position(name, {digits:String}) > 0')})
        OR (phone_number_id, customer) IN (
          SELECT phone_number_id, customer FROM message_marks FINAL
          WHERE dialled_customer != '' AND position(dialled_customer, {digits:String}) > 0))`,
      parameters: { digits: q.replaceAll(/\D/g, '') },
    };
  return {
    where: `${IN_RANGE} AND (customer = {q:String} OR (phone_number_id, customer) IN (${customersNamed('name = {q:String}')}))`,
    parameters: { q },
  };
}

async function ofMessages(database: Database, found: readonly FoundMessage[]): Promise<Condition> {
  const conversations = await Promise.all(
    found.map(async (message) => [message.phone_number_id, await conversationOf(database, message)] as const),
  );
  const known = conversations.flatMap(([number, id]) => (id === null ? [] : [{ number, id }]));
  return {
    where: `(phone_number_id, entry_id) IN (${givenTuples({ found_numbers: 'String', found_ids: 'String' })})`,
    parameters: { found_numbers: known.map(({ number }) => number), found_ids: known.map(({ id }) => id) },
  };
}

const ANSWERABLE = `assumeNotNull(entry_marks.conversation_last_entry_at) + INTERVAL ${REPLY_WITHIN_SECONDS} SECOND > ${AS_OF}`;
const CONVERSATION_OF_WINDOW = 'SELECT phone_number_id, ad_conversation_id FROM entry_marks FINAL';

/**
 * rules.md 6 and W9 at the requested time. The windows of a thread do not overlap, so only the last one can be open.
 */
const IN_STATE: Readonly<Record<ConversationState, string>> = {
  replied: 'conversation_is_replied = 1',
  pending: `conversation_is_replied = 0 AND ${ANSWERABLE}`,
  not_replied: `conversation_is_replied = 0 AND NOT (${ANSWERABLE})`,
  open: `(phone_number_id, entry_id) IN (${CONVERSATION_OF_WINDOW}
      WHERE entry_marks.opened_at <= ${AS_OF} AND entry_marks.expires_at > ${AS_OF})
    AND (phone_number_id, entry_id) NOT IN (${CONVERSATION_OF_WINDOW} WHERE entry_marks.opened_at > ${AS_OF})`,
};

function stateSql({ state }: ReportFilters): string {
  if (state == null || state === '') return 'true';
  return state in IN_STATE ? IN_STATE[state as ConversationState] : 'false';
}

/** The conditions of a search. If `q` is the id of messages, their conversations are found on any day. */
async function findConversations(
  database: Database,
  filters: ReportFilters,
): Promise<Condition & { readonly messages: readonly FoundMessage[] }> {
  const q = filters.q ?? '';
  const messages = q === '' || NUMBER.test(q) ? [] : await findMessages(database, q);
  const meant = messages.length > 0 ? await ofMessages(database, messages) : ofCustomer(q);
  return {
    messages,
    where: `starts_conversation = 1 AND ${meant.where} AND (${stateSql(filters)})
       AND ${ofEntriesSql(filters)} AND ${messages.length > 0 ? ofMessagesSql(filters, null) : ofMessagesSql(filters)}`,
    parameters: { ...parametersOf(filters), ...meant.parameters },
  };
}

/** The entries that start an ad conversation (rules.md 6), for page and report. */
function startsSql(where: string, more = ''): string {
  return `SELECT phone_number_id, entry_id, customer, entry_at, source_type, ad_id, headline, source_url,
      conversation_last_entry_at, conversation_is_replied, conversation_seconds_to_reply ${more}
    FROM entry_marks FINAL WHERE ${where}`;
}

/** For ad conversations: the last free entry window of each, and the free messages of all its windows. */
function windowsSql(conversations: string): string {
  return `SELECT phone_number_id, ad_conversation_id AS entry_id,
      max(entry_marks.opened_at) AS last_opened_at,
      argMax(entry_marks.expires_at, entry_marks.opened_at) AS last_expires_at,
      argMax(entry_marks.is_reported, ifNull(entry_marks.opened_at, toDateTime(0, 'UTC'))) AS last_is_reported,
      sum(entry_marks.free_messages) AS all_free_messages
    FROM entry_marks FINAL
    WHERE (phone_number_id, ad_conversation_id) IN (${conversations})
    GROUP BY phone_number_id, ad_conversation_id`;
}

const startRow = z.object({
  phone_number_id: z.string(),
  entry_id: z.string(),
  customer: z.string(),
  entry_seconds: z.number(),
  source_type: z.string(),
  ad_id: z.string(),
  source_url: z.string(),
  headline: z.string(),
  last_entry_seconds: z.number(),
  is_replied: z.number(),
  seconds_to_reply: z.number().nullable(),
  page_cursor: z.array(z.string()),
});
type StartRow = Omit<z.infer<typeof startRow>, 'page_cursor'>;

const LISTED = `toString(phone_number_id) AS phone_number_id, entry_id, customer, source_type, ad_id, source_url, headline,
    toUnixTimestamp(starts.entry_at) AS entry_seconds,
    toUnixTimestamp(assumeNotNull(conversation_last_entry_at)) AS last_entry_seconds,
    conversation_is_replied AS is_replied, toInt32(conversation_seconds_to_reply) AS seconds_to_reply, page_cursor`;

const windowRow = z.object({
  phone_number_id: z.string(),
  entry_id: z.string(),
  opened_seconds: z.number().nullable(),
  expires_seconds: z.number().nullable(),
  is_reported: z.number(),
  free_messages: z.number(),
});
type WindowRow = z.infer<typeof windowRow>;

/** A query of its own: looking up 50 conversations by id is several times faster than in the query that finds them. */
function readWindows(database: Database, starts: readonly StartRow[]): Promise<WindowRow[]> {
  if (starts.length === 0) return Promise.resolve([]);
  return database.query(
    windowRow,
    `SELECT toString(phone_number_id) AS phone_number_id, entry_id, toUnixTimestamp(last_opened_at) AS opened_seconds,
       toUnixTimestamp(last_expires_at) AS expires_seconds, last_is_reported AS is_reported,
       toUInt32(all_free_messages) AS free_messages
     FROM (${windowsSql(givenTuples({ numbers: 'String', ids: 'String' }))})`,
    { numbers: starts.map((row) => row.phone_number_id), ids: starts.map((row) => row.entry_id) },
  );
}

const nameOf = (row: StartRow | WindowRow): string => `${row.phone_number_id} ${row.entry_id}`;

function conversationRow(start: StartRow, windows: WindowRow | undefined): AdConversationRow {
  const { entry_seconds, last_entry_seconds, is_replied, ...rest } = start;
  const { opened_seconds = null, expires_seconds = null } = windows ?? {};
  return {
    ...rest,
    entry_at: entry_seconds,
    last_entry_at: last_entry_seconds,
    is_replied: is_replied === 1,
    window:
      opened_seconds === null || expires_seconds === null
        ? null
        : { opened_at: opened_seconds, expires_at: expires_seconds, is_reported: windows?.is_reported === 1 },
    free_messages: windows?.free_messages ?? 0,
  };
}

/** Longer than any time to a reply. */
const NEVER_SECONDS = '999999999999';

/** The sort key of the list. Conversations without a reply come last in both directions. */
function sortKey({ sort }: AskedAdConversations['page']): PageKey {
  const keys: Readonly<Record<ConversationColumn, PageKey>> = {
    entry_at: { sql: 'toUnixTimestamp(entry_at)', type: 'Int64' },
    seconds_to_reply: {
      sql: `ifNull(conversation_seconds_to_reply, ${sort.descending ? '-1' : NEVER_SECONDS})`,
      type: 'Int64',
    },
    ad: { sql: "if(ad_id = '', source_url, toString(ad_id))", type: 'String' },
    phone_number_id: { sql: 'toString(phone_number_id)', type: 'String' },
  };
  return keys[sort.column];
}

/** A page of ad conversations. A message that is searched by its id is found on any day. */
export async function conversationList(database: Database, asked: AskedAdConversations): Promise<AdConversationList> {
  const { where, parameters, messages } = await findConversations(database, asked.filters);
  const page = paging(asked.page, [
    sortKey(asked.page),
    { sql: 'toUnixTimestamp(entry_at)', type: 'Int64' },
    { sql: 'entry_id', type: 'String' },
    { sql: 'toString(phone_number_id)', type: 'String' },
  ]);
  const starts = startsSql(`${where} AND ${page.where}`, `, ${page.cursor}`);
  const rows = await database.query(
    startRow,
    `SELECT ${LISTED} FROM (${starts} ${page.order}) AS starts ${page.order}`,
    { ...parameters, ...page.parameters },
  );
  const { rows: listed, ...place } = page.pageOf(rows);
  const windows = new Map((await readWindows(database, listed)).map((row) => [nameOf(row), row]));
  return {
    ...place,
    rows: listed.map((row) => conversationRow(row, windows.get(nameOf(row)))),
    messages: messages.map(({ phone_number_id, message_id }) => ({ phone_number_id, message_id })),
  };
}

/** How many ad conversations there are under these filters. */
export async function conversationCount(database: Database, filters: ReportFilters): Promise<number> {
  const { where, parameters } = await findConversations(database, filters);
  const [row] = await database.query(
    z.object({ n: z.number() }),
    `SELECT toUInt32(count()) AS n FROM entry_marks FINAL WHERE ${where}`,
    parameters,
  );
  return row?.n ?? 0;
}

const text: PrintedColumn = { cell: z.string() };

/** The columns of report `ad-conversations`, from {@link startsSql} and {@link windowsSql}. */
const COLUMNS = {
  conversation_id: { cell: z.string().describe('The entry that starts the ad conversation.'), sql: 'entry_id' },
  phone_number_id: text,
  customer: text,
  entry_at: printedTime('starts', 'entry_at'),
  source_type: text,
  ad_id: text,
  headline: text,
  source_url: text,
  last_entry_at: printedTime('starts', 'conversation_last_entry_at'),
  is_replied: { cell: z.boolean(), sql: "if(conversation_is_replied = 1, 'true', 'false')" },
  seconds_to_reply: { cell: count.nullable(), sql: "ifNull(toString(conversation_seconds_to_reply), '')" },
  opened_at: printedTime('windows', 'last_opened_at'),
  expires_at: printedTime('windows', 'last_expires_at'),
  is_reported: { cell: z.boolean(), sql: "if(last_is_reported = 1, 'true', 'false')" },
  free_messages: { cell: count, sql: 'toString(all_free_messages)' },
} satisfies PrintedColumns;

const adConversationRow = printedRow(COLUMNS);
export const AD_CONVERSATIONS_COLUMNS = columnsOf(adConversationRow);

const KEYS: readonly PageKey[] = [
  { sql: 'toInt64(toUnixTimestamp(entry_at))', type: 'Int64' },
  { sql: 'entry_id', type: 'String' },
  { sql: 'toString(phone_number_id)', type: 'String' },
];

/**
 * Report `ad-conversations`, streamed: `AD_CONVERSATIONS_COLUMNS` as text, one row per ad conversation. The same rows
 * as {@link conversationList}, with full customers, in the order of their entries.
 */
async function* adConversations(database: Database, { filters, page }: AskedRows): AsyncGenerator<Batch> {
  const { where, parameters } = await findConversations(database, filters);
  const place = reportPaging(page, KEYS);
  const starts = startsSql(`${where} AND ${place.where}`, place.also);
  const limited = page === null ? starts : `${starts} ${place.order}`;
  yield* database.stream(
    `SELECT ${printedSql(COLUMNS)}${page === null ? '' : ', page_cursor'}
     FROM (${limited}) AS starts
     INNER JOIN (${windowsSql(`SELECT phone_number_id, entry_id FROM (${limited})`)}) AS windows
       USING (phone_number_id, entry_id)
     ORDER BY starts.entry_at, entry_id, phone_number_id`,
    { ...parameters, ...place.parameters },
  );
}

export const adConversationsReport = streamed({
  name: 'ad-conversations',
  one_row_per: 'ad-driven conversation, as on its page',
  row: adConversationRow,
  days: 'zone',
  has_clock: true,
  filters: [...OF_CONVERSATIONS, 'q', 'state'],
  settles: [],
  reads: (filters) => ['entry_marks', 'message_marks', 'message_names', 'customer_names', ...filterTables(filters)],
  rows: adConversations,
});

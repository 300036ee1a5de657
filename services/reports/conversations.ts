import { z } from 'zod';
import type {
  AskedConversations,
  ConversationCursor,
  ConversationList,
  ConversationRow,
} from '@ctwa-ledger/schemas/conversations.ts';
import type { Database, Parameters } from '../ledger/database.ts';
import { FROM, parametersOf, TO } from './sql.ts';

const PAGE_CONVERSATIONS = 50;

const seconds = (column: string): string => `toUnixTimestamp(entry_marks.${column})`;

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
});
type StartRow = z.infer<typeof startRow>;

const windowRow = z.object({
  phone_number_id: z.string(),
  ad_conversation_id: z.string(),
  opened_seconds: z.number().nullable(),
  expires_seconds: z.number().nullable(),
  is_reported: z.number(),
  free_messages: z.number(),
});
type WindowRow = z.infer<typeof windowRow>;

const messageRow = z.object({
  phone_number_id: z.string(),
  message_id: z.string(),
  customer: z.string(),
  /** The entry that the message is or whose free entry window it is in; empty = neither. */
  owner: z.string(),
  at: z.number(),
});
type FoundMessage = z.infer<typeof messageRow>;

/** The messages of an id: entries and messages of the business. */
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

/** The ad conversation of a message: that of its entry, else the one that its thread was in when it was sent; null = none. */
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

/** A condition on entries with its parameters. */
interface Condition {
  readonly where: string;
  readonly parameters: Parameters;
}

const IN_RANGE = `entry_marks.entry_at >= ${FROM} AND entry_marks.entry_at < ${TO}`;

/** What is only digits and what people put between them. */
const NUMBER = /^[\d\s+().-]+$/;

function ofCustomer(q: string): Condition {
  if (q === '') return { where: IN_RANGE, parameters: {} };
  if (NUMBER.test(q))
    return {
      where: `${IN_RANGE} AND position(customer, {digits:String}) > 0`,
      parameters: { digits: q.replaceAll(/\D/g, '') },
    };
  // A customer with a number is known by the number; the user id is only on the events then.
  return {
    where: `${IN_RANGE} AND (customer = {q:String} OR customer IN (
        SELECT customer FROM events WHERE user_id = {q:String} AND wa_id != ''))`,
    parameters: { q },
  };
}

async function ofMessages(database: Database, found: readonly FoundMessage[]): Promise<Condition> {
  const conversations = await Promise.all(
    found.map(async (message) => [message.phone_number_id, await conversationOf(database, message)] as const),
  );
  const known = conversations.flatMap(([number, id]) => (id === null ? [] : [{ number, id }]));
  return {
    where: `(phone_number_id, entry_id) IN (SELECT arrayJoin(arrayZip({numbers:Array(String)}, {ids:Array(String)})))`,
    parameters: { numbers: known.map(({ number }) => number), ids: known.map(({ id }) => id) },
  };
}

const BEFORE = `({no_cursor:Bool} OR (${seconds('entry_at')}, entry_id, toString(phone_number_id))
  < ({before_at:UInt32}, {before_id:String}, {before_number:String}))`;

function beforeParameters(before: ConversationCursor | null): Parameters {
  return {
    no_cursor: before === null,
    before_at: before?.at ?? 0,
    before_id: before?.entry_id ?? '',
    before_number: before?.phone_number_id ?? '',
  };
}

/** Windows and free messages of all entries of some ad conversations. */
function readWindows(database: Database, starts: readonly StartRow[]): Promise<WindowRow[]> {
  if (starts.length === 0) return Promise.resolve([]);
  return database.query(
    windowRow,
    `SELECT toString(phone_number_id) AS phone_number_id, ad_conversation_id,
        max(toUnixTimestamp(entry_marks.opened_at)) AS opened_seconds,
        argMax(toUnixTimestamp(entry_marks.expires_at), entry_marks.opened_at) AS expires_seconds,
        argMax(entry_marks.is_reported, ifNull(entry_marks.opened_at, toDateTime(0, 'UTC'))) AS is_reported,
        toUInt32(sum(entry_marks.free_messages)) AS free_messages
     FROM entry_marks FINAL
     WHERE (phone_number_id, ad_conversation_id) IN (SELECT arrayJoin(arrayZip({numbers:Array(String)}, {ids:Array(String)})))
     GROUP BY phone_number_id, ad_conversation_id`,
    { numbers: starts.map((row) => row.phone_number_id), ids: starts.map((row) => row.entry_id) },
  );
}

function conversationRow(start: StartRow, windows: WindowRow | undefined): ConversationRow {
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

/** A page of ad conversations (rules.md 6), newest first. A message that is asked for by its id is found on whatever day it is. */
export async function conversationList(database: Database, asked: AskedConversations): Promise<ConversationList> {
  const messages = asked.q === '' || NUMBER.test(asked.q) ? [] : await findMessages(database, asked.q);
  const meant = messages.length > 0 ? await ofMessages(database, messages) : ofCustomer(asked.q);
  const rows = await database.query(
    startRow,
    `SELECT toString(phone_number_id) AS phone_number_id, entry_id, customer, ${seconds('entry_at')} AS entry_seconds,
        source_type, ad_id, source_url, headline,
        assumeNotNull(${seconds('conversation_last_entry_at')}) AS last_entry_seconds,
        conversation_is_replied AS is_replied, toInt32(conversation_seconds_to_reply) AS seconds_to_reply
     FROM entry_marks FINAL
     WHERE starts_conversation = 1 AND ${meant.where} AND ${BEFORE}
       AND ({ad:String} = '' OR ad_id = {ad:String} OR source_url = {ad:String})
     ORDER BY entry_marks.entry_at DESC, entry_id DESC, phone_number_id DESC
     LIMIT ${PAGE_CONVERSATIONS + 1}`,
    { ...parametersOf(asked.filters), ...meant.parameters, ...beforeParameters(asked.before), ad: asked.ad },
  );
  const page = rows.slice(0, PAGE_CONVERSATIONS);
  const windows = new Map(
    (await readWindows(database, page)).map((row) => [`${row.phone_number_id} ${row.ad_conversation_id}`, row]),
  );
  const last = rows.length > PAGE_CONVERSATIONS ? page.at(-1) : undefined;
  return {
    conversations: page.map((row) => conversationRow(row, windows.get(`${row.phone_number_id} ${row.entry_id}`))),
    older:
      last === undefined
        ? null
        : { at: last.entry_seconds, phone_number_id: last.phone_number_id, entry_id: last.entry_id },
    messages: messages.map(({ phone_number_id, message_id }) => ({ phone_number_id, message_id })),
  };
}

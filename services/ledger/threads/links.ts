import { z } from 'zod';
import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Database } from '../../clickhouse/database.ts';
import type { LandingNumber } from '../events/landing.ts';
import { threadText, type ThreadKey } from '../events/thread-key.ts';
import { givenRows, givenTuples } from '../../clickhouse/sql.ts';

/** Links the threads of messages whose events name several customers. */
function linkSql(messageKeys: string): string {
  return `INSERT INTO thread_links
     WITH shared AS
     (
         SELECT message_key FROM message_names
         WHERE message_key IN (${messageKeys})
         GROUP BY message_key HAVING uniqExact(customer) > 1
     )
     SELECT DISTINCT a.phone_number_id, a.customer, a.message_key, b.customer, b.nameless_id
     FROM (SELECT * FROM message_names WHERE message_key IN shared) AS a
     INNER JOIN (SELECT * FROM message_names WHERE message_key IN shared) AS b
         ON a.message_key = b.message_key AND a.phone_number_id = b.phone_number_id
     WHERE a.customer != b.customer`;
}

/**
 * Links the threads of all messages that a landing touched. Names are stored with the landing, before they are looked at
 * here, so of two writers that name one message differently at least one sees both.
 */
export async function linkThreads(database: Database, landing: LandingNumber): Promise<void> {
  await database.command(linkSql('SELECT message_key FROM touched WHERE landing = {landing:UInt64}'), {
    landing: landing.toString(),
  });
}

/** The same for some messages, however they were landed. */
export async function linkThreadsOf(
  database: Database,
  messages: readonly Pick<LedgerEvent, 'phone_number_id' | 'id'>[],
): Promise<void> {
  await database.command(
    linkSql(`SELECT sipHash64(pair.1, pair.2) FROM (${givenTuples({ numbers: 'String', ids: 'String' }, 'pair')})`),
    { numbers: messages.map((message) => message.phone_number_id), ids: messages.map((message) => message.id) },
  );
}

const linkRow = z.object({
  phone_number_id: z.string(),
  customer: z.string(),
  nameless_id: z.string(),
  other_customer: z.string(),
  other_nameless_id: z.string(),
});

const LINKS_OF_NAMED = `
SELECT DISTINCT phone_number_id, customer, '' AS nameless_id, other_customer, thread_links.nameless_id AS other_nameless_id
FROM thread_links
WHERE customer != ''
  AND (phone_number_id, customer) IN (${givenTuples({ numbers: 'String', customers: 'String' })})`;

/** Threads that name no customer, each by its one message. */
const NAMELESS = givenRows({ phone_number_id: ['nameless_numbers', 'String'], id: ['nameless_ids', 'String'] });

const LINKS_OF_NAMELESS = `
SELECT DISTINCT l.phone_number_id AS phone_number_id, '' AS customer, m.id AS nameless_id,
    l.other_customer AS other_customer, '' AS other_nameless_id
FROM thread_links AS l
INNER JOIN
(
    SELECT phone_number_id, id, sipHash64(phone_number_id, id) AS message_key FROM (${NAMELESS})
) AS m ON l.phone_number_id = m.phone_number_id AND l.message_key = m.message_key
WHERE l.customer = '' AND (l.phone_number_id, l.message_key) IN
    (SELECT phone_number_id, sipHash64(phone_number_id, id) FROM (${NAMELESS}))`;

/**
 * The threads that some threads share messages with.
 * @returns of each thread, under `threadText`; none of a thread that is alone
 */
export async function readLinks(
  database: Database,
  threads: readonly ThreadKey[],
): Promise<ReadonlyMap<string, readonly ThreadKey[]>> {
  const named = threads.filter((thread) => thread.customer !== '');
  const nameless = threads.filter((thread) => thread.customer === '');
  const [ofNamed, ofNameless] = await Promise.all([
    named.length === 0
      ? []
      : database.query(linkRow, LINKS_OF_NAMED, {
          numbers: named.map((thread) => thread.phone_number_id),
          customers: named.map((thread) => thread.customer),
        }),
    nameless.length === 0
      ? []
      : database.query(linkRow, LINKS_OF_NAMELESS, {
          nameless_numbers: nameless.map((thread) => thread.phone_number_id),
          nameless_ids: nameless.map((thread) => thread.nameless_id),
        }),
  ]);
  const links = new Map<string, ThreadKey[]>();
  for (const { phone_number_id, customer, nameless_id, other_customer, other_nameless_id } of [
    ...ofNamed,
    ...ofNameless,
  ]) {
    const name = threadText({ phone_number_id, customer, nameless_id });
    const other = { phone_number_id, customer: other_customer, nameless_id: other_nameless_id };
    const others = links.get(name);
    if (others === undefined) links.set(name, [other]);
    else others.push(other);
  }
  return links;
}

const nameRow = z.object({ place: z.number(), customer: z.string() });

/**
 * The customers that the stored events of messages name; the empty one where an event names none.
 * @returns of each message, in their order
 */
export async function readNames(
  database: Database,
  messages: readonly Pick<LedgerEvent, 'phone_number_id' | 'id'>[],
): Promise<string[][]> {
  const names = messages.map((): string[] => []);
  if (messages.length === 0) return names;
  const rows = await database.query(
    nameRow,
    `WITH arrayMap((number, id) -> sipHash64(number, id), {numbers:Array(String)}, {ids:Array(String)}) AS keys
     SELECT toUInt32(indexOf(keys, message_key)) AS place, customer
     FROM message_names WHERE message_key IN (SELECT arrayJoin(keys)) GROUP BY message_key, customer`,
    { numbers: messages.map((message) => message.phone_number_id), ids: messages.map((message) => message.id) },
  );
  for (const { place, customer } of rows) names[place - 1]?.push(customer);
  return names;
}

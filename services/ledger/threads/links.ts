import { z } from 'zod';
import type { Database, Parameters } from '../../clickhouse/database.ts';
import type { LandingNumber } from '../events/landing.ts';
import { threadText, type ThreadKey } from '../events/thread-key.ts';
import { givenRows, givenTuples } from '../../clickhouse/sql.ts';

/**
 * `thread_links` says which threads are folded together: those that share a message, because its events name different
 * customers (rules.md F3), and those that share a name, because it is one person's (F9). Links stay when a rule no longer
 * needs them: they say what is read together, and the fold decides what belongs together.
 */

/** Links the threads of messages whose events name several customers, and of names that several threads have or give. */
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
 * Links the threads of all messages and names that a landing touched. Names are stored with the landing, before they are looked at
 * here, so of two writers that name one message differently at least one sees both.
 */
export async function linkThreads(database: Database, landing: LandingNumber): Promise<void> {
  await database.command(linkSql('SELECT message_key FROM touched WHERE landing = {landing:UInt64}'), {
    landing: landing.toString(),
  });
}

/** What threads may share: a message, or a name that they have or give their customer (rules.md F9). */
export interface Shareable {
  readonly phone_number_id: string;
  readonly kind: 'message' | 'name';
  /** The message's id, or the name. */
  readonly text: string;
}

/** The keys under which `message_names` notes what is given as parameters (sql/0060_names_by_thread.sql), as an array. */
const GIVEN_KEYS = `arrayMap((number, kind, text) -> if(kind = 'name', sipHash64('name', number, text), sipHash64(number, text)),
  {numbers:Array(String)}, {kinds:Array(String)}, {texts:Array(String)})`;

function parametersOf(given: readonly Shareable[]): Parameters {
  return {
    numbers: given.map(({ phone_number_id }) => phone_number_id),
    kinds: given.map(({ kind }) => kind),
    texts: given.map(({ text }) => text),
  };
}

/** The same for some messages and names, however they were landed. */
export async function linkThreadsOf(database: Database, shared: readonly Shareable[]): Promise<void> {
  await database.command(linkSql(`SELECT arrayJoin(${GIVEN_KEYS})`), parametersOf(shared));
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
 * The customers of the threads that share messages or names, by the stored events; the empty one where an event of a
 * message names none.
 * @returns of each, in their order
 */
export async function readNames(database: Database, asked: readonly Shareable[]): Promise<string[][]> {
  const names = asked.map((): string[] => []);
  if (asked.length === 0) return names;
  const rows = await database.query(
    nameRow,
    // Joined: with a list of all keys, the time grows with the square of their number.
    `WITH ${GIVEN_KEYS} AS keys
     SELECT toUInt32(given.1) AS place, customer
     FROM (SELECT DISTINCT message_key, customer FROM message_names WHERE message_key IN (SELECT arrayJoin(keys))) AS named
     INNER JOIN (SELECT arrayJoin(arrayZip(arrayEnumerate(keys), keys)) AS given, given.2 AS message_key) AS asked USING message_key`,
    parametersOf(asked),
  );
  for (const { place, customer } of rows) names[place - 1]?.push(customer);
  return names;
}

import { z } from 'zod';
import { givenTuples } from '../../clickhouse/sql.ts';

/** What the ledger is asked about threads before they are folded: the statements, and the schemas of their rows. */

export const threadRow = z.object({ phone_number_id: z.string(), customer: z.string() });

/** The named threads that a landing touched. */
export const TOUCHED_NAMED = `SELECT phone_number_id, customer FROM touched WHERE landing = {landing:UInt64} AND customer != ''`;

/** Those of them of which the ledger has events that other landings stored. */
export const TOUCHED_BEFORE = `SELECT DISTINCT phone_number_id, customer FROM events
WHERE landing_rank != {rank:UInt64} AND (phone_number_id, customer) IN (${TOUCHED_NAMED})`;

/** Those of them that share messages or names with others. */
export const TOUCHED_LINKED = `SELECT DISTINCT phone_number_id, customer FROM thread_links
WHERE (phone_number_id, customer) IN (${TOUCHED_NAMED})`;

/**
 * For the named threads that a landing touched, in their order: the version that their marks carry, and whether they share
 * a message with another thread. Threads of which neither is known are left out.
 * @param emitted whether marks count only once they were emitted
 */
export function statesOfTouched(emitted: boolean): string {
  const tables = emitted ? ['emitted_threads'] : ['folded_threads', 'emitted_threads'];
  const versions = tables.map(
    (table) => `SELECT phone_number_id, customer, version, 0 AS is_linked FROM ${table}
    WHERE nameless_id = '' AND (phone_number_id, customer) IN (${TOUCHED_NAMED})`,
  );
  return `
SELECT phone_number_id, customer, max(s.version) AS version, toUInt8(max(s.is_linked)) AS is_linked
FROM
(
    ${versions.join(' UNION ALL ')}
    UNION ALL
    SELECT phone_number_id, customer, 0 AS version, 1 AS is_linked FROM thread_links
    WHERE (phone_number_id, customer) IN (${TOUCHED_NAMED})
) AS s
GROUP BY phone_number_id, customer
ORDER BY phone_number_id, customer`;
}

export const versionRow = z.object({
  what: z.enum(['folded', 'emitted']),
  thread: threadRow,
  version: z.string(),
});

/** For some named threads the versions that their marks carry and that were emitted. */
export const VERSIONS_OF_THREADS = `
WITH slice AS (${givenTuples({ numbers: 'String', customers: 'String' })})
SELECT 'folded' AS what, CAST((phone_number_id, customer), 'Tuple(phone_number_id String, customer String)') AS thread,
    toString(max(version)) AS version
FROM folded_threads WHERE (phone_number_id, customer) IN slice AND nameless_id = '' GROUP BY phone_number_id, customer
UNION ALL
SELECT 'emitted', CAST((phone_number_id, customer), 'Tuple(phone_number_id String, customer String)'), toString(max(version))
FROM emitted_threads WHERE (phone_number_id, customer) IN slice AND nameless_id = '' GROUP BY phone_number_id, customer`;

export const namelessRow = z.object({
  phone_number_id: z.string(),
  id: z.string(),
  landed: z.coerce.number(),
  other_customers: z.array(z.string()),
});

export const NEXT_NAMELESS = `
WITH slice AS
(
    SELECT DISTINCT phone_number_id, nameless_id FROM touched
    WHERE landing = {landing:UInt64} AND customer = ''
      AND (phone_number_id, nameless_id) > ({after_number:String}, {after_id:String})
    ORDER BY phone_number_id, nameless_id LIMIT {limit:UInt32}
)
SELECT t.phone_number_id AS phone_number_id, t.id AS id, t.landed AS landed,
    groupUniqArrayIf(l.other_customer, l.other_customer != '') AS other_customers
FROM
(
    SELECT phone_number_id, id, sipHash64(phone_number_id, id) AS message_key,
        countIf(landing_rank = {rank:UInt64}) AS landed
    FROM events FINAL
    WHERE (phone_number_id, customer, id) IN (SELECT phone_number_id, '', nameless_id FROM slice)
    GROUP BY phone_number_id, id
) AS t
LEFT JOIN
(
    SELECT phone_number_id, message_key, other_customer FROM thread_links
    WHERE customer = '' AND (phone_number_id, message_key) IN
        (SELECT phone_number_id, sipHash64(phone_number_id, nameless_id) FROM slice)
) AS l ON t.phone_number_id = l.phone_number_id AND t.message_key = l.message_key
GROUP BY t.phone_number_id, t.id, t.landed, t.message_key
ORDER BY phone_number_id, id
SETTINGS do_not_merge_across_partitions_select_final = 1`;

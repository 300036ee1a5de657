import type { Database } from './database.ts';
import type { LandingNumber } from './landing.ts';

/**
 * Links the threads of messages whose events name several customers. Names are stored with the landing, before they are
 * looked at here, so of two writers that name one message differently at least one sees both.
 */
export async function linkThreads(database: Database, landing: LandingNumber): Promise<void> {
  await database.command(
    `INSERT INTO thread_links
     WITH shared AS
     (
         SELECT message_key FROM message_names
         WHERE message_key IN (SELECT message_key FROM touched WHERE landing = {landing:UInt64})
         GROUP BY message_key HAVING uniqExact(customer) > 1
     )
     SELECT DISTINCT a.phone_number_id, a.customer, a.message_key, b.customer, b.nameless_id
     FROM (SELECT * FROM message_names WHERE message_key IN shared) AS a
     INNER JOIN (SELECT * FROM message_names WHERE message_key IN shared) AS b
         ON a.message_key = b.message_key AND a.phone_number_id = b.phone_number_id
     WHERE a.customer != b.customer`,
    { landing: landing.toString() },
  );
}

import type { Database } from '../../clickhouse/database.ts';
import type { ThreadKey } from '../events/thread-key.ts';
import { threadRow } from './thread-states.ts';

/** Threads in which nothing happened for longer are rarely touched again. */
const DAYS = 30;
/** So many events of those days; with what their threads had before, about what a cache of threads holds. */
const MAX_EVENTS = 200_000;

/**
 * The threads with a customer in which something happened last, as many as are worth to be in memory, in the order of
 * the table of events.
 */
const RECENT_THREADS = `
WITH
    (SELECT max(timestamp) FROM events WHERE events.timestamp <= now()) AS newest,
    -- The last days that have so many events: the threads of days before them are not reached.
    (
        SELECT min(day) FROM
        (
            SELECT toDate(timestamp) AS day, sum(count()) OVER (ORDER BY day DESC) - count() AS later
            FROM events WHERE timestamp > newest - toIntervalDay({days:UInt32}) AND timestamp <= newest GROUP BY day
        )
        WHERE later < {events:UInt32}
    ) AS first_day
SELECT phone_number_id, customer
FROM
(
    SELECT phone_number_id, customer, sum(n) OVER (ORDER BY last DESC, phone_number_id, customer ROWS UNBOUNDED PRECEDING) AS so_far
    FROM
    (
        SELECT phone_number_id, customer, max(timestamp) AS last, count() AS n
        FROM events
        WHERE timestamp > newest - toIntervalDay({days:UInt32}) AND timestamp >= toDateTime(first_day, 'UTC') AND customer != ''
        GROUP BY phone_number_id, customer
    )
)
WHERE so_far <= {events:UInt32}
ORDER BY phone_number_id, customer`;

/** Threads that live traffic is likely to touch. */
export async function recentThreads(database: Database): Promise<ThreadKey[]> {
  const rows = await database.query(threadRow, RECENT_THREADS, { days: DAYS, events: MAX_EVENTS });
  return rows.map(({ phone_number_id, customer }) => ({ phone_number_id, customer, nameless_id: '' }));
}

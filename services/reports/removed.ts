import { DECIDED_REMOVALS, KEEPS_NAMES } from '../ledger/events/removed-events.ts';

/**
 * What reports still count of events that were removed by age: the times of customers' messages, and the hours in which a
 * number had events.
 */
export const REMOVED_THREADS = `(SELECT * FROM removed_threads FINAL WHERE removal_id IN (${DECIDED_REMOVALS}))`;
export const REMOVED_HOURS = `(SELECT * FROM removed_hours FINAL WHERE removal_id IN (${DECIDED_REMOVALS}))`;

/** Whether a row of `events` is an event that came, and not one that keeps the names of a customer. */
export const CAME = `NOT startsWith(events.id, '${KEEPS_NAMES}')`;

/** The tables that these read. */
export const REMOVED_TABLES = ['removals', 'removed_threads', 'removed_hours'] as const;

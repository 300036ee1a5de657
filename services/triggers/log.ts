import {
  DELIVERY_STATES,
  TRIGGER_CHANNELS,
  type AskedDeliveries,
  type ListedTrigger,
  type ReplayedDelivery,
  type TriggerDelivery,
} from '@ctwa-ledger/schemas/triggers.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { LAST_ATTEMPTS, writeAttempt } from './delivery.ts';
import { latestOf, readHistories } from './register.ts';

const MAX_LISTED = 1_000;

const STATE = `multiIf(outcome = 'delivered', 'delivered', outcome = 'given_up', 'given_up', 'waiting')`;

/** Each channel of each firing, with its last attempt. */
const TOLD = `
SELECT trigger_id, phone_number_id, message_id, customer, channel, fired.fired_at AS fired_at, ${STATE} AS state,
    all_attempts AS attempts, status, detail, tried.last_at AS last_at
FROM
(
    SELECT trigger_id, phone_number_id, message_id, customer, fired_at, arrayJoin(channels) AS channel
    FROM trigger_firings FINAL
) AS fired
LEFT JOIN (${LAST_ATTEMPTS}) AS tried USING (trigger_id, phone_number_id, message_id, channel)`;

const time = (column: string): string => `concat(formatDateTime(${column}, '%FT%T'), '+00:00')`;

const deliveryRow = z.object({
  trigger_id: z.string(),
  phone_number_id: z.string(),
  message_id: z.string(),
  customer: z.string(),
  channel: z.enum(TRIGGER_CHANNELS),
  fired_at: z.string(),
  state: z.enum(DELIVERY_STATES),
  attempts: z.coerce.number(),
  last_attempt_at: z.string().nullable(),
  status: z.number(),
  detail: z.string(),
});

/** The delivery log: firings and their deliveries, the latest first. */
export async function triggerDeliveries(database: Database, asked: AskedDeliveries): Promise<TriggerDelivery[]> {
  const [histories, rows] = await Promise.all([
    readHistories(database),
    database.query(
      deliveryRow,
      `SELECT trigger_id, phone_number_id, message_id, customer, channel, ${time('told.fired_at')} AS fired_at, state,
          attempts, status, detail, if(attempts = 0, NULL, ${time('told.last_at')}) AS last_attempt_at
       FROM (${TOLD}) AS told
       WHERE ({trigger_id:String} = '' OR trigger_id = {trigger_id:String})
         AND ({state:String} = '' OR state = {state:String})
       ORDER BY told.fired_at DESC, message_id, channel LIMIT {limit:UInt32}`,
      {
        trigger_id: asked.trigger_id ?? '',
        state: asked.state ?? '',
        limit: Math.min(asked.limit, MAX_LISTED),
      },
    ),
  ]);
  return rows.map((row) => {
    const history = histories.get(row.trigger_id);
    return { ...row, trigger_name: history === undefined ? '' : latestOf(history).name };
  });
}

const sumRow = z.object({
  trigger_id: z.string(),
  fired: z.coerce.number(),
  last_fired_at: z.string().nullable(),
  given_up: z.coerce.number(),
});

/** All triggers except deleted ones, with how often they fired. */
export async function listTriggersWithFirings(database: Database): Promise<ListedTrigger[]> {
  const [histories, sums] = await Promise.all([
    readHistories(database),
    database.query(
      sumRow,
      `SELECT trigger_id, uniqExact(phone_number_id, message_id) AS fired,
          ${time('max(told.fired_at)')} AS last_fired_at, countIf(state = 'given_up') AS given_up
       FROM (${TOLD}) AS told GROUP BY trigger_id`,
    ),
  ]);
  const byTrigger = new Map(sums.map((sum) => [sum.trigger_id, sum]));
  return [...histories.values()]
    .map(latestOf)
    .filter(({ state }) => state !== 'deleted')
    .sort((a, b) => a.name.localeCompare(b.name) || (a.trigger_id < b.trigger_id ? -1 : 1))
    .map((trigger) => ({
      ...trigger,
      fired: byTrigger.get(trigger.trigger_id)?.fired ?? 0,
      last_fired_at: byTrigger.get(trigger.trigger_id)?.last_fired_at ?? null,
      given_up: byTrigger.get(trigger.trigger_id)?.given_up ?? 0,
    }));
}

/**
 * Orders a firing to be delivered again, to all of its channels, with the same key and body.
 * @returns how many deliveries will be tried
 * @throws ActionableError when it has never fired
 */
export async function replayDelivery(database: Database, one: ReplayedDelivery): Promise<number> {
  const told = await database.query(
    z.object({ channel: z.enum(TRIGGER_CHANNELS) }),
    `SELECT DISTINCT arrayJoin(channels) AS channel FROM trigger_firings
     WHERE trigger_id = {trigger_id:String} AND phone_number_id = {phone_number_id:String} AND message_id = {message_id:String}`,
    { ...one },
  );
  if (told.length === 0)
    throw new ActionableError(
      `Trigger "${one.trigger_id}" has not fired for message "${one.message_id}". List what fired: ctwa-ledger triggers deliveries`,
    );
  for (const { channel } of told)
    await writeAttempt(database, { ...one, channel, attempt: 0, outcome: 'ordered', status: 0, detail: '' });
  return told.length;
}

/** The same for all deliveries that were given up. */
export async function replayGivenUp(database: Database, trigger_id: string | null): Promise<number> {
  const given_up = await triggerDeliveries(database, { trigger_id, state: 'given_up', limit: MAX_LISTED });
  for (const { trigger_id, phone_number_id, message_id, channel } of given_up)
    await writeAttempt(database, {
      trigger_id,
      phone_number_id,
      message_id,
      channel,
      attempt: 0,
      outcome: 'ordered',
      status: 0,
      detail: '',
    });
  return given_up.length;
}

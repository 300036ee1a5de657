import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { GIVE_UP_MS, pauseAfter } from '../triggers/delivery.ts';
import { sendSigned } from '../triggers/signed-request.ts';
import { departureKey } from './departures.ts';

/** The address to tell of departures. */
export interface ToldWebhook {
  readonly url: string;
  /** Signs requests; null = none is sent. */
  readonly secret: string | null;
}

const waitingRow = z.object({
  waba_id: z.string(),
  day: z.string(),
  number: z.number(),
  payload: z.string(),
  noted_ms: z.coerce.number(),
  attempts: z.coerce.number(),
  last_ms: z.coerce.number(),
});

/** Departures of the last day that were not delivered yet. Older ones were delivered, given up, or had no address. */
const WAITING = `
SELECT departed.waba_id AS waba_id, toString(departed.day) AS day, departed.number AS number, payload,
  toUnixTimestamp64Milli(noted_at) AS noted_ms, attempts, toUnixTimestamp64Milli(last_at) AS last_ms
FROM
(
  SELECT * FROM drift_departures FINAL
  WHERE state = 'departed' AND noted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
) AS departed
LEFT JOIN
(
  SELECT waba_id, day, number, count() AS attempts, max(attempted_at) AS last_at,
    countIf(outcome IN ('delivered', 'given_up')) AS over
  FROM drift_attempts GROUP BY waba_id, day, number
) AS tried USING (waba_id, day, number)
WHERE over = 0
ORDER BY noted_at, waba_id, day`;

/**
 * Tells the webhook of departures that are due: at once, then after 2, 4, 8 s and so on up to an hour, for a day. After
 * a crash between an answer and its note the request is repeated with the same key and body.
 * @param now Unix milliseconds
 * @returns when the next attempt is due, Unix milliseconds; Infinity when none is waiting
 */
export async function tellDepartures(
  database: Database,
  { url, secret }: ToldWebhook,
  now: number,
  stopping: AbortSignal,
): Promise<number> {
  let next = Infinity;
  for (const one of await database.query(waitingRow, WAITING, { from: now - 2 * GIVE_UP_MS })) {
    const due = one.attempts === 0 ? one.noted_ms : one.last_ms + pauseAfter(one.attempts);
    if (due > now) {
      next = Math.min(next, due);
      continue;
    }
    const answer = await sendSigned({ url, key: departureKey(one), body: one.payload, secret }, stopping);
    // A request that this process aborted is no failure of the receiver.
    if (stopping.aborted && answer.detail !== '') return next;
    const attempt = one.attempts + 1;
    const isOver = now + pauseAfter(attempt) - one.noted_ms > GIVE_UP_MS;
    const outcome = answer.detail === '' ? 'delivered' : isOver ? 'given_up' : 'failed';
    if (outcome === 'failed') next = Math.min(next, now + pauseAfter(attempt));
    await database.command(
      `INSERT INTO drift_attempts
       SELECT fromUnixTimestamp64Milli({now:Int64}, 'UTC'), {waba_id:String}, {day:Date}, {number:UInt32}, {attempt:UInt32},
         {outcome:String}, {status:UInt16}, {detail:String}`,
      { ...answer, now, waba_id: one.waba_id, day: one.day, number: one.number, attempt, outcome },
    );
  }
  return next;
}

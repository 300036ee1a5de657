import type { DayVariance } from '@ctwa-ledger/schemas/meta.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';

/** A day that departed from Meta's numbers beyond tolerance, or came back. */
export interface Departure {
  readonly waba_id: string;
  readonly day: string;
  /** The first departure of a day has number 1. */
  readonly number: number;
  readonly state: 'departed' | 'returned';
  /** The body of the message about it; empty when the day returned. */
  readonly payload: string;
}

/** Identifies a departure to receivers: a second request with the same key repeats the first. */
export function departureKey({ waba_id, day, number }: Pick<Departure, 'waba_id' | 'day' | 'number'>): string {
  return `drift:${waba_id}:${day}:${number}`;
}

/** The body for a webhook. */
function payloadOf(variance: DayVariance, number: number, now: number): string {
  const { waba_id, month, day, day_state: _, ...figures } = variance;
  return JSON.stringify({
    event: 'drift_alarm',
    idempotency_key: departureKey({ waba_id, day, number }),
    noted_at: new Date(now).toISOString(),
    waba_id,
    month,
    day,
    departure: number,
    ...figures,
  });
}

/** The last departure of a day, and whether the day has returned since. */
export type LastDeparture = Pick<Departure, 'number' | 'state'>;

/**
 * The changes of days since the last look: days that now depart and did not, and days that agree again. Each departure
 * of a day is reported once. Days that Meta's numbers do not cover are left out. Pure.
 * @param last by day
 * @param now Unix milliseconds
 */
export function departuresIn(
  days: readonly DayVariance[],
  last: ReadonlyMap<string, LastDeparture>,
  now: number,
): Departure[] {
  return days.flatMap((variance): Departure[] => {
    const { waba_id, day, day_state } = variance;
    const before = last.get(day);
    const isAway = before?.state === 'departed';
    if (day_state === 'missing' || (day_state === 'departs') === isAway) return [];
    if (before !== undefined && isAway)
      return [{ waba_id, day, number: before.number, state: 'returned', payload: '' }];
    const number = (before?.number ?? 0) + 1;
    return [{ waba_id, day, number, state: 'departed', payload: payloadOf(variance, number, now) }];
  });
}

const lastRow = z.object({
  day: z.string(),
  number: z.number(),
  is_back: z.number(),
});

/** The last departures of days of an account, by day. */
export async function lastDepartures(
  database: Database,
  waba_id: string,
  days: { readonly first: string; readonly end: string },
): Promise<ReadonlyMap<string, LastDeparture>> {
  const rows = await database.query(
    lastRow,
    `SELECT toString(drift_departures.day) AS day, max(drift_departures.number) AS number,
       toUInt8(countIf(state = 'returned') = countIf(state = 'departed')) AS is_back
     FROM drift_departures FINAL
     WHERE waba_id = {waba_id:String} AND drift_departures.day >= {first:Date} AND drift_departures.day < {end:Date}
     GROUP BY drift_departures.day`,
    { waba_id, ...days },
  );
  return new Map(
    rows.map(({ day, number, is_back }) => [day, { number, state: is_back === 1 ? 'returned' : 'departed' }]),
  );
}

/** @param now Unix milliseconds */
export async function writeDepartures(
  database: Database,
  departures: readonly Departure[],
  now: number,
): Promise<void> {
  if (departures.length === 0) return;
  const noted_at = (now / 1_000).toFixed(3);
  await database.insertLines(
    'drift_departures',
    ['waba_id', 'day', 'number', 'state', 'noted_at', 'payload'],
    departures
      .map(
        ({ waba_id, day, number, state, payload }) =>
          `${JSON.stringify([waba_id, day, number, state, noted_at, payload])}\n`,
      )
      .join(''),
  );
}

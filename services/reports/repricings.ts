import { DateTime } from 'luxon';
import { z } from 'zod';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { givenRows } from '../clickhouse/sql.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Condition } from './sql.ts';
import { FIRST_DAY } from '@ctwa-ledger/schemas/time-limits.ts';

/** Days of an account whose printed messages may be others since a moment, although their marks stayed. */
interface Repricing {
  readonly waba_id: string;
  /** `YYYY-MM-DD`, in the zone of the account; the day after the last one, or null without an end. */
  readonly first_day: string;
  readonly end_day: string | null;
  /** Unix milliseconds. */
  readonly at_ms: number;
}

/** The moment of the last repricing of an account's messages, from a day on until the next step. */
interface RepricingStep {
  readonly waba_id: string;
  readonly first_day: string;
  readonly at_ms: number;
}

/**
 * What besides its mark may have changed a printed message, and when: accounts, rate cards, closings of months, and
 * places of tiers and allowances. A message may count as changed although its cells are the same, never the other way.
 */
export interface Repricings {
  readonly steps: readonly RepricingStep[];
  /** Whether any hour was repriced. */
  readonly hasHours: boolean;
  /** Unix milliseconds: when the configuration changed last. It may have changed every message. */
  readonly configured_ms: number;
  /** For {@link datedSql}. */
  readonly parameters: Parameters;
}

const milliseconds = z.coerce.number();
const cardRow = z.object({ currency: z.string(), first_day: z.string(), at_ms: milliseconds });
const accountRow = z.object({ waba_id: z.string(), at_ms: milliseconds });
const closingRow = z.object({ waba_id: z.string(), first_day: z.string(), end_day: z.string(), at_ms: milliseconds });
const restRow = z.object({ hours: z.coerce.number(), configured_ms: milliseconds });

/** For each account and day on which it changes, the time of the last repricing that covers the day. */
export function stepsOf(repricings: readonly Repricing[]): RepricingStep[] {
  const byAccount = new Map<string, Repricing[]>();
  for (const repricing of repricings) {
    const known = byAccount.get(repricing.waba_id);
    if (known === undefined) byAccount.set(repricing.waba_id, [repricing]);
    else known.push(repricing);
  }
  return [...byAccount].flatMap(([waba_id, ofAccount]) => {
    const days = ofAccount.flatMap(({ first_day, end_day }) => (end_day === null ? [first_day] : [first_day, end_day]));
    const steps: RepricingStep[] = [];
    for (const day of [...new Set(days)].sort()) {
      const covering = ofAccount.filter(
        ({ first_day, end_day }) => first_day <= day && (end_day === null || day < end_day),
      );
      const at_ms = Math.max(0, ...covering.map((repricing) => repricing.at_ms));
      if (at_ms !== (steps.at(-1)?.at_ms ?? 0)) steps.push({ waba_id, first_day: day, at_ms });
    }
    return steps;
  });
}

/** A day before or after: the zone that an account had when a month was closed may have been another one. */
function near(day: string, days: number): string {
  const moved = DateTime.fromISO(day, { zone: 'utc' }).plus({ days }).toFormat('yyyy-MM-dd');
  return moved < FIRST_DAY ? FIRST_DAY : moved;
}

/** Reads what changed printed messages besides their marks. */
export async function readRepricings(database: Database): Promise<Repricings> {
  const [configuration, cards, accounts, closings, [rest]] = await Promise.all([
    readConfiguration(database),
    database.query(
      cardRow,
      `SELECT toString(currency) AS currency, toString(effective_date) AS first_day,
         toString(max(toUnixTimestamp64Milli(greatest(imported_at, ifNull(withdrawn_at, imported_at))))) AS at_ms
       FROM rate_cards FINAL GROUP BY rate_cards.currency, rate_cards.effective_date`,
    ),
    database.query(
      accountRow,
      'SELECT waba_id, toString(toUnixTimestamp64Milli(accounts.changed_at)) AS at_ms FROM accounts FINAL',
    ),
    database.query(
      closingRow,
      `SELECT waba_id, toString(month) AS first_day, toString(addMonths(closed_periods.month, 1)) AS end_day,
         toString(toUnixTimestamp64Milli(closed_periods.changed_at)) AS at_ms
       FROM closed_periods FINAL`,
    ),
    database.query(
      restRow,
      `SELECT toString((SELECT count() FROM repriced_hours)) AS hours,
         toString((SELECT toUnixTimestamp64Milli(max(changed_at)) FROM configuration)) AS configured_ms`,
    ),
  ]);
  const steps = stepsOf([
    ...(configuration?.accounts ?? []).flatMap(({ waba_id, currency }) =>
      cards
        .filter((card) => card.currency === currency)
        .map(({ first_day, at_ms }) => ({ waba_id, first_day, end_day: null, at_ms })),
    ),
    ...accounts.map(({ waba_id, at_ms }) => ({ waba_id, first_day: FIRST_DAY, end_day: null, at_ms })),
    ...closings.map(({ waba_id, first_day, end_day, at_ms }) => ({
      waba_id,
      first_day: near(first_day, -1),
      end_day: near(end_day, 1),
      at_ms,
    })),
  ]);
  const configured_ms = rest?.configured_ms ?? 0;
  return {
    steps,
    hasHours: (rest?.hours ?? 0) > 0,
    configured_ms,
    parameters: {
      configured_ms,
      step_accounts: steps.map(({ waba_id }) => waba_id),
      step_days: steps.map(({ first_day }) => first_day),
      step_times: steps.map(({ at_ms }) => String(at_ms)),
    },
  };
}

const STEPS = givenRows({
  step_account: ['step_accounts', 'String'],
  step_day: ['step_days', 'String', 'toDate'],
  step_ms: ['step_times', 'String', 'toInt64'],
});

/** The time of a number of milliseconds since 1970. */
export function timeOfMs(milliseconds: string): string {
  return `fromUnixTimestamp64Milli(${milliseconds}, 'UTC')`;
}

/**
 * Adds `updated_at` to live messages: when the mark, the price or the month of a message changed last.
 * @param live a query of priced marks
 */
export function datedSql(live: string, { steps, hasHours }: Repricings): string {
  const times = ['dated.changed_at', timeOfMs('{configured_ms:Int64}')];
  const joins: string[] = [];
  if (hasHours) {
    times.push('repriced.repriced_at');
    joins.push(`LEFT ANY JOIN
      (SELECT phone_number_id AS repriced_number, hour_at AS repriced_hour, max(repriced_at) AS repriced_at
       FROM repriced_hours GROUP BY phone_number_id, hour_at) AS repriced
      ON dated.phone_number_id = repriced.repriced_number AND toStartOfHour(dated.time) = repriced.repriced_hour`);
  }
  if (steps.length > 0) {
    times.push(timeOfMs('steps.step_ms'));
    joins.push(`ASOF LEFT JOIN (${STEPS}) AS steps
      ON toString(dated.waba_id) = steps.step_account AND dated.day >= steps.step_day`);
  }
  return `SELECT dated.*, greatest(${times.join(', ')}) AS updated_at FROM (${live}) AS dated ${joins.join('\n')}`;
}

/** A condition on marks that every message fulfils whose printed row may have changed since `{changed_since:Int64}`. */
export function mayHaveChanged({ steps, configured_ms }: Repricings, since: number): Condition {
  const wabas = new Set(steps.filter(({ at_ms }) => at_ms >= since).map(({ waba_id }) => waba_id));
  const at = timeOfMs('{changed_since:Int64}');
  return {
    where:
      configured_ms >= since
        ? 'true'
        : `(message_marks.changed_at >= ${at}
          OR (message_marks.phone_number_id, toStartOfHour(ifNull(message_marks.delivered_at, message_marks.sent_at))) IN
            (SELECT phone_number_id, hour_at FROM repriced_hours WHERE repriced_at >= ${at})
          OR toString(message_marks.waba_id) IN {changed_accounts:Array(String)})`,
    parameters: { changed_since: since, changed_accounts: [...wabas] },
  };
}

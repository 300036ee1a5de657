import type { Logger } from 'pino';
import { Counter } from 'prom-client';
import type { Database } from '../clickhouse/database.ts';
import type { Departure } from '../drift/departures.ts';
import type { ToldWebhook } from '../drift/telling.ts';
import { DriftWatch } from '../drift/watch.ts';
import type { Metrics } from '../http/metrics.ts';

/** The address to tell of departures, with the secret that signs triggers; null when none is configured. */
export function toldWebhook({
  alarmUrl,
  triggerSecret,
}: {
  readonly alarmUrl: string | null;
  readonly triggerSecret: string | null;
}): ToldWebhook | null {
  return alarmUrl === null ? null : { url: alarmUrl, secret: triggerSecret };
}

/**
 * Starts to hold days against Meta's numbers in the background.
 * @param webhook the address to tell when a day departs; null = log and metric only
 */
export function watchDrift(
  database: Database,
  webhook: ToldWebhook | null,
  { metrics, log }: { readonly metrics: Metrics; readonly log: Logger },
): Pick<DriftWatch, 'stop'> {
  const days = new Counter({
    name: 'ctwa_drift_days_total',
    help: "Days that departed from Meta's numbers beyond tolerance (departed), or agree again (returned).",
    labelNames: ['state'],
    registers: [metrics.registry],
  });
  for (const state of ['departed', 'returned'] as const) days.inc({ state }, 0);
  return new DriftWatch(database, webhook, {
    onDeparture: ({ waba_id, day, number, state, payload }: Departure) => {
      days.inc({ state });
      if (state === 'returned') log.info({ waba_id, day, departure: number }, "A day agrees with Meta's numbers again");
      else
        log.warn(
          { waba_id, day, departure: number, figures: payload },
          "A day departs from Meta's numbers beyond tolerance; see the page Reconciliation",
        );
    },
    onError: (error) => {
      metrics.failures.inc({ work: 'drift' });
      log.error({ err: error }, "Months could not be held against Meta's numbers; it is tried again in a minute");
    },
  });
}

import { Counter, Histogram, Registry } from 'prom-client';

/** What `/metrics` shows. */
export class Metrics {
  readonly registry = new Registry();
  readonly events = new Counter({
    name: 'ctwa_events_total',
    help: 'Events by outcome; read = stored + duplicate + rejected.',
    labelNames: ['outcome'],
    registers: [this.registry],
  });
  readonly deliverySeconds = new Histogram({
    name: 'ctwa_webhook_delivery_seconds',
    help: 'From a webhook delivery to its answer, in seconds.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });
  readonly failures = new Counter({
    name: 'ctwa_failures_total',
    help: 'Work that failed and is tried again, by what it was.',
    labelNames: ['work'],
    registers: [this.registry],
  });
}

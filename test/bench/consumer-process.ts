/**
 * One consumer in a process of its own, as `ctwa-ledger consume` runs it, that says what it did: a line of JSON for every
 * batch, with how long after the broker took its events they were marked in the ledger, and emitted. Ended with SIGTERM.
 *
 * Arguments: broker, data directory, prefix of the topics.
 */
import { consume } from '../../services/processes/consume.ts';

/** A batch of so many was waiting: how long its events did says nothing. */
const BACKLOG = 50_000;

const [broker = '', dataDir = '', topicPrefix = ''] = process.argv.slice(2);
const stopping = new AbortController();
process.on('SIGTERM', () => {
  stopping.abort();
});
await consume(
  {
    ledger: {
      location: { kind: 'embedded', dataDir },
      database: 'ctwa_ledger',
      config: null,
      command: 'bench consume',
    },
    consumer: {
      kafka: { brokers: [broker], tls: null, sasl: null, topicPrefix },
      group: `${topicPrefix}bench`,
      fromBeginning: false,
      sessionTimeoutMs: 10_000,
    },
    triggerSecret: null,
    alarmUrl: null,
    listen: null,
    onListening: () => undefined,
    onBatch: (report) => {
      const now = Date.now();
      const after = (at: number): number[] =>
        report.read > BACKLOG ? [] : report.appended_at_ms.map((appended) => at - appended);
      const { read, stored, duplicate, rejected, emitted, seconds } = report;
      process.stdout.write(
        `${JSON.stringify({ at: now, read, stored, duplicate, rejected, emitted, seconds, marked: after(report.marked_at_ms), emitted_after: after(now) })}\n`,
      );
    },
  },
  stopping.signal,
);
process.exit(0);

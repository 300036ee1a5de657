/**
 * One consumer in a process of its own, as `ctwa-ledger consume` runs it, that says what it did: a line of JSON for every
 * batch, with the delays of its events. Ended with SIGTERM.
 *
 * Arguments: broker, data directory, group.
 */
import { consume } from '../../services/product/consume.ts';

const [broker = '', dataDir = '', group = ''] = process.argv.slice(2);
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
      kafka: { brokers: [broker], tls: null, sasl: null, topicPrefix: '' },
      group,
      fromBeginning: false,
      sessionTimeoutMs: 10_000,
    },
    listen: null,
    onListening: () => undefined,
    onBatch: (report) => {
      const now = Date.now();
      const delays = report.read > 5_000 ? [] : report.appended_at_ms.map((appended) => now - appended);
      const { read, stored, duplicate, rejected, emitted, seconds } = report;
      process.stdout.write(
        `${JSON.stringify({ at: now, read, stored, duplicate, rejected, emitted, seconds, delays })}\n`,
      );
    },
  },
  stopping.signal,
);
process.exit(0);

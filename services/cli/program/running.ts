import type { ConsumeCommandOptions } from '../commands/consume.ts';
import type { ExporterTexts } from '../commands/exporter.ts';
import type { ServerOptions } from '../commands/start.ts';
import { DEFAULT_GROUP } from '../kafka-settings.ts';
import type { CommonOptions } from '../settings.ts';
import type { AddCommand } from './add-command.ts';

/** Commands that run until they are stopped, and that read files. */
export function runningCommands(command: AddCommand): void {
  command('start', 'start the webhook receiver, API and dashboard in one process')
    .option('--port <n>', 'port to listen on', '8787')
    .option('--host <h>', 'address to listen on', '127.0.0.1')
    .option('--empty', 'start without the sample data, and remove it if it is there')
    .action(async (options: ServerOptions) => (await import('../commands/start.ts')).start(options));
  command('webhook', "receive Meta's webhooks, into Kafka if KAFKA_BROKERS is set, otherwise into the ledger")
    .option('--port <n>', 'port to listen on', '8788')
    .option('--host <h>', 'address to listen on', '127.0.0.1')
    .action(async (options: ServerOptions) => (await import('../commands/start.ts')).webhook(options));
  command('dashboard', 'serve the pages and API of a ledger that other processes write to')
    .option('--port <n>', 'port to listen on', '8787')
    .option('--host <h>', 'address to listen on', '127.0.0.1')
    .option('--empty', 'start without the sample data, and remove it if it is there')
    .action(async (options: ServerOptions) => (await import('../commands/start.ts')).dashboard(options));
  command('exporter', 'write the CSVs of the last finished days, at once and on a schedule')
    .requiredOption('--dir <dir>', 'directory of the files: <report>/<report>-YYYY-MM-DD.csv')
    .option('--schedule <cron>', 'when to run again: five cron fields, in the time zone', '15 * * * *')
    .option('--tz <zone>', 'IANA time zone of days and times', 'UTC')
    .option('--reports <list>', 'which reports, separated by commas', 'messages,conversations,daily,ads,charges')
    .option('--days <n>', 'how many past days to write again, because late events still change them', '8')
    .option('--port <n>', 'port of health, readiness and metrics', '9465')
    .option('--host <h>', 'address to listen on', '127.0.0.1')
    .action(async (options: ExporterTexts) => (await import('../commands/exporter.ts')).exporter(options));
  command('consume', 'read events from Kafka into the ledger (KAFKA_BROKERS, …)')
    .option('--group <name>', 'consumer group', DEFAULT_GROUP)
    .option('--from-beginning', 'start over: read everything from the beginning again')
    .option('--port <n>', 'answer /healthz, /readyz and /metrics on this port (default: nowhere)')
    .option('--host <h>', 'address of that port', '127.0.0.1')
    .action(async (options: ConsumeCommandOptions) => (await import('../commands/consume.ts')).consumeCommand(options));
  command('ingest', 'read events and webhook envelopes from NDJSON files (- = standard input, .gz accepted)')
    .argument('<file...>')
    .action(async (files: string[], options: CommonOptions) =>
      (await import('../commands/ingest.ts')).ingest(files, options),
    );
}

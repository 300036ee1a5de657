import { once } from 'node:events';
import { join } from 'node:path';
import type { Location } from '../../clickhouse/database.ts';
import { serveDashboard } from '../../processes/dashboard.ts';
import type { Serving } from '../../processes/listening.ts';
import { serveReceiver } from '../../processes/receiver.ts';
import { serve, type ServeOptions } from '../../processes/serve.ts';
import { DEFAULT_GROUP, kafkaSettings, sessionTimeoutMs } from '../kafka-settings.ts';
import {
  databaseName,
  EXPORTS_FOLDER,
  locationOf,
  readConfig,
  triggerSecret,
  UsageError,
  webhookSecrets,
  type CommonOptions,
} from '../settings.ts';

export interface ServerOptions extends CommonOptions {
  readonly port: string;
  readonly host: string;
  readonly empty?: boolean;
}

export function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new UsageError(`--port "${text}" is not a port; use 0 to 65535.`);
  return port;
}

/** The place of the ledger, for people: a directory, or a database of a server. */
function placeOf(location: Location): string {
  return location.kind === 'embedded' ? location.dataDir : `${databaseName()} on ${location.url}`;
}

/**
 * Runs something until the process is asked to stop.
 * @param ledger where it stores events; null when it stores none
 */
export async function serveUntilStopped(ledger: Location | null, begin: () => Promise<Serving>): Promise<void> {
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const serving = await begin();
  process.stdout.write(`ctwa-ledger is running: ${serving.url}\n`);
  if (ledger !== null) process.stdout.write(`The ledger is in ${placeOf(ledger)}\n`);
  if (process.stdout.isTTY) process.stdout.write('Press Ctrl-C to stop.\n');
  await stopped;
  process.stderr.write('stopping…\n');
  await serving.stop();
  // The timers of the dashboard's handler would keep the process alive.
  process.exit(0);
}

function run(
  name: string,
  options: ServerOptions,
  parts: Pick<ServeOptions, 'withDashboard' | 'empty'>,
): Promise<void> {
  const kafka = kafkaSettings();
  const location = locationOf(options);
  const config = readConfig(options);
  const consumer =
    kafka === null ? null : { kafka, group: DEFAULT_GROUP, fromBeginning: false, sessionTimeoutMs: sessionTimeoutMs() };
  return serveUntilStopped(location, () =>
    serve({
      ledger: {
        location,
        database: databaseName(),
        config,
        command: `ctwa-ledger ${name}`,
      },
      host: options.host,
      port: portOf(options.port),
      secrets: webhookSecrets(),
      consumer,
      triggerSecret: triggerSecret(),
      alarmUrl: config?.alarms?.webhook_url ?? null,
      configuredExports: config?.exports ?? null,
      exportsDirectory:
        parts.withDashboard && location.kind === 'embedded' ? join(location.dataDir, EXPORTS_FOLDER) : null,
      ...parts,
    }),
  );
}

export async function start(options: ServerOptions): Promise<void> {
  await run('start', options, { withDashboard: true, empty: options.empty === true });
}

/** Sends deliveries to the topics if a broker is configured, else straight into the ledger. */
export async function webhook(options: ServerOptions): Promise<void> {
  const kafka = kafkaSettings();
  if (kafka !== null) {
    const { host } = options;
    await serveUntilStopped(null, () =>
      serveReceiver({ kafka, host, port: portOf(options.port), secrets: webhookSecrets() }),
    );
    return;
  }
  await run('webhook', options, { withDashboard: false, empty: false });
}

export async function dashboard(options: ServerOptions): Promise<void> {
  const location = locationOf(options);
  await serveUntilStopped(location, () =>
    serveDashboard({
      // No configuration file: the process that writes the ledger applies it, and this one reads it from there.
      ledger: { location, database: databaseName(), command: 'ctwa-ledger dashboard' },
      host: options.host,
      port: portOf(options.port),
      empty: options.empty === true,
    }),
  );
}

import { once } from 'node:events';
import { serveDashboard } from '../../product/dashboard.ts';
import type { Serving } from '../../product/listening.ts';
import { serve, type ServeOptions } from '../../product/serve.ts';
import { databaseName, locationOf, readConfig, UsageError, webhookSecrets, type CommonOptions } from '../settings.ts';

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

/** Runs something until the process is told to stop. */
export async function serveUntilStopped(begin: () => Promise<Serving>): Promise<void> {
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const serving = await begin();
  process.stdout.write(`ctwa-ledger is running: ${serving.url}\n`);
  await stopped;
  process.stderr.write('stopping…\n');
  await serving.stop();
  // The dashboard's handler keeps timers of its own.
  process.exit(0);
}

function run(
  name: string,
  options: ServerOptions,
  parts: Pick<ServeOptions, 'withDashboard' | 'empty'>,
): Promise<void> {
  return serveUntilStopped(() =>
    serve({
      ledger: {
        location: locationOf(options),
        database: databaseName(),
        config: readConfig(options),
        command: `ctwa-ledger ${name}`,
      },
      host: options.host,
      port: portOf(options.port),
      secrets: webhookSecrets(),
      ...parts,
    }),
  );
}

export async function start(options: ServerOptions): Promise<void> {
  await run('start', options, { withDashboard: true, empty: options.empty === true });
}

export async function webhook(options: ServerOptions): Promise<void> {
  await run('webhook', options, { withDashboard: false, empty: false });
}

export async function dashboard(options: ServerOptions): Promise<void> {
  await serveUntilStopped(() =>
    serveDashboard({
      // No configuration: who writes the ledger applies it, and who reads it finds it there.
      ledger: { location: locationOf(options), database: databaseName(), command: 'ctwa-ledger dashboard' },
      host: options.host,
      port: portOf(options.port),
      empty: options.empty === true,
    }),
  );
}

import { once } from 'node:events';
import { serve, type ServeOptions } from '../../product/serve.ts';
import { databaseName, locationOf, readConfig, UsageError, webhookSecrets, type CommonOptions } from '../settings.ts';

export interface ServerOptions extends CommonOptions {
  readonly port: string;
  readonly host: string;
  readonly empty?: boolean;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new UsageError(`--port "${text}" is not a port; use 0 to 65535.`);
  return port;
}

async function run(
  name: string,
  options: ServerOptions,
  parts: Pick<ServeOptions, 'withDashboard' | 'empty'>,
): Promise<void> {
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const serving = await serve({
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
  });
  process.stdout.write(`ctwa-ledger is running: ${serving.url}\n`);
  await stopped;
  process.stderr.write('stopping…\n');
  await serving.stop();
  // The dashboard's handler keeps timers of its own.
  process.exit(0);
}

export async function start(options: ServerOptions): Promise<void> {
  await run('start', options, { withDashboard: true, empty: options.empty === true });
}

export async function webhook(options: ServerOptions): Promise<void> {
  await run('webhook', options, { withDashboard: false, empty: false });
}

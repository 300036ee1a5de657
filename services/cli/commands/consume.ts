import { consume } from '../../processes/consume.ts';
import { requiredKafkaSettings, sessionTimeoutMs } from '../kafka-settings.ts';
import { databaseName, locationOf, readConfig, triggerSecret, UsageError, type CommonOptions } from '../settings.ts';
import { portOf } from './start.ts';

export interface ConsumeCommandOptions extends CommonOptions {
  readonly group: string;
  readonly fromBeginning?: boolean;
  readonly port?: string;
  readonly host: string;
}

/** Stops on the first signal, after the current batch; a second signal ends the process at once. */
export async function consumeCommand(options: ConsumeCommandOptions): Promise<void> {
  if (options.group.trim() === '') throw new UsageError('--group is empty; leave it out for the default group.');
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) process.exit(1);
    process.stderr.write('stopping…\n');
    stopping.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const config = readConfig(options);
  await consume(
    {
      ledger: {
        location: locationOf(options),
        database: databaseName(),
        config,
        command: 'ctwa-ledger consume',
      },
      consumer: {
        kafka: requiredKafkaSettings(),
        group: options.group,
        fromBeginning: options.fromBeginning === true,
        sessionTimeoutMs: sessionTimeoutMs(),
      },
      triggerSecret: triggerSecret(),
      alarmUrl: config?.alarms?.webhook_url ?? null,
      listen: options.port === undefined ? null : { host: options.host, port: portOf(options.port) },
      onListening: (url) => {
        process.stdout.write(`ctwa-ledger answers at: ${url}\n`);
      },
    },
    stopping.signal,
  );
  process.exit(0);
}

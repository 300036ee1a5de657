import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ActionableError } from '../clickhouse/errors.ts';
import { Ledger } from '../ledger/ledger.ts';
import { openSample } from '../sample/sample.ts';
import { Progress } from './progress.ts';
import { databaseName, locationOf, readConfig, type CommonOptions } from './settings.ts';

/** Opens the ledger in the options, applies the configuration, and closes it in any case. */
export async function withLedger<T>(
  command: string,
  options: CommonOptions,
  work: (ledger: Ledger) => Promise<T>,
): Promise<T> {
  const progress = new Progress();
  const ledger = await Ledger.open({
    location: locationOf(options),
    database: databaseName(),
    config: readConfig(options),
    command: `ctwa-ledger ${command}`,
    onProgress: (threads) => progress.show(`applying the configuration: ${threads} threads folded`),
  });
  progress.end();
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}

/** The same for commands that only read: a directory without a ledger is a mistake, not an empty ledger. */
export async function withExistingLedger<T>(
  command: string,
  options: CommonOptions,
  work: (ledger: Ledger) => Promise<T>,
): Promise<T> {
  const location = locationOf(options);
  // If the path is no directory, opening it says so.
  const isMissing = (path: string): boolean =>
    !existsSync(path) || (statSync(path).isDirectory() && !existsSync(join(path, 'clickhouse')));
  if (location.kind === 'embedded' && isMissing(location.dataDir))
    throw new ActionableError(
      `There is no ledger in ${location.dataDir}. Name another directory with --data, or ingest events first.`,
    );
  return withLedger(command, options, work);
}

/** The same for the sample data. */
export async function withSample<T>(options: CommonOptions, work: (ledger: Ledger) => Promise<T>): Promise<T> {
  const ledger = await openSample(locationOf(options), databaseName(), Math.floor(Date.now() / 1000));
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}

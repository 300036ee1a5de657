import { readDestination, type Destination } from '@ctwa-ledger/schemas/destinations.ts';
import { ActionableError } from '../../clickhouse/errors.ts';
import { placeOf, Secrets, type OpenStorage } from './destination.ts';

function parsed(to: string): Destination {
  const destination = readDestination(to);
  if (typeof destination === 'string') throw new ActionableError(`${placeOf(to)}: ${destination}.`);
  return destination;
}

/** Loads the package of a storage only when it is used: packages are large, and most ledgers export into folders. */
async function opened(destination: Destination, secrets: Secrets): Promise<OpenStorage> {
  if (destination.kind === 's3') return (await import('./s3.ts')).openS3(destination, secrets);
  return (await import('./sftp.ts')).openSftp(destination, secrets);
}

/**
 * Puts files at their destination, one after another, in order.
 * @param files paths of local files, and their names at the destination
 * @param mayGoOn called before each file: false ends without an error
 * @throws ActionableError when a file cannot be put; those before it are stored
 */
export async function putFiles(
  to: string,
  files: readonly { readonly local: string; readonly name: string }[],
  mayGoOn: () => Promise<boolean>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  const destination = parsed(to);
  const secrets = new Secrets(destination.credentials, environment);
  let storage: OpenStorage | null = null;
  let name = '';
  try {
    storage = await opened(destination, secrets);
    for (const file of files) {
      if (!(await mayGoOn())) return;
      name = file.name;
      await storage.put(file.local, name);
    }
  } catch (error) {
    if (error instanceof ActionableError) throw error;
    const said = secrets.without(error instanceof Error ? error.message || error.name : String(error));
    throw new ActionableError(
      `${placeOf(to)} did not take ${name === '' ? 'the connection' : name} (${said}). Check that it is there and that ${secrets.nameOf('…')} may write; readers see no partial file.`,
    );
  } finally {
    await storage?.close().catch(() => undefined);
  }
}

import { createHash } from 'node:crypto';
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

/** A failure at a destination, in words and without secrets. */
function failure(error: unknown, to: string, secrets: Secrets, what: string, mustBeAble: string): ActionableError {
  if (error instanceof ActionableError) return error;
  const said = secrets.without(error instanceof Error ? error.message || error.name : String(error));
  return new ActionableError(
    `${placeOf(to)} ${what} (${said}). Check that it is there and that ${secrets.nameOf('…')} may ${mustBeAble}`,
  );
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
    const what = `did not take ${name === '' ? 'the connection' : name}`;
    throw failure(error, to, secrets, what, 'write; readers see no partial file.');
  } finally {
    await storage?.close().catch(() => undefined);
  }
}

/**
 * Reads files back from their destination, one after another.
 * @param names below the folder of the destination
 * @returns the SHA-256 of each file by its name; null when it is not there
 * @throws ActionableError when the destination cannot be read
 */
export async function hashesAt(
  to: string,
  names: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<ReadonlyMap<string, string | null>> {
  const destination = parsed(to);
  const secrets = new Secrets(destination.credentials, environment);
  const hashes = new Map<string, string | null>();
  let storage: OpenStorage | null = null;
  try {
    storage = await opened(destination, secrets);
    for (const name of names) {
      const content = await storage.read(name);
      const hash = createHash('sha256');
      if (content !== null) for await (const part of content) hash.update(part);
      hashes.set(name, content === null ? null : hash.digest('hex'));
    }
    return hashes;
  } catch (error) {
    throw failure(error, to, secrets, 'cannot be read back', 'read.');
  } finally {
    await storage?.close().catch(() => undefined);
  }
}

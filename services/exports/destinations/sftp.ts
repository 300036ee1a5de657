import { createHash, timingSafeEqual } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { posix } from 'node:path';
import type { SftpDestination } from '@ctwa-ledger/schemas/destinations.ts';
import Client from 'ssh2-sftp-client';
import { ActionableError } from '../../clickhouse/errors.ts';
import type { OpenStorage, Secrets } from './destination.ts';

const MISSED_ALIVE = 3;

/** Suffix of a file that is being written; it is renamed when complete. */
const UNFINISHED = '.unfinished';

function isKey(key: Buffer, fingerprint: string): boolean {
  const found = createHash('sha256').update(key).digest();
  const known = Buffer.from(fingerprint.slice('SHA256:'.length), 'base64');
  return found.length === known.length && timingSafeEqual(found, known);
}

/**
 * A folder of a server, over SFTP. A file is written beside its place and renamed, which replaces an earlier one at
 * once. Signs in with the private key `PRIVATE_KEY` (and its `PASSPHRASE`), else with `PASSWORD`. Accepts only the
 * server with the given fingerprint.
 */
export async function openSftp(destination: SftpDestination, secrets: Secrets): Promise<OpenStorage> {
  const { host, port, user, directory, host_key } = destination;
  const [privateKey, passphrase, password] = [
    secrets.get('PRIVATE_KEY'),
    secrets.get('PASSPHRASE'),
    secrets.get('PASSWORD'),
  ];
  if (privateKey === null && password === null)
    throw new ActionableError(
      `There are no credentials for sftp://${host}: set ${secrets.nameOf('PRIVATE_KEY_FILE')} or ${secrets.nameOf('PASSWORD_FILE')}.`,
    );
  let isOther = false;
  // By default the client prints what it receives among the results of a command. Errors are thrown in any case.
  const silent = (): void => undefined;
  const client = new Client('exports', { error: silent, end: silent, close: silent });
  try {
    await client.connect({
      host,
      port,
      username: user,
      readyTimeout: secrets.silentMs,
      keepaliveInterval: Math.round(secrets.silentMs / MISSED_ALIVE),
      keepaliveCountMax: MISSED_ALIVE,
      hostVerifier: (key: Buffer) => {
        isOther = !isKey(key, host_key);
        return !isOther;
      },
      ...(privateKey === null ? { password: password ?? '' } : { privateKey: `${privateKey}\n` }),
      ...(privateKey === null || passphrase === null ? {} : { passphrase }),
    });
  } catch (error) {
    if (isOther)
      throw new ActionableError(
        `The server at sftp://${host}:${port} has another key than ${host_key}. Find out why before anything is sent there.`,
      );
    throw error;
  }
  const made = new Set<string>();
  const pathOf = (name: string): string => posix.join(directory === '' ? '/' : directory, name);
  return {
    put: async (local, name) => {
      const path = pathOf(name);
      const folder = posix.dirname(path);
      if (!made.has(folder) && (await client.exists(folder)) === false) await client.mkdir(folder, true);
      made.add(folder);
      const beside = `${path}${UNFINISHED}`;
      await client.put(createReadStream(local), beside);
      const [{ size }, here] = [await client.stat(beside), statSync(local).size];
      if (size !== here) throw new Error(`it has ${size} bytes there, and ${here} here`);
      await client.posixRename(beside, path);
    },
    read: async (name) => {
      if ((await client.exists(pathOf(name))) === false) return null;
      return client.createReadStream(pathOf(name)) as AsyncIterable<Uint8Array>;
    },
    close: async () => {
      await client.end();
    },
  };
}

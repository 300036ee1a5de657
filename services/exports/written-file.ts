import { createHash, randomInt } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { ExportCompression } from '@ctwa-ledger/schemas/exports.ts';
import { ActionableError } from '../clickhouse/errors.ts';

/** Suffix of a file that is being written. Files of days in the same folder have another suffix. */
const UNFINISHED = /\.\d+\.unfinished$/;

/** A file that was written and does not have its name yet. */
export interface WrittenFile {
  readonly bytes: number;
  readonly sha256: string;
  /** Its path until then. */
  readonly beside: string;
  /** Gives it its name, so that readers see the complete file. */
  readonly publish: () => Promise<void>;
  /** Removes it instead. */
  readonly discard: () => void;
}

/** Syncs a directory, so that the name of a file survives a loss of power. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Makes the folder of a schedule if it is missing, and removes what a killed run left in it.
 * @param directory must exist: below a disk that is not mounted no folder is made
 */
export function readyFolder(directory: string, folder: string): string {
  if (!existsSync(directory))
    throw new ActionableError(`The directory ${directory} is not there. Mount it, or make it, and the export goes on.`);
  const path = join(directory, folder);
  mkdirSync(path, { recursive: true });
  for (const name of readdirSync(path)) if (UNFINISHED.test(name)) rmSync(join(path, name), { force: true });
  return path;
}

/** Writes a file beside its place and syncs it. */
export async function writeBeside(
  path: string,
  parts: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
  compression: ExportCompression = 'none',
): Promise<WrittenFile> {
  const beside = `${path}.${randomInt(2 ** 47)}.unfinished`;
  const hash = createHash('sha256');
  let bytes = 0;
  const counted = new Transform({
    transform: (chunk: Buffer, _, done) => {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  const file = createWriteStream(beside, { flush: true });
  const discard = (): void => {
    if (existsSync(beside)) rmSync(beside, { force: true });
  };
  try {
    // At level 6 without a time, so that the same rows give the same bytes.
    await (compression === 'gzip' ? pipeline(parts, createGzip(), counted, file) : pipeline(parts, counted, file));
  } catch (error) {
    discard();
    throw error;
  }
  return {
    bytes,
    sha256: hash.digest('hex'),
    beside,
    publish: async () => {
      renameSync(beside, path);
      await syncDirectory(dirname(path));
    },
    discard,
  };
}

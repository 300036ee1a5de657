import { once } from 'node:events';
import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LedgerError } from '../ledger/errors.ts';

/** Writes text as fast as it is taken, never ahead of it. */
export async function writeText(output: Writable, parts: AsyncIterable<string> | Iterable<string>): Promise<void> {
  for await (const part of parts) if (!output.write(part)) await once(output, 'drain');
}

/** Written beside and renamed: other systems never read half a file. */
export async function writeTextFile(path: string, parts: AsyncIterable<string> | Iterable<string>): Promise<void> {
  const beside = `${path}.${process.pid}.part`;
  try {
    // Ends the source too when the file cannot be written: a report left half-read holds its connection open.
    await pipeline(parts, createWriteStream(beside));
    renameSync(beside, path);
  } catch (error) {
    // Below something that is no directory there is nothing to remove, and saying so would hide why we are here.
    if (existsSync(beside)) rmSync(beside);
    throw new LedgerError(
      `The result could not be written to ${path} (${error instanceof Error ? error.message : String(error)}). Nothing was left behind.`,
    );
  }
}

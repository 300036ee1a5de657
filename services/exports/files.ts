import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { LedgerAwayError, ActionableError } from '../clickhouse/errors.ts';

type Parts = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

const CHUNK_BYTES = 64 * 1024;

/** Suffix of a file that is being written. A file that has it later was left by a process that died. */
export const PART = /\.\d+\.part$/;

async function haveSameBytes(one: string, other: string): Promise<boolean> {
  const a = await open(one);
  try {
    const b = await open(other);
    try {
      if ((await a.stat()).size !== (await b.stat()).size) return false;
      const [left, right] = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)];
      for (;;) {
        const [fromA, fromB] = await Promise.all([a.read(left), b.read(right)]);
        if (fromA.bytesRead !== fromB.bytesRead) return false;
        if (fromA.bytesRead === 0) return true;
        if (!left.subarray(0, fromA.bytesRead).equals(right.subarray(0, fromB.bytesRead))) return false;
      }
    } finally {
      await b.close();
    }
  } finally {
    await a.close();
  }
}

async function write(path: string, parts: Parts, settle: (beside: string) => Promise<void> | void): Promise<void> {
  const beside = `${path}.${process.pid}.part`;
  try {
    // On an error this also ends `parts`: a report that is half read holds its connection open.
    // Flushed, so that after a loss of power the name does not belong to an empty file.
    await pipeline(parts, createWriteStream(beside, { flush: true }));
    await settle(beside);
  } catch (error) {
    // If a parent is no directory there is nothing to remove, and an error here would hide the first one.
    if (existsSync(beside)) rmSync(beside);
    const message = `The result could not be written to ${path} (${error instanceof Error ? error.message : String(error)}). Nothing was left behind.`;
    throw error instanceof LedgerAwayError ? new LedgerAwayError(message) : new ActionableError(message);
  }
}

/** Writes a file beside its place and renames it, so that other programs never read half a file. */
export async function writeTextFile(path: string, parts: Parts): Promise<void> {
  await write(path, parts, (beside) => {
    renameSync(beside, path);
  });
}

/** The same, but leaves a file alone that has the same bytes, so that its time changes only when its content does. */
export async function refreshTextFile(path: string, parts: Parts): Promise<'written' | 'unchanged'> {
  let outcome: 'written' | 'unchanged' = 'written';
  await write(path, parts, async (beside) => {
    if (existsSync(path) && (await haveSameBytes(beside, path))) {
      outcome = 'unchanged';
      rmSync(beside);
    } else renameSync(beside, path);
  });
  return outcome;
}

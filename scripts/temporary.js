/** The folder for temporary files of a test run. */
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** Linux keeps files of this folder in memory. */
const MEMORY = '/dev/shm';
/** A container gives it 64 MB unless it is told otherwise; a run of everything needs some hundred at once. */
const ENOUGH_BYTES = 4 * 1024 ** 3;
/** The number after it is the id of the process that the folder belongs to. */
const PREFIX = 'ctwa-tests-';

function hasMemory() {
  if (!existsSync(MEMORY)) return false;
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize >= ENOUGH_BYTES && process.availableMemory() >= 2 * ENOUGH_BYTES;
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function remove(folder) {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  } catch {
    // Engines of a killed run still write there until they are idle. The next run removes it.
  }
}

/** A run that was killed leaves its folder behind. */
function removeLeft(parent) {
  for (const name of readdirSync(parent))
    if (name.startsWith(PREFIX) && !isRunning(Number(name.slice(PREFIX.length)))) remove(join(parent, name));
}

export function useTemporaryFolder() {
  // The process that started this one has made it.
  if (basename(tmpdir()).startsWith(PREFIX)) return () => undefined;
  const parent = hasMemory() ? MEMORY : tmpdir();
  removeLeft(parent);
  const folder = join(parent, `${PREFIX}${process.pid}`);
  mkdirSync(folder, { mode: 0o700 });
  process.env.TMPDIR = folder;
  return () => remove(folder);
}

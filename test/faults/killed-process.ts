import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { DataDirectory } from '../support/ledger.ts';

const TSX = createRequire(import.meta.url).resolve('tsx');

/**
 * Runs a script of this folder that kills itself before a statement of the ledger.
 * @returns that statement, or null when the script came to its end
 */
export function dieIn(data: DataDirectory, script: string, ...args: readonly string[]): Promise<string | null> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ['--import', TSX, path, data.path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  data.adopt(child);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(Buffer.concat(out).toString('utf8'));
      else if (code === 0) resolve(null);
      else reject(new Error(Buffer.concat(err).toString('utf8')));
    });
  });
}

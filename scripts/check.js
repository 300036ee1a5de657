/**
 * Types, lint, format, what nothing uses, known weaknesses. Each step is a program of one thread, so as many run at once
 * as there are processors; what one says is shown when it has ended.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { ROOT } from './prepare.js';

/** The longest first. */
const STEPS = [
  'eslint .',
  'npm run --silent check --workspace dashboard',
  'tsc --noEmit',
  'prettier --check .',
  'knip',
  'node scripts/audit.js',
];
/** Steps take up to 2 GB of memory each. */
const MAX_AT_ONCE = 4;

const PATH = [join(ROOT, 'node_modules', '.bin'), process.env.PATH].join(delimiter);

/** @returns whether it found nothing */
function passes(step) {
  const child = spawn(step, {
    cwd: ROOT,
    shell: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH },
  });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => said.push(part));
  return new Promise((resolve) => {
    child.once('close', (code) => {
      process.stderr.write(`${code === 0 ? 'passed' : 'FAILED'}: ${step}\n${Buffer.concat(said)}`);
      resolve(code === 0);
    });
  });
}

const waiting = [...STEPS];
let isPassed = true;
async function work() {
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift())
    if (!(await passes(step))) isPassed = false;
}
await Promise.all(Array.from({ length: Math.min(MAX_AT_ONCE, availableParallelism()) }, work));
process.exit(isPassed ? 0 : 1);

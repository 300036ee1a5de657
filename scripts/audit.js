/**
 * Fails when a package that runs in production has a known weakness. Without an answer of the registry nothing is known:
 * that is said in a line, and fails nothing, because it says nothing about the packages.
 */
import { spawnSync } from 'node:child_process';
import { ROOT } from './prepare.js';

const PATIENCE_MS = 30_000;
const AUDIT = ['audit', '--omit=dev', '--json', '--fetch-retries=0', `--fetch-timeout=${PATIENCE_MS / 2}`];

/** @returns what npm says as JSON; null when it says none. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const { stdout } = spawnSync('npm', AUDIT, {
  cwd: ROOT,
  stdio: ['ignore', 'pipe', 'ignore'],
  encoding: 'utf8',
  timeout: PATIENCE_MS,
  shell: process.platform === 'win32',
});
const answer = parsed(stdout);
// Only an answer of the registry lists them, and be it none.
const weak = answer?.vulnerabilities;
if (weak === undefined) {
  const reason = answer?.message ?? 'it did not answer in time';
  process.stderr.write(`npm audit: the registry gave no answer (${reason}); nothing is known of weaknesses.\n`);
} else {
  for (const { name, severity, range } of Object.values(weak))
    process.stderr.write(`npm audit: ${name} ${range} has a weakness (${severity}). Run: npm audit --omit=dev\n`);
  process.exitCode = Object.keys(weak).length === 0 ? 0 : 1;
}

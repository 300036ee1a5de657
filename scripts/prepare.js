/**
 * Makes a fresh clone ready: installs packages when the lock file changed, builds the services, builds the dashboard when its
 * sources did.
 * Node built-ins only, because it runs before anything is installed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
const STAMPS = join(ROOT, 'node_modules', '.stamps');

/** Of a build that fails after it has said much. */
const MAX_SAID_BYTES = 64 * 1024 * 1024;
const isVerbose = process.argv.includes('--verbose');

/** What a command says is shown when it fails, and as it comes with `--verbose`. */
function run(command, args) {
  const result = spawnSync(command, args, {
    cwd: ROOT,
    stdio: isVerbose ? ['ignore', 2, 2] : ['ignore', 'pipe', 'pipe'],
    maxBuffer: MAX_SAID_BYTES,
    shell: process.platform === 'win32',
  });
  if (result.status === 0) return;
  for (const said of [result.stdout, result.stderr]) if (said !== null) process.stderr.write(said);
  const reason = result.error === undefined ? '' : ` (${result.error.message})`;
  process.stderr.write(`${command} ${args.join(' ')} failed${reason}. Fix what it says above and run this again.\n`);
  process.exit(1);
}

function hashOf(paths) {
  const hash = createHash('sha256').update(process.version);
  const add = (path) => {
    const entries = readdirSync(join(ROOT, path), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const child = join(path, entry.name);
      if (['node_modules', '.svelte-kit', 'build'].includes(entry.name)) continue;
      if (entry.isDirectory()) add(child);
      else hash.update(child).update(readFileSync(join(ROOT, child)));
    }
  };
  for (const path of paths) {
    if (path.endsWith('/')) add(path);
    else hash.update(path).update(readFileSync(join(ROOT, path)));
  }
  return hash.digest('hex');
}

function isStamped(name, hash) {
  const stamp = join(STAMPS, name);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === hash;
}

function stamp(name, hash) {
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(join(STAMPS, name), hash);
}

export function installPackages() {
  const hash = hashOf(['package-lock.json', 'package.json']);
  if (isStamped('install', hash)) return;
  process.stderr.write('Installing packages…\n');
  run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund']);
  stamp('install', hash);
}

/** Each time: it takes less than the question whether anything changed. */
export function buildServices() {
  run(process.execPath, [join('scripts', 'build-services.js')]);
}

export function buildDashboard() {
  const hash = hashOf(['package-lock.json', 'dashboard/', 'schemas/', 'docs/rules.md']);
  if (isStamped('dashboard', hash) && existsSync(join(ROOT, 'dashboard', 'build', 'handler.js'))) return;
  process.stderr.write('Building the dashboard…\n');
  run('npm', ['run', '--silent', 'build', '--workspace', 'dashboard']);
  stamp('dashboard', hash);
}

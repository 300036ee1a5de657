import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildDashboard, installPackages, ROOT } from './prepare.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

function run(command, args, env = {}) {
  return spawnSync(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  }).status;
}

/** The browser tests need a Chromium: Debian's, when this machine is one and we may install. */
function ensureChromium() {
  if (process.env.CHROMIUM_PATH !== undefined || CHROMIUM.some((path) => existsSync(path))) return;
  const isDebianRoot = existsSync('/etc/debian_version') && process.getuid?.() === 0;
  if (isDebianRoot) {
    process.stderr.write("installing Debian's Chromium for the browser tests…\n");
    if (run('apt-get', ['update', '-qq']) === 0)
      run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'], {
        DEBIAN_FRONTEND: 'noninteractive',
      });
    if (CHROMIUM.some((path) => existsSync(path))) return;
  }
  process.stderr.write('The browser tests need Chromium: install it, or set CHROMIUM_PATH to its program.\n');
  process.exit(1);
}

const args = process.argv.slice(2);
const isFull = args.includes('--full');
installPackages();
buildDashboard();
ensureChromium();
if (process.env.CI === 'true' && run('npm', ['run', '--silent', 'check']) !== 0) process.exit(1);
const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const status = run(
  process.execPath,
  [vitest, 'run', ...args.filter((arg) => arg !== '--full')],
  isFull ? { CTWA_FULL: '1' } : {},
);
process.exit(status ?? 1);

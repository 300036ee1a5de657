import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium, HEADLESS_SHELL } from './chromium.js';
import { installKafka, kafkaUnavailable, startBroker } from './kafka/broker.js';
import { buildDashboard, buildServices, installPackages, ROOT } from './prepare.js';
import { useTemporaryFolder } from './temporary.js';

const VITEST = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');

function run(command, args, env = {}) {
  return spawnSync(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  }).status;
}

/** Installs one of Debian's packages, when this machine is one and we may, and nothing has to go for it. */
function installBrowser(name) {
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) return;
  process.stderr.write(`installing Debian's package ${name} for the browser tests…\n`);
  const options = ['-qq', '-o', 'Acquire::Retries=0', '-o', 'Acquire::http::Timeout=20'];
  if (run('apt-get', ['update', ...options]) === 0)
    run('apt-get', ['install', '-y', ...options, '--no-remove', '--no-install-recommends', name, 'fonts-dejavu-core'], {
      DEBIAN_FRONTEND: 'noninteractive',
    });
}

/** The browser tests need a Chromium. CI has the cheaper one installed even beside another; a developer's is left alone. */
function ensureChromium() {
  const isWanted = findChromium() === null || (process.env.CI === 'true' && process.env.CHROMIUM_PATH === undefined);
  if (isWanted && !existsSync(HEADLESS_SHELL)) installBrowser('chromium-headless-shell');
  if (findChromium() === null) installBrowser('chromium');
  if (findChromium() !== null) return;
  process.stderr.write('The browser tests need Chromium: install it, or set CHROMIUM_PATH to its program.\n');
  process.exit(1);
}

/**
 * Here, so that no test's time limit pays for a download. Where there can be no broker, the tests themselves say so.
 * @returns whether there can be one
 */
function prepareKafka() {
  if (kafkaUnavailable() !== null) return false;
  try {
    installKafka();
    return true;
  } catch (error) {
    process.stderr.write(`${error.message}\nThe tests that need a Kafka broker will fail.\n`);
    return false;
  }
}

/** What needs no ledger, broker or browser. */
const QUICK = ['test/unit', 'test/properties/fold.test.ts'];

const args = process.argv.slice(2);
if (args.includes('--quick')) {
  installPackages();
  if (run('npm', ['run', '--silent', 'check']) !== 0) process.exit(1);
  process.exit(run(process.execPath, [VITEST, 'run', ...QUICK]) ?? 1);
}
const isFull = args.includes('--full');
installPackages();
buildServices();
buildDashboard();
ensureChromium();
const canHaveBroker = prepareKafka();
if (process.env.CI === 'true' && run('npm', ['run', '--silent', 'check']) !== 0) process.exit(1);
const chosen = args.filter((arg) => arg !== '--full');
const removeTemporaryFolder = useTemporaryFolder();
// A run of everything shares one, unless the developer's is there: to start one takes longer than many a suite on it.
const brokerDir = mkdtempSync(join(tmpdir(), 'ctwa-kafka-'));
const isShared = canHaveBroker && chosen.length === 0 && process.env.KAFKA_BROKERS === undefined;
const broker = isShared ? await startBroker({ dataDir: brokerDir }) : null;
const brokers = broker?.brokers ?? process.env.KAFKA_BROKERS;
const status = run(process.execPath, [VITEST, 'run', ...chosen], {
  ...(isFull ? { CTWA_FULL: '1' } : {}),
  // Under another name too, because tests clear what a developer's shell carries for the product.
  ...(brokers === undefined ? {} : { TEST_KAFKA_BROKERS: brokers }),
});
await broker?.kill();
removeTemporaryFolder();
process.exit(status ?? 1);

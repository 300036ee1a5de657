import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LedgerAwayError, ActionableError } from '../errors.ts';
import { ENGINE_FILE, proofOf } from './announcement.ts';

/** Where the engine host of a data directory listens. */
export interface Engine {
  readonly url: string;
  readonly key: string;
  readonly pid: number;
}

/** In the data directory: what the engine host could not answer, and why it ended. */
export const LOG_FILE = 'engine.log';
/** What the engine writes when another process holds its directory; there is no other sign of it. */
const LOCKED = 'Cannot lock file';
const START_WITHIN_MS = 60_000;
const HOST = fileURLToPath(new URL('./host-main.js', import.meta.url));
/** Statements that the engine works on at once: those of a process's own pool, and of its downloads. */
const ENGINE_THREADS = 24;
/** How long a host lives after its last request, in seconds. */
const IDLE_SECONDS = 30;

function announced(dataDir: string): Engine | null {
  try {
    const { pid, port, key } = JSON.parse(readFileSync(join(dataDir, ENGINE_FILE), 'utf8')) as Record<string, unknown>;
    return { pid: Number(pid), url: `http://127.0.0.1:${Number(port)}`, key: String(key) };
  } catch {
    return null;
  }
}

async function answers(engine: Engine): Promise<boolean> {
  const impatience = new AbortController();
  // A timer that holds the process, unlike that of AbortSignal.timeout: a host that dies while it is asked can leave
  // the
  // request without a socket, and with nothing else to wait for Node.js would end in the middle of this.
  const timer = setTimeout(() => {
    impatience.abort();
  }, 5_000);
  try {
    // The port of a host that died may belong to another program by now: the key is sent only to a host that knows it.
    const nonce = randomBytes(16).toString('hex');
    const response = await fetch(`${engine.url}/hello?nonce=${nonce}`, { signal: impatience.signal });
    return (await response.text()) === proofOf(engine.key, nonce);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function checkDirectory(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ActionableError(
      `The data directory ${dataDir} cannot be made (${reason}). Give another one with --data.`,
    );
  }
  if (!statSync(dataDir).isDirectory())
    throw new ActionableError(`${dataDir} is a file, not a data directory. Give another one with --data.`);
}

function lastWords(logFile: string, from: number): string {
  try {
    return readFileSync(logFile).subarray(from).toString('utf8').trim().split('\n').slice(-3).join(' ').slice(0, 600);
  } catch {
    return '';
  }
}

/**
 * The program that has the engine's lock file open and is no engine host; null when there is none, or when this system
 * does not tell (it is Linux that does).
 */
function foreignHolder(dataDir: string): string | null {
  try {
    const status = realpathSync(join(dataDir, 'clickhouse', 'status'));
    const pid = /PID: (\d+)/.exec(readFileSync(status, 'utf8'))?.[1] ?? '';
    // The process id alone proves nothing: it may belong to another container.
    const isOpen = readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === status);
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return isOpen && !command.includes(basename(HOST)) ? `"${command.slice(0, 200)}" (process ${pid})` : null;
  } catch {
    return null;
  }
}

/**
 * Finds the engine host of a data directory, or starts one that outlives this process. Several commands may do so at
 * once: the engine's lock decides, and the others find the winner.
 * @throws ActionableError when the directory is held by something else, or the engine cannot start
 */
export async function findEngine(dataDir: string): Promise<Engine> {
  const running = announced(dataDir);
  if (running !== null && (await answers(running))) return running;
  checkDirectory(dataDir);
  const logFile = join(dataDir, LOG_FILE);
  const deadline = Date.now() + START_WITHIN_MS;
  let isLocked = false;
  while (Date.now() < deadline) {
    let log: number;
    try {
      log = openSync(logFile, 'a', 0o600);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ActionableError(
        `The data directory ${dataDir} cannot be written (${reason}). Free space or give another one with --data.`,
      );
    }
    const logStart = statSync(logFile).size;
    const host = spawn(
      process.execPath,
      [HOST, dataDir, String(process.env['CTWA_ENGINE_IDLE_SECONDS'] ?? IDLE_SECONDS)],
      {
        // A group of its own: Ctrl-C in the terminal of one command must not end the engine of the others.
        detached: true,
        stdio: ['ignore', log, log],
        env: { ...process.env, UV_THREADPOOL_SIZE: String(ENGINE_THREADS) },
      },
    );
    closeSync(log);
    host.unref();
    let exited = false;
    host.once('exit', () => (exited = true));
    while (Date.now() < deadline) {
      const engine = announced(dataDir);
      if (engine !== null && (await answers(engine))) return engine;
      if (exited) break;
      await wait(25);
    }
    if (!exited) break;
    const words = lastWords(logFile, logStart);
    isLocked = words.includes(LOCKED);
    // Another host is opening the directory, or closing it: the lock frees itself or its holder answers.
    if (isLocked) {
      const holder = foreignHolder(dataDir);
      if (holder !== null)
        throw new ActionableError(
          `The data directory ${dataDir} is held by ${holder}, which is not an engine host of ctwa-ledger. End it, or give another directory with --data.`,
        );
      await wait(200);
      continue;
    }
    throw new ActionableError(
      `The embedded ClickHouse did not start in ${dataDir}: ${words || 'no reason given'}. See ${logFile}.`,
    );
  }
  if (isLocked)
    throw new ActionableError(
      `The data directory ${dataDir} is held by another program that is not an engine host of ctwa-ledger. End it, or give another directory with --data.`,
    );
  throw new LedgerAwayError(`The embedded ClickHouse in ${dataDir} did not answer within a minute. See ${logFile}.`);
}

/** The real thing, in processes of its own: commands, servers and their engines, and what they take. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../node_modules/.bin/ctwa-ledger', import.meta.url));
const FLOOR = fileURLToPath(new URL('floor.ts', import.meta.url));
/** Where no configuration file of a developer is found. */
const PLACE = { cwd: tmpdir() } as const;
const LOOK_MS = 50;
const TICKS_PER_SECOND = 100;
/** An engine that nobody uses any more must not take the cores of what is measured next. */
process.env['CTWA_ENGINE_IDLE_SECONDS'] = '5';

export interface Use {
  readonly cpuSeconds: number;
  readonly memoryMiB: number;
  readonly peakMiB: number;
}

/** What a process has taken so far, by what Linux says; null when it is gone, or ending: then its memory is. */
export function useOf(pid: number | undefined): Use | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    if (!status.includes('VmHWM')) return null;
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, which may hold blanks, ends with the last bracket.
    const [, ...fields] = stat.slice(stat.lastIndexOf(')')).split(' ');
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      memoryMiB: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024,
      peakMiB: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024,
    };
  } catch {
    return null;
  }
}

export const NOTHING: Use = { cpuSeconds: 0, memoryMiB: 0, peakMiB: 0 };

function enginePid(dataDir: string): number | undefined {
  try {
    return (JSON.parse(readFileSync(join(dataDir, 'engine.json'), 'utf8')) as { pid: number }).pid;
  } catch {
    return undefined;
  }
}

/** What the engine of a data directory has taken so far. */
export function engineUse(dataDir: string): Use {
  return useOf(enginePid(dataDir)) ?? NOTHING;
}

export async function stopEngine(dataDir: string): Promise<void> {
  const pid = enginePid(dataDir);
  if (pid === undefined || useOf(pid) === null) return;
  process.kill(pid, 'SIGTERM');
  while (useOf(pid) !== null) await sleep(LOOK_MS);
}

export interface Ran {
  readonly stdout: string;
  readonly use: Use;
}

async function toTheEnd(child: ChildProcess, what: string): Promise<Ran> {
  let stdout = '';
  let use = NOTHING;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const look = setInterval(() => (use = useOf(child.pid) ?? use), LOOK_MS);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(look);
  if (code !== 0) throw new Error(`${what} ended with ${String(code)}.`);
  return { stdout, use };
}

/** Runs a command on a data directory; what its work took is known to a look every few milliseconds. */
export function command(dataDir: string, ...args: string[]): Promise<Ran> {
  const child = spawn(CLI, [...args, '--data', dataDir], { ...PLACE, stdio: ['ignore', 'pipe', 'inherit'] });
  return toTheEnd(child, `ctwa-ledger ${args[0] ?? ''}`);
}

export interface Ingested extends Ran {
  readonly seconds: number;
  readonly stored: number;
}

/** `ingest`, by its own clock, which begins with the opening of the ledger. */
export async function ingest(dataDir: string, file: string): Promise<Ingested> {
  const ran = await command(dataDir, 'ingest', file);
  const said = JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? '{}') as { seconds: number; stored: number };
  return { ...ran, ...said };
}

/** Opens a ledger, so that what is timed next is not the start of its engine. */
export async function prepareLedger(dataDir: string): Promise<void> {
  await command(dataDir, 'accounts', 'list');
}

/** Seconds of the floor for a file. */
export async function floorOf(file: string, emptyDir: string): Promise<number> {
  const child = spawn(process.execPath, ['--import', 'tsx', FLOOR, file, emptyDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return Number((await toTheEnd(child, 'The floor')).stdout);
}

export interface Server {
  readonly url: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** Starts everything in one process, as `start` does. */
export async function startServer(dataDir: string, env: Readonly<Record<string, string>> = {}): Promise<Server> {
  const child = spawn(CLI, ['start', '--data', dataDir, '--port', '0'], {
    ...PLACE,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  });
  // Should the bench fail in the middle, its server must not outlive it.
  process.once('exit', () => child.kill());
  const ended = once(child, 'exit');
  let said = '';
  let url: string | undefined;
  while (url === undefined) {
    const [chunk] = (await Promise.race([once(child.stdout, 'data'), ended])) as [unknown];
    if (!Buffer.isBuffer(chunk)) throw new Error('start ended before it ran.');
    said += chunk.toString();
    url = /http:\/\/[^\s/]+/.exec(said)?.[0];
  }
  return {
    url,
    pid: child.pid,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

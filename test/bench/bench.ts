/**
 * The ledger's numbers, on this machine: `npm run bench`. Prints the machine, the sizes and every figure. Each figure is
 * of the real thing: the command line, the embedded engine, the queries of the first page.
 *
 * CTWA_BENCH_THREADS (default 35,000: about 1,000,000 events over 90 days) changes the size.
 */
import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { ingestFile } from '../../services/ingest/file.ts';
import { Database } from '../../services/ledger/database.ts';
import { Landing } from '../../services/ledger/landing.ts';
import { Ledger } from '../../services/ledger/ledger.ts';
import { settleSummaries } from '../../services/ledger/summaries.ts';
import { ads, daily, dayTotals, overview } from '../../services/reports/figures.ts';
import { freshness } from '../../services/reports/status.ts';
import { simulate } from '../../services/simulate/simulate.ts';

const CLI = fileURLToPath(new URL('../../node_modules/.bin/ctwa-ledger', import.meta.url));
const THREADS = Number(process.env['CTWA_BENCH_THREADS'] ?? 35_000);
const END_AT = Date.UTC(2026, 9, 31) / 1000;
const QUERY_RUNS = 60;
const PAIRS = 3;
const NAME = 'ctwa_ledger';

const home = mkdtempSync(join(tmpdir(), 'ctwa-bench-'));
process.env['CTWA_ENGINE_IDLE_SECONDS'] = '5';

function line(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(64)} ${figure}\n`);
}

function seconds(since: number): number {
  return (performance.now() - since) / 1000;
}

async function writeTraffic(path: string, threads: number): Promise<number> {
  const out = createWriteStream(path);
  let events = 0;
  let text = '';
  for (const event of simulate({ threads, days: 90, seed: 7, end_at: END_AT })) {
    events += 1;
    text += `${event}\n`;
    if (text.length < 1 << 20) continue;
    if (!out.write(text)) await once(out, 'drain');
    text = '';
  }
  out.end(text);
  await finished(out);
  return events;
}

/** The command in a process of its own; its result line, and the most memory that it held. */
async function ingestCommand(
  file: string,
  dataDir: string,
): Promise<{ seconds: number; stored: number; peakMiB: number }> {
  const began = performance.now();
  const child = spawn(CLI, ['ingest', file, '--data', dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  let peakKiB = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  const watch = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peakKiB = Math.max(peakKiB, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    } catch {
      // It has ended between two looks.
    }
  }, 50);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(watch);
  if (code !== 0) throw new Error(`ingest ended with ${code}`);
  const result = JSON.parse(out.trim().split('\n').at(-1) ?? '{}') as { stored: number };
  return { seconds: seconds(began), stored: result.stored, peakMiB: peakKiB / 1024 };
}

/** Reads a file as `ingest` does and lands it, without marks. */
async function landFile(file: string, database: Database): Promise<number> {
  const began = performance.now();
  await ingestFile(
    {
      database,
      beginLanding: () => new Landing(database),
      fold: async (landing) => {
        await landing.finish();
        return { stored: 0 };
      },
    },
    file,
    () => undefined,
  );
  return seconds(began);
}

function stopEngine(dataDir: string): void {
  const { pid } = JSON.parse(readFileSync(join(dataDir, 'engine.json'), 'utf8')) as { pid: number };
  process.kill(pid, 'SIGTERM');
}

/** An opened, empty ledger: what is timed is the work on the file, not the start of an engine. */
async function withFreshLedger<T>(name: string, work: (ledger: Ledger) => Promise<T>): Promise<T> {
  const dataDir = join(home, name);
  const location = { kind: 'embedded', dataDir } as const;
  const ledger = await Ledger.open({ location, database: NAME, config: null, command: 'bench' });
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
    stopEngine(dataDir);
  }
}

/** The same events, typed, landed and nothing else: read, validated, normalised, stored and fsynced. */
function landThroughHost(file: string, run: number): Promise<number> {
  return withFreshLedger(`landed-${run}`, (ledger) => landFile(file, ledger.database));
}

/** From the file to marks and summaries. */
function markThroughHost(file: string, run: number): Promise<number> {
  return withFreshLedger(`marked-${run}`, async (ledger) => {
    const began = performance.now();
    await ingestFile(ledger, file, () => undefined);
    await settleSummaries(ledger.database);
    return seconds(began);
  });
}

function median(figures: readonly number[]): number {
  return [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN;
}

function percentile(sorted: readonly number[], p: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}

async function timeQueries(dataDir: string): Promise<void> {
  const location = { kind: 'embedded', dataDir } as const;
  const ledger = await Ledger.open({ location, database: NAME, config: null, command: 'bench' });
  const database: Database = ledger.database;
  const month = { from: '2026-10-01', to: '2026-10-31', tz: 'America/Sao_Paulo', as_of: END_AT };
  const quarter = { from: null, to: null, tz: 'America/Sao_Paulo', as_of: END_AT };
  const queries: [string, () => Promise<unknown>][] = [
    ['status line', () => freshness(ledger)],
    ...(
      [
        ['30 days', month],
        ['whole quarter', quarter],
      ] as const
    ).flatMap(([range, filters]): [string, () => Promise<unknown>][] => [
      [`headline figures, ${range}`, () => overview(database, filters)],
      [`days, ${range}`, () => dayTotals(database, filters)],
      [`days by number, ${range}`, () => daily(database, filters)],
      [`ads, ${range}`, () => ads(database, filters)],
    ]),
  ];
  for (const [name, run] of queries) {
    const times: number[] = [];
    for (let i = 0; i < QUERY_RUNS; i++) {
      const began = performance.now();
      await run();
      times.push(performance.now() - began);
    }
    times.sort((a, b) => a - b);
    line(`  ${name}`, `p50 ${percentile(times, 0.5).toFixed(0)} ms, p95 ${percentile(times, 0.95).toFixed(0)} ms`);
  }
  await ledger.close();
}

try {
  line(
    'machine',
    `${cpus().length} × ${cpus()[0]?.model ?? '?'}, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB, Node ${process.version}`,
  );
  const file = join(home, 'traffic.ndjson');
  const simulated = performance.now();
  const events = await writeTraffic(file, THREADS);
  line(
    'simulated',
    `${events} events, ${THREADS} threads, ${(statSync(file).size / 1e6).toFixed(0)} MB, ${Math.round(events / seconds(simulated))}/s`,
  );

  // In turn, so that a machine that is slower for a while is slower for both.
  const lands: number[] = [];
  const marks: number[] = [];
  for (let run = 1; run <= PAIRS; run++) {
    lands.push(await landThroughHost(file, run));
    marks.push(await markThroughHost(file, run));
  }
  const landed = median(lands);
  const marked = median(marks);
  line(`land only, median of ${PAIRS}`, `${landed.toFixed(2)} s, ${Math.round(events / landed)}/s`);
  line(`file → marked ledger, median of ${PAIRS}`, `${marked.toFixed(2)} s, ${Math.round(events / marked)}/s`);
  line(
    '  ÷ land only, pair by pair (≤ 2 wanted)',
    marks.map((took, i) => (took / (lands[i] ?? Number.NaN)).toFixed(2)).join(', '),
  );
  const dataDir = join(home, 'ledger');
  const first = await ingestCommand(file, dataDir);
  line(
    'file → marked ledger, first run',
    `${first.seconds.toFixed(2)} s, ${Math.round(events / first.seconds)}/s, peak ${first.peakMiB.toFixed(0)} MiB`,
  );
  const second = await ingestCommand(file, dataDir);
  line(
    'the same file again, all duplicates',
    `${second.seconds.toFixed(2)} s, ${second.stored} stored, peak ${second.peakMiB.toFixed(0)} MiB`,
  );
  line('  ÷ first run (≤ 1 wanted)', (second.seconds / first.seconds).toFixed(2));
  line('queries of the first page', `${QUERY_RUNS} runs each (p95 < 100 ms wanted)`);
  await timeQueries(dataDir);

  const wide = join(home, 'wide.ndjson');
  const wideEvents = await writeTraffic(wide, THREADS * 3);
  const more = await ingestCommand(wide, join(home, 'wide'));
  line(
    `three times the threads (${THREADS * 3}), ${wideEvents} events`,
    `${more.seconds.toFixed(2)} s, ${Math.round(wideEvents / more.seconds)}/s, peak ${more.peakMiB.toFixed(0)} MiB (${first.peakMiB.toFixed(0)} before)`,
  );
} finally {
  rmSync(home, { recursive: true, force: true });
}

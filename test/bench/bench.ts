/**
 * The ledger's numbers, on this machine: `npm run bench -- ledger`. Prints the machine, the sizes, and every figure beside
 * its goal and beside the floor in the same run. Each figure is of the real thing: the command line, the embedded engine,
 * the queries of the first page.
 *
 * CTWA_BENCH_THREADS (default 35,000: about 1,000,000 events) changes the size. CTWA_BENCH_LARGE_THREADS (350,000: about
 * 10,000,000 events) adds a file of that many; by default there is none.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ledger } from '../../services/ledger/ledger.ts';
import { ads, daily, dayTotals, overview } from '../../services/reports/figures.ts';
import { freshness } from '../../services/reports/status.ts';
import { judge, median, percentile, rate, say, sayMachine, secondsSince } from './figures.ts';
import { engineUse, floorOf, ingest, prepareLedger, stopEngine, type Ingested, type Use } from './processes.ts';
import { END_AT, QUARTER_DAYS, writeTraffic } from './traffic.ts';

const THREADS = Number(process.env['CTWA_BENCH_THREADS'] ?? 35_000);
const LARGE_THREADS = Number(process.env['CTWA_BENCH_LARGE_THREADS'] ?? 0);
/** Three and a half years: from before the first price list to its end. */
const YEARS_DAYS = 1_278;
const SEED = 7;
const RUNS = 3;
const QUERY_RUNS = 60;
const GIB_MIB = 1_024;

const home = mkdtempSync(join(tmpdir(), 'ctwa-bench-'));

interface Measured {
  readonly first: Ingested;
  /** Of the engine, for the first run of the file. */
  readonly engine: Use;
}

/** A file into an opened, empty ledger. */
async function intoNewLedger(dataDir: string, file: string): Promise<Measured> {
  await prepareLedger(dataDir);
  const before = engineUse(dataDir);
  const first = await ingest(dataDir, file);
  const after = engineUse(dataDir);
  return { first, engine: { ...after, cpuSeconds: after.cpuSeconds - before.cpuSeconds } };
}

function judgeMemory(what: string, command: number, engine: number): void {
  judge(`  peak memory of the command, ${what}`, command, ' MiB', { sign: '<', figure: 1.5 * GIB_MIB });
  judge(`  peak memory of the engine, ${what}`, engine, ' MiB', { sign: '<', figure: 1.5 * GIB_MIB });
}

async function write(name: string, threads: number, days: number): Promise<{ file: string; events: number }> {
  const file = join(home, `${name}.ndjson`);
  const began = performance.now();
  const events = await writeTraffic(file, { threads, days, seed: SEED });
  const size = `${(statSync(file).size / 1e6).toFixed(0)} MB`;
  say(
    `simulated over ${days} days`,
    `${events} events, ${threads} threads, ${size}, ${rate(events, secondsSince(began))}`,
  );
  return { file, events };
}

/**
 * A file beside the floor, in turn, so that a machine that is slower for a while is slower for both.
 * @returns the directory of the last ledger
 */
async function measure(name: string, threads: number, days: number, runs: number): Promise<string> {
  const { file, events } = await write(name, threads, days);
  const floors: number[] = [];
  const all: Measured[] = [];
  const again: number[] = [];
  let dataDir = '';
  for (let run = 1; run <= runs; run++) {
    if (dataDir !== '') rmSync(dataDir, { recursive: true, force: true });
    dataDir = join(home, `${name}-${run}`);
    const floorDir = join(home, `${name}-floor-${run}`);
    floors.push(await floorOf(file, floorDir));
    rmSync(floorDir, { recursive: true, force: true });
    const measured = await intoNewLedger(dataDir, file);
    all.push(measured);
    const second = await ingest(dataDir, file);
    if (second.stored > 0) throw new Error(`The same file again stored ${second.stored} events.`);
    again.push(second.seconds / measured.first.seconds);
    await stopEngine(dataDir);
  }
  rmSync(file);
  const of = (figure: (one: Measured) => number): number => median(all.map(figure));
  const most = (figure: (one: Measured) => number): number => Math.max(...all.map(figure));
  const took = of(({ first }) => first.seconds);
  say(`  floor, median of ${runs}`, rate(events, median(floors)));
  say(`  file → marked ledger, median of ${runs}`, rate(events, took));
  const cpu = `${of(({ engine }) => engine.cpuSeconds).toFixed(1)} CPU-s`;
  say('    engine, command', `${cpu}, ${of(({ first }) => first.use.cpuSeconds).toFixed(1)} CPU-s`);
  const ratios = all.map(({ first }, run) => first.seconds / (floors[run] ?? Number.NaN));
  judge('    ÷ floor, median of pairs (aim 2.5)', median(ratios), ' ×', { sign: '≤', figure: 4 });
  judge('    the same file again, all duplicates, ÷ first run', median(again), ' ×', { sign: '≤', figure: 1 });
  judgeMemory(
    name,
    most(({ first }) => first.use.peakMiB),
    most(({ engine }) => engine.peakMiB),
  );
  return dataDir;
}

async function timeQueries(dataDir: string): Promise<void> {
  const location = { kind: 'embedded', dataDir } as const;
  const ledger = await Ledger.open({ location, database: 'ctwa_ledger', config: null, command: 'bench' });
  const { database } = ledger;
  const month = { from: '2026-10-01', to: '2026-10-31', tz: 'America/Sao_Paulo', as_of: END_AT };
  const quarter = { from: null, to: null, tz: 'America/Sao_Paulo', as_of: END_AT };
  const queries: [string, () => Promise<unknown>][] = [
    ['status line', () => freshness(ledger.reading)],
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
  say('queries of the first page', `${QUERY_RUNS} runs each`);
  for (const [name, run] of queries) {
    const times: number[] = [];
    for (let i = 0; i < QUERY_RUNS; i++) {
      const began = performance.now();
      await run();
      times.push(performance.now() - began);
    }
    judge(`  ${name}, p95 (p50 ${median(times).toFixed(0)} ms)`, percentile(times, 0.95), ' ms', {
      sign: '<',
      figure: 100,
    });
  }
  await ledger.close();
  await stopEngine(dataDir);
}

try {
  sayMachine();
  await timeQueries(await measure('quarter', THREADS, QUARTER_DAYS, RUNS));
  await measure('years', THREADS, YEARS_DAYS, RUNS);
  // Memory must not grow with the threads.
  await measure('three times the threads', THREADS * 3, QUARTER_DAYS, 1);
  if (LARGE_THREADS > 0) await measure('large', LARGE_THREADS, QUARTER_DAYS, 1);
} finally {
  rmSync(home, { recursive: true, force: true });
}

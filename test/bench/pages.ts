/**
 * The numbers of the pages on this machine: `npm run bench -- pages`. Prints the machine, the sizes, and for each page its
 * server time, its first paint in Chromium and its weight, each beside its goal. The server time is measured twice: of the
 * page as it is opened again and again, and of days that nobody asked for before, of which nothing is remembered.
 *
 * CTWA_BENCH_THREADS (default 150,000: about 2,000,000 messages over 90 days) changes the size. CTWA_BENCH_DATA names a
 * directory that is kept, so that a second run need not write the traffic again.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { launchBrowser } from '../support/browser.ts';
import { judge, median, percentile, rate, say, sayMachine } from './figures.ts';
import { command, ingest, startServer } from './processes.ts';
import { END_AT, QUARTER_DAYS, writeTraffic } from './traffic.ts';

const THREADS = Number(process.env['CTWA_BENCH_THREADS'] ?? 150_000);
const RUNS = 40;
const NEW_RUNS = 25;
const MAX_DAYS = 35;
const DAY_MS = 86_400_000;
const PAINTS = 5;
const PAGES = [
  '/',
  '/?grain=week',
  '/ads',
  '/conversations',
  '/billing',
  '/billing?market=Brazil&category=marketing',
  '/billing/charges',
  '/billing/messages',
  '/billing/messages?market=Brazil&category=marketing&billing=BILLABLE',
  '/billing/mismatches',
  '/rates',
  '/imports',
  '/health',
  '/definitions',
];
const CURRENCIES = { '102290129340398': 'BRL', '419561257915477': 'INR', '530247719086634': 'USD' };
const CARD_HEAD = 'Market,Currency,Marketing,Utility,Authentication,Authentication-International,Service';

const SERVER_MS = 150;
const PAINT_MS = 1_000;
const WEIGHT_KB = 250;

const kept = process.env['CTWA_BENCH_DATA'];
const home = kept ?? mkdtempSync(join(tmpdir(), 'ctwa-bench-pages-'));
const dataDir = join(home, 'ledger');

/** Traffic, accounts and an invented card for every market. */
async function prepare(): Promise<void> {
  mkdirSync(home, { recursive: true });
  const traffic = join(home, 'events.ndjson');
  const events = await writeTraffic(traffic, { threads: THREADS, days: QUARTER_DAYS, seed: 7 });
  const { seconds } = await ingest(dataDir, traffic);
  say('file → marked ledger', `${events} events, ${rate(events, seconds)}`);
  rmSync(traffic);
  for (const [waba_id, currency] of Object.entries(CURRENCIES)) {
    const card = join(home, `${currency}.csv`);
    const rows = ['Brazil', 'India', 'North America', 'Other'].map(
      (market) => `${market},${currency},0.1,0.02,0.02,n/a,0.01`,
    );
    writeFileSync(card, `Cost per message\n${CARD_HEAD}\n${rows.join('\n')}\n`);
    await command(dataDir, 'accounts', 'set', waba_id, '--currency', currency);
    await command(dataDir, 'rates', 'import', card, '--effective', '2026-07-01');
  }
  await command(dataDir, 'export', 'charges', '--out', join(home, 'charges.csv'));
}

/** Server time of requests one after the other, in milliseconds. */
async function serverTimes(addresses: readonly string[]): Promise<readonly number[]> {
  const times: number[] = [];
  for (const address of addresses) {
    const began = performance.now();
    const response = await fetch(address);
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${address} answered ${String(response.status)}.`);
    times.push(performance.now() - began);
  }
  return times;
}

/** The page for as many days, which begin on another day each time. */
function ofOtherDays(address: string, days: number, run: number): string {
  const url = new URL(address);
  const day = (before: number): string => new Date(END_AT * 1000 - before * DAY_MS).toISOString().slice(0, 10);
  url.searchParams.set('from', day(days + run));
  url.searchParams.set('to', day(run));
  return url.href;
}

function judgeServer(what: string, times: readonly number[]): void {
  judge(`  ${what}, p95 (median ${median(times).toFixed(0)} ms)`, percentile(times, 0.95), ' ms', {
    sign: '<',
    figure: SERVER_MS,
  });
}

sayMachine();
if (!existsSync(dataDir)) await prepare();
const server = await startServer(dataDir);
const browser = await launchBrowser();
try {
  const all = (await (await fetch(`${server.url}/api/overview`)).json()) as { rows: { messages: number }[] };
  say('outbound messages in the ledger', String(all.rows[0]?.messages));
  const list = await (await fetch(`${server.url}/conversations`)).text();
  const thread = /href="\.(\/conversations\/\d[^"?]*)/.exec(list)?.[1];
  if (thread === undefined) throw new Error('The page of conversations links to none.');
  for (const [index, path] of [...PAGES, thread].entries()) {
    const address = `${server.url}${path}`;
    const times = await serverTimes(Array<string>(RUNS).fill(address));
    // Other days than those of all pages before, some of which ask the same things.
    const days = MAX_DAYS - index;
    const firsts = await serverTimes(Array.from({ length: NEW_RUNS }, (_, run) => ofOtherDays(address, days, run + 1)));
    const paints: number[] = [];
    let weight = 0;
    for (let i = 0; i < PAINTS; i++) {
      // A context of its own: nothing is cached.
      const context = await browser.newContext();
      const page = await context.newPage();
      const sizes: Promise<number>[] = [];
      page.on('response', (response) => sizes.push(response.body().then((body) => gzipSync(body).length)));
      await page.goto(address, { waitUntil: 'networkidle' });
      paints.push(
        (await page.evaluate(
          `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN`,
        )) as number,
      );
      weight = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
      await context.close();
    }
    say(path, '');
    judgeServer('server, again and again', times);
    judgeServer('server, first requests', firsts);
    judge('  first paint, median', median(paints), ' ms', { sign: '<', figure: PAINT_MS });
    judge('  weight, gzipped', weight / 1000, ' kB', { sign: '<', figure: WEIGHT_KB });
  }
} finally {
  await browser.close();
  await server.stop();
  if (kept === undefined) rmSync(home, { recursive: true, force: true });
}

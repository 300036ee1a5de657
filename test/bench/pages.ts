/**
 * The numbers of the pages on this machine: `npm run bench -- pages`. Prints the machine, the sizes, and for each page its
 * server time, its first paint in Chromium and its weight. The server time is measured twice: of the page as it is opened
 * again and again, and of days that nobody asked for before, of which nothing is remembered.
 *
 * CTWA_BENCH_THREADS (default 150,000: about 2,000,000 messages over 90 days) changes the size. CTWA_BENCH_DATA names a
 * directory that is kept, so that a second run need not write the traffic again.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { simulate } from '../../services/simulate/simulate.ts';

const CLI = fileURLToPath(new URL('../../node_modules/.bin/ctwa-ledger', import.meta.url));
const THREADS = Number(process.env['CTWA_BENCH_THREADS'] ?? 150_000);
const RUNS = 40;
const NEW_RUNS = 25;
const MAX_DAYS = 35;
const DAY_MS = 86_400_000;
const PAINTS = 5;
const END_AT = Date.UTC(2026, 9, 31) / 1000;
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

const kept = process.env['CTWA_BENCH_DATA'];
const home = kept ?? mkdtempSync(join(tmpdir(), 'ctwa-bench-pages-'));

function line(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(40)} ${figure}\n`);
}

function command(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(CLI, [...args, '--data', join(home, 'ledger')], {
    cwd: home,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`ctwa-ledger ${args[0] ?? ''} ended with ${String(status)}: ${stderr}`);
  return stdout;
}

/** Traffic, accounts and an invented card for every market. */
async function prepare(): Promise<void> {
  mkdirSync(home, { recursive: true });
  const traffic = join(home, 'events.ndjson');
  const out = createWriteStream(traffic);
  let text = '';
  for (const event of simulate({ threads: THREADS, days: 90, seed: 7, end_at: END_AT })) {
    text += `${event}\n`;
    if (text.length < 1 << 20) continue;
    if (!out.write(text)) await once(out, 'drain');
    text = '';
  }
  out.end(text);
  await finished(out);
  line('ingest', command('ingest', traffic).trim());
  rmSync(traffic);
  for (const [waba_id, currency] of Object.entries(CURRENCIES)) {
    const card = join(home, `${currency}.csv`);
    const rows = ['Brazil', 'India', 'North America', 'Other'].map(
      (market) => `${market},${currency},0.1,0.02,0.02,n/a,0.01`,
    );
    writeFileSync(card, `Cost per message\n${CARD_HEAD}\n${rows.join('\n')}\n`);
    command('accounts', 'set', waba_id, '--currency', currency);
    command('rates', 'import', card, '--effective', '2026-07-01');
  }
  command('export', 'charges', '--out', join(home, 'charges.csv'));
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0;
}

/** Server time of requests one after the other, in milliseconds, ascending. */
async function serverTimes(addresses: readonly string[]): Promise<readonly number[]> {
  const times: number[] = [];
  for (const address of addresses) {
    const began = performance.now();
    const response = await fetch(address);
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${address} answered ${String(response.status)}.`);
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b);
}

/** The page for as many days, which begin on another day each time. */
function ofOtherDays(address: string, days: number, run: number): string {
  const url = new URL(address);
  const day = (before: number): string => new Date(END_AT * 1000 - before * DAY_MS).toISOString().slice(0, 10);
  url.searchParams.set('from', day(days + run));
  url.searchParams.set('to', day(run));
  return url.href;
}

const isNew = !existsSync(join(home, 'ledger'));
if (isNew) await prepare();
const server = spawn(CLI, ['start', '--data', join(home, 'ledger'), '--port', '0'], { cwd: home });
try {
  let said = '';
  while (!/http:\/\/\S+/.test(said)) {
    const [chunk] = (await once(server.stdout, 'data')) as [Buffer];
    said += chunk.toString();
  }
  const base = /http:\/\/[^\s/]+/.exec(said)?.[0] ?? '';
  line(
    'machine',
    `${cpus().length} × ${cpus()[0]?.model ?? '?'}, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB, Node ${process.version}`,
  );
  const all = (await (await fetch(`${base}/api/overview`)).json()) as { rows: { messages: number }[] };
  line('outbound messages in the ledger', String(all.rows[0]?.messages));
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  const list = await (await fetch(`${base}/conversations`)).text();
  const thread = /href="\.(\/conversations\/\d[^"?]*)/.exec(list)?.[1];
  if (thread === undefined) throw new Error('The page of conversations links to none.');
  for (const [index, path] of [...PAGES, thread].entries()) {
    const address = `${base}${path}`;
    const times = await serverTimes(Array<string>(RUNS).fill(address));
    // Other days than those of all pages before, some of which ask the same things.
    const days = MAX_DAYS - index;
    const others = await serverTimes(Array.from({ length: NEW_RUNS }, (_, run) => ofOtherDays(address, days, run + 1)));
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
    line(
      path,
      `server median ${percentile(times, 0.5).toFixed(0)} ms, p95 ${percentile(times, 0.95).toFixed(0)} ms (150 wanted), ` +
        `of other days ${percentile(others, 0.5).toFixed(0)} and ${percentile(others, 0.95).toFixed(0)} ms; ` +
        `first paint median ${percentile(paints, 0.5).toFixed(0)} ms (1,000); ${(weight / 1000).toFixed(0)} kB gzipped (250)`,
    );
  }
  await browser.close();
} finally {
  server.kill('SIGTERM');
  await once(server, 'exit');
  if (kept === undefined) rmSync(home, { recursive: true, force: true });
}

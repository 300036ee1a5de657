/**
 * The numbers of holding a month against Meta's on this machine: `npm run bench -- reconciliation`. Prints the machine, the
 * sizes, how long the match of a month takes, with nothing to explain and with one row in ten off, and the server time of the
 * pages that show it, each beside its goal.
 *
 * CTWA_BENCH_MONTH_THREADS (default 750,000: about 10,000,000 messages in 30 days) changes the size. CTWA_BENCH_DATA names a
 * directory that is kept, so that a second run need not write the traffic again.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DateTime } from 'luxon';
import { z } from 'zod';
import { Ledger } from '../../services/ledger/ledger.ts';
import { importMetaAnswers } from '../../services/reconciliation/imports.ts';
import { DEFAULT_TOLERANCE } from '../../services/reconciliation/judgement.ts';
import { reconcileMonth, summaryOf, type ReconciledMonth } from '../../services/reconciliation/reconcile.ts';
import { judge, median, percentile, rate, say, sayMachine, secondsSince } from './figures.ts';
import { command, ingest, startServer } from './processes.ts';
import { writeTraffic } from './traffic.ts';

const THREADS = Number(process.env['CTWA_BENCH_MONTH_THREADS'] ?? 750_000);
const MONTH = '2026-10';
const ASKED = { from: '2026-10-01', to: '2026-11-01' };
const DAYS = 30;
const RUNS = 5;
const PAGE_RUNS = 40;
const MATCH_SECONDS = 10;
const PAGE_MS = 300;
/** One row in so many is another one on Meta's side, by a tenth and one message. */
const OFF_EVERY = 10;
const CURRENCIES = { '102290129340398': 'BRL', '419561257915477': 'INR', '530247719086634': 'USD' };
const CARD_HEAD = 'Market,Currency,Marketing,Utility,Authentication,Authentication-International,Service';

const kept = process.env['CTWA_BENCH_DATA'];
const home = kept ?? mkdtempSync(join(tmpdir(), 'ctwa-bench-reconciliation-'));
const dataDir = join(home, 'ledger');

/** Traffic, an invented card for every market, and how numbers are displayed. */
async function prepare(): Promise<void> {
  mkdirSync(home, { recursive: true });
  const traffic = join(home, 'events.ndjson');
  const events = await writeTraffic(traffic, { threads: THREADS, days: DAYS, seed: 7 });
  const { seconds } = await ingest(dataDir, traffic);
  say('file → marked ledger', `${events} events, ${rate(events, seconds)}`);
  rmSync(traffic);
  const numbers = await withLedger(({ reading }) =>
    reading.query(
      z.object({ waba_id: z.string(), ids: z.array(z.string()) }),
      'SELECT toString(waba_id) AS waba_id, arraySort(groupUniqArray(toString(phone_number_id))) AS ids FROM message_marks GROUP BY waba_id',
    ),
  );
  for (const [index, [waba_id, currency]] of Object.entries(CURRENCIES).entries()) {
    const card = join(home, `${currency}.csv`);
    const rows = ['Brazil', 'India', 'North America', 'Other'].map(
      (market) => `${market},${currency},0.1,0.02,0.02,n/a,0.01`,
    );
    writeFileSync(card, `Cost per message\n${CARD_HEAD}\n${rows.join('\n')}\n`);
    const ids = numbers.find((one) => one.waba_id === waba_id)?.ids ?? [];
    const displayed = ids.flatMap((id, n) => ['--phone-number', `${id}=1555${index}${String(n).padStart(6, '0')}`]);
    await command(dataDir, 'accounts', 'set', waba_id, '--currency', currency, ...displayed);
    await command(dataDir, 'rates', 'import', card, '--effective', '2026-07-01');
  }
  await command(dataDir, 'export', 'charges', '--out', join(home, 'charges.csv'));
}

async function withLedger<T>(work: (ledger: Ledger) => Promise<T>): Promise<T> {
  const ledger = await Ledger.open({
    location: { kind: 'embedded', dataDir },
    database: 'ctwa_ledger',
    config: null,
    command: 'bench reconciliation',
  });
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}

const utc = (day: string): number => DateTime.fromISO(day, { zone: 'utc' }).toSeconds();

/** A point of Meta's. */
function point(day: string, key: Readonly<Record<string, string>>, volume: bigint, cost: number | null): object {
  return {
    start: utc(day),
    end: utc(day) + 86_400,
    ...Object.fromEntries(Object.entries(key).filter(([, value]) => value !== '')),
    volume: Number(volume),
    ...(cost === null ? {} : { cost }),
  };
}

async function takeMeta(ledger: Ledger, waba_id: string, name: string, points: readonly object[]): Promise<void> {
  const answer = { id: waba_id, pricing_analytics: { data: [{ data_points: points }] } };
  const file = { name, bytes: Buffer.from(JSON.stringify(answer)) };
  await importMetaAnswers(ledger.database, [file], { days: 'account', asked: ASKED, by: 'bench' });
}

/** Meta's points as ours are, every so many of them off. @param every 0: none */
function pointsLike({ rows }: ReconciledMonth, every: number): object[] {
  return rows
    .filter(({ row }) => row.our_volume > 0n)
    .map(({ row }, index) => {
      const isOff = every > 0 && index % every === 0;
      const volume = isOff ? row.our_volume + row.our_volume / 10n + 2n : row.our_volume;
      const key = {
        phone_number: row.phone_number,
        country: row.country,
        pricing_type: row.pricing_type,
        pricing_category: row.category === 'ANY' ? 'REFERRAL_CONVERSION' : row.category,
        tier: row.tier,
      };
      // Amounts are of the twelfth decimal; a point of Meta's is a number.
      return point(row.day, key, volume, row.our_cost === null ? null : Number(row.our_cost) / 1e12);
    });
}

async function timed(ledger: Ledger, accounts: readonly string[]): Promise<readonly [number, ReconciledMonth[]]> {
  const began = performance.now();
  const held: ReconciledMonth[] = [];
  for (const waba_id of accounts)
    held.push(await reconcileMonth(ledger.reading, { waba_id, month: MONTH }, DEFAULT_TOLERANCE));
  return [secondsSince(began), held];
}

/** Matches the month of all accounts some times, and judges the slowest. */
async function measure(ledger: Ledger, what: string, accounts: readonly string[]): Promise<void> {
  const times: number[] = [];
  let last: ReconciledMonth[] = [];
  for (let run = 0; run < RUNS; run++) {
    const [seconds, held] = await timed(ledger, accounts);
    times.push(seconds);
    last = held;
  }
  const sums = last.map(summaryOf);
  const sum = (of: 'rows' | 'different' | 'our_volume'): number => sums.reduce((all, one) => all + one[of], 0);
  say(what, `${sum('our_volume')} messages, ${sum('rows')} rows, ${sum('different')} of them differ`);
  judge(`  match, slowest of ${RUNS} (median ${median(times).toFixed(2)} s)`, Math.max(...times), ' s', {
    sign: '<',
    figure: MATCH_SECONDS,
  });
}

async function measureMatches(): Promise<void> {
  const accounts = Object.keys(CURRENCIES);
  await withLedger(async (ledger) => {
    // One point by every dimension says what the rest is split by.
    const first = { phone_number: '1', country: 'BR', pricing_type: 'REGULAR', pricing_category: 'MARKETING' };
    for (const waba_id of accounts)
      await takeMeta(ledger, waba_id, 'first.json', [point('2026-10-01', first, 1n, null)]);
    const [, ours] = await timed(ledger, accounts);
    for (const [what, every] of [
      ['a month that agrees', 0],
      ['a month with differences', OFF_EVERY],
    ] as const) {
      for (const held of ours)
        await takeMeta(ledger, held.waba_id, `${held.waba_id}-${every}.json`, pointsLike(held, every));
      await measure(ledger, what, accounts);
    }
  });
}

async function measurePages(): Promise<void> {
  const server = await startServer(dataDir);
  try {
    const [account = ''] = Object.keys(CURRENCIES);
    const at = `month=${MONTH}&account=${account}`;
    for (const path of [`/billing/reconciliation?${at}`, `/billing/close?${at}`, '/billing/claims', '/imports']) {
      const times: number[] = [];
      for (let run = 0; run <= PAGE_RUNS; run++) {
        const began = performance.now();
        const response = await fetch(server.url + path);
        await response.arrayBuffer();
        if (!response.ok) throw new Error(`${path} answered ${String(response.status)}.`);
        times.push(performance.now() - began);
      }
      const [first = 0, ...others] = times;
      say(path, `first request after a start ${first.toFixed(0)} ms`);
      judge(`  server, p95 (median ${median(others).toFixed(0)} ms)`, percentile(others, 0.95), ' ms', {
        sign: '<',
        figure: PAGE_MS,
      });
    }
  } finally {
    await server.stop();
  }
}

sayMachine();
try {
  if (!existsSync(dataDir)) await prepare();
  await measureMatches();
  await measurePages();
} finally {
  if (kept === undefined) rmSync(home, { recursive: true, force: true });
}

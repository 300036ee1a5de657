/**
 * The numbers of a receiver without a broker on this machine: `npm run bench -- webhook`. Deliveries come at a steady pace to
 * `start`, whose first page is read all the while, as a browser reads it. Prints the machine, the sizes, and every figure
 * beside its goal.
 *
 * CTWA_BENCH_THREADS (default 35,000: about 1,000,000 events) is the size of the ledger, CTWA_BENCH_LIVE_SECONDS (default 60)
 * how long deliveries come.
 */
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { deliveredStatus, envelope, SECRETS, signatureOf, statuses } from '../support/product.ts';
import { judge, median, percentile, rate, say, sayMachine, secondsSince } from './figures.ts';
import { engineUse, ingest, startServer, useOf } from './processes.ts';
import { QUARTER_DAYS, writeTraffic } from './traffic.ts';

const THREADS = Number(process.env['CTWA_BENCH_THREADS'] ?? 35_000);
const LIVE_SECONDS = Number(process.env['CTWA_BENCH_LIVE_SECONDS'] ?? 60);
const PER_SECOND = 200;
/** While caches fill and files of the ledger come into memory. */
const WARM_SECONDS = LIVE_SECONDS / 6;
/** Of threads that the ledger knows already; every other delivery is to one of them, the others to new ones. */
const KNOWN_THREADS = 5_000;
const DAYS_SHOWN = 30;
const LOOK_MS = 50;
const LAST_LOOKS_MS = 30_000;

const home = mkdtempSync(join(tmpdir(), 'ctwa-bench-webhook-'));
const dataDir = join(home, 'ledger');

const threadSchema = z.object({ phone_number_id: z.string(), wa_id: z.string() });
type Thread = z.infer<typeof threadSchema>;

async function knownThreads(file: string): Promise<Thread[]> {
  const threads = new Map<string, Thread>();
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const parsed = threadSchema.safeParse(JSON.parse(line));
    if (parsed.success) threads.set(`${parsed.data.phone_number_id}/${parsed.data.wa_id}`, parsed.data);
    if (threads.size === KNOWN_THREADS) break;
  }
  return [...threads.values()];
}

/** One message that the ledger has not seen, delivered: one more on the page. */
function deliveryOf(n: number, known: readonly Thread[]): string {
  const thread = known[n % known.length]!;
  const recipient_id = n % 2 === 0 ? thread.wa_id : `1650${String(n).padStart(7, '0')}`;
  const status = { ...deliveredStatus(`wamid.bench${n}`, Math.floor(Date.now() / 1000)), recipient_id };
  return envelope(statuses([status], thread.phone_number_id));
}

const dataSchema = z.object({ nodes: z.array(z.object({ data: z.array(z.unknown()) }).nullable()) });

/** Follows names through what a page is sent, a list in which every member is named by its place. */
function reach(data: readonly unknown[], names: readonly string[]): unknown {
  return names.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null ? data[(value as Record<string, number>)[name] ?? -1] : undefined,
    data[0],
  );
}

/** Named, because those of a page that names none end with the last event. */
function dayFromNow(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

/** The messages that the first page shows, by what it is sent when a link leads to it. */
async function messagesShown(url: string): Promise<number> {
  const response = await fetch(`${url}/__data.json?from=${dayFromNow(-DAYS_SHOWN)}&to=${dayFromNow(2)}`);
  const { nodes } = dataSchema.parse(await response.json());
  for (const node of nodes) {
    const messages = reach(node?.data ?? [], ['figures', 'overview', 'messages']);
    if (typeof messages === 'number') return messages;
  }
  throw new Error('The first page shows no messages.');
}

interface Delivery {
  readonly sentAt: number;
  /** Infinite until it is answered with 200. */
  tookMs: number;
}

/** As a sender has them: it keeps some connections, and a delivery that finds none free waits, which counts. */
const sender = new Agent({ keepAlive: true, maxSockets: 64 });

/** Resolves with the answer, whatever it is; a connection that is refused leaves the delivery without its 200. */
function deliver(url: string, body: string, delivery: Delivery): Promise<void> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(body) };
    const sent = request(`${url}/webhook`, { method: 'POST', agent: sender, headers }, (answer) => {
      answer.resume().once('end', () => {
        if (answer.statusCode === 200) delivery.tookMs = performance.now() - delivery.sentAt;
        resolve();
      });
    });
    sent.once('error', () => {
      resolve();
    });
    sent.end(body);
  });
}

interface Watched {
  readonly shownAt: readonly number[];
  readonly looks: readonly number[];
}

/** Looks at the first page again and again until `isOver`; when it showed each of the new messages first. */
async function watchPage(url: string, before: number, isOver: (shown: number) => boolean): Promise<Watched> {
  const shownAt: number[] = [];
  const looks: number[] = [];
  for (;;) {
    const began = performance.now();
    const shown = (await messagesShown(url)) - before;
    const now = performance.now();
    looks.push(now - began);
    while (shownAt.length < shown) shownAt.push(now);
    if (isOver(shown)) return { shownAt, looks };
    await sleep(LOOK_MS);
  }
}

async function measure(url: string, known: readonly Thread[]): Promise<void> {
  const wanted = PER_SECOND * LIVE_SECONDS;
  const deliveries: Delivery[] = [];
  let giveUpAt = Infinity;
  const before = await messagesShown(url);
  const watching = watchPage(url, before, (shown) => shown >= wanted || performance.now() > giveUpAt);
  const answers: Promise<void>[] = [];
  const began = performance.now();
  for (let n = 0; n < wanted; n++) {
    const ahead = (n / PER_SECOND) * 1000 - (performance.now() - began);
    if (ahead > 0) await sleep(ahead);
    const delivery: Delivery = { sentAt: performance.now(), tookMs: Infinity };
    deliveries.push(delivery);
    answers.push(deliver(url, deliveryOf(n, known), delivery));
  }
  say('deliveries sent', rate(wanted, secondsSince(began)));
  await Promise.all(answers);
  giveUpAt = performance.now() + LAST_LOOKS_MS;
  const { shownAt, looks } = await watching;

  const warm = Math.round(WARM_SECONDS * PER_SECOND);
  const took = deliveries.slice(warm).map(({ tookMs }) => tookMs);
  const unanswered = took.filter((ms) => ms === Infinity).length;
  judge('  deliveries without a 200', unanswered, '', { sign: '≤', figure: 0 });
  judge(`  time to 200, p50, after ${WARM_SECONDS.toFixed(0)} s`, median(took), ' ms', { sign: '<', figure: 100 });
  judge('  time to 200, p99', percentile(took, 0.99), ' ms', { sign: '<', figure: 300 });
  // In the order in which they were sent; what was never shown has waited for ever.
  const waits = deliveries.slice(warm).map(({ sentAt }, i) => (shownAt[warm + i] ?? Infinity) - sentAt);
  say('  event to screen, p50', `${median(waits).toFixed(0)} ms`);
  judge('  event to screen, p99', percentile(waits, 0.99), ' ms', { sign: '<', figure: 1_000 });
  say(
    '  the first page meanwhile',
    `median ${median(looks).toFixed(0)} ms, p95 ${percentile(looks, 0.95).toFixed(0)} ms`,
  );
}

try {
  sayMachine();
  const file = join(home, 'events.ndjson');
  const events = await writeTraffic(file, { threads: THREADS, days: QUARTER_DAYS, seed: 7 });
  await ingest(dataDir, file);
  const known = await knownThreads(file);
  rmSync(file);
  say('ledger', `${events} events`);
  const server = await startServer(dataDir, SECRETS);
  try {
    await measure(server.url, known);
    say('  peak memory of the server', `${useOf(server.pid)?.peakMiB.toFixed(0) ?? '?'} MiB`);
    say('  peak memory of the engine', `${engineUse(dataDir).peakMiB.toFixed(0)} MiB`);
  } finally {
    await server.stop();
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}

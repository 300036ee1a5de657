/**
 * The numbers of the send check on this machine: `npm run bench -- send-check`. Questions about threads of the ledger come at a
 * steady pace to `start`, then one about a list. Prints the machine, the sizes, and every figure beside its goal.
 *
 * CTWA_BENCH_THREADS (default 35,000: about 1,000,000 events) is the size of the ledger, CTWA_BENCH_LIVE_SECONDS (default 30)
 * how long questions come.
 */
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { judge, median, percentile, rate, say, sayMachine, secondsSince } from './figures.ts';
import { command, engineUse, ingest, startServer, useOf } from './processes.ts';
import { END_AT, QUARTER_DAYS, writeTraffic } from './traffic.ts';

const THREADS = Number(process.env['CTWA_BENCH_THREADS'] ?? 35_000);
const LIVE_SECONDS = Number(process.env['CTWA_BENCH_LIVE_SECONDS'] ?? 30);
const PER_SECOND = 200;
/** While caches fill and files of the ledger come into memory. */
const WARM_SECONDS = LIVE_SECONDS / 6;
const KNOWN_THREADS = 20_000;
const LIST = 10_000;
const LIST_RUNS = 5;
const P99_MS = 20;
const CURRENCIES = { '102290129340398': 'BRL', '419561257915477': 'INR', '530247719086634': 'USD' };
const CARD_HEAD = 'Market,Currency,Marketing,Utility,Authentication,Authentication-International,Service';

const home = mkdtempSync(join(tmpdir(), 'ctwa-bench-send-check-'));
const dataDir = join(home, 'ledger');

const lineSchema = z.object({
  phone_number_id: z.string(),
  wa_id: z.string(),
  template: z.object({ name: z.string() }).optional(),
});

interface Known {
  readonly threads: readonly { readonly phone_number_id: string; readonly wa_id: string }[];
  readonly templates: readonly string[];
}

async function known(file: string): Promise<Known> {
  const threads = new Map<string, z.infer<typeof lineSchema>>();
  const templates = new Set<string>();
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const parsed = lineSchema.safeParse(JSON.parse(line));
    if (!parsed.success) continue;
    threads.set(`${parsed.data.phone_number_id}/${parsed.data.wa_id}`, parsed.data);
    if (parsed.data.template !== undefined) templates.add(parsed.data.template.name);
    if (threads.size === KNOWN_THREADS) break;
  }
  return { threads: [...threads.values()], templates: [...templates] };
}

async function prepare(file: string): Promise<void> {
  await ingest(dataDir, file);
  for (const [waba_id, currency] of Object.entries(CURRENCIES)) {
    const card = join(home, `${currency}.csv`);
    const rows = ['Brazil', 'India', 'North America', 'Other'].map(
      (market) => `${market},${currency},0.1,0.02,0.02,n/a,0.01`,
    );
    writeFileSync(card, `Cost per message\n${CARD_HEAD}\n${rows.join('\n')}\n`);
    await command(dataDir, 'accounts', 'set', waba_id, '--currency', currency);
    await command(dataDir, 'rates', 'import', card, '--effective', '2025-07-01');
  }
  await command(dataDir, 'export', 'charges', '--out', join(home, 'charges.csv'));
}

/** Three templates to every two texts. */
function question(n: number, { threads, templates }: Known): object {
  const { phone_number_id, wa_id } = threads[(n * 7_919) % threads.length]!;
  const base = { phone_number_id, to: wa_id };
  return n % 5 < 3
    ? { ...base, type: 'template', template: { name: templates[n % templates.length], language: { code: 'en' } } }
    : { ...base, type: 'text', text: { body: 'Hello' } };
}

const sender = new Agent({ keepAlive: true, maxSockets: 64 });

/** Resolves with the milliseconds until the whole answer was there; infinite where it was none. */
function ask(url: string, question: object): Promise<number> {
  const began = performance.now();
  return new Promise((resolve) => {
    const sent = request(`${url}/api/send-check?as_of=${END_AT}`, { method: 'POST', agent: sender }, (answer) => {
      answer.resume().once('end', () => {
        resolve(answer.statusCode === 200 || answer.statusCode === 409 ? performance.now() - began : Infinity);
      });
    });
    sent.once('error', () => {
      resolve(Infinity);
    });
    sent.end(JSON.stringify(question));
  });
}

async function measure(url: string, pid: number | undefined, of: Known): Promise<void> {
  const wanted = PER_SECOND * LIVE_SECONDS;
  const warm = Math.round(WARM_SECONDS * PER_SECOND);
  const answers: Promise<number>[] = [];
  const began = performance.now();
  let before = 0;
  const cpuSeconds = (): number => (useOf(pid)?.cpuSeconds ?? 0) + engineUse(dataDir).cpuSeconds;
  for (let n = 0; n < wanted; n++) {
    const ahead = (n / PER_SECOND) * 1000 - (performance.now() - began);
    if (ahead > 0) await sleep(ahead);
    if (n === warm) before = cpuSeconds();
    answers.push(ask(url, question(n, of)));
  }
  say('questions sent', rate(wanted, secondsSince(began)));
  const took = (await Promise.all(answers)).slice(warm);
  const cpu = (cpuSeconds() - before) / (wanted - warm);
  judge(`  p99 (median ${median(took).toFixed(1)} ms)`, percentile(took, 0.99), ' ms', { sign: '<', figure: P99_MS });
  say('  p99.9, longest', `${percentile(took, 0.999).toFixed(0)} ms, ${Math.max(...took).toFixed(0)} ms`);
  say('  CPU a question, process and engine', `${(cpu * 1000).toFixed(1)} ms`);
}

async function measureList(url: string, { threads, templates }: Known): Promise<void> {
  const { phone_number_id } = threads[0]!;
  const own = threads.filter((thread) => thread.phone_number_id === phone_number_id);
  const others = Array.from({ length: Math.max(0, LIST - own.length) }, (_, i) => `1650${String(i).padStart(7, '0')}`);
  const recipients = [...own.map(({ wa_id }) => wa_id), ...others].slice(0, LIST);
  const template = { name: templates[0], language: { code: 'en' } };
  const took: number[] = [];
  for (let i = 0; i < LIST_RUNS; i++)
    took.push(await ask(url, { phone_number_id, recipients, type: 'template', template }));
  say(`list of ${LIST}, ${Math.min(own.length, LIST)} of them known, median`, `${(median(took) / 1000).toFixed(2)} s`);
}

sayMachine();
const file = join(home, 'events.ndjson');
const events = await writeTraffic(file, { threads: THREADS, days: QUARTER_DAYS, seed: 7 });
say('events', String(events));
const of = await known(file);
await prepare(file);
rmSync(file);
const server = await startServer(dataDir);
try {
  await measure(server.url, server.pid, of);
  await measureList(server.url, of);
} finally {
  sender.destroy();
  await server.stop();
  rmSync(home, { recursive: true, force: true });
}

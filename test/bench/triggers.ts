/**
 * How soon a trigger tells its receiver, on this machine: `npm run bench -- triggers`. First messages of ads come at a steady pace
 * to the webhook of `start`; the time is from sending the delivery until the request of the trigger is there. Prints the
 * machine, the sizes, and every figure beside its goal.
 *
 * CTWA_BENCH_THREADS (default 35,000: about 1,000,000 events) is the size of the ledger, CTWA_BENCH_LIVE_SECONDS (default 30)
 * how long messages come.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { envelope, inbound, SECRETS, signatureOf } from '../support/product.ts';
import { judge, median, percentile, say, sayMachine } from './figures.ts';
import { ingest, startServer } from './processes.ts';
import { QUARTER_DAYS, writeTraffic } from './traffic.ts';

const THREADS = Number(process.env['CTWA_BENCH_THREADS'] ?? 35_000);
const LIVE_SECONDS = Number(process.env['CTWA_BENCH_LIVE_SECONDS'] ?? 30);
const PER_SECOND = 20;
const WARM_SECONDS = LIVE_SECONDS / 6;
const GOAL_MS = 2_000;
const LAST_LOOKS_MS = 30_000;
const LOOK_MS = 50;

const home = mkdtempSync(join(tmpdir(), 'ctwa-bench-triggers-'));
const dataDir = join(home, 'ledger');
const toldSchema = z.object({ message: z.object({ id: z.string() }) });

function deliveryOf(id: string, n: number): string {
  const referral = { source_type: 'ad', source_id: '120226305854810726', ctwa_clid: `clid-${n}` };
  const message = { from: `1650${String(n).padStart(7, '0')}`, id, type: 'text', referral };
  return envelope(inbound([{ ...message, timestamp: String(Math.floor(Date.now() / 1000)) }]));
}

async function send(url: string, body: string): Promise<void> {
  const response = await fetch(`${url}/webhook`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(body) },
    body,
  });
  if (!response.ok) throw new Error(`The webhook answered ${response.status}.`);
}

sayMachine();
const file = join(home, 'events.ndjson');
say('events', String(await writeTraffic(file, { threads: THREADS, days: QUARTER_DAYS, seed: 7 })));
await ingest(dataDir, file);
rmSync(file);

/** When each message was told, by its id. */
const told = new Map<string, number>();
let again = 0;
const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const at = performance.now();
    const { message } = toldSchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
    if (told.has(message.id)) again += 1;
    else told.set(message.id, at);
    response.end();
  });
}).listen(0, '127.0.0.1');
const server = await startServer(dataDir, { ...SECRETS, CTWA_TRIGGER_SECRET: 'the secret of triggers' });
try {
  const webhook_url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const saved = await fetch(`${server.url}/api/triggers`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', webhook_url }),
  });
  if (!saved.ok) throw new Error(`The trigger was not saved: ${await saved.text()}`);
  const sent = new Map<string, number>();
  const wanted = PER_SECOND * LIVE_SECONDS;
  const sending: Promise<void>[] = [];
  const began = performance.now();
  for (let n = 0; n < wanted; n++) {
    const ahead = (n / PER_SECOND) * 1000 - (performance.now() - began);
    if (ahead > 0) await sleep(ahead);
    const id = `wamid.bench${n}`;
    sent.set(id, performance.now());
    sending.push(send(server.url, deliveryOf(id, n)));
  }
  await Promise.all(sending);
  for (const until = performance.now() + LAST_LOOKS_MS; told.size < wanted && performance.now() < until;)
    await sleep(LOOK_MS);
  const took = [...sent].map(([id, at]) => (told.get(id) ?? Infinity) - at).slice(WARM_SECONDS * PER_SECOND);
  say('messages of ads, told, told again', `${wanted} at ${PER_SECOND}/s, ${told.size}, ${again}`);
  judge(`  message → receiver, p99 (p50 ${median(took).toFixed(0)} ms)`, percentile(took, 0.99), ' ms', {
    sign: '<',
    figure: GOAL_MS,
  });
  say('  longest', `${Math.max(...took).toFixed(0)} ms`);
} finally {
  await server.stop();
  receiver.closeAllConnections();
  receiver.close();
  rmSync(home, { recursive: true, force: true });
}

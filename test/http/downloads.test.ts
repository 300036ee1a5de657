import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DOWNLOAD_LIMITS } from '../../services/http/downloads.ts';
import {
  DataDirectory,
  deliver,
  deliveredStatus,
  envelope,
  metric,
  NUMBER,
  output,
  startProduct,
  statuses,
  until,
  type Product,
} from '../support/product.ts';

const AT = 1_792_000_000;
const MESSAGES = 600;
/** Names so long that the report is far larger than what sockets hold. */
const NAME = 'a template with a very long name '.repeat(2_000);
const MESSAGES_CSV = '/api/messages?format=csv';
const CLIENTS = 20;

const data = new DataDirectory();
let product: Product;
const sockets: Socket[] = [];

beforeAll(async () => {
  const lines = Array.from({ length: MESSAGES }, (_, i) => {
    const message = { phone_number_id: NUMBER, wa_id: '16505551234', id: `wamid.download.${i}`, timestamp: AT + i };
    return [
      {
        event: 'message',
        direction: 'outbound',
        type: 'template',
        template: { name: NAME, category: 'UTILITY' },
        ...message,
      },
      { event: 'status', status: 'delivered', ...message },
    ];
  }).flat();
  const file = data.file('events.ndjson');
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await output(data, ['ingest', file]);
  product = await startProduct(data, { args: ['--empty'] });
  expect((await exported()).length).toBeGreaterThan(MESSAGES * NAME.length);
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  try {
    expect(await product.stop()).toBe(0);
  } finally {
    await data.remove();
  }
});

const exported = (): Promise<string> => output(data, ['export', 'messages']);

/** Begins a download and takes nothing of it. */
function begin(): Socket {
  const { hostname, port, host } = new URL(product.url);
  const socket = connect(Number(port), hostname);
  socket.pause();
  socket.on('error', () => undefined);
  socket.write(`GET ${MESSAGES_CSV} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  sockets.push(socket);
  return socket;
}

const running = (): Promise<number> => metric(product, 'ctwa_downloads');
const waiting = (): Promise<number> => metric(product, 'ctwa_downloads_waiting');
const ended = (outcome: string): Promise<number> => metric(product, `ctwa_downloads_total{outcome="${outcome}"}`);

it('answers pages and deliveries while downloads stand still, and ends those', async () => {
  for (let i = 0; i < CLIENTS; i++) begin();
  await until(
    'the downloads stand still',
    async () => (await running()) === DOWNLOAD_LIMITS.running && (await waiting()) === DOWNLOAD_LIMITS.waiting,
  );
  const refused = await fetch(`${product.url}${MESSAGES_CSV}`);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30']);
  expect(await refused.json()).toMatchObject({ error: { code: 'BUSY' } });

  const pages = ['/', '/ads', '/conversations', '/billing', '/billing/messages', '/billing/charges', '/health'];
  const answers = await Promise.all(
    pages.map(async (page) => {
      const response = await fetch(`${product.url}${page}`);
      await response.text();
      return response.status;
    }),
  );
  expect(answers).toEqual(pages.map(() => 200));
  expect(await deliver(product, envelope(statuses([deliveredStatus('wamid.download.0', AT)])))).toBe(200);
  expect((await fetch(`${product.url}/readyz`)).status).toBe(200);
  // None of this waited for a download: they all still stand.
  expect(await running()).toBe(DOWNLOAD_LIMITS.running);

  await until('those that take nothing are ended', async () => (await ended('stalled')) >= DOWNLOAD_LIMITS.running);
  await until('nothing is sent or waits', async () => (await running()) + (await waiting()) === 0);
  // Compared here: texts of that size are no use in a report of what failed.
  const isWhole = (await (await fetch(`${product.url}${MESSAGES_CSV}`)).text()) === (await exported());
  expect(isWhole).toBe(true);
});

it('ends the query when its client leaves', async () => {
  const open = async (): Promise<number> => {
    const rows = await data.query(
      "SELECT count() FROM system.processes WHERE query LIKE '%message_marks.sent_at%' AND query NOT LIKE '%system.processes%' FORMAT JSONCompactEachRow",
    );
    return Number(rows[0]![0]);
  };
  const readers = [begin(), begin()];
  await until('both are read', async () => (await running()) === 2 && (await open()) === 2);
  const left = await ended('left');
  for (const reader of readers) reader.destroy();
  await until('both have left', async () => (await ended('left')) === left + 2);
  await until('no query is left', async () => (await open()) === 0);
});

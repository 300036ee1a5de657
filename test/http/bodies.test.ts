import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { MAX_VALUE_BYTES } from '@ctwa-ledger/schemas/event.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_CONNECTIONS } from '../../services/http/connections.ts';
import { BODY_LIMITS } from '../../services/ingest/webhook.ts';
import {
  DataDirectory,
  deliver,
  deliveredStatus,
  envelope,
  metric,
  output,
  signatureOf,
  startProduct,
  statuses,
  until,
  type Product,
} from '../support/product.ts';

const AT = 1_792_000_000;
const MARK = Buffer.from('\ufeff');

const newId = (): string => `wamid.${randomUUID()}`;
const statusBody = (id: string): string => envelope(statuses([deliveredStatus(id, AT)]));

/** A signed value of one status in exactly so many bytes. */
function padded(id: string, bytes: number, filling = 'x'): string {
  const bare = statusBody(id);
  return `${bare.slice(0, -1)},"pad":"${filling.repeat(bytes - bare.length - ',"pad":""'.length)}"}`;
}

const data = new DataDirectory();
let product: Product;
beforeAll(async () => {
  product = await startProduct(data, { command: 'webhook' });
});
afterAll(async () => {
  try {
    expect(await product.stop()).toBe(0);
  } finally {
    await data.remove();
  }
});

async function isStored(id: string): Promise<boolean> {
  const rows = await data.query(`SELECT count() FROM events FINAL WHERE id = '${id}' FORMAT JSONCompactEachRow`);
  return Number(rows[0]![0]) === 1;
}

async function letters(): Promise<number> {
  const rows = await data.query('SELECT count() FROM dead_letters FINAL FORMAT JSONCompactEachRow');
  return Number(rows[0]![0]);
}

describe('how bodies are written', () => {
  const encoded = (body: Buffer, coding: string, signature = signatureOf(body)): Promise<number> =>
    deliver(product, body, signature, { 'content-encoding': coding });

  it('takes a byte order mark, as files do', async () => {
    const id = newId();
    const before = await letters();
    expect(await deliver(product, Buffer.concat([MARK, Buffer.from(statusBody(id))]))).toBe(200);
    expect(await isStored(id)).toBe(true);
    expect(await letters()).toBe(before);
  });

  it('takes back a dead letter that begins with one', async () => {
    const id = newId();
    const raw = Buffer.concat([MARK, Buffer.from(statusBody(id))]).toString('base64');
    await data.query(
      `INSERT INTO dead_letters (source, source_partition, position, version, code, message, first_seen_at, is_replayed, raw)
       SELECT 'webhook', 0, 0, 1, 'not_json', '', now64(3), 0, base64Decode('${raw}')`,
    );
    await output(data, ['dead-letter', 'replay']);
    expect(await isStored(id)).toBe(true);
    expect(await output(data, ['dead-letter', 'list'])).toBe('');
  });

  it('decodes gzip, and checks the signature over the bytes as sent', async () => {
    const [plain, upper, twice] = [newId(), newId(), newId()];
    const before = await letters();
    expect(await encoded(gzipSync(statusBody(plain)), 'gzip')).toBe(200);
    expect(await encoded(gzipSync(Buffer.concat([MARK, Buffer.from(statusBody(upper))])), 'X-GZIP')).toBe(200);
    // A file of several members is one text.
    const half = statusBody(twice).length / 2;
    const members = [statusBody(twice).slice(0, half), statusBody(twice).slice(half)].map((text) => gzipSync(text));
    expect(await encoded(Buffer.concat(members), 'gzip')).toBe(200);
    expect(await deliver(product, statusBody(newId()), undefined, { 'content-encoding': 'identity' })).toBe(200);
    for (const id of [plain, upper, twice]) expect(await isStored(id)).toBe(true);

    const not = newId();
    expect(await encoded(gzipSync(statusBody(not)), 'gzip', signatureOf(statusBody(not)))).toBe(401);
    expect(await isStored(not)).toBe(false);
    expect(await letters()).toBe(before);
  });

  it('keeps a gzipped body that cannot be used in decoded form, so that it can be replayed', async () => {
    const text = `{"no": "event", "of": "${newId()}"}`;
    expect(await encoded(gzipSync(text), 'gzip')).toBe(200);
    const found = await data.query(
      `SELECT code FROM dead_letters FINAL WHERE raw = '${text}' FORMAT JSONCompactEachRow`,
    );
    expect(found).toEqual([['not_an_event']]);
  });

  it('limits what it decodes to 3 MB, and stops there', async () => {
    const [fits, not] = [newId(), newId()];
    expect(await encoded(gzipSync(padded(fits, MAX_VALUE_BYTES)), 'gzip')).toBe(200);
    // Not made smaller: then it is longer than what it becomes.
    const stored = newId();
    expect(await encoded(gzipSync(padded(stored, MAX_VALUE_BYTES), { level: 0 }), 'gzip')).toBe(200);
    expect(await encoded(gzipSync(padded(not, MAX_VALUE_BYTES + 1)), 'gzip')).toBe(413);
    const before = await metric(product, 'process_resident_memory_bytes');
    // 1 GB in 1 MB, as a file of many members.
    const member = gzipSync(Buffer.alloc(16 * 1024 * 1024));
    const bomb = Buffer.concat(Array.from({ length: 64 }, () => member));
    expect(bomb.length).toBeLessThan(MAX_VALUE_BYTES);
    expect(await encoded(bomb, 'gzip')).toBe(413);
    expect((await metric(product, 'process_resident_memory_bytes')) - before).toBeLessThan(256 * 1024 * 1024);
    for (const id of [fits, stored]) expect(await isStored(id)).toBe(true);
    expect(await isStored(not)).toBe(false);
  });

  it('refuses a body that cannot be decoded, and keeps none of it', async () => {
    const before = await letters();
    const body = Buffer.from(statusBody(newId()));
    for (const coding of ['br', 'deflate', 'zstd', 'compress', 'gzip, gzip', 'gzip, br', 'utf-8'])
      expect([coding, await encoded(body, coding)]).toEqual([coding, 415]);
    const whole = gzipSync(body);
    for (const broken of [body, Buffer.alloc(0), whole.subarray(0, -9), whole.subarray(4)])
      expect(await encoded(broken, 'gzip')).toBe(415);
    const response = await fetch(`${product.url}/webhook`, {
      method: 'POST',
      headers: { 'content-encoding': 'br', 'x-hub-signature-256': signatureOf(body) },
      body: new Uint8Array(body),
    });
    expect(await response.text()).toContain('Content-Encoding "br" is not taken');
    expect(await letters()).toBe(before);
  });
});

/** A client that says that it sends 3 MB, sends a byte less, and waits. */
class StalledClient {
  readonly #socket: Socket;
  #heard = '';
  isClosed = false;

  constructor(url: string, head: string, body: Buffer | null) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname);
    this.#socket.setEncoding('utf8');
    this.#socket.on('data', (text: string) => (this.#heard += text));
    this.#socket.on('close', () => (this.isClosed = true));
    // Being ended is what it is for.
    this.#socket.on('error', () => undefined);
    this.#socket.write(head);
    if (body !== null) this.#socket.write(body);
  }

  get heard(): string {
    return this.#heard;
  }

  leave(): void {
    this.#socket.destroy();
  }
}

const HEAD = `POST /webhook HTTP/1.1\r\nhost: ledger\r\nx-hub-signature-256: sha256=${'0'.repeat(64)}\r\ncontent-length: ${MAX_VALUE_BYTES}\r\n\r\n`;
const STALLING = Buffer.alloc(MAX_VALUE_BYTES - 1, 'x');
const ENDED = ['crowded', 'late', 'gone'].map((reason) => `ctwa_webhook_unfinished_total{reason="${reason}"}`);

/** Clients that have begun so far: those that are waited for, and those that were ended. */
async function begun(): Promise<number> {
  const numbers = await Promise.all(['ctwa_webhook_unfinished', ...ENDED].map((name) => metric(product, name)));
  return numbers.reduce((sum, n) => sum + n, 0);
}

describe('bodies that do not end', () => {
  it.each([100, 500])('hold little when %i clients stall, and keep no signed delivery out', async (n) => {
    const [before, memory] = [await begun(), await metric(product, 'process_resident_memory_bytes')];
    const clients = Array.from({ length: n }, () => new StalledClient(product.url, HEAD, STALLING));
    const ids: string[] = [];
    try {
      await until('all have begun', async () => {
        // All the while, and not only when they stand still.
        const id = newId();
        expect(await deliver(product, statusBody(id))).toBe(200);
        ids.push(id);
        expect(await metric(product, 'ctwa_webhook_unfinished')).toBeLessThanOrEqual(BODY_LIMITS.bodies);
        expect(await metric(product, 'ctwa_webhook_unfinished_bytes')).toBeLessThanOrEqual(BODY_LIMITS.bytes);
        return (await begun()) - before >= n;
      });
      const large = newId();
      expect(await deliver(product, padded(large, MAX_VALUE_BYTES))).toBe(200);
      for (const id of [...ids, large]) expect(await isStored(id)).toBe(true);
      const grown = (await metric(product, 'process_resident_memory_bytes')) - memory;
      // They have sent 3 MB each.
      expect(grown).toBeLessThan(256 * 1024 * 1024);
    } finally {
      for (const client of clients) client.leave();
    }
    await until('nothing is held any more', async () => (await metric(product, 'ctwa_webhook_unfinished_bytes')) === 0);
    expect(product.log).not.toContain('failed');
  });

  it('are answered when their time is up, and when others need their place', async () => {
    const late = new StalledClient(product.url, HEAD, Buffer.from('{'));
    await until('it is told', () => late.isClosed);
    expect(late.heard).toMatch(/^HTTP\/1\.1 408 .*connection: close.*not complete after 10 s/is);

    const first = new StalledClient(product.url, HEAD, Buffer.from('{'));
    await until('it is waited for', async () => (await metric(product, 'ctwa_webhook_unfinished')) === 1);
    const others = Array.from({ length: BODY_LIMITS.bodies }, () => new StalledClient(product.url, HEAD, null));
    try {
      await until('it is told', () => first.isClosed);
      expect(first.heard).toMatch(/^HTTP\/1\.1 503 .*send it again/is);
    } finally {
      for (const client of others) client.leave();
    }
  });

  it('are not kept at all when nothing can sign them', async () => {
    const head = HEAD.replace(/x-hub-signature-256: .*\r\n/, '');
    // Clients of the tests before may still stand open, and go while this one waits.
    await until('no other body is waited for', async () => (await metric(product, 'ctwa_webhook_unfinished')) === 0);
    const client = new StalledClient(product.url, head, STALLING);
    await until('it is waited for', async () => (await metric(product, 'ctwa_webhook_unfinished')) === 1);
    expect(await metric(product, 'ctwa_webhook_unfinished_bytes')).toBe(0);
    client.leave();
  });
});

it('makes room for a new connection when too many stand open', async () => {
  const idle = Array.from({ length: MAX_CONNECTIONS + 100 }, () => new StalledClient(product.url, '', null));
  try {
    await until('the oldest were ended', () => idle.filter((client) => client.isClosed).length >= 100);
    expect(idle.slice(0, 50).every((client) => client.isClosed)).toBe(true);
    const id = newId();
    expect(await deliver(product, statusBody(id))).toBe(200);
    expect(await isStored(id)).toBe(true);
  } finally {
    for (const client of idle) client.leave();
  }
});

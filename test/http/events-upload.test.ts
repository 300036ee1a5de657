import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataDirectory, startProduct, type Product } from '../support/product.ts';

const THREAD = { phone_number_id: '106540352242922', wa_id: '16505551234' };
const event = (id: string): string =>
  JSON.stringify({ event: 'message', direction: 'inbound', ...THREAD, id, timestamp: '1790000000', type: 'text' });

describe('files of events on the page', () => {
  const data = new DataDirectory();
  let product: Product;
  beforeAll(async () => {
    product = await startProduct(data, { args: ['--empty'] });
  });
  afterAll(async () => {
    await product.stop();
    await data.remove();
  });

  interface Upload {
    readonly status: number;
    readonly html: string;
  }
  const upload = async (...files: readonly (readonly [string, string | Buffer])[]): Promise<Upload> => {
    const form = new FormData();
    for (const [name, content] of files) form.append('file', new File([new Uint8Array(Buffer.from(content))], name));
    const headers = { origin: product.url, accept: 'text/html' };
    const response = await fetch(`${product.url}/imports/events?/upload`, { method: 'POST', headers, body: form });
    return {
      status: response.status,
      html: (await response.text()).replaceAll(/<!--.*?-->|<[^>]*>/g, '').replaceAll(/\s+/g, ' '),
    };
  };
  const stored = async (): Promise<unknown> =>
    data.query('SELECT uniqExact(id) FROM ctwa_ledger.events FORMAT JSONCompactEachRow');

  it('are ingested, however they are packed, and again they change nothing', async () => {
    const mixed = `${event('wamid.1')}\n{"broken\n${event('wamid.2')}\n`;
    const first = await upload(['june.ndjson', mixed], ['july.bin', gzipSync(`${event('wamid.3')}\n`)]);
    expect(first.status).toBe(200);
    expect(first.html).toContain('june.ndjson: 3 events read, 2 new, 0 known already, 1 rejected.');
    expect(first.html).toContain('july.bin: 1 event read, 1 new, 0 known already, 0 rejected.');
    expect((await upload(['june.ndjson', mixed], ['june.ndjson', mixed])).html).toContain(
      '0 new, 2 known already, 1 rejected.',
    );
    expect(await stored()).toEqual([['3']]);
    const health = await (await fetch(`${product.url}/health`)).text();
    expect(health).toContain('june.ndjson');
  });

  it('are refused in words when nothing is chosen, or they are broken or too large, and what was read stays', async () => {
    const none = await upload();
    expect([none.status, none.html]).toEqual([400, expect.stringContaining('Choose a file first.')]);
    const cut = await upload(['cut.ndjson.gz', gzipSync(`${event('wamid.4')}\n`.repeat(5_000)).subarray(0, -20)]);
    expect(cut.status).toBe(400);
    expect(cut.html).toMatch(
      /The file cut\.ndjson\.gz could not be read to its end \(unexpected end of file\)\. \d+ events/,
    );
    const large = await upload(['large.ndjson', Buffer.alloc(33 * 1024 * 1024, 32)]);
    expect([large.status, large.html]).toEqual([413, expect.stringContaining('larger than 32 MB: split them')]);
    expect(await stored()).toEqual([['4']]);
  });

  it('that unpack without end are left off', async () => {
    const part = gzipSync(Buffer.alloc(64 * 1024 * 1024, 'x'));
    const bomb = await upload(['bomb.gz', Buffer.concat(Array.from({ length: 17 }, () => part))]);
    expect([bomb.status, bomb.html]).toEqual([400, expect.stringContaining('it unpacks to more than 1 GB')]);
    expect((await fetch(`${product.url}/readyz`)).status).toBe(200);
  });

  it('and the webhook say what they need, and what was delivered last', async () => {
    const before = await (await fetch(`${product.url}/imports/events`)).text();
    expect(before).toContain('https://your-host.example/webhook');
    expect(before).toContain('none since this server started');
    const refused = await fetch(`${product.url}/webhook`, {
      method: 'POST',
      headers: { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` },
      body: '{}',
    });
    const after = await (await fetch(`${product.url}/imports/events`)).text();
    expect(refused.status).toBe(401);
    expect(after).toContain('refused: its signature is missing, or was not made with META_APP_SECRET');
  });
});

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Downloads, type DownloadOutcome } from '../../services/http/downloads.ts';
import { until } from '../support/product.ts';

const LIMITS = { running: 1, waiting: 1, waiting_ms: 60_000, stalled_ms: 200 };
/** More than sockets hold. */
const MANY = 200;
const PART = 'x'.repeat(1024 * 1024);

describe('downloads', () => {
  let downloads: Downloads;
  let outcomes: DownloadOutcome[];
  /** Parts that were read, by the path that was asked for; and the paths whose reading has ended. */
  let read: Map<string, number>;
  let ended: string[];
  let url: URL;
  let close: () => void;
  const sockets: Socket[] = [];

  async function* parts(path: string): AsyncGenerator<string> {
    try {
      for (let i = 0; i < (path === '/small' ? 3 : MANY); i++) {
        read.set(path, i + 1);
        await Promise.resolve();
        if (path === '/broken' && i === 0) throw new Error('The query failed.');
        yield path === '/small' ? `part ${i}\n` : PART;
      }
    } finally {
      ended.push(path);
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    try {
      const outcome = await downloads.send(response, { 'content-type': 'text/plain' }, parts(path));
      if (outcome === 'busy') response.writeHead(503).end();
    } catch {
      response.writeHead(500).end();
    }
  }

  beforeEach(async () => {
    outcomes = [];
    read = new Map();
    ended = [];
    downloads = new Downloads(LIMITS, (outcome) => outcomes.push(outcome));
    const server = createServer((request, response) => void answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    close = () => {
      server.closeAllConnections();
      server.close();
    };
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    close();
  });

  /** Asks and takes nothing of the answer. */
  function ask(path: string): Socket {
    const socket = connect(Number(url.port), url.hostname);
    socket.pause();
    socket.on('error', () => undefined);
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
    sockets.push(socket);
    return socket;
  }

  it('are sent whole', async () => {
    expect(await (await fetch(new URL('/small', url))).text()).toBe('part 0\npart 1\npart 2\n');
    expect([outcomes, ended, downloads.running]).toEqual([['sent'], ['/small'], 0]);
  });

  it('are read no further for a HEAD request', async () => {
    const response = await fetch(new URL('/large', url), { method: 'HEAD' });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/plain']);
    await until('it has ended', () => ended.length === 1);
    expect(read.get('/large')).toBe(1);
  });

  it('are answered as an error when they fail before the first part', async () => {
    expect((await fetch(new URL('/broken', url))).status).toBe(500);
    expect([outcomes, ended, downloads.running]).toEqual([['failed'], ['/broken'], 0]);
  });

  it('end when no client takes them, and their queries end with them', async () => {
    const socket = ask('/stalled');
    await until('it is ended', () => outcomes.length === 1);
    expect([outcomes, ended, downloads.running]).toEqual([['stalled'], ['/stalled'], 0]);
    expect(read.get('/stalled')).toBeLessThan(MANY);
    // What was on its way still comes; then the connection ends, so that nobody takes a part for the whole.
    socket.resume();
    await until('the connection has ended', () => socket.closed);
  });

  it('wait for their turn, nothing read meanwhile, and are refused when too many wait', async () => {
    ask('/first');
    await until('the first is sent', () => downloads.running === 1);
    const second = fetch(new URL('/small', url)).then((response) => response.text());
    await until('the second waits', () => downloads.waiting === 1);
    expect((await fetch(new URL('/third', url))).status).toBe(503);
    expect([...read.keys()]).toEqual(['/first']);
    expect(await second).toBe('part 0\npart 1\npart 2\n');
    expect(outcomes).toEqual(['busy', 'stalled', 'sent']);
    expect(ended).toEqual(['/first', '/small']);
    expect([downloads.running, downloads.waiting]).toEqual([0, 0]);
  });

  it('give their place back when their reader leaves, waiting or not', async () => {
    const first = ask('/first');
    await until('the first is sent', () => downloads.running === 1);
    const second = ask('/second');
    await until('the second waits', () => downloads.waiting === 1);
    second.destroy();
    await until('nobody waits', () => downloads.waiting === 0);
    first.destroy();
    await until('nothing is sent', () => downloads.running === 0);
    expect([outcomes[0], read.has('/second')]).toEqual(['left', false]);
    expect(await (await fetch(new URL('/small', url))).text()).toContain('part 2');
  });
});

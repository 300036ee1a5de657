import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  csvRows,
  DataDirectory,
  deliver,
  deliveredStatus,
  metric,
  envelope,
  output,
  run,
  startProduct,
  statuses,
  until,
  untilCounted,
  untilSettled,
  type Product,
} from '../support/product.ts';

const AT = 1_792_000_000;

async function page(product: Product, path = '/'): Promise<string> {
  const response = await fetch(`${product.url}${path}`);
  expect(response.status).toBe(200);
  return response.text();
}

const heading = (html: string): string => /<h1[^>]*>([^<]*)</.exec(html)?.[1] ?? '';
const isSample = (html: string): boolean => html.includes('aria-label="Sample data"');

/** Sends a path just as it is written, which `fetch` would tidy first. */
function rawGet(product: Product, path: string): Promise<{ readonly status: number; readonly body: string }> {
  const { hostname, port } = new URL(product.url);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, method: 'GET' }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Samples of Prometheus' text format by name and labels; throws at the first line that is none. */
function samples(text: string): Map<string, number> {
  const found = new Map<string, number>();
  const types = new Map<string, string>();
  expect(text.endsWith('\n')).toBe(true);
  for (const line of text.split('\n')) {
    if (line === '' || /^# HELP [a-zA-Z_:][\w:]* .+$/.test(line)) continue;
    const type = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped)$/.exec(line);
    if (type !== null) {
      expect(types.has(type[1]!)).toBe(false);
      types.set(type[1]!, type[2]!);
      continue;
    }
    // The client writes "Nan" (no lag was measured since the scrape before); Prometheus reads it in any case.
    const sample =
      /^([a-zA-Z_:][\w:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*",?)*\})?) (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|N[aA][nN]|[+-]Inf)$/.exec(
        line,
      );
    if (sample === null) throw new Error(`Not a line of Prometheus' text format: ${line}`);
    expect(found.has(sample[1]!)).toBe(false);
    expect([...types.keys()].some((name) => sample[1]!.startsWith(name))).toBe(true);
    found.set(sample[1]!, Number(sample[2]));
  }
  return found;
}

describe('a server without sample data', () => {
  const data = new DataDirectory();
  let product: Product;
  beforeAll(async () => {
    product = await startProduct(data, { args: ['--empty'] });
  });
  afterAll(async () => {
    try {
      expect(await product.stop()).toBe(0);
    } finally {
      await data.remove();
    }
  });

  it('shows an empty ledger', async () => {
    const html = await untilSettled(product, '/');
    expect(heading(html)).toBe('The ledger is empty');
    expect(isSample(html)).toBe(false);
    expect(html).toContain('Nothing stored yet');
    expect(html).toContain('0 of 5 steps are done.');
    expect(html).toContain('this server,');
    expect(await (await fetch(`${product.url}/api/ads`)).json()).toEqual({ rows: [] });
  });

  it('shows an empty ledger of others, and does not offer them its own webhook', async () => {
    const reader = await startProduct(data, { command: 'dashboard', args: ['--empty'] });
    try {
      await until('the dashboard has its ledger', async () => (await fetch(`${reader.url}/readyz`)).ok);
      const html = await page(reader);
      expect(heading(html)).toBe('The ledger is empty');
      expect(html).toContain('the server that receives (this one only reads),');
      expect((await fetch(`${reader.url}/webhook`)).status).toBe(404);
    } finally {
      expect(await reader.stop()).toBe(0);
    }
  });

  it('says that it lives and that it is ready', async () => {
    for (const path of ['/healthz', '/readyz']) {
      // Readiness has a time limit, which a busy machine may miss once.
      const response = await until(`${path} is answered well`, async () => {
        const answer = await fetch(`${product.url}${path}`);
        return answer.ok && answer;
      });
      expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    }
  });

  it('counts in /metrics so that the outcomes add up', async () => {
    const before = samples(await (await fetch(`${product.url}/metrics`)).text());
    const body = envelope(statuses(['a', 'b', 'c'].map((id) => deliveredStatus(`wamid.metrics.${id}`, AT))));
    const half = envelope(
      statuses([deliveredStatus('wamid.metrics.a', AT), deliveredStatus('wamid.metrics.d', AT), { id: 'no status' }]),
    );
    for (const [sent, answer] of [
      [body, 200],
      [body, 200],
      [half, 200],
      ['not JSON', 200],
    ] as const)
      expect(await deliver(product, sent)).toBe(answer);
    expect(await deliver(product, body, null)).toBe(401);

    let after = before;
    const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    const outcome = (name: string): number => grown(`ctwa_events_total{outcome="${name}"}`);
    // A delivery is answered when its events are kept, and counted when it is known how many of them were new. Its time is
    // noted when the answer has left, which its sender may have by then.
    await until('all are counted', async () => {
      const response = await fetch(`${product.url}/metrics`);
      expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
      after = samples(await response.text());
      expect(outcome('read')).toBe(outcome('stored') + outcome('duplicate') + outcome('rejected'));
      return outcome('read') >= 10 && grown('ctwa_webhook_delivery_seconds_count') >= 5;
    });
    expect({
      read: outcome('read'),
      stored: outcome('stored'),
      duplicate: outcome('duplicate'),
      rejected: outcome('rejected'),
    }).toEqual({ read: 10, stored: 4, duplicate: 4, rejected: 2 });
    // Refused ones too: they were answered.
    expect(grown('ctwa_webhook_delivery_seconds_count')).toBe(5);
    expect(grown('ctwa_webhook_delivery_seconds_bucket{le="+Inf"}')).toBe(5);
  });

  describe('the API', () => {
    const ask = async (
      query: string,
    ): Promise<{ readonly status: number; readonly type: string; readonly body: string }> => {
      const response = await fetch(`${product.url}/api/${query}`);
      return {
        status: response.status,
        type: response.headers.get('content-type') ?? '',
        body: await response.text(),
      };
    };
    const message = (body: string): string => (JSON.parse(body) as { error: { message: string } }).error.message;

    it('answers 404 in JSON to a report that does not exist', async () => {
      for (const name of ['nonsense', '', 'ads/', 'Ads', '__proto__', 'ads%2f..', 'messages.csv']) {
        const { status, type, body } = await ask(name);
        expect([name, status]).toEqual([name, 404]);
        expect(type).toMatch(/^application\/json/);
        expect(message(body)).toContain('messages, conversations, daily, ads');
      }
    });

    it('answers 400 in JSON to filters it cannot use, and names them', async () => {
      const wrong: readonly [string, RegExp][] = [
        ['from=yesterday', /^from "yesterday"/],
        ['from=2026-02-30', /^from "2026-02-30"/],
        ['from=', /^from ""/],
        ['to=2026-13-01', /^to "2026-13-01"/],
        ['from=2026-02-01&to=2026-02-01', /^from 2026-02-01 .* to 2026-02-01/],
        ['from=2026-02-02&to=2026-02-01', /^from 2026-02-02/],
        ['tz=Mars/Olympus', /^tz "Mars\/Olympus"/],
        ["tz=UTC'%20OR%201=1", /^tz "UTC' OR 1=1"/],
        ['tz=', /^tz ""/],
        ['as_of=soon', /^as.of "soon"/],
        ['as_of=9999-01-01T00:00:00Z', /^as.of /],
        ['format=xml', /format/],
        ['by=read', /by/],
      ];
      for (const report of ['ads', 'messages'])
        for (const [query, names] of wrong) {
          const { status, type, body } = await ask(`${report}?${query}`);
          expect([query, status]).toEqual([query, 400]);
          expect(type).toMatch(/^application\/json/);
          expect(message(body)).toMatch(names);
        }
    });

    it('refuses the days of messages for any other report', async () => {
      for (const by of ['sent', 'delivered', 'charged']) {
        const { status, body } = await ask(`daily?by=${by}`);
        expect([by, status]).toEqual([by, 400]);
        expect(message(body)).toBe('Report "daily" does not take the parameter by; it is for messages.');
        expect((await ask(`messages?by=${by}`)).status).toBe(200);
      }
    });

    it('takes a zone in any letter case, and under its older name', async () => {
      for (const tz of ['utc', 'europe/berlin', 'Asia/Calcutta', 'ASIA/KOLKATA', 'US/Pacific', 'Etc/GMT+5', 'EST5EDT'])
        expect([tz, (await ask(`daily?tz=${encodeURIComponent(tz)}`)).status]).toEqual([tz, 200]);
      expect((await ask('daily?tz=%2B03:00')).status).toBe(400);
    });

    it('is only read', async () => {
      const response = await fetch(`${product.url}/api/ads`, { method: 'POST' });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('GET, HEAD');
      const head = await fetch(`${product.url}/api/ads?format=csv`, { method: 'HEAD' });
      expect(head.status).toBe(200);
      expect(await head.text()).toBe('');
    });

    it('sends CSV as a file of that name', async () => {
      const response = await fetch(`${product.url}/api/daily?format=csv`);
      expect(response.headers.get('content-type')).toMatch(/^text\/csv; charset=utf-8/);
      expect(response.headers.get('content-disposition')).toBe('attachment; filename="daily.csv"');
    });
  });

  describe('the page of exports', () => {
    const press = (action: string, fields: Readonly<Record<string, string>>): Promise<Response> =>
      fetch(`${product.url}/exports?/${action}`, {
        method: 'POST',
        redirect: 'manual',
        headers: { origin: product.url, accept: 'text/html' },
        body: new URLSearchParams(fields),
      });
    const listed = async (): Promise<unknown> => (await fetch(`${product.url}/api/exports`)).json();
    const form = {
      ...{ name: 'every-charge', report: 'charges', period: 'yesterday', when: 'every day 06:00', zone: 'UTC' },
      ...{ format: 'csv', compression: 'none', waba_id: '', columns: '' },
    };

    it('says what is wrong with an export, and keeps what was typed', async () => {
      const refused = await press('add', { ...form, when: 'every blue moon' });
      expect(refused.status).toBe(400);
      const page = await refused.text();
      expect(page).toMatch(/role="alert"[\s\S]*every blue moon/);
      expect(page).toContain('value="every-charge"');
      expect(await listed()).toMatchObject({ exports: [] });
    });

    it('adds, runs, pauses and removes one', async () => {
      const added = await press('add', form);
      expect([added.status, added.headers.get('location')]).toEqual([303, './exports?export=every-charge#exports']);
      expect((await press('add', form)).status).toBe(409);
      const run = await press('run', { name: form.name });
      expect([run.status, run.headers.get('location')]).toEqual([303, './exports?export=every-charge#runs']);
      expect(await (await fetch(`${product.url}/exports`)).text()).toMatch(/id="runs"[\s\S]*done/);
      for (const state of ['paused', 'active', 'removed'])
        expect((await press('state', { name: form.name, state })).status).toBe(303);
      expect(await listed()).toMatchObject({ exports: [] });
    });

    it('takes the filters of the form, and begins with those of the page before', async () => {
      const name = 'charges-of-brazil';
      const filters = { 'filter.market': ' Brazil ', 'filter.category': 'Free service', 'filter.tag': '' };
      const added = await press('add', { ...form, ...filters, name, waba_id: '102290129340398' });
      expect(added.status).toBe(303);
      const only = { market: 'Brazil', category: 'free_service', waba_id: '102290129340398' };
      expect(await listed()).toMatchObject({ exports: [{ name, filters: only }] });
      expect(await (await fetch(`${product.url}/exports`)).text()).toContain('Market: Brazil');
      expect((await press('state', { name, state: 'removed' })).status).toBe(303);

      const refused = await press('add', { ...form, 'filter.billing': 'cheap' });
      expect(refused.status).toBe(400);
      expect(await refused.text()).toMatch(/role="alert"[\s\S]*“cheap” is no mark/);
      const unknown = await press('add', { ...form, report: 'accounts', period: 'all', 'filter.tag': 'spring' });
      expect([unknown.status, await unknown.text()]).toEqual([400, expect.stringContaining('does not take tag')]);
      expect(await listed()).toMatchObject({ exports: [] });

      const page_before = await (await fetch(`${product.url}/exports?market=India&ad=1&ad=2`)).text();
      expect(page_before).toMatch(/<details open[^>]*>[\s\S]*name="filter\.market"[^>]*/);
      expect(page_before).toMatch(/value="India"/);
    });
  });

  it('sends security headers with pages, files, errors and reports', async () => {
    const html = await page(product);
    const file = /href="\.?(\/_app\/immutable\/[^"]+\.css)"/.exec(html)?.[1];
    expect(file).toBeDefined();
    for (const path of [
      '/',
      '/definitions',
      file!,
      '/favicon.svg',
      '/no-such-page',
      '/api/ads',
      '/api/no',
      '/healthz',
    ]) {
      const { headers } = await fetch(`${product.url}${path}`);
      expect([path, headers.get('x-content-type-options')]).toEqual([path, 'nosniff']);
      expect([path, headers.get('x-frame-options')]).toEqual([path, 'DENY']);
      expect([path, headers.get('referrer-policy')]).toEqual([path, 'same-origin']);
    }
    const policy = (await fetch(product.url)).headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/default-src 'self'/);
    expect(policy).toMatch(/frame-ancestors 'none'/);
    expect(/script-src ([^;]*)/.exec(policy)?.[1]).not.toContain('unsafe');
  });

  it('refuses forms that come from another site', async () => {
    const dismiss = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${product.url}/?/dismissSample`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html', ...headers },
        body: '',
        redirect: 'manual',
      });
    for (const origin of ['https://evil.example', 'http://127.0.0.1:1', product.url.replace('http:', 'https:'), 'null'])
      expect([origin, (await dismiss({ origin })).status]).toEqual([origin, 403]);
    expect((await dismiss({})).status).toBe(403);
    // What a proxy in front says is not believed when anybody may say it.
    expect((await dismiss({ origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' })).status).toBe(403);
    const own = await dismiss({ origin: product.url });
    expect(own.status).toBe(303);
    expect(new URL(own.headers.get('location') ?? '?', product.url).href).toBe(`${product.url}/`);
  });

  it('answers nonsense paths with 404, never with a file of the machine or an error of its own', async () => {
    const nonsense = [
      '/../../etc/passwd',
      '/..%2f..%2f..%2fetc%2fpasswd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/_app/../../../package.json',
      '/_app/%2e%2e/%2e%2e/server/index.js',
      '/_app/immutable/..\\..\\..\\package.json',
      '/....//....//etc/passwd',
      '/.env',
      '/engine.json',
      '//',
      '//etc/passwd',
      '//x:99999999/y',
      '///',
      '/%00',
      '/a%00b',
      '/_app/immutable/%00.js',
      '/%ff',
      '/%E0%A4%A',
      '/%',
      '/_app/%',
      '/api/%',
      '/webhook/',
      '/metrics/x',
      `/${'x'.repeat(8_000)}`,
      `/${'../'.repeat(500)}etc/passwd`,
      '/?/../../etc',
      'etc/passwd',
      '*',
      'http://elsewhere.example/',
    ];
    for (const path of nonsense) {
      const { status, body } = await rawGet(product, path);
      // What is not even a path may be called a bad request.
      const isPath = path.startsWith('/') && !/%(?![0-9A-F]{2})|%ff|%E0/.test(path);
      const accepted = path.startsWith('/?') ? [200] : isPath ? [404] : [400, 404];
      expect([path.slice(0, 60), accepted.includes(status), status]).toEqual([path.slice(0, 60), true, status]);
      expect(body).not.toMatch(/root:|"ctwa-ledger-workspace"|"key"/);
    }
    expect(product.log).not.toContain('failed');
  });

  it('refuses a port that is taken, in words', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const port = String((taken.address() as AddressInfo).port);
    try {
      for (const command of [['start', '--empty'], ['webhook']]) {
        const { code, stdout, stderr } = await run(data, [...command, '--port', port]);
        expect(code).toBe(1);
        expect(stderr).toContain(`Port ${port} on 127.0.0.1 is taken`);
        expect(stderr).toContain('--port');
        expect(stderr).not.toMatch(/^\s+at /m);
        expect(stdout).toBe('');
      }
    } finally {
      taken.close();
    }
  });

  it('shares the ledger with a second server, a reading and a writing command at the same time', async () => {
    const traffic = data.file('traffic.ndjson');
    writeFileSync(traffic, await output(data, ['simulate', '--threads', '300', '--days', '20', '--seed', '7']));
    const before = await metric(product, 'ctwa_events_total{outcome="read"}');
    const [second, ingested, ...exports] = await Promise.all([
      startProduct(data),
      output(data, ['ingest', traffic]),
      output(data, ['export', 'messages']),
      output(data, ['export', 'ads']),
      ...[1, 2, 3, 4].map((n) => deliver(product, envelope(statuses([deliveredStatus(`wamid.shared.${n}`, AT)])))),
    ]);
    expect(exports.slice(2)).toEqual([200, 200, 200, 200]);
    const counts = JSON.parse(ingested.trim().split('\n').at(-1)!) as Record<string, number>;
    expect(counts['read']).toBe(counts['stored']! + counts['duplicate']! + counts['rejected']!);
    expect(counts['stored']).toBeGreaterThan(1_000);

    expect(await deliver(second, envelope(statuses([deliveredStatus('wamid.shared.5', AT)])))).toBe(200);
    await untilCounted(product, before + 4);
    await untilCounted(second, 1);
    const messages = await output(data, ['export', 'messages']);
    const shared = csvRows(messages).filter((row) => row['message_id']!.startsWith('wamid.shared.'));
    expect(shared).toHaveLength(5);
    // The keeper of summaries may still be at it; then both servers say the same as the command.
    const settled = await output(data, ['export', 'daily', '--as-of', '2026-12-31T00:00:00Z']);
    expect(csvRows(settled).length).toBeGreaterThan(10);
    for (const server of [product, second]) {
      const read = async (query: string): Promise<string> => (await fetch(`${server.url}/api/${query}`)).text();
      expect(await read('messages?format=csv')).toBe(messages);
      expect(await read('daily?format=csv&as_of=2026-12-31T00:00:00Z')).toBe(settled);
    }
    expect(await second.stop()).toBe(0);
    await until('it is still ready', async () => (await fetch(`${product.url}/readyz`)).ok);
  });
});

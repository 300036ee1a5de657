import { writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { request } from 'node:http';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPORTS, reportOf } from '../../services/catalogue/catalogue.ts';
import { parametersOf } from '../../services/reports/parameters.ts';
import { csvRows, DataDirectory, NUMBER, output, startProduct, until, type Product } from '../support/product.ts';

const AT = Date.UTC(2026, 9, 5) / 1000;
const WABA = '102290129340398';
const MESSAGES = 25;

const data = new DataDirectory();
let product: Product;

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${product.url}/api${path}`, { headers });

async function json<T>(path: string): Promise<T> {
  const response = await get(path);
  expect([path, response.status]).toEqual([path, 200]);
  return (await response.json()) as T;
}

async function refusal(path: string): Promise<string> {
  const response = await get(path);
  expect([path, response.status]).toEqual([path, 400]);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  return ((await response.json()) as { error: { message: string } }).error.message;
}

/** Bytes as they are sent, which `fetch` unpacks. */
function sentBytes(
  path: string,
  encoding: string,
): Promise<{ readonly encoding: string | undefined; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    request(`${product.url}${path}`, { headers: { 'accept-encoding': encoding } }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        resolve({ encoding: response.headers['content-encoding'], body: Buffer.concat(parts) });
      });
    })
      .on('error', reject)
      .end();
  });
}

beforeAll(async () => {
  const lines = Array.from({ length: MESSAGES }, (_, i) => {
    const message = { waba_id: WABA, phone_number_id: NUMBER, wa_id: `1650555${1000 + i}`, id: `wamid.api.${i}` };
    return [
      {
        event: 'message',
        direction: 'outbound',
        type: 'template',
        template: { name: 'follow_up', category: i % 2 === 0 ? 'MARKETING' : 'UTILITY' },
        tag: `${i % 3}`,
        timestamp: AT + i,
        ...message,
      },
      { event: 'status', status: 'delivered', timestamp: AT + i, ...message },
    ];
  }).flat();
  const file = data.file('events.ndjson');
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await output(data, ['ingest', file]);
  await output(data, ['accounts', 'set', WABA, '--time-zone', 'America/Sao_Paulo', '--currency', 'BRL']);
  product = await startProduct(data, { command: 'dashboard' });
  await until('the dashboard has its ledger', async () => (await fetch(`${product.url}/readyz`)).ok);
});
afterAll(async () => {
  try {
    expect(await product.stop()).toBe(0);
  } finally {
    await data.remove();
  }
});

describe('parameters that a report does not take', () => {
  it.each(REPORTS)('is refused by %s, and never answered with all rows', async (name) => {
    for (const unknown of ['waba=1', 'form=csv', 'limt=5', 'constructor=1', '__proto__=1'])
      expect(await refusal(`/${name}?${unknown}`)).toContain(`There is no parameter "${unknown.split('=')[0]!}".`);
    const taken = parametersOf(reportOf(name)) as readonly string[];
    for (const known of ['from=2026-10-01', 'tz=UTC', 'market=Brazil', 'by=sent', 'code=schema'])
      if (!taken.includes(known.split('=')[0]!)) expect(await refusal(`/${name}?${known}`)).toContain(`"${name}"`);
  });

  it.each([
    ['charges?waba=1', 'Did you mean waba_id?'],
    ['charges?form=2026-10-01', 'Did you mean from?'],
    ['charges?limt=5', 'Did you mean limit?'],
    ['charges?billing=FREE', 'Did you mean FREE_ENTRY?'],
    ['charges?billing=billable', 'Did you mean BILLABLE?'],
    ['ad-conversations?state=replyed', 'Did you mean replied?'],
    ['messages?by=send', 'Did you mean sent?'],
    ['messages?period=last_month', 'Did you mean last-month?'],
    ['messages?format=cvs', 'Did you mean csv?'],
    ['mismatches?rule=w7', 'Did you mean W7?'],
    ['messages?sample=banana', 'sample "banana" must be one of 0, 1, true, false.'],
    ['charges?tier=1&tier=2', 'tier is given more than once.'],
    ['charges?billing=BILLABLE&billing=FREE', 'Did you mean FREE_ENTRY?'],
    [`charges?${'market=a&'.repeat(101)}`, 'it can be given 100 times at most'],
    ['charges?columns=day,volum', 'Did you mean volume?'],
    ['charges?sort=-billed', 'has no column "billed"'],
    ['charges?limit=5&sort=day', 'limit goes neither with columns and sort'],
    ['charges?limit=5&format=xlsx', 'limit goes neither with columns and sort'],
    ['charges?limit=0', 'limit "0" is not a whole number from 1 to 10000.'],
    ['charges?limit=10001', 'limit "10001"'],
    ['charges?limit=5.5', 'limit "5.5"'],
    ['charges?after=x', 'after goes with limit'],
    ['charges?limit=5&after=nonsense', 'after is no position of this report'],
    ['charges?period=last-month&month=2026-10', 'period names all days by itself'],
    ['reconciliation', 'covers one month'],
    ['reconciliation?period=yesterday', 'covers one month'],
  ])('is said in words: %s', async (path, words) => {
    expect(await refusal(`/${path}`)).toContain(words);
  });

  it('names the report that may be meant', async () => {
    const response = await get('/mesages');
    expect(response.status).toBe(404);
    expect(((await response.json()) as { error: { message: string } }).error.message).toMatch(
      /Did you mean messages\?$/,
    );
  });
});

interface Page {
  readonly rows: readonly Record<string, unknown>[];
  readonly next: string | null;
}

describe('an answer', () => {
  it('comes page by page, every row once, in JSON and CSV', async () => {
    const { rows: all } = await json<Page>('/messages');
    expect(all).toHaveLength(MESSAGES);
    const found: unknown[] = [];
    const inCsv: unknown[] = [];
    let after = '';
    for (let pages = 1; ; pages++) {
      const query = `limit=10${after === '' ? '' : `&after=${after}`}`;
      const { rows, next } = await json<Page>(`/messages?${query}`);
      const csv = await get(`/messages?format=csv&${query}`);
      found.push(...rows);
      inCsv.push(...csvRows(await csv.text()).map((row) => row['message_id']));
      const link = /^<([^>]+)>; rel="next"$/.exec(csv.headers.get('link') ?? '')?.[1];
      if (next === null) {
        expect([pages, link]).toEqual([3, undefined]);
        break;
      }
      expect(new URL(link!, product.url).searchParams.get('after')).toBe(next);
      after = next;
    }
    expect(found).toEqual(all);
    expect(inCsv).toEqual(all.map((row) => row['message_id']));
    // A page that ends with the last row says so.
    expect((await json<Page>(`/messages?limit=${MESSAGES}`)).next).toBeNull();
  });

  it('has numbers, booleans, amounts as text, and null for what is not known', async () => {
    const [charge] = (await json<Page>('/charges')).rows;
    expect(charge).toMatchObject({
      volume: expect.any(Number),
      unrated: expect.any(Number),
      rate: null,
      list_cost: null,
    });
    const [message] = (await json<Page>('/messages')).rows;
    expect(message).toMatchObject({ billable: true, list_cost: null, unrated: 'no_card', conversation_id: '' });
  });

  it('gives the rows as a table shows them: its columns, in its order, also as a workbook', async () => {
    const all = (await json<{ rows: Record<string, string>[] }>('/messages')).rows;
    const asked = '/messages?columns=tag,message_id&sort=-message_id';
    // Columns stay in the order of the report.
    const expected = all
      .map(({ message_id, tag }) => ({ message_id, tag }))
      .sort((one, other) => String(other.message_id).localeCompare(String(one.message_id), 'en', { numeric: true }));
    expect((await json<{ rows: unknown[] }>(asked)).rows).toEqual(expected);
    const csv = await (await get(`${asked}&format=csv`)).text();
    expect(csvRows(csv)).toEqual(expected);
    const response = await get(`${asked}&format=xlsx`);
    expect(response.headers.get('content-type')).toMatch(/spreadsheetml\.sheet$/);
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="messages.xlsx"');
    const files = unzipSync(Buffer.from(await response.arrayBuffer()));
    const sheet = Buffer.from(files['xl/worksheets/sheet1.xml']!).toString();
    const cells = [...sheet.matchAll(/<t xml:space="preserve">([^<]*)<\/t>/g)].map(([, text]) => text);
    expect(cells).toEqual(['message_id', 'tag', ...expected.flatMap(({ message_id, tag }) => [message_id, tag])]);
  });

  it('is not sent again while nothing was written, whatever it is packed in', async () => {
    const first = await get('/messages?format=csv');
    const tag = first.headers.get('etag')!;
    const known = { 'if-none-match': tag };
    expect(tag).toMatch(/^W\/"[\w-]+"$/);
    await first.text();
    const again = await get('/messages?format=csv', known);
    expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, tag, '']);
    expect((await get('/messages?format=csv', { 'if-none-match': `"x", ${tag}` })).status).toBe(304);
    for (const other of ['/messages', '/messages?format=csv&tz=Asia/Tokyo', '/messages?format=csv&tag=1'])
      expect([other, (await get(other, known)).status]).toEqual([other, 200]);
    // What depends on the clock is asked for anew, unless the clock is said.
    const asOf = '/daily?as_of=2026-10-06T00:00:00Z';
    const daily = (await get(asOf)).headers.get('etag')!;
    expect((await get(asOf, { 'if-none-match': daily })).status).toBe(304);

    const late = {
      waba_id: WABA,
      phone_number_id: NUMBER,
      wa_id: '16505551999',
      id: 'wamid.api.late',
      timestamp: AT + 90,
    };
    const file = data.file('late.ndjson');
    writeFileSync(
      file,
      [
        { event: 'message', direction: 'outbound', type: 'text', ...late },
        { event: 'status', status: 'delivered', ...late },
      ]
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(''),
    );
    await output(data, ['ingest', file]);
    const after = await get('/messages?format=csv', known);
    expect([after.status, csvRows(await after.text()).length]).toEqual([200, MESSAGES + 1]);
  });

  it('is compressed for clients that accept it', async () => {
    const plain = await sentBytes('/api/messages?format=csv', 'identity');
    const packed = await sentBytes('/api/messages?format=csv', 'br;q=1, gzip');
    expect([plain.encoding, packed.encoding]).toEqual([undefined, 'gzip']);
    expect(packed.body.length).toBeLessThan(plain.body.length);
    expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
    expect((await sentBytes('/api/messages', 'gzip;q=0')).encoding).toBeUndefined();
  });

  it.each(['/definitions', '/billing/__data.json'])('is compressed on a page as well: %s', async (path) => {
    const packed = await sentBytes(path, 'br, gzip');
    const plain = await sentBytes(path, 'gzip;q=0');
    expect([packed.encoding, plain.encoding]).toEqual(['gzip', undefined]);
    expect(packed.body.length).toBeLessThan(plain.body.length);
    // The answers differ in the key that allows the page's own scripts to run, and may differ in the time.
    const lasting = (body: Buffer): string => body.toString().replaceAll(/nonce="[^"]*"|\d+/g, '');
    expect(lasting(gunzipSync(packed.body))).toBe(lasting(plain.body));
  });

  it.each([
    [`charges?format=csv&waba_id=${WABA}&month=2026-10`, `charges_${WABA}_2026-10_America-Sao-Paulo.csv`],
    [`charges?format=csv&waba_id=${WABA}&month=2026-10&tz=Asia/Tokyo`, `charges_${WABA}_2026-10_Asia-Tokyo.csv`],
    ['charges?format=csv&waba_id=&from=2026-10-01&to=2026-10-02', 'charges_no-account_2026-10-01_UTC.csv'],
    ['messages?format=csv&from=2026-10-01&to=2026-10-15', 'messages_2026-10-01_2026-10-14_UTC.csv'],
    ['daily?format=csv', 'daily.csv'],
    ['daily?format=csv&from=2026-10-01', 'daily_from-2026-10-01_UTC.csv'],
    ['rate-cards?format=csv', 'rate-cards.csv'],
    ['charges?format=csv&waba_id=..%2F%22x%22', 'charges_x_UTC.csv'],
  ])('is a file that says what it is: %s', async (path, name) => {
    expect((await get(`/${path}`)).headers.get('content-disposition')).toBe(`attachment; filename="${name}"`);
  });

  it('is of days that are named', async () => {
    const of = async (query: string): Promise<number> => (await json<Page>(`/messages?${query}`)).rows.length;
    const asOf = 'as_of=2026-11-05T12:00:00Z';
    expect(await of(`period=last-month&${asOf}`)).toBe(await of('month=2026-10'));
    expect(await of(`period=this-month&${asOf}`)).toBe(0);
    expect(await of('period=yesterday&as_of=2026-10-06T12:00:00Z')).toBe(MESSAGES + 1);
  });
});

interface ApiDescription {
  readonly reports: readonly {
    readonly name: string;
    readonly parameters: readonly { readonly name: string; readonly meaning: string }[];
    readonly columns: readonly { readonly name: string; readonly meaning: string }[];
  }[];
}

/** Every `$ref` of a document. */
function refsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => (key === '$ref' ? [String(one)] : refsIn(one)));
}

interface OpenApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<
    Record<string, { readonly get: { readonly parameters?: readonly { readonly $ref: string }[] } }>
  >;
  readonly components: Readonly<
    Record<string, Readonly<Record<string, { readonly properties?: object; readonly required?: readonly string[] }>>>
  >;
}

describe('the API describes itself', () => {
  it('with every report, its parameters and its columns', async () => {
    const { reports } = await json<ApiDescription>('');
    expect(reports.map(({ name }) => name)).toEqual(REPORTS);
    for (const { name, parameters, columns } of reports) {
      const report = reportOf(name as (typeof REPORTS)[number]);
      expect(columns.map((column) => column.name)).toEqual(report.columns);
      expect(parameters.map((parameter) => parameter.name)).toEqual(parametersOf(report));
      for (const one of [...parameters, ...columns]) expect(one.meaning).toMatch(/\.$/);
    }
  });

  it('as OpenAPI 3.1, of the same', async () => {
    const document = await json<OpenApiDocument>('/openapi.json');
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual([
      ...REPORTS.map((name) => `/api/${name}`),
      '/api/exports',
      '/api/exports/{name}',
      '/api/exports/{name}/{verb}',
      '/api/periods/{account}/{month}',
      '/api',
    ]);
    for (const ref of new Set(refsIn(document))) {
      const [, , kind = '', name = ''] = ref.split('/');
      expect([ref, document.components[kind]?.[name] !== undefined]).toEqual([ref, true]);
    }
    for (const name of REPORTS) {
      const { parameters = [] } = document.paths[`/api/${name}`]!.get;
      expect(parameters.map(({ $ref }) => $ref.split('/').at(-1))).toEqual([
        ...parametersOf(reportOf(name)),
        'format',
        'sample',
        'columns',
        'sort',
        'limit',
        'after',
      ]);
    }
    const row = document.components['schemas']!['MessagesRow']!;
    expect(Object.keys(row.properties ?? {})).toEqual(reportOf('messages').columns);
    expect(row.required).toEqual(reportOf('messages').columns);
  });

  it('to people, on a page', async () => {
    const response = await get('/docs');
    expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    const html = await response.text();
    for (const name of REPORTS) expect(html).toContain(`<section id="${name}">`);
    expect(html).not.toContain('undefined');
  });
});

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { DoneMetaImport } from '../../schemas/meta.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { fetchMetaAnswers } from '../../services/reconciliation/fetch.ts';
import { GraphClient } from '../../services/reconciliation/graph-client.ts';
import { listMetaImports } from '../../services/reconciliation/imports.ts';
import { DataDirectory, openLedger, run } from '../support/ledger.ts';
import { dataPoint } from './meta.ts';
import { Decimal, type Point } from './naive.ts';
import { ACCOUNT, WABA } from './world.ts';

/** What the Graph API answers: each request takes the next one; the last is answered again and again. */
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const TOKEN = 'a secret token';
const server = createServer();
let answers: Answer[] = [];
let asked: { readonly url: URL; readonly token: string | undefined }[] = [];
let pauses: number[] = [];
const address = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

function json(body: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

const failing = (code: number, message: string, status = 400, headers: Record<string, string> = {}): Answer =>
  json({ error: { message, type: 'OAuthException', code, fbtrace_id: 'x' } }, status, headers);

/** Half of an answer, and then the connection is gone. */
const cut: Answer = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"pricing_analytics":{"data":[{"data_po', () => response.destroy());
};
/** A whole response of half an answer. */
const short: Answer = (_, response) => {
  response.end('{"pricing_analytics":{"data":[{"data_po');
};

const point = (day: string, volume = 2): Record<string, unknown> => {
  const key = { phone_number: '15550783881', country: 'BR', category: 'MARKETING', pricing_type: 'REGULAR' };
  const made: Point = { ...key, day, tier: '0:MAX', volume, cost: new Decimal('0.125') };
  return dataPoint(made);
};
const october = (...days: string[]): Answer =>
  json({ pricing_analytics: { data: [{ data_points: days.map((day) => point(day)) }] }, id: WABA });

const data = new DataDirectory();
let ledger: Ledger;
beforeAll(async () => {
  server.on('request', (request, response) => {
    asked.push({ url: new URL(request.url ?? '', address()), token: request.headers.authorization });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  ledger = await openLedger(data, 'fetched', { accounts: [ACCOUNT] });
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  pauses = [];
});
afterEach(async () => {
  for (const table of ['meta_imports', 'meta_points', 'import_files'])
    await ledger.database.command(`TRUNCATE TABLE ${table}`);
});

const DAYS = { from: '2026-10-01', to: '2026-11-01' };

async function fetched(days = DAYS, counts = false): Promise<DoneMetaImport[]> {
  const client = new GraphClient({
    url: `${address()}/v24.0`,
    token: TOKEN,
    pause: (milliseconds) => Promise.resolve(pauses.push(milliseconds)),
  });
  const done: DoneMetaImport[] = [];
  await fetchMetaAnswers(
    ledger.database,
    client,
    { accounts: [{ account: ACCOUNT, days }], by: 'a test', counts },
    (one) => done.push(one),
  );
  return done;
}

describe('what Meta is asked', () => {
  it('is for days of the zone, month by month, with everything they can be split by', async () => {
    answers = [json({ id: WABA })];
    const done = await fetched({ from: '2026-09-30', to: '2026-11-01' });
    expect(asked.map(({ url, token }) => [url.pathname, url.searchParams.get('fields'), token])).toEqual([
      [
        `/v24.0/${WABA}`,
        'pricing_analytics.start(1790737200).end(1790823600).granularity(DAILY).dimensions(["PHONE","COUNTRY","PRICING_TYPE","PRICING_CATEGORY","TIER"]).metric_types(["COST","VOLUME"])',
        `Bearer ${TOKEN}`,
      ],
      [
        `/v24.0/${WABA}`,
        'pricing_analytics.start(1790823600).end(1793502000).granularity(DAILY).dimensions(["PHONE","COUNTRY","PRICING_TYPE","PRICING_CATEGORY","TIER"]).metric_types(["COST","VOLUME"])',
        `Bearer ${TOKEN}`,
      ],
    ]);
    expect(
      done.map(({ first_day, last_day, note }) => [first_day, last_day, note?.includes('missing permission')]),
    ).toEqual([
      ['2026-09-30', '2026-09-30', true],
      ['2026-10-01', '2026-10-31', true],
    ]);
  });

  it('is of all pages, whose address keeps no token', async () => {
    const next = `${address()}/v24.0/next?access_token=${encodeURIComponent(TOKEN)}&after=x`;
    answers = [
      json({ pricing_analytics: { data: [{ data_points: [point('2026-10-01')] }], paging: { next } }, id: WABA }),
      json({ data: [{ data_points: [point('2026-10-02')] }], paging: { cursors: { before: 'y' } } }),
    ];
    expect(await fetched()).toMatchObject([{ volume: '4', cost: '0.25', outcome: 'imported' }]);
    const kept = await ledger.database.query(z.object({ raw: z.string() }), 'SELECT raw FROM import_files');
    expect(kept).toHaveLength(2);
    for (const { raw } of kept) expect(raw).not.toContain('secret');
  });

  it('is of counts too, number by number, in either direction', async () => {
    const days = { from: '2026-10-01', to: '2026-10-02' };
    const point = { start: 1790823600, end: 1790910000, sent: 3, delivered: 2 };
    answers = [october('2026-10-01'), json({ id: WABA, analytics: { granularity: 'DAY', data_points: [point] } })];
    const done = await fetched(days, true);
    expect(done.map(({ field, first_day }) => [field, first_day])).toEqual([
      ['pricing_analytics', '2026-10-01'],
      ...Array.from({ length: 4 }, () => ['analytics', '2026-10-01']),
    ]);
    expect(asked[2]?.url.searchParams.get('fields')).toBe(
      'analytics.start(1790823600).end(1790910000).granularity(DAY).phone_numbers(["15550783881"]).product_types([100])',
    );
    const kept = await ledger.database.query(
      z.object({ of: z.string() }),
      `SELECT concat(phone_numbers, ' ', toString(direction), ' ', toString(sent), ' ', toString(delivered)) AS of
       FROM meta_message_counts FINAL ORDER BY of`,
    );
    expect(kept.map(({ of }) => of)).toEqual([
      '15550783881 incoming 3 3',
      '15550783881 outgoing 3 2',
      '551140001111 incoming 3 3',
      '551140001111 outgoing 3 2',
    ]);
    answers = [october('2026-10-01'), json({ id: WABA, analytics: { granularity: 'DAY', data_points: [point] } })];
    expect((await fetched(days, true)).map(({ outcome }) => outcome)).toEqual(Array(5).fill('unchanged'));
  });

  it('is without numbers where the account refuses them', async () => {
    answers = [failing(100, '(#100) Unknown dimension PHONE'), october('2026-10-01')];
    expect(await fetched()).toMatchObject([{ outcome: 'imported' }]);
    expect(asked.at(-1)?.url.searchParams.get('fields')).toContain('dimensions(["COUNTRY",');
  });

  it('again changes nothing, and what Meta takes back holds again', async () => {
    const first = october('2026-10-01');
    answers = [first, first, october('2026-10-02'), first];
    expect((await fetched())[0]?.outcome).toBe('imported');
    expect((await fetched())[0]?.outcome).toBe('unchanged');
    expect((await fetched())[0]?.outcome).toBe('imported');
    expect((await fetched())[0]?.outcome).toBe('imported');
    expect((await listMetaImports(ledger.database)).map(({ state }) => state)).toEqual(['holds', 'replaced']);
  });
});

describe('what fails', () => {
  it.each<[string, Answer[], number[]]>([
    ['a server that fails', [failing(1, 'An unknown error', 500), failing(2, 'Temporary', 503)], [1_000, 2_000]],
    ['an answer that is cut off', [cut], [1_000]],
    ['a page that ends early', [short], [1_000]],
    ['a gateway that answers a web page', [(_, response) => response.writeHead(502).end('<html>')], [1_000]],
    ['a limit with a time', [failing(80_008, 'Too many calls', 400, { 'retry-after': '7' })], [7_000]],
    [
      'a limit with minutes',
      [
        failing(80_008, 'Too many calls', 400, {
          'x-business-use-case-usage': `{"${WABA}":[{"type":"whatsapp_business_management","estimated_time_to_regain_access":3}]}`,
        }),
      ],
      [180_000],
    ],
  ])('is asked again: %s', async (_, first, waited) => {
    answers = [...first, october('2026-10-01')];
    expect(await fetched()).toMatchObject([{ outcome: 'imported', volume: '2' }]);
    expect(pauses).toEqual(waited);
  });

  it.each<[string, Answer, RegExp, number]>([
    [
      'an expired token',
      failing(190, 'Session has expired', 401),
      /does not take the token \(code 190.*META_ACCESS_TOKEN/,
      1,
    ],
    ['a permission', failing(200, 'Requires permission', 403), /lacks a permission.*whatsapp_business_management/, 1],
    [
      'an unknown field',
      failing(100, '(#100) Tried accessing nonexisting field'),
      /refused the question \(code 100/,
      2,
    ],
    ['a server that goes on failing', failing(1, 'An unknown error', 500), /5 times. Try again later/, 5],
    ['a long limit', failing(4, 'Limit', 400, { 'retry-after': '3600' }), /asked again in 60 minutes/, 1],
    [
      'a page elsewhere',
      json({ pricing_analytics: { data: [], paging: { next: 'https://evil.example/x' } }, id: WABA }),
      /goes on at https:\/\/evil\.example/,
      1,
    ],
    [
      'a redirect',
      (_, response) => response.writeHead(302, { location: 'https://evil.example' }).end(),
      /cannot be reached/,
      5,
    ],
    [
      'days of another zone',
      json({
        id: WABA,
        pricing_analytics: { data: [{ data_points: [{ ...point('2026-10-01'), start: 1, end: 2 }] }] },
      }),
      /is not a time in Unix seconds/,
      1,
    ],
  ])('says why, and changes nothing: %s', async (_, answer, message, times) => {
    answers = [answer];
    await expect(fetched()).rejects.toThrow(message);
    expect(asked).toHaveLength(times);
    expect(await listMetaImports(ledger.database)).toEqual([]);
  });

  it('for one month keeps the others', async () => {
    answers = [failing(100, 'no'), failing(100, 'no'), october('2026-10-01')];
    await expect(fetched({ from: '2026-09-01', to: '2026-11-01' })).rejects.toThrow(`Account ${WABA}, 2026-09: `);
    expect((await listMetaImports(ledger.database)).map(({ first_day }) => first_day)).toEqual(['2026-10-01']);
  });

  it('is wrong usage without a token', async () => {
    expect(await run(data, ['meta', 'fetch'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('META_ACCESS_TOKEN is not set') as unknown,
    });
  });
});

import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataDirectory, output, run, startProduct, type Product } from '../support/product.ts';

const EVENT = {
  event: 'status',
  phone_number_id: '106540352242922',
  wa_id: '16505551234',
  id: 'wamid.1',
  status: 'delivered',
  timestamp: '1790000000',
};
const NEVER_EVENTS = ['a,b', '1,2', '3,4'].join('\n');

const data = new DataDirectory();
let product: Product;

/** Rejected inputs that wait, as source and line. */
async function waiting(): Promise<string[]> {
  const lines = (await output(data, ['dead-letter', 'list'])).split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const { source, position } = JSON.parse(line) as { source: string; position: string };
    return `${source.split('/').at(-1)} ${position}`;
  });
}

async function submit(action: string, fields: Record<string, string>): Promise<string> {
  const response = await fetch(`${product.url}/health?/${action}`, {
    method: 'POST',
    headers: { origin: product.url, accept: 'text/html' },
    body: new URLSearchParams(fields),
  });
  return response.text();
}

beforeAll(async () => {
  writeFileSync(data.file('table.csv'), NEVER_EVENTS);
  writeFileSync(data.file('events.ndjson'), `${JSON.stringify(EVENT)}\n{"event":"message"}\n`);
  await output(data, ['ingest', data.file('table.csv'), data.file('events.ndjson')]);
  product = await startProduct(data);
});
afterAll(async () => {
  await product.stop();
  await data.remove();
});

describe('rejected inputs', () => {
  it('are dismissed by source, kept, counted, and restored', async () => {
    expect(await waiting()).toEqual(['table.csv 1', 'table.csv 2', 'table.csv 3', 'events.ndjson 2']);
    const args = ['dead-letter', 'dismiss', '--source', data.file('table.csv'), '--reason', 'It was never events.'];
    const done = JSON.parse(await output(data, args)) as { dismissal_id: string; letters: number };
    expect(done.letters).toBe(3);
    expect(await waiting()).toEqual(['events.ndjson 2']);
    // The same file again does not bring them back, and a replay leaves them alone.
    await output(data, ['ingest', data.file('table.csv')]);
    expect(await waiting()).toEqual(['events.ndjson 2']);
    expect(JSON.parse(await output(data, ['dead-letter', 'replay']))).toEqual({
      letters: 1,
      replayed: 0,
      still_rejected: 1,
    });
    const html = await (await fetch(`${product.url}/health`)).text();
    expect(html).toContain('It was never events.');
    expect(html).toContain('1 input was rejected');
    expect(JSON.parse(await output(data, ['dead-letter', 'dismissals']))).toMatchObject({
      dismissal_id: done.dismissal_id,
      reason: 'It was never events.',
      letters: 3,
    });
    expect(JSON.parse(await output(data, ['dead-letter', 'restore', done.dismissal_id]))).toMatchObject({ letters: 3 });
    expect(await waiting()).toHaveLength(4);
    expect(await output(data, ['dead-letter', 'dismissals'])).toBe('');
  });

  it('are dismissed one by one or by reason code on the page', async () => {
    const { rows } = (await (await fetch(`${product.url}/api/dead-letters`)).json()) as {
      rows: { source: string; position: string; code: string }[];
    };
    const one = rows.find(({ source, position }) => source.endsWith('table.csv') && position === '2')!;
    expect(await submit('dismiss', { source: one.source, position: one.position, reason: 'A test.' })).toContain(
      '1 rejected input dismissed.',
    );
    expect(await waiting()).toEqual(['table.csv 1', 'table.csv 3', 'events.ndjson 2']);
    expect(await submit('dismiss', { code: one.code, reason: 'All of them.' })).toContain(
      '2 rejected inputs dismissed.',
    );
    expect(await waiting()).toEqual(['events.ndjson 2']);
    const [last] = (await output(data, ['dead-letter', 'dismissals'])).split('\n');
    const { dismissal_id } = JSON.parse(last!) as { dismissal_id: string };
    expect(await submit('restore', { dismissal_id })).toContain('2 rejected inputs restored');
    expect(await waiting()).toEqual(['table.csv 1', 'table.csv 3', 'events.ndjson 2']);
  });

  it.each<[string, Record<string, string>, string]>([
    ['without a reason', { code: 'not_json', reason: ' ' }, 'Give a reason'],
    ['without saying which', { reason: 'x' }, 'does not say which inputs are meant'],
    ['that are not there', { code: 'tombstone', reason: 'x' }, 'No rejected input that waits is meant'],
  ])('are not dismissed %s', async (_, fields, words) => {
    const before = await waiting();
    expect(await submit('dismiss', fields)).toContain(words);
    expect(await waiting()).toEqual(before);
  });

  it('are not all dismissed by a command that names none, nor restored twice', async () => {
    const all = await run(data, ['dead-letter', 'dismiss', '--reason', 'x']);
    expect([all.code, all.stderr]).toEqual([2, expect.stringContaining('Say which inputs to dismiss')]);
    const none = await run(data, ['dead-letter', 'restore', 'nothing']);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('There is no dismissal "nothing"')]);
  });
});

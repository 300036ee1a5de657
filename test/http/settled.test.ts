import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DataDirectory, NUMBER, output, startProduct, until, type Product } from '../support/product.ts';

const AT = 1_792_000_000;
const MESSAGES = 40;
const WABA = '102290129340398';

const data = new DataDirectory();
/** A process that recomputes nothing by itself. */
let product: Product;

async function rows(address: string): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${product.url}/api/${address}`);
  expect(response.status).toBe(200);
  return ((await response.json()) as { rows: Record<string, unknown>[] }).rows;
}

const sumOf = (found: readonly Record<string, unknown>[], column: string): number =>
  found.reduce((sum, row) => sum + Number(row[column]), 0);

/** Makes the ledger as it is when events have just been stored and nothing is summed up yet. */
async function forgetCharges(): Promise<void> {
  for (const table of ['counted_hours', 'place_bounds', 'charge_hours', 'charge_days', 'priced_days'])
    await data.query(`TRUNCATE TABLE ${table}`);
  await data.query(
    'INSERT INTO dirty_charges (stamp, phone_number_id, hour_at) SELECT DISTINCT 1, phone_number_id, toStartOfHour(cell_at) FROM messages_by_time',
  );
}

beforeAll(async () => {
  const lines = Array.from({ length: MESSAGES }, (_, i) => {
    const message = { waba_id: WABA, phone_number_id: NUMBER, wa_id: '16505551234', id: `wamid.settled.${i}` };
    return [
      {
        event: 'message',
        direction: 'outbound',
        type: 'template',
        template: { name: 'follow_up', category: 'MARKETING' },
        timestamp: AT + i,
        ...message,
      },
      { event: 'status', status: 'delivered', timestamp: AT + i, ...message },
    ];
  }).flat();
  const file = data.file('events.ndjson');
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await output(data, ['ingest', file]);
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

it.each([
  ['charges', 'volume'],
  ['savings', 'volume'],
  ['savings-days', 'volume'],
  ['savings-numbers', 'unrated'],
  ['unrated', 'messages'],
  ['accounts', 'delivered_messages'],
])('settles the charges before it answers with %s', async (report, column) => {
  await forgetCharges();
  expect(sumOf(await rows(report), column)).toBe(MESSAGES);
});

it.each(['daily', 'days', 'hours', 'weeks', 'overview'])(
  'settles the summaries before it answers with %s',
  async (report) => {
    await data.query('TRUNCATE TABLE summary_cells');
    await data.query('INSERT INTO dirty_cells SELECT DISTINCT 1, phone_number_id, cell_at FROM messages_by_time');
    expect(sumOf(await rows(report), 'delivered')).toBe(MESSAGES);
  },
);

it('gives the same CSV as the command, whichever is asked first', async () => {
  for (const report of ['charges', 'accounts', 'daily']) {
    await forgetCharges();
    const answered = await (await fetch(`${product.url}/api/${report}?format=csv`)).text();
    expect(answered).toBe(await output(data, ['export', report]));
    expect(answered.split('\n').length).toBeGreaterThan(2);
  }
});

it('writes nothing for an answer that is refused', async () => {
  await forgetCharges();
  expect((await fetch(`${product.url}/api/charges?state=pending`)).status).toBe(400);
  const [left] = await data.query('SELECT count() FROM dirty_charges FORMAT JSONCompactEachRow');
  expect(Number(left?.[0])).toBeGreaterThan(0);
});

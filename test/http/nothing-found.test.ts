import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DataDirectory, NUMBER, output, startProduct, until, type Product } from '../support/product.ts';

const AT = Date.UTC(2026, 8, 10) / 1000;
const WABA = '102290129340398';
const QUERY = 'from=2026-09-01&to=2026-10-01';

const data = new DataDirectory();
let product: Product;

/** What a page says, without its elements. */
async function textOf(path: string, status = 200): Promise<string> {
  const response = await fetch(`${product.url}${path}`);
  expect([path, response.status]).toEqual([path, status]);
  const html = await response.text();
  return html.replaceAll(/<script[\s\S]*?<\/script>|<[^>]*>/g, '').replaceAll(/\s+/g, ' ');
}

beforeAll(async () => {
  const thread = { waba_id: WABA, phone_number_id: NUMBER, wa_id: '16505551234' };
  const events = [
    {
      event: 'message',
      direction: 'inbound',
      type: 'text',
      id: 'wamid.entry',
      timestamp: AT,
      referral: { source_type: 'ad', source_id: '111', headline: 'Sofa', ctwa_clid: 'clid' },
      ...thread,
    },
    { event: 'message', direction: 'outbound', type: 'text', id: 'wamid.reply', timestamp: AT + 60, ...thread },
    { event: 'status', status: 'delivered', id: 'wamid.reply', timestamp: AT + 61, ...thread },
  ];
  writeFileSync(data.file('events.ndjson'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  await output(data, ['ingest', data.file('events.ndjson')]);
  await output(data, ['accounts', 'set', WABA, '--currency', 'INR', '--time-zone', 'Asia/Kolkata']);
  product = await startProduct(data, { command: 'dashboard' });
  await until('the ledger is open', async () => (await fetch(`${product.url}/readyz`)).ok);
});
afterAll(async () => {
  try {
    expect(await product.stop()).toBe(0);
  } finally {
    await data.remove();
  }
});

it.each([
  ['/billing', 'the days of each account’s own time zone are used.'],
  ['/billing/charges', 'the days of each account’s own time zone are used.'],
  ['/billing/messages', 'the days of each account’s own time zone are used.'],
  ['/conversations', 'UTC is used.'],
])('says on %s which days an unknown zone leaves', async (path, words) => {
  expect(await textOf(`${path}?tz=Mars/Olympus`)).toContain(
    `tz: “Mars/Olympus” is not an IANA time zone like America/Sao_Paulo; ${words}`,
  );
});

it.each(['/billing', '/billing/charges', '/billing/messages'])('says on %s that a market has nothing', async (path) => {
  const narnia = await textOf(`${path}?${QUERY}&market=Narnia`);
  expect(narnia).toContain('No message was delivered in 1 – 30 Sep 2026 that matches “Market: Narnia”.');
  expect(narnia).not.toContain('rate card, and the currency');
  expect(await textOf(`${path}?from=2025-01-01&to=2025-02-01`)).toContain(
    'No message was delivered in 1 – 31 Jan 2025.',
  );
});

it('does not ask for prices where nothing costs anything', async () => {
  const billing = await textOf(`/billing?${QUERY}`);
  expect(billing).toContain('None of these messages costs anything.');
  expect(billing).not.toContain('need a rate card');
});

it('says that there is no such message, and which one', async () => {
  const text = await textOf(`/messages/${NUMBER}/wamid.nobody`, 404);
  expect(text).toContain('There is no such message');
  expect(text).toContain('“wamid.nobody”');
  expect(text).not.toContain('There is no such page');
});

it('says that no ad has the name that was looked for', async () => {
  expect(await textOf(`/ads?${QUERY}&ad=Divan`)).toContain(
    'No ad or post with a conversation or a cost matches “Ad: Divan”.',
  );
  expect(await textOf('/ads?from=2025-01-01&to=2025-02-01&ad=111')).toContain(
    'No conversation and no cost in 1 – 31 Jan 2025 matches “Ad: Sofa”, but other days have some.',
  );
  expect(await textOf(`/conversations?${QUERY}&ad=Divan`)).toContain('that matches “Ad: Divan”');
  expect(await textOf(`/conversations?${QUERY}&ad=111&state=pending`)).toContain('that matches “State: Pending”');
});

import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DataDirectory, NUMBER, output, startProduct, until, type Product } from '../support/product.ts';

const AT = Date.UTC(2026, 8, 10) / 1000;
const WABA = '102290129340398';
const NAMELESS = '102290129340399';
const QUERY = 'from=2026-09-01&to=2026-10-01';
const CARD = 'Market,Currency,Marketing,Utility,Authentication\nNorth America,INR,n/a,1.5,1.5\n';

const data = new DataDirectory();
let product: Product;

/** A customer who came from an ad, and the delivered messages that answer. */
function conversation(
  customer: string,
  ad_id: string,
  number: { readonly waba_id: string; readonly phone_number_id: string },
  categories: readonly string[],
): object[] {
  const thread = { ...number, wa_id: customer };
  const entry = {
    event: 'message',
    direction: 'inbound',
    type: 'text',
    id: `wamid.entry.${customer}`,
    timestamp: AT,
    referral: { source_type: 'ad', source_id: ad_id, ctwa_clid: `clid.${customer}` },
  };
  const replies = categories.flatMap((category, i) => {
    const id = `wamid.reply.${customer}.${i}`;
    const isText = category === 'SERVICE';
    return [
      {
        event: 'message',
        direction: 'outbound',
        type: isText ? 'text' : 'template',
        ...(isText ? {} : { template: { name: 'offer', category } }),
        id,
        timestamp: AT + 60 + i,
        ...thread,
      },
      { event: 'status', status: 'delivered', id, timestamp: AT + 61 + i, ...thread },
    ];
  });
  return [{ ...entry, ...thread }, ...replies];
}

async function rows(report: string): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${product.url}/api/${report}?${QUERY}`);
  expect(response.status).toBe(200);
  return ((await response.json()) as { rows: Record<string, unknown>[] }).rows;
}

/** What a page says, without its elements. */
async function textOf(path: string): Promise<string> {
  const response = await fetch(`${product.url}${path}`);
  expect(response.status).toBe(200);
  const html = await response.text();
  return html.replaceAll(/<script[\s\S]*?<\/script>|<[^>]*>/g, '').replaceAll(/\s+/g, ' ');
}

beforeAll(async () => {
  const own = { waba_id: WABA, phone_number_id: NUMBER };
  const events = [
    // The text is free by rule; what no card has a price for is not.
    ...conversation('16505551231', '111', own, ['SERVICE', 'MARKETING', 'MARKETING']),
    ...conversation('16505551232', '222', own, ['AUTHENTICATION', 'MARKETING']),
    ...conversation('16505551233', '222', { waba_id: NAMELESS, phone_number_id: `${NUMBER}9` }, ['MARKETING']),
    ...conversation('16505551234', '333', own, ['SERVICE']),
  ];
  writeFileSync(data.file('events.ndjson'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  writeFileSync(data.file('card.csv'), CARD);
  await output(data, ['ingest', data.file('events.ndjson')]);
  await output(data, ['accounts', 'set', WABA, '--currency', 'INR', '--time-zone', 'UTC']);
  await output(data, ['rates', 'import', data.file('card.csv'), '--effective', '2026-09-01', '--model', 'message']);
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

it('gives no sum where only messages that are free by rule have an amount', async () => {
  const figures = await rows('ad-figures');
  const of = (ad_id: string): unknown[] =>
    figures
      .filter((row) => row['ad_id'] === ad_id)
      .map(({ currency, savings, unrated }) => ({ currency, savings, unrated }));
  expect(of('111')).toEqual([{ currency: 'INR', savings: null, unrated: 2 }]);
  expect(of('222')).toEqual([
    { currency: 'INR', savings: '1.5', unrated: 1 },
    { currency: '', savings: null, unrated: 1 },
  ]);
  expect(of('333')).toEqual([{ currency: 'INR', savings: '0', unrated: 0 }]);
  const categories = (await rows('savings-categories')).map(
    ({ category, list_cost, billed_cost, savings, unrated }) => ({
      [String(category)]: [list_cost, billed_cost, savings, unrated],
    }),
  );
  expect(categories).toContainEqual({ marketing: [null, null, null, 3] });
  expect(await rows('savings-tags')).toContainEqual(
    expect.objectContaining({ currency: 'INR', list_cost: '1.5', unrated: 3 }),
  );
});

it('says on pages what a sum leaves out', async () => {
  const ads = await textOf(`/ads?${QUERY}`);
  expect(ads).toContain('–, 2 without a price');
  expect(ads).toContain('INR 1.50, 1 without a price');
  expect(ads).toContain('–, 1 without a price');
  const one = await textOf(`/ads?${QUERY}&ad=111`);
  expect(one).toContain('–, 2 without a price');
  expect(one).not.toContain('INR 0.00');
  const overview = await textOf(`/?${QUERY}`);
  expect(overview).toMatch(/Saved by free entry.*INR 1\.50.*and 4 without a price/);
});

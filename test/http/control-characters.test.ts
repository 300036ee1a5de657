import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  csvRows,
  DataDirectory,
  deliver,
  envelope,
  inbound,
  NUMBER,
  startProduct,
  statuses,
  until,
  untilCounted,
  type Product,
} from '../support/product.ts';

const AT = 1_792_000_000;
const ENTRY = 'wamid.entry\u0000\u001b';
const SENT = 'wamid.sent\u0000';
const AD = '12\u00003';
/** What pages show of them. */
const [ENTRY_SHOWN, SENT_SHOWN, AD_SHOWN] = ['wamid.entry␀␛', 'wamid.sent␀', '12␀3'];

const data = new DataDirectory();
let product: Product;

beforeAll(async () => {
  product = await startProduct(data, { args: ['--empty'] });
  const referral = { source_type: 'ad', source_id: AD, headline: 'Chat\u0000 \u0007with us', ctwa_clid: 'a\u0000b' };
  const pricing = { billable: true, pricing_model: 'PMP', type: 'regu\u0000lar', category: 'mark\u0000eting' };
  const body = envelope(
    inbound([{ from: '16505551234', id: ENTRY, timestamp: String(AT), type: 'text', referral }]),
    statuses([
      { id: SENT, status: 'delivered', timestamp: String(AT + 60), recipient_id: '16505551234', pricing },
      // Rejected, and listed with what is wrong.
      { id: 'wamid.bad\u0000', status: 'sent', timestamp: 'soon\u0000' },
    ]),
  );
  expect(await deliver(product, body)).toBe(200);
  await untilCounted(product, 3);
});
afterAll(async () => {
  try {
    expect(await product.stop()).toBe(0);
  } finally {
    await data.remove();
  }
});

async function page(path: string): Promise<string> {
  const response = await fetch(`${product.url}${path}`);
  expect([path, response.status]).toEqual([path, 200]);
  return response.text();
}

/** Where the links of a page lead whose path has an id with a control character, without what comes after the path. */
function linksOf(html: string, from: string): string[] {
  return [...html.matchAll(/href="([^"]+)"/g)]
    .map(([, href]) => new URL(href!.replaceAll('&amp;', '&'), `${product.url}${from}`))
    .filter(({ origin, pathname }) => origin === product.url && pathname.includes('%E2%90%80'))
    .map(({ pathname }) => pathname)
    .filter((path, i, all) => all.indexOf(path) === i);
}

it('puts no control character into a page, and shows that there is one', async () => {
  await until('the ad is in the summaries', async () => (await page('/ads')).includes(AD_SHOWN));
  const waiting = [
    '/',
    '/ads',
    '/conversations',
    '/billing',
    '/billing/charges',
    '/billing/messages',
    '/billing/mismatches',
    '/health',
    '/rates',
    '/imports',
    `/messages?id=${encodeURIComponent(SENT)}`,
    `/billing?category=${encodeURIComponent('mark␀eting')}`,
    // What only the address says.
    '/conversations?q=%00%07',
    '/ads?ad=%00&from=%00&tz=%00',
  ];
  const shown = new Map<string, string>();
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    const html = await page(path);
    expect([path, /(?![\t\n\f\r\u0080-\u009f])\p{Cc}/u.test(html)]).toEqual([path, false]);
    shown.set(path, html);
    // Of each page that links lead to, one.
    const known = new Set([...shown.keys(), ...waiting].map((one) => one.replace(/\?.*/, '')));
    waiting.push(...linksOf(html, path).filter((link) => !known.has(link)));
  }
  const all = [...shown.values()].join('\n');
  for (const text of [ENTRY_SHOWN, SENT_SHOWN, AD_SHOWN, 'Chat␀ ␇with us', 'mark␀eting']) expect(all).toContain(text);
  // The links have led to what they are of.
  expect(shown.get(`/messages/${NUMBER}/${encodeURIComponent(SENT_SHOWN)}`)).toContain(SENT_SHOWN);
  expect(shown.get(`/conversations/${NUMBER}/${encodeURIComponent(ENTRY_SHOWN)}`)).toContain(ENTRY_SHOWN);
});

it('keeps them in CSV and API, exactly', async () => {
  const [row] = csvRows(await (await fetch(`${product.url}/api/messages?format=csv`)).text());
  expect(row).toMatchObject({ message_id: SENT, conversation_id: ENTRY, ad_id: AD, category: 'mark\u0000eting' });
  const json = await (await fetch(`${product.url}/api/messages`)).text();
  expect(json).not.toContain('\u0000');
  expect(JSON.parse(json)).toMatchObject({ rows: [{ message_id: SENT, conversation_id: ENTRY, ad_id: AD }] });
});

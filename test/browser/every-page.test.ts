import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { Decimal } from 'decimal.js';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violationsIn } from '../support/axe.ts';
import { browserRig } from '../support/browser-rig.ts';
import { complaintsOf, headsWithoutMeaning, sidewaysScroll } from '../support/browser.ts';
import { keepPictures } from '../support/page-pictures.ts';
import {
  csvRows,
  DataDirectory,
  deliver,
  deliveredStatus,
  envelope,
  inbound,
  output,
  startProduct,
  statuses,
  until,
  untilCounted,
  WABA,
  type Product,
} from '../support/product.ts';

const isFull = process.env['CTWA_FULL'] === '1';
/** Adds up how far things jump, except after a click or a key. */
const WATCH_SHIFTS = `window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });`;

const MAX_SHIFT = 0.02;
const MAX_BYTES = 250 * 1024;
const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

/** With rates that make thousands of a few hundred messages. */
const CARD = [
  'Cost per message',
  'Market,Currency,Marketing,Utility,Authentication,Authentication-International,Service',
  'Brazil,BRL,32.171234,3.50005,3.5,n/a,2',
  'Other,BRL,35,5,5,n/a,3',
  '',
].join('\n');

const SPEND =
  'Ad ID,Ad name,Day,Amount spent (BRL)\n120226305854810726,A name,2026-10-20,12.5\n99,Nobody,2026-10-20,3\n';

interface Expected {
  readonly status?: number;
  /** What can be read without scripts, besides the heading. */
  readonly main: string;
  /** Whether it is another page with other content: then a phone shows it in the full run only. */
  readonly isVariant?: true;
}

/** One window of each kind, for all pages: a new window or tab for each page costs several times what the page costs. */
interface Windows {
  readonly wide: Tab;
  readonly phone: Tab;
  readonly plain: Page;
}

/** A tab that loads each page as a browser does that has nothing yet. */
interface Tab {
  readonly page: Page;
  /** What went wrong since somebody emptied the list. */
  readonly complaints: string[];
  /** What came since somebody emptied the list. */
  readonly bodies: Promise<Buffer>[];
}

async function openTab(browser: Browser, options: BrowserContextOptions): Promise<Tab> {
  const page = await (await browser.newContext(options)).newPage();
  const session = await page.context().newCDPSession(page);
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  const bodies: Promise<Buffer>[] = [];
  page.on('response', (response) => {
    if (response.url().startsWith('http')) bodies.push(response.body().catch(() => Buffer.alloc(0)));
  });
  await page.addInitScript(WATCH_SHIFTS);
  return { page, complaints: complaintsOf(page), bodies };
}

describe('every page', () => {
  const empty = new DataDirectory();
  let fresh: Product;
  let windows: Windows;
  /** Ids of what is in the ledger, by the names that stand for them in paths. */
  const ids = new Map<string, string>();
  const rig = browserRig({
    window: null,
    prepare: async (data) => {
      writeFileSync(data.file('card.csv'), CARD);
      writeFileSync(data.file('bad.ndjson'), `not json\n${JSON.stringify({ event: 'message' })}\n`);
      await output(data, ['simulate', '--threads', '400', '--days', '20', '--seed', '11', '--out', 'events.ndjson']);
      await output(data, ['ingest', 'events.ndjson', 'bad.ndjson']);
      await output(data, ['accounts', 'set', WABA, '--currency', 'BRL', '--time-zone', 'America/Sao_Paulo']);
      await output(data, ['rates', 'import', 'card.csv', '--effective', '2026-07-01']);
      writeFileSync(data.file('spend.csv'), SPEND);
      const imported = JSON.parse(await output(data, ['spend', 'import', 'spend.csv'])) as { import_id: string };
      ids.set('{import}', imported.import_id);
      const message = csvRows(await output(data, ['export', 'messages'])).find((row) => row['conversation_id'] !== '')!;
      ids.set('{number}', message['phone_number_id']!);
      ids.set('{message}', encodeURIComponent(message['message_id']!));
      ids.set('{ad}', message['ad_id']!);
      ids.set('{waba}', WABA);
      return undefined;
    },
  });
  beforeAll(async () => {
    windows = {
      wide: await openTab(rig.browser, { viewport: WIDE }),
      phone: await openTab(rig.browser, { viewport: PHONE }),
      plain: await rig.browser.newPage({ viewport: WIDE, javaScriptEnabled: false }),
    };
    ids.set('{card}', await anyCard());
    ids.set('{preview}', await previewOf('/rates', CARD.replace('Other,BRL,35', 'Other,BRL,36')));
    ids.set('{spend}', await previewOf('/imports', SPEND.replace(',12.5', ',13')));
    fresh = await startProduct(empty, { args: ['--empty'] });
  });
  afterAll(async () => {
    try {
      expect(await fresh.stop()).toBe(0);
    } finally {
      await empty.remove();
    }
  });

  const anyCard = async (): Promise<string> => {
    const html = await (await fetch(`${rig.product.url}/rates`)).text();
    return /[?;]withdraw=([^&"#]+)/.exec(html)![1]!;
  };
  /** The end of the address of a preview: an upload is kept for a while. */
  const previewOf = async (path: '/rates' | '/imports', text: string): Promise<string> => {
    const form = new FormData();
    form.set('file', new Blob([text]), 'next.csv');
    form.set('effective', '2026-10-10');
    const answer = await fetch(`${rig.product.url}${path}?/upload`, {
      method: 'POST',
      headers: { origin: rig.product.url, accept: 'text/html' },
      body: form,
      redirect: 'manual',
    });
    return new URL(answer.headers.get('location')!, rig.product.url).search;
  };

  const addressOf = (base: string, path: string): string =>
    base + [...ids].reduce((address, [name, id]) => address.replaceAll(name, id), path);

  /** Loads a page in one of the themes, and gives what it weighs, compressed. */
  const load = async (
    { page, complaints, bodies }: Tab,
    address: string,
    colorScheme: 'light' | 'dark',
    { status = 200, main }: Expected,
  ): Promise<number> => {
    // What the page before still asked for is no part of this one.
    await page.goto('about:blank');
    await page.emulateMedia({ colorScheme });
    complaints.length = 0;
    bodies.length = 0;
    const response = await page.goto(address, { waitUntil: 'networkidle' });
    expect(response?.status()).toBe(status);
    expect(await page.locator('h1').count()).toBe(1);
    expect(await page.locator(main).first().isVisible(), main).toBe(true);
    // A page that is not found is a failed request, rightly.
    if (status === 200) expect(complaints).toEqual([]);
    else expect(complaints.every((complaint) => complaint.includes(String(status)))).toBe(true);
    expect(await headsWithoutMeaning(page)).toEqual([]);
    expect(Number(await page.evaluate('window.shifted'))).toBeLessThan(MAX_SHIFT);
    return (await Promise.all(bodies)).reduce((sum, body) => sum + gzipSync(body).length, 0);
  };

  /** @param other null: not looked at */
  const expectReadable = async (page: Page, other: 'light' | 'dark' | null): Promise<void> => {
    expect(await violationsIn(page)).toEqual([]);
    if (other === null) return;
    // In the other theme only colours are others.
    await page.emulateMedia({ colorScheme: other });
    expect(await violationsIn(page, ['color-contrast']), other).toEqual([]);
  };

  /** @param picture the name of its pictures, where they are kept */
  const check = async (address: string, expected: Expected, picture: string): Promise<void> => {
    const { wide, phone, plain } = windows;
    expect(await load(wide, address, 'light', expected)).toBeLessThan(MAX_BYTES);
    await expectReadable(wide.page, 'dark');
    await keepPictures(wide.page, picture);

    if (isFull || expected.isVariant !== true) {
      await load(phone, address, 'dark', expected);
      expect(await sidewaysScroll(phone.page)).toBeLessThanOrEqual(0);
      // Colours are the same as on a wide page, which is looked at in both themes.
      await expectReadable(phone.page, isFull ? 'light' : null);
    }

    await plain.goto(address);
    expect(await plain.locator('h1').isVisible()).toBe(true);
    expect(await plain.locator(expected.main).first().isVisible(), `${expected.main} without scripts`).toBe(true);
  };

  const PAGES: readonly [string, Expected][] = [
    ['/', { main: '#by-day tbody th' }],
    ['/?grain=week', { isVariant: true, main: '#by-day tbody th' }],
    ['/?from=never&tz=Mars', { isVariant: true, main: '.repairs li' }],
    ['/ads', { main: '#by-ad tbody th' }],
    ['/ads?ad={ad}', { isVariant: true, main: '#by-ad tbody th' }],
    ['/conversations', { main: '#conversations tbody th' }],
    ['/conversations/{number}/{message}', { main: '.day li' }],
    ['/billing', { main: '#by-day tbody th' }],
    ['/billing?category=marketing', { isVariant: true, main: '#by-day tbody th' }],
    ['/billing/charges?market=Brazil', { isVariant: true, main: '#charges tbody tr' }],
    ['/billing/messages?billing=FREE_ENTRY', { isVariant: true, main: '#messages tbody tr' }],
    ['/billing/mismatches', { main: '.frame tbody tr' }],
    ['/billing/reconciliation', { main: '#no-numbers a' }],
    ['/billing/claims', { main: '#claims tbody td' }],
    ['/billing/close', { main: '#checklist li' }],
    ['/rates', { main: '#cards tbody th' }],
    ['/rates?account=', { isVariant: true, main: '#account input' }],
    ['/rates?account={waba}', { isVariant: true, main: '#account input' }],
    ['/rates?withdraw={card}', { isVariant: true, main: '#withdraw button' }],
    ['/rates{preview}', { isVariant: true, main: '#preview tbody th' }],
    ['/messages', { main: 'input[name="id"]' }],
    ['/send-check', { main: 'textarea[name="what"]' }],
    ['/automation', { main: '#triggers tbody td' }],
    ['/exports', { main: '#exports tbody td' }],
    ['/messages/{number}/{message}', { main: '.answer' }],
    ['/imports', { main: '#imports tbody th' }],
    ['/imports/events', { main: '#upload input' }],
    ['/imports?withdraw={import}', { isVariant: true, main: '#withdraw button' }],
    ['/imports{spend}', { isVariant: true, main: '#preview button' }],
    ['/health', { main: '#letters tbody th' }],
    ['/health?code=not_json', { isVariant: true, main: '#letters tbody th' }],
    ['/definitions', { main: '#main dt' }],
    ['/rules', { main: '#main h3' }],
    ['/nowhere', { isVariant: true, status: 404, main: '#main a' }],
    ['/messages/{number}/none', { isVariant: true, status: 404, main: '#main a' }],
    ['/conversations/{number}/none', { isVariant: true, status: 404, main: '#main a' }],
  ];
  it.each(PAGES)('%s is light and still, and can be read by everybody', async (path, expected) => {
    await check(addressOf(rig.product.url, path), expected, path);
  });

  it('fits on paper, across where it has many columns', async () => {
    // A4 less the browser's margins, in pixels.
    const paper = { upright: 718, across: 1046 };
    const page = await rig.browser.newPage();
    try {
      await page.emulateMedia({ media: 'print' });
      for (const path of [
        '/',
        '/ads',
        '/conversations',
        '/billing',
        '/billing/charges',
        '/billing/messages',
        '/billing/mismatches',
        '/billing/reconciliation',
        '/billing/claims',
        '/billing/close',
        '/rates',
        '/imports',
        '/automation',
        '/exports',
        '/health',
      ]) {
        await page.setViewportSize({ width: paper.across, height: 700 });
        await page.goto(rig.product.url + path, { waitUntil: 'networkidle' });
        expect(await sidewaysScroll(page), `${path} across`).toBeLessThanOrEqual(0);
        const head = await page.evaluate(
          "getComputedStyle(document.documentElement).getPropertyValue('--sheet-title')",
        );
        expect(head, path).toContain('CTWA Ledger, ');
        // What is printed across is on pages of its own.
        await page.evaluate("for (const frame of document.querySelectorAll('.frame.wide')) frame.remove()");
        await page.setViewportSize({ width: paper.upright, height: 1000 });
        expect(await sidewaysScroll(page), `${path} upright`).toBeLessThanOrEqual(0);
      }
    } finally {
      await page.close();
    }
  });

  const EMPTY_PAGES: readonly [string, Expected][] = [
    ['/', { main: '#main code' }],
    ['/ads', { main: '#main code' }],
    ['/conversations', { main: '#main code' }],
    ['/billing', { main: '#main code' }],
    ['/billing/charges', { main: '#main' }],
    ['/billing/messages', { main: '#main' }],
    ['/billing/mismatches', { main: '#main' }],
    ['/billing/reconciliation', { main: '#main' }],
    ['/billing/close', { main: '#main' }],
    ['/send-check', { main: 'textarea[name="what"]' }],
    ['/automation', { main: '#triggers tbody td' }],
    ['/exports', { main: '#exports tbody td' }],
    ['/rates', { main: '#cards tbody td' }],
    ['/imports', { main: '#imports tbody td' }],
    ['/imports/events', { main: '#upload input' }],
    ['/imports/invoices', { main: '#invoices tbody td' }],
    ['/health', { main: '#letters tbody td' }],
  ];
  it.each(EMPTY_PAGES)('%s of an empty ledger, too', async (path, expected) => {
    await check(fresh.url + path, { ...expected, isVariant: true }, `empty${path}`);
  });

  it('writes numbers as its reader does, and mixes no two of them up', async () => {
    const [row] = csvRows(await (await fetch(`${rig.product.url}/api/savings?format=csv`)).text()).filter(
      ({ currency }) => currency === 'BRL',
    );
    const range = 'from=2026-08-01&to=2026-12-01';
    for (const locale of ['de-DE', 'pt-BR']) {
      const page = await rig.newPage({ locale });
      await page.goto(`${rig.product.url}/billing?${range}`, { waitUntil: 'networkidle' });
      const billed = new Decimal(row!['billed_cost']!).toFixed(2, Decimal.ROUND_HALF_UP).replace('.', ',');
      const figure = page.getByRole('region', { name: 'Amounts by currency' }).getByRole('article').first();
      const said = await figure.innerText();
      expect(said.replaceAll('.', '')).toContain(`\n${billed}\n`);
      expect(said).toMatch(/\d\.\d{3}/);
      await page.goto(`${rig.product.url}/?${range}`, { waitUntil: 'networkidle' });
      const headline = await page.getByRole('region', { name: 'Headline figures' }).innerText();
      expect(headline).toMatch(locale === 'de-DE' ? /\d,\d\u00a0%/ : /\d,\d%/);
      expect(headline).not.toMatch(/\d\.\d%/);
      // A page that is reached by a link is drawn by the browser.
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Billing' }).click();
      await figure.waitFor();
      expect(await figure.innerText()).toContain(`\n${said.split('\n')[1]!}\n`);
    }
    const rates: Readonly<Record<string, RegExp>> = {
      'en-US': /\d\.\d%/,
      'de-DE': /\d,\d\u00a0%/,
      'pt-BR': /\d,\d%/,
    };
    const asked = Array.from({ length: 24 }, (_, i) => Object.keys(rates)[i % 3]!);
    const answers = await Promise.all(
      asked.map(async (locale) => {
        const headers = { 'accept-language': `${locale},en;q=0.5` };
        const response = await fetch(`${rig.product.url}/?${range}`, { headers });
        expect(response.headers.get('vary')).toContain('accept-language');
        const [main = ''] = /<main[^]*<\/main>/.exec(await response.text()) ?? [];
        const text = main.replaceAll(/<[^>]*>/g, '').replaceAll('&nbsp;', '\u00a0');
        return Object.keys(rates).filter((one) => rates[one]!.test(text));
      }),
    );
    expect(answers).toEqual(asked.map((locale) => [locale]));
  });

  it('says that it loads when that takes a while, and moves nothing for it', async () => {
    const page = await rig.newPage();
    await page.addInitScript(WATCH_SHIFTS);
    await page.goto(`${rig.product.url}/definitions`, { waitUntil: 'networkidle' });
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    await page.route('**/__data.json*', async (route) => {
      await answered;
      await route.continue();
    });
    const loading = page.getByRole('status').filter({ hasText: 'Loading' });
    expect(await loading.count()).toBe(0);
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Ads' }).click();
    await loading.waitFor({ state: 'attached' });
    expect(await page.locator('.progress').evaluate((bar) => bar.clientHeight)).toBeGreaterThan(0);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    expect(await page.evaluate("getComputedStyle(document.querySelector('.progress')).animationName")).toBe('none');
    expect(Number(await page.evaluate('window.shifted'))).toBe(0);
    answer();
    await page.getByRole('heading', { name: /^Ads, / }).waitFor();
    expect(await page.locator('.progress').count()).toBe(0);
  });

  it('says what became of what was delivered', async () => {
    const page = await rig.newPage();
    const now = Math.floor(Date.now() / 1000);
    const known = deliveredStatus('wamid.K', now - 60);
    expect(await deliver(fresh, envelope(statuses([known])))).toBe(200);
    const message = { from: '16505551234', id: 'wamid.N', timestamp: String(now - 30), type: 'text' };
    const late = { ...message, id: 'wamid.L', timestamp: String(now + 30 * 86_400) };
    expect(await deliver(fresh, envelope(statuses([known]), inbound([message, late])))).toBe(200);
    await untilCounted(fresh, 4);
    await page.goto(`${fresh.url}/health`);
    const terms = await page.getByRole('group', { name: 'Outcomes of events' }).locator('.term').allInnerTexts();
    expect(terms).toEqual(['4 read', '2 stored', '1 duplicate', '1 rejected']);
    expect(await page.locator('#outcomes').innerText()).toContain('Nothing is consumed from Kafka here.');
    expect(await page.locator('.freshness').innerText()).toContain('Last stored just now');
    expect(await page.locator('.freshness').innerText()).toContain('1 rejected input in these days waits');
    await page.goto(`${fresh.url}/?from=2025-01-01&to=2025-02-01`);
    expect(await page.locator('.freshness').innerText()).toContain('No rejected inputs in these days, 1 in all waits');
    const reader = await startProduct(empty, { command: 'dashboard' });
    try {
      await until('the dashboard has its ledger', async () => (await fetch(`${reader.url}/readyz`)).ok);
      // To the end: what a page still loads would find nobody there.
      await page.goto(`${reader.url}/health`, { waitUntil: 'networkidle' });
      expect(await page.locator('#outcomes').innerText()).toContain('This process only reads.');
    } finally {
      await page.close();
      expect(await reader.stop()).toBe(0);
    }
  });
});

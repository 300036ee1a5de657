import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import {
  DataDirectory,
  deliver,
  envelope,
  inbound,
  startProduct,
  until,
  untilCounted,
  untilSettled,
  type Product,
} from '../support/product.ts';

const UPDATE_EVERY_MS = 30_000;

describe('a page that is looked at', () => {
  const data = new DataDirectory();
  let product: Product;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** Requests that read the page again. */
  let reads: string[];
  let delivered = 0;

  /** A customer who came from an ad and writes now. */
  const arrive = async (name: string): Promise<void> => {
    const message = {
      id: `wamid.${name}`,
      from: `1650555${String(1000 + delivered)}`,
      timestamp: String(Math.floor(Date.now() / 1000)),
      type: 'text',
      text: { body: 'Hi' },
      referral: { source_type: 'ad', source_id: '120210000000000001', headline: name },
    };
    expect(await deliver(product, envelope(inbound([message])))).toBe(200);
    delivered += 1;
    await untilCounted(product, delivered);
    await untilSettled(product);
  };
  const open = async (): Promise<void> => {
    await page.goto(`${product.url}/conversations`);
    await page.getByRole('button', { name: 'Stop updating' }).waitFor();
    await page.evaluate('window.isSamePage = true');
    reads = [];
  };
  const rows = (): Promise<number> => page.locator('#conversations tbody tr').count();
  const later = (ms: number): Promise<void> => page.clock.runFor(ms);

  beforeAll(async () => {
    browser = await launchBrowser();
    product = await startProduct(data, { args: ['--empty'] });
    await arrive('first');
  });
  afterAll(async () => {
    try {
      await browser.close();
    } finally {
      await data.remove();
    }
  });
  beforeEach(async () => {
    context = await browser.newContext();
    page = await context.newPage();
    // Time passes only when a test lets it, however long the machine takes for a delivery.
    const now = Date.now();
    await page.clock.install({ time: now });
    await page.clock.pauseAt(now + 1_000);
    page.on('request', (request) => {
      if (request.url().includes('__data.json')) reads.push(request.url());
    });
  });
  afterEach(async () => {
    await context.close();
  });

  it('shows what arrived meanwhile, without being loaded again', async () => {
    await open();
    const before = await rows();
    await arrive('second');
    await later(UPDATE_EVERY_MS - 5_000);
    expect(reads).toEqual([]);
    await later(6_000);
    await until('the new conversation is on screen', async () => (await rows()) === before + 1);
    expect(await page.evaluate('window.isSamePage')).toBe(true);
  });

  it('says how old it is', async () => {
    await open();
    await later(12_000);
    await page.getByText(/^Updated 1[123] s ago$/).waitFor();
  });

  it('stops when it is told to, also on the next page, and continues when it is told to', async () => {
    await open();
    await page.getByRole('button', { name: 'Stop updating' }).click();
    await later(3 * UPDATE_EVERY_MS);
    expect(reads).toEqual([]);
    await page.goto(`${product.url}/ads`);
    const start = page.getByRole('button', { name: 'Update every 30 s' });
    await start.waitFor();
    await later(3 * UPDATE_EVERY_MS);
    expect(reads).toEqual([]);
    await start.click();
    await until('the page is read', () => reads.length > 0);
  });

  it('lets a link be followed that is clicked when an update begins', async () => {
    await open();
    const held = (address: string): (() => void) => {
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      void page.route(address, async (route) => {
        await released;
        await route.continue();
      });
      return release;
    };
    const answerReady = held('**/readyz');
    const answerAds = held('**/ads/__data.json*');
    const asked = page.waitForRequest('**/readyz');
    await later(UPDATE_EVERY_MS + 1_000);
    await asked;
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Ads' }).click();
    // The page lets the browser paint before it follows a link.
    await later(200);
    await page.getByRole('status').filter({ hasText: 'Loading' }).waitFor({ state: 'attached' });
    const answered = page.waitForResponse('**/readyz');
    answerReady();
    await (await answered).finished();
    // By the time another answer is there, the page has handled that one.
    await page.evaluate("fetch('/readyz').then(() => undefined)");
    answerAds();
    await until('the next page is there', async () => {
      await later(100);
      return (await page.getByRole('heading', { name: /^Ads, / }).count()) === 1;
    });
  });

  it('does not touch a form while a user types', async () => {
    await open();
    await page.locator('input[name="q"]').fill('1650');
    await later(3 * UPDATE_EVERY_MS);
    expect(reads).toEqual([]);
    expect(await page.locator('input[name="q"]').inputValue()).toBe('1650');
  });

  it('does not update figures of a chosen time', async () => {
    await page.goto(`${product.url}/conversations?as_of=2026-10-01T00:00:00Z`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await later(3 * UPDATE_EVERY_MS);
    expect(reads).toEqual([]);
    expect(await page.getByRole('button', { name: 'Stop updating' }).count()).toBe(0);
  });

  it('keeps what it shows, and says so, when the server is gone', async () => {
    await open();
    const before = await rows();
    expect(await product.stop()).toBe(0);
    await later(UPDATE_EVERY_MS + 1_000);
    await page.getByText(/^The server does not answer; shown as of \d+ s ago$/).waitFor();
    expect(await rows()).toBe(before);
    expect(reads).toEqual([]);
  });
});

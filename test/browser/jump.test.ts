import { VERSION } from '../../services/version.ts';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { complaintsOf, launchBrowser } from '../support/browser.ts';
import { DataDirectory, startProduct, type Product } from '../support/product.ts';

describe('keys and the foot of pages', () => {
  const data = new DataDirectory();
  let product: Product;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    browser = await launchBrowser();
    product = await startProduct(data, { args: ['--empty'] });
  });
  afterAll(async () => {
    try {
      await browser.close();
      expect(await product.stop()).toBe(0);
    } finally {
      await data.remove();
    }
  });
  beforeEach(async () => {
    context = await browser.newContext();
    page = await context.newPage();
    complaints = complaintsOf(page);
    await page.goto(`${product.url}/health?tz=Europe%2FBerlin`);
    // Says that the page listens.
    await page.getByRole('button', { name: 'Stop updating' }).waitFor();
  });
  afterEach(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });

  const jump = (): ReturnType<Page['getByRole']> => page.getByRole('dialog', { name: 'Go to' });

  it.each(['/', 'Control+k', 'Meta+k'])('%s opens what leads everywhere, and Escape closes it', async (key) => {
    await page.keyboard.press(key);
    await jump().waitFor();
    expect(await jump().getByRole('link').first().textContent()).toBe('Overview');
    await page.keyboard.type('bill');
    await page.keyboard.press('Escape');
    await jump().waitFor({ state: 'hidden' });
  });

  it.each([
    ['bill', '/billing', {}],
    ['wamid.HBgL=', '/messages', { id: 'wamid.HBgL=' }],
    ['+49 151', '/conversations', { q: '+49 151' }],
    ['120210000000000001', '/ads', { ad: '120210000000000001' }],
  ])('"%s" and Enter lead to %s, with the filters that were chosen', async (typed, path, own) => {
    await page.keyboard.press('/');
    await page.keyboard.type(typed);
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.pathname === path);
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({ tz: 'Europe/Berlin', ...own });
  });

  it('moves through the links with the arrow keys', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('120210000000000001');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.pathname === '/billing' && url.searchParams.get('waba_id') !== null);
  });

  it('? lists the keys; a slash in a field is a slash', async () => {
    await page.keyboard.press('?');
    const keys = page.getByRole('dialog', { name: 'Keys' });
    await keys.waitFor();
    await keys.getByRole('button', { name: 'Close' }).click();
    await keys.waitFor({ state: 'hidden' });
    await page.goto(`${product.url}/messages`);
    await page.locator('input[name="id"]').pressSequentially('a/?b');
    expect(await page.locator('input[name="id"]').inputValue()).toBe('a/?b');
    expect(await page.locator('dialog[open]').count()).toBe(0);
  });

  it('says which version it is, under which licence, and where its ledger is', async () => {
    const foot = (await page.locator('body > div > footer, body footer').first().innerText()).replaceAll(/\s+/g, ' ');
    expect(foot).toContain(`CTWA Ledger ${VERSION}, Apache-2.0`);
    expect(foot).toContain(`Ledger: ${data.path}`);
  });
});

/**
 * Draws the pictures of the pages that the documentation shows, on the sample data:
 * `node --import tsx scripts/screenshots.ts`.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DateTime } from 'luxon';
import { launchBrowser } from '../test/support/browser.ts';
import { DataDirectory, startProduct } from '../test/support/product.ts';

const DOCS = fileURLToPath(new URL('../docs/', import.meta.url));
const DAYS = 30;
const WIDTH_PX = 1280;
const MARGIN_PX = 32;

const data = new DataDirectory();
const browser = await launchBrowser();
try {
  const product = await startProduct(data);
  const page = await browser.newPage({ viewport: { width: WIDTH_PX, height: 900 }, reducedMotion: 'reduce' });
  await page.goto(product.url);
  await page.locator('#by-ad').waitFor({ timeout: 120_000 });
  // Whole days, and the clock at the end of the last one: no day is unfinished, at whatever hour this runs.
  const last = DateTime.fromISO((await page.locator('.freshness time').getAttribute('datetime')) ?? '', {
    zone: 'utc',
  });
  const to = last.startOf('day');
  const range = new URLSearchParams({
    from: to.minus({ days: DAYS }).toISODate() ?? '',
    to: to.toISODate() ?? '',
    as_of: to.toISO({ suppressMilliseconds: true }) ?? '',
  });
  mkdirSync(DOCS, { recursive: true });
  /** To the end of the picture or chart: what is below it is longer than a picture should be. */
  const shoot = async (name: string): Promise<void> => {
    await page.evaluate('document.fonts.ready');
    // The chart is drawn in the next frame, after the page has its size.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    const path = `${DOCS}${name}.png`;
    const figure = await page.locator('figure').boundingBox();
    const height = Math.ceil((figure?.y ?? 0) + (figure?.height ?? 0)) + MARGIN_PX;
    await page.screenshot({ path, fullPage: true, clip: { x: 0, y: 0, width: WIDTH_PX, height } });
    process.stdout.write(`${path}\n`);
  };
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto(`${product.url}/?${range}`);
    await shoot(`first-page-${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  // One that was replied, and began a day before the clock, so that there is an open window to see.
  const earlier = new URLSearchParams(range);
  earlier.set('to', to.minus({ days: 1 }).toISODate() ?? '');
  await page.goto(`${product.url}/conversations?${earlier}`);
  const replied = page.locator('tbody tr', { hasText: 'replied in' }).first();
  const thread = await replied.locator('a[href*="/conversations/"]').first().getAttribute('href');
  // Links of a page are relative until it has its scripts.
  await page.goto(new URL(thread ?? '/conversations', page.url()).href);
  await shoot('conversation');
  for (const [name, address] of [
    ['ads', `/ads?${range}`],
    ['billing', `/billing?${range}`],
    ['charges', `/billing/charges?${range}`],
    ['imports', `/imports?${range}`],
    ['mismatches', `/billing/mismatches?${range}`],
    ['health', '/health'],
  ] as const) {
    await page.goto(`${product.url}${address}`);
    await page.evaluate('document.fonts.ready');
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    const path = `${DOCS}${name}.png`;
    await page.screenshot({ path });
    process.stdout.write(`${path}\n`);
  }
  await product.stop();
} finally {
  await browser.close();
  await data.remove();
}

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** Where pictures of pages are kept for somebody to look at; unset = nowhere. */
const DIRECTORY = process.env['CTWA_SCREENSHOTS'];
const WIDTHS = [390, 1440, 1920] as const;
const HEIGHT = 900;
/** Text can still be read, and a page takes about 100 kB. */
const QUALITY = 55;

/** Keeps pictures of the whole page, as it stands in the tab, at each width and in both themes. */
export async function keepPictures(page: Page, path: string): Promise<void> {
  if (DIRECTORY === undefined) return;
  mkdirSync(DIRECTORY, { recursive: true });
  const name = path.replaceAll(/[^\w-]+/g, '-').replaceAll(/^-+|-+$/g, '') || 'overview';
  const before = page.viewportSize();
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: HEIGHT });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      // Charts are drawn in the frame after the one in which they get their size.
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
      const file = join(DIRECTORY, `${name}.${width}.${colorScheme}.jpeg`);
      await page.screenshot({ path: file, fullPage: true, type: 'jpeg', quality: QUALITY });
    }
  }
  if (before !== null) await page.setViewportSize(before);
}

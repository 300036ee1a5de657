import { chromium, type Browser, type Page } from 'playwright-core';
import { findChromium } from '../../scripts/chromium.js';

/**
 * What functions below use where they run: in the page. Declared here, because the types of the browser are no part of
 * the program that the tests belong to.
 */
interface Style {
  readonly backgroundColor: string;
  readonly outlineStyle: string;
  readonly outlineWidth: string;
  getPropertyValue(name: string): string;
}
interface Drawing {
  fillStyle: string;
  fillRect(x: number, y: number, width: number, height: number): void;
  clearRect(x: number, y: number, width: number, height: number): void;
  drawImage(image: PageElement, x: number, y: number): void;
  getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
}
interface PageElement {
  readonly id: string;
  readonly tagName: string;
  readonly textContent: string | null;
  readonly scrollWidth: number;
  readonly clientWidth: number;
  /** Of rows. */
  readonly cells: Iterable<PageElement>;
  /** Of canvases. */
  width: number;
  height: number;
  getContext(kind: '2d', options: { readonly willReadFrequently: true }): Drawing | null;
  getAttribute(name: string): string | null;
  closest(selector: string): PageElement | null;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
  cloneNode(deep: true): PageElement;
  remove(): void;
}
declare const document: {
  readonly documentElement: PageElement;
  readonly body: PageElement;
  readonly activeElement: PageElement;
  createElement(name: 'canvas'): PageElement;
};
declare function getComputedStyle(element: PageElement): Style;

/** A Chromium that asks the network for nothing but the page. */
export function launchBrowser(): Promise<Browser> {
  const program = findChromium();
  if (program === null) throw new Error('There is no Chromium: install it, or set CHROMIUM_PATH to its program.');
  return chromium.launch({
    executablePath: program,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/**
 * Everything that goes wrong in a page, as it happens: errors, warnings, and requests that fail or are refused.
 * @param complaints where it is noted
 */
export function complaintsOf(page: Page, complaints: string[] = []): string[] {
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      complaints.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? '';
    // A question that is taken back because the page goes elsewhere is no failure; nor is a script that is announced to
    // a browser without scripts. What a policy forbids to others is an error on the console.
    if (reason !== 'net::ERR_ABORTED' && reason !== 'csp')
      complaints.push(`request failed: ${request.url()} ${reason}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
  });
  return complaints;
}

/** A cell of a table as somebody sees it, and the exact time behind it, if it shows one. */
export interface Cell {
  readonly text: string;
  readonly time: string | null;
}

/** Rows of the table in the frame `id`, without what is only for screen readers. */
export function tableRows(page: Page, id: string): Promise<Cell[][]> {
  return page.locator(`#${id} tbody tr`).evaluateAll((rows) =>
    (rows as unknown as PageElement[]).map((row) =>
      Array.from(row.cells, (cell) => {
        const seen = cell.cloneNode(true);
        for (const hidden of seen.querySelectorAll('.visually-hidden')) hidden.remove();
        return {
          text: (seen.textContent ?? '').replaceAll(/\s+/g, ' ').trim(),
          time: cell.querySelector('time')?.getAttribute('datetime') ?? null,
        };
      }),
    ),
  );
}

/**
 * Heights in pixels of the bars of one colour of the page's style sheet, as the canvas shows them, from left to right.
 * Neighbouring columns of pixels are one bar, and measured in its middle, where nothing is outlined.
 */
export function barHeights(page: Page, colour: string): Promise<number[]> {
  return page.locator('figure canvas').evaluate((element, name) => {
    const canvas = element as unknown as PageElement;
    // A copy: the browser warns of reading often from a canvas that was not made for it.
    const copy = document.createElement('canvas');
    copy.width = canvas.width;
    copy.height = canvas.height;
    const context = copy.getContext('2d', { willReadFrequently: true });
    if (context === null) return [];
    context.fillStyle = getComputedStyle(canvas).getPropertyValue(name).trim();
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
    context.clearRect(0, 0, 1, 1);
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const columns = Array.from({ length: canvas.width }, (_, x) => {
      let pixels = 0;
      for (let y = 0; y < canvas.height; y++) {
        const at = 4 * (y * canvas.width + x);
        if (data[at] === red && data[at + 1] === green && data[at + 2] === blue && data[at + 3] === 255) pixels += 1;
      }
      return pixels;
    });
    const bars: number[][] = [];
    columns.forEach((pixels, x) => {
      if (pixels === 0) return;
      if ((columns[x - 1] ?? 0) === 0) bars.push([]);
      bars.at(-1)?.push(pixels);
    });
    return bars.map((bar) => bar[Math.floor(bar.length / 2)] ?? 0);
  }, colour);
}

/** The ground of the page, as a CSS colour. */
export function groundOf(page: Page): Promise<string> {
  return page.evaluate(() => getComputedStyle(document.body).backgroundColor);
}

export interface Focus {
  /** Kind of element, the frame of a table that it is in, and its name or text. */
  readonly name: string;
  readonly isVisible: boolean;
}

export function focusOf(page: Page): Promise<Focus> {
  return page.evaluate(() => {
    const element = document.activeElement;
    const style = getComputedStyle(element);
    const label = element.getAttribute('name') ?? element.textContent ?? '';
    return {
      name: `${element.tagName.toLowerCase()} ${element.closest('.frame')?.id ?? ''} ${label}`
        .replaceAll(/\s+/g, ' ')
        .trim(),
      isVisible: style.outlineStyle !== 'none' && style.outlineWidth !== '0px',
    };
  });
}

/** Rows of the table in the frame `id` on all its pages; comes back to where it began. */
export async function allTableRows(page: Page, id: string): Promise<Cell[][]> {
  const began = page.url();
  const rows: Cell[][] = [];
  for (;;) {
    rows.push(...(await tableRows(page, id)));
    const next = page.locator(`#${id} a[rel="next"]`).first();
    if ((await next.count()) === 0) break;
    await page.goto(new URL((await next.getAttribute('href')) ?? '', page.url()).href);
  }
  if (page.url() !== began) await page.goto(began);
  return rows;
}

/** Heads of columns that do not say what the column holds when somebody points at them. */
export function headsWithoutMeaning(page: Page): Promise<string[]> {
  return page
    .locator('.frame thead th[scope="col"]:not([title]):not(:has([title]))')
    .evaluateAll((heads) => (heads as unknown as PageElement[]).map((head) => head.textContent ?? ''));
}

/** How many pixels the page can be scrolled sideways. */
export function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate(() => {
    const root = document.documentElement;
    return Math.max(root.scrollWidth, document.body.scrollWidth) - root.clientWidth;
  });
}

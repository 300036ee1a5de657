import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { complaintsOf, launchBrowser, tableRows } from './browser.ts';
import { DataDirectory, startProduct, untilSettled, type Product, type StartOptions } from './product.ts';
import { makeTables } from './tables.ts';

/** A page that waits for its server on a busy machine is slow, not wrong. */
const PATIENCE_MS = 120_000;
const WINDOW = { width: 1280, height: 900 } as const;

export interface RigOptions {
  /**
   * Fills the ledger. The product is started afterwards, with the options that it returns, and its figures are settled.
   * Without it nothing is started: a test does that itself and sets `product`.
   */
  readonly prepare?: (data: DataDirectory) => Promise<StartOptions | undefined>;
  /** How each test's window is opened; null where tests open their own. */
  readonly window?: BrowserContextOptions | null;
  /**
   * One window for all tests, emptied after each. For tests that only follow links and fill in forms in it: a new window
   * starts a renderer, which compiles the scripts of the dashboard anew.
   */
  readonly keepsWindow?: boolean;
}

/**
 * What the tests of a page share: a Chromium, a product on a ledger of its own, and a new window for each test. Anything
 * that goes wrong in a window makes its test fail, unless the test expects it.
 */
export class BrowserRig {
  readonly data = new DataDirectory();
  /** What goes wrong in the windows of the running test, in order. A test may take out what it has caused. */
  readonly complaints: string[] = [];
  /** The complaints that the running test causes on purpose. */
  expected: RegExp | null = null;
  #browser: Browser | null = null;
  #product: Product | null = null;
  #page: Page | null = null;
  #contexts: BrowserContext[] = [];
  #kept: Page | null = null;

  get browser(): Browser {
    return begun(this.#browser, 'browser');
  }

  get product(): Product {
    return begun(this.#product, 'product');
  }

  set product(product: Product) {
    this.#product = product;
  }

  /** The window that was opened last. */
  get page(): Page {
    return begun(this.#page, 'page');
  }

  /** Opens another window, which is closed after the test. */
  async newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ viewport: WINDOW, ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    this.#contexts.push(context);
    this.#page = await context.newPage();
    complaintsOf(this.#page, this.complaints);
    return this.#page;
  }

  /** @internal The window that tests share, opened for the first of them. */
  async keptPage(options: BrowserContextOptions): Promise<void> {
    if (this.#kept === null) {
      this.#kept = await this.newPage(options);
      this.#contexts = [];
    }
    this.#page = this.#kept;
  }

  /** Leaves nothing of a test in the window that tests share. */
  async #empty(page: Page): Promise<void> {
    if (page.url().startsWith('http'))
      await page.evaluate('for (const storage of [localStorage, sessionStorage]) storage.clear()');
    await page.context().clearCookies();
    await page.goto('about:blank');
  }

  /** Loads a path of the product, which must answer 200. */
  async open(path: string): Promise<void> {
    const response = await this.page.goto(`${this.product.url}${path}`);
    expect(response?.status(), path).toBe(200);
  }

  /** Asks the product without a browser; the answer must be 200. */
  async fetched(path: string): Promise<string> {
    const response = await fetch(`${this.product.url}${path}`);
    expect(response.status, path).toBe(200);
    return response.text();
  }

  /** The texts of the table in the frame `id`, row by row. */
  async cells(id: string): Promise<string[][]> {
    return (await tableRows(this.page, id)).map((row) => row.map((cell) => cell.text));
  }

  /** @internal */
  async begin({ prepare }: RigOptions): Promise<void> {
    const launched = launchBrowser().then((browser) => (this.#browser = browser));
    // Chromium starts while commands fill the ledger.
    await Promise.all([launched, prepare === undefined ? null : this.#start(prepare)]);
  }

  async #start(prepare: NonNullable<RigOptions['prepare']>): Promise<void> {
    await makeTables(this.data);
    const options = await prepare(this.data);
    this.#product = await startProduct(this.data, options);
    await untilSettled(this.#product);
  }

  /** @internal */
  async endTest(): Promise<void> {
    for (const context of this.#contexts) await context.close();
    this.#contexts = [];
    if (this.#kept !== null) await this.#empty(this.#kept);
    const unexpected = this.complaints.filter((complaint) => this.expected?.test(complaint) !== true);
    this.complaints.length = 0;
    this.expected = null;
    expect(unexpected).toEqual([]);
  }

  /** @internal */
  async end(): Promise<void> {
    try {
      await this.#browser?.close();
      if (this.#product !== null) expect(await this.#product.stop()).toBe(0);
    } finally {
      await this.data.remove();
    }
  }
}

function begun<T>(part: T | null, name: string): T {
  if (part === null) throw new Error(`The rig has no ${name} yet: use it in a test, not while tests are listed.`);
  return part;
}

/** The rig of the `describe` that it is called in. */
export function browserRig(options: RigOptions = {}): BrowserRig {
  const { window = {}, keepsWindow = false } = options;
  const rig = new BrowserRig();
  beforeAll(() => rig.begin(options));
  afterAll(() => rig.end());
  if (window !== null) beforeEach(() => (keepsWindow ? rig.keptPage(window) : rig.newPage(window)));
  afterEach(() => rig.endTest());
  return rig;
}

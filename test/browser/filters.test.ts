import { writeFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { violationsIn } from '../support/axe.ts';
import { browserRig } from '../support/browser-rig.ts';
import { sidewaysScroll, tableRows } from '../support/browser.ts';
import { csvRows, output, WABA } from '../support/product.ts';

const RANGE = 'from=2026-10-15&until=2026-11-30';
const NAME = 'Casa Azul';

describe('filters', () => {
  /** The ad with most conversations that nobody answered in time. */
  let ad = '';
  let other = '';
  const rig = browserRig({
    prepare: async (data) => {
      await output(data, ['simulate', '--threads', '250', '--days', '20', '--seed', '21', '--out', 'events.ndjson']);
      await output(data, ['ingest', 'events.ndjson']);
      await output(data, ['accounts', 'set', WABA, '--name', NAME, '--currency', 'BRL']);
      const rows = csvRows(await output(data, ['export', 'ad-conversations']));
      const counts = new Map<string, number>();
      for (const row of rows)
        if (row['source_type'] === 'ad' && row['is_replied'] === 'false')
          counts.set(row['ad_id']!, (counts.get(row['ad_id']!) ?? 0) + 1);
      [ad = '', other = ''] = [...counts].sort(([, a], [, b]) => b - a).map(([id]) => id);
      const spend = `Ad ID,Ad name,Ad set name,Campaign name,Day,Amount spent (BRL)
${ad},Spring bargain,Set one,Bargains,2026-10-20,12.5
${other},Winter bargain,Set two,Bargains,2026-10-20,3
`;
      writeFileSync(data.file('spend.csv'), spend);
      await output(data, ['spend', 'import', 'spend.csv']);
      return undefined;
    },
  });

  const open = (path: string): Promise<unknown> => rig.page.goto(rig.product.url + path, { waitUntil: 'networkidle' });
  const chips = (page: Page): Promise<string[]> =>
    page
      .getByRole('navigation', { name: 'Filters in use' })
      .getByRole('link', { name: /, remove this filter/ })
      .allInnerTexts()
      .then((texts) => texts.map((text) => text.split(', remove')[0]!.trim()));
  const query = (): URLSearchParams => new URL(rig.page.url()).searchParams;
  let conversations: readonly Record<string, string>[];
  beforeAll(async () => {
    conversations = csvRows(await (await fetch(`${rig.product.url}/api/ad-conversations?format=csv&ad=${ad}`)).text());
  });

  it('lead by keyboard from the name of an ad to one of its unanswered conversations, and back', async () => {
    await open(`/ads?${RANGE}`);
    await rig.page.getByLabel('Ad', { exact: true }).focus();
    await rig.page.keyboard.type('spring');
    await rig.page.keyboard.press('Enter');
    // The only ad of that name has a page of its own.
    await rig.page.waitForURL((url) => url.searchParams.get('ad') === ad);
    expect(await chips(rig.page)).toEqual(['Ad: Spring bargain']);
    await rig.page.getByRole('link', { name: 'Not answered within 24 h' }).focus();
    await rig.page.keyboard.press('Enter');
    await rig.page.waitForURL((url) => url.pathname === '/conversations');
    expect([query().get('ad'), query().get('state'), query().get('from')]).toEqual([ad, 'not_replied', '2026-10-15']);
    const unanswered = conversations.filter((row) => row['is_replied'] === 'false');
    expect(unanswered.length).toBeGreaterThan(1);
    const links = rig.page.locator('#conversations tbody th a');
    expect(await links.count()).toBe(unanswered.length);
    const list = rig.page.url();
    await links.first().focus();
    await rig.page.keyboard.press('Enter');
    await rig.page.waitForURL((url) => url.pathname.startsWith('/conversations/'));
    expect(unanswered.map((row) => row['conversation_id'])).toContain(
      decodeURIComponent(new URL(rig.page.url()).pathname.split('/').at(-1)!),
    );
    await rig.page.goBack();
    await rig.page.waitForURL(list);
    await expect.poll(() => links.count()).toBe(unanswered.length);
    expect(await chips(rig.page)).toEqual(['Ad: Spring bargain']);
  });

  it('are typed with suggestions, have several values, and are taken off one by one', async () => {
    await open(`/ads?${RANGE}`);
    const field = rig.page.getByLabel('Ad', { exact: true });
    await field.fill('bargain');
    const options = rig.page.locator(`#${await field.getAttribute('list')} option`);
    await expect.poll(() => options.count()).toBe(2);
    expect(await options.evaluateAll((all) => all.map((one) => one.getAttribute('value')).sort())).toEqual(
      [ad, other].sort(),
    );
    expect(await options.evaluateAll((all) => all.map((one) => one.getAttribute('label')).join())).toContain(
      'Spring bargain',
    );
    await field.fill(ad);
    await field.press('Enter');
    await rig.page.waitForURL((url) => url.searchParams.get('ad') === ad);
    await field.fill(other);
    await field.press('Enter');
    await rig.page.waitForURL((url) => url.searchParams.getAll('ad').length === 2);
    expect(await chips(rig.page)).toEqual(['Ad: Spring bargain', 'Ad: Winter bargain']);
    expect(await rig.page.locator('#by-ad tbody tr').count()).toBe(2);
    expect(await violationsIn(rig.page)).toEqual([]);
    await rig.page.getByRole('link', { name: 'Ad: Spring bargain' }).click();
    await rig.page.waitForURL((url) => url.searchParams.getAll('ad').length === 1);
    expect(query().get('ad')).toBe(other);
    await field.fill('bargain');
    await field.press('Enter');
    await rig.page.waitForURL((url) => url.searchParams.getAll('ad').length === 2);
    await rig.page.getByRole('link', { name: 'Remove all' }).click();
    await rig.page.waitForURL((url) => !url.searchParams.has('ad'));
    expect(query().get('from')).toBe('2026-10-15');
  });

  it('are kept from page to page where they are understood, and named where they are not', async () => {
    await open(`/billing?${RANGE}&market=Brazil&market=Other&waba_id=${WABA}`);
    expect(await chips(rig.page)).toEqual([`Account: ${NAME}`, 'Market: Brazil', 'Market: Other']);
    await rig.page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Ads' }).click();
    await rig.page.waitForURL((url) => url.pathname === '/ads');
    expect([query().get('waba_id'), query().getAll('market')]).toEqual([WABA, ['Brazil', 'Other']]);
    await open(`/ads?${RANGE}&tier=101:MAX`);
    expect(await rig.page.getByRole('navigation', { name: 'Filters in use' }).innerText()).toContain(
      'This page cannot be filtered by Tier: 101:MAX',
    );
    // An account is found by its name.
    await open(`/?${RANGE}&waba_id=casa+azul`);
    expect(await chips(rig.page)).toEqual([`Account: ${NAME}`]);
    await open(`/?${RANGE}&waba_id=nobody`);
    expect(await rig.page.getByRole('region', { name: 'Headline figures' }).innerText()).toMatch(/^\D*0\n/);
  });

  it('work without scripts', async () => {
    const page = await rig.newPage({ javaScriptEnabled: false });
    await page.goto(`${rig.product.url}/billing?${RANGE}`);
    await page.getByText('Filter by ad, campaign').click();
    await page.getByLabel('Mark', { exact: true }).fill('Free entry');
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    expect(await chips(page)).toEqual(['Mark: Free entry (free_entry_point)']);
    // Empty fields are no filters: none of an account or of a tag.
    await page.getByRole('link', { name: 'All charges' }).click();
    expect([...new URL(page.url()).searchParams.keys()].sort()).toEqual(['billing', 'from', 'until']);
  });

  it('can be saved as a view, which is renamed and removed', async () => {
    await open(`/billing?${RANGE}&billing=FREE_ENTRY&by-market.sort=-volume`);
    await rig.page.getByText('Saved views').click();
    await rig.page.getByLabel('Name of the current view').fill('Free entry');
    await rig.page.getByRole('button', { name: 'Save view' }).click();
    await rig.page.waitForURL((url) => url.pathname === '/billing' && url.searchParams.get('billing') === 'FREE_ENTRY');
    expect(query().get('by-market.sort')).toBe('-volume');
    await open('/billing');
    await rig.page.getByText('Saved views').click();
    await rig.page.getByRole('link', { name: 'Free entry', exact: true }).first().click();
    await rig.page.waitForURL((url) => url.searchParams.get('billing') === 'FREE_ENTRY');
    expect(await chips(rig.page)).toEqual(['Mark: Free entry (free_entry_point)']);

    await open('/views');
    expect(await violationsIn(rig.page)).toEqual([]);
    await rig.page.getByLabel('New name').fill('What was free');
    await rig.page.getByRole('button', { name: 'Rename Free entry' }).click();
    await rig.page.getByRole('link', { name: 'What was free' }).waitFor();
    await rig.page.getByRole('button', { name: 'Remove What was free' }).click();
    await rig.page.getByText('No view is saved.').waitFor();
  });

  it('are views that sort by any column with a value, in both directions', async () => {
    for (const [name, at] of [
      ['Spend', '/ads'],
      ['Answers', '/conversations'],
      ['Mismatches', '/billing/mismatches'],
    ] as const) {
      await open(at);
      await rig.page.getByText('Saved views').click();
      await rig.page.getByLabel('Name of the current view').fill(name);
      await rig.page.getByRole('button', { name: 'Save view' }).click();
      await rig.page.getByText(name, { exact: true }).first().waitFor({ state: 'attached' });
    }
    await open('/views');
    const first = async (): Promise<string | undefined> => (await tableRows(rig.page, 'views'))[0]?.[0]?.text;
    const sortBy = async (column: string, expected: string): Promise<void> => {
      await rig.page.locator('#views thead').getByRole('link', { name: column }).click();
      await rig.page.waitForURL((url) => url.searchParams.get('views.sort') === expected);
    };
    await sortBy('View', 'name');
    expect(await first()).toBe('Answers');
    await sortBy('View', '-name');
    expect(await first()).toBe('Spend');
    await sortBy('Page', 'at');
    expect(await first()).toBe('Spend');
    await sortBy('Page', '-at');
    expect(await first()).toBe('Answers');
    expect(await rig.page.locator('#views th[aria-sort]').getAttribute('aria-sort')).toBe('descending');
    await open('/views?views.sort=rename');
    expect(await rig.page.locator('#views').innerText()).toContain('is no column of the table');
  });

  it('apply to the files of a table too, with its columns and its order, and a click on a row opens it', async () => {
    await open(`/billing/charges?${RANGE}&category=marketing&sort=-volume&columns=market,volume`);
    const frame = rig.page.locator('#charges');
    const heads = (await frame.locator('thead th').allInnerTexts()).map((head) => head.replace(/^[↑↓]/, '').trim());
    expect(heads).toEqual(['Day', 'Market', 'Messages']);
    const shown = await frame.locator('tbody tr').count();
    const hrefOf = async (name: string): Promise<URL> =>
      new URL((await frame.getByRole('link', { name }).getAttribute('href'))!, rig.product.url);
    const csv = csvRows(await (await fetch(await hrefOf('CSV'))).text());
    expect(Object.keys(csv[0]!)).toEqual(['day', 'market', 'volume', 'currency']);
    expect(csv.length).toBeGreaterThanOrEqual(shown);
    const volumes = csv.map((row) => Number(row['volume']));
    expect(volumes).toEqual(volumes.toSorted((one, other) => other - one));
    const book = await fetch(await hrefOf('Excel'));
    expect([book.status, (await book.arrayBuffer()).byteLength > 1_000]).toEqual([200, true]);
    // On the day, which is no link.
    await frame.locator('tbody th').first().click();
    await rig.page.waitForURL((url) => url.pathname === '/billing/messages');
  });

  it('fit on a phone, and stay in sight', async () => {
    const page = await rig.newPage({ viewport: { width: 390, height: 844 } });
    await page.goto(`${rig.product.url}/billing?${RANGE}&market=Brazil&waba_id=${WABA}`, { waitUntil: 'networkidle' });
    expect(await sidewaysScroll(page)).toBeLessThanOrEqual(0);
    expect(await chips(page)).toHaveLength(2);
    await page.getByRole('button', { name: /^Filters and dates/ }).click();
    await page.getByText('Filter by ad, campaign').click();
    await page.getByText('Saved views').click();
    expect(await sidewaysScroll(page)).toBeLessThanOrEqual(0);
    expect(await violationsIn(page)).toEqual([]);
  });
});

import { writeFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { violationsIn } from '../support/axe.ts';
import { browserRig } from '../support/browser-rig.ts';
import { headsWithoutMeaning, sidewaysScroll, tableRows } from '../support/browser.ts';
import { csvRows, NUMBER, output, untilSettled, WABA } from '../support/product.ts';

const CARD =
  'Cost per message\nMarket,Currency,Marketing,Utility,Authentication,Service\nBrazil,USD,0.0625,0.0068,0.0068,0.0068\n';
const DISPLAY = '15550783881';
const INVOICE = 'Period,Amount\n2026-10,0.3125\n';
/** A name and a note that a page must not take for anything else. */
const NAME = 'Ana <b>Souza</b>';

/** A template that was delivered at noon of a day of October. */
function delivered(id: string, day: number): unknown[] {
  const at = Date.UTC(2026, 9, day, 12) / 1000;
  const of = { waba_id: WABA, phone_number_id: NUMBER, wa_id: '5511955001122', id };
  const pricing = { billable: true, pricing_model: 'PMP', type: 'regular', category: 'marketing' };
  const template = { name: 'offer', language: 'pt_BR', category: 'marketing' };
  return [
    { event: 'message', direction: 'outbound', ...of, timestamp: at - 2, type: 'template', template },
    { event: 'status', ...of, status: 'delivered', timestamp: at, pricing },
  ];
}

const lines = (events: readonly unknown[]): string => events.map((event) => `${JSON.stringify(event)}\n`).join('');

function point(day: number, volume: number, cost: number): unknown {
  const start = Date.UTC(2026, 9, day) / 1000;
  const key = { phone_number: DISPLAY, country: 'BR', pricing_type: 'REGULAR', pricing_category: 'MARKETING' };
  return { start, end: start + 86_400, ...key, volume, cost };
}

const ANSWER = JSON.stringify({
  id: WABA,
  pricing_analytics: { data: [{ data_points: [point(5, 3, 0.1875), point(6, 2, 0.125)] }] },
});

describe('the close of a month', () => {
  const rig = browserRig({
    window: null,
    prepare: async (data) => {
      const events = [...[1, 2, 3].flatMap((n) => delivered(`wamid.5.${n}`, 5)), ...delivered('wamid.6.1', 6)];
      writeFileSync(data.file('e.ndjson'), lines([...events, ...delivered('wamid.6.2', 6)]));
      writeFileSync(data.file('late.ndjson'), lines(delivered('wamid.7.1', 7)));
      writeFileSync(data.file('card.csv'), CARD);
      writeFileSync(data.file('invoice.csv'), INVOICE);
      writeFileSync(data.file('meta.json'), ANSWER);
      const account = {
        waba_id: WABA,
        time_zone: 'UTC',
        currency: 'USD',
        phone_numbers: [{ id: NUMBER, display: DISPLAY }],
      };
      writeFileSync(data.file('config.json'), JSON.stringify({ accounts: [account] }));
      await output(data, ['ingest', 'e.ndjson', '--config', 'config.json']);
      await output(data, ['rates', 'import', 'card.csv', '--effective', '2026-07-01']);
      return { args: ['--config', data.file('config.json')] };
    },
  });
  const { data } = rig;

  const check = async (page: Page, other: 'light' | 'dark' = 'dark'): Promise<void> => {
    expect(await violationsIn(page)).toEqual([]);
    expect(await headsWithoutMeaning(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: other });
    expect(await violationsIn(page), other).toEqual([]);
    await page.emulateMedia({ colorScheme: other === 'dark' ? 'light' : 'dark' });
    expect(await sidewaysScroll(page)).toBeLessThanOrEqual(0);
  };
  /** The state of each item, in words. */
  const states = async (page: Page): Promise<Record<string, string>> => {
    const items = page.locator('#checklist [data-check]');
    const found = await items.evaluateAll((all) =>
      (all as unknown as { dataset: { check: string }; className: string }[]).map((one) => [
        one.dataset.check,
        one.className.split(' ')[0]!,
      ]),
    );
    return Object.fromEntries(found) as Record<string, string>;
  };
  const said = (page: Page, item: string): Promise<string> =>
    page.locator(`[data-check="${item}"] > div > p`).first().innerText();
  const state = (page: Page): Promise<string> => page.getByRole('region', { name: 'State of the month' }).innerText();

  it('is checked, refused, accepted, shown everywhere, adjusted and reopened', async () => {
    const page = await rig.newPage({ bypassCSP: true });
    rig.expected = /\b(400|409)\b/;
    await page.goto(`${rig.product.url}/billing?from=2026-10-01&to=2026-11-01`);
    expect(await page.getByRole('list', { name: 'Closed months' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Month close' }).click();
    await page.getByRole('heading', { name: 'Month close, Oct 2026' }).waitFor();

    // Without Meta's numbers and an invoice nothing is passed that nobody can tell.
    expect(await states(page)).toEqual({
      meta_numbers: 'unknown',
      events: 'unknown',
      outcomes: 'passed',
      prices: 'passed',
      differences: 'unknown',
      invoice: 'unknown',
      closed_once: 'passed',
    });
    expect(await state(page)).toContain('Open. Incomplete: Meta’s numbers, events, differences, invoice.');
    expect(await said(page, 'prices')).toBe('All 5 delivered messages have an amount.');
    expect(await said(page, 'invoice')).toBe('No invoice with charges of this month is imported.');
    await check(page);

    await output(data, ['meta', 'import', 'meta.json', '--from', '2026-10-01', '--to', '2026-11-01']);
    await output(data, [
      'invoice',
      'map',
      'ours',
      '--column',
      'month=Period',
      '--column',
      'amount=Amount',
      '--currency',
      'USD',
    ]);
    await output(data, ['invoice', 'import', 'invoice.csv', '--mapping', 'ours', '--waba', WABA]);
    await page.reload();
    // What has only just been stored may not be all.
    expect(await states(page)).toMatchObject({
      meta_numbers: 'passed',
      events: 'pending',
      differences: 'passed',
      invoice: 'passed',
    });
    expect(await state(page)).toContain('Reconciled with pending items: events.');
    expect(await said(page, 'differences')).toBe(
      'No row of 2 differs. Expected charge USD 0.31, Meta’s charge USD 0.31: 0.00 USD.',
    );
    expect(await said(page, 'events')).toContain('10 events of the month arrived within the last 24 hours');

    // Billing shows both sides as soon as both are there.
    await page.goto(`${rig.product.url}/billing?from=2026-10-01&to=2026-11-01`);
    const figures = await page
      .getByRole('region', { name: 'Amounts by currency' })
      .getByRole('article')
      .allInnerTexts();
    const lines = figures.map((figure) => figure.split('\n').filter((line) => line !== ''));
    expect(lines.map(([name, value]) => [name, value])).toEqual([
      ['Expected charge, USD', '0.31'],
      ['Meta’s charge, USD', '0.31'],
      ['Invoiced, USD', '0.31'],
    ]);
    expect(lines[1]!.slice(2)).toEqual(['0.00 expected − Meta’s', 'Known for every day']);
    expect(lines[2]!.slice(2)).toEqual(['0.00 expected − invoiced', 'For Oct 2026: USD 0.31 expected']);
    expect(await page.locator('#main').innerText()).not.toContain('Billed');
    await check(page);
    await page.goto(`${rig.product.url}/billing?from=2026-10-01&to=2026-11-01&category=marketing`);
    const narrowed = page.getByRole('region', { name: 'Amounts by currency' }).getByRole('article');
    expect(await narrowed.count()).toBe(1);
    await page.goto(`${rig.product.url}/billing/close?month=2026-10`);

    // The browser refuses by itself; a form that is sent all the same is refused with words.
    const form = page.locator('#close form');
    await form.getByLabel('Your name').fill(NAME);
    await form.getByLabel('Note').fill('Agreed with finance');
    await form.evaluate((one) => ((one as unknown as { noValidate: boolean }).noValidate = true));
    await form.getByRole('button', { name: 'Close this month' }).click();
    await page.locator('#close').getByRole('alert').waitFor();
    expect(await page.locator('#close').getByRole('alert').innerText()).toContain('say that you accept them');
    expect(await page.locator('#close').getByLabel('Your name').inputValue()).toBe(NAME);
    await page.locator('#close').getByRole('checkbox').check();
    await page.locator('#close').getByRole('button', { name: 'Close this month' }).click();
    await page.locator('#done').waitFor();
    expect(await page.locator('#done').innerText()).toBe(`Oct 2026 is closed for account ${WABA}.`);
    expect(await state(page)).toMatch(new RegExp(`^Closed \\d+ \\w+ by ${NAME}: Agreed with finance`));
    expect(await page.locator('#since tbody').innerText()).toContain('Nothing has changed');
    await check(page);

    const closings = (await tableRows(page, 'closings')).map((cells) => cells.map(({ text }) => text));
    expect(closings).toHaveLength(1);
    expect(closings[0]!.slice(1, 7)).toEqual([
      NAME,
      'closed',
      'Reconciled with pending items',
      '5',
      'USD 0.31',
      'Agreed with finance',
    ]);
    const [period] = (await output(data, ['periods', 'list']))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { checksum: string; period_id: string; verdict: string; note: string });
    expect(closings[0]![7]).toBe(period!.checksum);
    expect([period!.verdict, period!.note]).toEqual(['pending', 'Agreed with finance']);

    // Every page that shows the month says so, and no other one.
    const badge = page.getByRole('list', { name: 'Closed months' });
    const october = 'from=2026-10-05&to=2026-10-06';
    for (const path of [
      '/',
      '/ads',
      '/conversations',
      '/billing',
      '/billing/charges',
      '/billing/messages',
      '/billing/mismatches',
    ]) {
      await page.goto(`${rig.product.url}${path}?${october}`);
      expect(await badge.innerText(), path).toMatch(
        new RegExp(`^Closed \\d+ \\w+ by ${NAME}\\s+Oct 2026, account ${WABA}$`),
      );
      await page.goto(`${rig.product.url}${path}?from=2026-09-01&to=2026-10-01`);
      expect(await badge.count(), path).toBe(0);
    }
    await page.goto(`${rig.product.url}/billing?${october}&waba_id=1`);
    expect(await badge.count()).toBe(0);
    await page.goto(`${rig.product.url}/billing/reconciliation?month=2026-10`);
    expect(await badge.innerText()).toContain('Closed');
    await check(page);

    // Answers of reports of amounts say it beside the rows; others are as they were.
    const answer = async (path: string): Promise<Record<string, unknown>> =>
      (await (await fetch(`${rig.product.url}/api/${path}`)).json()) as Record<string, unknown>;
    expect((await answer(`savings?${october}`))['closings']).toEqual([
      expect.objectContaining({ waba_id: WABA, month: '2026-10', closed_by: NAME, checksum: period!.checksum }),
    ]);
    expect(await answer('savings?from=2026-09-01&to=2026-10-01')).toEqual({ rows: [] });
    expect(Object.keys(await answer(`daily?${october}`))).toEqual(['rows']);
    expect(Object.keys(await answer(`charges?${october}&tz=UTC`))).toEqual(['rows']);
    expect(Object.keys(await answer(`charges?${october}&waba_id=1`))).toEqual(['rows']);

    await output(data, ['ingest', 'late.ndjson']);
    await untilSettled(rig.product);
    await page.goto(`${rig.product.url}/billing/close?month=2026-10`);
    const changed = (await tableRows(page, 'since')).map((cells) => cells.map(({ text }) => text));
    expect(changed).toEqual([['7 Oct 2026', '+1', 'USD', '+0.06', '0.00']]);
    expect(await page.locator('#since').innerText()).toContain('2 events of the month stored');
    const csv = await page.locator('#since .links a').first().getAttribute('href');
    const adjustments = csvRows(await (await fetch(new URL(csv!, page.url()))).text());
    expect(adjustments.map((row) => [row['day'], row['billed_cost']])).toEqual([['2026-10-07', '0.0625']]);
    // The checklist stays what it was.
    expect(await states(page)).toMatchObject({ events: 'pending', invoice: 'passed' });

    // The report is made once, of what was frozen; its folder is the same bytes each time.
    await page.locator('#report').getByLabel('Your name').fill(NAME);
    await page.locator('#report').getByRole('button', { name: 'Make the report' }).click({ noWaitAfter: true });
    await page.getByRole('heading', { name: `Report of Oct 2026, account ${WABA}` }).waitFor({ timeout: 120_000 });
    const sums = (await tableRows(page, 'charges')).map((cells) => cells.map(({ text }) => text));
    expect(sums).toEqual([['Brazil', 'marketing', '5', 'USD 0.31', 'USD 0.31', 'USD 0.00']]);
    expect(await page.locator('dl').innerText()).toContain(period!.checksum);
    const root = page.locator('html');
    expect(await root.getAttribute('style')).toContain(`SHA-256 ${period!.checksum}`);
    await check(page);
    const folder = new URL((await page.locator('.back a[download]').getAttribute('href'))!, page.url());
    const archive = async (): Promise<Buffer> => Buffer.from(await (await fetch(folder)).arrayBuffer());
    const files = unzipSync(await archive());
    expect(Object.keys(files)).toHaveLength(15);
    expect(Buffer.from(files[`month-close-2026-10-${WABA}/charges.csv`]!).toString().split('\n')).toHaveLength(4);
    expect((await archive()).equals(await archive())).toBe(true);
    await page.goto(`${rig.product.url}/billing/close?month=2026-10`);
    expect(await root.getAttribute('style')).toMatch(/--sheet-title: "CTWA Ledger, Month close.*--sheet-foot: "As of/);
    expect(await page.locator('#report').innerText()).toContain('It stays the same bytes');
    await check(page);

    await page.locator('#reopen').getByLabel('Your name').fill('Rui');
    await page
      .locator('#reopen form')
      .evaluate((one) => ((one as unknown as { noValidate: boolean }).noValidate = true));
    await page.locator('#reopen').getByRole('button').click();
    await page.locator('#reopen').getByRole('alert').waitFor();
    expect(await page.locator('#reopen').getByRole('alert').innerText()).toContain('Say why the month is reopened');
    await page.locator('#reopen').getByLabel('Reason').fill('A late message');
    await page.locator('#reopen').getByRole('button').click();
    await page.locator('#done').waitFor();
    expect((await tableRows(page, 'closings'))[0]![2]!.text).toMatch(/^reopened .* by Rui: A late message$/);
    // It is there, and Meta does not count it.
    expect(await states(page)).toMatchObject({ differences: 'passed', invoice: 'passed', events: 'unknown' });
    await page.goto(`${rig.product.url}/billing?${october}`);
    expect(await badge.count()).toBe(0);
  });

  it('can be read on a phone, in the dark, and mends a broken address', async () => {
    const page = await rig.newPage({
      viewport: { width: 390, height: 844 },
      colorScheme: 'dark',
      bypassCSP: true,
    });
    await page.goto(`${rig.product.url}/billing/close?month=2026-13&account=nobody`);
    expect(await page.locator('.repairs li').allInnerTexts()).toEqual([
      'month: “2026-13” is not a month like 2026-10; the last one that is over is shown.',
      'account: “nobody” has nothing to close in Oct 2026; another one is shown.',
    ]);
    expect(await page.locator('h1').innerText()).toBe('Month close, Oct 2026');
    await check(page, 'light');
    // What was sent without outcome is in the report that the item leads to.
    writeFileSync(data.file('sent.ndjson'), lines(delivered('wamid.9.1', 9).slice(0, 1)));
    await output(data, ['ingest', 'sent.ndjson']);
    await untilSettled(rig.product);
    await page.reload();
    expect(await states(page)).toMatchObject({ outcomes: 'open' });
    const csv = await page.locator('[data-check="outcomes"] .links a').getAttribute('href');
    const sent = csvRows(await (await fetch(new URL(csv!, page.url()))).text());
    expect(sent.map((row) => row['message_id'])).toEqual(['wamid.9.1']);
    await page.goto(`${rig.product.url}/billing/close?month=2026-09`);
    expect(await page.locator('#nothing').innerText()).toContain('No message was delivered in Sep 2026');
  });
});

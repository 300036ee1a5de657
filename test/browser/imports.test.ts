import { Decimal } from 'decimal.js';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { complaintsOf, headsWithoutMeaning, launchBrowser, tableRows } from '../support/browser.ts';
import { csvRows, DataDirectory, output, startProduct, untilSettled, type Product } from '../support/product.ts';
import { workbookOf } from '../support/workbook.ts';

type Row = Record<string, string>;

/** Simulated traffic ends here. */
const END = '2026-11-01';
const RANGE = 'from=2026-10-20&to=2026-11-01&as_of=2026-11-05T00:00:00Z';
const HEAD = 'Reporting starts,Reporting ends,Campaign name,Ad name,Ad ID,Amount spent (BRL)';

describe('what ads cost', () => {
  const data = new DataDirectory();
  let product: Product;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: readonly string[];
  /** What a test brings about itself. */
  let expected: RegExp | null;
  let entries: readonly Row[];
  /** The ads that most conversations came from. */
  let ads: readonly string[];
  /** Ad conversations of which some entry was answered (rules.md 6). */
  let answered: ReadonlySet<string>;

  beforeAll(async () => {
    await output(data, [
      'simulate',
      '--threads',
      '700',
      '--days',
      '14',
      '--seed',
      '5',
      '--end',
      END,
      '--out',
      'e.ndjson',
    ]);
    await output(data, ['ingest', 'e.ndjson']);
    entries = csvRows(await output(data, ['export', 'conversations', '--from', '2026-10-20', '--to', END])).filter(
      (row) => row['conversation_id'] === row['ad_conversation_id'],
    );
    const all = csvRows(await output(data, ['export', 'conversations']));
    answered = new Set(all.filter((row) => row['replied_at'] !== '').map((row) => row['ad_conversation_id']!));
    const counts = new Map<string, number>();
    for (const { ad_id, source_type } of entries)
      if (source_type === 'ad') counts.set(ad_id!, (counts.get(ad_id!) ?? 0) + 1);
    ads = [...counts].toSorted((a, b) => b[1] - a[1]).map(([ad_id]) => ad_id);
    expect(ads.length).toBeGreaterThan(5);
    product = await startProduct(data);
    await untilSettled(product);
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    expect(await product.stop()).toBe(0);
    await data.remove();
  });
  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    complaints = complaintsOf(page);
    expected = null;
  });
  afterEach(async () => {
    expect(complaints.filter((complaint) => expected?.test(complaint) !== true)).toEqual([]);
    await context.close();
  });

  const upload = async (name: string, content: string | Buffer, mapping?: string): Promise<void> => {
    await page.goto(`${product.url}/imports?${RANGE}`);
    const file = { name, mimeType: 'text/csv', buffer: Buffer.from(content) };
    await page.getByLabel('File, up to 32 MB').setInputFiles(file);
    if (mapping !== undefined) await page.locator('#upload').getByLabel('Columns').selectOption(mapping);
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.locator('#preview').waitFor();
  };
  const rowOf = async (ad_id: string): Promise<string[]> => {
    const row = (await tableRows(page, 'by-ad')).find((cells) => cells[0]!.text.includes(ad_id));
    if (row === undefined) throw new Error(`No row of ad ${ad_id}.`);
    return row.map(({ text }) => text);
  };
  const startsOf = (ad_id: string): readonly Row[] => entries.filter((row) => row['ad_id'] === ad_id);
  /** An amount as the page writes it. */
  const shown = (amount: Decimal): string => `BRL ${amount.toFixed(2, Decimal.ROUND_HALF_UP)}`;

  it('is previewed, imported, shown with every ad, and taken back', async () => {
    const [first, second] = [ads[0]!, ads[1]!];
    const lines = [
      HEAD,
      `2026-10-21,2026-10-21,Autumn,Sofa,${first},100.005`,
      `2026-10-22,2026-10-22,Autumn,Sofa,${first},20`,
      `2026-10-21,2026-10-21,Autumn,"Lamp, blue",${second},33.33`,
      `2026-10-21,2026-10-21,Winter,Lonely,4040,7`,
      `2026-09-01,2026-10-21,Winter,Long,4041,500`,
    ];
    await upload('october.csv', `${lines.join('\n')}\n`);
    const preview = await page.locator('#preview').innerText();
    expect(preview).toContain('4 ads, 5 amounts');
    expect(preview).toContain('4040');
    // Nothing is applied before somebody says so.
    expect(await (await fetch(`${product.url}/api/ad-spend-imports`)).json()).toEqual({ rows: [] });
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await page.locator('#done').waitFor();
    expect(await page.locator('#imports tbody th').allInnerTexts()).toEqual(['october.csv']);

    await page.goto(`${product.url}/ads?${RANGE}`);
    const started = startsOf(first);
    const replied = started.filter((start) => answered.has(start['conversation_id']!)).length;
    const row = await rowOf(first);
    expect(row[0]).toContain('Sofa');
    expect(row[0]).toContain('Autumn');
    expect(row[1]).toBe(String(started.length));
    expect(row[6]).toBe(shown(new Decimal('120.005')));
    expect(row[7]).toContain(shown(new Decimal('120.005').div(started.length)));
    expect(row[8]).toContain(shown(new Decimal('120.005').div(replied)));
    // Few conversations are said to be few.
    expect(row[7]!.startsWith('~')).toBe(started.length < 30);
    expect((await rowOf('4040'))[6]).toBe('BRL 7.00');
    expect((await rowOf('4040'))[7]).toBe('–');
    expect(await page.locator('#by-ad .notes').innerText()).toContain('1 imported amount reaches beyond these days');

    // The same by CSV and API, row by row.
    const csv = csvRows(
      await (
        await fetch(new URL((await page.locator('#by-ad .links a').first().getAttribute('href'))!, page.url()))
      ).text(),
    );
    const json = (await (await fetch(`${product.url}/api/ad-figures?${RANGE}`)).json()) as {
      rows: Record<string, unknown>[];
    };
    expect(csv.map((line) => [line['ad_id'], line['spend'] || null])).toEqual(
      json.rows.map((line) => [line['ad_id'], line['spend']]),
    );
    const ofFirst = csv.find((line) => line['ad_id'] === first)!;
    expect(ofFirst['cost_per_conversation']).toBe(
      new Decimal('120.005').div(started.length).toFixed(4, Decimal.ROUND_HALF_UP),
    );

    // Two ads of one campaign have one row, which leads to them.
    await page.getByRole('navigation', { name: 'Group by' }).getByRole('link', { name: 'Campaign' }).click();
    await page.getByRole('heading', { name: 'By campaign' }).waitFor();
    const autumn = await rowOf('Autumn');
    const both = started.length + startsOf(second).length;
    expect(autumn[0]).toBe('Autumn 2 ads and posts');
    expect([autumn[1], autumn[5]]).toEqual([String(both), shown(new Decimal('153.335'))]);
    expect(autumn[6]).toContain(shown(new Decimal('153.335').div(both)));
    expect(await page.locator('#by-ad a', { hasText: 'CSV' }).count()).toBe(0);
    const total = (await page.locator('#by-ad tfoot').innerText()).replaceAll(/\s+/g, ' ');
    expect(total).toContain('BRL 160.34');
    await page.getByRole('link', { name: 'Autumn' }).click();
    await page.waitForURL((url) => url.searchParams.get('campaign') === 'Autumn' && !url.searchParams.has('by'));
    await page.getByRole('heading', { name: 'By ad' }).waitFor();
    expect((await tableRows(page, 'by-ad')).map((cells) => cells[6]!.text).sort()).toEqual(['BRL 120.01', 'BRL 33.33']);
    await page.goto(`${product.url}/ads?${RANGE}&compare=none`);

    // Sorted by cost, most first.
    await page.getByRole('link', { name: 'Spend', exact: true }).click();
    await page.locator('#by-ad th[aria-sort="descending"]', { hasText: 'Spend' }).waitFor();
    const spends = (await tableRows(page, 'by-ad')).map((cells) => cells[6]!.text);
    expect(spends.slice(0, 3)).toEqual(['BRL 120.01', 'BRL 33.33', 'BRL 7.00']);
    expect(spends[3]).toBe('–');

    await page.goto(`${product.url}/imports?${RANGE}`);
    await page.getByRole('link', { name: 'Withdraw october.csv' }).click();
    await page.getByRole('button', { name: 'Withdraw this import' }).click();
    await page.locator('#done').waitFor();
    // No ad has a cost any more, so its column is left out unless it is asked for.
    await page.goto(`${product.url}/ads?${RANGE}`);
    expect(await page.locator('#by-ad thead').innerText()).not.toContain('Spend');
    await page.goto(`${product.url}/ads?${RANGE}&columns=spend`);
    expect((await rowOf(first))[1]).toBe('–');
    expect((await rowOf(first))[0]).not.toContain('Sofa');
  });

  it('says what is wrong in a file, line by line, and imports nothing of it', async () => {
    await upload('broken.csv', `${HEAD}\n2026-10-21,2026-10-21,A,<b>B</b>,1,1_5\n2026-10-32,2026-10-21,A,B,one,1\n`);
    const problems = await page.locator('#preview li').allInnerTexts();
    expect(problems.map((problem) => /^Line (\d), column \d+/.exec(problem)?.[1])).toEqual(['2', '3', '3']);
    expect(await page.getByRole('button', { name: 'Import', exact: true }).count()).toBe(0);
    await upload('none.csv', 'a,b\n1,2\n');
    expect(await page.locator('#preview').innerText()).toContain('Ad ID');
    await page.goto(`${product.url}/imports?upload=nonsense`);
    expect(await page.getByRole('alert').innerText()).toContain('The upload is not there any more');
  });

  it('comes in another language, as a workbook, with sums that are passed over', async () => {
    const rows = [
      ['Nome do anúncio', 'Identificação do anúncio', 'Dia', 'Valor gasto (BRL)'],
      ['Luminária', '7070', 'Todos', 21.01],
      ['Luminária', '7070', new Date('2026-10-24'), 8.97],
      ['Luminária', '7070', new Date('2026-10-25'), 12.04],
    ];
    await upload('anuncios.csv', await workbookOf({ name: 'Dados', rows }));
    const preview = await page.locator('#preview').innerText();
    expect(preview).toContain('1 ad, 2 amounts of 24 Oct 2026 to 25 Oct 2026: BRL 21.01');
    expect(preview).toContain('1 row passed over');
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await page.locator('#done').waitFor();

    const spoilt = rows.map((cells, index) =>
      index === 0 ? cells : [cells[0]!, Number('120226305854810726'), ...cells.slice(2)],
    );
    await upload('spoilt.xlsx', await workbookOf({ name: 'Dados', rows: spoilt }));
    expect(await page.locator('#preview li').allInnerTexts()).toEqual([
      expect.stringMatching(
        /^Sheet "Dados", cell B3 \(Identificação do anúncio\): A spreadsheet has rounded the ids of ads/,
      ),
    ]);
  });

  it('with unknown headings is mapped by hand, once', async () => {
    const file = (day: number): string => `Reklama;Data;Kwota\n8080;2026-10-2${day};1 250,50\n`;
    const isShown = async (): Promise<void> => {
      expect(await page.locator('#preview').innerText()).toContain('1 ad, 1 amount');
      expect(await page.locator('#preview').innerText()).toContain('PLN 1,250.50');
    };
    await upload('first.csv', file(1));
    expect(await page.locator('#preview').innerText()).toContain('The columns found are: "Reklama", "Data", "Kwota"');
    await page.getByLabel('Ad ID').selectOption('Reklama');
    await page.getByLabel('Day').selectOption('Data');
    await page.getByRole('button', { name: 'Preview with these columns' }).click();
    await page.getByText('nothing to import').waitFor();
    // What was said stays, and the rest can be added.
    expect(await page.getByLabel('Ad ID').inputValue()).toBe('Reklama');
    await page.getByLabel('Amount spent').selectOption('Kwota');
    await page.getByLabel('Currency, if no column says it').fill('pln');
    await page.getByRole('button', { name: 'Preview with these columns' }).click();
    await page.getByRole('button', { name: 'Import', exact: true }).waitFor();
    await isShown();
    await page.getByLabel('Keep these columns under a name').fill('<agency>');
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    expect(await page.locator('input:invalid').count()).toBe(1);
    await page.locator('#preview form').evaluate((form) => form.setAttribute('novalidate', ''));
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await page.getByText('The columns cannot be kept as “<agency>”').waitFor();
    expected = /^400: |status of 400/;
    await page.goBack();
    await page.getByLabel('Keep these columns under a name').fill('agency');
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await page.locator('#done').waitFor();
    expect(await page.locator('#mappings').innerText()).toContain(
      'agency: Ad ID is “Reklama”, Day is “Data”, Amount spent is “Kwota”, all amounts are in PLN.',
    );

    await upload('second.csv', file(2), 'agency');
    await isShown();
    expect(await page.getByLabel('Keep these columns under a name').count()).toBe(0);
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await page.locator('#done').waitFor();
    await page.goto(`${product.url}/ads?${RANGE}`);
    expect((await rowOf('8080'))[6]).toBe('PLN 2,501.00');
    await page.goto(`${product.url}/imports?upload=nonsense&mapping=nobody`);
    expect(await page.getByRole('alert').innerText()).toContain(
      'No mapping of columns is kept under the name “nobody”',
    );
  });

  it('is typed with the keyboard alone, from the page of the ad', async () => {
    const ad = ads[2]!;
    await page.goto(`${product.url}/ads?${RANGE}&ad=${ad}`);
    await page.getByRole('link', { name: 'Enter what it cost' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.pathname === '/imports');
    await page.getByLabel('Ad ID').focus();
    expect(await page.getByLabel('Ad ID').inputValue()).toBe(ad);
    await page.keyboard.press('Tab');
    await page.keyboard.type('By hand');
    await page.keyboard.press('Tab');
    await page.keyboard.type('10212026');
    const typed = page.getByRole('region', { name: 'Type what an ad cost' });
    await typed.getByLabel('Last day, included').focus();
    await page.keyboard.type('10222026');
    await page.getByLabel('Amount, like 1234.50').focus();
    await page.keyboard.type('12,50');
    await page.keyboard.press('Tab');
    await page.keyboard.type('brl');
    await page.keyboard.press('Enter');
    // What cannot be kept stays in the form.
    expected = /\b400\b/;
    expect(await page.getByRole('alert').innerText()).toContain('plain decimal');
    expect(await page.getByLabel('Name, if it has one').inputValue()).toBe('By hand');
    await page.getByLabel('Amount, like 1234.50').fill('12.50');
    await page.getByLabel('Amount, like 1234.50').press('Enter');
    await page.locator('#done').waitFor();
    await page.goto(`${product.url}/ads?${RANGE}`);
    const row = await rowOf(ad);
    expect([row[0]!.slice(0, 7), row[6]]).toEqual(['By hand', 'BRL 12.50']);
    // Half of its days are in no row.
    await page.goto(`${product.url}/ads?from=2026-10-22&to=2026-11-01`);
    expect((await rowOf(ad))[6]).toBe('–');
  });

  it('is found by a part of its name, and leads to its unanswered conversations and back', async () => {
    await page.goto(`${product.url}/ads?${RANGE}`);
    const named = (await tableRows(page, 'by-ad')).filter((row) => /by hand/i.test(row[0]!.text));
    await page.getByLabel('Ad', { exact: true }).fill('by HAND');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.searchParams.get('ad') === (named.length === 1 ? ads[2]! : 'by HAND'));
    expect(named).toHaveLength(1);
    await page.getByRole('link', { name: 'Not answered within 24 h' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.pathname === '/conversations' && url.searchParams.get('ad') === ads[2]!);
    await page.goBack();
    await page.waitForURL((url) => url.pathname === '/ads' && url.searchParams.get('ad') === ads[2]!);
    expect(new URL(page.url()).searchParams.get('from')).toBe('2026-10-20');
    // Several have a name with a letter in it: they are listed, on the page and in its file.
    await page.goto(`${product.url}/ads?${RANGE}&ad=a`);
    expect((await tableRows(page, 'by-ad')).length).toBeGreaterThan(1);
    const file = await page.locator('#by-ad a', { hasText: 'CSV' }).first().getAttribute('href');
    expect(new URL(file!, product.url).searchParams.getAll('ad')).toEqual(['a']);
  });

  it('has its own page: over time, how soon it is answered, what follows, and in which hours of the week', async () => {
    const ad = ads[0]!;
    const query = `${RANGE}&tz=Asia/Kolkata&ad=${ad}`;
    const rowsAt = async (report: string): Promise<readonly Record<string, number>[]> =>
      ((await (await fetch(`${product.url}/api/${report}?${query}`)).json()) as { rows: Record<string, number>[] })
        .rows;
    const [answers] = await rowsAt('ad-answers');
    const hours = await rowsAt('ad-hours');
    expect(answers!['ad_conversations']).toBeGreaterThan(0);
    await page.goto(`${product.url}/ads?${query}`);
    const cells = async (id: string): Promise<string[][]> =>
      (await tableRows(page, id)).map((row) => row.map(({ text }) => text));
    expect((await cells('answers')).map((row) => Number(row[1]))).toEqual(
      ['ad_conversations', 'replied', 'wrote_again', 'engaged', 'first_contacts', 'with_click_id'].map(
        (column) => answers![column],
      ),
    );
    const bands = (await cells('reply-speed')).map((row) => Number(row[1]));
    expect(bands.reduce((sum, value) => sum + value, 0)).toBe(answers!['ad_conversations']);
    const week = await cells('week');
    expect(week).toHaveLength(24);
    for (const { weekday, hour_of_day, entries: written, first_replies } of hours) {
      const row = week[hour_of_day!]!;
      expect([row[weekday!], row[weekday! + 7]]).toEqual([String(written), String(first_replies)]);
    }
    expect(await page.locator('#waiting tbody tr').count()).toBeGreaterThan(0);
    const days = (await cells('by-day')).map((row) => Number(row[1]));
    expect(days.reduce((sum, value) => sum + value, 0)).toBe(answers!['ad_conversations']);
    expect(await page.locator('figure canvas').count()).toBe(1);
    // Of all ads it is asked for.
    await page.goto(`${product.url}/ads?${RANGE}`);
    expect(await page.locator('#answers').count()).toBe(0);
    await page.getByRole('link', { name: /^Show full cost/ }).click();
    await page.locator('#answers tbody tr').first().waitFor();
    expect(await page.locator('#week tbody tr').count()).toBe(24);
    expect(await headsWithoutMeaning(page)).toEqual([]);
  });

  it('has a full cost with its messages, and clicks that never wrote only where an import says clicks', async () => {
    const ad = ads[3]!;
    const query = `${RANGE}&ad=${ad}`;
    const text = async (id: string): Promise<string> =>
      (await page.locator(`#${id}`).innerText()).replaceAll(/\s+/g, ' ');
    const stepCells = async (): Promise<string[][]> =>
      (await tableRows(page, 'steps')).map((row) => row.map((cell) => cell.text));
    await page.goto(`${product.url}/ads?${query}`);
    expect(await text('steps')).toContain('Clicks that never wrote are not known');
    expect((await stepCells()).map((row) => row[2])).toEqual(['–', '–', '–', '–', '–']);
    expect(await text('full-cost')).toContain('The full cost is known for 0 of 1 ad or post');

    const head = 'Ad ID,Ad name,Day,Amount spent (BRL),Link clicks,messaging_user_depth_2_message_send';
    const rows = Array.from({ length: 12 }, (_, day) => `${ad},Clicked,2026-10-${20 + day},10,50,3`);
    await upload('clicks.csv', `${[head, ...rows].join('\n')}\n`);
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await page.locator('#done').waitFor();
    await page.goto(`${product.url}/ads?${query}`);
    const { rows: steps } = (await (await fetch(`${product.url}/api/ad-steps?${query}`)).json()) as {
      rows: { step: string; counted: number }[];
    };
    const here = new Map(steps.map(({ step, counted }) => [step, counted]));
    const never = 600 - here.get('link_clicks')!;
    expect(await stepCells()).toEqual([
      [expect.any(String), String(here.get('link_clicks')), '600', String(here.get('link_clicks')), `−${never}`, '12'],
      ['Conversations started', String(here.get('conversations_started')), '–', '–', '–', '0, 12 without'],
      [expect.any(String), String(here.get('depth_2')), '36', String(here.get('depth_2')), expect.any(String), '12'],
      [expect.any(String), String(here.get('depth_3')), '–', '–', '–', '0, 12 without'],
      [expect.any(String), String(here.get('depth_5')), '–', '–', '–', '0, 12 without'],
    ]);
    expect(await text('steps')).toContain(`Clicks that never wrote: ${never} of 600`);
    expect(await text('steps')).toContain('Not in the imported costs: Messaging conversations started');
    const { rows: costs } = (await (await fetch(`${product.url}/api/ad-messages?${query}`)).json()) as {
      rows: { messages: number; unrated: number; ad_conversations: number }[];
    };
    const sent = costs.reduce((sum, { messages }) => sum + messages, 0);
    expect(sent).toBeGreaterThan(0);
    expect(await page.getByRole('region', { name: 'This ad' }).innerText()).toContain(`${sent} delivered`);
    // No rate card is imported, so charged messages have no price and make no cost of 0.
    expect(costs.some(({ unrated }) => unrated > 0)).toBe(true);
    expect(await text('full-cost')).toMatch(/–, \d+ without a price/);
    // With the details of all ads each row has its own.
    await page.goto(`${product.url}/ads?${RANGE}&details=1`);
    await page.locator('#by-ad').getByRole('link', { name: 'Full cost per conversation', exact: true }).waitFor();
  });
});

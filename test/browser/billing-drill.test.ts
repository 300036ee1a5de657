import { writeFileSync } from 'node:fs';
import { Decimal } from 'decimal.js';
import { DateTime } from 'luxon';
import type { Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { Prng } from '../../services/simulate/prng.ts';
import { browserRig } from '../support/browser-rig.ts';
import { focusOf, sidewaysScroll } from '../support/browser.ts';
import { AMOUNTS, cardText, sumsOf, type Sum } from '../support/money-sums.ts';
import { asPrinted, csvRows, output, until } from '../support/product.ts';

const isFull = process.env['CTWA_FULL'] === '1';

type Row = Record<string, string>;

const ACCOUNTS = {
  '102290129340398': { zone: 'America/Sao_Paulo', currency: 'BRL' },
  '530247719086634': { zone: 'America/New_York', currency: 'USD' },
} as const;

/** Rates of which no sum is a whole number of minor units. */
function cardTimes(factor: string): string {
  const rates = (...texts: string[]): string =>
    texts.map((text) => new Decimal(text).times(factor).toFixed()).join(',');
  return cardText(
    `Brazil,BRL,${rates('0.32171234', '0.0350005', '0.035')},n/a,${rates('0.02')}`,
    `Other,BRL,${rates('0.35', '0.05', '0.05')},n/a,${rates('0.03')}`,
    `North America,USD,${rates('0.01234567', '0.005', '0.005')},n/a,${rates('0.001')}`,
  );
}

/** So low that messages of a month fall on both sides. */
const TIERS = `Market,Currency,Message type,From,To,Rate
Brazil,BRL,Utility,1,5,0.0350005
Brazil,BRL,Utility,6,,0.0310007
`;

const RANGE = { from: '2026-09-20', to: '2026-11-05' } as const;
const MONTH = { from: '2026-10-01', to: '2026-11-01' } as const;
const NARROWINGS = ['waba_id', 'phone_number_id', 'market', 'category', 'billing'] as const;
const PAGE_ROWS = 50;

/** Sums of rows in each currency. */
const inCurrencies = (rows: readonly Row[], unratedOf?: (row: Row) => number): Record<string, Sum> =>
  Object.fromEntries(sumsOf(rows, (row) => row['currency']!, unratedOf));

// How the screen writes amounts out, written down a second time.
function written(decimal: string, currency: string): string {
  if (decimal === '' || currency === '') return '–';
  const [whole = '', places = ''] = decimal.split('.');
  return `${whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')}.${places.padEnd(2, '0')}`;
}

const count = (value: number): string => String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');
const plain = (text: string): string => text.replaceAll(',', '');

describe('every cent of the bill is followed down to the message', () => {
  const rig = browserRig({
    prepare: async (data) => {
      writeFileSync(data.file('card.csv'), cardTimes('1'));
      writeFileSync(data.file('dearer.csv'), cardTimes('2'));
      writeFileSync(data.file('tiers.csv'), TIERS);
      await output(data, ['simulate', '--threads', '250', '--days', '40', '--seed', '23', '--out', 'events.ndjson']);
      await output(data, ['ingest', 'events.ndjson']);
      for (const [waba_id, { zone, currency }] of Object.entries(ACCOUNTS))
        await output(data, ['accounts', 'set', waba_id, '--currency', currency, '--time-zone', zone]);
      await output(data, ['rates', 'import', 'card.csv', '--effective', '2026-07-01']);
      await output(data, ['rates', 'import', 'tiers.csv', '--effective', '2026-07-01']);
      await output(data, ['export', 'charges']);
      return undefined;
    },
  });
  const { data } = rig;

  const open = (path: string): Promise<void> => rig.open(path);
  const fetched = (path: string): Promise<string> => rig.fetched(path);
  /** Shows all columns of some tables, also those that are empty on the page. The links to files then name columns. */
  const showInFull = async (...ids: readonly string[]): Promise<void> => {
    const showAll = (id: string): Locator =>
      rig.page.locator(`#${id}`).getByRole('link', { name: /^Show all columns/ });
    const full = new URL(rig.page.url());
    for (const id of ids) {
      if ((await showAll(id).count()) === 0) continue;
      const { searchParams } = new URL((await showAll(id).getAttribute('href')) ?? '', full);
      for (const [name, value] of searchParams) full.searchParams.set(name, value);
    }
    if (full.href === rig.page.url()) return;
    await open(`${full.pathname}${full.search}`);
    for (const id of ids) expect(await showAll(id).count()).toBe(0);
  };
  /** The texts of some tables with all their columns; the page is as before then. */
  const cellsOf = async (...ids: readonly string[]): Promise<string[][][]> => {
    const usual = new URL(rig.page.url());
    await showInFull(...ids);
    const tables: string[][][] = [];
    for (const id of ids) tables.push(await rig.cells(id));
    if (rig.page.url() === usual.href) return tables;
    await open(`${usual.pathname}${usual.search}`);
    // A link that is followed before scripts run loads the next page as a whole.
    await rig.page.waitForLoadState('networkidle');
    return tables;
  };
  const cells = async (id: string): Promise<string[][]> => (await cellsOf(id))[0]!;
  /** What the link CSV of a frame gives. */
  const linked = async (frame: string): Promise<Row[]> =>
    csvRows(
      await fetched((await rig.page.locator(`#${frame} a`, { hasText: 'CSV' }).first().getAttribute('href')) ?? ''),
    );
  /**
   * The rows of a table, with all columns, on all its pages; none, where it says that there is none. The page is the last
   * of them then.
   */
  const allPages = async (frame: string): Promise<string[][]> => {
    const rows: string[][] = [];
    for (;;) {
      // Which columns are empty is another thing on each page.
      await showInFull(frame);
      const shown = (await rig.cells(frame)).filter((row) => row.length > 1);
      expect(shown.length).toBeLessThanOrEqual(PAGE_ROWS);
      rows.push(...shown);
      const next = rig.page.locator(`#${frame} a[rel="next"]`).first();
      if ((await next.count()) === 0) return rows;
      expect(shown).toHaveLength(PAGE_ROWS);
      await rig.page.goto(new URL((await next.getAttribute('href')) ?? '', rig.page.url()).href);
    }
  };

  const messages = async (): Promise<Row[]> =>
    csvRows(await output(data, ['export', 'messages'])).filter((row) => row['delivered_at'] !== '');
  const dayOf = (message: Row, tz: string | null): string => {
    const own = new Map<string, { readonly zone: string }>(Object.entries(ACCOUNTS)).get(message['waba_id']!);
    return DateTime.fromISO(message['delivered_at']!, { zone: tz ?? own?.zone ?? 'UTC' }).toISODate()!;
  };
  const valueOf = (message: Row, name: string): string => message[name === 'category' ? 'rated_category' : name]!;
  const isIn = (message: Row, only: Row, range: { from: string; to: string }, tz: string | null): boolean => {
    const day = dayOf(message, tz);
    return (
      day >= range.from &&
      day < range.to &&
      Object.entries(only).every(([name, value]) => valueOf(message, name) === value)
    );
  };

  /** Screen, CSV, JSON and the plain sum over messages are the same under a narrowing. */
  const compareAll = async (all: readonly Row[], only: Row, tz: string | null): Promise<void> => {
    const expected = all.filter((message) => isIn(message, only, RANGE, tz));
    const sums = inCurrencies(expected);
    const query = new URLSearchParams({ ...RANGE, ...(tz === null ? {} : { tz }), ...only }).toString();
    const said = JSON.stringify({ only, tz });

    for (const report of ['savings', 'savings-days', 'savings-categories', 'savings-markets', 'savings-numbers']) {
      const rows = csvRows(await fetched(`/api/${report}?format=csv&${query}`));
      expect([said, report, inCurrencies(rows, (row) => Number(row['unrated']))]).toEqual([said, report, sums]);
    }
    const missing = csvRows(await fetched(`/api/unrated?format=csv&${query}`));
    expect(missing.reduce((sum, row) => sum + Number(row['messages']), 0)).toBe(
      expected.filter((row) => row['unrated'] !== '').length,
    );

    await open(`/billing?${query}`);
    const frames = ['by-category', 'by-market', 'by-number', 'by-day'];
    const tables = await cellsOf(...frames);
    for (const [i, frame] of frames.entries()) {
      const heads = { 'by-category': 3, 'by-number': 2 }[frame] ?? 1;
      const rows = tables[i]!.filter((row) => row.length > 1);
      const delivered = rows.reduce((sum, row) => sum + Number(plain(row[heads]!)), 0);
      expect([said, frame, delivered]).toEqual([said, frame, expected.length]);
      expect(inCurrencies(await linked(frame), (row) => Number(row['unrated']))).toEqual(sums);
    }
    const chips = await rig.page.getByRole('navigation', { name: 'Filters in use' }).getByRole('listitem').count();
    const asked = Object.keys(only).length;
    expect(chips).toBe(asked > 1 ? asked + 1 : asked);

    await rig.page.getByRole('link', { name: 'All charges' }).click();
    await rig.page.getByRole('heading', { name: /^Charges, / }).waitFor();
    const csv = await linked('charges');
    expect(inCurrencies(csv, (row) => Number(row['unrated']))).toEqual(sums);
    await showInFull('charges');
    const foot = (await rig.page.locator('#charges tfoot tr').allInnerTexts()).map((text) =>
      text.split('\t').map((cell) => cell.trim()),
    );
    // What is summed: messages, then from the currency on.
    expect(foot.map((row) => [row[6], '', ...row.slice(9, 14), '']).sort()).toEqual(
      Object.entries(sums)
        .map(([currency, sum]) => [
          count(sum.volume),
          '',
          currency === '' ? '–' : currency,
          ...AMOUNTS.map((name) => written(sum[name], currency)),
          count(sum.unrated),
          '',
        ])
        .sort(),
    );
    const shown = await allPages('charges');
    // The usual order of the screen is that of the file.
    expect(shown.map((row) => [row[6], row[7], row[8], ...row.slice(10, 13)])).toEqual(
      csv.map((row) => [
        count(Number(row['volume'])),
        row['tier'] === '' ? '–' : row['tier'],
        row['rate'] === '' ? '–' : row['rate'],
        ...AMOUNTS.map((name) => written(row[name]!, row['currency']!)),
      ]),
    );
    const json = JSON.parse(await fetched(`/api/charges?${query}`)) as { rows: Row[] };
    expect(asPrinted(json.rows)).toEqual(csv);

    await open(`/billing/messages?${query}`);
    const file = await linked('messages');
    expect(file.map((row) => row['message_id']).sort()).toEqual(expected.map((row) => row['message_id']).sort());
    expect(inCurrencies(file)).toEqual(sums);
    const ids = (await allPages('messages')).map((row) => row[1]);
    const ordered = expected.toSorted(
      (a, b) =>
        Date.parse(b['delivered_at']!) - Date.parse(a['delivered_at']!) ||
        (a['phone_number_id']! < b['phone_number_id']! ? 1 : a['phone_number_id']! > b['phone_number_id']! ? -1 : 0) ||
        (a['message_id']! < b['message_id']! ? 1 : -1),
    );
    expect([said, ids]).toEqual([said, ordered.map((row) => row['message_id'])]);
  };

  it('under random narrowings: screen, CSV, API and the plain sums', async () => {
    const all = await messages();
    expect(all.length).toBeGreaterThan(500);
    const random = new Prng(5);
    const cases: { only: Row; tz: string | null }[] = [
      { only: { waba_id: '' }, tz: null },
      { only: { category: 'utility', billing: 'BILLABLE', market: 'Brazil' }, tz: null },
      { only: { market: 'Nowhere' }, tz: null },
    ];
    while (cases.length < (isFull ? 12 : 4)) {
      const message = all[random.int(0, all.length - 1)]!;
      const names = NARROWINGS.filter(() => random.chance(0.4));
      const only = Object.fromEntries(names.map((name) => [name, valueOf(message, name)]));
      // All pages are walked through, so not too many of them.
      const size = all.filter((row) => isIn(row, only, RANGE, null)).length;
      if (names.length > 0 && size > 0 && size <= (isFull ? 250 : 120))
        cases.push({ only, tz: cases.length % 2 === 0 ? 'Asia/Kolkata' : null });
    }
    for (const { only, tz } of cases) await compareAll(all, only, tz);
  });

  it('filters counts and amounts of Overview by market and category', async () => {
    const days = new URLSearchParams(RANGE).toString();
    const conversations = rig.page.locator('.headline .value').first();
    await open(`/?${days}&market=Brazil&category=utility`);
    const counted = async (only: string): Promise<number> => {
      const overview = JSON.parse(await fetched(`/api/overview?${days}${only}`)) as { rows: Row[] };
      return Number(overview.rows[0]!['ad_conversations']);
    };
    const [utility, market, all_days] = [
      await counted('&market=Brazil&category=utility'),
      await counted('&market=Brazil'),
      await counted(''),
    ];
    expect(Number(plain(await conversations.innerText()))).toBe(utility);
    expect([utility > 0, utility < market, market < all_days]).toEqual([true, true, true]);
    await rig.page.getByText('Category: Utility: conversations count if such a message was delivered').waitFor();
    await open(`/?${days}&market=Brazil`);
    expect(Number(plain(await conversations.innerText()))).toBe(market);
    const { rows } = JSON.parse(await fetched(`/api/savings?${days}&market=Brazil`)) as { rows: Row[] };
    const saved = rows.filter((row) => row['currency'] !== '' && row['savings'] !== null);
    expect(saved.length).toBeGreaterThan(0);
    const shown = await rig.page.locator('.headline dd.amount').allInnerTexts();
    expect(shown.map((text) => Number(plain(text))).sort()).toEqual(
      saved.map((row) => Number(new Decimal(row['savings']!).toFixed(2, Decimal.ROUND_HALF_UP))).sort(),
    );
    const csv = await rig.page.locator('#by-day .links a').first().getAttribute('href');
    expect(csv).toContain('market=Brazil');
  });

  it('says how many there are, and leads back over the same pages', async () => {
    const days = new URLSearchParams(RANGE).toString();
    const query = new URLSearchParams({ ...RANGE, phone_number_id: '108870231945511' }).toString();
    for (const [frame, path, word] of [
      ['messages', '/billing/messages', 'messages'],
      ['charges', '/billing/charges', 'charges'],
      ['conversations', '/conversations', 'conversations'],
    ] as const) {
      const report = { messages: 'messages', charges: 'charges', conversations: 'ad-conversations' }[frame];
      const asked = { messages: `${query}&by=charged`, charges: query, conversations: days }[frame];
      const total = csvRows(await fetched(`/api/${report}?format=csv&${asked}`)).length;
      await open(`${path}?${asked}&rows=25`);
      const pages = rig.page.getByRole('navigation', { name: `Pages of ${word}` });
      const first = await rig.cells(frame);
      expect([frame, (await pages.innerText()).split('\n')[0]]).toEqual([frame, `25 of ${count(total)} ${word}`]);
      expect(first).toHaveLength(25);
      expect(await pages.getByRole('link', { name: 'Previous page' }).count()).toBe(0);
      const follow = async (name: string, parameter: string): Promise<string[][]> => {
        const before = rig.page.url();
        await pages.getByRole('link', { name }).click();
        await rig.page.waitForURL((url) => url.href !== before && url.searchParams.has(parameter));
        return rig.cells(frame);
      };
      const second = await follow('Next page', 'after');
      const third = await follow('Next page', 'after');
      expect(await follow('Previous page', 'before')).toEqual(second);
      expect(third).not.toEqual(second);
      await follow('Previous page', 'before');
      expect(await rig.cells(frame)).toEqual(first);
      expect(await pages.getByRole('link', { name: 'Previous page' }).count()).toBe(0);
    }
  });

  it('leaves out columns that are empty on the page, says so, and shows them when asked to', async () => {
    const query = new URLSearchParams({ ...RANGE, billing: 'FREE_SERVICE' }).toString();
    await open(`/billing/charges?${query}`);
    const heads = (): Promise<string[]> => rig.page.locator('#charges thead th').allInnerTexts();
    const usual = await heads();
    expect(usual).not.toContain('Rate');
    const controls = rig.page.locator('#charges .controls');
    expect(await controls.innerText()).toMatch(/\d empty columns? not shown/);
    await controls.getByRole('link', { name: /^Show all columns/ }).click();
    await rig.page.waitForURL((url) => url.searchParams.has('columns'));
    expect((await heads()).length).toBeGreaterThan(usual.length);
    expect(await heads()).toContain('Rate');
    expect(await controls.innerText()).not.toContain('not shown');
  });

  it('has the points of exact amounts below each other', async () => {
    const query = new URLSearchParams({ ...RANGE, phone_number_id: '108870231945511' }).toString();
    await open(`/billing/charges?${query}&sort=-billed_cost`);
    // Where the point of each amount in the column is, measured in the page.
    const points = await rig.page.locator('#charges').evaluate((frame) => {
      interface Part {
        readonly firstChild: { readonly textContent: string | null } | null;
      }
      const { document } = globalThis as unknown as {
        document: {
          createRange(): {
            setStart(of: unknown, at: number): void;
            setEnd(of: unknown, at: number): void;
            getBoundingClientRect(): { readonly left: number };
          };
        };
      };
      const spans = (frame as unknown as { querySelectorAll(selector: string): Iterable<Part> }).querySelectorAll(
        'tbody td:nth-last-child(-n+6) > span',
      );
      return [...spans].flatMap(({ firstChild }) => {
        const text = firstChild?.textContent ?? '';
        const at = text.indexOf('.');
        if (at < 0) return [];
        const range = document.createRange();
        range.setStart(firstChild, at);
        range.setEnd(firstChild, at + 1);
        return [{ text, left: Math.round(range.getBoundingClientRect().left) }];
      });
    });
    const places = new Set(points.map(({ text }) => text.split('.')[1]!.length));
    expect(places.size).toBeGreaterThan(1);
    // Each of the three columns of amounts has one place for its points; a rate may have another.
    expect(new Set(points.map(({ left }) => left)).size).toBeLessThanOrEqual(4);
  });

  it('in every order, page by page, none twice and none left out', async () => {
    const only = { phone_number_id: '108870231945511' };
    const query = new URLSearchParams({ ...RANGE, ...only }).toString();
    for (const [frame, path, sorts] of [
      [
        'messages',
        '/billing/messages',
        isFull ? ['delivered_at', '-market', 'rated_category', '-billing'] : ['-market'],
      ],
      [
        'charges',
        '/billing/charges',
        isFull ? ['-billed_cost', 'list_cost', '-volume', 'category', '-rate'] : ['-billed_cost', '-volume'],
      ],
    ] as const) {
      await open(`${path}?${query}`);
      const usual = (await allPages(frame)).map((row) => row.join(' '));
      expect(usual.length).toBeGreaterThan(PAGE_ROWS);
      for (const sort of sorts) {
        await open(`${path}?${query}&sort=${sort}`);
        const rows = await allPages(frame);
        expect([sort, rows.map((row) => row.join(' ')).sort()]).toEqual([sort, usual.toSorted()]);
        const column = { '-market': 5, rated_category: 3, '-billing': 4, category: 4 }[sort as string];
        if (column !== undefined) {
          const words = rows.map((row) => row[column]!);
          expect([sort, words]).toEqual([sort, sort.startsWith('-') ? words.toSorted().reverse() : words.toSorted()]);
        }
        if (sort === '-volume') {
          const volumes = rows.map((row) => Number(plain(row[6]!)));
          expect(volumes).toEqual(volumes.toSorted((a, b) => b - a));
        }
        if (sort === '-billed_cost') {
          const amounts = rows
            .filter((row) => row[9] === 'BRL' && row[11] !== '–')
            .map((row) => Number(plain(row[11]!)));
          expect(amounts.length).toBeGreaterThan(10);
          expect(amounts).toEqual(amounts.toSorted((a, b) => b - a));
        }
      }
    }
  });

  it('from each charge to its own messages, tiers and free places included', async () => {
    const all = await messages();
    await open(
      `/billing/charges?${new URLSearchParams({ ...MONTH, category: 'utility', billing: 'BILLABLE', market: 'Brazil' })}`,
    );
    const csv = await linked('charges');
    expect(new Set(csv.map((row) => row['tier'])).size).toBeGreaterThan(1);
    const links = await rig.page
      .locator('#charges tbody tr td:nth-child(7) a')
      .evaluateAll((found) =>
        (found as unknown as { getAttribute(name: string): string }[]).map((link) => link.getAttribute('href')),
      );
    const charges = await cells('charges');
    expect(links).toHaveLength(charges.length);
    let seen = 0;
    for (const [i, link] of links.entries()) {
      await rig.page.goto(new URL(link, rig.page.url()).href);
      const file = await linked('messages');
      await showInFull('messages');
      const rows = await rig.cells('messages');
      const charge = csv[i]!;
      expect(rows.map((row) => row[1]).sort()).toEqual(file.map((row) => row['message_id']).sort());
      expect(String(file.length)).toBe(charge['volume']);
      expect(inCurrencies(file, () => 0)[charge['currency']!]!.billed_cost).toBe(charge['billed_cost']);
      expect(rows.every((row) => row[13] === (charge['tier'] === '' ? '–' : charge['tier']))).toBe(true);
      seen += file.length;
    }
    const only = { category: 'utility', billing: 'BILLABLE', market: 'Brazil' };
    if (csv.length <= PAGE_ROWS) expect(seen).toBe(all.filter((row) => isIn(row, only, MONTH, null)).length);
  });

  it('hides whole numbers of customers until they are asked for', async () => {
    const [message] = (await messages()).filter((row) => /^\d{8,}$/.test(row['customer']!));
    const query = new URLSearchParams({ ...RANGE, phone_number_id: message!['phone_number_id']! }).toString();
    await open(`/billing/messages?${query}`);
    expect((await cells('messages')).every((row) => row[2]!.includes('••••'))).toBe(true);
    const customers = new Map((await linked('messages')).map((row) => [row['message_id']!, row['customer']!]));
    /** Customers that are anywhere in what the server sends for a page, its data included. */
    const sentOf = async (path: string): Promise<string[]> => {
      const sent = await fetched(path);
      return [...new Set(customers.values())].filter((customer) => sent.includes(customer));
    };
    expect(new Set(customers.values()).size).toBeGreaterThan(10);
    expect(await sentOf(`/billing/messages?${query}`)).toEqual([]);
    expect(await sentOf(`/billing/messages?${query}&reveal=1`)).not.toEqual([]);

    // Masked lists lead to masked messages, and these show their customer when they are asked.
    const [id] = (await cells('messages'))[0]!.slice(1);
    const customer = customers.get(id!)!;
    await rig.page.locator('#messages').getByRole('link', { name: id!, exact: true }).click();
    await rig.page.getByRole('heading', { name: 'Why this amount' }).waitFor();
    const masked = new URL(rig.page.url());
    expect(await sentOf(`${masked.pathname}${masked.search}`)).toEqual([]);
    expect(await rig.page.content()).not.toContain(customer);
    expect(await rig.page.getByRole('main').innerText()).toContain('••••');
    await rig.page.getByRole('link', { name: 'Show the whole number' }).click();
    await rig.page.getByRole('link', { name: 'Hide the number' }).waitFor();
    expect(await rig.page.getByRole('main').innerText()).toContain(`+${customer}`);
    await rig.page.getByRole('link', { name: 'Its conversation' }).click();
    await rig.page.getByRole('heading', { name: `Conversation with +${customer}` }).waitFor();

    await open(`/billing/messages?${query}`);
    await rig.page.getByRole('link', { name: 'Show them' }).click();
    await rig.page.getByText('Numbers of customers are shown.').waitFor();
    // Not loaded again: what a page was loaded with stays in it.
    expect((await rig.cells('messages')).some((row) => /^\+\d{8,}$/.test(row[2]!))).toBe(true);
    await rig.page.locator('#messages').getByRole('link', { name: id!, exact: true }).click();
    await rig.page.getByRole('link', { name: 'Hide the number' }).waitFor();
    await rig.page.getByLabel(/^Message id/).fill(id!);
    await rig.page.getByRole('button', { name: 'Explain' }).click();
    await rig.page.getByRole('link', { name: 'Hide the number' }).click();
    await rig.page.getByRole('link', { name: 'Show the whole number' }).waitFor();
    expect(await rig.page.content()).not.toContain(customer);

    await open(`/billing/mismatches?${new URLSearchParams(RANGE)}`);
    const mismatched = await linked('messages');
    expect(mismatched.length).toBeGreaterThan(0);
    expect((await cells('messages')).map((row) => row[1])).toEqual(
      mismatched.slice(0, PAGE_ROWS).map((row) => row['message_id']),
    );
    const sent = await fetched(`/billing/mismatches?${new URLSearchParams(RANGE)}`);
    expect(mismatched.filter((row) => sent.includes(row['customer']!))).toEqual([]);
  });

  it('leads from Billing to its mismatches, of the same days and narrowed to the same', async () => {
    const [waba_id] = Object.keys(ACCOUNTS);
    const days = new URLSearchParams({ ...RANGE, waba_id: waba_id!, market: 'Brazil' });
    const charged = csvRows(await fetched(`/api/messages?format=csv&by=charged&${days}`));
    const expected = charged.filter(
      ({ billing, predicted, reported, category, policy }) =>
        billing !== 'UNDELIVERED' &&
        !['', 'UNKNOWN', predicted].includes(reported!) &&
        // What the service allowance pays is no mismatch (V2).
        !(
          policy === 'PMP-2026-10' &&
          category === 'service' &&
          predicted === 'BILLABLE' &&
          reported === 'FREE_SERVICE'
        ),
    );
    expect(expected.length).toBeGreaterThan(1);
    await open(`/billing?${days}`);
    await rig.page.getByRole('link', { name: 'Where Meta’s report differs from the prediction' }).click();
    await rig.page.getByRole('heading', { name: /^Mismatches/ }).waitFor();
    const chips = rig.page.getByRole('navigation', { name: 'Filters in use' });
    expect(await chips.getByRole('link').allInnerTexts()).toHaveLength(3);
    const ids = (rows: readonly Row[]): string[] => rows.map((row) => row['message_id']!).sort();
    expect(ids(await linked('messages'))).toEqual(ids(expected));
    const kinds = await cells('kinds');
    expect(kinds.reduce((sum, row) => sum + Number(plain(row[5]!)), 0)).toBe(expected.length);
    expect(new Set(kinds.map((row) => row[4]))).toEqual(new Set([waba_id]));

    const kind = rig.page.locator('#kinds tbody tr').first();
    const count_of_kind = Number(plain(kinds[0]![5]!));
    await kind.getByRole('link').focus();
    await rig.page.keyboard.press('Enter');
    await rig.page
      .locator('#messages')
      .getByText(/^Chosen:/)
      .waitFor();
    expect(await rig.page.locator('#kinds [aria-current="true"]').count()).toBe(1);
    expect(await kind.locator('th').innerText()).toContain('chosen');
    expect(await linked('messages')).toHaveLength(count_of_kind);
    // What the page is narrowed to and the other kinds are still there.
    expect(await chips.getByRole('link').allInnerTexts()).toHaveLength(3);
    expect(await cells('kinds')).toHaveLength(kinds.length);
    await rig.page.getByRole('link', { name: 'Show every kind' }).click();
    await rig.page
      .locator('#messages')
      .getByText(/^Chosen:/)
      .waitFor({ state: 'detached' });
    expect(ids(await linked('messages'))).toEqual(ids(expected));
  });

  it('repairs what cannot be used, and fits a phone', async () => {
    for (const [path, notices] of [
      ['/billing?billing=CHEAP&market=&by-market.sort=x&by-day.after=never', 3],
      ['/billing/charges?tier=x&after=nowhere&sort=colour', 3],
      ['/billing/messages?category=%3Cb%3E&after=%5B%22x%22%5D', 2],
      ['/billing/mismatches?predicted=CHEAP&kinds.sort=x&after=yesterday', 3],
    ] as const) {
      await open(path);
      expect([path, await rig.page.locator('.repairs li').count()]).toEqual([path, notices]);
      for (const width of [320, 390]) {
        await rig.page.setViewportSize({ width, height: 740 });
        await until(`${path} fits ${width} pixels`, async () => (await sidewaysScroll(rig.page)) === 0);
      }
    }
  });

  it('refuses filters that it does not know', async () => {
    for (const address of [
      '/api/savings?q=1',
      '/api/daily?tier=1:MAX',
      '/api/unrated?tier=',
      '/api/messages?rule=W7',
    ]) {
      const response = await fetch(`${rig.product.url}${address}`);
      expect([address, response.status]).toEqual([address, 400]);
      expect(await response.text()).toContain('cannot be narrowed by');
    }
  });

  it('from the first page to why an amount is what it is, by keyboard alone', async () => {
    await open(`/?${new URLSearchParams(MONTH)}`);
    const reach = async (name: string): Promise<void> => {
      for (let i = 0; i < 150; i++) {
        await rig.page.keyboard.press('Tab');
        const focus = await focusOf(rig.page);
        if (!focus.name.includes(name)) continue;
        expect(focus).toEqual({ name: focus.name, isVisible: true });
        await rig.page.keyboard.press('Enter');
        return;
      }
      throw new Error(`The keyboard does not reach ${name}.`);
    };
    await reach('a Billing');
    await rig.page.getByRole('heading', { name: /^Billing, / }).waitFor();
    await reach('a by-category Marketing');
    await rig.page.getByRole('link', { name: /^Category: Marketing/ }).waitFor();
    await reach('a All charges');
    await rig.page.getByRole('heading', { name: /^Charges, / }).waitFor();
    await rig.page.getByRole('link', { name: /^Category: Marketing/ }).waitFor();
    const [charge] = await cells('charges');
    expect(charge![4]).toBe('Marketing');
    await reach('a charges ' + charge![6]!);
    await rig.page.getByRole('heading', { name: /^Messages, / }).waitFor();
    const rows = await cells('messages');
    expect(rows).toHaveLength(Math.min(PAGE_ROWS, Number(charge![6])));
    await reach(`a messages ${rows[0]![1]!.slice(0, 12)}`);
    await rig.page.getByRole('heading', { name: 'Why this amount' }).waitFor();
    expect(await rig.page.locator('p.id').innerText()).toContain(rows[0]![1]!);
  });

  it('and closed months stay as they were, with any filter', async () => {
    const waba_id = '102290129340398';
    // All pages are walked through, so not too many of them.
    const closed: readonly Row[] = [
      { waba_id, category: 'utility' },
      ...(isFull ? [{ waba_id }, { waba_id, category: 'utility', billing: 'BILLABLE' }] : []),
    ];
    const ofMore = { market: 'Brazil', billing: 'FREE_ENTRY' };
    const look = async (only: Row, month: { from: string; to: string }): Promise<unknown> => {
      const query = new URLSearchParams({ ...month, ...only }).toString();
      await open(`/billing?${query}`);
      await showInFull('by-category', 'by-day');
      const bill = [await rig.cells('by-category'), await rig.cells('by-day')];
      await open(`/billing/charges?${query}`);
      const charged = (await linked('charges')).map(({ period: _, ...row }) => row);
      const charges = (await allPages('charges')).map((row) => row.slice(0, 15));
      await open(`/billing/messages?${query}`);
      const file = (await linked('messages')).map(({ period: _, updated_at: __, ...row }) => row);
      const list = (await allPages('messages')).map((row) => row.slice(0, 15));
      return { bill, charges, charged, list, file };
    };
    const october = [];
    for (const only of closed) october.push(await look(only, MONTH));
    const other = { from: '2026-09-20', to: '2026-10-01' };
    const september = await look(closed[0]!, other);
    await output(data, ['close', '2026-10', '--waba', waba_id, '--accept']);
    await output(data, ['rates', 'import', 'dearer.csv', '--effective', '2026-07-02']);
    await output(data, ['export', 'charges']);
    for (const [i, only] of closed.entries()) expect(await look(only, MONTH)).toEqual(october[i]);
    expect(await look(closed[0]!, other)).not.toEqual(september);

    await open(`/billing/messages?${new URLSearchParams({ ...MONTH, waba_id })}`);
    const periods = (await cells('messages')).map((row) => row[15]!);
    expect(periods.every((period) => period.startsWith('closed 20'))).toBe(true);
    const all = await messages();
    // Free entry messages to Brazil are of other accounts too, which were not closed.
    for (const only of [...closed, ofMore]) await compareAll(all, only, null);
  });
});

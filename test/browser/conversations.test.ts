import { writeFileSync } from 'node:fs';
import type { Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { shownCustomer } from '../../dashboard/src/lib/conversation/masking.ts';
import { browserRig } from '../support/browser-rig.ts';
import { focusOf, sidewaysScroll } from '../support/browser.ts';
import { asPrinted, csvRows, output } from '../support/product.ts';
import { AD, ANNA, BEN, conversationEvents, NUMBER, POST_ADDRESS, USER_ID } from '../support/conversation-events.ts';
import { type Row, grouped, randomSearch, inOrder } from '../support/conversation-search.ts';

const MARCH = 'from=2026-03-01&to=2026-03-10';
const THREAD = `/conversations/${NUMBER}/wamid.A3`;

describe('conversations', () => {
  const rig = browserRig({
    keepsWindow: true,
    prepare: async (data) => {
      const events = conversationEvents(Math.floor(Date.now() / 1000));
      writeFileSync(data.file('events.ndjson'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
      await output(data, ['ingest', 'events.ndjson']);
      return undefined;
    },
  });

  const open = (path: string): Promise<void> => rig.open(path);
  const rows = (): Promise<string[][]> => rig.cells('conversations');
  const customers = async (): Promise<string[]> => (await rows()).map((row) => row[0]!);
  const badges = async (): Promise<string> =>
    (await rig.page.getByRole('region', { name: 'What is open now' }).innerText()).replaceAll(/\s+/g, ' ');

  it('lists ad conversations, newest first, with masked customers', async () => {
    await open(`/conversations?${MARCH}&as_of=2026-03-04T20:00:00Z`);
    const list = await rows();
    expect(list).toHaveLength(50);
    expect(list.slice(0, 3)).toEqual([
      ['US.•••• 18', NUMBER, '4 Mar 2026, 12:00', 'Spring sale', 'pending, 16 h left', 'none', '0'],
      ['+44 •••• 23', NUMBER, '4 Mar 2026, 11:00', `${POST_ADDRESS} post`, 'pending, 15 h left', 'none', '0'],
      [
        '+55 •••• 34',
        NUMBER,
        '4 Mar 2026, 10:00',
        'Spring sale',
        'answered in 5 min',
        'open until 7 Mar 2026, 10:05',
        '2',
      ],
    ]);
    // What is masked is not sent either.
    expect(await rig.page.content()).not.toContain(ANNA);
    const csv = await rig.page.getByRole('link', { name: /^CSV/ }).getAttribute('href');
    expect(csv).toBe(
      '/api/ad-conversations?format=csv&from=2026-03-01&to=2026-03-10&tz=UTC&as_of=2026-03-04T20%3A00%3A00Z',
    );
    await rig.page.getByLabel('Show full phone numbers').check();
    await rig.page.getByRole('button', { name: 'Find' }).click();
    await rig.page.getByText(`+${ANNA}`).waitFor();
    expect((await customers()).slice(0, 3)).toEqual([USER_ID, `+${BEN}`, `+${ANNA}`]);
  });

  it('says what became of them when their time is over', async () => {
    await open(`/conversations?${MARCH}&as_of=2026-03-09T00:00:00Z`);
    expect((await rows()).slice(0, 3).map((row) => row.slice(4))).toEqual([
      ['not answered within 24 h', 'none', '0'],
      ['not answered within 24 h', 'none', '0'],
      ['answered in 5 min', 'expired', '2'],
    ]);
  });

  it.each([
    ['part of a number', `q=${encodeURIComponent('+55 11 98765-4334')}`, ['+55 •••• 34']],
    ['an entry', `q=wamid.B1&from=2026-02-01&to=2026-02-02`, ['+44 •••• 23']],
    ['a message in the window', 'q=wamid.A6&from=2026-02-01&to=2026-02-02', ['+55 •••• 34']],
    ['a message after the window', 'q=wamid.A7', ['+55 •••• 34']],
    ['a message before any entry', 'q=wamid.A2', []],
    ['a user id', `q=${USER_ID}`, ['US.•••• 18']],
    ['an ad', `ad=${AD}`, ['US.•••• 18', '+55 •••• 34']],
    ['an address', `ad=${encodeURIComponent(POST_ADDRESS)}`, ['+44 •••• 23']],
    ['a number and an ad', `q=5511&ad=33`, []],
    ['nobody', 'q=99999999', []],
  ])('finds %s', async (_, query, expected: readonly string[]) => {
    await open(`/conversations?${query.includes('from=') ? '' : `${MARCH}&`}${query}`);
    if (expected.length > 0) expect(await customers()).toEqual(expected);
    else expect((await rows()).map((row) => row[0])).toEqual([expect.stringMatching(/^No ad-driven conversation/)]);
    const csv = rig.page.getByRole('link', { name: /^CSV/ });
    const response = await fetch(new URL((await csv.getAttribute('href')) ?? '', rig.page.url()));
    const found = csvRows(await response.text()).map((row) => shownCustomer(row['customer'] ?? '', false));
    expect(found.reverse()).toEqual(expected);
  });

  it('leads from a message to its whole thread, and from an ad to its conversations', async () => {
    await open('/conversations?q=wamid.A2');
    await rig.page.getByRole('link', { name: `with ${NUMBER}` }).click();
    await rig.page.getByRole('heading', { name: 'Conversation with +55 •••• 34' }).waitFor();
    await open(`/conversations?${MARCH}`);
    await rig.page.getByRole('link', { name: 'Spring sale' }).first().click();
    await rig.page.getByRole('link', { name: 'Ad: Spring sale' }).waitFor();
    expect(await customers()).toEqual(['US.•••• 18', '+55 •••• 34']);
  });

  it('reads on where the page before ended', async () => {
    await open(`/conversations?${MARCH}&ad=33&reveal=1`);
    const first = await customers();
    await rig.page.locator('.controls').getByRole('link', { name: 'Next page' }).click();
    await rig.page.locator('.controls').getByRole('link', { name: 'First page' }).waitFor();
    const second = await customers();
    expect([...first, ...second]).toEqual(Array.from({ length: 60 }, (_, i) => `+34600000${159 - i}`));
    expect(await rig.page.locator('.controls').getByRole('link', { name: 'Next page' }).count()).toBe(0);
    await rig.page.locator('.controls').getByRole('link', { name: 'First page' }).click();
    await rig.page.locator('.controls').getByRole('link', { name: 'Next page' }).waitFor();
    expect(await customers()).toEqual(first);
    // Below a long page, to the top of the next one.
    const below = rig.page.getByRole('navigation', { name: 'More conversations' });
    await below.getByRole('link', { name: 'Next page' }).click();
    await rig.page.waitForURL((url) => url.hash === '#conversations');
    await expect.poll(customers).toEqual(second);
    expect(await below.count()).toBe(0);
    await rig.page.locator('.controls').getByRole('link', { name: 'First page' }).click();
    await expect.poll(customers).toEqual(first);
    await rig.page.getByRole('link', { name: 'Entry', exact: true }).click();
    await rig.page.locator('th[aria-sort=ascending]').waitFor();
    expect((await customers())[0]).toBe('+34600000100');
  });

  it('repairs a place and a state that cannot be used, and says so', async () => {
    await open(`/conversations?${MARCH}&after=yesterday&state=waiting`);
    await rig.page.getByText('after: that row is not in this table').waitFor();
    await rig.page.getByText('state: “waiting” is none of').waitFor();
    expect((await customers())[0]).toBe('US.•••• 18');
    await open(`${THREAD}?before=yesterday`);
    await rig.page.getByText('before: the link names no place to read on from').waitFor();
    expect(await rig.page.locator('li.inbound').count()).toBe(3);
    expect((await fetch(`${rig.product.url}/api/ad-conversations?state=waiting`)).status).toBe(400);
  });

  it('shows the same rows on the page, in CSV and in JSON, for whatever is searched, and whole numbers in none of the pages', async () => {
    const text = async (path: string): Promise<string> => {
      const response = await fetch(new URL(path, rig.product.url));
      expect(response.status).toBe(200);
      return response.text();
    };
    const entries = csvRows(await text('/api/conversations?format=csv'));
    const all = grouped(entries);
    const names = all.map((row) => row['customer']!);
    let seed = 20_260_901;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    let found = 0;
    for (let i = 0; i < 40; i++) {
      const { params, sort, expected } = randomSearch(random, all, entries);
      found += expected.length > 0 ? 1 : 0;
      const known = Object.keys(grouped(entries.slice(0, 1))[0]!);
      const only = (rows: readonly Row[]): Row[] =>
        rows.map((row) => Object.fromEntries(known.map((name) => [name, row[name]!])));
      const csv = csvRows(await text(`/api/ad-conversations?format=csv&${params}`));
      expect(only(csv), params.toString()).toEqual(expected);
      const json = JSON.parse(await text(`/api/ad-conversations?${params}`)) as { rows: Row[] };
      expect(asPrinted(json.rows)).toEqual(csv);

      const ids: string[] = [];
      let next: string | undefined = `/conversations?${params}${sort === '' ? '' : `&sort=${sort}`}`;
      while (next !== undefined) {
        const html = await text(next);
        expect(html).toContain(
          `ad-conversations?format=csv&amp;${new URLSearchParams({ from: params.get('from')!, to: params.get('to')! }).toString().replace('&', '&amp;')}`,
        );
        expect(names.filter((name) => name !== params.get('q') && html.includes(name))).toEqual([]);
        for (const [, id] of html.matchAll(/<th scope="row"[^>]*>\s*<a href="[^"]*\/([^/"?]+)(?:\?[^"]*)?"/g))
          ids.push(decodeURIComponent(id!));
        next = /<a href="([^"]*)" rel="next"/.exec(html)?.[1]?.replaceAll('&amp;', '&');
      }
      expect(ids, `${params} ${sort}`).toEqual(inOrder(expected, sort).map((row) => row['conversation_id']));
    }
    expect(found).toBeGreaterThan(15);
  });

  /** Rows of the time line: what is read, and whether they have the edge of a free entry window. */
  const timeline = (): Promise<(string | boolean)[][]> =>
    rig.page
      .locator('.day li')
      .evaluateAll((items) =>
        (items as unknown as { innerText: string; className: string }[]).map((item) => [
          item.innerText.replaceAll(/\s+/g, ' ').trim(),
          / free( |$)/.test(item.className),
        ]),
      );

  it('draws a thread as a time line', async () => {
    await open(`${THREAD}?as_of=2026-03-08T10:00:00Z`);
    const seen = await timeline();
    expect(seen).toEqual([
      ['08:00:00 Customer text', false],
      ['08:00:00 Customer service window opens', false],
      ['08:00:00 Customer service window closes, 24 h after the customer’s last message', false],
      ['09:00:00 Business template spring, marketing Billable Why delivered 09:00:05', false],
      [`10:00:00 Customer text Entry ad Spring sale, “Spring sale”, https://fb.me/spring`, false],
      ['10:00:00 Customer service window opens', false],
      ['10:05:00 Business text, service Free entry Why delivered 10:05:10', true],
      [
        '10:05:10 Free entry window opens with the delivered reply to the entry of 10:00:00 until 7 Mar 2026, 10:05, estimated: 72 h',
        true,
      ],
      ['09:00:00 Customer system Does not open the customer service window (W1).', true],
      ['10:00:00 Customer service window closes, 24 h after the customer’s last message', true],
      [
        '09:00:00 Business template spring, marketing Billable Why delivered 09:00:03; predicted Free entry, Meta reports Billable',
        true,
      ],
      ['10:05:10 Free entry window expires', false],
      [
        '09:00:00 Business template spring, marketing Undelivered Why sent, not delivered; refused with code 131050: User has stopped to receive marketing messages That is: the customer stopped marketing messages of the business.',
        false,
      ],
    ]);
    expect(await rig.page.locator('.day h3').allInnerTexts()).toEqual([
      'Sun, 1 Mar 2026',
      'Mon, 2 Mar 2026',
      'Tue, 3 Mar 2026',
      'Wed, 4 Mar 2026',
      'Thu, 5 Mar 2026',
      'Fri, 6 Mar 2026',
      'Sat, 7 Mar 2026',
      'Sun, 8 Mar 2026',
    ]);
    await rig.page.getByText('Opted out of marketing', { exact: true }).waitFor();
    await rig.page.getByText('Last refused on 8 Mar 2026, 09:00 with code 131050').waitFor();
    await rig.page.getByRole('link', { name: 'message wamid.A6' }).click();
    await rig.page.getByRole('heading', { name: 'Why this amount' }).waitFor();
  });

  it('says what Meta reports, what belongs together and what ends', async () => {
    await open(`/conversations/${NUMBER}/wamid.G3?as_of=2024-12-07T00:00:00Z`);
    expect(await timeline()).toEqual([
      [
        '10:00:00 Business template spring, marketing Undelivered Why sent, not delivered; refused with code 131050 That is: the customer stopped marketing messages of the business.',
        false,
      ],
      ['10:00:00 Business template spring, marketing Billable Why delivered 10:00:01', false],
      ['10:00:00 Business template spring, utility Billable Why delivered 10:00:01', false],
      ['11:00:00 Customer text Entry ad 66', false],
      ['11:00:00 Customer service window opens', false],
      ['11:10:00 Business text, service Free entry Why delivered 2 Dec 2024, 00:10', true],
      [
        '00:10:00 Free entry window opens with the delivered reply to the entry of 1 Dec 2024, 11:00 until 6 Dec 2024, 00:10, as Meta reports Closes what was open: the utility conversation (3.1)',
        true,
      ],
      ['11:00:00 Customer text Entry, re-click ad 66', true],
      ['10:00:00 Business text, service Undelivered Why sent, not delivered', true],
      ['11:00:00 Customer service window closes, 24 h after the customer’s last message', true],
      ['00:10:00 Free entry window expires', false],
    ]);
    expect(await rig.page.getByText('Opted out of marketing').count()).toBe(0);
    await rig.page.getByText('Last refused on 20 Nov 2024, 10:00 with code 131050.').waitFor();
    await open(`/conversations?q=wamid.G4`);
    expect((await rows()).map((row) => row.slice(2))).toEqual([
      ['1 Dec 2024, 11:00', '66', 'answered in 10 min', 'expired', '1'],
    ]);
  });

  /** The picture that is shown at the width of the page, and where things in it begin and end, in pixels. */
  const strip = (): Locator => rig.page.locator('.strip:visible');
  const extent = async (what: string, index = 0): Promise<{ readonly from: number; readonly to: number }> => {
    const { x, width } = (await strip().locator(what).nth(index).boundingBox())!;
    return { from: x, to: x + width };
  };
  const middle = async (what: string, index = 0): Promise<number> => {
    const { from, to } = await extent(what, index);
    return (from + to) / 2;
  };
  const countsOf = async (...names: string[]): Promise<number[]> =>
    Promise.all(names.map((name) => strip().locator(name).count()));

  it('draws a thread as a picture: what is in the windows, and what is outside', async () => {
    await open(`${THREAD}?as_of=2026-03-05T10:00:00Z`);
    const name =
      'Picture of the conversation from 1 Mar 2026, 08:00 to 8 Mar 2026, 09:00, UTC: ' +
      '3 messages of the customer, 1 with an ad click; 4 messages of the business: 1 free entry, 2 billable, 1 undelivered. ' +
      '1 free entry window, until 7 Mar 2026, 10:05, estimated. 2 customer service windows, the last until 5 Mar 2026, 10:00. ' +
      'The time line below says the same.';
    expect(await rig.page.getByRole('img', { name, exact: true }).count()).toBe(1);
    expect(await countsOf('.entry', '.inbound', '.free_entry', '.billable', '.undelivered', '.mark')).toEqual([
      1, 2, 1, 2, 1, 7,
    ]);
    expect(await countsOf('rect.service', 'rect.estimated', 'rect.reported', 'rect.conversation', '.break')).toEqual([
      2, 1, 0, 0, 0,
    ]);
    const free = await extent('rect.estimated');
    const service = await extent('rect.service', 1);
    const day = (free.to - free.from) / 3;
    // Of 24 hours, ten minutes before the free entry window: the outlines are a pixel and a half.
    expect(service.to - service.from).toBeGreaterThan(day - 2);
    expect(service.to - service.from).toBeLessThan(day + 2);
    expect(free.from - service.from).toBeGreaterThanOrEqual(-1);
    expect(free.from - service.from).toBeLessThan(3);
    const [before, inside] = [await middle('.billable rect', 0), await middle('.billable rect', 1)];
    // From 3 March, 09:00, to 6 March, 09:00.
    expect(inside - before).toBeGreaterThan(3 * day - 3);
    expect(inside - before).toBeLessThan(3 * day + 3);
    expect(before).toBeLessThan(free.from);
    expect(inside).toBeLessThan(free.to);
    expect(await middle('.undelivered path')).toBeGreaterThan(free.to);
    // The clock that is asked for is where the customer service window closes.
    expect(Math.abs((await middle('line.now')) - service.to)).toBeLessThan(2);
    expect(await strip().locator('text.now').innerHTML()).toContain('as of');
  });

  it('shows in the picture that a conversation ends where the free entry window opens, and how long nobody spoke', async () => {
    await open(`/conversations/${NUMBER}/wamid.G3?as_of=2024-12-07T00:00:00Z`);
    expect(await countsOf('.re_click', 'rect.reported', 'rect.conversation', 'rect.rest', 'line.now')).toEqual([
      1, 1, 2, 1, 0,
    ]);
    expect(await strip().locator('.silence').allTextContents()).toEqual(['5 days of nothing', '5 days of nothing']);
    const free = await extent('rect.reported');
    const [marketing, utility, rest] = [
      await extent('rect.conversation', 0),
      await extent('rect.conversation', 1),
      await extent('rect.rest'),
    ];
    const hour = (free.to - free.from) / 96;
    expect(Math.abs(utility.to - free.from)).toBeLessThan(2);
    expect(Math.abs((utility.to - utility.from) / hour - 14.17)).toBeLessThan(0.5);
    expect(Math.abs((rest.to - rest.from) / hour - 9.83)).toBeLessThan(0.5);
    expect(Math.abs((marketing.to - marketing.from) / hour - 24)).toBeLessThan(0.5);
    await rig.page.getByText('What was left of a conversation when the free entry window ended it').waitFor();
  });

  it('draws a page of a long thread, on a phone and without scripts, too', async () => {
    const path = `/conversations/${NUMBER}/wamid.L0?as_of=2026-02-10T05:00:00Z`;
    const messages = async (): Promise<number> => {
      const more = await strip().locator('.more').allTextContents();
      return (await strip().locator('.mark').count()) + more.reduce((sum, text) => sum + Number(text), 0);
    };
    for (const options of [{}, { javaScriptEnabled: false, viewport: { width: 390, height: 844 } }]) {
      await rig.newPage(options);
      await open(path);
      expect(await strip().count()).toBe(1);
      // A page has 200 events, and all of them are messages of the customer.
      expect(await messages()).toBe(200);
      expect(await sidewaysScroll(rig.page)).toBeLessThanOrEqual(0);
      await rig.page.getByRole('link', { name: 'Older' }).click();
      await rig.page.getByRole('link', { name: 'Latest' }).waitFor();
      expect(await messages()).toBe(60);
      await open(`/conversations/${NUMBER}/wamid.G3?as_of=2024-12-04T00:00:00Z`);
      const names = await strip().locator('.day').all();
      const boxes = await Promise.all(names.map(async (text) => (await text.boundingBox())!));
      const inOrderOfPlace = boxes.sort((a, b) => a.x - b.x);
      expect(inOrderOfPlace.length).toBeGreaterThan(1);
      inOrderOfPlace.slice(1).forEach((box, i) => {
        const previous = inOrderOfPlace[i]!;
        expect(previous.x + previous.width).toBeLessThan(box.x);
      });
    }
  });

  it('says that a customer cannot be reached, and that Meta does not say why', async () => {
    await open(`/conversations/${NUMBER}/wamid.H0?as_of=2026-04-03T12:00:00Z`);
    await rig.page.getByText('Cannot be reached', { exact: true }).waitFor();
    await rig.page.getByText('Meta could not deliver on 3 Apr 2026, 10:00 (code 131026)').waitFor();
    expect(await rig.page.getByText('That is: it cannot be delivered').count()).toBe(2);
    await open(THREAD);
    expect(await rig.page.getByText('Cannot be reached').count()).toBe(0);
  });

  it('says what each kind of message would be', async () => {
    const outlook = async (as_of: string): Promise<string[]> => {
      await open(`${THREAD}?as_of=${as_of}`);
      return rig.page.getByRole('region', { name: 'If delivered now' }).locator('b').allInnerTexts();
    };
    const forbidden = 'Not allowed: NON_TEMPLATE_NOT_ALLOWED';
    expect(await outlook('2026-03-01T09:00:00Z')).toEqual(['Free service', 'Free service', 'Billable', 'Billable']);
    expect(await outlook('2026-03-04T10:01:00Z')).toEqual(['Free entry', 'Free entry', 'Free entry', 'Free entry']);
    expect(await outlook('2026-03-07T10:05:09Z')).toEqual([forbidden, 'Free entry', 'Free entry', 'Free entry']);
    expect(await outlook('2026-03-07T10:05:10Z')).toEqual([forbidden, 'Billable', 'Billable', 'Billable']);
  });

  it('shows a message that nothing names a customer of', async () => {
    await open(`/conversations/${NUMBER}/wamid.N1`);
    await rig.page.getByRole('heading', { name: 'Conversation with no customer named' }).waitFor();
    expect(await timeline()).toEqual([['10:00:00 Business message, utility Billable Why delivered 10:00:00', false]]);
  });

  it('draws it in the days of another zone', async () => {
    await open(`${THREAD}?as_of=2026-03-08T10:00:00Z&tz=America/Sao_Paulo`);
    expect(await rig.page.locator('.day li').first().innerText()).toMatch(/^05:00:00/);
    expect(await rig.page.locator('.day h3').first().innerText()).toBe('Sun, 1 Mar 2026');
  });

  const CLOCKS = [
    [
      '2026-03-04T11:05:10Z',
      'Free Entry Point: active, 2 d 23 h left until 7 Mar 2026, 10:05 Customer service window: 22 h 54 min left until 5 Mar 2026, 10:00 Free-form messages and templates are allowed now; all of them are free (FREE_ENTRY) as long as the Free Entry Point is active.',
    ],
    [
      '2026-03-05T10:00:00Z',
      'Free Entry Point: active, 2 d left until 7 Mar 2026, 10:05 Customer service window: closed since 5 Mar 2026, 10:00 Free-form messages are not allowed now: NON_TEMPLATE_NOT_ALLOWED. A template is allowed; it is free (FREE_ENTRY) as long as the Free Entry Point is active.',
    ],
    [
      '2026-03-07T10:05:10Z',
      'Free Entry Point: expired since 7 Mar 2026, 10:05 Customer service window: closed since 5 Mar 2026, 10:00 Free-form messages are not allowed now: NON_TEMPLATE_NOT_ALLOWED. A template is allowed; what it would cost is below.',
    ],
    [
      '2026-03-01T09:00:00Z',
      'Free Entry Point: none was opened Customer service window: 23 h left until 2 Mar 2026, 08:00 Free-form messages and templates are allowed now.',
    ],
  ] as const;

  it.each(CLOCKS)('says what is open at %s', async (as_of, expected) => {
    await open(`${THREAD}?as_of=${as_of}`);
    expect(await badges()).toBe(expected);
    // A clock that was asked for stands still.
    await rig.page.waitForTimeout(1200);
    expect(await badges()).toBe(expected);
  });

  it('counts down', async () => {
    await open(`/conversations/${NUMBER}/wamid.E2`);
    const left = rig.page.getByRole('region', { name: 'What is open now' }).locator('[aria-live=off]').nth(1);
    const first = await left.innerText();
    expect(first).toMatch(/^\d min( \d+ s)? left$/);
    const height = await rig.page
      .locator('.badge')
      .nth(1)
      .evaluate((badge) => (badge as unknown as { offsetHeight: number }).offsetHeight);
    await expect.poll(() => left.innerText(), { timeout: 60_000 }).not.toBe(first);
    expect(await left.innerText()).toMatch(/^\d min( \d+ s)? left$/);
    expect(
      await rig.page
        .locator('.badge')
        .nth(1)
        .evaluate((badge) => (badge as unknown as { offsetHeight: number }).offsetHeight),
    ).toBe(height);
  });

  it('shows the end of a long thread and reads on before it', async () => {
    const path = `/conversations/${NUMBER}/wamid.L0?as_of=2026-02-10T05:00:00Z`;
    const first = (): Promise<string> => rig.page.locator('.day li > time').first().innerText();
    await open(path);
    expect(await rig.page.locator('.day li').count()).toBe(200);
    expect(await rig.page.locator('.day li > time').last().innerText()).toBe('04:19:00');
    expect(await first()).toBe('01:00:00');
    await rig.page.getByRole('link', { name: 'Older' }).click();
    await rig.page.getByRole('link', { name: 'Latest' }).waitFor();
    // 60 messages and the opening of the customer service window.
    expect(await rig.page.locator('.day li').count()).toBe(61);
    expect(await rig.page.locator('.day li > time').last().innerText()).toBe('00:59:00');
    await rig.page.getByRole('link', { name: 'Latest' }).click();
    await rig.page.getByRole('link', { name: 'Go to the message of this address' }).click();
    await rig.page.locator('li[aria-current=true]').waitFor();
    expect(await first()).toBe('00:00:00');
  });

  it('says what to do about an unknown message', async () => {
    const response = await rig.page.goto(`${rig.product.url}/conversations/${NUMBER}/wamid.nobody`);
    expect(response?.status()).toBe(404);
    await rig.page.getByRole('heading', { name: 'There is no such conversation' }).waitFor();
    expect(await rig.page.locator('main').innerText()).toContain('wamid.nobody');
    await rig.page.getByRole('main').getByRole('link', { name: 'conversations' }).click();
    await rig.page.getByRole('heading', { name: 'Conversations', exact: true }).waitFor();
    expect(rig.complaints.splice(0).every((complaint) => complaint.includes('404'))).toBe(true);
  });

  it('works without scripts and on a phone', async () => {
    await rig.newPage({ javaScriptEnabled: false, viewport: { width: 360, height: 740 } });
    await open(`/conversations?${MARCH}&as_of=2026-03-04T20:00:00Z`);
    await rig.page.getByLabel('Phone number (or part of it)').fill('4334');
    await rig.page.getByRole('button', { name: 'Find' }).click();
    expect(await customers()).toEqual(['+55 •••• 34']);
    await rig.page.getByRole('link', { name: '+55 •••• 34' }).click();
    expect(await badges()).toContain('active, 2 d 14 h left');
    await rig.page.getByRole('link', { name: 'Show the whole number' }).click();
    await rig.page.getByRole('heading', { name: `Conversation with +${ANNA}` }).waitFor();
  });

  it('is used with the keyboard alone, from the search to why a message is free', async () => {
    const tabTo = async (isThere: (name: string) => boolean): Promise<void> => {
      for (let i = 0; i < 60; i++) {
        await rig.page.keyboard.press('Tab');
        const focus = await focusOf(rig.page);
        // A date has parts, of which the browser marks one itself.
        if (!/^input (from|to)$/.test(focus.name)) expect(focus).toMatchObject({ isVisible: true });
        if (isThere(focus.name)) return;
      }
      throw new Error('60 steps do not lead there.');
    };
    await open(`/conversations?${MARCH}`);
    await rig.page.getByLabel('Phone number (or part of it)').focus();
    await rig.page.keyboard.type('wamid.A4');
    await rig.page.keyboard.press('Enter');
    await rig.page.getByText('The search is the id of a message').waitFor();
    await tabTo((name) => name.startsWith('a conversations +55'));
    await rig.page.keyboard.press('Enter');
    await rig.page.getByRole('heading', { name: 'Conversation with +55 •••• 34' }).waitFor();
    await tabTo((name) => name === 'a Why');
    await rig.page.keyboard.press('Enter');
    await rig.page.getByRole('heading', { name: 'Why this amount' }).waitFor();
  });
});

import { writeFileSync } from 'node:fs';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { browserRig } from '../support/browser-rig.ts';
import { allTableRows, sidewaysScroll } from '../support/browser.ts';
import { csvRows, output, untilSettled } from '../support/product.ts';

type Row = Record<string, string>;

/** Runs over the days on which Berlin and New York change their clocks. */
const END = '2026-11-05';
const AS_OF = '2026-12-01T00:00:00Z';

const number = (text: string): number => Number(text.replaceAll(/[,~%]/g, ''));
/** Numbers of tables of which a reader sees only a part, and how many are seen whole. */
const CUT_NUMBERS = `(() => {
  const found = { cut: [], whole: 0 };
  for (const frame of document.querySelectorAll('.frame')) {
    const scroll = frame.querySelector('.scroll');
    const box = scroll.getBoundingClientRect();
    const covers = [...frame.querySelectorAll('.cover')].filter((cover) => !cover.hidden).map((cover) => cover.getBoundingClientRect());
    for (const row of scroll.querySelectorAll('tbody tr')) {
      const [first, ...cells] = row.cells;
      if (cells.length === 0) continue;
      const start = Math.max(first.getBoundingClientRect().right, box.left);
      for (const cell of cells) {
        if (cell.classList.contains('text') || !/[0-9]/.test(cell.textContent)) continue;
        const range = document.createRange();
        const seen = [];
        const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
          if (walker.currentNode.parentElement.closest('.visually-hidden') || walker.currentNode.data.trim() === '') continue;
          range.selectNodeContents(walker.currentNode);
          seen.push(range.getBoundingClientRect());
        }
        if (seen.length === 0) continue;
        const text = { left: Math.min(...seen.map((one) => one.left)), right: Math.max(...seen.map((one) => one.right)) };
        const [left, right] = [Math.max(text.left, start), Math.min(text.right, box.right)];
        if (right <= left) continue;
        if (left <= text.left + 1 && right >= text.right - 1) found.whole += 1;
        else if (!covers.some((cover) => cover.left <= left + 1 && cover.right >= right - 2)) found.cut.push(cell.textContent.trim());
      }
    }
  }
  return found;
})()`;

const count = (value: number): string => String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');

describe('the figures of pages', () => {
  const rig = browserRig({
    prepare: async (data) => {
      await output(data, [
        'simulate',
        ...['--threads', '1200', '--days', '20', '--end', END, '--seed', '23', '--out', 'events.ndjson'],
      ]);
      await output(data, ['ingest', 'events.ndjson']);
      entries = csvRows(await output(data, ['export', 'conversations']));
      messages = csvRows(await output(data, ['export', 'messages']));
      return undefined;
    },
  });
  const { data } = rig;
  let entries: Row[];
  let messages: Row[];

  const open = (path: string): Promise<void> => rig.open(path);
  const report = async (path: string): Promise<Row[]> => csvRows(await rig.fetched(path));
  const cells = (id: string): Promise<string[][]> => rig.cells(id);

  /** Ad conversations that start, and messages that are delivered, by what is made of their time. */
  const reckoned = (nameOf: (time: string) => string): Map<string, [number, number]> => {
    const sums = new Map<string, [number, number]>();
    const add = (time: string, i: 0 | 1): void => {
      const name = nameOf(time);
      const sum = sums.get(name) ?? [0, 0];
      sum[i] += 1;
      sums.set(name, sum);
    };
    for (const entry of entries)
      if (entry['ad_conversation_id'] === entry['conversation_id']) add(entry['entry_at']!, 0);
    for (const message of messages) if (message['delivered_at'] !== '') add(message['delivered_at']!, 1);
    return sums;
  };

  const days: readonly [string, string, string, string, number][] = [
    ['an hour twice', 'Europe/Berlin', '2026-10-25', '2026-10-26', 25],
    ['an hour twice, later', 'America/New_York', '2026-11-01', '2026-11-02', 25],
    ['24 hours off the hour', 'Asia/Kathmandu', '2026-10-25', '2026-10-26', 24],
    ['half an hour more or less', 'Australia/Lord_Howe', '2026-10-25', '2026-10-27', 48],
    ['an ordinary week', 'UTC', '2026-10-22', '2026-10-29', 168],
  ];
  it.each(days)('hours: %s', async (_, tz, from, to, length) => {
    await open(`/?${new URLSearchParams({ from, to, tz, as_of: AS_OF, grain: 'hour' })}`);
    const shown = (await allTableRows(rig.page, 'by-day')).map((row) => row.map((cell) => cell.text));
    const exported = await report(
      (await rig.page.locator('#by-day a', { hasText: 'CSV' }).first().getAttribute('href')) ?? '',
    );
    expect(exported).toHaveLength(length);
    const expected = reckoned((time) =>
      DateTime.fromISO(time, { zone: tz }).startOf('hour').toFormat("yyyy-MM-dd'T'HH:mm:ssZZ"),
    );
    for (const row of exported)
      expect([row['hour'], number(row['ad_conversations']!), number(row['delivered']!)]).toEqual([
        row['hour'],
        ...(expected.get(row['hour']!) ?? [0, 0]),
      ]);
    expect(shown.map((row) => [row[1], row[10]])).toEqual(
      exported.map((row) => [count(Number(row['ad_conversations'])), count(Number(row['delivered']))]),
    );
    expect(exported.reduce((sum, row) => sum + Number(row['delivered']), 0)).toBeGreaterThan(0);
  });

  it('hours of a century are those of the data', async () => {
    const all = await report('/api/hours?format=csv&from=2000-01-01&to=2100-01-01');
    expect(all.length).toBeGreaterThan(24 * 18);
    expect(all.length).toBeLessThan(24 * 40);
    expect(all.reduce((sum, row) => sum + Number(row['delivered']), 0)).toBe(
      messages.filter((message) => message['delivered_at'] !== '').length,
    );
    const empty = await report('/api/hours?format=csv&from=2000-01-01&to=2000-01-02');
    expect(empty.map((row) => row['delivered'])).toEqual(Array.from({ length: 24 }, () => '0'));
  });

  it('weeks are Monday to Sunday, and say which of their days count', async () => {
    const range = { from: '2026-10-22', to: '2026-11-04' };
    await open(`/?${new URLSearchParams({ ...range, tz: 'America/Sao_Paulo', as_of: AS_OF, grain: 'week' })}`);
    const zone = 'America/Sao_Paulo';
    const expected = reckoned((time) => {
      const day = DateTime.fromISO(time, { zone });
      const iso = day.toISODate()!;
      return iso < range.from || iso >= range.to ? 'outside' : day.startOf('week').toISODate()!;
    });
    const shown = (await cells('by-day')).map((row) => [row[0], number(row[1]!), number(row[10]!)]);
    const of = (week: string): number[] => expected.get(week) ?? [0, 0];
    expect(shown).toEqual([
      ['Week of 19 Oct 2026 only 22 Oct to 25 Oct', ...of('2026-10-19')],
      ['Week of 26 Oct 2026', ...of('2026-10-26')],
      ['Week of 2 Nov 2026 only 2 Nov to 3 Nov', ...of('2026-11-02')],
    ]);
    expect(of('2026-10-26')[1]).toBeGreaterThan(0);
    // A click on a week shows its days.
    await rig.page.locator('#by-day tbody a').first().click();
    await rig.page.waitForURL(/from=2026-10-22&until=2026-10-25/);
    await expect.poll(async () => (await cells('by-day')).length).toBe(4);
    expect(rig.page.url()).not.toContain('grain');
    await rig.page.goBack();
    await expect.poll(async () => (await cells('by-day')).length).toBe(3);
  });

  it('draws a week that the range cuts as unfinished, and says so', async () => {
    await open(`/?from=2026-10-22&until=2026-11-03&as_of=${AS_OF}&grain=week`);
    expect(await rig.page.locator('#by-day tbody tr.unfinished th').allInnerTexts()).toEqual([
      expect.stringContaining('only 22 Oct to 25 Oct'),
      expect.stringContaining('only 2 Nov to 3 Nov'),
    ]);
    expect(await rig.page.getByText('Part of a week').count()).toBe(1);
    await open(`/?from=2026-10-19&until=2026-11-01&as_of=${AS_OF}&grain=week`);
    expect(await rig.page.locator('#by-day tbody tr').count()).toBe(2);
    expect(await rig.page.locator('#by-day tbody tr.unfinished').count()).toBe(0);
    expect(await rig.page.getByText('Part of a week').count()).toBe(0);
  });

  it('includes the last day that is typed, seen and linked', async () => {
    await open(`/?as_of=${AS_OF}`);
    // Scripts set the fields when they begin to run.
    await rig.page.waitForLoadState('networkidle');
    await rig.page.getByLabel('First day').fill('2026-10-22');
    await rig.page.getByLabel('Last day').fill('2026-10-31');
    await rig.page.getByRole('button', { name: 'Show' }).click();
    await rig.page.waitForURL(/from=2026-10-22&until=2026-10-31/);
    await rig.page.getByRole('heading', { level: 1, name: '22 – 31 Oct 2026' }).waitFor();
    const expected = reckoned((time) => DateTime.fromISO(time, { zone: 'UTC' }).toISODate()!);
    const rows = await cells('by-day');
    expect(rows).toHaveLength(10);
    expect(rows.at(-1)?.[0]).toContain('31 Oct 2026');
    expect(number(rows.at(-1)![1]!)).toBe(expected.get('2026-10-31')![0]);
    // Other pages are of the same days, and what the API is asked for is their end, exclusive.
    for (const name of ['Ads', 'Billing', 'Conversations']) {
      await rig.page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).click();
      await rig.page.waitForURL((url) => url.pathname === `/${name.toLowerCase()}`);
      await rig.page.getByRole('heading', { level: 1, name: new RegExp(`^${name}`) }).waitFor();
      expect(await rig.page.getByLabel('Last day').inputValue()).toBe('2026-10-31');
    }
    expect(await rig.page.locator('.frame a', { hasText: 'CSV' }).first().getAttribute('href')).toContain(
      'to=2026-11-01',
    );
    // A link made before means what it meant.
    await open(`/?from=2026-10-22&to=2026-11-01&as_of=${AS_OF}`);
    expect(await cells('by-day')).toEqual(rows);
    expect(await rig.page.getByLabel('Last day').inputValue()).toBe('2026-10-31');
  });

  it('shows one day by the hour, unless days are asked for', async () => {
    await open(`/?from=2026-10-22&until=2026-10-22&as_of=${AS_OF}`);
    expect(await cells('by-day')).toHaveLength(24);
    await rig.page.getByRole('link', { name: 'By day', exact: true }).click();
    await rig.page.waitForURL(/grain=day/);
    await rig.page.getByRole('heading', { level: 2, name: 'By day' }).waitFor();
    expect(await cells('by-day')).toHaveLength(1);
    await rig.page.reload();
    expect(await cells('by-day')).toHaveLength(1);
  });

  it('cuts no number of a table on a phone, and does not scroll the page', async () => {
    await rig.page.setViewportSize({ width: 390, height: 844 });
    for (const path of [
      ...['/', '/ads', '/conversations', '/billing', '/billing/charges', '/billing/messages', '/billing/mismatches'],
      '/health',
    ]) {
      await rig.page.goto(`${rig.product.url}${path}`, { waitUntil: 'networkidle' });
      let numbers = 0;
      for (const left of [0, 57, 131, 100_000]) {
        await rig.page.evaluate(`document.querySelectorAll('.scroll').forEach((one) => { one.scrollLeft = ${left}; })`);
        // A frame later the covers are where the columns are.
        await rig.page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
        const { cut, whole } = await rig.page.evaluate<{ cut: string[]; whole: number }>(CUT_NUMBERS);
        expect([path, left, cut]).toEqual([path, left, []]);
        numbers += whole;
      }
      if (['/', '/ads', '/conversations', '/billing'].includes(path)) expect(numbers, path).toBeGreaterThan(0);
      expect(await sidewaysScroll(rig.page), path).toBeLessThanOrEqual(0);
    }
  });

  it('shows the first figure on the first screen of a phone, and all pages in one row', async () => {
    await rig.page.setViewportSize({ width: 390, height: 844 });
    await rig.page.goto(`${rig.product.url}/`, { waitUntil: 'networkidle' });
    const value = await rig.page.locator('.headline .value').first().boundingBox();
    expect(value!.y + value!.height).toBeLessThan(844);
    const links = rig.page.getByRole('navigation', { name: 'Pages', exact: true }).getByRole('link');
    const tops = await links.evaluateAll((all) =>
      (all as unknown as { getBoundingClientRect(): { top: number } }[]).map((one) => one.getBoundingClientRect().top),
    );
    expect(new Set(tops).size).toBe(1);
    // One button brings the controls.
    expect(await rig.page.getByLabel('First day').isVisible()).toBe(false);
    await rig.page.getByRole('button', { name: /^Filters and dates/ }).click();
    await rig.page.getByLabel('Last day').waitFor();
    await rig.page.getByRole('link', { name: 'previous year' }).waitFor();
    // The page where the reader is can be seen in the row.
    await rig.page.goto(`${rig.product.url}/definitions`, { waitUntil: 'networkidle' });
    const current = await rig.page.locator('nav a[aria-current]').boundingBox();
    expect(current!.x).toBeGreaterThanOrEqual(0);
    expect(current!.x + current!.width).toBeLessThanOrEqual(390);
  });

  it('lets the reader choose columns and rows of a table, and adds its rows up', async () => {
    await open(`/?as_of=${AS_OF}&from=2026-10-20&until=2026-11-03&by-day.rows=25`);
    const rows = await cells('by-day');
    const totals = (await rig.page.locator('#by-day tfoot :is(th, td)').allInnerTexts()).map((text) => text.trim());
    expect(totals[0]).toBe('Total');
    for (const column of [1, 3, 4, 5, 8, 10, 11, 12, 14])
      expect([column, number(totals[column]!)]).toEqual([
        column,
        rows.reduce((sum, row) => sum + number(row[column]!), 0),
      ]);
    // Each head says what its column holds.
    const titles = await rig.page
      .locator('#by-day thead a')
      .evaluateAll((all) => (all as unknown as { title: string }[]).map((one) => one.title));
    expect(titles.filter((title) => title === '')).toEqual([]);
    const choice = rig.page.locator('#by-day details');
    await choice.locator('summary').click();
    await choice.getByRole('link', { name: /^Hide\s+Answered\s*Ad-driven/ }).click();
    await rig.page.waitForURL((url) => url.searchParams.has('by-day.columns'));
    const heads = rig.page.locator('#by-day thead tr').last().locator('th');
    await expect.poll(() => heads.count()).toBe(14);
    expect(await heads.allInnerTexts()).not.toContain('Answered');
    // The address is enough, and other links of the table keep it.
    await rig.page.reload();
    expect(await heads.count()).toBe(14);
    await rig.page.locator('#by-day thead a', { hasText: 'Started' }).click();
    await rig.page.waitForURL((url) => url.searchParams.get('by-day.sort') === '-ad_conversations');
    expect(await heads.count()).toBe(14);
    await choice.locator('summary').click();
    await choice.getByRole('link', { name: 'Reset columns' }).click();
    await expect.poll(() => heads.count()).toBe(15);

    // Pages are above the table, and go both ways.
    await open(`/?as_of=${AS_OF}&from=2026-10-22&until=2026-10-26&grain=hour&by-day.rows=25`);
    const first = await cells('by-day');
    expect(first).toHaveLength(25);
    await rig.page.locator('#by-day .controls').getByRole('link', { name: 'Next page' }).click();
    await rig.page.locator('#by-day .controls', { hasText: '26 to 50 of 120 hours' }).waitFor();
    await rig.page.locator('#by-day .controls').getByRole('link', { name: 'Next page' }).click();
    await rig.page.locator('#by-day .controls', { hasText: '51 to 75 of 120 hours' }).waitFor();
    await rig.page.locator('#by-day .controls').getByRole('link', { name: 'Previous page' }).click();
    await rig.page.locator('#by-day .controls', { hasText: '26 to 50 of 120 hours' }).waitFor();
    await rig.page.locator('#by-day .controls').getByRole('link', { name: '200', exact: true }).click();
    await expect.poll(async () => (await cells('by-day')).length).toBe(120);
    // No ad has a cost here, so the columns of costs are left out.
    await open(`/ads?as_of=${AS_OF}`);
    expect(await rig.page.locator('#by-ad thead').innerText()).not.toContain('Spend');
    await open(`/ads?as_of=${AS_OF}&columns=spend,ad_conversations`);
    expect(await rig.page.locator('#by-ad thead').innerText()).toContain('Spend');
  });

  it('compares the headline with the period before, a year earlier, or nothing', async () => {
    const started = (from: string, to: string): number =>
      entries.filter(
        (entry) =>
          entry['ad_conversation_id'] === entry['conversation_id'] &&
          entry['entry_at']! >= from &&
          entry['entry_at']! < to,
      ).length;
    const query = `from=2026-10-29&to=2026-11-05&as_of=${AS_OF}`;
    const change = rig.page.getByRole('region', { name: 'Headline figures' }).locator('.change');
    await open(`/?${query}`);
    const [now, before] = [started('2026-10-29', '2026-11-05'), started('2026-10-22', '2026-10-29')];
    const percent = Math.round((1000 * now) / before - 1000) / 10;
    expect((await change.allInnerTexts())[0]).toBe(
      `${percent > 0 ? '+' : ''}${String(percent).replace('-', '−')}% from ${count(before)}`,
    );
    expect(await rig.page.locator('.comparison').innerText()).toContain('22 – 28 Oct 2026');
    await rig.page.getByRole('link', { name: 'previous year' }).click();
    await rig.page.waitForURL(/compare=year/);
    await expect.poll(() => change.allInnerTexts()).toEqual(['none before', 'no rate to compare with']);
    expect(await rig.page.locator('.comparison').innerText()).toContain('which the ledger covers only in part');
    await rig.page.getByRole('link', { name: 'none', exact: true }).click();
    await rig.page.waitForURL(/compare=none/);
    await expect.poll(() => change.count()).toBe(0);
  });

  it('offers the zone of the browser, which moves the edges of days', async () => {
    await rig.newPage({ timezoneId: 'Pacific/Auckland' });
    await open(`/?from=2026-10-26&to=2026-10-27&as_of=${AS_OF}&grain=day`);
    await rig.page
      .getByRole('navigation', { name: 'Time zones' })
      .getByRole('link', { name: /^Auckland/ })
      .click();
    await rig.page.waitForURL(/tz=Pacific%2FAuckland/);
    const expected = reckoned((time) => DateTime.fromISO(time, { zone: 'Pacific/Auckland' }).toISODate()!);
    await expect
      .poll(async () => (await cells('by-day')).map((row) => [number(row[1]!), number(row[10]!)]))
      .toEqual([expected.get('2026-10-26')]);
  });

  it('lists the mismatches, by their marks and one by one', async () => {
    const expected = messages
      .filter(
        ({ billing, predicted, reported, category, policy }) =>
          billing !== 'UNDELIVERED' &&
          !['', 'UNKNOWN', predicted].includes(reported) &&
          // The monthly allowance is not a mismatch (V2).
          !(
            policy === 'PMP-2026-10' &&
            category === 'service' &&
            predicted === 'BILLABLE' &&
            reported === 'FREE_SERVICE'
          ),
      )
      .map((row) => ({ ...row, at: Date.parse(row['delivered_at']!) }) as Row & { at: number });
    expect(expected.length).toBeGreaterThan(100);
    const ids = expected
      .toSorted(
        (a, b) =>
          b.at - a.at ||
          (b['phone_number_id']! > a['phone_number_id']!
            ? 1
            : b['phone_number_id']! < a['phone_number_id']!
              ? -1
              : 0) ||
          (b['message_id']! > a['message_id']! ? 1 : -1),
      )
      .map((row) => row['message_id']!);
    await open('/billing/mismatches?from=2026-10-01&to=2026-11-06');
    const groups = await cells('kinds');
    expect(groups.reduce((sum, row) => sum + number(row[5]!), 0)).toBe(expected.length);
    const csv = await report('/api/mismatched-messages?format=csv&from=2026-10-01&to=2026-11-06');
    expect(csv.map((row) => row['message_id'])).toEqual(ids);
    const seen: string[] = [];
    for (;;) {
      seen.push(...(await cells('messages')).map((row) => row[1]!));
      const older = rig.page.locator('#messages a[rel="next"]').first();
      if ((await older.count()) === 0) break;
      await rig.page.goto(new URL((await older.getAttribute('href')) ?? '', rig.page.url()).href);
    }
    expect(seen).toEqual(ids);

    await open('/billing/mismatches?from=2026-10-01&to=2026-11-06&predicted=FREE_ENTRY&reported=BILLABLE');
    const both = expected.filter((row) => row['predicted'] === 'FREE_ENTRY' && row['reported'] === 'BILLABLE');
    expect((await cells('messages')).length).toBe(Math.min(50, both.length));
    await open('/billing/mismatches?from=2015-01-01&to=2015-01-02');
    expect(await cells('kinds')).toEqual([['Meta reported nothing in this range.']]);
    expect(await rig.page.getByRole('main').innerText()).toContain(
      'Of 0 delivered messages that Meta reported, 0 (–) have a different mark',
    );
    await open('/billing/mismatches?predicted=CHEAP&after=yesterday');
    expect(await rig.page.locator('.repairs li').count()).toBe(2);
  });

  it('filters ads by id and by address: screen, CSV and the sum of entries agree', async () => {
    const query = `from=2026-10-20&to=2026-11-05&as_of=${AS_OF}`;
    const starts = entries.filter(
      (entry) => entry['ad_conversation_id'] === entry['conversation_id'] && entry['entry_at']! >= '2026-10-20',
    );
    await open(`/ads?${query}`);
    const all = await cells('by-ad');
    expect(all.reduce((sum, row) => sum + number(row[1]!), 0)).toBe(starts.length);
    const address = starts.find((entry) => entry['source_url'] !== '')!['source_url']!;
    const ad_ids = new Set(entries.filter((entry) => entry['source_url'] === address).map((entry) => entry['ad_id']!));
    for (const ad of [[...ad_ids][0]!, address]) {
      await open(`/ads?${query}`);
      await rig.page.getByLabel('Ad', { exact: true }).fill(ad);
      await rig.page.getByRole('button', { name: 'Filter', exact: true }).click();
      await rig.page.waitForURL((url) => url.searchParams.get('ad') === ad);
      const wanted = ad === address ? ad_ids : new Set([ad]);
      const expected = starts.filter((entry) => wanted.has(entry['ad_id']!)).length;
      expect(expected).toBeGreaterThan(0);
      await expect
        .poll(async () => (await cells('by-ad')).reduce((sum, row) => sum + number(row[1]!), 0))
        .toBe(expected);
      const csv = await report(
        (await rig.page.locator('#by-ad a', { hasText: 'CSV' }).first().getAttribute('href')) ?? '',
      );
      expect(csv.reduce((sum, row) => sum + Number(row['ad_conversations']), 0)).toBe(expected);
      expect(await rig.page.getByRole('region', { name: 'This ad' }).locator('dd').first().innerText()).toBe(
        count(expected),
      );
      // Days and zone keep the filter.
      await rig.page.getByRole('link', { name: '90 days' }).click();
      await rig.page.waitForURL(
        (url) => url.searchParams.get('ad') === ad && url.searchParams.get('from') !== '2026-10-20',
      );
    }
    await open(`/ads?${query}&ad=nobody`);
    expect((await cells('by-ad'))[0]).toEqual(['No ad or post with a conversation or a cost matches “Ad: nobody”.']);
    await open(`/ads?${query}&after=nobody`);
    expect(await rig.page.locator('.repairs li').count()).toBe(1);
    expect((await fetch(`${rig.product.url}/api/failures?ad=1`)).status).toBe(400);
  });

  it('goes back to now where it is, with its ad and the order of its tables', async () => {
    const ad = entries.find((entry) => entry['ad_id'] !== '')!['ad_id']!;
    const { phone_number_id, message_id } = messages[0]!;
    const thread = `/conversations/${phone_number_id!}/${message_id!}`;
    for (const [path, own] of [
      ['/', { sort: 'replied', 'by-day.sort': '-delivered' }],
      ['/ads', { ad, sort: '-replied' }],
      ['/conversations', { ad, sort: 'ad', reveal: '1' }],
      [thread, { reveal: '1' }],
    ] as const) {
      await open(`${path}?${new URLSearchParams({ tz: 'Asia/Tokyo', as_of: '2026-11-01T00:00:00Z', ...own })}`);
      await rig.page.getByRole('link', { name: 'Use now' }).click();
      await rig.page.waitForURL((url) => !url.searchParams.has('as_of'));
      const now = new URL(rig.page.url());
      expect([now.pathname, Object.fromEntries(now.searchParams)]).toEqual([path, { tz: 'Asia/Tokyo', ...own }]);
      await rig.page.getByRole('link', { name: 'Use now' }).waitFor({ state: 'detached' });
      expect(await rig.page.locator('.repairs').count()).toBe(0);
    }
  });

  it('says on every page what a link got wrong', async () => {
    const { phone_number_id, message_id } = messages[0]!;
    for (const path of [
      ...['/', '/ads', '/conversations', '/billing', '/billing/charges', '/billing/messages', '/billing/mismatches'],
      ...['/rates', '/imports', '/health', '/definitions', '/messages', `/messages/${phone_number_id!}/${message_id!}`],
      `/conversations/${phone_number_id!}/${message_id!}`,
    ]) {
      // Amounts are by the days of each account until a zone is chosen.
      const usual = /^\/billing(\/charges|\/messages|\/mismatches)?$/.test(path)
        ? 'the days of each account’s own time zone are'
        : 'UTC is';
      await open(`${path}?tz=Mars/Olympus`);
      expect([path, await rig.page.locator('.repairs li').allInnerTexts()]).toEqual([
        path,
        [`tz: “Mars/Olympus” is not an IANA time zone like America/Sao_Paulo; ${usual} used.`],
      ]);
    }
  });

  it('does not call its own links broken where hours were asked for', async () => {
    const week = 'from=2026-10-29&to=2026-11-05&grain=hour';
    const shown = rig.page.getByText('too many to show by the hour');
    for (const preset of ['30 days', '90 days']) {
      await open(`/?${week}`);
      await rig.page.getByRole('link', { name: 'By hour', exact: true }).waitFor();
      await rig.page.getByRole('link', { name: preset }).click();
      await rig.page.waitForURL((url) => !url.searchParams.has('grain'));
      expect(await rig.page.locator('.repairs').count()).toBe(0);
      expect(await shown.count()).toBe(0);
    }
    await open(`/?${week}`);
    await rig.page.getByRole('textbox', { name: 'First day' }).fill('2026-09-01');
    await rig.page.getByRole('button', { name: 'Show' }).click();
    await shown.waitFor();
    expect(await rig.page.locator('.repairs').count()).toBe(0);
    expect(await cells('by-day')).toHaveLength(50);
    await open('/ads?from=2026-09-01&to=2026-11-05&grain=hour');
    expect(await rig.page.locator('.repairs').count()).toBe(0);
    // The days are other ones, so hours are shown again.
    await rig.page.getByRole('link', { name: '7 days' }).click();
    await rig.page.waitForURL(/from=2026-10-2/);
    await rig.page.getByRole('link', { name: 'Overview' }).click();
    await rig.page.getByRole('heading', { name: 'By hour' }).waitFor();
  });

  it('lists rejected inputs, finds them by reason, and tries them again', async () => {
    /** What Health says of the figures, when nothing is being recomputed. */
    const doubtsOf = async (): Promise<string[]> => {
      await untilSettled(rig.product);
      await open('/health');
      const found = await rig.page.locator('.verdict + ul li').allInnerTexts();
      expect(await rig.page.locator('.verdict').innerText()).toBe(
        found.length === 0
          ? 'Everything in the ledger is in the figures. If Kafka feeds it, the /metrics of its consumers say what is still waiting there.'
          : `${found.length} ${found.length === 1 ? 'thing stands' : 'things stand'} between what arrived and the figures.`,
      );
      // Whether the last event is long ago is a matter of the machine's clock.
      return found.filter((sentence) => !sentence.startsWith('No event has come for '));
    };
    expect(await doubtsOf()).toEqual([]);
    const event = (id: string, timestamp: number) => ({
      event: 'message',
      direction: 'inbound',
      phone_number_id: '106540352242922',
      wa_id: '16505551234',
      id,
      timestamp: String(timestamp),
      type: 'text',
    });
    const lines = [
      ...Array.from({ length: 60 }, (_, i) => `not json ${i} <b>bold</b>`),
      JSON.stringify(event('wamid.future', Math.floor(Date.now() / 1000) + 30 * 86_400)),
      JSON.stringify({ event: 'message' }),
    ];
    writeFileSync(data.file('bad.ndjson'), `${lines.join('\n')}\n`);
    await output(data, ['ingest', 'bad.ndjson']);
    // As if it had been rejected before a fix: a value that can be used.
    const good = Buffer.from(JSON.stringify(event('wamid.mended', 1_761_000_000))).toString('base64');
    await data.query(
      `INSERT INTO ctwa_ledger.dead_letters (source, source_partition, position, version, code, message, first_seen_at, is_replayed, raw_base64)
       VALUES ('old.ndjson', 0, 1, 1, 'not_json', 'once', '2026-01-01 00:00:00', 0, '${good}')`,
    );
    const csv = await report('/api/dead-letters?format=csv');
    expect(csv).toHaveLength(63);

    expect(await doubtsOf()).toEqual(['63 inputs were rejected, and are in no figure.']);
    expect(await rig.page.locator('.freshness').innerText()).toContain(
      'No rejected inputs in these days, 63 in all wait',
    );
    const reasons = new Map((await cells('reasons')).map((row) => [row[0]!, number(row[1]!)]));
    const byCode = new Map<string, number>();
    for (const row of csv) byCode.set(row['code']!, (byCode.get(row['code']!) ?? 0) + 1);
    expect(byCode.size).toBeGreaterThan(2);
    expect(reasons).toEqual(byCode);
    const seen = await cells('letters');
    // Its bytes are text on the page, whatever they are.
    expect(await rig.page.locator('#letters b').count()).toBe(0);
    expect(seen).toHaveLength(50);
    await rig.page.locator('#letters a[rel="next"]').click();
    await rig.page.waitForURL(/after=/);
    await expect.poll(async () => (await cells('letters')).length).toBe(13);
    seen.push(...(await cells('letters')));
    expect(seen.map((row) => [row[1], row[2], row[3]])).toEqual(
      csv.map((row) => [row['source'], row['position'], row['code']]),
    );

    const code = csv.find((row) => byCode.get(row['code']!) === 1)!['code']!;
    await open('/health');
    await rig.page.locator('#reasons').getByRole('link', { name: code, exact: true }).click();
    await rig.page.waitForURL((url) => url.searchParams.get('code') === code);
    await expect.poll(async () => (await cells('letters')).map((row) => row[3])).toEqual([code]);
    const linked = await rig.page.locator('#letters a', { hasText: 'CSV' }).getAttribute('href');
    expect(await report(linked!)).toEqual(csv.filter((row) => row['code'] === code));
    const byReason = await rig.page.locator('#reasons a', { hasText: 'CSV' }).getAttribute('href');
    expect(new Map((await report(byReason!)).map((row) => [row['code']!, Number(row['letters'])]))).toEqual(byCode);

    // Sorted where they are stored, over all pages.
    for (const [sort, column] of [
      ['code', 3],
      ['source', 1],
      ['-bytes', 5],
    ] as const) {
      await open(`/health?sort=${sort}`);
      const sorted = await cells('letters');
      await rig.page.locator('#letters a[rel="next"]').click();
      await expect.poll(async () => (await cells('letters')).length).toBe(13);
      sorted.push(...(await cells('letters')));
      expect(new Set(sorted.map((row) => `${row[1]!} ${row[2]!}`)).size).toBe(63);
      const values = sorted.map((row) => (column === 5 ? -number(row[column]!) : row[column]!));
      expect(values).toEqual(values.toSorted((one, other) => (one < other ? -1 : one > other ? 1 : 0)));
    }
    await open('/health?reasons.sort=code');
    expect((await cells('reasons')).map((row) => row[0])).toEqual([...byCode.keys()].sort());
    await open('/health?code=%3Cb%3E&after=x');
    expect(await rig.page.locator('.repairs li').count()).toBe(2);

    await rig.page.getByRole('button', { name: 'Replay all of them' }).click();
    const done = rig.page.getByRole('status').filter({ hasText: 'tried again' });
    expect(await done.innerText()).toContain('63 rejected inputs tried again: 1 can be used now, 62 still cannot.');
    expect(await report('/api/dead-letters?format=csv')).toHaveLength(62);
    const stored = await data.query(
      "SELECT count() FROM ctwa_ledger.events WHERE id = 'wamid.mended' FORMAT JSONCompactEachRow",
    );
    expect(stored.map(([n]) => Number(n))).toEqual([1]);
  });
});

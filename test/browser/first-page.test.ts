import { Decimal } from 'decimal.js';
import { DateTime } from 'luxon';
import { afterAll, describe, expect, it } from 'vitest';
import { Prng } from '../../services/simulate/prng.ts';
import { violationsIn } from '../support/axe.ts';
import { browserRig } from '../support/browser-rig.ts';
import { allTableRows, barHeights, focusOf, groundOf, sidewaysScroll, tableRows } from '../support/browser.ts';
import { csvRows, DataDirectory, deliver, envelope, inbound, output, startProduct, until } from '../support/product.ts';

type Row = Record<string, string>;

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

// How the screen says what reports say, written down a second time.
const screen = {
  count: (text: string): string => text.replaceAll(/\B(?=(\d{3})+$)/g, ','),
  /** Exact: a rate is a whole number of ten-thousandths. */
  rate: (decimal: string, mature: number): string => {
    if (decimal === '') return '–';
    const tenths = Math.floor((Number(decimal.replace('.', '')) + 5) / 10);
    return `${mature < 30 ? '~' : ''}${Math.floor(tenths / 10)}.${tenths % 10}%`;
  },
  amount: (decimal: string): string => {
    if (decimal === '') return '–';
    const [whole = '', places = ''] = new Decimal(decimal).toFixed(2, Decimal.ROUND_HALF_UP).split('.');
    return `${screen.count(whole)}.${places}`;
  },
  duration: (text: string): string => {
    if (text === '') return '–';
    const seconds = Math.round(Number(text));
    const sizes: readonly [number, string][] = [
      [86_400, 'd'],
      [3_600, 'h'],
      [60, 'min'],
      [1, 's'],
    ];
    const first = Math.max(
      sizes.findIndex(([size]) => seconds >= size),
      seconds === 0 ? 3 : 0,
    );
    const [size, name] = sizes[first]!;
    const [small, smallName] = sizes[first + 1] ?? [size, ''];
    const rest = Math.floor((seconds % size) / small);
    return `${Math.floor(seconds / size)} ${name}${rest === 0 ? '' : ` ${rest} ${smallName}`}`;
  },
  day: (iso: string): string =>
    iso === '' ? '–' : `${Number(iso.slice(8, 10))} ${MONTHS[Number(iso.slice(5, 7)) - 1]!} ${iso.slice(0, 4)}`,
};

const DAY_SUMS = ['ad_conversations', 'replied', 'mature', 'pending', 'windows_opened', 'windows_confirmed'] as const;
const MESSAGE_SUMS = ['delivered', 'billable', 'free_entry', 'mismatches'] as const;

const sumOf = (rows: readonly Row[], column: string): number =>
  rows.reduce((total, row) => total + Number(row[column]), 0);

/** The rows of report `daily` of one day as the table of days shows them; what cannot be summed is null. */
function dayCells(rows: readonly Row[]): (string | null)[] {
  const sum = (column: string): string => screen.count(String(sumOf(rows, column)));
  const [replied, mature] = [sumOf(rows, 'replied'), sumOf(rows, 'mature')];
  const tenThousandths = Math.floor((20_000 * replied + mature) / (2 * mature));
  const rate = mature === 0 ? '' : (tenThousandths / 10_000).toFixed(4);
  // A median of two numbers together is not in the report of each.
  const answering = rows.filter((row) => row['median_seconds_to_reply'] !== '');
  const median = answering.length > 1 ? null : screen.duration(answering[0]?.['median_seconds_to_reply'] ?? '');
  return [
    ...DAY_SUMS.slice(0, 4).map(sum),
    screen.rate(rate, mature),
    median,
    ...DAY_SUMS.slice(4).map(sum),
    ...MESSAGE_SUMS.slice(0, 3).map(sum),
    // Messages saved: of the overview, in no report.
    null,
    ...MESSAGE_SUMS.slice(3).map(sum),
  ];
}

interface Filters {
  readonly from: string;
  readonly to: string;
  readonly tz: string;
  readonly as_of: string;
}

/** Zones that change their clocks, in both hemispheres and by half an hour, and zones off the hour. */
const ZONES = [
  'UTC',
  'America/New_York',
  'America/Santiago',
  'America/Sao_Paulo',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Europe/Berlin',
  'Pacific/Auckland',
  'Pacific/Chatham',
];

/** Days and clocks are relative to `last`, because the sample data ends now; the rest is the same in every run. */
function someFilters(random: Prng, last: DateTime): Filters {
  const tz = random.pick(ZONES);
  const to = last
    .setZone(tz)
    .startOf('day')
    .minus({ days: random.int(-1, 79) });
  const from = to.minus({ days: random.pick([1, 2, 7, random.int(1, 89)]) });
  // Anywhere around the end of the range, where pending and mature depend on it.
  const as_of = to.minus({ seconds: random.int(-3 * 86_400, 3 * 86_400) }).toUTC();
  return { from: from.toISODate()!, to: to.toISODate()!, tz, as_of: as_of.toISO({ suppressMilliseconds: true })! };
}

describe('the first page', () => {
  const rig = browserRig();
  const { data } = rig;

  const open = async (query: Partial<Filters> | string = ''): Promise<void> => {
    const search = typeof query === 'string' ? query : new URLSearchParams(query).toString();
    await rig.open(`/${search === '' ? '' : `?${search}`}`);
  };
  const sampleLabel = () => rig.page.getByRole('complementary', { name: 'Sample data' });
  const title = (): Promise<string> => rig.page.locator('h1').innerText();

  const factsOfSample = (): Promise<unknown[][]> =>
    data.query(
      "SELECT value FROM ctwa_ledger_sample.ledger_facts FINAL WHERE name = 'sample_with_spend' FORMAT JSONCompactEachRow",
    );

  const eventsOfSample = async (): Promise<number> => {
    const rows = await data.query(
      `SELECT sum(rows) FROM system.parts WHERE database = 'ctwa_ledger_sample' AND table = 'events' AND active
       FORMAT JSONCompactEachRow`,
    );
    return Number(rows[0]?.[0] ?? 0);
  };

  /** The days in the form, the second one exclusive. */
  const chosenDays = async (): Promise<{ readonly from: DateTime; readonly to: DateTime }> => {
    const day = async (name: string): Promise<DateTime> =>
      DateTime.fromISO(await rig.page.locator(`input[name="${name}"]`).inputValue(), { zone: 'utc' });
    return { from: await day('from'), to: (await day('until')).plus({ days: 1 }) };
  };
  const lastEventOfSample = async (): Promise<DateTime> => {
    const [row] = await data.query(
      'SELECT toUnixTimestamp(max(timestamp)) FROM ctwa_ledger_sample.events FORMAT JSONCompactEachRow',
    );
    return DateTime.fromSeconds(Number(row![0]), { zone: 'utc' });
  };

  it('stops at once while the sample data is written, and never shows a part of it', async () => {
    rig.product = await startProduct(data);
    await until('a part of the sample is written', async () => (await eventsOfSample()) > 0);
    await open();
    expect(await title()).toBe('Writing the sample data');
    expect(await rig.page.locator('table').count()).toBe(0);
    expect(rig.complaints).toEqual([]);
    expect(await rig.product.stop()).toBe(0);
    // The page goes on asking, and rightly complains.
    await rig.page.close();
    rig.complaints.length = 0;
    // It stopped before it was done, not after.
    expect(await factsOfSample()).toEqual([]);
  });

  it('turns from loading to the whole sample data by itself', async () => {
    const before = await eventsOfSample();
    rig.product = await startProduct(data);
    await rig.page.setViewportSize({ width: 360, height: 740 });
    await open();
    expect(await title()).toBe('Writing the sample data');
    expect(await rig.page.locator('[aria-busy="true"]').count()).toBe(1);
    expect(await sampleLabel().isVisible()).toBe(true);
    expect(await rig.page.locator('table').count()).toBe(0);
    expect(await sidewaysScroll(rig.page)).toBeLessThanOrEqual(0);
    // A command that needs the sample in the middle of it gets the whole, and is in nobody's way.
    await until('more of the sample is written', async () => (await eventsOfSample()) > before);
    const asOf = new Date().toISOString();
    const exported = output(data, ['export', 'ads', '--sample', '--as-of', asOf]);
    exported.catch(() => undefined);
    // Without a reload of ours.
    await rig.page.locator('#by-day tbody tr').first().waitFor({ timeout: 240_000 });
    expect(await rig.page.locator('[aria-busy="true"]').count()).toBe(0);
    expect(await sampleLabel().isVisible()).toBe(true);
    expect(await title()).toMatch(/^Click-to-WhatsApp, \d/);
    expect(await rig.page.title()).toBe(`${await title()} · CTWA Ledger`);
    expect(await factsOfSample()).toEqual([['true']]);
    expect(await (await fetch(`${rig.product.url}/api/ads?format=csv&sample=1&as_of=${asOf}`)).text()).toBe(
      await exported,
    );
    expect(rig.product.log).not.toContain('could not be loaded');
  });

  it('has accounts, which cannot be changed', async () => {
    await rig.open('/rates');
    expect(await rig.page.getByRole('main').getByRole('status').first().innerText()).toContain(
      'Its accounts cannot be changed',
    );
    expect(
      await rig.page
        .locator('#accounts')
        .getByRole('link', { name: /^Configure/ })
        .count(),
    ).toBe(0);
    expect(await rig.page.getByRole('button', { name: 'Start with my own data' }).count()).toBe(1);
    const refused = await fetch(`${rig.product.url}/rates?/account`, {
      method: 'POST',
      headers: { origin: rig.product.url, accept: 'text/html' },
      body: new URLSearchParams({ waba_id: '102290129340398', currency: 'EUR' }),
    });
    expect(refused.status).toBe(409);
    expect(await refused.text()).toContain('This is the sample data, which cannot be changed.');
  });

  it('can be tried with another card and another cost of an ad, in the sample data alone', async () => {
    const asked = async (report: string): Promise<Record<string, string>[]> =>
      csvRows(await rig.fetched(`/api/${report}?format=csv&sample=1`));
    const [savings, costs] = [await asked('savings'), await asked('ad-figures')];
    const card = `Cost per message\nMarket,Currency,Marketing,Utility,Authentication,Service\nOther,USD,9,9,9,9\n`;
    await rig.open('/rates');
    await rig.page
      .getByLabel('File, up to 32 MB')
      .setInputFiles({ name: 'tried.csv', mimeType: 'text/csv', buffer: Buffer.from(card) });
    await rig.page.getByLabel('In force from').fill('2026-10-02');
    await rig.page.getByRole('button', { name: 'Preview' }).click();
    await rig.page.getByRole('button', { name: 'Apply these rates' }).click();
    await rig.page.getByText(/^Imported: USD per message from 2 Oct 2026\./).waitFor();
    const billed = (rows: readonly Record<string, string>[], currency: string): unknown[] =>
      rows.filter((row) => row['currency'] === currency).map((row) => [row['billed_cost'], row['unrated']]);
    const tried = await asked('savings');
    expect(billed(tried, 'USD')).not.toEqual(billed(savings, 'USD'));
    expect(billed(tried, 'BRL')).toEqual(billed(savings, 'BRL'));
    await rig.page.getByRole('link', { name: 'Withdraw tried.csv, USD' }).click();
    await rig.page.getByRole('button', { name: 'Withdraw this card' }).click();
    await rig.page.getByText(/^Withdrawn: USD per message from 2 Oct 2026/).waitFor();
    expect(await asked('savings')).toEqual(savings);

    const [ad] = costs.filter((row) => row['spend'] !== '' && row['ad_id'] !== '');
    await rig.open('/imports');
    const typed = rig.page.locator('#typed');
    const day = DateTime.utc().minus({ days: 10 }).toISODate();
    await typed.getByLabel('Ad ID').fill(ad!['ad_id']!);
    await typed.getByLabel('First day').fill(day);
    await typed.getByLabel('Last day, included').fill(day);
    await typed.getByLabel('Amount, like 1234.50').fill('4321');
    await typed.getByLabel('Currency').fill(ad!['currency']!);
    await typed.getByRole('button').click();
    await rig.page.locator('#done').waitFor();
    expect((await asked('ad-figures')).find((row) => row['ad_id'] === ad!['ad_id'])!['spend']).not.toBe(ad!['spend']);
    expect(await data.query('SELECT count() FROM ctwa_ledger.spend_imports FORMAT JSONCompactEachRow')).toEqual([
      ['0'],
    ]);
  });

  it('has three headline figures, which are those of its days', async () => {
    await open();
    const figures = rig.page.getByRole('region', { name: 'Headline figures' }).getByRole('article');
    expect(await figures.getByRole('heading').allInnerTexts()).toEqual([
      'Ad-driven conversations',
      'Answered within 24 h',
      'Saved by free entry',
    ]);
    const values = await figures.locator('.value').allInnerTexts();
    const days = await tableRows(rig.page, 'by-day');
    expect(days).toHaveLength(30);
    const total = (column: number): number =>
      days.reduce((sum, row) => sum + Number(row[column]!.text.replaceAll(',', '')), 0);
    const [started, replied, mature, saved] = [1, 3, 4, 13].map(total) as [number, number, number, number];
    expect(started).toBeGreaterThan(1_000);
    expect(saved).toBeGreaterThan(1_000);
    const rate = (Math.round((10_000 * replied) / mature) / 10_000).toFixed(4);
    expect(values).toEqual([screen.count(String(started)), screen.rate(rate, mature)]);
    const money = figures.nth(2);
    expect(await money.innerText()).toContain(`${screen.count(String(saved))} messages saved from charge`);

    // Amounts are those of the report, each currency by itself, with what was saved in the days before.
    const range = await chosenDays();
    const days_of = (from: DateTime, to: DateTime): string =>
      `sample=1&format=csv&from=${from.toISODate()!}&to=${to.toISODate()!}`;
    const reports = await Promise.all(
      [
        [range.from, range.to],
        [range.from.minus(range.to.diff(range.from)), range.from],
      ].map(async ([from, to]) =>
        csvRows(await (await fetch(`${rig.product.url}/api/savings?${days_of(from!, to!)}`)).text()),
      ),
    );
    const [now, before] = reports.map(
      (rows) => new Map(rows.filter((row) => row['savings'] !== '').map((row) => [row['currency']!, row['savings']!])),
    ) as [Map<string, string>, Map<string, string>];
    expect([...now.keys()]).toEqual(['BRL', 'INR', 'USD']);
    expect(await money.locator('dt').allInnerTexts()).toEqual([...now.keys()]);
    expect(await money.locator('dd.amount').allInnerTexts()).toEqual([...now.values()].map(screen.amount));
    // Whole months are compared with whole months.
    if (range.from.day !== 1)
      expect((await money.locator('dd.change').allInnerTexts()).map((text) => text.split(' from ')[1])).toEqual(
        [...now.keys()].map((currency) => screen.amount(before.get(currency)!)),
      );
  });

  it('compares the days of the chart and the table with those before', async () => {
    const last = (await lastEventOfSample()).startOf('day');
    const day = (ago: number): string => last.minus({ days: ago }).toISODate()!;
    await open(`from=${day(17)}&until=${day(11)}`);
    const [shown, earlier] = await Promise.all(
      [
        [day(17), day(10)],
        [day(24), day(17)],
      ].map(async ([from, to]) =>
        csvRows(
          await (await fetch(`${rig.product.url}/api/days?sample=1&format=csv&from=${from!}&to=${to!}`)).text(),
        ).map((row) => Number(row['ad_conversations'])),
      ),
    );
    const rows = await tableRows(rig.page, 'by-day');
    expect(rows.map((row) => Number(row[1]!.text))).toEqual(shown);
    expect(rows.map((row) => Number(/^[+-]?\d+/.exec(row[2]!.text.replace('−', '-'))![0]))).toEqual(
      shown!.map((count, i) => count - earlier![i]!),
    );
    // Behind each bar that is lower than the one before stands the rest of that one.
    const lower = shown!.filter((count, i) => count < earlier![i]!).length;
    expect(lower).toBeGreaterThan(0);
    await until('the bars of before are drawn', async () => (await barHeights(rig.page, '--chart-before')).length > 0);

    // A click on a bar shows its day.
    const canvas = rig.page.locator('figure canvas');
    const box = (await canvas.boundingBox())!;
    await canvas.click({ position: { x: box.width - 30, y: box.height / 3 } });
    await rig.page.waitForURL(new RegExp(`from=${day(11)}&until=${day(11)}`));

    await open(`from=${day(17)}&until=${day(11)}&compare=none`);
    expect(await rig.page.locator('#by-day thead').innerText()).not.toContain('Change');
    expect(await rig.page.getByText('Conversations of the period compared with').count()).toBe(0);
  });

  it('lists who still can be answered in time, least time left first', async () => {
    await open();
    const listed = await tableRows(rig.page, 'waiting');
    expect(listed).toHaveLength(5);
    const entries = listed.map((row) => DateTime.fromISO(row[2]!.time!).toSeconds());
    expect(entries).toEqual(entries.toSorted((a, b) => a - b));
    const more = rig.page.getByRole('link', { name: 'all unanswered conversations' });
    await rig.page.locator('#waiting tbody a').first().click();
    await rig.page.waitForURL(/\/conversations\/\d+\//);
    await rig.page.goBack();
    await more.click();
    await rig.page.waitForURL(/state=pending/);
  });

  it('draws the days of the table, in light and in dark', async () => {
    await rig.page.emulateMedia({ colorScheme: 'light' });
    await open();
    const days = await tableRows(rig.page, 'by-day');
    const values = (column: number): number[] =>
      days
        // Unfinished days are hatched.
        .filter((row) => !row[0]!.text.includes('unfinished'))
        .map((row) => Number(row[column]!.text.replaceAll(',', '')));
    const isDrawn = async (): Promise<void> => {
      for (const [colour, column] of [
        ['--chart-replied', 3],
        ['--chart-saved', 13],
      ] as const) {
        const expected = values(column);
        const heights = await until('the bars are drawn', async () => {
          const now = await barHeights(rig.page, colour);
          return now.length >= expected.length && now;
        });
        // Hatching has some pixels of the pure colour too, but its bars come last. The outline of another series that
        // stands on top, and rounding, are a few pixels.
        const scale = Math.max(...heights) / Math.max(...expected);
        expect(scale).toBeGreaterThan(0);
        expected.forEach((value, i) => {
          expect(Math.abs(heights[i]! - value * scale)).toBeLessThan(5);
        });
      }
    };
    await isDrawn();
    const light = await groundOf(rig.page);
    await rig.page.emulateMedia({ colorScheme: 'dark' });
    await isDrawn();
    expect(await groundOf(rig.page)).not.toBe(light);
    // Opened in the dark from the start, too.
    await open('from=2026-01-01&to=2026-01-05');
    await open();
    await isDrawn();
  });

  it('shows what API, CSV and the command say, whatever the filters', async () => {
    await open();
    const newest = await rig.page.locator('.freshness time').getAttribute('datetime');
    const last = DateTime.fromISO(newest!);
    const random = new Prng(7);
    const asked = Array.from({ length: 4 }, () => someFilters(random, last));
    // Two at once: a command takes a second to begin.
    const commands = asked.map((filters) => async () => {
      const args = ['--from', filters.from, '--to', filters.to, '--tz', filters.tz, '--as-of', filters.as_of];
      return output(data, ['export', 'days', '--sample', ...args]);
    });
    const exported: string[] = [];
    for (let i = 0; i < commands.length; i += 2)
      exported.push(...(await Promise.all(commands.slice(i, i + 2).map((command) => command()))));

    let rowsSeen = 0;
    for (const [i, filters] of asked.entries()) {
      const where = JSON.stringify(filters);
      // A single day is by the hour unless days are asked for.
      await open(new URLSearchParams({ ...filters, grain: 'day', compare: 'none' }).toString());
      expect(await rig.page.locator('.repairs').count(), where).toBe(0);
      const report = async (frame: string, format: string): Promise<string> => {
        const href = await rig.page.locator(`#${frame} a`, { hasText: format }).first().getAttribute('href');
        const response = await fetch(new URL(href!, rig.page.url()));
        expect(response.status, where).toBe(200);
        return response.text();
      };
      const [dailyCsv, dailyJson] = await Promise.all([report('by-day', 'CSV'), report('by-day', 'JSON')]);

      // The command, the CSV and the JSON: to the letter.
      expect(dailyCsv, where).toBe(exported[i]);
      const asText = (json: string): Row[] =>
        (JSON.parse(json) as { rows: Record<string, string | number | null>[] }).rows.map((row) =>
          Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value ?? '')])),
        );
      const daily = csvRows(dailyCsv);
      expect(asText(dailyJson), where).toEqual(daily);

      // The screen.
      const shownDays = new Map(
        (await allTableRows(rig.page, 'by-day')).map((row) => [
          row[0]!.text.split(/ (?=\w{3},?( unfinished)?$)/)[0]!,
          row,
        ]),
      );
      const byDay = new Map<string, Row[]>();
      for (const row of daily) {
        const day = screen.day(row['day']!);
        byDay.set(day, [...(byDay.get(day) ?? []), row]);
      }
      for (const [day, rows] of byDay) {
        const shown = shownDays
          .get(day)
          ?.slice(1)
          .map((cell) => cell.text);
        const expected = dayCells(rows);
        expect(
          shown?.map((text, column) => (expected[column] === null ? null : text)),
          `${where} ${day}`,
        ).toEqual(expected);
        rowsSeen += 1;
      }
      const length = DateTime.fromISO(filters.to).diff(DateTime.fromISO(filters.from), 'days').days;
      expect(shownDays.size, where).toBe(Math.round(length));
      // Every other day of the range is shown too, with nothing.
      for (const [day, row] of shownDays)
        if (!byDay.has(day))
          expect(
            row.slice(1).every((cell) => ['0', '–'].includes(cell.text)),
            `${where} ${day}`,
          ).toBe(true);
    }
    // Else all ranges were empty, and nothing was compared.
    expect(rowsSeen).toBeGreaterThan(0);
  });

  it('sorts the table of days by any column, and says so', async () => {
    await open();
    const heads = rig.page.locator('#by-day thead tr').last().locator('th');
    const names = (await heads.allInnerTexts()).map((name) => name.replace(/^[↑↓]/, '').trim());
    expect(names).toHaveLength(15);
    const number = (text: string): number =>
      Number(/^[+-]?[\d.]+/.exec(text.replaceAll(/[,~%]/g, '').replace('−', '-'))?.[0]);
    for (const column of [1, 2, 6, 10]) {
      for (const order of ['descending', 'ascending']) {
        await heads.nth(column).getByRole('link').click();
        await rig.page.locator(`#by-day th[aria-sort="${order}"]`, { hasText: names[column]! }).waitFor();
        const values = (await tableRows(rig.page, 'by-day'))
          .map((row) => row[column]!.text)
          .filter((text) => text !== '–')
          .map(number);
        expect(values).toEqual(values.toSorted((a, b) => (order === 'descending' ? b - a : a - b)));
      }
    }
    expect(await rig.page.locator('#by-day th[aria-sort]').count()).toBe(1);
  });

  it('repairs what a link gets wrong, says so, and keeps the rest', async () => {
    const long = 'x'.repeat(300);
    await open(`from=2026-02-30&tz=Mars/Olympus&by-day.sort=nonsense&as_of=${long}&sample=maybe&unknown=1`);
    const notices = await rig.page.locator('.repairs li').allInnerTexts();
    expect(notices.map((notice) => notice.split(':')[0])).toEqual(['from', 'tz', 'as_of', 'sample', 'by-day.sort']);
    expect(notices.join()).toContain('“Mars/Olympus” is not an IANA time zone');
    expect(notices.join()).not.toContain(long);
    expect(await tableRows(rig.page, 'by-day')).toHaveLength(30);
    await rig.page.setViewportSize({ width: 360, height: 740 });
    // The chart follows the width of the page a moment later.
    await until('the page fits', async () => (await sidewaysScroll(rig.page)) <= 0);

    // The range follows the data, and the day may have begun in India that has not begun in Greenwich.
    const last = (await lastEventOfSample()).setZone('Asia/Kolkata');
    const firstDay = last.minus({ days: 29 }).toFormat('yyyy-MM-dd');
    await open(`tz=Asia/Kolkata&from=2026-03-01&to=2026-02-01`);
    expect(await rig.page.locator('.repairs li').count()).toBe(1);
    expect(await rig.page.locator('input[name="tz"]:not([type="hidden"])').inputValue()).toBe('Asia/Kolkata');
    expect(await rig.page.locator('input[name="from"]:not([type="hidden"])').inputValue()).toBe(firstDay);
    // Month and year are left out where they are those of the last day.
    expect(await title()).toContain(`, ${last.minus({ days: 29 }).day} `);
    // What is followed from here no longer carries what was wrong.
    await rig.page.getByRole('button', { name: 'Filters and dates' }).click();
    await rig.page.getByRole('link', { name: '7 days' }).click();
    await until('the notice is gone', async () => (await rig.page.locator('.repairs').count()) === 0);
    expect(await tableRows(rig.page, 'by-day')).toHaveLength(7);
    const address = new URL(rig.page.url());
    expect(address.searchParams.get('tz')).toBe('Asia/Kolkata');
    expect(address.searchParams.get('from')).not.toBe('2026-03-01');

    // Markup in a link stays text.
    await open(`tz=${encodeURIComponent('<img src=x onerror=alert(1)>')}`);
    expect(await rig.page.locator('.repairs img').count()).toBe(0);
    expect(await rig.page.locator('.repairs').innerText()).toContain('<img src=x');
  });

  it('goes back and forward through what was looked at', async () => {
    await open();
    const [whole, from] = [
      await title(),
      await rig.page.locator('input[name="from"]:not([type="hidden"])').inputValue(),
    ];
    await rig.page.getByRole('link', { name: '7 days' }).click();
    await until('the range is another', async () => (await title()) !== whole);
    const week = await title();
    const weekFrom = await rig.page.locator('input[name="from"]:not([type="hidden"])').inputValue();
    await rig.page.locator('input[name="tz"]:not([type="hidden"])').fill('Pacific/Auckland');
    await rig.page.getByRole('button', { name: 'Show' }).click();
    await rig.page.waitForURL(/tz=Pacific/);
    expect(new URL(rig.page.url()).searchParams.get('from')).toBe(weekFrom);
    // A reload and a copied link show the same.
    await until('the zone is said', async () =>
      (await rig.page.locator('.freshness').innerText()).includes('Pacific/Auckland'),
    );
    const shown = await tableRows(rig.page, 'by-day');
    await rig.page.reload();
    expect(await tableRows(rig.page, 'by-day')).toEqual(shown);

    await rig.page.goBack();
    await until(
      'no zone is chosen again',
      async () => (await rig.page.locator('input[name="tz"]:not([type="hidden"])').inputValue()) === '',
    );
    expect(await rig.page.locator('input[name="tz"]:not([type="hidden"])').getAttribute('placeholder')).toBe('UTC');
    expect(await title()).toBe(week);
    await rig.page.goBack();
    await until('the whole range is back', async () => (await title()) === whole);
    expect(await rig.page.locator('input[name="from"]:not([type="hidden"])').inputValue()).toBe(from);
    await rig.page.goForward();
    await until('the week is back', async () => (await title()) === week);
    expect(await rig.page.locator('input[name="from"]:not([type="hidden"])').inputValue()).toBe(weekFrom);
  });

  it('fits a phone, every page of it', async () => {
    for (const width of [320, 360, 412]) {
      await rig.page.setViewportSize({ width, height: 740 });
      for (const path of ['', '?tz=America/Argentina/Buenos_Aires&as_of=2026-01-01', 'definitions']) {
        await rig.page.goto(`${rig.product.url}/${path}`);
        await until(`${path} fits ${width} pixels`, async () => (await sidewaysScroll(rig.page)) === 0);
      }
    }
    // The tables scroll inside their frames instead.
    await open();
    const frame = rig.page.locator('#by-day .scroll');
    expect(await frame.evaluate((element) => element.scrollWidth > element.clientWidth)).toBe(true);
  });

  it('can be used with the keyboard alone', async () => {
    await open();
    const reached = new Map<string, boolean>();
    for (let i = 0; i < 140; i++) {
      await rig.page.keyboard.press('Tab');
      const { name, isVisible } = await focusOf(rig.page);
      // Behind the last link.
      if (name.startsWith('body ')) break;
      // A date has parts, of which the browser marks one itself.
      reached.set(name, isVisible || reached.get(name) === true);
    }
    const names = [...reached.keys()];
    expect(names[0]).toBe('a Skip to content');
    for (const name of [
      'button Start with my own data',
      'a 7 days',
      'a All',
      'input from',
      'input until',
      'input tz',
      'button Show',
      'a by-day Started',
      'a by-day Answered',
      'a by-day Mismatches',
      'a by-day CSV, one row per day',
    ])
      expect(names).toContain(name);
    expect([...reached].filter(([, isVisible]) => !isVisible).map(([name]) => name)).toEqual([]);

    // Enter sorts, and the focus stays where it was.
    await rig.page.locator('#by-day thead a', { hasText: /^[↓↑]?Answered$/ }).focus();
    await rig.page.keyboard.press('Enter');
    await rig.page.locator('#by-day th[aria-sort="descending"]', { hasText: /^[↓↑]?Answered$/ }).waitFor();
    expect((await focusOf(rig.page)).name).toMatch(/^a by-day .*Answered$/);
  });

  it('can be read without JavaScript', async () => {
    await rig.newPage({ javaScriptEnabled: false });
    await open();
    expect(await rig.page.locator('#waiting tbody tr').count()).toBe(5);
    expect(await rig.page.locator('#by-day tbody tr').count()).toBe(30);
    expect(await rig.page.locator('figure').innerText()).toContain('The chart needs JavaScript.');
    expect(await rig.page.locator('figure canvas').isVisible()).toBe(false);
    await rig.page.getByRole('link', { name: '7 days' }).click();
    expect(await rig.page.locator('#by-day tbody tr').count()).toBe(7);
    await rig.page.locator('input[name="tz"]:not([type="hidden"])').fill('Mars');
    await rig.page.getByRole('button', { name: 'Show' }).click();
    expect(await rig.page.locator('.repairs').innerText()).toContain('Mars');
    expect(await rig.page.getByRole('button', { name: 'Start with my own data' }).isVisible()).toBe(true);
  });

  describe('the sample data goes', () => {
    const twin = new DataDirectory();
    afterAll(() => twin.remove());

    const entry = (adId: string) => ({
      from: '16505551234',
      id: 'wamid.first',
      timestamp: '1792000000',
      type: 'text',
      referral: { source_type: 'ad', source_id: adId },
    });
    const databasesOfSample = (directory: DataDirectory): Promise<unknown[][]> =>
      directory.query("SELECT name FROM system.databases WHERE name LIKE '%sample%' FORMAT JSONCompactEachRow");

    it('with two clicks, until it is asked for again', async () => {
      expect(await rig.product.stop()).toBe(0);
      await data.killEngine('SIGTERM');
      twin.copy(data);
      rig.product = await startProduct(data);

      await open('tz=Asia/Tokyo&from=2026-01-01&to=2026-02-01');
      await rig.page.getByRole('button', { name: 'Start with my own data' }).click();
      const question = rig.page.getByRole('dialog', { name: 'Remove the sample data?' });
      expect(await violationsIn(rig.page)).toEqual([]);
      await question.getByRole('button', { name: 'Keep it' }).click();
      expect(await question.isVisible()).toBe(false);
      expect(await sampleLabel().count()).toBe(1);
      await rig.page.getByRole('button', { name: 'Start with my own data' }).press('Enter');
      await question.getByRole('button', { name: 'Remove it and start' }).click();
      await rig.page.getByRole('heading', { name: 'The ledger is empty' }).waitFor();
      expect(await sampleLabel().count()).toBe(0);
      expect(new URL(rig.page.url()).search).toBe('?tz=Asia%2FTokyo');
      await rig.page.setViewportSize({ width: 360, height: 740 });
      await until('the page fits', async () => (await sidewaysScroll(rig.page)) === 0);
      expect(await databasesOfSample(data)).toEqual([]);

      expect(await rig.product.stop()).toBe(0);
      rig.product = await startProduct(data);
      await open();
      expect(await title()).toBe('The ledger is empty');
      expect(await sampleLabel().count()).toBe(0);
      expect(await databasesOfSample(data)).toEqual([]);

      await rig.page.getByRole('button', { name: 'Look at the sample data' }).click();
      await sampleLabel().waitFor();
      expect(await databasesOfSample(data)).toHaveLength(1);
    });

    it('with the first event of one’s own, which is shown instead', async () => {
      const other = await startProduct(twin);
      await rig.page.goto(other.url);
      expect(await sampleLabel().isVisible()).toBe(true);
      expect(await deliver(other, envelope(inbound([entry('<b>4242</b>')])))).toBe(200);
      const rows = await until('the ad is on the page', async () => {
        await rig.page.goto(`${other.url}/ads`);
        expect(await sampleLabel().count()).toBe(0);
        const shown = await tableRows(rig.page, 'by-ad');
        return shown.length === 1 && shown[0]!.length > 1 && shown;
      });
      expect(rows[0]!.slice(0, 2).map((cell) => cell.text)).toEqual(['<b>4242</b>', '1']);
      await rig.page.goto(other.url);
      await until('the sample data are gone', async () => (await databasesOfSample(twin)).length === 0);

      // Asked for again, it is kept apart: everybody else sees their own events.
      await rig.page.goto(`${other.url}/health`);
      await rig.page.getByRole('button', { name: 'Look at the sample data' }).click();
      await rig.page.getByRole('link', { name: 'Back to my own data' }).waitFor();
      expect(new URL(rig.page.url()).search).toBe('?sample=1');
      expect(await (await fetch(`${other.url}/ads`)).text()).toContain('&lt;b>4242&lt;/b>');
      await rig.page.getByRole('link', { name: 'Back to my own data' }).click();
      await rig.page.waitForURL((url) => url.search === '');
      expect(await sampleLabel().count()).toBe(0);
      // Days without anything are days too: a gap in the traffic must be seen as one.
      const days = await tableRows(rig.page, 'by-day');
      expect(days).toHaveLength(30);
      expect(days.map((row) => row[1]!.text)).toEqual([...Array<string>(29).fill('0'), '1']);
      expect(await other.stop()).toBe(0);
    });
  });
});

import { writeFileSync } from 'node:fs';
import { Decimal } from 'decimal.js';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { browserRig } from '../support/browser-rig.ts';
import { barHeights, focusOf, sidewaysScroll } from '../support/browser.ts';
import { AMOUNTS, CARD_HEADER, cardText, sumsOf, type Sum } from '../support/money-sums.ts';
import { csvRows, output, startProduct, until, untilSettled } from '../support/product.ts';
import { sheetOfCsv, workbookOf } from '../support/workbook.ts';

type Row = Record<string, string>;

const ACCOUNTS = {
  brasil: { waba_id: '102290129340398', zone: 'America/Sao_Paulo' },
  india: { waba_id: '419561257915477', zone: 'Asia/Kolkata' },
  usa: { waba_id: '530247719086634', zone: 'America/New_York' },
} as const;

const CONFIG = {
  accounts: [{ waba_id: ACCOUNTS.usa.waba_id, name: 'Acme USA', time_zone: ACCOUNTS.usa.zone, currency: 'USD' }],
};

/** Rates of which no sum is a whole number of minor units. */
const FIRST_CARD = cardText(
  'Brazil,BRL,0.32171234,0.0350005,0.035,n/a,0.02',
  'Other,BRL,0.35,0.05,0.05,n/a,0.03',
  'India,INR,0.86315,0.115,0.115,2.3,0.05',
);

const RANGE = { from: '2026-09-15', to: '2026-11-05' } as const;
const QUERY = new URLSearchParams(RANGE).toString();

// How the screen says amounts, written down a second time.
function shown(decimal: string): string {
  if (decimal === '') return '–';
  const [whole = '', places = ''] = new Decimal(decimal).toFixed(2, Decimal.ROUND_HALF_UP).split('.');
  return `${whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')}.${places}`;
}

const count = (value: number): string => String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');

const number = (text: string): number => Number(text.replaceAll(',', ''));

function sumOfRow(row: Row): Sum {
  const { volume, unrated, list_cost = '', billed_cost = '', savings = '' } = row;
  return { volume: Number(volume), unrated: Number(unrated), list_cost, billed_cost, savings };
}

describe('the pages of money', () => {
  const rig = browserRig({
    prepare: async (data) => {
      writeFileSync(data.file('ctwa-ledger.config.json'), JSON.stringify(CONFIG));
      writeFileSync(data.file('first.csv'), FIRST_CARD);
      await output(data, ['simulate', '--threads', '300', '--days', '40', '--seed', '11', '--out', 'events.ndjson']);
      await output(data, ['ingest', 'events.ndjson']);
      const { waba_id, zone } = ACCOUNTS.brasil;
      await output(data, ['accounts', 'set', waba_id, '--currency', 'BRL', '--time-zone', zone]);
      await output(data, ['rates', 'import', 'first.csv', '--effective', '2026-07-01']);
      await output(data, ['export', 'charges']);
      return undefined;
    },
  });
  const { data } = rig;

  const open = (path: string): Promise<void> => rig.open(path);
  /** Messages of the range, as they are exported one by one. */
  const messages = async (): Promise<Row[]> =>
    csvRows(await output(data, ['export', 'messages'])).filter((row) => row['delivered_at'] !== '');
  const report = async (name: string): Promise<Row[]> => {
    // Another card, or a withdrawn one, is charged anew in the background.
    await untilSettled(rig.product);
    const [csv, json] = await Promise.all(
      [`format=csv&${QUERY}`, QUERY].map(async (query) => {
        const response = await fetch(`${rig.product.url}/api/${name}?${query}`);
        expect(response.status).toBe(200);
        return response.text();
      }),
    );
    const rows = (JSON.parse(json!) as { rows: Record<string, string | number | null>[] }).rows;
    const fromJson = rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([key, value]) => [key, String(value ?? '')])),
    );
    expect(csvRows(csv!)).toEqual(fromJson);
    return fromJson;
  };
  const cells = (id: string): Promise<string[][]> => rig.cells(id);
  const linkOf = (frame: string): Promise<string | null> =>
    rig.page.locator(`#${frame} a`, { hasText: 'CSV' }).first().getAttribute('href');
  const figures = async (): Promise<string[]> =>
    rig.page.getByRole('region', { name: 'Amounts by currency' }).getByRole('article').allInnerTexts();

  const zoneOf = new Map<string, string>(Object.values(ACCOUNTS).map(({ waba_id, zone }) => [waba_id, zone]));
  let isIndiaConfigured = false;
  const dayOf = (message: Row): string => {
    const waba_id = message['waba_id']!;
    const zone = waba_id === ACCOUNTS.india.waba_id && !isIndiaConfigured ? 'UTC' : zoneOf.get(waba_id)!;
    return DateTime.fromISO(message['delivered_at']!, { zone }).toISODate()!;
  };

  /** Screen, CSV, JSON and the sum of messages: all the same. */
  const compareAll = async (): Promise<void> => {
    const all = await messages();
    expect(all.length).toBeGreaterThan(500);
    await open(`/billing?${QUERY}`);

    const totals = await report('savings');
    expect(new Map(totals.map((row) => [row['currency']!, sumOfRow(row)]))).toEqual(
      sumsOf(all, (message) => message['currency']!),
    );
    const currencies = totals.map((row) => row['currency']!).filter((currency) => currency !== '');
    const named = await figures();
    expect(named).toHaveLength(currencies.length);
    for (const [i, currency] of currencies.entries()) {
      const total = totals.find((row) => row['currency'] === currency)!;
      expect(named[i]).toContain(`Expected charge, ${currency}\n`);
      expect(named[i]).toContain(`\n${shown(total['billed_cost']!)}\n`);
      const money = (decimal: string): string => (decimal === '' ? '–' : `${currency} ${shown(decimal)}`);
      expect(named[i]).toContain(`${money(total['savings']!)} saved`);
      expect(named[i]).toContain(`List cost ${money(total['list_cost']!)}`);
      const unrated = Number(total['unrated']);
      expect(named[i]).toContain(unrated === 0 ? 'Every message has a price' : `${count(unrated)} message`);
    }

    /** A table whose rows stand for a key, with the amounts of each currency side by side. */
    const compareTable = (
      table: string[][],
      heads: number,
      rows: readonly Row[],
      keyOf: (row: Row) => string,
    ): void => {
      const expected = new Map<string, string[]>();
      for (const key of new Set(rows.map(keyOf))) {
        const same = rows.filter((row) => keyOf(row) === key);
        const sum = (name: string): string => count(same.reduce((total, row) => total + Number(row[name]), 0));
        const amounts = currencies.flatMap((currency) => {
          const row = same.find((one) => one['currency'] === currency);
          return AMOUNTS.map((name) => shown(row?.[name] ?? ''));
        });
        expected.set(key, [sum('volume'), ...amounts, sum('unrated')]);
      }
      const actual = new Map(table.map((row) => [row.slice(0, heads).join(' '), row.slice(heads)]));
      for (const [key, row] of expected) expect([key, actual.get(key)]).toEqual([key, row]);
      for (const [key, row] of actual)
        if (!expected.has(key)) expect([key, row.every((cell) => cell === '0' || cell === '–')]).toEqual([key, true]);
    };

    const days = await report('savings-days');
    expect(new Map(days.map((row) => [`${row['day']!} ${row['currency']!}`, sumOfRow(row)]))).toEqual(
      sumsOf(all, (message) => `${dayOf(message)} ${message['currency']!}`),
    );
    const dayName = (row: Row): string => DateTime.fromISO(row['day']!).toFormat('d LLL yyyy');
    const dayTable = (await cells('by-day')).map(([day = '', ...row]) => [
      day.split(/ (?=[A-Z][a-z]{2}\b)(?!\w+ \d)/)[0]!,
      ...row,
    ]);
    compareTable(dayTable, 1, days, dayName);

    const categories = await report('savings-categories');
    const categoryKey = (row: Row): string => `${row['category']!} ${row['billing']!} ${row['currency']!}`;
    expect(new Map(categories.map((row) => [categoryKey(row), sumOfRow(row)]))).toEqual(
      sumsOf(all, (message) => categoryKey({ ...message, category: message['rated_category']! })),
    );
    const words = (text: string): string =>
      text.charAt(0).toUpperCase() + text.slice(1).toLowerCase().replaceAll('_', ' ');
    const pricingTypes: Row = {
      BILLABLE: 'regular',
      FREE_ENTRY: 'free_entry_point',
      FREE_SERVICE: 'free_customer_service',
    };
    compareTable(
      await cells('by-category'),
      3,
      categories,
      (row) => `${words(row['category']!)} ${words(row['billing']!)} ${pricingTypes[row['billing']!] ?? ''}`,
    );

    const markets = await report('savings-markets');
    const marketKey = (row: Row): string => `${row['market']!} ${row['currency']!}`;
    expect(new Map(markets.map((row) => [marketKey(row), sumOfRow(row)]))).toEqual(sumsOf(all, marketKey));
    compareTable(await cells('by-market'), 1, markets, (row) => row['market']!);

    const numbers = await report('savings-numbers');
    const numberName = (row: Row): string => `${row['waba_id']!} ${row['phone_number_id']!}`;
    const numberKey = (row: Row): string => `${numberName(row)} ${row['currency']!}`;
    expect(new Map(numbers.map((row) => [numberKey(row), sumOfRow(row)]))).toEqual(sumsOf(all, numberKey));
    // Behind a name, if there is one.
    const idOf = (cell = ''): string => cell.split(/\s/).at(-1)!;
    compareTable(
      (await cells('by-number')).map(([account, number, ...row]) => [idOf(account), idOf(number), ...row]),
      2,
      numbers,
      numberName,
    );

    const ads = await report('savings-ads');
    // A free entry that only Meta reports is no ad's.
    const saved = all.filter((message) => message['billing'] === 'FREE_ENTRY' && message['conversation_id'] !== '');
    const adSums = sumsOf(saved, (message) => `${message['ad_id']!} ${message['currency']!}`);
    expect(
      new Map(
        ads.map((row) => [
          `${row['ad_id']!} ${row['currency']!}`,
          [row['free_messages'], row['savings'], row['unrated']],
        ]),
      ),
    ).toEqual(new Map([...adSums].map(([key, sum]) => [key, [String(sum.volume), sum.savings, String(sum.unrated)]])));

    const missing = await report('unrated');
    const reasonKey = (row: Row): string =>
      ['reason', 'waba_id', 'market', 'category'].map((name) => row[name]).join(' ');
    const without = all.filter((message) => message['unrated'] !== '');
    const reasons = sumsOf(without, (message) =>
      reasonKey({ ...message, reason: message['unrated']!, category: message['rated_category']! }),
    );
    expect(new Map(missing.map((row) => [reasonKey(row), Number(row['messages'])]))).toEqual(
      new Map([...reasons].map(([key, sum]) => [key, sum.volume])),
    );
    const remedies = await cells('unrated');
    if (without.length > 0)
      expect(remedies.reduce((total, row) => total + Number(row[1]!.replaceAll(',', '')), 0)).toBe(without.length);

    // What the links of the page give is what was compared.
    for (const [frame, name] of [
      ['by-day', 'savings-days'],
      ['by-category', 'savings-categories'],
      ['by-market', 'savings-markets'],
      ['by-number', 'savings-numbers'],
      ['unrated', 'unrated'],
    ] as const)
      expect(await linkOf(frame)).toBe(`/api/${name}?format=csv&from=${RANGE.from}&to=${RANGE.to}`);
  };

  it('show what CSV, API and the sum of messages say, and what is missing', async () => {
    await compareAll();
    const remedies = await cells('unrated');
    const adviceFor = (start: string): string => remedies.find((row) => row[0]!.startsWith(start))?.[3] ?? '';
    expect(adviceFor('No USD rate card')).toContain('Import a rate card for USD');
    expect(adviceFor(`Account ${ACCOUNTS.india.waba_id}`)).toContain(
      `Configure account ${ACCOUNTS.india.waba_id}: it has no currency.`,
    );
    await rig.page.getByRole('link', { name: 'Accounts', exact: true }).first().click();
    await rig.page.getByRole('heading', { name: `Account ${ACCOUNTS.india.waba_id}` }).waitFor();
  });

  it('draw a panel for each currency that is rated, in light and in dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await rig.page.emulateMedia({ colorScheme });
      await open(`/billing?${QUERY}`);
      await until('bars are drawn', async () => (await barHeights(rig.page, '--chart-billed')).length > 5);
      expect(await rig.page.getByRole('img').first().getAttribute('aria-label')).toMatch(
        /^Bar chart by day, .*: BRL [\d,.]+ expected charge and BRL [\d,.]+ saved by free entry\. /,
      );
    }
  });

  it('change amounts when an account is changed, and refuse an invalid account', async () => {
    await open('/rates');
    const rows = await cells('accounts');
    expect(rows.map((row) => [row[0], row[2], row[5]])).toEqual([
      [ACCOUNTS.brasil.waba_id, 'BRL', 'command or this page'],
      [ACCOUNTS.india.waba_id, 'missing', 'not configured'],
      [ACCOUNTS.usa.waba_id, 'USD', 'configuration file'],
    ]);
    expect(await rig.page.locator('#accounts').innerText()).toContain('The configuration file overrides this page');
    // What the file sets is not offered, and refused to who asks all the same.
    expect(await rig.page.locator('#accounts tbody tr').last().getByRole('link').count()).toBe(0);
    const refused = await fetch(`${rig.product.url}/rates?/account`, {
      method: 'POST',
      headers: { origin: rig.product.url, accept: 'text/html' },
      body: new URLSearchParams({ waba_id: ACCOUNTS.usa.waba_id, currency: 'EUR' }),
    });
    expect(refused.status).toBe(409);
    expect(await refused.text()).toContain(
      `The configuration file sets ${ACCOUNTS.usa.waba_id} and overrides this page`,
    );

    await rig.page.getByRole('link', { name: `Configure ${ACCOUNTS.india.waba_id}` }).click();
    await rig.page.getByLabel('Name', { exact: true }).fill('Acme India');
    await rig.page.getByLabel('Currency').fill('inr');
    await rig.page.getByLabel('Time zone').fill('Asia/Nowhere');
    await rig.page.getByRole('button', { name: 'Save' }).click();
    const problem = rig.page.getByRole('alert');
    await problem.waitFor();
    expect(await problem.innerText()).toContain('"Asia/Nowhere" is not an IANA time zone');
    // The answer says 400, rightly.
    rig.complaints.length = 0;
    expect(await rig.page.getByLabel('Name', { exact: true }).inputValue()).toBe('Acme India');
    await rig.page.getByLabel('Time zone').fill('asia/kolkata');
    await rig.page.getByRole('button', { name: 'Save' }).click();
    await rig.page.getByText(`Saved account: ${ACCOUNTS.india.waba_id}`).waitFor();
    expect((await cells('accounts'))[1]!.slice(0, 4)).toEqual([
      ACCOUNTS.india.waba_id,
      'Acme India',
      'INR',
      'Asia/Kolkata',
    ]);
    isIndiaConfigured = true;
    // Days of another zone are charged anew in the background.
    await output(data, ['export', 'charges']);
    await compareAll();
    expect((await figures()).join()).toContain('Expected charge, INR');
  });

  const next = cardText(
    'Brazil,BRL,0.4,0.0350005,0.035,n/a,0.02',
    'Atlantis,BRL,1,1,1,n/a,n/a',
    'Other,USD,0.01234567,0.005,0.005,0.02,0.001',
    'North America,USD,0.02345678,0.0045,0.0045,n/a,0.001',
  );

  /** Upload, preview, apply, withdraw: with a pointer, by links and forms. */
  const importAndWithdraw = async (name: string): Promise<void> => {
    const cardsBefore = await cells('cards');
    const before = await report('savings');
    await rig.page
      .getByLabel('File, up to 32 MB')
      .setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(next) });
    await rig.page.getByLabel('In force from').fill('2026-10-10');
    await rig.page.getByRole('button', { name: 'Preview' }).click();
    await rig.page.getByRole('heading', { name: `Preview of ${name}` }).waitFor();
    const preview = await rig.page.locator('#preview').innerText();
    expect(preview).toContain('BRL per message from 10 Oct 2026');
    expect(preview).toContain('It follows the card that applies until then.');
    expect(preview).toMatch(/Brazil\s+Marketing\s+0\.32171234\s+0\.4/);
    expect(preview).toMatch(/Markets added\s+Atlantis/);
    expect(preview).toMatch(/Markets removed\s+Other/);
    expect(preview).toMatch(/Unknown markets\s+Atlantis/);
    expect(preview).toContain('USD per message from 10 Oct 2026');
    expect(preview).toContain('It is the first of its kind.');
    // Nothing is applied, and another day can be looked at.
    expect(await cells('cards')).toEqual(cardsBefore);
    expect(await report('savings')).toEqual(before);
    await rig.page.locator('#preview').getByLabel('In force from').fill('2026-10-01');
    await rig.page.getByRole('button', { name: 'Preview again' }).click();
    await rig.page.getByRole('heading', { name: 'BRL per message from 1 Oct 2026' }).waitFor();
    await rig.page.reload();

    await rig.page.getByRole('button', { name: 'Apply these rates' }).click();
    await rig.page.getByText(/^Imported: BRL per message from 1 Oct 2026; USD per message from 1 Oct 2026\./).waitFor();
    const holding = (await cells('cards')).filter((row) => row[3] === 'in force' && row[6]!.startsWith(name));
    expect(holding.map((row) => [row[0], row[2], row[7]!.split(' by ')[1]])).toEqual([
      ['BRL', '1 Oct 2026', 'dashboard'],
      ['USD', '1 Oct 2026', 'dashboard'],
    ]);
    const after = await report('savings');
    expect(after).not.toEqual(before);
    expect(after.find((row) => row['currency'] === 'USD')!['billed_cost']).not.toBe('');
    await compareAll();

    await open('/rates');
    for (const currency of ['BRL', 'USD']) {
      await rig.page.getByRole('link', { name: `Withdraw ${name}, ${currency}` }).click();
      await rig.page.getByRole('heading', { name: `Withdraw ${currency} per message from 1 Oct 2026?` }).waitFor();
      expect(await rig.page.locator('#withdraw').innerText()).toContain(
        currency === 'BRL' ? 'BRL per message from 1 Jul 2026 applies instead' : 'No card takes its place',
      );
      await rig.page.getByRole('button', { name: 'Withdraw this card' }).click();
      await rig.page.getByText(new RegExp(`^Withdrawn: ${currency} per message from 1 Oct 2026`)).waitFor();
    }
    expect(await report('savings')).toEqual(before);
  };

  it('import a card after a preview, and withdraw it', async () => {
    await open('/rates');
    await importAndWithdraw('october.csv');
  });

  it('do the same without JavaScript', async () => {
    await rig.newPage({ javaScriptEnabled: false });
    await open('/rates');
    await importAndWithdraw('plain.csv');
    await open(`/billing?${QUERY}`);
    expect(await rig.page.locator('figure').innerText()).toContain('The chart needs JavaScript.');
    expect(await rig.page.locator('figure canvas').isVisible()).toBe(false);
  });

  it('sort accounts and cards, and give what they show', async () => {
    const exported = async (frame: string): Promise<Row[]> => {
      const response = await fetch(new URL((await linkOf(frame))!, rig.product.url));
      expect(response.status).toBe(200);
      return csvRows(await response.text());
    };
    await open('/rates');
    const accounts = await exported('accounts');
    expect((await cells('accounts')).map((row) => [row[0], row[2], number(row[4]!)])).toEqual(
      accounts.map((row) => [row['waba_id'], row['currency'] || 'missing', Number(row['delivered_messages'])]),
    );
    const delivered = await messages();
    for (const row of accounts)
      expect(Number(row['delivered_messages'])).toBe(
        delivered.filter((message) => message['waba_id'] === row['waba_id']).length,
      );
    const cards = await exported('cards');
    const cardsShown = (await cells('cards')).map(
      (row) => `${row[0]!} ${row[4]!} ${row[5]!} ${row[6]!.split(' ')[0]!}`,
    );
    const cardRows = cards.map((row) => `${row['currency']!} ${row['markets']!} ${row['rates']!} ${row['name']!}`);
    expect(cardsShown.toSorted()).toEqual(cardRows.toSorted());
    expect(cards.some((row) => row['state'] === 'withdrawn' && row['withdrawn_by'] === 'dashboard')).toBe(true);

    await open('/rates?sort=name&accounts.sort=-delivered_messages');
    const names = (await cells('cards')).map((row) => row[6]!.split(' ')[0]!);
    expect(names).toEqual(cards.map((row) => row['name']!).toSorted());
    const counts = accounts.map((row) => Number(row['delivered_messages']));
    expect((await cells('accounts')).map((row) => number(row[4]!))).toEqual(counts.toSorted((a, b) => b - a));
    await open('/rates?sort=price&accounts.after=nobody');
    expect(await rig.page.locator('.repairs li').count()).toBe(2);
  });

  it('name line and column of what cannot be read, and apply nothing', async () => {
    await open('/rates');
    const before = await cells('cards');
    const upload = async (name: string, text: string | Buffer): Promise<void> => {
      // From a file: to hand 33 MB over to the browser takes longer than it may on a busy machine.
      writeFileSync(data.file(name), text);
      await rig.page.getByLabel('File, up to 32 MB').setInputFiles(data.file(name));
      await rig.page.getByLabel('In force from').fill('2026-10-10');
      await rig.page.getByRole('button', { name: 'Preview' }).click();
    };
    await upload('broken.csv', cardText('Brazil,BRL,1,1,1,1,1', 'Peru,BRL,1,"1,5",1,1,1', '<b>X</b>,XYZ,1,1,1,1,1'));
    const problems = rig.page.getByRole('alert');
    await problems.waitFor();
    const text = await problems.innerText();
    expect(text).toContain('Line 4, column 4 (Utility): "1,5" is not a rate');
    expect(text).toContain('Line 5, column 2 (Currency): "XYZ" is not a currency');
    expect(await rig.page.getByRole('button', { name: 'Apply these rates' }).count()).toBe(0);
    expect(await cells('cards')).toEqual(before);

    // A file that does not say what is charged for can be told so.
    await rig.page.getByRole('link', { name: 'Choose another file' }).click();
    await upload('silent.csv', `${CARD_HEADER}\nBrazil,BRL,1,1,1,1,1\n`);
    await rig.page.getByText('the file names neither "per conversation" nor "per message"').waitFor();
    await rig.page.locator('#preview').getByLabel('Charged per').selectOption('conversation');
    await rig.page.getByRole('button', { name: 'Preview again' }).click();
    await rig.page.getByRole('heading', { name: 'BRL per conversation from 10 Oct 2026' }).waitFor();

    // Uploads are not kept for ever, and a link can be wrong.
    await open('/rates?upload=nonsense&effective=2026-10-10');
    expect(await rig.page.getByRole('alert').innerText()).toContain('The upload is not there any more');
    await open('/rates');
    await upload('large.csv', Buffer.alloc(33 * 1024 * 1024, 'x'));
    await rig.page.getByText('The file is larger than 32 MB').waitFor();
    rig.complaints.length = 0;
    expect(await cells('cards')).toEqual(before);
  });

  it('take the day that a file names, and ask where another one is typed', async () => {
    const text = cardText('Brazil,BRL,1,1,1,1,1').replace(/^/, 'Effective November 1 2026\n');
    const upload = async (name: string, buffer: Buffer, day?: string): Promise<void> => {
      await open('/rates');
      await rig.page.getByLabel('File, up to 32 MB').setInputFiles({ name, mimeType: 'text/csv', buffer });
      if (day !== undefined) await rig.page.getByLabel('In force from').fill(day);
      await rig.page.getByRole('button', { name: 'Preview' }).click();
      await rig.page.locator('#preview').waitFor();
    };
    const before = await (async () => {
      await open('/rates');
      return cells('cards');
    })();
    const workbook = await workbookOf(sheetOfCsv('Rates', text));
    await upload('named.csv', workbook);
    await rig.page.getByRole('heading', { name: 'BRL per message from 1 Nov 2026' }).waitFor();

    await upload('typed.csv', Buffer.from(text), '2026-12-01');
    const asked = rig.page.getByRole('alert');
    expect(await asked.innerText()).toContain('effective 1 Nov 2026, but you typed 1 Dec 2026');
    expect(await rig.page.getByRole('button', { name: 'Apply these rates' }).count()).toBe(0);
    await rig.page.getByRole('link', { name: 'Take 1 Nov 2026' }).click();
    await rig.page.getByRole('heading', { name: 'BRL per message from 1 Nov 2026' }).waitFor();
    await rig.page.goBack();
    await rig.page.getByRole('link', { name: 'Go on with 1 Dec 2026' }).click();
    await rig.page.getByRole('heading', { name: 'BRL per message from 1 Dec 2026' }).waitFor();
    await rig.page.getByRole('button', { name: 'Apply these rates' }).click();
    await rig.page.getByText(/^Imported: BRL per message from 1 Dec 2026\./).waitFor();
    await rig.page.getByRole('link', { name: 'Withdraw typed.csv, BRL' }).click();
    await rig.page.getByRole('button', { name: 'Withdraw this card' }).click();
    await rig.page.getByText(/^Withdrawn/).waitFor();

    await upload('silent.csv', Buffer.from(cardText('Brazil,BRL,1,1,1,1,1')));
    expect(await rig.page.getByRole('alert').innerText()).toContain(
      'does not say from which day its rates are in force',
    );
    await rig.page.locator('#preview').getByLabel('In force from').fill('2026-12-02');
    await rig.page.getByRole('button', { name: 'Preview again' }).click();
    await rig.page.getByRole('heading', { name: 'BRL per message from 2 Dec 2026' }).waitFor();
    await open('/rates');
    expect((await cells('cards')).filter((row) => row[3] === 'in force')).toEqual(
      before.filter((row) => row[3] === 'in force'),
    );
  });

  it('say why a message costs what it does', async () => {
    const all = await messages();
    const samples = [
      all.find((row) => row['billing'] === 'BILLABLE' && Number(row['billed_cost']) > 0)!,
      all.find((row) => row['billing'] === 'FREE_ENTRY' && Number(row['savings']) > 0)!,
      all.find((row) => row['unrated'] === 'no_card')!,
      all.find((row) => row['billing'] === 'FREE_SERVICE')!,
    ];
    for (const row of samples) {
      const id = row['message_id']!;
      await open(`/billing?${QUERY}`);
      await rig.page.getByLabel('Message id').fill(id);
      await rig.page.getByRole('button', { name: 'Explain' }).click();
      await rig.page.locator('p.id', { hasText: id }).waitFor();
      expect(new URL(rig.page.url()).pathname).toBe(`/messages/${row['phone_number_id']!}/${encodeURIComponent(id)}`);
      const answer = await rig.page.getByRole('region', { name: 'Answer' }).innerText();
      const [mark, amount] = (await output(data, ['explain', id])).trimEnd().split('\n');
      expect(answer).toContain(mark!);
      expect(answer).toContain(amount!);
      const named = async (name: string): Promise<string> =>
        (await rig.page.locator('dl > div', { hasText: name }).first().locator('dd').innerText()).trim();
      const price = (decimal: string): string => {
        if (decimal === '') return '–';
        return row['currency'] === '' ? decimal : `${row['currency']!} ${decimal}`;
      };
      expect(await named('List cost')).toBe(price(row['list_cost']!));
      expect(await named('Expected charge')).toBe(price(row['billed_cost']!));
      expect(await named('Savings')).toBe(price(row['savings']!));
      expect(await named('Market')).toBe(row['market']!);
      expect(await named('Rate card')).toBe(row['rate_card'] === '' ? '–' : row['rate_card']!);
      expect(await named('Day that is rated')).toContain(DateTime.fromISO(dayOf(row)).toFormat('d LLL yyyy'));
    }
    expect(await rig.page.getByText('Import a rate card').count()).toBe(0);
    await open(`/messages?id=${encodeURIComponent('<i>none</i>/==')}`);
    expect(await rig.page.getByRole('alert').innerText()).toContain('knows no outbound message “<i>none</i>/==”');
  });

  it('show on the first page what was saved', async () => {
    await open(`/?${QUERY}`);
    const totals = (await report('savings')).filter((row) => Number(row['list_cost']) > 0);
    const lines = rig.page.getByRole('region', { name: 'Headline figures' }).locator('dl > div');
    const saved = (await lines.allInnerTexts()).map((line) => line.split(/\s+/).slice(0, 2).join(' '));
    expect(saved).toEqual(totals.map((row) => `${row['currency']!} ${shown(row['savings']!)}`));
  });

  it('show on the page of ads what each ad saved', async () => {
    await open(`/ads?${QUERY}&compare=none`);
    const ads = await report('savings-ads');
    const heads = (await rig.page.locator('#by-ad thead tr').last().locator('th').allInnerTexts()).map((head) =>
      head.trim(),
    );
    const table = await cells('by-ad');
    expect(table.length).toBeGreaterThan(5);
    for (const ad of table) {
      const id = /\b\d{12,}\b/.exec(ad[0]!)?.[0];
      const amounts = ads
        .filter((row) => row['ad_id'] === id && row['savings'] !== '')
        .map((row) => `${row['currency']!} ${shown(row['savings']!)}`);
      for (const text of amounts) expect(`${id} ${ad[heads.indexOf('Saved')]}`).toContain(text);
    }
  });

  it('can be used with the keyboard alone', async () => {
    await open('/rates');
    const reach = async (name: string): Promise<void> => {
      for (let i = 0; i < 150; i++) {
        await rig.page.keyboard.press('Tab');
        const focus = await focusOf(rig.page);
        if (!focus.name.includes(name)) continue;
        expect(focus).toEqual({ name: focus.name, isVisible: true });
        return;
      }
      throw new Error(`The keyboard does not reach ${name}.`);
    };
    await reach('input file');
    await rig.page
      .getByLabel('File, up to 32 MB')
      .setInputFiles({ name: 'keys.csv', mimeType: 'text/csv', buffer: Buffer.from(next) });
    await reach('input effective');
    await rig.page.keyboard.type('10102026');
    await reach('button Preview');
    await rig.page.keyboard.press('Enter');
    await rig.page.getByRole('heading', { name: 'Preview of keys.csv' }).waitFor();
    await reach('button Apply these rates');
    await reach('a Cancel');
    await rig.page.keyboard.press('Enter');
    await rig.page.getByRole('heading', { name: 'Import a rate card' }).waitFor();
    await reach('a accounts Edit');
    await rig.page.keyboard.press('Enter');
    await rig.page.getByRole('heading', { name: /^Account \d/ }).waitFor();
    await reach('input name');
    await reach('button Save');
    await rig.page.keyboard.press('Enter');
    await rig.page.getByText('Saved account').waitFor();
    await open(`/billing?${QUERY}`);
    for (const name of ['a 30 days', 'input tz', 'button Show', 'by-category', 'unrated', 'input id', 'by-day'])
      await reach(name);
  });

  it('fit a phone', async () => {
    const [message] = await messages();
    for (const width of [320, 390]) {
      await rig.page.setViewportSize({ width, height: 740 });
      for (const path of [
        `/billing?${QUERY}`,
        '/rates',
        '/rates?account=',
        `/messages?id=${encodeURIComponent(message!['message_id']!)}`,
        '/definitions',
      ]) {
        await open(path);
        await until(`${path} fits ${width} pixels`, async () => (await sidewaysScroll(rig.page)) === 0);
        for (const name of ['Overview', 'Ads', 'Conversations', 'Billing', 'Rates & accounts', 'Health', 'Definitions'])
          expect(
            await rig.page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).isVisible(),
          ).toBe(true);
      }
    }
  });

  it('only read where the process only reads, and say how to change things', async () => {
    const reader = await startProduct(data, { command: 'dashboard' });
    try {
      await until('the dashboard has its ledger', async () => (await fetch(`${reader.url}/readyz`)).ok);
      await rig.page.goto(`${reader.url}/rates`);
      expect(await rig.page.getByRole('main').getByRole('status').innerText()).toContain('This dashboard only reads.');
      expect(await rig.page.locator('#cards tbody tr').count()).toBeGreaterThan(2);
      expect(await rig.page.getByRole('main').getByRole('button').count()).toBe(0);
      const refused = await fetch(`${reader.url}/rates?/withdraw`, {
        method: 'POST',
        headers: { origin: reader.url, accept: 'text/html' },
        body: new URLSearchParams({ card_id: 'any' }),
      });
      expect(refused.status).toBe(403);
      await rig.page.goto(`${reader.url}/billing?${QUERY}`);
      expect((await figures()).length).toBeGreaterThan(1);
    } finally {
      expect(await reader.stop()).toBe(0);
    }
  });
});

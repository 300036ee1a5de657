import { readFileSync, writeFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { violationsIn } from '../support/axe.ts';
import { browserRig } from '../support/browser-rig.ts';
import { headsWithoutMeaning, sidewaysScroll, tableRows } from '../support/browser.ts';
import { csvRows, NUMBER, output, run, WABA } from '../support/product.ts';

const CARD =
  'Cost per message\nMarket,Currency,Marketing,Utility,Authentication,Service\nBrazil,USD,0.0625,0.0068,0.0068,0.0068\n';
const DISPLAY = '15550783881';

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

function point(day: number, volume: number, cost: number): unknown {
  const start = Date.UTC(2026, 9, day) / 1000;
  const key = { phone_number: DISPLAY, country: 'BR', pricing_type: 'REGULAR', pricing_category: 'MARKETING' };
  return { start, end: start + 86_400, ...key, volume, cost };
}

/** Agrees on the sixth, and counts two messages fewer on the fifth. */
const ANSWER = JSON.stringify({
  id: WABA,
  pricing_analytics: { data: [{ data_points: [point(5, 3, 0.1875), point(6, 2, 0.125)] }] },
});

describe("Meta's bill beside ours", () => {
  const rig = browserRig({
    window: null,
    prepare: async (data) => {
      const events = [
        ...[1, 2, 3, 4, 5].flatMap((n) => delivered(`wamid.5.${n}`, 5)),
        ...[1, 2].flatMap((n) => delivered(`wamid.6.${n}`, 6)),
      ];
      writeFileSync(data.file('e.ndjson'), `${events.map((event) => JSON.stringify(event)).join('\n')}\n`);
      writeFileSync(data.file('card.csv'), CARD);
      const account = {
        waba_id: WABA,
        time_zone: 'UTC',
        currency: 'USD',
        phone_numbers: [{ id: NUMBER, display: DISPLAY }],
        write_off_amount: '0.5',
      };
      writeFileSync(data.file('config.json'), JSON.stringify({ accounts: [account] }));
      await output(data, ['ingest', 'e.ndjson', '--config', 'config.json']);
      await output(data, ['rates', 'import', 'card.csv', '--effective', '2026-07-01']);
      return { args: ['--config', data.file('config.json')] };
    },
  });

  const check = async (page: Page): Promise<void> => {
    expect(await violationsIn(page)).toEqual([]);
    expect(await headsWithoutMeaning(page)).toEqual([]);
    expect(await sidewaysScroll(page)).toBeLessThanOrEqual(0);
  };
  const give = async (page: Page, content: string, days: readonly [string, string] | null): Promise<void> => {
    const panel = page.locator('#meta');
    await panel.getByLabel('Files, up to 32 MB together').setInputFiles({
      name: 'october.json',
      mimeType: 'application/json',
      buffer: Buffer.from(content),
    });
    if (days !== null) {
      await panel.getByLabel('First day asked for').fill(days[0]);
      await panel.getByLabel('Last day, included').fill(days[1]);
    }
    await panel.getByRole('button', { name: 'Import' }).click();
  };

  it('is imported, compared, explained row by row, and taken back', async () => {
    const page = await rig.newPage({ bypassCSP: true });
    rig.expected = /\b40[09]\b/;
    const address = `${rig.product.url}/billing/reconciliation?month=2026-10`;
    await page.goto(address);
    expect(await page.locator('#no-numbers').innerText()).toContain(`meta fetch --month 2026-10 --waba ${WABA}`);
    await check(page);

    await page.locator('#no-numbers').getByRole('link', { name: 'Imports' }).click();
    await give(page, '{"data":[]}', null);
    expect(await page.locator('#meta').getByRole('alert').innerText()).toContain('Say it with --field');
    await page.goto(`${rig.product.url}/imports`);
    await give(page, ANSWER, ['2026-10-01', '2026-10-30']);
    await page.locator('#done').waitFor();
    expect(await page.locator('#done').innerText()).toContain(`Imported: pricing_analytics of account ${WABA}`);
    const [listed] = await tableRows(page, 'meta-imports');
    expect(listed!.map(({ text }) => text).slice(0, 7)).toEqual([
      'october.json',
      WABA,
      'pricing_analytics',
      '1 Oct 2026 – 30 Oct 2026',
      '2',
      '5',
      '0.3125',
    ]);
    await check(page);

    await page.goto(`${rig.product.url}/billing?from=2026-10-01&to=2026-11-01`);
    await page.getByRole('link', { name: 'Compare with Meta’s bill' }).click();
    await page.getByRole('heading', { name: 'Meta’s bill, Oct 2026' }).waitFor();
    expect(await page.locator('.verdict').innerText()).toBe(
      'Of the days that Meta’s numbers name, 1 of 2 rows differs.',
    );
    expect(await page.locator('#main .notice').innerText()).toContain('missing for 1 day: 31 Oct 2026.');
    const figures = await page.getByRole('region', { name: 'Both sides' }).getByRole('article').allInnerTexts();
    const lines = figures.map((figure) =>
      figure
        .split('\n')
        .filter((line) => line !== '')
        .slice(0, 3),
    );
    expect(lines).toEqual([
      ['Expected charge, USD', '0.44', '7 messages'],
      ['Meta’s charge, USD', '0.31', '5 messages'],
      ['Difference, expected − Meta’s', '+0.13', '+2 messages'],
      ['Rows that differ', '1', 'of 2 rows'],
    ]);
    const rows = (await tableRows(page, 'differences')).map((cells) => cells.map(({ text }) => text));
    expect(rows).toHaveLength(1);
    expect(rows[0]!.slice(0, 8)).toEqual([
      '5 Oct 2026',
      `${DISPLAY}, BR, Marketing, regular`,
      '5',
      '3',
      '+2',
      '0.3125',
      '0.1875',
      '+0.13',
    ]);
    expect(rows[0]![8]).toContain('volumes differ');
    const days = (await tableRows(page, 'by-day')).map((cells) => cells.map(({ text }) => text));
    expect(days).toHaveLength(31);
    expect(days[4]).toEqual(['5 Oct 2026', 'beyond tolerance', '1', '5', '3', '+2', '2', '0.3125', '0.1875', '+0.13']);
    expect(days[5]!.slice(0, 6)).toEqual(['6 Oct 2026', 'agrees', '0', '2', '2', '0']);
    expect(days[30]!.slice(0, 4)).toEqual(['31 Oct 2026', 'Meta’s numbers are missing', '–', '–']);
    const chart = page.getByRole('img', { name: /^Bar chart by day/ });
    expect(await chart.getAttribute('aria-label')).toContain('5 Oct 2026 is beyond tolerance');
    expect(await page.getByRole('link', { name: 'View as table' }).getAttribute('href')).toBe('#by-day');
    await check(page);

    const one = page.locator('#case-unexplained');
    expect(await one.innerText()).toContain('Open: nobody has decided on it.');
    const keep = async (action: string, note: string): Promise<void> => {
      if (!(await one.locator('details').evaluate((details) => (details as unknown as { open: boolean }).open)))
        await one.getByText('Work on it').click();
      await one.getByLabel('What').selectOption(action);
      await one.getByLabel('Your name').fill('ana');
      await one.getByLabel('Note').fill(note);
      await one.getByRole('button', { name: 'Keep' }).click();
    };
    await keep('accept', 'Asked Meta');
    await one.getByRole('alert').waitFor();
    expect(await one.getByRole('alert').innerText()).toContain('until is missing');
    expect(await one.getByLabel('Note').inputValue()).toBe('Asked Meta');
    await check(page);
    await keep('acknowledge', 'Asked Meta');
    await one.getByRole('listitem').waitFor();
    expect(await one.getByRole('listitem').innerText()).toMatch(/, ana acknowledged it: Asked Meta$/);
    expect(await one.innerText()).toContain('Acknowledged by ana on');
    await check(page);

    const pack = await one.getByRole('link', { name: 'Evidence, ZIP' }).getAttribute('href');
    const [zip, none] = await Promise.all(
      [pack!, pack!.replace('unexplained', 'midnight')].map((link) => fetch(new URL(link, page.url()))),
    );
    expect([zip!.status, zip!.headers.get('content-type'), none!.status]).toEqual([200, 'application/zip', 404]);
    expect(Object.keys(unzipSync(new Uint8Array(await zip!.arrayBuffer())))).toHaveLength(5);

    // The same of rows that are chosen in the table, by keyboard.
    const box = page.locator('#differences').getByRole('checkbox', { name: /^Choose 5 Oct 2026/ });
    await box.focus();
    await page.keyboard.press('Space');
    await page.getByText('1 row of this page chosen').waitFor();
    await check(page);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Evidence of the chosen rows, ZIP' }).press('Enter'),
    ]);
    expect(download.suggestedFilename()).toBe(`evidence-2026-10-${WABA}-chosen.zip`);
    const folder = `evidence-2026-10-${WABA}-chosen`;
    const unpacked = unzipSync(readFileSync(await download.path()));
    const of_rows = csvRows(Buffer.from(unpacked[`${folder}/differences.csv`]!).toString());
    expect(of_rows.map(({ day, volume_difference }) => [day, volume_difference])).toEqual([['2026-10-05', '2']]);
    expect(csvRows(Buffer.from(unpacked[`${folder}/messages.csv`]!).toString())).toHaveLength(5);
    expect(Buffer.from(unpacked[`${folder}/letter.txt`]!).toString()).toContain('USD 0.3125 in our records');
    const evidence = `${rig.product.url}/billing/reconciliation/evidence?account=${WABA}&month=2026-10`;
    expect([(await fetch(evidence)).status, (await fetch(`${evidence}&row=x`)).status]).toEqual([400, 404]);

    // The same by command.
    const file = rig.data.file('chosen.zip');
    const key = `2026-10-05|${DISPLAY}|BR|MARKETING|REGULAR|`;
    const of_command = ['reconcile', 'evidence', '--month', '2026-10', '--config', rig.data.file('config.json')];
    const made = await output(rig.data, [...of_command, '--row', key, '--out', file]);
    expect(JSON.parse(made)).toEqual({ waba_id: WABA, month: '2026-10', rows: [key], file });
    const by_command = unzipSync(readFileSync(file));
    for (const name of ['differences.csv', 'messages.csv', 'letter.txt'])
      expect(by_command[`${folder}/${name}`], name).toEqual(unpacked[`${folder}/${name}`]);
    for (const wrong of [[], ['--row', key, '--case', 'unexplained']])
      expect(await run(rig.data, [...of_command, ...wrong])).toMatchObject({ code: 2 });

    // The same by the API, which knows that the case is another one than before the page was used.
    const decide = (body: object, type = 'application/json'): Promise<Response> =>
      fetch(`${rig.product.url}/api/cases`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: JSON.stringify({ waba_id: WABA, month: '2026-10', explanation: 'unexplained', by: 'rui', ...body }),
      });
    const answers = [
      await decide({ action: 'acknowledge', seen: '0-0' }),
      await decide({ action: 'accept' }),
      await decide({ action: 'comment', note: 'x' }, 'text/plain'),
      await decide({ action: 'comment', note: 'Case 4711' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([409, 400, 415, 200]);
    expect(await answers[3]!.json()).toMatchObject({
      outcome: 'decided',
      case: { state: 'acknowledged', comments: 1 },
    });

    await one.getByRole('link', { name: 'Claim it back' }).click();
    const form = page.locator('#make');
    /** A form is sent without scripts. On the page that answers, they set its fields when they begin to run. */
    const untilScriptsRun = (): Promise<void> => page.waitForLoadState('networkidle');
    await form.waitFor();
    await untilScriptsRun();
    // Ours is more than Meta's: nothing is claimed of it by itself.
    expect(await form.getByLabel('Amount, like 12.50').inputValue()).toBe('');
    expect(await form.getByLabel('Currency').inputValue()).toBe('USD');
    await form.getByLabel('Amount, like 12.50').fill('0,5');
    await form.getByLabel('Your name').fill('ana');
    await form.getByRole('button', { name: 'Make this claim' }).click();
    expect(await form.getByRole('alert').innerText()).toContain('"0,5" is no amount');
    await check(page);
    await untilScriptsRun();
    await form.getByLabel('Amount, like 12.50').fill('0.5');
    await form.getByRole('button', { name: 'Make this claim' }).click();
    const change = page.locator('#claim');
    await change.getByText('Claim of USD 0.50, made.').waitFor();
    await untilScriptsRun();
    await change.getByLabel('What').selectOption('refer');
    await change.getByLabel('Their reference').fill('4711');
    await change.getByLabel('Your name').fill('rui');
    await change.getByRole('button', { name: 'Keep' }).click();
    await page.locator('#claims').getByText('4711').waitFor();
    const claimed = (await tableRows(page, 'claims')).map((cells) => cells.map(({ text }) => text));
    expect(claimed.map((cells) => cells.slice(0, 7))).toEqual([
      ['Oct 2026', WABA, 'Not explained', 'USD 0.50', 'USD 0.00', 'made', '4711'],
    ]);
    await check(page);
    const claim_id = new URL(page.url()).searchParams.get('claim')!;
    await page.locator('#claims').getByRole('link', { name: 'Not explained' }).click();
    await one.getByRole('link', { name: 'Claim of USD 0.50, made' }).waitFor();

    const enter = (path: string, body: object, type = 'application/json'): Promise<Response> =>
      fetch(`${rig.product.url}/api/claims${path}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: JSON.stringify(body),
      });
    const claim = { waba_id: WABA, month: '2026-10', amount: '2', currency: 'USD', by: 'rui' };
    const entered = [
      await enter('', claim),
      await enter('', claim),
      await enter('', { ...claim, amount: '-2' }),
      await enter('', { ...claim, by: '' }),
      await enter('', claim, 'text/plain'),
      await enter(`/${claim_id}`, { action: 'refuse', by: 'rui' }),
      await enter(`/${claim_id}`, { action: 'pay', by: 'rui' }),
      await enter('/00ff', { action: 'refuse', by: 'rui' }),
    ];
    expect(entered.map(({ status }) => status)).toEqual([201, 200, 409, 400, 415, 200, 400, 409]);
    expect(await entered[5]!.json()).toMatchObject({
      outcome: 'entered',
      claim: { state: 'refused', reference: '4711' },
    });

    const csv = await page.locator('#differences .links a').first().getAttribute('href');
    const [line, ...others] = csvRows(await (await fetch(new URL(csv!, page.url()))).text());
    expect(others).toEqual([]);
    expect([line!['day'], line!['volume_difference'], line!['cost_difference']]).toEqual(['2026-10-05', '2', '0.125']);

    await page.locator('#differences tbody a').click();
    await page.waitForURL((url) => url.pathname === '/billing/messages');
    await page.locator('#messages tbody tr').first().waitFor();
    expect(await page.locator('#messages tbody tr').count()).toBe(5);

    await page.goto(`${rig.product.url}/imports`);
    await page.getByRole('link', { name: 'Withdraw october.json' }).click();
    await page.getByRole('button', { name: 'Withdraw this import' }).click();
    await page.locator('#done').waitFor();
    expect((await tableRows(page, 'meta-imports'))[0]![8]!.text).toBe('withdrawn');
    await page.goto(address);
    expect(await page.locator('#no-numbers').count()).toBe(1);
    // A file without a field and an acceptance without a day were refused, rightly.
    expect(await one.innerText()).toContain('Meta’s numbers are not there for its days now');
  });

  it('is written off within the limit of the account, and undone', async () => {
    const page = await rig.newPage({ bypassCSP: true });
    rig.expected = /\b40[09]\b/;
    await page.goto(`${rig.product.url}/imports`);
    await give(page, ANSWER, ['2026-10-01', '2026-10-31']);
    await page.locator('#done').waitFor();
    await page.goto(`${rig.product.url}/billing/reconciliation?month=2026-10`);
    const lines = async (): Promise<string[]> =>
      (await tableRows(page, 'statement')).map((cells) => cells.map(({ text }) => text).join(' | '));
    expect(await lines()).toEqual([
      'Expected | 2 | 7 | 0.44 | ',
      'Meta’s | 2 | 5 | 0.31 | ',
      'Difference, expected − Meta’s | 2 | +2 | +0.13 | ',
      'Neither explained nor written off | 1 | +2 | +0.13 | ',
    ]);
    expect(await page.locator('#statement').innerText()).toContain('The statement is incomplete: something is left');
    const billed = (await tableRows(page, 'whole-bill')).map((cells) => cells.map(({ text }) => text).join(' | '));
    expect(billed).toContain('Billed | – |  | No invoice of the month was imported.');
    expect(billed).toContain('Residual | – |  | It is not known what is billed.');
    expect(billed.some((line) => line.startsWith('Messages | 0.'))).toBe(true);
    expect(await page.locator('#controls').count()).toBe(0);

    const tried = page.locator('#tolerances');
    await tried.getByLabel('Per cent of Meta’s volume').fill('0,5');
    await tried.getByLabel('Messages').fill('2');
    await tried.getByRole('button', { name: 'Try it' }).click();
    await page.getByText('percent: “0,5” is not a number like 0.5; no tolerance is tried.').waitFor();
    await tried.getByLabel('Per cent of Meta’s volume').fill('0.5');
    await tried.getByLabel('Messages').fill('2');
    await tried.getByRole('button', { name: 'Try it' }).click();
    await tried.getByRole('listitem').waitFor();
    expect(await tried.getByRole('listitem').allInnerTexts()).toEqual([
      'Oct 2026: 1 row fewer would differ: 0 instead of 1, of 2. They differ by 2 and USD 0.13, row by row.',
    ]);
    await check(page);
    const by_command = await output(rig.data, [
      ...['reconcile', 'tolerances', '--month', '2026-11', '--waba', WABA, '--tolerance-messages', '2'],
      ...['--config', rig.data.file('config.json')],
    ]);
    expect(JSON.parse(by_command)).toMatchObject({
      month: '2026-10',
      different: 1,
      would_differ: 0,
      hidden_cost: '0.125',
    });

    // Without rows nothing is written off, and by the API nothing over the limit or without a name.
    await page.getByRole('button', { name: 'Write off the chosen rows…' }).click();
    await page.locator('#write-off').getByText('No row is chosen that differs.').waitFor();
    await check(page);
    await page
      .locator('#differences')
      .getByRole('checkbox', { name: /^Choose 5 Oct 2026/ })
      .check();
    await page.getByRole('button', { name: 'Write off the chosen rows…' }).click();
    const form = page.locator('#write-off');
    await form.getByText('Chosen rows: 1 row, 2 messages, USD 0.13, row by row.').waitFor();
    expect(await form.innerText()).toContain('Limit of the account for a month: USD 0.50.');
    await check(page);
    await form.getByLabel('Reason').selectOption('refused');
    await form.getByLabel('Your name').fill('ana');
    await form.getByLabel('Note').fill('Meta said no');
    await form.getByRole('button', { name: 'Write it off' }).click();
    await page.locator('#write-offs').waitFor();
    expect((await lines()).slice(3)).toEqual([
      'Written off: A claim was refused | 1 | +2 | +0.13 | ',
      'Neither explained nor written off | 0 | 0 | 0.00 | ',
    ]);
    expect(await page.locator('#statement').innerText()).toContain('The statement is complete');
    await check(page);
    await page.goto(`${rig.product.url}/billing/close?month=2026-10&account=${WABA}`);
    expect(await page.locator('#main').innerText()).toContain(
      '1 of 2 rows differs, 0 explained in full, 1 written off.',
    );

    const enter = (path: string, body: object, type = 'application/json'): Promise<Response> =>
      fetch(`${rig.product.url}/api/write-offs${path}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: JSON.stringify(body),
      });
    const listed = (await (await fetch(`${rig.product.url}/api/write-offs`)).json()) as {
      rows: { write_off_id: string }[];
    };
    const { write_off_id } = listed.rows[0]!;
    const of = { waba_id: WABA, month: '2026-10', explanation: 'unexplained', reason: 'refused', note: 'x', by: 'rui' };
    const answers = [
      await enter('', of),
      await enter('', { ...of, by: '' }),
      await enter('', of, 'text/plain'),
      await enter('?x=1', of),
      await enter(`/${write_off_id}`, { action: 'undo', by: 'rui' }),
      await enter('/00ff', { action: 'undo', by: 'rui', note: 'x' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([409, 400, 415, 400, 400, 409]);

    await page.goto(`${rig.product.url}/billing/reconciliation?month=2026-10`);
    const row = page.locator('#write-offs tbody tr');
    await row.getByText('Undo', { exact: true }).click();
    await row.getByLabel('Your name').fill('rui');
    await row.getByLabel('Why').fill('Meta paid');
    await row.getByRole('button', { name: 'Undo this write-off' }).click();
    await row.getByText(/^Undone by rui on .*: Meta paid$/).waitFor();
    expect((await lines()).slice(3)).toEqual(['Neither explained nor written off | 1 | +2 | +0.13 | ']);
    expect((await enter('', of)).status).toBe(201);
    expect((await enter('', of)).status).toBe(200);
    await check(page);
    await page.goto(`${rig.product.url}/imports`);
    await page.getByRole('link', { name: 'Withdraw october.json' }).first().click();
    await page.getByRole('button', { name: 'Withdraw this import' }).click();
    await page.locator('#done').waitFor();
  });

  it('can be read on a phone, in the dark', async () => {
    const page = await rig.newPage({
      viewport: { width: 390, height: 844 },
      colorScheme: 'dark',
      bypassCSP: true,
    });
    await page.goto(`${rig.product.url}/imports`);
    await give(page, ANSWER, ['2026-10-01', '2026-10-31']);
    await page.locator('#done').waitFor();
    await check(page);
    await page.goto(`${rig.product.url}/billing/reconciliation`);
    expect(await page.locator('.verdict').innerText()).toBe('1 of 2 rows differs.');
    const cut = await page
      .locator('.sides .value')
      .evaluateAll((values) =>
        (values as unknown as { scrollWidth: number; clientWidth: number }[]).filter(
          ({ scrollWidth, clientWidth }) => scrollWidth > clientWidth,
        ),
      );
    expect(cut).toEqual([]);
    await check(page);
  });
});

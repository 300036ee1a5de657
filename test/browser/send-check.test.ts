import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { violationsIn } from '../support/axe.ts';
import { browserRig } from '../support/browser-rig.ts';
import { headsWithoutMeaning, sidewaysScroll } from '../support/browser.ts';
import { NUMBER, output, WABA } from '../support/product.ts';

const PHONE = { width: 390, height: 844 };

const DAY = 86_400;
const T = Date.parse('2026-10-05T10:00:00Z') / 1000;
const CLICKED = '16505551234';
const WROTE = '16505552345';
const at = (seconds: number): string => `as_of=${new Date(seconds * 1000).toISOString()}`;

describe('the page of the send check', () => {
  const rig = browserRig({
    window: { colorScheme: 'light' },
    prepare: async (data) => {
      const base = { waba_id: WABA, phone_number_id: NUMBER, event: 'message', direction: 'inbound', type: 'text' };
      const events = [
        { ...base, wa_id: CLICKED, id: 'wamid.click', timestamp: T, referral: { source_type: 'ad', source_id: '77' } },
        { ...base, wa_id: WROTE, id: 'wamid.wrote', timestamp: T },
        {
          ...{ ...base, wa_id: '16505550000', id: 'wamid.past', timestamp: T - DAY },
          ...{ direction: 'outbound', type: 'template', template: { name: 'offer', category: 'MARKETING' } },
        },
        { ...base, wa_id: '16505550000', id: 'wamid.past', timestamp: T - DAY, event: 'status', status: 'delivered' },
      ];
      writeFileSync(data.file('events.ndjson'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
      await output(data, ['ingest', 'events.ndjson']);
      const card = [
        'Cost per message',
        'Market,Currency,Marketing,Utility,Authentication,Authentication-International,Service',
        'North America,USD,0.025,0.004,0.004,n/a,0.004',
        '',
      ].join('\n');
      writeFileSync(data.file('card.csv'), card);
      await output(data, ['accounts', 'set', WABA, '--currency', 'USD']);
      await output(data, ['rates', 'import', 'card.csv', '--effective', '2026-07-01']);
      return undefined;
    },
  });

  const open = (seconds: number): Promise<unknown> =>
    rig.page.goto(`${rig.product.url}/send-check?${at(seconds)}`, { waitUntil: 'networkidle' });

  async function check(what: string, template = ''): Promise<string> {
    await rig.page.fill('textarea[name="what"]', what);
    await rig.page.fill('input[name="template"]', template);
    await rig.page.click('button[type="submit"]');
    await rig.page.locator('#answer').waitFor();
    return (await rig.page.locator('#answer').innerText()).replaceAll(/\s+/g, ' ');
  }

  /** In both themes and on a phone. */
  async function expectReadable(): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await rig.page.emulateMedia({ colorScheme });
      expect(await violationsIn(rig.page), colorScheme).toEqual([]);
    }
    await rig.page.setViewportSize(PHONE);
    expect(await sidewaysScroll(rig.page)).toBeLessThanOrEqual(0);
    expect(await headsWithoutMeaning(rig.page)).toEqual([]);
  }

  it("shows the API's answer for a send body", async () => {
    await open(T + 3_600);
    expect(await rig.page.locator('.empty').innerText()).toContain('POST /api/send-check');
    const body = { messaging_product: 'whatsapp', to: CLICKED, type: 'template', template: { name: 'offer' } };
    const answer = await check(JSON.stringify(body));
    for (const said of [
      'Allowed: Free entry',
      'Free: this marketing template answers the ad in time and opens a free entry window.',
      'as the template was sent before',
      'open, 23 h left',
      'to the click on ad 77',
      'Billable',
    ])
      expect(answer).toContain(said);
    expect(await rig.page.locator('textarea').inputValue()).toBe(JSON.stringify(body));
    await expectReadable();
  });

  it("says that a free-form message is not allowed, in the help page's words", async () => {
    await open(T + DAY);
    const answer = await check(WROTE);
    expect(answer).toContain('Not allowed: NON_TEMPLATE_NOT_ALLOWED');
    expect(answer).toContain('Send a template: utility costs USD 0.004, marketing costs USD 0.025');
    await expectReadable();
  });

  it('adds up what a list of numbers would cost', async () => {
    await open(T + 3_600);
    const answer = await check(`${CLICKED}\n+1 650-555-2345, ${WROTE}\n4915112345678`, 'offer');
    expect(answer).toContain('1 of 3 would be free now; the others would cost USD 0.025; 1 have no price.');
    expect(answer).toContain('the market is not on the card');
    expect(await rig.page.locator('#lines tbody tr').allInnerTexts()).toHaveLength(3);
    await expectReadable();
  });

  it('says what is wrong with unreadable input, and keeps the input', async () => {
    await open(T);
    await rig.page.fill('textarea[name="what"]', 'nobody');
    await rig.page.click('button[type="submit"]');
    const problem = rig.page.locator('#ask [role="alert"]');
    await problem.waitFor();
    expect(await problem.innerText()).toContain('“nobody”'.replaceAll(/[“”]/g, '"'));
    expect(await rig.page.locator('textarea').inputValue()).toBe('nobody');
    await expectReadable();
  });

  it('works without scripts', async () => {
    const bare = await rig.newPage({ javaScriptEnabled: false });
    await bare.goto(`${rig.product.url}/send-check?${at(T + 3_600)}`);
    await bare.fill('textarea', WROTE);
    await bare.click('button[type="submit"]');
    expect(await bare.locator('#answer h2').innerText()).toBe('Allowed: Billable');
  });

  it('says the same words on the page of the conversation', async () => {
    await rig.page.goto(`${rig.product.url}/conversations/${NUMBER}/wamid.click?${at(T + 3_600)}`);
    const words = await rig.page.locator('.composer li').allInnerTexts();
    await rig.page.click('.composer a');
    expect(await rig.page.locator('input[name="number"]').inputValue()).toBe(NUMBER);
    const body = { to: CLICKED, type: 'template', template: { name: 'offer' } };
    await check(JSON.stringify(body));
    expect(words).toContain(await rig.page.locator('#answer .words').innerText());
  });
});

import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_SEND_CHECK_BYTES, type SendAnswer, type SendTotals } from '@ctwa-ledger/schemas/send-check.ts';
import {
  DataDirectory,
  deliver,
  envelope,
  inbound,
  NUMBER,
  output,
  startProduct,
  until,
  WABA,
  type Product,
} from '../support/product.ts';

/** The send check of the whole product, over HTTP, on the real engine. */

const CLICKED = '16505551234';
const WROTE = '16505552345';
const NEW = '16505553456';
const DAY = 86_400;
/** Under PMP-2026-10; in UTC, which is the account's zone. */
const T = Date.parse('2026-10-05T10:00:00Z') / 1000;
const CARD = `Cost per message in USD, effective October 1, 2026
Market,Currency,Marketing,Utility,Authentication,Authentication-International,Service
North America,USD,0.0250,0.0040,0.0040,n/a,0.0040
`;

const data = new DataDirectory();
let product: Product;

const base = { waba_id: WABA, phone_number_id: NUMBER };
const sent = (wa_id: string, id: string, at: number, template: object): object[] => [
  { ...base, wa_id, id, event: 'message', direction: 'outbound', type: 'template', template, timestamp: at },
  { ...base, wa_id, id, event: 'status', status: 'delivered', timestamp: at },
];
const EVENTS = [
  {
    ...base,
    ...{ event: 'message', direction: 'inbound', wa_id: CLICKED, id: 'wamid.click', timestamp: T, type: 'text' },
    referral: { source_type: 'ad', source_id: '120226305854810726' },
  },
  { ...base, event: 'message', direction: 'inbound', wa_id: WROTE, id: 'wamid.wrote', timestamp: T, type: 'text' },
  ...sent('16505550000', 'wamid.past', T - DAY, { name: 'past_offer', category: 'MARKETING' }),
];

beforeAll(async () => {
  const file = data.file('events.ndjson');
  writeFileSync(file, EVENTS.map((event) => `${JSON.stringify(event)}\n`).join(''));
  await output(data, ['ingest', file]);
  await output(data, ['accounts', 'set', WABA, '--currency', 'USD']);
  writeFileSync(data.file('card.csv'), CARD);
  await output(data, ['rates', 'import', data.file('card.csv')]);
  const list = { data: [{ name: 'order_update', language: 'en', category: 'UTILITY', status: 'APPROVED', id: '1' }] };
  writeFileSync(data.file('templates.json'), JSON.stringify(list));
  const imported = await output(data, ['templates', 'import', data.file('templates.json'), '--waba', WABA]);
  expect(JSON.parse(imported)).toEqual({ templates: 1, added: 1, recategorised: [] });
  product = await startProduct(data);
});
afterAll(async () => {
  try {
    expect(await product.stop()).toBe(0);
  } finally {
    await data.remove();
  }
});

async function ask(
  body: unknown,
  at: number | null = T + 3_600,
  more = '',
): Promise<{ status: number; answer: unknown }> {
  const as_of = at === null ? '' : `as_of=${at}`;
  const response = await fetch(`${product.url}/api/send-check?${as_of}${more}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, answer: await response.json() };
}

async function allowed(body: unknown, at?: number | null): Promise<SendAnswer> {
  const { status, answer } = await ask(body, at);
  expect({ status, answer }).toMatchObject({ status: 200 });
  return answer as SendAnswer;
}

const template = (to: string, name: string): object => ({
  phone_number_id: NUMBER,
  to,
  type: 'template',
  template: { name, language: { code: 'en' } },
});
const text = (to: string): object => ({ phone_number_id: NUMBER, to, type: 'text', text: { body: 'Hello' } });

describe('a message that is allowed', () => {
  it('is answered with mark, price, both timers, deadline and what changes', async () => {
    expect(await allowed(template(CLICKED, 'order_update'))).toEqual({
      allowed: true,
      at: '2026-10-05T11:00:00+00:00',
      phone_number_id: NUMBER,
      waba_id: WABA,
      customer: CLICKED,
      type: 'template',
      template_name: 'order_update',
      category: 'utility',
      category_from: 'import',
      mark: 'FREE_ENTRY',
      rule: 'W5',
      policy: 'PMP-2026-10',
      price: {
        amount: '0',
        currency: 'USD',
        rate_card: 'card.csv 2026-10-01',
        tier: '',
        market: 'North America',
        category: 'utility',
        list_cost: '0.004',
        is_in_allowance: false,
        unrated: '',
      },
      words: 'Free: this utility template answers the ad in time and opens a free entry window.',
      customer_service_window: { is_open: true, ends_at: '2026-10-06T10:00:00+00:00', seconds_left: 23 * 3_600 },
      free_entry_window: {
        is_open: false,
        ends_at: null,
        seconds_left: null,
        is_reported: false,
        ad_id: '',
        would_open: true,
      },
      reply_deadline: { by: '2026-10-06T10:00:00+00:00', seconds_left: 23 * 3_600, ad_id: '120226305854810726' },
      changes: [{ at: '2026-10-06T10:00:01+00:00', allowed: true, mark: 'BILLABLE' }],
      by_category: [],
      advice: 'Free, and opens a free entry window, if it is delivered by 6 Oct 2026, 10:00 (UTC).',
    });
  });

  it('is priced by the category of past sends', async () => {
    const { category, category_from, mark, price, advice } = await allowed(template(WROTE, 'past_offer'));
    expect([category, category_from, mark, price.amount]).toEqual(['marketing', 'past_sends', 'BILLABLE', '0.025']);
    expect(advice).toBe('A free-form message is free until 6 Oct 2026, 10:00 (UTC); this one costs USD 0.025.');
  });

  it('is priced by each category when its own is not known', async () => {
    const { category_from, mark, price, by_category } = await allowed(template(NEW, 'never_seen'));
    expect([category_from, mark, price.amount, price.unrated]).toEqual([
      'unknown',
      'UNKNOWN',
      null,
      'unknown_category',
    ]);
    expect(by_category.map(({ category, price: { amount } }) => [category, amount])).toEqual([
      ['utility', '0.004'],
      ['marketing', '0.025'],
      ['authentication', '0.004'],
    ]);
  });

  it('is free within the monthly allowance', async () => {
    const { mark, price } = await allowed(text(WROTE));
    expect([mark, price.amount, price.is_in_allowance]).toEqual(['BILLABLE', '0', true]);
  });

  it('may be a body of the Cloud API as it is, with the number in the address', async () => {
    const { phone_number_id, ...body } = text(WROTE) as Record<string, unknown>;
    const { status } = await ask(
      { messaging_product: 'whatsapp', ...body },
      T + 60,
      `&phone_number_id=${String(phone_number_id)}`,
    );
    expect(status).toBe(200);
  });

  it('has no one price where it goes to a group', async () => {
    const { price } = await allowed({ ...template('Y2FwaV9ncm91cA', 'past_offer'), recipient_type: 'group' });
    expect([price.amount, price.unrated]).toEqual([null, 'per_participant']);
  });
});

describe('a message that is not allowed', () => {
  it("is answered in the help page's form, and with nothing else", async () => {
    expect(await ask(text(WROTE), T + DAY)).toEqual({
      status: 409,
      answer: {
        error: {
          code: 'NON_TEMPLATE_NOT_ALLOWED',
          message:
            'A message that is not a template is not allowed: the customer service window has been closed since 6 Oct 2026, 10:00 (UTC). Send a template: utility costs USD 0.004, marketing costs USD 0.025, authentication costs USD 0.004. A free-form message is allowed again once the customer writes.',
        },
      },
    });
  });

  it('is told that a template is free in the same second, where it answers an ad click', async () => {
    const { status, answer } = await ask(text(CLICKED), T + DAY);
    expect(status).toBe(409);
    expect((answer as { error: { message: string } }).error.message).toContain(
      'it is free, and opens a free entry window, if it is delivered by 6 Oct 2026, 10:00 (UTC)',
    );
  });
});

it('follows a delivery at once', async () => {
  const wa_id = '16505559999';
  const at = Math.floor(Date.now() / 1000);
  const body = envelope(
    inbound([
      {
        from: wa_id,
        id: 'wamid.just',
        timestamp: String(at),
        type: 'text',
        referral: { source_type: 'ad', source_id: '77' },
      },
    ]),
  );
  expect((await ask(text(wa_id), null)).status).toBe(409);
  expect(await deliver(product, body)).toBe(200);
  const { mark, rule, reply_deadline } = await allowed(text(wa_id), null);
  expect([mark, rule, reply_deadline?.ad_id]).toEqual(['FREE_ENTRY', 'W5', '77']);
});

describe('many recipients', () => {
  it('are answered in totals', async () => {
    const recipients = [CLICKED, `+${WROTE}`, WROTE, NEW];
    const { status, answer } = await ask({ ...template('', 'past_offer'), to: undefined, recipients });
    expect(status).toBe(200);
    expect(answer).toEqual({
      at: '2026-10-05T11:00:00+00:00',
      phone_number_id: NUMBER,
      type: 'template',
      template_name: 'past_offer',
      category: 'marketing',
      category_from: 'past_sends',
      recipients: 3,
      duplicates: 1,
      free: 1,
      outcomes: {
        FREE_ENTRY: 1,
        FREE_SERVICE: 0,
        COVERED: 0,
        FREE_ALLOWANCE: 0,
        BILLABLE: 2,
        UNKNOWN: 0,
        NON_TEMPLATE_NOT_ALLOWED: 0,
      },
      opens_free_entry: 1,
      costs: [{ currency: 'USD', messages: 3, amount: '0.05', saved: '0.025' }],
      unrated: [],
      by_category: [],
      words: '1 of 3 would be free now; the others would cost USD 0.05.',
    });
  });

  it('have a line each where that is asked for', async () => {
    const { answer } = await ask({ ...text(''), to: undefined, recipients: [CLICKED, NEW], lines: true });
    expect((answer as SendTotals).lines).toEqual(
      [
        ...[{ recipient: CLICKED, customer: CLICKED, waba_id: WABA, outcome: 'FREE_ENTRY', amount: '0' }],
        ...[{ recipient: NEW, customer: NEW, waba_id: WABA, outcome: 'NON_TEMPLATE_NOT_ALLOWED', amount: null }],
      ].map((line) => ({ ...line, currency: line.amount === null ? '' : 'USD', unrated: '' })),
    );
  });

  it('are taken by the thousand', async () => {
    const recipients = Array.from({ length: 10_000 }, (_, i) => `1650${String(6_000_000 + i)}`);
    const { status, answer } = await ask({ ...template('', 'past_offer'), to: undefined, recipients });
    expect(status).toBe(200);
    expect(answer).toMatchObject({ recipients: 10_000, outcomes: { BILLABLE: 10_000 }, costs: [{ amount: '250' }] });
  });
});

describe('what cannot be answered', () => {
  it.each<[string, unknown, number, string, RegExp]>([
    ['no JSON', '{', 400, 'BAD_REQUEST', /not JSON/],
    ['a list', [], 400, 'BAD_REQUEST', /not an object/],
    ['an unknown field', { ...text(NEW), tpye: 1 }, 400, 'BAD_REQUEST', /tpye/],
    ['too large a body', ' '.repeat(MAX_SEND_CHECK_BYTES + 1), 413, 'TOO_LARGE', /1024 KB/],
  ])('is %s', async (_, body, status, code, message) => {
    const { status: found, answer } = await ask(body);
    expect(found).toBe(status);
    expect(answer).toMatchObject({ error: { code, message: expect.stringMatching(message) as unknown } });
  });

  it('is another method, zone or time', async () => {
    const address = `${product.url}/api/send-check`;
    const got = await fetch(address);
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
    for (const query of ['tz=Nowhere', 'as_of=yesterday', 'sample=banana'])
      expect((await fetch(`${address}?${query}`, { method: 'POST', body: JSON.stringify(text(NEW)) })).status).toBe(
        400,
      );
  });
});

describe('a customer who has stopped marketing', () => {
  const STOPPED = '16505557777';
  const preferred = (value: string, at: number): string =>
    envelope({
      field: 'user_preferences',
      value: {
        messaging_product: 'whatsapp',
        metadata: { display_phone_number: '15550783881', phone_number_id: NUMBER },
        user_preferences: [
          { wa_id: STOPPED, detail: 'words', category: 'marketing_messages', value, timestamp: String(at) },
        ],
      },
    });

  it('is sent none, one by one or in a list, and all else, until they resume it', async () => {
    expect(await deliver(product, preferred('stop', T + 10))).toBe(200);
    await allowed(template(STOPPED, 'past_offer'), T + 9);
    const { status, answer } = await ask(template(STOPPED, 'past_offer'), T + 10);
    expect({ status, answer }).toEqual({
      status: 409,
      answer: { error: { code: 'MARKETING_STOPPED', message: expect.stringContaining('131050') as unknown } },
    });
    expect((await allowed(template(STOPPED, 'order_update'), T + 10)).stopped_marketing_at).toBe(
      '2026-10-05T10:00:10+00:00',
    );
    const list = { ...template('', 'past_offer'), to: undefined, recipients: [STOPPED, NEW], lines: true };
    const totals = (await ask(list, T + 10)).answer as SendTotals;
    expect(totals.outcomes).toMatchObject({ MARKETING_STOPPED: 1, BILLABLE: 1 });
    expect(totals.lines?.[0]).toMatchObject({ recipient: STOPPED, outcome: 'MARKETING_STOPPED', amount: null });
    expect(totals.words).toContain('1 have stopped marketing messages (MARKETING_STOPPED)');
    expect(await deliver(product, preferred('resume', T + 20))).toBe(200);
    expect((await allowed(template(STOPPED, 'past_offer'), T + 20)).stopped_marketing_at).toBeUndefined();
  });
});

it('answers with another category once a template was imported with it', async () => {
  const list = { data: [{ name: 'past_offer', language: 'en', category: 'UTILITY', status: 'APPROVED' }] };
  writeFileSync(data.file('other.json'), JSON.stringify(list));
  await output(data, ['templates', 'import', data.file('other.json'), '--waba', WABA]);
  await until(
    'the import is noticed',
    async () => (await allowed(template(WROTE, 'past_offer'))).category_from === 'import',
  );
  const listed = (await output(data, ['templates', 'list'])).trim().split('\n');
  expect(listed.map((line) => (JSON.parse(line) as { name: string }).name)).toEqual(['order_update', 'past_offer']);
});

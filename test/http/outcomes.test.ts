import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  DataDirectory,
  deliver,
  envelope,
  inbound,
  NUMBER,
  SECRETS,
  startProduct,
  until,
  type Product,
} from '../support/product.ts';

const data = new DataDirectory();
let product: Product;

beforeAll(async () => {
  product = await startProduct(data, { args: ['--empty'], env: SECRETS });
  const referral = { source_type: 'ad', source_id: '120226305854810726', ctwa_clid: 'clid-1' };
  const clicked = { from: '16505551234', id: 'wamid.entry', timestamp: '1790000000', type: 'text', referral };
  expect(await deliver(product, envelope(inbound([clicked])))).toBe(200);
  await until(
    'the entry is there',
    async () => ((await ask('GET', '/api/conversations')).body as { rows: unknown[] }).rows.length === 1,
  );
});
afterAll(async () => {
  await product.stop();
  await data.remove();
});

async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${product.url}${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

const lead = { id: 'crm-1', kind: 'lead', time: 1_790_000_600, customer: '+1 650 555-1234', phone_number_id: NUMBER };

describe('POST /api/outcomes', () => {
  it('enters outcomes once, and says what is wrong with others', async () => {
    expect(await ask('POST', '/api/outcomes', { outcomes: [lead] })).toMatchObject({
      status: 201,
      body: { outcomes: 1 },
    });
    expect(await ask('POST', '/api/outcomes', { outcomes: [lead] })).toMatchObject({
      status: 200,
      body: { outcome: 'unchanged' },
    });
    for (const wrong of [
      {},
      { outcomes: [] },
      { outcomes: [{ ...lead, time: 'soon' }] },
      { outcomes: [{ ...lead, color: 'red' }] },
    ])
      expect(await ask('POST', '/api/outcomes', wrong)).toMatchObject({ status: 400 });
    expect(await ask('GET', '/api/outcomes')).toMatchObject({
      status: 200,
      body: { rows: [{ outcome_id: 'crm-1', kind: 'lead', entry_id: 'wamid.entry', customer: '16505551234' }] },
    });
  });

  it('hands them out in the shape of Meta’s events', async () => {
    const answer = await ask('GET', '/api/conversions-api-events?from=2026-09-01');
    expect(answer).toMatchObject({
      status: 200,
      body: { data: [{ event_name: 'LeadSubmitted', event_id: 'crm-1', user_data: { ctwa_clid: 'clid-1' } }] },
    });
    expect((await ask('GET', '/api/conversions-api-events?color=red')).status).toBe(400);
    expect((await ask('POST', '/api/conversions-api-events', {})).status).toBe(405);
  });

  it('shows them on Ads', async () => {
    const page = await (await fetch(`${product.url}/ads?from=2026-09-20&to=2026-09-24`)).text();
    expect(page).toContain('What they led to');
  });
});

import { expandEnvelope } from '@ctwa-ledger/schemas/envelope.ts';
import { DEFAULT_POLICY_SETTINGS } from '@ctwa-ledger/schemas/config.ts';
import { parseEvent, type LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Customer, PhoneNumberId } from '@ctwa-ledger/schemas/ids.ts';
import { describe, expect, it } from 'vitest';
import { establishFacts } from '../../services/lifecycle/facts.ts';
import { refusalsOf, stoppedMarketingAt, unreachableAt } from '../../services/lifecycle/opt-outs.ts';
import { compileRulebook } from '../../services/lifecycle/rulebook.ts';
import { Prng } from '../../services/simulate/prng.ts';
import { shuffled } from '../support/ledger.ts';
import { envelope, NUMBER } from '../support/product.ts';

const AT = 1_790_000_000;
const CUSTOMER = '16505551234';

function read(value: unknown): LedgerEvent[] {
  const expanded = expandEnvelope(value);
  expect(expanded?.rejections ?? []).toEqual([]);
  return (expanded?.events ?? [value]).map((event) => {
    const parsed = parseEvent(event, AT + 86_400);
    if (!parsed.ok) throw new Error(parsed.rejection.message);
    return parsed.event;
  });
}

function preference(value: string, timestamp: number | string, more: Readonly<Record<string, unknown>> = {}): unknown {
  return JSON.parse(
    envelope({
      field: 'user_preferences',
      value: {
        messaging_product: 'whatsapp',
        metadata: { display_phone_number: '15550783881', phone_number_id: NUMBER },
        contacts: [{ profile: { name: 'Pablo' }, wa_id: CUSTOMER }],
        user_preferences: [
          { wa_id: CUSTOMER, detail: 'words', category: 'marketing_messages', value, timestamp, ...more },
        ],
      },
    }),
  ) as unknown;
}

const sent = (id: string, timestamp: number, category = 'MARKETING'): unknown => ({
  event: 'message',
  direction: 'outbound',
  phone_number_id: NUMBER,
  wa_id: CUSTOMER,
  id,
  timestamp,
  type: 'template',
  template: { name: 'offer', language: 'en', category },
});
const said = (id: string, status: string, timestamp: number, code?: number): unknown => ({
  event: 'status',
  phone_number_id: NUMBER,
  wa_id: CUSTOMER,
  id,
  status,
  timestamp,
  ...(code === undefined ? {} : { errors: [{ code, title: 'no' }] }),
});
const wrote = (timestamp: number): unknown => ({
  event: 'message',
  direction: 'inbound',
  phone_number_id: NUMBER,
  wa_id: CUSTOMER,
  id: `wamid.IN${timestamp}`,
  timestamp,
  type: 'text',
});

function standing(
  values: readonly unknown[],
  at: number,
): { readonly stopped: number | null; readonly away: number | null } {
  const events = values.flatMap(read);
  const facts = establishFacts(NUMBER as PhoneNumberId, events, compileRulebook([], DEFAULT_POLICY_SETTINGS));
  const thread = facts.threads[0] ?? { group_id: '', customer: '' as Customer, inbound: [], outbound: [] };
  const known = refusalsOf(events.filter(({ timestamp }) => timestamp <= at));
  return { stopped: stoppedMarketingAt(thread, events, at), away: unreachableAt(thread, known, at) };
}

describe('a preference in a webhook', () => {
  it('is an event of the customer, the same whenever it comes, and keeps none of their words', () => {
    const [event] = read(preference('stop', AT));
    expect(event).toMatchObject({
      event: 'message',
      direction: 'inbound',
      type: 'user_preferences',
      phone_number_id: NUMBER,
      customer: CUSTOMER,
      timestamp: AT,
      context: '{"category":"marketing_messages","value":"stop"}',
    });
    expect(read(preference('stop', String(AT)))).toEqual([event]);
    expect(read(preference('resume', AT))[0]?.id).not.toBe(event?.id);
    expect(JSON.stringify(event)).not.toContain('words');
  });

  it('opens no window and is no message', () => {
    const events = read(preference('stop', AT));
    const facts = establishFacts(NUMBER as PhoneNumberId, events, compileRulebook([], DEFAULT_POLICY_SETTINGS));
    expect(facts).toMatchObject({ threads: [], retracted_messages: [], lost_referrals: [] });
  });
});

describe('customers who stopped marketing', () => {
  it('has from the second on in which they said so, until the second after they resumed', () => {
    const values = [preference('stop', AT), preference('resume', AT + 10)];
    expect([AT - 1, AT, AT + 9, AT + 10].map((at) => standing(values, at).stopped)).toEqual([null, AT, AT, null]);
    // In one second the stop counts.
    expect(standing([preference('resume', AT), preference('stop', AT)], AT).stopped).toBe(AT);
    expect(standing([preference('stop', AT, { category: 'other_messages' })], AT).stopped).toBeNull();
    expect(standing([preference('perhaps', AT)], AT).stopped).toBeNull();
  });

  it('is known by a refusal of Meta, until marketing is delivered again; messages of other categories say nothing', () => {
    const refused = [sent('wamid.M1', AT), said('wamid.M1', 'failed', AT + 1, 131_050)];
    expect(standing(refused, AT).stopped).toBeNull();
    expect(standing(refused, AT + 1).stopped).toBe(AT + 1);
    const utility = [...refused, sent('wamid.U1', AT + 5, 'UTILITY'), said('wamid.U1', 'delivered', AT + 6)];
    expect(standing(utility, AT + 9).stopped).toBe(AT + 1);
    const marketing = [...utility, sent('wamid.M2', AT + 10), said('wamid.M2', 'delivered', AT + 11)];
    expect(standing(marketing, AT + 10).stopped).toBe(AT + 1);
    expect(standing(marketing, AT + 11).stopped).toBeNull();
    expect(standing([...marketing, preference('stop', AT + 12)], AT + 12).stopped).toBe(AT + 12);
    // A limit of Meta's own is no stop.
    expect(standing([sent('wamid.M3', AT), said('wamid.M3', 'failed', AT, 131_049)], AT).stopped).toBeNull();
  });

  it('is the same whatever order the events come in', () => {
    const values = [
      preference('stop', AT),
      preference('resume', AT + 2),
      sent('wamid.M1', AT + 3),
      said('wamid.M1', 'failed', AT + 4, 131_050),
      preference('stop', AT),
    ];
    const prng = new Prng(7);
    for (let i = 0; i < 20; i++) expect(standing(shuffled(values, prng), AT + 9).stopped).toBe(AT + 4);
  });
});

describe('customers who cannot be reached', () => {
  it('cannot from the refusal on, until a message goes through either way', () => {
    const refused = [sent('wamid.M1', AT), said('wamid.M1', 'failed', AT + 1, 131_026)];
    expect(standing(refused, AT).away).toBeNull();
    expect(standing(refused, AT + 1).away).toBe(AT + 1);
    expect(standing([...refused, wrote(AT + 1)], AT + 1).away).toBe(AT + 1);
    expect(standing([...refused, wrote(AT + 2)], AT + 2).away).toBeNull();
    expect(standing([...refused, sent('wamid.M2', AT + 2), said('wamid.M2', 'read', AT + 3)], AT + 3).away).toBeNull();
  });
});

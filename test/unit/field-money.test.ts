import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY_SETTINGS, type Account, type PolicySettings } from '../../schemas/config.ts';
import { fieldEvents } from '../oracle/golden/field-cases.ts';
import { oracleMessages } from '../oracle/oracle.ts';
import { SAMPLE_MARKETS } from '../oracle/money-world.ts';
import { marketsOf, rateMessages, type ListCard, type TierFile } from '../oracle/rating.ts';

/** What inputs from the field cost, and what groups and echoes do to places (rules.md 5). */

const ACCOUNT: Account = { waba_id: '102290129340398', currency: 'USD' };

const facts = { name: 'list', currency: 'USD', effective_date: '2026-01-01', withdrawn: false };
const rates = (marketing: string, utility: string, service: string) => ({
  rates: { marketing, utility, authentication: utility, authentication_international: utility, service },
});
const CARD: ListCard = {
  ...facts,
  kind: 'list',
  model: 'message',
  rows: [
    { market: 'Brazil', ...rates('0.5', '0.05', '0.005') },
    { market: 'India', ...rates('0.7', '0.07', '0.007') },
    { market: 'Other', ...rates('0.9', '0.09', '0.009') },
  ],
};
/** Each of the first three utility messages has a price of its own. */
const TIERS: TierFile = {
  ...facts,
  kind: 'tiers',
  model: 'message',
  rows: ['0.01', '0.02', '0.03'].map((rate, i) => ({
    market: 'Brazil',
    category: 'utility',
    from: i + 1,
    to: i + 1,
    rate,
  })),
};

/** `id customer: market, rated category, list / billed`, in the order of the customers. */
function bill(events: readonly unknown[], policy: Partial<PolicySettings> = {}): string[] {
  const accounts = [ACCOUNT];
  const messages = oracleMessages({ events, accounts, policy: { ...DEFAULT_POLICY_SETTINGS, ...policy } });
  return rateMessages({ messages, accounts, cards: [CARD, TIERS], marketOf: marketsOf(SAMPLE_MARKETS) })
    .map((row) => {
      const amounts = row.unrated || `${row.list_cost} / ${row.billed_cost}`;
      return `${row.message_id} ${row.customer}: ${row.market}, ${row.rated_category}, ${amounts}`;
    })
    .sort();
}

describe('files from the field', () => {
  test('groups: each participant is charged in his own market, without the part before group_', () => {
    expect(bill(fieldEvents('05-groups.ndjson'))).toEqual([
      'wamid.G1 5511900000001: Brazil, marketing, 0.5 / 0.5',
      'wamid.G1 5511900000002: Brazil, marketing, 0.5 / 0.5',
      'wamid.G1 919900000003: India, marketing, 0.7 / 0.7',
      // Of one second: in the order of the participants; the message to one customer came three minutes later.
      'wamid.G2 5511900000001: Brazil, utility, 0.01 / 0.01',
      'wamid.G2 5511900000002: Brazil, utility, 0.02 / 0.02',
      'wamid.G4 5511900000001: Brazil, utility, 0.03 / 0.03',
    ]);
  });

  test('business-scoped ids are in the market of their country', () => {
    expect(bill(fieldEvents('03-bsuid-in-phone-fields.ndjson'))).toEqual([
      'wamid.B2 BR.13491208655302741918: Brazil, marketing, 0.5 / 0.5',
      'wamid.B3 IN.91208655302741918000: India, marketing, 0.7 / 0.7',
    ]);
  });

  test('a window opened by a reply to a number dialled otherwise saves both its messages', () => {
    expect(bill(fieldEvents('01-brazil-ninth-digit.ndjson'))).toEqual([
      'wamid.OUT1 558299990000: Brazil, marketing, 0.5 / 0',
      'wamid.OUT2 558299990000: Brazil, utility, 0.01 / 0',
    ]);
  });

  test('templates after a reply from the app alone are charged, and nothing is saved', () => {
    expect(bill(fieldEvents('27-app-reply-then-api-template.ndjson'))).toEqual([
      'wamid.CA1 5511977770000: Brazil, service, 0 / 0',
      'wamid.CA2 5511977770000: Brazil, marketing, 0.5 / 0.5',
      'wamid.CA3 5511977770000: Brazil, marketing, 0.5 / 0.5',
    ]);
  });

  test('free entry that only Meta knows of is saved all the same', () => {
    expect(bill(fieldEvents('07-ctwa-first-message-unavailable.ndjson'))).toEqual([
      // Service within the allowance of the month.
      'wamid.K1 573001112233: Other, service, 0 / 0',
      'wamid.K2 573001112233: Other, marketing, 0.9 / 0',
    ]);
  });
});

describe('groups and echoes among places', () => {
  const base = { phone_number_id: '1', waba_id: ACCOUNT.waba_id };
  const t = Date.parse('2026-10-10T12:00:00Z') / 1000;
  const toGroup = (id: string, participant: string, timestamp: number, category: string): unknown => ({
    ...base,
    event: 'status',
    id,
    status: 'delivered',
    timestamp,
    group_id: 'G',
    participant,
    pricing: { type: 'odd', category },
  });
  const echo = (id: string): unknown => ({
    ...base,
    event: 'message',
    direction: 'outbound',
    id,
    timestamp: t,
    type: 'text',
    wa_id: '5511900000001',
    origin: 'app',
  });
  const service = (id: string): unknown[] => [
    { ...base, event: 'message', direction: 'outbound', id, timestamp: t + 60, type: 'text', wa_id: '5511900000001' },
    { ...base, event: 'status', id, status: 'delivered', timestamp: t + 60 },
  ];
  const billed = (events: readonly unknown[], policy: Partial<PolicySettings>): number =>
    bill(events, policy).filter((line) => line.endsWith('0.005 / 0.005')).length;

  test('M3: participants are numbered by delivery, then by message, then by name as text', () => {
    const events = [
      toGroup('b', '559', t, 'group_utility'),
      toGroup('b', '5511', t, 'group_utility'),
      toGroup('a', '558', t, 'utility'),
      toGroup('c', '550', t - 1, 'group_marketing'),
    ];
    expect(bill(events)).toEqual([
      'a 558: Brazil, utility, 0.01 / 0.01',
      'b 5511: Brazil, utility, 0.02 / 0.02',
      'b 559: Brazil, utility, 0.03 / 0.03',
      'c 550: Brazil, marketing, 0.5 / 0.5',
    ]);
  });

  test('M3: each participant of a service message to a group takes a place in the allowance', () => {
    const many = Array.from({ length: 1001 }, (_, i) => toGroup('m', `55${i + 1000}`, t, 'group_service'));
    expect(billed(many, {})).toBe(1);
  });

  test('M3: echoes take places where they are counted, and none where they stand apart', () => {
    const events = [...Array.from({ length: 1000 }, (_, i) => echo(`e${i}`)), ...service('m')];
    expect([billed(events, { echoes: 'apart' }), billed(events, { echoes: 'counted' })]).toEqual([0, 1]);
  });

  test('F6, M4: an echo outside the bill has a list cost of 0, though Meta reports free entry', () => {
    const report = { pricing: { type: 'free_entry_point', category: 'marketing' } };
    const reported = { ...base, event: 'status', id: 'e', status: 'delivered', timestamp: t, ...report };
    expect(bill([echo('e'), reported])).toEqual(['e 5511900000001: Brazil, service, 0 / 0']);
  });

  test('M2: the market is that of the customer whom the statuses name, not of the number that was dialled', () => {
    const [sent] = service('m');
    const status = { ...base, event: 'status', id: 'm', status: 'delivered', timestamp: t, wa_id: '919900000003' };
    const template = { ...(sent as object), type: 'template', template: { category: 'marketing' } };
    expect(bill([template, status])).toEqual(['m 919900000003: India, marketing, 0.7 / 0.7']);
  });
});

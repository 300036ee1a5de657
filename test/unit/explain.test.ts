import { expect, it } from 'vitest';
import { DEFAULT_POLICY_SETTINGS } from '@ctwa-ledger/schemas/config.ts';
import { explainMessage } from '../../services/lifecycle/explain.ts';
import { goldenCases } from '../oracle/golden.ts';
import { fold } from '../support/expected-rows.ts';

const AT = 1_750_000_000;
const base = { phone_number_id: '1', wa_id: '16505551234' };
const entry = {
  ...base,
  event: 'message',
  direction: 'inbound',
  id: 'e',
  timestamp: AT,
  type: 'text',
  referral: { source_type: 'ad', source_id: '1202' },
};
const out = (id: string, at: number, extra: object = {}) => [
  { ...base, event: 'message', direction: 'outbound', id, timestamp: at, type: 'text', ...extra },
  { ...base, event: 'status', id, status: 'delivered', timestamp: at },
];
const report = (id: string, at: number, type: string) => ({
  ...base,
  event: 'status',
  id,
  status: 'sent',
  timestamp: at,
  pricing: { type },
});

it.each([
  [
    'a',
    [entry, ...out('a', AT + 750)],
    'FREE_ENTRY: reply 00:12:30 after ad 1202, opens the free entry window until 2025-06-18T15:19:10Z (W5)',
  ],
  [
    'b',
    [entry, ...out('a', AT + 750), ...out('b', AT + 800)],
    'FREE_ENTRY: in the free entry window of ad 1202, open from 2025-06-15T15:19:10Z until 2025-06-18T15:19:10Z (W7)',
  ],
  [
    'a',
    [entry, ...out('a', AT + 750), report('a', AT + 760, 'regular')],
    'FREE_ENTRY: reply 00:12:30 after ad 1202, opens the free entry window until 2025-06-18T15:19:10Z (W5); Meta reports BILLABLE, so it is billed as BILLABLE: a mismatch (V2)',
  ],
  [
    'a',
    [...out('a', AT, { type: 'template', template: { category: 'MARKETING' } })],
    'BILLABLE: opens a marketing conversation of 24 hours under CBP-2024-11 (3.1)',
  ],
  [
    'a',
    [out('a', AT)[0]],
    'UNDELIVERED: no status says that it was delivered, and only delivered messages are charged (F4)',
  ],
  [
    'a',
    [...out('a', AT, { type: 'template' })],
    'UNKNOWN: a template with an unknown category, outside a free entry window (F5)',
  ],
] as const)('message %s of %j is explained', (id, events, sentence) => {
  const mark = fold(events, [], DEFAULT_POLICY_SETTINGS).messages.find((m) => m.message_id === id);
  expect(mark && explainMessage(mark, 'UTC')).toBe(sentence);
});

it('has a sentence for every message of the price list', () => {
  for (const { events, accounts, policy } of goldenCases)
    for (const mark of fold(events, accounts ?? [], { ...DEFAULT_POLICY_SETTINGS, ...policy }).messages)
      expect(explainMessage(mark, 'America/Sao_Paulo')).toMatch(new RegExp(`^${mark.predicted}: .+ \\(\\w[\\w.]*\\)`));
});

import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY_SETTINGS } from '@ctwa-ledger/schemas/config.ts';
import type { PhoneNumberId } from '@ctwa-ledger/schemas/ids.ts';
import { outlookName, outlookReason } from '../../dashboard/src/lib/conversation/outlook.ts';
import { refusalMeaning } from '../../dashboard/src/lib/conversation/refusals.ts';
import { establishFacts } from '../../services/lifecycle/facts.ts';
import { outlookAt, type Outlook } from '../../services/lifecycle/outlook.ts';
import { compileRulebook } from '../../services/lifecycle/rulebook.ts';
import { parsed } from '../support/expected-rows.ts';

const RULEBOOK = compileRulebook(
  [{ waba_id: '7', time_zone: 'America/Sao_Paulo' }, { waba_id: '8' }],
  DEFAULT_POLICY_SETTINGS,
);
const unix = (iso: string): number => Date.parse(iso) / 1000;

type Event = Readonly<Record<string, unknown>>;
const base = { phone_number_id: '1', wa_id: '16505551234' };
const writes = (at: string, more: Event = {}): Event => ({
  ...base,
  event: 'message',
  direction: 'inbound',
  id: `in ${at}`,
  timestamp: unix(at),
  type: 'text',
  ...more,
});
const clicks = (at: string, more: Event = {}): Event => writes(at, { referral: { source_type: 'ad' }, ...more });
const sends = (at: string, category: string, more: Event = {}): Event[] => [
  {
    ...base,
    event: 'message',
    direction: 'outbound',
    id: `out ${at}`,
    timestamp: unix(at),
    ...(category === 'service' ? { type: 'text' } : { type: 'template', template: { category } }),
    ...more,
  },
  { ...base, event: 'status', id: `out ${at}`, status: 'delivered', timestamp: unix(at) },
];

function outlookRows(events: readonly Event[], at: string): Outlook[] {
  const facts = establishFacts('1' as PhoneNumberId, parsed(events), RULEBOOK);
  return outlookAt(facts.threads[0]!, RULEBOOK, unix(at));
}

/** Marks of a free-form message (in brackets where it is not allowed), a utility, a marketing and an authentication template. */
function outlook(events: readonly Event[], at: string): string[] {
  const rows = outlookRows(events, at);
  expect(rows.map(({ kind }) => kind)).toEqual(['service', 'utility', 'marketing', 'authentication']);
  return rows.map(({ mark, is_allowed }) => (is_allowed ? mark : `(${mark})`));
}

const ALL_FREE = ['FREE_ENTRY', 'FREE_ENTRY', 'FREE_ENTRY', 'FREE_ENTRY'];
const ALL_BILLED = ['(BILLABLE)', 'BILLABLE', 'BILLABLE', 'BILLABLE'];

describe('what a message would be if it were delivered', () => {
  it.each<[string, readonly Event[], string, string[]]>([
    [
      'in the customer service window, before 2026-10',
      [writes('2026-03-01T10:00:00Z')],
      '2026-03-01T12:00:00Z',
      ['FREE_SERVICE', 'FREE_SERVICE', 'BILLABLE', 'BILLABLE'],
    ],
    [
      'in its last second',
      [writes('2026-03-01T10:00:00Z')],
      '2026-03-02T09:59:59Z',
      ['FREE_SERVICE', 'FREE_SERVICE', 'BILLABLE', 'BILLABLE'],
    ],
    [
      'at its end',
      [writes('2026-03-01T10:00:00Z')],
      '2026-03-02T10:00:00Z',
      ['(FREE_SERVICE)', 'BILLABLE', 'BILLABLE', 'BILLABLE'],
    ],
    [
      'in it, from 2026-10',
      [writes('2026-10-05T10:00:00Z')],
      '2026-10-05T12:00:00Z',
      ['BILLABLE', 'BILLABLE', 'BILLABLE', 'BILLABLE'],
    ],
    [
      'answering an entry, 24 h later to the second',
      [clicks('2026-10-05T10:00:00Z')],
      '2026-10-06T10:00:00Z',
      ['(FREE_ENTRY)', 'FREE_ENTRY', 'FREE_ENTRY', 'FREE_ENTRY'],
    ],
    ['a second after that', [clicks('2026-10-05T10:00:00Z')], '2026-10-06T10:00:01Z', ALL_BILLED],
    [
      'in the free entry window, the customer service window open',
      [clicks('2026-10-05T10:00:00Z'), ...sends('2026-10-05T11:00:00Z', 'service')],
      '2026-10-06T09:59:59Z',
      ALL_FREE,
    ],
    [
      'a second before the free entry window expires',
      [clicks('2026-10-05T10:00:00Z'), ...sends('2026-10-05T11:00:00Z', 'service')],
      '2026-10-08T10:59:59Z',
      ['(FREE_ENTRY)', 'FREE_ENTRY', 'FREE_ENTRY', 'FREE_ENTRY'],
    ],
    [
      'when it expires',
      [clicks('2026-10-05T10:00:00Z'), ...sends('2026-10-05T11:00:00Z', 'service')],
      '2026-10-08T11:00:00Z',
      ALL_BILLED,
    ],
    [
      'before the reply that came later',
      [writes('2026-10-05T09:30:00Z'), clicks('2026-10-05T10:00:00Z'), ...sends('2026-10-05T11:00:00Z', 'service')],
      '2026-10-05T09:45:00Z',
      ['BILLABLE', 'BILLABLE', 'BILLABLE', 'BILLABLE'],
    ],
    [
      'under conversation pricing, a utility conversation open',
      [writes('2025-03-01T10:00:00Z'), ...sends('2025-03-01T11:00:00Z', 'utility')],
      '2025-03-02T09:00:00Z',
      ['COVERED', 'COVERED', 'BILLABLE', 'BILLABLE'],
    ],
    [
      'when that conversation is over',
      [writes('2025-03-01T10:00:00Z'), ...sends('2025-03-01T11:00:00Z', 'utility')],
      '2025-03-02T11:00:00Z',
      ['(FREE_SERVICE)', 'BILLABLE', 'BILLABLE', 'BILLABLE'],
    ],
    [
      'when a free entry window has closed it',
      [
        ...sends('2025-03-01T09:00:00Z', 'utility'),
        clicks('2025-03-01T10:00:00Z'),
        ...sends('2025-03-01T11:00:00Z', 'service'),
      ],
      '2025-03-01T12:00:00Z',
      ALL_FREE,
    ],
    [
      'before 2024-11, where service is charged',
      [writes('2024-05-01T10:00:00Z')],
      '2024-05-01T11:00:00Z',
      ['BILLABLE', 'BILLABLE', 'BILLABLE', 'BILLABLE'],
    ],
    [
      'on the last evening of a policy, in the zone of the account',
      [writes('2026-10-01T01:00:00Z', { waba_id: '7' })],
      '2026-10-01T02:59:59Z',
      ['FREE_SERVICE', 'FREE_SERVICE', 'BILLABLE', 'BILLABLE'],
    ],
    [
      'at midnight there',
      [writes('2026-10-01T01:00:00Z', { waba_id: '7' })],
      '2026-10-01T03:00:00Z',
      ['BILLABLE', 'BILLABLE', 'BILLABLE', 'BILLABLE'],
    ],
    [
      'at the same second for an account without a zone',
      [writes('2026-09-30T22:00:00Z', { waba_id: '8' })],
      '2026-10-01T00:00:00Z',
      ['BILLABLE', 'BILLABLE', 'BILLABLE', 'BILLABLE'],
    ],
  ])('%s', (_, events, at, expected) => {
    expect(outlook(events, at)).toEqual(expected);
  });
});

describe('free places of the month', () => {
  it.each<[string, readonly Event[], string, Outlook['free_places'][]]>([
    ['of an account before 2024-11', [writes('2024-05-01T10:00:00Z')], '2024-05-01T11:00:00Z', ['conversations', null]],
    ['none before 2026-10', [writes('2026-03-01T10:00:00Z')], '2026-03-01T12:00:00Z', [null, null]],
    ['of a number from 2026-10', [writes('2026-10-05T10:00:00Z')], '2026-10-05T11:00:00Z', ['allowance', null]],
    [
      'none of which is taken where a message is free anyway',
      [clicks('2026-10-05T10:00:00Z')],
      '2026-10-05T11:00:00Z',
      [null, null],
    ],
  ])('%s', (_, events, at, expected) => {
    const [service, utility] = outlookRows(events, at);
    expect([service?.free_places, utility?.free_places]).toEqual(expected);
  });
});

describe('the words for it', () => {
  const row = {
    kind: 'service',
    mark: 'BILLABLE',
    rule: '3_charged',
    policy: 'PMP-2026-10',
    is_allowed: true,
    free_places: 'allowance',
  } as const;
  it.each([
    [row, 'Free within the monthly allowance, else billable', /first 1,000 a month of a business number/],
    [{ ...row, is_allowed: false }, 'Not allowed: NON_TEMPLATE_NOT_ALLOWED', /only a template can be sent/],
    [{ ...row, kind: 'marketing', free_places: null }, 'Billable', /marketing templates are charged/],
    [
      { ...row, mark: 'FREE_ENTRY', rule: 'W5', free_places: null } as const,
      'Free entry',
      /open a Free Entry Point \(W5\)/,
    ],
    [
      { ...row, mark: 'COVERED', rule: '3.1_covered', policy: 'CBP-2024-11', free_places: null } as const,
      'Covered',
      /CBP-2024-11/,
    ],
    [
      { ...row, rule: '3.1_opens', policy: 'CBP-2023-06', free_places: 'conversations' } as const,
      'Free within the monthly 1,000, else billable',
      /open a conversation of 24 hours, category service/,
    ],
  ])('%o', (outlook, name, reason) => {
    expect(outlookName(outlook)).toBe(name);
    expect(outlookReason(outlook)).toMatch(reason);
  });

  it.each([
    ['131050', /stopped marketing/],
    ['131026', /may have blocked the business; Meta does not say/],
    ['131047', /24 hours/],
    ['999', /^$/],
  ])('refusal %s', (code, meaning) => {
    expect(refusalMeaning(code)).toMatch(meaning);
  });
});

/** Verdicts. */
import {
  CBP,
  chargedInConversation,
  clicks,
  type GoldenCase,
  MON,
  MONDAY_OF,
  NUMBER,
  priced,
  sends,
  sendsTemplate,
  status,
} from './builders.ts';

/** A marketing template delivered on Monday, outside any window, with this pricing. */
const reportOf = (pricing: object, reported: string, billing: string = reported): GoldenCase => ({
  name: `${JSON.stringify(pricing)}: ${reported === '' ? 'no report' : reported}`,
  rule: 'V1, V2',
  events: [sendsTemplate('m', MON, 'marketing'), status('m', 'delivered', MON, { pricing })],
  expect: { messages: { m: { predicted: 'BILLABLE', reported, billing, billable: String(billing === 'BILLABLE') } } },
});

export const verdicts: readonly GoldenCase[] = [
  reportOf({ type: 'free_entry_point' }, 'FREE_ENTRY'),
  reportOf({ type: 'free_customer_service' }, 'FREE_SERVICE'),
  reportOf({ type: 'regular' }, 'BILLABLE'),
  reportOf({ type: 'regular', billable: false }, 'BILLABLE'),
  reportOf({ type: 'regular', category: 'referral_conversion' }, 'BILLABLE'),
  reportOf({ type: 'REGULAR' }, 'UNKNOWN', 'BILLABLE'),
  reportOf({ type: 'free_group_customer_service' }, 'FREE_SERVICE'),
  reportOf({ type: 'free_group_customer_service', billable: true }, 'FREE_SERVICE'),
  reportOf({ type: 'new_type', billable: false }, 'FREE_SERVICE'),
  reportOf({ type: 'new_type', billable: true }, 'BILLABLE'),
  reportOf({ type: 'new_type', billable: null }, 'UNKNOWN', 'BILLABLE'),
  reportOf({ type: 'REGULAR', billable: false }, 'FREE_SERVICE'),
  reportOf({ type: 'new_type', category: 'referral_conversion' }, 'UNKNOWN', 'BILLABLE'),
  reportOf({ type: 'new_type', category: 'referral_conversion', billable: false }, 'FREE_SERVICE'),
  reportOf({ type: '', category: 'referral_conversion', billable: true }, 'FREE_ENTRY'),
  reportOf({ category: 'Referral-Conversion' }, 'FREE_ENTRY'),
  reportOf({ billable: true }, 'BILLABLE'),
  reportOf({ billable: false, category: 'marketing' }, 'FREE_SERVICE'),
  reportOf({ category: 'marketing' }, 'UNKNOWN', 'BILLABLE'),
  reportOf({ billable: null, category: 'marketing' }, 'UNKNOWN', 'BILLABLE'),
  reportOf({ pricing_model: 'PMP' }, '', 'BILLABLE'),
  reportOf({ pricing_model: 'PMP', type: '', category: '', billable: null }, '', 'BILLABLE'),
  reportOf({ subtype: 'paid_exempt' }, '', 'BILLABLE'),
  {
    name: 'the latest status that carries a report decides',
    rule: 'V1',
    events: [
      sends('m', MON),
      status('m', 'read', MON + 1, priced('regular')),
      status('m', 'sent', MON + 2, priced('free_customer_service')),
      status('m', 'delivered', MON + 3),
    ],
    expect: { messages: { m: { reported: 'FREE_SERVICE' } } },
  },
  ...(
    [
      ['deleted', 'sent'],
      ['sent', 'delivered'],
      ['delivered', 'read'],
      ['read', 'played'],
      ['played', 'failed'],
    ] as const
  ).map(([lower, higher]): GoldenCase => ({
    name: `two reports of one second: ${higher} goes before ${lower}`,
    rule: 'V1',
    events: [
      sends('m', MON),
      status('m', 'delivered', MON),
      status('m', higher, MON + 1, priced('regular')),
      status('m', lower, MON + 1, priced('free_customer_service')),
    ],
    expect: { messages: { m: { reported: 'BILLABLE' } } },
  })),
  {
    name: 'two reports on equal statuses: the greater canonical JSON',
    rule: 'F2, V1',
    events: [
      sends('m', MON),
      status('m', 'delivered', MON, { pricing: { type: 'regular' } }),
      status('m', 'delivered', MON, { pricing: { type: 'free_customer_service' } }),
    ],
    expect: { messages: { m: { reported: 'BILLABLE' } } },
  },
  {
    name: 'confirmed by Meta: no mismatch, window confirmed',
    rule: 'V2, 6',
    events: [
      clicks('e', MON),
      sends('reply', MON + 1),
      status('reply', 'delivered', MON + 1, priced('free_entry_point', 'referral_conversion')),
    ],
    expect: {
      messages: { reply: { predicted: 'FREE_ENTRY', reported: 'FREE_ENTRY', billing: 'FREE_ENTRY' } },
      daily: { [`2026-01-05 ${NUMBER}`]: { mismatches: '0', windows_opened: '1', windows_confirmed: '1' } },
    },
  },
  {
    name: 'desktop user, Meta says free_customer_service: a mismatch, and the reply still counts',
    rule: 'V2, 6',
    events: [
      clicks('e', MON),
      sends('reply', MON + 300),
      status('reply', 'delivered', MON + 300, priced('free_customer_service', 'service')),
    ],
    expect: {
      messages: {
        reply: { predicted: 'FREE_ENTRY', reported: 'FREE_SERVICE', billing: 'FREE_SERVICE', billable: 'false' },
      },
      daily: {
        [`2026-01-05 ${NUMBER}`]: {
          mismatches: '1',
          replied: '1',
          median_seconds_to_reply: '300',
          windows_confirmed: '0',
        },
      },
    },
  },
  {
    name: 'a type never heard of: kept, UNKNOWN, prediction decides, no mismatch',
    rule: 'V2, V3',
    events: [sends('m', MON), status('m', 'delivered', MON, priced('new_type', 'service'))],
    expect: {
      messages: { m: { predicted: 'FREE_SERVICE', reported: 'UNKNOWN', billing: 'FREE_SERVICE' } },
      daily: { [`2026-01-05 ${NUMBER}`]: { mismatches: '0', messages: '1', free_service: '1', unknown: '0' } },
    },
  },
  {
    name: 'nor is that of a group',
    rule: 'V2, F8',
    events: [
      status('m', 'delivered', MONDAY_OF['PMP-2026-10'], priced('free_group_customer_service', 'group_service')),
    ],
    expect: {
      messages: { m: { predicted: 'BILLABLE', reported: 'FREE_SERVICE', category: 'group_service' } },
      daily: { [`2026-10-12 ${NUMBER}`]: { mismatches: '0', free_service: '1', billable: '0' } },
    },
  },
  {
    name: 'the monthly allowance is no mismatch',
    rule: 'V2',
    events: [
      sends('m', MONDAY_OF['PMP-2026-10']),
      status('m', 'delivered', MONDAY_OF['PMP-2026-10'], priced('free_customer_service', 'service')),
    ],
    expect: {
      messages: { m: { predicted: 'BILLABLE', reported: 'FREE_SERVICE', billing: 'FREE_SERVICE' } },
      daily: { [`2026-10-12 ${NUMBER}`]: { mismatches: '0', free_service: '1', billable: '0' } },
    },
  },
  {
    name: 'a utility template that Meta gives away in October 2026 is a mismatch',
    rule: 'V2',
    events: [
      sendsTemplate('m', MONDAY_OF['PMP-2026-10'], 'utility'),
      status('m', 'delivered', MONDAY_OF['PMP-2026-10'], priced('free_customer_service', 'utility')),
    ],
    expect: { daily: { [`2026-10-12 ${NUMBER}`]: { mismatches: '1' } } },
  },
  {
    name: 'a report on an undelivered message is no mismatch',
    rule: 'V2',
    events: [sends('m', MON), status('m', 'failed', MON, priced('regular', 'service'))],
    expect: { daily: { [`2026-01-05 ${NUMBER}`]: { mismatches: '0', messages: '1', delivered: '0', billable: '0' } } },
  },
  {
    name: 'CBP: an undelivered message takes no place in the conversation',
    rule: 'V1a',
    events: [
      sendsTemplate('m1', CBP, 'marketing'),
      status('m1', 'sent', CBP, chargedInConversation('c', 'marketing')),
      sendsTemplate('m2', CBP + 1, 'marketing'),
      status('m2', 'delivered', CBP + 1, chargedInConversation('c', 'marketing')),
    ],
    expect: {
      messages: {
        m1: { reported: 'BILLABLE', billing: 'UNDELIVERED' },
        m2: { reported: 'BILLABLE', billing: 'BILLABLE' },
      },
    },
  },
  {
    name: 'CBP: the first delivered keeps the charge, though another was sent first',
    rule: 'V1a, W4',
    events: [
      sendsTemplate('m1', CBP, 'marketing'),
      status('m1', 'delivered', CBP + 9, chargedInConversation('c', 'marketing')),
      sendsTemplate('m2', CBP + 1, 'marketing'),
      status('m2', 'delivered', CBP + 2, chargedInConversation('c', 'marketing')),
    ],
    expect: { messages: { m1: { reported: 'COVERED' }, m2: { reported: 'BILLABLE' } } },
  },
  {
    name: 'CBP: an id per message is a charge per message; other reports stay',
    rule: 'V1a',
    events: [
      sendsTemplate('m1', CBP, 'marketing'),
      status('m1', 'delivered', CBP, chargedInConversation('c1', 'marketing')),
      sendsTemplate('m2', CBP + 1, 'marketing'),
      status('m2', 'delivered', CBP + 1, chargedInConversation('c2', 'marketing')),
      sends('m3', CBP + 2),
      status('m3', 'delivered', CBP + 2, {
        pricing: { billable: false, pricing_model: 'CBP', category: 'service' },
        conversation: { id: 'c1' },
      }),
    ],
    expect: {
      messages: {
        m1: { reported: 'BILLABLE' },
        m2: { reported: 'BILLABLE', predicted: 'COVERED' },
        m3: { reported: 'FREE_SERVICE' },
      },
    },
  },
  {
    name: 'PMP: sharing a conversation id covers nothing',
    rule: 'V1a',
    events: ['m1', 'm2'].flatMap((id) => [
      sendsTemplate(id, MON, 'marketing'),
      status(id, 'delivered', MON, { ...priced('regular', 'marketing'), conversation: { id: 'c' } }),
    ]),
    expect: { messages: { m1: { reported: 'BILLABLE' }, m2: { reported: 'BILLABLE' } } },
  },
  {
    name: 'a pricing model never heard of: sharing a conversation id covers nothing',
    rule: 'V1a',
    events: ['m1', 'm2'].flatMap((id) => [
      sendsTemplate(id, CBP, 'marketing'),
      status(id, 'delivered', CBP, { pricing: { billable: true, pricing_model: 'cbp' }, conversation: { id: 'c' } }),
    ]),
    expect: { messages: { m1: { reported: 'BILLABLE' }, m2: { reported: 'BILLABLE' } } },
  },
  {
    name: 'CBP without a conversation id: covered if predicted so',
    rule: 'V1a',
    events: ['m1', 'm2'].flatMap((id, i) => [
      sendsTemplate(id, CBP + i, 'marketing'),
      status(id, 'delivered', CBP + i, chargedInConversation(undefined, 'marketing')),
    ]),
    expect: {
      messages: { m1: { reported: 'BILLABLE', billing: 'BILLABLE' }, m2: { reported: 'COVERED', billing: 'COVERED' } },
    },
  },
  {
    name: 'CBP conversations of two customers may share an id',
    rule: 'V1a',
    events: ['1', '2'].flatMap((wa_id) => [
      { ...sendsTemplate(`m${wa_id}`, CBP, 'marketing'), wa_id },
      { ...status(`m${wa_id}`, 'delivered', CBP, chargedInConversation('c', 'marketing')), wa_id },
    ]),
    expect: { messages: { m1: { reported: 'BILLABLE' }, m2: { reported: 'BILLABLE' } } },
  },
  {
    name: 'CBP inside a window: referral_conversion is free, whatever billable says',
    rule: 'V1',
    events: [
      clicks('e', CBP),
      sends('reply', CBP),
      status('reply', 'delivered', CBP, chargedInConversation('c', 'referral_conversion')),
    ],
    expect: { messages: { reply: { predicted: 'FREE_ENTRY', reported: 'FREE_ENTRY', billing: 'FREE_ENTRY' } } },
  },
];

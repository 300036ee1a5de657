/** Facts: copies, statuses, echoes, categories. */
import {
  BILLABLE,
  CBP,
  clicks,
  CUSTOMER,
  FREE_ENTRY,
  FREE_SERVICE,
  type GoldenCase,
  iso,
  marketing,
  MON,
  NUMBER,
  priced,
  sends,
  sendsTemplate,
  status,
  text,
  UNANSWERED,
  UNDELIVERED,
  writes,
} from './builders.ts';

export const facts: readonly GoldenCase[] = [
  {
    name: 'two numbers have windows of their own with one customer',
    rule: 'F1',
    events: [
      clicks('e', MON),
      ...text('reply', MON + 1),
      sendsTemplate('m', MON + 2, 'marketing'),
      status('m', 'delivered', MON + 2),
      { ...sendsTemplate('other', MON + 2, 'marketing'), phone_number_id: '2' },
      { ...status('other', 'delivered', MON + 2), phone_number_id: '2' },
    ],
    expect: { messages: { m: FREE_ENTRY, other: BILLABLE } },
  },
  {
    name: 'two customers of one number have windows of their own',
    rule: 'F1',
    events: [
      clicks('e', MON),
      ...text('reply', MON + 1),
      ...[sendsTemplate('other', MON + 2, 'marketing'), status('other', 'delivered', MON + 2)].map((e) => ({
        ...e,
        wa_id: '4915',
      })),
    ],
    expect: { messages: { other: { ...BILLABLE, customer: '4915' } } },
  },
  {
    name: 'two WABAs share the window of a number and a customer',
    rule: 'F1',
    events: [
      clicks('e', MON),
      ...text('reply', MON + 1),
      ...marketing('m', MON + 2).map((e) => ({ ...e, waba_id: '2' })),
    ],
    expect: { messages: { m: FREE_ENTRY } },
  },
  {
    name: 'a customer is the digits of the number, however it is written',
    rule: 'F1, contract 1',
    events: [
      clicks('e', MON, { wa_id: '+1 650 555-1234' }),
      ...text('reply', MON + 1, { wa_id: '16505551234', user_id: 'US.1' }),
    ],
    expect: {
      messages: { reply: { ...FREE_ENTRY, customer: CUSTOMER } },
      conversations: { e: { customer: CUSTOMER } },
    },
  },
  {
    name: 'a customer without a number is the user id, untouched',
    rule: 'F1, contract 1',
    events: [
      clicks('e', MON, { wa_id: null, user_id: 'US.13491208655302741918' }),
      ...text('reply', MON + 1, { wa_id: '', user_id: 'US.13491208655302741918' }),
      ...text('changed', MON + 2, { wa_id: '', user_id: 'US.99999999999999999999' }),
    ],
    expect: {
      messages: { reply: { ...FREE_ENTRY, customer: 'US.13491208655302741918' }, changed: FREE_SERVICE },
      conversations: { e: { customer: 'US.13491208655302741918' } },
    },
  },
  {
    name: 'a copy written differently is a duplicate',
    rule: 'F2',
    events: [
      clicks('e', MON),
      { ...clicks('e', MON), timestamp: MON, wa_id: '+16505551234', text: { body: 'Hi' }, context: {}, sender: '' },
      ...text('reply', MON + 1),
      ...text('reply', MON + 1),
    ],
    expect: { messages: { reply: FREE_ENTRY }, conversations: { e: { free_messages: '1' } } },
  },
  {
    name: 'of differing copies the earlier counts, whichever came first',
    rule: 'F2',
    events: [
      sends('m', MON + 5, { type: 'template', template: { name: 'late', category: 'marketing' } }),
      sends('m', MON, { type: 'template', template: { name: 'early', category: 'utility' } }),
      status('m', 'delivered', MON + 9),
    ],
    expect: { messages: { m: { category: 'utility', template_name: 'early', sent_at: iso(MON) } } },
  },
  {
    name: 'of differing copies of one second the one with the smaller canonical JSON counts',
    rule: 'F2',
    // "Ａ" (U+FF21) is smaller than "𝐀" (U+1D400) in UTF-8, greater in UTF-16.
    events: [
      sends('m', MON, { type: 'template', template: { name: '\u{1d400}', category: 'marketing' } }),
      sends('m', MON, { type: 'template', template: { name: '\u{ff21}', category: 'marketing' } }),
    ],
    expect: { messages: { m: { template_name: '\u{ff21}' } } },
  },
  {
    name: 'the copy that counts may be inbound: then there is no row, and its statuses make none',
    rule: 'F2, F3',
    events: [sends('x', MON + 1), writes('x', MON), status('x', 'delivered', MON + 2, priced('regular', 'marketing'))],
    expect: { noMessages: ['x'] },
  },
  {
    name: 'the copy that counts may be of another customer: his is the thread',
    rule: 'F2',
    events: [
      clicks('e', MON),
      sends('m', MON + 2),
      sends('m', MON + 1, { wa_id: '4915' }),
      status('m', 'delivered', MON + 3, { wa_id: '' }),
    ],
    expect: { messages: { m: { ...FREE_SERVICE, customer: '4915' } }, conversations: { e: UNANSWERED } },
  },
  {
    name: 'messages of two numbers may share an id',
    rule: 'F2',
    events: [
      clicks('e', MON),
      ...text('reply', MON + 1),
      { ...clicks('e', MON + 5), phone_number_id: '2', wa_id: '4915' },
    ],
    expect: {
      daily: {
        [`2026-01-05 ${NUMBER}`]: { ad_conversations: '1', replied: '1' },
        '2026-01-05 2': { ad_conversations: '1', replied: '0' },
      },
    },
  },
  {
    name: 'a status that names another customer says who the customer of the message is',
    rule: 'F3, F1',
    events: [clicks('e', MON), sends('reply', MON + 1), { ...status('reply', 'delivered', MON + 2), wa_id: '4915' }],
    expect: { messages: { reply: { ...FREE_SERVICE, customer: '4915' } }, conversations: { e: UNANSWERED } },
  },
  {
    name: 'a status that names nobody is joined by message id',
    rule: 'contract 1',
    events: [{ ...status('reply', 'delivered', MON + 2), wa_id: undefined }, sends('reply', MON + 1), clicks('e', MON)],
    expect: { messages: { reply: FREE_ENTRY } },
  },
  {
    name: 'a message known from statuses alone is real and can open a window',
    rule: 'F3, F5',
    events: [clicks('e', MON), status('reply', 'sent', MON + 1), status('reply', 'delivered', MON + 2)],
    expect: {
      messages: {
        reply: {
          ...FREE_ENTRY,
          customer: CUSTOMER,
          type: '',
          template_name: '',
          category: 'unknown',
          sent_at: iso(MON + 1),
          conversation_id: 'e',
        },
      },
      conversations: { e: { reply_message_id: 'reply', replied_at: iso(MON + 1), opened_at: iso(MON + 2) } },
    },
  },
  {
    name: 'statuses alone, none of them sent: sent when the first of them says',
    rule: 'F3',
    events: [status('m', 'read', MON + 9), status('m', 'delivered', MON + 4), status('m', 'failed', MON + 2)],
    expect: { messages: { m: { sent_at: iso(MON + 2), delivered_at: iso(MON + 4) } } },
  },
  {
    name: 'statuses alone: a sent status says when, even after others',
    rule: 'F3',
    events: [status('m', 'failed', MON), status('m', 'sent', MON + 2), status('m', 'sent', MON + 1)],
    expect: { messages: { m: { sent_at: iso(MON + 1) } } },
  },
  {
    name: 'statuses alone: the customer of the earliest that names one, then the smaller name',
    rule: 'F3',
    events: [
      { ...status('m', 'sent', MON), wa_id: null },
      { ...status('m', 'delivered', MON + 1), wa_id: '2' },
      { ...status('m', 'read', MON + 1), wa_id: '10' },
      { ...status('m', 'read', MON + 2), wa_id: '0' },
    ],
    expect: { messages: { m: { customer: '10' } } },
  },
  {
    name: 'statuses that name nobody: each message is a thread of its own',
    rule: 'F3',
    events: ['u1', 'u2'].map((id) => ({
      ...status(id, 'delivered', CBP, { pricing: { category: 'utility', pricing_model: 'CBP' } }),
      wa_id: '',
    })),
    expect: {
      messages: {
        u1: { predicted: 'BILLABLE', billing: 'BILLABLE', reported: 'UNKNOWN', customer: '' },
        u2: { predicted: 'BILLABLE', billing: 'BILLABLE', reported: 'UNKNOWN', customer: '' },
      },
    },
  },
  {
    name: 'the message event says when it was sent, a status may say otherwise',
    rule: 'F3',
    events: [sends('m', MON), status('m', 'sent', MON - 5), status('m', 'delivered', MON - 3)],
    expect: { messages: { m: { sent_at: iso(MON), delivered_at: iso(MON - 3) } } },
  },
  ...(['sent', 'failed', 'deleted', 'DELIVERED', 'warning'] as const).map((name): GoldenCase => ({
    name: `status ${name} delivers nothing`,
    rule: 'F4',
    events: [clicks('e', MON), sends('m', MON + 1), status('m', name, MON + 2)],
    expect: {
      messages: {
        m: { ...UNDELIVERED, delivered_at: '', policy: '', billable: 'false', conversation_id: '', ad_id: '' },
      },
      conversations: { e: UNANSWERED },
    },
  })),
  ...(['delivered', 'read', 'played'] as const).map((name): GoldenCase => ({
    name: `status ${name} delivers`,
    rule: 'F4',
    events: [clicks('e', MON), sends('m', MON + 1), status('m', name, MON + 2)],
    expect: { messages: { m: { ...FREE_ENTRY, delivered_at: iso(MON + 2) } } },
  })),
  {
    name: 'undelivered: the report stays on the row, nothing is charged',
    rule: 'F4',
    events: [sendsTemplate('m', MON, 'marketing'), status('m', 'sent', MON + 1, priced('regular', 'marketing'))],
    expect: {
      messages: {
        m: { predicted: 'UNDELIVERED', reported: 'BILLABLE', billing: 'UNDELIVERED', billable: 'false', policy: '' },
      },
    },
  },
  {
    name: 'a template without a category takes the reported one',
    rule: 'F5',
    events: [sendsTemplate('m', MON), status('m', 'delivered', MON, priced('odd', 'Authentication-International'))],
    expect: {
      messages: { m: { category: 'authentication_international', predicted: 'BILLABLE', reported: 'UNKNOWN' } },
    },
  },
  {
    name: 'a template without a category does not take referral_conversion',
    rule: 'F5',
    events: [sendsTemplate('m', MON), status('m', 'delivered', MON, priced('free_entry_point', 'referral-conversion'))],
    expect: {
      messages: { m: { category: 'unknown', predicted: 'UNKNOWN', reported: 'FREE_ENTRY', billing: 'FREE_ENTRY' } },
    },
  },
  {
    name: "a template's own category stands against the reported one",
    rule: 'F5',
    events: [sendsTemplate('m', MON, 'UTILITY'), status('m', 'delivered', MON, priced('odd', 'marketing'))],
    expect: { messages: { m: { category: 'utility' } } },
  },
  {
    name: 'a text that Meta prices as marketing is a service message here',
    rule: 'F5',
    events: [sends('m', MON), status('m', 'delivered', MON, priced('odd', 'marketing'))],
    expect: { messages: { m: { category: 'service', predicted: 'FREE_SERVICE' } } },
  },
];

/** rules.md 7, in its order. */
import {
  AD,
  at,
  authentication,
  BILLABLE,
  CBP,
  chargedInConversation,
  clicks,
  DAY,
  FREE_ENTRY,
  FREE_SERVICE,
  type GoldenCase,
  HOUR,
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
  utility,
  windowUntil,
  writes,
  zone,
} from './builders.ts';

export const workedExamples: readonly GoldenCase[] = [
  {
    name: 'ad Monday 10:00, template reply delivered Monday 22:00: window until Thursday 22:00',
    rule: '7.1',
    events: [clicks('e', MON), ...marketing('reply', MON + 12 * HOUR)],
    expect: {
      messages: { reply: { ...FREE_ENTRY, conversation_id: 'e', ad_id: AD, policy: 'PMP-2025-07', billable: 'false' } },
      conversations: {
        e: {
          opened_at: iso(at('2026-01-05 22:00')),
          expires_at: iso(at('2026-01-08 22:00')),
          reply_message_id: 'reply',
          replied_at: iso(at('2026-01-05 22:00')),
          seconds_to_reply: '43200',
          free_messages: '1',
          ad_conversation_id: 'e',
        },
      },
    },
  },
  {
    name: 'templates of every category are free inside the window, free-form too',
    rule: '7.1',
    events: [
      clicks('e', MON),
      ...marketing('reply', MON + 12 * HOUR),
      ...marketing('m', MON + 36 * HOUR),
      ...utility('u', MON + 48 * HOUR),
      ...authentication('a', MON + 60 * HOUR),
      ...text('t', MON + 13 * HOUR),
    ],
    expect: {
      messages: { m: FREE_ENTRY, u: FREE_ENTRY, a: FREE_ENTRY, t: FREE_ENTRY },
      conversations: { e: { free_messages: '5' } },
    },
  },
  {
    name: 'the customer service window ends 24 h after the ad message, whatever the free entry window does',
    rule: '7.1, W1',
    // Reported to end early, so that utility shows whether the service window is still open.
    events: [
      clicks('e', MON),
      sends('reply', MON + HOUR),
      status('reply', 'delivered', MON + HOUR, windowUntil(MON + 2 * HOUR)),
      ...utility('open', MON + DAY - 1),
      ...utility('closed', MON + DAY),
    ],
    expect: { messages: { reply: FREE_ENTRY, open: FREE_SERVICE, closed: BILLABLE } },
  },
  {
    name: 'the customer writes again: the service window is open 24 h from then',
    rule: '7.1, W1',
    events: [
      clicks('e', MON),
      sends('reply', MON + HOUR),
      status('reply', 'delivered', MON + HOUR, windowUntil(MON + 2 * HOUR)),
      writes('again', MON + 20 * HOUR),
      ...utility('open', MON + 44 * HOUR - 1),
      ...utility('closed', MON + 44 * HOUR),
    ],
    expect: { messages: { open: FREE_SERVICE, closed: BILLABLE } },
  },
  {
    name: 'marketing template 24 h 00 m 01 s after the ad message: no window, charged',
    rule: '7.2',
    events: [clicks('e', MON), ...marketing('m', MON + DAY + 1)],
    expect: {
      messages: { m: { ...BILLABLE, conversation_id: '', ad_id: '', billable: 'true' } },
      conversations: { e: UNANSWERED },
    },
  },
  {
    name: 'marketing template 24 h 00 m 00 s after the ad message: window',
    rule: '7.2',
    events: [clicks('e', MON), ...marketing('m', MON + DAY)],
    expect: {
      messages: { m: FREE_ENTRY },
      conversations: { e: { seconds_to_reply: '86400', opened_at: iso(MON + DAY) } },
    },
  },
  {
    name: 'template delivered one second before the window ends, and at its end',
    rule: '7.3',
    events: [
      clicks('e', MON),
      ...text('reply', MON + HOUR),
      ...marketing('last', MON + HOUR + 72 * HOUR - 1),
      ...marketing('late', MON + HOUR + 72 * HOUR),
    ],
    expect: { messages: { last: FREE_ENTRY, late: BILLABLE }, conversations: { e: { free_messages: '2' } } },
  },
  {
    name: 'open utility conversation (CBP), ad message, reply: it closes, marketing 2 h later is free',
    rule: '7.4',
    events: [
      ...utility('before', CBP),
      clicks('e', CBP + HOUR),
      ...text('reply', CBP + 2 * HOUR),
      ...marketing('m', CBP + 4 * HOUR),
      ...utility('u', CBP + 5 * HOUR),
    ],
    expect: { messages: { before: BILLABLE, reply: FREE_ENTRY, m: FREE_ENTRY, u: FREE_ENTRY } },
  },
  {
    name: 'failed, then delivered: charged',
    rule: '7.5, F4',
    events: [sendsTemplate('m', MON, 'marketing'), status('m', 'failed', MON + 1), status('m', 'delivered', MON + 2)],
    expect: { messages: { m: { ...BILLABLE, delivered_at: iso(MON + 2) } } },
  },
  {
    name: 'delivered, then failed: charged',
    rule: '7.5, F4',
    events: [sendsTemplate('m', MON, 'marketing'), status('m', 'delivered', MON + 1), status('m', 'failed', MON + 2)],
    expect: { messages: { m: { ...BILLABLE, delivered_at: iso(MON + 1) } } },
  },
  {
    name: 'read only: charged',
    rule: '7.5, F4',
    events: [sendsTemplate('m', MON, 'marketing'), status('m', 'read', MON + 2)],
    expect: { messages: { m: { ...BILLABLE, delivered_at: iso(MON + 2) } } },
  },
  {
    name: 'read only opens a window',
    rule: '7.5, F4',
    events: [clicks('e', MON), sends('reply', MON + 1), status('reply', 'read', MON + 9)],
    expect: {
      messages: { reply: FREE_ENTRY },
      conversations: { e: { opened_at: iso(MON + 9), replied_at: iso(MON + 1) } },
    },
  },
  {
    name: 'desktop user, Meta says regular: predicted free, billed, a mismatch',
    rule: '7.6, V2',
    events: [
      clicks('e', MON),
      sends('reply', MON + 300),
      status('reply', 'delivered', MON + 300, priced('regular', 'service')),
    ],
    expect: {
      messages: {
        reply: {
          predicted: 'FREE_ENTRY',
          reported: 'BILLABLE',
          billing: 'BILLABLE',
          billable: 'true',
          conversation_id: 'e',
        },
      },
      daily: {
        [`2026-01-05 ${NUMBER}`]: {
          mismatches: '1',
          billable: '1',
          free_entry: '0',
          windows_opened: '1',
          windows_confirmed: '0',
        },
      },
    },
  },
  {
    name: 'window reported to end after 5 days: a template at +100 h is free',
    rule: '7.7, W8',
    events: [
      clicks('e', MON),
      sends('reply', MON),
      status('reply', 'delivered', MON, windowUntil(MON + 120 * HOUR)),
      ...marketing('m', MON + 100 * HOUR),
      ...marketing('late', MON + 120 * HOUR),
    ],
    expect: {
      messages: { m: FREE_ENTRY, late: BILLABLE },
      conversations: { e: { expires_at: iso(MON + 120 * HOUR) } },
    },
  },
  {
    name: 'a report of 200 h is ignored',
    rule: '7.7, W8',
    events: [clicks('e', MON), sends('reply', MON), status('reply', 'delivered', MON, windowUntil(MON + 200 * HOUR))],
    expect: { conversations: { e: { expires_at: iso(MON + 72 * HOUR) } } },
  },
  {
    name: 'a report of a time already past is ignored',
    rule: '7.7, W8',
    events: [clicks('e', MON), sends('reply', MON + 2), status('reply', 'delivered', MON + 2, windowUntil(MON + 1))],
    expect: { conversations: { e: { expires_at: iso(MON + 2 + 72 * HOUR) } } },
  },
  {
    name: 'delivered at +90 h, its own status reports +120 h: free',
    rule: '7.7, W8',
    events: [
      clicks('e', MON),
      ...text('reply', MON),
      sendsTemplate('m', MON + 90 * HOUR, 'marketing'),
      status('m', 'delivered', MON + 90 * HOUR, windowUntil(MON + 120 * HOUR)),
    ],
    expect: {
      messages: { m: { ...FREE_ENTRY, conversation_id: 'e' } },
      conversations: { e: { expires_at: iso(MON + 120 * HOUR), free_messages: '2' } },
    },
  },
  {
    name: 'utility in the service window on 2026-09-30 and on 2026-10-01, in the zone of the account',
    rule: '7.8',
    accounts: zone('America/Sao_Paulo'),
    events: [
      writes('in', at('2026-09-30 22:00')),
      ...utility('september', at('2026-10-01 02:59:59')),
      ...utility('october', at('2026-10-01 03:00')),
    ],
    expect: {
      messages: {
        september: { ...FREE_SERVICE, policy: 'PMP-2025-07' },
        october: { ...BILLABLE, policy: 'PMP-2026-10' },
      },
    },
  },
  {
    name: 'entry 00:00, click 20:00, reply 06:00 next day: the second is answered, one ad conversation of 10 h',
    rule: '7.9',
    events: [
      clicks('first', at('2026-01-05 00:00')),
      clicks('second', at('2026-01-05 20:00')),
      ...text('reply', at('2026-01-06 06:00')),
    ],
    expect: {
      messages: { reply: { ...FREE_ENTRY, conversation_id: 'second' } },
      conversations: {
        first: { ...UNANSWERED, ad_conversation_id: 'first' },
        second: { seconds_to_reply: '36000', opened_at: iso(at('2026-01-06 06:00')), ad_conversation_id: 'first' },
      },
      daily: {
        [`2026-01-05 ${NUMBER}`]: {
          ad_conversations: '1',
          replied: '1',
          mature: '1',
          pending: '0',
          reply_rate: '1.0000',
          median_seconds_to_reply: '36000',
          messages: '0',
        },
        [`2026-01-06 ${NUMBER}`]: {
          ad_conversations: '0',
          reply_rate: '',
          median_seconds_to_reply: '',
          windows_opened: '1',
          free_entry: '1',
        },
      },
    },
  },
  {
    name: 'three messages of one CBP conversation, each billable: one charge',
    rule: '7.10, V1a',
    events: [
      sendsTemplate('m1', CBP, 'marketing'),
      status('m1', 'delivered', CBP, chargedInConversation('c', 'marketing')),
      sendsTemplate('m2', CBP + 1, 'marketing'),
      status('m2', 'delivered', CBP + 1, chargedInConversation('c', 'marketing')),
      sendsTemplate('m3', CBP + 2, 'marketing'),
      status('m3', 'delivered', CBP + 2, chargedInConversation('c', 'marketing')),
    ],
    expect: {
      messages: {
        m1: { reported: 'BILLABLE', billing: 'BILLABLE' },
        m2: { reported: 'COVERED', billing: 'COVERED', billable: 'false' },
        m3: { reported: 'COVERED', billing: 'COVERED' },
      },
    },
  },
  {
    name: 'the same status without pricing, then with it',
    rule: '7.11, F2',
    events: [
      sends('m', MON),
      status('m', 'delivered', MON),
      status('m', 'delivered', MON, priced('regular', 'service')),
    ],
    expect: { messages: { m: { reported: 'BILLABLE', billing: 'BILLABLE' } } },
  },
  {
    name: 'the same status with pricing, then without it',
    rule: '7.11, F2',
    events: [
      sends('m', MON),
      status('m', 'delivered', MON, priced('regular', 'service')),
      status('m', 'delivered', MON),
    ],
    expect: { messages: { m: { reported: 'BILLABLE', billing: 'BILLABLE' } } },
  },
  // Examples 12 and 14 stand with the echoes and edits, 13 with the names.
  ...([true, false] as const).map((isReply): GoldenCase => ({
    name: `a type never heard of that is not billable is free, ${isReply ? 'inside' : 'outside'} a window`,
    rule: '7.15, V1',
    events: [
      ...(isReply ? [clicks('e', MON)] : []),
      sendsTemplate('m', MON + 1, 'marketing'),
      status('m', 'delivered', MON + 1, { pricing: { type: 'free_something_new', billable: false } }),
    ],
    expect: {
      messages: {
        m: {
          predicted: isReply ? 'FREE_ENTRY' : 'BILLABLE',
          reported: 'FREE_SERVICE',
          billing: 'FREE_SERVICE',
          billable: 'false',
        },
      },
    },
  })),
];

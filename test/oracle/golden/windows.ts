/** Windows: entries, replies, what opens and what extends. */
import type { PolicySettings } from '../../../schemas/config.ts';
import {
  AD,
  BILLABLE,
  CBP,
  clicks,
  COVERED,
  DAY,
  FREE_ENTRY,
  FREE_SERVICE,
  type GoldenCase,
  HOUR,
  iso,
  marketing,
  MON,
  NO_WINDOW,
  priced,
  reaction,
  sends,
  sendsTemplate,
  side,
  SIDES,
  status,
  text,
  utility,
  windowUntil,
  writes,
} from './builders.ts';

const isEntryWhen = (name: string, fields: object, entry: boolean, policy?: Partial<PolicySettings>): GoldenCase => ({
  name: `${name}: ${entry ? 'an entry' : 'no entry'}`,
  rule: 'W2',
  events: [clicks('e', MON, fields), ...marketing('m', MON + 1)],
  ...(policy && { policy }),
  expect: entry
    ? { messages: { m: FREE_ENTRY }, conversations: { e: { reply_message_id: 'm' } } }
    : { messages: { m: BILLABLE }, noConversations: ['e'] },
});

export const windows: readonly GoldenCase[] = [
  isEntryWhen('click to WhatsApp ad', {}, true),
  isEntryWhen('post', { referral: { source_type: 'post', source_id: 'p' } }, true),
  isEntryWhen('post, where only ads count', { referral: { source_type: 'post' } }, false, { entry_sources: ['ad'] }),
  isEntryWhen('a source never heard of', { referral: { source_type: 'story' } }, false),
  isEntryWhen('a source never heard of that the policy lists', { referral: { source_type: 'story' } }, true, {
    entry_sources: ['story'],
  }),
  isEntryWhen('source in capitals', { referral: { source_type: 'AD' } }, false),
  isEntryWhen('referral without a source type', { referral: { source_id: AD } }, false),
  isEntryWhen('without ctwa_clid', { referral: { source_type: 'ad', source_id: AD } }, true),
  isEntryWhen('without an ad id', { referral: { source_type: 'ad' } }, true),
  isEntryWhen('audio', { type: 'audio' }, true),
  isEntryWhen('reaction', { type: 'reaction' }, true),
  isEntryWhen('a type never heard of', { type: 'hologram' }, true),
  isEntryWhen('Android', { device: 'android' }, true),
  isEntryWhen('iOS', { device: 'ios' }, true),
  isEntryWhen('device empty', { device: '' }, true),
  isEntryWhen('device never heard of', { device: 'watch' }, true),
  isEntryWhen('web', { device: 'web' }, false),
  isEntryWhen('desktop', { device: 'desktop' }, false),
  {
    name: 'a desktop click opens no free entry window but the service window',
    rule: 'W1, W2',
    events: [clicks('e', MON, { device: 'desktop' }), ...utility('u', MON + HOUR)],
    expect: { messages: { u: FREE_SERVICE }, noConversations: ['e'] },
  },
  {
    name: 'a system message opens no service window',
    rule: 'W1',
    events: [writes('s', MON, { type: 'system' }), ...utility('u', MON + HOUR)],
    expect: { messages: { u: BILLABLE } },
  },
  {
    name: "the customer's reaction opens a service window",
    rule: 'W1',
    events: [writes('r', MON, { type: 'reaction' }), ...utility('u', MON + HOUR)],
    expect: { messages: { u: FREE_SERVICE } },
  },
  {
    name: 'the service window is asked for at delivery, not at sending',
    rule: 'W1, 3',
    events: [writes('in', MON), sendsTemplate('u', MON + HOUR, 'utility'), status('u', 'delivered', MON + DAY)],
    expect: { messages: { u: BILLABLE } },
  },
  {
    name: 'a reaction does not reply, but is free inside',
    rule: 'W3',
    events: [clicks('e', MON), ...reaction('r', MON + 1), ...text('reply', MON + 2), ...reaction('r2', MON + 3)],
    expect: {
      messages: { r: FREE_SERVICE, reply: FREE_ENTRY, r2: FREE_ENTRY },
      conversations: { e: { reply_message_id: 'reply' } },
    },
  },
  {
    name: 'a reaction replies where the policy says so',
    rule: 'W3',
    policy: { reactions_reply: true },
    events: [clicks('e', MON), ...reaction('r', MON + 1)],
    expect: { messages: { r: FREE_ENTRY }, conversations: { e: { reply_message_id: 'r' } } },
  },
  {
    name: 'an undelivered reply answers nothing, the next delivered one does',
    rule: 'W3',
    events: [clicks('e', MON), sends('lost', MON + 1), status('lost', 'failed', MON + 2), ...text('reply', MON + 3)],
    expect: { conversations: { e: { reply_message_id: 'reply' } } },
  },
  {
    name: 'one reply answers every entry it can; the latest owns the window',
    rule: 'W4, W5',
    events: [clicks('e1', MON), clicks('e2', MON + 1), clicks('e3', MON + 2), ...text('reply', MON + 3)],
    expect: {
      messages: { reply: { conversation_id: 'e3' } },
      conversations: {
        e1: { reply_message_id: 'reply', seconds_to_reply: '3', ...NO_WINDOW },
        e2: { reply_message_id: 'reply', seconds_to_reply: '2', ...NO_WINDOW },
        e3: { reply_message_id: 'reply', seconds_to_reply: '1', opened_at: iso(MON + 3), free_messages: '1' },
      },
    },
  },
  {
    name: 'entries of one second: the greater id owns the window',
    rule: 'W5',
    events: [clicks('b', MON), clicks('a', MON), ...text('reply', MON + 3)],
    expect: { conversations: { a: NO_WINDOW, b: { opened_at: iso(MON + 3), ad_conversation_id: 'a' } } },
  },
  {
    name: 'entries of one second: ids are compared as UTF-8',
    rule: 'W5, F2',
    events: [clicks('\u{ff21}', MON), clicks('\u{1d400}', MON), ...text('reply', MON + 3)],
    expect: { conversations: { '\u{1d400}': { opened_at: iso(MON + 3) }, '\u{ff21}': NO_WINDOW } },
  },
  {
    name: 'the reply delivered first opens, though it was sent second',
    rule: 'W4',
    events: [
      clicks('e', MON),
      sends('first', MON + 1),
      status('first', 'delivered', MON + 9),
      sends('second', MON + 2),
      status('second', 'delivered', MON + 5),
    ],
    expect: {
      messages: { first: FREE_ENTRY, second: FREE_ENTRY },
      conversations: { e: { reply_message_id: 'second', opened_at: iso(MON + 5), free_messages: '2' } },
    },
  },
  {
    name: 'clock sent: the reply sent first opens, when it was sent',
    rule: 'W4',
    policy: { clock: 'sent' },
    events: [
      clicks('e', MON),
      sends('first', MON + 1),
      status('first', 'delivered', MON + 9),
      sends('second', MON + 2),
      status('second', 'delivered', MON + 5),
    ],
    expect: { conversations: { e: { reply_message_id: 'first', opened_at: iso(MON + 1), free_messages: '2' } } },
  },
  ...SIDES.map((d): GoldenCase => ({
    name: `clock sent: sent when the window ends, delivered long after: ${side(d)}`,
    rule: 'W7',
    policy: { clock: 'sent' },
    events: [
      clicks('e', MON),
      ...text('reply', MON),
      sendsTemplate('m', MON + 72 * HOUR + d, 'marketing'),
      status('m', 'delivered', MON + 80 * HOUR),
    ],
    expect: { messages: { m: d < 0 ? FREE_ENTRY : BILLABLE } },
  })),
  {
    name: 'delivered in one second: the earlier sent goes first, then the smaller id',
    rule: 'W4',
    events: [
      clicks('e', MON),
      ...['c', 'b'].flatMap((id) => [sends(id, MON + 2), status(id, 'delivered', MON + 9)]),
      sends('a', MON + 3),
      status('a', 'delivered', MON + 9),
    ],
    expect: { conversations: { e: { reply_message_id: 'b', free_messages: '3' } } },
  },
  {
    name: 'a click inside a window is a re-click: answered, opens nothing',
    rule: 'W6',
    events: [
      clicks('e', MON),
      ...text('reply', MON + 1),
      clicks('re', MON + DAY),
      ...text('again', MON + 25 * HOUR),
      ...marketing('late', MON + 73 * HOUR),
    ],
    expect: {
      messages: { again: { ...FREE_ENTRY, conversation_id: 'e' }, late: BILLABLE },
      conversations: {
        re: { reply_message_id: 'again', ...NO_WINDOW, ad_conversation_id: 'e' },
        e: { free_messages: '2' },
      },
    },
  },
  {
    name: 'a re-click not answered before the window ends opens a new one afterwards',
    rule: 'W6',
    events: [
      clicks('e', MON),
      ...text('reply', MON),
      clicks('re', MON + 71 * HOUR),
      ...marketing('again', MON + 72 * HOUR),
    ],
    expect: {
      messages: { again: { ...FREE_ENTRY, conversation_id: 're' } },
      conversations: {
        re: { opened_at: iso(MON + 72 * HOUR), expires_at: iso(MON + 144 * HOUR), ad_conversation_id: 'e' },
      },
    },
  },
  {
    name: 'a click after the window starts anew',
    rule: 'W6, 6',
    events: [
      clicks('e', MON),
      ...text('reply', MON),
      clicks('e2', MON + 73 * HOUR),
      ...marketing('m', MON + 74 * HOUR),
    ],
    expect: {
      messages: { m: { ...FREE_ENTRY, conversation_id: 'e2' } },
      conversations: { e2: { ad_conversation_id: 'e2' } },
    },
  },
  {
    name: 'an entry answered once opens no second window',
    rule: 'W6',
    events: [
      clicks('e', MON),
      sends('reply', MON + 1),
      status('reply', 'delivered', MON + 1, windowUntil(MON + HOUR)),
      ...marketing('m', MON + 2 * HOUR),
    ],
    expect: { messages: { reply: FREE_ENTRY, m: BILLABLE } },
  },
  {
    name: 'a new message of the customer neither ends nor extends a window',
    rule: 'W6',
    events: [
      clicks('e', MON),
      ...text('reply', MON),
      writes('in', MON + 50 * HOUR),
      ...marketing('m1', MON + 71 * HOUR),
      ...marketing('m2', MON + 72 * HOUR),
    ],
    expect: { messages: { m1: FREE_ENTRY, m2: BILLABLE } },
  },
  {
    name: 'delivered, then a late sent with the expiry: adopted',
    rule: 'W8',
    events: [
      clicks('e', MON),
      sends('reply', MON),
      status('reply', 'delivered', MON + 2),
      status('reply', 'sent', MON + 1, windowUntil(MON + 96 * HOUR)),
      ...marketing('m', MON + 90 * HOUR),
    ],
    expect: {
      messages: { reply: { delivered_at: iso(MON + 2) }, m: FREE_ENTRY },
      conversations: { e: { expires_at: iso(MON + 96 * HOUR) } },
    },
  },
  {
    name: 'of several reports on one message the largest that counts',
    rule: 'W8',
    events: [
      clicks('e', MON),
      sends('reply', MON),
      status('reply', 'sent', MON, windowUntil(MON + 80 * HOUR)),
      status('reply', 'delivered', MON, windowUntil(MON + 120 * HOUR)),
      status('reply', 'read', MON, windowUntil(MON + 200 * HOUR)),
    ],
    expect: { conversations: { e: { expires_at: iso(MON + 120 * HOUR) } } },
  },
  {
    name: 'the first report replaces the estimate, even an earlier one; later ones only extend',
    rule: 'W8',
    events: [
      clicks('e', MON),
      ...text('reply', MON),
      sends('a', MON + HOUR),
      status('a', 'delivered', MON + HOUR, windowUntil(MON + 24 * HOUR)),
      sends('b', MON + 2 * HOUR),
      status('b', 'delivered', MON + 2 * HOUR, windowUntil(MON + 12 * HOUR)),
      ...marketing('in', MON + 24 * HOUR - 1),
      ...marketing('out', MON + 24 * HOUR),
    ],
    expect: {
      messages: { in: FREE_ENTRY, out: BILLABLE },
      conversations: { e: { expires_at: iso(MON + 24 * HOUR), free_messages: '4' } },
    },
  },
  {
    name: 'a window that ended is open again from the message that says so; what was decided stays',
    rule: 'W8, W4',
    events: [
      clicks('e', MON),
      ...text('reply', MON),
      ...marketing('between', MON + 80 * HOUR),
      sendsTemplate('m', MON + 90 * HOUR, 'marketing'),
      status('m', 'delivered', MON + 90 * HOUR, windowUntil(MON + 120 * HOUR)),
      ...marketing('then', MON + 119 * HOUR),
    ],
    expect: {
      messages: { between: BILLABLE, m: FREE_ENTRY, then: FREE_ENTRY },
      conversations: { e: { free_messages: '3' } },
    },
  },
  {
    name: 'a window that is open again closes no conversation',
    rule: 'W8, 3.1',
    events: [
      clicks('e', CBP),
      ...text('reply', CBP),
      ...utility('u', CBP + 80 * HOUR),
      sendsTemplate('m', CBP + 90 * HOUR, 'marketing'),
      status('m', 'delivered', CBP + 90 * HOUR, windowUntil(CBP + 91 * HOUR)),
      ...utility('v', CBP + 92 * HOUR),
    ],
    expect: { messages: { u: BILLABLE, m: FREE_ENTRY, v: COVERED } },
  },
  {
    name: 'a reply that opens a window keeps its report to itself',
    rule: 'W8',
    events: [
      clicks('e1', MON),
      ...text('r1', MON),
      clicks('e2', MON + 80 * HOUR),
      sends('r2', MON + 81 * HOUR),
      status('r2', 'delivered', MON + 81 * HOUR, windowUntil(MON + 100 * HOUR)),
    ],
    expect: {
      messages: { r2: { ...FREE_ENTRY, conversation_id: 'e2' } },
      conversations: { e1: { expires_at: iso(MON + 72 * HOUR) }, e2: { expires_at: iso(MON + 100 * HOUR) } },
    },
  },
  {
    name: 'an expiry of another origin is no report',
    rule: 'W8',
    events: [
      clicks('e', MON),
      sends('reply', MON),
      status('reply', 'delivered', MON, {
        conversation: { id: 'c', expiration_timestamp: MON + DAY, origin: { type: 'service' } },
      }),
    ],
    expect: { conversations: { e: { expires_at: iso(MON + 72 * HOUR) } } },
  },
  {
    name: 'Meta reports a window where no entry is known: believed for this message, none is predicted',
    rule: 'W8, V2',
    events: [
      sends('m', MON),
      status('m', 'delivered', MON, {
        ...priced('free_entry_point', 'referral_conversion'),
        ...windowUntil(MON + 72 * HOUR),
      }),
      ...marketing('n', MON + 1),
    ],
    expect: {
      messages: {
        m: { predicted: 'FREE_SERVICE', reported: 'FREE_ENTRY', billing: 'FREE_ENTRY', conversation_id: '' },
        n: BILLABLE,
      },
    },
  },
  {
    name: 'a report on an undelivered message is not asked',
    rule: 'W8',
    events: [
      clicks('e', MON),
      ...text('reply', MON),
      sends('m', MON + 1),
      status('m', 'sent', MON + 1, windowUntil(MON + 100 * HOUR)),
    ],
    expect: { conversations: { e: { expires_at: iso(MON + 72 * HOUR) } } },
  },
  {
    name: 'what the business sends with a referral is no entry',
    rule: 'W2',
    events: [
      sends('m', MON, { referral: { source_type: 'ad', source_id: AD } }),
      status('m', 'delivered', MON),
      ...marketing('n', MON + 1),
    ],
    expect: { messages: { m: FREE_SERVICE, n: BILLABLE }, noConversations: ['m'] },
  },
  {
    name: 'a post owns its window like an ad',
    rule: 'W2, contract 3',
    events: [
      clicks('e', MON, { referral: { source_type: 'post', source_id: 'p1', source_url: 'https://fb.me/p' } }),
      ...text('reply', MON + 1),
    ],
    expect: {
      messages: { reply: { ...FREE_ENTRY, ad_id: 'p1' } },
      conversations: { e: { source_type: 'post', ad_id: 'p1', source_url: 'https://fb.me/p', ctwa_clid: '' } },
      ads: { 'p1 post': { ad_conversations: '1', windows_opened: '1', free_messages: '1' } },
    },
  },
];

/** Replies from the app, which stand apart from the bill; edits and revocations, which are no messages. */
import {
  BILLABLE,
  clicks,
  DAY,
  echo,
  FREE_ENTRY,
  FREE_SERVICE,
  type GoldenCase,
  HOUR,
  iso,
  marketing,
  MINUTE,
  MON,
  MONDAY_OF,
  NO_WINDOW,
  NUMBER,
  priced,
  sends,
  status,
  text,
  UNANSWERED,
  utility,
  windowUntil,
  writes,
} from './builders.ts';

const OUTSIDE = { conversation_id: '', ad_id: '' };

export const echoes: readonly GoldenCase[] = [
  {
    name: 'answered from the app after 5 minutes, API template after 2 hours: replied by the one, opened by the other',
    rule: '7.12, W4',
    events: [clicks('e', MON), echo('app', MON + 5 * MINUTE), ...marketing('api', MON + 2 * HOUR)],
    expect: {
      messages: { app: { ...FREE_SERVICE, ...OUTSIDE }, api: { ...FREE_ENTRY, conversation_id: 'e' } },
      conversations: {
        e: {
          reply_message_id: 'app',
          replied_at: iso(MON + 5 * MINUTE),
          seconds_to_reply: '300',
          opened_at: iso(MON + 2 * HOUR),
          expires_at: iso(MON + 74 * HOUR),
          free_messages: '1',
        },
      },
      daily: { [`2026-01-05 ${NUMBER}`]: { replied: '1', median_seconds_to_reply: '300', windows_opened: '1' } },
    },
  },
  {
    name: 'answered from the app alone: replied, no window, and what comes after 24 h is charged',
    rule: '7.12, W5',
    events: [clicks('e', MON), echo('app', MON + 5 * MINUTE), ...marketing('api', MON + DAY + 1)],
    expect: {
      messages: { app: FREE_SERVICE, api: { ...BILLABLE, ...OUTSIDE } },
      conversations: { e: { reply_message_id: 'app', seconds_to_reply: '300', ...NO_WINDOW } },
      daily: { [`2026-01-05 ${NUMBER}`]: { ad_conversations: '1', replied: '1', windows_opened: '0' } },
    },
  },
  {
    name: 'the API message that may still claim it opens the window: at 24 h it does',
    rule: 'W3, W4',
    events: [clicks('e', MON), echo('app', MON + 5 * MINUTE), ...marketing('api', MON + DAY)],
    expect: {
      messages: { api: FREE_ENTRY },
      conversations: { e: { reply_message_id: 'app', opened_at: iso(MON + DAY) } },
    },
  },
  {
    name: 'the API answered and opened first, the app message after it is in no window',
    rule: 'F6',
    events: [clicks('e', MON), ...text('api', MON + 1), echo('app', MON + 2)],
    expect: {
      messages: { api: FREE_ENTRY, app: { ...FREE_SERVICE, ...OUTSIDE } },
      conversations: { e: { reply_message_id: 'api', free_messages: '1' } },
    },
  },
  {
    name: 'one message of the API claims every click that the app answered; the latest owns the window',
    rule: 'W4, W5',
    events: [
      clicks('e1', MON),
      echo('app1', MON + 1),
      clicks('e2', MON + HOUR),
      echo('app2', MON + HOUR + 1),
      ...text('api', MON + 2 * HOUR),
    ],
    expect: {
      conversations: {
        e1: { reply_message_id: 'app1', ...NO_WINDOW, ad_conversation_id: 'e1' },
        // The first was answered and no window was open: this click starts anew.
        e2: { reply_message_id: 'app2', opened_at: iso(MON + 2 * HOUR), free_messages: '1', ad_conversation_id: 'e2' },
      },
    },
  },
  {
    name: 'a click claimed before is claimed no second time, though only the app answered a later one',
    rule: 'W4, W6',
    events: [
      clicks('e1', MON),
      sends('api', MON + 1),
      status('api', 'delivered', MON + 1, windowUntil(MON + HOUR)),
      clicks('e2', MON + 2 * HOUR),
      echo('app', MON + 2 * HOUR + 1),
      ...marketing('second', MON + 3 * HOUR),
      ...marketing('third', MON + 3 * HOUR + 73 * HOUR),
    ],
    expect: {
      messages: { second: { ...FREE_ENTRY, conversation_id: 'e2' }, third: BILLABLE },
      conversations: { e2: { reply_message_id: 'app', opened_at: iso(MON + 3 * HOUR) } },
    },
  },
  {
    name: 'a re-click answered from the app inside a window may still open the next one',
    rule: 'W6',
    events: [
      clicks('e', MON),
      sends('api', MON),
      status('api', 'delivered', MON, windowUntil(MON + 10 * HOUR)),
      clicks('re', MON + 9 * HOUR),
      echo('app', MON + 9 * HOUR + 1),
      ...marketing('next', MON + 10 * HOUR),
    ],
    expect: {
      messages: { next: { ...FREE_ENTRY, conversation_id: 're' } },
      conversations: { re: { reply_message_id: 'app', opened_at: iso(MON + 10 * HOUR), ad_conversation_id: 'e' } },
    },
  },
  {
    name: 'a reaction from the app answers nothing',
    rule: 'W3, F6',
    events: [clicks('e', MON), echo('app', MON + 1, { type: 'reaction' })],
    expect: { messages: { app: FREE_SERVICE }, conversations: { e: UNANSWERED } },
  },
  {
    name: 'the reports of an echo move no window',
    rule: 'F6, W8',
    events: [
      clicks('e', MON),
      ...text('api', MON),
      echo('app', MON + 1),
      status('app', 'delivered', MON + 1, windowUntil(MON + 120 * HOUR)),
    ],
    expect: { conversations: { e: { expires_at: iso(MON + 72 * HOUR) } } },
  },
  {
    name: 'what Meta reports of an echo decides its billing all the same',
    rule: 'F6, V2',
    events: [echo('app', MON), status('app', 'delivered', MON + 60, priced('regular', 'service'))],
    expect: {
      messages: {
        app: { predicted: 'FREE_SERVICE', reported: 'BILLABLE', billing: 'BILLABLE', delivered_at: iso(MON) },
      },
      daily: { [`2026-01-05 ${NUMBER}`]: { mismatches: '1', billable: '1' } },
    },
  },
  {
    name: 'statuses do not move the delivery of an echo, not even failed',
    rule: 'F6',
    events: [echo('a', MON), status('a', 'delivered', MON + 60), echo('b', MON), status('b', 'failed', MON + 60)],
    expect: {
      messages: { a: { ...FREE_SERVICE, delivered_at: iso(MON) }, b: { ...FREE_SERVICE, delivered_at: iso(MON) } },
    },
  },
  {
    name: 'echoes do not answer where the policy says so',
    rule: 'F6',
    policy: { echoes_reply: false },
    events: [clicks('e', MON), echo('a', MON + 1), ...text('reply', MON + 2), echo('b', MON + 3)],
    expect: {
      messages: { a: FREE_SERVICE, reply: FREE_ENTRY, b: { ...FREE_SERVICE, ...OUTSIDE } },
      conversations: { e: { reply_message_id: 'reply', free_messages: '1' } },
    },
  },
  {
    name: 'an echo from October 2026 is free outside a window',
    rule: 'F6',
    events: [echo('a', MONDAY_OF['PMP-2026-10'])],
    expect: { messages: { a: { ...FREE_SERVICE, category: 'service', policy: 'PMP-2026-10' } } },
  },
  {
    name: 'counted: an echo answers, claims, opens and is inside',
    rule: 'F6',
    policy: { echoes: 'counted' },
    events: [clicks('e', MON), echo('reply', MON + 1), echo('then', MON + HOUR), echo('late', MON + 73 * HOUR)],
    expect: {
      messages: {
        reply: { ...FREE_ENTRY, delivered_at: iso(MON + 1), conversation_id: 'e' },
        then: FREE_ENTRY,
        late: FREE_SERVICE,
      },
      conversations: { e: { reply_message_id: 'reply', opened_at: iso(MON + 1), free_messages: '2' } },
    },
  },
  {
    name: 'counted: the reports of an echo move the window',
    rule: 'F6, W8',
    policy: { echoes: 'counted' },
    events: [
      clicks('e', MON),
      ...text('api', MON),
      echo('app', MON + 1),
      status('app', 'delivered', MON + 1, windowUntil(MON + 120 * HOUR)),
    ],
    expect: { conversations: { e: { expires_at: iso(MON + 120 * HOUR), free_messages: '2' } } },
  },
  {
    name: 'counted, but echoes do not reply: none opens, yet all are free in a window',
    rule: 'F6',
    policy: { echoes: 'counted', echoes_reply: false },
    events: [clicks('e', MON), echo('a', MON + 1), ...text('reply', MON + 2), echo('b', MON + 3)],
    expect: {
      messages: { a: FREE_SERVICE, reply: FREE_ENTRY, b: FREE_ENTRY },
      conversations: { e: { reply_message_id: 'reply', free_messages: '2' } },
    },
  },
];

/** The customer writes something of this type an hour before a utility template. */
const opensService = (type: string, open: boolean): GoldenCase => ({
  name: `type ${type} of the customer opens ${open ? 'a' : 'no'} service window`,
  rule: 'W1, F7',
  events: [writes('in', MON, { type }), ...utility('u', MON + HOUR)],
  expect: { messages: { u: open ? FREE_SERVICE : BILLABLE } },
});

export const edits: readonly GoldenCase[] = [
  opensService('call', true),
  opensService('unsupported', true),
  opensService('system', false),
  opensService('edit', false),
  opensService('revoke', false),
  opensService('Edit', true),
  {
    name: 'a text, its edit and its revocation: one row',
    rule: '7.14, F7',
    events: [
      ...text('m', MON),
      sends('edited', MON + 1, { type: 'edit' }),
      status('edited', 'delivered', MON + 1, priced('regular', 'service')),
      echo('revoked', MON + 2, { type: 'revoke' }),
    ],
    expect: {
      messages: { m: FREE_SERVICE },
      noMessages: ['edited', 'revoked'],
      daily: { [`2026-01-05 ${NUMBER}`]: { messages: '1', delivered: '1', billable: '0' } },
    },
  },
  {
    name: 'a revocation alone answers nothing and opens nothing',
    rule: '7.14, F7',
    events: [
      clicks('e', MON),
      echo('app', MON + 1, { type: 'revoke' }),
      sends('api', MON + 2, { type: 'revoke' }),
      status('api', 'delivered', MON + 2, windowUntil(MON + 96 * HOUR)),
      ...marketing('m', MON + DAY + 1),
    ],
    expect: { messages: { m: BILLABLE }, conversations: { e: UNANSWERED }, noMessages: ['app', 'api'] },
  },
  {
    name: "the customer's edit is no entry, whatever it refers to",
    rule: 'F7',
    events: [clicks('e', MON, { type: 'edit' }), ...marketing('m', MON + 1)],
    expect: { messages: { m: BILLABLE }, noConversations: ['e'] },
  },
  {
    name: 'of copies of two types the earlier counts: a text, then its revocation under the same id',
    rule: 'F2, F7',
    events: [clicks('e', MON), ...text('m', MON + 1), sends('m', MON + 2, { type: 'revoke' })],
    expect: { messages: { m: { ...FREE_ENTRY, type: 'text' } }, conversations: { e: { reply_message_id: 'm' } } },
  },
  {
    name: 'of copies of two types the earlier counts: a revocation, then the text',
    rule: 'F2, F7',
    events: [clicks('e', MON), ...text('m', MON + 2), sends('m', MON + 1, { type: 'revoke' })],
    expect: { noMessages: ['m'], conversations: { e: UNANSWERED } },
  },
  {
    name: 'of copies of two types and one second the smaller canonical JSON counts: edit before text',
    rule: 'F2, F7',
    events: [...text('m', MON), sends('m', MON, { type: 'edit' })],
    expect: { noMessages: ['m'] },
  },
];

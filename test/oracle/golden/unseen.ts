/** What we cannot see: ads that Meta lost, free entry that only Meta knows of. And why messages failed, and their tags. */
import {
  clicks,
  DAY,
  echo,
  type GoldenCase,
  HOUR,
  MON,
  NUMBER,
  priced,
  type RawEvent,
  sends,
  side,
  SIDES,
  status,
  text,
  windowUntil,
  writes,
} from './builders.ts';

const MONDAY = `2026-01-05 ${NUMBER}`;
const LOST = { code: 131060, title: 'This message is unavailable' };

const isLost = (name: string, fields: object, lost: boolean): GoldenCase => ({
  name: `${name}: ${lost ? 'a lost referral' : 'none lost'}`,
  rule: '6, W2',
  // The text makes sure that the day has a row.
  events: [writes('in', MON, { type: 'unsupported', errors: [LOST], ...fields }), ...text('m', MON)],
  expect: { daily: { [MONDAY]: { lost_referrals: lost ? '1' : '0', ad_conversations: '0' } } },
});

export const lostReferrals: readonly GoldenCase[] = [
  isLost('unsupported, error 131060', {}, true),
  isLost('the error is the second one', { errors: [{ code: 131051 }, LOST] }, true),
  isLost('its code is text', { errors: [{ code: '131060' }] }, true),
  isLost('a referral without a source', { referral: { source_id: '7' } }, true),
  isLost('another error', { errors: [{ code: 131051 }] }, false),
  isLost('no error', { errors: [] }, false),
  isLost('errors that are none', { errors: ['131060', null, 131060, [LOST]] }, false),
  isLost('errors that are a text', { errors: '131060' }, false),
  isLost('a text message', { type: 'text' }, false),
  isLost('from a story, which the policy does not list', { referral: { source_type: 'story' } }, false),
  isLost('from the business', { direction: 'outbound' }, false),
  {
    name: 'with its ad the message is an entry, and nothing is lost',
    rule: '6, W2',
    events: [clicks('e', MON, { type: 'unsupported', errors: [LOST] })],
    expect: { daily: { [MONDAY]: { lost_referrals: '0', ad_conversations: '1' } } },
  },
  {
    name: 'a day on which nothing but a lost referral came has a row',
    rule: '6',
    events: [writes('in', MON, { type: 'unsupported', errors: [LOST] })],
    expect: { daily: { [MONDAY]: { lost_referrals: '1', messages: '0', ad_conversations: '0' } } },
  },
  {
    name: 'of copies one is counted',
    rule: 'F2',
    events: [
      writes('in', MON, { type: 'unsupported', errors: [LOST] }),
      writes('in', MON + 1, { type: 'unsupported', errors: [LOST] }),
      writes('other', MON, { type: 'unsupported', errors: [LOST] }),
    ],
    expect: { daily: { [MONDAY]: { lost_referrals: '2' } } },
  },
];

/** Meta reports free entry, and of which conversation. */
const free = (id: string, t: number, conversation?: string): RawEvent[] => [
  sends(id, t),
  status(id, 'delivered', t, {
    ...priced('free_entry_point', 'service'),
    ...(conversation && { conversation: { id: conversation } }),
  }),
];

const only = (windows: number, messages: number) => ({
  windows_reported_only: String(windows),
  messages_reported_only: String(messages),
  windows_opened: '0',
});

export const reportedOnly: readonly GoldenCase[] = [
  {
    name: 'free entry where no entry is known: one message, one window',
    rule: 'V1, W8',
    events: free('m', MON, 'c'),
    expect: { messages: { m: { predicted: 'FREE_SERVICE', billing: 'FREE_ENTRY' } }, daily: { [MONDAY]: only(1, 1) } },
  },
  {
    name: 'messages of one conversation are of one window, however far apart',
    rule: 'V1',
    events: [...free('m1', MON, 'c'), ...free('m2', MON + 1, 'd'), ...free('m3', MON + 10 * DAY, 'c')],
    expect: {
      daily: { [MONDAY]: only(2, 2), [`2026-01-15 ${NUMBER}`]: only(0, 1) },
    },
  },
  ...SIDES.map((d): GoldenCase => ({
    name: `without a conversation id, 168 h after the first message of the last window: ${side(d)}`,
    rule: 'W8',
    events: [...free('m1', MON, 'c'), ...free('m2', MON + DAY), ...free('m3', MON + 168 * HOUR + d)],
    expect: {
      daily: {
        [MONDAY]: only(1, 1),
        [`2026-01-06 ${NUMBER}`]: only(0, 1),
        [`2026-01-12 ${NUMBER}`]: only(d < 0 ? 0 : 1, 1),
      },
    },
  })),
  {
    name: 'without a conversation id it joins the last window, not an earlier one',
    rule: 'W8',
    policy: { max_window_hours: 24 },
    events: [...free('m1', MON, 'c'), ...free('m2', MON + 20 * HOUR, 'd'), ...free('m3', MON + 25 * HOUR)],
    expect: { daily: { [MONDAY]: only(1, 1), [`2026-01-06 ${NUMBER}`]: only(1, 2) } },
  },
  {
    name: 'the last window is the one that began last, even when a message of an earlier one came after that',
    rule: 'W8',
    policy: { max_window_hours: 24 },
    events: [
      ...free('m1', MON, 'c'),
      ...free('m2', MON + 20 * HOUR, 'd'),
      ...free('m3', MON + 21 * HOUR, 'c'),
      ...free('m4', MON + 25 * HOUR),
    ],
    expect: { daily: { [MONDAY]: only(1, 1), [`2026-01-06 ${NUMBER}`]: only(1, 3) } },
  },
  {
    name: 'the id may be on another status of the message: of several the smallest that free entry has',
    rule: 'V1, W8',
    events: [
      ...free('m1', MON, 'b'),
      ...free('m2', MON + 1),
      status('m2', 'read', MON + 2, { conversation: { id: 'a', origin: { type: 'marketing' } } }),
      status('m2', 'read', MON + 3, { conversation: { id: 'c', origin: { type: 'referral_conversion' } } }),
      status('m2', 'sent', MON + 1, { conversation: { id: 'b', origin: { type: 'referral_conversion' } } }),
    ],
    expect: { daily: { [MONDAY]: only(1, 2) } },
  },
  {
    name: 'two customers and two numbers have windows of their own',
    rule: 'F1',
    events: [
      ...free('m1', MON, 'c'),
      ...free('m2', MON, 'c').map((event) => ({ ...event, wa_id: '4915' })),
      ...free('m3', MON, 'c').map((event) => ({ ...event, phone_number_id: '2' })),
    ],
    expect: { daily: { [MONDAY]: only(2, 2), '2026-01-05 2': only(1, 1) } },
  },
  ...SIDES.map((d): GoldenCase => ({
    name: `an entry that might explain it, 24 h + 168 h before: ${side(d)}`,
    rule: 'W3, W8',
    events: [clicks('e', MON - (192 * HOUR + d)), ...free('m', MON, 'c')],
    expect: { daily: { [MONDAY]: d < 0 ? only(0, 0) : only(1, 1) } },
  })),
  ...SIDES.map((d): GoldenCase => ({
    name: `an entry in the second of its delivery: ${side(d)} of it`,
    rule: 'W3',
    // Sent before the entry, so that it cannot claim it.
    events: [
      clicks('e', MON + d),
      sends('m', MON - HOUR),
      status('m', 'delivered', MON, { ...priced('free_entry_point', 'service'), conversation: { id: 'c' } }),
    ],
    expect: { daily: { [MONDAY]: d <= 0 ? only(0, 0) : only(1, 1) } },
  })),
  {
    name: 'in a window of ours Meta only confirms',
    rule: 'W7, 6',
    events: [clicks('e', MON), ...free('reply', MON + 1, 'c')],
    expect: { daily: { [MONDAY]: { ...only(0, 0), windows_opened: '1', windows_confirmed: '1' } } },
  },
  {
    name: 'nor is it counted where the reply that opens our window was delivered long after the entry',
    rule: 'W5, W7',
    events: [
      clicks('e', MON - 9 * DAY),
      sends('reply', MON - 9 * DAY + 1),
      status('reply', 'delivered', MON, priced('free_entry_point', 'service')),
    ],
    expect: { daily: { [MONDAY]: { ...only(0, 0), windows_opened: '1' } } },
  },
  {
    name: 'undelivered, in a group, or reported otherwise: not counted',
    rule: 'V1, F8',
    events: [
      sends('undelivered', MON),
      status('undelivered', 'sent', MON, priced('free_entry_point')),
      status('grouped', 'delivered', MON, { ...priced('free_entry_point'), group_id: 'G', participant: '1' }),
      sends('otherwise', MON),
      status('otherwise', 'delivered', MON, { ...priced('free_customer_service'), ...windowUntil(MON + DAY) }),
    ],
    expect: { daily: { [MONDAY]: only(0, 0) } },
  },
];

/** A failed message whose status carries these errors. */
const failedWith = (errors: unknown, error_code: string, error_title: string): GoldenCase => ({
  name: `errors ${JSON.stringify(errors)}: code "${error_code}", title "${error_title}"`,
  rule: 'contract 3',
  events: [sends('m', MON), status('m', 'failed', MON, { errors })],
  expect: { messages: { m: { error_code, error_title } } },
});

export const errorsAndTags: readonly GoldenCase[] = [
  failedWith([{ code: 131047, title: 'Re-engagement message' }], '131047', 'Re-engagement message'),
  failedWith(
    [
      { code: 1, title: 'first' },
      { code: 2, title: 'second' },
    ],
    '1',
    'first',
  ),
  failedWith([{ code: '131047' }], '131047', ''),
  failedWith([{ title: 'no code', message: 'm' }], '', 'no code'),
  failedWith([{ code: null, title: ['x'] }], '', ''),
  failedWith([{ code: 1, title: '=1+1' }], '1', "'=1+1"),
  failedWith({ code: 7, title: 'alone' }, '7', 'alone'),
  failedWith('failed', '', ''),
  failedWith(131047, '', ''),
  failedWith([], '', ''),
  failedWith({}, '', ''),
  failedWith([131047], '', ''),
  failedWith([null, { code: 1 }], '', ''),
  failedWith([[{ code: 1 }]], '', ''),
  {
    name: 'the latest failed status counts, and stays when the message is delivered after all',
    rule: 'F4, contract 3',
    events: [
      sends('m', MON),
      status('m', 'failed', MON + 2, { errors: [{ code: 2 }] }),
      status('m', 'failed', MON + 1, { errors: [{ code: 1 }] }),
      status('m', 'delivered', MON + 3, { errors: [{ code: 3 }] }),
    ],
    expect: { messages: { m: { error_code: '2', billing: 'FREE_SERVICE' } } },
  },
  {
    name: 'of failed statuses of one second the greater canonical JSON counts',
    rule: 'F2, contract 3',
    events: [
      sends('m', MON),
      status('m', 'failed', MON, { errors: [{ code: 10 }] }),
      status('m', 'failed', MON, { errors: [{ code: 9 }] }),
    ],
    expect: { messages: { m: { error_code: '9' } } },
  },
  {
    name: 'errors of other statuses and of the message event are not asked',
    rule: 'contract 3',
    events: [sends('m', MON, { errors: [{ code: 1 }] }), status('m', 'sent', MON, { errors: [{ code: 2 }] })],
    expect: { messages: { m: { error_code: '', error_title: '' } } },
  },
  {
    name: "the tag is the message's own, whatever the statuses say",
    rule: 'contract 1, 3',
    events: [sends('m', MON, { tag: 'own' }), status('m', 'sent', MON, { tag: 'echoed' })],
    expect: { messages: { m: { tag: 'own' } } },
  },
  {
    name: 'without one it is that of the latest status that has one, then of the greater canonical JSON',
    rule: 'contract 1, 3',
    events: [
      sends('m', MON, { tag: '' }),
      status('m', 'read', MON + 3),
      status('m', 'delivered', MON + 2, { tag: 'a' }),
      status('m', 'sent', MON + 1, { tag: 'z' }),
      status('n', 'delivered', MON, { tag: 'a' }),
      status('n', 'delivered', MON, { tag: 'b' }),
      echo('none', MON),
    ],
    expect: { messages: { m: { tag: 'a' }, n: { tag: 'b' }, none: { tag: '' } } },
  },
  {
    name: "a participant's error and tag are of his own statuses and of those that name nobody",
    rule: 'F8, contract 3',
    events: [
      status('m', 'delivered', MON, { group_id: 'G', participant: '1', tag: 'a' }),
      status('m', 'failed', MON, { group_id: 'G', participant: '2', errors: [{ code: 2 }] }),
      status('m', 'failed', MON + 1, { group_id: 'G', errors: [{ code: 3 }], tag: 'c' }),
      status('n', 'failed', MON, { group_id: 'G', participant: '1', errors: [{ code: 4 }] }),
      status('n', 'delivered', MON, { group_id: 'G', participant: '2' }),
    ],
    expect: {
      messages: {
        'm 1': { error_code: '3', tag: 'c' },
        'm 2': { error_code: '3', tag: 'c' },
        'n 1': { error_code: '4' },
        'n 2': { error_code: '' },
      },
    },
  },
];

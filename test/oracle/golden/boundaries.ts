/** Every boundary, one second before, on it, and one second after. */
import {
  at,
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
  NUMBER,
  POLICIES,
  sends,
  sendsTemplate,
  side,
  SIDES,
  status,
  text,
  UNANSWERED,
  utility,
  windowUntil,
  writes,
  zone,
} from './builders.ts';

/** A zone, and where its midnight of each policy date lies in UTC. */
const midnights: readonly { zone: string; dates: readonly [string, string, string] }[] = [
  { zone: 'UTC', dates: ['2024-11-01 00:00', '2025-07-01 00:00', '2026-10-01 00:00'] },
  { zone: 'Asia/Kathmandu', dates: ['2024-10-31 18:15', '2025-06-30 18:15', '2026-09-30 18:15'] },
  { zone: 'Pacific/Auckland', dates: ['2024-10-31 11:00', '2025-06-30 12:00', '2026-09-30 11:00'] },
  { zone: 'America/Sao_Paulo', dates: ['2024-11-01 03:00', '2025-07-01 03:00', '2026-10-01 03:00'] },
  { zone: 'America/Los_Angeles', dates: ['2024-11-01 07:00', '2025-07-01 07:00', '2026-10-01 07:00'] },
];

export const boundaries: readonly GoldenCase[] = SIDES.flatMap((d): GoldenCase[] => [
  {
    name: `reply 24 h after the entry: ${side(d)}`,
    rule: 'W3',
    events: [clicks('e', MON), ...marketing('m', MON + DAY + d)],
    expect: { messages: { m: d <= 0 ? FREE_ENTRY : BILLABLE } },
  },
  {
    name: `reply at the moment of the entry: ${side(d)}`,
    rule: 'W3',
    events: [clicks('e', MON), ...marketing('m', MON + d)],
    expect: { messages: { m: d >= 0 ? FREE_ENTRY : BILLABLE } },
  },
  {
    name: `sent within 24 h is what counts, however late it is delivered: ${side(d)}`,
    rule: 'W3, W5',
    events: [clicks('e', MON), sendsTemplate('m', MON + DAY + d, 'marketing'), status('m', 'delivered', MON + 5 * DAY)],
    expect: {
      messages: { m: d <= 0 ? FREE_ENTRY : BILLABLE },
      conversations: { e: d <= 0 ? { opened_at: iso(MON + 5 * DAY), expires_at: iso(MON + 8 * DAY) } : UNANSWERED },
    },
  },
  {
    name: `72 h after the window opened: ${side(d)}`,
    rule: 'W5, W7',
    events: [clicks('e', MON), ...text('reply', MON), ...marketing('m', MON + 72 * HOUR + d)],
    expect: { messages: { m: d < 0 ? FREE_ENTRY : BILLABLE } },
  },
  {
    name: `a template while the reply is on its way: ${side(d)} of its delivery`,
    rule: 'W7',
    events: [
      clicks('e', MON),
      sends('reply', MON),
      status('reply', 'delivered', MON + HOUR),
      // Sent before the entry, so that it answers nothing.
      sendsTemplate('m', MON - HOUR, 'marketing'),
      status('m', 'delivered', MON + HOUR + d),
    ],
    // Delivered in the same second, the earlier sent goes first (W4), and then no window is open yet.
    expect: { messages: { m: d > 0 ? FREE_ENTRY : BILLABLE } },
  },
  {
    name: `24 h after the customer wrote (utility): ${side(d)}`,
    rule: 'W1',
    events: [writes('in', MON), ...utility('u', MON + DAY + d)],
    expect: { messages: { u: d < 0 ? FREE_SERVICE : BILLABLE } },
  },
  {
    name: `the moment the customer wrote (utility): ${side(d)}`,
    rule: 'W1',
    events: [writes('in', MON), ...utility('u', MON + d)],
    expect: { messages: { u: d >= 0 ? FREE_SERVICE : BILLABLE } },
  },
  {
    name: `24 h after a CBP conversation opened: ${side(d)}`,
    rule: '3.1',
    events: [...utility('u', CBP), ...utility('v', CBP + DAY + d)],
    expect: { messages: { v: d < 0 ? COVERED : BILLABLE } },
  },
  {
    name: `a report of 168 h: ${side(d)}`,
    rule: 'W8',
    events: [
      clicks('e', MON),
      sends('reply', MON),
      status('reply', 'delivered', MON, windowUntil(MON + 168 * HOUR + d)),
    ],
    expect: { conversations: { e: { expires_at: iso(MON + (d <= 0 ? 168 * HOUR + d : 72 * HOUR)) } } },
  },
  {
    name: `a report of 96 h where the policy believes 96 h: ${side(d)}`,
    rule: 'W8',
    policy: { max_window_hours: 96 },
    events: [
      clicks('e', MON),
      sends('reply', MON),
      status('reply', 'delivered', MON, windowUntil(MON + 96 * HOUR + d)),
    ],
    expect: { conversations: { e: { expires_at: iso(MON + (d <= 0 ? 96 * HOUR + d : 72 * HOUR)) } } },
  },
  {
    name: `a report of the moment of delivery: ${side(d)}`,
    rule: 'W8',
    events: [clicks('e', MON), sends('reply', MON), status('reply', 'delivered', MON, windowUntil(MON + d))],
    expect: { conversations: { e: { expires_at: iso(MON + (d > 0 ? 1 : 72 * HOUR)), free_messages: '1' } } },
  },
  {
    name: `a reported end: ${side(d)}`,
    rule: 'W7, W8',
    events: [
      clicks('e', MON),
      sends('reply', MON),
      status('reply', 'delivered', MON, windowUntil(MON + 100 * HOUR)),
      ...marketing('m', MON + 100 * HOUR + d),
    ],
    expect: { messages: { m: d < 0 ? FREE_ENTRY : BILLABLE } },
  },
  {
    name: `second click 24 h after the first, both unanswered: ${side(d)}`,
    rule: '6',
    events: [clicks('e1', MON), clicks('e2', MON + DAY + d)],
    expect: { conversations: { e2: { ad_conversation_id: d < 0 ? 'e1' : 'e2' } } },
  },
  {
    name: `click when the window ends: ${side(d)}`,
    rule: '6, W6',
    events: [clicks('e1', MON), ...text('reply', MON), clicks('e2', MON + 72 * HOUR + d)],
    expect: { conversations: { e2: { ad_conversation_id: d < 0 ? 'e1' : 'e2' } } },
  },
  {
    name: `mature 24 h after the last click: ${side(d)}`,
    rule: '6, W9',
    events: [clicks('e', MON), clicks('e2', MON + HOUR)],
    as_of: MON + HOUR + DAY + d,
    expect: {
      daily: {
        [`2026-01-05 ${NUMBER}`]:
          d < 0
            ? { ad_conversations: '1', replied: '0', mature: '0', pending: '1', reply_rate: '' }
            : { ad_conversations: '1', replied: '0', mature: '1', pending: '0', reply_rate: '0.0000' },
      },
    },
  },
  ...midnights.flatMap(({ zone: name, dates }): GoldenCase[] =>
    dates.map((date, i): GoldenCase => {
      const [before, from] = [POLICIES[i]!, POLICIES[i + 1]!];
      return {
        name: `${from} begins at midnight in ${name}: ${side(d)}`,
        rule: '3',
        accounts: zone(name),
        events: [...marketing('m', at(date) + d)],
        expect: { messages: { m: { ...BILLABLE, policy: d < 0 ? before : from } } },
      };
    }),
  ),
]);

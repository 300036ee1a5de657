/** Headline figures. */
import {
  AD,
  clicks,
  echo,
  type GoldenCase,
  HOUR,
  iso,
  MINUTE,
  MON,
  NUMBER,
  sends,
  side,
  SIDES,
  status,
  text,
  windowUntil,
} from './builders.ts';

export const figures: readonly GoldenCase[] = [
  {
    name: 'a click whose forerunner was answered but whose window is over starts a conversation',
    rule: '6',
    events: [
      clicks('e1', MON),
      sends('reply', MON + 1),
      status('reply', 'delivered', MON + 1, windowUntil(MON + HOUR)),
      clicks('e2', MON + HOUR),
    ],
    expect: { conversations: { e2: { ad_conversation_id: 'e2' } } },
  },
  {
    name: 'the reply is on its way: the next click is still a re-click',
    rule: '6',
    events: [
      clicks('e1', MON),
      sends('reply', MON + 1),
      status('reply', 'delivered', MON + 2 * HOUR),
      clicks('e2', MON + HOUR),
    ],
    expect: { conversations: { e2: { ad_conversation_id: 'e1' } } },
  },
  ...SIDES.map((d): GoldenCase => ({
    name: `a click, and one reply a minute later; the next click in the second of its delivery: ${side(d)}`,
    rule: '6',
    events: [clicks('e1', MON), ...text('reply', MON + MINUTE), clicks('e2', MON + MINUTE + d)],
    // Before: the first still waits. After: its window is open. In that very second the reply answers both, so the
    // first waits no longer and the window is the second's own.
    expect: { conversations: { e2: { ad_conversation_id: d === 0 ? 'e2' : 'e1' } } },
  })),
  ...SIDES.map((d): GoldenCase => ({
    name: `a re-click was answered just before the window ended; the next click at its end: ${side(d)}`,
    rule: '6',
    events: [
      clicks('e0', MON),
      sends('r0', MON + 1),
      status('r0', 'delivered', MON + 1, windowUntil(MON + 10 * HOUR)),
      clicks('e1', MON + 9 * HOUR),
      ...text('r1', MON + 10 * HOUR - 1),
      clicks('e2', MON + 10 * HOUR + d),
    ],
    expect: { conversations: { e2: { ad_conversation_id: d < 0 ? 'e0' : 'e2' } } },
  })),
  {
    name: 're-clicks in a chain keep one conversation open beyond 24 h',
    rule: '6',
    events: [
      clicks('e1', MON),
      clicks('e2', MON + 20 * HOUR),
      clicks('e3', MON + 40 * HOUR),
      clicks('e4', MON + 64 * HOUR),
    ],
    expect: {
      conversations: {
        e2: { ad_conversation_id: 'e1' },
        e3: { ad_conversation_id: 'e1' },
        e4: { ad_conversation_id: 'e4' },
      },
    },
  },
  {
    name: 'the final end of a window decides what a re-click is',
    rule: '6, W8',
    events: [
      clicks('e1', MON),
      ...text('reply', MON),
      clicks('e2', MON + 80 * HOUR, { type: 'audio' }),
      // Reported by a message that cannot answer the second click: sent before it.
      sends('m', MON + 79 * HOUR),
      status('m', 'delivered', MON + 81 * HOUR, windowUntil(MON + 100 * HOUR)),
    ],
    expect: { conversations: { e2: { ad_conversation_id: 'e1' } } },
  },
  {
    name: 'replied, not replied and pending; rate, median, p90',
    rule: '6',
    events: [
      ...[60, 120, 181].flatMap((wait, i) => [
        { ...clicks(`e${i}`, MON), wa_id: `10${i}` },
        // The first is answered from the app, which opens no window.
        ...(i === 0
          ? [{ ...echo(`r${i}`, MON + wait), wa_id: `10${i}` }]
          : text(`r${i}`, MON + wait, { wa_id: `10${i}` })),
      ]),
      { ...clicks('lapsed', MON), wa_id: '200' },
      { ...clicks('pending', MON + 2 * HOUR), wa_id: '201' },
      { ...clicks('also pending', MON + 2 * HOUR), wa_id: '202' },
    ],
    as_of: MON + 25 * HOUR,
    expect: {
      daily: {
        [`2026-01-05 ${NUMBER}`]: {
          ad_conversations: '6',
          replied: '3',
          mature: '4',
          pending: '2',
          reply_rate: '0.7500',
          median_seconds_to_reply: '120',
          windows_opened: '2',
          windows_confirmed: '0',
          messages: '3',
          delivered: '3',
          free_entry: '2',
          free_service: '1',
        },
      },
      ads: {
        [`${AD} ad`]: {
          ad_conversations: '6',
          reply_rate: '0.7500',
          p90_seconds_to_reply: '168.8',
          free_messages: '2',
          first_entry_at: iso(MON),
          last_entry_at: iso(MON + 2 * HOUR),
        },
      },
    },
  },
  {
    name: 'time to first reply: from the earliest entry that the first reply answers',
    rule: '6',
    events: [
      clicks('e1', MON),
      clicks('e2', MON + 10 * MINUTE),
      ...text('reply', MON + 15 * MINUTE),
      clicks('e3', MON + HOUR),
      ...text('again', MON + HOUR + 1),
    ],
    expect: { daily: { [`2026-01-05 ${NUMBER}`]: { ad_conversations: '1', median_seconds_to_reply: '900' } } },
  },
];

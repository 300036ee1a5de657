/** 3.1: conversations, and how a free entry window resets them ([S2], before and after). */
import {
  at,
  authentication,
  BILLABLE,
  type Cells,
  clicks,
  COVERED,
  DAY,
  echo,
  FREE_ENTRY,
  FREE_SERVICE,
  type GoldenCase,
  HOUR,
  iso,
  marketing,
  MONDAY_OF,
  NUMBER,
  type RawEvent,
  reaction,
  sends,
  sendsTemplate,
  status,
  template,
  text,
  UNANSWERED,
  UNDELIVERED,
  UNKNOWN,
  utility,
  WABA,
  windowUntil,
  writes,
} from './builders.ts';

const kinds: readonly { name: string; sent: (id: string, t: number) => RawEvent[] }[] = [
  { name: 'marketing', sent: marketing },
  { name: 'utility', sent: utility },
  { name: 'authentication', sent: authentication },
  { name: 'service', sent: text },
];

export const resets: readonly GoldenCase[] = (['CBP-2023-06', 'CBP-2024-11'] as const).flatMap((policy) => {
  const t = MONDAY_OF[policy];
  const service = policy === 'CBP-2023-06' ? BILLABLE : FREE_SERVICE;
  const opensAnew: Record<string, Cells> = {
    marketing: BILLABLE,
    utility: BILLABLE,
    authentication: BILLABLE,
    service,
  };
  return [
    ...kinds.flatMap((open) =>
      kinds.map((next): GoldenCase => {
        // A non-template joins any conversation, a template only one of its own category.
        const joins = next.name === 'service' || next.name === open.name;
        return {
          name: `${policy}: ${open.name} conversation open, no ad: ${next.name} ${joins ? 'joins it' : 'opens its own'}`,
          rule: '3.1',
          events: [...open.sent('before', t), ...next.sent('m', t + HOUR)],
          expect: { messages: { before: opensAnew[open.name]!, m: joins ? COVERED : opensAnew[next.name]! } },
        };
      }),
    ),
    ...kinds.map((open): GoldenCase => ({
      name: `${policy}: ${open.name} conversation open, ad, reply: every kind is free until the window ends, then opens anew`,
      rule: '3.1, 7.4',
      events: [
        ...open.sent('before', t),
        clicks('e', t + HOUR),
        ...text('reply', t + 2 * HOUR),
        ...kinds.flatMap((kind, i) => kind.sent(`in-${kind.name}`, t + (3 + i) * HOUR)),
        // At the end of the window, in an order in which none can join another.
        ...text('after-service', t + 74 * HOUR),
        ...marketing('after-marketing', t + 74 * HOUR + 1),
        ...utility('after-utility', t + 74 * HOUR + 2),
        ...authentication('after-authentication', t + 74 * HOUR + 3),
      ],
      expect: {
        messages: {
          before: opensAnew[open.name]!,
          reply: FREE_ENTRY,
          ...Object.fromEntries(kinds.map((kind) => [`in-${kind.name}`, FREE_ENTRY])),
          ...Object.fromEntries(kinds.map((kind) => [`after-${kind.name}`, opensAnew[kind.name]!])),
        },
        conversations: { e: { free_messages: '5', expires_at: iso(t + 74 * HOUR) } },
      },
    })),
    ...kinds.map((open): GoldenCase => ({
      name: `${policy}: the ${open.name} conversation that a short window closed stays closed after it`,
      rule: '3.1',
      events: [
        ...open.sent('before', t),
        clicks('e', t + HOUR),
        sends('reply', t + 2 * HOUR),
        status('reply', 'delivered', t + 2 * HOUR, windowUntil(t + 3 * HOUR)),
        ...open.sent('after', t + 3 * HOUR),
      ],
      expect: { messages: { before: opensAnew[open.name]!, reply: FREE_ENTRY, after: opensAnew[open.name]! } },
    })),
    {
      name: `${policy}: an ad message alone, unanswered, closes nothing`,
      rule: '3.1, W5',
      events: [...utility('before', t), clicks('e', t + HOUR), ...utility('m', t + 26 * HOUR)],
      expect: { messages: { before: BILLABLE, m: BILLABLE }, conversations: { e: UNANSWERED } },
    },
    {
      name: `${policy}: a message before the reply joins as ever; the reply, not the ad message, closes`,
      rule: '3.1, W4',
      events: [
        ...utility('before', t),
        clicks('e', t + HOUR),
        ...reaction('r', t + 2 * HOUR),
        ...text('reply', t + 3 * HOUR),
      ],
      expect: { messages: { before: BILLABLE, r: COVERED, reply: FREE_ENTRY } },
    },
    {
      name: `${policy}: several conversations are open at once and a window closes them all`,
      rule: '3.1',
      events: [
        ...marketing('m', t),
        ...utility('u', t + 1),
        ...authentication('a', t + 2),
        ...text('s', t + 3),
        clicks('e', t + HOUR),
        sends('reply', t + 2 * HOUR),
        status('reply', 'delivered', t + 2 * HOUR, windowUntil(t + 3 * HOUR)),
        ...text('s2', t + 3 * HOUR),
        ...marketing('m2', t + 3 * HOUR + 1),
        ...utility('u2', t + 3 * HOUR + 2),
        ...authentication('a2', t + 3 * HOUR + 3),
      ],
      expect: {
        messages: {
          m: BILLABLE,
          u: BILLABLE,
          a: BILLABLE,
          s: COVERED,
          s2: service,
          m2: BILLABLE,
          u2: BILLABLE,
          a2: BILLABLE,
        },
      },
    },
    {
      name: `${policy}: a conversation covers 24 h less a second, not more`,
      rule: '3.1',
      events: [
        ...utility('u', t),
        ...utility('last', t + DAY - 1),
        ...utility('next', t + DAY),
        ...utility('then', t + DAY + 1),
      ],
      expect: { messages: { u: BILLABLE, last: COVERED, next: BILLABLE, then: COVERED } },
    },
    {
      name: `${policy}: an unknown category opens nothing and is not covered`,
      rule: '3',
      events: [
        ...marketing('m', t),
        ...template(undefined, 'x', t + 1),
        ...template(undefined, 'y', t + 2 * DAY),
        ...text('s', t + 2 * DAY + 1),
      ],
      expect: { messages: { m: BILLABLE, x: UNKNOWN, y: UNKNOWN, s: service } },
    },
    {
      name: `${policy}: an echo neither opens nor joins a conversation`,
      rule: 'F6',
      events: [echo('alone', t), ...text('s', t + 1), echo('beside', t + 2)],
      expect: { messages: { alone: FREE_SERVICE, s: service, beside: FREE_SERVICE } },
    },
    {
      name: `${policy}: nor does one that is counted, as it has no charge of its own`,
      rule: 'F6',
      policy: { echoes: 'counted' },
      events: [echo('alone', t), ...text('s', t + 1), echo('beside', t + 2)],
      expect: { messages: { alone: FREE_SERVICE, s: service, beside: FREE_SERVICE } },
    },
    {
      name: `${policy}: a category of groups shares the conversation of the part after group_`,
      rule: '3.1, F8',
      events: [
        ...template('group_utility', 'a', t),
        ...utility('b', t + 1),
        ...template('GROUP-MARKETING', 'c', t + 2),
        ...template('group_service', 'd', t + 3),
      ],
      expect: {
        messages: {
          a: { ...BILLABLE, category: 'group_utility' },
          b: COVERED,
          c: { ...BILLABLE, category: 'group_marketing' },
          d: { ...COVERED, category: 'group_service' },
        },
      },
    },
    {
      name: `${policy}: a reaction opens a service conversation and is covered like any non-template`,
      rule: '3.1',
      events: [...reaction('r', t), ...text('s', t + 1), ...reaction('r2', t + 2)],
      expect: { messages: { r: service, s: COVERED, r2: COVERED } },
    },
    {
      name: `${policy}: an undelivered template opens nothing`,
      rule: '3.1, F4',
      events: [sendsTemplate('u1', t, 'utility'), status('u1', 'sent', t), ...utility('u2', t + 1)],
      expect: { messages: { u1: UNDELIVERED, u2: BILLABLE } },
    },
    {
      name: `${policy}: spelling does not make another category`,
      rule: '3.1, F5',
      events: [
        ...template('AUTHENTICATION-INTERNATIONAL', 'a', t),
        ...template('authentication_international', 'b', t + 1),
        ...template('authentication', 'c', t + 2),
      ],
      expect: { messages: { a: { ...BILLABLE, category: 'authentication_international' }, b: COVERED, c: BILLABLE } },
    },
  ];
});

export const policyChanges: readonly GoldenCase[] = [
  {
    name: 'a utility conversation open on 2024-11-01 goes on covering',
    rule: '3.1',
    events: [
      ...utility('u', at('2024-10-31 20:00')),
      ...utility('v', at('2024-11-01 10:00')),
      ...text('s', at('2024-11-01 11:00')),
    ],
    expect: {
      messages: {
        u: { ...BILLABLE, policy: 'CBP-2023-06' },
        v: { ...COVERED, policy: 'CBP-2024-11' },
        s: COVERED,
      },
    },
  },
  {
    name: 'a utility conversation open on 2025-07-01 covers nothing more',
    rule: '3.1',
    events: [
      ...utility('u', at('2025-06-30 20:00')),
      ...utility('v', at('2025-07-01 10:00')),
      ...text('s', at('2025-07-01 11:00')),
    ],
    expect: {
      messages: {
        u: { ...BILLABLE, policy: 'CBP-2024-11' },
        v: { ...BILLABLE, policy: 'PMP-2025-07' },
        s: FREE_SERVICE,
      },
    },
  },
  {
    name: 'sent 30 September 23:59, delivered 1 October 00:01: the policy of October',
    rule: '3',
    events: [
      writes('in', at('2026-09-30 20:00')),
      sendsTemplate('u', at('2026-09-30 23:59'), 'utility'),
      status('u', 'delivered', at('2026-10-01 00:01')),
    ],
    expect: { messages: { u: { ...BILLABLE, policy: 'PMP-2026-10' } } },
  },
  {
    name: 'a window goes on across a change of policy',
    rule: '3',
    events: [
      clicks('e', at('2026-09-30 10:00')),
      ...text('reply', at('2026-09-30 11:00')),
      ...marketing('m', at('2026-10-02 11:00')),
    ],
    expect: {
      messages: { reply: { ...FREE_ENTRY, policy: 'PMP-2025-07' }, m: { ...FREE_ENTRY, policy: 'PMP-2026-10' } },
    },
  },
  {
    name: 'an account without a time zone, or a WABA that no account describes, is in UTC',
    rule: '3',
    accounts: [
      { waba_id: WABA, currency: 'BRL' },
      { waba_id: '2', time_zone: 'America/Sao_Paulo', phone_number_ids: [NUMBER] },
    ],
    events: [...text('m', at('2026-10-01 00:00'))],
    expect: { messages: { m: { ...BILLABLE, policy: 'PMP-2026-10' } } },
  },
  {
    name: 'no WABA on the event: the smallest that a status names',
    rule: '3, contract 5',
    accounts: [{ waba_id: '2', time_zone: 'America/Sao_Paulo' }, { waba_id: '3' }],
    events: [
      sends('m', at('2026-10-01 00:00'), { waba_id: null }),
      status('m', 'sent', at('2026-10-01 00:00'), { waba_id: '3' }),
      status('m', 'delivered', at('2026-10-01 00:00'), { waba_id: '2' }),
    ],
    expect: { messages: { m: { ...FREE_SERVICE, policy: 'PMP-2025-07' } } },
  },
  {
    name: 'no WABA anywhere: the account that lists the number',
    rule: '3, contract 5',
    accounts: [{ waba_id: '2', time_zone: 'America/Sao_Paulo', phone_number_ids: [NUMBER] }],
    events: [
      sends('m', at('2026-10-01 00:00'), { waba_id: '' }),
      status('m', 'delivered', at('2026-10-01 00:00'), { waba_id: '' }),
    ],
    expect: { messages: { m: { ...FREE_SERVICE, policy: 'PMP-2025-07' } } },
  },
];

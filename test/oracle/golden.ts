/**
 * Golden cases, to be read like a price list: what happened, and what each message costs for it. Expectations are
 * derived from rules.md by hand; `rule` says which sentence decides. Times are in UTC.
 */
import type { Account, PolicySettings } from '../../schemas/config.ts';

type Cells = Partial<Record<string, string>>;

export interface GoldenCase {
  readonly name: string;
  readonly rule: string;
  readonly events: unknown[];
  readonly accounts?: Account[];
  readonly policy?: Partial<PolicySettings>;
  /** Unix seconds; a day after everything when left out. */
  readonly as_of?: number;
  readonly expect: {
    /** By `message_id`. */
    readonly messages?: Record<string, Cells>;
    /** By `conversation_id`. */
    readonly conversations?: Record<string, Cells>;
    /** By `day phone_number_id`. */
    readonly daily?: Record<string, Cells>;
    /** By `ad_id source_type`. */
    readonly ads?: Record<string, Cells>;
    /** Ids that must make no row. */
    readonly noMessages?: readonly string[];
    readonly noConversations?: readonly string[];
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// Builders.

const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;

export const NUMBER = '106540352242922';
const WABA = '102290129340398';
const CUSTOMER = '16505551234';
const AD = '120226305854810726';

/** Unix seconds of `2026-01-05 10:00` or `2026-01-05 10:00:01`, UTC. */
const at = (text: string): number => Date.parse(`${text.replace(' ', 'T')}Z`) / 1000;
/** As the CSV prints it in UTC. */
const iso = (t: number): string => new Date(t * 1000).toISOString().replace('.000Z', '+00:00');

interface RawEvent {
  event: string;
  id: string;
  timestamp: string;
  [field: string]: unknown;
}

const message = (direction: string, id: string, t: number, fields: object): RawEvent => ({
  event: 'message',
  direction,
  waba_id: WABA,
  phone_number_id: NUMBER,
  wa_id: CUSTOMER,
  id,
  timestamp: String(t),
  type: 'text',
  ...fields,
});

/** The customer writes. */
const writes = (id: string, t: number, fields: object = {}): RawEvent => message('inbound', id, t, fields);
/** The customer writes after a click on an ad. */
const clicks = (id: string, t: number, fields: object = {}): RawEvent =>
  writes(id, t, {
    referral: { source_type: 'ad', source_id: AD, source_url: 'https://fb.me/3cr4', ctwa_clid: 'Aff' },
    ...fields,
  });
const status = (id: string, name: string, t: number, fields: object = {}): RawEvent => ({
  event: 'status',
  waba_id: WABA,
  phone_number_id: NUMBER,
  wa_id: CUSTOMER,
  id,
  status: name,
  timestamp: String(t),
  ...fields,
});
/** The business sends; nothing says yet that it was delivered. */
const sends = (id: string, t: number, fields: object = {}): RawEvent => message('outbound', id, t, fields);
/** A free-form message, sent and delivered at t. */
const text = (id: string, t: number, fields: object = {}): RawEvent[] => [
  sends(id, t, fields),
  status(id, 'delivered', t),
];
const reaction = (id: string, t: number): RawEvent[] => text(id, t, { type: 'reaction' });
const echo = (id: string, t: number, fields: object = {}): RawEvent => sends(id, t, { origin: 'app', ...fields });
const sendsTemplate = (id: string, t: number, category?: string): RawEvent =>
  sends(id, t, { type: 'template', template: { name: 'follow_up', language: 'en', ...(category && { category }) } });
/** A template, sent and delivered at t. */
const template = (category: string | undefined, id: string, t: number): RawEvent[] => [
  sendsTemplate(id, t, category),
  status(id, 'delivered', t),
];
const marketing = (id: string, t: number): RawEvent[] => template('marketing', id, t);
const utility = (id: string, t: number): RawEvent[] => template('utility', id, t);
const authentication = (id: string, t: number): RawEvent[] => template('authentication', id, t);

/** Meta reports when the free entry window ends. */
const windowUntil = (t: number): object => ({
  conversation: { id: 'fep', expiration_timestamp: String(t), origin: { type: 'referral_conversion' } },
});
const priced = (type: string, category?: string): object => ({
  pricing: { pricing_model: 'PMP', type, ...(category && { category }) },
});
/** CBP's report: no type, the price is the conversation's. */
const chargedInConversation = (conversation: string | undefined, category: string): object => ({
  pricing: { billable: true, pricing_model: 'CBP', category },
  ...(conversation !== undefined && { conversation: { id: conversation, origin: { type: category } } }),
});

const zone = (time_zone: string): Account[] => [{ waba_id: WABA, time_zone }];
const is = (predicted: string): Cells => ({ predicted, billing: predicted, reported: '' });
const FREE_ENTRY = is('FREE_ENTRY');
const FREE_SERVICE = is('FREE_SERVICE');
const BILLABLE = is('BILLABLE');
const COVERED = is('COVERED');
const UNKNOWN = is('UNKNOWN');
const UNDELIVERED = is('UNDELIVERED');
const NO_WINDOW: Cells = { opened_at: '', expires_at: '', free_messages: '0' };
const UNANSWERED: Cells = { reply_message_id: '', replied_at: '', seconds_to_reply: '', ...NO_WINDOW };

/** Monday 10:00, PMP-2025-07. */
const MON = at('2026-01-05 10:00');
/** A Monday 10:00 of each policy. */
const MONDAY_OF = {
  'CBP-2023-06': at('2024-03-04 10:00'),
  'CBP-2024-11': at('2025-03-03 10:00'),
  'PMP-2025-07': MON,
  'PMP-2026-10': at('2026-10-12 10:00'),
} as const;
type PolicyName = keyof typeof MONDAY_OF;
const POLICIES = Object.keys(MONDAY_OF) as PolicyName[];
const CBP = MONDAY_OF['CBP-2024-11'];

// ---------------------------------------------------------------------------------------------------------------------
// rules.md 7, in its order.

const workedExamples: GoldenCase[] = [
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
];

// ---------------------------------------------------------------------------------------------------------------------
// Every policy and every kind of message, outside and inside a free entry window.

interface PriceLine {
  readonly kind: string;
  readonly sent: (id: string, t: number) => RawEvent[];
  /** Whether the customer wrote an hour before. */
  readonly csw: boolean;
  /** In the order of the policies. */
  readonly outside: readonly [Cells, Cells, Cells, Cells];
}

const fromStatuses =
  (category?: string) =>
  (id: string, t: number): RawEvent[] => [
    status(id, 'sent', t - 1, { pricing: { pricing_model: 'NEW', type: 'new_type', ...(category && { category }) } }),
    status(id, 'delivered', t),
  ];
/** The report above names a category and an unknown type: it stays on the row and prediction decides. */
const unreported = (predicted: string): Cells => ({ predicted, reported: 'UNKNOWN', billing: predicted, type: '' });

const priceList: readonly PriceLine[] = [
  { kind: 'marketing, CSW open', sent: marketing, csw: true, outside: [BILLABLE, BILLABLE, BILLABLE, BILLABLE] },
  { kind: 'marketing, CSW closed', sent: marketing, csw: false, outside: [BILLABLE, BILLABLE, BILLABLE, BILLABLE] },
  { kind: 'utility, CSW open', sent: utility, csw: true, outside: [BILLABLE, BILLABLE, FREE_SERVICE, BILLABLE] },
  { kind: 'utility, CSW closed', sent: utility, csw: false, outside: [BILLABLE, BILLABLE, BILLABLE, BILLABLE] },
  {
    kind: 'authentication, CSW open',
    sent: authentication,
    csw: true,
    outside: [BILLABLE, BILLABLE, BILLABLE, BILLABLE],
  },
  {
    kind: 'authentication, CSW closed',
    sent: authentication,
    csw: false,
    outside: [BILLABLE, BILLABLE, BILLABLE, BILLABLE],
  },
  { kind: 'service', sent: text, csw: true, outside: [BILLABLE, FREE_SERVICE, FREE_SERVICE, BILLABLE] },
  { kind: 'reaction', sent: reaction, csw: true, outside: [BILLABLE, FREE_SERVICE, FREE_SERVICE, FREE_SERVICE] },
  {
    kind: 'template of category service',
    sent: (id, t) => template('SERVICE', id, t),
    csw: true,
    outside: [BILLABLE, FREE_SERVICE, FREE_SERVICE, BILLABLE],
  },
  {
    kind: 'template without a category',
    sent: (id, t) => template(undefined, id, t),
    csw: true,
    outside: [UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN],
  },
  {
    kind: 'template of a category never heard of',
    sent: (id, t) => template('general-purpose-AI', id, t),
    csw: true,
    outside: [BILLABLE, BILLABLE, BILLABLE, BILLABLE],
  },
  {
    kind: 'echo',
    sent: (id, t) => [echo(id, t)],
    csw: true,
    outside: [FREE_SERVICE, FREE_SERVICE, FREE_SERVICE, FREE_SERVICE],
  },
  {
    kind: 'echo of a template without a category',
    sent: (id, t) => [echo(id, t, { type: 'template', template: { name: 'follow_up' } })],
    csw: true,
    outside: [FREE_SERVICE, FREE_SERVICE, FREE_SERVICE, FREE_SERVICE],
  },
  {
    kind: 'utility known from statuses alone, CSW open',
    sent: fromStatuses('utility'),
    csw: true,
    outside: [unreported('BILLABLE'), unreported('BILLABLE'), unreported('FREE_SERVICE'), unreported('BILLABLE')],
  },
  {
    kind: 'service known from statuses alone',
    sent: fromStatuses('service'),
    csw: true,
    outside: [unreported('BILLABLE'), unreported('FREE_SERVICE'), unreported('FREE_SERVICE'), unreported('BILLABLE')],
  },
  {
    kind: 'nothing but statuses without a category',
    sent: fromStatuses(),
    csw: true,
    outside: [unreported('UNKNOWN'), unreported('UNKNOWN'), unreported('UNKNOWN'), unreported('UNKNOWN')],
  },
];

const prices: GoldenCase[] = priceList.flatMap(({ kind, sent, csw, outside }) =>
  POLICIES.flatMap((policy, i): GoldenCase[] => {
    const t = MONDAY_OF[policy];
    const mark = outside[i]!;
    return [
      {
        name: `${policy}, outside a window: ${kind}: ${mark['predicted']}`,
        rule: '3',
        events: [writes('in', csw ? t - HOUR : t - DAY), ...sent('m', t)],
        expect: { messages: { m: { ...mark, policy, conversation_id: '', ad_id: '' } } },
      },
      {
        name: `${policy}, inside a window: ${kind}: FREE_ENTRY`,
        rule: '3',
        events: [
          clicks('e', t - 2 * DAY),
          ...text('opener', t - 2 * DAY),
          ...(csw ? [writes('in', t - HOUR)] : []),
          ...sent('m', t),
        ],
        expect: {
          messages: {
            m: {
              predicted: 'FREE_ENTRY',
              billing: 'FREE_ENTRY',
              billable: 'false',
              policy,
              conversation_id: 'e',
              ad_id: AD,
            },
          },
          conversations: { e: { free_messages: '2' } },
        },
      },
    ];
  }),
);

// ---------------------------------------------------------------------------------------------------------------------
// 3.1: conversations, and how a free entry window resets them ([S2], before and after).

const kinds: readonly { name: string; sent: (id: string, t: number) => RawEvent[] }[] = [
  { name: 'marketing', sent: marketing },
  { name: 'utility', sent: utility },
  { name: 'authentication', sent: authentication },
  { name: 'service', sent: text },
];

const resets: GoldenCase[] = (['CBP-2023-06', 'CBP-2024-11'] as const).flatMap((policy) => {
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

const policyChanges: GoldenCase[] = [
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

// ---------------------------------------------------------------------------------------------------------------------
// Every boundary, one second before, on it, and one second after.

const SIDES = [-1, 0, 1] as const;
const side = (d: number): string => (d === 0 ? 'on it' : d < 0 ? '1 s before' : '1 s after');

/** A zone, and where its midnight of each policy date lies in UTC. */
const midnights: readonly { zone: string; dates: readonly [string, string, string] }[] = [
  { zone: 'UTC', dates: ['2024-11-01 00:00', '2025-07-01 00:00', '2026-10-01 00:00'] },
  { zone: 'Asia/Kathmandu', dates: ['2024-10-31 18:15', '2025-06-30 18:15', '2026-09-30 18:15'] },
  { zone: 'Pacific/Auckland', dates: ['2024-10-31 11:00', '2025-06-30 12:00', '2026-09-30 11:00'] },
  { zone: 'America/Sao_Paulo', dates: ['2024-11-01 03:00', '2025-07-01 03:00', '2026-10-01 03:00'] },
  { zone: 'America/Los_Angeles', dates: ['2024-11-01 07:00', '2025-07-01 07:00', '2026-10-01 07:00'] },
];

const boundaries: GoldenCase[] = SIDES.flatMap((d): GoldenCase[] => [
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

// ---------------------------------------------------------------------------------------------------------------------
// Facts: copies, statuses, echoes, categories.

const facts: GoldenCase[] = [
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
      status('m', 'delivered', MON + 3),
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
    name: 'a status that names another customer belongs to its message all the same',
    rule: 'F2, F3',
    events: [clicks('e', MON), sends('reply', MON + 1), { ...status('reply', 'delivered', MON + 2), wa_id: '4915' }],
    expect: { messages: { reply: { ...FREE_ENTRY, customer: CUSTOMER } } },
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
  {
    name: 'an echo is delivered when sent, and replies',
    rule: 'F6',
    events: [clicks('e', MON), echo('reply', MON + 1)],
    expect: {
      messages: { reply: { ...FREE_ENTRY, delivered_at: iso(MON + 1) } },
      conversations: { e: { opened_at: iso(MON + 1) } },
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
    name: 'echoes do not reply where the policy says so, but are free in a window',
    rule: 'F6',
    policy: { echoes_reply: false },
    events: [clicks('e', MON), echo('a', MON + 1), ...text('reply', MON + 2), echo('b', MON + 3)],
    expect: {
      messages: { a: FREE_SERVICE, reply: FREE_ENTRY, b: FREE_ENTRY },
      conversations: { e: { reply_message_id: 'reply' } },
    },
  },
  {
    name: 'an echo from October 2026 is free outside a window',
    rule: 'F6',
    events: [echo('a', MONDAY_OF['PMP-2026-10'])],
    expect: { messages: { a: { ...FREE_SERVICE, category: 'service', policy: 'PMP-2026-10' } } },
  },
];

// ---------------------------------------------------------------------------------------------------------------------
// Windows: entries, replies, what opens and what extends.

const isEntryWhen = (name: string, fields: object, entry: boolean, policy?: Partial<PolicySettings>): GoldenCase => ({
  name: `${name}: ${entry ? 'an entry' : 'no entry'}`,
  rule: 'W2',
  events: [clicks('e', MON, fields), ...marketing('m', MON + 1)],
  ...(policy && { policy }),
  expect: entry
    ? { messages: { m: FREE_ENTRY }, conversations: { e: { reply_message_id: 'm' } } }
    : { messages: { m: BILLABLE }, noConversations: ['e'] },
});

const windows: GoldenCase[] = [
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

// ---------------------------------------------------------------------------------------------------------------------
// Verdicts.

/** A marketing template delivered on Monday, outside any window, with this pricing. */
const reportOf = (pricing: object, reported: string, billing: string = reported): GoldenCase => ({
  name: `${JSON.stringify(pricing)}: ${reported === '' ? 'no report' : reported}`,
  rule: 'V1, V2',
  events: [sendsTemplate('m', MON, 'marketing'), status('m', 'delivered', MON, { pricing })],
  expect: { messages: { m: { predicted: 'BILLABLE', reported, billing, billable: String(billing === 'BILLABLE') } } },
});

const verdicts: GoldenCase[] = [
  reportOf({ type: 'free_entry_point' }, 'FREE_ENTRY'),
  reportOf({ type: 'free_customer_service' }, 'FREE_SERVICE'),
  reportOf({ type: 'regular' }, 'BILLABLE'),
  reportOf({ type: 'regular', billable: false }, 'BILLABLE'),
  reportOf({ type: 'regular', category: 'referral_conversion' }, 'BILLABLE'),
  reportOf({ type: 'REGULAR' }, 'UNKNOWN', 'BILLABLE'),
  reportOf({ type: 'free_group_customer_service' }, 'UNKNOWN', 'BILLABLE'),
  reportOf({ type: 'new_type', billable: false }, 'UNKNOWN', 'BILLABLE'),
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

// ---------------------------------------------------------------------------------------------------------------------
// Headline figures.

const figures: GoldenCase[] = [
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
        { ...echo(`r${i}`, MON + wait), wa_id: `10${i}` },
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
          windows_opened: '3',
          windows_confirmed: '0',
          messages: '3',
          delivered: '3',
          free_entry: '3',
        },
      },
      ads: {
        [`${AD} ad`]: {
          ad_conversations: '6',
          reply_rate: '0.7500',
          p90_seconds_to_reply: '168.8',
          free_messages: '3',
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

export const goldenCases: readonly GoldenCase[] = [
  ...workedExamples,
  ...prices,
  ...resets,
  ...policyChanges,
  ...boundaries,
  ...facts,
  ...windows,
  ...verdicts,
  ...figures,
];

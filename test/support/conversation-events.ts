import { simulate } from '../../services/simulate/simulate.ts';

export const NUMBER = '106540352242922';
export const ANNA = '5511987654334';
export const BEN = '447700900123';
export const USER_ID = 'US.13491208655302741918';
const LONG = '12025550199';
export const AD = '120226305854810001';
export const POST_ADDRESS = 'https://fb.me/a-post';

export const unix = (iso: string): number => Date.parse(iso) / 1000;

type Event = Readonly<Record<string, unknown>>;

function customerWrites(id: string, at: number, who: Event, more: Event = {}): Event {
  return {
    event: 'message',
    direction: 'inbound',
    phone_number_id: NUMBER,
    type: 'text',
    id,
    timestamp: at,
    ...who,
    ...more,
  };
}

function businessSends(id: string, at: number, wa_id: string, more: Event = {}): Event {
  return {
    event: 'message',
    direction: 'outbound',
    phone_number_id: NUMBER,
    type: 'text',
    id,
    timestamp: at,
    wa_id,
    ...more,
  };
}

function status(id: string, at: number, wa_id: string, more: Event = {}): Event {
  return { event: 'status', phone_number_id: NUMBER, id, status: 'delivered', timestamp: at, wa_id, ...more };
}

const ad = (source_id: string, more: Event = {}): Event => ({
  referral: { source_type: 'ad', source_id, ...more },
});
const template = (category: string): Event => ({ type: 'template', template: { name: 'spring', category } });

/** One thread with everything: before the entry, the entry, the reply, inside the window, after it. */
const ANNAS: readonly Event[] = [
  customerWrites('wamid.A1', unix('2026-03-01T08:00:00Z'), { wa_id: ANNA }),
  businessSends('wamid.A2', unix('2026-03-03T09:00:00Z'), ANNA, template('marketing')),
  status('wamid.A2', unix('2026-03-03T09:00:05Z'), ANNA),
  customerWrites(
    'wamid.A3',
    unix('2026-03-04T10:00:00Z'),
    { wa_id: ANNA },
    ad(AD, { headline: 'Spring sale', source_url: 'https://fb.me/spring' }),
  ),
  businessSends('wamid.A4', unix('2026-03-04T10:05:00Z'), ANNA),
  status('wamid.A4', unix('2026-03-04T10:05:10Z'), ANNA),
  customerWrites('wamid.A5', unix('2026-03-05T09:00:00Z'), { wa_id: ANNA }, { type: 'system' }),
  businessSends('wamid.A6', unix('2026-03-06T09:00:00Z'), ANNA, template('marketing')),
  status('wamid.A6', unix('2026-03-06T09:00:03Z'), ANNA, {
    pricing: { billable: true, pricing_model: 'PMP', type: 'regular', category: 'marketing' },
  }),
  businessSends('wamid.A7', unix('2026-03-08T09:00:00Z'), ANNA, template('marketing')),
  status('wamid.A7', unix('2026-03-08T09:00:04Z'), ANNA, {
    status: 'failed',
    errors: [{ code: 131050, title: 'User has stopped to receive marketing messages' }],
  }),
];

const OTHERS: readonly Event[] = [
  customerWrites(
    'wamid.B1',
    unix('2026-03-04T11:00:00Z'),
    { wa_id: BEN },
    {
      referral: { source_type: 'post', source_url: POST_ADDRESS },
    },
  ),
  // No number, only the business-scoped user id.
  customerWrites('wamid.C1', unix('2026-03-04T12:00:00Z'), { user_id: USER_ID }, ad(AD)),
];

const HUGO = '493012345678';
/** Twice refused; what came between says that the customer was reachable then. */
const HUGOS: readonly Event[] = ['2026-04-01T10:00:00Z', '2026-04-03T10:00:00Z'].flatMap((at, i) => [
  businessSends(`wamid.H${i}`, unix(at), HUGO, template('marketing')),
  status(`wamid.H${i}`, unix(at) + 1, HUGO, { status: 'failed', errors: [{ code: 131026 }] }),
  ...(i === 0 ? [customerWrites('wamid.H2', unix('2026-04-02T10:00:00Z'), { wa_id: HUGO })] : []),
]);

const GINA = '971501234567';

/** Under conversation pricing: a window that Meta speaks of, a re-click exactly 24 h later, and marketing that was resumed. */
const GINAS: readonly Event[] = [
  businessSends('wamid.G0', unix('2024-11-20T10:00:00Z'), GINA, template('marketing')),
  status('wamid.G0', unix('2024-11-20T10:00:01Z'), GINA, { status: 'failed', errors: [{ code: 131050 }] }),
  businessSends('wamid.G1', unix('2024-11-25T10:00:00Z'), GINA, template('marketing')),
  status('wamid.G1', unix('2024-11-25T10:00:01Z'), GINA),
  businessSends('wamid.G6', unix('2024-12-01T10:00:00Z'), GINA, template('utility')),
  status('wamid.G6', unix('2024-12-01T10:00:01Z'), GINA),
  customerWrites('wamid.G2', unix('2024-12-01T11:00:00Z'), { wa_id: GINA }, ad('66')),
  businessSends('wamid.G3', unix('2024-12-01T11:10:00Z'), GINA),
  status('wamid.G3', unix('2024-12-02T00:10:00Z'), GINA, {
    conversation: {
      id: 'conversation',
      expiration_timestamp: unix('2024-12-06T00:10:00Z'),
      origin: { type: 'referral_conversion' },
    },
  }),
  customerWrites('wamid.G4', unix('2024-12-02T11:00:00Z'), { wa_id: GINA }, ad('66')),
  // Errors as nobody documents them.
  businessSends('wamid.G5', unix('2024-12-03T10:00:00Z'), GINA),
  status('wamid.G5', unix('2024-12-03T10:00:01Z'), GINA, { status: 'failed', errors: 'no list' }),
  // A message that nothing names a customer of.
  {
    event: 'status',
    phone_number_id: NUMBER,
    id: 'wamid.N1',
    status: 'delivered',
    timestamp: unix('2024-12-10T10:00:00Z'),
    pricing: { category: 'utility' },
  },
];

/** More conversations than a page has, a minute after another. */
const CROWD = Array.from({ length: 60 }, (_, i) =>
  customerWrites(`wamid.D${i}`, unix('2026-03-02T00:00:00Z') + 60 * i, { wa_id: `34600000${100 + i}` }, ad('33')),
);

/** More messages than a page of a time line has. */
const LONG_THREAD = Array.from({ length: 260 }, (_, i) =>
  customerWrites(`wamid.L${i}`, unix('2026-02-10T00:00:00Z') + 60 * i, { wa_id: LONG }, i === 0 ? ad('44') : {}),
);

/** A customer service window that is about to close while the page is open. */
const CLOSES_IN = 600;
const openThread = (now: number): readonly Event[] => [
  customerWrites('wamid.E1', now - 86_400 + CLOSES_IN, { wa_id: '5521987654300' }, ad('55')),
  businessSends('wamid.E2', now - 86_000 + CLOSES_IN, '5521987654300'),
  status('wamid.E2', now - 86_000 + CLOSES_IN, '5521987654300'),
];

/** Traffic of another year, to search in. */
const SIMULATED: readonly Event[] = [
  ...simulate({ threads: 150, days: 20, seed: 5, end_at: unix('2025-02-01T00:00:00Z') }),
].map((line) => JSON.parse(line) as Event);

/** Everything in the ledger of the tests of conversations. `now` in Unix seconds. */
export const conversationEvents = (now: number): readonly Event[] => [
  ...ANNAS,
  ...OTHERS,
  ...GINAS,
  ...HUGOS,
  ...SIMULATED,
  ...CROWD,
  ...LONG_THREAD,
  ...openThread(now),
];

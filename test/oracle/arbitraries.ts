/**
 * Traffic nastier than reality, for comparing implementations of the billing rules.
 *
 * One generator serves both the property tests and large seeded runs: it makes all its choices through a `Choose`
 * function. fast-check hands it short tapes of numbers, one per group of events, so that a failing case shrinks by
 * dropping groups and then by turning each choice into its first, plainest option.
 */
import fc from 'fast-check';
import type { Account, PolicySettings } from '../../schemas/config.ts';

/** A number from 0 to n − 1; 0 is always the plainest choice. */
export type Choose = (n: number) => number;

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Event = { [key: string]: Json };

const HOUR = 3600;
const DAY = 24 * HOUR;

const utc = (iso: string): number => Date.parse(`${iso}Z`) / 1000;

const EARLIEST = utc('2023-06-01T00:00:00');
const LATEST = utc('2026-11-15T00:00:00');

/** Instants where some rule changes, and the nights on which local clocks change. */
const EDGES: readonly number[] = [
  utc('2025-10-15T12:00:00'),
  // conversation pricing
  utc('2023-06-20T08:00:00'),
  utc('2024-03-04T10:00:00'),
  utc('2025-03-03T10:00:00'),
  // the policy dates in UTC
  utc('2024-11-01T00:00:00'),
  utc('2025-07-01T00:00:00'),
  utc('2026-10-01T00:00:00'),
  // at +05:45
  utc('2024-10-31T18:15:00'),
  utc('2025-06-30T18:15:00'),
  utc('2026-09-30T18:15:00'),
  // in São Paulo
  utc('2024-11-01T03:00:00'),
  utc('2025-07-01T03:00:00'),
  utc('2026-10-01T03:00:00'),
  // in Auckland: +13 in summer, +12 in winter
  utc('2024-10-31T11:00:00'),
  utc('2025-06-30T12:00:00'),
  utc('2026-09-30T11:00:00'),
  // in Los Angeles
  utc('2024-11-01T07:00:00'),
  utc('2025-07-01T07:00:00'),
  utc('2026-10-01T07:00:00'),
  // daylight saving time: Los Angeles, Auckland, Berlin
  utc('2024-11-03T09:00:00'),
  utc('2025-03-09T10:00:00'),
  utc('2025-09-27T14:00:00'),
  utc('2026-04-04T14:00:00'),
  utc('2025-03-30T01:00:00'),
  utc('2025-10-26T01:00:00'),
];

export const ZONES: readonly string[] = [
  'UTC',
  'America/Sao_Paulo',
  'Asia/Kathmandu',
  'Pacific/Auckland',
  'America/Los_Angeles',
  'Europe/Berlin',
  'Pacific/Kiritimati',
  'Asia/Kolkata',
];

const PHONE_NUMBERS = ['106540352242922', '206540352242922', '99'] as const;
const WABAS = ['102290129340398', '202290129340398', '99'] as const;

/** What the groups of one array of traffic have in common. */
interface World {
  readonly base: number;
  /** Put into ids, so that worlds can be laid side by side without sharing messages. */
  readonly prefix: string;
  readonly numbers: number;
  readonly customers: number;
}

export function one<T>(choose: Choose, options: readonly T[]): T {
  return options[choose(options.length)]!;
}

/** True once in n times; the plain answer is false. */
export function rarely(choose: Choose, n: number): boolean {
  return choose(n) === n - 1;
}

function clamp(t: number): number {
  return Math.min(Math.max(t, EARLIEST), LATEST);
}

/**
 * A time near the world's edge. Days and single seconds only, mostly, so that the distances between any two events
 * fall on 24, 72 and 168 hours and a second to either side of them again and again.
 */
function time(world: World, choose: Choose): number {
  const days = one(choose, [0, 1, 2, 3, 4, 7, 8, -1, -3, 5, 6, 10]);
  const seconds = one(choose, [0, 1, -1, 0, 0, 60, HOUR, 6 * HOUR, -HOUR, 12 * HOUR + 7]);
  return clamp(world.base + days * DAY + seconds);
}

/** How long after `t` something followed it: at once, soon, or on an edge. */
function after(t: number, choose: Choose): number {
  return clamp(t + one(choose, [0, 1, 5, HOUR, DAY, DAY - 1, DAY + 1, 3 * DAY, -1, 7 * DAY, 2 * DAY]));
}

function stamp(t: number, choose: Choose): Json {
  return choose(2) === 0 ? String(t) : t;
}

function phoneNumber(world: World, choose: Choose): string {
  return PHONE_NUMBERS[choose(world.numbers)]!;
}

/** The identity fields of a customer: a number (written in several ways), a business-scoped id, or both. */
function customer(world: World, choose: Choose): Event {
  const who = choose(world.customers);
  const number = `1650555${world.prefix.replace(/[^0-9]/g, '')}000${who}`;
  const user = `US.${world.prefix}1349120865530274191${who}`;
  switch (choose(20)) {
    case 16:
      return { wa_id: `+${number}` };
    case 17:
      return { wa_id: `+${number.slice(0, 1)} ${number.slice(1, 4)} ${number.slice(4)}` };
    case 18:
      return { user_id: user };
    case 19:
      return { wa_id: number, user_id: user };
    default:
      return { wa_id: number };
  }
}

/** Ids of few messages, some of which inbound, outbound and status events share, over all customers and numbers. */
function messageId(world: World, choose: Choose, kind: 'I' | 'O' | 'S' | 'M'): string {
  const shared = rarely(choose, 16);
  const name = shared ? `X${choose(2)}` : `${kind}${choose(kind === 'M' ? 60 : 12)}`;
  // Ids beyond the Basic Multilingual Plane and before it sort differently in UTF-16 and UTF-8.
  const mark = one(choose, ['', '', '', '', '\u{ff21}', '\u{1d400}', 'a', '_']);
  return `wamid.${world.prefix}${mark}${name}`;
}

function referral(choose: Choose): Json {
  const fields: Event = {
    source_type: one(choose, ['ad', 'ad', 'ad', 'ad', 'post', 'AD', 'story', '']),
    source_id: one(choose, ['120226305854810726', '120226305854810726', '7', 'post-9', '', null, '@sum(1)']),
    source_url: one(choose, ['https://fb.me/3cr4', 'https://fb.me/a,"b"', '=HYPERLINK("x")', null, '']),
    ctwa_clid: one(choose, ['Aff-n8', null, '', 'Bgg-n9']),
  };
  if (rarely(choose, 6)) fields['headline'] = one(choose, ['Chat with us', 'Olá ção', 'line\nbreak']);
  if (rarely(choose, 8)) fields['welcome_message'] = { text: 'Hi' };
  if (rarely(choose, 12)) return one<Json>(choose, [null, {}, { source_type: '' }, { headline: 'only' }]);
  return fields;
}

function inboundMessage(world: World, choose: Choose, clicked: boolean): Event[] {
  const t = time(world, choose);
  const event: Event = {
    event: 'message',
    direction: 'inbound',
    phone_number_id: phoneNumber(world, choose),
    ...customer(world, choose),
    id: messageId(world, choose, 'I'),
    timestamp: stamp(t, choose),
    type: one(choose, ['text', 'text', 'audio', 'reaction', 'system', 'button', 'hologram']),
  };
  if (choose(3) === 0) event['waba_id'] = one(choose, WABAS);
  if (clicked) event['referral'] = referral(choose);
  const device = one(choose, ['', '', '', 'android', 'ios', 'web', 'desktop', 'WEB', 'fridge']);
  if (device !== '') event['device'] = device;
  if (rarely(choose, 8)) event['context'] = one<Json>(choose, [{}, { from: '1', id: 'wamid.Q' }, { forwarded: true }]);
  return [event];
}

const CATEGORIES: readonly Json[] = [
  'marketing',
  'utility',
  'authentication',
  'service',
  'MARKETING',
  'UTILITY',
  'authentication-international',
  'AUTHENTICATION_INTERNATIONAL',
  'marketing_lite',
  'Group-Utility',
  'referral_conversion',
  'SERVICE',
  'unknown',
  '',
  null,
];

function pricing(choose: Choose): Json {
  const fields: Event = {};
  const model = one(choose, ['PMP', 'CBP', 'CBP', '', null, 'cbp', 'NEW']);
  const type = one(choose, [
    'regular',
    'free_entry_point',
    'free_customer_service',
    '',
    null,
    'REGULAR',
    'free_group_customer_service',
  ]);
  const category = one(choose, [...CATEGORIES, 'referral-conversion', 'referral_conversion', 'general_purpose_ai']);
  const billable = one<Json>(choose, [true, true, false, null]);
  if (model !== '') fields['pricing_model'] = model;
  if (!rarely(choose, 3)) fields['type'] = type;
  if (!rarely(choose, 4)) fields['category'] = category;
  if (!rarely(choose, 3)) fields['billable'] = billable;
  if (rarely(choose, 10)) fields['subtype'] = 'paid_exempt';
  return rarely(choose, 12)
    ? one<Json>(choose, [{}, null, { pricing_model: 'PMP' }, { type: '', category: '' }])
    : fields;
}

/** A window that Meta reports: on an edge of the rules, too long, past, or of another origin. */
function conversation(world: World, t: number, choose: Choose): Json {
  const fields: Event = { id: one(choose, [`c${world.prefix}0`, `c${world.prefix}1`, '', null]) };
  const origin = one(choose, [
    'referral_conversion',
    'referral_conversion',
    'marketing',
    'service',
    'Referral_Conversion',
  ]);
  fields['origin'] = rarely(choose, 10) ? one<Json>(choose, [{}, null, { type: '' }]) : { type: origin };
  const from = choose(3) === 0 ? world.base : t;
  const length = one(choose, [3, 4, 5, 7, 8, 1, 2, 10, 0, -1, 14]) * DAY + one(choose, [0, 1, -1, 0, HOUR]);
  if (!rarely(choose, 4)) fields['expiration_timestamp'] = stamp(from + length, choose);
  else if (choose(2) === 1) fields['expiration_timestamp'] = one<Json>(choose, [null, '']);
  return fields;
}

const STATUSES = ['delivered', 'sent', 'read', 'failed', 'played', 'deleted', 'Delivered'] as const;

function status(world: World, choose: Choose, of: Event, name: string, t: number): Event {
  const event: Event = { event: 'status', phone_number_id: of['phone_number_id']!, id: of['id']! };
  // Mostly the customer of the message; at times none, at times somebody else.
  const named = choose(8);
  if (named < 6) {
    if (of['wa_id'] !== undefined) event['wa_id'] = of['wa_id'];
    if (of['user_id'] !== undefined) event['user_id'] = of['user_id'];
  } else if (named === 7) Object.assign(event, customer(world, choose));
  event['status'] = name;
  event['timestamp'] = stamp(t, choose);
  if (rarely(choose, 4)) event['waba_id'] = one(choose, WABAS);
  if (choose(2) === 1) event['pricing'] = pricing(choose);
  if (choose(2) === 1) event['conversation'] = conversation(world, t, choose);
  if (rarely(choose, 10)) event['participant'] = one(choose, ['16505550001', '', 'US.1']);
  if (rarely(choose, 10)) event['errors'] = one<Json>(choose, [[], [{ code: 131047, title: 'Re-engagement' }]]);
  if (rarely(choose, 10)) event['recipient_type'] = 'group';
  return event;
}

function statuses(world: World, choose: Choose, of: Event, sentAt: number): Event[] {
  const made: Event[] = [];
  const count = one(choose, [1, 2, 3, 0, 4]);
  let t = sentAt;
  for (let i = 0; i < count; i++) {
    const name = one(choose, STATUSES);
    made.push(status(world, choose, of, name, t));
    t = after(t, choose);
  }
  return made;
}

function outboundMessage(world: World, choose: Choose, kind: 'template' | 'other' | 'echo'): Event[] {
  const t = time(world, choose);
  const event: Event = {
    event: 'message',
    direction: 'outbound',
    phone_number_id: phoneNumber(world, choose),
    ...customer(world, choose),
    id: messageId(world, choose, 'O'),
    timestamp: stamp(t, choose),
    type: kind === 'template' ? 'template' : one(choose, ['text', 'text', 'reaction', 'image', 'hologram']),
  };
  if (choose(3) === 0) event['waba_id'] = one(choose, WABAS);
  if (kind === 'template' || rarely(choose, 20)) {
    event['template'] = rarely(choose, 10)
      ? one<Json>(choose, [null, {}, { category: '' }])
      : { name: one(choose, ['follow_up', '-lead', '']), language: 'en', category: one(choose, CATEGORIES) };
  }
  if (kind === 'echo') {
    event['origin'] = 'app';
    if (rarely(choose, 4)) {
      event['type'] = 'template';
      event['template'] = { name: 'follow_up', category: one(choose, CATEGORIES) };
    }
    return choose(3) === 0 ? [event, ...statuses(world, choose, event, t)] : [event];
  }
  const origin = one(choose, ['', '', '', 'api', 'APP', 'flow']);
  if (origin !== '') event['origin'] = origin;
  if (rarely(choose, 6)) event['sender'] = one<Json>(choose, ['bot', 'agent:ana', '', { name: 'Ana', tags: [] }, {}]);
  // A referral on what the business sends makes no entry.
  if (rarely(choose, 20)) event['referral'] = referral(choose);
  return [event, ...statuses(world, choose, event, after(t, choose))];
}

/** Statuses whose message event never came, or came as something else. */
function orphanStatuses(world: World, choose: Choose): Event[] {
  const t = time(world, choose);
  const of: Event = {
    phone_number_id: phoneNumber(world, choose),
    id: messageId(world, choose, one(choose, ['S', 'S', 'O', 'I'])),
    ...customer(world, choose),
  };
  return statuses(world, choose, of, t);
}

/** An ad click and an answer to it: without this, windows would be rare among so much noise. */
function answeredClick(world: World, choose: Choose): Event[] {
  const [click] = inboundMessage(world, choose, true);
  if (click === undefined) return [];
  click['type'] = 'text';
  delete click['device'];
  click['referral'] = { source_type: 'ad', source_id: one(choose, ['120226305854810726', '7']), ctwa_clid: 'Aff-n8' };
  const t = Number(click['timestamp']);
  const repliedAt = clamp(t + one(choose, [60, 0, HOUR, DAY, DAY + 1, DAY - 1, -1, 20 * HOUR]));
  const reply: Event = {
    event: 'message',
    direction: 'outbound',
    phone_number_id: click['phone_number_id']!,
    ...(click['wa_id'] === undefined ? {} : { wa_id: click['wa_id'] }),
    ...(click['user_id'] === undefined ? {} : { user_id: click['user_id'] }),
    id: messageId(world, choose, 'O'),
    timestamp: stamp(repliedAt, choose),
    type: 'text',
  };
  const deliveredAt = after(repliedAt, choose);
  return [click, reply, status(world, choose, reply, one(choose, ['delivered', 'read', 'played']), deliveredAt)];
}

/**
 * One thread around one window, every time chosen relative to the edges that the earlier ones made: the click, the
 * reply, the end of the service window, the estimated and the reported end of the free entry window.
 */
function scene(world: World, choose: Choose): Event[] {
  const phone_number_id = phoneNumber(world, choose);
  const who = customer(world, choose);
  const made: Event[] = [];
  const say = (direction: string, t: number, fields: Event): Event => {
    const id = messageId(world, choose, direction === 'inbound' ? 'I' : 'M');
    const event = { event: 'message', direction, phone_number_id, ...who, id, timestamp: String(clamp(t)), ...fields };
    made.push(event);
    return event;
  };
  const says = (of: Event, name: string, t: number, fields: Event): void => {
    made.push({
      event: 'status',
      phone_number_id,
      ...who,
      id: of['id']!,
      status: name,
      timestamp: clamp(t),
      ...fields,
    });
  };
  const until = (t: number): Event => ({
    conversation: { id: 'w', expiration_timestamp: t, origin: { type: 'referral_conversion' } },
  });
  const near = (t: number): number => t + one(choose, [0, -1, 1]);
  const somewhere = (edges: readonly number[]): number => near(one(choose, edges));
  const click = (t: number): Event =>
    say('inbound', t, { type: 'text', referral: { source_type: 'ad', source_id: one(choose, ['7', '8']) } });

  const clicked = time(world, choose);
  const repliedAt = near(clicked + one(choose, [HOUR, HOUR, 0, DAY, 20 * HOUR]));
  const openedAt = repliedAt + one(choose, [0, 0, 1, HOUR, 2 * DAY]);
  const edges = [openedAt, openedAt + 72 * HOUR, clicked + DAY, clicked, openedAt + HOUR, openedAt + 80 * HOUR];

  if (choose(2) === 1) {
    const t = near(clicked - one(choose, [HOUR, DAY, 0]));
    const before = say(
      'outbound',
      t,
      one<Event>(choose, [{ type: 'template', template: { category: 'utility' } }, { type: 'text' }]),
    );
    says(before, 'delivered', t, {});
    edges.push(t + DAY);
  }
  click(clicked);
  const reply = say('outbound', repliedAt, { type: one(choose, ['text', 'text', 'image', 'reaction']) });
  const reports = one(choose, [0, 1, 1, 2, 3]);
  const lengths = [96 * HOUR, HOUR, HOUR, 168 * HOUR, 0, 120 * HOUR, 72 * HOUR, 200 * HOUR];
  for (let i = 0; i < reports; i++) {
    const end = near(openedAt + one(choose, lengths));
    edges.push(end);
    says(reply, one(choose, ['sent', 'read']), openedAt + i, until(end));
  }
  says(reply, 'delivered', openedAt, {});

  const more = choose(3);
  for (let i = 0; i < more; i++) {
    const t = somewhere(edges);
    // 24 h after one click is where the next stops being a re-click.
    edges.push(t + DAY);
    if (choose(2) === 0) click(t);
    else say('inbound', t, { type: one(choose, ['system', 'text']) });
  }
  const messages = 1 + choose(6);
  for (let i = 0; i < messages; i++) {
    const t = somewhere(edges);
    const category = one(choose, ['utility', 'marketing', 'utility', 'service', 'authentication']);
    const sent = one(choose, [t, t, t - 1, t - HOUR, t - DAY]);
    const kind: Event =
      category === 'service'
        ? { type: one(choose, ['text', 'text', 'reaction', 'template']), template: { category: 'service' } }
        : { type: 'template', template: { name: 'follow_up', category } };
    const of = say('outbound', sent, kind);
    edges.push(t + DAY);
    let said: Event = {};
    if (choose(4) === 3) {
      const end = near(one(choose, [t, ...edges]) + one(choose, [0, DAY, 2 * DAY]));
      edges.push(end);
      said = until(end);
    }
    if (choose(4) === 3) said = { ...said, pricing: pricing(choose) };
    says(of, one(choose, ['delivered', 'delivered', 'read', 'sent']), t, said);
  }
  return made;
}

/** A charge of one CBP conversation: several messages whose reports share a `conversation.id`. */
function sharedConversation(world: World, choose: Choose): Event[] {
  const made: Event[] = [];
  const phone_number_id = phoneNumber(world, choose);
  const who = customer(world, choose);
  const id = one(choose, [`c${world.prefix}0`, '']);
  const count = 2 + choose(3);
  let t = time(world, choose);
  for (let i = 0; i < count; i++) {
    const of: Event = { phone_number_id, ...who, id: messageId(world, choose, 'S') };
    const event = status(world, choose, of, 'delivered', t);
    event['conversation'] = { id, origin: { type: 'marketing' } };
    event['pricing'] = {
      billable: true,
      pricing_model: 'CBP',
      category: one(choose, ['marketing', 'utility', 'service']),
    };
    made.push(event);
    t = clamp(t + one(choose, [0, HOUR, DAY, DAY - 1]));
  }
  return made;
}

/** The same event written differently: the same once normalised (F2). */
function rewritten(event: Event, choose: Choose): Event {
  const copy: Event = {};
  const keys = Object.keys(event);
  if (choose(2) === 1) keys.reverse();
  for (const key of keys) copy[key] = event[key]!;
  if (choose(2) === 1) {
    const t = copy['timestamp']!;
    copy['timestamp'] = typeof t === 'number' ? String(t) : Number(t);
  }
  const wa = copy['wa_id'];
  if (typeof wa === 'string' && choose(2) === 1) copy['wa_id'] = `+${wa.replace(/[^0-9]/g, '')}`;
  if (choose(2) === 1) copy['text'] = { body: 'not ours to keep' };
  for (const name of ['context', 'device', 'sender', 'participant', 'errors', 'pricing', 'conversation', 'referral']) {
    if (copy[name] === undefined && rarely(choose, 4)) copy[name] = one<Json>(choose, [null, '', {}, []]);
  }
  const nested = one(choose, ['referral', 'template', 'conversation', 'pricing']);
  const inside = copy[nested];
  if (typeof inside === 'object' && inside !== null && !Array.isArray(inside) && Object.keys(inside).length > 0) {
    copy[nested] = { ...inside, later_field: 1 };
  }
  return copy;
}

/** Another version of the event that differs in something that counts (F2). */
function altered(world: World, event: Event, choose: Choose): Event {
  const copy: Event = { ...event };
  if (copy['event'] === 'status') {
    switch (choose(4)) {
      case 0:
        copy['pricing'] = pricing(choose);
        break;
      case 1:
        copy['conversation'] = conversation(world, Number(copy['timestamp']), choose);
        break;
      case 2:
        copy['participant'] = one(choose, ['1', '2']);
        break;
      default:
        delete copy['wa_id'];
        delete copy['user_id'];
    }
    return copy;
  }
  switch (choose(6)) {
    case 0:
      copy['timestamp'] = stamp(after(Number(copy['timestamp']), choose), choose);
      break;
    case 1:
      copy['direction'] = copy['direction'] === 'inbound' ? 'outbound' : 'inbound';
      break;
    case 2:
      delete copy['wa_id'];
      delete copy['user_id'];
      Object.assign(copy, customer(world, choose));
      break;
    case 3:
      if (copy['referral'] === undefined) copy['referral'] = referral(choose);
      else delete copy['referral'];
      break;
    case 4:
      copy['type'] = one(choose, ['text', 'template', 'reaction', 'system']);
      break;
    default:
      copy['waba_id'] = one(choose, WABAS);
  }
  return copy;
}

function group(world: World, choose: Choose): Event[] {
  const made = ((): Event[] => {
    switch (choose(17)) {
      case 0:
      case 1:
        return answeredClick(world, choose);
      case 2:
      case 3:
      case 4:
      case 5:
        return outboundMessage(world, choose, 'template');
      case 6:
      case 7:
        return outboundMessage(world, choose, 'other');
      case 8:
        return inboundMessage(world, choose, true);
      case 9:
        return inboundMessage(world, choose, false);
      case 10:
      case 11:
        return orphanStatuses(world, choose);
      case 12:
        return outboundMessage(world, choose, 'echo');
      case 13:
        return sharedConversation(world, choose);
      default:
        return scene(world, choose);
    }
  })();
  const copies: Event[] = [];
  for (const event of made) {
    const again = choose(16);
    if (again === 13) copies.push(event);
    if (again === 14) copies.push(rewritten(event, choose));
    if (again === 15) copies.push(altered(world, event, choose));
  }
  return [...made, ...copies];
}

function makeWorld(prefix: string, choose: Choose): World {
  return {
    base: one(choose, EDGES),
    prefix,
    // Mostly one thread, so that its events meet.
    numbers: one(choose, [1, 1, 1, 2, 3]),
    customers: one(choose, [1, 1, 2, 3, 4]),
  };
}

/** Reads a tape of numbers; past its end every choice is the plainest. */
export function reading(tape: readonly number[]): Choose {
  let at = 0;
  return (n) => (tape[at++] ?? 0) % n;
}

export function tapeArbitrary(length: number): fc.Arbitrary<number[]> {
  // 27720 is divisible by every n that the generator asks for but a few, so no choice is much favoured.
  return fc.array(fc.nat(27_719), { minLength: length, maxLength: length });
}

export interface TrafficOptions {
  /** Most groups of events; a group is one message with its statuses, or so. Default 16. */
  readonly maxGroups?: number;
}

/** Raw events as in contract.md 1, all valid in shape, in any order and with duplicates. */
export function traffic(options: TrafficOptions = {}): fc.Arbitrary<unknown[]> {
  const { maxGroups = 16 } = options;
  return fc
    .tuple(tapeArbitrary(3), fc.array(tapeArbitrary(160), { minLength: 1, maxLength: maxGroups, size: 'max' }))
    .map(([worldTape, groupTapes]) => {
      const world = makeWorld('', reading(worldTape));
      return groupTapes.flatMap((tape): unknown[] => group(world, reading(tape)));
    })
    .chain((events) => fc.shuffledSubarray(events, { minLength: events.length, maxLength: events.length }));
}

/** The accounts of a business, with and without time zones; no number is listed by two of them. */
export const accountsArbitrary: fc.Arbitrary<Account[]> = fc
  .tuple(
    fc.subarray([...WABAS]),
    fc.array(fc.option(fc.constantFrom(...ZONES), { nil: undefined }), { minLength: 3, maxLength: 3 }),
    fc.array(fc.constantFrom(-1, 0, 1, 2), { minLength: 3, maxLength: 3 }),
  )
  .map(([wabas, zones, listedBy]) =>
    wabas.map((waba_id, i): Account => {
      const zone = zones[i];
      const listed = PHONE_NUMBERS.filter((_, number) => listedBy[number] === i);
      return {
        waba_id,
        ...(zone === undefined ? {} : { time_zone: zone }),
        ...(listed.length === 0 ? {} : { phone_number_ids: listed }),
      };
    }),
  );

export const policyArbitrary: fc.Arbitrary<PolicySettings> = fc.record({
  entry_sources: fc.constantFrom(['ad', 'post'], ['ad'], ['post'], ['ad', 'post', 'story']),
  clock: fc.constantFrom('delivered', 'sent'),
  echoes: fc.constantFrom('apart', 'counted'),
  echoes_reply: fc.constantFrom(true, false),
  reactions_reply: fc.constantFrom(false, true),
  max_window_hours: fc.constantFrom(168, 72, 96, 240, 24, 1),
});

/** Everything that the reports are a function of. */
export interface ReportInput {
  readonly events: unknown[];
  readonly accounts: Account[];
  readonly policy: PolicySettings;
  readonly as_of: number;
  readonly tz: string;
  readonly from?: string;
  readonly to?: string;
}

/**
 * Traffic with accounts and policy, a clock on or beside 24 h after some event, and at times a range of days that cuts
 * through the traffic.
 */
export function inputArbitrary(options: TrafficOptions = {}): fc.Arbitrary<ReportInput> {
  const asked = fc.record({
    events: traffic(options),
    accounts: accountsArbitrary,
    policy: policyArbitrary,
    tz: fc.constantFrom(...ZONES),
    clock: fc.option(fc.tuple(fc.nat(), fc.constantFrom(0, -1, 1)), { nil: undefined }),
    first: fc.option(fc.nat(), { nil: undefined, freq: 1 }),
    last: fc.option(fc.nat(), { nil: undefined, freq: 1 }),
  });
  return asked.map(({ events, accounts, policy, tz, clock, first, last }) => {
    const times = events.map((event) => Number((event as Event)['timestamp']));
    const pick = (n: number): number => times[n % times.length] ?? LATEST;
    const day = (n: number): string => new Date(pick(n) * 1000).toISOString().slice(0, 10);
    return {
      events,
      accounts,
      policy,
      tz,
      as_of: clock === undefined ? LATEST + 20 * DAY : pick(clock[0]) + DAY + clock[1],
      ...(first === undefined ? {} : { from: day(first) }),
      ...(last === undefined ? {} : { to: day(last) }),
    };
  });
}

/**
 * About `size` raw events from a seed, without fast-check: many small worlds that share business numbers but neither
 * messages nor customers, shuffled.
 */
export function randomTraffic(seed: number, size: number): unknown[] {
  const choose = seeded(seed);
  const events: unknown[] = [];
  for (let i = 0; events.length < size; i++) {
    const world = makeWorld(`w${i}.`, choose);
    const groups = 4 + choose(16);
    for (let j = 0; j < groups && events.length < size; j++) events.push(...group(world, choose));
  }
  events.length = Math.min(events.length, size);
  for (let i = events.length - 1; i > 0; i--) {
    const j = choose(i + 1);
    [events[i], events[j]] = [events[j], events[i]];
  }
  return events;
}

/** The same choices for the same seed on every machine (mulberry32). */
export function seeded(seed: number): Choose {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

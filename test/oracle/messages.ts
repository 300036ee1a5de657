/** Single messages and statuses, nastier than reality: every field at times odd, absent or of somebody else. */
import { one, rarely, type Choose, type Event, type Json } from './choices.ts';
import {
  after,
  clamp,
  customer,
  DAY,
  groupId,
  HOUR,
  messageId,
  phoneNumber,
  stamp,
  time,
  WABAS,
  type World,
} from './worlds.ts';

export function referral(choose: Choose): Json {
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

export function inboundMessage(world: World, choose: Choose, clicked: boolean): Event[] {
  const t = time(world, choose);
  const event: Event = {
    event: 'message',
    direction: 'inbound',
    phone_number_id: phoneNumber(world, choose),
    ...customer(world, choose),
    id: messageId(world, choose, 'I'),
    timestamp: stamp(t, choose),
    type: one(choose, ['text', 'text', 'audio', 'reaction', 'system', 'button', 'hologram', 'call', 'edit', 'revoke']),
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
  'group_service',
  'GROUP_MARKETING',
  'group_unknown',
  'referral_conversion',
  'SERVICE',
  'unknown',
  '',
  null,
];

export function pricing(choose: Choose): Json {
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
    'free_something_new',
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
export function conversation(world: World, t: number, choose: Choose): Json {
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

/** Errors as Meta sends them, and as it does not. */
export function errors(choose: Choose): Json {
  const code = one<Json>(choose, [131047, 131026, '131049', 131060, 131053.5, null, { code: 1 }, '']);
  const title = one<Json>(choose, ['Re-engagement message', '=1+1', 'Não enviada, "x"', '', null, 7]);
  const error: Event = { code, title, message: 'said by Meta', error_data: { details: 'more' } };
  return one<Json>(choose, [
    [error],
    [error],
    [error, { code: 131060, title: 'second' }],
    [{ code: 130472 }, error],
    [{ title: 'no code' }],
    error,
    'failed',
    131047,
    [],
    {},
    '',
    null,
    true,
    [null],
    [[error]],
    ['131060'],
    [{}],
  ]);
}

const TAGS: readonly Json[] = ['campaign-7', 'bot', '=1+1', 'Olá, "x"', '', null];

export function tag(choose: Choose): Json {
  return one(choose, TAGS);
}

export function status(world: World, choose: Choose, of: Event, name: string, t: number): Event {
  const event: Event = { event: 'status', phone_number_id: of['phone_number_id']!, id: of['id']! };
  // Mostly the customer of the message; at times none, at times somebody else, or the same by another name.
  const named = choose(9);
  if (named < 6) {
    if (of['wa_id'] !== undefined) event['wa_id'] = of['wa_id'];
    if (of['user_id'] !== undefined) event['user_id'] = of['user_id'];
  } else if (named > 6) Object.assign(event, customer(world, choose));
  event['status'] = name;
  event['timestamp'] = stamp(t, choose);
  if (rarely(choose, 4)) event['waba_id'] = one(choose, WABAS);
  if (choose(2) === 1) event['pricing'] = pricing(choose);
  if (choose(2) === 1) event['conversation'] = conversation(world, t, choose);
  if (rarely(choose, 10)) event['participant'] = one(choose, ['16505550001', '', 'US.1', '+1 650 555-0001']);
  if (rarely(choose, name === 'failed' ? 2 : 10)) event['errors'] = errors(choose);
  if (rarely(choose, 10)) event['tag'] = tag(choose);
  if (rarely(choose, 40)) event['group_id'] = groupId(world, choose);
  return event;
}

export function statuses(world: World, choose: Choose, of: Event, sentAt: number): Event[] {
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

export function outboundMessage(world: World, choose: Choose, kind: 'template' | 'other' | 'echo'): Event[] {
  const t = time(world, choose);
  const event: Event = {
    event: 'message',
    direction: 'outbound',
    phone_number_id: phoneNumber(world, choose),
    ...customer(world, choose),
    id: messageId(world, choose, 'O'),
    timestamp: stamp(t, choose),
    type: kind === 'template' ? 'template' : one(choose, ['text', 'text', 'reaction', 'image', 'hologram', 'call']),
  };
  if (rarely(choose, 8)) event['tag'] = tag(choose);
  if (rarely(choose, 40)) event['group_id'] = groupId(world, choose);
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
export function orphanStatuses(world: World, choose: Choose): Event[] {
  const t = time(world, choose);
  const of: Event = {
    phone_number_id: phoneNumber(world, choose),
    id: messageId(world, choose, one(choose, ['S', 'S', 'O', 'I'])),
    ...customer(world, choose),
  };
  return statuses(world, choose, of, t);
}

/** An ad click and an answer to it: without this, windows would be rare among so much noise. */
export function answeredClick(world: World, choose: Choose): Event[] {
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

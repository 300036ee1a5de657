/** What real traffic brought: groups, other names of the same customer, replies from the app, lost ads, edits. */
import { one, rarely, type Choose, type Event, type Json } from './choices.ts';
import { errors, pricing, referral, status, statuses, tag } from './messages.ts';
import {
  after,
  clamp,
  customer,
  DAY,
  groupId,
  HOUR,
  messageId,
  numberOf,
  phoneNumber,
  stamp,
  time,
  userOf,
  type World,
} from './worlds.ts';

/** The longest windows that the policies of the tests believe, in seconds. */
const LONGEST = [168 * HOUR, 72 * HOUR, 96 * HOUR, 240 * HOUR, 24 * HOUR, HOUR];

/** The message event with the fields that every one has. */
function said(direction: string, phone_number_id: string, id: string, t: number, fields: Event): Event {
  return { event: 'message', direction, phone_number_id, id, timestamp: String(clamp(t)), type: 'text', ...fields };
}

const near = (t: number, choose: Choose): number => t + one(choose, [0, -1, 1]);

// ---------------------------------------------------------------------------------------------------------------------
// F8: groups.

/** Some member of a group: a customer of the world in several spellings, or one without a number. */
function member(world: World, choose: Choose): string {
  const who = choose(world.customers + 2);
  const { number } = numberOf(world, who);
  return one(choose, [number, number, `+${number}`, userOf(world, who), `member ${who}`]);
}

const GROUP_CATEGORIES: readonly Json[] = [
  'group_marketing',
  'group_utility',
  'group_service',
  'GROUP-UTILITY',
  'utility',
  'group_authentication',
  'group_unknown',
  null,
];

function groupPricing(choose: Choose): Json {
  if (rarely(choose, 4)) return pricing(choose);
  const type = one(choose, ['regular', 'free_group_customer_service', 'free_entry_point', 'free_something_new', '']);
  const billable = one<Json>(choose, [type === 'regular', true, false, null]);
  const pricing_model = one(choose, ['PMP', 'PMP', 'CBP']);
  return { billable, pricing_model, type, category: one(choose, GROUP_CATEGORIES) };
}

/** A status of a group message: of one participant, or of none; some do not name the group, or name another. */
function groupStatus(world: World, choose: Choose, of: Event, group: string, t: number): Event {
  const name = one(choose, ['delivered', 'delivered', 'read', 'sent', 'failed']);
  const made: Event = {
    event: 'status',
    phone_number_id: of['phone_number_id']!,
    id: of['id']!,
    status: name,
    timestamp: stamp(t, choose),
  };
  const named = one(choose, [group, group, group, '', groupId(world, choose)]);
  if (named !== '') made['group_id'] = named;
  if (!rarely(choose, 4)) made['participant'] = member(world, choose);
  if (rarely(choose, 6)) Object.assign(made, customer(world, choose));
  if (choose(2) === 1) made['pricing'] = groupPricing(choose);
  if (rarely(choose, 4)) {
    made['conversation'] = {
      id: `c${world.prefix}0`,
      origin: { type: one(choose, ['marketing', 'referral_conversion']) },
    };
  }
  if (name === 'failed') made['errors'] = errors(choose);
  if (rarely(choose, 6)) made['tag'] = tag(choose);
  return made;
}

/**
 * A message to a group and what its members write. Without an event of its own, or with one that names a customer
 * alone, it is only the statuses that make it a group message, and they may come late.
 */
export function groupMessage(world: World, choose: Choose): Event[] {
  const phone_number_id = phoneNumber(world, choose);
  const group = groupId(world, choose);
  const wrote = time(world, choose);
  const made: Event[] = [];
  if (!rarely(choose, 3)) {
    const where = one<Event>(choose, [{ group_id: group }, { group_id: group }, {}]);
    const what = one<Event>(choose, [{}, {}, { type: 'call' }, { type: 'system' }, { referral: referral(choose) }]);
    const id = messageId(world, choose, 'I');
    made.push(said('inbound', phone_number_id, id, wrote, { ...customer(world, choose), ...where, ...what }));
  }
  const count = one(choose, [1, 1, 2]);
  for (let i = 0; i < count; i++) {
    const t = clamp(near(wrote + one(choose, [HOUR, DAY, 0, 2 * DAY]), choose));
    const id = messageId(world, choose, 'M');
    const kind = one<Event>(choose, [
      { type: 'template', template: { name: 'to_group', category: one(choose, GROUP_CATEGORIES) } },
      { type: 'template', template: { name: 'to_group', category: 'utility' } },
      { type: 'text' },
      { type: 'reaction' },
      { type: 'text', origin: 'app' },
      { type: 'revoke' },
    ]);
    const to = one<Event>(choose, [{ group_id: group }, { group_id: group }, {}, { group_id: groupId(world, choose) }]);
    const event = said('outbound', phone_number_id, id, t, { ...customer(world, choose), ...to, ...kind });
    if (rarely(choose, 3)) event['tag'] = tag(choose);
    if (choose(2) === 0) made.push(event);
    let at = t;
    const answers = one(choose, [2, 3, 1, 5, 0]);
    for (let j = 0; j < answers; j++) {
      made.push(groupStatus(world, choose, event, group, at));
      at = rarely(choose, 2) ? after(at, choose) : at;
    }
  }
  return made;
}

// ---------------------------------------------------------------------------------------------------------------------
// F3: what a sender dials and what Meta calls the same person.

/** A click, and a reply whose own event names the customer otherwise than its statuses do, early or late. */
export function renamed(world: World, choose: Choose): Event[] {
  const phone_number_id = phoneNumber(world, choose);
  const who = choose(world.customers);
  const { number, dialled } = numberOf(world, who);
  const names: readonly Event[] = [
    { wa_id: number },
    { wa_id: dialled },
    {},
    { user_id: userOf(world, who) },
    { wa_id: userOf(world, who) },
    { wa_id: `+${dialled}` },
  ];
  const clicked = time(world, choose);
  const id = messageId(world, choose, 'M');
  const sent = clamp(near(clicked + one(choose, [HOUR, 0, DAY]), choose));
  const own = one<Event>(choose, [{ wa_id: dialled }, { wa_id: dialled }, { wa_id: number }]);
  const made = [
    said('inbound', phone_number_id, messageId(world, choose, 'I'), clicked, {
      ...one(choose, [{ wa_id: number }, { wa_id: number }, { wa_id: dialled }]),
      referral: { source_type: 'ad', source_id: '7' },
    }),
    said('outbound', phone_number_id, id, sent, {
      ...own,
      ...(rarely(choose, 5) ? { origin: 'app' } : {}),
      ...one<Event>(choose, [{}, { type: 'template', template: { name: 'oferta', category: 'marketing' } }]),
    }),
  ];
  if (rarely(choose, 6)) made.pop();
  let t = sent;
  const count = one(choose, [2, 1, 3, 4]);
  for (let i = 0; i < count; i++) {
    const name = one(choose, ['delivered', 'sent', 'read', 'failed']);
    const event = status(world, choose, { phone_number_id, id }, name, t);
    delete event['wa_id'];
    delete event['user_id'];
    made.push({ ...event, ...one(choose, names) });
    t = clamp(t + one(choose, [0, 0, 1, HOUR, -1]));
  }
  return made;
}

// ---------------------------------------------------------------------------------------------------------------------
// F6: replies from the app.

/** A click answered from the app, and messages of the API after it: some can still claim it, some cannot. */
export function answeredFromTheApp(world: World, choose: Choose): Event[] {
  const phone_number_id = phoneNumber(world, choose);
  const who = customer(world, choose);
  const made: Event[] = [];
  const clicked = time(world, choose);
  const clicks = one(choose, [1, 1, 2, 3]);
  for (let i = 0; i < clicks; i++) {
    const t = clicked + i * one(choose, [HOUR, DAY, 20 * HOUR]);
    const referral = { source_type: 'ad', source_id: one(choose, ['7', '8']) };
    made.push(said('inbound', phone_number_id, messageId(world, choose, 'I'), t, { ...who, referral }));
  }
  const edges = [clicked + HOUR, clicked, clicked + DAY, clicked + 2 * DAY, clicked + 72 * HOUR, clicked + 44 * HOUR];
  const messages = one(choose, [2, 3, 4, 5]);
  for (let i = 0; i < messages; i++) {
    const t = clamp(near(one(choose, edges), choose));
    const id = messageId(world, choose, 'M');
    const isEcho = i === 0 || rarely(choose, 3);
    const what = one<Event>(choose, [
      {},
      { type: 'template', template: { name: 'follow_up', category: one(choose, ['utility', 'marketing']) } },
      { type: 'reaction' },
      { type: one(choose, ['revoke', 'edit']) },
    ]);
    const event = said('outbound', phone_number_id, id, t, { ...who, ...what, ...(isEcho ? { origin: 'app' } : {}) });
    made.push(event);
    edges.push(t + DAY, t + 72 * HOUR);
    if (!isEcho) made.push(status(world, choose, event, one(choose, ['delivered', 'read']), t));
    // An echo has no statuses; those that come all the same move nothing.
    else if (rarely(choose, 3)) made.push(...statuses(world, choose, event, t));
  }
  return made;
}

// ---------------------------------------------------------------------------------------------------------------------
// Windows and ads that we cannot see.

/** Free entry that Meta reports, mostly where no entry is known: in one window or in several, named or not. */
export function reportedWindow(world: World, choose: Choose): Event[] {
  const phone_number_id = phoneNumber(world, choose);
  const who = customer(world, choose);
  const made: Event[] = [];
  const longest = one(choose, LONGEST);
  let t = time(world, choose);
  if (rarely(choose, 3)) {
    const clicked = near(t - one(choose, [DAY + longest, longest, DAY, 0]), choose);
    const referral = { source_type: one(choose, ['ad', 'post', 'story']), source_id: '7' };
    made.push(said('inbound', phone_number_id, messageId(world, choose, 'I'), clicked, { ...who, referral }));
  }
  const messages = one(choose, [2, 1, 3, 4, 5]);
  for (let i = 0; i < messages; i++) {
    const id = messageId(world, choose, 'S');
    const named = one(choose, ['', `w${world.prefix}0`, '', `w${world.prefix}1`]);
    const origin = one(choose, ['referral_conversion', 'referral_conversion', 'marketing']);
    const conversation: Event = { origin: { type: origin } };
    if (named !== '') conversation['id'] = named;
    if (rarely(choose, 3)) conversation['expiration_timestamp'] = near(t + one(choose, [72 * HOUR, longest]), choose);
    const of = { event: 'status', phone_number_id, ...who, id, timestamp: clamp(t) };
    const pricing = one<Json>(choose, [
      { billable: false, pricing_model: 'PMP', type: 'free_entry_point', category: 'service' },
      { billable: false, pricing_model: 'CBP', category: 'referral_conversion' },
      { billable: true, pricing_model: 'PMP', type: 'regular', category: 'marketing' },
    ]);
    // The id may be on another status than the report.
    if (rarely(choose, 3)) {
      made.push({ ...of, status: 'sent', conversation }, { ...of, status: 'delivered', pricing });
    } else {
      made.push({ ...of, status: one(choose, ['delivered', 'read', 'sent']), pricing, conversation });
    }
    t = clamp(near(t + one(choose, [HOUR, longest, 0, DAY, 2 * DAY]), choose));
  }
  return made;
}

/** The first message of an ad as it comes when Meta has lost it, or nearly so. */
export function lostReferral(world: World, choose: Choose): Event[] {
  const phone_number_id = phoneNumber(world, choose);
  const lost = { code: 131060, title: 'This message is unavailable' };
  const made = said('inbound', phone_number_id, messageId(world, choose, 'I'), time(world, choose), {
    ...customer(world, choose),
    type: one(choose, ['unsupported', 'unsupported', 'unsupported', 'text', 'Unsupported']),
    errors: one<Json>(choose, [[lost], [lost], [{ code: 131051 }, lost], lost, [{ code: '131060' }], errors(choose)]),
  });
  if (rarely(choose, 4)) made['referral'] = referral(choose);
  if (rarely(choose, 8)) made['group_id'] = groupId(world, choose);
  return [made];
}

// ---------------------------------------------------------------------------------------------------------------------
// F7: edits and revocations.

/** A message and what edits or revokes it: of an id of its own, or of the same, so that its copies are of two types. */
export function editedOrRevoked(world: World, choose: Choose): Event[] {
  const phone_number_id = phoneNumber(world, choose);
  const who = customer(world, choose);
  const direction = one(choose, ['outbound', 'outbound', 'inbound']);
  const t = time(world, choose);
  const id = messageId(world, choose, 'M');
  const clicked = { referral: { source_type: 'ad', source_id: '7' } };
  const made: Event[] = [];
  if (choose(2) === 1)
    made.push(said('inbound', phone_number_id, messageId(world, choose, 'I'), t - HOUR, { ...who, ...clicked }));
  if (!rarely(choose, 3))
    made.push(said(direction, phone_number_id, id, t, { ...who, ...(direction === 'inbound' ? clicked : {}) }));
  const about = said(direction, phone_number_id, rarely(choose, 3) ? id : messageId(world, choose, 'M'), t, {
    ...who,
    type: one(choose, ['revoke', 'edit', 'Edit']),
    timestamp: clamp(t + one(choose, [60, 0, -1, DAY])),
  });
  if (rarely(choose, 4)) about['origin'] = 'app';
  if (rarely(choose, 4)) Object.assign(about, clicked);
  made.push(about);
  if (choose(2) === 1) made.push(...statuses(world, choose, about, t));
  made.push(...statuses(world, choose, { phone_number_id, id, ...who }, t));
  return made;
}

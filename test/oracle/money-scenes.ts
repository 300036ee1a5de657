/** The events of a world of money: bursts in one second, windows, groups, echoes and what Meta reports of them. */
import { type Choose, type Event, one, rarely } from './choices.ts';
import { CUSTOMERS, DAY, dayFrom, HOUR, identity, LATEST, midnight, naming, type World } from './money-world.ts';

function clamp(t: number): number {
  return Math.min(t, LATEST);
}

/** A time on or beside a midnight at which a month, a policy or a rate begins. */
function moment(world: World, choose: Choose): number {
  const day = dayFrom(world.first, one(choose, [0, 0, 14, -1, 1, 2, 13, 7, 31, 30, -2, 5]));
  const zone = one(choose, [...world.zones, 'UTC']);
  return clamp(midnight(day, zone) + one(choose, [0, 0, -1, 1, HOUR, 12 * HOUR, -HOUR, 5 * HOUR + 1800]));
}

/** One group's door to the world: a thread of a number and a customer. */
interface Thread {
  readonly world: World;
  readonly choose: Choose;
  readonly number: string;
  readonly customer: string;
  readonly made: Event[];
  /** Tells the messages of one group from those of another. */
  readonly group: number;
}

function newThread(world: World, group: number, choose: Choose): Thread {
  return {
    world,
    choose,
    number: one(choose, world.numbers),
    customer: identity(one(choose, world.customers), choose(3)),
    made: [],
    group,
  };
}

/** The WABA that an event names: mostly the number's own, at times another, an unknown one or none. */
function wabaFields({ world, choose, number }: Thread): Event {
  const own = world.wabas[world.numbers.indexOf(number) % 2]!;
  const waba_id = one(choose, [own, own, own, '', own, own, own, ...world.wabas, `${world.prefix}unknown`]);
  return waba_id === '' ? {} : { waba_id };
}

function nextId({ world, choose, made, group }: Thread, n = made.length): string {
  // Before and beyond the Basic Multilingual Plane: these sort differently in UTF-16 and UTF-8.
  const mark = one(choose, ['', '\u{ff21}', '\u{1d400}', 'a', '\u{ff21}', '\u{1d400}']);
  return `wamid.${mark}${world.prefix}.${group}.${n}`;
}

function inbound(thread: Thread, t: number, fields: Event = {}): void {
  thread.made.push({
    event: 'message',
    direction: 'inbound',
    phone_number_id: thread.number,
    ...naming(thread.customer),
    id: nextId(thread),
    timestamp: String(t),
    type: 'text',
    ...fields,
  });
}

interface Kind {
  readonly type: string;
  readonly category: string;
}

const template = (category: string): Kind => ({ type: 'template', category });

function anyKind(choose: Choose): Kind {
  return one(choose, [
    template('utility'),
    template('UTILITY'),
    { type: 'text', category: '' },
    template('marketing'),
    template('authentication'),
    template('authentication-international'),
    { type: 'reaction', category: '' },
    template('MARKETING_LITE'),
    { type: 'image', category: '' },
    template('utility'),
    template('authentication'),
    one(choose, [
      template('general_purpose_ai'),
      template('service'),
      template('Unknown'),
      template(''),
      template('group_utility'),
      template('Group-Marketing-Lite'),
      template('group_unknown'),
    ]),
  ]);
}

/** What Meta reports, mostly nothing or what it would say. */
function report(choose: Choose, kind: Kind, t: number): Event {
  const category = kind.type === 'template' ? kind.category : 'service';
  const pmp = (type: string, said: string): Event => ({ pricing: { pricing_model: 'PMP', type, category: said } });
  switch (choose(28)) {
    case 24:
      return { pricing: { type: 'free_something_new', category, billable: one(choose, [true, false]) } };
    case 25:
      return { pricing: { type: 'free_something_new', category } };
    case 26:
      return pmp('regular', one(choose, ['group_utility', 'group_service', 'GROUP-AUTHENTICATION', 'group_']));
    case 27:
      return pmp('free_group_customer_service', 'group_utility');
    case 12:
    case 13:
      return pmp('regular', category);
    case 14:
      return pmp('regular', one(choose, ['authentication-international', 'service', 'utility', 'marketing']));
    case 15:
      return pmp(
        'regular',
        one(choose, ['group_marketing', 'marketing_lite', 'MARKETING_LITE', 'referral_conversion']),
      );
    case 16:
      return pmp('free_customer_service', category);
    case 17:
    case 18:
      return pmp('free_entry_point', 'referral_conversion');
    case 19:
      return pmp('free_group_customer_service', 'group_service');
    case 20:
      return { pricing: { pricing_model: 'CBP', billable: one(choose, [true, false]), category } };
    case 21:
      return {
        pricing: { pricing_model: 'CBP', billable: true, category },
        conversation: { id: one(choose, ['c0', 'c1']), origin: { type: 'utility' } },
      };
    case 22:
      return { pricing: { type: 'regular' } };
    case 23:
      return {
        conversation: {
          expiration_timestamp: t + one(choose, [96 * HOUR, HOUR]),
          origin: { type: 'referral_conversion' },
        },
      };
    default:
      return {};
  }
}

/** A message delivered at `t`, or not at all. */
function outbound(thread: Thread, t: number, kind: Kind, delivered = true, id = nextId(thread)): void {
  const { choose, number, customer, made } = thread;
  const sent = t - one(choose, [0, 1, 1, HOUR, 60, 5 * DAY]);
  const named = wabaFields(thread);
  const event: Event = {
    event: 'message',
    direction: 'outbound',
    phone_number_id: number,
    // What a sender dials may be another market than what Meta's statuses name.
    ...naming(rarely(choose, 20) ? identity(one(choose, CUSTOMERS), 1) : customer),
    id,
    timestamp: String(sent),
    type: kind.type,
    ...named,
  };
  if (kind.type === 'template') event['template'] = { name: 'follow_up', category: kind.category };
  // Many users have nothing but Meta's webhooks: the message is then known from its statuses alone.
  if (!rarely(choose, 12)) made.push(event);
  const of: Event = { event: 'status', phone_number_id: number, id, ...naming(customer), ...named };
  const reported = report(choose, kind, t);
  if (!delivered) made.push({ ...of, status: one(choose, ['failed', 'sent']), timestamp: t, ...reported });
  else if (choose(3) === 2) {
    made.push({ ...of, status: 'sent', timestamp: sent, ...reported });
    made.push({ ...of, status: one(choose, ['delivered', 'read', 'played']), timestamp: t });
  } else made.push({ ...of, status: one(choose, ['delivered', 'read']), timestamp: t, ...reported });
}

function echo(thread: Thread, t: number): void {
  const { choose, number, customer, made } = thread;
  const id = nextId(thread);
  made.push({
    event: 'message',
    direction: 'outbound',
    phone_number_id: number,
    ...naming(customer),
    ...wabaFields(thread),
    id,
    timestamp: t,
    type: one(choose, ['text', 'image', 'reaction']),
    origin: 'app',
  });
  // An echo has no statuses; what those say that come all the same decides its billing.
  if (!rarely(choose, 4)) return;
  const reported = report(choose, template(one(choose, ['service', 'utility'])), t);
  made.push({
    event: 'status',
    phone_number_id: number,
    ...naming(customer),
    id,
    status: 'delivered',
    timestamp: t,
    ...reported,
  });
}

/** A message to the members of a group, who are of several markets; each delivery is a charge of its own. */
function grouped(thread: Thread): void {
  const { choose, world, number, made } = thread;
  const group_id = `group ${world.prefix}${choose(2)}`;
  const named = wabaFields(thread);
  const messages = one(choose, [1, 2, 3]);
  for (let i = 0; i < messages; i++) {
    const t = moment(world, choose);
    if (rarely(choose, 3)) inbound(thread, t - one(choose, [HOUR, DAY]), { group_id });
    const id = nextId(thread);
    const category = one(choose, [
      'group_utility',
      'utility',
      'group_marketing',
      'group_service',
      'authentication',
      '',
    ]);
    const kind: Kind = rarely(choose, 4)
      ? { type: one(choose, ['text', 'reaction']), category: '' }
      : template(category);
    if (choose(2) === 0) {
      const what = kind.type === 'template' ? { template: { name: 'to_group', category } } : {};
      const of = {
        event: 'message',
        direction: 'outbound',
        phone_number_id: number,
        group_id,
        ...naming(thread.customer),
      };
      made.push({ ...of, id, timestamp: t, type: kind.type, ...named, ...what });
    }
    const of: Event = { event: 'status', phone_number_id: number, id, group_id, ...named };
    // What names no participant reports for those whose own statuses do not.
    if (rarely(choose, 3)) made.push({ ...of, status: 'sent', timestamp: t, ...report(choose, kind, t) });
    const participants = one(choose, [2, 3, 1, 6]);
    for (let j = 0; j < participants; j++) {
      const participant = identity(one(choose, world.customers), choose(4));
      const status = one(choose, ['delivered', 'delivered', 'read', 'failed']);
      const at = clamp(t + one(choose, [0, 0, 1, HOUR]));
      made.push({ ...of, participant, status, timestamp: at, ...report(choose, kind, at) });
    }
  }
}

/**
 * Several messages of one kind at one moment, or nearly: their numbers and ids decide their places. Two numbers may use
 * one id.
 */
function burst(thread: Thread): void {
  const { choose, world } = thread;
  const t = moment(world, choose);
  const kind = one(choose, [template('utility'), template('authentication'), template('utility'), anyKind(choose)]);
  const sameIds = rarely(choose, 3);
  const count = one(choose, [3, 2, 6, 8]);
  for (let i = 0; i < count; i++) {
    const from = { ...thread, number: one(choose, [thread.number, ...world.numbers]) };
    const id = nextId(from, sameIds ? Math.floor(i / 2) : i);
    outbound(from, clamp(t + one(choose, [0, 0, 0, 1, HOUR])), kind, true, id);
  }
}

/** Messages over the weeks around the month. */
function several(thread: Thread): void {
  const { choose, world } = thread;
  const count = one(choose, [1, 2, 4]);
  for (let i = 0; i < count; i++) outbound(thread, moment(world, choose), anyKind(choose), !rarely(choose, 7));
}

/** A window of free entry with messages of many kinds in it and on its edges. */
function freeEntry(thread: Thread): void {
  const { choose, world } = thread;
  const opened = moment(world, choose);
  inbound(thread, opened - one(choose, [HOUR, DAY, DAY + 1]), {
    referral: { source_type: 'ad', source_id: one(choose, ['7', '8']) },
  });
  // A conversation that the window closes, so that its bill without free entry is another.
  if (rarely(choose, 4)) outbound(thread, opened - 2 * HOUR, template('utility'));
  if (rarely(choose, 6)) echo(thread, opened);
  else outbound(thread, opened, one(choose, [{ type: 'text', category: '' }, anyKind(choose)]));
  const count = one(choose, [3, 1, 6, 8]);
  const kind = one(choose, [template('utility'), anyKind(choose)]);
  for (let i = 0; i < count; i++) {
    const t = clamp(opened + one(choose, [1, 1, HOUR, DAY, 72 * HOUR, 72 * HOUR - 1, 2 * DAY, 25 * HOUR]));
    outbound(thread, t, choose(2) === 0 ? kind : anyKind(choose));
  }
}

/** A customer who writes, and utility in the service window and just after it. */
function served(thread: Thread): void {
  const { choose, world } = thread;
  const t = moment(world, choose);
  inbound(thread, t - one(choose, [HOUR, 0, DAY - 1, DAY]));
  outbound(thread, t, template('utility'));
  if (choose(2) === 1) outbound(thread, clamp(t + one(choose, [0, HOUR, DAY])), { type: 'text', category: '' });
}

/** Utility in a free entry window, before and after its service window ends: not all of it would have been charged. */
function servedFree(thread: Thread): void {
  const { choose, world } = thread;
  const opened = moment(world, choose);
  inbound(thread, opened - HOUR, { referral: { source_type: 'ad', source_id: '7' } });
  outbound(thread, opened, { type: 'text', category: '' });
  const count = one(choose, [3, 4, 6]);
  for (let i = 0; i < count; i++) {
    outbound(thread, clamp(opened + one(choose, [HOUR, 25 * HOUR, 30 * HOUR, 23 * HOUR])), template('utility'));
  }
}

/** Statuses that name nobody. */
function anonymous(thread: Thread): void {
  const { choose, world, number, made } = thread;
  const t = moment(world, choose);
  const pricing = { pricing_model: 'PMP', type: 'regular', category: one(choose, ['utility', 'marketing', 'service']) };
  const of = { event: 'status', phone_number_id: number, id: nextId(thread), ...wabaFields(thread) };
  made.push({ ...of, status: 'delivered', timestamp: t, pricing });
}

export function group(world: World, index: number, choose: Choose): Event[] {
  const thread = newThread(world, index, choose);
  switch (choose(14)) {
    case 12:
    case 13:
      grouped(thread);
      break;
    case 0:
    case 1:
    case 2:
      burst(thread);
      break;
    case 3:
    case 4:
    case 5:
    case 6:
      freeEntry(thread);
      break;
    case 7:
      served(thread);
      break;
    case 8:
      servedFree(thread);
      break;
    case 9:
      echo(thread, moment(world, choose));
      several(thread);
      break;
    case 10:
      anonymous(thread);
      several(thread);
      break;
    default:
      several(thread);
  }
  if (rarely(choose, 6)) thread.made.push(...thread.made.slice(0, 3));
  return thread.made;
}

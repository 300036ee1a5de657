/** F9: one person under several names, who changes number and id, and people who only seem to be one. */
import { one, rarely, type Choose, type Event } from './choices.ts';
import { referral, status } from './messages.ts';
import {
  after,
  clamp,
  DAY,
  groupId,
  HOUR,
  messageId,
  numberOf,
  phoneNumber,
  PHONE_NUMBERS,
  stamp,
  time,
  userOf,
  type World,
} from './worlds.ts';

interface Name {
  readonly number: string;
  readonly user: string;
  readonly parent: string;
}

/** What a person was called at first, after one change, and so on; the next of one person is the first of another. */
function nameOf(world: World, who: number, changes: number): Name {
  const { number, dialled } = numberOf(world, who + changes);
  const user = userOf(world, who + changes);
  return { number: changes === 1 ? dialled : number, user, parent: user.replace('US.', 'US.ENT.') };
}

/** The name fields of an event: one name, or several of one person, or by mistake of two. */
function called(name: Name, other: Name, choose: Choose): Event {
  switch (choose(9)) {
    case 0:
      return { wa_id: name.number };
    case 1:
      return { user_id: name.user };
    case 2:
    case 3:
      return { wa_id: name.number, user_id: name.user };
    case 4:
      return { user_id: name.user, parent_user_id: name.parent };
    case 5:
      return { wa_id: name.user, parent_user_id: name.parent };
    case 6:
      return { wa_id: name.number, user_id: other.user };
    case 7:
      return { wa_id: `+${name.number}`, user_id: name.user, parent_user_id: name.parent };
    default:
      return { wa_id: name.number, user_id: name.user, parent_user_id: other.parent };
  }
}

/** The notice of a change, in any of Meta's shapes, and some that are none. */
function change(from: Name, to: Name, choose: Choose): Event {
  const shapes: readonly Event[] = [
    { wa_id: from.number, system: { type: 'user_changed_number', wa_id: to.number } },
    { user_id: from.user, system: { type: 'user_changed_user_id', user_id: to.user, previous_user_id: from.user } },
    { wa_id: from.number, system: { type: 'user_changed_number', new_wa_id: `+${to.number}` } },
    {
      user_id: from.user,
      system: {
        type: 'user_changed_user_id',
        wa_id: to.number,
        user_id: to.user,
        parent_user_id: to.parent,
        previous_user_id: from.user,
        previous_parent_user_id: from.parent,
      },
    },
    { wa_id: to.number, system: { type: 'user_changed_number', previous_wa_id: from.number, wa_id: to.number } },
    { user_id: to.user, system: { type: 'user_changed_user_id', wa_id: to.user, previous_wa_id: from.user } },
    // Nothing changes by these.
    { wa_id: from.number, system: { type: 'user_identity_changed', wa_id: to.number } },
    { wa_id: from.number, system: { type: 'user_changed_number', wa_id: 5, body: `now ${to.number}` } },
    { wa_id: from.number, system: 'user_changed_number' },
    { wa_id: from.number, type: 'text', system: { type: 'user_changed_number', wa_id: to.number } },
  ];
  return one(choose, shapes);
}

/** An entry, a reply, its statuses and what links them, each under any name of the person, in any order of time. */
export function onePerson(world: World, choose: Choose): Event[] {
  const phone_number_id = phoneNumber(world, choose);
  const who = choose(world.customers);
  const names = [0, 1, 2].map((changes) => nameOf(world, who, changes));
  const name = (): Name => one(choose, names);
  const clicked = time(world, choose);
  const at = (t: number): Event => ({ timestamp: stamp(clamp(t), choose) });
  const made: Event[] = [
    {
      event: 'message',
      direction: 'inbound',
      phone_number_id,
      id: messageId(world, choose, 'I'),
      ...at(clicked),
      type: one(choose, ['text', 'text', 'call', 'user_preferences']),
      ...called(name(), name(), choose),
      ...(rarely(choose, 4) ? {} : { referral: referral(choose) }),
    },
  ];
  const id = messageId(world, choose, 'M');
  const sent = clamp(clicked + one(choose, [HOUR, 0, DAY, DAY + 1]));
  const kind = one<Event>(choose, [
    { type: 'text' },
    { type: 'template', template: { name: 'oferta', category: 'marketing' } },
    { type: 'template', template: { name: 'aviso', category: 'utility' } },
    { type: 'text', origin: 'app' },
  ]);
  // Of a message known from statuses alone nothing but those may name the customer.
  if (!rarely(choose, 3)) {
    const event: Event = { event: 'message', direction: 'outbound', phone_number_id, id, ...at(sent), ...kind };
    made.push({ ...event, ...called(name(), name(), choose) });
  }
  let t = sent;
  const count = one(choose, [1, 2, 0, 3]);
  for (let i = 0; i < count; i++) {
    const said = status(
      world,
      choose,
      { phone_number_id, id },
      one(choose, ['delivered', 'read', 'sent', 'failed']),
      t,
    );
    delete said['wa_id'];
    delete said['user_id'];
    made.push({ ...said, ...(rarely(choose, 4) ? {} : called(name(), name(), choose)) });
    t = after(t, choose);
  }
  const changes = one(choose, [1, 0, 2]);
  for (let i = 0; i < changes; i++) {
    const from = choose(2);
    const notice: Event = {
      event: 'message',
      direction: 'inbound',
      // A change on another number says nothing here.
      phone_number_id: rarely(choose, 8) ? one(choose, PHONE_NUMBERS) : phone_number_id,
      id: messageId(world, choose, 'I'),
      ...at(clicked + one(choose, [0, 2 * HOUR, DAY, -DAY])),
      type: 'system',
    };
    made.push({
      ...notice,
      ...change(names[from]!, names[from + 1]!, choose),
      ...(rarely(choose, 12) ? { group_id: groupId(world, choose) } : {}),
    });
  }
  return made;
}

/** Messages that belong together, so that the rules about more than one of them are met often. */
import { one, type Choose, type Event } from './choices.ts';
import { pricing, status } from './messages.ts';
import { clamp, customer, DAY, HOUR, messageId, phoneNumber, time, type World } from './worlds.ts';

/**
 * One thread around one window, every time chosen relative to the edges that the earlier ones made: the click, the
 * reply, the end of the service window, the estimated and the reported end of the free entry window.
 */
export function scene(world: World, choose: Choose): Event[] {
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
export function sharedConversation(world: World, choose: Choose): Event[] {
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

/**
 * Traffic nastier than reality, for comparing implementations of the billing rules.
 *
 * One generator serves both the property tests and large seeded runs: it makes all its choices through a `Choose`
 * function. fast-check hands it short tapes of numbers, one per group of events, so that a failing case shrinks by
 * dropping groups and then by turning each choice into its first, plainest option.
 */
import fc from 'fast-check';
import type { Account, PolicySettings } from '../../schemas/config.ts';
import { one, rarely, reading, seeded, tapeArbitrary, type Choose, type Event, type Json } from './choices.ts';
import {
  answeredFromTheApp,
  editedOrRevoked,
  groupMessage,
  lostReferral,
  renamed,
  reportedWindow,
} from './field-scenes.ts';
import { onePerson } from './identity-scenes.ts';
import {
  answeredClick,
  conversation,
  errors,
  inboundMessage,
  orphanStatuses,
  outboundMessage,
  pricing,
  referral,
  tag,
} from './messages.ts';
import { scene, sharedConversation } from './scenes.ts';
import {
  after,
  customer,
  DAY,
  groupId,
  LATEST,
  makeWorld,
  PHONE_NUMBERS,
  stamp,
  WABAS,
  ZONES,
  type World,
} from './worlds.ts';

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
  if (typeof wa === 'string' && choose(2) === 1) {
    if (/^\+?[0-9\s().-]+$/.test(wa)) copy['wa_id'] = `+${wa.replace(/[^0-9]/g, '')}`;
    else if (/^[A-Z]{2}\./.test(wa)) Object.assign(copy, { wa_id: '', user_id: copy['user_id'] ?? wa });
  }
  if (choose(2) === 1) copy['text'] = { body: 'not ours to keep' };
  const names = ['context', 'device', 'sender', 'participant', 'errors', 'pricing', 'conversation', 'referral'];
  for (const name of [...names, 'tag', 'group_id', 'parent_user_id', 'system']) {
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
    switch (choose(9)) {
      case 7:
        copy['parent_user_id'] = one<Json>(choose, ['US.ENT.1', '', 5]);
        break;
      case 0:
        copy['pricing'] = pricing(choose);
        break;
      case 1:
        copy['conversation'] = conversation(world, Number(copy['timestamp']), choose);
        break;
      case 2:
        copy['participant'] = one(choose, ['1', '2']);
        break;
      case 3:
        copy['errors'] = errors(choose);
        break;
      case 4:
        copy['tag'] = tag(choose);
        break;
      case 5:
        copy['group_id'] = groupId(world, choose);
        break;
      case 6:
        Object.assign(copy, customer(world, choose));
        break;
      default:
        delete copy['wa_id'];
        delete copy['user_id'];
    }
    return copy;
  }
  switch (choose(9)) {
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
      copy['type'] = one(choose, ['text', 'template', 'reaction', 'system', 'edit', 'revoke', 'unsupported', 'call']);
      break;
    case 5:
      copy['tag'] = tag(choose);
      break;
    case 6:
      copy['errors'] = errors(choose);
      break;
    case 7:
      copy['group_id'] = groupId(world, choose);
      break;
    default:
      copy['waba_id'] = one(choose, WABAS);
  }
  return copy;
}

function group(world: World, choose: Choose): Event[] {
  const made = ((): Event[] => {
    switch (choose(27)) {
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
      case 14:
      case 15:
        return groupMessage(world, choose);
      case 16:
        return renamed(world, choose);
      case 17:
        return reportedWindow(world, choose);
      case 18:
        return lostReferral(world, choose);
      case 19:
        return editedOrRevoked(world, choose);
      case 20:
        return answeredFromTheApp(world, choose);
      case 21:
      case 22:
      case 23:
        return onePerson(world, choose);
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

export interface TrafficOptions {
  /** Most groups of events; a group is one message with its statuses, or so. Default 16. */
  readonly maxGroups?: number;
}

/** Raw events as in contract.md 1, all valid in shape, in any order and with duplicates. */
function traffic(options: TrafficOptions = {}): fc.Arbitrary<unknown[]> {
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
const accountsArbitrary: fc.Arbitrary<Account[]> = fc
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

const policyArbitrary: fc.Arbitrary<PolicySettings> = fc.record({
  entry_sources: fc.constantFrom(['ad', 'post'], ['ad'], ['post'], ['ad', 'post', 'story']),
  clock: fc.constantFrom('delivered', 'sent'),
  echoes: fc.constantFrom('apart', 'counted'),
  echoes_reply: fc.constantFrom(true, false),
  identities: fc.constantFrom('linked', 'linked', 'linked', 'apart'),
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

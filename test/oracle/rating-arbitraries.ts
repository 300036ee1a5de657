/**
 * Worlds of money nastier than reality, for comparing implementations of section 5 of rules.md: events, accounts and
 * imported rate files, so that the whole way from a status to an amount is compared. The choices are made as in
 * arbitraries.ts: the first option is always the plainest, so that a failing case becomes plain.
 */
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { DEFAULT_POLICY_SETTINGS, type Account, type PolicySettings } from '../../schemas/config.ts';
import { one, rarely, reading, seeded, tapeArbitrary, type Choose, type Event } from './choices.ts';
import {
  marketsOf,
  PRICE_COLUMNS,
  type ListRow,
  type MarketOf,
  type MarketRow,
  type PriceColumn,
  type RateFile,
  type TierRow,
} from './rating.ts';

export interface MoneyWorld {
  /** Raw events as in contract.md 1, all valid in shape. */
  readonly events: readonly unknown[];
  readonly accounts: readonly Account[];
  readonly policy: PolicySettings;
  /** In the order in which they were imported; no two have one name. */
  readonly cards: readonly RateFile[];
}

export interface MoneyOptions {
  /** Most groups of events in each world. Default 10. */
  readonly maxGroups?: number;
  /** Worlds that lie side by side: they share rate files and portfolios, but neither WABAs nor numbers. Default 1. */
  readonly worlds?: number;
  /** Decides which markets the rate files have. Default: `SAMPLE_MARKETS`. */
  readonly marketOf?: MarketOf;
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** No event is later, whatever the clock of the machine that tests: it is the limit of arbitraries.ts too. */
const LATEST = Date.parse('2026-11-15T00:00:00Z') / 1000;

/** A table of markets with every difficulty that a real one has. */
export const SAMPLE_MARKETS: readonly MarketRow[] = [
  { of: '1', market: 'North America' },
  { of: '1658', market: 'Rest of Latin America' },
  { of: '1787', market: 'Rest of Latin America' },
  { of: '1809', market: 'Rest of Latin America' },
  { of: '1876', market: 'Rest of Latin America' },
  { of: '7', market: 'Russia' },
  { of: '77', market: 'Rest of Central & Eastern Europe' },
  { of: '77', market: 'Kazakhstan', from: '2026-10-01' },
  { of: '36', market: 'Rest of Central & Eastern Europe' },
  { of: '36', market: 'Hungary', from: '2026-07-01' },
  { of: '263', market: 'Other' },
  { of: '263', market: 'Rest of Africa', from: '2025-10-01' },
  { of: '55', market: 'Brazil' },
  { of: '91', market: 'India' },
  { of: '977', market: 'Rest of Asia Pacific' },
  { of: '977', market: 'Nepal', from: '2026-10-01' },
  { of: 'US', market: 'North America' },
  { of: 'CA', market: 'North America' },
  { of: 'JM', market: 'Rest of Latin America' },
  { of: 'IN', market: 'India' },
  { of: 'BR', market: 'Brazil' },
  { of: 'KZ', market: 'Rest of Central & Eastern Europe' },
  { of: 'KZ', market: 'Kazakhstan', from: '2026-10-01' },
];

/** What a customer's number starts with, or a business-scoped id. */
const CUSTOMERS: readonly string[] = [
  '919955550',
  '551195555',
  '141655500',
  '187655500',
  '180955500',
  '791655500',
  '770155500',
  '977985555',
  '362055500',
  '263775550',
  '888555000',
  'IN.1349120865',
  'BR.ENT.118157',
  'KZ.20',
  'JM.30',
  'ZZ.40',
  'guest',
];

/** Those of them whose market changes with the day, by their place in the list. */
const MOVING = [6, 7, 8, 9] as const;

const ZONES = [
  'UTC',
  'Asia/Kolkata',
  'America/Los_Angeles',
  'Pacific/Apia',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
] as const;

/** Months in which a policy begins or ends, in which rates change, and in which nothing does; two leap years' worth. */
const MONTHS = [
  '2026-10',
  '2025-07',
  '2026-09',
  '2026-11',
  '2025-06',
  '2024-11',
  '2024-10',
  '2024-01',
  '2025-10',
  '2026-07',
  '2024-02',
  '2026-10',
] as const;

const CURRENCIES = ['USD', 'INR', 'BRL'] as const;

/** What the groups of one world have in common. */
interface World {
  readonly prefix: string;
  /** First day of the month around which all happens. */
  readonly first: string;
  readonly zones: readonly string[];
  readonly wabas: readonly string[];
  readonly numbers: readonly string[];
  readonly customers: readonly string[];
}

function dayFrom(first: string, days: number): string {
  return DateTime.fromISO(first, { zone: 'UTC' }).plus({ days }).toISODate()!;
}

function midnight(day: string, zone: string): number {
  return DateTime.fromISO(day, { zone }).startOf('day').toSeconds();
}

function makeWorld(prefix: string, choose: Choose): World {
  const wabas = ['1', '2', '3', '4'].map((n) => `${prefix}${n}02290129340398`);
  const kinds = one(choose, [1, 2, 3, 1, 4]);
  const from = rarely(choose, 3) ? one(choose, MOVING) : choose(CUSTOMERS.length);
  return {
    prefix,
    first: `${one(choose, MONTHS)}-01`,
    zones: [one(choose, ZONES), one(choose, ZONES)],
    wabas,
    // One of them is shorter than the others and sorts before them all.
    numbers: [`${prefix}106540352242922`, `${prefix}20654035`, `${prefix}99`].slice(0, one(choose, [1, 2, 3])),
    customers: Array.from({ length: kinds }, (_, i) => CUSTOMERS[(from + i * 5) % CUSTOMERS.length]!),
  };
}

/** The portfolio of the n-th account: none, one for all, or the id of a WABA that has none for a name. */
function portfolioOf(world: World, scheme: number, n: number, choose: Choose): string | undefined {
  switch (scheme) {
    case 0:
      return undefined;
    case 1:
    case 2:
      return 'p1';
    case 3:
      return n === 0 ? undefined : world.wabas[0]!;
    default:
      return one(choose, [undefined, 'p1', 'p2']);
  }
}

function makeAccounts(world: World, choose: Choose): Account[] {
  const known = world.wabas.slice(0, one(choose, [2, 1, 3, 3]));
  const portfolios = choose(5);
  const accounts = known.map((waba_id, n): Account => {
    const zone = one(choose, [...world.zones, ...world.zones, undefined]);
    const currency = one(choose, ['USD', 'USD', 'INR', 'BRL', 'USD', 'INR', 'USD', 'EUR', undefined]);
    const portfolio = portfolioOf(world, portfolios, n, choose);
    return {
      waba_id,
      ...(zone === undefined ? {} : { time_zone: zone }),
      ...(currency === undefined ? {} : { currency }),
      ...(portfolio === undefined ? {} : { portfolio_id: portfolio }),
    };
  });
  if (rarely(choose, 4)) accounts.push({ waba_id: world.wabas[3]!, name: 'An account that says nothing' });
  for (const number of world.numbers) {
    const listing = choose(3) === 0 ? undefined : accounts[choose(accounts.length)];
    if (listing !== undefined) listing.phone_number_ids = [...(listing.phone_number_ids ?? []), number];
  }
  return accounts;
}

// ---------------------------------------------------------------------------------------------------------------------
// Rate files.

const RATES = [
  '0.0118',
  '0.1',
  '0.2',
  '0.3',
  '7.5',
  '0.00000001',
  '0',
  '1',
  '0.99999999',
  '1200.12345678',
  '0.07',
  '0.3217',
];

function rate(choose: Choose): string {
  return one(choose, RATES);
}

/** Every market that the customers of the worlds are in around their months. */
function marketsIn(worlds: readonly World[], marketOf: MarketOf): string[] {
  const markets = worlds.flatMap(({ first, customers }) => {
    const days = [-40, 0, 40].map((days) => dayFrom(first, days));
    return customers.flatMap((who) => days.map((day) => marketOf(identity(who, 0), day)));
  });
  return [...new Set(markets)];
}

/** Some of the markets, at least one: a file without a row is no rate file. */
function someMarkets(markets: readonly string[], choose: Choose): readonly string[] {
  const some = markets.filter(() => !rarely(choose, 7));
  return some.length === 0 ? markets.slice(0, 1) : some;
}

function listRows(markets: readonly string[], choose: Choose): ListRow[] {
  return someMarkets(markets, choose).map((market) => {
    const rates: Partial<Record<PriceColumn, string>> = {};
    for (const column of PRICE_COLUMNS) if (!rarely(choose, 8)) rates[column] = rate(choose);
    return { market, rates };
  });
}

/** Tiers that few messages cross: whole, with gaps, beginning late, and one message wide. */
const BOUNDS: readonly (readonly (readonly [number, number | null])[])[] = [
  [
    [1, 2],
    [3, 5],
    [6, null],
  ],
  [
    [0, 1],
    [2, null],
  ],
  [
    [1, 1],
    [2, 2],
    [3, 3],
    [4, null],
  ],
  [
    [2, 3],
    [6, null],
  ],
  [[1, 1]],
  [[3, null]],
  [[1, null]],
];

function tierRows(markets: readonly string[], choose: Choose): TierRow[] {
  const categories = ['utility', 'authentication', 'authentication_international'] as const;
  const without = choose(6);
  return someMarkets(markets, choose).flatMap((market) =>
    categories
      .filter((_, i) => i + 3 !== without)
      .flatMap((category) =>
        one(choose, BOUNDS).map(([from, to]) => ({ market, category, from, to, rate: rate(choose) })),
      ),
  );
}

/** Days on which rate files come into force: the month's first, its middle, and the days that edges fall on. */
function effectiveDate(world: World, choose: Choose): string {
  return dayFrom(world.first, one(choose, [0, 14, 1, -1, 13, 7, 2, 30, 31, -30]));
}

function baseFile(world: World, markets: readonly string[], index: number, choose: Choose): RateFile | undefined {
  const currency = CURRENCIES[Math.floor(index / 3)]!;
  const facts = { name: `${world.prefix}base-${index}`, currency, effective_date: '2023-06-01', withdrawn: false };
  if (rarely(choose, 9)) return undefined;
  switch (index % 3) {
    case 0:
      return { ...facts, kind: 'list', model: 'message', rows: listRows(markets, choose) };
    case 1:
      return { ...facts, kind: 'list', model: 'conversation', rows: listRows(markets, choose) };
    default:
      return rarely(choose, 4)
        ? undefined
        : { ...facts, kind: 'tiers', model: 'message', rows: tierRows(markets, choose) };
  }
}

/** Of one kind, currency and date with the file before it, at times: then it replaces that one. */
function laterFile(
  world: World,
  markets: readonly string[],
  index: number,
  before: RateFile | undefined,
  choose: Choose,
): RateFile {
  const replaced = rarely(choose, 3) ? before : undefined;
  const kind = one(choose, ['message', 'tiers', 'conversation', 'tiers', 'message'] as const);
  const facts = {
    name: one(choose, [`${world.prefix}card-${index}`, `${world.prefix}Tarifas, ${index} "novas" é`]),
    currency: replaced?.currency ?? one(choose, ['USD', 'USD', ...CURRENCIES]),
    effective_date: replaced?.effective_date ?? effectiveDate(world, choose),
    withdrawn: rarely(choose, 5),
  };
  if (replaced === undefined ? kind === 'tiers' : replaced.kind === 'tiers') {
    return { ...facts, kind: 'tiers', model: 'message', rows: tierRows(markets, choose) };
  }
  const model = replaced?.model ?? (kind === 'conversation' ? 'conversation' : 'message');
  return { ...facts, kind: 'list', model, rows: listRows(markets, choose) };
}

// ---------------------------------------------------------------------------------------------------------------------
// Events.

/** The `customer` of the n-th of a kind. */
function identity(kind: string, n: number): string {
  return `${kind}${n}`;
}

function naming(customer: string): Event {
  return /^[0-9]+$/.test(customer) ? { wa_id: customer } : { user_id: customer };
}

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

function group(world: World, index: number, choose: Choose): Event[] {
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

// ---------------------------------------------------------------------------------------------------------------------
// Worlds.

/** What one world is made from: few numbers for the world and its accounts, and some for each file and group. */
interface Choices {
  readonly world: Choose;
  readonly base: readonly Choose[];
  readonly later: readonly Choose[];
  readonly groups: readonly Choose[];
}

const BASE_FILES = 3 * CURRENCIES.length;

/** Worlds in one. Of rate files for one currency and date the last world's holds, for all of them. */
function sideBySide(choices: readonly Choices[], marketOf: MarketOf): MoneyWorld {
  const worlds = choices.map((choices, i) => makeWorld(String(i + 1), choices.world));
  const markets = marketsIn(worlds, marketOf);
  const parts = worlds.map((world, i) => {
    const { world: choose, base, later, groups } = choices[i]!;
    return {
      accounts: makeAccounts(world, choose),
      base: base.map((choose, index) => baseFile(world, markets, index, choose)),
      later: later.reduce<RateFile[]>(
        (files, choose, index) => [...files, laterFile(world, markets, index, files[index - 1], choose)],
        [],
      ),
      events: groups.flatMap((choose, index) => group(world, index, choose)),
    };
  });
  const files = [...(parts[0]?.base ?? []), ...parts.flatMap((part) => part.later)];
  return {
    events: parts.flatMap((part) => part.events),
    accounts: parts.flatMap((part) => part.accounts),
    policy: { ...DEFAULT_POLICY_SETTINGS, echoes: one(choices[0]!.world, ['apart', 'counted']) },
    cards: files.filter((file) => file !== undefined),
  };
}

/** Events in any order, accounts and rate files. */
export function moneyWorlds(options: MoneyOptions = {}): fc.Arbitrary<MoneyWorld> {
  const { maxGroups = 10, worlds = 1, marketOf = marketsOf(SAMPLE_MARKETS) } = options;
  const tapes = (length: number, least: number, most: number): fc.Arbitrary<number[][]> =>
    fc.array(tapeArbitrary(length), { minLength: least, maxLength: most, size: 'max' });
  const world = fc.record({
    world: tapeArbitrary(40),
    base: tapes(120, BASE_FILES, BASE_FILES),
    later: tapes(80, 0, 6),
    groups: tapes(140, 1, maxGroups),
  });
  const read = (tapes: readonly number[][]): Choose[] => tapes.map((tape) => reading(tape));
  return fc
    .array(world, { minLength: worlds, maxLength: worlds, size: 'max' })
    .map((made) => {
      const choices = made.map(({ world, base, later, groups }) => ({
        world: reading(world),
        base: read(base),
        later: read(later),
        groups: read(groups),
      }));
      return sideBySide(choices, marketOf);
    })
    .chain((world) =>
      fc
        .shuffledSubarray([...world.events], { minLength: world.events.length, maxLength: world.events.length })
        .map((events) => ({ ...world, events })),
    );
}

/** What the worlds of `randomMoney` hold, about. */
const EVENTS_OF_A_WORLD = 190;

/** About `size` events from a seed, without fast-check: many worlds side by side, shuffled. */
export function randomMoney(seed: number, size: number, marketOf: MarketOf = marketsOf(SAMPLE_MARKETS)): MoneyWorld {
  const choose = seeded(seed);
  const many = (n: number): Choose[] => Array.from({ length: n }, () => choose);
  const worlds = Array.from({ length: Math.max(1, Math.round(size / EVENTS_OF_A_WORLD)) }, () => ({
    world: choose,
    base: many(BASE_FILES),
    later: many(choose(7)),
    groups: many(6 + choose(30)),
  }));
  const all = sideBySide(worlds, marketOf);
  const events = [...all.events];
  for (let i = events.length - 1; i > 0; i--) {
    const j = choose(i + 1);
    [events[i], events[j]] = [events[j], events[i]];
  }
  return { ...all, events };
}

// ---------------------------------------------------------------------------------------------------------------------
// Over the allowance.

export interface AllowanceOptions {
  /** Decides the month: the number's allowance of 2026-10, or the WABA's of 2024-01. */
  readonly policy: 'PMP-2026-10' | 'CBP-2023-06';
  /** Messages of customers who clicked no ad. Default 1,060. */
  readonly charged?: number;
  /** Messages of customers who clicked one, spread between them. Default 60. */
  readonly free?: number;
}

/**
 * More service messages than are free, all with one price: of one number through two WABAs, or of one WABA through two
 * numbers, and a few of another. Most come in bursts at one second, so that numbers and ids decide who is first. Among
 * them are messages in free entry windows, echoes and reactions, messages that Meta reports as charged or as free, and
 * some that it reports as of another category.
 */
export function allowanceWorld({ policy, charged = 1060, free = 60 }: AllowanceOptions): MoneyWorld {
  const isPerMessage = policy === 'PMP-2026-10';
  const wabas = ['102290129340398', '202290129340398'] as const;
  const numbers = ['99', '106540352242922'] as const;
  const zone = 'America/Sao_Paulo';
  const start = midnight(isPerMessage ? '2026-10-01' : '2024-01-01', zone);
  const next = midnight(isPerMessage ? '2026-11-01' : '2024-02-01', zone);
  const events: Event[] = [];
  /** Who sends the n-th message, and to whom. */
  const thread = (n: number): Event => ({
    waba_id: wabas[isPerMessage && n % 3 === 0 ? 1 : 0],
    phone_number_id: numbers[!isPerMessage && n % 3 === 0 ? 1 : 0],
    wa_id: `55119555${String(n).padStart(5, '0')}`,
  });
  const say = (direction: string, n: number, t: number, fields: Event = {}): Event => {
    const mark = n % 2 === 0 ? '\u{ff21}' : '\u{1d400}';
    const id = `wamid.${mark}${n}.${events.length}`;
    const event = { event: 'message', direction, ...thread(n), id, timestamp: t, type: 'text', ...fields };
    events.push(event);
    return event;
  };
  const deliver = (of: Event, t: number, fields: Event = {}): void => {
    const { waba_id, phone_number_id, wa_id, id } = of as { [name: string]: string };
    events.push({
      event: 'status',
      ...{ waba_id, phone_number_id, wa_id, id },
      status: 'delivered',
      timestamp: t,
      ...fields,
    } as Event);
  };
  const reported = (type: string, category: string): Event => ({
    pricing: isPerMessage
      ? { pricing_model: 'PMP', type, category }
      : { pricing_model: 'CBP', billable: type === 'regular', category },
  });
  const utility = { type: 'template', template: { name: 'follow_up', category: 'utility' } };

  const every = Math.max(1, Math.floor(charged / Math.max(1, free)));
  let freed = 0;
  for (let n = 0; n < charged; n++) {
    const t = start + Math.floor(n / 90) * HOUR;
    if (n % every === 0 && freed < free) {
      freed += 1;
      const who = charged + n;
      say('inbound', who, t - 60, { referral: { source_type: 'ad', source_id: '7' } });
      deliver(say('outbound', who, t), t);
    }
    if (n % 101 === 7) say('outbound', n, t, { origin: 'app' });
    else if (n % 103 === 9) deliver(say('outbound', n, t), t, reported('regular', 'service'));
    else if (n % 107 === 11) deliver(say('outbound', n, t), t, reported('free_customer_service', 'service'));
    else if (n % 109 === 13) deliver(say('outbound', n, t, { type: 'reaction' }), t);
    else if (n % 113 === 15) deliver(say('outbound', n, t, utility), t, reported('regular', 'service'));
    else if (n % 127 === 17) deliver(say('outbound', n, t), t, reported('regular', 'utility'));
    else deliver(say('outbound', n, t), t);
  }
  // The last second of the month before, and the first of the next one, which has an allowance of its own.
  for (const [i, t] of [start - 1, next - 1, next].entries()) deliver(say('outbound', 4 * charged + i, t), t);
  // The other number, or the other WABA, which is nowhere near its own.
  for (let n = 0; n < 20; n++) {
    const [waba_id, phone_number_id] = isPerMessage ? [wabas[0], numbers[1]] : [wabas[1], numbers[0]];
    deliver(say('outbound', 5 * charged + n, next - DAY, { waba_id, phone_number_id }), next - DAY);
  }

  const rows = [{ market: 'Brazil', rates: { service: '0.0035', utility: '0.02' } }];
  const facts = { currency: 'BRL', effective_date: '2023-06-01', withdrawn: false };
  return {
    events,
    accounts: wabas.map((waba_id) => ({ waba_id, time_zone: zone, currency: 'BRL' })),
    policy: DEFAULT_POLICY_SETTINGS,
    cards: [
      { ...facts, kind: 'list', model: 'message', name: 'per-message', rows },
      { ...facts, kind: 'list', model: 'conversation', name: 'per-conversation', rows },
    ],
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// Rate files as Meta prints them (contract.md 6).

function quoted(cell: string): string {
  return /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function csv(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `${cells.map(quoted).join(',')}\n`).join('');
}

const COLUMN_NAMES: Readonly<Record<PriceColumn, string>> = {
  marketing: 'Marketing',
  utility: 'Utility',
  authentication: 'Authentication',
  authentication_international: 'Authentication-\nInternational',
  service: 'Service',
};

/** The text of the file from which a card or its tiers are imported. */
export function fileText(file: RateFile): string {
  if (file.kind === 'tiers') {
    return csv([
      ['Market', 'Currency', 'Message type', 'From', 'To', 'Rate'],
      ...file.rows.map((row) => [
        row.market,
        file.currency,
        COLUMN_NAMES[row.category].replace('\n', ''),
        String(row.from),
        row.to === null ? 'MAX' : String(row.to),
        row.rate,
      ]),
    ]);
  }
  return csv([
    [`Cost per ${file.model} in ${file.currency}`, '', '', '', '', '', ''],
    ['Market', 'Currency', ...PRICE_COLUMNS.map((column) => COLUMN_NAMES[column])],
    ...file.rows.map((row) => [
      row.market,
      file.currency,
      ...PRICE_COLUMNS.map((column) => row.rates[column] ?? 'n/a'),
    ]),
  ]);
}

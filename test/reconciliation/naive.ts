/** Both sides of the match reckoned in plain loops, from the events alone: what the SQL must agree with to the digit. */
import { Decimal as AnyDecimal } from 'decimal.js';
import type { Account } from '../../schemas/config.ts';
import { DEFAULT_POLICY_SETTINGS } from '../../schemas/config.ts';
import { marketOf } from '../../services/rating/markets.ts';
import { addTo, dayOf } from '../oracle/cells.ts';
import { oracleMessages } from '../oracle/oracle.ts';
import { rateMessages, type RateFile } from '../oracle/rating.ts';
import { MONTH, NUMBERS, WABA, ZONE, type Fields } from './world.ts';

export const Decimal = AnyDecimal.clone({ precision: 60 });
type Decimal = InstanceType<typeof Decimal>;

interface Key {
  readonly day: string;
  readonly phone_number: string;
  readonly country: string;
  readonly category: string;
  readonly pricing_type: string;
  readonly tier: string;
}

/** A message of ours as it is counted. */
export interface Counted extends Key {
  readonly message_id: string;
  readonly delivered_at: number;
  /** Undefined: no amount. */
  readonly cost: Decimal | undefined;
}

/** A point of Meta's, with what it counts still one by one. */
export interface Point extends Key {
  readonly volume: number;
  readonly cost: Decimal | undefined;
}

const CARDS: readonly RateFile[] = [
  {
    name: 'list.csv',
    currency: 'USD',
    effective_date: '2026-10-01',
    withdrawn: false,
    kind: 'list',
    model: 'message',
    rows: [
      ['North America', '0.025', '0.0034'],
      ['Brazil', '0.0625', '0.0068'],
      ['India', '0.0118', '0.0014'],
      ['Kazakhstan', '0.08600001', '0.0212'],
      ['Other', '0.06', '0.0077'],
    ].map(([market, marketing, other]) => ({
      market: market!,
      rates: { marketing: marketing!, utility: other!, authentication: other!, service: other! },
    })),
  },
  {
    name: 'tiers.csv',
    currency: 'USD',
    effective_date: '2026-10-01',
    withdrawn: false,
    kind: 'tiers',
    model: 'message',
    rows: [
      { market: 'Brazil', category: 'utility', from: 1, to: 20, rate: '0.0068' },
      { market: 'Brazil', category: 'utility', from: 21, to: 40, rate: '0.0065' },
      { market: 'Brazil', category: 'utility', from: 41, to: null, rate: '0.006' },
    ],
  },
];

/** How customers of the world are called, and their country. */
const COUNTRIES = { '5511': 'BR', '1650': 'US', '1416': 'CA', '9199': 'IN', '7701': 'KZ', 'IN.': 'IN' };

function countryOf(customer: string): string {
  return Object.entries(COUNTRIES).find(([prefix]) => customer.startsWith(prefix))![1];
}

/** Delivered messages of the account in the month, each as it is counted on Meta's side and ours. */
export function counted(
  flat: readonly Fields[],
  account: Account,
  zone: string = ZONE,
  echoes: 'apart' | 'counted' = 'apart',
): Counted[] {
  const groups = new Set(flat.filter((event) => 'group_id' in event).map((event) => event['id']));
  const accounts = [account];
  const messages = oracleMessages({ events: [...flat], accounts, policy: { ...DEFAULT_POLICY_SETTINGS, echoes } });
  const rated = rateMessages({ messages, accounts, cards: CARDS, marketOf });
  const display = new Map<string, string>(NUMBERS.map(({ id, display }) => [id, display]));
  const named = (one: { phone_number_id: string; message_id: string; customer: string }): string =>
    [one.phone_number_id, one.message_id, one.customer].join(' ');
  const prices = new Map(rated.map((one) => [named(one), one]));
  return messages.flatMap((message): Counted[] => {
    const { delivered_at, billing } = message;
    if (delivered_at === undefined || message.stands_apart || message.waba_id !== WABA) return [];
    const day = dayOf(delivered_at, zone);
    if (!day.startsWith(MONTH)) return [];
    const price = prices.get(named(message))!;
    const isFree = billing === 'BILLABLE' && price.unrated === '' && price.rate_card === '';
    const free = groups.has(message.message_id) ? 'FREE_GROUP_CUSTOMER_SERVICE' : 'FREE_CUSTOMER_SERVICE';
    const types: Record<string, string> = {
      BILLABLE: isFree ? free : 'REGULAR',
      FREE_SERVICE: free,
      FREE_ENTRY: 'FREE_ENTRY_POINT',
    };
    const pricing_type = types[billing] ?? billing;
    const category = (message.reported_category || message.category).toUpperCase();
    const tier = price.tier === '' ? '0:MAX' : price.tier.replace(/^1:/, '0:');
    return [
      {
        message_id: message.message_id,
        delivered_at,
        day,
        phone_number: display.get(message.phone_number_id) ?? message.phone_number_id,
        country: countryOf(message.customer),
        category: pricing_type === 'FREE_ENTRY_POINT' ? 'ANY' : category,
        pricing_type,
        tier: pricing_type === 'REGULAR' ? tier : '',
        cost:
          billing !== 'BILLABLE' ? new Decimal(0) : price.unrated === '' ? new Decimal(price.billed_cost) : undefined,
      },
    ];
  });
}

const COLUMNS = ['day', 'phone_number', 'country', 'category', 'pricing_type', 'tier'] as const;
export type Column = (typeof COLUMNS)[number];

const textOf = (key: Key, kept: readonly Column[]): string =>
  JSON.stringify(COLUMNS.map((column) => (kept.includes(column) ? key[column] : '')));

/** What Meta answers: its points, one for each key. */
export function pointsOf(messages: readonly Counted[], kept: readonly Column[] = COLUMNS): Point[] {
  const groups = new Map<string, Counted[]>();
  for (const message of messages) addTo(groups, textOf(message, kept), message);
  return [...groups].map(([key, all]) => {
    const [day, phone_number, country, category, pricing_type, tier] = JSON.parse(key) as string[];
    return {
      ...{ day: day!, phone_number: phone_number!, country: country!, category: category!, tier: tier! },
      pricing_type: pricing_type!,
      volume: all.length,
      cost: all.reduce((sum, { cost }) => sum.plus(cost ?? 0), new Decimal(0)),
    };
  });
}

export interface NaiveRow extends Key {
  readonly our_volume: number;
  readonly meta_volume: number;
  readonly our_cost: string;
  readonly meta_cost: string;
  readonly status: string;
}

/** Both sides joined, with the status by the default tolerance. */
export function naiveMatch(
  ours: readonly Counted[],
  metas: readonly Point[],
  kept: readonly Column[] = COLUMNS,
): NaiveRow[] {
  const oursByKey = new Map<string, Counted[]>();
  const metasByKey = new Map<string, Point[]>();
  for (const message of ours) addTo(oursByKey, textOf(message, kept), message);
  for (const point of metas) addTo(metasByKey, textOf(point, kept), point);
  const givesCosts = metas.some(({ cost }) => cost !== undefined);
  const isCostless = metas.every(
    ({ cost, pricing_type }) => !['REGULAR', ''].includes(pricing_type) || cost?.isZero() !== false,
  );
  return [...new Set([...oursByKey.keys(), ...metasByKey.keys()])]
    .map((key): NaiveRow => {
      const mine = oursByKey.get(key) ?? [];
      const points = metasByKey.get(key) ?? [];
      const [day, phone_number, country, category, pricing_type, tier] = JSON.parse(key) as string[];
      const our_volume = mine.length;
      const meta_volume = points.reduce((sum, { volume }) => sum + volume, 0);
      const isUnrated = mine.some(({ cost }) => cost === undefined);
      const amounts = mine.flatMap(({ cost }) => (cost === undefined ? [] : [cost]));
      const our_cost =
        our_volume > 0 && amounts.length === 0
          ? undefined
          : amounts.reduce((sum, one) => sum.plus(one), new Decimal(0));
      const given = points.flatMap(({ cost }) => (cost === undefined ? [] : [cost]));
      const meta_cost =
        given.length > 0
          ? given.reduce((sum, one) => sum.plus(one), new Decimal(0))
          : points.length === 0 && givesCosts
            ? new Decimal(0)
            : undefined;
      const off = our_volume - meta_volume;
      const status = (): string => {
        if (Math.abs(off) > Math.max(1, (meta_volume * 0.5) / 100))
          return our_volume === 0 ? 'only_meta' : meta_volume === 0 ? 'only_ours' : 'volume';
        if (meta_cost === undefined || (isCostless && our_cost?.isZero() !== true)) return 'no_cost';
        if (our_volume > 0) {
          if (isUnrated || our_cost === undefined) return 'price';
          // Each message too many or too few accounts for the price of one of ours.
          const rates = amounts.map((one) => one.times(off));
          const [low, high] = [Decimal.min(...rates), Decimal.max(...rates)];
          const allowed = Decimal.max('0.005', meta_cost.times('0.0001'));
          const difference = our_cost.minus(meta_cost);
          if (difference.lt(low.minus(allowed)) || difference.gt(high.plus(allowed))) return 'price';
        }
        return off === 0 ? 'match' : 'within_tolerance';
      };
      return {
        ...{ day: day!, phone_number: phone_number!, country: country!, category: category!, tier: tier! },
        pricing_type: pricing_type!,
        our_volume,
        meta_volume,
        our_cost: our_cost?.toFixed() ?? '',
        meta_cost: meta_cost?.toFixed() ?? '',
        status: status(),
      };
    })
    .sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

const order = (key: Key): string => COLUMNS.map((column) => key[column]).join('\u0001');

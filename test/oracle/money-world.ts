/** What the events of one world of money have in common: a month, its zones, accounts, numbers and customers. */
import { DateTime } from 'luxon';
import { type Account } from '../../schemas/config.ts';
import { type Choose, type Event, one, rarely } from './choices.ts';
import { type MarketRow } from './rating.ts';

export const HOUR = 3600;
export const DAY = 24 * HOUR;

/** No event is later, whatever the clock of the machine that tests: it is the limit of arbitraries.ts too. */
export const LATEST = Date.parse('2026-11-15T00:00:00Z') / 1000;

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
export const CUSTOMERS: readonly string[] = [
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

export const CURRENCIES = ['USD', 'INR', 'BRL'] as const;

/** What the groups of one world have in common. */
export interface World {
  readonly prefix: string;
  /** First day of the month around which all happens. */
  readonly first: string;
  readonly zones: readonly string[];
  readonly wabas: readonly string[];
  readonly numbers: readonly string[];
  readonly customers: readonly string[];
}

export function dayFrom(first: string, days: number): string {
  return DateTime.fromISO(first, { zone: 'UTC' }).plus({ days }).toISODate()!;
}

export function midnight(day: string, zone: string): number {
  return DateTime.fromISO(day, { zone }).startOf('day').toSeconds();
}

export function makeWorld(prefix: string, choose: Choose): World {
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

export function makeAccounts(world: World, choose: Choose): Account[] {
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

/** The `customer` of the n-th of a kind. */
export function identity(kind: string, n: number): string {
  return `${kind}${n}`;
}

export function naming(customer: string): Event {
  return /^[0-9]+$/.test(customer) ? { wa_id: customer } : { user_id: customer };
}

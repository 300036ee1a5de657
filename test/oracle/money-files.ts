/** Rate files for a world of money: cards and tiers that replace each other, lack cells, and begin on edges. */
import { type Choose, one, rarely } from './choices.ts';
import { CURRENCIES, dayFrom, identity, type World } from './money-world.ts';
import { type ListRow, type MarketOf, PRICE_COLUMNS, type PriceColumn, type RateFile, type TierRow } from './rating.ts';

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
export function marketsIn(worlds: readonly World[], marketOf: MarketOf): string[] {
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

/** Tiers that few messages cross: whole, beginning late, ending early, and one message wide. */
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
    [4, 6],
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

export function baseFile(
  world: World,
  markets: readonly string[],
  index: number,
  choose: Choose,
): RateFile | undefined {
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
export function laterFile(
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

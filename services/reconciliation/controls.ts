import type { MetaControl, MetaControlRow } from '@ctwa-ledger/schemas/meta.ts';
import { amountText, larger, sizeOf } from './amounts.ts';
import { exemptDays, isChargedService } from './exemption.ts';
import { groupsOf, type JudgedRow } from './differences.ts';
import { MAX_PRICE_FROM, MARKETING, PRICE_ROUNDING } from './prices.ts';

/** Prices of cards for a market and a category on a day, in units of the twelfth decimal; none when no card has one. */
export type PricesOf = (country: string, category: string, day: string) => readonly bigint[];

/** What Meta's numbers of a month are looked at for. */
export interface Controlled {
  readonly waba_id: string;
  /** `YYYY-MM` */
  readonly month: string;
  readonly currency: string;
  /** All rows of the month, of both sides. */
  readonly rows: readonly JudgedRow[];
  /** By number, the free service messages that Meta counts for it under other accounts. */
  readonly elsewhere: ReadonlyMap<string, bigint>;
  /** Whether other accounts count their tiers together with this one. */
  readonly shares_tiers: boolean;
  readonly pricesOf: PricesOf;
}

/** From this month on service messages are free up to a number of them (rules.md M3). */
const ALLOWANCE_FROM = '2026-10';
const FREE_TYPES: ReadonlySet<string> = new Set(['FREE_CUSTOMER_SERVICE', 'FREE_GROUP_CUSTOMER_SERVICE']);
const TIERED: ReadonlySet<string> = new Set(['UTILITY', 'AUTHENTICATION', 'AUTHENTICATION_INTERNATIONAL']);

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, one) => total + one, 0n);
const ofGroup = (category: string): string => category.replace(/^GROUP_/, '');

type Said = Partial<Pick<MetaControlRow, 'phone_number' | 'country' | 'category' | 'tier'>>;

/** A finding about some of Meta's rows. */
function findingOf(
  { waba_id, month, currency }: Controlled,
  control: MetaControl,
  rows: readonly JudgedRow[],
  said: Said,
  finding: string,
): MetaControlRow {
  const days = rows.map(({ day }) => day).toSorted();
  const costs = rows.flatMap(({ meta_cost }) => (meta_cost === null ? [] : [meta_cost]));
  return {
    ...{ waba_id, month, control, phone_number: '', country: '', category: '', tier: '', ...said },
    first_day: days.at(0) ?? '',
    last_day: days.at(-1) ?? '',
    rows: rows.length,
    volume: sum(rows.map(({ meta_volume }) => meta_volume)).toString(),
    currency,
    cost: costs.length === 0 ? null : amountText(sum(costs)),
    finding,
  };
}

/** Free service messages of each number: no more than its allowance, over all accounts that share it. */
function freeService(of: Controlled, metas: readonly JudgedRow[], allowance: bigint): MetaControlRow[] {
  if (of.month < ALLOWANCE_FROM) return [];
  const free = metas.filter(
    ({ phone_number, category, pricing_type }) =>
      phone_number !== '' && ofGroup(category) === 'SERVICE' && FREE_TYPES.has(pricing_type),
  );
  return [...groupsOf(free, ({ phone_number }) => phone_number)].flatMap(([phone_number, rows]) => {
    const own = sum(rows.map(({ meta_volume }) => meta_volume));
    const others = of.elsewhere.get(phone_number) ?? 0n;
    if (own + others <= allowance) return [];
    const shared = others === 0n ? '' : `, ${others} of them under other accounts`;
    return [
      findingOf(
        of,
        'free_service',
        rows,
        { phone_number, category: 'SERVICE' },
        `Meta counts ${own + others} free service messages of the number${shared}, and ${allowance} are free in a month, unless the account need not pay for them.`,
      ),
    ];
  });
}

interface Bounds {
  readonly from: bigint;
  /** Null = no upper bound. */
  readonly to: bigint | null;
}

function boundsOf(tier: string): Bounds | null {
  const [, from = '', to = ''] = /^(\d{1,15}):(\d{1,15}|MAX)$/.exec(tier) ?? [];
  if (from === '') return null;
  return { from: from === '0' ? 1n : BigInt(from), to: to === 'MAX' ? null : BigInt(to) };
}

/** What is wrong with two tiers that follow each other; null when nothing is. */
function betweenTiers(one: Bounds, next: Bounds): 'overlap' | 'gap' | null {
  if (one.to === null || next.from <= one.to) return 'overlap';
  return next.from > one.to + 1n ? 'gap' : null;
}

/** The tiers in which Meta counts: they follow each other without gap or overlap. */
function tiers(of: Controlled, metas: readonly JudgedRow[], marketOf: (country: string) => string): MetaControlRow[] {
  const tiered = metas.filter(({ tier, category, country }) => country !== '' && TIERED.has(category) && tier !== '');
  const groups = groupsOf(tiered, ({ country, category }) => `${marketOf(country)}\n${category}`);
  return [...groups].flatMap(([key, rows]) => {
    const [market = '', category = ''] = key.split('\n');
    const names = [...new Set(rows.map(({ tier }) => tier))];
    const known = names.flatMap((tier) => {
      const bounds = boundsOf(tier);
      return bounds === null ? [] : [{ tier, ...bounds }];
    });
    const sorted = known.toSorted((a, b) => (a.from === b.from ? 0 : a.from < b.from ? -1 : 1));
    return sorted.flatMap((one, index) => {
      const next = sorted[index + 1];
      const wrong = next === undefined ? null : betweenTiers(one, next);
      // Other accounts may have filled the tier between.
      if (next === undefined || wrong === null || (wrong === 'gap' && of.shares_tiers)) return [];
      const found = rows.filter(({ tier }) => tier === one.tier || tier === next.tier);
      const countries = [...new Set(found.map(({ country }) => country))].toSorted().join(' ');
      const words =
        wrong === 'gap'
          ? `no message of ${market} is in a tier between ${one.tier} and ${next.tier}`
          : `tiers ${one.tier} and ${next.tier} of ${market} overlap`;
      return [
        findingOf(
          of,
          'tiers',
          found,
          { country: countries, category, tier: `${one.tier} ${next.tier}` },
          `In Meta's numbers ${words}.`,
        ),
      ];
    });
  });
}

/** What is free costs nothing. */
function freeCost(of: Controlled, metas: readonly JudgedRow[]): MetaControlRow[] {
  const costly = metas.filter(
    ({ pricing_type, meta_cost }) => pricing_type.startsWith('FREE_') && meta_cost !== null && meta_cost !== 0n,
  );
  return [...groupsOf(costly, ({ pricing_type }) => pricing_type)].map(([pricing_type, rows]) =>
    findingOf(
      of,
      'free_cost',
      rows,
      {},
      `Meta names a cost for messages that it counts as ${pricing_type.toLowerCase().replaceAll('_', ' ')}.`,
    ),
  );
}

/** Whether the cost of a row is its volume times a price, or between two of them where its tiers are not separated. */
function isPriced({ meta_cost, meta_volume, tier, category }: JudgedRow, prices: readonly bigint[]): boolean {
  const cost = meta_cost ?? 0n;
  const allowed = larger(PRICE_ROUNDING, cost / 10_000n);
  const costs = prices.map((price) => price * meta_volume);
  if (costs.some((one) => sizeOf(one - cost) <= allowed)) return true;
  const isMixed = tier === '' && TIERED.has(category);
  return isMixed && costs.some((one) => one <= cost + allowed) && costs.some((one) => one >= cost - allowed);
}

/** Amount by volume is a price of a card. Where a maximum price may have been set, the list is no such price. */
function prices(of: Controlled, metas: readonly JudgedRow[]): MetaControlRow[] {
  const isExempt = exemptDays(of.rows);
  const odd = metas.flatMap((row) => {
    const { country, category, pricing_type, day, meta_cost, meta_volume } = row;
    if (country === '' || pricing_type !== 'REGULAR' || meta_cost === null || meta_volume === 0n || row.is_costless)
      return [];
    if (isChargedService(row) && meta_cost === 0n && isExempt(day)) return [];
    const known = of.pricesOf(country, ofGroup(category), day === '' ? `${of.month}-01` : day);
    if (known.length === 0 || isPriced(row, known)) return [];
    const isMarketing = MARKETING.has(ofGroup(category)) && (day === '' || day >= MAX_PRICE_FROM);
    return [
      { row, price: meta_cost / meta_volume, control: isMarketing ? ('max_price' as const) : ('price' as const) },
    ];
  });
  const groups = new Map<string, typeof odd>();
  for (const one of odd) {
    const key = [one.control, one.row.country, one.row.category, one.row.tier, one.price].join('\n');
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { row, price, control } = first;
    const said = `Meta charges ${amountText(price)} each, which is no price of the card in force`;
    const { country, category, tier } = row;
    return [
      findingOf(
        of,
        control,
        group.map((one) => one.row),
        { country, category, tier },
        control === 'price' ? `${said}.` : `${said}: a maximum price may lie below the list, or above it.`,
      ),
    ];
  });
}

/**
 * Controls on Meta's own numbers, whatever ours are: they hold of every right bill. Pure.
 * @param allowance free service messages of a number in a month
 */
export function controlRows(
  of: Controlled,
  allowance: bigint,
  marketOf: (country: string) => string,
): readonly MetaControlRow[] {
  const metas = of.rows.filter(
    ({ has_point, meta_volume, meta_cost }) => has_point && (meta_volume > 0n || (meta_cost ?? 0n) > 0n),
  );
  return [
    ...freeService(of, metas, allowance),
    ...tiers(of, metas, marketOf),
    ...freeCost(of, metas),
    ...prices(of, metas),
  ];
}

import { RATE_CATEGORIES, TIERED_CATEGORIES } from '@ctwa-ledger/schemas/rate-file.ts';
import { DateTime } from 'luxon';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { KeptReading } from '../clickhouse/kept-reading.ts';
import type { Mark, PolicyName } from '../lifecycle/marks.ts';
import { ratedCategory } from '../lifecycle/verdict.ts';
import { readRatingBasis, tierKey, type RatingBasis } from './basis.ts';
import { marketKey, marketOf, MARKETS } from './markets.ts';
import { pricedSql } from './pricing.ts';
import { FREE_PLACES } from '@ctwa-ledger/schemas/durations.ts';
import { GROUP_KEYS } from './ratable.ts';
import { givenRows } from '../clickhouse/sql.ts';

/** The facts that decide the price of a message that is not sent yet. */
export interface PlannedCharge {
  readonly phone_number_id: string;
  readonly waba_id: string;
  /** Digits of the number, or a business-scoped id (M2). */
  readonly recipient: string;
  /** The time of delivery, Unix seconds. */
  readonly at: number;
  readonly type: string;
  readonly category: string;
  readonly policy: PolicyName;
  readonly mark: Mark;
  /** The mark without any free entry. */
  readonly without_free_entry: Mark;
}

/** The price of a planned message, or why it has none, by the codes of the column `unrated` (rules.md M5). */
export interface PlannedPrice {
  readonly market: string;
  readonly rated_category: string;
  /** Empty when the account has none, or is not known. */
  readonly currency: string;
  /** Name and date of the card that prices it; empty when no card does. */
  readonly rate_card: string;
  /** `from:to` of the volume tier that the month has reached; empty without tiers. */
  readonly tier: string;
  /**
   * What it would be charged, a plain decimal; null without an amount. A message that is free by its mark costs 0 here,
   * even when its cost outside a free entry window is unknown. A row of the ledger has no amounts in that case
   * (rules.md M5).
   */
  readonly billed_cost: string | null;
  /** What it would cost outside a free entry window; null when unknown, and then `unrated` gives the reason. */
  readonly list_cost: string | null;
  /** Whether it costs nothing because the month has free places left (M3). */
  readonly is_in_free_place: boolean;
  readonly unrated: string;
}

type Scope = 'tier' | 'allowance' | 'conversations' | '';

/** A message with the fields that decide with what it is counted. */
interface Rateable {
  readonly charge: PlannedCharge;
  readonly day: string;
  readonly market: string;
  readonly rated_category: string;
  readonly model: 'conversation' | 'message';
  /** M4: the basis of its list cost, before places are looked at. */
  readonly needs: 'rate' | 'none' | 'free';
  readonly scope: Scope;
  readonly portfolio: string;
  /** Key of the group in which it is counted; empty when it is not counted. */
  readonly group: string;
}

/** How many messages of a group there are in the month. */
interface Counted {
  charged: bigint;
  free_entry: bigint;
}

interface Rate {
  readonly currency: string;
  readonly card: string;
  readonly tier: string;
  readonly rate: string | null;
  readonly unrated: string;
}

/** The basis of prices, read at one moment. */
interface Ground {
  readonly basis: RatingBasis;
  /** Identifies everything that decides a rate. */
  readonly version: string;
  readonly rates: Map<string, Rate>;
  readonly counted: Map<string, Counted>;
  /** One message of each group that was asked about. */
  readonly groups: Map<string, Rateable>;
}

/**
 * Groups that are counted again in advance. When there are more, all are dropped, so that those of past months go too.
 */
const MAX_GROUPS = 3_000;

const rateRow = z.object({
  n: z.number(),
  currency: z.string(),
  card: z.string(),
  tier: z.string(),
  rate: z.string().nullable(),
  unrated: z.string(),
});

const countedRow = z.object({ n: z.number(), charged: z.coerce.bigint(), free_entry: z.coerce.bigint() });

const ASKED_GROUPS = givenRows({
  n: ['places', 'UInt32'],
  scope: ['scopes', 'String'],
  named_portfolio: ['of_portfolios', 'String'],
  waba_id: ['of_wabas', 'String'],
  phone_number_id: ['of_numbers', 'String'],
  market: ['markets', 'String'],
  rated_category: ['categories', 'String'],
  month: ['months', 'String', 'toDate'],
});

const COUNTED = `
WITH keys AS
(
    SELECT n, multiIf(${GROUP_KEYS} toUInt64(0)) AS group_key FROM (${ASKED_GROUPS})
)
SELECT toUInt32(keys.n) AS n, toString(sumIf(messages, side = 'charged')) AS charged,
    toString(sumIf(messages, side = 'free_entry')) AS free_entry
FROM (SELECT group_key, side, messages FROM counted_hours FINAL WHERE group_key IN (SELECT group_key FROM keys)) AS hours
INNER JOIN keys ON hours.group_key = keys.group_key
GROUP BY keys.n`;

const PRICED_RELATION = givenRows({
  n: ['places', 'UInt32'],
  day: ['days', 'String', 'toDate'],
  waba_id: ['of_wabas', 'String'],
  market: ['markets', 'String'],
  model: ['models', 'String'],
  basis: ['bases', 'String'],
  place: ['stretches', 'String', 'toUInt64'],
  rated_category: ['categories', 'String'],
});

/** The parameters of a rate. */
interface AskedRate {
  readonly day: string;
  readonly waba_id: string;
  readonly market: string;
  readonly model: string;
  readonly basis: string;
  readonly stretch: string;
  readonly category: string;
}

function rateText({ day, waba_id, market, model, basis, stretch, category }: AskedRate): string {
  return [day, waba_id, market, model, basis, stretch, category].join('\n');
}

function needsOf(mark: Mark): Rateable['needs'] {
  if (mark === 'BILLABLE') return 'rate';
  return mark === 'UNKNOWN' ? 'none' : 'free';
}

function isTiered(category: string): boolean {
  return (TIERED_CATEGORIES as readonly string[]).includes(category);
}

/**
 * Prices of messages that are not sent yet, by the rules and queries that price sent messages (rules.md 5). Cards,
 * accounts and counts of the month are read again after a while. Counts are those of the charges, which follow the
 * marks within seconds.
 */
export class PlannedPrices {
  readonly #database: Database;
  readonly #ground: KeptReading<Ground>;

  /** @param keptMs how long what was read counts as current */
  constructor(database: Database, keptMs: number) {
    this.#database = database;
    this.#ground = new KeptReading(keptMs, (before) => this.#read(before));
  }

  async #read(before: Ground | null): Promise<Ground> {
    const basis = await readRatingBasis(this.#database);
    const version = `${basis.hash} ${JSON.stringify(basis.parameters)}`;
    const isSame = before?.version === version;
    const ground: Ground = {
      basis,
      version,
      rates: isSame ? before.rates : new Map(),
      counted: new Map(),
      groups: new Map(),
    };
    // Counts again the groups that were asked about before.
    if (isSame && before.groups.size <= MAX_GROUPS) await this.#count(ground, [...before.groups.values()]);
    return ground;
  }

  /**
   * Prices of messages that would be delivered one after another: each takes the next place of its group.
   * @returns in their order
   */
  async of(charges: readonly PlannedCharge[]): Promise<PlannedPrice[]> {
    const ground = await this.#ground.get();
    const rateables = charges.map((charge) => rateable(charge, ground.basis));
    const known = await this.#count(ground, rateables);
    const counted = new Map([...known].map(([group, counts]) => [group, { ...counts }]));
    const asked = rateables.map((one) => ({ one, ...askedRate(one, counted, ground.basis) }));
    const rates = await this.#rates(
      ground,
      asked.map(({ rate }) => rate),
    );
    return asked.map(({ one, rate, isInFreePlace }) => {
      const found = rates.get(rateText(rate));
      if (found === undefined) throw new TypeError('A rate that was asked for is missing.');
      const { mark } = one.charge;
      return {
        market: one.market,
        rated_category: one.rated_category,
        currency: found.currency,
        rate_card: found.card,
        tier: found.tier,
        billed_cost: mark === 'BILLABLE' ? found.rate : mark === 'UNKNOWN' ? null : '0',
        list_cost: found.rate,
        is_in_free_place: isInFreePlace,
        unrated: found.unrated,
      };
    });
  }

  async #count(ground: Ground, rateables: readonly Rateable[]): Promise<ReadonlyMap<string, Counted>> {
    const missing = new Map<string, Rateable>();
    for (const one of rateables) {
      if (one.group === '') continue;
      ground.groups.set(one.group, one);
      if (!ground.counted.has(one.group)) missing.set(one.group, one);
    }
    if (missing.size > 0) {
      const groups = [...missing.values()];
      const rows = await this.#database.query(countedRow, COUNTED, {
        places: groups.map((_, i) => i),
        scopes: groups.map(({ scope }) => scope),
        of_portfolios: groups.map(({ portfolio }) => portfolio),
        of_wabas: groups.map(({ charge }) => charge.waba_id),
        of_numbers: groups.map(({ charge }) => charge.phone_number_id),
        markets: groups.map(({ market }) => market),
        categories: groups.map(({ rated_category }) => rated_category),
        months: groups.map(({ day }) => `${day.slice(0, 7)}-01`),
      });
      const byPlace = new Map(rows.map((row) => [row.n, row]));
      groups.forEach(({ group }, i) => {
        const row = byPlace.get(i);
        ground.counted.set(group, { charged: row?.charged ?? 0n, free_entry: row?.free_entry ?? 0n });
      });
    }
    return ground.counted;
  }

  async #rates(ground: Ground, asked: readonly AskedRate[]): Promise<ReadonlyMap<string, Rate>> {
    const missing = new Map<string, AskedRate>();
    for (const one of asked)
      if (!ground.rates.has(rateText(one))) for (const other of askedWith(one)) missing.set(rateText(other), other);
    if (missing.size > 0) {
      const wanted = [...missing.values()];
      const rows = await this.#database.query(
        rateRow,
        `SELECT toUInt32(n) AS n, currency, card, tier, toString(rate) AS rate, unrated FROM (${pricedSql(PRICED_RELATION, 'rated_category')})`,
        {
          ...ground.basis.parameters,
          places: wanted.map((_, i) => i),
          days: wanted.map(({ day }) => day),
          of_wabas: wanted.map(({ waba_id }) => waba_id),
          markets: wanted.map(({ market }) => market),
          models: wanted.map(({ model }) => model),
          bases: wanted.map(({ basis }) => basis),
          stretches: wanted.map(({ stretch }) => stretch),
          categories: wanted.map(({ category }) => category),
        },
      );
      for (const { n, ...rate } of rows) {
        const one = wanted[n];
        if (one !== undefined) ground.rates.set(rateText(one), rate);
      }
    }
    return ground.rates;
  }
}

/**
 * Rates that are read together: planning a query costs more than its rows, and the other markets are often needed soon.
 */
function askedWith(one: AskedRate): readonly AskedRate[] {
  if (one.basis !== 'rate') return [one];
  const categories = RATE_CATEGORIES.filter((category) => isTiered(category) === isTiered(one.category));
  return [
    one,
    ...[...MARKETS].flatMap((market) => categories.map((category): AskedRate => ({ ...one, market, category }))),
  ];
}

/** The day of a time in the zone of an account (rules.md M1). */
function dayOf(at: number, zone: string): string {
  return DateTime.fromSeconds(at, { zone }).toISODate() ?? '';
}

function rateable(charge: PlannedCharge, { parameters, zones }: RatingBasis): Rateable {
  const place = (parameters['wabas'] as readonly string[]).indexOf(charge.waba_id);
  const zone = zones[((parameters['zones'] as readonly number[])[place] ?? 0) - 1] ?? 'UTC';
  const day = dayOf(charge.at, zone);
  const market = marketOf(charge.recipient, day);
  const own = ratedCategory(charge.category);
  const rated_category = own === 'marketing_lite' ? 'marketing' : own;
  const model = charge.policy.startsWith('CBP') ? 'conversation' : 'message';
  const needs = needsOf(charge.mark === 'FREE_ENTRY' ? charge.without_free_entry : charge.mark);
  const scope = scopeOf(charge, rated_category, model, needs);
  const portfolio = (parameters['portfolios'] as readonly string[])[place] ?? '';
  const month = day.slice(0, 7);
  const group = {
    tier: ['tier', portfolio === '' ? `waba ${charge.waba_id}` : portfolio, market, rated_category, month],
    allowance: ['allowance', charge.phone_number_id, month],
    conversations: ['conversations', charge.waba_id, month],
    '': [],
  }[scope].join('\n');
  return { charge, day, market, rated_category, model, needs, scope, portfolio, group };
}

/** M3: what the message is counted with. */
function scopeOf(
  { policy, type }: PlannedCharge,
  rated_category: string,
  model: Rateable['model'],
  needs: Rateable['needs'],
): Scope {
  if (model === 'message' && needs === 'rate' && isTiered(rated_category)) return 'tier';
  if (rated_category !== 'service') return '';
  if (policy === 'PMP-2026-10' && type !== 'reaction') return 'allowance';
  return policy === 'CBP-2023-06' && needs === 'rate' ? 'conversations' : '';
}

/** The parameters of a message's rate, at its place among the messages counted with it. */
function askedRate(
  { charge, day, market, rated_category, model, needs, scope, group }: Rateable,
  counted: ReadonlyMap<string, Counted>,
  { tierPlaces }: RatingBasis,
): { readonly rate: AskedRate; readonly isInFreePlace: boolean } {
  const counts = counted.get(group);
  const isFreeEntry = charge.mark === 'FREE_ENTRY';
  let place = 1n;
  if (counts !== undefined) {
    // M4: free entry messages take the places after the last charged one.
    place = counts.charged + (isFreeEntry ? counts.free_entry : 0n) + 1n;
    if (isFreeEntry) counts.free_entry += 1n;
    else counts.charged += 1n;
  }
  const isInFreePlace =
    needs === 'rate' && (scope === 'allowance' || scope === 'conversations') && place <= BigInt(FREE_PLACES);
  const basis = isInFreePlace ? (isFreeEntry ? 'free' : 'allowance') : needs;
  let stretch = scope === 'tier' ? 1n : 0n;
  if (scope === 'tier')
    for (const begin of tierPlaces.get(tierKey(marketKey(market), rated_category)) ?? [])
      if (BigInt(begin) <= place && BigInt(begin) > stretch) stretch = BigInt(begin);
  return {
    rate: {
      day,
      waba_id: charge.waba_id,
      model,
      basis,
      // Without a rate by its basis a message has no rate.
      ...(basis === 'rate'
        ? { market, stretch: stretch.toString(), category: rated_category }
        : { market: '', stretch: '0', category: '' }),
    },
    isInFreePlace,
  };
}

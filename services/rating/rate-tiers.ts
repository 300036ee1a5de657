import { LAST_PLACE, type Rate, type TieredCategory } from '@ctwa-ledger/schemas/rate-file.ts';
import { marketKey } from './markets.ts';
import type { Section } from './rate-header.ts';
import type { RateRow } from './rate-rows.ts';

/** One tier, and where the file has its first message. */
interface Tier {
  readonly row: RateRow;
  readonly from_index: number;
  readonly from: bigint;
  readonly to: bigint;
}

/** Collects tiers as they are read: rates by currency, and the sequences that must have no gap. */
class Tiers {
  readonly byCurrency = new Map<string, Rate[]>();
  readonly #byPlace = new Map<string, Tier[]>();

  add(
    place: { readonly market: string; readonly currency: string; readonly category: TieredCategory },
    tier: Tier & { readonly to_index: number },
    rate: string | null | undefined,
  ): void {
    const { market, currency, category } = place;
    if (tier.from > tier.to)
      tier.row.problem(tier.to_index, `The tier ends (${tier.to}) before it begins (${tier.from}).`);
    const key = `${currency} ${category} ${marketKey(market)}`;
    const ofPlace = this.#byPlace.get(key) ?? [];
    ofPlace.push(tier);
    this.#byPlace.set(key, ofPlace);
    const rates = this.byCurrency.get(currency) ?? [];
    this.byCurrency.set(currency, rates);
    // Where a tier has no rate, the card's rate applies, as without tiers (rules.md M3).
    if (rate !== null && rate !== undefined)
      rates.push({ market, category, from_place: tier.from.toString(), to_place: tier.to.toString(), rate });
  }

  /** Checks that the tiers of one market and category follow each other without gap or overlap. */
  check(): void {
    for (const tiers of this.#byPlace.values()) {
      let before: Tier | null = null;
      for (const tier of tiers.toSorted((a, b) =>
        a.from < b.from ? -1 : a.from > b.from ? 1 : a.row.row.line - b.row.row.line,
      )) {
        const line = before?.row.row.line ?? 0;
        if (before !== null && tier.from <= before.to)
          tier.row.problem(tier.from_index, `The tier overlaps with the one on line ${line}.`);
        if (before !== null && tier.from > before.to + 1n)
          tier.row.problem(
            tier.from_index,
            `The tier begins with ${tier.from}, but the one before, on line ${line}, ends with ${before.to}: what is between belongs to no tier.`,
          );
        if (before === null || tier.to > before.to) before = tier;
      }
    }
  }
}

/** Reads tiers with one tier per row and the message type beside it: rates by currency. */
export function readSimpleTiers(rows: readonly RateRow[]): Map<string, Rate[]> {
  const tiers = new Tiers();
  for (const row of rows) {
    const [from_index, to_index] = [row.indexOf('from'), row.indexOf('to')];
    const market = row.market();
    const currency = row.currency();
    const category = row.category();
    const from = row.from(from_index);
    const to = row.to(to_index);
    const rate = row.rate(row.indexOf('rate'));
    if (market === null || currency === null || category === null || from === null || to === null) continue;
    tiers.add({ market, currency, category }, { row, from_index, to_index, from, to }, rate);
  }
  tiers.check();
  return tiers.byCurrency;
}

/** Reads tiers as Meta publishes them: the categories side by side, the market on the first row of its block. */
export function readPublishedTiers(rows: readonly RateRow[], sections: readonly Section[]): Map<string, Rate[]> {
  const tiers = new Tiers();
  let market: string | null = null;
  let currency: string | null = null;
  for (const row of rows) {
    const isNewBlock = (row.text(row.indexOf('market')) ?? '') !== '';
    market = row.market(market);
    currency = row.currency(isNewBlock ? null : currency);
    for (const section of sections) {
      const { category, from: from_index, to: to_index } = section;
      if ([from_index, to_index, section.rate].every((index) => row.isNothing(index))) continue;
      const from = row.from(from_index);
      const to = row.to(to_index);
      const rate = row.rate(section.rate);
      if (market === null || currency === null || from === null || to === null) continue;
      tiers.add({ market, currency, category }, { row, from_index, to_index, from, to }, rate);
    }
  }
  tiers.check();
  return tiers.byCurrency;
}

/** `from:to` as Meta prints a tier, with MAX for no upper bound. */
export function tierName({ from_place, to_place }: Pick<Rate, 'from_place' | 'to_place'>): string {
  return `${from_place}:${to_place === LAST_PLACE ? 'MAX' : to_place}`;
}

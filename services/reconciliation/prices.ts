import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { CARDS_IN_FORCE } from '../rating/rate-cards.ts';
import { amountText, larger, readAmount, sizeOf } from './amounts.ts';
import type { Explanation, JudgedRow } from './differences.ts';
import { isChargedService } from './exemption.ts';

/** A price on a card. */
export interface KnownPrice {
  /** In units of the twelfth decimal. */
  readonly rate: bigint;
  /** Card, market and category, for people. */
  readonly name: string;
}

/** From this day on a marketing message may cost less than the list price, and no webhook reports by how much. */
export const MAX_PRICE_FROM = '2026-10-01';
export const MARKETING: ReadonlySet<string> = new Set(['MARKETING', 'MARKETING_LITE', 'MARKETING_LITE_DYNAMIC']);
/** A price of Meta's is computed from an amount that is rounded to this. */
export const PRICE_ROUNDING = readAmount('0.005');

/** All prices on cards of a currency and model that were ever in force. */
export function readPrices(
  database: Database,
  currency: string,
  model: 'message' | 'conversation',
): Promise<readonly KnownPrice[]> {
  return database.query(
    z.object({ rate: z.string().transform(readAmount), name: z.string() }),
    `SELECT DISTINCT toString(rates.rate) AS rate,
        concat(market, ', ', toString(category), ', ', cards.name, ' ', toString(cards.effective_date)) AS name
     FROM rates FINAL
     INNER JOIN (${CARDS_IN_FORCE}) AS cards ON rates.card_id = cards.card_id
     WHERE rates.rate IS NOT NULL AND cards.currency = {currency:String} AND cards.model = {model:String}
     ORDER BY cards.effective_date DESC, name`,
    { currency, model },
  );
}

/**
 * Why amounts differ although the volumes agree. Pure.
 * @param isExempt whether Meta charges no service message from a day on
 */
export function explainPrice(
  row: JudgedRow,
  prices: readonly KnownPrice[],
  isExempt: (day: string) => boolean,
): Explanation {
  if (row.unrated > 0n)
    return { code: 'unrated', volume: 0n, detail: `${row.unrated} of our messages have no amount: a card is missing.` };
  const { meta_cost, meta_volume } = row;
  if (meta_cost === null || meta_volume === 0n)
    return { code: 'unexplained', volume: 0n, detail: "There is no cost of Meta's to compare." };
  if (meta_cost === 0n && isChargedService(row) && isExempt(row.day))
    return {
      code: 'paid_exempt',
      volume: 0n,
      detail: 'Meta charges nothing for service messages from this day on, as where an account need not pay for them.',
    };
  const price = meta_cost / meta_volume;
  const off = ({ rate }: KnownPrice): bigint => sizeOf(rate * meta_volume - meta_cost);
  const nearest = prices.reduce<KnownPrice | null>(
    (best, one) => (best === null || off(one) < off(best) ? one : best),
    null,
  );
  const isKnown = nearest !== null && off(nearest) <= larger(PRICE_ROUNDING, meta_cost / 10_000n);
  const said = `Meta charges ${amountText(price)} each`;
  if (isKnown) return { code: 'rate', volume: 0n, detail: `${said}, which is the price of ${nearest.name}.` };
  const isBelow = row.lowest_rate !== null && price < row.lowest_rate;
  const isLater = row.day === '' || row.day >= MAX_PRICE_FROM;
  if (isBelow && isLater && (MARKETING.has(row.category) || row.category === ''))
    return { code: 'max_price', volume: 0n, detail: `${said}, less than the list says, as a maximum price allows.` };
  return { code: 'rate', volume: 0n, detail: `${said}, which is no price of a card that is known here.` };
}

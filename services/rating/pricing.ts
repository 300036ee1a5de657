import { LAST_PLACE, RATE_CATEGORIES } from '@ctwa-ledger/schemas/rate-file.ts';
import { marketKeySql } from './markets.ts';
import { givenRows } from '../clickhouse/sql.ts';

/** The cards in force, as the basis gives them: as constants they cost next to no planning. */
const CARDS = givenRows({
  card_id: ['card_ids', 'String'],
  kind: ['card_kinds', 'String'],
  model: ['card_models', 'String'],
  currency: ['card_currencies', 'String'],
  effective_date: ['card_dates', 'String', 'toDate'],
  card: ['card_names', 'String'],
});

const LIST_CARDS = `
    SELECT currency AS card_currency, model AS card_model, effective_date, card_id, card
    FROM (${CARDS}) WHERE kind = 'list'`;

const TIER_CARDS = `
    SELECT currency AS tiers_currency, effective_date AS tiers_date, card_id AS tiers_id
    FROM (${CARDS}) WHERE kind = 'tiers'`;

const LIST_RATES = `
    SELECT card_id AS rates_card, market_key AS rates_market, groupArray((category, rate)) AS rates_by_category
    FROM rates FINAL GROUP BY card_id, market_key`;

const TIER_RATES = `
    SELECT card_id AS tier_card, market_key AS tier_market, toString(category) AS tier_category,
      groupArray((from_place, to_place, rate)) AS tiers
    FROM rates FINAL WHERE rate IS NOT NULL GROUP BY card_id, market_key, category`;

const CATEGORIES = RATE_CATEGORIES.map((category) => `'${category}'`).join(', ');

/**
 * Adds the price to rows: `currency`, `card` (the list card that priced the row), `tier` (`from:to`), `rate` (Nullable
 * Decimal: the list price of one such message; null without an amount) and `unrated` (M5's reason, or empty). rules.md
 * M1, M3 and M5. It needs the parameters of the basis.
 * @param relation a query with `day`, `waba_id`, `market`, `model`, `basis`, `place` and a rated category
 * @param category the column of the rated category
 */
export function pricedSql(relation: string, category: string): string {
  return `
  SELECT *,
    multiIf(
      basis = 'none', 'unknown_category',
      basis != 'rate', '',
      ${category} NOT IN (${CATEGORIES}), 'unknown_category',
      currency = '', 'no_account',
      card_id = '', 'no_card',
      rates_market = '', 'market_not_on_card',
      list_rate IS NULL, 'not_offered',
      '') AS unrated,
    if(basis = 'rate', unrated = '', false) AS is_priced,
    multiIf(NOT is_priced, false, place = 0, false, tier_row.3 IS NOT NULL) AS is_tiered,
    multiIf(unrated != '', NULL, is_tiered, tier_row.3, is_priced, list_rate, toDecimal64(0, 8)) AS rate,
    if(is_priced, list_card, '') AS card,
    if(is_tiered, concat(toString(tier_row.1), ':', if(tier_row.2 = ${LAST_PLACE}, 'MAX', toString(tier_row.2))), '') AS tier
  FROM
  (
    SELECT *,
      arrayFirst(pair -> pair.1 = ${category}, rates_by_category).2 AS list_rate,
      arrayFirst(row -> row.1 <= place AND place <= row.2, tiers) AS tier_row
    FROM
    (
      SELECT relation.*, list.card_id AS card_id, list.card AS list_card, tiers_in_force.tiers_id AS tiers_id,
        listed.rates_market AS rates_market, listed.rates_by_category AS rates_by_category, tiered.tiers AS tiers
      FROM
      (
        SELECT *, transform(waba_id, {wabas:Array(String)}, {currencies:Array(String)}, '') AS currency,
          ${marketKeySql('market')} AS price_market
        FROM (${relation})
      ) AS relation
      ASOF LEFT JOIN (${LIST_CARDS}) AS list
        ON relation.currency = list.card_currency AND toString(relation.model) = list.card_model AND relation.day >= list.effective_date
      ASOF LEFT JOIN (${TIER_CARDS}) AS tiers_in_force
        ON relation.currency = tiers_in_force.tiers_currency AND relation.day >= tiers_in_force.tiers_date
      LEFT JOIN (${LIST_RATES}) AS listed
        ON list.card_id = listed.rates_card AND relation.price_market = listed.rates_market
      LEFT JOIN (${TIER_RATES}) AS tiered
        ON tiers_in_force.tiers_id = tiered.tier_card AND relation.price_market = tiered.tier_market
          AND toString(relation.${category}) = tiered.tier_category
    )
  )`;
}

/**
 * The billed and the saved part of a cost, from `billing` and `list_cost` as text: the whole cost is one or the other.
 * Without an amount, which is an empty text, both are empty.
 */
export const BILLED_OR_SAVED = {
  billed: "if(billing = 'BILLABLE' OR list_cost = '', list_cost, '0')",
  saved: "if(billing != 'BILLABLE' OR list_cost = '', list_cost, '0')",
} as const;

/** What a priced message is billed under its mark (rules.md M4), from `billing` and `rate`; null = not known. */
export function billedSql(decimals: number): string {
  return `multiIf(billing = 'BILLABLE', toDecimal128(rate, ${decimals}), billing = 'UNKNOWN', NULL, toDecimal128(0, ${decimals}))`;
}

import { createHash } from 'node:crypto';
import { DEFAULT_POLICY_SETTINGS, type Account, type PolicySettings } from '@ctwa-ledger/schemas/config.ts';
import { canonicalJson } from '@ctwa-ledger/schemas/json.ts';
import { z } from 'zod';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { stateOf } from '../clickhouse/table-state.ts';
import { COUNTRIES_HASH } from './countries.ts';
import { MARKETS_HASH } from './markets.ts';
import { CARDS_IN_FORCE } from './rate-cards.ts';

/** Places at which a price can change within a month, by `market_key` and rated category; decimal digits. */
type TierPlaces = ReadonlyMap<string, readonly string[]>;

/** Everything that rating depends on besides the marks. */
export interface RatingBasis {
  /**
   * Zones of accounts that are not UTC. The parameter of accounts has the number of each one's zone in this list, from
   * 1; 0 = UTC.
   */
  readonly zones: readonly string[];
  /** Parameters about the accounts and the cards in force, for the fragments of `ratable.ts` and `pricing.ts`. */
  readonly parameters: Parameters;
  readonly tierPlaces: TierPlaces;
  /** Whether message echoes count towards the service allowance (rules.md F6, M3). */
  readonly echoes: PolicySettings['echoes'];
  /** Hash of the cards and currencies: under the same one, equal charges have equal prices. */
  readonly prices: string;
  /** Hash of everything that decides which messages are counted together, and at which places prices change. */
  readonly hash: string;
}

export function tierKey(marketKey: string, category: string): string {
  return `${marketKey}\n${category}`;
}

async function readTierPlaces(database: Database): Promise<TierPlaces> {
  const rows = await database.query(
    z.object({ market_key: z.string(), category: z.string(), places: z.array(z.string()) }),
    `SELECT market_key, category,
        arrayMap(place -> toString(place), arraySort(groupUniqArrayArray(
          -- The place after the highest number is none.
          if(to_place = 18446744073709551615, [from_place], [from_place, to_place + 1])))) AS places
     FROM rates FINAL
     WHERE card_id IN (SELECT card_id FROM (${CARDS_IN_FORCE}) WHERE kind = 'tiers')
     GROUP BY market_key, category`,
  );
  return new Map(
    rows.map((row) => [tierKey(row.market_key, row.category), row.places.filter((place) => BigInt(place) > 1n)]),
  );
}

const cardRow = z.object({
  card_id: z.string(),
  kind: z.string(),
  model: z.string(),
  currency: z.string(),
  effective_date: z.string(),
  card: z.string(),
});

/** The cards in force as parameters. The rates of a card never change. */
async function readCards(database: Database): Promise<Record<string, readonly string[]>> {
  const cards = await database.query(
    cardRow,
    `SELECT card_id, toString(kind) AS kind, toString(model) AS model, toString(currency) AS currency,
        toString(effective_date) AS effective_date, concat(name, ' ', effective_date) AS card
     FROM (${CARDS_IN_FORCE}) ORDER BY card_id`,
  );
  return {
    card_ids: cards.map(({ card_id }) => card_id),
    card_kinds: cards.map(({ kind }) => kind),
    card_models: cards.map(({ model }) => model),
    card_currencies: cards.map(({ currency }) => currency),
    card_dates: cards.map(({ effective_date }) => effective_date),
    card_names: cards.map(({ card }) => card),
  };
}

/** The portfolio in which an account's volume is counted. An account without one is counted alone (contract.md 5). */
function portfolioOf(account: Account): string {
  return account.portfolio_id === undefined ? `waba ${account.waba_id}` : `portfolio ${account.portfolio_id}`;
}

/** The tables that the basis is read from. */
const BASIS_TABLES = ['accounts', 'configuration', 'rate_cards', 'rates'] as const;

const KNOWN = new WeakMap<Database, { readonly state: string; readonly basis: Promise<RatingBasis> }>();

/** The basis of rating: the accounts, cards and tier files in force. It is read again only when one of them was written. */
export async function readRatingBasis(database: Database): Promise<RatingBasis> {
  // Read before the basis: if something is written in between, the basis is newer than this state, never older.
  const state = await stateOf(database, BASIS_TABLES);
  const known = KNOWN.get(database);
  if (known?.state === state) return known.basis;
  const basis = readBasis(database);
  KNOWN.set(database, { state, basis });
  basis.catch(() => {
    if (KNOWN.get(database)?.basis === basis) KNOWN.delete(database);
  });
  return basis;
}

async function readBasis(database: Database): Promise<RatingBasis> {
  const [configuration, tierPlaces, cards] = await Promise.all([
    readConfiguration(database),
    readTierPlaces(database),
    readCards(database),
  ]);
  const accounts = configuration?.accounts ?? [];
  const zones = [...new Set(accounts.map((account) => account.time_zone ?? 'UTC'))]
    .filter((zone) => zone !== 'UTC')
    .sort();
  const wabas = accounts.map((account) => account.waba_id);
  const currencies = accounts.map((account) => account.currency ?? '');
  const parameters = {
    wabas,
    zones: accounts.map((account) => zones.indexOf(account.time_zone ?? 'UTC') + 1),
    portfolios: accounts.map(portfolioOf),
    currencies,
    ...cards,
  };
  const { echoes } = configuration?.settings.policy ?? DEFAULT_POLICY_SETTINGS;
  const counted = {
    echoes,
    markets: MARKETS_HASH,
    countries: COUNTRIES_HASH,
    zones,
    accounts: accounts.map((_, i) => [parameters.wabas[i], parameters.zones[i], parameters.portfolios[i]]),
    places: [...tierPlaces].sort(([a], [b]) => (a < b ? -1 : 1)),
  };
  return {
    zones,
    parameters,
    tierPlaces,
    echoes,
    prices: hashOf({ wabas, currencies, cards }),
    hash: hashOf(counted),
  };
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

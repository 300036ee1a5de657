import { createHash } from 'node:crypto';
import { DEFAULT_POLICY_SETTINGS, type Account, type PolicySettings } from '@ctwa-ledger/schemas/config.ts';
import { canonicalJson } from '@ctwa-ledger/schemas/json.ts';
import { z } from 'zod';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database, Parameters } from '../clickhouse/database.ts';
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
  /** Parameters about the accounts, for the fragments of `ratable.ts` and `pricing.ts`. */
  readonly parameters: Parameters;
  readonly tierPlaces: TierPlaces;
  /** Whether message echoes count towards the service allowance (rules.md F6, M3). */
  readonly echoes: PolicySettings['echoes'];
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

/** The portfolio in which an account's volume is counted. An account without one is counted alone (contract.md 5). */
function portfolioOf(account: Account): string {
  return account.portfolio_id === undefined ? `waba ${account.waba_id}` : `portfolio ${account.portfolio_id}`;
}

/** Reads the basis of rating: the accounts in force, and the tier files in force. */
export async function readRatingBasis(database: Database): Promise<RatingBasis> {
  const [configuration, tierPlaces] = await Promise.all([readConfiguration(database), readTierPlaces(database)]);
  const accounts = configuration?.accounts ?? [];
  const zones = [...new Set(accounts.map((account) => account.time_zone ?? 'UTC'))]
    .filter((zone) => zone !== 'UTC')
    .sort();
  const parameters = {
    wabas: accounts.map((account) => account.waba_id),
    zones: accounts.map((account) => zones.indexOf(account.time_zone ?? 'UTC') + 1),
    portfolios: accounts.map(portfolioOf),
    currencies: accounts.map((account) => account.currency ?? ''),
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
  const hash = createHash('sha256').update(canonicalJson(counted)).digest('hex');
  return { zones, parameters, tierPlaces, echoes, hash };
}

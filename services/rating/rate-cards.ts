import { createHash } from 'node:crypto';
import {
  listedCardSchema,
  type ImportedCard,
  type ListedCard,
  type PreviewedCard,
  type RateChange,
  type WithdrawnCard,
} from '@ctwa-ledger/schemas/rate-cards.ts';
import { LAST_PLACE, type Rate, type RateCard, type RateModel } from '@ctwa-ledger/schemas/rate-file.ts';
import { z } from 'zod';
import type { Database } from '../ledger/database.ts';
import { BrokenFileError } from '../files/broken-file.ts';
import { LedgerError } from '../ledger/errors.ts';
import { marketKey, MARKETS } from './markets.ts';
import { parseRateFile } from './rate-file.ts';

/**
 * The cards that hold, one for each currency, model, kind and effective date: of several the one imported last that is not
 * withdrawn. In force on a day is the one with the latest date not after it (rules.md M1).
 */
export const CARDS_IN_FORCE = `SELECT card_id, kind, model, currency, effective_date, name, checksum, imported_at
  FROM rate_cards FINAL
  WHERE withdrawn_at IS NULL
  ORDER BY rate_cards.imported_at DESC, card_id
  LIMIT 1 BY currency, model, kind, effective_date`;

/** A rate file as it was given. */
export interface RateFile {
  /** File name, without its directory. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The day from which it is in force, `YYYY-MM-DD`, in the zone of each account. */
  readonly effective: string;
  /** For files that do not say themselves what is charged for. */
  readonly model?: RateModel;
}

/** All cards: by currency, model and kind, the latest first. */
export function listRateCards(database: Database): Promise<ListedCard[]> {
  return database.query(
    listedCardSchema,
    `SELECT card_id, toString(kind) AS kind, toString(model) AS model, currency, toString(effective_date) AS effective_date,
        name, checksum, concat(formatDateTime(rate_cards.imported_at, '%FT%T'), '+00:00') AS imported_at, imported_by,
        concat(formatDateTime(rate_cards.withdrawn_at, '%FT%T'), '+00:00') AS withdrawn_at, withdrawn_by,
        multiIf(rate_cards.withdrawn_at IS NOT NULL, 'withdrawn',
          card_id IN (SELECT card_id FROM (${CARDS_IN_FORCE})), 'holds', 'replaced') AS state,
        markets, rates
     FROM rate_cards FINAL
     LEFT JOIN
       (SELECT card_id, uniqExact(market_key) AS markets, count() AS rates FROM rates FINAL GROUP BY card_id) AS prices
       USING card_id
     ORDER BY currency, model, kind, rate_cards.effective_date DESC, rate_cards.imported_at DESC, card_id`,
  );
}

interface ParsedCard extends RateCard {
  readonly card_id: string;
}

/**
 * The cards of a file.
 * @throws BrokenFileError that names every line that cannot be read
 */
function cardsOf(file: RateFile): { readonly checksum: string; readonly cards: readonly ParsedCard[] } {
  const parsed = parseRateFile(file.bytes, file.model === undefined ? {} : { model: file.model });
  if (!parsed.ok) throw new BrokenFileError(file.name, parsed);
  const checksum = createHash('sha256').update(file.bytes).digest('hex');
  const cards = parsed.cards.map((card) => ({
    ...card,
    // The same file imported for the same day is the same card.
    card_id: createHash('sha256')
      .update([checksum, card.currency, card.kind, card.model, file.effective].join('\n'))
      .digest('hex')
      .slice(0, 12),
  }));
  return { checksum, cards };
}

type CardPlace = Pick<ListedCard, 'kind' | 'model' | 'currency'>;

function isSamePlace(a: CardPlace, b: CardPlace): boolean {
  return a.kind === b.kind && a.model === b.model && a.currency === b.currency;
}

const KNOWN_MARKETS = new Set([...MARKETS].map(marketKey));

function planned(card: ParsedCard, effective: string, listed: readonly ListedCard[]): ImportedCard {
  const isHeld = listed.some(({ card_id, state }) => card_id === card.card_id && state === 'holds');
  const held = listed.filter((other) => other.state === 'holds' && isSamePlace(other, card));
  const ofThatDate = held.find((other) => other.effective_date === effective && other.card_id !== card.card_id);
  const markets = new Map(card.rates.map(({ market }) => [marketKey(market), market]));
  return {
    card_id: card.card_id,
    kind: card.kind,
    model: card.model,
    currency: card.currency,
    effective_date: effective,
    outcome: isHeld ? 'unchanged' : 'imported',
    replaces: isHeld ? null : (ofThatDate?.card_id ?? null),
    // Listed latest first.
    follows: held.find((other) => other.effective_date < effective)?.card_id ?? null,
    until: held.findLast((other) => other.effective_date > effective)?.effective_date ?? null,
    markets: markets.size,
    rates: card.rates.length,
    unknown_markets: [...markets].filter(([key]) => !KNOWN_MARKETS.has(key)).map(([, market]) => market),
  };
}

const RATE_COLUMNS = ['card_id', 'market', 'market_key', 'category', 'from_place', 'to_place', 'rate'];
/** Rates sent in one insert. */
const MAX_BATCH_RATES = 50_000;

async function writeRates(database: Database, card: ParsedCard): Promise<void> {
  for (let from = 0; from < card.rates.length; from += MAX_BATCH_RATES) {
    const lines = card.rates
      .slice(from, from + MAX_BATCH_RATES)
      .map((rate) =>
        JSON.stringify([
          card.card_id,
          rate.market,
          marketKey(rate.market),
          rate.category,
          rate.from_place,
          rate.to_place,
          rate.rate,
        ]).concat('\n'),
      );
    await database.insertLines('rates', RATE_COLUMNS, lines.join(''));
  }
}

/**
 * Imports a file: its cards are in force from its date on, and replace those of the same currency, model, kind and date
 * (contract.md 6). The file that holds changes nothing; one that was replaced or withdrawn holds again.
 * @param by who imports it
 * @throws BrokenFileError that names every line that cannot be read; nothing is applied then
 */
export async function importRateFile(database: Database, file: RateFile & { by: string }): Promise<ImportedCard[]> {
  const { checksum, cards } = cardsOf(file);
  const listed = await listRateCards(database);
  const plans = cards.map((card) => planned(card, file.effective, listed));
  const added = cards.filter((_, index) => plans[index]?.outcome === 'imported');
  if (added.length === 0) return plans;
  for (const card of added) await writeRates(database, card);
  // All cards in one insert, after all rates: the file holds as a whole or not at all.
  await database.command(
    `INSERT INTO rate_cards
     WITH (SELECT max(rate_cards.imported_at) FROM rate_cards) AS latest
     SELECT card.1, {kind:String}, {model:String}, card.2, {effective:Date}, {name:String}, {checksum:String},
        -- Whatever the clock says, what is imported later counts as later.
        greatest(now64(3, 'UTC'), latest + toIntervalMillisecond(1)), {by:String}, NULL, '',
        (SELECT max(version) FROM rate_cards) + 1
     FROM (SELECT arrayJoin(arrayZip({ids:Array(String)}, {currencies:Array(String)})) AS card)`,
    {
      kind: added[0]?.kind ?? '',
      model: added[0]?.model ?? '',
      effective: file.effective,
      name: file.name,
      checksum,
      by: file.by,
      ids: added.map((card) => card.card_id),
      currencies: added.map((card) => card.currency),
    },
  );
  return plans;
}

const rateRow = z.object({
  market: z.string(),
  category: z.string(),
  from_place: z.string(),
  to_place: z.string(),
  rate: z.string().nullable(),
});

type StoredRate = Omit<Rate, 'category'> & { readonly category: string };

function readRates(database: Database, card_id: string): Promise<StoredRate[]> {
  return database.query(
    rateRow,
    `SELECT market, category, toString(from_place) AS from_place, toString(to_place) AS to_place, toString(rate) AS rate
     FROM rates FINAL WHERE card_id = {card_id:String} ORDER BY market_key, category, rates.from_place`,
    { card_id },
  );
}

function tierOf(rate: StoredRate): string {
  return `${rate.from_place}:${rate.to_place === LAST_PLACE ? 'MAX' : rate.to_place}`;
}

function byMarket(rates: readonly StoredRate[]): Map<string, Map<string, StoredRate>> {
  const markets = new Map<string, Map<string, StoredRate>>();
  for (const rate of rates) {
    const key = marketKey(rate.market);
    const known = markets.get(key) ?? new Map<string, StoredRate>();
    markets.set(key, known.set(`${rate.category} ${tierOf(rate)}`, rate));
  }
  return markets;
}

function compare(
  card: RateCard,
  before: readonly StoredRate[],
): Pick<PreviewedCard, 'added_markets' | 'removed_markets' | 'changes'> {
  const old = byMarket(before);
  const now = byMarket(card.rates);
  const nameOf = (rates: ReadonlyMap<string, StoredRate>): string[] =>
    [...rates.values()].slice(0, 1).map(({ market }) => market);
  const changes: RateChange[] = [];
  for (const [key, newRates] of now) {
    const oldRates = old.get(key);
    if (oldRates === undefined) continue;
    for (const place of new Set([...newRates.keys(), ...oldRates.keys()])) {
      const [oldRate, newRate] = [oldRates.get(place), newRates.get(place)];
      const rate = newRate ?? oldRate;
      if (rate === undefined || (oldRate?.rate ?? null) === (newRate?.rate ?? null)) continue;
      const { market, category } = rate;
      const change = { market, category, old_rate: oldRate?.rate ?? null, new_rate: newRate?.rate ?? null };
      changes.push(card.kind === 'tiers' ? { ...change, tier: tierOf(rate) } : change);
    }
  }
  return {
    added_markets: [...now].filter(([key]) => !old.has(key)).flatMap(([, rates]) => nameOf(rates)),
    removed_markets: [...old].filter(([key]) => !now.has(key)).flatMap(([, rates]) => nameOf(rates)),
    changes,
  };
}

/**
 * What importing a file would change; nothing is written.
 * @throws BrokenFileError that names every line that cannot be read
 */
export async function previewRateFile(database: Database, file: RateFile): Promise<PreviewedCard[]> {
  const { cards } = cardsOf(file);
  const listed = await listRateCards(database);
  const previews: PreviewedCard[] = [];
  for (const card of cards) {
    const plan = planned(card, file.effective, listed);
    const base = plan.outcome === 'unchanged' ? card.card_id : (plan.replaces ?? plan.follows);
    previews.push({ ...plan, ...compare(card, base === null ? [] : await readRates(database, base)) });
  }
  return previews;
}

/**
 * Withdraws a card: it stays listed and is in force no more. One that is withdrawn already stays as it is.
 * @param by who withdraws it
 * @throws LedgerError when there is no such card
 */
export async function withdrawRateCard(database: Database, card_id: string, by: string): Promise<WithdrawnCard> {
  const before = await listRateCards(database);
  const card = before.find((listed) => listed.card_id === card_id);
  if (card === undefined)
    throw new LedgerError(`There is no rate card "${card_id}". See the ids with "ctwa-ledger rates list".`);
  if (card.state === 'withdrawn') return { card_id, outcome: 'unchanged', restores: null };
  await database.command(
    `INSERT INTO rate_cards
     SELECT * REPLACE (now64(3, 'UTC') AS withdrawn_at, {by:String} AS withdrawn_by,
        (SELECT max(version) FROM rate_cards) + 1 AS version)
     FROM rate_cards FINAL WHERE card_id = {card_id:String}`,
    { card_id, by },
  );
  const restored = (await listRateCards(database)).find(
    (listed) => listed.state === 'holds' && isSamePlace(listed, card) && listed.effective_date === card.effective_date,
  );
  return {
    card_id,
    outcome: 'withdrawn',
    restores: card.state === 'holds' ? (restored?.card_id ?? null) : null,
  };
}

import {
  listedCardSchema,
  type ImportedCard,
  type ListedCard,
  type PreviewedCard,
  type RateChange,
  type WithdrawnCard,
} from '@ctwa-ledger/schemas/rate-cards.ts';
import type { Rate, RateCard, RateModel } from '@ctwa-ledger/schemas/rate-file.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { BrokenFileError } from '../imports/broken-file.ts';
import {
  importGiven,
  previewGiven,
  registeredColumns,
  sha256,
  withdrawImport,
  type GivenFile,
  type ImportKind,
  type NewImport,
} from '../imports/register.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { effectiveDayOf } from './effective-day.ts';
import { marketKey, MARKETS } from './markets.ts';
import { parseRateFile } from './rate-file.ts';
import { tierName } from './rate-tiers.ts';

/**
 * The cards in force, one for each currency, model, kind and effective date: the one imported last that is not
 * withdrawn. On a day the card with the latest date not after it applies (rules.md M1).
 */
export const CARDS_IN_FORCE = `SELECT card_id, kind, model, currency, effective_date, name, checksum, imported_at
  FROM rate_cards FINAL
  WHERE withdrawn_at IS NULL
  ORDER BY rate_cards.imported_at DESC, card_id
  LIMIT 1 BY currency, model, kind, effective_date`;

/** A rate file and what was given with it. */
export interface RateFile extends GivenFile {
  /**
   * The day from which it is in force, `YYYY-MM-DD`, in the zone of each account. Without it the file has to name one.
   */
  readonly effective?: string;
  /** Uses that day although the file names another one. */
  readonly effective_anyway?: boolean;
  /** For files that do not say what is charged for. */
  readonly model?: RateModel;
}

/** All cards: by currency, model and kind, the latest first. */
export function listRateCards(database: Database): Promise<ListedCard[]> {
  return database.query(
    listedCardSchema,
    `SELECT card_id, toString(kind) AS kind, toString(model) AS model, currency, toString(effective_date) AS effective_date,
        name, checksum, ${registeredColumns('rate_cards')},
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
  readonly effective_date: string;
}

/** Identifies a card among those of one file. */
const placeOfCard = (card: Omit<ParsedCard, 'card_id' | 'rates'>): string =>
  [card.currency, card.kind, card.model, card.effective_date].join('\n');

/**
 * Removes duplicates: two sheets of a workbook may have the same card. If the two differ, that is an error, because the
 * file does not say which one is meant.
 */
function onlyOnce(name: string, cards: readonly ParsedCard[]): readonly ParsedCard[] {
  const byId = new Map<string, ParsedCard>();
  for (const card of cards) {
    const other = byId.get(card.card_id);
    if (other !== undefined && JSON.stringify(other.rates) !== JSON.stringify(card.rates))
      throw new ActionableError(
        `${name} has two sheets with different ${card.currency} rates (${card.kind}, per ${card.model}) for ${card.effective_date}, so nothing of it was imported: leave one of them out.`,
      );
    byId.set(card.card_id, card);
  }
  return [...byId.values()];
}

interface ReadRateFile {
  readonly file: RateFile;
  readonly checksum: string;
  readonly cards: readonly ParsedCard[];
}

/**
 * The cards of a file, each with the day from which it is in force.
 * @throws BrokenFileError that names every place that cannot be read
 * @throws EffectiveDayError when no day is given or named, or both and they differ
 */
async function readRateFile(file: RateFile): Promise<ReadRateFile> {
  const parsed = await parseRateFile(file.bytes, file.model === undefined ? {} : { model: file.model });
  if (!parsed.ok) throw new BrokenFileError(file.name, parsed);
  const checksum = sha256(file.bytes);
  const cards = parsed.cards.map((card) => {
    const dated = { ...card, effective_date: effectiveDayOf(file, card.effective_said) };
    // The same file imported for the same day is the same card.
    return { ...dated, card_id: sha256(`${checksum}\n${placeOfCard(dated)}`).slice(0, 12) };
  });
  return { file, checksum, cards: onlyOnce(file.name, cards) };
}

type CardPlace = Pick<ListedCard, 'kind' | 'model' | 'currency'>;

function isSamePlace(a: CardPlace, b: CardPlace): boolean {
  return a.kind === b.kind && a.model === b.model && a.currency === b.currency;
}

const KNOWN_MARKETS = new Set([...MARKETS].map(marketKey));

function planned(card: ParsedCard, listed: readonly ListedCard[]): ImportedCard {
  const effective = card.effective_date;
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

function newCard({ file, checksum }: ReadRateFile, card: ParsedCard): NewImport {
  const { card_id, kind, model, currency, effective_date, rates } = card;
  return {
    entry: { card_id, kind, model, currency, effective_date, name: file.name, checksum },
    rows: [
      {
        table: 'rates',
        columns: RATE_COLUMNS,
        rows: rates.map(({ market, category, from_place, to_place, rate }) => [
          card_id,
          market,
          marketKey(market),
          category,
          from_place,
          to_place,
          rate,
        ]),
      },
    ],
  };
}

export const RATE_CARDS: ImportKind<RateFile, ReadRateFile, ImportedCard[], ListedCard> = {
  table: 'rate_cards',
  id: 'card_id',
  noun: 'rate card',
  listedBy: 'ctwa-ledger rates list',
  touches: ['rates'],
  list: listRateCards,
  read: readRateFile,
  async plan({ cards }, database) {
    const listed = await listRateCards(database);
    return cards.map((card) => planned(card, listed));
  },
  changes(read, plans) {
    const added = read.cards.filter((_, index) => plans[index]?.outcome === 'imported');
    return { files: [read.file], imports: added.map((card) => newCard(read, card)) };
  },
};

/**
 * Imports a file. Its cards are in force from their date on, and replace those of the same currency, model, kind and
 * date (contract.md 6). Importing the file that is in force changes nothing; importing one that was replaced or
 * withdrawn puts it in force again.
 * @param by who imports it
 * @throws BrokenFileError that names every place that cannot be read; nothing is applied then
 * @throws EffectiveDayError when no day is given or named, or both and they differ
 */
export function importRateFile(database: Database, file: RateFile & { by: string }): Promise<ImportedCard[]> {
  return importGiven(database, RATE_CARDS, file, file.by);
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

function byMarket(rates: readonly StoredRate[]): Map<string, Map<string, StoredRate>> {
  const markets = new Map<string, Map<string, StoredRate>>();
  for (const rate of rates) {
    const key = marketKey(rate.market);
    const known = markets.get(key) ?? new Map<string, StoredRate>();
    markets.set(key, known.set(`${rate.category} ${tierName(rate)}`, rate));
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
      changes.push(card.kind === 'tiers' ? { ...change, tier: tierName(rate) } : change);
    }
  }
  return {
    added_markets: [...now].filter(([key]) => !old.has(key)).flatMap(([, rates]) => nameOf(rates)),
    removed_markets: [...old].filter(([key]) => !now.has(key)).flatMap(([, rates]) => nameOf(rates)),
    changes,
  };
}

/**
 * What importing a file would change. Writes nothing.
 * @throws BrokenFileError that names every place that cannot be read
 * @throws EffectiveDayError when no day is given or named, or both and they differ
 */
export async function previewRateFile(database: Database, file: RateFile): Promise<PreviewedCard[]> {
  const { read, planned: plans } = await previewGiven(database, RATE_CARDS, file);
  const previews: PreviewedCard[] = [];
  for (const [index, card] of read.cards.entries()) {
    const plan = plans[index];
    if (plan === undefined) continue;
    const base = plan.outcome === 'unchanged' ? card.card_id : (plan.replaces ?? plan.follows);
    previews.push({ ...plan, ...compare(card, base === null ? [] : await readRates(database, base)) });
  }
  return previews;
}

/**
 * Withdraws a card: it stays listed and is no longer in force. Withdrawing it again changes nothing.
 * @param by who withdraws it
 * @throws ActionableError when there is no such card
 */
export async function withdrawRateCard(database: Database, card_id: string, by: string): Promise<WithdrawnCard> {
  const { before: card } = await withdrawImport(database, RATE_CARDS, card_id, by);
  if (card.state === 'withdrawn') return { card_id, outcome: 'unchanged', restores: null };
  const restored = (await listRateCards(database)).find(
    (listed) => listed.state === 'holds' && isSamePlace(listed, card) && listed.effective_date === card.effective_date,
  );
  return {
    card_id,
    outcome: 'withdrawn',
    restores: card.state === 'holds' ? (restored?.card_id ?? null) : null,
  };
}

import type { BrokenCsvFile } from '@ctwa-ledger/schemas/csv-file.ts';
import {
  LAST_PLACE,
  RATE_CATEGORIES,
  TIERED_CATEGORIES,
  type Rate,
  type RateCard,
  type RateCategory,
  type RateKind,
  type RateModel,
  type TieredCategory,
} from '@ctwa-ledger/schemas/rate-file.ts';
import {
  currencyOf,
  MAX_DECIMALS,
  MAX_INTEGER_DIGITS,
  placeOf,
  plain,
  plainDecimal,
  Problems,
  readRows,
  singleSpaced,
  type CsvRow,
} from '../files/csv-file.ts';
import { marketKey } from './markets.ts';

/** Either all of a file, or why none of it. */
export type ParsedRateFile = { readonly ok: true; readonly cards: readonly RateCard[] } | BrokenCsvFile;

export interface RateFileOptions {
  /** For files that do not say themselves what is charged for. */
  readonly model?: RateModel;
}

const LIST_REQUIRED = ['market', 'currency', 'marketing', 'utility', 'authentication'] as const;
const TIERS_REQUIRED = ['market', 'currency', 'message_type', 'from', 'to', 'rate'] as const;
const HEADINGS = {
  market: 'Market',
  currency: 'Currency',
  marketing: 'Marketing',
  utility: 'Utility',
  authentication: 'Authentication',
  authentication_international: 'Authentication-International',
  service: 'Service',
  message_type: 'Message type',
  from: 'From',
  to: 'To',
  rate: 'Rate',
} as const;
type Column = keyof typeof HEADINGS;

interface Header extends CsvRow {
  readonly kind: RateKind;
  readonly columns: ReadonlyMap<Column, number>;
}

const COLUMN_OF = new Map(Object.keys(HEADINGS).map((column) => [plain(column), column as Column]));
const TIERED_OF = new Map(TIERED_CATEGORIES.map((category) => [plain(category), category]));

function columnsOf(cells: readonly string[]): Map<Column, number> {
  const columns = new Map<Column, number>();
  cells.forEach((cell, index) => {
    const column = COLUMN_OF.get(plain(cell));
    if (column !== undefined && !columns.has(column)) columns.set(column, index);
  });
  return columns;
}

/** The first row that names the market's column and another one. */
function findHeader(rows: readonly CsvRow[], problems: Problems): Header | null {
  for (const row of rows) {
    const columns = columnsOf(row.cells);
    if (!columns.has('market') || columns.size < 2) continue;
    const isTiers = !columns.has('marketing') && (['message_type', 'from', 'to'] as const).some((c) => columns.has(c));
    const missing = (isTiers ? TIERS_REQUIRED : LIST_REQUIRED).filter((column) => !columns.has(column));
    if (missing.length > 0)
      problems.add(row.line, null, `The header lacks ${missing.map((column) => HEADINGS[column]).join(', ')}.`);
    row.cells.forEach((cell, index) => {
      const column = COLUMN_OF.get(plain(cell));
      if (column !== undefined && columns.get(column) !== index)
        problems.add(row.line, placeOf(row, index), `The header names ${HEADINGS[column]} twice.`);
    });
    return { ...row, kind: isTiers ? 'tiers' : 'list', columns };
  }
  const other = rows.find(({ cells }) => columnsOf(cells.join(',').split(/[;\t|]/)).size > 1);
  problems.add(
    other?.line ?? null,
    null,
    other === undefined
      ? `There is no header: a row with ${LIST_REQUIRED.map((column) => HEADINGS[column]).join(', ')}, or with ${TIERS_REQUIRED.map((column) => HEADINGS[column]).join(', ')}.`
      : 'The columns are not separated by commas: export the file with commas.',
  );
  return null;
}

function modelOf(
  header: Header,
  rows: readonly CsvRow[],
  given: RateModel | undefined,
  problems: Problems,
): RateModel | null {
  const preamble = rows
    .filter((row) => row.line < header.line)
    .map((row) => row.cells.join(' '))
    .join(' ');
  const isByConversation = /\bper[\s-]+conversation/i.test(preamble);
  const isByMessage = /\bper[\s-]+message/i.test(preamble);
  if (header.kind === 'tiers') {
    if (given === 'conversation' || (isByConversation && !isByMessage))
      problems.add(header.line, null, 'Tiers are for rates per message, but this is to be one per conversation.');
    return 'message';
  }
  if (isByConversation === isByMessage) {
    if (given === undefined)
      problems.add(
        header.line,
        null,
        `Above the header the file names ${isByMessage ? 'both "per conversation" and "per message"' : 'neither "per conversation" nor "per message"'}: say which with --model conversation or --model message.`,
      );
    return given ?? null;
  }
  const said = isByMessage ? 'message' : 'conversation';
  if (given !== undefined && given !== said)
    problems.add(header.line, null, `The file says "per ${said}", but --model ${given} was given: leave out --model.`);
  return said;
}

/** One row under the header, cell by cell. */
class DataRow {
  readonly line: number;
  readonly #cells: readonly string[];
  readonly #header: Header;
  readonly #problems: Problems;

  constructor(row: CsvRow, header: Header, problems: Problems) {
    this.line = row.line;
    this.#cells = row.cells;
    this.#header = header;
    this.#problems = problems;
  }

  /** Cells that belong to no column are what a comma inside a number leaves behind. */
  checkEnd(): void {
    const { length } = this.#header.cells;
    const beyond = this.#cells.findIndex((cell, index) => index >= length && cell.trim() !== '');
    if (beyond !== -1)
      this.#problems.add(
        this.line,
        `${beyond + 1}`,
        `The row goes on after the last column of the header ("${this.#cells[beyond] ?? ''}"): is there a comma inside a number?`,
      );
  }

  /** The text of a cell; empty where the file has no such column, null where the row ends before it. */
  text(column: Column): string | null {
    const index = this.#header.columns.get(column);
    return index === undefined ? '' : (this.#cells[index]?.trim() ?? null);
  }

  problem(column: Column, message: string): void {
    this.#problems.add(this.line, placeOf(this.#header, this.#header.columns.get(column) ?? 0), message);
  }

  market(): string | null {
    const market = singleSpaced(this.text('market') ?? '');
    if (market !== '' && !market.includes('"')) return market;
    this.problem('market', market === '' ? 'The market is missing.' : `The quotation marks of ${market} do not match.`);
    return null;
  }

  currency(): string | null {
    const text = this.text('currency') ?? '';
    const currency = currencyOf(text);
    if (currency !== null) return currency;
    this.problem('currency', `"${text}" is not a currency: use three letters (ISO 4217), like USD.`);
    return null;
  }

  /** A plain decimal without needless zeros; null where nothing is offered, undefined where it cannot be read. */
  rate(column: Column): string | null | undefined {
    const text = this.text(column);
    if (text === null) {
      this.problem(column, 'The row ends before this column.');
      return undefined;
    }
    if (/^(n\/a)?$/i.test(text)) return null;
    const decimal = plainDecimal(text);
    if (decimal === 'not_plain')
      this.problem(
        column,
        `"${text}" is not a rate: write a plain decimal like 0.0225, without sign, exponent, currency or thousands separators, or n/a.`,
      );
    if (decimal === 'too_long')
      this.problem(
        column,
        `"${text}" has more than ${MAX_INTEGER_DIGITS} digits before or ${MAX_DECIMALS} after the point, and none may be lost.`,
      );
    return typeof decimal === 'string' ? undefined : decimal.text;
  }

  category(): TieredCategory | null {
    const text = this.text('message_type') ?? '';
    const category = TIERED_OF.get(plain(text));
    if (category !== undefined) return category;
    this.problem('message_type', `"${text}" has no tiers: only ${TIERED_CATEGORIES.join(', ')} have.`);
    return null;
  }

  bound(column: 'from' | 'to'): bigint | null {
    const text = this.text(column) ?? '';
    if (column === 'to' && /^(max)?$/i.test(text)) return BigInt(LAST_PLACE);
    if (/^\d{1,18}$/.test(text)) return BigInt(text);
    this.problem(column, `"${text}" is not a bound: write a whole number${column === 'to' ? ', or MAX' : ''}.`);
    return null;
  }
}

/** Rates by currency, in the order in which currencies appear. */
class Cards {
  readonly #byCurrency = new Map<string, Rate[]>();

  add(currency: string, rates: readonly Rate[]): void {
    const known = this.#byCurrency.get(currency) ?? [];
    known.push(...rates);
    this.#byCurrency.set(currency, known);
  }

  list(kind: RateKind, model: RateModel): RateCard[] {
    return [...this.#byCurrency].map(([currency, rates]) => ({ kind, model, currency, rates }));
  }
}

function readList(rows: readonly DataRow[], columns: Header['columns']): Cards {
  const cards = new Cards();
  const lines = new Map<string, number>();
  for (const row of rows) {
    const market = row.market();
    const currency = row.currency();
    const rates: Rate[] = [];
    for (const category of RATE_CATEGORIES) {
      if (!columns.has(category)) continue;
      // A spreadsheet leaves out empty cells at the end of a row.
      const rate = isOptional(category) && row.text(category) === null ? null : row.rate(category);
      if (market !== null && rate !== undefined)
        rates.push({ market, category, from_place: '1', to_place: LAST_PLACE, rate });
    }
    if (market === null || currency === null) continue;
    const key = `${currency} ${marketKey(market)}`;
    const earlier = lines.get(key);
    if (earlier === undefined) lines.set(key, row.line);
    else row.problem('market', `"${market}" in ${currency} is already on line ${earlier}: leave out one of the two.`);
    cards.add(currency, rates);
  }
  return cards;
}

function isOptional(category: RateCategory): boolean {
  return !LIST_REQUIRED.some((column) => column === category);
}

interface Tier {
  readonly row: DataRow;
  readonly from: bigint;
  readonly to: bigint;
}

function readTiers(rows: readonly DataRow[]): Cards {
  const cards = new Cards();
  const byPlace = new Map<string, Tier[]>();
  for (const row of rows) {
    const market = row.market();
    const currency = row.currency();
    const category = row.category();
    const from = row.bound('from');
    const to = row.bound('to');
    const rate = row.rate('rate');
    if (market === null || currency === null || category === null || from === null || to === null) continue;
    if (from > to) row.problem('to', `The tier ends (${to}) before it begins (${from}).`);
    const key = `${currency} ${category} ${marketKey(market)}`;
    const tiers = byPlace.get(key) ?? [];
    tiers.push({ row, from, to });
    byPlace.set(key, tiers);
    // Where a tier has no rate, the card's holds, as it does where there is no tier (rules.md M3).
    const isOffered = rate !== null && rate !== undefined;
    const priced = { market, category, from_place: from.toString(), to_place: to.toString() };
    cards.add(currency, isOffered ? [{ ...priced, rate }] : []);
  }
  for (const tiers of byPlace.values()) findOverlaps(tiers);
  return cards;
}

function findOverlaps(tiers: readonly Tier[]): void {
  let furthest: Tier | null = null;
  for (const tier of tiers.toSorted((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : a.row.line - b.row.line))) {
    if (furthest !== null && tier.from <= furthest.to)
      tier.row.problem('from', `The tier overlaps with the one on line ${furthest.row.line}.`);
    if (furthest === null || tier.to > furthest.to) furthest = tier;
  }
}

/**
 * Reads Meta's list card or a tier file (contract.md 6): one card for each currency in it, or all that is wrong with it.
 * Pure; no rate ever becomes a JavaScript number.
 */
export function parseRateFile(bytes: Uint8Array, options: RateFileOptions = {}): ParsedRateFile {
  const problems = new Problems();
  const rows = readRows(bytes, 'rate file', problems);
  if (rows === null) return problems.result();
  const header = findHeader(rows, problems);
  if (header === null) return problems.result();
  const model = modelOf(header, rows, options.model, problems);
  if (model === null || !problems.isEmpty) return problems.result();

  const data = rows
    .filter((row) => row.line > header.line && row.cells.some((cell) => cell.trim() !== ''))
    .map((row) => new DataRow(row, header, problems));
  if (data.length === 0) problems.add(header.line, null, 'There are no rows under the header.');
  for (const row of data) row.checkEnd();
  const cards = header.kind === 'tiers' ? readTiers(data) : readList(data, header.columns);
  return problems.isEmpty ? { ok: true, cards: cards.list(header.kind, model) } : problems.result();
}

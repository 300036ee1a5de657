import type { BrokenCsvFile } from '@ctwa-ledger/schemas/csv-file.ts';
import {
  LAST_PLACE,
  RATE_CATEGORIES,
  type Rate,
  type RateCard,
  type RateCategory,
  type RateModel,
} from '@ctwa-ledger/schemas/rate-file.ts';
import { isBlank, Problems, type FileRow, type Sheet } from '../imports/rows.ts';
import { readSheets } from '../imports/sheets.ts';
import { marketKey } from './markets.ts';
import {
  effectiveDaysOf,
  findHeader,
  isRateHeader,
  LIST_REQUIRED,
  modelOf,
  noHeader,
  preambleOf,
  type Header,
} from './rate-header.ts';
import { RateRow } from './rate-rows.ts';
import { readPublishedTiers, readSimpleTiers } from './rate-tiers.ts';

/** The cards of a file, or everything that is wrong with it. A file is never read in part. */
export type ParsedRateFile = { readonly ok: true; readonly cards: readonly RateCard[] } | BrokenCsvFile;

export interface RateFileOptions {
  /** For files that do not say what is charged for. */
  readonly model?: RateModel;
}

function isOptional(category: RateCategory): boolean {
  return !LIST_REQUIRED.some((column) => column === category);
}

/** Rates by currency, in the order in which currencies appear. */
function readList(rows: readonly RateRow[], header: Header): Map<string, Rate[]> {
  const byCurrency = new Map<string, Rate[]>();
  const seen = new Map<string, FileRow>();
  for (const row of rows) {
    const market = row.market();
    const currency = row.currency();
    const rates: Rate[] = [];
    for (const category of RATE_CATEGORIES) {
      const index = header.columns.get(category);
      if (index === undefined) continue;
      // A spreadsheet leaves out empty cells at the end of a row.
      const rate = isOptional(category) && row.text(index) === null ? null : row.rate(index);
      if (market !== null && rate !== undefined)
        rates.push({ market, category, from_place: '1', to_place: LAST_PLACE, rate });
    }
    if (market === null || currency === null) continue;
    const key = `${currency} ${marketKey(market)}`;
    const earlier = seen.get(key);
    if (earlier === undefined) seen.set(key, row.row);
    else
      row.problem(
        row.indexOf('market'),
        `"${market}" in ${currency} is already on line ${earlier.line}: leave out one of the two.`,
      );
    const known = byCurrency.get(currency) ?? [];
    known.push(...rates);
    byCurrency.set(currency, known);
  }
  return byCurrency;
}

/** The cards of a sheet; null when it has no header and says nothing about rates. */
function readSheet({ rows }: Sheet, given: RateModel | undefined, problems: Problems): RateCard[] | null {
  const header = findHeader(rows, problems);
  if (header === null) return null;
  const preamble = preambleOf(header, rows);
  const model = modelOf(header, preamble, given, problems);
  if (model === null || !problems.isEmpty) return [];
  const data = rows
    .filter((row) => row.line > header.line && !isBlank(row))
    .map((row) => new RateRow(row, header, problems));
  if (data.length === 0) problems.add(header, null, 'There are no rows under the header.');
  for (const row of data) row.checkEnd();
  const byCurrency =
    header.kind === 'list'
      ? readList(data, header)
      : header.sections.length > 0
        ? readPublishedTiers(data, header.sections)
        : readSimpleTiers(data);
  const effective_said = effectiveDaysOf(preamble);
  return [...byCurrency].map(([currency, rates]) => ({ kind: header.kind, model, currency, effective_said, rates }));
}

/**
 * Reads Meta's list card or a tier file, as CSV or as a workbook (contract.md 6): one card for each currency in it, or
 * everything that is wrong with it. In a workbook every sheet with such a header is read. Rates are never calculated
 * with.
 */
export async function parseRateFile(bytes: Uint8Array, options: RateFileOptions = {}): Promise<ParsedRateFile> {
  const problems = new Problems();
  const sheets = await readSheets(bytes, 'rate file', isRateHeader, problems);
  if (sheets === null) return problems.result();
  const cards: RateCard[] = [];
  let hasHeader = false;
  for (const sheet of sheets) {
    const read = readSheet(sheet, options.model, problems);
    hasHeader ||= read !== null;
    cards.push(...(read ?? []));
  }
  if (!hasHeader) problems.add(null, null, noHeader(sheets.some(({ name }) => name !== null)));
  return problems.isEmpty ? { ok: true, cards } : problems.result();
}

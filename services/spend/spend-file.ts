import type { BrokenCsvFile } from '@ctwa-ledger/schemas/csv-file.ts';
import {
  META_COUNTS,
  SPEND_COLUMN_NAMES,
  type AdLabel,
  type AdSpend,
  type MetaCounts,
  type SpendFile,
  type SpendMapping,
} from '@ctwa-ledger/schemas/spend.ts';
import { decimalMarkOf } from '../imports/amounts.ts';
import { dayOrderOf } from '../imports/days.ts';
import { isBlank, MAX_ROWS_TO_HEADER, Problems, widestRow, type Sheet } from '../imports/rows.ts';
import { readSheets } from '../imports/sheets.ts';
import { scaled, unscaled } from '../imports/decimals.ts';
import { headingsOf, isSpendHeader, readSpendHeader, type SpendHeader } from './spend-header.ts';
import { SpendRow, type Writing } from './spend-rows.ts';
import { findSums } from './sums.ts';

/** The content of a file, or everything that is wrong with it. A file is never read in part. */
export type ParsedSpendFile = ({ readonly ok: true } & SpendFile) | BrokenCsvFile;

interface ReadSpend extends AdSpend {
  readonly row: SpendRow;
  readonly counts: MetaCounts;
}

/** The columns of a file are the same on all of its rows, so a count is known on both or on none. */
function countsAdded(one: MetaCounts, other: MetaCounts): MetaCounts {
  const sum = (a: string | null, b: string | null): string | null =>
    a === null || b === null ? null : String(BigInt(a) + BigInt(b));
  return Object.fromEntries(META_COUNTS.map((count) => [count, sum(one[count], other[count])])) as MetaCounts;
}

/** Adds up amounts of the same ad and days, so that each amount has days of its own. */
function addedUp(spend: readonly ReadSpend[]): { readonly spend: ReadSpend[]; readonly added_up: number } {
  const bySpan = new Map<string, ReadSpend>();
  for (const one of spend) {
    const key = [one.ad_id, one.currency, one.first_day, one.last_day].join(' ');
    const known = bySpan.get(key);
    bySpan.set(
      key,
      known === undefined
        ? one
        : {
            ...known,
            amount: unscaled(scaled(known.amount) + scaled(one.amount)),
            counts: countsAdded(known.counts, one.counts),
          },
    );
  }
  return { spend: [...bySpan.values()], added_up: spend.length - bySpan.size };
}

/** Reports overlapping days, which would be counted twice. */
function findOverlaps(spend: readonly ReadSpend[]): void {
  const byAd = new Map<string, ReadSpend[]>();
  for (const one of spend) {
    const key = `${one.ad_id} ${one.currency}`;
    const known = byAd.get(key) ?? [];
    known.push(one);
    byAd.set(key, known);
  }
  for (const all of byAd.values()) {
    let furthest: ReadSpend | null = null;
    for (const one of all.toSorted((a, b) => (a.first_day < b.first_day ? -1 : 1))) {
      if (furthest !== null && one.first_day <= furthest.last_day)
        one.row.problem(
          'first_day',
          `The days overlap with those of line ${furthest.row.row.line}, so they would be counted twice: export by day.`,
        );
      if (furthest === null || one.last_day > furthest.last_day) furthest = one;
    }
  }
}

/** The names of every ad, from the last row that has one. */
function labelsOf(rows: readonly SpendRow[]): AdLabel[] {
  const byAd = new Map<string, AdLabel>();
  for (const row of rows) {
    const ad_id = row.idText;
    const known = byAd.get(ad_id) ?? { ad_id, ad_name: '', adset_name: '', campaign_name: '' };
    byAd.set(ad_id, {
      ad_id,
      ad_name: row.name('ad_name') || known.ad_name,
      adset_name: row.name('adset_name') || known.adset_name,
      campaign_name: row.name('campaign_name') || known.campaign_name,
    });
  }
  return [...byAd.values()].filter((label) => label.ad_name + label.adset_name + label.campaign_name !== '');
}

/** How the file writes days and amounts; null when that is ambiguous, with the reason among its problems. */
function writingOf(rows: readonly SpendRow[], isByDay: boolean): Writing | null {
  const columns = isByDay ? (['day'] as const) : (['first_day', 'last_day'] as const);
  const spans = ['day', 'first_day', 'last_day'] as const;
  // With a breakdown by day every row also has the whole span, which may show the order when a day alone does not.
  const day_order = dayOrderOf(rows.flatMap((row) => spans.map((column) => row.text(column))));
  if (typeof day_order === 'object') {
    const { unclear } = day_order;
    for (const column of columns) {
      const row = rows.find((one) => one.text(column) === unclear);
      if (row === undefined) continue;
      row.problem(
        column,
        `"${unclear}" can be two different days, and no other day of the file tells which of its numbers is the month: write days as YYYY-MM-DD.`,
      );
      break;
    }
  }
  const decimal_mark = decimalMarkOf(rows.flatMap((row) => row.writtenAmount ?? []));
  if (typeof decimal_mark === 'object') {
    const { unclear } = decimal_mark;
    rows
      .find((row) => row.writtenAmount === unclear)
      ?.problem(
        'amount',
        `"${unclear}" can be two different amounts, and no other one of the column tells whether its sign separates thousands or decimals: export amounts without thousands separators.`,
      );
  }
  return typeof day_order === 'object' || typeof decimal_mark === 'object' ? null : { day_order, decimal_mark };
}

/** Spreadsheet programs keep 15 digits of a number, and write zeros for the others. */
const CUT_ID = /^[1-9]\d{14}0{1,5}$/;

/**
 * Rows whose ids a spreadsheet program has rounded: with an exponent, or with zeros at the end of every long id of the
 * file.
 */
function rowsOfRoundedIds(rows: readonly SpendRow[]): readonly SpendRow[] {
  const long = rows.filter((row) => row.idText.length > 15 && !row.isIdRounded);
  const areCut = long.every((row) => CUT_ID.test(row.idText)) && new Set(long.map((row) => row.idText)).size > 1;
  return rows.filter((row) => row.isIdRounded || (areCut && row.idText.length > 15));
}

/** Rounded ids cannot be repaired, so one problem is reported for all of them. */
function findRoundedIds(rows: readonly SpendRow[]): ReadonlySet<SpendRow> {
  const rounded = rowsOfRoundedIds(rows);
  rounded[0]?.problem(
    'ad_id',
    `A spreadsheet has rounded the ids of ads (${rounded.length === 1 ? 'here' : `in ${rounded.length} rows; here`} "${rounded[0].idText}"), and their last digits are lost: export again from Ads Manager, and do not save the file with a spreadsheet.`,
  );
  return new Set(rounded);
}

function readSheet(header: SpendHeader, { rows }: Sheet, problems: Problems): SpendFile | null {
  const all = rows
    .filter((row) => row.line > header.line && !isBlank(row))
    .map((row) => new SpendRow(row, header, problems));
  const isByDay = header.columns.has('day') && all.some((row) => !row.sumsUp('day'));
  const { counted, passed_over } = findSums(all, header, isByDay);
  if (counted.length === 0) problems.add(header, null, 'There are no rows of ads under the header.');
  const rounded = findRoundedIds(counted);
  const hasAmounts = header.columns.has('amount');
  const writing = hasAmounts ? writingOf(counted, isByDay) : null;
  const read: ReadSpend[] = [];
  for (const row of counted) {
    const ad_id = rounded.has(row) ? null : row.adId();
    if (writing === null) continue;
    const [days, currency, amount] = [row.days(isByDay, writing), row.currency(), row.amount(writing)];
    const counts = row.counts();
    if (ad_id !== null && days !== null && currency !== null && amount !== null && counts !== null)
      read.push({ row, ad_id, ...days, currency, amount, counts });
  }
  const { spend, added_up } = addedUp(read);
  findOverlaps(spend);
  if (!problems.isEmpty) return null;
  return { spend: spend.map(({ row: _, ...one }) => one), labels: labelsOf(counted), added_up, passed_over };
}

/** What is wrong with the headings of a file that is no export of ads. */
function unknownHeadings(sheets: readonly Sheet[], mapping: SpendMapping, problems: Problems): BrokenCsvFile {
  const mapped = Object.values(mapping.columns);
  const row = sheets.flatMap(({ rows }) => widestRow(rows) ?? []).sort((a, b) => b.cells.length - a.cells.length)[0];
  const headings = row === undefined ? [] : headingsOf(row);
  const missing =
    mapped.length === 0
      ? `No heading is known as ${SPEND_COLUMN_NAMES.ad_id}, in any language that is known here.`
      : `There is no header with ${mapped.map((heading) => `"${heading}"`).join(', ')}${mapping.columns.ad_id === undefined ? ` and ${SPEND_COLUMN_NAMES.ad_id}` : ''}.`;
  problems.add(
    row ?? null,
    null,
    `${missing} The columns found are: ${headings.map((heading) => `"${heading.slice(0, 60)}"`).join(', ')}. In Ads Manager choose the columns Ad ID, Amount spent and the days, or say which column is which.`,
  );
  return problems.result(headings);
}

/** Keeps one of two equal sheets: a workbook of Ads Manager may have the same rows twice, once formatted. */
function onlyOne(
  read: readonly { readonly sheet: string; readonly file: SpendFile }[],
  problems: Problems,
): SpendFile | null {
  const [first, ...others] = read;
  const other = others.find(({ file }) => JSON.stringify(file.spend) !== JSON.stringify(first?.file.spend));
  if (first !== undefined && other !== undefined)
    problems.add(
      null,
      null,
      `The sheets "${first.sheet}" and "${other.sheet}" both have amounts of ads, and different ones: leave one of them out.`,
    );
  return other === undefined ? (first?.file ?? null) : null;
}

/**
 * Reads an export of ads from Meta's Ads Manager, as CSV or as a workbook: amounts per ad and days, names, or both; or
 * everything that is wrong with it. Headings are known in several languages, and others can be mapped by hand. Rows of
 * sums are counted and otherwise ignored. Amounts are never JavaScript numbers.
 */
export async function parseSpendFile(
  bytes: Uint8Array,
  mapping: SpendMapping = { columns: {} },
): Promise<ParsedSpendFile> {
  const problems = new Problems();
  const isHeader = (cells: readonly string[]): boolean => isSpendHeader(cells, mapping);
  const sheets = await readSheets(bytes, 'export of ads', isHeader, problems);
  if (sheets === null) return problems.result();
  const read: { sheet: string; file: SpendFile }[] = [];
  let broken: BrokenCsvFile | null = null;
  for (const sheet of sheets) {
    const row = sheet.rows.slice(0, MAX_ROWS_TO_HEADER).find(({ cells }) => isHeader(cells));
    if (row === undefined) continue;
    const own = new Problems();
    const header = readSpendHeader(row, mapping, own);
    const isHeaderUnderstood = own.isEmpty;
    const file = isHeaderUnderstood ? readSheet(header, sheet, own) : null;
    if (file !== null) read.push({ sheet: sheet.name ?? '', file });
    else broken ??= own.result(isHeaderUnderstood ? undefined : headingsOf(row));
  }
  if (read.length === 0) return broken ?? unknownHeadings(sheets, mapping, problems);
  const file = onlyOne(read, problems);
  return file === null ? problems.result() : { ok: true, ...file };
}

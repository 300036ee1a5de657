import {
  TIERED_CATEGORIES,
  type RateKind,
  type RateModel,
  type TieredCategory,
} from '@ctwa-ledger/schemas/rate-file.ts';
import { leadingDay } from '../imports/days.ts';
import { MAX_ROWS_TO_HEADER, columnNameOf, plain, type FileRow, type Problems } from '../imports/rows.ts';

export const LIST_REQUIRED = ['market', 'currency', 'marketing', 'utility', 'authentication'] as const;
const TIERS_REQUIRED = ['market', 'currency', 'message_type', 'from', 'to', 'rate'] as const;
const SECTION_REQUIRED = ['from', 'to', 'rate'] as const;
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
export type Column = keyof typeof HEADINGS;

/** The columns of the tiers of one category, in a file with the tiers of several categories side by side. */
export interface Section {
  readonly category: TieredCategory;
  readonly from: number;
  readonly to: number;
  readonly rate: number;
}

/** The row with the headings, and what it says about the file. */
export interface Header extends FileRow {
  readonly kind: RateKind;
  /** The first column with each name. */
  readonly columns: ReadonlyMap<Column, number>;
  /** The sections of a tier file as Meta publishes it; else empty. */
  readonly sections: readonly Section[];
}

const COLUMN_OF = new Map(Object.keys(HEADINGS).map((column) => [plain(column), column as Column]));
const TIERED_OF = new Map(TIERED_CATEGORIES.map((category) => [plain(category), category]));

/** The category with tiers that a cell names; null when it names none. */
export function tieredCategoryOf(cell: string): TieredCategory | null {
  return TIERED_OF.get(plain(cell)) ?? null;
}

function columnOf(cell: string): Column | undefined {
  return COLUMN_OF.get(plain(cell.replace(/\(\s*per\s+rate\s+card\s*\)/i, '')));
}

function columnsOf(cells: readonly string[]): Map<Column, number> {
  const columns = new Map<Column, number>();
  cells.forEach((cell, index) => {
    const column = columnOf(cell);
    if (column !== undefined && !columns.has(column)) columns.set(column, index);
  });
  return columns;
}

/** Whether a row is the header of a rate file: it has the column of the market and another one. */
export function isRateHeader(cells: readonly string[]): boolean {
  const columns = columnsOf(cells);
  return columns.has('market') && columns.size > 1;
}

/** The last row above the header that names a section. */
function sectionNames(above: readonly FileRow[]): FileRow | null {
  return above.findLast(({ cells }) => cells.some((cell) => tieredCategoryOf(cell) !== null)) ?? null;
}

/**
 * One section, from the column of its name to the next section. Null when it is none, with the reason among `problems`.
 */
function readSection(
  name: string,
  [begin, end]: readonly [number, number],
  header: FileRow,
  problems: Problems,
): Section | null {
  const places = new Map<Column, number>();
  for (let index = begin; index < end; index++) {
    const column = columnOf(header.cells[index] ?? '');
    if (column === undefined) continue;
    if (places.has(column))
      problems.add(header, columnNameOf(header, index), `The section ${name} has ${HEADINGS[column]} twice.`);
    else places.set(column, index);
  }
  // Other columns may stand beside the sections.
  if (!SECTION_REQUIRED.some((column) => places.has(column))) return null;
  const category = tieredCategoryOf(name);
  const [from, to, rate] = SECTION_REQUIRED.map((column) => places.get(column));
  if (category === null)
    problems.add(
      header,
      columnNameOf(header, begin),
      `The section "${name}" has no tiers: only ${TIERED_CATEGORIES.join(', ')} have.`,
    );
  if (from === undefined || to === undefined || rate === undefined) {
    const missing = SECTION_REQUIRED.filter((column) => !places.has(column)).map((column) => HEADINGS[column]);
    problems.add(header, columnNameOf(header, begin), `The section ${name} lacks ${missing.join(', ')}.`);
    return null;
  }
  return category === null ? null : { category, from, to, rate };
}

function readSections(names: FileRow, header: FileRow, problems: Problems): Section[] {
  const begins = names.cells.flatMap((cell, index) => (cell.trim() === '' ? [] : [index]));
  const sections: Section[] = [];
  header.cells.forEach((cell, index) => {
    if (columnOf(cell) === 'from' && !begins.some((begin) => begin <= index))
      problems.add(
        header,
        columnNameOf(header, index),
        'No name of a section stands above this column or to its left.',
      );
  });
  begins.forEach((begin, order) => {
    const name = names.cells[begin]?.trim() ?? '';
    const section = readSection(name, [begin, begins[order + 1] ?? header.cells.length], header, problems);
    if (section === null) return;
    if (sections.some(({ category }) => category === section.category))
      problems.add(names, columnNameOf(names, begin), `The section ${name} is there twice.`);
    sections.push(section);
  });
  return sections;
}

/** The header of a sheet; null when it has none. Missing columns are listed in `problems`. */
export function findHeader(rows: readonly FileRow[], problems: Problems): Header | null {
  const place = rows.slice(0, MAX_ROWS_TO_HEADER).findIndex(({ cells }) => isRateHeader(cells));
  const row = rows[place];
  if (row === undefined) return null;
  const columns = columnsOf(row.cells);
  const isTiers = !columns.has('marketing') && (['message_type', 'from', 'to'] as const).some((c) => columns.has(c));
  const names = isTiers && !columns.has('message_type') ? sectionNames(rows.slice(0, place)) : null;
  const sections = names === null ? [] : readSections(names, row, problems);
  const required = names !== null ? (['market', 'currency'] as const) : isTiers ? TIERS_REQUIRED : LIST_REQUIRED;
  const missing: readonly Column[] = required.filter((column) => !columns.has(column));
  if (missing.length > 0) {
    const what = missing.map((column) => HEADINGS[column]).join(', ');
    const or = missing.includes('message_type')
      ? `, or above it a row with ${HEADINGS.utility}, ${HEADINGS.authentication} or ${HEADINGS.authentication_international}`
      : '';
    problems.add(row, null, `The header lacks ${what}${or}.`);
  }
  const repeated: readonly Column[] = names === null ? [] : SECTION_REQUIRED;
  row.cells.forEach((cell, index) => {
    const column = columnOf(cell);
    if (column !== undefined && columns.get(column) !== index && !repeated.includes(column))
      problems.add(row, columnNameOf(row, index), `The header names ${HEADINGS[column]} twice.`);
  });
  return { ...row, kind: isTiers ? 'tiers' : 'list', columns, sections };
}

/** The problem of a file in which no row is a header. */
export function noHeader(isWorkbook: boolean): string {
  const named = (columns: readonly Column[]): string => columns.map((column) => HEADINGS[column]).join(', ');
  return `There is no header${isWorkbook ? ' in any sheet' : ''}: a row with ${named(LIST_REQUIRED)}, or with ${named(TIERS_REQUIRED)}, or Meta's tiers with ${named(SECTION_REQUIRED)} under each section.`;
}

/** All text above the header. */
export function preambleOf(header: Header, rows: readonly FileRow[]): string {
  return rows
    .filter((row) => row.line < header.line)
    .map((row) => row.cells.join(' '))
    .join(' ')
    .replace(/\s+/g, ' ');
}

/** What the rates are charged for; null when nothing in the file says it clearly, with the reason among `problems`. */
export function modelOf(
  header: Header,
  preamble: string,
  given: RateModel | undefined,
  problems: Problems,
): RateModel | null {
  const isByConversation = /\bper[\s-]+conversation/i.test(preamble);
  const isByMessage = /\bper[\s-]+message/i.test(preamble);
  if (header.kind === 'tiers') {
    if (given === 'conversation' || (isByConversation && !isByMessage))
      problems.add(header, null, 'Tiers are for rates per message, but this is to be one per conversation.');
    return 'message';
  }
  if (isByConversation === isByMessage) {
    if (given === undefined)
      problems.add(
        header,
        null,
        `Above the header the file names ${isByMessage ? 'both "per conversation" and "per message"' : 'neither "per conversation" nor "per message"'}: say which with --model conversation or --model message.`,
      );
    return given ?? null;
  }
  const said = isByMessage ? 'message' : 'conversation';
  if (given !== undefined && given !== said)
    problems.add(header, null, `The file says "per ${said}", but --model ${given} was given: leave out --model.`);
  return said;
}

/** "effective October 1, 2026", "Effective from 1 October 2026", "effective date: 2026-10-01". */
const EFFECTIVE = /\beffective\b[\s:,–-]*(?:(?:date|from|as|of|on|since|starting)\b[\s:,–-]*)*/gi;

/** The days from which the text above the header says that its rates are effective, each once, as `YYYY-MM-DD`. */
export function effectiveDaysOf(preamble: string): string[] {
  const days = [...preamble.matchAll(EFFECTIVE)].flatMap((said) => {
    const found = leadingDay(preamble.slice(said.index + said[0].length));
    return found === null ? [] : [found.day];
  });
  return [...new Set(days)];
}

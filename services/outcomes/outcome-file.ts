import { customerNames } from '@ctwa-ledger/schemas/event.ts';
import { OUTCOME_COLUMNS, type Outcome, type OutcomeCells, type OutcomeColumn } from '@ctwa-ledger/schemas/outcomes.ts';
import { currencyOf, plainDecimal } from '../imports/amounts.ts';
import { sha256 } from '../imports/register.ts';
import type { Problems } from '../imports/rows.ts';
import { isBlank, plain, type FileRow } from '../imports/rows.ts';
import { readSheets } from '../imports/sheets.ts';

const KIND = /^[a-z][a-z0-9_]{0,39}$/;
const NOT_AFTER_SECONDS = 4_102_444_800;

/** Where a problem is: a row of a file, or null of what was sent. */
type Place = Pick<FileRow, 'sheet' | 'line'>;

/** ISO 8601 with a zone, or Unix seconds; null when it is neither. */
function secondsOf(text: string): number | null {
  if (/^\d{9,10}$/.test(text)) return Number(text);
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/.test(text)) return null;
  const seconds = Math.floor(Date.parse(text) / 1000);
  return Number.isFinite(seconds) && seconds > 0 && seconds < NOT_AFTER_SECONDS ? seconds : null;
}

/** One outcome of the cells of a row; null with what is wrong among the problems. */
function outcomeOf(cells: OutcomeCells, place: Place, problems: Problems): Outcome | null {
  const cell = (column: OutcomeColumn): string => (cells[column] ?? '').trim();
  const wrong: [OutcomeColumn, string][] = [];
  const kind = cell('kind')
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
  if (!KIND.test(kind)) wrong.push(['kind', 'is no word like lead or purchase']);
  const happened_at = secondsOf(cell('time'));
  if (happened_at === null) wrong.push(['time', 'is no time like 2026-10-01T12:00:00Z, nor Unix seconds']);
  const value = cell('value') === '' ? null : plainDecimal(cell('value'));
  if (typeof value === 'string') wrong.push(['value', 'is no decimal like 12.50, or has too many digits']);
  const currency = cell('currency') === '' ? '' : currencyOf(cell('currency'));
  if (currency === null) wrong.push(['currency', 'is no currency, three letters of ISO 4217']);
  if ((cell('value') === '') !== (cell('currency') === ''))
    wrong.push(['currency', 'and value belong together: give both or neither']);
  const { wa_id, user_id } = customerNames(cell('customer'));
  const customer = wa_id === '' ? user_id : wa_id;
  const [conversation_id, ctwa_clid, phone_number_id] = [
    cell('conversation_id'),
    cell('ctwa_clid'),
    cell('phone_number_id'),
  ];
  const isNamed = customer !== '' && phone_number_id !== '';
  if (conversation_id === '' && ctwa_clid === '' && !isNamed)
    wrong.push(['conversation_id', 'is missing: name the conversation, the click, or customer and phone_number_id']);
  // A hash of a phone number could be guessed, and must not stay when the customer is erased.
  if (cell('id') === '' && conversation_id === '' && ctwa_clid === '' && isNamed)
    wrong.push(['id', 'is missing: an outcome of a customer needs one, so that it is counted once']);
  for (const [column, what] of wrong)
    problems.add(place, column, `The ${column} "${cell(column).slice(0, 60)}" ${what}.`);
  if (wrong.length > 0 || happened_at === null || currency === null || typeof value === 'string') return null;
  const amount = value?.text ?? null;
  const said = JSON.stringify([kind, happened_at, amount, currency, conversation_id, ctwa_clid]);
  const outcome_id = cell('id') === '' ? sha256(said).slice(0, 24) : cell('id');
  return {
    outcome_id,
    kind,
    happened_at,
    value: amount,
    currency,
    conversation_id,
    ctwa_clid,
    phone_number_id,
    customer,
  };
}

/** Of one id the last one holds. */
function oncePerId(outcomes: readonly (Outcome | null)[]): Outcome[] {
  return [...new Map(outcomes.flatMap((one) => (one === null ? [] : [[one.outcome_id, one] as const]))).values()];
}

/** Outcomes that were sent. */
export function readOutcomes(sent: readonly OutcomeCells[], problems: Problems): Outcome[] {
  return oncePerId(sent.map((cells, i) => outcomeOf(cells, { sheet: null, line: i + 1 }, problems)));
}

function columnsOf(cells: readonly string[]): ReadonlyMap<OutcomeColumn, number> {
  const known = new Map(OUTCOME_COLUMNS.map((column) => [plain(column), column]));
  return new Map(
    cells.flatMap((cell, index) => {
      const column = known.get(plain(cell));
      return column === undefined ? [] : [[column, index] as const];
    }),
  );
}

function isHeader(cells: readonly string[]): boolean {
  const columns = columnsOf(cells);
  return columns.has('kind') && columns.has('time');
}

/** The outcomes of a CSV file; what is wrong is among the problems. */
export async function readOutcomeFile(bytes: Uint8Array, problems: Problems): Promise<Outcome[]> {
  // What a workbook packs could not be searched when a customer is erased.
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    problems.add(null, null, 'The file is a workbook: export it as CSV.');
    return [];
  }
  const [sheet] = (await readSheets(bytes, 'file of outcomes', isHeader, problems)) ?? [];
  if (sheet === undefined) return [];
  const header = sheet.rows.findIndex(({ cells }) => isHeader(cells));
  if (header === -1) {
    problems.add(null, null, `No row has the headings kind and time. Known ones: ${OUTCOME_COLUMNS.join(', ')}.`);
    return [];
  }
  const columns = columnsOf(sheet.rows[header]?.cells ?? []);
  const rows = sheet.rows.slice(header + 1).filter((row) => !isBlank(row));
  const cellsOf = (row: FileRow): OutcomeCells =>
    Object.fromEntries([...columns].map(([column, index]) => [column, row.cells[index] ?? '']));
  return oncePerId(rows.map((row) => outcomeOf(cellsOf(row), row, problems)));
}

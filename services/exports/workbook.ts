import { isDay, textOf } from './formats/format.ts';
import type { Batch, Column } from '../reports/report.ts';
import { archiveOf, type ArchivedFile } from './archive.ts';

/** Rows of a sheet, as many as spreadsheet programs take. */
const MAX_SHEET_ROWS = 1_048_576;
const MAX_SHEET_NAME = 31;
/** A spreadsheet program rounds a number with more digits; such a number is written as text. */
const EXACT_DIGITS = 15;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;
const DAY_MS = 86_400_000;
/** Day 0 of workbooks. They count 29 February 1900, which did not exist. */
const EPOCH_MS = Date.UTC(1899, 11, 30);

/** Indexes in `cellXfs` of the styles below. */
const STYLES = { plain: 0, head: 1, decimal: 2, day: 3, time: 4 } as const;

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const CONTENT = 'application/vnd.openxmlformats-officedocument.spreadsheetml';
const STYLE_SHEET = `<styleSheet xmlns="${MAIN}"><numFmts count="3"><numFmt numFmtId="164" formatCode="0.00######"/><numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd"/><numFmt numFmtId="166" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="5"><xf/><xf fontId="1" applyFont="1"/><xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/><xf numFmtId="166" applyNumberFormat="1"/></cellXfs></styleSheet>`;

/** Text without characters that XML cannot hold. */
function escaped(text: string): string {
  return text
    .replaceAll(/(?![\t\n\r\u007f-\u009f])\p{Cc}|[\ufffe\uffff\p{Cs}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** The part of a cell after its address; empty when there is no cell. */
const textCell = (text: string, style: number): string =>
  text === '' ? '' : ` s="${style}" t="inlineStr"><is><t xml:space="preserve">${escaped(text)}</t></is></c>`;
const numberCell = (value: string | number, style: number): string => ` s="${style}"><v>${value}</v></c>`;

/** `A`, `B`, …, `AA`. */
function letters(index: number): string {
  const last = String.fromCharCode(65 + (index % 26));
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}

/** A row of a sheet. */
function rowXml(number: number, columns: readonly string[], cells: readonly string[]): string {
  const written = cells.map((cell, i) => (cell === '' ? '' : `<c r="${columns[i] ?? ''}${number}"${cell}`));
  return `<row r="${number}">${written.join('')}</row>`;
}

/** A time of the report's zone as days since the epoch of workbooks, which have no zones. */
function serialOf(text: string): number | null {
  const ms = Date.parse(`${text.slice(0, 19)}${text.length === 10 ? 'T00:00:00' : ''}Z`);
  return Number.isNaN(ms) ? null : (ms - EPOCH_MS) / DAY_MS;
}

/** Whether a spreadsheet program can keep the number in a text exactly. */
function isExact(text: string): boolean {
  return NUMBER.test(text) && text.replaceAll(/\D/g, '').replace(/^0+/, '').length <= EXACT_DIGITS;
}

/** How to write the cells of a column. */
function cellOf(column: Column): (cell: unknown) => string {
  const dated = (style: number) => (cell: unknown) => {
    const text = textOf(cell);
    const serial = serialOf(text);
    return serial === null ? textCell(text, STYLES.plain) : numberCell(serial, style);
  };
  const numeric = (style: number) => (cell: unknown) => {
    const text = textOf(cell);
    return isExact(text) ? numberCell(text, style) : textCell(text, STYLES.plain);
  };
  if (isDay(column)) return dated(STYLES.day);
  switch (column.type) {
    case 'time':
      return dated(STYLES.time);
    case 'integer':
    case 'number':
      return numeric(STYLES.plain);
    case 'decimal':
      return numeric(STYLES.decimal);
    case 'boolean':
      return (cell) => (textOf(cell) === '' ? '' : ` t="b"><v>${textOf(cell) === 'true' ? 1 : 0}</v></c>`);
    case 'text':
      return (cell) => textCell(textOf(cell), STYLES.plain);
  }
}

/** Writes rows into sheets, each with a header, and counts the sheets. */
class SheetWriter {
  readonly #columns: readonly Column[];
  readonly #letters: readonly string[];
  readonly #cells: readonly ((cell: unknown) => string)[];
  readonly #rows: AsyncIterator<Batch>;
  #batch: Batch = [];
  #place = 0;
  #isDone = false;
  sheets = 0;

  constructor(columns: readonly Column[], rows: AsyncIterable<Batch>) {
    this.#columns = columns;
    this.#letters = columns.map((_, column) => letters(column));
    this.#cells = columns.map(cellOf);
    this.#rows = rows[Symbol.asyncIterator]();
  }

  async #more(): Promise<boolean> {
    while (!this.#isDone && this.#place === this.#batch.length) {
      const next = await this.#rows.next();
      this.#isDone = next.done === true;
      this.#batch = next.done === true ? [] : next.value;
      this.#place = 0;
    }
    return !this.#isDone;
  }

  async *#sheet(): AsyncGenerator<Uint8Array> {
    const pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>';
    const head = this.#columns.map(({ name }) => textCell(name, STYLES.head));
    yield Buffer.from(
      `${XML}<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0">${pane}</sheetView></sheetViews><sheetData>${rowXml(1, this.#letters, head)}`,
    );
    let rows = 1;
    while (rows < MAX_SHEET_ROWS && (await this.#more())) {
      const some = this.#batch.slice(this.#place, this.#place + MAX_SHEET_ROWS - rows);
      this.#place += some.length;
      const first = rows + 1;
      rows += some.length;
      const written = some.map((row, n) =>
        rowXml(
          first + n,
          this.#letters,
          this.#cells.map((write, i) => write(row[i])),
        ),
      );
      yield Buffer.from(written.join(''));
    }
    yield Buffer.from('</sheetData></worksheet>');
  }

  async *files(): AsyncGenerator<ArchivedFile> {
    do {
      this.sheets += 1;
      yield { path: `xl/worksheets/sheet${this.sheets}.xml`, parts: this.#sheet() };
    } while (await this.#more());
  }
}

/** The files of a workbook that list its sheets. */
function* around(name: string, sheets: number): Generator<ArchivedFile> {
  const numbers = Array.from({ length: sheets }, (_, n) => n + 1);
  const file = (path: string, xml: string): ArchivedFile => ({ path, parts: [Buffer.from(XML + xml)] });
  const title = (n: number): string => {
    const end = n === 1 ? '' : ` ${n}`;
    return escaped(name.slice(0, MAX_SHEET_NAME - end.length) + end);
  };
  const relation = (id: string, type: string, target: string): string =>
    `<Relationship Id="${id}" Type="${OFFICE}/${type}" Target="${target}"/>`;
  yield file(
    'xl/workbook.xml',
    `<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets>${numbers.map((n) => `<sheet name="${title(n)}" sheetId="${n}" r:id="rId${n}"/>`).join('')}</sheets></workbook>`,
  );
  yield file('xl/styles.xml', STYLE_SHEET);
  yield file(
    'xl/_rels/workbook.xml.rels',
    `<Relationships xmlns="${PACKAGE}/relationships">${numbers.map((n) => relation(`rId${n}`, 'worksheet', `worksheets/sheet${n}.xml`)).join('')}${relation(`rId${sheets + 1}`, 'styles', 'styles.xml')}</Relationships>`,
  );
  yield file(
    '_rels/.rels',
    `<Relationships xmlns="${PACKAGE}/relationships">${relation('rId1', 'officeDocument', 'xl/workbook.xml')}</Relationships>`,
  );
  const part = (path: string, type: string): string =>
    `<Override PartName="${path}" ContentType="${CONTENT}.${type}+xml"/>`;
  yield file(
    '[Content_Types].xml',
    `<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${part('/xl/workbook.xml', 'sheet.main')}${part('/xl/styles.xml', 'styles')}${numbers.map((n) => part(`/xl/worksheets/sheet${n}.xml`, 'worksheet')).join('')}</Types>`,
  );
}

/**
 * Rows as a workbook (`.xlsx`), streamed: the same rows give the same bytes. Numbers, days and times are stored as such
 * if a spreadsheet program keeps them exactly, else as text. Rows beyond the limit of a sheet go to the next one.
 * @param name of the sheet
 */
export async function* workbookOf(
  name: string,
  columns: readonly Column[],
  rows: AsyncIterable<Batch>,
): AsyncGenerator<Uint8Array> {
  const writer = new SheetWriter(columns, rows);
  async function* files(): AsyncGenerator<ArchivedFile> {
    yield* writer.files();
    yield* around(name, writer.sheets);
  }
  yield* archiveOf(files());
}

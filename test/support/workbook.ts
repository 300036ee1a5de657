import { parse } from 'csv-parse/sync';
import { unzipSync, zipSync } from 'fflate';
import writeExcelFile, { type CellObject } from 'write-excel-file/node';

export type WorkbookCell = string | number | Date | null;

export interface WorkbookSheet {
  readonly name: string;
  readonly rows: readonly (readonly WorkbookCell[])[];
}

function cellOf(value: WorkbookCell): CellObject | null {
  if (value === null) return null;
  if (value instanceof Date) return { value, type: Date, format: 'mm/dd/yyyy' };
  return typeof value === 'number' ? { value, type: Number } : { value, type: String };
}

/** A workbook as a spreadsheet program would save it: numbers as numbers, days as days. */
export function workbookOf(...sheets: readonly WorkbookSheet[]): Promise<Buffer> {
  return writeExcelFile(
    sheets.map(({ name, rows }) => ({ sheet: name, data: rows.map((cells) => cells.map(cellOf)) })),
  ).toBuffer();
}

/** A CSV file as a sheet, opened and saved: what looks like a number has become one. */
export function sheetOfCsv(name: string, text: string): WorkbookSheet {
  const rows: string[][] = parse(text, { relax_column_count: true });
  return {
    name,
    rows: rows.map((cells) =>
      cells.map((cell) => {
        const number = Number(cell.replaceAll(',', ''));
        if (cell === '') return null;
        return /^[\d,]+(\.\d+)?$/.test(cell) && Number.isFinite(number) ? number : cell;
      }),
    ),
  };
}

/** A workbook with one of its parts written anew, as a program with other habits would write it. */
export function withPart(workbook: Buffer, path: string, write: (xml: string) => string): Buffer {
  const parts = unzipSync(workbook);
  const xml = Buffer.from(parts[path]!).toString('utf8');
  return Buffer.from(zipSync({ ...parts, [path]: Buffer.from(write(xml)) }));
}

import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { Problems, type Sheet } from '../../services/imports/rows.ts';
import { readSheets } from '../../services/imports/sheets.ts';
import { numberText } from '../../services/imports/workbook.ts';
import { withPart, workbookOf } from '../support/workbook.ts';

const SHEET = 'xl/worksheets/sheet1.xml';

async function read(bytes: Uint8Array): Promise<{ sheets: readonly Sheet[] | null; problems: string[] }> {
  const problems = new Problems();
  const sheets = await readSheets(bytes, 'file', () => false, problems);
  return { sheets, problems: problems.result().problems.map(({ message }) => message) };
}

const cellsOf = (sheets: readonly Sheet[] | null): string[][] =>
  (sheets?.[0]?.rows ?? []).map(({ cells }) => [...cells]);

describe('a workbook', () => {
  it('is read sheet by sheet and cell by cell', async () => {
    const { sheets } = await read(
      await workbookOf(
        {
          name: 'Eins & "zwei"',
          rows: [[' a ', 'line\nbreak', 'é日本 <&>'], [], [null, 1250.5, new Date('2026-10-01')]],
        },
        { name: 'B', rows: [['x', Number('120226305854810726')]] },
      ),
    );
    expect(sheets?.map(({ name }) => name)).toEqual(['Eins & "zwei"', 'B']);
    expect(sheets?.[0]?.rows.map(({ line, cells }) => [line, ...cells])).toEqual([
      [1, ' a ', 'line\nbreak', 'é日本 <&>'],
      [2, '', '', ''],
      [3, '', '1250.5', '2026-10-01'],
    ]);
    expect([...(sheets?.[0]?.rows[2]?.numbers ?? [])]).toEqual([1]);
    expect(sheets?.[1]?.rows[0]?.cells).toEqual(['x', '1.2022630585481072E+17']);
  });

  it('is read to the last cell, however it is cut into pieces', async () => {
    const rows = Array.from({ length: 20_000 }, (_, index) => [
      `row ${index}`,
      index / 8,
      `é${'x'.repeat(index % 50)}`,
    ]);
    const { sheets } = await read(await workbookOf({ name: 'Large', rows }));
    expect(cellsOf(sheets)).toEqual(rows.map((cells) => cells.map(String)));
  });

  it('counts its days from 1904 where it says so', async () => {
    const workbook = await workbookOf({ name: 'A', rows: [[new Date('2026-10-01')]] });
    const shifted = withPart(workbook, 'xl/workbook.xml', (xml) =>
      xml.replace(/<workbookPr[^>]*\/>|(?=<sheets>)/, '<workbookPr date1904="1"/>'),
    );
    expect(cellsOf((await read(shifted)).sheets)).toEqual([['2030-10-02']]);
  });

  it('numbers read back as the same number, in the shortest way', () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(double, (number) => {
        const text = numberText(number.toString());
        expect(Number(text)).toBe(number === 0 ? 0 : number);
        expect(/[eE]/.test(text)).toBe(Math.abs(number) > Number.MAX_SAFE_INTEGER);
      }),
    );
    expect(['6.1000000000000004E-3', '1E-8', '0.1', '5', '1.2E+17'].map(numberText)).toEqual([
      '0.0061',
      '0.00000001',
      '0.1',
      '5',
      '1.2E+17',
    ]);
  });
});

describe('files that cannot be a workbook are refused, and take neither memory nor time', () => {
  const sheetWith = async (write: (xml: string) => string): Promise<string[]> => {
    const workbook = await workbookOf({ name: 'A', rows: [['x', 1]] });
    const { sheets, problems } = await read(withPart(workbook, SHEET, write));
    expect(sheets).toBeNull();
    return problems;
  };

  it('one that unpacks to far more than it is', async () => {
    const bomb = Buffer.from(
      zipSync({ 'xl/workbook.xml': Buffer.from('<workbook/>'), [SHEET]: Buffer.alloc(70 * 1024 * 1024, ' ') }),
    );
    expect(bomb.length).toBeLessThan(1024 * 1024);
    expect((await read(bomb)).problems).toEqual([expect.stringContaining('unpacks to more than any workbook')]);
  });

  it('one that says that it unpacks to little', async () => {
    const bomb = Buffer.from(zipSync({ [SHEET]: Buffer.alloc(70 * 1024 * 1024, ' ') }));
    // Both places where an archive writes the unpacked size.
    for (const at of [22, bomb.lastIndexOf('PK\u0001\u0002', undefined, 'latin1') + 24]) bomb.writeUInt32LE(100, at);
    expect((await read(bomb)).problems).toEqual([expect.stringContaining('unpacks to more than any workbook')]);
  });

  it.each<[string, (xml: string) => string, string]>([
    [
      'a row far away',
      (xml) => xml.replace('</sheetData>', '<row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>'),
      'has more than 100000 rows',
    ],
    [
      'a row farther than any',
      (xml) => xml.replace('</sheetData>', "<row r = '99999999999'/></sheetData>"),
      'whose address cannot be read',
    ],
    [
      'a cell far away',
      (xml) => xml.replace('</sheetData>', '<row r="9"><c r="XFD9"><v>1</v></c></row></sheetData>'),
      'has more than 1000 columns',
    ],
    [
      'many cells',
      (xml) => xml.replace('</sheetData>', '<row r="90000"><c r="CV90000"><v>1</v></c></row></sheetData>'),
      'has more than 4000000 cells',
    ],
    [
      'an address in disguise',
      (xml) => xml.replace('</sheetData>', '<row x:r="&#57;9999999"/></sheetData>'),
      'whose address cannot be read',
    ],
    [
      'a formula without its result',
      (xml) => xml.replace('</sheetData>', '<row r="2"><c r="B2"><f>A1*2</f></c></row></sheetData>'),
      'a formula in cell B2 whose result is not in the file',
    ],
    ['XML that breaks off', (xml) => xml.slice(0, xml.indexOf('</sheetData>') - 4), 'cannot be read'],
  ])('%s', async (_, write, message) => {
    expect(await sheetWith(write)).toEqual([expect.stringContaining(message)]);
  });

  it('a formula with its result is a value', async () => {
    const workbook = await workbookOf({ name: 'A', rows: [['x', 1]] });
    const { sheets } = await read(
      withPart(workbook, SHEET, (xml) => xml.replace(/<v>1<\/v>/, '<f>A1*2</f><v>0.5</v>')),
    );
    expect(cellsOf(sheets)).toEqual([['x', '0.5']]);
  });

  it('another archive', async () => {
    const archive = Buffer.from(zipSync({ 'rates.csv': Buffer.from('Market,Currency\n') }));
    expect((await read(archive)).problems).toEqual([expect.stringContaining('is a ZIP archive, but no workbook')]);
  });

  it('any bytes after the signature of an archive', async () => {
    const workbook = await workbookOf({ name: 'A', rows: [['x', 1]] });
    const broken = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.concat([Buffer.from('PK\u0003\u0004'), bytes])),
      fc.nat(workbook.length).map((end) => workbook.subarray(0, end)),
      fc
        .tuple(fc.nat(workbook.length - 1), fc.nat(255))
        .map(([at, byte]) => Buffer.concat([workbook.subarray(0, at), Buffer.from([byte]), workbook.subarray(at + 1)])),
      fc.string().map((text) => withPart(workbook, SHEET, () => text)),
      fc.uint8Array().map((bytes) => Buffer.from(zipSync({ 'xl/workbook.xml': deflateRawSync(bytes) }))),
    );
    await fc.assert(
      fc.asyncProperty(broken, async (bytes) => {
        const { sheets, problems } = await read(bytes);
        expect(sheets === null).toBe(problems.length > 0);
      }),
      { numRuns: 300 },
    );
  });
});

import { isUtf8 } from 'node:buffer';
import { MAX_CSV_FILE_BYTES } from '@ctwa-ledger/schemas/csv-file.ts';
import { readCsv } from './csv-file.ts';
import type { Problems } from './rows.ts';
import { MAX_ROWS, type Sheet } from './rows.ts';
import { readWorkbook } from './workbook.ts';

/** The start of an archive: its first entry, or the end record of an empty one. */
const ZIP = [
  [0x50, 0x4b, 0x03, 0x04],
  [0x50, 0x4b, 0x05, 0x06],
];
const SIGNATURES: readonly (readonly [bytes: readonly number[], what: string])[] = [
  [
    [0xd0, 0xcf, 0x11, 0xe0],
    'is an old Excel workbook, or one with a password: save it as .xlsx without, or export it as CSV',
  ],
  [[0x25, 0x50, 0x44, 0x46], 'is a PDF: get the same as CSV or .xlsx'],
  [[0x1f, 0x8b], 'is compressed: unpack it first'],
];

const startsWith = (bytes: Uint8Array, signature: readonly number[]): boolean =>
  signature.every((byte, index) => bytes[index] === byte);

/** The text of a CSV file; null when the bytes are not text. */
function textOf(bytes: Uint8Array): string | null {
  const encoding = startsWith(bytes, [0xff, 0xfe]) ? 'utf-16le' : startsWith(bytes, [0xfe, 0xff]) ? 'utf-16be' : null;
  if (encoding === null) return isUtf8(bytes) ? Buffer.from(bytes).toString('utf8') : null;
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Why a file cannot be CSV; null when it can. */
function whyNotText(bytes: Uint8Array, text: string | null): string | null {
  for (const [signature, what] of SIGNATURES) if (startsWith(bytes, signature)) return what;
  if (text?.includes('\0') === true || (text === null && bytes.includes(0)))
    return 'is binary, not CSV: export it as CSV or .xlsx';
  if (text === null) return 'is not UTF-8: export it as "CSV UTF-8" or .xlsx';
  if (text.trim() === '') return 'is empty';
  if (/^\s*<(!doctype|html|\?xml)/i.test(text))
    return 'is a web page, not CSV: the link to it may have expired, download it anew';
  return null;
}

/**
 * The sheets of a file: those of a workbook, or a CSV file as one sheet. The kind is recognised by the bytes, not by
 * the name. CSV may be UTF-8 or UTF-16, with commas, semicolons or tabs between columns.
 * @param kind what the file should be, for people: `rate file`
 * @param isHeader whether a row is the expected header
 * @returns null when it cannot be read, with the reason among `problems`
 */
export async function readSheets(
  bytes: Uint8Array,
  kind: string,
  isHeader: (cells: readonly string[]) => boolean,
  problems: Problems,
): Promise<readonly Sheet[] | null> {
  const no = (reason: string): null => {
    problems.add(null, null, `The file ${reason}.`);
    return null;
  };
  if (bytes.length > MAX_CSV_FILE_BYTES)
    return no(`is larger than ${MAX_CSV_FILE_BYTES / 1024 / 1024} MB: it is probably no ${kind}`);
  if (ZIP.some((signature) => startsWith(bytes, signature))) return readWorkbook(bytes, problems);
  const text = textOf(bytes);
  const reason = whyNotText(bytes, text);
  if (reason !== null) return no(reason);
  const rows = readCsv(text ?? '', isHeader, problems);
  if (rows !== null && rows.length > MAX_ROWS) return no(`has more than ${MAX_ROWS} rows: it is probably no ${kind}`);
  return rows === null ? null : [{ name: null, rows }];
}

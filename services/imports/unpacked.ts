import { Unzip, UnzipInflate } from 'fflate';

/** What a workbook may unpack to: far more than a sheet of the most rows that are taken. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;
const MAX_ENTRIES = 2_000;
/** Packed bytes taken at a time: unpacked they are at most a thousand times as many, and then comes the next check. */
const STEP_BYTES = 16 * 1024;

class TooLargeError extends Error {}

/** Where a workbook keeps what its cells say. Nothing else of an archive is looked at. */
const PART =
  /^xl\/(?:workbook\.xml|_rels\/workbook\.xml\.rels|sharedStrings\.xml|styles\.xml|worksheets\/[^/]+\.xml)$/i;

/** The parts of a workbook by their path. */
export type Unpacked = Record<string, Uint8Array>;

/** Unpacks those parts of a workbook, and stops as soon as they are more than any workbook's would be. */
export function unpack(bytes: Uint8Array): Unpacked | 'too_large' | 'broken' {
  const parts = new Map<string, Uint8Array[]>();
  let total = 0;
  const unzip = new Unzip((entry) => {
    if (parts.size >= MAX_ENTRIES) throw new TooLargeError();
    if (!PART.test(entry.name)) return;
    const chunks: Uint8Array[] = [];
    parts.set(entry.name, chunks);
    entry.ondata = (error, chunk) => {
      if (error !== null) throw error;
      total += chunk.length;
      if (total > MAX_UNPACKED_BYTES) throw new TooLargeError();
      chunks.push(chunk);
    };
    entry.start();
  });
  unzip.register(UnzipInflate);
  try {
    for (let from = 0; from < bytes.length; from += STEP_BYTES)
      unzip.push(bytes.subarray(from, from + STEP_BYTES), from + STEP_BYTES >= bytes.length);
  } catch (error) {
    return error instanceof TooLargeError ? 'too_large' : 'broken';
  }
  return Object.fromEntries([...parts].map(([path, chunks]) => [path, Buffer.concat(chunks)]));
}

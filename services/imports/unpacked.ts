import { Unzip, UnzipInflate } from 'fflate';

/** Limit of an unpacked workbook: far more than a sheet with the most rows needs. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;
const MAX_ENTRIES = 2_000;
/** Compressed bytes per step. They unpack to a thousand times as many at most before the size is checked again. */
const STEP_BYTES = 16 * 1024;

class TooLargeError extends Error {}

/** Paths of a workbook's parts that are read. Other parts of the archive are ignored. */
const PART =
  /^xl\/(?:workbook\.xml|_rels\/workbook\.xml\.rels|sharedStrings\.xml|styles\.xml|worksheets\/[^/]+\.xml)$/i;

/** The parts of a workbook by their path. */
export type Unpacked = Record<string, Uint8Array>;

/** Unpacks these parts of a workbook, and stops when they exceed the limit. */
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

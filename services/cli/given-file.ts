import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { MAX_CSV_FILE_BYTES } from '@ctwa-ledger/schemas/csv-file.ts';
import { ActionableError } from '../clickhouse/errors.ts';

/**
 * Reads the CSV file of a command.
 * @throws ActionableError when it cannot be read, or is too large for an import
 */
export function readGivenFile(path: string): { readonly name: string; readonly bytes: Buffer } {
  try {
    const { size } = statSync(path);
    if (size > MAX_CSV_FILE_BYTES)
      throw new Error(`it is larger than ${MAX_CSV_FILE_BYTES / 1024 / 1024} MB, probably not meant for import`);
    return { name: basename(path), bytes: readFileSync(path) };
  } catch (error) {
    throw new ActionableError(`${path} cannot be read (${error instanceof Error ? error.message : String(error)}).`);
  }
}

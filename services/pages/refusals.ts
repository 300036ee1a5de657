import type { BrokenUpload, Refused } from '@ctwa-ledger/schemas/changes.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import type { Database } from '../clickhouse/database.ts';
import { BrokenFileError } from '../imports/broken-file.ts';
import type { Upload } from './uploads.ts';

/** The author of changes from pages, which have no sign-in. */
export const BY = 'dashboard';

/** Makes a change in the ledger, or refuses it in words. */
export type WhereAllowed = <T>(work: (database: Database) => Promise<T>) => Promise<T | Refused>;

export const IS_SAMPLE: Refused = {
  ok: false,
  message: 'This is the sample data, which cannot be changed. Press “Start with my own data” first.',
};

/** The same, of changes that can be tried on the sample data. */
export const IS_BEING_WRITTEN: Refused = {
  ok: false,
  message: 'The sample data is still being written. Try again in a moment.',
};

/** What is said of an upload that was dropped meanwhile. */
export const IS_GONE: Refused = {
  ok: false,
  message:
    'The upload is not there any more: it is kept for half an hour, and not over a restart. Choose the file again.',
};

/** Turns an `ActionableError` into an answer with its message. Any other error is a bug and is rethrown. */
export async function orRefused<T>(work: () => Promise<T>): Promise<T | Refused> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ActionableError) return { ok: false, message: error.message };
    throw error;
  }
}

/** The same, and for a broken file its problems place by place. */
export async function orBroken<T>(
  file: Pick<Upload, 'name'>,
  work: () => Promise<T>,
): Promise<T | BrokenUpload | Refused> {
  return orRefused(async () => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BrokenFileError)) throw error;
      const { message, problems, more, headings } = error;
      return { ok: false, name: file.name, message, problems, more, ...(headings === null ? {} : { headings }) };
    }
  });
}

import { canonicalEvent, type StatusEvent } from '@ctwa-ledger/schemas/event.ts';
import { compareUtf8, wellFormedText } from '@ctwa-ledger/schemas/json.ts';
import { z } from 'zod';

/** An error of Meta's, as a message or a status gives it. */
export interface MetaError {
  /** Empty when there is none. */
  readonly code: string;
  readonly title: string;
  /** A longer text, if Meta gives one; often it repeats the title. */
  readonly message: string;
}

const MAX_CODE_CHARS = 20;
const MAX_TITLE_CHARS = 200;

const part = z.union([z.number(), z.string()]).transform(String).catch('');
// The form in which Meta sends errors. Other sources of events may send anything.
const errorSchema = z.object({ code: part, title: part, message: part }).catch({ code: '', title: '', message: '' });

/** Half a surrogate pair cannot be stored. It may come from cutting a text, or from an escape in the JSON. */
function cut(text: string, maxChars: number): string {
  return wellFormedText(text.slice(0, maxChars));
}

/**
 * The errors of an event: a list as Meta sends it, or a single error. A part that cannot be read is empty.
 * @param errors the event's field: canonical JSON text, or empty
 */
export function errorsOf(errors: string): MetaError[] {
  if (errors === '') return [];
  const value: unknown = JSON.parse(errors);
  if (typeof value !== 'object') return [];
  return (Array.isArray(value) ? value : [value]).map((one: unknown) => {
    const { code, title, message } = errorSchema.parse(one);
    return {
      code: cut(code, MAX_CODE_CHARS),
      title: cut(title, MAX_TITLE_CHARS),
      message: cut(message, MAX_TITLE_CHARS),
    };
  });
}

/**
 * Whether status `a` is preferred over `b` as the reason of a failure: one that names an error comes first, then the
 * later one; ties by F2.
 */
function saysMore(a: StatusEvent, b: StatusEvent): boolean {
  if ((a.errors === '') !== (b.errors === '')) return a.errors !== '';
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp;
  return compareUtf8(canonicalEvent(a), canonicalEvent(b)) > 0;
}

/** Why a message failed: the first error of its latest `failed` status that names one; null when it has not failed. */
export function failureOf(statuses: readonly StatusEvent[]): MetaError | null {
  let latest: StatusEvent | undefined;
  for (const status of statuses)
    if (status.status === 'failed' && (latest === undefined || saysMore(status, latest))) latest = status;
  if (latest === undefined) return null;
  return errorsOf(latest.errors)[0] ?? { code: '', title: '', message: '' };
}

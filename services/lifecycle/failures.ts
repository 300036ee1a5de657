import { canonicalEvent, type StatusEvent } from '@ctwa-ledger/schemas/event.ts';
import { compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import { z } from 'zod';

/** An error of Meta's, as a message or a status names it. */
export interface MetaError {
  /** Empty when none is given. */
  readonly code: string;
  readonly title: string;
}

const MAX_CODE_CHARS = 20;
const MAX_TITLE_CHARS = 200;

// As Meta sends them; whoever calls itself a source of events may have sent anything.
const errorSchema = z.object({
  code: z.union([z.number(), z.string()]).transform(String).catch(''),
  title: z.string().catch(''),
  message: z.string().catch(''),
});

/**
 * The errors of an event, as far as they can be read.
 * @param errors the event's field: canonical JSON text, or empty
 */
export function errorsOf(errors: string): MetaError[] {
  if (errors === '') return [];
  const value: unknown = JSON.parse(errors);
  return (Array.isArray(value) ? value : [value]).flatMap((one: unknown) => {
    const parsed = errorSchema.safeParse(one);
    if (!parsed.success) return [];
    const { code, title, message } = parsed.data;
    const said = title === '' ? message : title;
    return [{ code: code.slice(0, MAX_CODE_CHARS), title: said.slice(0, MAX_TITLE_CHARS) }];
  });
}

/** Why a message failed: the first error of its latest `failed` status; null when it has none. */
export function failureOf(statuses: readonly StatusEvent[]): MetaError | null {
  let latest: StatusEvent | undefined;
  for (const status of statuses) {
    if (status.status !== 'failed') continue;
    if (
      latest === undefined ||
      status.timestamp > latest.timestamp ||
      (status.timestamp === latest.timestamp && compareUtf8(canonicalEvent(status), canonicalEvent(latest)) > 0)
    )
      latest = status;
  }
  if (latest === undefined) return null;
  return errorsOf(latest.errors)[0] ?? { code: '', title: '' };
}

import { MAX_CSV_FILE_BYTES } from '@ctwa-ledger/schemas/csv-file.ts';
import type { RequestEvent } from '@sveltejs/kit';

/** The message for a form that is sent to a dashboard that only reads. */
export const READ_ONLY = 'This dashboard only reads. Run the command that the page names.';

/** The text of a field without spaces around it; empty when it was not sent. */
export function fieldText(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}

/** The texts of all fields of a form. @param empty the same form with nothing in it, which names its fields */
export function fieldTexts<T extends Readonly<Record<keyof T, string>>>(form: FormData, empty: T): T {
  return Object.fromEntries(Object.keys(empty).map((name) => [name, fieldText(form, name)])) as T;
}

/**
 * A form with a file; null when it is too large. The framework's own limit is above that of a file, so that this can
 * explain it.
 */
async function uploadedForm(request: Request): Promise<FormData | null> {
  try {
    return await request.formData();
  } catch {
    return null;
  }
}

export type GivenFiles =
  | {
      readonly ok: true;
      readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
      readonly form: FormData;
    }
  | { readonly ok: false; readonly status: number; readonly message: string };

/**
 * All files in the field `file` of the form that was sent.
 * @param advice what to do about files that are too large, as the end of a sentence
 */
export async function givenFiles(event: Pick<RequestEvent, 'request'>, advice: string): Promise<GivenFiles> {
  const form = await uploadedForm(event.request);
  const chosen = form?.getAll('file').filter((file) => file instanceof File && file.name !== '') as File[] | undefined;
  const bytes = chosen?.reduce((sum, { size }) => sum + size, 0) ?? 0;
  if (form === null || chosen === undefined || bytes > MAX_CSV_FILE_BYTES)
    return { ok: false, status: 413, message: `The files are larger than 32 MB: ${advice}` };
  if (chosen.length === 0) return { ok: false, status: 400, message: 'Choose a file first.' };
  const files = await Promise.all(
    chosen.map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })),
  );
  return { ok: true, files, form };
}

export type HeldUpload =
  | { readonly ok: true; readonly upload: string; readonly form: FormData }
  | { readonly ok: false; readonly status: number; readonly message: string };

/**
 * Keeps the field `file` of the form for a preview.
 * @param advice what to do about a file that is too large, as the end of a sentence
 */
export async function heldUpload(event: RequestEvent, advice: string): Promise<HeldUpload> {
  const { changes } = event.locals;
  if (changes === null) return { ok: false, status: 403, message: READ_ONLY };
  const form = await uploadedForm(event.request);
  const file = form?.get('file');
  if (form === null || (file instanceof File && file.size > MAX_CSV_FILE_BYTES))
    return { ok: false, status: 413, message: `The file is larger than 32 MB: ${advice}` };
  if (!(file instanceof File) || file.name === '') return { ok: false, status: 400, message: 'Choose a file first.' };
  const bytes = new Uint8Array(await file.arrayBuffer());
  const held = await changes.holdFile({ name: file.name, bytes });
  return held.ok ? { ...held, form } : { ok: false, status: 409, message: held.message };
}

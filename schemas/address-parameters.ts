import type { Narrowing } from './asked.ts';
import type { CommonParameter } from './report-parameters.ts';

/**
 * Parameters of addresses that no report takes: those of pages, and of answers of the API that are no reports. Those of
 * reports are described in `report-parameters.ts`. Links, forms and readers take their names from here, so that the
 * compiler finds a name that nobody reads.
 */
type OtherParameter =
  // Filters of all pages, besides from, to, tz, as_of and sample.
  | 'until'
  | 'compare'
  | 'grain'
  // What a page shows.
  | 'account'
  | 'before'
  | 'case'
  | 'claim'
  | 'closing'
  | 'details'
  | 'edit'
  | 'export'
  | 'id'
  | 'number'
  | 'of'
  | 'participant'
  | 'reveal'
  | 'row'
  | 'text'
  | 'sort'
  | 'percent'
  | 'messages'
  | 'write_off'
  // The chosen group of mismatches, where category and waba_id are filters of the whole page.
  | 'of_category'
  | 'of_account'
  // Texts for an empty form.
  | 'amount'
  | 'currency'
  // An upload that is previewed, how it is read, and what is to be withdrawn.
  | 'upload'
  | 'effective'
  | 'anyway'
  | 'model'
  | 'mapping'
  | 'decimal'
  | 'withdraw'
  | 'withdraw-meta'
  // What was just done.
  | 'done'
  | 'imported'
  | 'withdrawn'
  | 'kept'
  | 'meta-withdrawn'
  // Of the API alone.
  | 'trigger_id';

/** The name of a parameter in an address. */
export type AddressParameter = OtherParameter | CommonParameter | Narrowing;

/** Parameters of a link, with their values. */
export type AddressParameters = Readonly<Partial<Record<AddressParameter, string>>>;

/** The value of a parameter as it stands in an address; null where it does not stand there. */
export function valueIn(params: URLSearchParams, name: AddressParameter): string | null {
  return params.get(name);
}

/** The text of a parameter without white space around it; empty where there is none. */
export function textIn(params: URLSearchParams, name: AddressParameter): string {
  return valueIn(params, name)?.trim() ?? '';
}

/** Whether an address asks for the sample data: `?sample` alone, or with `1` or `true`. Null for a value that says neither. */
export function asksForSample(params: URLSearchParams): boolean | null {
  switch (valueIn(params, 'sample')) {
    case null:
    case '0':
    case 'false':
      return false;
    case '':
    case '1':
    case 'true':
      return true;
    default:
      return null;
  }
}

/** The end of an address: empty, or a question mark and the parameters. */
export function queryOf(params: URLSearchParams): string {
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

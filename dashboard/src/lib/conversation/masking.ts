import { isErasedName } from '@ctwa-ledger/schemas/erasures.ts';

const HIDDEN = '••••';
/** A number with fewer digits could be guessed from the visible ones, so none are shown. */
const MIN_DIGITS = 7;
/** Digits that stay visible at the end. */
const LAST = 2;

/** Calling codes of two digits. Those that begin with 1 or 7 have one digit, all others three (ITU-T E.164). */
const TWO_DIGITS = /^(2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/;

function callingCode(digits: string): string {
  if (/^[17]/.test(digits)) return digits.slice(0, 1);
  return digits.slice(0, TWO_DIGITS.test(digits) ? 2 : 3);
}

/** A customer in a form that does not identify them: `+55 •••• 34`, `BR.•••• 90` for a business-scoped user id. */
export function maskCustomer(customer: string): string {
  if (isErasedName(customer)) return 'erased';
  if (/^[A-Z]{2}\.\w+$/.test(customer) && customer.length >= MIN_DIGITS + 3)
    return `${customer.slice(0, 3)}${HIDDEN} ${customer.slice(-LAST)}`;
  if (!/^\d+$/.test(customer) || customer.length < MIN_DIGITS) return HIDDEN;
  return `+${callingCode(customer)} ${HIDDEN} ${customer.slice(-LAST)}`;
}

/** A customer as shown: in full only if that was requested. */
export function shownCustomer(customer: string, reveal: boolean): string {
  if (customer === '') return 'no customer named';
  if (!reveal) return maskCustomer(customer);
  return /^\d+$/.test(customer) ? `+${customer}` : customer;
}

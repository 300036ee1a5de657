/** Decimal places that are kept of Meta's amounts. Further digits come from its own arithmetic. */
const PLACES = 12;
const ONE = 10n ** BigInt(PLACES);
/** Digits before the point. With the decimal places they fit into Decimal(38, 12). */
const MAX_DIGITS = 22;

const NUMBER = /^(-?)(\d{1,400})(?:\.(\d{1,400}))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * A number in the notation of JSON or ClickHouse, as a whole number of units of the twelfth decimal, rounded half up.
 * @returns null when it is no number, or too large for an amount
 */
export function scaledAmount(text: string): bigint | null {
  const [, sign, integer = '', fraction = '', exponent = '0'] = NUMBER.exec(text) ?? [];
  if (sign === undefined) return null;
  const shift = Number(exponent) - fraction.length + PLACES;
  const digits = BigInt(integer + fraction);
  if (shift > PLACES + MAX_DIGITS) return digits === 0n ? 0n : null;
  const divisor = 10n ** BigInt(Math.max(-shift, 0));
  const amount = shift >= 0 ? digits * 10n ** BigInt(shift) : (2n * digits + divisor) / (2n * divisor);
  if (amount >= 10n ** BigInt(MAX_DIGITS + PLACES)) return null;
  return sign === '-' ? -amount : amount;
}

/** The plain decimal of such a number, without trailing zeros. */
export function amountText(amount: bigint): string {
  const size = amount < 0n ? -amount : amount;
  const fraction = (size % ONE).toString().padStart(PLACES, '0').replace(/0+$/, '');
  return `${amount < 0n ? '-' : ''}${size / ONE}${fraction === '' ? '' : `.${fraction}`}`;
}

/** An amount that we wrote, which is always valid. */
export function readAmount(text: string): bigint {
  const amount = scaledAmount(text);
  if (amount === null) throw new TypeError(`"${text}" is not an amount.`);
  return amount;
}

export const sizeOf = (n: bigint): bigint => (n < 0n ? -n : n);
export const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
export const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

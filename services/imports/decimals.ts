/** Decimal places that the ledger stores. */
const PLACES = 8;
const ONE = 10n ** BigInt(PLACES);

/** A plain decimal of up to 8 places, not negative, as a whole number of units of the last place. */
export function scaled(decimal: string): bigint {
  const [integer = '0', fraction = ''] = decimal.split('.');
  return BigInt(integer + fraction.padEnd(PLACES, '0'));
}

/** The plain decimal of such a number, without trailing zeros. */
export function unscaled(amount: bigint): string {
  const fraction = (amount % ONE).toString().padStart(PLACES, '0').replace(/0+$/, '');
  return `${amount / ONE}${fraction === '' ? '' : `.${fraction}`}`;
}

/** `amount` ÷ `by` with four decimals, rounded half up; null when `by` is 0. Both have the same scale. */
export function quotient(amount: bigint, by: bigint): string | null {
  if (by === 0n) return null;
  const ten_thousandths = (20_000n * amount + by) / (2n * by);
  return `${ten_thousandths / 10_000n}.${(ten_thousandths % 10_000n).toString().padStart(4, '0')}`;
}

/** An amount divided by a count, with four decimals, rounded half up; null when the count is 0. */
export function perOne(decimal: string, count: number): string | null {
  return quotient(scaled(decimal), BigInt(count) * ONE);
}

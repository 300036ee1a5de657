/** Decimals as reports print them. */
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

function scaled(decimal: string, places: number): bigint {
  const [, sign, whole, fraction = ''] = DECIMAL.exec(decimal) ?? [];
  if (whole === undefined) throw new TypeError(`"${decimal}" is no amount.`);
  const size = BigInt(whole + fraction.padEnd(places, '0'));
  return sign === '-' ? -size : size;
}

/** The exact sum of decimals; null for no decimals. No amount passes through a JavaScript number. */
export function addDecimals(decimals: readonly string[]): string | null {
  if (decimals.length === 0) return null;
  const places = Math.max(...decimals.map((decimal) => decimal.split('.')[1]?.length ?? 0));
  const sum = decimals.reduce((total, decimal) => total + scaled(decimal, places), 0n);
  const digits = (sum < 0n ? -sum : sum).toString().padStart(places + 1, '0');
  const text = places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
  return sum < 0n ? `-${text}` : text;
}

/** Decimal places of quotients, as in reports. */
const QUOTIENT_PLACES = 4;

/** `one` ÷ `other` with four decimals, half up, for decimals that are not negative; null when `other` is 0. */
export function divideDecimals(one: string, other: string): string | null {
  const places = Math.max(...[one, other].map((decimal) => decimal.split('.')[1]?.length ?? 0));
  const [amount, by] = [scaled(one, places), scaled(other, places)];
  if (by === 0n) return null;
  const digits = ((20_000n * amount + by) / (2n * by)).toString().padStart(QUOTIENT_PLACES + 1, '0');
  return `${digits.slice(0, -QUOTIENT_PLACES)}.${digits.slice(-QUOTIENT_PLACES)}`;
}

/** A decimal multiplied by a whole number, exactly. */
export function timesDecimal(decimal: string, times: number): string {
  const places = decimal.split('.')[1]?.length ?? 0;
  const digits = (scaled(decimal, places) * BigInt(times)).toString().padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** `now` minus `before`, exactly; null when one of them is not known. */
export function subtractDecimals(now: string | null, before: string | null): string | null {
  if (now === null || before === null) return null;
  return addDecimals([now, before.startsWith('-') ? before.slice(1) : `-${before}`]);
}

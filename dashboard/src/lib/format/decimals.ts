/** Decimals as reports print them. */
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

function scaled(decimal: string, places: number): bigint {
  const [, sign, whole, fraction = ''] = DECIMAL.exec(decimal) ?? [];
  if (whole === undefined) throw new TypeError(`"${decimal}" is no amount.`);
  const size = BigInt(whole + fraction.padEnd(places, '0'));
  return sign === '-' ? -size : size;
}

/** The sum of decimals to the last digit; null for the sum of nothing. No amount passes through a JavaScript number. */
export function addDecimals(decimals: readonly string[]): string | null {
  if (decimals.length === 0) return null;
  const places = Math.max(...decimals.map((decimal) => decimal.split('.')[1]?.length ?? 0));
  const sum = decimals.reduce((total, decimal) => total + scaled(decimal, places), 0n);
  const digits = (sum < 0n ? -sum : sum).toString().padStart(places + 1, '0');
  const text = places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
  return sum < 0n ? `-${text}` : text;
}

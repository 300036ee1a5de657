import { DEFAULT_LOCALE, numberFormat } from './locale.ts';
import { count, NOTHING } from './numbers.ts';

/** Decimals as reports print them, without a sign. */
const DECIMAL = /^(\d+)(?:\.(\d+))?$/;

/**
 * A decimal with a number of places, half up. It works on digits, because no amount passes through a JavaScript number.
 * @param decimal plain digits with at most one point
 */
export function rounded(decimal: string, places: number): string {
  const [, whole, fraction = ''] = DECIMAL.exec(decimal) ?? [];
  if (whole === undefined) throw new TypeError(`"${decimal}" is no amount.`);
  const kept = BigInt(whole + fraction.slice(0, places).padEnd(places, '0'));
  const digits = (kept + (fraction.charAt(places) >= '5' ? 1n : 0n)).toString().padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** Intl formats a decimal given as text to the last digit; a number would be rounded first. */
const literal = (decimal: string): `${number}` => decimal as `${number}`;

interface CurrencyFormat {
  /** Decimal places of its minor unit. */
  readonly places: number;
  readonly format: () => Intl.NumberFormat;
}

const formats = new Map<string, CurrencyFormat>();

function formatOf(currency: string): CurrencyFormat {
  const known = formats.get(currency);
  if (known !== undefined) return known;
  const places =
    new Intl.NumberFormat(DEFAULT_LOCALE, { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  const format = numberFormat({ minimumFractionDigits: places, maximumFractionDigits: places });
  formats.set(currency, { places, format });
  return { places, format };
}

/** An amount rounded to its currency's minor unit, without the currency; {@link NOTHING} when there is none. */
export function amount(decimal: string | null, currency: string): string {
  if (decimal === null || currency === '') return NOTHING;
  // Expected amounts are never negative; those of Meta or an invoice may be.
  if (decimal.startsWith('-')) return `−${amount(decimal.slice(1), currency)}`;
  const { places, format } = formatOf(currency);
  return format().format(literal(rounded(decimal, places)));
}

/** The sign and the absolute value of a decimal. */
function signed(decimal: string): { readonly sign: string; readonly size: string } {
  const size = decimal.replace('-', '');
  return { sign: decimal.startsWith('-') ? '−' : /[1-9]/.test(size) ? '+' : '', size };
}

/** A difference of two amounts with its sign, rounded like an amount. */
export function amountDifference(decimal: string | null, currency: string): string {
  if (decimal === null || currency === '') return NOTHING;
  const { sign, size } = signed(decimal);
  return `${sign}${amount(size, currency)}`;
}

/** A difference of two whole numbers with its sign. */
export function countDifference(whole: string): string {
  const { sign, size } = signed(whole);
  return `${sign}${exact(size)}`;
}

const EXACT_PLACES = 8;
const exact_formats = new Map<string, () => Intl.NumberFormat>();

/** An amount with all its places, at least those of its currency; {@link NOTHING} when there is none. */
export function exactAmount(decimal: string, currency: string): string {
  if (decimal === '' || currency === '') return NOTHING;
  const { places } = formatOf(currency);
  const format =
    exact_formats.get(currency) ?? numberFormat({ minimumFractionDigits: places, maximumFractionDigits: EXACT_PLACES });
  exact_formats.set(currency, format);
  return format().format(literal(decimal));
}

/** Decimal places that {@link exactAmount} prints; 0 when there is no amount. */
export function printedPlaces(decimal: string, currency: string): number {
  if (decimal === '' || currency === '') return 0;
  const fraction = (decimal.split('.')[1] ?? '').replace(/0+$/, '');
  return Math.max(formatOf(currency).places, Math.min(fraction.length, EXACT_PLACES));
}

/** The most places of a column's exact amounts, by which they are aligned. */
export function mostPlaces<Row>(rows: readonly Row[], amountOf: (row: Row) => readonly [string, string]): number {
  return Math.max(0, ...rows.map((row) => printedPlaces(...amountOf(row))));
}

/** A rounded amount with the currency's code: `BRL 1,234.50`, or `BRL 1.234,50`. */
export function money(decimal: string | null, currency: string): string {
  return decimal === null || currency === '' ? NOTHING : `${currency} ${amount(decimal, currency)}`;
}

/** `40 without a price`, shown beside a sum that does not contain them; empty when every message has a price. */
export function unpriced(unrated: number): string {
  return unrated === 0 ? '' : `${count(unrated)} without a price`;
}

/** A sum and the messages not in it: `BRL 12.30, 40 without a price`, or `–, 40 without a price`. */
export function partialMoney(decimal: string | null, currency: string, unrated: number): string {
  const sum = money(decimal, currency);
  return unrated === 0 ? sum : `${sum}, ${unpriced(unrated)}`;
}

/** More places than a rate or a sum of rates has. */
const unrounded = numberFormat({ maximumFractionDigits: 20 });

/** A rate or an amount with all its places, in the reader's format; {@link NOTHING} when there is none. */
export function exact(decimal: string | null): string {
  return decimal === null ? NOTHING : unrounded().format(literal(decimal));
}

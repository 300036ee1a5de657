/** Limits of an amount or a rate in the ledger: Decimal(18, 8). */
export const MAX_INTEGER_DIGITS = 10;
export const MAX_DECIMALS = 8;

/** Other spellings of a currency that have only one meaning. */
const CURRENCY_SIGNS: ReadonlyMap<string, string> = new Map([
  ['$US', 'USD'],
  ['US$', 'USD'],
  ['$AU', 'AUD'],
  ['AU$', 'AUD'],
  ['A$', 'AUD'],
  ['R$', 'BRL'],
  ['€', 'EUR'],
  ['£', 'GBP'],
  ['₹', 'INR'],
  ['$MX', 'MXN'],
  ['MX$', 'MXN'],
]);
const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));

/** The currency in a cell, ISO 4217; null when there is none. */
export function currencyOf(text: string): string | null {
  const sign = text.toUpperCase().replace(/\s/g, '');
  const currency = CURRENCY_SIGNS.get(sign) ?? sign;
  return CURRENCIES.has(currency) ? currency : null;
}

/** A plain decimal without trailing zeros, or why a text cannot be stored as one without loss. */
export function plainDecimal(text: string): { readonly text: string } | 'not_plain' | 'too_long' {
  const [, digits, fraction = ''] = /^(\d{1,100})(?:\.(\d{1,400}))?$/.exec(text) ?? [];
  if (digits === undefined) return 'not_plain';
  const integer = digits.replace(/^0+(?=\d)/, '');
  const decimals = fraction.replace(/0+$/, '');
  if (integer.length > MAX_INTEGER_DIGITS || decimals.length > MAX_DECIMALS) return 'too_long';
  return { text: decimals === '' ? integer : `${integer}.${decimals}` };
}

/** The sign before the decimals of an amount. */
export type DecimalMark = '.' | ',';

/** Groups of three digits, or as in India of two before the last three, with the same separator between all of them. */
const GROUPED: Readonly<Record<DecimalMark, RegExp>> = {
  '.': /^(?:\d+|[1-9]\d{0,2}([,\s'’])\d{3}(?:\1\d{3})*|[1-9]\d?(?:,\d{2})+,\d{3})(?:\.\d+)?$/,
  ',': /^(?:\d+|[1-9]\d{0,2}([.\s'’])\d{3}(?:\1\d{3})*)(?:,\d+)?$/,
};

/**
 * An amount without thousands separators and with a decimal point; null when it is not written with this decimal mark.
 */
export function withPoint(text: string, mark: DecimalMark): string | null {
  if (!GROUPED[mark].test(text)) return null;
  const [integer = '', fraction] = text.split(mark);
  const digits = integer.replace(/\D/g, '');
  return fraction === undefined ? digits : `${digits}.${fraction}`;
}

/**
 * The decimal mark of a column of amounts, found from all of them: `1,250.50` also decides `1,250`.
 * @returns an amount that has two meanings, if no other amount decides between the two marks
 */
export function decimalMarkOf(texts: readonly string[]): DecimalMark | { readonly unclear: string } {
  const amounts = texts.filter((text) => withPoint(text, '.') !== null || withPoint(text, ',') !== null);
  if (amounts.some((text) => withPoint(text, ',') === null)) return '.';
  if (amounts.some((text) => withPoint(text, '.') === null)) return ',';
  const unclear = amounts.find((text) => withPoint(text, '.') !== withPoint(text, ','));
  return unclear === undefined ? '.' : { unclear };
}

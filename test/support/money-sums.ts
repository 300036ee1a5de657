import { Decimal } from 'decimal.js';

type Row = Readonly<Record<string, string>>;

export const AMOUNTS = ['list_cost', 'billed_cost', 'savings'] as const;

/** Amounts as text, empty where there is none. */
export interface Sum {
  volume: number;
  unrated: number;
  list_cost: string;
  billed_cost: string;
  savings: string;
}

/**
 * Sums over rows by a key: messages, or charges with a volume. Nothing is rounded, and what has no amount is in none of
 * them. There is no sum where some have no amount and all others cost nothing.
 * @param unratedOf how many messages of a row have no amount; of a message: whether it has none
 */
export function sumsOf(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  unratedOf: (row: Row) => number = (row) => (row['unrated'] === '' ? 0 : 1),
): Map<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const row of rows) {
    const key = keyOf(row);
    const sum = sums.get(key) ?? { volume: 0, unrated: 0, list_cost: '', billed_cost: '', savings: '' };
    sums.set(key, sum);
    sum.volume += Number(row['volume'] ?? 1);
    sum.unrated += unratedOf(row);
    for (const name of AMOUNTS)
      if (row[name] !== '') sum[name] = new Decimal(sum[name] || 0).plus(row[name]!).toFixed();
  }
  for (const sum of sums.values())
    if (sum.unrated > 0 && sum.list_cost === '0') for (const name of AMOUNTS) sum[name] = '';
  return sums;
}

export const CARD_HEADER = 'Market,Currency,Marketing,Utility,Authentication,Authentication-International,Service';

/** A rate card with these rows: market, currency, and a rate for each category. */
export function cardText(...rows: readonly string[]): string {
  return `Cost per message\n${CARD_HEADER}\n${rows.join('\n')}\n`;
}

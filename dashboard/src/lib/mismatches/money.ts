import type { MismatchesRow } from '@ctwa-ledger/schemas/bill.ts';

import { addDecimals } from '../format/decimals.ts';

/** The cost of all mismatches of a currency. */
export interface MismatchMoney {
  readonly currency: string;
  readonly followed: string;
  readonly predicted: string;
  readonly difference: string;
  /** Messages without an amount, which are in no sum. */
  readonly unrated: number;
}

/** Sums by currency, without currencies of which no amount is known. */
export function moneyOf(rows: readonly MismatchesRow[]): readonly MismatchMoney[] {
  const currencies = [...new Set(rows.map(({ currency }) => currency))].filter((currency) => currency !== '').sort();
  return currencies.flatMap((currency) => {
    const own = rows.filter((row) => row.currency === currency);
    const sum = (column: 'cost_followed' | 'cost_predicted' | 'cost_difference'): string | null =>
      addDecimals(own.map((row) => row[column]).filter((decimal) => decimal !== null));
    const [followed, predicted, difference] = [sum('cost_followed'), sum('cost_predicted'), sum('cost_difference')];
    if (followed === null || predicted === null || difference === null) return [];
    return [{ currency, followed, predicted, difference, unrated: own.reduce((all, { unrated }) => all + unrated, 0) }];
  });
}

import type { AdFiguresRow } from '@ctwa-ledger/schemas/figures.ts';

import { addDecimals } from '../format/decimals.ts';

/** What an ad cost and saved in one currency; in none: messages without a price whose account has no currency. */
export type AdAmounts = Pick<
  AdFiguresRow,
  | 'currency'
  | 'spend'
  | 'cost_per_conversation'
  | 'cost_per_replied'
  | 'savings'
  | 'unrated'
  | 'savings_per_spend'
  | 'spend_left_out'
>;

/** An ad or post with the amounts of all its currencies: they stand below each other and are never added up. */
export interface AdLine extends AdFiguresRow {
  readonly amounts: readonly AdAmounts[];
}

/** Rows of report `ad-figures`, those of one ad or post together, in the order in which ads first appear. */
export function adLines(rows: readonly AdFiguresRow[]): AdLine[] {
  const lines = new Map<string, { row: AdFiguresRow; amounts: AdFiguresRow[] }>();
  for (const row of rows) {
    const amounts = row.currency === '' && row.unrated === 0 ? [] : [row];
    const key = `${row.source_type} ${row.ad_id}`;
    const known = lines.get(key);
    if (known === undefined) lines.set(key, { row, amounts });
    else known.amounts.push(...amounts);
  }
  return [...lines.values()].map(({ row, amounts }) => ({ ...row, amounts }));
}

/** What all ads cost and saved in one currency; null where none of them says. */
export interface AmountTotal {
  readonly currency: string;
  readonly spend: string | null;
  readonly savings: string | null;
  readonly unrated: number;
}

const known = (decimals: readonly (string | null)[]): string[] => decimals.filter((decimal) => decimal !== null);

/** The amounts of lines added up, each currency by itself, by its code. */
export function amountTotals(lines: readonly AdLine[]): AmountTotal[] {
  const rows = lines.flatMap((line) => line.amounts);
  return [...new Set(rows.map((row) => row.currency))].sort().map((currency) => {
    const own = rows.filter((row) => row.currency === currency);
    return {
      currency,
      spend: addDecimals(known(own.map((row) => row.spend))),
      savings: addDecimals(known(own.map((row) => row.savings))),
      unrated: own.reduce((sum, row) => sum + row.unrated, 0),
    };
  });
}

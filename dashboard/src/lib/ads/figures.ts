import type { AdFiguresRow } from '@ctwa-ledger/schemas/figures.ts';

/** What an ad cost and saved in one currency. */
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
    const key = `${row.source_type} ${row.ad_id}`;
    const known = lines.get(key);
    if (known === undefined) lines.set(key, { row, amounts: row.currency === '' ? [] : [row] });
    else known.amounts.push(row);
  }
  return [...lines.values()].map(({ row, amounts }) => ({ ...row, amounts }));
}

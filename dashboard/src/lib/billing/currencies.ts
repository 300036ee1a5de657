import type { SavingsRow } from '@ctwa-ledger/schemas/bill.ts';

/** The amounts of a row in every report of amounts. */
export interface Amounts {
  readonly currency: string;
  readonly volume: number;
  readonly list_cost: string | null;
  readonly billed_cost: string | null;
  readonly savings: string | null;
  readonly unrated: number;
}

/** The currencies with a price. Without a card in force only messages that are free by rule have an amount. */
export function ratedRows(savings: readonly SavingsRow[]): SavingsRow[] {
  return savings.filter((row) => row.currency !== '' && row.list_cost !== null && row.list_cost !== '0');
}

/** Rows that differ only in their currency, side by side: messages are added up, amounts never are. */
export interface SideBySide<Row> {
  readonly key: string;
  /** One of the rows, for the columns that they share. */
  readonly row: Row;
  readonly volume: number;
  readonly unrated: number;
  readonly amounts: ReadonlyMap<string, Amounts>;
}

/** Nothing was delivered. */
export const NO_AMOUNTS: Omit<SideBySide<never>, 'key' | 'row'> = { volume: 0, unrated: 0, amounts: new Map() };

/** Groups rows by key, in the order in which keys first appear. */
export function sideBySide<Row extends Amounts>(rows: readonly Row[], keyOf: (row: Row) => string): SideBySide<Row>[] {
  const byKey = new Map<string, SideBySide<Row>>();
  for (const row of rows) {
    const key = keyOf(row);
    const known = byKey.get(key) ?? { ...NO_AMOUNTS, row };
    byKey.set(key, {
      key,
      row: known.row,
      volume: known.volume + row.volume,
      unrated: known.unrated + row.unrated,
      amounts: new Map([...known.amounts, [row.currency, row]]),
    });
  }
  return [...byKey.values()];
}

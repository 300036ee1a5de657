import type { ExportTotals } from '@ctwa-ledger/schemas/exports.ts';
import type { Batch, Statement } from '../reports/report.ts';
import { summedColumns, Totals } from './totals.ts';

/** Separates the texts of a kind: no currency, amount or period contains it. */
const BETWEEN = '\n';
/** Columns that tell whether a row belongs to a closed month. */
const PERIODS: readonly string[] = ['period', 'x_Period'];

/** Counts rows and amounts on their way into a file, and drops the columns that are not wanted. */
export class Passage {
  rows = 0;
  #closed = 0;
  readonly #columns: readonly string[];
  readonly #wanted: readonly number[];
  readonly #totals: Totals;
  /** Indexes of the cells that are counted. */
  readonly #counted: readonly number[];

  /** @param columns of the report, in order */
  constructor(columns: readonly string[], wanted: readonly string[]) {
    this.#columns = columns;
    this.#wanted = wanted.map((name) => columns.indexOf(name));
    const counted = columns.filter((name) => PERIODS.includes(name) || summedColumns(columns).includes(name));
    this.#counted = counted.map((name) => columns.indexOf(name));
    this.#totals = new Totals(columns);
  }

  /** Indexes of the cells in the file. */
  get wanted(): readonly number[] {
    return this.#wanted;
  }

  async *of(batches: AsyncGenerator<Batch>): AsyncGenerator<Batch> {
    const isWhole = this.#wanted.length === this.#columns.length;
    for await (const batch of batches) {
      this.rows += batch.length;
      this.#totals.add(batch);
      for (const row of batch) if (this.#isClosed(row)) this.#closed += 1;
      yield isWhole ? batch : batch.map((row) => this.#wanted.map((at) => row[at]));
    }
  }

  /** SQL of the kind of a row: everything about it that is counted. There are far fewer kinds than rows. */
  kindSql({ cells }: Statement): string {
    const texts = this.#counted.map((at) => `toString(${cells[at] ?? "''"})`);
    return texts.length === 0
      ? "toLowCardinality('')"
      : `toLowCardinality(concatWithSeparator('\\n', ${texts.join(', ')}))`;
  }

  /** Counts this many rows of a kind, for rows that are not passed one by one. */
  count(kind: string, times: number): void {
    this.rows += times;
    const row: string[] = [];
    for (const [i, text] of kind.split(BETWEEN).entries()) row[this.#counted[i] ?? 0] = text;
    this.#totals.add([row], times);
    if (this.#isClosed(row)) this.#closed += times;
  }

  #isClosed(row: readonly unknown[]): boolean {
    const period = this.#columns.findIndex((name) => PERIODS.includes(name));
    return period !== -1 && String(row[period]).startsWith('closed');
  }

  byCurrency(): ExportTotals {
    return this.#totals.byCurrency();
  }

  /** Whether every row belongs to a closed month. */
  get isFrozen(): boolean {
    return this.rows > 0 && this.#closed === this.rows;
  }
}

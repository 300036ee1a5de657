import type { ExportTotals } from '@ctwa-ledger/schemas/exports.ts';

/** Columns that can be added up within a currency; rates and shares cannot. */
const ADDABLE = /(?:^|_)(?:cost|savings|amount|spend)$|Cost$/;
/** The column with the currency of a report's amounts. */
const CURRENCIES: readonly string[] = ['currency', 'BillingCurrency'];

/** An exact sum of decimals, as a whole number of units of the last place. */
class ExactSum {
  #units = 0n;
  #places = 0;

  add(text: string, times = 1): void {
    const point = text.indexOf('.');
    const places = point === -1 ? 0 : text.length - point - 1;
    let units = BigInt(point === -1 ? text : text.slice(0, point) + text.slice(point + 1));
    if (places > this.#places) {
      this.#units *= 10n ** BigInt(places - this.#places);
      this.#places = places;
    } else if (places < this.#places) units *= 10n ** BigInt(this.#places - places);
    this.#units += times === 1 ? units : units * BigInt(times);
  }

  /** Without trailing zeros, so that the same amount is the same text. */
  toString(): string {
    const sign = this.#units < 0n ? '-' : '';
    const digits = (this.#units < 0n ? -this.#units : this.#units).toString().padStart(this.#places + 1, '0');
    if (this.#places === 0) return sign + digits;
    const whole = digits.slice(0, -this.#places);
    const rest = digits.slice(-this.#places).replace(/0+$/, '');
    return sign + (rest === '' ? whole : `${whole}.${rest}`);
  }
}

/** The columns that totals need: the currency, and the amounts. */
export function summedColumns(columns: readonly string[]): readonly string[] {
  const currency = columns.find((name) => CURRENCIES.includes(name));
  return currency === undefined ? [] : columns.filter((name) => name === currency || ADDABLE.test(name));
}

/** Adds up the amounts of rows by currency as they pass. */
export class Totals {
  readonly #currency: number;
  readonly #amounts: readonly { readonly name: string; readonly at: number }[];
  readonly #sums = new Map<string, ExactSum[]>();

  /** @param columns of the report, in order; without a currency nothing is added up */
  constructor(columns: readonly string[]) {
    this.#currency = columns.findIndex((name) => CURRENCIES.includes(name));
    this.#amounts =
      this.#currency === -1 ? [] : columns.flatMap((name, at) => (ADDABLE.test(name) ? [{ name, at }] : []));
  }

  /** @param times how often each of the rows occurs */
  add(rows: readonly (readonly unknown[])[], times = 1): void {
    if (this.#amounts.length === 0) return;
    for (const row of rows) {
      const currency = row[this.#currency];
      if (typeof currency !== 'string' || currency === '') continue;
      let sums = this.#sums.get(currency);
      if (sums === undefined) this.#sums.set(currency, (sums = this.#amounts.map(() => new ExactSum())));
      for (const [i, { at }] of this.#amounts.entries()) {
        const cell = row[at];
        // Skipped early, because most messages cost nothing.
        if (typeof cell === 'string' && cell !== '' && cell !== '0') sums[i]?.add(cell, times);
      }
    }
  }

  byCurrency(): ExportTotals {
    const currencies = [...this.#sums.keys()].sort();
    return Object.fromEntries(
      currencies.map((currency) => [
        currency,
        Object.fromEntries(this.#amounts.map(({ name }, i) => [name, String(this.#sums.get(currency)?.[i] ?? '0')])),
      ]),
    );
  }
}

/** Totals minus others. A sum that only one side has counts as 0 on the other. */
export function totalsLess(totals: ExportTotals, others: ExportTotals): ExportTotals {
  const currencies = [...new Set([...Object.keys(totals), ...Object.keys(others)])].sort();
  return Object.fromEntries(
    currencies.map((currency) => {
      const [now, before] = [totals[currency] ?? {}, others[currency] ?? {}];
      const names = [...new Set([...Object.keys(now), ...Object.keys(before)])];
      const differences = names.map((name) => {
        const sum = new ExactSum();
        sum.add(now[name] ?? '0');
        sum.add(before[name] ?? '0', -1);
        return [name, sum.toString()] as const;
      });
      return [currency, Object.fromEntries(differences)];
    }),
  );
}

import type { ToleranceTrial } from './meta.ts';

/** How to write numbers and amounts. */
export interface TrialSpelling {
  readonly count: (value: number) => string;
  readonly money: (decimal: string, currency: string) => string;
}

/** What another tolerance would change in a month, in sentences. */
export function sayTrial(trial: ToleranceTrial, { count, money }: TrialSpelling): string {
  const { rows, different, would_differ, no_longer, newly, hidden_volume, hidden_cost, currency, unknown_costs } =
    trial;
  const of = `${count(would_differ)} instead of ${count(different)}, of ${count(rows)}.`;
  if (no_longer + newly === 0) return `The same ${count(different)} of ${count(rows)} rows would differ.`;
  if (newly > 0) return `${count(newly)} ${newly === 1 ? 'row' : 'rows'} more would differ: ${of}`;
  const amount = currency === '' ? '' : ` and ${money(hidden_cost, currency)}`;
  const unknown = unknown_costs === 0 ? '' : `, ${count(unknown_costs)} of them by an amount that is not known`;
  return `${count(no_longer)} ${no_longer === 1 ? 'row' : 'rows'} fewer would differ: ${of} They differ by ${count(Number(hidden_volume))}${amount}, row by row${unknown}.`;
}

import { EXPLANATION_WORDS } from '@ctwa-ledger/schemas/case-words.ts';
import { sayBias } from '@ctwa-ledger/schemas/bias-words.ts';
import type {
  Bias,
  DayVariance,
  DifferingRow,
  MetaControl,
  ReconciliationOfMonth,
  ReconciliationStatus,
  RowExplanation,
} from '@ctwa-ledger/schemas/meta.ts';

import { addDays, type Day } from '../filters/days.ts';
import type { DayRange } from '../filters/range.ts';
import { amountDifference, countDifference } from '../format/amounts.ts';
import { longDay, rangeLabel } from '../format/dates.ts';
import { count, counted } from '../format/numbers.ts';
import { categoryName } from '../format/words.ts';

export const STATUS_WORDS: Readonly<Record<ReconciliationStatus, string>> = {
  match: 'agrees',
  within_tolerance: 'within tolerance',
  volume: 'volumes differ',
  price: 'charges differ',
  only_ours: 'not in Meta’s numbers',
  only_meta: 'only in Meta’s numbers',
  no_cost: 'Meta names no charge',
};

export const DAY_WORDS: Readonly<Record<DayVariance['day_state'], string>> = {
  agrees: 'agrees',
  within_tolerance: 'within tolerance',
  departs: 'beyond tolerance',
  missing: 'Meta’s numbers are missing',
};

/** The chart of days in words, for readers who do not see it. */
export function varianceSentence(days: readonly DayVariance[], range: DayRange): string {
  const departing = days.filter(({ day_state }) => day_state === 'departs').map(({ day }) => day);
  const said = departing.length === 0 ? 'no day is' : `${sayDays(departing)} ${departing.length === 1 ? 'is' : 'are'}`;
  return `Bar chart by day, ${rangeLabel(range)}, of what is expected less what Meta says: ${said} beyond tolerance. The same figures are in the table “By day”.`;
}

/** An explanation, and how much of a row it explains: `Another volume tier: 3 of 5 messages`. */
export function explained(
  { code, volume }: Pick<RowExplanation, 'code' | 'volume'>,
  row: Pick<DifferingRow, 'volume_difference'>,
  counts: ReconciliationOfMonth['counts'],
): string {
  const all = Math.abs(Number(row.volume_difference));
  return volume === '0'
    ? EXPLANATION_WORDS[code]
    : `${EXPLANATION_WORDS[code]}: ${count(Number(volume))} of ${counted(all, counts)}`;
}

/** How many messages of a row have no explanation; 0 when the price, or all of the volume, is explained. */
export function leftOver({ volume_difference, explanations }: DifferingRow): number {
  const known = explanations.reduce((sum, { volume }) => sum + Number(volume), 0);
  return Math.abs(Number(volume_difference)) - known;
}

/** The key of a row besides its day: `15550783881, BR, Marketing, regular, tier 1:20`. */
export function keyWords(row: DifferingRow): string {
  const { phone_number, country, category, pricing_type, tier } = row;
  const words = [
    phone_number,
    country,
    category === '' ? '' : category === 'ANY' ? 'Any category' : categoryName(category.toLowerCase()),
    pricing_type.toLowerCase().replaceAll('_', ' '),
    tier === '' ? '' : `tier ${tier}`,
  ].filter((word) => word !== '');
  return words.length === 0 ? 'all together' : words.join(', ');
}

/** Days in words, consecutive ones as a range: `3 Oct 2026, 7 – 9 Oct 2026`. */
export function sayDays(days: readonly Day[]): string {
  const stretches: [Day, Day][] = [];
  for (const day of days) {
    const last = stretches.at(-1);
    if (last !== undefined && addDays(last[1], 1) === day) last[1] = day;
    else stretches.push([day, day]);
  }
  return stretches
    .map(([first, last]) => (first === last ? longDay(first) : rangeLabel({ from: first, to: addDays(last, 1) })))
    .join(', ');
}

/** What rows within tolerance have in common, in a sentence. */
export function biasWords(bias: Bias, currency: string): string {
  return sayBias(bias, {
    count,
    difference: countDifference,
    money: (decimal) => `${currency} ${amountDifference(decimal, currency)}`,
  });
}

/** Whether Meta's bill agrees with ours, in a sentence. */
export function verdict({ summary, missing_days, no_cost }: ReconciliationOfMonth): string {
  const { rows, different, within_tolerance } = summary;
  const of = missing_days.length > 0 ? 'Of the days that Meta’s numbers name, ' : '';
  const say = (sentence: string): string =>
    of === '' ? sentence : `${of}${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
  if (different > 0)
    return say(`${count(different)} of ${counted(rows, 'row')} ${different === 1 ? 'differs' : 'differ'}.`);
  if (no_cost > 0)
    return say(`All volumes agree; Meta names no charge for ${count(no_cost)} of ${counted(rows, 'row')}.`);
  if (within_tolerance > 0)
    return say(`All ${counted(rows, 'row')} agree, ${count(within_tolerance)} of them within tolerance.`);
  return say(rows === 0 ? 'Neither side counts anything.' : `All ${counted(rows, 'row')} agree.`);
}

export const CONTROL_WORDS: Readonly<Record<MetaControl, string>> = {
  free_service: 'Free service messages',
  tiers: 'Tiers',
  free_cost: 'What is free',
  price: 'Prices',
  max_price: 'Maximum price',
  restated: 'Changed answers',
};

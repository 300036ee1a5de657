import { numberFormat } from './locale.ts';

const whole = numberFormat({ maximumFractionDigits: 0 });
const onePlace = numberFormat({ style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** Stands where a figure does not exist, so that it is never read as zero. */
export const NOTHING = '–';

export function count(value: number): string {
  return whole().format(value);
}

/** `1 day`, `2 days`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A rate as it comes from a report (a decimal as text) in percent; {@link NOTHING} for the rate of nothing. */
export function rate(decimal: string | null): string {
  return decimal === null ? NOTHING : onePlace().format(Number(decimal));
}

/** The share of `part` in `all` in percent; {@link NOTHING} when there is nothing to share. */
export function share(part: number, all: number): string {
  return all === 0 ? NOTHING : onePlace().format(part / all);
}

/** Below this many of what is divided by, one more or less moves a rate or an average by much. */
const SMALL_SAMPLE = 30;

/** Whether a rate or an average over so many says little. */
export const isSmallSample = (of: number): boolean => of < SMALL_SAMPLE;

import { numberFormat } from './locale.ts';

const whole = numberFormat({ maximumFractionDigits: 0 });
const onePlace = numberFormat({ style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });

const withTenths = numberFormat({ minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** An average of counts, with one decimal. */
export function tenths(value: number): string {
  return withTenths().format(value);
}

/** Shown for a figure that does not exist, so that it is not read as zero. */
export const NOTHING = '–';

export function count(value: number): string {
  return whole().format(value);
}

/** `1 day`, `2 days`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A rate from a report (a decimal as text) in percent; {@link NOTHING} when there is none. */
export function rate(decimal: string | null): string {
  return decimal === null ? NOTHING : onePlace().format(Number(decimal));
}

/** The share of `part` in `all` in percent; {@link NOTHING} when `all` is 0. */
export function share(part: number, all: number): string {
  return all === 0 ? NOTHING : onePlace().format(part / all);
}

/** With a smaller divisor one more or less changes a rate or an average a lot. */
const SMALL_SAMPLE = 30;

/** Whether a rate or an average with this divisor is uncertain. */
export const isSmallSample = (of: number): boolean => of < SMALL_SAMPLE;

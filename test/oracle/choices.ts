/**
 * How traffic is made: a generator makes all its choices through a `Choose` function. fast-check hands it short tapes of
 * numbers, one per group of events, so that a failing case shrinks by dropping groups and then by turning each choice
 * into its first, plainest option.
 */
import fc from 'fast-check';

/** A number from 0 to n − 1; 0 is always the plainest choice. */
export type Choose = (n: number) => number;

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Event = { [key: string]: Json };

export function one<T>(choose: Choose, options: readonly T[]): T {
  return options[choose(options.length)]!;
}

/** True once in n times; the plain answer is false. */
export function rarely(choose: Choose, n: number): boolean {
  return choose(n) === n - 1;
}

/** Reads a tape of numbers; past its end every choice is the plainest. */
export function reading(tape: readonly number[]): Choose {
  let at = 0;
  return (n) => (tape[at++] ?? 0) % n;
}

export function tapeArbitrary(length: number): fc.Arbitrary<number[]> {
  // 27720 is divisible by every n that the generator asks for but a few, so no choice is much favoured.
  return fc.array(fc.nat(27_719), { minLength: length, maxLength: length });
}

/** The same choices for the same seed on every machine (mulberry32). */
export function seeded(seed: number): Choose {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

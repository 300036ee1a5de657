/** Two characters of base64url per entry, so that an id takes few draws. */
const PAIRS: readonly string[] = (() => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return Array.from({ length: 4096 }, (_, i) => alphabet.charAt(i >> 6) + alphabet.charAt(i & 63));
})();

/**
 * The generator sfc32 (small fast counting, 128 bits of state): the same seed gives the same sequence on every machine.
 * Not for secrets.
 */
export class Prng {
  // Signed 32-bit numbers, which the engine keeps unboxed.
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed a whole number; all of its 53 bits matter */
  constructor(seed: number) {
    this.#a = Math.trunc(seed / 0x1_0000_0000) | 0;
    this.#b = seed | 0;
    this.#c = 0x9e3779b9 | 0;
    // Seeds that differ in one bit start alike; fifteen rounds separate them.
    for (let i = 0; i < 15; i++) this.bits();
  }

  /** 32 random bits, 0 to 2^32 − 1. */
  bits(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** At least 0, below 1. */
  unit(): number {
    return this.bits() / 0x1_0000_0000;
  }

  /** Whether something of this probability happens. */
  chance(probability: number): boolean {
    return this.bits() < probability * 0x1_0000_0000;
  }

  /** A whole number from `from` to `to`, both included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.unit() * (to - from + 1));
  }

  /** Exponentially distributed, at least 0. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.unit());
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.unit() * list.length)] as T;
  }

  /**
   * The first index whose running total of weights exceeds a random share of the whole.
   * @param totals running totals, ascending, not empty
   */
  weighted(totals: readonly number[]): number {
    const target = this.unit() * (totals[totals.length - 1] as number);
    let low = 0;
    let high = totals.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((totals[middle] as number) > target) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Random base64url text; `length` is even. */
  token(length: number): string {
    let text = '';
    for (let i = 0; i < length; i += 4) {
      const bits = this.bits();
      text += PAIRS[bits & 4095] as string;
      if (i + 2 < length) text += PAIRS[(bits >>> 12) & 4095] as string;
    }
    return text;
  }

  /** 32 hexadecimal digits, like Meta's conversation ids. */
  hex32(): string {
    let text = '';
    for (let i = 0; i < 4; i++) text += this.bits().toString(16).padStart(8, '0');
    return text;
  }
}

/** Running totals of weights, for `Prng.weighted`. */
export function runningTotals(weights: readonly number[]): number[] {
  let total = 0;
  return weights.map((weight) => (total += weight));
}

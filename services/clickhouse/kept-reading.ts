/**
 * A reading that counts as current for a while. While it is read again, callers get the last reading, so that nobody
 * waits under steady traffic. Callers wait only when the last reading is older than twice its time.
 */
export class KeptReading<T> {
  readonly #keptMs: number;
  readonly #read: (before: T | null) => Promise<T>;
  #kept: { readonly value: T; readonly readAt: number } | null = null;
  #reading: Promise<T> | null = null;

  /**
   * @param keptMs how long a reading counts as current; 0 = it is read for every caller
   * @param read given what was read before; null the first time
   */
  constructor(keptMs: number, read: (before: T | null) => Promise<T>) {
    this.#keptMs = keptMs;
    this.#read = read;
  }

  async get(): Promise<T> {
    const kept = this.#kept;
    const age = kept === null ? Infinity : performance.now() - kept.readAt;
    if (kept !== null && age < this.#keptMs) return kept.value;
    const reading = (this.#reading ??= this.#readAnew());
    if (kept === null || age >= 2 * this.#keptMs) return reading;
    // The next caller after a failure waits for a new reading, and is given its error.
    reading.catch(() => undefined);
    return kept.value;
  }

  async #readAnew(): Promise<T> {
    const readAt = performance.now();
    try {
      const value = await this.#read(this.#kept?.value ?? null);
      this.#kept = { value, readAt };
      return value;
    } finally {
      this.#reading = null;
    }
  }
}

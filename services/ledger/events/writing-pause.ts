/** How long a pause waits for what is being written. */
const WAIT_MS = 30_000;

/** What this process lands and folds, and pauses of that: what comes during one waits for its end. */
export class WritingPause {
  #writing = 0;
  #over: Promise<void> | null = null;
  #idle: () => void = () => undefined;

  /** Whether nothing may begin to be written now. */
  get isOn(): boolean {
    return this.#over !== null;
  }

  /** Notes that something begins to be written. @throws RangeError during a pause */
  enter(): void {
    if (this.isOn) throw new RangeError('Nothing may be written during a pause.');
    this.#writing += 1;
  }

  leave(): void {
    this.#writing -= 1;
    if (this.#writing === 0) this.#idle();
  }

  /** Resolves when the pause ends; another may have begun by then. */
  over(): Promise<void> {
    return this.#over ?? Promise.resolve();
  }

  /** Writes when there is no pause. */
  async writing<T>(work: () => Promise<T>): Promise<T> {
    while (this.isOn) await this.over();
    this.enter();
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  /**
   * Works while nothing is written.
   * @returns what the work gives, or null when something was being written for too long
   */
  async during<T>(work: () => Promise<T>, waitMs = WAIT_MS): Promise<{ readonly value: T } | null> {
    while (this.#over !== null) await this.#over;
    let end = (): void => undefined;
    this.#over = new Promise((resolve) => {
      end = (): void => {
        this.#over = null;
        resolve();
      };
    });
    try {
      if (!(await this.#isIdleWithin(waitMs))) return null;
      return { value: await work() };
    } finally {
      end();
    }
  }

  #isIdleWithin(waitMs: number): Promise<boolean> {
    if (this.#writing === 0) return Promise.resolve(true);
    return new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => {
        resolve(false);
      }, waitMs);
      this.#idle = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
    }).finally(() => {
      this.#idle = () => undefined;
    });
  }
}

const EVERY_MS = 200;

/** One line on stderr that is overwritten, on a terminal only: results go to stdout, and logs stay clean. */
export class Progress {
  #last = 0;
  #isShown = false;
  readonly #isTerminal = process.stderr.isTTY;

  show(text: string): void {
    const now = Date.now();
    if (!this.#isTerminal || now - this.#last < EVERY_MS) return;
    this.#last = now;
    this.#isShown = true;
    process.stderr.write(`\r\u001b[K${text}`);
  }

  end(): void {
    if (this.#isShown) process.stderr.write('\r\u001b[K');
    this.#isShown = false;
  }
}

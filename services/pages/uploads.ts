import { randomUUID } from 'node:crypto';

/** A file that was uploaded, and neither imported nor dropped yet. */
export interface Upload {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const KEPT_MS = 30 * 60_000;
const MAX_UPLOADS = 16;
const MAX_TOTAL_BYTES = 128 * 1024 * 1024;

/**
 * Files between their preview and their import, in memory. The oldest are dropped when there are too many, and all
 * after some time.
 */
export class Uploads {
  readonly #held = new Map<string, Upload & { readonly until: number }>();
  readonly #running = new Map<string, Promise<unknown>>();

  /** @returns the token that identifies it */
  hold(upload: Upload): string {
    this.#forget(upload.bytes.length);
    const token = randomUUID();
    this.#held.set(token, { ...upload, until: Date.now() + KEPT_MS });
    return token;
  }

  find(token: string): Upload | null {
    this.#forget(0);
    return this.#held.get(token) ?? null;
  }

  /** If a button is pressed twice, the second request waits for the first and gets the same answer. */
  together<T>(confirmed: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(confirmed);
    if (running !== undefined) return running as Promise<T>;
    const begun = work().finally(() => this.#running.delete(confirmed));
    this.#running.set(confirmed, begun);
    return begun;
  }

  #forget(bytesToCome: number): void {
    let bytes = bytesToCome;
    let uploads = bytesToCome === 0 ? 0 : 1;
    for (const [token, upload] of [...this.#held].reverse()) {
      bytes += upload.bytes.length;
      uploads += 1;
      if (upload.until < Date.now() || uploads > MAX_UPLOADS || bytes > MAX_TOTAL_BYTES) this.#held.delete(token);
    }
  }
}

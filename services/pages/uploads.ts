import { randomUUID } from 'node:crypto';

/** A file that somebody uploaded and has not decided about yet. */
export interface Upload {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const KEPT_MS = 30 * 60_000;
const MAX_UPLOADS = 16;
const MAX_TOTAL_BYTES = 128 * 1024 * 1024;

/** Uploads since their preview, in memory: the oldest make room, and none stays for long. */
export class Uploads {
  readonly #held = new Map<string, Upload & { readonly until: number }>();
  readonly #running = new Map<string, Promise<unknown>>();

  /** @returns the token by which it is found again */
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

  /** A second press of the button waits for what the first one began, and is given the same answer. */
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

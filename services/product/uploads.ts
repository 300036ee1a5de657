import { randomUUID } from 'node:crypto';

/** A file that somebody uploaded and has not decided about yet. */
export interface Upload {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const KEPT_MS = 30 * 60_000;
const MAX_UPLOADS = 16;
const MAX_TOTAL_BYTES = 128 * 1024 * 1024;

/** Uploads between their preview and its confirmation, in memory: the oldest make room, and none stays for long. */
export class Uploads {
  readonly #held = new Map<string, Upload & { readonly until: number }>();
  readonly #done = new Map<string, Promise<unknown>>();

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

  drop(token: string): void {
    this.#held.delete(token);
  }

  /** Does what an upload was confirmed for, once: who presses twice is given the same answer. What failed can be tried again. */
  once<T>(confirmed: string, work: () => Promise<T>): Promise<T> {
    const known = this.#done.get(confirmed);
    if (known !== undefined) return known as Promise<T>;
    const done = work();
    this.#done.set(confirmed, done);
    for (const oldest of this.#done.keys()) {
      if (this.#done.size <= MAX_UPLOADS) break;
      this.#done.delete(oldest);
    }
    done.catch(() => this.#done.delete(confirmed));
    return done;
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

import { createHmac } from 'node:crypto';

/** Where a host announces itself, in the data directory. */
export const ENGINE_FILE = 'engine.json';

/** What `engine.json` says of a running host. */
export interface EngineAddress {
  readonly pid: number;
  readonly port: number;
  /** Random per start. A process that can read the data directory may use the engine. */
  readonly key: string;
}

/** What a host answers to a challenge; computing it takes the key. */
export function proofOf(key: string, nonce: string): string {
  return createHmac('sha256', key).update(nonce).digest('hex');
}

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Database } from '../../clickhouse/database.ts';

/** A landing of others is looked up by its row for so many seconds; a later one may have touched anything. */
const LOOK_BACK_SECONDS = 20;
/** Longer than rows are looked up: a landing that was seen must not be taken for a new one. */
const REMEMBERED_MS = 45_000;
/** How often sum and rows are read again when others land in between. */
const READINGS = 3;
const ALL_BITS = (1n << 64n) - 1n;

/** One reading of the log. */
export const LANDED = 'SELECT toString(sum(token)) FROM landing_log';

const landingRow = z.object({ token: z.string(), keys: z.array(z.number()), touches_all: z.number() });

/** What others landed between two readings. */
export interface LandedByOthers {
  /** Hashes of the threads and messages that they touched. */
  readonly keys: ReadonlySet<number>;
  /** Whether they may have touched anything else as well. */
  readonly touchesAll: boolean;
}

function newToken(): bigint {
  return randomBytes(8).readBigUInt64BE();
}

async function enter(database: Database, token: bigint, keys: readonly number[] | null): Promise<void> {
  const line = `${JSON.stringify([token.toString(), keys ?? [], keys === null ? 1 : 0])}\n`;
  await database.insertLines('recent_landings', ['token', 'keys', 'touches_all'], line);
}

/** Enters a landing that may have touched anything: processes that follow the log then ask the ledger instead. */
export async function enterLargeLanding(database: Database): Promise<void> {
  await enter(database, newToken(), null);
}

/**
 * The log of landings, as one writer follows it. Each writer makes its events visible, then enters them here, then
 * reads the log. Of two writers at least the one that enters later sees the other.
 */
export class LandingLog {
  readonly #database: Database;
  /** Sum of all tokens that were seen; null = none yet. */
  #sum: bigint | null = null;
  /** Tokens seen lately, with the time. */
  readonly #seen = new Map<string, number>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Whether the log is being followed. */
  get isFollowed(): boolean {
    return this.#sum !== null;
  }

  /** Forgets what was seen of the log. */
  forget(): void {
    this.#sum = null;
  }

  /** Enters a landing of this writer, whose events are visible. */
  async enter(keys: readonly number[]): Promise<void> {
    const token = newToken();
    await enter(this.#database, token, keys);
    this.#note(token);
  }

  #note(token: bigint): void {
    this.#seen.set(token.toString(), performance.now());
    if (this.#sum !== null) this.#sum = (this.#sum + token) & ALL_BITS;
  }

  /** Reads the log. */
  async look(): Promise<string> {
    const [row] = await this.#database.query(z.object({ landed: z.string() }), `SELECT (${LANDED}) AS landed`);
    return row?.landed ?? '0';
  }

  /**
   * What others landed since the last time.
   * @param landed what the log said; where others landed, their rows are read
   */
  async catchUp(landed: string): Promise<LandedByOthers> {
    const keys = new Set<number>();
    if (this.#sum === null) return this.#begin(landed);
    let touchesAll = false;
    for (let reading = 1; this.#sum !== BigInt(landed); reading++) {
      // A row was lost, or came twice, or the log was emptied.
      if (reading > READINGS) return this.#begin(landed);
      for (const row of await this.#unseen()) {
        this.#note(BigInt(row.token));
        for (const key of row.keys) keys.add(key);
        if (row.touches_all === 1) touchesAll = true;
      }
      if (this.#sum !== BigInt(landed)) landed = await this.look();
    }
    return { keys, touchesAll };
  }

  /** Follows the log from here on: what was landed before is not asked about. */
  async #begin(landed: string): Promise<LandedByOthers> {
    for (let reading = 1; ; reading++) {
      for (const { token } of await this.#unseen()) this.#seen.set(token, performance.now());
      const now = await this.look();
      // Nobody landed between the rows and their sum; else it may have to be begun once more, the next time.
      if (now === landed || reading === READINGS) {
        this.#sum = BigInt(landed);
        return { keys: new Set(), touchesAll: true };
      }
      landed = now;
    }
  }

  async #unseen(): Promise<z.infer<typeof landingRow>[]> {
    const now = performance.now();
    for (const [token, at] of this.#seen) {
      if (now - at < REMEMBERED_MS) break;
      this.#seen.delete(token);
    }
    return this.#database.query(
      landingRow,
      `SELECT toString(token) AS token, keys, touches_all FROM recent_landings
       WHERE landed_at >= now() - {seconds:UInt32} AND recent_landings.token NOT IN (SELECT toUInt64(arrayJoin({seen:Array(String)})))`,
      { seconds: LOOK_BACK_SECONDS, seen: [...this.#seen.keys()] },
    );
  }
}

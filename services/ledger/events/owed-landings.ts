import { z } from 'zod';
import type { Database } from '../../clickhouse/database.ts';
import { NOTED_KEYS } from './keys.ts';
import { newLandingNumber, rankOf, unlistedRankOf, type LandingNumber } from './landing.ts';
import { hasDiedHere } from '../../clickhouse/processes.ts';
import { livingWriters } from './writers.ts';

const COLUMNS = ['landing', 'writer', 'is_folded'] as const;

function line(landing: LandingNumber, writer: string, isFolded: 0 | 1): string {
  return `${JSON.stringify([landing.toString(), writer, isFolded])}\n`;
}

/** Landings that one writer owes: it told the sender that they are kept, and has not folded them yet. */
export class OwedLandings {
  readonly #database: Database;
  readonly #writer: string;
  /** Folded, but not noted yet. It is noted with the next landing: a late note only repeats work. */
  #folded: LandingNumber[] = [];

  /** @param writer the name of the process, by which others find out whether it still runs */
  constructor(database: Database, writer: string) {
    this.#database = database;
    this.#writer = writer;
  }

  /** Resolves when it is on disk that the landing must be folded. */
  async owe(landing: LandingNumber): Promise<void> {
    await this.#note(line(landing, this.#writer, 0));
  }

  paid(landing: LandingNumber): void {
    this.#folded.push(landing);
  }

  /** Notes what was folded. */
  async flush(): Promise<void> {
    if (this.#folded.length > 0) await this.#note('');
  }

  async #note(owed: string): Promise<void> {
    const folded = this.#folded;
    this.#folded = [];
    const lines = owed + folded.map((landing) => line(landing, this.#writer, 1)).join('');
    await this.#database.insertLines('owed_landings', COLUMNS, lines);
  }
}

const owedRow = z.object({ landing: z.string(), writer: z.string() });

/** Landings owed by writers that have ended. */
export async function leftLandings(database: Database): Promise<LandingNumber[]> {
  const owed = await database.query(
    owedRow,
    'SELECT toString(landing) AS landing, writer FROM owed_landings FINAL WHERE is_folded = 0',
  );
  if (owed.length === 0) return [];
  const living = await livingWriters(database);
  return owed
    .filter(({ writer }) => !living.has(writer) || hasDiedHere(writer))
    .map(({ landing }) => BigInt(landing) as LandingNumber);
}

/**
 * Lists what landings touched as if one new landing had touched it, so that it can be folded. What older ones touched
 * is not kept listed and is found by their events.
 */
export async function touchAgain(database: Database, landings: readonly LandingNumber[]): Promise<LandingNumber> {
  const landing = newLandingNumber();
  await database.command(
    `INSERT INTO touched (landing, phone_number_id, customer, nameless_id, message_key)
     SELECT DISTINCT {landing:UInt64}, phone_number_id, customer, nameless_id, message_key
     FROM
     (
         SELECT phone_number_id, customer, nameless_id, message_key FROM touched
         WHERE touched.landing IN (SELECT toUInt64(arrayJoin({landings:Array(String)})))
         UNION ALL
         SELECT phone_number_id, customer, if(customer = '', id, ''), arrayJoin(${NOTED_KEYS}) FROM events
         WHERE landing_rank IN (SELECT toUInt64(arrayJoin({ranks:Array(String)})))
     )`,
    {
      landing: landing.toString(),
      landings: landings.map(String),
      ranks: landings.flatMap((one) => [rankOf(one).toString(), unlistedRankOf(one).toString()]),
    },
  );
  return landing;
}

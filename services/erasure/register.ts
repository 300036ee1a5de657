import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';

/** An erasure as it is recorded: without any name. */
export interface Erasure {
  readonly erasure_id: string;
  readonly began_at: string;
  readonly erased_by: string;
  readonly phone_number_id: string;
  readonly tokens: readonly string[];
  readonly files: readonly string[];
}

const underWayRow = z.object({
  erasure_id: z.string(),
  names: z.array(z.string()),
  began_at: z.string(),
  erased_by: z.string(),
  phone_number_id: z.string(),
  tokens: z.array(z.string()),
  files: z.array(z.string()),
});

/** An erasure that is not done, with the plain names. */
export type ErasureUnderWay = z.infer<typeof underWayRow>;

const COLUMNS = [
  'erasure_id',
  'version',
  'began_at',
  'ended_at',
  'erased_by',
  'phone_number_id',
  'tokens',
  'rows',
  'files',
];

async function write(
  database: Database,
  erasure: Erasure,
  end: { readonly at: string; readonly rows: number } | null,
): Promise<void> {
  const { erasure_id, began_at, erased_by, phone_number_id, tokens, files } = erasure;
  const line = [
    erasure_id,
    end === null ? 1 : 2,
    began_at,
    end?.at ?? null,
    erased_by,
    phone_number_id,
    tokens,
    end?.rows ?? 0,
    files,
  ];
  await database.insertLines('erasures', COLUMNS, `${JSON.stringify(line)}\n`);
}

function clickHouseTime(): string {
  return new Date().toISOString().replace('T', ' ').replace('Z', '');
}

/** Records that an erasure begins, and keeps its names until it is done. */
export async function recordBegun(
  database: Database,
  given: Omit<Erasure, 'erasure_id' | 'began_at'>,
  names: readonly string[],
): Promise<ErasureUnderWay> {
  const erasure = { ...given, erasure_id: randomBytes(8).toString('hex'), began_at: clickHouseTime() };
  // Names without an erasure are of one that has done nothing; an erasure without names has nothing left to rewrite.
  const line = [erasure.erasure_id, names];
  await database.insertLines('erasures_under_way', ['erasure_id', 'names'], `${JSON.stringify(line)}\n`);
  await write(database, erasure, null);
  return { ...erasure, tokens: [...given.tokens], files: [...given.files], names: [...names] };
}

export async function recordDone(database: Database, erasure: Erasure, rows: number): Promise<void> {
  await write(database, erasure, { at: clickHouseTime(), rows });
}

/** Erasures that were begun and not done. */
export async function erasuresUnderWay(database: Database): Promise<ErasureUnderWay[]> {
  return database.query(
    underWayRow,
    `SELECT erasure_id, names, toString(erasures.began_at) AS began_at, erased_by, phone_number_id, tokens, files
     FROM (SELECT * FROM erasures FINAL WHERE ended_at IS NULL) AS erasures LEFT JOIN erasures_under_way USING (erasure_id)
     ORDER BY erasures.began_at`,
  );
}

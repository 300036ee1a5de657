import { z } from 'zod';
import type { Database } from '../../clickhouse/database.ts';
import { hasDiedHere } from '../../clickhouse/processes.ts';

const SEEN_EVERY_MS = 10_000;
/** Seconds after which a writer that was not seen is taken for dead. */
const ALIVE_SECONDS = 35;

/** A process that writes marks, known to others so that a change of configuration does not cross it. */
export class Writer {
  readonly name: string;
  readonly #database: Database;
  readonly #command: string;
  #hash: string;
  #timer: NodeJS.Timeout | null = null;

  constructor(database: Database, name: string, command: string, hash: string) {
    this.name = name;
    this.#database = database;
    this.#command = command;
    this.#hash = hash;
  }

  async #write(isGone: 0 | 1): Promise<void> {
    await this.#database.command(
      'INSERT INTO writers SELECT {writer:String}, {command:String}, {hash:String}, now64(3), {gone:UInt8}',
      { writer: this.name, command: this.#command, hash: this.#hash, gone: isGone },
    );
  }

  async enter(): Promise<void> {
    await this.#write(0);
    // A missed beat is harmless: the next one comes in time, and a dead ledger stops the writer itself.
    this.#timer = setInterval(() => void this.#write(0).catch(() => undefined), SEEN_EVERY_MS).unref();
  }

  async adopt(hash: string): Promise<void> {
    this.#hash = hash;
    await this.#write(0);
  }

  async leave(): Promise<void> {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    await this.#write(1);
  }
}

const writerRow = z.object({ writer: z.string(), command: z.string(), seconds: z.coerce.number() });

/** Living processes that write under another configuration, described for a person; `own` is not one of them. */
export async function otherWriters(database: Database, hash: string, own: Writer | null = null): Promise<string[]> {
  const rows = await database.query(
    writerRow,
    `SELECT writer, command, dateDiff('second', seen_at, now64(3)) AS seconds FROM writers FINAL
     WHERE is_gone = 0 AND configuration_hash != {hash:String} AND seconds < {alive:UInt32} ORDER BY writer`,
    { hash, alive: ALIVE_SECONDS },
  );
  return rows
    .filter((row) => row.writer !== own?.name && !hasDiedHere(row.writer))
    .map(
      (row) =>
        `"${row.command}" (process ${row.writer.split('/')[1] ?? ''} on ${row.writer.split('/')[0] ?? ''}, seen ${row.seconds} s ago)`,
    );
}

/** The names of processes that write, as far as is known. */
export async function livingWriters(database: Database): Promise<ReadonlySet<string>> {
  const rows = await database.query(
    z.object({ writer: z.string() }),
    `SELECT writer FROM writers FINAL
     WHERE is_gone = 0 AND dateDiff('second', seen_at, now64(3)) < {alive:UInt32}`,
    { alive: ALIVE_SECONDS },
  );
  return new Set(rows.map(({ writer }) => writer));
}

import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { KEPT_FIELDS, type ErasedNames } from '../ledger/events/erased-names.ts';

/**
 * Names of customers in the tables of the ledger, whichever these are: every column with text is asked, so that a table
 * that is added later is not forgotten.
 */

/** Where names come from and where they go: only in memory, so that no statement, log or file on disk repeats a name. */
const SOUGHT = 'erasure_sought';
const PLAN = 'erasure_plan';

/** Of us, of Meta's side and of the erasures themselves: a number in them is not a customer's. */
const NOT_OF_CUSTOMERS = new Set([
  ...['migrations', 'leases', 'writers', 'ledger_facts', 'configuration', 'accounts', 'column_mappings'],
  ...['erased_names', 'erasures', 'erasures_under_way', 'erasure_key', 'rates', 'rate_cards', 'markets'],
  ...['meta_imports', 'meta_files', 'meta_points', 'meta_lines', 'meta_message_counts', 'invoices', 'invoice_lines'],
]);

/** Rows that are made anew from others. */
const MADE_AGAIN = new Set(['message_names', 'thread_links', 'touched']);

/** Columns that are computed from others when a row is written. */
const COMPUTED: Readonly<Record<string, readonly string[]>> = {
  events: ['variant'],
  dead_letters: ['content_hash'],
};

/** Text that people write, in which a number may have separators. */
const WRITTEN_BY_PEOPLE = new Set(['raw', 'errors', 'tag', 'message', 'error_title', 'context', 'sender']);

/** Needles that ClickHouse looks for at once. */
const MAX_NEEDLES = 200;

export interface TextTable {
  readonly name: string;
  readonly engine: string;
  /** All that is written. */
  readonly columns: readonly string[];
  /** Those with text. */
  readonly texts: readonly string[];
  readonly hasNumber: boolean;
}

const columnRow = z.object({
  table: z.string(),
  engine: z.string(),
  name: z.string(),
  type: z.string(),
  kind: z.string(),
});
const TEXT = /^(?:LowCardinality\()?(?:Nullable\()?String\)*$/;

/** The tables of a ledger that may name customers, `events` last: what fires triggers must know of a message before. */
export async function textTables(database: Database): Promise<TextTable[]> {
  const columns = await database.query(
    columnRow,
    `SELECT c.table AS table, t.engine AS engine, c.name AS name, c.type AS type, c.default_kind AS kind
     FROM system.columns AS c INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
     WHERE c.database = currentDatabase() AND t.engine LIKE '%MergeTree'
     ORDER BY table = 'events', table, c.position`,
  );
  return [...new Set(columns.map(({ table }) => table))].flatMap((name) => {
    const of = columns.filter(({ table }) => table === name);
    if (NOT_OF_CUSTOMERS.has(name) || name.startsWith('export_rows_')) return [];
    const written = of.filter(
      ({ kind, name: column }) => kind === '' || (kind === 'DEFAULT' && !COMPUTED[name]?.includes(column)),
    );
    const texts = written.filter(({ type, name: column }) => TEXT.test(type) && !KEPT_FIELDS.has(column));
    if (texts.length === 0) return [];
    return [
      {
        name,
        engine: of[0]?.engine ?? '',
        columns: written.map((column) => column.name),
        texts: texts.map((column) => column.name),
        hasNumber: of.some((column) => column.name === 'phone_number_id'),
      },
    ];
  });
}

/** Parts of Base64 that are there wherever a text is encoded, at any of its three places in the groups of three bytes. */
function encodedParts(text: string): string[] {
  const bytes = Buffer.from(text, 'latin1');
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return encoded.slice(Math.ceil((before * 4) / 3), Math.floor(((before + bytes.length) * 4) / 3));
  });
}

/** Whom a pass is about. */
export interface Sought {
  /** The plain names. */
  readonly names: readonly string[];
  /** Empty: at every business number. */
  readonly phone_number_id: string;
  readonly erased: ErasedNames;
}

const foundRow = z.object({ column: z.string(), bytes: z.string(), number: z.string() });

function textOf(column: string): string {
  return `ifNull(toString(${column}), '')`;
}

function numberOf({ hasNumber }: TextTable): string {
  return hasNumber ? 'toString(phone_number_id)' : "''";
}

/** One pass over the tables. */
export class Pass {
  readonly #database: Database;
  readonly #sought: Sought;
  #needles = 0;

  constructor(database: Database, sought: Sought) {
    this.#database = database;
    this.#sought = sought;
  }

  /** Makes the tables in memory that the statements of the pass read names from. */
  async begin(): Promise<void> {
    const { names } = this.#sought;
    await this.end();
    await this.#database.command(`CREATE TABLE ${SOUGHT} (place UInt32, needle String) ENGINE = Memory`);
    await this.#database.command(
      `CREATE TABLE ${PLAN} (table_name String, column_name String, number String, was64 String EPHEMERAL, now64 String EPHEMERAL,
         was String DEFAULT base64Decode(was64), now String DEFAULT base64Decode(now64)) ENGINE = Memory`,
    );
    const needles = names.flatMap((name) => (/^\d{5,}$/.test(name) ? [name, ...encodedParts(name)] : [name]));
    this.#needles = needles.length;
    const lines = needles.map((needle, i) => `${JSON.stringify([Math.floor(i / MAX_NEEDLES), needle])}\n`);
    await this.#database.insertLines(SOUGHT, ['place', 'needle'], lines.join(''));
  }

  async end(): Promise<void> {
    for (const table of [SOUGHT, PLAN]) await this.#database.command(`DROP TABLE IF EXISTS ${table} SYNC`);
  }

  /** Plans which texts of a table become others. @returns how many */
  async plan(table: TextTable): Promise<number> {
    const { phone_number_id, erased } = this.#sought;
    const mentions = (text: string): string =>
      Array.from(
        { length: Math.ceil(this.#needles / MAX_NEEDLES) },
        (_, place) => `multiSearchAny(${text}, (SELECT groupArray(needle) FROM ${SOUGHT} WHERE place = ${place}))`,
      ).join(' OR ');
    const texts = table.texts.map(
      (column) => `('${column}', ${textOf(column)}, ${WRITTEN_BY_PEOPLE.has(column) ? 1 : 0})`,
    );
    const isOfNumber = table.hasNumber && phone_number_id !== '' ? 'phone_number_id = {number:String}' : '1';
    // Each part is looked at once for all of its columns.
    const found = await this.#database.query(
      foundRow,
      `SELECT DISTINCT found.1 AS column, base64Encode(found.2) AS bytes, number FROM
       (
         SELECT ${numberOf(table)} AS number, arrayJoin(arrayFilter(one -> one.2 != '' AND (${mentions('one.2')}
             OR (one.3 = 1 AND (${mentions("replaceRegexpAll(one.2, '[^0-9A-Za-z]', '')")}))), [${texts.join(', ')}])) AS found
         FROM ${table.name} WHERE ${isOfNumber}
       )`,
      { number: phone_number_id },
    );
    const lines = found.flatMap(({ column, bytes, number }) => {
      const was = Buffer.from(bytes, 'base64');
      const now = erased.bytes(was, table.hasNumber ? number : null);
      if (now.equals(was)) return [];
      return [`${JSON.stringify([table.name, column, number, bytes, now.toString('base64')])}\n`];
    });
    const columns = ['table_name', 'column_name', 'number', 'was64', 'now64'];
    await this.#database.insertLines(PLAN, columns, lines.join(''));
    return lines.length;
  }

  /**
   * Puts rewritten rows in the place of those that the plan names. Rows are written before the old ones are deleted, and
   * writing them again does no harm: their keys and versions are the same.
   * @returns how many rows
   */
  async apply(table: TextTable): Promise<number> {
    const { name, columns, texts } = table;
    const number = numberOf(table);
    const planned = `FROM ${PLAN} WHERE table_name = '${name}' AND column_name =`;
    const isPlanned = texts
      .map((column) => `(${number}, ${textOf(column)}) IN (SELECT number, was ${planned} '${column}')`)
      .join(' OR ');
    const [counted] = await this.#database.query(
      z.object({ n: z.coerce.number() }),
      `SELECT count() AS n FROM ${name} WHERE ${isPlanned}`,
    );
    const rows = counted?.n ?? 0;
    if (rows === 0) return 0;
    if (!MADE_AGAIN.has(name)) {
      const selected = columns.map((column) => {
        if (!texts.includes(column)) return column;
        // Two numbers never plan different texts for one: a token depends on the name alone.
        const text = textOf(column);
        const [was, now] = ['was', 'now'].map(
          (which) =>
            `(SELECT groupArray(${which}) FROM (SELECT DISTINCT was, now ${planned} '${column}' ORDER BY was))`,
        );
        return `if((${number}, ${text}) IN (SELECT number, was ${planned} '${column}'), transform(${text}, ${was}, ${now}, ${text}), ${column}) AS new_${column}`;
      });
      // Rows of these tables are not told apart by a key, and must not stand twice after an interruption.
      const guard = table.engine === 'MergeTree' ? ` EXCEPT SELECT ${columns.join(', ')} FROM ${name}` : '';
      await this.#database.command(
        `INSERT INTO ${name} (${columns.join(', ')}) SELECT ${selected.join(', ')} FROM ${name} WHERE ${isPlanned}${guard}`,
      );
      if (name === 'dead_letters') await this.#followLetters();
    }
    await this.#database.command(`ALTER TABLE ${name} DELETE WHERE ${isPlanned} SETTINGS mutations_sync = 2`);
    return rows;
  }

  /** A dismissal names a letter by the hash of its bytes, which are others now. */
  async #followLetters(): Promise<void> {
    const hashes = (which: string): string =>
      `(SELECT groupArray(sipHash64(${which})) FROM (SELECT was, now FROM ${PLAN} WHERE table_name = 'dead_letters' AND column_name = 'raw' ORDER BY was))`;
    const columns =
      'source, source_partition, position, version, dismissal_id, is_dismissed, reason, changed_by, changed_at';
    await this.#database.command(
      `INSERT INTO dismissed_letters (content_hash, ${columns})
       SELECT transform(content_hash, ${hashes('was')}, ${hashes('now')}, content_hash) AS new_hash, ${columns}
       FROM dismissed_letters WHERE has(${hashes('was')}, content_hash)`,
    );
    await this.#database.command(
      `ALTER TABLE dismissed_letters DELETE WHERE content_hash IN
         (SELECT sipHash64(was) FROM ${PLAN} WHERE table_name = 'dead_letters' AND column_name = 'raw') SETTINGS mutations_sync = 2`,
    );
  }
}

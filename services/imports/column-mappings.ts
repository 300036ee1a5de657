import { utcInstant } from '@ctwa-ledger/schemas/cells.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { utcText } from '../clickhouse/sql.ts';
import type { DecimalMark } from './amounts.ts';
import { underImportLease } from './register.ts';

/** A kind of file whose headings a user can map to columns. */
export interface MappingKind<Column extends string> {
  /** Its name in the ledger. */
  readonly name: string;
  readonly columns: readonly Column[];
  /** The command that stores a mapping. */
  readonly keptBy: string;
}

/** Which heading of a file is which column, and how its amounts are written if the file does not say so. */
interface ColumnMapping<Column extends string> {
  readonly columns: Readonly<Partial<Record<Column, string>>>;
  /** Currency of all amounts, ISO 4217. */
  readonly currency?: string;
  readonly decimal_mark?: DecimalMark;
}

interface KeptMapping<Column extends string> extends ColumnMapping<Column> {
  readonly name: string;
  readonly kept_at: string;
  readonly kept_by: string;
}

const mappingRow = z.object({
  name: z.string(),
  columns: z.record(z.string(), z.string()),
  currency: z.string(),
  decimal_mark: z.enum(['', '.', ',']),
  kept_at: utcInstant,
  kept_by: z.string(),
});

/** All mappings of a kind, by name. */
export async function listMappings<Column extends string>(
  database: Database,
  kind: MappingKind<Column>,
): Promise<KeptMapping<Column>[]> {
  const rows = await database.query(
    mappingRow,
    `SELECT name, columns, toString(currency) AS currency, toString(decimal_mark) AS decimal_mark,
        ${utcText('column_mappings.kept_at')} AS kept_at, kept_by
     FROM column_mappings FINAL WHERE kind = {kind:String} ORDER BY name`,
    { kind: kind.name },
  );
  return rows.map(({ name, columns, currency, decimal_mark, kept_at, kept_by }) => {
    const known: Partial<Record<Column, string>> = {};
    for (const column of kind.columns) if (columns[column] !== undefined) known[column] = columns[column];
    return {
      name,
      kept_at,
      kept_by,
      columns: known,
      ...(currency === '' ? {} : { currency }),
      ...(decimal_mark === '' ? {} : { decimal_mark }),
    };
  });
}

/** @throws ActionableError when there is none with that name; it lists the existing ones */
export async function findMapping<Column extends string>(
  database: Database,
  kind: MappingKind<Column>,
  name: string,
): Promise<KeptMapping<Column>> {
  const kept = await listMappings(database, kind);
  const found = kept.find((mapping) => mapping.name === name);
  if (found !== undefined) return found;
  const names = kept.map((mapping) => `"${mapping.name}"`).join(', ');
  throw new ActionableError(
    `There is no mapping named "${name}". ${names === '' ? 'No mapping is saved yet' : `The saved mappings are ${names}`}. Save one with "${kind.keptBy}".`,
  );
}

/**
 * Stores a mapping by name. It replaces one of the same kind and name.
 * @param by who stores it
 */
export function keepMapping<Column extends string>(
  database: Database,
  kind: MappingKind<Column>,
  { name, columns, currency = '', decimal_mark }: ColumnMapping<Column> & { readonly name: string },
  by: string,
): Promise<void> {
  const named = kind.columns.flatMap((ours) => {
    const theirs = columns[ours];
    return theirs === undefined ? [] : [{ ours, theirs }];
  });
  return underImportLease(database, () =>
    database.command(
      `INSERT INTO column_mappings (kind, name, columns, currency, decimal_mark, kept_at, kept_by, version)
       SELECT {kind:String}, {name:String}, mapFromArrays({ours:Array(String)}, {theirs:Array(String)}), {currency:String},
          {decimal_mark:String}, now64(3, 'UTC'), {by:String}, (SELECT max(version) FROM column_mappings) + 1`,
      {
        kind: kind.name,
        name,
        ours: named.map(({ ours }) => ours),
        theirs: named.map(({ theirs }) => theirs),
        currency,
        decimal_mark: decimal_mark ?? '',
        by,
      },
    ),
  );
}

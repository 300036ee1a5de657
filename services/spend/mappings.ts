import { utcInstant } from '@ctwa-ledger/schemas/cells.ts';
import { SPEND_COLUMNS, type KeptSpendMapping, type SpendMapping } from '@ctwa-ledger/schemas/spend.ts';
import { z } from 'zod';
import type { Database } from '../ledger/database.ts';
import { LedgerError } from '../ledger/errors.ts';

const KIND = 'spend';

const mappingRow = z.object({
  name: z.string(),
  columns: z.partialRecord(z.enum(SPEND_COLUMNS), z.string()),
  currency: z.string(),
  kept_at: utcInstant,
  kept_by: z.string(),
});

/** All mappings of exports of ads that are kept, by name. */
export async function listSpendMappings(database: Database): Promise<KeptSpendMapping[]> {
  const rows = await database.query(
    mappingRow,
    `SELECT name, columns, toString(currency) AS currency,
        concat(formatDateTime(column_mappings.kept_at, '%FT%T'), '+00:00') AS kept_at, kept_by
     FROM column_mappings FINAL WHERE kind = {kind:String} ORDER BY name`,
    { kind: KIND },
  );
  return rows.map(({ currency, columns, ...row }) => ({
    ...row,
    columns: Object.fromEntries(Object.entries(columns).filter(([, heading]) => heading !== undefined)),
    ...(currency === '' ? {} : { currency }),
  }));
}

/** @throws LedgerError when none is kept under that name; it names those that are */
export async function spendMapping(database: Database, name: string): Promise<SpendMapping> {
  const kept = await listSpendMappings(database);
  const found = kept.find((mapping) => mapping.name === name);
  if (found !== undefined) return found;
  const names = kept.map((mapping) => `"${mapping.name}"`).join(', ');
  throw new LedgerError(
    `No mapping is kept under the name "${name}". ${names === '' ? 'None is kept at all' : `There are ${names}`}: keep one with "ctwa-ledger spend map NAME --column …".`,
  );
}

/**
 * Keeps a mapping by name; one that was kept under the same name is replaced.
 * @param by who keeps it
 */
export async function keepSpendMapping(
  database: Database,
  { name, columns, currency }: SpendMapping & { readonly name: string },
  by: string,
): Promise<void> {
  await database.command(
    `INSERT INTO column_mappings
     SELECT {kind:String}, {name:String}, mapFromArrays({ours:Array(String)}, {theirs:Array(String)}), {currency:String},
        now64(3, 'UTC'), {by:String}, (SELECT max(version) FROM column_mappings) + 1`,
    {
      kind: KIND,
      name,
      ours: Object.keys(columns),
      theirs: Object.values(columns),
      currency: currency ?? '',
      by,
    },
  );
}

import {
  SPEND_COLUMNS,
  type KeptSpendMapping,
  type SpendColumn,
  type SpendMapping,
} from '@ctwa-ledger/schemas/spend.ts';
import type { Database } from '../clickhouse/database.ts';
import { findMapping, keepMapping, listMappings, type MappingKind } from '../imports/column-mappings.ts';

const EXPORTS_OF_ADS: MappingKind<SpendColumn> = {
  name: 'spend',
  columns: SPEND_COLUMNS,
  keptBy: 'ctwa-ledger spend map NAME --column …',
};

/** All mappings of exports of ads that are kept, by name. */
export function listSpendMappings(database: Database): Promise<KeptSpendMapping[]> {
  return listMappings(database, EXPORTS_OF_ADS);
}

/** @throws ActionableError when none is kept under that name; it names those that are */
export function spendMapping(database: Database, name: string): Promise<SpendMapping> {
  return findMapping(database, EXPORTS_OF_ADS, name);
}

/**
 * Keeps a mapping by name; one that was kept under the same name is replaced.
 * @param by who keeps it
 */
export function keepSpendMapping(
  database: Database,
  mapping: SpendMapping & { readonly name: string },
  by: string,
): Promise<void> {
  return keepMapping(database, EXPORTS_OF_ADS, mapping, by);
}

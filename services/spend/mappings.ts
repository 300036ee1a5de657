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

/** All stored mappings of exports of ads, by name. */
export function listSpendMappings(database: Database): Promise<KeptSpendMapping[]> {
  return listMappings(database, EXPORTS_OF_ADS);
}

/** @throws ActionableError when there is none with that name; it lists the existing ones */
export function spendMapping(database: Database, name: string): Promise<SpendMapping> {
  return findMapping(database, EXPORTS_OF_ADS, name);
}

/**
 * Stores a mapping by name; it replaces an earlier one of that name.
 * @param by who stores it
 */
export function keepSpendMapping(
  database: Database,
  mapping: SpendMapping & { readonly name: string },
  by: string,
): Promise<void> {
  return keepMapping(database, EXPORTS_OF_ADS, mapping, by);
}

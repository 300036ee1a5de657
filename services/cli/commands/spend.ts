import { mappingNameSchema, SPEND_COLUMNS, type SpendColumn, type SpendMapping } from '@ctwa-ledger/schemas/spend.ts';
import { currencyOf } from '../../imports/amounts.ts';
import { keepSpendMapping, listSpendMappings, spendMapping } from '../../spend/mappings.ts';
import { importSpendFile, listSpendImports, previewSpendFile, withdrawSpendImport } from '../../spend/spend.ts';
import { readGivenFile } from '../given-file.ts';
import { withExistingLedger, withLedger } from '../open.ts';
import { writeLines, wouldBe } from '../output.ts';
import { UsageError, type CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';

export interface MappingOptions extends CommonOptions {
  /** `amount=Custo`, and so on. */
  readonly column?: readonly string[];
  readonly currency?: string;
}

export interface SpendImportOptions extends MappingOptions {
  readonly dryRun?: boolean;
  /** Name of a stored mapping. */
  readonly mapping?: string;
}

/** @throws UsageError when an option names no known column, no heading or no currency */
function mappingOf({ column = [], currency }: MappingOptions): SpendMapping {
  const columns: Partial<Record<SpendColumn, string>> = {};
  for (const option of column) {
    const [, name = '', heading = ''] = /^([^=]*)=(.*)$/s.exec(option) ?? [];
    const known = SPEND_COLUMNS.find((one) => one === name.trim());
    if (known === undefined || heading.trim() === '')
      throw new UsageError(
        `--column "${option}" does not say which heading a column has: write one of ${SPEND_COLUMNS.join(', ')}, then = and the heading, like --column amount="Valor gasto".`,
      );
    columns[known] = heading.trim();
  }
  const code = currency === undefined ? null : currencyOf(currency);
  if (currency !== undefined && code === null)
    throw new UsageError(`--currency "${currency}" is not a currency: use three letters (ISO 4217), like USD.`);
  return { columns, ...(code === null ? {} : { currency: code }) };
}

/** Prints one JSON object: the result or, with `--dry-run`, what would happen. */
export async function spendImport(path: string, options: SpendImportOptions): Promise<void> {
  const given = readGivenFile(path);
  const said = mappingOf(options);
  await withLedger('spend import', options, async ({ database }) => {
    const kept = options.mapping === undefined ? null : await spendMapping(database, options.mapping);
    const mapping = { ...kept, ...said, columns: { ...kept?.columns, ...said.columns } };
    const file = { ...given, mapping };
    if (options.dryRun === true) {
      writeLines([wouldBe(await previewSpendFile(database, file))]);
      return;
    }
    const planned = await importSpendFile(database, { ...file, by: userName() });
    writeLines([planned]);
    if (planned.outcome === 'unchanged')
      process.stderr.write(`${file.name} was imported before and is in force: nothing changes.\n`);
  });
}

/** Stores a mapping of headings to columns by name. Prints one JSON object. */
export async function spendMap(name: string, options: MappingOptions): Promise<void> {
  const known = mappingNameSchema.safeParse(name);
  if (!known.success)
    throw new UsageError(`The name "${name}" cannot be used: it ${known.error.issues[0]?.message ?? ''}.`);
  const mapping = { name: known.data, ...mappingOf(options) };
  if (Object.keys(mapping.columns).length === 0)
    throw new UsageError('Name at least one column, like --column amount="Valor gasto".');
  await withLedger('spend map', options, async ({ database }) => {
    await keepSpendMapping(database, mapping, userName());
    writeLines((await listSpendMappings(database)).filter((one) => one.name === mapping.name));
  });
}

/** Prints one JSON object per stored mapping. */
export async function spendMappings(options: CommonOptions): Promise<void> {
  await withExistingLedger('spend mappings', options, async ({ database }) => {
    writeLines(await listSpendMappings(database));
  });
}

/** Prints one JSON object per import, replaced and withdrawn ones included. */
export async function spendList(options: CommonOptions): Promise<void> {
  await withExistingLedger('spend list', options, async ({ database }) => {
    writeLines(await listSpendImports(database));
  });
}

export async function spendWithdraw(import_id: string, options: CommonOptions): Promise<void> {
  await withExistingLedger('spend withdraw', options, async ({ database }) => {
    writeLines([await withdrawSpendImport(database, import_id, userName())]);
  });
}

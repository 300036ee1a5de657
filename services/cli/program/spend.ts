import { SPEND_COLUMNS } from '@ctwa-ledger/schemas/spend.ts';
import type { Command } from 'commander';
import type { MappingOptions, SpendImportOptions } from '../commands/spend.ts';
import type { CommonOptions } from '../settings.ts';
import type { AddCommand } from './add-command.ts';

/** Commands for the cost of ads. */
export function spendCommands(command: AddCommand, root: Command): void {
  const spend = root
    .command('spend')
    .description('import what ads cost, from exports of Meta Ads Manager')
    .exitOverride();
  const mapped = (command: Command): Command =>
    command
      .option(
        '--column <column=heading>',
        `the heading of a column, if it is not recognised: ${SPEND_COLUMNS.join(', ')}; may be given several times`,
        (one: string, all: readonly string[] = []) => [...all, one],
      )
      .option('--currency <code>', 'the currency of all amounts, if the file does not say it');
  mapped(
    command(
      'import',
      'import an export, CSV or .xlsx: Ad ID, Amount spent, days, names; the same days again replace the earlier ones',
      spend,
    ),
  )
    .argument('<file>')
    .option('--mapping <name>', 'the name of a stored mapping of columns')
    .option('--dry-run', 'show what would change, without changing it')
    .action(async (file: string, options: SpendImportOptions) =>
      (await import('../commands/spend.ts')).spendImport(file, options),
    );
  mapped(command('map', 'save under a name which heading is which column; saving it again replaces it', spend))
    .argument('<name>')
    .action(async (name: string, options: MappingOptions) =>
      (await import('../commands/spend.ts')).spendMap(name, options),
    );
  command('mappings', 'list the stored mappings of columns', spend).action(async (options: CommonOptions) =>
    (await import('../commands/spend.ts')).spendMappings(options),
  );
  command('list', 'list all imports, also those that were replaced or withdrawn', spend).action(
    async (options: CommonOptions) => (await import('../commands/spend.ts')).spendList(options),
  );
  command('withdraw', 'withdraw an import; what it replaced is in force again', spend)
    .argument('<import-id>')
    .action(async (id: string, options: CommonOptions) =>
      (await import('../commands/spend.ts')).spendWithdraw(id, options),
    );
}

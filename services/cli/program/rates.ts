import { rateModelSchema } from '@ctwa-ledger/schemas/rate-file.ts';
import { Option, type Command } from 'commander';
import type { RatesImportOptions } from '../commands/rates.ts';
import type { TemplatesImportOptions } from '../commands/templates.ts';
import type { CommonOptions } from '../settings.ts';
import type { AddCommand } from './add-command.ts';

/** Commands for price lists, tiers and templates. */
export function rateCommands(command: AddCommand, root: Command): void {
  const rates = root.command('rates').description("import and list Meta's rate cards and volume tiers").exitOverride();
  command(
    'import',
    'import a rate card or tier file, CSV or .xlsx; the last one imported for a date is in force',
    rates,
  )
    .argument('<file>')
    .option(
      '--effective <date>',
      'the day from which it is in force, YYYY-MM-DD (default: the one that the file names)',
    )
    .option('--effective-anyway', 'use that day even if the file names another one')
    .addOption(
      new Option('--model <model>', 'what is charged for, if the file does not say it').choices(
        rateModelSchema.options,
      ),
    )
    .option('--dry-run', 'show what would change, without changing it')
    .action(async (file: string, options: RatesImportOptions) =>
      (await import('../commands/rates.ts')).ratesImport(file, options),
    );
  command('list', 'list all cards, also those that were replaced or withdrawn', rates).action(
    async (options: CommonOptions) => (await import('../commands/rates.ts')).ratesList(options),
  );
  command('withdraw', 'withdraw a card; the one that it replaced is in force again', rates)
    .argument('<card-id>')
    .action(async (id: string, options: CommonOptions) =>
      (await import('../commands/rates.ts')).ratesWithdraw(id, options),
    );

  const templates = root
    .command('templates')
    .description("import Meta's message templates, for the categories that the send check needs")
    .exitOverride();
  command('import', "import Meta's answer to GET /<WABA>/message_templates", templates)
    .argument('<file>')
    .option('--waba <id>', 'the account of the templates, if the file does not name it (default: any account)')
    .action(async (file: string, options: TemplatesImportOptions) =>
      (await import('../commands/templates.ts')).templatesImport(file, options),
    );
  command('list', 'list the templates that were imported', templates).action(async (options: CommonOptions) =>
    (await import('../commands/templates.ts')).templatesList(options),
  );
  command('imports', 'list all imports of templates, also those that were replaced or withdrawn', templates).action(
    async (options: CommonOptions) => (await import('../commands/templates.ts')).templatesImports(options),
  );
  command('withdraw', 'withdraw an import of templates; what it replaced is in force again', templates)
    .argument('<import-id>')
    .action(async (id: string, options: CommonOptions) =>
      (await import('../commands/templates.ts')).templatesWithdraw(id, options),
    );
}

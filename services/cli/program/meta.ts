import { CASE_ACTIONS, type CaseAction } from '@ctwa-ledger/schemas/cases.ts';
import { INVOICE_COLUMNS } from '@ctwa-ledger/schemas/invoices.ts';
import { META_FIELDS } from '@ctwa-ledger/schemas/meta.ts';
import { Argument, Option, type Command } from 'commander';
import type { InvoiceImportOptions, InvoiceMapOptions } from '../commands/invoice.ts';
import type { MetaFetchOptions, MetaImportCommandOptions } from '../commands/meta.ts';
import type { ReconcileOptions } from '../commands/reconcile.ts';
import type { CommonOptions } from '../settings.ts';
import type { AddCommand } from './add-command.ts';

/** Commands for Meta's numbers, invoices and reconciliation. */
export function metaCommands(command: AddCommand, root: Command): void {
  const meta = root.command('meta').description("import or fetch Meta's analytics to compare with").exitOverride();
  command('import', "import answers of Meta's Graph API: all files, or none", meta)
    .argument('<file...>')
    .option('--waba <id>', 'the account, if the files do not name it')
    .option('--field <name>', `the field of the answers, if the files do not name it: ${META_FIELDS.join(', ')}`)
    .addOption(
      new Option('--days <cut>', "utc: a partner cut the days in UTC (default: in the account's zone)").choices([
        'utc',
      ]),
    )
    .option('--from <date>', 'the first day that was asked for, YYYY-MM-DD (default: the first that a point names)')
    .option('--to <date>', 'the day after the last one that was asked for')
    .option('--incoming', 'analytics: they count messages of customers (product type 100)')
    .action(async (files: string[], options: MetaImportCommandOptions) =>
      (await import('../commands/meta.ts')).metaImport(files, options),
    );
  command(
    'fetch',
    "ask Meta's Graph API (META_ACCESS_TOKEN, META_GRAPH_URL) for the accounts, and import the answers",
    meta,
  )
    .option('--waba <id>', 'only this account (default: all)')
    .option('--month <month>', 'the days of a month that are over, YYYY-MM')
    .option('--from <date>', 'the first day (default: that of the last month)')
    .option('--to <date>', 'the day after the last one (default: today)')
    .action(async (options: MetaFetchOptions) => (await import('../commands/meta.ts')).metaFetch(options));
  command('list', 'list all imports, also those that were replaced or withdrawn', meta).action(
    async (options: CommonOptions) => (await import('../commands/meta.ts')).metaList(options),
  );
  command('withdraw', 'withdraw an import; what it replaced is in force again', meta)
    .argument('<import-id>')
    .action(async (id: string, options: CommonOptions) =>
      (await import('../commands/meta.ts')).metaWithdraw(id, options),
    );

  invoiceCommands(command, root);

  reconcileCommands(command);
}

function invoiceCommands(command: AddCommand, root: Command): void {
  const invoice = root.command('invoice').description('import invoices of Meta or a partner').exitOverride();
  command('map', 'save under a name which heading is which column; saving it again replaces it', invoice)
    .argument('<name>')
    .option(
      '--column <column=heading>',
      `which heading a column has: ${INVOICE_COLUMNS.join(', ')}; may be given several times`,
      (one: string, all: readonly string[] = []) => [...all, one],
    )
    .option('--currency <code>', 'the currency of all amounts, if the file does not say it')
    .addOption(
      new Option('--decimal <sign>', 'the sign before the decimals, if the file leaves doubt').choices([
        'point',
        'comma',
      ]),
    )
    .action(async (name: string, options: InvoiceMapOptions) =>
      (await import('../commands/invoice.ts')).invoiceMap(name, options),
    );
  command('mappings', 'list the stored mappings of columns', invoice).action(async (options: CommonOptions) =>
    (await import('../commands/invoice.ts')).invoiceMappings(options),
  );
  command('import', 'import an invoice, CSV or .xlsx', invoice)
    .argument('<file>')
    .requiredOption('--mapping <name>', 'the name of a stored mapping of columns')
    .option('--waba <id>', 'the account that it is for')
    .action(async (file: string, options: InvoiceImportOptions) =>
      (await import('../commands/invoice.ts')).invoiceImport(file, options),
    );
  command('list', 'list all invoices, also those that were withdrawn', invoice).action(async (options: CommonOptions) =>
    (await import('../commands/invoice.ts')).invoiceList(options),
  );
  command('withdraw', 'withdraw an invoice; it stays listed', invoice)
    .argument('<import-id>')
    .action(async (id: string, options: CommonOptions) =>
      (await import('../commands/invoice.ts')).invoiceWithdraw(id, options),
    );
}

function reconcileCommands(command: AddCommand): void {
  const reconcile = command(
    'reconcile',
    "compare a month with Meta's numbers: one JSON object; exit code 3 when something differs",
  )
    .requiredOption('--month <month>', 'YYYY-MM, of days in the zone of the account')
    .option('--waba <id>', 'the account (default: the only one with messages in the month)')
    .option(
      '--tolerance-percent <p>',
      "how much volumes may differ, in percent of Meta's (default: the account's, or 0.5)",
    )
    .option(
      '--tolerance-messages <n>',
      "the same in messages (default: the account's, or 1); the larger of both counts",
    )
    .action(async (options: ReconcileOptions) => (await import('../commands/reconcile.ts')).reconcile(options));
  command('cases', 'list the differences of the month as cases, or decide on one of them', reconcile)
    .addArgument(new Argument('[action]', 'what is decided').choices(CASE_ACTIONS))
    .option('--case <explanation>', 'which case, like midnight')
    .option('--note <text>', 'a comment that is stored with it')
    .option('--until <day>', 'accept: the last day of the acceptance, YYYY-MM-DD')
    .option('--to <name>', 'assign: the new owner; empty = nobody')
    .option('--json', 'JSON on a terminal too, one object per case')
    .action(async (action: CaseAction | undefined, _: unknown, cases: Command) =>
      (await import('../commands/cases.ts')).cases(action, cases.optsWithGlobals()),
    );
  command('tolerances', 'try tolerances on past months: how many rows would differ; stores nothing', reconcile)
    .option('--months <n>', 'how many months, up to the one of --month', '12')
    .option('--json', 'JSON on a terminal too, one object per month')
    .action(async (_: unknown, tolerances: Command) =>
      (await import('../commands/tolerances.ts')).tolerances(tolerances.optsWithGlobals()),
    );
  command(
    'evidence',
    'write the rows of a case or chosen rows, their messages and a letter as a ZIP archive',
    reconcile,
  )
    .option('--case <explanation>', 'which case, like midnight')
    .option('--row <key...>', 'only these rows: day|number|country|category|type|tier, as the report has them')
    .option('--out <file>', 'the file (default: one that names month, account and case)')
    .option('--json', 'JSON on a terminal too')
    .action(async (_: unknown, evidence: Command) =>
      (await import('../commands/evidence.ts')).evidence(evidence.optsWithGlobals()),
    );
}

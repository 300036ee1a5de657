import { CASE_ACTIONS, type CaseAction } from '@ctwa-ledger/schemas/cases.ts';
import { rateModelSchema } from '@ctwa-ledger/schemas/rate-file.ts';
import { EXPORT_COMPRESSIONS, EXPORT_FORMATS, EXPORT_PERIODS } from '@ctwa-ledger/schemas/exports.ts';
import { INVOICE_COLUMNS } from '@ctwa-ledger/schemas/invoices.ts';
import { META_FIELDS } from '@ctwa-ledger/schemas/meta.ts';
import {
  COMMON_PARAMETERS,
  MESSAGES_BY,
  NARROWING_PARAMETERS,
  optionOf,
  type CommonParameter,
} from '@ctwa-ledger/schemas/report-parameters.ts';
import { NARROWINGS, type Narrowing } from '@ctwa-ledger/schemas/asked.ts';
import { SPEND_COLUMNS } from '@ctwa-ledger/schemas/spend.ts';
import { TRIGGER_KINDS, URL_MATCHES } from '@ctwa-ledger/schemas/triggers.ts';
import { Argument, Command, CommanderError, Option } from 'commander';
import { ActionableError } from '../clickhouse/errors.ts';
import { VERSION } from '../version.ts';
import type { AccountOptions } from './commands/accounts.ts';
import type { ConsumeCommandOptions } from './commands/consume.ts';
import type { ExportOptions } from './commands/export.ts';
import type {
  ExportsAddOptions,
  ExportsBackfillOptions,
  ExportsOptions,
  ExportsRunOptions,
} from './commands/exports.ts';
import type { InvoiceImportOptions, InvoiceMapOptions } from './commands/invoice.ts';
import type { MetaFetchOptions, MetaImportCommandOptions } from './commands/meta.ts';
import type { CloseOptions, PeriodsOptions, PeriodsReportOptions, ReopenOptions } from './commands/periods.ts';
import type { ReconcileOptions } from './commands/reconcile.ts';
import type { RatesImportOptions } from './commands/rates.ts';
import type { SimulateTexts } from './commands/simulate.ts';
import type { ExporterTexts } from './commands/exporter.ts';
import type { MappingOptions, SpendImportOptions } from './commands/spend.ts';
import type { ServerOptions } from './commands/start.ts';
import { DEFAULT_GROUP } from './kafka-settings.ts';
import type { TemplatesImportOptions } from './commands/templates.ts';
import type { TopicsOptions } from './commands/topics.ts';
import type { DeliveriesOptions, ReplayOptions, TriggerOptions, TryOptions } from './commands/triggers.ts';
import { UsageError, type CommonOptions } from './settings.ts';

/** Options that name days, and everything that some report can be narrowed to. */
const REPORT_OPTIONS = ['from', 'to', 'month', 'period', 'tz', 'as_of', 'by', ...NARROWINGS] as const;

function meaningOf(name: (typeof REPORT_OPTIONS)[number]): string {
  return (
    (name in COMMON_PARAMETERS ? COMMON_PARAMETERS[name as CommonParameter] : NARROWING_PARAMETERS[name as Narrowing])
      .description ?? ''
  );
}

function exportCommand(command: Command): void {
  command.argument('<report>');
  for (const name of REPORT_OPTIONS) {
    const option = new Option(`--${optionOf(name)} <${name}>`, meaningOf(name));
    command.addOption(name === 'by' ? option.choices(MESSAGES_BY) : option);
  }
  command
    .option('--out <file>', 'write to a file instead of stdout')
    .option('--sample', 'read the sample data instead of the ledger')
    .action(async (report: string, options: ExportOptions & Readonly<Record<string, string | undefined>>) => {
      const asked = Object.fromEntries(
        command.options.flatMap((option) => {
          const name = REPORT_OPTIONS.find((known) => `--${optionOf(known)}` === option.long);
          return name === undefined ? [] : [[name, options[option.attributeName()]]];
        }),
      );
      await (await import('./commands/export.ts')).exportReport(report, { ...options, asked });
    });
}

/** A command loads its own modules, and only when it runs: all of them together take longer than most commands. */
function program(): Command {
  const root = new Command('ctwa-ledger')
    .description('Rebuilds what Meta should have billed for Click-to-WhatsApp conversations, message by message.')
    .version(VERSION, '--version', 'print the version')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('Run with --help to see how.');
  const command = (name: string, description: string, parent: Command = root): Command =>
    parent
      .command(name)
      .description(description)
      .option('--data <dir>', 'data directory of the embedded ClickHouse (default: .data)')
      .option('--config <file>', 'configuration file (default: ctwa-ledger.config.json, if there is one)')
      .exitOverride();

  command('start', 'everything in one process: webhook receiver, API and dashboard')
    .option('--port <n>', 'port to listen on', '8787')
    .option('--host <h>', 'address to listen on', '127.0.0.1')
    .option('--empty', 'send the sample data away')
    .action(async (options: ServerOptions) => (await import('./commands/start.ts')).start(options));
  command('webhook', "receiver of Meta's webhooks: into Kafka when KAFKA_BROKERS is set, else into the ledger")
    .option('--port <n>', 'port to listen on', '8788')
    .option('--host <h>', 'address to listen on', '127.0.0.1')
    .action(async (options: ServerOptions) => (await import('./commands/start.ts')).webhook(options));
  command('dashboard', 'pages and API of a ledger that other processes write')
    .option('--port <n>', 'port to listen on', '8787')
    .option('--host <h>', 'address to listen on', '127.0.0.1')
    .option('--empty', 'send the sample data away')
    .action(async (options: ServerOptions) => (await import('./commands/start.ts')).dashboard(options));
  command('exporter', 'write the CSVs of the last finished days, at once and on a schedule')
    .requiredOption('--dir <dir>', 'directory of the files: <report>/<report>-YYYY-MM-DD.csv')
    .option('--schedule <cron>', 'when to look again, five fields, in the zone', '15 * * * *')
    .option('--tz <zone>', 'IANA time zone of days and times', 'UTC')
    .option('--reports <list>', 'which reports, with commas between', 'messages,conversations,daily,ads,charges')
    .option('--days <n>', 'how many finished days: late events change days that are over', '8')
    .option('--port <n>', 'port of health, readiness and metrics', '9465')
    .option('--host <h>', 'address to listen on', '127.0.0.1')
    .action(async (options: ExporterTexts) => (await import('./commands/exporter.ts')).exporter(options));
  command('consume', 'read events from Kafka into the ledger (KAFKA_BROKERS, …)')
    .option('--group <name>', 'consumer group', DEFAULT_GROUP)
    .option('--from-beginning', 'forget what the group has read, and read everything again')
    .option('--port <n>', 'answer /healthz, /readyz and /metrics on this port (default: nowhere)')
    .option('--host <h>', 'address of that port', '127.0.0.1')
    .action(async (options: ConsumeCommandOptions) => (await import('./commands/consume.ts')).consumeCommand(options));
  command('ingest', 'read events and webhook envelopes from NDJSON files (- = standard input, .gz accepted)')
    .argument('<file...>')
    .action(async (files: string[], options: CommonOptions) =>
      (await import('./commands/ingest.ts')).ingest(files, options),
    );
  exportCommand(command('export', 'write a report as CSV: messages, conversations, daily, ads, charges and others'));

  const exports = root.command('exports').description('exports on a schedule: what, when, where, and how they went');
  exports.exitOverride();
  const scheduled = (name: string, description: string): Command =>
    command(name, description, exports).option('--json', 'JSON on a terminal too, one object per line');
  const below = (command: Command): Command =>
    command.option('--dir <dir>', 'the directory of the exporter (default: exports, in the data directory)');
  scheduled('list', 'list the schedules, when they are due next, and how they went last').action(
    async (options: ExportsOptions) => (await import('./commands/exports.ts')).exportsList(options),
  );
  const add = scheduled('add', 'add a schedule; an exporter runs it')
    .argument('<name>')
    .requiredOption('--report <report>', 'what is exported')
    .requiredOption(
      '--when <when>',
      'like "every weekday 06:00 America/Sao_Paulo", "1st of the month 07:00", or five fields of cron and a zone',
    )
    .addOption(
      new Option('--period <period>', 'the days of a run, seen from the day of its time')
        .choices(EXPORT_PERIODS)
        .makeOptionMandatory(),
    )
    .option('--zone <zone>', 'IANA time zone of the times, where --when names none', 'UTC')
    .addOption(new Option('--format <format>', 'what the files are').choices(EXPORT_FORMATS).default('csv'))
    .addOption(
      new Option('--compression <packing>', 'how the files are packed').choices(EXPORT_COMPRESSIONS).default('none'),
    )
    .option('--columns <list>', 'which columns, with commas between (default: all)')
    .option('--folder <folder>', 'folder below the directory of the exporter (default: the name)');
  for (const name of ['tz', 'by', ...NARROWINGS] as const) add.option(`--${optionOf(name)} <${name}>`, meaningOf(name));
  add.action(async (name: string, options: ExportsAddOptions & Readonly<Record<string, unknown>>) =>
    (await import('./commands/exports.ts')).exportsAdd(name, options),
  );
  for (const [verb, state, description] of [
    ['pause', 'paused', 'run a schedule no more until it is resumed'],
    ['resume', 'active', 'run a schedule again, from now on'],
    ['remove', 'removed', 'end a schedule; its files stay'],
  ] as const)
    scheduled(verb, description)
      .argument('<name>')
      .action(async (name: string, options: ExportsOptions) =>
        (await import('./commands/exports.ts')).exportsSetState(name, state, options),
      );
  below(scheduled('run', 'run a schedule as if it were due now'))
    .argument('<name>')
    .action(async (name: string, options: ExportsRunOptions) =>
      (await import('./commands/exports.ts')).exportsRun(name, options),
    );
  below(scheduled('backfill', 'run what a schedule would have run between two days; what was done stays'))
    .argument('<name>')
    .requiredOption('--from <date>', 'the first day, YYYY-MM-DD')
    .requiredOption('--to <date>', 'the day after the last one')
    .action(async (name: string, options: ExportsBackfillOptions) =>
      (await import('./commands/exports.ts')).exportsBackfill(name, options),
    );
  scheduled('history', 'list what became of each period of a schedule, the last one first')
    .argument('<name>')
    .action(async (name: string, options: ExportsOptions) =>
      (await import('./commands/exports.ts')).exportsHistory(name, options),
    );
  below(scheduled('verify', 'read files and manifests back, and hold them against the ledger'))
    .argument('[name]', 'only this schedule')
    .action(async (name: string | undefined, options: ExportsRunOptions) =>
      (await import('./commands/exports.ts')).exportsVerify(name, options),
    );
  command('explain', 'say in one sentence why a message was marked as it was')
    .argument('<message-id>')
    .option('--tz <zone>', 'IANA time zone of the times (default: UTC)')
    .option('--sample', 'read the sample data instead of the ledger')
    .action(async (id: string, options: CommonOptions & { tz?: string; sample?: boolean }) =>
      (await import('./commands/explain.ts')).explain(id, options),
    );
  command('rebuild', 'derive all marks anew from the landed events').action(async (options: CommonOptions) =>
    (await import('./commands/rebuild.ts')).rebuild(options),
  );
  command('simulate', 'write realistic, deterministic traffic for demos and benchmarks')
    .requiredOption('--threads <n>', 'number of threads')
    .requiredOption('--days <n>', 'number of days')
    .requiredOption('--seed <n>', 'the same seed gives the same traffic')
    .option('--end <date>', 'the day after the last one, UTC', '2026-11-01')
    .option('--out <file>', 'write to a file instead of stdout')
    .action(async (options: SimulateTexts) => (await import('./commands/simulate.ts')).simulateTraffic(options));
  command('doctor', 'check versions, paths, disk and what is reachable').action(async (options: CommonOptions) =>
    (await import('./commands/doctor.ts')).doctor(options),
  );

  const letters = root.command('dead-letter').description('values that could not be used').exitOverride();
  command('list', 'list those that wait, first seen first', letters)
    .option('--limit <n>', 'how many at most', '100')
    .action(async (options: CommonOptions & { limit: string }) =>
      (await import('./commands/dead-letter.ts')).deadLetterList(options),
    );
  command('replay', 'try all of them again, after a fix', letters)
    .option('--from <where>', 'table: those that wait in the ledger; topic: those in the dead-letter topic', 'table')
    .action(async (options: CommonOptions & { from: string }) =>
      (await import('./commands/dead-letter.ts')).deadLetterReplay(options),
    );

  root
    .command('topics')
    .description('the topics of Kafka')
    .exitOverride()
    .command('create')
    .description('create those that are missing, with equally many partitions')
    .option('--partitions <n>', 'partitions of each; they bound the number of consumers', '48')
    .option('--replication <n>', 'copies of each partition; 3 where three brokers are', '1')
    .exitOverride()
    .action(async (options: TopicsOptions) => (await import('./commands/topics.ts')).topicsCreate(options));

  const accounts = root
    .command('accounts')
    .description('WhatsApp business accounts: zone, currency, portfolio')
    .exitOverride();
  command('list', 'list the accounts that are set, and where, and those that messages name', accounts).action(
    async (options: CommonOptions) => (await import('./commands/accounts.ts')).accountsList(options),
  );
  command('set', 'set an account; the configuration file wins over it', accounts)
    .argument('<waba>')
    .option('--name <name>')
    .option('--time-zone <zone>', 'IANA time zone: decides the day on which a policy begins')
    .option('--currency <code>', 'billing currency, ISO 4217')
    .option('--closing-day <day>', 'earliest day of the next month on which a month is closed, 1 to 28 (default: 5)')
    .option('--portfolio <id>', 'portfolio whose tiers it shares')
    .option('--phone-number-id <id...>', 'business numbers, for events that name no account')
    .option(
      '--phone-number <id=number...>',
      "how business numbers are displayed, which is what Meta's analytics call them",
    )
    .action(async (waba: string, options: AccountOptions) =>
      (await import('./commands/accounts.ts')).accountsSet(waba, options),
    );

  const rates = root.command('rates').description("Meta's price lists and volume tiers").exitOverride();
  command('import', 'import a rate card or tier file, CSV or .xlsx; the last one imported for a date holds', rates)
    .argument('<file>')
    .option(
      '--effective <date>',
      'the day from which it is in force, YYYY-MM-DD (default: the one that the file names)',
    )
    .option('--effective-anyway', 'take that day although the file names another one')
    .addOption(
      new Option('--model <model>', 'what is charged for, where the file does not say it').choices(
        rateModelSchema.options,
      ),
    )
    .option('--dry-run', 'show what would change, and change nothing')
    .action(async (file: string, options: RatesImportOptions) =>
      (await import('./commands/rates.ts')).ratesImport(file, options),
    );
  command('list', 'list all cards, also those that were replaced or withdrawn', rates).action(
    async (options: CommonOptions) => (await import('./commands/rates.ts')).ratesList(options),
  );
  command('withdraw', 'take a card out of force; the one that it replaced holds again', rates)
    .argument('<card-id>')
    .action(async (id: string, options: CommonOptions) =>
      (await import('./commands/rates.ts')).ratesWithdraw(id, options),
    );

  const templates = root
    .command('templates')
    .description("Meta's message templates, for the categories that the send check needs")
    .exitOverride();
  command('import', "import Meta's answer to GET /<WABA>/message_templates", templates)
    .argument('<file>')
    .option('--waba <id>', 'whose templates they are, where the file does not say (default: any account)')
    .action(async (file: string, options: TemplatesImportOptions) =>
      (await import('./commands/templates.ts')).templatesImport(file, options),
    );
  command('list', 'list the templates that were imported', templates).action(async (options: CommonOptions) =>
    (await import('./commands/templates.ts')).templatesList(options),
  );
  command('imports', 'list all imports of templates, also those that were replaced or withdrawn', templates).action(
    async (options: CommonOptions) => (await import('./commands/templates.ts')).templatesImports(options),
  );
  command('withdraw', 'take an import of templates back; what it replaced holds again', templates)
    .argument('<import-id>')
    .action(async (id: string, options: CommonOptions) =>
      (await import('./commands/templates.ts')).templatesWithdraw(id, options),
    );

  const triggers = root
    .command('triggers')
    .description('what is told when a message of an ad arrives, or a deadline comes near')
    .exitOverride();
  const defined = (command: Command): Command =>
    command
      .addOption(
        new Option('--kind <kind>', 'what makes it fire: a message that arrives, or a deadline').choices(TRIGGER_KINDS),
      )
      .option('--hours <n>', 'how long before the deadline')
      .option('--ad <id...>', 'ids of ads or posts, any of them')
      .option('--url <address>', 'the address of the ad or post; an empty one takes the filter away')
      .addOption(new Option('--url-match <how>', 'how it is compared (default: exact)').choices(URL_MATCHES))
      .option('--phone-number-id <id...>', 'business numbers, any of them')
      .option('--campaign <name...>', 'campaigns as they were imported with ad spend, any of them')
      .option('--topic', 'tell the topic whatsapp.ad-trigger')
      .option('--no-topic', 'do not tell the topic')
      .option('--webhook <url>', 'send a request to this address, signed with CTWA_TRIGGER_SECRET; empty: none')
      .option('--max-age <seconds>', 'how old a message may be when it arrives, or any (default: 600)');
  defined(command('add', 'save a new trigger', triggers).requiredOption('--name <name>')).action(
    async (options: TriggerOptions) => (await import('./commands/triggers.ts')).triggersAdd(options),
  );
  defined(
    command('set', 'change a trigger; what is left out stays', triggers)
      .argument('<trigger-id>')
      .option('--name <name>'),
  ).action(async (id: string, options: TriggerOptions) =>
    (await import('./commands/triggers.ts')).triggersSet(id, options),
  );
  for (const [name, state, meaning] of [
    ['pause', 'paused', 'pause a trigger: it never fires for what arrives meanwhile'],
    ['resume', 'active', 'let a paused trigger go on'],
    ['delete', 'deleted', 'delete a trigger'],
  ] as const)
    command(name, meaning, triggers)
      .argument('<trigger-id>')
      .action(async (id: string, options: CommonOptions) =>
        (await import('./commands/triggers.ts')).triggersState(name, id, state, options),
      );
  command('list', 'list the triggers, and how often they fired', triggers).action(async (options: CommonOptions) =>
    (await import('./commands/triggers.ts')).triggersList(options),
  );
  command('test', 'say for which messages of the past a trigger would have fired', triggers)
    .argument('<trigger-id>')
    .option('--from <date>', 'first day, UTC (default: seven days before the last)')
    .option('--to <date>', 'the day after the last one, UTC (default: now)')
    .action(async (id: string, options: TryOptions) =>
      (await import('./commands/triggers.ts')).triggersTest(id, options),
    );
  command('deliveries', 'list what fired and what became of telling it, the latest first', triggers)
    .option('--trigger <id>', 'of this trigger only')
    .option('--limit <n>', 'how many at most', '100')
    .action(async (options: DeliveriesOptions) => (await import('./commands/triggers.ts')).triggersDeliveries(options));
  command('replay', 'tell once more: of one message, or of all that was given up', triggers)
    .option('--trigger <id>')
    .option('--message <id>')
    .option('--phone-number-id <id>')
    .action(async (options: ReplayOptions) => (await import('./commands/triggers.ts')).triggersReplay(options));

  const spend = root.command('spend').description('what ads cost, from exports of Meta Ads Manager').exitOverride();
  const mapped = (command: Command): Command =>
    command
      .option(
        '--column <column=heading>',
        `which heading a column has, where it is not known: ${SPEND_COLUMNS.join(', ')}; may be given several times`,
        (one: string, all: readonly string[] = []) => [...all, one],
      )
      .option('--currency <code>', 'the currency of all amounts, where the file does not say it');
  mapped(
    command(
      'import',
      'import an export, CSV or .xlsx: Ad ID, Amount spent, days, names; the same days again replace',
      spend,
    ),
  )
    .argument('<file>')
    .option('--mapping <name>', 'the columns as they are kept under this name')
    .option('--dry-run', 'show what would change, and change nothing')
    .action(async (file: string, options: SpendImportOptions) =>
      (await import('./commands/spend.ts')).spendImport(file, options),
    );
  mapped(command('map', 'keep by name which heading is which column; the same name again replaces', spend))
    .argument('<name>')
    .action(async (name: string, options: MappingOptions) =>
      (await import('./commands/spend.ts')).spendMap(name, options),
    );
  command('mappings', 'list the mappings of columns that are kept', spend).action(async (options: CommonOptions) =>
    (await import('./commands/spend.ts')).spendMappings(options),
  );
  command('list', 'list all imports, also those that were replaced or withdrawn', spend).action(
    async (options: CommonOptions) => (await import('./commands/spend.ts')).spendList(options),
  );
  command('withdraw', 'take an import back; what it replaced holds again', spend)
    .argument('<import-id>')
    .action(async (id: string, options: CommonOptions) =>
      (await import('./commands/spend.ts')).spendWithdraw(id, options),
    );

  const meta = root.command('meta').description("what Meta's analytics say, to hold ours against").exitOverride();
  command('import', "import answers of Meta's Graph API; all of the files, or none", meta)
    .argument('<file...>')
    .option('--waba <id>', 'the account that they are about, where they do not say it')
    .option('--field <name>', `what they answer, where they do not say it: ${META_FIELDS.join(', ')}`)
    .addOption(
      new Option('--days <cut>', "utc: a partner cut the days in UTC (default: in the account's zone)").choices([
        'utc',
      ]),
    )
    .option('--from <date>', 'the first day that was asked for, YYYY-MM-DD (default: the first that a point names)')
    .option('--to <date>', 'the day after the last one that was asked for')
    .option('--incoming', 'analytics: they count what customers wrote (product type 100)')
    .action(async (files: string[], options: MetaImportCommandOptions) =>
      (await import('./commands/meta.ts')).metaImport(files, options),
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
    .action(async (options: MetaFetchOptions) => (await import('./commands/meta.ts')).metaFetch(options));
  command('list', 'list all imports, also those that were replaced or withdrawn', meta).action(
    async (options: CommonOptions) => (await import('./commands/meta.ts')).metaList(options),
  );
  command('withdraw', 'take an import back; what it replaced holds again', meta)
    .argument('<import-id>')
    .action(async (id: string, options: CommonOptions) =>
      (await import('./commands/meta.ts')).metaWithdraw(id, options),
    );

  const invoice = root.command('invoice').description('invoices of Meta or a partner').exitOverride();
  command('map', 'keep by name which heading is which column; the same name again replaces', invoice)
    .argument('<name>')
    .option(
      '--column <column=heading>',
      `which heading a column has: ${INVOICE_COLUMNS.join(', ')}; may be given several times`,
      (one: string, all: readonly string[] = []) => [...all, one],
    )
    .option('--currency <code>', 'the currency of all amounts, where the file does not say it')
    .addOption(
      new Option('--decimal <sign>', 'the sign before the decimals, where the file leaves doubt').choices([
        'point',
        'comma',
      ]),
    )
    .action(async (name: string, options: InvoiceMapOptions) =>
      (await import('./commands/invoice.ts')).invoiceMap(name, options),
    );
  command('mappings', 'list the mappings of columns that are kept', invoice).action(async (options: CommonOptions) =>
    (await import('./commands/invoice.ts')).invoiceMappings(options),
  );
  command('import', 'import an invoice, CSV or .xlsx', invoice)
    .argument('<file>')
    .requiredOption('--mapping <name>', 'the columns as they are kept under this name')
    .option('--waba <id>', 'the account that it is for')
    .action(async (file: string, options: InvoiceImportOptions) =>
      (await import('./commands/invoice.ts')).invoiceImport(file, options),
    );
  command('list', 'list all invoices, also those that were withdrawn', invoice).action(async (options: CommonOptions) =>
    (await import('./commands/invoice.ts')).invoiceList(options),
  );
  command('withdraw', 'take an invoice back; it stays listed', invoice)
    .argument('<import-id>')
    .action(async (id: string, options: CommonOptions) =>
      (await import('./commands/invoice.ts')).invoiceWithdraw(id, options),
    );

  const reconcile = command(
    'reconcile',
    "hold a month against Meta's numbers: one JSON object; exit code 3 when something differs",
  )
    .requiredOption('--month <month>', 'YYYY-MM, of days in the zone of the account')
    .option('--waba <id>', 'the account (default: the only one with messages in the month)')
    .option('--tolerance-percent <p>', "how much volumes may differ, in per cent of Meta's", '0.5')
    .option('--tolerance-messages <n>', 'how much volumes may differ, in messages; the larger of both holds', '1')
    .action(async (options: ReconcileOptions) => (await import('./commands/reconcile.ts')).reconcile(options));
  command('cases', 'list what differs in the month as cases, or decide on one of them', reconcile)
    .addArgument(new Argument('[action]', 'what is decided').choices(CASE_ACTIONS))
    .option('--case <explanation>', 'which case, like midnight')
    .option('--note <text>', 'what is to be kept with it')
    .option('--until <day>', 'accept: the last day on which it holds, YYYY-MM-DD')
    .option('--to <name>', 'assign: who works on it; empty: nobody')
    .option('--json', 'JSON on a terminal too, one object per case')
    .action(async (action: CaseAction | undefined, _: unknown, cases: Command) =>
      (await import('./commands/cases.ts')).cases(action, cases.optsWithGlobals()),
    );

  command('close', 'freeze the charges and messages of a month as they are known now')
    .argument('<month>', 'YYYY-MM, of days in the zone of each account')
    .option(
      '--waba <id>',
      'account to close, "none" for messages of no account; may be given several times (default: all with messages in the month)',
      (id: string, ids: string[] = []) => [...ids, id],
    )
    .option('--accept', 'close although something may be missing')
    .option('--check', 'say what may be missing, and close nothing')
    .option('--note <text>', 'what is to be kept with the closing')
    .option('--json', 'JSON on a terminal too, one object per account')
    .action(async (month: string, options: CloseOptions) =>
      (await import('./commands/periods.ts')).close(month, options),
    );
  const periods = root.command('periods').description('months that were closed').exitOverride();
  command('list', 'list all closings, also those that were reopened', periods)
    .option('--json', 'JSON on a terminal too, one object per closing')
    .action(async (options: PeriodsOptions) => (await import('./commands/periods.ts')).periodsList(options));
  command('reopen', 'print live figures of a closed month again; the closing stays listed', periods)
    .argument('<period-id>')
    .option('--reason <text>', 'why, which is kept with the closing')
    .option('--json', 'JSON on a terminal too')
    .action(async (id: string, options: ReopenOptions) =>
      (await import('./commands/periods.ts')).periodsReopen(id, options),
    );
  command(
    'report',
    'write the report of a closing into a folder: CSV, workbooks, manifest; again the same bytes',
    periods,
  )
    .argument('<period-id>')
    .option('--out <dir>', 'the folder (default: one that names the month and the account)')
    .option('--json', 'JSON on a terminal too')
    .action(async (id: string, options: PeriodsReportOptions) =>
      (await import('./commands/periods.ts')).periodsReport(id, options),
    );
  return root;
}

/** Exit codes of contract.md 2: 0 done, 1 failed, 2 wrong usage, 3 done but outside a tolerance that was asked for. */
export async function main(argv: readonly string[]): Promise<void> {
  // A reader that stops early (`| head`) has what it wants.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  try {
    await program().parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    const known = error instanceof ActionableError || error instanceof UsageError;
    process.stderr.write(
      `ctwa-ledger: ${known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

import { rateModelSchema } from '@ctwa-ledger/schemas/rate-file.ts';
import { SPEND_COLUMNS } from '@ctwa-ledger/schemas/spend.ts';
import { Command, CommanderError, Option } from 'commander';
import { LedgerError } from '../ledger/errors.ts';
import type { AccountOptions } from './commands/accounts.ts';
import type { ConsumeCommandOptions } from './commands/consume.ts';
import type { ExportOptions } from './commands/export.ts';
import type { CloseOptions } from './commands/periods.ts';
import type { RatesImportOptions } from './commands/rates.ts';
import type { SimulateTexts } from './commands/simulate.ts';
import type { ExporterTexts } from './commands/exporter.ts';
import type { MappingOptions, SpendImportOptions } from './commands/spend.ts';
import type { ServerOptions } from './commands/start.ts';
import { DEFAULT_GROUP } from './kafka-settings.ts';
import type { TopicsOptions } from './commands/topics.ts';
import { UsageError, type CommonOptions } from './settings.ts';

/** A command loads its own modules, and only when it runs: all of them together take longer than most commands. */
function program(): Command {
  const root = new Command('ctwa-ledger')
    .description('Rebuilds what Meta should have billed for Click-to-WhatsApp conversations, message by message.')
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
  command('export', 'write a report as CSV: messages, conversations, daily, ads, charges and others')
    .argument('<report>')
    .option('--from <date>', 'first day, YYYY-MM-DD, in the zone')
    .option('--to <date>', 'day after the last one')
    .option('--tz <zone>', 'IANA time zone of days and times (default: UTC)')
    .option('--as-of <time>', 'clock for what depends on now (default: now)')
    .addOption(
      new Option('--by <time>', 'messages: which time the range is of').choices(['sent', 'delivered', 'charged']),
    )
    .option('--out <file>', 'write to a file instead of stdout')
    .option('--sample', 'read the sample data instead of the ledger')
    .action(async (report: string, options: ExportOptions) =>
      (await import('./commands/export.ts')).exportReport(report, options),
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
  command('list', 'list the accounts that hold, and where each is set', accounts).action(
    async (options: CommonOptions) => (await import('./commands/accounts.ts')).accountsList(options),
  );
  command('set', 'set an account; the configuration file wins over it', accounts)
    .argument('<waba>')
    .option('--name <name>')
    .option('--time-zone <zone>', 'IANA time zone: decides the day on which a policy begins')
    .option('--currency <code>', 'billing currency, ISO 4217')
    .option('--portfolio <id>', 'portfolio whose tiers it shares')
    .option('--phone-number-id <id...>', 'business numbers, for events that name no account')
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

  command('close', 'freeze the charges and messages of a month as they are known now')
    .argument('<month>', 'YYYY-MM, of days in the zone of each account')
    .option(
      '--waba <id>',
      'account to close, "none" for messages of no account; may be given several times (default: all with messages in the month)',
      (id: string, ids: string[] = []) => [...ids, id],
    )
    .option('--accept', 'close although something may be missing')
    .option('--check', 'say what may be missing, and close nothing')
    .action(async (month: string, options: CloseOptions) =>
      (await import('./commands/periods.ts')).close(month, options),
    );
  const periods = root.command('periods').description('months that were closed').exitOverride();
  command('list', 'list all closings, also those that were reopened', periods).action(async (options: CommonOptions) =>
    (await import('./commands/periods.ts')).periodsList(options),
  );
  command('reopen', 'print live figures of a closed month again; the closing stays listed', periods)
    .argument('<period-id>')
    .action(async (id: string, options: CommonOptions) =>
      (await import('./commands/periods.ts')).periodsReopen(id, options),
    );
  return root;
}

/** Exit codes of contract.md 2: 0 done, 1 failed, 2 wrong usage. */
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
    const known = error instanceof LedgerError || error instanceof UsageError;
    process.stderr.write(
      `ctwa-ledger: ${known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

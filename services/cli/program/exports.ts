import { EXPORT_COMPRESSIONS, EXPORT_LAYOUTS, EXPORT_FORMATS, EXPORT_PERIODS } from '@ctwa-ledger/schemas/exports.ts';
import {
  COMMON_PARAMETERS,
  MESSAGES_BY,
  NARROWING_PARAMETERS,
  optionOf,
  type CommonParameter,
} from '@ctwa-ledger/schemas/report-parameters.ts';
import { isListed, NARROWINGS, type Narrowing } from '@ctwa-ledger/schemas/asked.ts';
import { Option, type Command } from 'commander';
import type { ExportOptions } from '../commands/export.ts';
import type {
  ExportsAddOptions,
  ExportsBackfillOptions,
  ExportsOptions,
  ExportsRunOptions,
} from '../commands/exports.ts';
import type { AddCommand } from './add-command.ts';

/** Options for days, and all filters of reports. */
const REPORT_OPTIONS = ['from', 'to', 'month', 'period', 'tz', 'as_of', 'by', 'changed_since', ...NARROWINGS] as const;

/** What the parameter means, written as the texts of other options are: no capital at the begin, no full stop. */
function meaningOf(name: (typeof REPORT_OPTIONS)[number]): string {
  const { description = '' } =
    name in COMMON_PARAMETERS ? COMMON_PARAMETERS[name as CommonParameter] : NARROWING_PARAMETERS[name as Narrowing];
  const text = description.replace(/\.$/, '');
  return /^(?:[A-Z]{2}|Meta)/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1);
}

function exportCommand(command: Command): void {
  command.argument('<report>');
  for (const name of REPORT_OPTIONS) {
    const option = new Option(`--${optionOf(name)} <${name}>`, meaningOf(name));
    if (isListed(name)) option.argParser<readonly string[]>((value, before = []) => [...before, value]);
    command.addOption(name === 'by' ? option.choices(MESSAGES_BY) : option);
  }
  command
    .option('--out <file>', 'write to a file instead of stdout')
    .option('--sample', 'read the sample data instead of the ledger')
    .action(
      async (
        report: string,
        options: ExportOptions & Readonly<Record<string, string | readonly string[] | undefined>>,
      ) => {
        const asked = Object.fromEntries(
          command.options.flatMap((option) => {
            const name = REPORT_OPTIONS.find((known) => `--${optionOf(known)}` === option.long);
            return name === undefined ? [] : [[name, options[option.attributeName()]]];
          }),
        );
        await (await import('../commands/export.ts')).exportReport(report, { ...options, asked });
      },
    );
}

/** Commands that write reports as files, once and on a schedule. */
export function exportCommands(command: AddCommand, root: Command): void {
  exportCommand(command('export', 'write a report as CSV: messages, conversations, daily, ads, charges and others'));
  scheduleCommands(command, root);
}

function scheduleCommands(command: AddCommand, root: Command): void {
  const exports = root.command('exports').description('manage scheduled exports and their runs');
  exports.exitOverride();
  const scheduled: AddScheduled = (name, description) =>
    command(name, description, exports).option('--json', 'JSON on a terminal too, one object per line');
  scheduled('list', 'list the schedules, when they are due next, and how they went last').action(
    async (options: ExportsOptions) => (await import('../commands/exports.ts')).exportsList(options),
  );
  addCommand(scheduled('add', 'add a schedule; an exporter runs it'));
  stateCommands(scheduled);
  runCommands(scheduled);
}

/** Adds a command about schedules. */
type AddScheduled = (name: string, description: string) => Command;

function addCommand(add: Command): void {
  add
    .argument('<name>')
    .requiredOption('--report <report>', 'what is exported')
    .requiredOption(
      '--when <when>',
      'like "every weekday 06:00 America/Sao_Paulo", "1st of the month 07:00", or five fields of cron and a zone',
    )
    .addOption(
      new Option('--period <period>', 'the days of a run, relative to its day')
        .choices(EXPORT_PERIODS)
        .makeOptionMandatory(),
    )
    .option('--zone <zone>', 'IANA time zone of the times, where --when names none', 'UTC')
    .addOption(new Option('--format <format>', 'what the files are').choices(EXPORT_FORMATS).default('csv'))
    .addOption(
      new Option('--compression <packing>', 'how the files are compressed')
        .choices(EXPORT_COMPRESSIONS)
        .default('none'),
    )
    .option('--columns <list>', 'which columns, with commas between (default: all)')
    .addOption(
      new Option('--layout <layout>', 'one folder, or folders like report=charges/period=2026-10')
        .choices(EXPORT_LAYOUTS)
        .default('flat'),
    )
    .option('--folder <folder>', 'folder below the directory of the exporter (default: the name)')
    .option(
      '--destination <address>',
      'a second destination of the files: s3://bucket/prefix?region=R&endpoint=URL, sftp://user@host/folder?host_key=SHA256:…',
    )
    .option('--notify <address>', 'address that gets a signed request when a file is there');
  for (const name of ['tz', 'by', ...NARROWINGS] as const) add.option(`--${optionOf(name)} <${name}>`, meaningOf(name));
  add.action(async (name: string, options: ExportsAddOptions & Readonly<Record<string, unknown>>) =>
    (await import('../commands/exports.ts')).exportsAdd(name, options),
  );
}

function stateCommands(scheduled: AddScheduled): void {
  for (const [verb, state, description] of [
    ['pause', 'paused', 'pause a schedule until it is resumed'],
    ['resume', 'active', 'run a schedule again, from now on'],
    ['remove', 'removed', 'end a schedule; its files stay'],
  ] as const)
    scheduled(verb, description)
      .argument('<name>')
      .action(async (name: string, options: ExportsOptions) =>
        (await import('../commands/exports.ts')).exportsSetState(name, state, options),
      );
}

/** Commands that run schedules, and those that say what became of runs. */
function runCommands(scheduled: AddScheduled): void {
  const below = (command: Command): Command =>
    command.option('--dir <dir>', 'the directory of the exporter (default: exports, in the data directory)');
  below(scheduled('run', 'run a schedule as if it were due now'))
    .argument('<name>')
    .action(async (name: string, options: ExportsRunOptions) =>
      (await import('../commands/exports.ts')).exportsRun(name, options),
    );
  below(scheduled('backfill', 'run a schedule for past days; finished runs are kept'))
    .argument('<name>')
    .requiredOption('--from <date>', 'the first day, YYYY-MM-DD')
    .requiredOption('--to <date>', 'the day after the last one')
    .action(async (name: string, options: ExportsBackfillOptions) =>
      (await import('../commands/exports.ts')).exportsBackfill(name, options),
    );
  scheduled('history', 'list each period of a schedule with its run, the latest first')
    .argument('<name>')
    .action(async (name: string, options: ExportsOptions) =>
      (await import('../commands/exports.ts')).exportsHistory(name, options),
    );
  below(scheduled('verify', 'read files and manifests back, and compare them with the ledger'))
    .argument('[name]', 'only this schedule')
    .action(async (name: string | undefined, options: ExportsRunOptions) =>
      (await import('../commands/exports.ts')).exportsVerify(name, options),
    );
}

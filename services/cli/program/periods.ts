import type { Command } from 'commander';
import type { CloseOptions, PeriodsOptions, PeriodsReportOptions, ReopenOptions } from '../commands/periods.ts';
import type { AddCommand } from './add-command.ts';

/** Commands for closing months. */
export function periodCommands(command: AddCommand, root: Command): void {
  command('close', 'freeze the charges and messages of a month as they are known now')
    .argument('<month>', 'YYYY-MM, of days in the zone of each account')
    .option(
      '--waba <id>',
      'account to close, "none" for messages of no account; may be given several times (default: all with messages in the month)',
      (id: string, ids: string[] = []) => [...ids, id],
    )
    .option('--accept', 'close although something may be missing')
    .option('--check', 'list what may be missing, without closing')
    .option('--note <text>', 'a comment that is stored with the closing')
    .option('--json', 'JSON on a terminal too, one object per account')
    .action(async (month: string, options: CloseOptions) =>
      (await import('../commands/periods.ts')).close(month, options),
    );
  const periods = root.command('periods').description('list and reopen closed months').exitOverride();
  command('list', 'list all closings, also those that were reopened', periods)
    .option('--json', 'JSON on a terminal too, one object per closing')
    .action(async (options: PeriodsOptions) => (await import('../commands/periods.ts')).periodsList(options));
  command('reopen', 'reopen a closed month: its figures are live again; the closing stays listed', periods)
    .argument('<period-id>')
    .option('--reason <text>', 'the reason, stored with the closing')
    .option('--json', 'JSON on a terminal too')
    .action(async (id: string, options: ReopenOptions) =>
      (await import('../commands/periods.ts')).periodsReopen(id, options),
    );
  command(
    'report',
    'write the report of a closing into a folder: CSV, workbooks and manifest, always the same bytes',
    periods,
  )
    .argument('<period-id>')
    .option('--out <dir>', 'the folder (default: one that names the month and the account)')
    .option('--json', 'JSON on a terminal too')
    .action(async (id: string, options: PeriodsReportOptions) =>
      (await import('../commands/periods.ts')).periodsReport(id, options),
    );
}

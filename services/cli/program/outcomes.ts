import type { Command } from 'commander';
import type { CommonOptions } from '../settings.ts';
import type { AddCommand } from './add-command.ts';

/** Commands for what ad conversations led to. */
export function outcomeCommands(command: AddCommand, root: Command): void {
  const outcomes = root
    .command('outcomes')
    .description('import what ad conversations led to: leads, purchases and others')
    .exitOverride();
  command('import', 'import a CSV file with kind, time, and id, conversation_id, ctwa_clid or customer', outcomes)
    .argument('<file>')
    .option('--dry-run', 'show what would change, without changing it')
    .action(async (file: string, options: CommonOptions & { dryRun?: boolean }) =>
      (await import('../commands/outcomes.ts')).outcomesImport(file, options),
    );
  command('list', 'list all imports, also those that were replaced or withdrawn', outcomes).action(
    async (options: CommonOptions) => (await import('../commands/outcomes.ts')).outcomesList(options),
  );
  command('withdraw', 'withdraw an import; what it replaced is in force again', outcomes)
    .argument('<import-id>')
    .action(async (id: string, options: CommonOptions) =>
      (await import('../commands/outcomes.ts')).outcomesWithdraw(id, options),
    );
  command('events', "print own outcomes in the shape of Meta's Conversions API; nothing is sent", outcomes)
    .option('--from <date>', 'first day, UTC')
    .option('--to <date>', 'the day after the last one')
    .action(async (options: CommonOptions & { from?: string; to?: string }) =>
      (await import('../commands/outcomes.ts')).outcomesEvents(options),
    );
}

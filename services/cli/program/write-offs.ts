import { WRITE_OFF_REASONS } from '@ctwa-ledger/schemas/write-offs.ts';
import { Option, type Command } from 'commander';
import type { WriteOffMakeOptions, WriteOffUndoOptions } from '../commands/write-offs.ts';
import type { CommonOptions } from '../settings.ts';
import type { AddCommand } from './add-command.ts';

/** Commands for write-offs of differences from Meta's numbers. */
export function writeOffCommands(command: AddCommand, root: Command): void {
  const writeOffs = root
    .command('write-offs')
    .description("write off differences from Meta's numbers, within the limit of the account")
    .exitOverride();
  command('make', 'write off the rows of a case, or chosen rows, as they differ now', writeOffs)
    .requiredOption('--month <month>', 'YYYY-MM')
    .requiredOption('--waba <id>', 'the account')
    .option('--case <explanation>', 'all rows of a case, like midnight')
    .option('--row <key...>', 'only these rows: day|number|country|category|type|tier, as the report has them')
    .addOption(new Option('--reason <code>', 'why').choices(WRITE_OFF_REASONS).makeOptionMandatory())
    .requiredOption('--note <text>', 'a comment that is stored with it')
    .action(async (options: WriteOffMakeOptions) => (await import('../commands/write-offs.ts')).writeOffsMake(options));
  command('undo', 'undo a write-off; it stays listed', writeOffs)
    .argument('<write-off-id>')
    .requiredOption('--note <text>', 'why it is undone')
    .action(async (id: string, options: WriteOffUndoOptions) =>
      (await import('../commands/write-offs.ts')).writeOffsUndo(id, options),
    );
  command('list', 'list all write-offs, those that were undone included', writeOffs).action(
    async (options: CommonOptions) => (await import('../commands/write-offs.ts')).writeOffsList(options),
  );
}

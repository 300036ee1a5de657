import { Command } from 'commander';
import { VERSION } from '../../version.ts';
import { claimCommands } from './claims.ts';
import { exportCommands } from './exports.ts';
import { metaCommands } from './meta.ts';
import { outcomeCommands } from './outcomes.ts';
import { periodCommands } from './periods.ts';
import { rateCommands } from './rates.ts';
import { runningCommands } from './running.ts';
import { spendCommands } from './spend.ts';
import { triggerCommands } from './triggers.ts';
import { upkeepCommands } from './upkeep.ts';
import { writeOffCommands } from './write-offs.ts';

/**
 * The program. A command loads its own modules only when it runs, because loading all of them takes longer than most
 * commands.
 */
export function program(): Command {
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

  runningCommands(command);
  exportCommands(command, root);
  upkeepCommands(command, root);
  rateCommands(command, root);
  triggerCommands(command, root);
  spendCommands(command, root);
  outcomeCommands(command, root);
  metaCommands(command, root);
  claimCommands(command, root);
  writeOffCommands(command, root);
  periodCommands(command, root);
  return root;
}

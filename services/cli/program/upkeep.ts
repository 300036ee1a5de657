import type { Command } from 'commander';
import type { AccountOptions } from '../commands/accounts.ts';
import type { DismissOptions } from '../commands/dead-letter.ts';
import type { SimulateTexts } from '../commands/simulate.ts';
import type { TopicsOptions } from '../commands/topics.ts';
import type { EraseOptions } from '../commands/erase.ts';
import type { RetentionRunOptions } from '../commands/retention.ts';
import type { CommonOptions } from '../settings.ts';
import type { AddCommand } from './add-command.ts';

/** Commands that maintain a ledger. */
export function upkeepCommands(command: AddCommand, root: Command): void {
  command('explain', 'explain in one sentence why a message has its mark')
    .argument('<message-id>')
    .option('--tz <zone>', 'IANA time zone of the times (default: UTC)')
    .option('--sample', 'read the sample data instead of the ledger')
    .action(async (id: string, options: CommonOptions & { tz?: string; sample?: boolean }) =>
      (await import('../commands/explain.ts')).explain(id, options),
    );
  command('rebuild', 'recompute all marks from the stored events').action(async (options: CommonOptions) =>
    (await import('../commands/rebuild.ts')).rebuild(options),
  );
  command('erase', 'replace every name of a customer with a token; this cannot be undone')
    .option('--customer <name>', 'phone number or user id: any name of the customer')
    .option('--number <phone-number-id>', 'at this business number only (default: all)')
    .option('--dry-run', 'only list the names and rows that would be replaced')
    .option('--finish', 'finish an erasure that was interrupted')
    .option('--json', 'JSON on a terminal too')
    .action(async (options: EraseOptions) => (await import('../commands/erase.ts')).erase(options));
  command('simulate', 'write realistic, deterministic traffic for demos and benchmarks')
    .requiredOption('--threads <n>', 'number of threads')
    .requiredOption('--days <n>', 'number of days')
    .requiredOption('--seed <n>', 'the same seed gives the same traffic')
    .option('--end <date>', 'the day after the last one, UTC', '2026-11-01')
    .option('--out <file>', 'write to a file instead of stdout')
    .action(async (options: SimulateTexts) => (await import('../commands/simulate.ts')).simulateTraffic(options));
  command('doctor', 'check versions, paths, disk and connections').action(async (options: CommonOptions) =>
    (await import('../commands/doctor.ts')).doctor(options),
  );
  retentionCommands(command, root);
  letterCommands(command, root);
  topicCommands(root);
  accountCommands(command, root);
}

function retentionCommands(command: AddCommand, root: Command): void {
  const retention = root
    .command('retention')
    .description('remove raw events of old conversations whose months are closed; marks and amounts stay')
    .exitOverride();
  command('run', 'remove what is older than each account says, or than --before', retention)
    .option('--waba <id>', 'of this account only')
    .option('--before <month>', 'the first month whose events stay, YYYY-MM (default: as the account says)')
    .option('--dry-run', 'only say what would be removed')
    .option('--finish', 'finish a removal that was interrupted')
    .option('--json', 'JSON on a terminal too, one object per account')
    .action(async (options: RetentionRunOptions) => (await import('../commands/retention.ts')).retentionRun(options));
  command('show', 'list for how long accounts keep their events, and what was removed', retention).action(
    async (options: CommonOptions) => (await import('../commands/retention.ts')).retentionShow(options),
  );
  command('set', 'set how many months before the current one an account keeps its raw events', retention)
    .argument('<waba>', 'id of the account')
    .argument('<months>', '1 to 240, or off: keep them for good')
    .action(async (waba: string, months: string, options: CommonOptions) =>
      (await import('../commands/retention.ts')).retentionSet(waba, months, options),
    );
}

function letterCommands(command: AddCommand, root: Command): void {
  const letters = root.command('dead-letter').description('list, replay and dismiss rejected inputs').exitOverride();
  command('list', 'list rejected inputs, oldest first', letters)
    .option('--limit <n>', 'how many at most', '100')
    .action(async (options: CommonOptions & { limit: string }) =>
      (await import('../commands/dead-letter.ts')).deadLetterList(options),
    );
  command('dismiss', 'stop listing inputs that are not needed; they are kept', letters)
    .requiredOption('--reason <text>', 'why they are not needed')
    .option('--code <code>', 'only those with this reason code, like not_json')
    .option('--source <source>', 'only those of this file, of a topic, or of the webhook')
    .option('--json', 'JSON on a terminal too')
    .action(async (options: DismissOptions) => (await import('../commands/dead-letter.ts')).deadLetterDismiss(options));
  command('dismissals', 'list what was dismissed, the latest first', letters).action(async (options: CommonOptions) =>
    (await import('../commands/dead-letter.ts')).deadLetterDismissals(options),
  );
  command('restore', 'undo a dismissal', letters)
    .argument('<dismissal>')
    .option('--json', 'JSON on a terminal too')
    .action(async (dismissal: string, options: CommonOptions & { readonly json?: boolean }) =>
      (await import('../commands/dead-letter.ts')).deadLetterRestore(dismissal, options),
    );
  command('replay', 'try all rejected inputs again, after a fix', letters)
    .option(
      '--from <where>',
      'table: those that are kept in the ledger; topic: those in the dead-letter topic',
      'table',
    )
    .action(async (options: CommonOptions & { from: string }) =>
      (await import('../commands/dead-letter.ts')).deadLetterReplay(options),
    );
}

function topicCommands(root: Command): void {
  root
    .command('topics')
    .description('create the Kafka topics')
    .exitOverride()
    .command('create')
    .description('create the topics that are missing, with the same number of partitions')
    .option('--partitions <n>', 'partitions of each; they limit the number of consumers', '48')
    .option('--replication <n>', 'copies of each partition; 3 with three brokers', '1')
    .exitOverride()
    .action(async (options: TopicsOptions) => (await import('../commands/topics.ts')).topicsCreate(options));
}

function accountCommands(command: AddCommand, root: Command): void {
  const accounts = root
    .command('accounts')
    .description('set the time zone, currency and portfolio of WhatsApp business accounts')
    .exitOverride();
  command('list', 'list the accounts that are set, and where, and those that messages name', accounts).action(
    async (options: CommonOptions) => (await import('../commands/accounts.ts')).accountsList(options),
  );
  command('set', 'set up an account; the configuration file overrides it', accounts)
    .argument('<waba>')
    .option('--name <name>', 'name of the account')
    .option('--time-zone <zone>', 'IANA time zone: decides the day on which a policy begins')
    .option('--currency <code>', 'billing currency, ISO 4217')
    .option(
      '--closing-day <day>',
      'earliest day of the next month on which a month can be closed, 1 to 28 (default: 5)',
    )
    .option('--second-person <yes|no>', 'whether one person requests the closing of a month and another confirms it')
    .option('--write-off-amount <amount>', 'how much may be written off in a month, in its currency (default: nothing)')
    .option('--write-off-messages <n>', 'how many messages of differences may be written off in a month')
    .option('--tolerance-percent <p>', "how much volumes may differ, in percent of Meta's (default: 0.5)")
    .option('--tolerance-messages <n>', 'the same in messages (default: 1); the larger of both counts')
    .option('--portfolio <id>', 'portfolio whose tiers it shares')
    .option('--phone-number-id <id...>', 'business numbers, for events that name no account')
    .option('--phone-number <id=number...>', "the displayed forms of business numbers, which Meta's analytics use")
    .action(async (waba: string, options: AccountOptions) =>
      (await import('../commands/accounts.ts')).accountsSet(waba, options),
    );
}

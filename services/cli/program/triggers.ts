import { TRIGGER_KINDS, URL_MATCHES } from '@ctwa-ledger/schemas/triggers.ts';
import { Option, type Command } from 'commander';
import type { DeliveriesOptions, ReplayOptions, TriggerOptions, TryOptions } from '../commands/triggers.ts';
import type { CommonOptions } from '../settings.ts';
import type { AddCommand } from './add-command.ts';

/** Commands for triggers. */
export function triggerCommands(command: AddCommand, root: Command): void {
  const triggers = root
    .command('triggers')
    .description('notify your systems when a message from an ad arrives, or before a deadline')
    .exitOverride();
  const defined = (command: Command): Command =>
    command
      .addOption(
        new Option('--kind <kind>', 'when it fires: when a message arrives, or before a deadline').choices(
          TRIGGER_KINDS,
        ),
      )
      .option('--hours <n>', 'how long before the deadline')
      .option('--ad <id...>', 'ids of ads or posts, any of them')
      .option('--url <address>', 'the address of the ad or post; an empty one removes the filter')
      .addOption(new Option('--url-match <how>', 'how it is compared (default: exact)').choices(URL_MATCHES))
      .option('--phone-number-id <id...>', 'business numbers, any of them')
      .option('--campaign <name...>', 'campaigns as they were imported with ad spend, any of them')
      .option('--topic', 'publish to the topic whatsapp.ad-trigger')
      .option('--no-topic', 'do not publish to the topic')
      .option('--webhook <url>', 'send a request to this address, signed with CTWA_TRIGGER_SECRET; empty: none')
      .option('--max-age <seconds>', 'how old a message may be when it arrives, or any (default: 600)');
  defined(command('add', 'save a new trigger', triggers).requiredOption('--name <name>', 'name of the trigger')).action(
    async (options: TriggerOptions) => (await import('../commands/triggers.ts')).triggersAdd(options),
  );
  defined(
    command('set', 'change a trigger; options that are left out stay as they are', triggers)
      .argument('<trigger-id>')
      .option('--name <name>', 'name of the trigger'),
  ).action(async (id: string, options: TriggerOptions) =>
    (await import('../commands/triggers.ts')).triggersSet(id, options),
  );
  for (const [name, state, meaning] of [
    ['pause', 'paused', 'pause a trigger: it will not fire for messages that arrive meanwhile'],
    ['resume', 'active', 'resume a paused trigger'],
    ['delete', 'deleted', 'delete a trigger'],
  ] as const)
    command(name, meaning, triggers)
      .argument('<trigger-id>')
      .action(async (id: string, options: CommonOptions) =>
        (await import('../commands/triggers.ts')).triggersState(name, id, state, options),
      );
  command('list', 'list the triggers, and how often they fired', triggers).action(async (options: CommonOptions) =>
    (await import('../commands/triggers.ts')).triggersList(options),
  );
  command('test', 'list the past messages for which a trigger would have fired', triggers)
    .argument('<trigger-id>')
    .option('--from <date>', 'first day, UTC (default: seven days before the last)')
    .option('--to <date>', 'the day after the last one, UTC (default: now)')
    .action(async (id: string, options: TryOptions) =>
      (await import('../commands/triggers.ts')).triggersTest(id, options),
    );
  command('deliveries', 'list firings and their deliveries, the latest first', triggers)
    .option('--trigger <id>', 'of this trigger only')
    .option('--limit <n>', 'how many at most', '100')
    .action(async (options: DeliveriesOptions) =>
      (await import('../commands/triggers.ts')).triggersDeliveries(options),
    );
  command('replay', 'deliver again: the firing of one message, or all that were given up', triggers)
    .option('--trigger <id>', 'the trigger that fired')
    .option('--message <id>', 'the message that it fired for')
    .option('--phone-number-id <id>', 'the business number of the message')
    .action(async (options: ReplayOptions) => (await import('../commands/triggers.ts')).triggersReplay(options));
}

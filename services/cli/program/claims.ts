import type { Command } from 'commander';
import type { ClaimChangeOptions, ClaimMakeOptions } from '../commands/claims.ts';
import type { CommonOptions } from '../settings.ts';
import type { AddCommand } from './add-command.ts';

/** Commands for claims against Meta or a partner. */
export function claimCommands(command: AddCommand, root: Command): void {
  const claims = root.command('claims').description('manage claims against Meta or a partner').exitOverride();
  const claim = (name: string, description: string): Command =>
    command(name, description, claims)
      .option('--note <text>', 'a comment that is stored with it')
      .option('--reference <number>', 'the number of the case at Meta or the partner');
  claim('make', 'make a claim; the same claim again is made only once')
    .requiredOption('--month <month>', 'YYYY-MM, that was charged')
    .requiredOption('--waba <id>', 'the account')
    .requiredOption('--amount <amount>', 'what is claimed, like 12.50')
    .requiredOption('--currency <code>', 'ISO 4217')
    .option('--case <explanation>', 'the case that it is about, like midnight')
    .action(async (options: ClaimMakeOptions) => (await import('../commands/claims.ts')).claimsMake(options));
  for (const [name, meaning] of [
    ['refer', 'record the number of the case at Meta or the partner'],
    ['grant', 'record that a credit is promised'],
    ['refuse', 'record that the claim is refused'],
    ['withdraw', 'withdraw a claim; it stays listed'],
  ] as const)
    claim(name, meaning)
      .argument('<claim-id>')
      .action(async (id: string, options: ClaimChangeOptions) =>
        (await import('../commands/claims.ts')).claimsChange(name, id, options),
      );
  claim('pay', 'record that a credit memo paid the claim, or some of it')
    .argument('<claim-id>')
    .requiredOption('--credit <id>', "a line of an invoice, IMPORT-ID:LINE, or a credit memo among Meta's invoices")
    .option('--amount <amount>', 'how much of it (default: all that is left of both)')
    .action(async (id: string, options: ClaimChangeOptions) =>
      (await import('../commands/claims.ts')).claimsChange('pay', id, options),
    );
  command('list', 'list all claims, with the recovered amounts', claims).action(async (options: CommonOptions) =>
    (await import('../commands/claims.ts')).claimsList(options),
  );
}

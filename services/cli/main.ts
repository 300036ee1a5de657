import { CommanderError } from 'commander';
import { ActionableError } from '../clickhouse/errors.ts';
import { program } from './program/program.ts';
import { UsageError } from './settings.ts';

/** Exit codes of contract.md 2: 0 done, 1 failed, 2 wrong usage, 3 done but outside the requested tolerance. */
export async function main(argv: readonly string[]): Promise<void> {
  // A reader that stops early (`| head`) is no error.
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

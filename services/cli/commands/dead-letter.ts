import { replayDeadLetters } from '../../ingest/replay.ts';
import { countDeadLetters, listDeadLetters } from '../../ledger/dead-letters.ts';
import { settleSummaries } from '../../ledger/summaries.ts';
import { withExistingLedger } from '../open.ts';
import { UsageError, type CommonOptions } from '../settings.ts';

/** One JSON object per line: source, position, reason, first seen. */
export async function deadLetterList(options: CommonOptions & { limit: string }): Promise<void> {
  if (!/^\d{1,6}$/.test(options.limit)) throw new UsageError(`--limit "${options.limit}" is not a whole number.`);
  await withExistingLedger('dead-letter list', options, async (ledger) => {
    const letters = await listDeadLetters(ledger.database, Number(options.limit));
    for (const letter of letters) process.stdout.write(`${JSON.stringify(letter)}\n`);
    const waiting = await countDeadLetters(ledger.database);
    if (waiting > letters.length)
      process.stderr.write(`${waiting - letters.length} more wait; see them with --limit ${waiting}.\n`);
  });
}

export async function deadLetterReplay(options: CommonOptions): Promise<void> {
  await withExistingLedger('dead-letter replay', options, async (ledger) => {
    await ledger.beginWriting();
    const counts = await replayDeadLetters(ledger);
    await settleSummaries(ledger.database);
    process.stdout.write(`${JSON.stringify(counts)}\n`);
  });
}

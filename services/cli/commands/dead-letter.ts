import { pino } from 'pino';
import { replayLetters, type ReplayCounts } from '../../ingest/replay.ts';
import { brokerError, connectKafka, type KafkaSettings } from '../../kafka/connection.ts';
import { lettersInTopic } from '../../kafka/dead-letter-topic.ts';
import { topicNames } from '../../kafka/topics.ts';
import { countDeadLetters, listDeadLetters, waitingDeadLetters } from '../../ledger/events/dead-letters.ts';
import { dismissLetters, listDismissals, undoDismissal } from '../../ledger/events/dismissals.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { settleSummaries } from '../../ledger/derived/summaries.ts';
import { requiredKafkaSettings } from '../kafka-settings.ts';
import { withExistingLedger } from '../open.ts';
import { writeLines, writeResult } from '../output.ts';
import { UsageError, type CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';

/** Prints one JSON object per line: source, position, reason, first seen. */
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

export interface DismissOptions extends CommonOptions {
  readonly reason: string;
  readonly code?: string;
  readonly source?: string;
  readonly json?: boolean;
}

/** Dismisses all that wait with a reason code, of a source, or both. */
export async function deadLetterDismiss(options: DismissOptions): Promise<void> {
  const { code, source, reason } = options;
  if (code === undefined && source === undefined)
    throw new UsageError('Say which inputs to dismiss with --code CODE, --source SOURCE, or both.');
  await withExistingLedger('dead-letter dismiss', options, async ({ database }) => {
    const done = await dismissLetters(database, { code, source, reason }, userName());
    writeResult(options, done, () => [
      `${done.letters} dismissed. Take it back with: ctwa-ledger dead-letter restore ${done.dismissal_id}`,
    ]);
  });
}

/** Prints one JSON object per line. */
export async function deadLetterDismissals(options: CommonOptions): Promise<void> {
  await withExistingLedger('dead-letter dismissals', options, async ({ database }) => {
    writeLines(await listDismissals(database));
  });
}

export async function deadLetterRestore(
  dismissal_id: string,
  options: CommonOptions & { readonly json?: boolean },
): Promise<void> {
  await withExistingLedger('dead-letter restore', options, async ({ database }) => {
    const { letters } = await undoDismissal(database, dismissal_id, userName());
    writeResult(options, { dismissal_id, letters }, () => [`${letters} wait again.`]);
  });
}

/** From the ledger's table, which has all letters, or from the topic, which may also have letters of another ledger. */
export async function deadLetterReplay(options: CommonOptions & { from: string }): Promise<void> {
  if (options.from !== 'table' && options.from !== 'topic')
    throw new UsageError(`--from "${options.from}" must be table or topic.`);
  const isFromTopic = options.from === 'topic';
  const settings = isFromTopic ? requiredKafkaSettings() : null;
  await withExistingLedger('dead-letter replay', options, async (ledger) => {
    await ledger.beginWriting();
    const counts = await (settings === null
      ? replayLetters(ledger, waitingDeadLetters(ledger.database))
      : replayTopic(ledger, settings));
    await settleSummaries(ledger.database);
    process.stdout.write(`${JSON.stringify(counts)}\n`);
  });
}

async function replayTopic(ledger: Ledger, settings: KafkaSettings): Promise<ReplayCounts> {
  try {
    const kafka = connectKafka(settings, pino({ level: 'silent' }));
    return await replayLetters(ledger, lettersInTopic(kafka, topicNames(settings.topicPrefix).deadLetter));
  } catch (error) {
    throw brokerError(error, settings);
  }
}

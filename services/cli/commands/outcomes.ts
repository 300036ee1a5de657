import { importOutcomes, listOutcomeImports, previewOutcomes, withdrawOutcomes } from '../../outcomes/outcomes.ts';
import { conversionEvents } from '../../reports/outcomes.ts';
import { readQuestion } from '../../reports/parameters.ts';
import { reportOf } from '../../catalogue/catalogue.ts';
import { readGivenFile } from '../given-file.ts';
import { withExistingLedger, withLedger } from '../open.ts';
import { writeLines, wouldBe } from '../output.ts';
import { UsageError, type CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';

/** Events that Meta takes in one request. */
const EVENTS_AT_ONCE = 1_000;

/** Prints one JSON object: the result or, with `--dry-run`, what would happen. */
export async function outcomesImport(path: string, options: CommonOptions & { dryRun?: boolean }): Promise<void> {
  const given = readGivenFile(path);
  await withLedger('outcomes import', options, async ({ database }) => {
    if (options.dryRun === true) writeLines([wouldBe(await previewOutcomes(database, given))]);
    else writeLines([await importOutcomes(database, given, userName())]);
  });
}

/** Prints one JSON object per import, replaced and withdrawn ones included. */
export async function outcomesList(options: CommonOptions): Promise<void> {
  await withExistingLedger('outcomes list', options, async ({ database }) => {
    writeLines(await listOutcomeImports(database));
  });
}

export async function outcomesWithdraw(import_id: string, options: CommonOptions): Promise<void> {
  await withExistingLedger('outcomes withdraw', options, async ({ database }) => {
    writeLines([await withdrawOutcomes(database, import_id, userName())]);
  });
}

/** Prints a body for Meta's Conversions API on each line, and on stderr what is left out and why. Sends nothing. */
export async function outcomesEvents(options: CommonOptions & { from?: string; to?: string }): Promise<void> {
  const { from, to } = options;
  const question = readQuestion(
    reportOf('outcomes'),
    { ...(from && { from }), ...(to && { to }) },
    Math.floor(Date.now() / 1000),
  );
  if (!question.ok) throw new UsageError(question.message);
  await withExistingLedger('outcomes events', options, async ({ database }) => {
    const { data, left_out } = await conversionEvents(database, question.filters);
    for (let at = 0; at < data.length; at += EVENTS_AT_ONCE)
      writeLines([{ data: data.slice(at, at + EVENTS_AT_ONCE) }]);
    process.stderr.write(`${JSON.stringify({ events: data.length, left_out })}\n`);
  });
}

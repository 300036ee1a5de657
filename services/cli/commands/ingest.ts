import { checkInputs, ingestFile } from '../../ingest/file.ts';
import { settleSummaries } from '../../ledger/derived/summaries.ts';
import { withLedger } from '../open.ts';
import { Progress } from '../progress.ts';
import type { CommonOptions } from '../settings.ts';

export async function ingest(files: readonly string[], options: CommonOptions): Promise<void> {
  checkInputs(files);
  const began = performance.now();
  const progress = new Progress();
  await withLedger('ingest', options, async (ledger) => {
    await ledger.beginWriting();
    const total = { read: 0, stored: 0, duplicate: 0, rejected: 0 };
    const warnings: string[] = [];
    for (const file of files) {
      const counts = await ingestFile(ledger, file, ({ read, folded }) => {
        const seconds = (performance.now() - began) / 1000;
        const events = total.read + read;
        progress.show(
          folded === 0
            ? `${file}: ${events} events read, ${Math.round(events / seconds)}/s`
            : `${file}: ${events} events landed, ${folded} threads folded`,
        );
      });
      total.read += counts.read;
      total.stored += counts.stored;
      total.duplicate += counts.duplicate;
      total.rejected += counts.rejected;
      if (counts.warning !== null) warnings.push(`${file}: ${counts.warning}\n`);
    }
    progress.show('summing up');
    await settleSummaries(ledger.database);
    progress.end();
    process.stderr.write(warnings.join(''));
    if (total.rejected > 0)
      process.stderr.write(`${total.rejected} events could not be used; see them with: ctwa-ledger dead-letter list\n`);
    const seconds = Math.round(performance.now() - began) / 1000;
    process.stdout.write(`${JSON.stringify({ ...total, seconds })}\n`);
  });
}

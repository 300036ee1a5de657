import { settleSummaries } from '../../ledger/derived/summaries.ts';
import { withExistingLedger } from '../open.ts';
import { Progress } from '../progress.ts';
import type { CommonOptions } from '../settings.ts';

export async function rebuild(options: CommonOptions): Promise<void> {
  const progress = new Progress();
  await withExistingLedger('rebuild', options, async (ledger) => {
    await ledger.beginWriting();
    let folded = 0;
    await ledger.rebuild(
      (threads) => {
        folded = threads;
        progress.show(`${threads} threads folded`);
      },
      { raiseEpoch: true },
    );
    await settleSummaries(ledger.database);
    progress.end();
    process.stdout.write(`${JSON.stringify({ threads: folded, epoch: ledger.configuration.epoch.toString() })}\n`);
  });
}

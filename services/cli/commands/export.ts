import { parseFilters } from '@ctwa-ledger/schemas/report-filters.ts';
import type { MessagesBy } from '../../reports/rows.ts';
import { writeTextFile } from '../../exports/files.ts';
import { csvReport, REPORTS, settleReports, type ReportName } from '../../exports/report.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { withExistingLedger, withSample } from '../open.ts';
import { writeText } from '../output.ts';
import { Progress } from '../progress.ts';
import { UsageError, type CommonOptions } from '../settings.ts';

export interface ExportOptions extends CommonOptions {
  readonly from?: string;
  readonly to?: string;
  readonly tz?: string;
  readonly asOf?: string;
  readonly by?: MessagesBy;
  readonly out?: string;
  readonly sample?: boolean;
}

export async function exportReport(name: string, options: ExportOptions): Promise<void> {
  const report = REPORTS.find((known): known is ReportName => known === name);
  if (report === undefined) throw new UsageError(`There is no report "${name}"; there are ${REPORTS.join(', ')}.`);
  if (options.by !== undefined && report !== 'messages') throw new UsageError('--by is for the report messages.');
  const parsed = parseFilters(
    { from: options.from, to: options.to, tz: options.tz, as_of: options.asOf },
    Math.floor(Date.now() / 1000),
  );
  if (!parsed.ok) throw new UsageError(parsed.message);
  const run = async (ledger: Ledger): Promise<void> => {
    const progress = new Progress();
    progress.show('bringing sums and amounts up to date');
    await settleReports([report], ledger.database);
    progress.end();
    const parts = csvReport(report, ledger.reading, parsed.filters, options.by ?? 'sent');
    await (options.out === undefined ? writeText(process.stdout, parts) : writeTextFile(options.out, parts));
  };
  await (options.sample === true ? withSample(options, run) : withExistingLedger('export', options, run));
}

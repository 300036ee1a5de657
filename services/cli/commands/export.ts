import { givenValues } from '@ctwa-ledger/schemas/asked.ts';
import { optionOf } from '@ctwa-ledger/schemas/report-parameters.ts';
import { writeTextFile } from '../../exports/files.ts';
import { csvReport, settleReports } from '../../exports/report.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { accountsToReconcile, missingDays, sayMissingDays } from '../../reconciliation/reconcile.ts';
import { findReport, REPORTS, type ReportName } from '../../catalogue/catalogue.ts';
import { didYouMean } from '../../reports/nearest.ts';
import { parametersOf, readQuestion, type GivenTexts, type ParameterName } from '../../reports/parameters.ts';
import type { Report } from '../../reports/report.ts';
import { withExistingLedger, withSample } from '../open.ts';
import { writeText } from '../output.ts';
import { Progress } from '../progress.ts';
import { UsageError, type CommonOptions } from '../settings.ts';

export interface ExportOptions extends CommonOptions {
  /** The parameters of the report, by name. */
  readonly asked: GivenTexts;
  readonly out?: string;
  readonly sample?: boolean;
}

/** Days without numbers of Meta's have no rows, which the output itself does not show. */
async function warnOfMissingDays(
  { reading }: Ledger,
  month: string,
  accounts: readonly string[] | null,
): Promise<void> {
  for (const waba_id of accounts ?? (await accountsToReconcile(reading, month))) {
    const missing = sayMissingDays({ waba_id, month }, await missingDays(reading, { waba_id, month }));
    if (missing !== null) process.stderr.write(`${missing}\n`);
  }
}

const flags = (names: readonly ParameterName[]): string => names.map((name) => `--${optionOf(name)}`).join(', ');

/** @throws UsageError for a parameter that the report does not take */
function checkTaken(report: Report, asked: GivenTexts): void {
  const taken = parametersOf(report);
  const given = (Object.keys(asked) as ParameterName[]).filter((name) => asked[name] !== undefined);
  const unknown = given.find((name) => !taken.includes(name));
  if (unknown === undefined) return;
  if (unknown === 'by') throw new UsageError('--by can only be used with the report messages.');
  const takes = taken.length === 0 ? 'takes no filters' : `takes ${flags(taken)}`;
  throw new UsageError(`The report ${report.name} does not take ${flags([unknown])}; it ${takes}.`);
}

function reportNamed(name: string): Report<ReportName> {
  const report = findReport(name);
  if (report === undefined)
    throw new UsageError(
      `There is no report "${name}". The reports are ${REPORTS.join(', ')}.${didYouMean(name, REPORTS)}`,
    );
  return report;
}

export async function exportReport(name: string, { asked, ...options }: ExportOptions): Promise<void> {
  const report = reportNamed(name);
  checkTaken(report, asked);
  if (report.days === 'month' && asked.month === undefined && asked.period === undefined)
    throw new UsageError(`The report ${report.name} covers one month. Say which one, like --month 2026-10.`);
  const question = readQuestion(report, asked, Math.floor(Date.now() / 1000));
  if (!question.ok) throw new UsageError(question.message);
  const { filters, by } = question;
  const run = async (ledger: Ledger): Promise<void> => {
    const progress = new Progress();
    progress.show('bringing sums and amounts up to date');
    await settleReports([report.name], ledger.database);
    progress.end();
    const parts = csvReport(report.name, ledger.reading, filters, by);
    await (options.out === undefined ? writeText(process.stdout, parts) : writeTextFile(options.out, parts));
    if (report.days === 'month' && filters.from !== null)
      await warnOfMissingDays(
        ledger,
        filters.from.slice(0, 7),
        filters.waba_id == null ? null : givenValues(filters.waba_id),
      );
  };
  await (options.sample === true ? withSample(options, run) : withExistingLedger('export', options, run));
}

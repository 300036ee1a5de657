import { createHash, randomBytes } from 'node:crypto';
import {
  frozenSumSchema,
  monthReportSchema,
  type Examination,
  type MonthReport,
  type Period,
  type PrintedMonth,
  type ReportFile,
} from '@ctwa-ledger/schemas/periods.ts';
import { z } from 'zod';
import { reportOf, type ReportName } from '../catalogue/catalogue.ts';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { underLease } from '../clickhouse/lease.ts';
import { archiveOf } from '../exports/archive.ts';
import { csvText } from '../exports/csv.ts';
import { settleReports } from '../exports/report.ts';
import { workbookOf } from '../exports/workbook.ts';
import { describedColumns, gathered, type Column } from '../reports/report.ts';
import { accountMonth, accountName } from './month.ts';
import { closedCharges, listPeriods } from './periods.ts';
import { judgeMonth } from './verdict.ts';

/** The reports in a month's report, besides the frozen charges. */
const REPORTS = [
  'reconciliation',
  'statement',
  'whole-bill',
  'adjustments',
  'savings-days',
  'mismatches',
] as const satisfies readonly ReportName[];
/** Bytes of a file that one row stores. */
const PART_BYTES = 1024 * 1024;
/** Characters held in memory before they are written. */
const MAX_HELD_CHARACTERS = 8 * PART_BYTES;
const MANIFEST = 'manifest.json';

type Rows = AsyncIterable<readonly (readonly unknown[])[]>;

/** A table of the report: its columns, and its rows, which can be read several times. */
interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly rows: () => Rows;
}

async function* inOne(rows: readonly (readonly unknown[])[]): AsyncGenerator<readonly (readonly unknown[])[]> {
  yield rows;
}

async function tablesOf(database: Database, period: Period): Promise<Table[]> {
  const { waba_id, month, time_zone } = period;
  const of = await accountMonth(database, waba_id, month);
  const filters = {
    from: of.first_day,
    to: of.end_day,
    tz: time_zone,
    as_of: Date.parse(period.closed_at) / 1_000,
    waba_id,
  };
  const others: Table[] = [];
  for (const name of REPORTS) {
    const report = reportOf(name);
    // Read once for both files: these rows fit in memory, unlike the charges of a month.
    const batches = await gathered(report.rows(database, { filters, by: 'charged', page: null }));
    others.push({ name, columns: describedColumns(report), rows: () => inOne(batches) });
  }
  return [
    {
      name: 'charges',
      columns: describedColumns(reportOf('charges')),
      rows: () => closedCharges(database, period),
    },
    ...others,
  ];
}

async function* csvOf({ columns, rows }: Table): AsyncGenerator<Uint8Array> {
  yield Buffer.from(csvText([columns.map(({ name }) => name)]));
  for await (const batch of rows()) if (batch.length > 0) yield Buffer.from(csvText(batch));
}

/** Content in pieces of one size. */
async function* inParts(content: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const piece of content) {
    held.push(piece);
    size += piece.length;
    if (size < PART_BYTES) continue;
    const all = Buffer.concat(held);
    const whole = size - (size % PART_BYTES);
    for (let from = 0; from < whole; from += PART_BYTES) yield all.subarray(from, from + PART_BYTES);
    held = [all.subarray(whole)];
    size -= whole;
  }
  if (size > 0) yield Buffer.concat(held);
}

/** Writes parts of files, many small ones in one insert, because each insert waits for the disk. */
class PartWriter {
  readonly #database: Database;
  readonly #report_id: string;
  #lines: string[] = [];
  #size = 0;

  constructor(database: Database, report_id: string) {
    this.#database = database;
    this.#report_id = report_id;
  }

  async flush(): Promise<void> {
    const lines = this.#lines.join('');
    this.#lines = [];
    this.#size = 0;
    await this.#database.insertLines('closed_report_files', ['report_id', 'name', 'part', 'bytes'], lines);
  }

  /** Stores a file, and returns its size and checksum. */
  async keep(name: string, content: AsyncIterable<Uint8Array>): Promise<ReportFile> {
    const hash = createHash('sha256');
    let [bytes, part] = [0, 0];
    for await (const piece of inParts(content)) {
      hash.update(piece);
      bytes += piece.length;
      part += 1;
      const line = `${JSON.stringify([this.#report_id, name, part, piece.toString('base64')])}\n`;
      this.#lines.push(line);
      this.#size += line.length;
      if (this.#size > MAX_HELD_CHARACTERS) await this.flush();
    }
    return { name, bytes, sha256: hash.digest('hex') };
  }
}

const keptRow = z.object({ report_id: z.string(), manifest: z.string() });

/** The first report made of a closing; null when none was made. */
async function keptReport(
  database: Database,
  period_id: string,
): Promise<{ readonly report_id: string; readonly manifest: string; readonly report: MonthReport } | null> {
  const [kept] = await database.query(
    keptRow,
    `SELECT report_id, manifest FROM closed_reports FINAL WHERE period_id = {period_id:String}
     ORDER BY closed_reports.made_at, report_id LIMIT 1`,
    { period_id },
  );
  if (kept === undefined) return null;
  return { ...kept, report: monthReportSchema.parse(JSON.parse(kept.manifest)) };
}

/** The report of a closing, as it was made; null when none was made. */
export async function monthReport(database: Database, period_id: string): Promise<MonthReport | null> {
  return (await keptReport(database, period_id))?.report ?? null;
}

async function closingOf(database: Database, period_id: string): Promise<Period> {
  const period = (await listPeriods(database)).find((listed) => listed.period_id === period_id);
  if (period === undefined)
    throw new ActionableError(`There is no closing "${period_id}". List the ids with "ctwa-ledger periods list".`);
  return period;
}

async function make(database: Database, period: Period, by: string, now: number): Promise<MonthReport> {
  const { period_id, waba_id, month, time_zone, closed_at, closed_by, note, verdict, messages, totals, checksum } =
    period;
  const report_id = randomBytes(6).toString('hex');
  await settleReports(REPORTS, database);
  const files: ReportFile[] = [];
  const writer = new PartWriter(database, report_id);
  for (const table of await tablesOf(database, period)) {
    files.push(await writer.keep(`${table.name}.csv`, csvOf(table)));
    const workbook = workbookOf(table.name, table.columns, table.rows());
    files.push(await writer.keep(`${table.name}.xlsx`, workbook));
  }
  await writer.flush();
  const made_at = `${new Date(now).toISOString().slice(0, 19)}+00:00`;
  const closing = {
    period_id,
    waba_id,
    month,
    time_zone,
    closed_at,
    closed_by,
    note,
    verdict,
    messages,
    totals,
    checksum,
  };
  const report: MonthReport = { ...closing, made_at, made_by: by, files };
  await database.command(
    `INSERT INTO closed_reports
     SELECT {period_id:String}, {report_id:String}, fromUnixTimestamp64Milli({now:Int64}, 'UTC'), {by:String}, {manifest:String}
     WHERE {period_id:String} NOT IN (SELECT period_id FROM closed_reports)`,
    { period_id, report_id, now, by, manifest: `${JSON.stringify(report, null, 2)}\n` },
  );
  return report;
}

/**
 * Makes the report of a closed month, or returns the existing one. Its figures are those of that moment for good.
 * @param now in Unix milliseconds
 * @throws ActionableError when there is no such closing, or it is no longer possible to make its report
 */
export async function makeMonthReport(
  database: Database,
  period_id: string,
  by: string,
  now: number,
): Promise<{ readonly outcome: 'made' | 'unchanged'; readonly report: MonthReport }> {
  const period = await closingOf(database, period_id);
  const known = await monthReport(database, period_id);
  if (known !== null) return { outcome: 'unchanged', report: known };
  if (period.state === 'reopened')
    throw new ActionableError(
      `${period.month} of ${accountName(period.waba_id)} was reopened, and no report of this closing was made before: close it again for one.`,
    );
  const made = await underLease(database, 'periods', () => make(database, period, by, now));
  if (made === null)
    throw new ActionableError(
      'Another process is closing a month or making a report at this moment. Wait until it is done, and try again.',
    );
  // Another process may have been faster, so the report is read back.
  return { outcome: 'made', report: (await monthReport(database, period_id)) ?? made };
}

/** The checklist when a month was closed; null when there was none. */
export function examinationKept({ verdict, checklist, findings }: Period): Examination | null {
  return verdict === '' ? null : { verdict, because: judgeMonth(checklist).because, checklist, findings };
}

/** The report of a closing as a page prints it; null when none was made. */
export async function printedMonth(database: Database, period_id: string): Promise<PrintedMonth | null> {
  const report = await monthReport(database, period_id);
  if (report === null) return null;
  const sum = (column: string): string =>
    `toString(sum(toDecimal128(if(closed_charges.${column} = '', '0', closed_charges.${column}), 8))) AS ${column}`;
  const count = (column: string): string => `toString(sum(toUInt64(closed_charges.${column}))) AS ${column}`;
  const sums = await database.query(
    frozenSumSchema,
    `SELECT toString(market) AS market, toString(category) AS category, toString(currency) AS currency,
       ${count('volume')}, ${sum('list_cost')}, ${sum('billed_cost')}, ${sum('savings')}, ${count('unrated')}
     FROM closed_charges FINAL WHERE period_id = {period_id:String}
     GROUP BY market, category, currency ORDER BY currency, market, category`,
    { period_id },
  );
  return { report, examination: examinationKept(await closingOf(database, period_id)), sums };
}

async function* contentOf(database: Database, report_id: string, name: string): AsyncGenerator<Uint8Array> {
  const rows = database.stream(
    `SELECT bytes FROM closed_report_files FINAL WHERE report_id = {report_id:String} AND name = {name:String} ORDER BY part`,
    { report_id, name },
  );
  for await (const batch of rows) for (const [bytes] of batch) yield Buffer.from(String(bytes), 'base64');
}

/** The files of a report, the manifest last; null when none was made. */
export async function monthReportFiles(
  database: Database,
  period_id: string,
): Promise<readonly { readonly name: string; readonly content: () => AsyncIterable<Uint8Array> }[] | null> {
  const kept = await keptReport(database, period_id);
  if (kept === null) return null;
  const { report_id, manifest, report } = kept;
  return [
    ...report.files.map(({ name }) => ({ name, content: () => contentOf(database, report_id, name) })),
    {
      name: MANIFEST,
      content: async function* () {
        yield Buffer.from(manifest);
      },
    },
  ];
}

/** The name of a report's folder. */
export function reportFolder({ month, waba_id }: Pick<MonthReport, 'month' | 'waba_id'>): string {
  return `month-close-${month}-${waba_id === '' ? 'no-account' : waba_id.replaceAll(/[^\w-]/g, '_')}`;
}

/** The folder of a report as one ZIP archive, with the same bytes each time; null when none was made. */
export async function monthReportArchive(
  database: Database,
  period_id: string,
): Promise<{ readonly name: string; readonly content: AsyncGenerator<Uint8Array> } | null> {
  const [report, files] = [await monthReport(database, period_id), await monthReportFiles(database, period_id)];
  if (report === null || files === null) return null;
  const folder = reportFolder(report);
  const archived = files.map(({ name, content }) => ({
    path: `${folder}/${name}`,
    parts: content(),
    // Not compressed again: a later version might compress to other bytes.
    is_packed: true,
  }));
  return { name: `${folder}.zip`, content: archiveOf(archived) };
}

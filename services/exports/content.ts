import type { ExportFormat } from '@ctwa-ledger/schemas/exports.ts';
import { reportOf, type ReportName } from '../catalogue/catalogue.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { describedColumns, type AskedRows, type Column } from '../reports/report.ts';
import { encodeCsv, encodeCsvStatement } from './formats/csv.ts';
import type { Encoder, StatementEncoding } from './formats/format.ts';
import { encodeParquet, encodeParquetStatement } from './formats/parquet.ts';
import { encodeXlsx } from './formats/xlsx.ts';
import { Passage } from './passage.ts';

const ENCODERS: Readonly<Record<ExportFormat, Encoder>> = {
  csv: encodeCsv,
  xlsx: encodeXlsx,
  parquet: encodeParquet,
};

/**
 * Formats that ClickHouse can write itself if the report is one statement. Workbooks are always made here, from rows.
 */
const STATEMENT_ENCODERS: Readonly<
  Partial<Record<ExportFormat, (encoding: StatementEncoding) => AsyncGenerator<string | Uint8Array>>>
> = { csv: encodeCsvStatement, parquet: encodeParquetStatement };

/** The content that a file should have. */
export interface AskedContent {
  readonly report: ReportName;
  readonly question: Pick<AskedRows, 'filters' | 'by'>;
  /** In the order of the report. */
  readonly columns: readonly string[];
  readonly format: ExportFormat;
  /** A name for tables that only this run uses. */
  readonly run: string;
}

/** The content of a file. */
export interface Content {
  /** In pieces, so that memory is bounded. */
  readonly parts: AsyncGenerator<string | Uint8Array>;
  /** Counts rows and sums; complete once the parts have been read. */
  readonly passage: Passage;
  readonly described: readonly Column[];
}

/** The content of a file before compression. Settle the report first. */
export async function contentOf(
  asked: AskedContent,
  { database, reading }: Pick<Ledger, 'database' | 'reading'>,
): Promise<Content> {
  const { question, columns, format, run } = asked;
  const report = reportOf(asked.report);
  const described = describedColumns(report).filter(({ name }) => columns.includes(name));
  const passage = new Passage(report.columns, columns);
  const made = { columns: described, report: report.name, database, run };
  const encodeStatement = STATEMENT_ENCODERS[format];
  const parts =
    report.statement !== undefined && encodeStatement !== undefined
      ? encodeStatement({ ...made, reading, passage, statement: await report.statement(reading, question) })
      : ENCODERS[format]({ ...made, rows: passage.of(report.rows(reading, { ...question, page: null })) });
  return { parts, passage, described };
}

import { REPORTS, reportOf, type ReportName } from './catalogue.ts';
import { parametersOf, schemaOf, valuesOf, type ParameterName } from '../reports/parameters.ts';
import { describedColumns, type Column, type Days } from '../reports/report.ts';

/** Explanations of the days of a report. */
const DAYS: Readonly<Record<Days, string>> = {
  zone: 'Days of a zone: UTC, unless tz is given.',
  accounts: 'Days of each account’s own zone, unless tz is given.',
  own: 'Days of each account’s own zone.',
  month: 'One whole month, which must be said; days of each account’s own zone.',
  none: 'Of the ledger as it stands; it takes no days.',
};

export interface DescribedParameter {
  readonly name: ParameterName;
  readonly meaning: string;
  /** All values that it can have; empty when there are many. */
  readonly values: readonly string[];
}

/** A report as its readers need to know it. */
export interface DescribedReport {
  readonly name: ReportName;
  readonly one_row_per: string;
  readonly days: string;
  /** Without those that every report takes. */
  readonly parameters: readonly DescribedParameter[];
  readonly columns: readonly Column[];
}

export function describedParameter(name: ParameterName): DescribedParameter {
  return { name, meaning: schemaOf(name).description ?? '', values: valuesOf(name).filter((value) => value !== '') };
}

/** Describes every report, from the catalogue. */
export function describedReports(): DescribedReport[] {
  return REPORTS.map((name) => {
    const report = reportOf(name);
    return {
      name,
      one_row_per: report.one_row_per,
      days: DAYS[report.days],
      parameters: parametersOf(report).map(describedParameter),
      columns: describedColumns(report),
    };
  });
}

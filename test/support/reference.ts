import { describedReports, type DescribedReport } from '../../services/catalogue/description.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

const listed = (values: readonly string[]): string =>
  values.length === 0 ? '' : ` One of ${values.map((value) => `\`${value}\``).join(', ')}.`;

function section({ name, one_row_per, days, parameters, columns }: DescribedReport): string {
  const asked = parameters.map(({ name: parameter }) => `\`${parameter}\``).join(', ');
  return `## ${name}

One row per ${one_row_per}.
${days}${asked === '' ? '' : ` Parameters: ${asked}.`}

${table(
  ['column', 'type', 'meaning'],
  columns.map((column) => [
    `\`${column.name}\``,
    column.is_nullable ? `${column.type} or null` : column.type,
    column.meaning + listed(column.values),
  ]),
)}
`;
}

/** The reference of all reports, in Markdown. */
export function reference(): string {
  const reports = describedReports();
  const known = new Map(reports.flatMap(({ parameters }) => parameters.map((one) => [one.name, one] as const)));
  return `# Reports

Made from the catalogue (\`services/catalogue/catalogue.ts\`). Columns stand in the order of the CSV; types are those of JSON.
Whole numbers are numbers. Amounts, rates and numbers of 64 bits are text, so that nothing is rounded. What is null in
JSON is an empty cell in CSV. An empty text is one.

## Parameters

${table(
  ['parameter', 'meaning'],
  [...known.values()].map(({ name, meaning, values }) => [`\`${name}\``, meaning + listed(values)]),
)}

${reports.map(section).join('\n')}`;
}

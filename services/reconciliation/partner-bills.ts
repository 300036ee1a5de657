import type { InvoiceColumn, InvoiceMapping, LineKind } from '@ctwa-ledger/schemas/invoices.ts';
import { plain, singleSpaced, type FileRow, type Problems, type Sheet } from '../imports/rows.ts';

/** How the bill of a partner is read. */
interface PartnerBill {
  /** For each column the headings that it may have; the first one that is there counts. */
  readonly columns: Readonly<Partial<Record<InvoiceColumn, readonly string[]>>>;
  /** The heading that says what a row is, and the rows that are lines of the bill, with their kinds; others are not. */
  readonly lines: { readonly heading: string; readonly kinds: Readonly<Record<string, LineKind>> };
  /** The heading of the last day of a row, included. A row is of one month. */
  readonly last_day?: string;
}

/** Bills of partners, by the names of their mappings. */
export const PARTNER_BILLS: Readonly<Record<string, PartnerBill>> = {
  /** The answer of Infobip's billing usage API, asked for by MONTH or DAY. */
  'infobip-usage': {
    columns: {
      month: ['MONTH', 'DAY'],
      market: ['COUNTRY_CODE', 'COUNTRY_NAME'],
      category: ['TRAFFIC_TYPE'],
      volume: ['QUANTITY'],
      amount: ['TOTAL_PER_UNIT'],
      currency: ['CURRENCY'],
    },
    lines: { heading: 'CATEGORY_CODE', kinds: { WHATSAPP: 'charge' } },
  },
  /**
   * Twilio's usage records, by month or by day. Records of a category contain those below it, so only two are lines:
   * what Meta charges, and Twilio's own fee.
   */
  'twilio-usage': {
    columns: {
      month: ['start_date'],
      category: ['category'],
      volume: ['count'],
      amount: ['price'],
      currency: ['price_unit'],
    },
    lines: { heading: 'category', kinds: { 'channels-whatsapp': 'charge', 'channels-messaging': 'fee' } },
    last_day: 'end_date',
  },
};

/** The heading of the column that is added to a partner's bill. */
const KIND = 'Kind of line';
const NEEDED = ['month', 'amount', 'currency'] as const satisfies readonly InvoiceColumn[];

const placeOf = (header: FileRow, heading: string): number =>
  header.cells.findIndex((cell) => plain(cell) === plain(heading));

/**
 * A partner's bill with only its lines, and the mapping by which it is read like any other invoice.
 * @returns null when it is none of this partner, with the reason among `problems`
 */
export function partnerSheet(
  { name, rows }: Sheet,
  partner: PartnerBill,
  problems: Problems,
): { readonly sheet: Sheet; readonly mapping: InvoiceMapping } | null {
  const [header, ...lines] = rows;
  if (header === undefined) return null;
  const columns: Partial<Record<InvoiceColumn, string>> = { kind: KIND };
  for (const [column, headings] of Object.entries(partner.columns) as [InvoiceColumn, readonly string[]][]) {
    const heading = headings.find((one) => placeOf(header, one) !== -1);
    if (heading !== undefined) columns[column] = heading;
    else if (NEEDED.some((one) => one === column))
      problems.add(header, null, `There is no column ${headings.map((one) => `"${one}"`).join(' or ')}.`);
  }
  const { heading, kinds } = partner.lines;
  const place = placeOf(header, heading);
  if (place === -1) problems.add(header, null, `There is no column "${heading}".`);
  if (!problems.isEmpty) return null;
  const [first, last] = [columns.month, partner.last_day].map((one) => (one === undefined ? -1 : placeOf(header, one)));
  const kept = lines.flatMap((row) => {
    const kind = kinds[singleSpaced(row.cells[place] ?? '')];
    if (kind === undefined) return [];
    const [from, until] = [first, last].map((one) => (row.cells[one ?? -1] ?? '').slice(0, 7));
    if (until !== '' && from !== until)
      problems.add(
        row,
        partner.last_day ?? null,
        `It is of more than one month (${from ?? ''} to ${until ?? ''}): ask for months or days.`,
      );
    return [{ ...row, cells: [...header.cells.map((_, index) => row.cells[index] ?? ''), kind] }];
  });
  if (kept.length === 0 && problems.isEmpty)
    problems.add(header, heading, `None of its rows is ${Object.keys(kinds).join(' or ')}.`);
  const sheet = { name, rows: [{ ...header, cells: [...header.cells, KIND] }, ...kept] };
  return { sheet, mapping: { columns, decimal_mark: '.' } };
}

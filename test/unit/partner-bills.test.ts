import { describe, expect, it } from 'vitest';
import { parseInvoice, parsePartnerBill } from '../../services/reconciliation/invoice-file.ts';

const bytes = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

/** The lines: kind, month, market, category, volume, amount, currency. */
async function lines(partner: string, value: unknown): Promise<unknown> {
  const parsed = await parsePartnerBill(bytes(value), partner);
  if (!parsed.ok) return parsed.problems.map(({ message }) => message);
  return parsed.lines.map((one) => [
    one.kind,
    one.month,
    one.market,
    one.category,
    one.volume,
    one.amount,
    one.currency,
  ]);
}

const COLUMNS = [
  'MONTH',
  'CATEGORY_CODE',
  'COUNTRY_CODE',
  'TRAFFIC_TYPE',
  'UNIT',
  'QUANTITY',
  'TOTAL_PER_UNIT',
  'CURRENCY',
];
/** Infobip's answer with these columns and rows. */
const infobip = (rows: readonly unknown[], columns: readonly string[] = COLUMNS) => ({
  requestId: 'R1',
  status: 'SUCCESS',
  response: {
    requestedPeriod: { sentSince: '2026-10-01T00:00:00Z', sentUntil: '2026-11-01T00:00:00Z' },
    totalRows: rows.length,
    columns: columns.map((columnName) => ({ columnName, columnDataType: 'STRING' })),
    rows,
  },
});

const record = (
  category: string,
  count: string,
  price: string,
  start_date = '2026-10-01',
  end_date = '2026-10-31',
) => ({
  ...{ category, count, price, start_date, end_date, price_unit: 'usd', usage: count, description: category },
});

describe('the bill of a partner', () => {
  it.each<[string, string, unknown, unknown]>([
    [
      'infobip-usage',
      'has WhatsApp alone, with amounts as they are written',
      infobip([
        ['2026-10', 'WHATSAPP', 'BR', 'MARKETING', 'message', 1000, 62.50000001, 'EUR'],
        ['2026-10', 'WHATSAPP', 'BR', 'UTILITY', 'message', 10.0, '0.068', 'EUR'],
        ['2026-10', 'SMS', 'BR', 'N/A', 'message', 5, 1, 'EUR'],
      ]),
      [
        ['charge', '2026-10', 'BR', 'MARKETING', '1000', '62.50000001', 'EUR'],
        ['charge', '2026-10', 'BR', 'UTILITY', '10', '0.068', 'EUR'],
      ],
    ],
    [
      'infobip-usage',
      'may be by day, and without countries',
      infobip(
        [['2026-10-05T00:00:00', 'WHATSAPP', 'N/A', 3, 'USD']],
        ['Day', 'Category code', 'Quantity', 'Total per unit', 'Currency'],
      ),
      [['charge', '2026-10', '', '', null, '3', 'USD']],
    ],
    [
      'infobip-usage',
      'names what it lacks',
      infobip([['2026-10', 'WHATSAPP']], ['MONTH', 'CATEGORY_CODE']),
      ['There is no column "TOTAL_PER_UNIT".', 'There is no column "CURRENCY".'],
    ],
    [
      'infobip-usage',
      'needs a line',
      infobip([['2026-10', 'SMS', '', '', '', 1, 1, 'EUR']]),
      ['None of its rows is WHATSAPP.'],
    ],
    [
      'twilio-usage',
      'counts no record twice, and tells the fee',
      {
        usage_records: [
          record('channels-messaging', '2000', '58.68'),
          record('channels-messaging-outbound', '1900', '56.915'),
          record('channels-whatsapp', '1500', '104.7075'),
          record('channels-whatsapp-template-marketing', '1400', '98.2918'),
          record('totalprice', '', '163.39'),
        ],
      },
      [
        ['fee', '2026-10', '', 'channels-messaging', '2000', '58.68', 'USD'],
        ['charge', '2026-10', '', 'channels-whatsapp', '1500', '104.7075', 'USD'],
      ],
    ],
    [
      'twilio-usage',
      'is refused where a record is of more than one month',
      { usage_records: [record('channels-whatsapp', '1', '1', '2026-10-01', '2026-11-30')] },
      ['It is of more than one month (2026-10 to 2026-11): ask for months or days.'],
    ],
    [
      'twilio-usage',
      'is refused without a table',
      { message: 'Authenticate' },
      ['There is no table in the file: neither "columns" with "rows", nor a list of records.'],
    ],
  ])('of %s %s', async (partner, _, value, expected) => {
    expect(await lines(partner, value)).toEqual(expected);
  });

  it('is refused where it is cut', async () => {
    expect(await lines('twilio-usage', '{"usage_records":[{"category":')).toEqual([
      expect.stringContaining('The file is not JSON'),
    ]);
  });

  it('may be read by a mapping of one’s own', async () => {
    const file = bytes([
      { period: '2026-10', total: 1.25, what: 'Usage' },
      { period: '2026-10', total: -0.25, what: 'Credit' },
    ]);
    const mapping = { columns: { month: 'period', amount: 'total', kind: 'what' }, currency: 'USD' };
    const parsed = await parseInvoice(file, mapping);
    expect(parsed).toMatchObject({
      ok: true,
      lines: [
        { kind: 'charge', amount: '1.25' },
        { kind: 'credit', amount: '-0.25' },
      ],
    });
  });

  it.each(['Usage', 'Credit', 'Tax', 'Adjustment', 'Refund', 'Fee'])('may have lines of kind %s', async (kind) => {
    const mapping = { columns: { month: 'm', amount: 'a', kind: 'k' }, currency: 'USD' };
    const parsed = await parseInvoice(bytes(`m,a,k\n2026-10,1.5,${kind}\n`), mapping);
    expect(parsed).toMatchObject({ ok: true, lines: [{ kind: kind === 'Usage' ? 'charge' : kind.toLowerCase() }] });
  });
});

import type { IncomingMessage, ServerResponse } from 'node:http';
import { monthSchema } from '@ctwa-ledger/schemas/periods.ts';
import type { ExportTotals } from '@ctwa-ledger/schemas/exports.ts';
import type { Database } from '../clickhouse/database.ts';
import { settleReports } from '../exports/report.ts';
import { Totals } from '../exports/totals.ts';
import { closingsInForce } from '../reports/closings.ts';
import { corrections, CORRECTIONS_COLUMNS } from '../reports/corrections.ts';
import { decodedPart, failure, notAllowed, sendAnswer } from './answers.ts';

/** Corrections of a closed month that one later month bills. */
interface CorrectedIn {
  /** The month that bills them, and its state. */
  readonly billing_month: string;
  readonly status: 'open' | 'closed';
  /** Rows of report `corrections`. */
  readonly rows: number;
  /** Sums with their signs, by currency. */
  readonly totals: ExportTotals;
}

/** The corrections of a month of an account, by the month that bills them. */
async function correctionsOf(database: Database, waba_id: string, month: string): Promise<CorrectedIn[]> {
  await settleReports(['corrections'], database);
  const place = (column: string): number => CORRECTIONS_COLUMNS.indexOf(column);
  const [billing, day, period] = [place('billing_month'), place('day'), place('period')];
  const found = new Map<string, { rows: number; readonly status: CorrectedIn['status']; readonly totals: Totals }>();
  const filters = { from: null, to: null, tz: 'UTC', as_of: 0, waba_id };
  for await (const batch of corrections(database, { filters, page: null }))
    for (const row of batch) {
      if (!String(row[day]).startsWith(month)) continue;
      const status = row[period] === 'live' ? 'open' : 'closed';
      const key = String(row[billing]);
      const sums = found.get(key) ?? { rows: 0, status, totals: new Totals(CORRECTIONS_COLUMNS) };
      sums.rows += 1;
      sums.totals.add([row]);
      found.set(key, sums);
    }
  return [...found].map(([billing_month, { status, rows, totals }]) => ({
    billing_month,
    status,
    rows,
    totals: totals.byCurrency(),
  }));
}

/**
 * `GET /api/periods/{account}/{month}` (contract.md 4): whether the month of an account is closed, the checksum of its
 * closing, and its corrections in later months.
 */
export async function answerPeriod(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  database: Database,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    sendAnswer(response, notAllowed('GET, HEAD'));
    return;
  }
  const [parameter] = url.searchParams.keys();
  if (parameter !== undefined) {
    sendAnswer(response, failure(400, 'BAD_REQUEST', `${url.pathname} takes no parameter "${parameter}".`));
    return;
  }
  const [account = '', month = '', ...rest] = url.pathname.split('/').slice(3).map(decodedPart);
  if (account === '' || rest.length > 0 || !monthSchema.safeParse(month).success) {
    const words = 'Ask like /api/periods/102290129340398/2026-10; "none" is no account.';
    sendAnswer(response, failure(400, 'BAD_REQUEST', words));
    return;
  }
  const waba_id = account === 'none' ? '' : account;
  const closings = await closingsInForce(database, { from: `${month}-01`, to: `${month}-02` });
  const closing = closings.find((one) => one.waba_id === waba_id) ?? null;
  const status = closing === null ? 'open' : 'closed';
  const corrected = await correctionsOf(database, waba_id, month);
  sendAnswer(response, { status: 200, body: { waba_id, month, status, closing, corrections: corrected } });
}

import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { csvReport, settleReports, type ReportName } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { closePeriod, listPeriods, reopenPeriod } from '../../services/periods/periods.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, isFull, numberFrom, openLedger } from '../support/ledger.ts';
import { dieIn } from './killed-process.ts';

const WABA = 'W1';
const DATABASE = 'closing_killed';
const CARD = 'Cost per message\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,0.0625,0.0068,0.0068\n';
const OCTOBER: ReportFilters = { from: '2026-10-01', to: '2026-11-01', tz: 'UTC', as_of: 1_800_000_000 };

const data = new DataDirectory();
afterAll(() => data.remove());

function delivered(day: number): object[] {
  const at = Date.UTC(2026, 9, day, 12) / 1_000;
  const of = { waba_id: WABA, phone_number_id: 'N1', wa_id: '5511955550001', id: `m${day}` };
  const template = { name: 't', category: 'marketing' };
  return [
    { event: 'message', direction: 'outbound', ...of, timestamp: at - 60, type: 'template', template },
    { event: 'status', ...of, status: 'delivered', timestamp: at },
  ];
}

async function text({ database }: Ledger, report: ReportName): Promise<string> {
  await settleReports([report], database);
  let all = '';
  for await (const part of csvReport(report, database, OCTOBER)) all += part;
  return all;
}

/** Closes in a process that dies before the nth statement; gives that statement, or null when it came to the end. */
const dieBefore = (n: number): Promise<string | null> => dieIn(data, 'closing-process.ts', DATABASE, WABA, String(n));

describe('a close that is killed', () => {
  it('has closed the month or has not, between any two of its statements, and is made good by closing again', async () => {
    const ledger = await openLedger(data, DATABASE, { accounts: [{ waba_id: WABA, currency: 'USD' }] });
    const { database } = ledger;
    try {
      const card = { name: 'card.csv', bytes: Buffer.from(CARD), effective: '2026-07-01', by: 'ana' };
      await importRateFile(database, card);
      await ledger.record(parsed([3, 9, 20].flatMap(delivered)));
      const live = await text(ledger, 'charges');
      const killed: string[] = [];
      let closings = 0;
      // The full run kills it before each of its statements.
      for (let n = 1; ; n += isFull ? 1 : 4) {
        const statement = await dieBefore(n);
        const closed = (await listPeriods(database)).filter(({ state }) => state === 'closed');
        const printed = await text(ledger, 'charges');
        const why = `killed before ${statement?.slice(0, 60) ?? 'nothing'}`;
        if (closed.length === 0) {
          // Nothing is closed, whatever was copied, and reports print what they did.
          expect(statement, why).not.toBeNull();
          expect(printed, why).toBe(live);
        } else {
          const [period] = closed;
          expect(closed, why).toHaveLength(1);
          expect(printed, why).toBe(live.replaceAll(',live\n', `,closed ${period!.closed_at}\n`));
          expect(createHash('sha256').update(printed).digest('hex'), why).toBe(period!.checksum);
          expect(period, why).toMatchObject({ messages: 3, closed_by: 'ana', note: 'killed or not' });
          expect(period!.checklist.length, why).toBeGreaterThan(0);
          closings += 1;
          await reopenPeriod(database, period!.period_id, 'ana', 'to close it again');
        }
        // Whoever closes next need not wait, finds no leftovers, and the month as it is.
        const again = await closePeriod(
          database,
          { waba_id: WABA, month: '2026-10', by: 'rui', accept: true },
          Date.now,
        );
        if (again.outcome !== 'closed') throw new Error(`It was not closed again, ${why}.`);
        expect(again.period, why).toMatchObject({ messages: 3, charges: 3 });
        expect(
          await numberFrom(
            database,
            'SELECT count() AS n FROM closed_messages WHERE period_id NOT IN (SELECT period_id FROM closed_periods)',
          ),
          why,
        ).toBe(0);
        expect(await text(ledger, 'adjustments'), why).toMatch(/^day,[^\n]*\n$/);
        await reopenPeriod(database, again.period.period_id, 'rui', 'to close it once more');
        if (statement === null) break;
        killed.push(statement);
      }
      // It died at each of its steps: before the copies, between them, before the closing, and after it.
      for (const table of isFull ? ['leases', 'closed_charges', 'closed_messages', 'closed_periods'] : ['closed_'])
        expect(
          killed.some((statement) => statement.includes(`INSERT INTO ${table}`)),
          table,
        ).toBe(true);
      expect(closings).toBeGreaterThanOrEqual(isFull ? 2 : 1);
    } finally {
      await ledger.close();
    }
  });
});

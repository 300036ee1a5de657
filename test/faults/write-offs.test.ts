import { afterAll, describe, expect, it } from 'vitest';
import type { StatementRow, WriteOffRow } from '../../schemas/write-offs.ts';
import { objectReport, settleReports } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { importMetaAnswers } from '../../services/reconciliation/imports.ts';
import { listWriteOffs, makeWriteOff, undoWriteOff } from '../../services/reconciliation/write-off-register.ts';
import { gathered } from '../../services/reports/report.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, isFull, openLedger } from '../support/ledger.ts';
import { dieIn } from './killed-process.ts';

const WABA = 'W1';
const DATABASE = 'writing_off_killed';
const CARD = 'Cost per message\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,0.0625,0.0068,0.0068\n';
const ROW = '2026-10-05||BR|MARKETING|REGULAR|';
const asked = { waba_id: WABA, month: '2026-10' };
const words = { reason: 'immaterial', note: 'killed or not', by: 'ana' } as const;

const data = new DataDirectory();
afterAll(() => data.remove());

/** A template that was delivered on the fifth of October. */
function delivered(n: number): object[] {
  const at = Date.UTC(2026, 9, 5, 12, n) / 1_000;
  const of = { waba_id: WABA, phone_number_id: 'N1', wa_id: '5511955550001', id: `m${n}` };
  const template = { name: 't', category: 'marketing' };
  return [
    { event: 'message', direction: 'outbound', ...of, timestamp: at - 60, type: 'template', template },
    { event: 'status', ...of, status: 'delivered', timestamp: at },
  ];
}

/** Five messages here, of which Meta counts two. */
async function prepare(ledger: Ledger): Promise<void> {
  const { database } = ledger;
  await importRateFile(database, { name: 'card.csv', bytes: Buffer.from(CARD), effective: '2026-07-01', by: 'ana' });
  await ledger.record(parsed([1, 2, 3, 4, 5].flatMap(delivered)));
  await settleReports(['statement'], database);
  const start = Date.UTC(2026, 9, 5) / 1_000;
  const key = { country: 'BR', pricing_type: 'REGULAR', pricing_category: 'MARKETING' };
  const point = { start, end: start + 86_400, ...key, volume: 2, cost: 0.125 };
  const meta = { id: WABA, pricing_analytics: { data: [{ data_points: [point] }] } };
  await importMetaAnswers(database, [{ name: 'meta.json', bytes: Buffer.from(JSON.stringify(meta)) }], {
    ...{ days: 'account', asked: { from: '2026-10-01', to: '2026-11-01' }, by: 'ana' },
  });
}

/** The lines of the statement that its difference consists of; they add up to it whatever was interrupted. */
async function statement({ database }: Ledger, why: string): Promise<string[]> {
  const filters = { from: '2026-10-01', to: '2026-11-01', tz: 'UTC', as_of: 0, waba_id: WABA };
  const lines = (await gathered(objectReport('statement', database, filters))) as unknown as StatementRow[];
  const [, , difference, ...parts] = lines;
  expect(
    parts.reduce((sum, { volume }) => sum + Number(volume), 0),
    why,
  ).toBe(Number(difference!.volume));
  return parts.filter(({ volume }) => volume !== '0').map(({ line, volume }) => `${line} ${volume}`);
}

/** The id of what is written off, which is nothing or all of the row. */
async function inForce(ledger: Ledger, why: string): Promise<string | null> {
  const standing = (await listWriteOffs(ledger.database, asked)).filter((one: WriteOffRow) => one.state === 'in_force');
  expect(standing.length, why).toBeLessThanOrEqual(1);
  expect(await statement(ledger, why), why).toEqual([standing.length === 1 ? 'written_off 3' : 'residual 3']);
  return standing[0]?.write_off_id ?? null;
}

describe('a write-off that is killed', () => {
  it('is made or is not, and undone or is not, between any two statements, and is made good by doing it again', async () => {
    const account = { waba_id: WABA, currency: 'USD', write_off_amount: '1000' };
    const ledger = await openLedger(data, DATABASE, { accounts: [account] });
    try {
      await prepare(ledger);
      const { database } = ledger;
      const killed: string[] = [];
      let entered = 0;
      let undone = 0;
      // The full run kills it before each of its statements.
      for (let n = 1, isMade = false, isUndone = false; !isMade || !isUndone; n += isFull ? 1 : 3) {
        const making: string | null = isMade
          ? null
          : await dieIn(data, 'writing-off-process.ts', DATABASE, WABA, ROW, '', String(n));
        isMade ||= making === null;
        const whyMade = `killed before ${making?.slice(0, 80) ?? 'nothing'}`;
        if ((await inForce(ledger, whyMade)) !== null) entered += 1;
        const { write_off } = await makeWriteOff(database, { ...asked, ...words, rows: [ROW] });
        expect(await inForce(ledger, whyMade), whyMade).toBe(write_off.write_off_id);

        const undoing: string | null = isUndone
          ? null
          : await dieIn(data, 'writing-off-process.ts', DATABASE, WABA, ROW, write_off.write_off_id, String(n));
        isUndone ||= undoing === null;
        const whyUndone = `undoing killed before ${undoing?.slice(0, 80) ?? 'nothing'}`;
        if ((await inForce(ledger, whyUndone)) === null) undone += 1;
        await undoWriteOff(database, write_off.write_off_id, { action: 'undo', by: words.by, note: words.note });
        expect(await inForce(ledger, whyUndone), whyUndone).toBeNull();
        killed.push(...[making, undoing].filter((statement) => statement !== null));
      }
      // It died before its entry and came to its end.
      expect(killed.some((statement) => statement.includes('leases'))).toBe(true);
      if (isFull)
        expect(killed.filter((statement) => statement.includes('INSERT INTO write_off_entries'))).toHaveLength(2);
      expect(Math.min(entered, undone)).toBeGreaterThanOrEqual(1);
    } finally {
      await ledger.close();
    }
  });
});

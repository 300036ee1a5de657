import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExportDefinition, ExportTotals } from '@ctwa-ledger/schemas/exports.ts';
import { objectReport } from '../../services/exports/report.ts';
import { listRuns } from '../../services/exports/runs.ts';
import { findSchedule } from '../../services/exports/schedules.ts';
import { Totals, totalsLess } from '../../services/exports/totals.ts';
import { verifyExports } from '../../services/exports/verify.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { CHARGES_COLUMNS, chargesPage } from '../../services/reports/charges.ts';
import { delivered, NOW, onlySchedule, type Place } from '../support/exports.ts';
import { DataDirectory, openLedger } from '../support/ledger.ts';

const DAY = 86_400;
const PROCESS = fileURLToPath(new URL('./export-run-process.ts', import.meta.url));
const CARD =
  'Cost per message\nMarket,Currency,Marketing,Utility,Authentication\nNorth America,USD,0.02500001,0.01,0.01\n';
/** Blocks of a KiB: more than nothing, less than a day of messages. */
const FULL_AT = 4;
const MESSAGES_A_DAY = 40;
const go = (): boolean => false;

const data = new DataDirectory();
let ledger: Ledger;
let names = 0;

function scheduled(given: Partial<ExportDefinition>, since: number): Promise<Place & { readonly name: string }> {
  const name = `export-${++names}`;
  return onlySchedule(ledger, data.file(name), { name, ...given }, since);
}

async function problemsOf(place: Place & { readonly name: string }): Promise<(string | null)[]> {
  const verified = await verifyExports(ledger, place.directory, await findSchedule(ledger.database, place.name));
  return verified.map(({ problem }) => problem);
}

beforeAll(async () => {
  ledger = await openLedger(data, 'ctwa_ledger', {
    accounts: [{ waba_id: '102290129340398', currency: 'USD', phone_number_ids: ['106540352242922'] }],
  });
  const card = { name: 'card.csv', bytes: Buffer.from(CARD), effective: '2026-07-01', by: 'a test' };
  await importRateFile(ledger.database, card);
  const days = [1, 2, 3, 4, 5].map((day) => NOW - day * DAY);
  await ledger.record(
    days.flatMap((at) => Array.from({ length: MESSAGES_A_DAY }, (_, i) => delivered(`wamid.${at}.${i}`, at - i * 60))),
  );
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

describe('a scheduled export', () => {
  it('that a disk takes no more of leaves nothing where readers look, and is written when there is room', async () => {
    const place = await scheduled({}, NOW - 2 * DAY);
    const limited = `ulimit -f ${FULL_AT}; exec "$0" --import tsx "$@"`;
    const child = spawn('bash', ['-c', limited, process.execPath, PROCESS, data.path, place.directory, String(NOW)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await once(child, 'close');
    expect(readdirSync(join(place.directory, place.name))).toEqual([]);
    const { schedule_id } = await findSchedule(ledger.database, place.name);
    const runs = await listRuns(ledger.database, schedule_id);
    expect(runs).toMatchObject([{ state: 'retry', period_from: '2026-11-18' }]);
    expect(runs[0]!.error).toContain('could not be written');
    await place.exports.runDue(NOW + 120, go);
    expect(place.ended.map(({ state, rows }) => [state, rows])).toEqual([
      ['done', MESSAGES_A_DAY],
      ['done', MESSAGES_A_DAY],
    ]);
    expect(await problemsOf(place)).toEqual([null, null]);
  });

  it('runs each period once, whatever the clock does meanwhile', async () => {
    const place = await scheduled({}, NOW - 3 * DAY);
    // Forward by two days, back by four, and on.
    for (const at of [NOW - 2 * DAY, NOW, NOW - 4 * DAY, NOW - 2 * DAY, NOW + 60, NOW + DAY])
      await place.exports.runDue(at, go);
    expect(place.ended.map(({ period, state }) => [period.from, state])).toEqual(
      ['17', '18', '19', '20'].map((day) => [`2026-11-${day}`, 'done']),
    );
    expect(await problemsOf(place)).toEqual([null, null, null, null]);
  });

  it('says in its manifest what the API answers and the page shows, and what changed since it was written before', async () => {
    const place = await scheduled({ report: 'charges', period: 'this-month' }, NOW - DAY);
    await place.exports.runNow(place.name, 'a test', NOW);
    const filters = { from: '2026-11-01', to: '2026-11-21', tz: 'UTC', as_of: NOW };
    const sumsOf = async (): Promise<readonly ExportTotals[]> => {
      const [api, page] = [new Totals(CHARGES_COLUMNS), new Totals(CHARGES_COLUMNS)];
      const cells = (row: object): unknown[] =>
        CHARGES_COLUMNS.map((column) => (row as Record<string, unknown>)[column]);
      for await (const rows of objectReport('charges', ledger.reading, filters)) api.add(rows.map(cells));
      const sort = { column: 'day', descending: false } as const;
      const shown = await chargesPage(ledger.reading, filters, { sort, after: '', limit: 1_000 });
      page.add(shown.rows.map(cells));
      return [api.byCurrency(), page.byCurrency()];
    };
    const first = place.manifest(place.ended[0]!.file);
    expect(await sumsOf()).toEqual([first.totals, first.totals]);
    expect(first.totals['USD']!['billed_cost']).toBe('5.000002');
    expect(first.changes).toBe(null);
    await ledger.record([delivered('wamid.late', NOW - 2 * DAY)]);
    await place.exports.runNow(place.name, 'a test', NOW);
    const second = place.manifest(place.ended[1]!.file);
    expect(await sumsOf()).toEqual([second.totals, second.totals]);
    expect(second).toMatchObject({ replaces: { sha256: first.sha256 }, changes: { rows: 0 } });
    expect(second.changes!.totals['USD']).toMatchObject({ billed_cost: '0.02500001', savings: '0' });
  });

  it('has changes by currency', () => {
    expect(totalsLess({ EUR: { cost: '1.5' } }, { EUR: { cost: '2.25' }, USD: { cost: '3' } })).toEqual({
      EUR: { cost: '-0.75' },
      USD: { cost: '-3' },
    });
  });
});

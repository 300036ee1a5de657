import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MonthReport, Period } from '@ctwa-ledger/schemas/periods.ts';
import { workbookOf } from '../../services/exports/workbook.ts';
import type { Column } from '../../services/reports/report.ts';
import { Problems } from '../../services/imports/rows.ts';
import { readWorkbook } from '../../services/imports/workbook.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import {
  makeMonthReport,
  monthReport,
  monthReportArchive,
  monthReportFiles,
} from '../../services/periods/month-report.ts';
import { closePeriod, reopenPeriod } from '../../services/periods/periods.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, openLedger, succeed } from '../support/ledger.ts';

const WABA = '102290129340398';
const ACCOUNT = { waba_id: WABA, time_zone: 'America/Sao_Paulo', currency: 'USD' };
const LIST = 'Cost per message\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,0.0625,0.0068,0.0068\n';
const NOW = Date.parse('2026-11-10T12:00:00Z');

/** A template, sent a minute before it was delivered; Meta reports the second one otherwise than predicted. */
function template(id: string, day: string, type = 'regular'): object[] {
  const of = { waba_id: WABA, phone_number_id: '106540352242922', wa_id: '5511955550001', id };
  const at = Date.parse(`2026-10-${day}T15:00:00Z`) / 1_000;
  const pricing = { billable: type === 'regular', pricing_model: 'PMP', type, category: 'marketing' };
  return [
    {
      event: 'message',
      direction: 'outbound',
      ...of,
      timestamp: at - 60,
      type: 'template',
      template: { name: 'offer', category: 'marketing' },
    },
    { event: 'status', ...of, status: 'delivered', timestamp: at, pricing },
  ];
}

const data = new DataDirectory();
let ledger: Ledger;
let period: Period;

const sha256 = (content: Uint8Array | string): string => createHash('sha256').update(content).digest('hex');

async function bytesOf(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts);
}

async function filesOf(period_id: string): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {};
  for (const { name, content } of (await monthReportFiles(ledger.database, period_id)) ?? [])
    files[name] = await bytesOf(content());
  return files;
}

const archived = async (): Promise<Buffer> =>
  bytesOf((await monthReportArchive(ledger.database, period.period_id))!.content);
const close = async (): Promise<Period> => {
  const closing = { waba_id: WABA, month: '2026-10', by: 'ana', note: 'as agreed', accept: true };
  const closed = await closePeriod(ledger.database, closing, () => NOW);
  if (closed.outcome !== 'closed') throw new Error('The month was not closed.');
  return closed.period;
};

beforeAll(async () => {
  ledger = await openLedger(data, 'ctwa_ledger', { accounts: [ACCOUNT] });
  const card = { name: 'list.csv', bytes: Buffer.from(LIST), effective: '2026-10-01', by: 'a test' };
  await importRateFile(ledger.database, card);
  await ledger.record(parsed([...template('a', '05'), ...template('b', '06', 'free_customer_service')]));
  period = await close();
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

describe('the report of a closed month', () => {
  it('is what was frozen, with a manifest that says so', async () => {
    expect(await monthReport(ledger.database, period.period_id)).toBeNull();
    expect(await monthReportArchive(ledger.database, period.period_id)).toBeNull();
    const { outcome, report } = await makeMonthReport(ledger.database, period.period_id, 'ana', NOW);
    expect(outcome).toBe('made');
    const files = await filesOf(period.period_id);
    expect(report.files.map(({ name, bytes, sha256: sum }) => [name, bytes, sum])).toEqual(
      ['charges', 'reconciliation', 'statement', 'whole-bill', 'adjustments', 'savings-days', 'mismatches']
        .flatMap((name) => [`${name}.csv`, `${name}.xlsx`])
        .map((name) => [name, files[name]!.length, sha256(files[name]!)]),
    );
    expect(report).toMatchObject({ month: '2026-10', note: 'as agreed', made_by: 'ana', checksum: period.checksum });
    expect(JSON.parse(files['manifest.json']!.toString())).toEqual(report);
    // The charges are those that the checksum of the closing is of.
    expect(sha256(files['charges.csv']!)).toBe(period.checksum);
    expect(parse(files['mismatches.csv']!, { columns: true })).toHaveLength(1);
  });

  it('has workbooks that say what the tables say', async () => {
    const files = await filesOf(period.period_id);
    for (const name of ['charges', 'savings-days', 'mismatches']) {
      const problems = new Problems();
      const sheets = await readWorkbook(files[`${name}.xlsx`]!, problems);
      expect(problems.result()).toMatchObject({ problems: [] });
      expect(sheets?.map((sheet) => [sheet.name, sheet.rows.map(({ cells }) => cells)])).toEqual([
        [
          name,
          (parse(files[`${name}.csv`]!) as string[][]).map((row) =>
            row.slice(0, row.findLastIndex((cell) => cell !== '') + 1).map(asWorkbookShows),
          ),
        ],
      ]);
    }
  });

  it('is the same bytes later, whatever became known since', async () => {
    const before = await archived();
    await ledger.record(parsed(template('late', '07')));
    const again = await makeMonthReport(ledger.database, period.period_id, 'bea', NOW + 86_400_000);
    expect(again).toMatchObject({ outcome: 'unchanged', report: { made_by: 'ana' } });
    expect((await archived()).equals(before)).toBe(true);
    const folder = data.file('report');
    const said = JSON.parse(
      (await succeed(data, ['periods', 'report', period.period_id, '--out', folder])).stdout,
    ) as MonthReport & {
      readonly outcome: string;
    };
    expect(said.outcome).toBe('unchanged');
    const unpacked = unzipSync(before);
    expect(
      Object.keys(unpacked)
        .map((path) => path.split('/')[1])
        .toSorted(),
    ).toEqual(readdirSync(folder).toSorted());
    for (const [path, bytes] of Object.entries(unpacked))
      expect(readFileSync(join(folder, path.split('/')[1]!)).equals(bytes)).toBe(true);
  });

  it('of a closing that was reopened stays, and is made of no other', async () => {
    await reopenPeriod(ledger.database, period.period_id, 'ana', 'a late event');
    expect(await makeMonthReport(ledger.database, period.period_id, 'ana', NOW)).toMatchObject({
      outcome: 'unchanged',
    });
    const second = await close();
    await reopenPeriod(ledger.database, second.period_id, 'ana', 'again');
    await expect(makeMonthReport(ledger.database, second.period_id, 'ana', NOW)).rejects.toThrow('was reopened');
    await expect(makeMonthReport(ledger.database, 'nothing', 'ana', NOW)).rejects.toThrow(
      'There is no closing "nothing"',
    );
  });
});

/** Workbooks know no zones: a time is what the clocks of its zone showed. */
function asWorkbookShows(cell: string): string {
  return cell.replace(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)[+-]\d\d:\d\d$/, '$1.000Z');
}

describe('a workbook', () => {
  const column = (name: string, type: Column['type']): Column => ({
    name,
    type,
    meaning: '',
    is_nullable: false,
    values: [],
  });
  const rows = [['1', '0.125', '12345678901234567', '007', '<&"\u0001', '=1+1', '', '-3']];
  const made = (): Promise<Buffer> =>
    bytesOf(
      workbookOf(
        'a <b>',
        [
          column('phone_number_id', 'text'),
          column('b', 'decimal'),
          column('c', 'integer'),
          column('d', 'decimal'),
          column('e', 'text'),
          column('f', 'text'),
          column('g', 'integer'),
          column('h', 'integer'),
        ],
        (async function* () {
          yield rows;
        })(),
      ),
    );

  it('is the same bytes in every zone, and rounds and runs nothing', async () => {
    const zone = process.env['TZ'];
    const first = await made();
    try {
      process.env['TZ'] = 'Asia/Tokyo';
      expect((await made()).equals(first)).toBe(true);
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
    const xml = Buffer.from(unzipSync(first)['xl/worksheets/sheet1.xml']!).toString();
    expect(xml).toContain('<c r="B2" s="2"><v>0.125</v></c>');
    expect(xml).toContain('<c r="H2" s="0"><v>-3</v></c>');
    for (const text of ['1', '12345678901234567', '007', '=1+1']) expect(xml).toContain(`>${text}</t></is></c>`);
    expect(xml).toContain('&lt;&amp;&quot;\u{fffd}');
    expect(xml).not.toContain('<f>');
  });
});

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportDefinition, type ExportFormat } from '@ctwa-ledger/schemas/exports.ts';
import { addSchedule } from '../../services/exports/schedules.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { delivered, NOW, Place } from '../support/exports.ts';
import { DataDirectory, isFull, openLedger } from '../support/ledger.ts';
import { csvRows } from '../support/product.ts';

const DUCKDB = 'duckdb==1.4.1';
const READ = `
import duckdb, json, sys
connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
read = connection.execute("SELECT columns(*)::VARCHAR FROM read_parquet(?)", [sys.argv[1]])
names = [column[0] for column in read.description]
print(json.dumps([dict(zip(names, row)) for row in read.fetchall()]))
`;

/** A Python with DuckDB, made once on a machine. */
function pythonWithDuckDb(): string {
  const directory = join(homedir(), '.cache', 'ctwa-ledger-test', DUCKDB.replace('==', '-'));
  const python = join(directory, 'bin', 'python');
  if (!existsSync(join(directory, 'ready'))) {
    execFileSync('python3', ['-m', 'venv', '--clear', directory], { stdio: 'inherit' });
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', DUCKDB], { stdio: 'inherit' });
    execFileSync('touch', [join(directory, 'ready')]);
  }
  return python;
}

/** What DuckDB read, written as CSV has it. */
function asInCsv(text: string | null): string {
  if (text === null) return '';
  if (/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00$/.test(text)) return `${text.replace(' ', 'T')}:00`;
  return /^-?\d+\.\d{18}$/.test(text) ? text.replace(/\.?0+$/, '') : text;
}

// It installs a package: other runs read Parquet back with ClickHouse alone.
describe.runIf(isFull)('Parquet that DuckDB reads', () => {
  const data = new DataDirectory();
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await openLedger(data, 'ctwa_ledger', {
      accounts: [{ waba_id: '102290129340398', currency: 'USD', phone_number_ids: ['106540352242922'] }],
    });
    const name = 'invented-list-USD-2026-10-01.csv';
    const bytes = readFileSync(new URL(`../../services/sample/rates/${name}`, import.meta.url));
    await importRateFile(ledger.database, { name, bytes, effective: '2026-10-01', model: 'message', by: 'a test' });
    await ledger.record(Array.from({ length: 200 }, (_, i) => delivered(`wamid.${i}`, NOW - i * 3_600)));
  });
  afterAll(async () => {
    await ledger.close();
    await data.remove();
  });

  it.each(['messages', 'charges'])('is the CSV of %s, with amounts and times', async (report) => {
    const files = new Map<ExportFormat, string>();
    for (const format of ['csv', 'parquet'] as const) {
      const name = `${report}-${format}`;
      const given = { name, report, format, when: 'every day 06:00', period: 'last-week' };
      await addSchedule(ledger.database, exportDefinition.parse(given), 'a test', NOW);
      const place = new Place(ledger, data.file(name));
      const [run] = await place.exports.runNow(name, 'a test', NOW);
      files.set(format, join(place.directory, run?.file ?? ''));
    }
    const parquet = execFileSync(pythonWithDuckDb(), ['-c', READ, files.get('parquet') ?? '']).toString('utf8');
    const read = z.array(z.record(z.string(), z.string().nullable())).parse(JSON.parse(parquet));
    const rows = read.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, asInCsv(cell)])),
    );
    expect(rows).toEqual(csvRows(readFileSync(files.get('csv') ?? '', 'utf8')));
    expect(rows.some(({ billed_cost }) => Number(billed_cost) > 0)).toBe(true);
  });
});

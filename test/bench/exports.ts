/**
 * Exports, on this machine: `npm run bench -- exports`. Writes the messages of a month as CSV and as Parquet, with the memory that
 * it takes, and catches up daily schedules of a year.
 *
 * CTWA_BENCH_ROWS (default 1,000,000) changes how many messages there are. CTWA_BENCH_SCHEDULES (20) and CTWA_BENCH_DAYS (365)
 * change what is caught up; 0 leaves it out.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportDefinition, type ExportFormat } from '@ctwa-ledger/schemas/exports.ts';
import { Exports, type EndedRun } from '../../services/exports/runner.ts';
import { addSchedule, setScheduleState } from '../../services/exports/schedules.ts';
import { Ledger } from '../../services/ledger/ledger.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { judge, rate, say, sayMachine, secondsSince } from './figures.ts';
import { engineUse, NOTHING, stopEngine, useOf } from './processes.ts';

const ROWS = Number(process.env['CTWA_BENCH_ROWS'] ?? 1_000_000);
const SCHEDULES = Number(process.env['CTWA_BENCH_SCHEDULES'] ?? 20);
const DAYS = Number(process.env['CTWA_BENCH_DAYS'] ?? 365);
/** Rows in a second that are wanted, and MiB of this process. */
const WANTED: Readonly<Partial<Record<ExportFormat, number>>> = { csv: 300_000, parquet: 500_000 };
const MEMORY_MIB = 300;
const CAUGHT_UP_SECONDS = 600;
const DAY = 86_400;
/** 2026-11-20T10:00:00Z: the month before is that of the messages. */
const NOW = 1_795_168_800;
const FIRST_AT = Date.UTC(2026, 9, 1) / 1000;
const WABA = '102290129340398';
const CARD = 'invented-list-USD-2026-10-01.csv';

const home = mkdtempSync(join(tmpdir(), 'ctwa-bench-exports-'));
const dataDir = join(home, 'data');

/** Marks of messages all over a month, as folding would have written them: a tenth of them free, the others charged. */
async function fill({ database }: Ledger): Promise<void> {
  await database.command(
    `INSERT INTO message_marks (phone_number_id, message_id, version, is_retracted, customer, waba_id, sent_at, delivered_at, type,
       template_name, category, is_template, policy, predicted, reported, billing, rule)
     SELECT '106540352242922', concat('wamid.HBgMNTUxMTk1NTU1', leftPad(toString(number), 12, '0'), 'FQIAERgS'), 1, 0,
       concat('55119', leftPad(toString(number % 700000), 8, '0')), {waba:String},
       toDateTime({first:UInt32} + intDiv(number * 2600000, {rows:UInt64}), 'UTC'),
       toDateTime({first:UInt32} + intDiv(number * 2600000, {rows:UInt64}) + 2, 'UTC'), 'template',
       concat('offer_', toString(number % 40)), 'marketing', 1, 'PMP-2026-10',
       if(number % 10 = 0, 'FREE_ENTRY', 'BILLABLE') AS mark, '', mark, '3_charged'
     FROM numbers({rows:UInt64})`,
    { waba: WABA, first: FIRST_AT, rows: ROWS },
  );
}

function exportsInto(ledger: Ledger, directory: string, ended: EndedRun[]): Exports {
  mkdirSync(directory, { recursive: true });
  return new Exports({ ledger, directory, onRun: (_, run) => ended.push(run) });
}

async function measure(ledger: Ledger, format: ExportFormat, wanted: number): Promise<void> {
  const definition = { name: `bench-${format}`, report: 'messages', format, when: 'every day 06:00' };
  await addSchedule(ledger.database, exportDefinition.parse({ ...definition, period: 'last-month' }), 'bench', NOW);
  const began = performance.now();
  const exports = exportsInto(ledger, join(home, 'files'), []);
  const [run] = await exports.runNow(definition.name, 'bench', NOW);
  const seconds = secondsSince(began);
  if (run?.state !== 'done' || run.rows !== ROWS)
    throw new Error(`It wrote ${run?.rows ?? 0} rows. ${run?.error ?? ''}`);
  say(`messages as ${format}, ${(run.bytes / 1e6).toFixed(0)} MB`, rate(ROWS, seconds));
  judge(`  rows a second`, Math.round(ROWS / seconds), '', { sign: '≥', figure: wanted });
  const peak = (useOf(process.pid) ?? NOTHING).peakMiB;
  judge('  peak memory of the exporter', peak, ' MiB', { sign: '<', figure: MEMORY_MIB });
  say('  peak memory of the engine', `${engineUse(dataDir).peakMiB.toFixed(0)} MiB`);
  await setScheduleState(ledger.database, definition.name, 'removed', 'bench', NOW);
}

/** Daily schedules that nobody ran for a year. */
async function catchUp(ledger: Ledger): Promise<void> {
  const reports = ['messages', 'charges', 'daily', 'conversations'];
  for (let i = 0; i < SCHEDULES; i++) {
    const report = reports[i % reports.length];
    const definition = { name: `daily-${i}`, report, when: 'every day 06:00 America/Sao_Paulo', period: 'yesterday' };
    await addSchedule(ledger.database, exportDefinition.parse(definition), 'bench', NOW - DAYS * DAY);
  }
  const ended: EndedRun[] = [];
  const began = performance.now();
  await exportsInto(ledger, join(home, 'caught-up'), ended).runDue(NOW, () => false);
  const seconds = secondsSince(began);
  const done = ended.filter(({ state }) => state === 'done').length;
  if (done !== SCHEDULES * DAYS) throw new Error(`${done} of ${SCHEDULES * DAYS} periods were written.`);
  judge(`${SCHEDULES} daily schedules, ${DAYS} days each, caught up`, seconds, ' s', {
    sign: '<',
    figure: CAUGHT_UP_SECONDS,
  });
  say('  files', rate(done, seconds));
}

sayMachine();
const location = { kind: 'embedded', dataDir } as const;
const accounts = [{ waba_id: WABA, currency: 'USD', phone_number_ids: ['106540352242922'] }];
const ledger = await Ledger.open({ location, database: 'ctwa_ledger', config: { accounts }, command: 'bench' });
try {
  const bytes = readFileSync(new URL(`../../services/sample/rates/${CARD}`, import.meta.url));
  await importRateFile(ledger.database, { name: CARD, bytes, effective: '2026-10-01', model: 'message', by: 'bench' });
  const began = performance.now();
  await fill(ledger);
  say('messages', `${ROWS} in ${secondsSince(began).toFixed(1)} s`);
  for (const format of ['csv', 'parquet'] as const) await measure(ledger, format, WANTED[format] ?? 0);
  if (SCHEDULES * DAYS > 0) await catchUp(ledger);
} finally {
  await ledger.close();
  await stopEngine(dataDir);
  rmSync(home, { recursive: true, force: true });
}

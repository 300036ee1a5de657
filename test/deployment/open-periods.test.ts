import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportDefinition, type ExportDefinition, type ExportRun } from '@ctwa-ledger/schemas/exports.ts';
import { openPeriods } from '../../services/exports/open-periods.ts';
import { findSchedule, listSchedules, setScheduleState } from '../../services/exports/schedules.ts';
import { verifyExports } from '../../services/exports/verify.ts';
import { Metrics } from '../../services/http/metrics.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { closePeriod } from '../../services/periods/periods.ts';
import { ScheduledExports } from '../../services/processes/scheduled-exports.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { delivered, NOW, onlySchedule, type Place } from '../support/exports.ts';
import { DataDirectory, openLedger } from '../support/ledger.ts';

const WABA = '102290129340398';
const DAY = 86_400;
const go = (): boolean => false;
/** 2026-10-15T12:00:00Z. */
const OCTOBER = 1_792_065_600;

const data = new DataDirectory();
let ledger: Ledger;
let names = 0;

function scheduled(given: Partial<ExportDefinition>, since: number): Promise<Place & { readonly name: string }> {
  const name = `export-${++names}`;
  return onlySchedule(ledger, data.file(name), { name, ...given }, since);
}

/** What was written since the last question, by the first day of its period. */
function written(place: Place): string[] {
  return place.ended.splice(0).map(({ period, state, rows }) => `${period.from} ${state} ${rows}`);
}

beforeAll(async () => {
  ledger = await openLedger(data, 'ctwa_ledger', {
    accounts: [{ waba_id: WABA, currency: 'USD', phone_number_ids: ['106540352242922'] }],
  });
  const card = 'invented-list-USD-2026-10-01.csv';
  const bytes = readFileSync(new URL(`../../services/sample/rates/${card}`, import.meta.url));
  await importRateFile(ledger.database, { name: card, bytes, effective: '2026-10-01', model: 'message', by: 'a test' });
  await ledger.record([
    ...Array.from({ length: 6 }, (_, i) => delivered(`wamid.${i}`, NOW - i * DAY)),
    delivered('wamid.october', OCTOBER),
  ]);
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

describe('the file of a period that is over and not closed', () => {
  it('is written again, with the next run, when a late event or a card changes its rows, and only then', async () => {
    const place = await scheduled({ report: 'charges' }, NOW - 4 * DAY);
    await place.exports.runDue(NOW, go);
    expect(written(place)).toEqual(['16', '17', '18', '19'].map((day) => `2026-11-${day} done 1`));
    const before = place.manifest(`${place.name}/charges_2026-11-17.csv`);
    await ledger.record([delivered('wamid.late', NOW - 3 * DAY)]);
    // Nothing is due.
    await place.exports.runDue(NOW + 60, go);
    expect(written(place)).toEqual([]);
    await place.exports.runDue(NOW + DAY, go);
    expect(written(place)).toEqual(['2026-11-20 done 1', '2026-11-17 done 1']);
    const after = place.manifest(`${place.name}/charges_2026-11-17.csv`);
    expect(after).toMatchObject({ asked_by: 'restatement', replaces: { sha256: before.sha256 }, changes: { rows: 0 } });
    expect(after.totals['USD']!['billed_cost']).not.toBe(before.totals['USD']!['billed_cost']);
    expect(JSON.parse(place.read(`${place.name}/latest.json`).toString('utf8'))).toMatchObject({
      file: 'charges_2026-11-20.csv',
    });
    expect(await verifyExports(ledger, place.directory, await findSchedule(ledger.database, place.name))).toEqual(
      expect.arrayContaining([expect.objectContaining({ problem: null, ledger: 'same' })]),
    );
    await place.exports.runDue(NOW + 2 * DAY, go);
    expect(written(place)).toEqual(['2026-11-21 done 0']);
  });

  it('is that of the whole month, once a month that was written so far is over', async () => {
    const place = await scheduled({ report: 'messages', period: 'this-month', when: 'every friday 06:00' }, NOW - DAY);
    await place.exports.runDue(NOW, go);
    expect(written(place)).toHaveLength(1);
    // After the last run of the month.
    await ledger.record([delivered('wamid.evening', NOW + 8 * DAY)]);
    // Three Fridays later the last run of November is of the 27th.
    await place.exports.runDue(NOW + 7 * DAY, go);
    await place.exports.runDue(NOW + 14 * DAY, go);
    const last = written(place);
    expect(last.map((one) => one.split(' ')[0])).toEqual(['2026-11-01', '2026-12-01', '2026-11-01']);
    const manifest = place.manifest(`${place.name}/messages_2026-11_UTC.csv`);
    expect(manifest.period).toMatchObject({ from: '2026-11-01', to: '2026-12-01' });
    expect(place.read(`${place.name}/messages_2026-11_UTC.csv`).toString('utf8')).toContain('wamid.evening');
  });

  it('is written a last time when its month is closed, and never again', async () => {
    const place = await scheduled(
      { report: 'charges', period: 'last-month', when: '1st of the month 06:00' },
      NOW - 25 * DAY,
    );
    await place.exports.runDue(NOW, go);
    expect(written(place)).toEqual(['2026-10-01 done 1']);
    await closePeriod(ledger.database, { waba_id: WABA, month: '2026-10', by: 'ana', accept: true }, () => NOW * 1000);
    const later = NOW + 40 * DAY;
    // The run of the month after brings October up to date.
    await place.exports.runDue(later, go);
    expect(written(place).at(-1)).toBe('2026-10-01 done 1');
    expect(place.manifest(`${place.name}/charges_2026-10.csv`)).toMatchObject({
      is_frozen: true,
      period: { status: 'closed' },
      closings: [{ month: '2026-10' }],
    });
    await ledger.record([delivered('wamid.october.late', OCTOBER)]);
    await place.exports.runDue(later + 31 * DAY, go);
    expect(written(place)).not.toContainEqual(expect.stringContaining('2026-10-01'));
  });

  it('is looked for among the runs of seventy days', () => {
    const run = (period_from: string, period_to: string, given: Partial<ExportRun> = {}): ExportRun => ({
      ...({ state: 'done', is_frozen: false } as ExportRun),
      period_from,
      period_to,
      ...given,
    });
    const days = (runs: readonly ExportRun[]): string[] =>
      openPeriods('yesterday', runs, '2026-11-20').map(({ period: { from, to } }) => `${from} ${to}`);
    expect(days([run('2026-11-19', '2026-11-20'), run('2026-11-18', '2026-11-19')])).toEqual([
      '2026-11-18 2026-11-19',
      '2026-11-19 2026-11-20',
    ]);
    expect(days([run('2026-09-10', '2026-09-11'), run('2026-09-09', '2026-09-10')])).toEqual(['2026-09-10 2026-09-11']);
    expect(days([run('2026-11-18', '2026-11-19', { is_frozen: true })])).toEqual([]);
    expect(days([run('2026-11-18', '2026-11-19', { state: 'failed' })])).toEqual([]);
    expect(
      openPeriods('this-week', [run('2026-11-09', '2026-11-12'), run('2026-11-16', '2026-11-18')], '2026-11-20'),
    ).toMatchObject([{ period: { from: '2026-11-09', to: '2026-11-16', label: '2026-11-09_2026-11-15' } }]);
    // Runs from before the schedule was changed to other periods.
    expect(openPeriods('last-week', [run('2026-11-10', '2026-11-11')], '2026-11-20')).toEqual([]);
    expect(openPeriods('last-month', [run('2026-10-10', '2026-10-11')], '2026-11-20')).toEqual([]);
    expect(days([run('2026-11-02', '2026-11-09')])).toEqual([]);
    expect(openPeriods('all', [run('2026-11-18', '')], '2026-11-20')).toEqual([]);
  });
});

describe('a manifest', () => {
  it('says of each day whether its events are all here', async () => {
    const place = await scheduled({ report: 'messages', period: 'this-week', when: 'every day 06:00' }, NOW - DAY);
    await place.exports.runDue(NOW, go);
    expect(place.manifest(place.ended[0]!.file).days).toEqual([
      ...['16', '17', '18', '19'].map((day) => ({ day: `2026-11-${day}`, status: 'complete' })),
      { day: '2026-11-20', status: 'not_over' },
    ]);
    // No event came after 2026-11-28.
    await place.exports.runDue(NOW + 10 * DAY, go);
    expect(place.manifest(`${place.name}/messages_2026-11-23_2026-11-29_UTC.csv`).days).toEqual([
      ...['23', '24', '25', '26', '27'].map((day) => ({ day: `2026-11-${day}`, status: 'complete' })),
      ...['28', '29'].map((day) => ({ day: `2026-11-${day}`, status: 'no_later_event' })),
    ]);
  });
});

describe('folders of keys and values', () => {
  it('say report, account and period; latest.json names the file in them', async () => {
    const filters = { waba_id: WABA };
    const place = await scheduled({ report: 'charges', layout: 'key=value', compression: 'gzip', filters }, NOW - DAY);
    await place.exports.runDue(NOW, go);
    const folder = `report=charges/waba_id=${WABA}/period=2026-11-19`;
    const name = `charges_${WABA}_2026-11-19_UTC.csv.gz`;
    expect(place.ended.map(({ file }) => file)).toEqual([`${place.name}/${folder}/${name}`]);
    expect(place.files(`${place.name}/${folder}`)).toEqual([name, `${name}.manifest.json`]);
    expect(JSON.parse(place.read(`${place.name}/latest.json`).toString('utf8'))).toMatchObject({
      file: `${folder}/${name}`,
      manifest: `${folder}/${name}.manifest.json`,
    });
    expect(await verifyExports(ledger, place.directory, await findSchedule(ledger.database, place.name))).toMatchObject(
      [{ problem: null, ledger: 'same' }],
    );
  });
});

describe('schedules of a configuration file', () => {
  const definition = (given: Partial<ExportDefinition>): ExportDefinition =>
    exportDefinition.parse({
      name: 'filed',
      report: 'charges',
      when: 'every day 06:00',
      period: 'yesterday',
      ...given,
    });

  async function start(configured: readonly ExportDefinition[] | null): Promise<string[]> {
    const directory = join(data.path, `out-${++names}`);
    const errors: string[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => errors.push(line) });
    const options = { ledger: () => ledger, directory, isExporter: false, configured, metrics: new Metrics(), log };
    await new ScheduledExports(options).runDue(NOW - DAY);
    return errors;
  }
  const states = async (): Promise<string[]> =>
    (await listSchedules(ledger.database)).map(
      ({ definition: { name, report, period }, state }) => `${name} ${report} ${period} ${state}`,
    );

  it('are added, changed and removed with it; a pause stays, and nobody else removes them', async () => {
    const { name: mine } = await scheduled({}, NOW);
    const own = `${mine} messages yesterday active`;
    expect(await start([definition({}), definition({ name: 'other' })])).toEqual([]);
    expect(await states()).toEqual([own, 'filed charges yesterday active', 'other charges yesterday active']);
    await setScheduleState(ledger.database, 'filed', 'paused', 'ana', NOW);
    await expect(setScheduleState(ledger.database, 'filed', 'removed', 'ana', NOW)).rejects.toThrow(
      'is listed in the configuration file',
    );
    expect(await start([definition({ period: 'last-week' })])).toEqual([]);
    expect(await states()).toEqual([own, 'filed charges last-week paused']);
    // A file that says nothing about exports changes nothing.
    await start(null);
    expect(await states()).toEqual([own, 'filed charges last-week paused']);
    const [problem] = await start([definition({ name: mine })]);
    expect(problem).toContain('a test has added one of that name');
    // Whose files would replace each other is refused, and the rest of the file with it.
    const taken = `the folder ${mine}, which is that of "${mine}"`;
    for (const [given, words] of [
      [[definition({ folder: mine })], taken],
      [[definition({ name: 'new' }), definition({ folder: mine })], taken],
      [[definition({ folder: 'same' }), definition({ name: 'new', folder: 'same' })], 'which is that of "filed"'],
      [[definition({}), definition({ period: 'last-week' })], 'two exports "filed"'],
    ] as const) {
      const errors = await start(given);
      expect(errors).toHaveLength(1);
      expect(errors[0]).toContain(words.replaceAll('"', '\\"'));
      expect(await states()).toEqual([own, 'filed charges last-week paused']);
    }
    // Folders that change hands within the file are no other's.
    await start([definition({ folder: 'a' }), definition({ name: 'second', folder: 'b' })]);
    expect(await start([definition({ folder: 'b' }), definition({ name: 'second', folder: 'a' })])).toEqual([]);
    const folders = (await listSchedules(ledger.database)).map(({ definition: one }) => [one.name, one.folder]);
    expect(folders).toEqual(
      expect.arrayContaining([
        ['filed', 'b'],
        ['second', 'a'],
      ]),
    );
    await start([]);
    expect(await states()).toEqual([own]);
  });
});

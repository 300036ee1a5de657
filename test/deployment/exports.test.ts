import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { pino } from 'pino';
import readWorkbook from 'read-excel-file/node';
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportDefinition, type ExportDefinition } from '@ctwa-ledger/schemas/exports.ts';
import { encodeParquet } from '../../services/exports/formats/parquet.ts';
import type { Manifest } from '../../services/exports/manifest.ts';
import { csvReport } from '../../services/exports/report.ts';
import { Exports, pauseAfter } from '../../services/exports/runner.ts';
import { listRuns } from '../../services/exports/runs.ts';
import { addSchedule, findSchedule, setScheduleState } from '../../services/exports/schedules.ts';
import { writeBeside } from '../../services/exports/written-file.ts';
import { reportOf } from '../../services/catalogue/catalogue.ts';
import { describedColumns } from '../../services/reports/report.ts';
import { verifyExports } from '../../services/exports/verify.ts';
import { ScheduledExports } from '../../services/processes/scheduled-exports.ts';
import { Metrics } from '../../services/http/metrics.ts';
import { answerExports } from '../../services/http/exports.ts';
import { answerPeriod } from '../../services/http/periods.ts';
import { QUESTION_LIMITS } from '../../services/http/send-check.ts';
import { UnfinishedBodies } from '../../services/ingest/unfinished.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { Prng } from '../../services/simulate/prng.ts';
import { delivered, NOW, Place } from '../support/exports.ts';
import { DataDirectory, isFull, openLedger, succeed } from '../support/ledger.ts';
import { csvRows, wait } from '../support/product.ts';

const data = new DataDirectory();
const DAY = 86_400;
const PROCESS = fileURLToPath(new URL('./export-run-process.ts', import.meta.url));
const go = (): boolean => false;

let ledger: Ledger;
let names = 0;
const placeIn = (): Place => new Place(ledger, data.file(`out-${++names}`));

function definition(given: Partial<ExportDefinition> = {}): ExportDefinition {
  return exportDefinition.parse({
    name: `export-${++names}`,
    report: 'messages',
    when: 'every day 06:00',
    zone: 'America/Sao_Paulo',
    period: 'yesterday',
    ...given,
  });
}

async function only(given: ExportDefinition, since: number, work: (place: Place) => Promise<void>): Promise<void> {
  await addSchedule(ledger.database, given, 'a test', since);
  try {
    await work(placeIn());
  } finally {
    await setScheduleState(ledger.database, given.name, 'removed', 'a test', since);
  }
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

beforeAll(async () => {
  ledger = await openLedger(data, 'ctwa_ledger', {
    accounts: [{ waba_id: '102290129340398', currency: 'USD', phone_number_ids: ['106540352242922'] }],
  });
  const card = 'invented-list-USD-2026-10-01.csv';
  const bytes = readFileSync(new URL(`../../services/sample/rates/${card}`, import.meta.url));
  const importing = { name: card, bytes, effective: '2026-10-01', model: 'message', by: 'a test' } as const;
  await importRateFile(ledger.database, importing);
  await ledger.record(Array.from({ length: 40 }, (_, i) => delivered(`wamid.${i}`, NOW - i * 6 * 3_600)));
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

describe('a scheduled export', () => {
  it('catches up missed periods, oldest first, each as one file with the rows of the report', async () => {
    const given = definition();
    await only(given, NOW - 4 * DAY, async (place) => {
      expect(await place.exports.runDue(NOW, go)).toEqual([]);
      expect(place.ended.map(({ period }) => period.from)).toEqual([
        '2026-11-16',
        '2026-11-17',
        '2026-11-18',
        '2026-11-19',
      ]);
      const stem = (day: string): string => `messages_${day}_America-Sao-Paulo.csv`;
      expect(place.files(given.name)).toEqual(
        [
          'latest.json',
          ...place.ended.flatMap(({ period: { from } }) => [stem(from), `${stem(from)}.manifest.json`]),
        ].sort(),
      );
      let before: string | null = null;
      for (const { period, rows, sha256: hash, file } of place.ended) {
        let text = '';
        const filters = { from: period.from, to: period.to, tz: 'America/Sao_Paulo', as_of: NOW };
        for await (const part of csvReport('messages', ledger.reading, filters)) text += part;
        expect(place.read(file).toString('utf8')).toBe(text);
        expect([rows, hash]).toEqual([csvRows(text).length, sha256(place.read(file))]);
        const manifest = place.manifest(file);
        expect(manifest).toMatchObject({
          report: 'messages',
          zone: 'America/Sao_Paulo',
          period: { from: period.from, to: period.to, status: 'open' },
          rows,
          sha256: hash,
          manifest_before: before,
          asked_by: 'schedule',
        });
        before = sha256(place.read(`${file}.manifest.json`));
      }
      expect(JSON.parse(place.read(`${given.name}/latest.json`).toString('utf8'))).toMatchObject({
        file: stem('2026-11-19'),
        manifest_sha256: before,
      });

      // Nothing is due any more; a day later one is.
      await place.exports.runDue(NOW + 60, go);
      expect(place.ended).toHaveLength(4);
      await place.exports.runDue(NOW + DAY, go);
      expect(place.ended).toHaveLength(5);
      expect(
        await verifyExports(ledger, place.directory, await findSchedule(ledger.database, given.name)),
      ).toHaveLength(5);
    });
  });

  it('replaces the file of a month that goes on', async () => {
    const given = definition({ period: 'this-month', report: 'daily' });
    await only(given, NOW - 2 * DAY, async (place) => {
      await place.exports.runDue(NOW, go);
      expect(place.ended).toHaveLength(2);
      expect(place.files(given.name).filter((name) => name.endsWith('.csv'))).toEqual([
        'daily_2026-11_America-Sao-Paulo.csv',
      ]);
      const schedule = await findSchedule(ledger.database, given.name);
      expect(await verifyExports(ledger, place.directory, schedule)).toMatchObject([{ problem: null }]);
      writeFileSync(join(place.directory, place.ended[1]!.file), 'something else');
      const [broken] = await verifyExports(ledger, place.directory, schedule);
      expect(broken?.problem).toContain('SHA-256');
    });
  });

  it('is tried again with longer and longer pauses, then given up; what comes after waits until then', async () => {
    const given = definition();
    await only(given, NOW - 2 * DAY, async (place) => {
      const { schedule_id } = await findSchedule(ledger.database, given.name);
      rmSync(place.directory, { recursive: true });
      await place.exports.runDue(NOW, go);
      expect(place.ended).toMatchObject([{ state: 'retry', attempt: 1, period: { from: '2026-11-18' } }]);
      expect(place.ended[0]?.error).toContain('is not there');
      const [run] = await listRuns(ledger.database, schedule_id);
      const next = Date.parse(run?.next_attempt_at ?? '') / 1000;
      // Not before its time.
      await place.exports.runDue(next - 1, go);
      expect(place.ended).toHaveLength(1);
      await place.exports.runDue(next + 1, go);
      expect(place.ended).toMatchObject([{ attempt: 1 }, { attempt: 2, state: 'retry' }]);
      expect([1, 2, 3, 7].map(pauseAfter)).toEqual([60, 120, 240, 3_600]);
      mkdirSync(place.directory);
      await place.exports.runDue(next + 2 * DAY, go);
      expect(place.ended.slice(2).map(({ state }) => state)).not.toContain('retry');
      expect(place.ended[2]).toMatchObject({ state: 'done', attempt: 3, period: { from: '2026-11-18' } });

      // What stands in the way of a folder stands there until it is given up; then comes the next period.
      const blocked = definition({ folder: `${given.name}-blocked` });
      writeFileSync(join(place.directory, `${given.name}-blocked`), 'a file where a folder should be');
      await only(blocked, NOW - 2 * DAY, async () => {
        await setScheduleState(ledger.database, given.name, 'paused', 'a test', NOW);
        place.ended.splice(0);
        for (let i = 0; i < 8; i++) await place.exports.runDue(NOW + i * 3_601, go);
        expect(place.ended.slice(0, 9).map(({ state, attempt }) => `${state} ${attempt}`)).toEqual([
          ...Array.from({ length: 7 }, (_, i) => `retry ${i + 1}`),
          'failed 8',
          'retry 1',
        ]);
        await expect(place.exports.runNow(blocked.name, 'somebody', NOW)).resolves.toMatchObject([{ state: 'failed' }]);
      });
    });
  });

  it('runs once where two exporters look at the same time', async () => {
    const given = definition();
    await only(given, NOW - 6 * DAY, async (place) => {
      const other = new Exports({
        ledger: { database: ledger.database, reading: ledger.reading },
        directory: place.directory,
        onRun: (_, run) => place.ended.push(run),
      });
      await Promise.all([place.exports.runDue(NOW, go), other.runDue(NOW, go)]);
      await place.exports.runDue(NOW, go);
      expect(place.ended.map(({ period }) => period.from)).toEqual(
        ['14', '15', '16', '17', '18', '19'].map((day) => `2026-11-${day}`),
      );
    });
  });

  it('is not run while it is paused, from the moment on that it is resumed, and filled in by hand', async () => {
    const given = definition();
    await only(given, NOW - 3 * DAY, async (place) => {
      await setScheduleState(ledger.database, given.name, 'paused', 'a test', NOW);
      await place.exports.runDue(NOW, go);
      await setScheduleState(ledger.database, given.name, 'active', 'a test', NOW);
      await place.exports.runDue(NOW + 60, go);
      expect(place.ended).toEqual([]);
      const days = { from: '2026-11-18', to: '2026-11-20' };
      expect((await place.exports.backfill(given.name, days, 'somebody')).map(({ period }) => period.from)).toEqual([
        '2026-11-17',
        '2026-11-18',
      ]);
      await place.exports.backfill(given.name, days, 'somebody');
      expect(place.ended).toHaveLength(2);
      const { schedule_id } = await findSchedule(ledger.database, given.name);
      expect(await listRuns(ledger.database, schedule_id)).toMatchObject([
        { asked_by: 'somebody', due_at: null, state: 'done' },
        { asked_by: 'somebody' },
      ]);
    });
  });

  it('is left to an exporter for as long as there is one, and run by the product otherwise', async () => {
    const given = definition();
    await only(given, NOW - 2 * DAY, async (place) => {
      const run = (directory: string, isExporter: boolean): ScheduledExports =>
        new ScheduledExports({
          ledger: () => ledger,
          directory,
          isExporter,
          configured: null,
          metrics: new Metrics(),
          log: pino({ level: 'silent' }),
        });
      const elsewhere = placeIn();
      const [product, exporter] = [run(place.directory, false), run(elsewhere.directory, true)];
      await exporter.runDue(NOW - DAY);
      await product.runDue(NOW - DAY + 60);
      expect(readdirSync(place.directory)).toEqual([]);
      await product.runDue(NOW);
      const csvOf = (at: Place): string[] => at.files(given.name).filter((name) => name.endsWith('.csv'));
      expect([csvOf(elsewhere), csvOf(place)]).toEqual([
        ['messages_2026-11-18_America-Sao-Paulo.csv'],
        ['messages_2026-11-19_America-Sao-Paulo.csv'],
      ]);
    });
  });

  it('writes chosen columns, packed', async () => {
    const given = definition({ columns: ['delivered_at', 'message_id'], compression: 'gzip' });
    await only(given, NOW - DAY, async (place) => {
      await place.exports.runDue(NOW, go);
      const [{ file, rows } = { file: '', rows: 0 }] = place.ended;
      const found = csvRows(gunzipSync(place.read(file)).toString('utf8'));
      expect(found).toHaveLength(rows);
      expect(Object.keys(found[0] ?? {})).toEqual(['message_id', 'delivered_at']);
    });
  });

  it('writes a workbook that another reader reads as the same rows', async () => {
    const given = definition({ format: 'xlsx' });
    await only(given, NOW - DAY, async (place) => {
      await place.exports.runDue(NOW, go);
      const [sheet] = await readWorkbook(join(place.directory, place.ended[0]!.file));
      const [head = [], ...rows] = sheet?.data ?? [];
      const { columns } = place.manifest(place.ended[0]!.file);
      expect(head).toEqual(columns.map(({ name }) => name));
      expect(rows).toHaveLength(place.ended[0]!.rows);
      const at = head.indexOf('delivered_at');
      for (const row of rows) expect(row[at]).toBeInstanceOf(Date);
    });
  });

  it.each([
    ['messages', 4, ['message_id', 'delivered_at', 'billed_cost', 'customer']],
    ['charges', 1, []],
  ] as const)('writes %s with the same rows and totals in every format', async (report, rows, columns) => {
    const manifests: Manifest[] = [];
    for (const format of ['csv', 'parquet', 'xlsx'] as const) {
      const given = definition({ format, report, columns: [...columns] });
      await only(given, NOW - DAY, async (place) => {
        await place.exports.runDue(NOW, go);
        const [{ file } = { file: '' }] = place.ended;
        manifests.push(place.manifest(file));
        if (format !== 'parquet' || report !== 'messages') return;
        const asText = z.object({ message_id: z.string(), delivered_at: z.string(), billed_cost: z.string() });
        const read = await ledger.database.query(
          asText.extend({ customer: z.string() }),
          `SELECT message_id, customer, toString(billed_cost) AS billed_cost,
             concat(formatDateTime(delivered_at, '%FT%T', 'America/Sao_Paulo'), '-03:00') AS delivered_at
           FROM file('${join(place.directory, file)}', 'Parquet')`,
        );
        const filters = { from: '2026-11-19', to: '2026-11-20', tz: 'America/Sao_Paulo', as_of: NOW };
        let text = '';
        for await (const part of csvReport('messages', ledger.reading, filters)) text += part;
        // Nobody knows when these were sent, so both are in the order of their ids.
        expect(read).toEqual(csvRows(text).map((row) => asText.extend({ customer: z.string() }).parse(row)));
      });
    }
    const [csv, ...others] = manifests;
    expect(csv?.rows).toBe(rows);
    expect(Object.keys(csv?.totals ?? {})).toEqual(['USD']);
    expect(Number(csv?.totals['USD']?.['billed_cost'])).toBeGreaterThan(0);
    for (const { totals, ...other } of others) expect([other.rows, totals]).toEqual([rows, csv?.totals]);
  });

  it('writes all rows into Parquet, however many there are', async () => {
    const place = placeIn();
    const path = join(place.directory, 'rows.parquet');
    const total = 150_000;
    const columns = describedColumns(reportOf('charges')).filter(({ name }) => ['day', 'savings'].includes(name));
    const rows = async function* (): AsyncGenerator<string[][]> {
      for (let i = 0; i < total; i += 10_000)
        yield await Promise.resolve(Array.from({ length: 10_000 }, (_, k) => ['2026-10-05', `0.00${i + k}`]));
    };
    const parts = encodeParquet({ columns, rows: rows(), report: 'charges', database: ledger.database, run: 'test' });
    await (await writeBeside(path, parts)).publish();
    const [read] = await ledger.database.query(
      z.object({ n: z.string(), day: z.string(), type: z.string(), last: z.string() }),
      `SELECT toString(count()) AS n, toString(max(day)) AS day, any(toTypeName(savings)) AS type,
         toString(argMax(savings, toUInt64(substring(toString(savings), 5)))) AS last
       FROM file('${path}', 'Parquet')`,
    );
    expect(read).toEqual({
      n: String(total),
      day: '2026-10-05',
      type: 'Nullable(Decimal(38, 18))',
      last: '0.00149999',
    });
  });

  it.each([
    [{ report: 'bills' }, 'no report "bills"'],
    [{ columns: ['mesage_id'] }, 'did you mean message_id'],
    [{ filters: { state: 'open' } }, 'does not take state'],
    [{ filters: { from: '2026-01-01' } }, 'does not take from'],
    [{ report: 'rate-cards' }, 'has no days'],
    [{ report: 'reconciliation' }, 'covers one month'],
    [{ when: 'at dawn' }, 'does not say when'],
  ] as const)('is not made of %j', async (given, words) => {
    await expect(
      addSchedule(ledger.database, definition(given as Partial<ExportDefinition>), 'a test', NOW),
    ).rejects.toThrow(new RegExp(words, 'i'));
  });

  it.each(['../out', '/etc', 'a//b', '..', '.hidden'])('stays in its directory: no folder "%s"', (folder) => {
    expect(exportDefinition.safeParse({ ...definition(), folder }).success).toBe(false);
  });

  it('leaves one right file of each period, whenever it is killed', async () => {
    // Every hour a run: enough of them for a hundred kills.
    const given = definition({ when: isFull ? 'every hour' : 'every day 06:00', period: 'yesterday', format: 'csv' });
    const prng = new Prng(20_261_128);
    await only(given, NOW - 6 * DAY, async (place) => {
      const kills = isFull ? 100 : 2;
      for (let i = 0; i < kills; i++) {
        const child = spawn(process.execPath, ['--import', 'tsx', PROCESS, data.path, place.directory, String(NOW)], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        await once(child.stdout, 'data');
        await wait(prng.int(50, 600));
        child.kill('SIGKILL');
        await once(child, 'close');
        if (!existsSync(join(place.directory, given.name, 'latest.json'))) continue;
        const latest = JSON.parse(place.read(`${given.name}/latest.json`).toString('utf8')) as Record<string, string>;
        const file = `${given.name}/${latest['file'] ?? ''}`;
        expect(sha256(place.read(file))).toBe(latest['sha256']);
        expect(place.manifest(file).sha256).toBe(latest['sha256']);
      }
      await place.exports.runDue(NOW, go);
      const schedule = await findSchedule(ledger.database, given.name);
      const verified = await verifyExports(ledger, place.directory, schedule);
      expect(verified.filter(({ problem }) => problem !== null)).toEqual([]);
      expect(verified).toHaveLength(isFull ? 7 : 6);
      const left = place.files(given.name).filter((name) => name.endsWith('.unfinished'));
      expect(left).toEqual([]);
    });
  });
});

describe('the API of scheduled exports', () => {
  const refused = { error: { code: expect.any(String), message: expect.any(String) } };
  let server: Server;
  let address: string;
  let place: Place;
  beforeAll(async () => {
    place = placeIn();
    server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const { database } = ledger;
      const answered = url.pathname.startsWith('/api/periods/')
        ? answerPeriod(request, response, url, database)
        : answerExports(request, response, url, {
            database,
            mayChange: request.headers['x-reads-only'] === undefined,
            exports: request.headers['x-no-exporter'] === undefined ? place.exports : null,
            unfinished: new UnfinishedBodies(QUESTION_LIMITS),
          });
      answered.catch(() => response.destroy());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  const ask = async (path: string, init: RequestInit = {}): Promise<{ status: number; body: unknown }> => {
    const answer = await fetch(`${address}${path}`, init);
    return { status: answer.status, body: await answer.json() };
  };
  const post = (path: string, body: unknown, headers: Record<string, string> = {}): ReturnType<typeof ask> =>
    ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  it('adds, lists, pauses, resumes and removes', async () => {
    const given = { name: 'by-api', report: 'daily', when: '1st of the month 07:00', period: 'last-month' };
    expect(await post('/api/exports', given)).toMatchObject({ status: 201, body: { ...given, state: 'active' } });
    expect(await post('/api/exports', given)).toEqual({ status: 409, body: refused });
    expect(await post('/api/exports', { ...given, name: 'other', folder: 'by-api' })).toMatchObject({ status: 409 });
    expect(await ask('/api/exports')).toMatchObject({ status: 200, body: { exports: [{ name: 'by-api' }] } });
    expect(await post('/api/exports/by-api/pause', {})).toEqual({
      status: 200,
      body: { name: 'by-api', state: 'paused' },
    });
    expect(await ask('/api/exports/by-api')).toMatchObject({
      status: 200,
      body: { state: 'paused', next: [], runs: [] },
    });
    await post('/api/exports/by-api/resume', {});
    expect(await post('/api/exports/by-api/remove', {})).toMatchObject({ status: 200 });
    expect(await ask('/api/exports')).toEqual({ status: 200, body: { exports: [] } });
  });

  it('runs a schedule, backfills it, and refuses requests that it cannot serve', async () => {
    const given = definition();
    const at = `/api/exports/${given.name}`;
    expect(await post('/api/exports', given)).toMatchObject({ status: 201 });
    expect(await post(`${at}/run`, {})).toMatchObject({ status: 200, body: { runs: [{ state: 'done' }] } });
    expect(await post(`${at}/backfill`, { from: '2025-01-14', to: '2025-01-16' })).toMatchObject({
      status: 200,
      body: { runs: [{ period: { from: '2025-01-13' } }, { period: { from: '2025-01-14' }, state: 'done' }] },
    });
    for (const [verb, body] of [
      ['run', { from: '2026-11-18' }],
      ['pause', { state: 'active' }],
      ['backfill', { from: '2026-11-20', to: '2026-11-20' }],
      ['backfill', { from: '2026-11-31', to: '2026-12-02' }],
      ['backfill', { from: '2026-11-18', to: '2026-11-20', dry: true }],
    ] as const)
      expect(await post(`${at}/${verb}`, body), JSON.stringify(body)).toEqual({ status: 400, body: refused });
    expect(await post(`${at}/run`, {}, { 'x-no-exporter': '1' })).toEqual({ status: 409, body: refused });
    expect(await ask(at)).toMatchObject({ body: { runs: [{ asked_by: 'api' }, {}, {}] } });
    await post(`${at}/remove`, {});
  });

  it('refuses unknown names, and requests from pages of other sites', async () => {
    expect(await post('/api/exports', { name: 'x', nmae: 'y' })).toEqual({ status: 400, body: refused });
    expect(await ask('/api/exports', { method: 'POST', body: '{}' })).toEqual({ status: 415, body: refused });
    expect(await post('/api/exports', {}, { 'x-reads-only': '1' })).toEqual({ status: 403, body: refused });
    expect(await ask('/api/exports?name=x')).toEqual({ status: 400, body: refused });
    expect(await ask('/api/exports', { method: 'DELETE' })).toEqual({ status: 405, body: refused });
    expect(await ask('/api/exports/nothing')).toEqual({ status: 404, body: refused });
    expect(await ask('/api/periods/1/October')).toEqual({ status: 400, body: refused });
  });

  it('says of a month whether it is closed', async () => {
    expect(await ask('/api/periods/102290129340398/2026-10')).toEqual({
      status: 200,
      body: { waba_id: '102290129340398', month: '2026-10', status: 'open', closing: null, corrections: [] },
    });
  });
});

describe('ctwa-ledger exports', () => {
  it('adds, lists, runs, tells, verifies and removes', async () => {
    const add = ['exports', 'add', 'finance', '--report', 'daily', '--when', 'every weekday 06:00 America/Sao_Paulo'];
    await succeed(data, [...add, '--period', 'yesterday', '--format', 'xlsx']);
    const listed = JSON.parse((await succeed(data, ['exports', 'list'])).stdout) as Record<string, unknown>;
    expect(listed).toMatchObject({
      name: 'finance',
      zone: 'America/Sao_Paulo',
      when: 'every weekday 06:00',
      state: 'active',
    });
    expect(listed['next']).toHaveLength(3);
    const ran = JSON.parse((await succeed(data, ['exports', 'run', 'finance'])).stdout) as Record<string, unknown>;
    expect(ran).toMatchObject({ state: 'done' });
    expect(existsSync(join(data.path, 'exports', String(ran['file'])))).toBe(true);
    expect((await succeed(data, ['exports', 'history', 'finance'])).stdout).toContain(String(ran['sha256']));
    expect((await succeed(data, ['exports', 'verify'])).stdout).toContain('"problem":null');
    await succeed(data, ['exports', 'remove', 'finance']);
    expect((await succeed(data, ['exports', 'list'])).stdout).toBe('');
  });
});

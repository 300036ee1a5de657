import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseEvent, type LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { exportDays, finishedDays, type DayExports } from '../../services/exports/days.ts';
import { csvReport } from '../../services/exports/report.ts';
import { checkTimes, Schedule } from '../../services/exports/schedule.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { begin, DataDirectory, Gate, openLedger, run, until } from '../support/ledger.ts';
import { csvRows } from '../support/product.ts';

const data = new DataDirectory();
/** 2026-11-20T10:00:00Z. */
const NOW = 1_795_168_800;
const DAY = 86_400;
const EXPORTS: Omit<DayExports, 'directory'> = {
  reports: ['messages', 'conversations', 'daily', 'ads'],
  days: 3,
  tz: 'UTC',
};
let directories = 0;

function fresh(): DayExports {
  return { ...EXPORTS, directory: data.file(`out-${++directories}`) };
}

const go = (): boolean => false;

/** Every file below a directory with what it is and when it was written, by its name. */
function filesOf({ directory }: DayExports): Record<string, { readonly text: string; readonly written: string }> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile())
    .sort();
  return Object.fromEntries(
    names.map((name) => {
      const { ino, mtimeNs } = statSync(join(directory, name), { bigint: true });
      return [name, { text: readFileSync(join(directory, name), 'utf8'), written: `${ino} ${mtimeNs}` }];
    }),
  );
}

function changed(before: ReturnType<typeof filesOf>, after: ReturnType<typeof filesOf>): string[] {
  return Object.keys(after).filter((name) => after[name]!.written !== before[name]?.written);
}

function delivered(id: string, at: number): LedgerEvent {
  const parsed = parseEvent(
    {
      event: 'status',
      phone_number_id: '106540352242922',
      wa_id: '16505551234',
      id,
      status: 'delivered',
      timestamp: String(at),
    },
    NOW,
  );
  if (!parsed.ok) throw new Error(parsed.rejection.message);
  return parsed.event;
}

afterAll(() => data.remove());

describe('an export of the finished days', () => {
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await openLedger(data);
    await ledger.record([
      delivered('wamid.1', NOW - DAY),
      delivered('wamid.2', NOW - 2 * DAY),
      delivered('wamid.9', NOW),
    ]);
  });
  afterAll(() => ledger.close());

  it('writes a file for each report and day that is over, each what the report gives for that day', async () => {
    const exports = fresh();
    expect(await exportDays(ledger, exports, NOW, go)).toEqual({ written: 12, unchanged: 0 });
    const files = filesOf(exports);
    expect(Object.keys(files)).toEqual(
      EXPORTS.reports
        .flatMap((report) =>
          ['2026-11-17', '2026-11-18', '2026-11-19'].map((day) => join(report, `${report}-${day}.csv`)),
        )
        .sort(),
    );
    const ids = (day: string): unknown[] =>
      csvRows(files[`messages/messages-${day}.csv`]!.text).map((row) => row['message_id']);
    expect([ids('2026-11-17'), ids('2026-11-18'), ids('2026-11-19')]).toEqual([[], ['wamid.2'], ['wamid.1']]);
    for (const report of EXPORTS.reports) {
      let text = '';
      const filters = { from: '2026-11-19', to: '2026-11-20', tz: 'UTC', as_of: NOW };
      for await (const part of csvReport(report, ledger.reading, filters)) text += part;
      expect(files[`${report}/${report}-2026-11-19.csv`]!.text).toBe(text);
    }
  });

  it('leaves alone what has not changed, and rewrites the day that a late event changes', async () => {
    const exports = fresh();
    await exportDays(ledger, exports, NOW, go);
    const first = filesOf(exports);
    expect(await exportDays(ledger, exports, NOW + 60, go)).toEqual({ written: 0, unchanged: 12 });
    expect(changed(first, filesOf(exports))).toEqual([]);

    await ledger.record([delivered('wamid.3', NOW - 2 * DAY + 60)]);
    expect(await exportDays(ledger, exports, NOW + 120, go)).toEqual({ written: 2, unchanged: 10 });
    const second = filesOf(exports);
    expect(changed(first, second)).toEqual(['daily/daily-2026-11-18.csv', 'messages/messages-2026-11-18.csv']);
    expect(csvRows(second['messages/messages-2026-11-18.csv']!.text).map((row) => row['message_id'])).toEqual([
      'wamid.2',
      'wamid.3',
    ]);
    expect(csvRows(second['daily/daily-2026-11-18.csv']!.text)).toMatchObject([{ messages: '2' }]);
  });

  it('rewrites a file of the same size with other bytes, and one that is gone', async () => {
    const exports = fresh();
    await exportDays(ledger, exports, NOW, go);
    const first = filesOf(exports);
    const [one = '', other = ''] = Object.keys(first);
    writeFileSync(join(exports.directory, one), first[one]!.text.replace(/.\n$/, '!\n'));
    utimesSync(join(exports.directory, one), 0, 0);
    rmSync(join(exports.directory, other));
    expect(await exportDays(ledger, exports, NOW, go)).toEqual({ written: 2, unchanged: 10 });
    for (const name of [one, other]) expect(filesOf(exports)[name]!.text).toBe(first[name]!.text);
  });

  it('takes the days of its zone', () => {
    // 21:00 of the 19th in São Paulo; 12:00 of the 20th in Kiritimati, which is the 19th three hours before.
    const evening = Date.parse('2026-11-20T00:00:00Z') / 1000;
    expect(finishedDays('UTC', 2, evening)).toEqual(['2026-11-18', '2026-11-19']);
    expect(finishedDays('America/Sao_Paulo', 2, evening)).toEqual(['2026-11-17', '2026-11-18']);
    expect(finishedDays('Pacific/Kiritimati', 1, evening)).toEqual(['2026-11-19']);
    // Days of 23 and 25 hours are one day each.
    const autumn = Date.parse('2026-10-25T23:30:00Z') / 1000;
    expect(finishedDays('Europe/Berlin', 3, autumn)).toEqual(['2026-10-23', '2026-10-24', '2026-10-25']);
  });

  it('goes on with the other files when one cannot be written, and says which', async () => {
    const exports = fresh();
    // A directory under the name of a file.
    mkdirSync(join(exports.directory, 'ads', 'ads-2026-11-17.csv', 'in the way'), { recursive: true });
    await expect(exportDays(ledger, exports, NOW, go)).rejects.toThrow('ads-2026-11-17.csv');
    expect(Object.keys(filesOf(exports))).toHaveLength(11);
    rmSync(join(exports.directory, 'ads', 'ads-2026-11-17.csv'), { recursive: true });
    expect(await exportDays(ledger, exports, NOW, go)).toEqual({ written: 1, unchanged: 11 });
  });

  it('ends after the file that is being written, and removes what a dead exporter left', async () => {
    const exports = fresh();
    mkdirSync(join(exports.directory, 'ads'), { recursive: true });
    const left = join(exports.directory, 'ads', 'ads-2026-11-01.csv.4711.part');
    writeFileSync(left, 'half a fi');
    let asked = 0;
    expect(await exportDays(ledger, exports, NOW, () => ++asked > 2)).toEqual({ written: 2, unchanged: 0 });
    expect(Object.keys(filesOf(exports))).toHaveLength(2);
    expect(existsSync(left)).toBe(false);
  });
});

describe('a schedule', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('works at once and at its times in its zone, and never twice at a time', async () => {
    vi.useFakeTimers({ now: new Date('2026-11-20T10:00:30Z') });
    const gates: Gate[] = [];
    const schedule = new Schedule({ cron: '15 * * * *', tz: 'Asia/Kolkata' }, () => {
      const gate = new Gate();
      gates.push(gate);
      return gate.pass();
    });
    expect(gates).toHaveLength(1);
    // 16:15 in Kolkata is 10:45; the first one is not done by then.
    await vi.advanceTimersByTimeAsync(50 * 60_000);
    expect(gates).toHaveLength(1);
    gates[0]!.open();
    await vi.advanceTimersByTimeAsync(54 * 60_000);
    expect(gates).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(new Date().toISOString()).toContain('T11:45');
    expect(gates).toHaveLength(2);

    let hasStopped = false;
    const stopping = schedule.stop().then(() => (hasStopped = true));
    await vi.advanceTimersByTimeAsync(3 * 3_600_000);
    expect([gates.length, hasStopped]).toEqual([2, false]);
    gates[1]!.open();
    await stopping;
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each(['', 'now', '* * * *', '61 * * * *', '* * * * * *'])('is not read from "%s"', (cron) => {
    expect(() => {
      checkTimes({ cron, tz: 'UTC' });
    }).toThrow('cannot be read');
  });
});

describe('ctwa-ledger exporter', () => {
  it.each([
    [['--days', '0'], '--days "0"'],
    [['--reports', 'ads,bills'], '--reports "bills"'],
    [['--tz', 'Moon/Tycho'], 'Moon/Tycho'],
    [['--schedule', 'hourly'], '"hourly"'],
    [['--port', 'x'], '--port "x"'],
  ])('refuses %j, in words', async (args, words) => {
    const { code, stderr } = await run(data, ['exporter', '--dir', 'out', ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });

  it('shows a failed run in its log, readiness and metrics, and goes on', async () => {
    const directory = data.file('in the way');
    writeFileSync(directory, 'a file, where a directory should be');
    const { child, finished } = begin(data, ['exporter', '--dir', directory, '--port', '0', '--data', data.path]);
    let stdout = '';
    child.stdout!.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
    const url = await until('it runs', () => /running: (http:\S+)/.exec(stdout)?.[1] ?? null);
    const get = async (path: string): Promise<string> => (await fetch(`${url}${path}`)).text();
    await until('the run has failed', async () => (await get('/readyz')).includes('The last export failed'));
    expect(await get('/readyz')).toContain(directory);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect(await get('/healthz')).toBe('ok\n');
    const metrics = await get('/metrics');
    expect(metrics).toContain('ctwa_failures_total{work="export"} 1');
    expect(metrics).toContain('ctwa_export_last_success_timestamp_seconds 0');
    child.kill('SIGTERM');
    const { code, stderr } = await finished;
    expect(code).toBe(0);
    expect(stderr).toContain('it is tried again at its next time');
  });
});

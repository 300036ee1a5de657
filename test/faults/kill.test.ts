import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingestFile } from '../../services/ingest/file.ts';
import { LedgerAwayError } from '../../services/clickhouse/errors.ts';
import { Prng } from '../../services/simulate/prng.ts';
import { simulate } from '../../services/simulate/simulate.ts';
import {
  begin,
  countsOf,
  DataDirectory,
  drop,
  enginePid,
  isFull,
  numberFrom,
  reportTexts,
  succeed,
  until,
  withLedger,
  writeNdjson,
  type CommandOptions,
  type ReportTexts,
} from '../support/ledger.ts';
import { NUMBER, wait } from '../support/product.ts';

const TIMES = isFull ? 100 : 4;
const data = new DataDirectory();
const file = data.file('traffic.ndjson');
const prng = new Prng(Date.now());

let undisturbed: { readonly reports: ReportTexts; readonly stored: number; readonly read: number };
/** How long an undisturbed run takes here: kills are spread over it. */
let milliseconds: number;

const inDatabase = (database: string): CommandOptions => ({ env: { CLICKHOUSE_DATABASE: database } });

beforeAll(async () => {
  const lines = [...simulate({ threads: 1_200, days: 60, seed: 11, end_at: Date.UTC(2026, 10, 1) / 1000 })];
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
  // The first run starts the engine and makes the files warm, the second tells how long one takes.
  await succeed(data, ['ingest', file], inDatabase('warm'));
  const began = performance.now();
  const counts = countsOf(await succeed(data, ['ingest', file], inDatabase('undisturbed')));
  milliseconds = performance.now() - began;
  expect(counts.read).toBeGreaterThan(25_000);
  undisturbed = await withLedger(data, 'undisturbed', async (ledger) => ({
    reports: await reportTexts(ledger.database),
    read: counts.read,
    stored: counts.stored,
  }));
});
afterAll(() => data.remove());

/** Moments that cover the whole run, a random one in each of as many equal parts. */
const moments = Array.from({ length: TIMES }, (_, i) => [i + 1, (i + prng.unit()) / TIMES] as const);

function seconds(moment: number): string {
  return `killed ${Math.round(moment * milliseconds)} ms after it began`;
}

/** Runs to the end what may have been cut short, and compares. */
async function expectNothingChanged(database: string, why: string): Promise<void> {
  const { read, stored, duplicate, rejected } = countsOf(await succeed(data, ['ingest', file], inDatabase(database)));
  expect({ read, rejected, sum: stored + duplicate }, why).toEqual({
    read: undisturbed.read,
    rejected: 0,
    sum: undisturbed.read,
  });
  await withLedger(data, database, async (ledger) => {
    const reports = await reportTexts(ledger.database);
    // Not compared as text at once: a difference in megabytes of CSV takes minutes to print.
    for (const [name, text] of Object.entries(undisturbed.reports))
      expect(reports[name as keyof ReportTexts] === text, `${name} is the same, ${why}`).toBe(true);
    await drop(ledger);
  });
}

describe('an ingest that is killed', () => {
  it.each(moments)('is made good by running it again (%i)', async (n, moment) => {
    const running = begin(data, ['ingest', file, '--data', data.path], inDatabase(`killed_${n}`));
    await wait(moment * milliseconds);
    running.child.kill('SIGKILL');
    await running.finished;
    await expectNothingChanged(`killed_${n}`, seconds(moment));
  });
});

describe('an engine that is killed', () => {
  it.each(moments)('is replaced, and the ingest goes on to its end (%i)', async (n, moment) => {
    const database = `engine_killed_${n}`;
    const running = begin(data, ['ingest', file, '--data', data.path], inDatabase(database));
    await wait(moment * milliseconds);
    const engine = await until('an engine has announced itself', () => enginePid(data));
    process.kill(engine, 'SIGKILL');
    const finished = await running.finished;
    expect(finished, seconds(moment)).toMatchObject({ code: 0, stderr: '' });
    const { read, stored } = countsOf(finished);
    expect({ read, stored }, seconds(moment)).toEqual({ read: undisturbed.read, stored: undisturbed.stored });
    await expectNothingChanged(database, seconds(moment));
  });

  it('in the middle of an answer lets the fold begin again', async () => {
    // So much that most of the answer is still to be sent when its first block has come.
    const tag = 'long '.repeat(200);
    const customers = 2_000;
    const all = Array.from({ length: 60_000 }, (_, i) => ({
      ...{ event: 'message', direction: 'outbound', phone_number_id: NUMBER, wa_id: `1650555${i % customers}`, tag },
      ...{ id: `wamid.${i}`, timestamp: String(1_785_000_000 + i), type: 'text' },
    }));
    // A thread of which the ledger has events already is read back.
    const before = writeNdjson(data, 'before.ndjson', all.slice(0, customers));
    const events = all.slice(customers);
    const large = writeNdjson(data, 'large.ndjson', events);
    await withLedger(data, 'answer_cut', async (ledger) => {
      const { database } = ledger;
      await ingestFile(ledger, before, () => undefined);
      const stream = database.streamBlocks.bind(database);
      let cut: unknown = null;
      database.streamBlocks = async function* (...query) {
        if (!query[0].includes('FROM events FINAL')) {
          yield* stream(...query);
          return;
        }
        database.streamBlocks = stream;
        try {
          for await (const block of stream(...query)) {
            await data.killEngine();
            yield block;
          }
        } catch (error) {
          cut = error;
          throw error;
        }
      };
      const { read, stored } = await ingestFile(ledger, large, () => undefined);
      expect(cut).toBeInstanceOf(LedgerAwayError);
      expect({ read, stored }).toEqual({ read: events.length, stored: events.length });
      expect(await numberFrom(database, 'SELECT count() AS n FROM message_marks FINAL')).toBe(all.length);
      expect(await numberFrom(database, 'SELECT uniqExact(customer) AS n FROM folded_threads')).toBe(customers);
      await drop(ledger);
    });
  });
});

import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { afterAll, afterEach, expect, it } from 'vitest';
import { ingestFile } from '../../services/ingest/file.ts';
import { replayLetters } from '../../services/ingest/replay.ts';
import { LedgerSink } from '../../services/ingest/webhook.ts';
import {
  countDeadLetters,
  DeadLetters,
  waitingDeadLetters,
  type DeadLetter,
  type RefusedLetter,
} from '../../services/ledger/events/dead-letters.ts';
import { RefusedRowError } from '../../services/clickhouse/errors.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { parsed } from '../support/expected-rows.ts';
import { drop, openLedger, reportTexts, writeNdjson } from '../support/ledger.ts';
import { DataDirectory, NUMBER } from '../support/product.ts';
import { randomTraffic } from '../oracle/arbitraries.ts';

const AT = 1_785_000_000;
const data = new DataDirectory();
afterAll(() => data.remove());

let ledger: Ledger;
afterEach(() => drop(ledger).finally(() => ledger.close()));

const status = (id: string, customer = '16505551234'): object => ({
  event: 'status',
  phone_number_id: NUMBER,
  wa_id: customer,
  id,
  status: 'delivered',
  timestamp: String(AT),
});

/** A ledger whose ClickHouse refuses some rows, as it would values that do not fit. */
async function refusing(name: string, table = 'events', column = 'id'): Promise<Ledger> {
  ledger = await openLedger(data, name);
  await ledger.database.command(
    `ALTER TABLE ${table} ADD CONSTRAINT no_poison CHECK position(${column}, 'poison') = 0`,
  );
  return ledger;
}

const accept = (table = 'events'): Promise<void> =>
  ledger.database.command(`ALTER TABLE ${table} DROP CONSTRAINT no_poison`);

async function letters(): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for await (const some of waitingDeadLetters(ledger.database)) found.push(...some.map(({ letter }) => letter));
  return found.sort((a, b) => a.position - b.position);
}

async function* asBatches(some: readonly DeadLetter[]): AsyncGenerator<{ letter: DeadLetter; firstSeenMs: number }[]> {
  await Promise.resolve();
  for (const letter of some) yield [{ letter, firstSeenMs: AT * 1_000 }];
}

it.each([
  ['first and last', 60, [1, 60]],
  ['several in a row, among many', 3_000, [1_500, 1_501, 1_502]],
  ['all of them', 5, [1, 2, 3, 4, 5]],
])('a file loses nothing but the events that ClickHouse refuses: %s', async (_, lines, poisoned) => {
  await refusing('refused_file');
  const good = randomTraffic(501, lines) as object[];
  const values = Array.from({ length: lines }, (__, i) =>
    poisoned.includes(i + 1) ? status(`wamid.poison${i}`, `1650555${2_000 + i}`) : good[i]!,
  );
  const file = writeNdjson(data, 'poisoned.ndjson', values);
  const counts = await ingestFile(ledger, file, () => undefined);
  expect(counts.rejected).toBe(poisoned.length);
  expect(counts.stored + counts.duplicate + counts.rejected).toBe(counts.read);
  const kept = await letters();
  expect(kept.map(({ source, position, code }) => [source, position, code])).toEqual(
    poisoned.map((line) => [file, line, 'refused_by_ledger']),
  );
  // By its code, and with the reason.
  for (const { message, raw } of kept) {
    expect(message).toContain('code 469');
    expect(JSON.parse(raw.toString())).toMatchObject({ event: 'status', phone_number_id: NUMBER, status: 'delivered' });
  }
  // The same file again, and the same letters.
  expect(await ingestFile(ledger, file, () => undefined)).toMatchObject({ stored: 0, rejected: poisoned.length });
  expect(await countDeadLetters(ledger.database)).toBe(poisoned.length);
  // Still refused: they keep waiting, and are not more.
  expect(await replayLetters(ledger, asBatches(kept))).toMatchObject({ still_rejected: poisoned.length });
  expect(await countDeadLetters(ledger.database)).toBe(poisoned.length);
  // Mended, they are what they always were.
  await accept();
  expect(await replayLetters(ledger, waitingDeadLetters(ledger.database))).toMatchObject({ replayed: poisoned.length });
  const mended = await reportTexts(ledger.database);
  await drop(ledger);
  await ledger.close();
  ledger = await openLedger(data, 'refused_file');
  await ingestFile(ledger, file, () => undefined);
  expect(mended).toEqual(await reportTexts(ledger.database));
});

it('a delivery is taken, and what ClickHouse refuses of it is kept', async () => {
  await refusing('refused_delivery');
  const sink = new LedgerSink(ledger, () => undefined);
  const events: LedgerEvent[] = parsed([status('wamid.1'), status('wamid.poison'), status('wamid.2')]);
  const take = (): Promise<unknown> => sink.take({ events, rejections: [], raw: Buffer.from('raw') });
  expect(await take()).toEqual({ read: 3, stored: 2, duplicate: 0, rejected: 1 });
  expect(await take()).toEqual({ read: 3, stored: 0, duplicate: 2, rejected: 1 });
  expect(await letters()).toMatchObject([{ source: 'webhook', code: 'refused_by_ledger' }]);
  // The thread of the refused one goes on as if it had not been: nothing of it is remembered.
  expect(await sink.take({ events: parsed([status('wamid.3')]), rejections: [], raw: Buffer.from('') })).toEqual({
    read: 1,
    stored: 1,
    duplicate: 0,
    rejected: 0,
  });
  const { messages } = await reportTexts(ledger.database);
  expect(messages).toContain('wamid.3');
  expect(messages).not.toContain('poison');
});

it('without a place for refused events, a refusal fails the landing', async () => {
  await refusing('refused_alone');
  await expect(ledger.record(parsed([status('wamid.poison')]))).rejects.toThrow(RefusedRowError);
});

it('a dead letter that ClickHouse refuses costs itself alone', async () => {
  await refusing('refused_letter', 'dead_letters', 'message');
  const letterOf = (position: number, message: string): DeadLetter => ({
    ...{ source: 'file', partition: 0, position, raw: Buffer.from(`${position}`) },
    ...{ code: 'schema' as const, message },
  });
  const all = Array.from({ length: 20 }, (_, i) => letterOf(i, i === 7 ? 'poison' : 'wrong'));
  const refused: RefusedLetter[] = [];
  const told = new DeadLetters(ledger.database, (one) => refused.push(one));
  for (const letter of all) await told.add(letter);
  await told.flush();
  expect(refused.map(({ letter }) => letter.position)).toEqual([7]);
  expect(await countDeadLetters(ledger.database)).toBe(19);
  // Where it is kept nowhere else, it fails what is under way, and the others are stored all the same.
  const alone = new DeadLetters(ledger.database);
  for (const letter of [letterOf(100, 'wrong'), letterOf(101, 'poison'), letterOf(102, 'wrong')])
    await alone.add(letter);
  await expect(alone.flush()).rejects.toThrow(RefusedRowError);
  expect(await countDeadLetters(ledger.database)).toBe(21);
});

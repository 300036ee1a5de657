import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eraseCustomer, planErasure, resumeErasures } from '../../services/erasure/erase.ts';
import { DeadLetters } from '../../services/ledger/events/dead-letters.ts';
import { ErasedNames } from '../../services/ledger/events/erased-names.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { status, MON, HOUR } from '../oracle/golden/builders.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, numberFrom, openLedger } from '../support/ledger.ts';
import { CONFIG, EVENTS, fill, findTraces, ID, LETTERS, linesOf, NAMES, NEW, OTHER, wamid } from './world.ts';

const data = new DataDirectory();
let ledger: Ledger;
let before: Record<string, string[]>;

async function keepLetters(): Promise<void> {
  const letters = new DeadLetters(ledger.database);
  for (const [position, raw] of LETTERS.entries())
    await letters.add(
      { source: 'file', partition: 0, position, code: 'schema', message: `of ${NEW}`, raw: Buffer.from(raw) },
      1_780_000_000_000,
    );
  await letters.flush();
}

const letters = (): Promise<number> => numberFrom(ledger.database, 'SELECT count() AS n FROM dead_letters FINAL');

beforeAll(async () => {
  ledger = await openLedger(data, 'erasure', CONFIG);
  await fill(ledger);
  await keepLetters();
  before = await linesOf(ledger.database);
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

describe('an erased customer', () => {
  it('was found under every name before', async () => {
    const traces = await findTraces(data, ledger.database);
    for (const name of NAMES) expect(traces.some((trace) => trace.includes(name))).toBe(true);
    const plan = await planErasure(ledger.database, { customer: '+1 650-555-0001', phone_number_id: '', by: 'ana' });
    expect(plan.names).toEqual([...NAMES].sort());
  });

  it('leaves no trace in any file or table, and every figure and mark as it was', async () => {
    const done = await eraseCustomer(ledger.database, { customer: ID, phone_number_id: '', by: 'ana' });
    expect(done.tokens).toHaveLength(NAMES.length);
    await ledger.close();
    ledger = await openLedger(data, 'erasure', CONFIG);
    expect(await findTraces(data, ledger.database)).toEqual([]);
    const erased = (await ErasedNames.read(ledger.database))!;
    const expected = Object.fromEntries(
      Object.entries(before).map(([report, lines]) => [report, lines.map((line) => erased.text(line, null)).sort()]),
    );
    expect(await linesOf(ledger.database)).toEqual(expected);
  });

  it('stays erased, and is counted once, when every event comes again', async () => {
    const lines = await linesOf(ledger.database);
    const { stored } = await ledger.record(parsed([...EVENTS]));
    expect(stored).toBe(0);
    await keepLetters();
    expect(await letters()).toBe(LETTERS.length);
    expect(await findTraces(data, ledger.database)).toEqual([]);
    expect(await linesOf(ledger.database)).toEqual(lines);
  });

  it('gets what comes later under an erased id', async () => {
    await ledger.record(parsed([status(wamid(NEW, 8), 'delivered', MON + 85 * HOUR, { wa_id: NEW })]));
    expect(await findTraces(data, ledger.database)).toEqual([]);
    const erased = (await ErasedNames.read(ledger.database))!;
    const id = erased.text(wamid(NEW, 8), null);
    expect(id).not.toBe(wamid(NEW, 8));
    expect(
      await numberFrom(
        ledger.database,
        `SELECT count() AS n FROM message_marks FINAL WHERE message_id = '${id}' AND delivered_at IS NOT NULL`,
      ),
    ).toBe(1);
    expect(
      await numberFrom(ledger.database, `SELECT count() AS n FROM message_marks FINAL WHERE customer = '${OTHER}'`),
    ).toBe(2);
  });

  it('is not found a second time', async () => {
    await expect(eraseCustomer(ledger.database, { customer: ID, phone_number_id: '', by: 'ana' })).rejects.toThrow(
      'Nothing in the ledger names the customer',
    );
    expect(await resumeErasures(ledger.database)).toBe(0);
  });
});

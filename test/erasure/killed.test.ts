import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resumeErasures } from '../../services/erasure/erase.ts';
import { ErasedNames } from '../../services/ledger/events/erased-names.ts';
import { dieIn } from '../faults/killed-process.ts';
import { DataDirectory, isFull, numberFrom, openLedger, withLedger } from '../support/ledger.ts';
import { parsed } from '../support/expected-rows.ts';
import { CONFIG, EVENTS, fill, findTraces, ID, linesOf } from './world.ts';

/** Statements before which an erasure is killed: each of them, or some that lie apart. */
const STEP = isFull ? 1 : 23;
/** More than an erasure has. */
const MOST = 400;

const filled = new DataDirectory();
let undisturbed: Record<string, string[]>;

beforeAll(async () => {
  undisturbed = await withLedger(
    filled,
    'killed',
    async (ledger) => {
      await fill(ledger);
      return linesOf(ledger.database);
    },
    CONFIG,
  );
  await filled.killEngine('SIGTERM');
});
afterAll(() => filled.remove());

/** @returns the statement before which it was killed; null when it was done before */
async function killedAt(n: number): Promise<string | null> {
  const data = new DataDirectory();
  try {
    data.copy(filled);
    const fatal = await dieIn(data, '../erasure/erasing-process.ts', 'killed', ID, String(n));
    const ledger = await openLedger(data, 'killed');
    const why = `killed before statement ${n}: ${fatal ?? 'none'}`;
    const begun = await numberFrom(ledger.database, 'SELECT count() AS n FROM erasures_under_way');
    if (begun > 0) await expect(ledger.beginWriting(), why).rejects.toThrow('Finish it first');
    await resumeErasures(ledger.database);
    const erased = await ErasedNames.read(ledger.database);
    await ledger.close();
    if (erased === null) return fatal;
    await withLedger(data, 'killed', async (again) => {
      expect(await findTraces(data, again.database), why).toEqual([]);
      const expected = Object.entries(undisturbed).map(([report, lines]) => [
        report,
        lines.map((line) => erased.text(line, null)).sort(),
      ]);
      expect(await linesOf(again.database), why).toEqual(Object.fromEntries(expected));
      await again.beginWriting();
      expect((await again.record(parsed([...EVENTS]))).stored, why).toBe(0);
    });
    return fatal;
  } finally {
    await data.remove();
  }
}

describe('an erasure that is killed', () => {
  it('is finished by the next, wherever it was, and leaves no trace', async () => {
    let killed = 0;
    for (let n = 3; n < MOST; n += STEP) {
      if ((await killedAt(n)) === null) break;
      killed += 1;
    }
    expect(killed).toBeGreaterThan(3);
  });
});

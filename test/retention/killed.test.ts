import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finishRemovals, removeEvents } from '../../services/retention/remove.ts';
import { listRemovals } from '../../services/retention/register.ts';
import { dieIn } from '../faults/killed-process.ts';
import { WABA } from '../oracle/golden/builders.ts';
import { DataDirectory, isFull, openLedger, withLedger } from '../support/ledger.ts';
import { parsed } from '../support/expected-rows.ts';
import { APRIL, CONFIG, eventsOf, fill, filesWith, JANUARY, LATER, linesOf, SECRET, STAY } from './world.ts';

/** Statements before which a removal is killed: each of them, or some that lie apart. */
const STEP = isFull ? 1 : 4;
/** More than a removal has. */
const MOST = 200;

const filled = new DataDirectory();
let undisturbed: Record<string, string[]>;
let all: string[];

beforeAll(async () => {
  [undisturbed, all] = await withLedger(
    filled,
    'killed',
    async (ledger) => {
      await fill(ledger);
      return [await linesOf(ledger.database), Object.keys(await eventsOf(ledger.database))];
    },
    CONFIG,
  );
  await filled.killEngine('SIGTERM');
});
afterAll(() => filled.remove());

/** @returns the statement before which it was killed, and whether it was finished after that; null when it was not killed */
async function killedAt(n: number): Promise<{ readonly fatal: string; readonly isRemoved: boolean } | null> {
  const data = new DataDirectory();
  try {
    data.copy(filled);
    const fatal = await dieIn(data, '../retention/removing-process.ts', 'killed', String(n));
    if (fatal === null) return null;
    const why = `killed before statement ${n}: ${fatal}`;
    const ledger = await openLedger(data, 'killed');
    if ((await listRemovals(ledger.database)).some(({ ended_at }) => ended_at === null))
      await expect(ledger.beginWriting(), why).rejects.toThrow('The removal of old events was interrupted');
    await finishRemovals(ledger);
    const isRemoved = (await listRemovals(ledger.database)).length > 0;
    expect(Object.keys(await eventsOf(ledger.database)).sort(), why).toEqual([...(isRemoved ? STAY : all)].sort());
    await ledger.close();
    await withLedger(data, 'killed', async (again) => {
      await again.beginWriting();
      // Without anybody who takes what comes too late: none of it may.
      expect((await again.record(parsed([...JANUARY, ...LATER]))).stored, why).toBe(0);
      await again.rebuild(undefined, { raiseEpoch: true });
      expect(await linesOf(again.database), why).toEqual(undisturbed);
    });
    await withLedger(data, 'killed', async (again) => {
      const result = await removeEvents(again, { waba_id: WABA, before: '2026-02', by: 'ana' }, APRIL);
      expect(result.threads, why).toBe(isRemoved ? 0 : 5);
      expect(await linesOf(again.database), why).toEqual(undisturbed);
    });
    await data.killEngine('SIGTERM');
    expect(filesWith(data, SECRET), why).toEqual([]);
    return { fatal, isRemoved };
  } finally {
    await data.remove();
  }
}

describe('a removal that is killed', () => {
  it('is taken back or finished by the next, wherever it was, and changes no mark', async () => {
    const outcomes = new Set<boolean>();
    for (let n = 2; n < MOST; n += STEP) {
      const killed = await killedAt(n);
      if (killed === null) break;
      outcomes.add(killed.isRemoved);
    }
    expect(outcomes).toEqual(new Set([true, false]));
  });
});

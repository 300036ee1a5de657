import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCommandAccounts } from '../../services/ledger/configuration.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { LedgerChanges } from '../../services/product/changes.ts';
import { DataDirectory, openLedger } from '../support/ledger.ts';

describe('two accounts that are set at once', () => {
  const data = new DataDirectory();
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await openLedger(data);
  });
  afterAll(async () => {
    await ledger.close();
    await data.remove();
  });

  it('are set one after the other: the second is told to come back', async () => {
    let rated = 0;
    const errors: unknown[] = [];
    const changes = new LedgerChanges({
      ledger,
      isSample: () => Promise.resolve(false),
      onRatingChanged: () => (rated += 1),
      onError: (_, error) => errors.push(error),
    });
    const first = { waba_id: '1', time_zone: 'Asia/Kolkata', currency: 'INR' };
    const second = { waba_id: '2', time_zone: 'America/Sao_Paulo', currency: 'BRL' };
    const answers = await Promise.all([changes.setAccount(first, false), changes.setAccount(second, false)]);
    expect(answers).toEqual([
      { ok: true, is_folding: false },
      { ok: false, message: expect.stringContaining('Try again when it is done') as string },
    ]);
    await changes.settled();
    expect(changes.foldedThreads).toBeNull();
    expect(await readCommandAccounts(ledger.database)).toEqual([first]);
    expect(await changes.setAccount(second, false)).toEqual({ ok: true, is_folding: false });
    expect(await readCommandAccounts(ledger.database)).toEqual([first, second]);
    expect([rated, errors]).toEqual([2, []]);
  });
});

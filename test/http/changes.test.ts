import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCommandAccounts } from '../../services/ledger/configuration/configuration.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { listSpendImports } from '../../services/spend/spend.ts';
import { LedgerChanges } from '../../services/pages/changes.ts';
import { DataDirectory, openLedger } from '../support/ledger.ts';

describe('changes from pages', () => {
  const data = new DataDirectory();
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await openLedger(data);
  });
  afterAll(async () => {
    await ledger.close();
    await data.remove();
  });

  it('apply an upload once, however often the button is pressed', async () => {
    const kept = new LedgerChanges({
      ledger,
      isSample: () => Promise.resolve(false),
      sample: () => null,
      onEventsTaken: () => undefined,
      onRatingChanged: () => undefined,
      onTriggersChanged: () => undefined,
      exports: () => null,
      onError: () => undefined,
    });
    const changes = kept.of(false);
    const bytes = Buffer.from('Ad ID,Day,Amount spent (BRL)\n1,2026-10-20,12.5\n');
    const held = await changes.holdFile({ name: 'spend.csv', bytes });
    if (!held.ok) throw new Error(held.message);
    const file = { upload: held.upload, mapping: { columns: {} } };
    const [first, second] = await Promise.all([changes.importSpend(file), changes.importSpend(file)]);
    expect(first).toMatchObject({ ok: true, planned: { outcome: 'imported', rows: 1 } });
    expect(second).toEqual(first);
    // Later it is looked at again: it holds, or was withdrawn meanwhile.
    const again = await changes.importSpend(file);
    expect(again).toMatchObject({ ok: true, planned: { outcome: 'unchanged' } });
    expect(await listSpendImports(ledger.database)).toHaveLength(1);
    expect(await changes.importSpend({ ...file, upload: 'never held' })).toMatchObject({ ok: false });
  });

  it('set two accounts at once one after the other: the second is told to come back', async () => {
    let rated = 0;
    const errors: unknown[] = [];
    const kept = new LedgerChanges({
      ledger,
      isSample: () => Promise.resolve(false),
      sample: () => null,
      onEventsTaken: () => undefined,
      onRatingChanged: () => (rated += 1),
      onTriggersChanged: () => undefined,
      exports: () => null,
      onError: (_, error) => errors.push(error),
    });
    const changes = kept.of(false);
    const first = { waba_id: '1', time_zone: 'Asia/Kolkata', currency: 'INR' };
    const second = { waba_id: '2', time_zone: 'America/Sao_Paulo', currency: 'BRL' };
    const answers = await Promise.all([changes.setAccount(first), changes.setAccount(second)]);
    expect(answers).toEqual([
      { ok: true, is_folding: false },
      { ok: false, message: expect.stringContaining('Try again when it is done') as string },
    ]);
    await kept.idle();
    expect(changes.foldedThreads).toBeNull();
    expect(await readCommandAccounts(ledger.database)).toEqual([first]);
    expect(await changes.setAccount(second)).toEqual({ ok: true, is_folding: false });
    expect(await readCommandAccounts(ledger.database)).toEqual([first, second]);
    expect([rated, errors]).toEqual([2, []]);
  });

  it('keep of an account what commands alone set, and drop what the form leaves empty', async () => {
    const kept = new LedgerChanges({
      ledger,
      isSample: () => Promise.resolve(false),
      sample: () => null,
      onEventsTaken: () => undefined,
      onRatingChanged: () => undefined,
      onTriggersChanged: () => undefined,
      exports: () => null,
      onError: () => undefined,
    });
    const changes = kept.of(false);
    const byCommand = {
      phone_numbers: [{ id: '106540352242922', display: '15550783881' }],
      ...{ second_person: true, write_off_amount: '25', write_off_messages: 10 },
      ...{ tolerance_percent: '0.2', tolerance_messages: 3, keep_events_months: 18 },
    };
    await ledger.setAccount({ waba_id: '3', time_zone: 'Asia/Tokyo', ...byCommand }, () => undefined);
    const account = { waba_id: '3', name: 'Acme', currency: 'USD' };
    expect(await changes.setAccount(account)).toEqual({ ok: true, is_folding: false });
    await kept.idle();
    expect((await readCommandAccounts(ledger.database)).at(-1)).toEqual({ ...account, ...byCommand });
  });
});

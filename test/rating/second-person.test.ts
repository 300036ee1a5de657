import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { monthClose } from '../../services/periods/month-close.ts';
import { closePeriod, listPeriods, reopenPeriod, type ClosingOutcome } from '../../services/periods/periods.ts';
import { settleCharges } from '../../services/rating/charges.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, openLedger } from '../support/ledger.ts';

const WABA = '102290129340398';
const MONTH = '2026-10';
const at = Date.UTC(2026, 9, 20, 15) / 1000;
const of = { waba_id: WABA, phone_number_id: '106540352242922', wa_id: '5511955009911', id: 'wamid.one' };
const EVENTS = [
  { event: 'message', direction: 'outbound', ...of, timestamp: at, type: 'text' },
  { event: 'status', ...of, status: 'delivered', timestamp: at + 1 },
];

describe('a month that two persons close', () => {
  const data = new DataDirectory();
  let ledger: Ledger;

  beforeAll(async () => {
    ledger = await openLedger(data, 'second_person', {
      accounts: [{ waba_id: WABA, currency: 'USD', second_person: true }],
    });
    await ledger.record(parsed(EVENTS));
    await settleCharges(ledger.database);
  });
  afterAll(async () => {
    await ledger.close();
    await data.remove();
  });

  const close = (by: string, accept = true): Promise<ClosingOutcome> =>
    closePeriod(ledger.database, { waba_id: WABA, month: MONTH, by, note: `said by ${by}`, accept }, Date.now);
  const shown = () => monthClose(ledger.database, WABA, MONTH, Date.now());

  // One story: each step goes on from where the one before ended.
  it('is requested by the first person, who cannot close it too, however the name is written', async () => {
    expect((await close('Ana Lima', false)).outcome).toBe('incomplete');
    expect(await shown()).toMatchObject({ needs_second_person: true, requested: null, closed: null });
    expect(await close('Ana Lima')).toMatchObject({ outcome: 'requested', request: { by: 'Ana Lima' } });
    for (const same of ['Ana Lima', ' ana  LIMA '])
      await expect(close(same)).rejects.toThrow(/^Ana Lima asked for 2026-10 of account \d+ to be closed/);
    expect(await shown()).toMatchObject({ requested: { by: 'Ana Lima', note: 'said by Ana Lima' }, closed: null });
    expect(await listPeriods(ledger.database)).toEqual([]);
  });

  it('is closed by another one, and both are kept', async () => {
    expect((await close('Rui', false)).outcome).toBe('incomplete');
    const closed = await close('Rui');
    expect(closed).toMatchObject({ outcome: 'closed', period: { closed_by: 'Rui', requested_by: 'Ana Lima' } });
    expect(await shown()).toMatchObject({ requested: null, closed: { requested_by: 'Ana Lima' } });
  });

  it('is asked for anew after it was reopened', async () => {
    const [{ period_id } = { period_id: '' }] = await listPeriods(ledger.database);
    await reopenPeriod(ledger.database, period_id, 'Rui', 'a late card');
    expect((await shown()).requested).toBe(null);
    expect(await close('Rui')).toMatchObject({ outcome: 'requested', request: { by: 'Rui' } });
    expect(await close('Ana Lima')).toMatchObject({ outcome: 'closed', period: { requested_by: 'Rui' } });
    expect((await listPeriods(ledger.database)).map(({ state }) => state)).toEqual(['closed', 'reopened']);
  });
});

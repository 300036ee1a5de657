import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { dirtyCells } from '../../services/ledger/derived/summaries.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { Keepers } from '../../services/processes/recompute.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, openLedger, until } from '../support/ledger.ts';

describe('summaries and charges', () => {
  const data = new DataDirectory();
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await openLedger(data);
  });
  afterAll(async () => {
    await ledger.close();
    await data.remove();
  });

  const dirtyHours = async (): Promise<number> => {
    const count = z.object({ n: z.coerce.number() });
    const [row] = await ledger.database.query(count, 'SELECT count() AS n FROM dirty_charges');
    return row!.n;
  };

  it('follow while messages arrive without rest', async () => {
    const shared = { phone_number_id: '9', wa_id: '5511955550001', id: 'wamid.1', timestamp: 1_790_000_000 };
    await ledger.record(
      parsed([
        { event: 'message', direction: 'outbound', ...shared, type: 'text' },
        { event: 'status', ...shared, status: 'delivered' },
      ]),
    );
    expect(await dirtyCells(ledger.database)).toBeGreaterThan(0);
    expect(await dirtyHours()).toBeGreaterThan(0);
    const errors: unknown[] = [];
    const keepers = new Keepers(ledger, (_, error) => errors.push(error));
    // Far more often than the shortest pause between two recomputations.
    const traffic = setInterval(() => {
      keepers.nudge();
    }, 50);
    try {
      await until('no cell is dirty', async () => (await dirtyCells(ledger.database)) === 0);
      await until('no hour is dirty', async () => (await dirtyHours()) === 0);
    } finally {
      clearInterval(traffic);
      await keepers.stop();
    }
    expect(errors).toEqual([]);
  });

  it('wait while a backlog is taken in', async () => {
    const shared = { phone_number_id: '9', wa_id: '5511955550002', id: 'wamid.2', timestamp: 1_790_000_000 };
    await ledger.record(parsed([{ event: 'message', direction: 'outbound', ...shared, type: 'text' }]));
    let asked = 0;
    let isOver = false;
    const busy = {
      database: ledger.database,
      get hasBacklog(): boolean {
        asked += 1;
        return !isOver;
      },
    };
    const keepers = new Keepers(busy, (_, error) => {
      throw error;
    });
    try {
      keepers.nudge();
      await until('both have asked several times', () => Promise.resolve(asked >= 8));
      expect(await dirtyCells(ledger.database)).toBeGreaterThan(0);
      isOver = true;
      await until('no cell is dirty', async () => (await dirtyCells(ledger.database)) === 0);
    } finally {
      await keepers.stop();
    }
  });
});

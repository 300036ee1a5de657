import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NUMBER, WABA } from '../oracle/golden/builders.ts';
import { startProduct } from '../support/product.ts';
import { DataDirectory, run, succeed, withLedger } from '../support/ledger.ts';
import { APRIL, closeMonth, CONFIG, fill } from './world.ts';

/** By hand, as somebody would. */

const data = new DataDirectory();

beforeAll(async () => {
  await withLedger(
    data,
    'ctwa_ledger',
    async (ledger) => {
      await fill(ledger);
      await ledger.setAccount({ waba_id: WABA, currency: 'USD', time_zone: 'UTC' });
    },
    { policy: CONFIG.policy },
  );
});
afterAll(() => data.remove());

const lines = async (...args: string[]): Promise<unknown[]> => {
  const { stdout } = await succeed(data, ['retention', ...args]);
  return stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
};

describe('the command', () => {
  it('keeps events for good unless it is told otherwise, and refuses what it cannot do', async () => {
    expect(await lines('show')).toEqual([{ waba_id: WABA, keep_events_months: null }, { put_aside: 0 }]);
    expect((await run(data, ['retention', 'run'])).stderr).toContain(
      'No account says for how long its events are kept',
    );
    expect((await run(data, ['retention', 'set', WABA, '0'])).stderr).toContain('"0" is neither a number of months');
    expect((await run(data, ['retention', 'set', '7', '3'])).stderr).toContain('There is no account 7');
    expect((await run(data, ['retention', 'run', '--before', '2026-02'])).stderr).toContain('--waba');
    expect((await run(data, ['retention', 'run', '--waba', WABA, '--before', 'May'])).stderr).toContain('is no month');
  });

  it('removes what is older than the account says, once its months are closed, and says so', async () => {
    expect(await lines('set', WABA, '2')).toMatchObject([{ waba_id: WABA, keep_events_months: 2 }]);
    expect((await run(data, ['retention', 'run'])).stderr).toContain('2026-02 of account');
    const before = ['run', '--waba', WABA, '--before', '2026-02'];
    expect(await lines(...before, '--dry-run')).toMatchObject([{ threads: 5, events: 24, removal_id: null }]);
    expect(await lines(...before)).toMatchObject([{ threads: 5, events: 24, waba_id: WABA }]);
    await withLedger(data, 'ctwa_ledger', ({ database }) => closeMonth(database, '2026-02', APRIL));
    expect(await lines('run')).toMatchObject([{ threads: 3 }]);
    expect(await lines('run', '--finish')).toEqual([{ finished: 0 }]);
    expect(await lines('show')).toMatchObject([
      { keep_events_months: 2 },
      { threads: 3, cut_off: expect.any(String) as string },
      { threads: 5, cut_off: '2026-02-01T00:00:00+00:00' },
      { put_aside: 0 },
    ]);
    expect(await lines('set', WABA, 'off')).toEqual([expect.not.objectContaining({ keep_events_months: 2 })]);
  });

  it('is named by explain and on the page of a conversation', async () => {
    const { stdout } = await succeed(data, ['explain', 'old-paid']);
    expect(stdout).toMatch(/^BILLABLE, as it was marked \(.+\) before the events of its conversation were removed on/);
    const product = await startProduct(data);
    const page = await fetch(`${product.url}/conversations/${NUMBER}/old-click`);
    expect(page.status).toBe(200);
    const text = (await page.text()).replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
    expect(text).toContain('7 events of this conversation, from');
    expect(text).toMatch(/were removed on \d{4}-\d\d-\d\d because of their age/);
    expect(await product.stop()).toBe(0);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Check } from '../../schemas/periods.ts';
import type { NewWriteOff, StatementRow } from '../../schemas/write-offs.ts';
import { objectReport, settleReports } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { examineMonth } from '../../services/periods/checklist.ts';
import { accountMonth } from '../../services/periods/month.ts';
import { closePeriod, listPeriods } from '../../services/periods/periods.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { importMetaAnswers } from '../../services/reconciliation/imports.ts';
import { reconcileMonth, summaryOf } from '../../services/reconciliation/reconcile.ts';
import { listWriteOffs, makeWriteOff, undoWriteOff } from '../../services/reconciliation/write-off-register.ts';
import { gathered } from '../../services/reports/report.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, openLedger, run, succeed } from '../support/ledger.ts';
import { answer, file } from './meta.ts';
import { counted, pointsOf, type Point } from './naive.ts';
import { ACCOUNT, LIST_CARD, MONTH, NUMBERS, TIER_CARD, traffic, WABA } from './world.ts';

const data = new DataDirectory();
let ledger: Ledger;

const stored = traffic(3)
  .filter(
    ({ trait, stored: events }) =>
      trait === 'none' && events.every((event) => event['phone_number_id'] === NUMBERS[0].id),
  )
  .flatMap((message) => message.stored);
const points = pointsOf(counted(stored, ACCOUNT));
/** Marketing in Brazil, at 0.0625 a message. */
const isDear = ({ country, category, pricing_type }: Point): boolean =>
  country === 'BR' && category === 'MARKETING' && pricing_type === 'REGULAR';
const [first, second] = points.filter(isDear);
const keyOf = ({ day, phone_number, country, category, pricing_type, tier }: Point): string =>
  [day, phone_number, country, category, pricing_type, tier].join('|');
const asked = { waba_id: WABA, month: MONTH };
const NOW = Date.now() + 60 * 86_400_000;

/** Meta's side with so many messages more than ours in the two rows. */
async function takeMeta(more: readonly [number, number]): Promise<void> {
  const changed = points.map((point): Point => {
    const extra = point === first ? more[0] : point === second ? more[1] : 0;
    return { ...point, volume: point.volume + extra, cost: point.cost?.div(point.volume).times(point.volume + extra) };
  });
  await importMetaAnswers(ledger.database, [file('meta.json', answer(changed))], {
    ...{ days: 'account', asked: { from: '2026-10-01', to: '2026-11-01' }, by: 'a test' },
  });
}

const write = (given: Partial<NewWriteOff>): ReturnType<typeof makeWriteOff> =>
  makeWriteOff(ledger.database, { ...asked, reason: 'immaterial', note: 'not worth a claim', by: 'ana', ...given });

/** The lines of the statement after the difference itself, without those that are 0. */
async function statement(): Promise<unknown[]> {
  const filters = { from: '2026-10-01', to: '2026-11-01', tz: 'UTC', as_of: 0, waba_id: WABA };
  const lines = (await gathered(objectReport('statement', ledger.database, filters))) as unknown as StatementRow[];
  const [ours, meta, difference, ...rest] = lines;
  expect(Number(ours!.volume) - Number(meta!.volume)).toBe(Number(difference!.volume));
  expect(rest.reduce((sum, { volume }) => sum + Number(volume), 0)).toBe(Number(difference!.volume));
  return rest.map(({ line, cause, rows, volume, cost }) => [line, cause, rows, volume, cost]);
}

async function differences(): Promise<Check | undefined> {
  const { database } = ledger;
  const { checklist } = await examineMonth(database, await accountMonth(database, WABA, MONTH), NOW);
  return checklist.find(({ check }) => check === 'differences');
}

const limit = (limits: { write_off_amount?: string; write_off_messages?: number }): Promise<unknown> =>
  ledger.setAccount({ ...ACCOUNT, ...limits });

beforeAll(async () => {
  // Its accounts are set by commands, so that a limit can be set.
  ledger = await openLedger(data, 'write_offs', {});
  const { database } = ledger;
  await ledger.setAccount(ACCOUNT);
  for (const [name, text] of [
    ['list.csv', LIST_CARD],
    ['tiers.csv', TIER_CARD],
  ] as const)
    await importRateFile(database, { name, bytes: Buffer.from(text), effective: '2026-10-01', by: 'a test' });
  await ledger.record(parsed(stored));
  await settleReports(['reconciliation'], database);
  await takeMeta([4, 6]);
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

// One story: each step goes on from where the one before ended.
describe.sequential('write-offs', () => {
  it('are refused without a limit, over it, and of rows that do not differ', async () => {
    expect(await statement()).toEqual([['residual', 'unexplained', 2, '-10', '-0.625']]);
    expect(await differences()).toMatchObject({ state: 'open', different: 2, written_off: 0 });
    const both = { explanation: 'unexplained' } as const;
    await expect(write(both)).rejects.toThrow(
      `Account ${WABA} has no limit for write-offs, so nothing can be written off. Set it with "ctwa-ledger accounts set ${WABA} --write-off-amount 25".`,
    );
    await limit({ write_off_messages: 100 });
    await expect(write(both)).rejects.toThrow('USD 0.625 cannot be written off');
    await limit({ write_off_amount: '0.62' });
    await expect(write(both)).rejects.toThrow(
      `USD 0.625 cannot be written off: the limit for ${MONTH} of account ${WABA} is USD 0.62, of which USD 0 is written off already.`,
    );
    await limit({ write_off_amount: '0.62', write_off_messages: 3 });
    await expect(write({ rows: [keyOf(first!)] })).rejects.toThrow('A difference of 4 cannot be written off');
    await expect(write({ explanation: 'midnight' })).rejects.toThrow('is midnight now: there is nothing to write off');
    await expect(write({ rows: [keyOf(points.find((point) => !isDear(point))!)] })).rejects.toThrow(
      '1 of the 1 chosen rows',
    );
    expect(await listWriteOffs(ledger.database)).toEqual([]);
  });

  it('are a line of their own, once, and the month is no longer broken by them', async () => {
    await limit({ write_off_amount: '0.62' });
    const rows = [keyOf(first!)];
    const twice = await Promise.all([write({ rows }), write({ rows })]);
    expect(twice.map(({ outcome }) => outcome).toSorted()).toEqual(['entered', 'unchanged']);
    expect(twice[0]!.write_off).toMatchObject({
      ...{
        ...asked,
        explanation: '',
        state: 'in_force',
        reason: 'immaterial',
        rows: 1,
        currency: 'USD',
        made_by: 'ana',
      },
      ...{ volume_difference: '-4', gross_volume_difference: '4', cost_difference: '-0.25', unknown_costs: 0 },
    });
    await expect(write({ rows, by: 'rui' })).rejects.toThrow('all of their difference is written off');
    expect(await statement()).toEqual([
      ['written_off', 'immaterial', 1, '-4', '-0.25'],
      ['residual', 'unexplained', 1, '-6', '-0.375'],
    ]);
    expect(await differences()).toMatchObject({ state: 'open', different: 2, written_off: 1 });
    // The limit is one of the month, not of each write-off.
    await expect(write({ explanation: 'unexplained' })).rejects.toThrow('of which USD 0.25 is written off already');
    await limit({ write_off_amount: '0.625' });
    expect((await write({ explanation: 'unexplained', reason: 'refused' })).write_off).toMatchObject({
      ...{ rows: 1, volume_difference: '-6', cost_difference: '-0.375', explanation: 'unexplained' },
    });
    expect(await statement()).toEqual([
      ['written_off', 'immaterial', 1, '-4', '-0.25'],
      ['written_off', 'refused', 1, '-6', '-0.375'],
      ['residual', '', 0, '0', '0'],
    ]);
    expect(await differences()).toMatchObject({ state: 'warning', explained: 0, written_off: 2, accepted: 0 });
  });

  it('are undone by name, and stay listed; a closing keeps what was written off', async () => {
    const { database } = ledger;
    const closed = await closePeriod(database, { ...asked, accept: true, by: 'ana' }, () => NOW);
    expect(closed.outcome).toBe('closed');
    const [before] = await listPeriods(database);
    expect(before!.checklist.find(({ check }) => check === 'differences')).toMatchObject({ written_off: 2 });
    const known = await listWriteOffs(database);
    const { write_off_id } = known.find(({ reason }) => reason === 'refused')!;
    const undo = { action: 'undo', note: 'Meta paid', by: 'rui' } as const;
    expect((await undoWriteOff(database, write_off_id, undo)).write_off).toMatchObject({
      ...{ state: 'undone', undone_by: 'rui', undone_because: 'Meta paid', made_by: 'ana', rows: 1 },
    });
    expect((await undoWriteOff(database, write_off_id, undo)).outcome).toBe('unchanged');
    await expect(undoWriteOff(database, write_off_id, { ...undo, by: 'eva' })).rejects.toThrow(
      'was undone before, by rui',
    );
    await expect(undoWriteOff(database, 'f00', undo)).rejects.toThrow('There is no write-off "f00"');
    expect((await listWriteOffs(database)).map(({ state }) => state).toSorted()).toEqual(['in_force', 'undone']);
    expect(await statement()).toEqual([
      ['written_off', 'immaterial', 1, '-4', '-0.25'],
      ['residual', 'unexplained', 1, '-6', '-0.375'],
    ]);
    expect(await listPeriods(database)).toEqual([before]);
  });

  it('cover no more than what differs when Meta changes its numbers, and leave what differs more', async () => {
    await takeMeta([2, 6]);
    expect(await statement()).toEqual([
      ['written_off', 'immaterial', 1, '-2', '-0.125'],
      ['residual', 'unexplained', 1, '-6', '-0.375'],
    ]);
    expect(await differences()).toMatchObject({ state: 'open', different: 2, written_off: 1 });
    await takeMeta([5, 6]);
    expect(await statement()).toEqual([
      ['written_off', 'immaterial', 1, '-4', '-0.25'],
      ['residual', 'unexplained', 2, '-7', '-0.4375'],
    ]);
    expect(await differences()).toMatchObject({ state: 'open', different: 2, written_off: 0 });
  });
});

describe.sequential('a tolerance of the account', () => {
  const different = async (tried = {}): Promise<number> =>
    summaryOf(await reconcileMonth(ledger.database, asked, tried)).different;

  it('holds wherever no other one is asked for', async () => {
    await ledger.setAccount(ACCOUNT);
    await takeMeta([5, 6]);
    expect(await different()).toBe(2);
    await ledger.setAccount({ ...ACCOUNT, tolerance_messages: 5 });
    expect(await different()).toBe(1);
    expect(await differences()).toMatchObject({ different: 1 });
    expect(await different({ messages: 4n })).toBe(2);
    await ledger.setAccount({ ...ACCOUNT, tolerance_messages: 0, tolerance_percent: '100' });
    expect(await different()).toBe(0);
    expect(await different({ percent: 0n })).toBe(2);
    expect(await differences()).toMatchObject({ different: 0 });
  });
});

describe('write-offs by command', () => {
  it('are made, listed and undone, and wrong ones are refused before anything is opened', async () => {
    const of = ['--month', MONTH, '--waba', WABA, '--note', 'x', '--reason', 'timing'];
    expect(await run(data, ['write-offs', 'make', ...of])).toMatchObject({ code: 2 });
    expect(await run(data, ['write-offs', 'make', ...of, '--case', 'bad luck'])).toMatchObject({ code: 2 });
    expect((await run(data, ['write-offs', 'make', ...of, '--case', 'midnight'])).code).toBe(1);
    expect((await succeed(data, ['write-offs', 'list'])).stdout).toBe('');
    const { stdout } = await succeed(data, [
      'accounts',
      'set',
      WABA,
      '--write-off-amount',
      '12.5',
      '--write-off-messages',
      '9',
      '--tolerance-percent',
      '0.25',
      '--tolerance-messages',
      '3',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ write_off_amount: '12.5', write_off_messages: 9, tolerance_percent: '0.25', tolerance_messages: 3 },
    });
    expect(await run(data, ['accounts', 'set', WABA, '--tolerance-percent', '101'])).toMatchObject({ code: 2 });
    expect(await run(data, ['accounts', 'set', WABA, '--write-off-amount', '1,5'])).toMatchObject({ code: 2 });
  });
});

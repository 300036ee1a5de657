import type { CaseDecision, WorkedCase } from '@ctwa-ledger/schemas/cases.ts';
import { rowKeyOf, type ReconciliationRow } from '@ctwa-ledger/schemas/meta.ts';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { objectReport, settleReports } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { examineMonth } from '../../services/periods/checklist.ts';
import { evidencePack } from '../../services/periods/evidence-pack.ts';
import { accountMonth } from '../../services/periods/month.ts';
import { closePeriod, listPeriods } from '../../services/periods/periods.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { casesOfMonth, decideCase, evaluateMonth } from '../../services/reconciliation/case-register.ts';
import { importMetaAnswers, listMetaImports, withdrawMetaImport } from '../../services/reconciliation/imports.ts';
import { gathered } from '../../services/reports/report.ts';
import { parsed } from '../support/expected-rows.ts';
import { sha256 } from '../../services/imports/register.ts';
import { DataDirectory, openLedger } from '../support/ledger.ts';
import { csvRows } from '../support/product.ts';
import { answer, file } from './meta.ts';
import { counted, pointsOf, type Point } from './naive.ts';
import { ACCOUNT, LIST_CARD, MONTH, NUMBERS, TIER_CARD, traffic, WABA } from './world.ts';

const data = new DataDirectory();
let ledger: Ledger;

const messages = traffic(3).filter(
  ({ trait, stored }) => trait === 'none' && stored.every((event) => event['phone_number_id'] === NUMBERS[0].id),
);
const ours = counted(
  messages.flatMap((message) => message.stored),
  ACCOUNT,
);
const points = pointsOf(ours);
/** Messages that are charged as marketing. */
const marketing = ours.filter(({ pricing_type, category }) => pricing_type === 'REGULAR' && category === 'MARKETING');
const asked = { waba_id: WABA, month: MONTH };
/** Of two days, rows with a price: one more message than is here, and two. */
const [early, late] = ['2026-10-05', '2026-10-20'].map((day) =>
  points.find((point) => point.day === day && point.pricing_type === 'REGULAR' && point.category === 'MARKETING')!,
);
const NOW = Date.now();
const SOON = new Date(NOW + 30 * 86_400_000).toISOString().slice(0, 10);

/** Meta's side with so many messages more than ours in the two rows. */
async function takeMeta(more: readonly [number, number]): Promise<void> {
  const changed = points.map((point): Point => {
    const extra = point === early ? more[0] : point === late ? more[1] : 0;
    return { ...point, volume: point.volume + extra, cost: point.cost?.div(point.volume).times(point.volume + extra) };
  });
  await importMetaAnswers(ledger.database, [file('meta.json', answer(changed))], {
    days: 'account',
    asked: { from: '2026-10-01', to: '2026-11-01' },
    by: 'a test',
  });
}

const evaluate = async (): Promise<unknown> =>
  evaluateMonth(ledger.database, asked, { purpose: 'reconcile', by: 'a test' });

async function cases(now = NOW): Promise<readonly WorkedCase[]> {
  return (await casesOfMonth(ledger.database, asked, now)).cases;
}

const decide = (decision: Partial<CaseDecision>): ReturnType<typeof decideCase> =>
  decideCase(
    ledger.database,
    { ...asked, explanation: 'unexplained', action: 'acknowledge', by: 'ana', note: '', ...decision },
    NOW,
  );

async function rowsIn(table: string): Promise<number> {
  const [row] = await ledger.database.query(z.object({ n: z.coerce.number() }), `SELECT count() AS n FROM ${table}`);
  return row?.n ?? 0;
}

beforeAll(async () => {
  ledger = await openLedger(data, 'cases', { accounts: [ACCOUNT] });
  const { database } = ledger;
  for (const [name, text] of [
    ['list.csv', LIST_CARD],
    ['tiers.csv', TIER_CARD],
  ] as const)
    await importRateFile(database, { name, bytes: Buffer.from(text), effective: '2026-10-01', by: 'a test' });
  await ledger.record(parsed(messages.flatMap((message) => message.stored)));
  await settleReports(['reconciliation'], database);
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

// One story: each step goes on from where the one before ended.
describe.sequential('the cases of a month', () => {
  it("do not exist for a month that was never held against Meta's numbers, or without differences", async () => {
    await evaluate();
    expect(await rowsIn('case_evaluations')).toBe(0);
    await takeMeta([0, 0]);
    await evaluate();
    expect(await rowsIn('case_evaluations')).toBe(1);
    expect(await cases()).toEqual([]);
    await expect(decide({})).rejects.toThrow(`There is no case unexplained of ${MONTH}`);
  });

  it('open when rows differ, and are seen before anybody has kept them', async () => {
    await takeMeta([4, 0]);
    const before = await rowsIn('case_evaluations');
    const [one, ...others] = await cases();
    expect(others).toEqual([]);
    expect(one).toMatchObject({
      ...{ explanation: 'unexplained', state: 'open', open_because: 'new', rows: 1, currency: 'USD' },
      ...{ volume_difference: '-4', gross_volume_difference: '4', is_known: true, assignee: '', comments: 0 },
    });
    expect(Number(one!.cost_difference)).toBeLessThan(0);
    expect(Number(one!.gross_cost_difference)).toBe(-Number(one!.cost_difference));
    // Looking at it keeps nothing.
    expect(await rowsIn('case_evaluations')).toBe(before);
  });

  it('are decided once, even when the button is pressed twice or by two people at once', async () => {
    const [{ seen } = { seen: '' }] = await cases();
    const both = await Promise.allSettled([
      decide({ by: 'ana', seen }),
      decide({ by: 'rui', seen, action: 'accept', note: 'known', until: SOON }),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    // The second message where both took the lease at the same moment: then both have written, and one is in force.
    expect(String(both.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))[0])).toMatch(
      /has changed: somebody decided on it|was decided on by somebody else at the same moment/,
    );
    const rows = await rowsIn('case_decisions');
    await decide({ by: 'ana', action: 'assign', assignee: 'rui' });
    const twice = [
      await decide({ by: 'ana', action: 'accept', note: 'asked Meta', until: SOON }),
      await decide({ by: 'ana', action: 'accept', note: 'asked Meta', until: SOON, seen }),
    ];
    expect(twice.map(({ outcome }) => outcome)).toEqual(['decided', 'unchanged']);
    expect(twice[1]!.case).toMatchObject({
      ...{ state: 'accepted', decided_by: 'ana', note: 'asked Meta', accepted_until: SOON, assignee: 'rui' },
      history: [{}, { action: 'assign' }, { action: 'accept', period_id: '' }],
    });
    expect(await rowsIn('case_decisions')).toBe(rows + 2);
    await expect(decide({ action: 'accept', note: 'x', until: '2020-01-01' })).rejects.toThrow(
      'an acceptance ends within a year',
    );
  });

  it('count in the checklist: an accepted case is a warning, and no longer a break', async () => {
    const { database } = ledger;
    const examine = async (now = NOW): Promise<unknown> => {
      const { checklist } = await examineMonth(database, await accountMonth(database, WABA, MONTH), now);
      return checklist.filter(({ check }) => check === 'differences' || check === 'cases');
    };
    expect(await examine()).toMatchObject([
      { check: 'differences', state: 'warning', different: 1, explained: 0, accepted: 1 },
      { check: 'cases', state: 'warning', open: 0, acknowledged: 0, accepted: 1, resolved: 0 },
    ]);
    // Its day is over.
    expect(await examine(NOW + 40 * 86_400_000)).toMatchObject([
      { check: 'differences', state: 'open', accepted: 0 },
      { check: 'cases', state: 'warning', open: 1, accepted: 0 },
    ]);
    expect(await cases(NOW + 40 * 86_400_000)).toMatchObject([{ state: 'open', open_because: 'expired' }]);
  });

  it('stay as they were where a withdrawn import leaves days without numbers', async () => {
    const { database } = ledger;
    for (const { import_id, state } of await listMetaImports(database))
      if (state !== 'withdrawn') await withdrawMetaImport(database, import_id, 'a test');
    await evaluate();
    expect(await cases()).toMatchObject([{ state: 'accepted', is_known: false, rows: 1, volume_difference: '-4' }]);
    await decide({ action: 'comment', note: 'Where have the numbers gone?' });
    expect(await cases()).toMatchObject([{ state: 'accepted', comments: 1 }]);
  });

  it('are resolved by what changed, and open again when they depart again', async () => {
    await takeMeta([4, 2]);
    await evaluate();
    expect(await cases()).toMatchObject([{ state: 'open', open_because: 'grown', rows: 2, is_known: true }]);
    await takeMeta([0, 0]);
    await evaluate();
    expect(await cases()).toMatchObject([{ state: 'resolved', resolved_by: 'restatement', rows: 2, assignee: 'rui' }]);
    await expect(decide({ note: 'too late' })).rejects.toThrow('is resolved: nothing differs any more');
    await takeMeta([0, 2]);
    await evaluate();
    expect(await cases()).toMatchObject([{ state: 'open', open_because: 'again', rows: 1, comments: 1 }]);
  });

  it('give evidence for a dispute: rows, their messages, sums and a letter', async () => {
    const { database } = ledger;
    const key = { ...asked, explanation: 'unexplained' } as const;
    const { name, content } = await evidencePack(database, key, NOW);
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part);
    const folder = name.slice(0, -'.zip'.length);
    const files = Object.fromEntries(
      Object.entries(unzipSync(Buffer.concat(parts))).map(([path, bytes]) => [path.slice(folder.length + 1), bytes]),
    );
    const text = (file: string): string => Buffer.from(files[file]!).toString();
    expect(Object.keys(files)).toEqual([
      'differences.csv',
      'messages.csv',
      'evidence.html',
      'letter.txt',
      'manifest.json',
    ]);
    const manifest = JSON.parse(text('manifest.json')) as { files: { name: string; sha256: string; bytes: number }[] };
    expect(manifest.files).toEqual(
      Object.keys(files)
        .slice(0, -1)
        .map((file) => ({ name: file, bytes: files[file]!.length, sha256: sha256(files[file]!) })),
    );
    const [row, ...others] = csvRows(text('differences.csv'));
    expect(others).toEqual([]);
    expect(row).toMatchObject({ day: late!.day, volume_difference: '-2', currency: 'USD' });
    // Of the number and day all that are charged as marketing, whatever country they are of.
    const listed = csvRows(text('messages.csv'));
    const expected = marketing.filter(({ day }) => day === late!.day).map(({ message_id }) => message_id);
    expect(listed.map((one) => one['message_id']).toSorted()).toEqual(expected.toSorted());
    expect(expected.length).toBeGreaterThanOrEqual(late!.volume);
    // Each with the rule that decided it, which the report of messages does not have.
    const marks = await database.query(
      z.object({ message_id: z.string(), rule: z.string() }),
      'SELECT message_id, toString(rule) AS rule FROM message_marks FINAL',
    );
    const ruleOf = new Map(marks.map(({ message_id, rule }) => [message_id, rule]));
    expect(listed.map((one) => one['rule'])).toEqual(listed.map((one) => ruleOf.get(one['message_id']!)));
    expect(listed.every((one) => one['rule'] !== '')).toBe(true);
    expect(manifest).toMatchObject({ rows: 1, messages: listed.length, messages_are_cut: false });
    expect(text('letter.txt')).toContain(
      `${late!.volume} in our records, ${late!.volume + 2} in yours (difference −2)`,
    );
    await expect(evidencePack(database, { ...key, explanation: 'midnight' }, NOW)).rejects.toThrow('is midnight now');
    // Of rows that were chosen the same, and nothing where one of them does not differ.
    const chosen = rowKeyOf(row as unknown as ReconciliationRow);
    const same = await evidencePack(database, { ...asked, rows: [chosen] }, NOW);
    const again: Uint8Array[] = [];
    for await (const part of same.content) again.push(part);
    const unpacked = unzipSync(Buffer.concat(again));
    expect(same.name).toBe(`evidence-${MONTH}-${WABA}-chosen.zip`);
    for (const file of ['differences.csv', 'messages.csv', 'letter.txt'])
      expect(Buffer.from(unpacked[`evidence-${MONTH}-${WABA}-chosen/${file}`]!).toString()).toBe(text(file));
    await expect(
      evidencePack(database, { ...asked, rows: [chosen, chosen.replace(late!.day, '2026-10-31')] }, NOW),
    ).rejects.toThrow('1 of the 2 chosen rows');
  });

  it('are worked on in a closed month, whose closing stays what it was', async () => {
    const { database } = ledger;
    const evaluations = await rowsIn('case_evaluations');
    const closed = await closePeriod(database, { waba_id: WABA, month: MONTH, accept: true, by: 'ana' }, () => NOW);
    expect(closed.outcome).toBe('closed');
    expect(await rowsIn('case_evaluations')).toBe(evaluations + 1);
    const [before] = await listPeriods(database);
    expect(before!.checklist.find(({ check }) => check === 'cases')).toMatchObject({ open: 1, acknowledged: 0 });
    const { case: decided } = await decide({ by: 'eva' });
    expect(decided).toMatchObject({ state: 'acknowledged', history: expect.any(Array) as unknown[] });
    expect(decided.history.at(-1)).toMatchObject({ by: 'eva', period_id: before!.period_id });
    expect(await listPeriods(database)).toEqual([before]);
    const filters = { from: '2026-10-01', to: '2026-11-01', tz: 'UTC', as_of: NOW / 1_000 };
    const { history: _, seen: __, ...shown } = decided;
    expect(await gathered(objectReport('cases', database, filters))).toEqual([shown]);
    const [kept] = await database.query(
      z.object({ rows: z.string() }),
      `SELECT rows FROM case_rows FINAL WHERE checksum IN
         (SELECT JSONExtractString(cases, 'unexplained', 'checksum') FROM case_evaluations WHERE purpose = 'close')`,
    );
    expect(JSON.parse(kept!.rows)).toMatchObject([{ day: late!.day, volume_difference: '-2', status: 'volume' }]);
  });
});

import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_POLICY_SETTINGS } from '@ctwa-ledger/schemas/config.ts';
import { STORED_KEYS } from '../../services/ledger/events/keys.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { clicks, MON, text, writes } from '../oracle/golden/builders.ts';
import { oracleReports } from '../oracle/oracle.ts';
import { parsed } from '../support/expected-rows.ts';
import {
  DataDirectory,
  drop,
  EVERYTHING,
  holdInsert,
  inOrder,
  openLedger,
  reportTexts,
  rowsOf,
  until,
} from '../support/ledger.ts';

/** F9 under failure: a merge that is cut short, and writers that each know half of a person. */

const data = new DataDirectory();
afterAll(() => data.remove());

const HOUR = 3_600;
const byId = { wa_id: null, user_id: 'US.1' };
/** One person under a number and under an id, each with what the other needs. */
const underId = [clicks('e', MON, byId), writes('later', MON + 30 * HOUR, byId)];
const underNumber = text('reply', MON + HOUR);
const both = writes('both', MON + 2 * HOUR, { user_id: 'US.1' });
const all = [...underId, ...underNumber, both];

let databases = 0;
const newDatabase = (): string => `ctwa_names_${databases++}`;

async function expectNaive(ledger: Ledger, events: readonly unknown[]): Promise<void> {
  const expected = oracleReports({
    ...{ events, accounts: [], policy: DEFAULT_POLICY_SETTINGS },
    ...{ tz: EVERYTHING.tz, as_of: EVERYTHING.as_of },
  });
  expect(inOrder(rowsOf(await reportTexts(ledger.database)))).toEqual(inOrder(expected));
}

/** Lets a ledger find out which threads there are, so that what is new to it is not asked for. */
async function loadKnownKeys(ledger: Ledger): Promise<void> {
  const { database } = ledger;
  const streamBlocks = database.streamBlocks.bind(database);
  let isLoaded = false;
  database.streamBlocks = async function* (sql, parameters) {
    yield* streamBlocks(sql, parameters);
    if (sql === STORED_KEYS) isLoaded = true;
  };
  await ledger.record(parsed([writes('somebody', MON, { wa_id: '4915', phone_number_id: '7' })]));
  await until('the known keys are loaded', () => isLoaded);
  database.streamBlocks = streamBlocks;
}

/** The statements of a ledger that read some tables. */
function watchReads(ledger: Ledger, tables: readonly string[]): readonly string[] {
  const { database } = ledger;
  const statements: string[] = [];
  const query = database.query.bind(database);
  const streamBlocks = database.streamBlocks.bind(database);
  const note = (sql: string): void => {
    if (tables.some((table) => new RegExp(`FROM ${table}\\b`).test(sql))) statements.push(sql);
  };
  database.query = (row, sql, parameters) => {
    note(sql);
    return query(row, sql, parameters);
  };
  database.streamBlocks = (sql, parameters) => {
    note(sql);
    return streamBlocks(sql, parameters);
  };
  return statements;
}

const TABLES = ['events', 'message_names', 'thread_links'];
class Died extends Error {}

/** Lets a writer die at its n-th insert into a table, before it or right after it. */
function dieAt(ledger: Ledger, fatal: string, nth: number, isAfter: boolean): void {
  const { database } = ledger;
  const insertBlock = database.insertBlock.bind(database);
  const insertLines = database.insertLines.bind(database);
  const command = database.command.bind(database);
  let isDead = false;
  let seen = 0;
  const insert = async (table: string, isEmpty: boolean, write: () => Promise<void>): Promise<void> => {
    if (isDead) throw new Died();
    const isFatal = table === fatal && !isEmpty && ++seen === nth;
    if (isFatal) isDead = true;
    if (isFatal && !isAfter) throw new Died();
    await write();
    if (isFatal) throw new Died();
  };
  database.insertBlock = (table, block) => insert(table, block.rows === 0, () => insertBlock(table, block));
  database.insertLines = (table, columns, lines) =>
    insert(table, lines.length === 0, () => insertLines(table, columns, lines));
  database.command = (sql, parameters) => {
    const table = /INSERT INTO (\w+)/.exec(sql)?.[1] ?? '';
    return insert(table, false, () => command(sql, parameters));
  };
}

const STEPS = [
  ['events', 1],
  ['thread_links', 1],
  ['recent_landings', 1],
  ['recent_landings', 2],
  ['message_marks', 1],
  ['customer_names', 1],
  ['dirty_cells', 1],
] as const;

describe('a merge that is cut short', () => {
  const deaths = STEPS.flatMap(([table, nth]) => [false, true].map((isAfter) => ({ table, nth, isAfter })));
  it.each(deaths)('at insert $nth into $table (after it: $isAfter) is made good by the same events', async (death) => {
    const name = newDatabase();
    const first = await openLedger(data, name, { policy: DEFAULT_POLICY_SETTINGS });
    await first.record(parsed(underId));
    await first.record(parsed(underNumber));
    dieAt(first, death.table, death.nth, death.isAfter);
    await expect(first.record(parsed([both]))).rejects.toThrow(Died);
    await first.close().catch(() => undefined);
    const next = await openLedger(data, name, { policy: DEFAULT_POLICY_SETTINGS });
    await loadKnownKeys(next);
    const somebody = writes('somebody', MON, { wa_id: '4915', phone_number_id: '7' });
    await next.record(parsed([both]));
    await expectNaive(next, [...all, somebody]);
    await drop(next);
    await next.close();
  });
});

describe('two writers that each know half of a person', () => {
  const halves = [
    ['an id that the other gives', underId, [...underNumber, both]],
    ['a number whose id the other has', [...underNumber, both], underId],
    [
      'a number that shares its id with that of the other',
      [both, ...underNumber],
      [...underId.slice(1), clicks('e', MON, { wa_id: '4917', user_id: 'US.1' })],
    ],
  ] as const;
  const tables = ['recent_landings', 'dirty_cells', 'folded_threads'] as const;
  const cases = halves.flatMap(([what, mine, theirs]) => tables.map((held) => ({ what, mine, theirs, held })));
  it.each(cases)('come to the same: $what, while the first stands before $held', async ({ mine, theirs, held }) => {
    const name = newDatabase();
    const a = await openLedger(data, name, { policy: DEFAULT_POLICY_SETTINGS });
    const b = await openLedger(data, name, { policy: DEFAULT_POLICY_SETTINGS });
    await loadKnownKeys(a);
    await loadKnownKeys(b);
    const gate = holdInsert(a, held);
    const recording = a.record(parsed(mine));
    await gate.reached;
    await b.record(parsed(theirs));
    gate.open();
    await recording;
    const somebody = writes('somebody', MON, { wa_id: '4915', phone_number_id: '7' });
    await expectNaive(a, [...mine, ...theirs, somebody]);
    await drop(b);
    await a.close();
    await b.close();
  });
});

describe('a customer whose events all name both number and id', () => {
  it('is read no more than one with a number alone: not when new, and not when remembered', async () => {
    const name = newDatabase();
    const ledger = await openLedger(data, name, { policy: DEFAULT_POLICY_SETTINGS });
    await loadKnownKeys(ledger);
    const statements = watchReads(ledger, TABLES);
    const named = { user_id: 'US.77', parent_user_id: 'US.ENT.77' };
    const events = [clicks('e', MON, named), ...text('reply', MON + HOUR).map((event) => ({ ...event, ...named }))];
    for (const event of events) await ledger.record(parsed([event]));
    expect(statements).toEqual([]);
    const somebody = writes('somebody', MON, { wa_id: '4915', phone_number_id: '7' });
    await expectNaive(ledger, [...events, somebody]);
    await drop(ledger);
    await ledger.close();
  });
});

import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { underLease } from '../clickhouse/lease.ts';
import { removeOldParts } from '../clickhouse/old-parts.ts';
import { newStamp } from '../clickhouse/stamp.ts';
import { z } from 'zod';
import { ErasedNames, type ErasedName } from '../ledger/events/erased-names.ts';
import { makeErasureKey } from '../ledger/events/erasure-key.ts';
import { ERASING } from '../ledger/events/erasing.ts';
import { NOTED_KEYS } from '../ledger/events/keys.ts';
import { newLandingNumber } from '../ledger/events/landing.ts';
import { enterLargeLanding } from '../ledger/events/landing-log.ts';
import { checkNobodyRemoves } from '../ledger/events/removed-events.ts';
import { otherWriters } from '../ledger/events/writers.ts';
import { linkThreads } from '../ledger/threads/links.ts';
import { filesThatMayName } from './exported.ts';
import { erasedNames, nameAsGiven, namesOfPerson } from './person.ts';
import { erasuresUnderWay, recordBegun, recordDone, type ErasureUnderWay } from './register.ts';
import { Pass, textTables } from './tables.ts';

/** What finishes an erasure that was interrupted. */
const FINISH = 'ctwa-ledger erase --finish';
/** Passes until nothing is found any more; more than two say that somebody else writes. */
const PASSES = 5;

/** Whom to erase. */
export interface AskedErasure {
  /** Any name of the customer. */
  readonly customer: string;
  /** Empty: at every business number. */
  readonly phone_number_id: string;
  readonly by: string;
}

/** What would be erased: for the person who is about to do it. */
export interface PlannedErasure {
  /** Every name of the person. */
  readonly names: readonly string[];
  /** Texts of tables in which a name is, by table. */
  readonly found: Readonly<Record<string, number>>;
  readonly files: readonly string[];
}

export interface DoneErasure {
  readonly erasure_id: string;
  readonly tokens: readonly string[];
  readonly rows: number;
  readonly files: readonly string[];
}

/** @throws ActionableError when nothing names the customer */
async function personOf(database: Database, { customer, phone_number_id }: AskedErasure): Promise<string[]> {
  const given = nameAsGiven(customer);
  if (given === '') throw new ActionableError('No customer is named. Give a phone number, or the id of a user.');
  return namesOfPerson(database, given, phone_number_id);
}

async function countFound(database: Database, pass: Pass): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const table of await textTables(database)) {
    const texts = await pass.plan(table);
    if (texts > 0) found[table.name] = texts;
  }
  return found;
}

/** All that is erased in the ledger, with some names more. */
async function withThese(database: Database, secret: string, names: readonly ErasedName[]): Promise<ErasedNames> {
  const row = z.object({ phone_number_id: z.string(), digest: z.string(), token: z.string() });
  const known = await database.query(row, 'SELECT phone_number_id, digest, token FROM erased_names FINAL');
  return new ErasedNames(secret, [...known, ...names]);
}

/**
 * What erasing a customer would do. Changes nothing.
 * @throws ActionableError when nothing in the ledger names the customer
 */
export async function planErasure(database: Database, asked: AskedErasure): Promise<PlannedErasure> {
  const names = await personOf(database, asked);
  // Nothing is kept of what this makes of the names.
  const erased = new ErasedNames('a plan', erasedNames('a plan', names, asked.phone_number_id));
  const pass = new Pass(database, { names, phone_number_id: asked.phone_number_id, erased });
  try {
    await pass.begin();
    const found = await countFound(database, pass);
    if (Object.keys(found).length === 0)
      throw new ActionableError(
        `Nothing in the ledger names the customer${asked.phone_number_id === '' ? '' : ` at number ${asked.phone_number_id}`}. Check how the name is written; nothing was changed.`,
      );
    return { names, found, files: await filesThatMayName(database, names) };
  } finally {
    await pass.end();
  }
}

/**
 * Erases a customer: puts a token in the place of every name of the person, in everything that the ledger keeps. Marks,
 * amounts and counts stay as they are. Events that come later under one of the names are landed under its token.
 * An erasure that was interrupted is finished first.
 * @throws ActionableError when another process writes, or nothing names the customer
 */
export async function eraseCustomer(database: Database, asked: AskedErasure): Promise<DoneErasure> {
  return alone(database, async () => {
    await finishErasures(database);
    const { names, files } = await planErasure(database, asked);
    const secret = await makeErasureKey(database);
    const erased = erasedNames(secret, names, asked.phone_number_id);
    const { phone_number_id, by } = asked;
    const tokens = erased.map(({ token }) => token);
    const begun = await recordBegun(database, { erased_by: by, phone_number_id, tokens, files }, names);
    return finish(database, secret, begun);
  });
}

/** Finishes erasures that were interrupted. @returns how many */
export async function resumeErasures(database: Database): Promise<number> {
  return alone(database, () => finishErasures(database));
}

async function finishErasures(database: Database): Promise<number> {
  const underWay = await erasuresUnderWay(database);
  for (const erasure of underWay) await finish(database, await makeErasureKey(database), erasure);
  await forgetNames(database);
  return underWay.length;
}

/** Works while no other process writes: one could write a name that it remembers after it was erased. */
async function alone<T>(database: Database, work: () => Promise<T>): Promise<T> {
  const done = await underLease(database, ERASING, async () => {
    const writers = await otherWriters(database, '');
    if (writers.length > 0)
      throw new ActionableError(
        `The ledger is being written by ${writers.join(', ')}. Stop it, erase, and start it again: Kafka and Meta keep what comes meanwhile.`,
      );
    await checkNobodyRemoves(database);
    return { value: await work() };
  });
  if (done === null)
    throw new ActionableError(
      'Another process is erasing a customer from this ledger. Run this again when it is done.',
    );
  return done.value;
}

async function finish(database: Database, secret: string, erasure: ErasureUnderWay): Promise<DoneErasure> {
  const { erasure_id, names, phone_number_id, tokens, files } = erasure;
  const erased = erasedNames(secret, names, phone_number_id);
  // First: from here on no writer lands one of the names.
  await database.insertLines(
    'erased_names',
    ['phone_number_id', 'digest', 'token'],
    erased.map((name) => `${JSON.stringify([name.phone_number_id, name.digest, name.token])}\n`).join(''),
  );
  const [begun] = await database.query(
    z.object({ now: z.string() }),
    'SELECT toString(toUnixTimestamp64Milli(now64(3))) AS now',
  );
  const pass = new Pass(database, { names, phone_number_id, erased: await withThese(database, secret, erased) });
  let rows = 0;
  for (let passes = 1; names.length > 0; passes++) {
    await pass.begin();
    let again = 0;
    for (const table of await textTables(database)) {
      if ((await pass.plan(table)) === 0) continue;
      again += await pass.apply(table);
    }
    rows += again;
    if (again === 0) break;
    if (passes === PASSES)
      throw new ActionableError(
        'Rows that name the customer keep coming. Stop whatever writes into this ledger, and run: ctwa-ledger erase --finish',
      );
  }
  await pass.end();
  await followUp(database, tokens, begun?.now ?? '0');
  // All tables: an interrupted run may have changed others.
  await removeOldParts(
    database,
    (await textTables(database)).map(({ name }) => name),
    FINISH,
  );
  await forgetNames(database);
  await recordDone(database, erasure, rows);
  return { erasure_id, tokens, rows, files };
}

/** The names of erasures that are done, or that have done nothing yet. */
async function forgetNames(database: Database): Promise<void> {
  await database.command('TRUNCATE TABLE erasures_under_way');
  await removeOldParts(database, ['erasures_under_way'], FINISH);
}

/** What follows from rows under other names and ids. Doing it again does no harm. */
async function followUp(database: Database, tokens: readonly string[], sinceMs: string): Promise<void> {
  const among = 'IN (SELECT arrayJoin({tokens:Array(String)}))';
  // Messages that were landed again are no news: nothing may fire for them.
  await database.command(
    `ALTER TABLE trigger_arrivals DELETE WHERE noted_at >= fromUnixTimestamp64Milli(${sinceMs}, 'UTC')
     SETTINGS mutations_sync = 2`,
  );
  const landing = newLandingNumber();
  await database.command(
    `INSERT INTO touched (landing, phone_number_id, customer, nameless_id, message_key)
     SELECT DISTINCT {landing:UInt64}, phone_number_id, customer, '', arrayJoin(${NOTED_KEYS}) FROM events
     WHERE customer ${among}`,
    { landing: landing.toString(), tokens: [...tokens] },
  );
  await linkThreads(database, landing);
  // Places in tiers and allowances are found by comparing ids.
  await database.command(
    `INSERT INTO dirty_cells (stamp, phone_number_id, cell_at)
     SELECT DISTINCT {stamp:UInt64}, phone_number_id, toStartOfFifteenMinutes(ifNull(delivered_at, sent_at))
     FROM message_marks FINAL WHERE customer ${among}`,
    { stamp: newStamp().toString(), tokens: [...tokens] },
  );
  await enterLargeLanding(database);
}

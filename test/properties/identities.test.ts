import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_POLICY_SETTINGS } from '@ctwa-ledger/schemas/config.ts';
import { ingestFile } from '../../services/ingest/file.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { Prng } from '../../services/simulate/prng.ts';
import { reading, tapeArbitrary, type Event } from '../oracle/choices.ts';
import { clicks, marketing, MON, sends, status, text, writes } from '../oracle/golden/builders.ts';
import { onePerson } from '../oracle/identity-scenes.ts';
import { oracleReports } from '../oracle/oracle.ts';
import { makeWorld } from '../oracle/worlds.ts';
import { fold, parsed, printed, withoutGuard } from '../support/expected-rows.ts';
import {
  DataDirectory,
  drop,
  EVERYTHING,
  inOrder,
  isFull,
  openLedger,
  reportTexts,
  rowsOf,
  shuffled,
  writeNdjson,
} from '../support/ledger.ts';

/** F9 against the naive union, in memory and through the ledger. */

const data = new DataDirectory();
afterAll(() => data.remove());

const HOUR = 3_600;
const byId = { wa_id: null, user_id: 'US.1' };
const change = { type: 'system', system: { type: 'user_changed_number', wa_id: '12195555358' } };

/** Eight events of one person, of whom each pair of names is linked by one of them only. */
const EIGHT: readonly unknown[] = [
  clicks('e', MON, byId),
  writes('both', MON + 30 * HOUR, { user_id: 'US.1' }),
  writes('change', MON + HOUR, change),
  ...text('reply', MON + 2 * HOUR, { wa_id: '12195555358' }),
  writes('parent', MON - HOUR, { wa_id: '12195555358', user_id: 'US.2', parent_user_id: 'US.ENT.9' }),
  ...marketing('m', MON + 3 * HOUR).map((event) => ({
    ...event,
    wa_id: null,
    user_id: 'US.3',
    parent_user_id: 'US.ENT.9',
  })),
];

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield [];
  for (const [i, first] of items.entries())
    for (const rest of permutations([...items.slice(0, i), ...items.slice(i + 1)])) yield [first, ...rest];
}

function naive(events: readonly unknown[]): ReturnType<typeof oracleReports> {
  return oracleReports({ events, accounts: [], policy: DEFAULT_POLICY_SETTINGS, tz: 'UTC', as_of: EVERYTHING.as_of });
}

describe('the names of one person', () => {
  it('are one customer in every order of eight events, and in every part of them', () => {
    const expected = new Map<number, string>();
    let orders = 0;
    for (const order of permutations([...EIGHT.keys()])) {
      orders += 1;
      // All of them, and the first few: what a ledger knows on the way.
      for (const count of orders % 40 === 0 ? [1, 2, 3, 4, 5, 6, 7, 8] : [8]) {
        const some = order.slice(0, count);
        const set = some.reduce((bits, i) => bits | (1 << i), 0);
        const events = some.map((i) => EIGHT[i]);
        const known = expected.get(set) ?? JSON.stringify(namesAndMarks(naive(events)));
        expected.set(set, known);
        expect(JSON.stringify(namesAndMarks(printed(fold(events, [], DEFAULT_POLICY_SETTINGS), 'UTC')))).toBe(known);
      }
    }
    expect(orders).toBe(40_320);
    const customers = new Set(naive(EIGHT).messages.map((row) => row['customer']));
    expect(customers).toEqual(new Set(['16505551234']));
    expect(naive(EIGHT).messages.map((row) => row['billing'])).toEqual(['FREE_ENTRY', 'FREE_ENTRY']);
  });
});

interface Reports {
  readonly messages: readonly Record<string, string>[];
  readonly conversations: readonly Record<string, string>[];
}

function namesAndMarks({ messages, conversations }: Reports): unknown {
  return {
    messages: withoutGuard(messages).map((row) => [row['message_id'], row['customer'], row['billing'], row['policy']]),
    conversations: withoutGuard(conversations).map((row) => [
      row['conversation_id'],
      row['customer'],
      row['opened_at'],
    ]),
  };
}

/** People side by side, each on a number of their own: all are landed event by event at once. */
const PEOPLE = 40;
const person = (tape: readonly number[], n: number): Event[] => {
  const choose = reading(tape);
  const world = { ...makeWorld(`w${n}.`, choose), numbers: 1, customers: 1 };
  const number = choose(12) === 11 ? String(n % 3) : `1065403522${n}`;
  return [...onePerson(world, choose), ...onePerson(world, choose)].map((event) => ({
    ...event,
    phone_number_id: number,
  }));
};
const peopleArbitrary = fc.tuple(
  fc.array(tapeArbitrary(120), { minLength: PEOPLE, maxLength: PEOPLE, size: 'max' }),
  fc.nat(),
);

let databases = 0;

async function withWriters(work: (a: Ledger, b: Ledger) => Promise<void>): Promise<void> {
  const name = `identities_${databases++}`;
  const a = await openLedger(data, name, { policy: DEFAULT_POLICY_SETTINGS });
  const b = await openLedger(data, name, { policy: DEFAULT_POLICY_SETTINGS });
  try {
    await work(a, b);
  } finally {
    await drop(b);
    await a.close();
    await b.close();
  }
}

async function expectNaive(ledger: Ledger, events: readonly unknown[]): Promise<void> {
  expect(inOrder(rowsOf(await reportTexts(ledger.database)))).toEqual(inOrder(naive(events)));
}

describe('people who change their names, through the ledger', () => {
  it('are who the naive union says after every step, whoever lands it, once or twice, live or from a file', async () => {
    await fc.assert(
      fc.asyncProperty(peopleArbitrary, async ([tapes, seed]) => {
        const prng = new Prng(seed);
        const people = tapes.map((tape, n) => shuffled(person(tape, n), prng));
        const steps = Math.max(...people.map((events) => events.length));
        await withWriters(async (a, b) => {
          const landed: Event[] = [];
          for (let step = 0; step < steps; step++) {
            const now = people.flatMap((events) => events.slice(step, step + 1));
            const again = landed.filter(() => prng.chance(0.05));
            const [mine, theirs] = [[] as Event[], [] as Event[]];
            for (const event of [...now, ...again]) (prng.chance(0.5) ? mine : theirs).push(event);
            landed.push(...now);
            if (prng.chance(0.25)) await ingestFile(a, writeNdjson(data, 'some.ndjson', mine), () => undefined);
            else if (prng.chance(0.5)) await Promise.all([a.record(parsed(mine)), b.record(parsed(theirs))]);
            else await a.record(parsed(mine));
            // Those that came with the other writer already are duplicates.
            await b.record(parsed(theirs));
            if (step % 3 === 2 || step === steps - 1) await expectNaive(prng.pick([a, b]), landed);
          }
          const before = await reportTexts(a.database);
          await b.rebuild(undefined, { raiseEpoch: true });
          expect(await reportTexts(a.database)).toEqual(before);
        });
      }),
      { numRuns: isFull ? 40 : 2, endOnFailure: true },
    );
  });
});

describe('statuses before everything else', () => {
  it('are of the person whose id alone they name', async () => {
    const events = [
      status('m', 'delivered', MON, byId),
      sends('m', MON, { wa_id: '4915' }),
      clicks('e', MON - HOUR, { wa_id: '4916', user_id: 'US.1' }),
    ];
    await withWriters(async (a, b) => {
      for (const [i, event] of events.entries()) {
        await [a, b][i % 2]!.record(parsed([event]));
        await expectNaive(a, events.slice(0, i + 1));
      }
    });
  });
});

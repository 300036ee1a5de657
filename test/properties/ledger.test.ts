import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_POLICY_SETTINGS, type Account, type PolicySettings } from '@ctwa-ledger/schemas/config.ts';
import { ingestFile } from '../../services/ingest/file.ts';
import type { Landing } from '../../services/ledger/events/landing.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { recomputeSummaries, settleSummaries } from '../../services/ledger/derived/summaries.ts';
import { Prng } from '../../services/simulate/prng.ts';
import { inputArbitrary, randomTraffic, type ReportInput } from '../oracle/arbitraries.ts';
import { oracleReports } from '../oracle/oracle.ts';
import { parsed } from '../support/expected-rows.ts';
import {
  DataDirectory,
  drop,
  inOrder,
  isFull,
  numberFrom,
  openLedger,
  reportTexts,
  rowsOf,
  shuffled,
  withLedger,
  writeNdjson,
} from '../support/ledger.ts';

const data = new DataDirectory();
afterAll(() => data.remove());

/** Inputs that lie side by side in one ledger: making a ledger costs more than filling it. */
const WORLDS = 8;
const ledgers = (inputs: number): number => Math.ceil((isFull ? 25 * inputs : inputs) / WORLDS);

/** A case costs a second and more, so a failing one is not made smaller; its seed and path repeat it. */
const asItIs = { endOnFailure: true } as const;

/** Says of a value how large it is: whole, it would fill pages. */
function inShort<T extends { readonly events: readonly unknown[] }>(value: T): T {
  return Object.defineProperty(value, fc.toStringMethod, { value: () => `${value.events.length} events` });
}

let databases = 0;
function newDatabase(): string {
  databases += 1;
  return `ctwa_case_${databases}`;
}

type Settings = Pick<ReportInput, 'accounts' | 'policy'>;
type View = Pick<ReportInput, 'tz' | 'as_of' | 'from' | 'to'>;

interface Case {
  readonly events: readonly unknown[];
  readonly settings: Settings;
  readonly views: readonly View[];
  /** Decides order, duplicates, batches and who lands them. */
  readonly seed: number;
}

/** The business number of a world: worlds share nothing but the ledger. */
const numbered = (world: number, number: string): string => `${world}${number}`;

const caseArbitrary: fc.Arbitrary<Case> = fc
  .tuple(fc.array(inputArbitrary({ maxGroups: 10 }), { minLength: WORLDS, maxLength: WORLDS, size: 'max' }), fc.nat())
  .map(([inputs, seed]) => {
    const { accounts, policy } = inputs[0]!;
    return inShort({
      events: inputs.flatMap(({ events }, world) =>
        events.map((event) => {
          const fields = event as { phone_number_id: string };
          return { ...fields, phone_number_id: numbered(world, fields.phone_number_id) };
        }),
      ),
      settings: settingsFor(accounts, policy),
      views: inputs,
      seed,
    });
  });

function settingsFor(accounts: readonly Account[], policy: PolicySettings): Settings {
  const everywhere = (numbers: readonly string[]): string[] =>
    numbers.flatMap((number) => Array.from({ length: WORLDS }, (_, world) => numbered(world, number)));
  return {
    policy,
    accounts: accounts.map((account) => ({
      ...account,
      ...(account.phone_number_ids === undefined ? {} : { phone_number_ids: everywhere(account.phone_number_ids) }),
    })),
  };
}

async function expectOracle(
  ledger: Ledger,
  events: readonly unknown[],
  settings: Settings,
  views: readonly View[],
): Promise<void> {
  for (const { tz, as_of, from, to } of views) {
    const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    const expected = oracleReports({ events, ...settings, tz, as_of, ...range });
    const actual = await reportTexts(ledger.database, { tz, as_of, from: from ?? null, to: to ?? null });
    expect(inOrder(rowsOf(actual))).toEqual(inOrder(expected));
  }
}

function batches<T>(items: readonly T[], count: number, prng: Prng): T[][] {
  const split = Array.from({ length: count }, (): T[] => []);
  for (const item of items) prng.pick(split).push(item);
  return split;
}

/** @param mostKept a landing of more events is a backlog */
async function stored(writer: Ledger, events: readonly unknown[], mostKept?: number): Promise<Landing> {
  const landing = writer.beginLiveLanding(null, mostKept);
  for (const event of parsed(events)) await landing.add(event);
  await writer.land(landing);
  await landing.finish();
  return landing;
}

/** Ingests events in many ways at once: whole files, single landings, landings that overlap, crashes and rebuilds. */
async function ingestSomehow(writers: readonly Ledger[], events: readonly unknown[], prng: Prng): Promise<void> {
  const again = events.filter(() => prng.chance(0.2));
  const waiting = batches(shuffled([...events, ...again], prng), prng.int(2, 6), prng);
  for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) {
    const writer = prng.pick(writers);
    switch (prng.int(0, 5)) {
      case 0: {
        const counts = await ingestFile(writer, writeNdjson(data, 'batch.ndjson', batch), () => undefined);
        expect(counts.read).toBe(batch.length);
        expect(counts.stored + counts.duplicate).toBe(batch.length);
        break;
      }
      case 1: {
        // Both land before either folds.
        const other = prng.pick(writers);
        const [first, second] = [writer.beginLanding(), other.beginLanding()];
        for (const event of parsed(batch)) await (prng.chance(0.5) ? first : second).add(event);
        await Promise.all([first.finish(), second.finish()]);
        await Promise.all([writer.fold(first), other.fold(second)]);
        break;
      }
      case 2: {
        // A crash between landing and folding; the events come again, as duplicates.
        const landing = writer.beginLanding();
        for (const event of parsed(batch)) await landing.add(event);
        await landing.finish();
        waiting.push(batch);
        await writer.record(parsed(batch.slice(0, 3)));
        break;
      }
      case 3: {
        // Live batches that are stored before others are folded; of one nobody takes care, and its events come again.
        const parts = batches(batch, prng.int(2, 4), prng).filter((part) => part.length > 0);
        // Some of them are backlogs, which are folded in another way.
        const landings = await Promise.all(
          parts.map((part) => stored(writer, part, prng.chance(0.5) ? undefined : prng.int(0, 20))),
        );
        for (const [i, landing] of landings.entries()) {
          if (prng.chance(0.8)) await writer.fold(landing);
          else {
            await writer.giveUp(landing);
            waiting.push(parts[i] ?? []);
          }
        }
        break;
      }
      case 4:
        await Promise.all([writer.record(parsed(batch)), prng.pick(writers).rebuild(undefined, { raiseEpoch: true })]);
        break;
      default:
        await writer.record(parsed(batch));
        await recomputeSummaries(writer.database);
    }
  }
}

/** Opens several writers on one new ledger, and drops it in the end. */
async function withWriters(settings: Settings, work: (writers: readonly Ledger[]) => Promise<void>): Promise<void> {
  const database = newDatabase();
  const first = await openLedger(data, database, settings);
  const second = await openLedger(data, database, null);
  try {
    await work([first, second]);
  } finally {
    await drop(first);
    await first.close();
    await second.close();
  }
}

describe('any traffic through the ledger', () => {
  it('gives the reports that the naive rules give, however it came in', async () => {
    await fc.assert(
      fc.asyncProperty(caseArbitrary, ({ events, settings, views, seed }) =>
        withWriters(settings, async (writers) => {
          await ingestSomehow(writers, events, new Prng(seed));
          await expectOracle(writers[0]!, events, settings, views);
        }),
      ),
      { ...asItIs, numRuns: ledgers(24) },
    );
  });

  it('gives the reports of the configuration that it was opened with last', async () => {
    const after = inputArbitrary({ maxGroups: 1 });
    await fc.assert(
      fc.asyncProperty(caseArbitrary, after, async ({ events, settings, views, seed }, after) => {
        const database = newDatabase();
        const changed = settingsFor(after.accounts, after.policy);
        const [early, late] = batches(events, 2, new Prng(seed)) as [unknown[], unknown[]];
        await withLedger(
          data,
          database,
          async (ledger) => {
            await ledger.record(parsed(early));
            await settleSummaries(ledger.database);
          },
          settings,
        );
        await withLedger(
          data,
          database,
          async (ledger) => {
            await expectOracle(ledger, early, changed, views.slice(0, 1));
            await ledger.record(parsed(late));
            await expectOracle(ledger, events, changed, views.slice(0, 2));
          },
          changed,
        );
        await withLedger(
          data,
          database,
          async (ledger) => {
            await expectOracle(ledger, events, settings, views.slice(0, 2));
            await drop(ledger);
          },
          settings,
        );
      }),
      { ...asItIs, numRuns: ledgers(8) },
    );
  });

  it('keeps its summaries right event by event', async () => {
    await fc.assert(
      fc.asyncProperty(
        inputArbitrary({ maxGroups: isFull ? 4 : 3 }),
        async ({ events, accounts, policy, tz, as_of }) => {
          const settings = { accounts, policy };
          await withWriters(settings, async ([ledger]) => {
            for (let i = 1; i <= events.length; i++) {
              await ledger!.record(parsed(events.slice(i - 1, i)));
              await expectOracle(ledger!, events.slice(0, i), settings, [{ tz, as_of }]);
            }
          });
        },
      ),
      { ...asItIs, numRuns: isFull ? 40 : 2 },
    );
  });
});

describe('much traffic', () => {
  const settings: Settings = {
    accounts: [{ waba_id: '102290129340398', time_zone: 'America/Sao_Paulo', phone_number_ids: ['99'] }],
    policy: DEFAULT_POLICY_SETTINGS,
  };
  const views: View[] = [
    { tz: 'UTC', as_of: 1_800_000_000 },
    { tz: 'Asia/Kathmandu', as_of: Date.UTC(2025, 6, 3) / 1000, from: '2025-06-28', to: '2025-07-06' },
  ];

  it('gives the reports that the naive rules give', async () => {
    const events = randomTraffic(20_251, isFull ? 200_000 : 20_000);
    const file = writeNdjson(data, 'much.ndjson', events);
    await withWriters(settings, async ([ledger]) => {
      const counts = await ingestFile(ledger!, file, () => undefined);
      expect(counts.stored).toBe(await numberFrom(ledger!.database, 'SELECT count() AS n FROM events FINAL'));
      expect(counts).toEqual({
        read: events.length,
        stored: counts.stored,
        duplicate: events.length - counts.stored,
        rejected: 0,
        warning: null,
      });
      await expectOracle(ledger!, events, settings, views);
    });
  });

  it('changes nothing when the same file comes again, or when all is rebuilt', async () => {
    const events: unknown[] = randomTraffic(7, 3_000);
    const unusable = [{ event: 'message' }, 'no event at all', { ...(events[0] as object), timestamp: '12' }];
    const file = writeNdjson(data, 'again.ndjson', [...events, ...unusable]);
    await withWriters(settings, async ([ledger, other]) => {
      const first = await ingestFile(ledger!, file, () => undefined);
      const before = await reportTexts(ledger!.database);
      expect(first.read).toBe(events.length + unusable.length);
      expect(first.rejected).toBe(unusable.length);
      expect(first.stored + first.duplicate).toBe(events.length);

      const second = await ingestFile(other!, file, () => undefined);
      expect(second).toEqual({
        read: first.read,
        stored: 0,
        duplicate: events.length,
        rejected: unusable.length,
        warning: null,
      });
      expect(await reportTexts(ledger!.database)).toEqual(before);
      expect(await numberFrom(ledger!.database, 'SELECT count() AS n FROM dead_letters FINAL')).toBe(unusable.length);

      await other!.rebuild(undefined, { raiseEpoch: true });
      const lowest = 'SELECT min(bitShiftRight(version, 40)) AS n FROM message_marks FINAL';
      expect(await numberFrom(ledger!.database, lowest)).toBe(Number(other!.configuration.epoch));
      expect(await reportTexts(ledger!.database)).toEqual(before);
    });
  });
});

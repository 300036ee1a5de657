import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY_SETTINGS } from '@ctwa-ledger/schemas/config.ts';
import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { changedRows, entryTimes, messageTime } from '../../services/ledger/marks/changed-rows.ts';
import { landedUnder, threadText } from '../../services/ledger/events/thread-key.ts';
import type { Field } from '../../services/clickhouse/columns/writer.ts';
import { OF_CUSTOMER_NAME, OF_ENTRY, OF_LOST_REFERRAL, OF_MESSAGE } from '../../services/ledger/marks/mark-rows.ts';
import { foldEvents } from '../../services/lifecycle/fold.ts';
import { markKey, type Rows } from '../../services/lifecycle/marks.ts';
import { compileRulebook } from '../../services/lifecycle/rulebook.ts';
import { randomTraffic } from '../oracle/arbitraries.ts';
import { parsed } from '../support/expected-rows.ts';

const rulebook = compileRulebook([], DEFAULT_POLICY_SETTINGS);

function threadsOf(seed: number): LedgerEvent[][] {
  const threads = new Map<string, LedgerEvent[]>();
  for (const event of parsed(randomTraffic(seed, 400))) {
    const name = threadText(landedUnder(event));
    threads.set(name, [...(threads.get(name) ?? []), event]);
  }
  return [...threads.values()];
}

interface Standing {
  /** What the ledger has of the row, as text. */
  readonly row: string;
  readonly times: readonly number[];
}

function stored<Row>(fields: readonly Field<Row>[], row: Row): string {
  return JSON.stringify(fields.map(({ of }) => of(row)));
}

/** Rows by what identifies them, each with the times at which it counts. */
function standing(rows: Rows): Map<string, Standing> {
  return new Map<string, Standing>([
    ...rows.messages.map((row): [string, Standing] => [
      `message ${markKey(row)}`,
      { row: stored(OF_MESSAGE, row), times: [messageTime(row)] },
    ]),
    ...rows.entries.map((row): [string, Standing] => [
      `entry ${row.entry_id}`,
      { row: stored(OF_ENTRY, row), times: entryTimes(row) },
    ]),
    ...rows.lost_referrals.map((row): [string, Standing] => [
      `lost ${row.message_id}`,
      { row: stored(OF_LOST_REFERRAL, row), times: [row.written_at] },
    ]),
    ...rows.customer_names.map((row): [string, Standing] => [
      `name ${row.name}`,
      { row: stored(OF_CUSTOMER_NAME, row), times: [] },
    ]),
  ]);
}

describe('the rows that a thread changes', () => {
  it('make the rows of all its events out of those of some, and name every time at which something counts otherwise', () => {
    let written = 0;
    let kept = 0;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.nat(), fc.nat(), (seed, chosen, cut) => {
        for (const thread of threadsOf(seed).slice(0, 20)) {
          // In any order: late events change rows that stand.
          const events = thread.toSorted(
            (a, b) => ((a.timestamp * 31 + chosen) % 101) - ((b.timestamp * 31 + chosen) % 101),
          );
          const before = foldEvents(events.slice(0, cut % (events.length + 1)), rulebook);
          const after = foldEvents(events, rulebook);
          const changed = changedRows(before, after);
          if (changed === null) continue;
          const stood = standing(before);
          const stands = new Map(stood);
          for (const [key, row] of standing(changed.rows)) stands.set(key, row);
          for (const retraction of changed.rows.retracted_messages)
            stands.delete(`message ${markKey({ message_id: retraction.id, participant: retraction.participant })}`);
          for (const { id } of changed.rows.retracted_entries) stands.delete(`entry ${id}`);
          const wanted = standing(after);
          expect(stands).toEqual(wanted);

          const times = new Set<number>();
          for (const key of new Set([...stood.keys(), ...wanted.keys()])) {
            const [was, is] = [stood.get(key), wanted.get(key)];
            if (was?.row === is?.row) kept += 1;
            else for (const time of [...(was?.times ?? []), ...(is?.times ?? [])]) times.add(time);
          }
          expect(changed.times).toEqual(times);
          written += changed.rows.messages.length + changed.rows.entries.length;
        }
      }),
      { numRuns: 60 },
    );
    expect(Math.min(written, kept)).toBeGreaterThan(1_000);
  });
});

import { pino } from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import { eraseCustomer } from '../../services/erasure/erase.ts';
import { Metrics } from '../../services/http/metrics.ts';
import type { DeadLetter } from '../../services/ledger/events/dead-letters.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { removeOldEvents } from '../../services/processes/retention.ts';
import { listRemovals } from '../../services/retention/register.ts';
import { removeEvents } from '../../services/retention/remove.ts';
import { configSchema } from '../../schemas/config.ts';
import { clicks, DAY, HOUR, MON, sendsTemplate, status, WABA, writes } from '../oracle/golden/builders.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, numberFrom, openLedger } from '../support/ledger.ts';
import {
  APRIL,
  CONFIG,
  closeMonth,
  eventsOf,
  FEBRUARY,
  fill,
  filesWith,
  JANUARY,
  linesOf,
  OF_OLD,
  OLD,
} from './world.ts';

const data = new DataDirectory();
afterAll(() => data.remove());

const ASKED = { waba_id: WABA, before: '2026-02', by: 'ana' };
const KEEPING = configSchema.parse({
  accounts: [{ waba_id: WABA, currency: 'USD', keep_events_months: 2 }],
  policy: CONFIG.policy,
});
const parts = { metrics: new Metrics(), log: pino({ level: 'silent' }), now: () => APRIL };

const isMarked = async ({ database }: Ledger, id: string): Promise<boolean> =>
  (await numberFrom(database, `SELECT count() AS n FROM message_marks FINAL WHERE message_id = '${id}'`)) === 1;

/** Calls `then` before the statement that deletes the events. */
function beforeDeletion(ledger: Ledger, then: () => void): void {
  const command = ledger.database.command.bind(ledger.database);
  ledger.database.command = async (sql, parameters) => {
    if (sql.startsWith('ALTER TABLE events DELETE')) then();
    await command(sql, parameters);
  };
}

const again = (n: number): unknown[] => [
  clicks(`again-${n}`, FEBRUARY + 40 * DAY + n * HOUR, { wa_id: OLD }),
  { ...sendsTemplate(`again-reply-${n}`, FEBRUARY + 40 * DAY + n * HOUR + 1, 'marketing'), wa_id: OLD },
  status(`again-reply-${n}`, 'delivered', FEBRUARY + 40 * DAY + n * HOUR + 1, { wa_id: OLD }),
];

describe('the daily removal of a process that writes', () => {
  it('lets what comes meanwhile wait, remembers nothing of what it removed, and marks what comes as if it had come later', async () => {
    const ledger = await openLedger(data, 'daily', KEEPING);
    await fill(ledger);
    await ledger.beginWriting();
    // Remembered by this process.
    await ledger.record(parsed(OF_OLD));
    let arrived: Promise<unknown> = Promise.resolve();
    let landedEarly = 0;
    beforeDeletion(ledger, () => {
      const landing = ledger.beginLanding();
      const landed = (async (): Promise<void> => {
        for (const event of parsed(again(1))) await landing.add(event);
        await ledger.fold(landing);
      })();
      arrived = Promise.all([ledger.record(parsed(again(0))), landed]).then(async () => {
        landedEarly = (await listRemovals(ledger.database)).filter(({ ended_at }) => ended_at === null).length;
      });
    });
    await removeOldEvents(ledger, parts);
    await arrived;
    expect(landedEarly).toBe(0);
    expect(await listRemovals(ledger.database)).toMatchObject([{ removed_by: 'schedule', threads: 5, events: 24 }]);
    const mixed = await linesOf(ledger.database);
    expect(await isMarked(ledger, 'again-reply-0')).toBe(true);
    expect(await isMarked(ledger, 'again-reply-1')).toBe(true);
    expect((await ledger.record(parsed([...JANUARY, ...again(0), ...again(1)]))).stored).toBe(0);
    await ledger.rebuild(undefined, { raiseEpoch: true });
    expect(await linesOf(ledger.database)).toEqual(mixed);
    await ledger.close();

    const other = await openLedger(data, 'later', KEEPING);
    await fill(other);
    await removeOldEvents(other, parts);
    for (const n of [0, 1]) await other.record(parsed(again(n)));
    expect(await linesOf(other.database)).toEqual(mixed);
    // Nothing to remove: asked, and not recorded.
    await removeOldEvents(other, parts);
    expect(await listRemovals(other.database)).toHaveLength(1);
    await other.close();
  });

  it('is left for another day while a month is open', async () => {
    const ledger = await openLedger(data, 'open', KEEPING);
    await ledger.record(parsed([...JANUARY]));
    await removeOldEvents(ledger, parts);
    expect(await listRemovals(ledger.database)).toEqual([]);
    expect(Object.keys(await eventsOf(ledger.database))).toHaveLength(new Set(JANUARY.map(({ id }) => id)).size);
    await ledger.close();
  });
});

describe('events that a process landed and did not fold before it ended', () => {
  it('are marked before they are removed', async () => {
    const ledger = await openLedger(data, 'unfolded', CONFIG);
    await fill(ledger);
    const landing = ledger.beginLanding();
    const late = [
      { ...sendsTemplate('unfolded', MON + 20 * DAY, 'marketing'), wa_id: OLD },
      status('unfolded', 'delivered', MON + 20 * DAY, { wa_id: OLD }),
    ];
    for (const event of parsed(late)) await landing.add(event);
    await landing.finish();
    await ledger.close();
    const next = await openLedger(data, 'unfolded', CONFIG);
    expect(await isMarked(next, 'unfolded')).toBe(false);
    expect(await removeEvents(next, ASKED, APRIL)).toMatchObject({ threads: 5, events: 26 });
    expect(await isMarked(next, 'unfolded')).toBe(true);
    expect((await next.record(parsed(late))).stored).toBe(0);
    await next.close();
  });
});

describe('a customer who is erased after the events were removed', () => {
  it('leaves no trace, and what comes again is recognised all the same', async () => {
    const own = new DataDirectory();
    const ledger = await openLedger(own, 'erased', CONFIG);
    await fill(ledger);
    // The group and the message without a customer name this one, too.
    await removeEvents(ledger, ASKED, APRIL);
    await eraseCustomer(ledger.database, { customer: OLD, phone_number_id: '', by: 'ana' });
    await ledger.close();
    const next = await openLedger(own, 'erased', CONFIG);
    expect((await next.record(parsed(OF_OLD))).stored).toBe(0);
    const aside: DeadLetter[] = [];
    const { stored } = await next.record(
      parsed([status('old-reply', 'read', FEBRUARY, { wa_id: OLD }), writes('late', MON + HOUR, { wa_id: OLD })]),
      {
        putAside: (some) => {
          aside.push(...some);
          return Promise.resolve();
        },
      },
    );
    expect(stored).toBe(0);
    expect(aside.map(({ code }) => code)).toEqual(['events_removed', 'events_removed']);
    expect(aside.some(({ raw }) => raw.includes(OLD))).toBe(false);
    await next.close();
    await own.killEngine('SIGTERM');
    expect(filesWith(own, OLD)).toEqual([]);
    await own.remove();
  });
});

describe('a removal and a month that is closed a second time', () => {
  it('come to the same bill', async () => {
    const ledger = await openLedger(data, 'again', CONFIG);
    await fill(ledger);
    await closeMonth(ledger.database, '2026-02', APRIL);
    const before = await linesOf(ledger.database);
    await removeEvents(ledger, { ...ASKED, before: '2026-03' }, APRIL);
    expect(await linesOf(ledger.database)).toEqual(before);
    expect(Object.keys(await eventsOf(ledger.database)).sort()).toEqual(
      ['moves', 'stop', ...['answer', 'click', 'paid', 'reply'].map((what) => `stopped-${what}`)].sort(),
    );
    await ledger.close();
  });
});

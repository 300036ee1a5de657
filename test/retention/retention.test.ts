import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainMessages } from '../../services/ledger/thread.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { DeadLetters, listDeadLetters, type DeadLetter } from '../../services/ledger/events/dead-letters.ts';
import { reopenPeriod, listPeriods } from '../../services/periods/periods.ts';
import { threadView } from '../../services/reports/thread.ts';
import { firstKeptMonth, planRemoval, removeEvents } from '../../services/retention/remove.ts';
import { listRemovals } from '../../services/retention/register.ts';
import { at, clicks, DAY, HOUR, MON, NUMBER, sendsTemplate, status, WABA, writes } from '../oracle/golden/builders.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, numberFrom, openLedger } from '../support/ledger.ts';
import {
  APRIL,
  changesOf,
  CHANGED_ID,
  CHANGED_TO,
  closeMonth,
  CONFIG,
  eventsOf,
  FEBRUARY,
  fill,
  filesWith,
  JANUARY,
  LATER,
  linesOf,
  OF_OLD,
  OLD,
  SECRET,
  STAY,
} from './world.ts';

const data = new DataDirectory();
let ledger: Ledger;
let before: Record<string, string[]>;

const ASKED = { waba_id: WABA, before: '2026-02', by: 'ana' };

beforeAll(async () => {
  ledger = await openLedger(data, 'retention', CONFIG);
  await fill(ledger);
  before = await linesOf(ledger.database);
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

/** Lands events as a way in does, which keeps what is put aside. */
async function land(events: readonly unknown[]): Promise<{ stored: number; aside: DeadLetter[] }> {
  const aside: DeadLetter[] = [];
  const putAside = async (some: readonly DeadLetter[]): Promise<void> => {
    aside.push(...some);
    const letters = new DeadLetters(ledger.database);
    for (const letter of some) await letters.add(letter);
    await letters.flush();
  };
  const { stored } = await ledger.record(parsed(events), {
    putAside,
    origin: { source: 'a file', partition: 0, position: 1 },
  });
  return { stored, aside };
}

const marks = (where: string): Promise<number> =>
  numberFrom(ledger.database, `SELECT count() AS n FROM message_marks FINAL WHERE ${where}`);

describe('before the events of a month are removed', () => {
  it('the month must be closed, and long enough ago', async () => {
    await expect(planRemoval(ledger.database, { ...ASKED, before: '2026-03' }, APRIL)).rejects.toThrow(
      '2026-02 of account 102290129340398 is not closed',
    );
    await expect(removeEvents(ledger, ASKED, Date.parse('2026-02-09T23:00:00Z'))).rejects.toThrow(
      'Windows that began before 2026-02 may still be open',
    );
    await expect(removeEvents(ledger, { ...ASKED, waba_id: '7' }, APRIL)).rejects.toThrow('Account 7 is not set');
    const [period] = await listPeriods(ledger.database);
    await reopenPeriod(ledger.database, period!.period_id, 'ana', 'a test');
    await expect(removeEvents(ledger, ASKED, APRIL)).rejects.toThrow('2026-01 of account');
    await closeMonth(ledger.database, '2026-01');
    before = await linesOf(ledger.database);
    expect(await listRemovals(ledger.database)).toEqual([]);
  });

  it('a month is kept for as many months before the current one as the account says', () => {
    expect(firstKeptMonth(2, 'UTC', APRIL)).toBe('2026-02');
    expect(firstKeptMonth(1, 'Asia/Tokyo', Date.parse('2026-03-31T16:00:00Z'))).toBe('2026-03');
  });

  it('it can be asked what would go, which changes nothing', async () => {
    const events = await eventsOf(ledger.database);
    const plan = await planRemoval(ledger.database, ASKED, APRIL);
    expect(plan).toMatchObject({ threads: 5, events: 24, removal_id: null, first_at: MON });
    expect(await eventsOf(ledger.database)).toEqual(events);
    expect(await numberFrom(ledger.database, 'SELECT count() AS n FROM removed_threads')).toBe(0);
  });

  it('nobody else may write', async () => {
    const writer = await openLedger(data, 'retention');
    await writer.beginWriting();
    await expect(removeEvents(ledger, ASKED, APRIL)).rejects.toThrow('The ledger is being written by "a test"');
    await writer.close();
  });
});

describe('a removal', () => {
  it('takes whole conversations that are over, and leaves every mark and amount as it was', async () => {
    expect(filesWith(data, SECRET)).not.toEqual([]);
    // They count events beside marks.
    expect(before['ad-answers']!.join()).toContain(',8,8,6,8,0,8,2,');
    expect(before['ad-steps']!.join()).toContain('depth_2,8,');
    const result = await removeEvents(ledger, ASKED, APRIL);
    expect(result).toMatchObject({ threads: 5, events: 24 });
    expect(Object.keys(await eventsOf(ledger.database)).sort()).toEqual([...STAY].sort());
    expect(await linesOf(ledger.database)).toEqual(before);
    expect(await listRemovals(ledger.database)).toMatchObject([
      { waba_id: WABA, removed_by: 'ana', threads: 5, events: 24, cut_off: '2026-02-01T00:00:00+00:00' },
    ]);
  });

  it('is not repeated', async () => {
    expect(await removeEvents(ledger, ASKED, APRIL)).toMatchObject({ threads: 0, removal_id: null });
  });

  it('leaves a rebuild and another configuration nothing to change', async () => {
    await ledger.rebuild(undefined, { raiseEpoch: true });
    expect(await linesOf(ledger.database)).toEqual(before);
    await ledger.close();
    // Under this setting the paid messages of all conversations would be in their windows: of those that are left they are.
    const config = { ...CONFIG, policy: { ...CONFIG.policy!, entry_sources: ['post'] } };
    ledger = await openLedger(data, 'retention', config);
    expect(await marks(`message_id = 'old-reply' AND predicted = 'FREE_ENTRY'`)).toBe(1);
    expect(await marks(`message_id = 'young-reply' AND predicted = 'FREE_ENTRY'`)).toBe(0);
    await ledger.close();
    ledger = await openLedger(data, 'retention', CONFIG);
    expect(await linesOf(ledger.database)).toEqual(before);
  });
});

describe('what comes after a removal', () => {
  it('counts as known when it was there, by every way in', async () => {
    const live = await land(JANUARY);
    expect(live).toEqual({ stored: 0, aside: [] });
    const landing = ledger.beginLanding();
    for (const event of parsed([...JANUARY, ...LATER])) await landing.add(event);
    expect(await ledger.fold(landing)).toEqual({ stored: 0 });
    expect(await linesOf(ledger.database)).toEqual(before);
    expect(Object.keys(await eventsOf(ledger.database)).sort()).toEqual([...STAY].sort());
  });

  it('is put aside when it was not there: of a removed message at any time, and of a conversation until its windows are over', async () => {
    const late = [
      // A message of which nothing was known, two months late.
      { ...sendsTemplate('old-unknown', MON + 2 * HOUR, 'marketing'), wa_id: OLD },
      // It would have ended the window of the removed click, had it been known.
      writes('old-unknown-2', at('2026-02-04 12:00'), { wa_id: OLD }),
      // Statuses of a removed message, whoever is named and whenever.
      status('old-paid', 'read', at('2026-04-01 10:00'), { wa_id: OLD }),
      status('nameless', 'read', at('2026-04-01 10:00'), { wa_id: null }),
      // By a name that nothing was landed under.
      writes('by-id', MON + 3 * DAY, { wa_id: null, user_id: CHANGED_ID }),
    ];
    const { stored, aside } = await land(late);
    expect(stored).toBe(0);
    expect(aside.map(({ code }) => code)).toEqual(late.map(() => 'events_removed'));
    expect(aside[0]!.message).toMatch(/^It came after the events of its conversation were removed on \d{4}-\d\d-\d\d/);
    expect(await listDeadLetters(ledger.database, 10)).toHaveLength(late.length);
    expect(await linesOf(ledger.database)).toEqual(before);
  });

  it('is marked as usual when it is later, and as one person with what was removed', async () => {
    const next = FEBRUARY + 40 * DAY;
    await land([
      clicks('old-again', next, { wa_id: OLD }),
      { ...sendsTemplate('old-again-reply', next + HOUR, 'marketing'), wa_id: OLD },
      status('old-again-reply', 'delivered', next + HOUR, { wa_id: OLD }),
      // Under the id only: the number of the same person is known from what was removed.
      writes('moved-again', next, { wa_id: null, user_id: CHANGED_ID }),
      { ...sendsTemplate('moved-again-reply', next + 2 * DAY, 'marketing'), wa_id: null, user_id: CHANGED_ID },
      status('moved-again-reply', 'delivered', next + 2 * DAY, { wa_id: null, user_id: CHANGED_ID }),
    ]);
    expect(await marks(`message_id = 'old-again-reply' AND predicted = 'FREE_ENTRY'`)).toBe(1);
    expect(
      await marks(`message_id = 'moved-again-reply' AND predicted = 'BILLABLE' AND customer = '${CHANGED_TO}'`),
    ).toBe(1);
    const { messages, conversations } = changesOf(before, await linesOf(ledger.database));
    expect(messages?.gone).toEqual([]);
    expect(messages?.added).toHaveLength(2);
    expect(conversations?.gone).toEqual([]);
    const lines = await linesOf(ledger.database);
    await ledger.rebuild(undefined, { raiseEpoch: true });
    expect(await linesOf(ledger.database)).toEqual(lines);
    before = lines;
  });

  it('is folded again as often as it grows, up to as many events as there were and more', async () => {
    const next = FEBRUARY + 41 * DAY;
    for (let n = 0; n < OF_OLD.length + 3; n++) {
      await ledger.close();
      ledger = await openLedger(data, 'retention', CONFIG);
      const landing = ledger.beginLanding();
      for (const event of parsed([{ ...sendsTemplate(`old-more-${n}`, next + n * HOUR, 'marketing'), wa_id: OLD }]))
        await landing.add(event);
      await ledger.fold(landing);
      expect(await marks(`message_id = 'old-more-${n}'`)).toBe(1);
    }
  });
});

describe('what is asked about removed events', () => {
  it('is answered with the day on which they were removed', async () => {
    const [said] = await explainMessages(ledger, 'old-reply', 'UTC');
    expect(said!.sentence).toMatch(
      /^FREE_ENTRY, as it was marked \(.+\) before the events of its conversation were removed on \d{4}-\d\d-\d\d/,
    );
    const asked = { phone_number_id: NUMBER, as_of: APRIL / 1_000, before: null };
    const gone = await threadView(ledger, { ...asked, message_id: 'old-click' });
    expect(gone).toMatchObject({ customer: OLD, events: [], removed: { events: 7, first_at: MON } });
    const again = await threadView(ledger, { ...asked, message_id: 'old-again' });
    expect(again?.removed).toMatchObject({ events: 7 });
    expect(again?.events[0]).toMatchObject({ kind: 'inbound', id: 'old-again' });
    expect(await threadView(ledger, { ...asked, message_id: 'no such' })).toBeNull();
  });

  it('is in no file any more', async () => {
    const younger = [...JANUARY, ...LATER].filter(({ id }) => STAY.includes(id));
    // Conversations that stay say the same, so their texts are told apart from those that went.
    expect(younger.some((event) => JSON.stringify(event).includes(SECRET))).toBe(false);
    await ledger.close();
    await data.killEngine('SIGTERM');
    expect(filesWith(data, SECRET)).toEqual([]);
    ledger = await openLedger(data, 'retention', CONFIG);
  });
});

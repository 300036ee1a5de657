import { parseEvent, type LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { triggerSchema } from '@ctwa-ledger/schemas/triggers.ts';
import { afterAll, expect, it } from 'vitest';
import { Firings } from '../../services/triggers/firing.ts';
import { tryTrigger } from '../../services/triggers/past.ts';
import { createTrigger, readHistories } from '../../services/triggers/register.ts';
import { withLedger } from '../support/ledger.ts';
import { DataDirectory, NUMBER } from '../support/product.ts';

const HOUR = 3_600;
const NOW = Math.floor(Date.now() / 1000);
/** Some minutes ahead, because a trigger is silent about what was before it. */
const SOON = NOW + 600;

function event(value: Readonly<Record<string, unknown>>): LedgerEvent {
  const read = parseEvent({ phone_number_id: NUMBER, type: 'text', ...value }, NOW);
  if (!read.ok) throw new Error(read.rejection.message);
  return read.event;
}

const click = (wa_id: string, id: string, timestamp: number): LedgerEvent =>
  event({
    event: 'message',
    direction: 'inbound',
    wa_id,
    id,
    timestamp,
    referral: { source_type: 'ad', source_id: 'A', source_url: 'https://fb.me/1' },
  });

const reply = (wa_id: string, id: string, timestamp: number): LedgerEvent[] => [
  event({ event: 'message', direction: 'outbound', wa_id, id, timestamp }),
  event({ event: 'status', wa_id, id, status: 'delivered', timestamp }),
];

const data = new DataDirectory();
afterAll(() => data.remove());

it('fires before the time to reply, and before a window, runs out: once, and only where it is still worth saying', async () => {
  await withLedger(data, 'deadlines', async (ledger) => {
    const { database } = ledger;
    await ledger.beginWriting();
    const unanswered = triggerSchema.parse({ name: 'u', kind: 'unanswered', hours: 2, to_topic: true });
    const ends = triggerSchema.parse({ name: 'w', kind: 'window_ends', hours: 1, to_topic: true });
    const ids = new Map<string, string>();
    for (const definition of [unanswered, ends])
      ids.set((await createTrigger(database, definition, 'a test')).trigger_id, definition.name);
    await ledger.record([
      // Reply by SOON + 2 h.
      click('1', 'wamid.WAITS', SOON - 22 * HOUR),
      click('2', 'wamid.ANSWERED', SOON - 22 * HOUR),
      ...reply('2', 'wamid.R2', SOON - 21 * HOUR),
      click('3', 'wamid.LATER', SOON - 21 * HOUR),
      // Before the trigger was saved.
      click('4', 'wamid.EARLIER', NOW - 23 * HOUR),
      // Its window ends at SOON + 1 h.
      click('5', 'wamid.OPEN', SOON - 72 * HOUR),
      ...reply('5', 'wamid.R5', SOON - 71 * HOUR),
    ]);
    const histories = [...(await readHistories(database)).values()];
    const fired = async (firings: Firings, at: number): Promise<string[]> =>
      (await firings.ofDeadlines(histories, at * 1000)).map(
        ({ trigger_id, message_id }) => `${ids.get(trigger_id) ?? ''} ${message_id}`,
      );
    const firings = new Firings(database);
    expect(await fired(firings, SOON - 1)).toEqual([]);
    expect((await fired(firings, SOON + 60)).sort()).toEqual(['u wamid.WAITS', 'w wamid.OPEN']);
    expect(await fired(firings, SOON + 120)).toEqual([]);
    // Another process has no memory of it.
    expect(await fired(new Firings(database), SOON + 180)).toEqual([]);
    await ledger.record(reply('3', 'wamid.R3', SOON + HOUR - 10));
    expect(await fired(firings, SOON + HOUR + 60)).toEqual([]);
    // After the deadline nobody needs to hear of it.
    expect(await fired(new Firings(database), SOON + 30 * HOUR)).toEqual([]);

    const days = { from: NOW - 96 * HOUR, to: SOON + 24 * HOUR };
    const tried = async (definition: typeof ends): Promise<string[]> =>
      (await tryTrigger(database, definition, days)).messages.map(({ message_id }) => message_id).sort();
    expect(await tried(unanswered)).toEqual(['wamid.EARLIER', 'wamid.WAITS']);
    expect(await tried(ends)).toEqual(['wamid.OPEN']);
  });
});

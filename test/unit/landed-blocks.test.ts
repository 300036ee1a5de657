import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventsWriter } from '../../services/ledger/events/event-rows.ts';
import { LandedBlocks } from '../../services/ledger/events/landed-blocks.ts';
import { threadText, type ThreadKey } from '../../services/ledger/events/thread-key.ts';
import { parsed } from '../support/expected-rows.ts';

const AT = 1_760_000_000;

interface Sent {
  readonly number: string;
  readonly customer: string;
  readonly id: string;
  readonly isStatus: boolean;
  readonly text: string;
}

const sent: fc.Arbitrary<Sent> = fc.record({
  number: fc.constantFrom('1', '12'),
  // Without a customer, with a phone number, with a business-scoped id.
  customer: fc.constantFrom('', '2', '49', 'BR.1'),
  id: fc.constantFrom('a', 'b', 'ab'),
  isStatus: fc.boolean(),
  text: fc.string({ unit: 'grapheme', maxLength: 200 }),
});

function eventOf({ number, customer, id, isStatus, text }: Sent): LedgerEvent {
  const name = /^\d/.test(customer) ? { wa_id: customer } : { user_id: customer };
  const shared = { phone_number_id: number, id, timestamp: String(AT), ...name };
  const [event] = parsed([
    // Only a status may name no customer.
    isStatus || customer === ''
      ? { event: 'status', status: 'sent', errors: [{ title: text }], ...shared }
      : { event: 'message', direction: 'inbound', type: 'text', context: { text }, ...shared },
  ]);
  if (event === undefined) throw new Error(`Not an event: ${JSON.stringify(shared)}`);
  return event;
}

/** Blocks of one landing, of so many events each. */
function blocksOf(events: readonly LedgerEvent[], perBlock: number): LandedBlocks {
  const blocks = new LandedBlocks();
  for (let from = 0; from < events.length; from += perBlock) {
    const writer = new EventsWriter();
    for (const event of events.slice(from, from + perBlock)) {
      writer.add(event);
      blocks.add(event);
    }
    expect(blocks.keep(writer.encode(7n))).toBe(true);
  }
  return blocks;
}

/** The events of each named thread, in the order in which they were landed. */
function grouped(events: readonly LedgerEvent[]): Map<string, LedgerEvent[]> {
  const byThread = new Map<string, LedgerEvent[]>();
  for (const event of events) {
    if (event.customer === '') continue;
    const key = threadText({ ...event, nameless_id: '' });
    byThread.set(key, [...(byThread.get(key) ?? []), event]);
  }
  return byThread;
}

function read(blocks: LandedBlocks, isWanted: (thread: ThreadKey) => boolean = () => true): [string, LedgerEvent[]][] {
  return [...blocks.threads(isWanted)].map(({ thread, events }) => [threadText(thread), [...events]]);
}

describe('the blocks of a landing', () => {
  it('give each named thread all of its events, however they are spread over blocks', () => {
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (all, perBlock) => {
        const events = all.map(eventOf);
        expect(read(blocksOf(events, perBlock))).toEqual([...grouped(events)]);
      }),
    );
  });

  it('give only the threads that are wanted', () => {
    const events = ['2', '49', '2', '3'].map((customer) =>
      eventOf({ number: '1', customer, id: 'a', isStatus: true, text: '' }),
    );
    const threads = read(blocksOf(events, 3), ({ customer }) => customer !== '2');
    expect(threads.map(([key]) => key)).toEqual(['1\u000049\u0000', '1\u00003\u0000']);
  });

  it('hold many more events than they began with room for', () => {
    const events = Array.from({ length: 5_000 }, (_, i) =>
      eventOf({ number: '1', customer: String(10 + (i % 7)), id: `m${i}`, isStatus: i % 2 === 0, text: '' }),
    );
    expect(read(blocksOf(events, 1_500))).toEqual([...grouped(events)]);
  });

  it('say when they hold more bytes than they may', () => {
    const blocks = new LandedBlocks(1_000);
    const keep = (text: string): boolean => {
      const event = eventOf({ number: '1', customer: '2', id: 'a', isStatus: true, text });
      const writer = new EventsWriter();
      writer.add(event);
      blocks.add(event);
      return blocks.keep(writer.encode(7n));
    };
    expect(keep('short')).toBe(true);
    expect(keep('long'.repeat(300))).toBe(false);
  });
});

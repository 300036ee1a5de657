import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { describe, expect, it } from 'vitest';
import { keyOfThread } from '../../services/ledger/events/keys.ts';
import { ThreadCache, ThreadEvents, type RememberedThread } from '../../services/ledger/threads/thread-cache.ts';
import { parsed } from '../support/expected-rows.ts';

const AT = 1_760_000_000;

function status(id: string, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { event: 'status', phone_number_id: '1', wa_id: '49', id, status: 'sent', timestamp: String(AT), ...more };
}

const THREAD = { phone_number_id: '1', customer: '49', nameless_id: '' };

function remembered(events: readonly LedgerEvent[]): RememberedThread {
  return { events, links: [], isSettled: true, folded: null, emitted: null };
}

describe('the events of a thread', () => {
  it('hold a copy once, and what differs in any stored field apart', () => {
    const events = new ThreadEvents([]);
    const copies = [
      status('a'),
      status('a', { timestamp: AT }),
      status('a', { errors: [] }),
      status('a', { status: 'delivered' }),
      status('a', { timestamp: String(AT + 1) }),
      status('a', { waba_id: '7' }),
      status('a', { wa_id: '4 9' }),
      status('a', { user_id: 'DE.1' }),
      status('a', { participant: '50' }),
      status('a', { pricing: { billable: false } }),
      status('a', { pricing: { billable: true } }),
      status('a', { conversation: { expiration_timestamp: String(AT) } }),
      status('a', { errors: [{ code: 131049 }] }),
    ];
    for (const copy of copies) for (const event of parsed([copy])) events.add(event);
    expect(events.all).toHaveLength(10);
  });

  it('are what they were made of, with what was added', () => {
    const known = parsed([status('a'), status('b'), status('c')]);
    const events = new ThreadEvents(known);
    const [copy, other] = parsed([status('c'), status('d')]) as [LedgerEvent, LedgerEvent];
    expect(events.hasMessage('d')).toBe(false);
    expect(events.add(copy)).toBe(known[2]);
    expect(events.add(other)).toBeNull();
    expect(events.hasMessage('d')).toBe(true);
    expect(events.all.map((event) => event.id)).toEqual(['a', 'b', 'c', 'd']);
    expect(known).toHaveLength(3);
  });
});

describe('a remembered thread', () => {
  it('is the one that was kept last, until it is forgotten', () => {
    const cache = new ThreadCache();
    cache.keep(THREAD, remembered(parsed([status('a')])));
    cache.keep(THREAD, remembered(parsed([status('a'), status('b')])));
    expect(cache.get(THREAD)?.events).toHaveLength(2);
    expect(cache.get({ ...THREAD, customer: '50' })).toBeNull();
    cache.forget(keyOfThread(THREAD));
    expect(cache.get(THREAD)).toBeNull();
    expect(cache.bytes).toBe(0);
  });

  it('is no other thread of the same hash', () => {
    // Found by trying: two customers of one number whose threads have one hash.
    const byHash = new Map<number, string>();
    let pair: [string, string] | null = null;
    for (let i = 0; pair === null; i++) {
      const customer = `4915${i * 7919}`;
      const key = keyOfThread({ ...THREAD, customer });
      const other = byHash.get(key);
      if (other !== undefined) pair = [other, customer];
      byHash.set(key, customer);
    }
    const cache = new ThreadCache();
    const [one, other] = pair.map((customer) => ({ ...THREAD, customer })) as [typeof THREAD, typeof THREAD];
    cache.keep(one, remembered(parsed([status('a')])));
    expect(cache.get(other)).toBeNull();
    cache.keep(other, remembered(parsed([status('b')])));
    expect(cache.get(one)).toBeNull();
    expect(cache.get(other)?.events[0]?.id).toBe('b');
  });

  it('is forgotten when it grows long, or when others need the room', () => {
    const long = parsed(Array.from({ length: 401 }, (_, i) => status(`m${i}`)));
    const cache = new ThreadCache(64 * 1024 * 1024);
    cache.keep(THREAD, remembered(long.slice(0, 400)));
    expect(cache.get(THREAD)?.events).toHaveLength(400);
    cache.keep(THREAD, remembered(long));
    expect(cache.get(THREAD)).toBeNull();

    const others = Array.from({ length: 600 }, (_, i) => ({ ...THREAD, customer: String(i) }));
    for (const thread of others) cache.keep(thread, remembered(long.slice(0, 400)));
    expect(cache.bytes).toBeLessThanOrEqual(64 * 1024 * 1024);
    expect(cache.get(others[0]!)).toBeNull();
    expect(cache.get(others.at(-1)!)?.events).toHaveLength(400);
  });

  it('is not kept with events that carry long texts', () => {
    const cache = new ThreadCache();
    cache.keep(THREAD, remembered(parsed([status('a', { errors: [{ title: 'x'.repeat(3_000) }] })])));
    expect(cache.get(THREAD)).toBeNull();
  });
});

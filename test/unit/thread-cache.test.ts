import { describe, expect, it } from 'vitest';
import { ThreadCache } from '../../services/ledger/thread-cache.ts';
import { parsed } from '../support/expected-rows.ts';

const AT = 1_760_000_000;

function status(id: string, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { event: 'status', phone_number_id: '1', wa_id: '49', id, status: 'sent', timestamp: String(AT), ...more };
}

const THREAD = { phone_number_id: '1', customer: '49', nameless_id: '' };

describe('a remembered thread', () => {
  it('is whole when the ledger counts as many events, and only then', () => {
    const cache = new ThreadCache();
    cache.learn(parsed([status('a'), status('b')]));
    expect(cache.whole(THREAD, 1)).toBeNull();
    expect(cache.whole(THREAD, 2)).toHaveLength(2);
    expect(cache.whole(THREAD, 3)).toBeNull();
    expect(cache.whole({ ...THREAD, customer: '50' }, 0)).toBeNull();
  });

  it('counts a copy once, and what differs in any stored field apart', () => {
    const cache = new ThreadCache();
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
    for (const copy of copies) cache.learn(parsed([copy]));
    expect(cache.whole(THREAD, 10)).toHaveLength(10);
  });

  it('is what was read last, with what is learnt after that', () => {
    const cache = new ThreadCache();
    cache.learn(parsed([status('a')]));
    cache.replace(THREAD, parsed([status('a'), status('b'), status('c')]));
    cache.learn(parsed([status('c'), status('d')]));
    expect(cache.whole(THREAD, 4)?.map((event) => event.id)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is forgotten when it grows long, or when others need the room', () => {
    const cache = new ThreadCache();
    const long = parsed(Array.from({ length: 401 }, (_, i) => status(`m${i}`)));
    cache.learn(long.slice(0, 400));
    expect(cache.whole(THREAD, 400)).toHaveLength(400);
    cache.learn(long.slice(400));
    expect(cache.whole(THREAD, 401)).toBeNull();

    const others = Array.from({ length: 600 }, (_, i) => ({ ...THREAD, customer: String(i) }));
    for (const thread of others)
      cache.replace(
        thread,
        long.slice(0, 400).map((event) => ({ ...event, customer: thread.customer as typeof event.customer })),
      );
    expect(cache.whole(others[0]!, 400)).toBeNull();
    expect(cache.whole(others.at(-1)!, 400)).toHaveLength(400);
  });

  it('is not kept with events that carry long texts', () => {
    const cache = new ThreadCache();
    cache.learn(parsed([status('a', { errors: [{ title: 'x'.repeat(3_000) }] })]));
    expect(cache.whole(THREAD, 1)).toBeNull();
  });
});

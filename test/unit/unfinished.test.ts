import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnfinishedBodies, type EndedBecause, type Seat } from '../../services/ingest/unfinished.ts';

const LIMITS = { bodies: 3, bytes: 100, milliseconds: 10_000 };

describe('bodies that are not complete yet', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function enterAll(unfinished: UnfinishedBodies, names: readonly string[], ended: [string, EndedBecause][]): Seat[] {
    return names.map((name) => unfinished.enter((why) => ended.push([name, why])));
  }

  it('end the oldest when there are too many', () => {
    const ended: [string, EndedBecause][] = [];
    const unfinished = new UnfinishedBodies(LIMITS);
    enterAll(unfinished, ['a', 'b', 'c', 'd', 'e'], ended);
    expect(ended).toEqual([
      ['a', 'crowded'],
      ['b', 'crowded'],
    ]);
    expect(unfinished.count).toBe(3);
  });

  it('end the oldest when they hold too many bytes, also if that is the new one', () => {
    const ended: [string, EndedBecause][] = [];
    const unfinished = new UnfinishedBodies(LIMITS);
    const [a, b, c] = enterAll(unfinished, ['a', 'b', 'c'], ended);
    a!.hold(60);
    b!.hold(40);
    expect([ended, unfinished.bytes]).toEqual([[], 100]);
    c!.hold(1);
    expect([ended, unfinished.bytes]).toEqual([[['a', 'crowded']], 41]);
    b!.hold(100);
    expect(ended.slice(1)).toEqual([['b', 'crowded']]);
    expect([unfinished.count, unfinished.bytes]).toEqual([1, 1]);
  });

  it('count what is held now, once, and nothing of those that are gone', () => {
    const ended: [string, EndedBecause][] = [];
    const unfinished = new UnfinishedBodies(LIMITS);
    const [a, b] = enterAll(unfinished, ['a', 'b'], ended);
    a!.hold(50);
    a!.hold(70);
    a!.hold(0);
    b!.hold(90);
    expect(unfinished.bytes).toBe(90);
    b!.leave();
    b!.leave();
    b!.hold(1_000);
    expect([unfinished.count, unfinished.bytes, ended]).toEqual([1, 0, []]);
  });

  it('end when their time is up, however much still comes', () => {
    const ended: [string, EndedBecause][] = [];
    const unfinished = new UnfinishedBodies(LIMITS);
    const [slow] = enterAll(unfinished, ['slow'], ended);
    vi.advanceTimersByTime(LIMITS.milliseconds - 1);
    slow!.hold(10);
    expect(ended).toEqual([]);
    vi.advanceTimersByTime(1);
    expect([ended, unfinished.count, unfinished.bytes]).toEqual([[['slow', 'late']], 0, 0]);
  });

  it('leave no timer behind when they are whole', () => {
    const ended: [string, EndedBecause][] = [];
    const [whole] = enterAll(new UnfinishedBodies(LIMITS), ['whole'], ended);
    whole!.leave();
    vi.advanceTimersByTime(10 * LIMITS.milliseconds);
    expect(ended).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

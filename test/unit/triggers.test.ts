import {
  readTrigger,
  triggerSchema,
  type SavedTrigger,
  type TriggerDefinition,
} from '@ctwa-ledger/schemas/triggers.ts';
import { describe, expect, it } from 'vitest';
import { deadlineOf, momentOf } from '../../services/triggers/deadlines.ts';
import { pauseAfter } from '../../services/triggers/delivery.ts';
import { isInTime, passes } from '../../services/triggers/matching.ts';
import { revisionAt, type History } from '../../services/triggers/register.ts';

function definition(more: Readonly<Record<string, unknown>> = {}): TriggerDefinition {
  return triggerSchema.parse({ name: 'x', to_topic: true, ...more });
}

const MESSAGE = { phone_number_id: '1', ad_id: 'A', source_url: 'https://www.fb.me/3cr4?x=1' };
const CAMPAIGNS = new Map([['A', 'Spring']]);

describe('filters of a trigger', () => {
  const passing = (filters: Readonly<Record<string, unknown>>, message = MESSAGE): boolean =>
    passes(definition({ filters }), message, CAMPAIGNS);

  it('let everything pass that they do not name', () => {
    expect(passing({})).toBe(true);
    expect(passing({ ad_ids: [], url: null, phone_number_ids: [], campaigns: [] })).toBe(true);
  });

  it('take any of the ids, numbers and campaigns, and all of the filters together', () => {
    expect(passing({ ad_ids: ['B', 'A'] })).toBe(true);
    expect(passing({ ad_ids: ['B'] })).toBe(false);
    expect(passing({ ad_ids: ['a'] })).toBe(false);
    expect(passing({ phone_number_ids: ['2'] })).toBe(false);
    expect(passing({ campaigns: ['Spring'] })).toBe(true);
    expect(passing({ campaigns: ['Summer'] })).toBe(false);
    expect(passing({ campaigns: ['Spring'] }, { ...MESSAGE, ad_id: 'B' })).toBe(false);
    expect(passing({ ad_ids: ['A'], phone_number_ids: ['2'] })).toBe(false);
  });

  it('compare addresses whole, by their beginning, or by their host', () => {
    const by = (match: string, value: string): boolean => passing({ url: { match, value } });
    expect(by('exact', 'https://www.fb.me/3cr4?x=1')).toBe(true);
    expect(by('exact', 'https://www.fb.me/3cr4')).toBe(false);
    expect(by('prefix', 'https://www.fb.me/3cr4')).toBe(true);
    expect(by('prefix', 'www.fb.me')).toBe(false);
    expect(by('host', 'fb.me')).toBe(true);
    expect(by('host', 'WWW.FB.ME')).toBe(true);
    expect(by('host', 'b.me')).toBe(false);
    expect(passing({ url: { match: 'host', value: 'fb.me' } }, { ...MESSAGE, source_url: '' })).toBe(false);
  });
});

describe('the age of a message', () => {
  it('is that at its arrival, to the limit', () => {
    const { max_age_seconds } = definition();
    expect(max_age_seconds).toBe(600);
    expect(isInTime({ max_age_seconds }, 1_000, 1_600_000)).toBe(true);
    expect(isInTime({ max_age_seconds }, 1_000, 1_600_001)).toBe(false);
    expect(isInTime({ max_age_seconds: null }, 0, 1_600_000)).toBe(true);
  });
});

function historyOf(
  ...revisions: readonly (readonly [ms: number, state: SavedTrigger['state'], hours: number])[]
): History {
  return revisions.map(([changed_ms, state, hours], i) => ({
    changed_ms,
    trigger: {
      ...definition({ kind: 'unanswered', hours }),
      trigger_id: 't',
      revision: i + 1,
      state,
      changed_at: '',
      changed_by: '',
    },
  }));
}

describe('a deadline', () => {
  const HOUR = 3_600;
  const entry = { entry_at: 0, window: null };

  it('comes so many hours before the time to reply, or the window, runs out', () => {
    expect(momentOf(definition({ kind: 'unanswered', hours: 2 }), entry)).toBe(22 * HOUR * 1000);
    const ends = definition({ kind: 'window_ends', hours: 3 });
    expect(momentOf(ends, entry)).toBeNull();
    expect(momentOf(ends, { ...entry, window: { opened_at: HOUR, expires_at: 73 * HOUR } })).toBe(70 * HOUR * 1000);
    // A window that is shorter than that is near its end when it opens.
    expect(momentOf(ends, { ...entry, window: { opened_at: HOUR, expires_at: 3 * HOUR } })).toBe(HOUR * 1000);
  });

  it('is that of the revision that was in force when it came', () => {
    const at22 = 22 * HOUR * 1000;
    const revisionOf = (history: History, now: number): number | null =>
      deadlineOf(history, entry, now)?.revision ?? null;
    expect(revisionOf(historyOf([0, 'active', 2]), at22 - 1)).toBeNull();
    expect(revisionOf(historyOf([0, 'active', 2]), at22)).toBe(1);
    // Saved after the moment: silent.
    expect(revisionOf(historyOf([at22 + 1, 'active', 2]), at22 + 2)).toBeNull();
    // Paused over the moment: silent. Changed after it: as it was.
    expect(revisionOf(historyOf([0, 'active', 2], [5, 'paused', 2], [at22 + 1, 'active', 2]), at22 + 2)).toBeNull();
    expect(revisionOf(historyOf([0, 'active', 2], [at22 + 1, 'active', 1]), at22 + 2)).toBe(1);
    expect(revisionOf(historyOf([0, 'active', 2], [at22 - 1, 'active', 1]), at22 + 2)).toBeNull();
    expect(revisionOf(historyOf([0, 'active', 2], [at22 + 1, 'deleted', 2]), at22 + 2)).toBeNull();
  });
});

describe('a revision', () => {
  it('holds from its change to the next one', () => {
    const history = historyOf([10, 'active', 2], [20, 'paused', 2]);
    expect([9, 10, 19, 20].map((ms) => revisionAt(history, ms)?.state)).toEqual([
      undefined,
      'active',
      'active',
      'paused',
    ]);
  });
});

describe('pauses between attempts', () => {
  it('double, up to an hour', () => {
    expect([1, 2, 3, 11, 12, 40].map(pauseAfter)).toEqual([2_000, 4_000, 8_000, 2_048_000, 3_600_000, 3_600_000]);
  });
});

describe('a definition', () => {
  it('is refused with the field that is wrong', () => {
    expect(readTrigger({ name: ' ', to_topic: true })).toContain('name: the trigger has no name');
    expect(readTrigger({ name: 'x', to_topic: true, kind: 'unanswered', hours: 24 })).toContain('below 24');
    expect(readTrigger({ name: 'x', webhook_url: 'ftp://example.com' })).toContain('webhook_url');
    expect(readTrigger({ name: 'x', webhook_url: 'http://localhost:1/x' })).toMatchObject({ to_topic: false });
    expect(readTrigger({ name: 'x', webhook_url: 'https://example.com/x' })).toMatchObject({ kind: 'arrival' });
  });
});

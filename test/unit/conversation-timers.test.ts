import { describe, expect, it } from 'vitest';

import {
  listSearch,
  NOTHING_ASKED,
  readAsked,
  readTimelineBefore,
  threadSearch,
  type AskedState,
} from '../../dashboard/src/lib/conversation/asked.ts';
import { maskCustomer, shownCustomer } from '../../dashboard/src/lib/conversation/masking.ts';
import { replyState } from '../../dashboard/src/lib/conversation/state.ts';
import { allowedNow, badge, changesBetween, timers, type Timer } from '../../dashboard/src/lib/conversation/timers.ts';
import { DEFAULT_STATE } from '../../dashboard/src/lib/filters/filters.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
/** When the customer wrote last. */
const WROTE = 1_770_000_000;
const OPENED = WROTE + 300;
const EXPIRES = OPENED + 3 * DAY;
const WINDOW = { opened_at: OPENED, expires_at: EXPIRES };
const NONE: Timer = { state: 'none' };

describe('what is open at a moment', () => {
  const open = (until: number, left: number): Timer => ({ state: 'open', until, left });
  const closed = (since: number): Timer => ({ state: 'closed', since });
  const cases: readonly [string, number | null, readonly (typeof WINDOW)[], number, Timer, Timer][] = [
    ['nobody wrote, nothing opened', null, [], WROTE, NONE, NONE],
    ['the second of the message', WROTE, [], WROTE, open(WROTE + DAY, DAY), NONE],
    ['a second before the message', WROTE, [], WROTE - 1, NONE, NONE],
    ['the last second of 24 h', WROTE, [], WROTE + DAY - 1, open(WROTE + DAY, 1), NONE],
    ['exactly 24 h', WROTE, [], WROTE + DAY, closed(WROTE + DAY), NONE],
    ['before the window', WROTE, [WINDOW], OPENED - 1, open(WROTE + DAY, DAY - 299), NONE],
    ['the second it opens', WROTE, [WINDOW], OPENED, open(WROTE + DAY, DAY - 300), open(EXPIRES, 3 * DAY)],
    ['its last second', WROTE, [WINDOW], EXPIRES - 1, closed(WROTE + DAY), open(EXPIRES, 1)],
    ['exactly expires_at', WROTE, [WINDOW], EXPIRES, closed(WROTE + DAY), closed(EXPIRES)],
    [
      'between two windows',
      null,
      [WINDOW, { opened_at: EXPIRES + DAY, expires_at: EXPIRES + 4 * DAY }],
      EXPIRES + HOUR,
      NONE,
      closed(EXPIRES),
    ],
    [
      'in the second of two',
      null,
      [WINDOW, { opened_at: EXPIRES + DAY, expires_at: EXPIRES + 4 * DAY }],
      EXPIRES + 2 * DAY,
      NONE,
      open(EXPIRES + 4 * DAY, 2 * DAY),
    ],
  ];

  it.each(cases)('%s', (_, last, windows, now, service, free_entry) => {
    expect(timers(last, windows, now)).toEqual({ service, free_entry });
  });
});

describe('what the badges say', () => {
  const texts = (last: number | null, now: number): readonly string[] => {
    const { free_entry, service } = timers(last, [WINDOW], now);
    return [badge('free_entry', free_entry), badge('service', service)].map(({ name, state }) => `${name} ${state}`);
  };
  it.each([
    [WROTE, OPENED + HOUR, 'Free Entry Point: active, 2 d 23 h left', 'Customer service window: 22 h 55 min left'],
    [WROTE, WROTE + 21 * HOUR, 'Free Entry Point: active, 2 d 3 h left', 'Customer service window: 3 h left'],
    [WROTE, WROTE + DAY - 1, 'Free Entry Point: active, 2 d left', 'Customer service window: 1 s left'],
    [WROTE, WROTE + DAY, 'Free Entry Point: active, 2 d left', 'Customer service window: closed'],
    [WROTE, EXPIRES - 1, 'Free Entry Point: active, 1 s left', 'Customer service window: closed'],
    [WROTE, EXPIRES, 'Free Entry Point: expired', 'Customer service window: closed'],
    [
      null,
      OPENED - 1,
      'Free Entry Point: none was opened',
      'Customer service window: the customer has written nothing',
    ],
  ])('written %s, at %s', (last, now, free_entry, service) => {
    expect(texts(last, now)).toEqual([free_entry, service]);
  });

  it.each([
    ['another second', OPENED + 1, OPENED + 2, ''],
    ['the last second of the service window', WROTE + DAY - 2, WROTE + DAY - 1, ''],
    ['the end of the service window', WROTE + DAY - 1, WROTE + DAY, 'Customer service window: closed.'],
    ['the end of the free entry window', EXPIRES - 1, EXPIRES, 'Free Entry Point: expired.'],
    ['the opening of it', OPENED - 1, OPENED, 'Free Entry Point: active.'],
    ['both ends at once', OPENED, EXPIRES, 'Free Entry Point: expired. Customer service window: closed.'],
  ])('announces %s', (_, before, after, expected) => {
    expect(changesBetween(timers(WROTE, [WINDOW], before), timers(WROTE, [WINDOW], after))).toBe(expected);
  });
});

describe('what is allowed at a moment', () => {
  it.each([
    ['both open', OPENED, /^Free-form messages and templates are allowed now; all of them are free \(FREE_ENTRY\)/],
    ['service window alone', OPENED - 1, /^Free-form messages and templates are allowed now\.$/],
    ['free entry window alone', WROTE + DAY, /NON_TEMPLATE_NOT_ALLOWED.*is free \(FREE_ENTRY\)/],
    ['neither', EXPIRES, /NON_TEMPLATE_NOT_ALLOWED.*would cost is below\.$/],
  ])('%s', (_, now, expected) => {
    expect(allowedNow(timers(WROTE, [WINDOW], now))).toMatch(expected);
  });
});

describe('a masked customer', () => {
  it.each([
    ['5511987654334', '+55 •••• 34'],
    ['14155550123', '+1 •••• 23'],
    ['79161234567', '+7 •••• 67'],
    ['447700900123', '+44 •••• 23'],
    ['351912345678', '+351 •••• 78'],
    ['9647701234521', '+964 •••• 21'],
    ['420601234567', '+420 •••• 67'],
    ['971501234567', '+971 •••• 67'],
    ['US.13491208655302741918', 'US.•••• 18'],
    ['123456', '••••'],
    ['somebody', '••••'],
    ['', '••••'],
  ])('%s', (customer, masked) => {
    expect(maskCustomer(customer)).toBe(masked);
    if (customer !== '') expect(shownCustomer(customer, false)).toBe(masked);
  });

  it.each([
    ['5511987654334', '+5511987654334'],
    ['US.13491208655302741918', 'US.13491208655302741918'],
    ['', 'no customer named'],
  ])('%s, whole', (customer, shown) => {
    expect(shownCustomer(customer, true)).toBe(shown);
  });
});

describe('what became of an ad conversation', () => {
  it.each([
    [true, 252, 0, 'answered in 4 min 12 s'],
    [false, null, DAY - 3 * HOUR, 'pending, 3 h left'],
    [false, null, DAY - 1, 'pending, 1 s left'],
    [false, null, DAY, 'not answered within 24 h'],
  ] as const)('replied %s, after %s s, at %s s', (is_replied, seconds_to_reply, after, expected) => {
    expect(replyState({ is_replied, seconds_to_reply, last_entry_at: WROTE }, WROTE + after)).toBe(expected);
  });
});

describe('the address of the list', () => {
  const cases: readonly [string, AskedState][] = [
    ['', NOTHING_ASKED],
    ['?q=%2B55+11', { ...NOTHING_ASKED, q: '+55 11' }],
    ['?q=55&reveal=1', { ...NOTHING_ASKED, q: '55', reveal: true }],
    ['?state=not_replied', { ...NOTHING_ASKED, state: 'not_replied' }],
  ];
  it.each(cases)('%s', (query, asked) => {
    expect(readAsked(new URLSearchParams(query))).toEqual({ asked, repairs: [] });
    expect(listSearch(DEFAULT_STATE, asked)).toBe(query);
  });

  it.each([
    ['state=waiting', /^state: /],
    ['q=%2B-+', /^q: /],
    [`q=${'1'.repeat(501)}`, /^q: /],
  ])('%s is repaired', (query, notice) => {
    const { asked, repairs } = readAsked(new URLSearchParams(query));
    expect(asked).toEqual(NOTHING_ASKED);
    expect(repairs.map((repair) => repair.notice)).toEqual([expect.stringMatching(notice)]);
  });
});

describe('the address of a place in a time line', () => {
  it('says the same as the place', () => {
    const before = { at: 1_770_000_000, rank: 4, id: 'wamid.A,=' };
    const query = threadSearch(DEFAULT_STATE, false, before);
    expect(readTimelineBefore(new URLSearchParams(query))).toEqual({ asked: before, repairs: [] });
  });

  it.each(['x', '1770000000,12,a', '1770000000,1,'])('%s is repaired', (text) => {
    const { asked, repairs } = readTimelineBefore(new URLSearchParams({ before: text }));
    expect(asked).toBeNull();
    expect(repairs).toHaveLength(1);
  });
});

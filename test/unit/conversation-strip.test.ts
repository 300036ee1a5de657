import type { OpenSpans, TimelineEvent } from '@ctwa-ledger/schemas/conversations.ts';
import { describe, expect, it } from 'vitest';

import { marksOf } from '../../dashboard/src/lib/conversation/marks.ts';
import { positionOf, rangeOf, scaleOf, type DrawnThread } from '../../dashboard/src/lib/conversation/scale.ts';
import { stripSentence } from '../../dashboard/src/lib/conversation/sentence.ts';
import { LAYOUT_PX, stripOf, type Lane } from '../../dashboard/src/lib/conversation/strip.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
const WIDTHS = Object.values(LAYOUT_PX);

const unix = (iso: string): number => Date.parse(iso) / 1000;
const START = unix('2026-03-02T12:00:00Z');

let ids = 0;
const customer = (at: number, more: Partial<Extract<TimelineEvent, { kind: 'inbound' }>> = {}): TimelineEvent => ({
  kind: 'inbound',
  at,
  id: `in ${(ids += 1)}`,
  is_free: false,
  type: 'text',
  entry: null,
  ...more,
});
const entry = (is_re_click: boolean): { readonly entry: Extract<TimelineEvent, { kind: 'inbound' }>['entry'] } => ({
  entry: { source_type: 'ad', ad_id: '1', source_url: '', headline: '', is_re_click },
});
const business = (at: number, billing: string, delivered_at: number | null = at): TimelineEvent => ({
  kind: 'outbound',
  participant: '',
  participant_key: '',
  at,
  id: `out ${(ids += 1)}`,
  is_free: false,
  type: 'text',
  template_name: '',
  category: 'service',
  is_echo: false,
  delivered_at,
  billing,
  predicted: billing,
  reported: '',
  differs: false,
  is_allowance_difference: false,
  refusal: null,
});

const NOTHING_OPEN: OpenSpans = { service_windows: [], free_windows: [], conversations: [] };
const thread = (
  events: readonly TimelineEvent[],
  spans: Partial<OpenSpans> = {},
  more: Partial<DrawnThread> = {},
): DrawnThread => ({
  events,
  spans: { ...NOTHING_OPEN, ...spans },
  is_first: true,
  is_last: true,
  as_of: START + 10_000 * DAY,
  tz: 'UTC',
  ...more,
});
const freeWindow = (opened_at: number, expires_at: number): Pick<OpenSpans, 'free_windows'> => ({
  free_windows: [{ opened_at, expires_at, is_reported: false }],
});
const serviceWindows = (...opened: number[]): Pick<OpenSpans, 'service_windows'> => ({
  service_windows: opened.map((opened_at) => ({ opened_at, closes_at: opened_at + DAY })),
});
const messages = (...at: number[]): TimelineEvent[] => at.map((one) => business(one, 'BILLABLE'));

describe('the time that the picture covers', () => {
  const cases: readonly [string, DrawnThread, number, number][] = [
    ['one event: an hour around it', thread(messages(START)), START - HOUR / 2, START + HOUR / 2],
    ['two events', thread(messages(START, START + DAY)), START, START + DAY],
    ['a window that ends after the last event', thread([customer(START)], serviceWindows(START)), START, START + DAY],
    [
      'a page with newer ones: up to its last event',
      thread([customer(START), customer(START + DAY)], serviceWindows(START), { is_last: false }),
      START,
      START + DAY,
    ],
    [
      'a page with older ones: from its first event',
      thread([customer(START), customer(START + DAY)], serviceWindows(START - HOUR), { is_first: false }),
      START,
      START + DAY,
    ],
    ['a delivery after the last event', thread([business(START, 'BILLABLE', START + DAY)]), START, START + DAY],
    [
      'a window that ends before it opens',
      thread(messages(START, START + DAY), freeWindow(START, 0)),
      START,
      START + DAY,
    ],
  ];
  it.each(cases)('%s', (_, drawn, from, to) => {
    expect(rangeOf(drawn)).toEqual({ from, to });
  });
});

describe('silences', () => {
  const every = (count: number, seconds: number): TimelineEvent[] =>
    messages(...Array.from({ length: count }, (_, i) => START + i * seconds));
  const cases: readonly [string, DrawnThread, number[], number[]][] = [
    ['none', thread(messages(START, START + HOUR)), [], []],
    ['exactly two days', thread(messages(START, START + 2 * DAY)), [], []],
    ['a second more', thread(messages(START, START + 2 * DAY + 1)), [2 * DAY + 1], [2 * DAY + 1]],
    [
      '12 days after a window',
      thread(messages(START, START + 13 * DAY), serviceWindows(START)),
      [12 * DAY],
      [12 * DAY],
    ],
    [
      'a window that is open all the time',
      thread(messages(START, START + 7 * DAY), freeWindow(START, START + 7 * DAY)),
      [],
      [],
    ],
    [
      'before the clock that is asked for, and after it',
      thread(messages(START, START + 10 * DAY), {}, { as_of: START + 4 * DAY }),
      [4 * DAY, 6 * DAY],
      [4 * DAY, 6 * DAY],
    ],
    [
      'three days among a hundred of every hour',
      thread([...every(100 * 24, HOUR), ...messages(START + 103 * DAY)]),
      [],
      [],
    ],
    [
      'a month among the same',
      thread([...every(100 * 24, HOUR), ...messages(START + 130 * DAY)]),
      [30 * DAY + HOUR],
      [30 * DAY + HOUR],
    ],
    ['forty even ones of a week', thread(every(40, 7 * DAY)), [], []],
    // As many as there is room for, of equal ones the first: 60 % of 210 pixels at 30 each.
    ['ten of a week', thread(every(11, 7 * DAY)), Array<number>(10).fill(7 * DAY), Array<number>(4).fill(7 * DAY)],
  ];
  it.each(cases)('%s', (_, drawn, wide, narrow) => {
    expect(scaleOf(drawn, LAYOUT_PX.wide).breaks.map(({ seconds }) => seconds)).toEqual(wide);
    expect(scaleOf(drawn, LAYOUT_PX.narrow).breaks.map(({ seconds }) => seconds)).toEqual(narrow);
  });

  it.each(cases)('%s: what is drawn is in its order, on one scale, and fills the width', (_, drawn) => {
    for (const width of WIDTHS) {
      const scale = scaleOf(drawn, width);
      const { from, to } = rangeOf(drawn);
      const at = Array.from({ length: 500 }, (__, i) => positionOf(scale, from + ((to - from) * i) / 499));
      expect(at).toEqual(at.toSorted((a, b) => a - b));
      expect(at.every((one) => one >= 0 && one <= 100)).toBe(true);
      const drawn_seconds = scale.parts.map((part) => part.to - part.from);
      const lengths = scale.parts.map((part) => part.end - part.start);
      lengths.forEach((length, i) => expect(length).toBeCloseTo(drawn_seconds[i]! * scale.per_cent_per_second, 6));
      // The same room at both ends of each part, and breaks of one width between them.
      const room = scale.parts[0]!.start;
      expect(100 - scale.parts.at(-1)!.end).toBeCloseTo(room, 6);
      scale.breaks.forEach(({ start, width: per_cent }, i) => {
        expect(start).toBeCloseTo(scale.parts[i]!.end + room, 1);
        expect(start + per_cent).toBeCloseTo(scale.parts[i + 1]!.start - room, 1);
      });
    }
  });
});

describe('bars', () => {
  it('one event of no length is in the middle', () => {
    const { business: lane, ticks, now } = stripOf(thread(messages(START)), LAYOUT_PX.wide);
    expect(lane.marks.map(({ at, level }) => [at, level])).toEqual([[50, 0]]);
    expect(ticks[0]).toMatchObject({ label: '2 Mar 2026', is_line: false });
    expect(now).toBeNull();
  });

  it('a window of three days that opens after a day takes three quarters', () => {
    const spans = freeWindow(START + DAY, START + 4 * DAY);
    const strip = stripOf(thread(messages(START, START + DAY), spans, { as_of: START + 2 * DAY }), LAYOUT_PX.wide);
    const [part] = strip.parts;
    const quarter = (part!.end - part!.start) / 4;
    const [bar] = strip.free_windows;
    expect(bar!.start).toBeCloseTo(part!.start + quarter, 1);
    expect(bar!.width).toBeCloseTo(3 * quarter, 1);
    expect(bar!.label).toBe('until 6 Mar 2026, 12:00, estimated');
    expect(strip.now).toBeCloseTo(part!.start + 2 * quarter, 1);
  });

  it('one that ends before it opens is a line where it opens', () => {
    const opened_at = START + DAY;
    for (const width of WIDTHS) {
      const strip = stripOf(thread(messages(START, START + 2 * DAY), freeWindow(opened_at, START)), width);
      expect(strip.free_windows[0]!.start).toBeCloseTo(50, 1);
      expect((strip.free_windows[0]!.width * width) / 100).toBeCloseTo(2, 1);
    }
  });

  it('one that is open on both sides of the page reaches from edge to edge', () => {
    const drawn = thread(messages(START, START + HOUR), freeWindow(START - DAY, START + 2 * DAY), {
      is_first: false,
      is_last: false,
    });
    expect(stripOf(drawn, LAYOUT_PX.narrow).free_windows).toMatchObject([{ start: 0, width: 100 }]);
  });

  it('a conversation ends where the free entry window opens, and its rest is shown', () => {
    const closed_at = START + 6 * HOUR;
    const conversations = [
      { category: 'utility', opened_at: START, runs_out_at: START + DAY, closed_at },
      { category: 'marketing', opened_at: START + HOUR, runs_out_at: START + HOUR + DAY, closed_at },
      { category: 'marketing', opened_at: START + 5 * DAY, runs_out_at: START + 6 * DAY, closed_at: null },
    ];
    const spans = { conversations, ...freeWindow(closed_at, closed_at + 3 * DAY) };
    const strip = stripOf(thread(messages(START, START + 5 * DAY), spans), LAYOUT_PX.wide);
    const opens = strip.free_windows[0]!.start;
    const [utility, marketing, later] = strip.conversations;
    for (const one of [utility!, marketing!]) {
      expect(one.start + one.width).toBeCloseTo(opens, 1);
      expect(one.rest!.start).toBeCloseTo(opens, 1);
    }
    expect(utility!.rest!.width).toBeCloseTo(3 * utility!.width, 0);
    expect(later!.rest).toBeNull();
    expect(strip.conversations.map(({ row }) => row)).toEqual([0, 1, 0]);
  });
});

describe('marks', () => {
  const inPixels = (lane: Lane, width: number): [number, number][] =>
    lane.marks.map(({ at, level }) => [(at * width) / 100, level]);
  const shown = ({ marks, more }: Lane): number => marks.length + more.reduce((sum, one) => sum + one.marks, 0);

  it('of one second stand above one another', () => {
    const drawn = thread([customer(START), customer(START), customer(START), customer(START + DAY)]);
    const { customer: lane } = stripOf(drawn, LAYOUT_PX.narrow);
    expect(lane.marks.map(({ level }) => level)).toEqual([0, 1, 2, 0]);
    expect(new Set(lane.marks.slice(0, 3).map(({ at }) => at)).size).toBe(1);
  });

  it('200 in one minute cover none of one another, and those without room are counted', () => {
    const events = Array.from({ length: 200 }, (_, i) => {
      const at = START + Math.floor(i * 0.3);
      return i % 2 === 0
        ? customer(at, i === 150 ? entry(false) : {})
        : business(at, i === 151 ? 'BILLABLE' : 'FREE_ENTRY');
    });
    for (const spans of [{}, serviceWindows(START)])
      for (const width of WIDTHS) {
        const strip = stripOf(thread(events, spans), width);
        expect([shown(strip.customer), shown(strip.business)]).toEqual([100, 100]);
        // What needs the eye is among those that are shown.
        expect(strip.customer.marks.map(({ kind }) => kind)).toContain('entry');
        expect(strip.business.marks.map(({ kind }) => kind)).toContain('billable');
        for (const lane of [strip.customer, strip.business]) {
          expect(lane.levels).toBeLessThanOrEqual(5);
          const placed = inPixels(lane, width);
          placed.forEach(([x, level], i) =>
            placed.slice(i + 1).forEach(([other, its]) => {
              if (level === its) expect(Math.abs(x - other)).toBeGreaterThan(11.9);
            }),
          );
        }
      }
  });

  it('are named by the kind of the event, and others are unknown', () => {
    const events = [
      customer(START, entry(false)),
      customer(START, entry(true)),
      customer(START),
      ...['BILLABLE', 'FREE_ENTRY', 'FREE_SERVICE', 'COVERED', 'UNKNOWN', 'UNDELIVERED', 'NEW', 'BILLABLE'].map(
        (mark) => business(START, mark),
      ),
    ];
    expect(marksOf(events).map(({ kind, messages: count }) => `${kind} ${count}`)).toEqual([
      'entry 1',
      're_click 1',
      'inbound 1',
      'free_entry 1',
      'free_service 1',
      'covered 1',
      'billable 2',
      'unknown 2',
      'undelivered 1',
    ]);
  });

  it('lead to their delivery where that is visibly later', () => {
    const sent = [business(START, 'BILLABLE', START + 5), business(START + HOUR, 'BILLABLE', START + DAY)];
    const { business: lane, parts } = stripOf(thread(sent), LAYOUT_PX.wide);
    expect(lane.marks.map(({ delivered }) => delivered)).toEqual([null, expect.closeTo(parts[0]!.end, 1)]);
  });
});

describe('days', () => {
  /** Begins of days as the ticks have them, in UTC. */
  const days = (from: string, to: string, tz: string): string[] => {
    const drawn = thread(messages(unix(from), unix(to)), freeWindow(unix(from), unix(to)), { tz });
    const { ticks, parts } = stripOf(drawn, LAYOUT_PX.narrow);
    const [part] = parts;
    return (
      ticks
        .filter(({ is_line }) => is_line)
        .map(({ at }) => part!.from + ((at - part!.start) / (part!.end - part!.start)) * (part!.to - part!.from))
        // Positions have two places.
        .map((seconds) => new Date(Math.round(seconds / 600) * 600_000).toISOString().slice(0, 16))
    );
  };
  it.each([
    ['UTC', '2026-03-28T12:00Z', '2026-03-30T12:00Z', ['2026-03-29T00:00', '2026-03-30T00:00']],
    // 23 hours, then 25.
    ['Europe/Berlin', '2026-03-28T12:00Z', '2026-03-30T12:00Z', ['2026-03-28T23:00', '2026-03-29T22:00']],
    ['Europe/Berlin', '2026-10-24T12:00Z', '2026-10-26T12:00Z', ['2026-10-24T22:00', '2026-10-25T23:00']],
    ['Asia/Kolkata', '2026-03-28T12:00Z', '2026-03-30T12:00Z', ['2026-03-28T18:30', '2026-03-29T18:30']],
    // A day that begins at 01:00, because there is no midnight.
    [
      'Africa/Cairo',
      '2026-04-22T12:00Z',
      '2026-04-24T23:00Z',
      ['2026-04-22T22:00', '2026-04-23T22:00', '2026-04-24T21:00'],
    ],
  ])('%s from %s', (tz, from, to, expected) => {
    expect(days(from, to, tz)).toEqual(expected);
  });

  it('are hours where a day is wide, by the clock of the zone', () => {
    const labels = (from: string, to: string): string[] =>
      stripOf(thread(messages(unix(from), unix(to)), {}, { tz: 'Europe/Berlin' }), LAYOUT_PX.wide)
        .ticks.filter(({ is_line }) => is_line)
        .map(({ label }) => label);
    expect(labels('2026-03-28T21:30Z', '2026-03-29T07:30Z')).toEqual(['29 Mar', '03:00', '06:00', '09:00']);
    expect(labels('2026-10-24T20:30Z', '2026-10-25T07:30Z')).toEqual(['25 Oct', '03:00', '06:00']);
  });

  it.each([
    ['a day', thread(messages(START, START + DAY))],
    ['a week', thread(messages(START, START + 7 * DAY), freeWindow(START, START + 7 * DAY))],
    ['months', thread(messages(...Array.from({ length: 100 }, (_, i) => START + i * DAY)))],
    ['years', thread(messages(...Array.from({ length: 200 }, (_, i) => START + i * 9 * DAY)))],
    [
      'episodes',
      thread(messages(...Array.from({ length: 40 }, (_, i) => START + (i % 4) * HOUR + Math.floor(i / 4) * 40 * DAY))),
    ],
  ])('have names that do not run into one another: %s', (_, drawn) => {
    for (const width of WIDTHS) {
      const named = stripOf(drawn, width)
        .ticks.filter(({ label }) => label !== '')
        .map(({ at, label }) => ({ from: (at * width) / 100, to: (at * width) / 100 + 6 * label.length }))
        .sort((a, b) => a.from - b.from);
      expect(named.length).toBeGreaterThan(0);
      named.forEach((one, i) => expect(one.to).toBeLessThan(named[i + 1]?.from ?? width + 1));
    }
  });
});

describe('the picture in words', () => {
  it('says what there is', () => {
    const drawn = thread(
      [customer(START, entry(false)), business(START + 60, 'FREE_ENTRY'), business(START + HOUR, 'UNDELIVERED', null)],
      {
        ...serviceWindows(START),
        free_windows: [{ opened_at: START + 60, expires_at: START + 5 * DAY, is_reported: true }],
      },
    );
    expect(stripSentence(drawn)).toBe(
      'Picture of the conversation from 2 Mar 2026, 12:00 to 7 Mar 2026, 12:00, UTC: 1 message of the customer, 1 with an ad click; ' +
        '2 messages of the business: 1 free entry, 1 undelivered. 1 free entry window, until 7 Mar 2026, 12:00 as Meta reports. ' +
        '1 customer service window, until 3 Mar 2026, 12:00. The time line below says the same.',
    );
  });

  it('says what there is not, and which window is the last', () => {
    const conversations = [
      { category: 'utility', opened_at: START, runs_out_at: START + DAY, closed_at: START + HOUR },
    ];
    const drawn = thread([customer(START)], { ...serviceWindows(START, START + 3 * DAY), conversations });
    const sentence = stripSentence(drawn);
    expect(sentence).toContain('0 messages of the business. No free entry window.');
    expect(sentence).toContain('2 customer service windows, the last until 6 Mar 2026, 12:00.');
    expect(sentence).toContain(
      '1 conversation under conversation pricing, 1 of them ended by the opening of a free entry window.',
    );
  });
});

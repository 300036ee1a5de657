import { describe, expect, it } from 'vitest';
import { periodOn } from '../../services/exports/run-period.ts';
import { nextTimes, occurrencesAfter, readWhen, type Occurrence } from '../../services/exports/when.ts';

const ZONES = [
  'America/Sao_Paulo',
  'America/New_York',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'Africa/Cairo',
  'America/Santiago',
];
const MINUTE = 60;
const YEAR = 2026;
const BEGIN = Date.UTC(YEAR, 0, 1) / 1000;
const END = Date.UTC(YEAR + 1, 0, 1) / 1000;

/** What the clocks of a zone show at every minute of a year, asked of the runtime's calendar alone. */
function* clocks(zone: string): Generator<{ readonly at: number; readonly day: string; readonly minute: number }> {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    dateStyle: 'short',
    timeStyle: 'short',
  });
  // Clocks are changed on a quarter of an hour; between two of them they go by themselves.
  for (let quarter = BEGIN; quarter < END; quarter += 15 * MINUTE) {
    const [day = '', time = ''] = format.format(quarter * 1000).split(', ');
    const [hours = 0, minutes = 0] = time.split(':').map(Number);
    for (let i = 0; i < 15; i++) yield { at: quarter + i * MINUTE, day, minute: hours * 60 + minutes + i };
  }
}

function timesOf(when: string, zone: string): Occurrence[] {
  const times: Occurrence[] = [];
  for (const time of occurrencesAfter(readWhen(when, zone), BEGIN - 1)) {
    if (time.at >= END) break;
    times.push(time);
  }
  return times;
}

/**
 * The moments at which a daily time comes, from the clocks: the first minute of a day that shows it or, where the clocks
 * leap over it, what they show next.
 */
function expectedDaily(zone: string, minute: number): Occurrence[] {
  const found = new Map<string, number>();
  for (const clock of clocks(zone)) if (!found.has(clock.day) && clock.minute >= minute) found.set(clock.day, clock.at);
  return [...found].map(([day, at]) => ({ at, day }));
}

describe('the times of a schedule', () => {
  it.each(ZONES)('come on every day of a year in %s exactly once, whatever is done to the clocks', (zone) => {
    for (const time of ['00:15', '02:30', '23:45']) {
      const [hours = 0, minutes = 0] = time.split(':').map(Number);
      const inYear = expectedDaily(zone, hours * 60 + minutes);
      // The year of UTC begins in the middle of a day of most zones, which may be past the time.
      const got = timesOf(`every day ${time}`, zone);
      const days = new Set(got.map(({ day }) => day));
      expect(days.size).toBe(got.length);
      const whole = inYear.slice(1, -1);
      expect(got.filter(({ day }) => whole.some((one) => one.day === day))).toEqual(whole);
    }
  });

  it('are those of weekdays, weeks and months', () => {
    const days = (when: string): string[] => timesOf(when, 'America/Sao_Paulo').map(({ day }) => day);
    const weekday = (day: string): number => new Date(day).getUTCDay();
    expect(days('every weekday 06:00').every((day) => weekday(day) >= 1 && weekday(day) <= 5)).toBe(true);
    expect(days('every weekday 06:00')).toHaveLength(261);
    expect(days('every monday 07:30').every((day) => weekday(day) === 1)).toBe(true);
    expect(days('1st of the month 07:00')).toEqual(
      Array.from({ length: 12 }, (_, i) => `2026-${String(i + 1).padStart(2, '0')}-01`),
    );
    expect(days('last day of the month 20:00').slice(0, 3)).toEqual(['2026-01-31', '2026-02-28', '2026-03-31']);
    expect(days('0 6 * * 1-5')).toEqual(days('every weekday 06:00'));
  });

  it('are shown in the zone of the schedule, which may follow the words', () => {
    const when = readWhen('every day 02:30 Europe/Berlin', 'UTC');
    expect(when).toEqual({ cron: '30 2 * * *', zone: 'Europe/Berlin' });
    // On the 29th of March the clocks go from 02:00 to 03:00.
    expect(nextTimes(when, Date.parse('2026-03-28T00:00:00Z') / 1000, 3)).toEqual([
      '2026-03-28T02:30:00+01:00',
      '2026-03-29T03:00:00+02:00',
      '2026-03-30T02:30:00+02:00',
    ]);
    // On the 25th of October 02:30 comes twice.
    expect(nextTimes(when, Date.parse('2026-10-24T12:00:00Z') / 1000, 2)).toEqual([
      '2026-10-25T02:30:00+02:00',
      '2026-10-26T02:30:00+01:00',
    ]);
  });

  it.each(['', 'now', 'every day', 'every day 25:00', 'every blueday 06:00', '61 * * * *', '0 0 31 2 *', '* * * *'])(
    'are not read from "%s"',
    (when) => {
      expect(() => readWhen(when, 'UTC')).toThrow('does not say when');
    },
  );

  it('are of no place on the moon', () => {
    expect(() => readWhen('every day 06:00', 'Moon/Tycho')).toThrow('not an IANA time zone');
  });
});

describe('the period of a run', () => {
  it.each([
    ['yesterday', '2026-03-01', { from: '2026-02-28', to: '2026-03-01', label: '2026-02-28' }],
    ['last-week', '2026-11-18', { from: '2026-11-09', to: '2026-11-16', label: '2026-11-09_2026-11-15' }],
    ['last-month', '2026-01-31', { from: '2025-12-01', to: '2026-01-01', label: '2025-12' }],
    ['this-month', '2026-10-05', { from: '2026-10-01', to: '2026-10-06', label: '2026-10' }],
    ['this-week', '2026-11-18', { from: '2026-11-16', to: '2026-11-19', label: '2026-11-16_2026-11-22' }],
    ['all', '2026-10-05', { from: '2026-10-05', to: '', label: '2026-10-05' }],
    ['last-closed-month', '2026-10-05', { from: '2026-08-01', to: '2026-09-01', label: '2026-08' }],
  ] as const)('%s on %s', (period, day, expected) => {
    expect(periodOn(period, day, '2026-08')).toEqual(expected);
  });

  it('is none where no month is closed', () => {
    expect(periodOn('last-closed-month', '2026-10-05', null)).toBe(null);
  });
});

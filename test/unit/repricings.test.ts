import { describe, expect, it } from 'vitest';
import { stepsOf } from '../../services/reports/repricings.ts';

type Repricing = Parameters<typeof stepsOf>[0][number];

const from = (first_day: string, at_ms: number, end_day: string | null = null, waba_id = 'W'): Repricing => ({
  waba_id,
  first_day,
  end_day,
  at_ms,
});

describe('the last repricing of the messages of a day', () => {
  it.each([
    ['none', [], []],
    ['a card, from its first day on', [from('2026-10-01', 5)], ['2026-10-01 5']],
    [
      'cards in the order of their days',
      [from('2026-07-01', 3), from('2026-10-01', 5)],
      ['2026-07-01 3', '2026-10-01 5'],
    ],
    ['an older card that was imported later', [from('2026-10-01', 3), from('2026-07-01', 5)], ['2026-07-01 5']],
    ['a closed month, which ends', [from('2026-10-01', 9, '2026-11-01')], ['2026-10-01 9', '2026-11-01 0']],
    [
      'a closed month among days of a card',
      [from('2026-07-01', 3), from('2026-10-01', 9, '2026-11-01')],
      ['2026-07-01 3', '2026-10-01 9', '2026-11-01 3'],
    ],
    [
      'months that overlap by a day, the later one closed first',
      [from('2026-09-30', 7, '2026-11-02'), from('2026-10-31', 4, '2026-12-02')],
      ['2026-09-30 7', '2026-11-02 4', '2026-12-02 0'],
    ],
  ])('is that of %s', (_, repricings, expected) => {
    expect(stepsOf(repricings).map(({ first_day, at_ms }) => `${first_day} ${at_ms}`)).toEqual(expected);
  });

  it('is of each account by itself', () => {
    const steps = stepsOf([from('2026-10-01', 5, null, 'A'), from('2026-07-01', 8, null, 'B')]);
    expect(steps).toEqual([
      { waba_id: 'A', first_day: '2026-10-01', at_ms: 5 },
      { waba_id: 'B', first_day: '2026-07-01', at_ms: 8 },
    ]);
  });
});

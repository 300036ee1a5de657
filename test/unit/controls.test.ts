import { describe, expect, it } from 'vitest';
import { readAmount } from '../../services/reconciliation/amounts.ts';
import { controlRows, type Controlled } from '../../services/reconciliation/controls.ts';
import type { JudgedRow } from '../../services/reconciliation/differences.ts';

const price = readAmount;

/** A row of Meta's: country, category, type, tier, volume and cost; on a day, of a number. */
function row(
  [country, category, pricing_type, tier, volume, cost]: readonly [
    string,
    string,
    string,
    string,
    number,
    string | null,
  ],
  day = '2026-10-05',
  phone_number = '15550783881',
): JudgedRow {
  return {
    ...{ day, phone_number, country, category, pricing_type, tier, has_point: true, is_costless: false },
    ...{ our_volume: 0n, our_cost: null, unrated: 0n, lowest_rate: null, highest_rate: null },
    ...{ meta_volume: BigInt(volume), meta_cost: cost === null ? null : price(cost), status: 'only_meta' },
    ...{ volume_difference: -BigInt(volume), cost_difference: null },
  };
}

/** A card: marketing costs 0.06, utility 0.02 in the first tier and 0.01 in the second, service 0.02. */
const PRICES: Readonly<Record<string, readonly string[]>> = {
  MARKETING: ['0.06'],
  UTILITY: ['0.02', '0.01'],
  SERVICE: ['0.02'],
};

const WORLD: Omit<Controlled, 'rows'> = {
  waba_id: '10',
  month: '2026-10',
  currency: 'USD',
  elsewhere: new Map(),
  shares_tiers: false,
  pricesOf: (_, category) => (PRICES[category] ?? []).map(price),
};

/** What is found: control, rows, volume, cost. */
function found(rows: readonly JudgedRow[], world: Partial<Controlled> = {}): unknown[] {
  const marketOf = (country: string): string => (country === 'US' || country === 'CA' ? 'North America' : country);
  return controlRows({ ...WORLD, ...world, rows }, 10n, marketOf).map((one) => [
    one.control,
    one.rows,
    one.volume,
    one.cost,
  ]);
}

const FREE = (volume: number) => ['BR', 'SERVICE', 'FREE_CUSTOMER_SERVICE', '', volume, '0'] as const;
const charged = (tier: string, volume: number, cost: string, country = 'BR') =>
  row([country, 'UTILITY', 'REGULAR', tier, volume, cost]);

describe('controls on Meta’s own numbers', () => {
  it.each<[string, readonly JudgedRow[], unknown[], Partial<Controlled>?]>([
    ['as many free service messages as are free', [row(FREE(6)), row(FREE(4), '2026-10-06')], []],
    ['one more', [row(FREE(6)), row(FREE(5), '2026-10-06')], [['free_service', 2, '11', '0']]],
    ['one more of two numbers', [row(FREE(6)), row(FREE(5), '2026-10-06', '551140001111')], []],
    [
      'one more with another account',
      [row(FREE(6))],
      [['free_service', 1, '6', '0']],
      { elsewhere: new Map([['15550783881', 5n]]) },
    ],
    ['as many with another account', [row(FREE(6))], [], { elsewhere: new Map([['15550783881', 4n]]) }],
    ['more before they were limited', [row(FREE(60))], [], { month: '2026-09' }],
    ['more of numbers that are not named', [row(FREE(60), '2026-10-05', '')], []],

    ['tiers that follow each other', [charged('0:100', 5, '0.1'), charged('101:MAX', 5, '0.05')], []],
    ['tiers that overlap', [charged('0:100', 5, '0.1'), charged('90:MAX', 5, '0.05')], [['tiers', 2, '10', '0.15']]],
    [
      'a tier that is left out',
      [charged('0:100', 5, '0.1'), charged('201:MAX', 5, '0.05')],
      [['tiers', 2, '10', '0.15']],
    ],
    [
      'a tier that another account may have filled',
      [charged('0:100', 5, '0.1'), charged('201:MAX', 5, '0.05')],
      [],
      { shares_tiers: true },
    ],
    [
      'a tier that another country of the market filled',
      [charged('0:100', 5, '0.1', 'US'), charged('101:200', 1, '0.02', 'CA'), charged('201:MAX', 5, '0.05', 'US')],
      [],
    ],
    [
      'tiers after the last one',
      [charged('0:MAX', 5, '0.1'), charged('101:200', 5, '0.05')],
      [['tiers', 2, '10', '0.15']],
    ],

    ['a free entry that costs', [row(['BR', 'ANY', 'FREE_ENTRY_POINT', '', 2, '0.1'])], [['free_cost', 1, '2', '0.1']]],
    ['a free entry without a cost', [row(['BR', 'ANY', 'FREE_ENTRY_POINT', '', 2, null])], []],

    ['a price of the card', [charged('101:MAX', 100, '1')], []],
    ['half a cent away', [charged('101:MAX', 100, '1.005')], []],
    ['another price', [charged('101:MAX', 100, '1.5')], [['price', 1, '100', '1.5']]],
    [
      'another price on two days',
      [charged('101:MAX', 100, '1.5'), charged('101:MAX', 200, '3')],
      [['price', 2, '300', '4.5']],
    ],
    ['a mix of tiers that are not separated', [charged('', 100, '1.5')], []],
    ['more than any tier', [charged('', 100, '2.5')], [['price', 1, '100', '2.5']]],
    [
      'marketing below the list',
      [row(['BR', 'MARKETING', 'REGULAR', '0:MAX', 10, '0.5'])],
      [['max_price', 1, '10', '0.5']],
    ],
    [
      'marketing above the list',
      [row(['BR', 'MARKETING', 'REGULAR', '0:MAX', 10, '0.9'])],
      [['max_price', 1, '10', '0.9']],
    ],
    [
      'marketing below the list, before',
      [row(['BR', 'MARKETING', 'REGULAR', '0:MAX', 10, '0.5'], '2026-09-30')],
      [['price', 1, '10', '0.5']],
    ],
    ['no cost', [row(['BR', 'UTILITY', 'REGULAR', '0:MAX', 10, null])], []],
    ['no card', [row(['BR', 'AUTHENTICATION', 'REGULAR', '0:MAX', 10, '1'])], []],
    ['no country', [row(['', 'UTILITY', 'REGULAR', '0:MAX', 10, '1'])], []],
    ['costs of 0 for everything', [{ ...charged('0:MAX', 10, '0'), is_costless: true }], []],
    ['a charged message that costs nothing', [charged('0:MAX', 10, '0')], [['price', 1, '10', '0']]],
    ['service that need not be paid', [row(['BR', 'SERVICE', 'REGULAR', '', 10, '0'])], []],
    [
      'service that is paid later',
      [row(['BR', 'SERVICE', 'REGULAR', '', 10, '0']), row(['BR', 'SERVICE', 'REGULAR', '', 10, '0.2'], '2026-10-06')],
      [['price', 1, '10', '0']],
    ],
    ['a row of ours alone', [{ ...charged('', 100, '2.5'), has_point: false }], []],
  ])('%s', (_, rows, expected, world) => {
    expect(found(rows, world)).toEqual(expected);
  });

  it('say what they found, and where', () => {
    const [one] = controlRows(
      { ...WORLD, elsewhere: new Map([['15550783881', 5n]]), rows: [row(FREE(6)), row(FREE(1), '2026-10-09')] },
      10n,
      (country) => country,
    );
    expect(one).toEqual({
      ...{ waba_id: '10', month: '2026-10', control: 'free_service', phone_number: '15550783881', country: '' },
      ...{ category: 'SERVICE', tier: '', first_day: '2026-10-05', last_day: '2026-10-09', rows: 2, volume: '7' },
      ...{ currency: 'USD', cost: '0' },
      finding:
        'Meta counts 12 free service messages of the number, 5 of them under other accounts, and 10 are free in a month, unless the account need not pay for them.',
    });
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configSchema } from '../../schemas/config.ts';
import { parseEvent } from '../../schemas/event.ts';
import { addTo, type Row } from '../oracle/cells.ts';
import { oracleMessages, type OracleMessage } from '../oracle/oracle.ts';
import { at, card, marketOf, tiers } from '../oracle/price-list.ts';
import { allowanceWorld, fileText, moneyWorlds, randomMoney, type MoneyWorld } from '../oracle/rating-arbitraries.ts';
import { chargesOf, moneyReports, rateMessages, sumOf, type RatedMessage } from '../oracle/rating.ts';

describe('from events to amounts', () => {
  const volumes = (world: MoneyWorld): Record<string, number> => {
    const count: Record<string, number> = {};
    for (const row of chargesOf(ratedWorld(world))) {
      const key = `${row.day.slice(0, 7)} ${row.billing} ${row.rate_card === '' ? 'free' : 'priced'}`;
      count[key] = (count[key] ?? 0) + Number(row.volume);
    }
    return count;
  };

  test('the messages of a number over its allowance', () => {
    // Of the first 1,000 places ten each are reported free, reported charged, and templates so reported; the eleven
    // echoes stand apart and take none.
    expect(volumes(allowanceWorld({ policy: 'PMP-2026-10' }))).toEqual({
      '2026-09 FREE_SERVICE free': 1,
      '2026-10 BILLABLE free': 970 + 20,
      '2026-10 BILLABLE priced': 60,
      '2026-10 FREE_ENTRY priced': 60,
      '2026-10 FREE_SERVICE free': 31,
      '2026-11 BILLABLE free': 1,
    });
    expect(volumes(allowanceWorld({ policy: 'PMP-2026-10', charged: 980 }))).toMatchObject({
      '2026-10 FREE_ENTRY free': 46,
      '2026-10 FREE_ENTRY priced': 14,
    });
  });

  test('the conversations of a WABA over its allowance', () => {
    const crossing = volumes(allowanceWorld({ policy: 'CBP-2023-06' }));
    expect(crossing).toMatchObject({ '2024-01 FREE_ENTRY priced': 60, '2024-02 BILLABLE free': 1 });
    expect(volumes(allowanceWorld({ policy: 'CBP-2023-06', charged: 1000 }))).toMatchObject({
      '2024-01 FREE_ENTRY free': 27,
      '2024-01 FREE_ENTRY priced': 33,
    });
  });
});

// ---------------------------------------------------------------------------------------------------------------------

function ratedWorld({ events, accounts, policy, cards }: MoneyWorld): RatedMessage[] {
  return rateMessages({ messages: oracleMessages({ events, accounts, policy }), accounts, cards, marketOf });
}

/** The three sums and the number of messages without an amount. */
interface Amounts {
  readonly list_cost: string;
  readonly billed_cost: string;
  readonly savings: string;
  readonly unrated: number;
}

type Summed = Pick<RatedMessage, 'list_cost' | 'billed_cost' | 'savings'> & { readonly unrated: string };

function totals<T extends Summed>(rows: readonly T[], groupOf: (row: T) => string): Record<string, Amounts> {
  const groups = new Map<string, T[]>();
  for (const row of rows) addTo(groups, groupOf(row), row);
  const total = (group: readonly T[]): Amounts => ({
    list_cost: sumOf(group.map((row) => row.list_cost)),
    billed_cost: sumOf(group.map((row) => row.billed_cost)),
    savings: sumOf(group.map((row) => row.savings)),
    // A number in `charges`, a reason or nothing in messages.
    unrated: group.reduce((n, { unrated }) => n + (/^[0-9]*$/.test(unrated) ? Number(unrated) : 1), 0),
  });
  return Object.fromEntries([...groups].map(([key, group]) => [key, total(group)]));
}

describe('any world of money', () => {
  const property = (check: (world: MoneyWorld) => void, worlds = 1): void =>
    fc.assert(fc.property(moneyWorlds({ worlds }), check), { numRuns: 60 });

  test('list = billed + savings in every row, and no row is negative', () => {
    property((world) => {
      for (const row of ratedWorld(world)) {
        if (row.unrated !== '') {
          expect([row.list_cost, row.billed_cost, row.savings, row.rate]).toEqual(['', '', '', '']);
          continue;
        }
        expect(sumOf([row.billed_cost, row.savings])).toBe(row.list_cost);
        for (const amount of [row.list_cost, row.billed_cost, row.savings]) {
          expect(amount).toMatch(/^(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$/);
        }
        if (row.billing !== 'FREE_ENTRY') expect(row.savings).toBe('0');
        if (row.billing !== 'BILLABLE') expect([row.billed_cost, row.rate]).toEqual(['0', '']);
        else expect(row.rate).toBe(row.billed_cost);
      }
    });
  });

  test('charges add up to the messages, however either is grouped', () => {
    property((world) => {
      const rated = ratedWorld(world).filter((row) => row.delivered_at !== undefined);
      for (const view of [{}, { tz: 'Pacific/Apia' }]) {
        const charges = chargesOf(rated, view);
        expect(charges.reduce((n, row) => n + Number(row.volume), 0)).toBe(rated.length);
        const groupings = [
          (row: { currency: string }) => row.currency,
          (row: { currency: string; waba_id: string }) => `${row.currency} ${row.waba_id}`,
          (row: { currency: string; phone_number_id: string; billing: string }) =>
            `${row.currency} ${row.phone_number_id} ${row.billing}`,
          (row: { currency: string; rate_card: string; tier: string }) =>
            `${row.currency} ${row.rate_card} ${row.tier}`,
        ];
        for (const groupOf of groupings) expect(totals(charges, groupOf)).toEqual(totals(rated, groupOf));
      }
      const byDay = (row: { currency: string; day: string }): string => `${row.currency} ${row.day}`;
      expect(totals(chargesOf(rated), byDay)).toEqual(totals(rated, byDay));
    }, 2);
  });

  test('the reports have a row for each message and each charge, with all their columns', () => {
    property((world) => {
      const rated = ratedWorld(world);
      const as_of = at('2026-11-20T00:00:00Z');
      const { messages, charges } = moneyReports({ ...world, marketOf, as_of, tz: 'UTC' }, { tz: 'UTC' });
      expect(charges).toEqual(chargesOf(rated, { tz: 'UTC' }));
      expect(messages).toHaveLength(rated.length);
      const by = (row: { waba_id: string }): string => row.waba_id;
      expect(totals(messages as (Row & Summed & { waba_id: string })[], by)).toEqual(totals(rated, by));
    });
  });

  test('the order of the messages does not matter', () => {
    property(({ events, accounts, policy, cards }) => {
      const messages = oracleMessages({ events, accounts, policy });
      const backwards = rateMessages({ messages: [...messages].reverse(), accounts, cards, marketOf });
      expect(backwards.reverse()).toEqual(rateMessages({ messages, accounts, cards, marketOf }));
    });
  });

  /**
   * What M4 promises of a month, where nothing but places decides the rates in a group. With an allowance it is the
   * bill in which the others come first: of two messages that take one free place, only one may need it.
   */
  function expectBillWithoutFreeEntry(
    world: MoneyWorld,
    moved: (message: OracleMessage) => OracleMessage = (message) => message,
  ): void {
    const accounts = world.accounts.map((account) => ({ ...account, currency: 'USD' }));
    const cards = world.cards.filter((file) => file.effective_date === '2023-06-01');
    const messages = oracleMessages({ ...world, accounts });
    const outside = messages.map((message) =>
      message.billing === 'FREE_ENTRY'
        ? moved({ ...message, billing: message.without_free_entry, reported: '' })
        : message,
    );
    const portfolioOf = ({ waba_id }: RatedMessage): string => {
      const portfolio = accounts.find((account) => account.waba_id === waba_id)?.portfolio_id;
      return portfolio === undefined ? `WABA ${waba_id}` : `portfolio ${portfolio}`;
    };
    const totalsOf = (of: readonly OracleMessage[]): Record<string, Amounts> =>
      totals(rateMessages({ messages: of, accounts, cards, marketOf }), (row) =>
        JSON.stringify([portfolioOf(row), row.market, row.rated_category, row.day.slice(0, 7)]),
      );
    const lists = Object.entries(totalsOf(messages)).map(([key, { list_cost, unrated }]) => [key, list_cost, unrated]);
    const bills = Object.entries(totalsOf(outside)).map(([key, { billed_cost, unrated }]) => [
      key,
      billed_cost,
      unrated,
    ]);
    expect(lists).toEqual(bills);
  }

  test('the list total of a group is its bill without free entry', () => {
    property(expectBillWithoutFreeEntry);
  });

  test.each([
    ['PMP-2026-10', '2026-11-01T02:59:59Z'],
    ['CBP-2023-06', '2024-02-01T02:59:59Z'],
  ] as const)('so it is over the allowance of %s', (policy, lastSecond) => {
    for (const charged of [930, 980, 1020, 1060]) {
      const world = allowanceWorld({ policy, charged });
      const cards = world.cards.map((file) => ({ ...file, currency: 'USD' }));
      expectBillWithoutFreeEntry({ ...world, cards }, (message) => ({
        ...message,
        delivered_at: at(lastSecond),
        message_id: `\u{10ffff}${message.message_id}`,
      }));
    }
  });

  test('seeded money is the same every time and reaches every reason, every policy and every kind of price', () => {
    const world = randomMoney(3, 25_000);
    expect(randomMoney(3, 25_000)).toEqual(world);
    const messages = oracleMessages(world);
    const { accounts, cards } = world;
    const rated = rateMessages({ messages, accounts, cards, marketOf });
    const seen = new Set(
      rated.flatMap((row, i) => {
        const { policy, billing } = messages[i]!;
        const price = row.unrated || (row.tier !== '' ? 'tier' : row.rate_card !== '' ? 'card' : 'free');
        return [`${policy} ${billing} ${price}`, row.savings !== '' && row.savings !== '0' ? `${policy} saves` : ''];
      }),
    );
    const reasons = ['unknown_category', 'no_account', 'no_card', 'market_not_on_card', 'not_offered'];
    for (const policy of ['CBP-2023-06', 'CBP-2024-11', 'PMP-2025-07', 'PMP-2026-10']) {
      for (const price of [...reasons, 'card']) {
        expect(seen).toContain(`${policy} BILLABLE ${price}`);
        expect(seen).toContain(`${policy} FREE_ENTRY ${price}`);
      }
      expect(seen).toContain(`${policy} saves`);
    }
    for (const policy of ['PMP-2025-07', 'PMP-2026-10']) {
      expect(seen).toContain(`${policy} BILLABLE tier`);
      expect(seen).toContain(`${policy} FREE_ENTRY tier`);
    }
    for (const policy of ['CBP-2023-06', 'PMP-2026-10']) expect(seen).toContain(`${policy} BILLABLE free`);
    expect(configSchema.parse({ accounts })).toEqual({ accounts });
    for (const event of world.events) expect(parseEvent(event, at('2026-11-16T00:00:00Z')).ok).toBe(true);
    expect(new Set(cards.map(({ name }) => name)).size).toBe(cards.length);
    for (const file of cards) expect(file.rows).not.toEqual([]);
  });
});

test('rate files are written as Meta writes them', () => {
  expect(fileText(card({ India: '0.5 0.4 n/a 0.2 0.1', 'A, "B"': '1 n/a n/a n/a n/a' }))).toBe(
    [
      'Cost per message in USD,,,,,,',
      'Market,Currency,Marketing,Utility,Authentication,"Authentication-\nInternational",Service',
      'India,USD,0.5,0.4,n/a,0.2,0.1',
      '"A, ""B""",USD,1,n/a,n/a,n/a,n/a',
      '',
    ].join('\n'),
  );
  expect(fileText(tiers(['India authentication_international 1:2 0.5', 'India utility 3:MAX 0.4']))).toBe(
    [
      'Market,Currency,Message type,From,To,Rate',
      'India,USD,Authentication-International,1,2,0.5',
      'India,USD,Utility,3,MAX,0.4',
      '',
    ].join('\n'),
  );
});

import { afterAll, describe, expect, test } from 'vitest';
import { DEFAULT_POLICY_SETTINGS, type Account } from '../../schemas/config.ts';
import type { Customer, MessageId, PhoneNumberId, WabaId } from '../../schemas/ids.ts';
import { TIERED_CATEGORIES } from '../../schemas/rate-file.ts';
import { encodeRows } from '../../services/clickhouse/columns/writer.ts';
import { newStamp } from '../../services/clickhouse/stamp.ts';
import { csvReport, settleReports, type ReportName } from '../../services/exports/report.ts';
import { CELL_SECONDS } from '../../services/ledger/derived/summaries.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { DIRTY_CELL, MessageMarkRows } from '../../services/ledger/marks/mark-rows.ts';
import type { Mark, MessageMark, PolicyName } from '../../services/lifecycle/marks.ts';
import { marketOf as productMarketOf } from '../../services/rating/markets.ts';
import { importRateFile, withdrawRateCard } from '../../services/rating/rate-cards.ts';
import { CHARGES_COLUMNS } from '../../services/reports/charges.ts';
import { oracleMessages, type OracleMessage, type Row } from '../oracle/oracle.ts';
import {
  ACCOUNT,
  at,
  card,
  decided,
  free,
  INDIA,
  marketOf,
  message,
  october,
  PriceList,
  service,
  short,
  shorts,
  tiers,
  type Priced,
  type Setting,
} from '../oracle/price-list.ts';
import { fileText } from '../oracle/rating-arbitraries.ts';
import { chargesOf, moneyColumns, rateMessages, sumOf, type ListCard, type RateFile } from '../oracle/rating.ts';
import { EVERYTHING, withLedger } from '../support/ledger.ts';
import { csvRows, DataDirectory } from '../support/product.ts';

/** What rating costs, case by case: the oracle says it, and the SQL of the product has to say the same in the end. */

const list = new PriceList();
const rate = list.rate.bind(list);

describe('a row of the price list', () => {
  test('has all its columns', () => {
    const [row] = rate([message()], { cards: [card({ India: '0.5 0.40 0.3 0.2 0.1' }, { name: 'Meta USD' })] });
    expect(row).toMatchObject({ day: '2025-08-10', rate: '0.4', tier: '' });
    expect(moneyColumns(row!)).toEqual({
      waba_id: 'W1',
      market: 'India',
      rated_category: 'utility',
      currency: 'USD',
      rate_card: 'Meta USD 2023-06-01',
      list_cost: '0.4',
      billed_cost: '0.4',
      savings: '0',
      unrated: '',
    });
  });

  test.each([
    ['a charge', {}, '0.4 / 0.4', '0.4'],
    ['free entry that would have been charged', free, '0.4 / 0', ''],
    ['free entry that costs nothing outside', { ...free, without_free_entry: 'FREE_SERVICE' }, '0 / 0', ''],
    ['free entry that would have been covered', { ...free, without_free_entry: 'COVERED' }, '0 / 0', ''],
    ['free entry of who knows what', { ...free, without_free_entry: 'UNKNOWN' }, 'unknown_category', ''],
    ['a free service', { billing: 'FREE_SERVICE' }, '0 / 0', ''],
    ['covered', { billing: 'COVERED' }, '0 / 0', ''],
    ['unknown', { billing: 'UNKNOWN' }, 'unknown_category', ''],
    ['not delivered', { billing: 'UNDELIVERED', delivered_at: undefined, policy: '' }, '0 / 0', ''],
    ['predicted free, reported charged', { predicted: 'FREE_ENTRY', ...decided('') }, '0.4 / 0.4', '0.4'],
    ['reported free, predicted charged', { reported: 'FREE_ENTRY', billing: 'FREE_ENTRY' }, '0.4 / 0', ''],
  ] satisfies [string, Partial<OracleMessage>, string, string][])('M4: %s', (_, fields, expected, charged) => {
    const [row] = rate([message(fields)]);
    expect([short(row!), row!.rate]).toEqual([expected, charged]);
  });
});

describe('M1: the card in force', () => {
  const of = (name: string, fields: Partial<ListCard>): ListCard => card({ India: '1 1 1 1 1' }, { name, ...fields });
  const july = of('july', { effective_date: '2025-07-01' });
  const august = of('august', { effective_date: '2025-08-10' });
  const cases: [string, Partial<OracleMessage>, ListCard[], string][] = [
    ['the latest that is in force', {}, [august, july], 'august 2025-08-10'],
    ['not one of the next day', { delivered_at: at('2025-08-09T23:59:59Z') }, [july, august], 'july 2025-07-01'],
    ['from midnight', { delivered_at: at('2025-08-10T00:00:00Z') }, [july, august], 'august 2025-08-10'],
    ['none yet', { delivered_at: at('2025-08-09T23:59:59Z') }, [august], 'no_card'],
    ['of one date the last imported', {}, [july, { ...july, name: 'again' }], 'again 2025-07-01'],
    ['unless that is withdrawn', {}, [july, { ...july, name: 'again', withdrawn: true }], 'july 2025-07-01'],
    ['and an older one when a date has none left', {}, [july, { ...august, withdrawn: true }], 'july 2025-07-01'],
    ['of the currency', {}, [july, { ...august, currency: 'INR' }], 'july 2025-07-01'],
    ['of the model', {}, [july, { ...august, model: 'conversation' }], 'july 2025-07-01'],
    [
      'of the model of conversations',
      { policy: 'CBP-2024-11' },
      [july, { ...august, model: 'conversation' }],
      'august 2025-08-10',
    ],
  ];
  test.each(cases)('%s', (_, fields, cards, expected) => {
    const [row] = rate([message(fields)], { cards });
    expect(row!.unrated || row!.rate_card).toBe(expected);
  });

  test.each([
    ['Asia/Kolkata', '2025-08-09T18:29:59Z', 'july'],
    ['Asia/Kolkata', '2025-08-09T18:30:00Z', 'august'],
    ['Pacific/Apia', '2025-08-09T10:59:59Z', 'july'],
    ['Pacific/Apia', '2025-08-09T11:00:00Z', 'august'],
    ['Australia/Lord_Howe', '2025-08-09T13:29:59Z', 'july'],
    ['Australia/Lord_Howe', '2025-08-09T13:30:00Z', 'august'],
    ['America/Los_Angeles', '2025-08-10T06:59:59Z', 'july'],
    ['America/Los_Angeles', '2025-08-10T07:00:00Z', 'august'],
  ])('begins at midnight in %s: %s', (time_zone, time, expected) => {
    const accounts = [{ ...ACCOUNT, time_zone }];
    const [row] = rate([message({ delivered_at: at(time) })], { accounts, cards: [july, august] });
    expect(row!.rate_card.split(' ')[0]).toBe(expected);
  });
});

describe('M1a: the rated category', () => {
  test.each([
    ['utility', '', '', 'utility', '0.4'],
    ['utility', 'BILLABLE', 'marketing', 'marketing', '0.5'],
    ['utility', 'BILLABLE', 'authentication_international', 'authentication_international', '0.2'],
    ['utility', 'BILLABLE', 'service', 'service', '0.1'],
    ['utility', 'BILLABLE', '', 'utility', '0.4'],
    ['utility', 'BILLABLE', 'group_marketing', 'marketing', '0.5'],
    ['utility', 'BILLABLE', 'group_service', 'service', '0.1'],
    ['utility', 'BILLABLE', 'group_', 'utility', '0.4'],
    ['group_utility', '', '', 'utility', '0.4'],
    ['group_marketing_lite', '', '', 'marketing', '0.5'],
    ['utility', 'BILLABLE', 'referral_conversion', 'utility', '0.4'],
    ['utility', 'UNKNOWN', 'marketing', 'utility', '0.4'],
    ['utility', 'BILLABLE', 'marketing_lite', 'marketing', '0.5'],
    ['marketing_lite', '', '', 'marketing', '0.5'],
    ['marketing_lite', 'BILLABLE', 'group_utility', 'utility', '0.4'],
    ['marketing_lite', 'BILLABLE', 'utility', 'utility', '0.4'],
    ['unknown', 'BILLABLE', 'utility', 'utility', '0.4'],
    ['unknown', 'BILLABLE', '', 'unknown', 'unknown_category'],
    ['group_marketing', 'BILLABLE', 'group_marketing', 'marketing', '0.5'],
    ['group_unknown', '', '', 'unknown', 'unknown_category'],
    ['general_purpose_ai', '', '', 'general_purpose_ai', 'unknown_category'],
  ])('%s, reported "%s" of "%s": %s', (category, reported, reported_category, expected, price) => {
    const [row] = rate([message({ category, reported, reported_category })]);
    expect([row!.rated_category, row!.unrated || row!.billed_cost]).toEqual([expected, price]);
  });

  test('is the own one where the report does not charge', () => {
    const [row] = rate([message({ ...free, reported: 'FREE_ENTRY', reported_category: 'marketing' })]);
    expect([row!.rated_category, short(row!)]).toEqual(['utility', '0.4 / 0']);
  });
});

describe('M2: the market', () => {
  test.each([
    ['919955550001', '2026-01-01', 'India'],
    ['IN.1349120865530274191', '2026-01-01', 'India'],
    ['BR.ENT.11815799212886844830', '2026-01-01', 'Brazil'],
    ['14165550001', '2026-01-01', 'North America'],
    ['18765550001', '2026-01-01', 'Rest of Latin America'],
    ['79165550001', '2026-10-01', 'Russia'],
    ['77015550001', '2026-09-30', 'Rest of Central & Eastern Europe'],
    ['77015550001', '2026-10-01', 'Kazakhstan'],
    ['9779855550001', '2026-09-30', 'Rest of Asia Pacific'],
    ['9779855550001', '2026-10-01', 'Nepal'],
    ['888555', '2026-10-01', 'Other'],
    ['ZZ.1', '2026-10-01', 'Other'],
    ['', '2026-10-01', 'Other'],
  ])('of %s on %s is %s', (customer, day, market) => {
    expect(marketOf(customer, day)).toBe(market);
  });
});

describe('M2: the day of the market', () => {
  const kazakhstan = { customer: '77015550001' };
  test.each([
    ['of the delivery', { delivered_at: at('2026-09-30T18:29:59Z') }, 'Rest of Central & Eastern Europe'],
    ['in the zone of the WABA', { delivered_at: at('2026-09-30T18:30:00Z') }, 'Kazakhstan'],
    ['not of the sending', { sent_at: 0, delivered_at: at('2026-10-01T00:00:00Z') }, 'Kazakhstan'],
    [
      'of the sending where nothing was delivered',
      { sent_at: at('2026-09-30T18:30:00Z'), delivered_at: undefined, billing: 'UNDELIVERED' },
      'Kazakhstan',
    ],
  ] satisfies [string, Partial<OracleMessage>, string][])('is that %s', (_, fields, market) => {
    const accounts = [{ ...ACCOUNT, time_zone: 'Asia/Kolkata' }];
    expect(rate([message({ ...kazakhstan, ...fields })], { accounts })[0]!.market).toBe(market);
  });
});

describe('M3: tiers', () => {
  const INDIA_TIERS = tiers(['India utility 1:2 0.04', 'India utility 3:5 0.03', 'India utility 6:MAX 0.02']);
  const many = (count: number, fields: Partial<OracleMessage> = {}): OracleMessage[] =>
    Array.from({ length: count }, () => message(fields));

  const cases: [string, OracleMessage[], Setting, string[]][] = [
    [
      'a message is priced by the tier of its own number, bounds inclusive',
      many(7),
      { cards: [INDIA, INDIA_TIERS] },
      [
        ...Array(2).fill('0.04 / 0.04 / 1:2'),
        ...Array(3).fill('0.03 / 0.03 / 3:5'),
        ...Array(2).fill('0.02 / 0.02 / 6:MAX'),
      ] as string[],
    ],
    [
      'a number without a tier has the rate of the card',
      many(4),
      { cards: [INDIA, tiers(['India utility 2:2 0.04', 'India utility 4:4 0.03'])] },
      ['0.4 / 0.4', '0.04 / 0.04 / 2:2', '0.4 / 0.4', '0.03 / 0.03 / 4:4'],
    ],
    [
      'so have a market and a category without one',
      [message({ category: 'authentication' }), message({ customer: '551195555001' })],
      { cards: [card({ India: '1 1 0.3 1 1', Brazil: '1 0.7 1 1 1' }), INDIA_TIERS] },
      ['0.3 / 0.3', '0.7 / 0.7'],
    ],
    [
      'a tier does not price what the card does not',
      [message(), message({ customer: '551195555001' })],
      { cards: [card({ India: '1 n/a 1 1 1' }), INDIA_TIERS] },
      ['not_offered', 'market_not_on_card'],
    ],
    ['nor does it where there is no card', [message()], { cards: [INDIA_TIERS] }, ['no_card']],
    [
      'marketing and service have none',
      [message({ category: 'marketing' }), message({ ...service, ...october, ...decided('service') })],
      { cards: [INDIA, tiers(['India marketing 1:MAX 9', 'India service 1:MAX 9'])] },
      ['0.5 / 0.5', '0.1 / 0.1'],
    ],
    [
      'conversations have none',
      [message({ policy: 'CBP-2024-11', delivered_at: at('2025-06-10T00:00:00Z') })],
      { cards: [{ ...INDIA, model: 'conversation' }, INDIA_TIERS] },
      ['0.4 / 0.4'],
    ],
    [
      'only what is charged takes a place',
      [
        ...many(5, { billing: 'FREE_SERVICE' }),
        message({ billing: 'UNDELIVERED', delivered_at: undefined }),
        message(),
      ],
      { cards: [INDIA, INDIA_TIERS] },
      [...(Array(6).fill('0 / 0') as string[]), '0.04 / 0.04 / 1:2'],
    ],
    [
      'free entry takes the places after the last charge, whenever it came',
      [
        message({ ...free, without_free_entry: 'FREE_SERVICE', delivered_at: at('2025-07-31T00:00:00Z') }),
        message({ ...free, without_free_entry: 'FREE_SERVICE', delivered_at: at('2025-08-01T00:00:00Z') }),
        ...many(2, { ...free, delivered_at: at('2025-08-01T00:00:00Z') }),
        ...many(4, { delivered_at: at('2025-08-20T00:00:00Z') }),
      ],
      { cards: [INDIA, INDIA_TIERS] },
      [
        '0 / 0',
        '0 / 0',
        '0.03 / 0 / 3:5',
        '0.02 / 0 / 6:MAX',
        '0.04 / 0.04 / 1:2',
        '0.04 / 0.04 / 1:2',
        '0.03 / 0.03 / 3:5',
        '0.03 / 0.03 / 3:5',
      ],
    ],
    [
      'what has no price takes a place too',
      [...many(2, { waba_id: 'W2' }), message({ delivered_at: at('2025-08-10T12:00:01Z') })],
      {
        accounts: [
          { ...ACCOUNT, portfolio_id: 'p' },
          { waba_id: 'W2', portfolio_id: 'p' },
        ],
        cards: [INDIA, INDIA_TIERS],
      },
      ['no_account', 'no_account', '0.03 / 0.03 / 3:5'],
    ],
    [
      'a portfolio numbers over all its WABAs and their currencies, each with its own tiers',
      [
        message({ waba_id: 'W1', delivered_at: at('2025-08-10T12:00:00Z') }),
        message({ waba_id: 'W2', delivered_at: at('2025-08-10T12:00:01Z') }),
        message({ waba_id: 'W1', delivered_at: at('2025-08-10T12:00:02Z') }),
        message({ waba_id: 'W2', delivered_at: at('2025-08-10T12:00:03Z') }),
      ],
      {
        accounts: [
          { ...ACCOUNT, portfolio_id: 'p' },
          { waba_id: 'W2', currency: 'INR', portfolio_id: 'p' },
        ],
        cards: [
          INDIA,
          INDIA_TIERS,
          { ...INDIA, currency: 'INR' },
          tiers(['India utility 1:3 30', 'India utility 4:MAX 20'], { currency: 'INR' }),
        ],
      },
      ['0.04 / 0.04 / 1:2', '30 / 30 / 1:3', '0.03 / 0.03 / 3:5', '20 / 20 / 4:MAX'],
    ],
    [
      'a portfolio is not the WABA of that name',
      [message({ waba_id: 'W1' }), message({ waba_id: 'W1' }), message({ waba_id: 'W2' })],
      {
        accounts: [ACCOUNT, { waba_id: 'W2', currency: 'USD', portfolio_id: 'W1' }],
        cards: [INDIA, INDIA_TIERS],
      },
      ['0.04 / 0.04 / 1:2', '0.04 / 0.04 / 1:2', '0.04 / 0.04 / 1:2'],
    ],
    [
      'each category, market and month has numbers of its own, as it is rated',
      [
        message({ category: 'authentication', ...decided('utility') }),
        message({ ...decided('authentication') }),
        message({ customer: '551195555001' }),
        message({ delivered_at: at('2025-07-31T23:59:59Z') }),
        message({ delivered_at: at('2025-08-01T00:00:00Z') }),
      ],
      {
        cards: [
          card({ India: '1 1 1 1 1', Brazil: '1 1 1 1 1' }),
          tiers(
            ['India utility', 'India authentication', 'Brazil utility'].flatMap((row) => [
              `${row} 1:1 0.1`,
              `${row} 2:2 0.2`,
              `${row} 3:MAX 0.3`,
            ]),
          ),
        ],
      },
      ['0.2 / 0.2 / 2:2', '0.1 / 0.1 / 1:1', '0.1 / 0.1 / 1:1', '0.1 / 0.1 / 1:1', '0.1 / 0.1 / 1:1'],
    ],
    [
      'other tiers in the middle of the month find the numbers where they are',
      [
        ...many(3, { delivered_at: at('2025-08-14T23:59:59Z') }),
        ...many(2, { delivered_at: at('2025-08-15T00:00:00Z') }),
      ],
      {
        cards: [
          INDIA,
          INDIA_TIERS,
          tiers(['India utility 1:4 0.9', 'India utility 5:MAX 0.8'], { effective_date: '2025-08-15' }),
        ],
      },
      ['0.04 / 0.04 / 1:2', '0.04 / 0.04 / 1:2', '0.03 / 0.03 / 3:5', '0.9 / 0.9 / 1:4', '0.8 / 0.8 / 5:MAX'],
    ],
  ];
  test.each(cases)('%s', (_, messages, setting, expected) => {
    expect(shorts(rate(messages, setting))).toEqual(expected);
  });

  test('what is delivered at one second is in the order of number and id, as UTF-8', () => {
    const ordered: [string, string][] = [
      ['10', 'b'],
      ['10', '\u{ff21}'],
      ['10', '\u{1d400}'],
      ['9', 'a'],
    ];
    const messages = ordered.map(([phone_number_id, message_id]) => message({ phone_number_id, message_id }));
    const cards = [INDIA, tiers([1, 2, 3, 4].map((n) => `India utility ${n}:${n} 0.${n}`))];
    const prices = ['0.1', '0.2', '0.3', '0.4'];
    expect(rate(messages, { cards }).map((row) => row.rate)).toEqual(prices);
    expect(rate(messages.reverse(), { cards }).map((row) => row.rate)).toEqual(prices.reverse());
  });
});

describe('M3: the service allowance', () => {
  const before = (count: number, fields: Partial<OracleMessage>): OracleMessage[] =>
    Array.from({ length: count }, () =>
      message({ ...service, ...october, ...fields, delivered_at: at('2026-10-05T00:00:00Z') }),
    );
  const conversations: Partial<OracleMessage> = { policy: 'CBP-2023-06' };

  const cases: [string, OracleMessage[], Partial<OracleMessage>, string][] = [
    ['the 1,000th is free', before(999, {}), {}, '0 / 0'],
    ['the 1,001st is not', before(1000, {}), {}, '0.1 / 0.1'],
    ['a report that charges decides by itself', [], decided('service'), '0.1 / 0.1'],
    ['a report of who knows what does not', [], { reported: 'UNKNOWN' }, '0 / 0'],
    ['reported charges take places', before(1000, decided('service')), {}, '0.1 / 0.1'],
    ['so do those reported free', before(1000, { reported: 'FREE_SERVICE', billing: 'FREE_SERVICE' }), {}, '0.1 / 0.1'],
    ['echoes that are counted', before(1000, { billing: 'FREE_SERVICE' }), {}, '0.1 / 0.1'],
    ['echoes that stand apart take none', before(1000, { stands_apart: true, billing: 'FREE_SERVICE' }), {}, '0 / 0'],
    [
      'and templates reported as service',
      before(1000, { type: 'template', category: 'utility', ...decided('service') }),
      {},
      '0.1 / 0.1',
    ],
    ['reactions do not', before(1000, { type: 'reaction', billing: 'FREE_SERVICE' }), {}, '0 / 0'],
    ['nor do free entry messages', before(1000, free), {}, '0 / 0'],
    ['nor what is rated as another category', before(1000, decided('utility')), {}, '0 / 0'],
    [
      'nor what was never delivered',
      before(1000, {}).map((each) => ({ ...each, billing: 'UNDELIVERED', delivered_at: undefined })),
      {},
      '0 / 0',
    ],
    ['another number has its own', before(1000, { phone_number_id: 'N2' }), {}, '0 / 0'],
    ['over all WABAs of the number', before(1000, { waba_id: 'W2' }), {}, '0.1 / 0.1'],
    ['free entry within it', before(999, {}), free, '0 / 0'],
    ['free entry beyond it', before(1000, {}), free, '0.1 / 0'],
    ['free entry of an echo beyond it', before(1000, {}), { ...free, without_free_entry: 'FREE_SERVICE' }, '0 / 0'],
    [
      'free entry after free echoes, which take places where they are counted',
      before(1000, { ...free, without_free_entry: 'FREE_SERVICE' }),
      free,
      '0.1 / 0',
    ],
    [
      'free entry after echoes that Meta reports free and that stand apart, which take none',
      before(1000, { ...free, stands_apart: true, reported: 'FREE_ENTRY', without_free_entry: 'FREE_SERVICE' }),
      free,
      '0 / 0',
    ],
    [
      'free entry after free reactions, which take none',
      before(1000, { ...free, type: 'reaction', without_free_entry: 'FREE_SERVICE' }),
      free,
      '0 / 0',
    ],
    ['the month after', before(1000, {}), { delivered_at: at('2026-11-01T00:00:00Z') }, '0 / 0'],
    ['the 1,000th conversation', before(999, conversations), conversations, '0 / 0'],
    ['the 1,001st conversation', before(1000, conversations), conversations, '0.1 / 0.1'],
    ['a conversation that a report charges', [], { ...conversations, ...decided('service') }, '0.1 / 0.1'],
    [
      'reported conversations take places',
      before(1000, { ...conversations, ...decided('service') }),
      conversations,
      '0.1 / 0.1',
    ],
    ['covered messages take none', before(1000, { ...conversations, billing: 'COVERED' }), conversations, '0 / 0'],
    [
      'over all numbers of a WABA',
      before(1000, { ...conversations, phone_number_id: 'N2' }),
      conversations,
      '0.1 / 0.1',
    ],
    ['another WABA has its own', before(1000, { ...conversations, waba_id: 'W2' }), conversations, '0 / 0'],
    ['free entry within the conversations', before(999, conversations), { ...conversations, ...free }, '0 / 0'],
    ['free entry beyond the conversations', before(1000, conversations), { ...conversations, ...free }, '0.1 / 0'],
    ['other conversations have none', [], { ...conversations, type: 'template', category: 'utility' }, '0.4 / 0.4'],
  ];
  test.each(cases)('%s', (_, earlier, fields, expected) => {
    const cards = [INDIA, card({ India: '0.5 0.4 0.3 0.2 0.1' }, { model: 'conversation' })];
    const rated = rate([...earlier, message({ ...service, ...october, ...fields })], { cards });
    expect(short(rated[rated.length - 1]!)).toBe(expected);
  });

  test('a free place needs neither card nor account', () => {
    const [row, empty] = rate(
      [message({ ...service, ...october }), message({ ...service, ...october, waba_id: 'W9' })],
      { cards: [] },
    );
    expect(row).toMatchObject({ list_cost: '0', rate: '0', rate_card: '', currency: 'USD', unrated: '' });
    expect(empty).toMatchObject({ list_cost: '0', rate: '0', rate_card: '', currency: '', unrated: '' });
  });
});

describe('M5: the first reason that holds', () => {
  const cards = [card({ Brazil: '1 1 1 1 1', India: '1 n/a 1 1 1' }, { effective_date: '2025-08-01' })];
  const early = at('2025-07-31T23:59:59Z');
  test.each([
    ['unknown_category', { waba_id: 'W9', category: 'unknown', delivered_at: early }],
    ['no_account', { waba_id: 'W9', delivered_at: early }],
    ['no_account', { waba_id: '', delivered_at: early }],
    ['no_account', { waba_id: 'W2', delivered_at: early }],
    ['no_card', { delivered_at: early }],
    ['no_card', { waba_id: 'W3' }],
    ['market_not_on_card', { customer: '14165550001' }],
    ['not_offered', {}],
    ['', { customer: '551195555001' }],
  ] satisfies [string, Partial<OracleMessage>][])('%s', (reason, fields) => {
    const accounts = [ACCOUNT, { waba_id: 'W2' }, { waba_id: 'W3', currency: 'INR' }];
    const rated = rate([message(fields), message({ ...fields, ...free })], { accounts, cards });
    for (const row of rated) {
      expect(row.unrated).toBe(reason);
      if (reason !== '') expect([row.list_cost, row.billed_cost, row.savings, row.rate_card]).toEqual(['', '', '', '']);
    }
  });
});

describe('charges', () => {
  test('group equal rows and add them up', () => {
    const rated = rate([
      message(),
      message(),
      message(free),
      message({ ...free, category: 'unknown', without_free_entry: 'UNKNOWN' }),
      message({ billing: 'UNDELIVERED', delivered_at: undefined }),
    ]);
    const same = {
      day: '2025-08-10',
      waba_id: 'W1',
      phone_number_id: 'N1',
      market: 'India',
      tier: '',
      currency: 'USD',
    };
    const priced = { ...same, rate_card: 'list 2023-06-01', unrated: '0' };
    expect(chargesOf(rated)).toEqual([
      {
        ...same,
        category: 'unknown',
        billing: 'FREE_ENTRY',
        volume: '1',
        rate: '',
        list_cost: '',
        billed_cost: '',
        savings: '',
        rate_card: '',
        unrated: '1',
      },
      {
        ...priced,
        category: 'utility',
        billing: 'BILLABLE',
        volume: '2',
        rate: '0.4',
        list_cost: '0.8',
        billed_cost: '0.8',
        savings: '0',
      },
      {
        ...priced,
        category: 'utility',
        billing: 'FREE_ENTRY',
        volume: '1',
        rate: '',
        list_cost: '0.4',
        billed_cost: '0',
        savings: '0.4',
      },
    ]);
  });

  test('add up exactly', () => {
    expect(sumOf(Array(10).fill('0.1') as string[])).toBe('1');
    expect(sumOf(['123456789012345678.00000001', '0.00000002', ''])).toBe('123456789012345678.00000003');
    expect(sumOf(['', ''])).toBe('');
  });

  test('have the days of each WABA, or of a zone', () => {
    const rated = rate([message({ delivered_at: at('2025-08-10T20:00:00Z') })], {
      accounts: [{ ...ACCOUNT, time_zone: 'Asia/Kolkata' }],
    });
    const days = (view?: Parameters<typeof chargesOf>[1]): string[] => chargesOf(rated, view).map(({ day }) => day);
    expect(days()).toEqual(['2025-08-11']);
    expect(days({ tz: 'UTC' })).toEqual(['2025-08-10']);
    expect(days({ from: '2025-08-11', to: '2025-08-12' })).toEqual(['2025-08-11']);
    expect(days({ tz: 'UTC', from: '2025-08-11' })).toEqual([]);
    expect(days({ to: '2025-08-11' })).toEqual([]);
  });
});

// ---------------------------------------------------------------------------------------------------------------------

describe('from events to amounts', () => {
  interface Sent {
    readonly id: string;
    readonly delivered: string;
    readonly sent?: string;
    readonly category?: string;
    readonly waba_id?: string;
    readonly to?: string;
  }

  const identity = (to: string) => (/^[0-9]+$/.test(to) ? { wa_id: to } : { user_id: to });

  function events({
    id,
    delivered,
    sent = delivered,
    category = 'utility',
    waba_id = 'W1',
    to = '919955550001',
  }: Sent): unknown[] {
    const of = { phone_number_id: `N of ${waba_id}`, waba_id, ...identity(to), id };
    const what = category === 'service' ? { type: 'text' } : { type: 'template', template: { category } };
    return [
      { event: 'message', direction: 'outbound', ...of, timestamp: at(sent), ...what },
      { event: 'status', ...of, status: 'delivered', timestamp: at(delivered) },
    ];
  }

  const wrote = (timestamp: string, fields: object = {}): unknown => ({
    event: 'message',
    direction: 'inbound',
    phone_number_id: 'N of W1',
    wa_id: '919955550001',
    id: `in ${timestamp}`,
    timestamp: at(timestamp),
    type: 'text',
    ...fields,
  });

  /** `id: policy, market, what it cost` in the order of the ids. */
  function bill(events: readonly unknown[], accounts: readonly Account[], cards: readonly RateFile[]): string[] {
    const messages = oracleMessages({ events, accounts, policy: DEFAULT_POLICY_SETTINGS });
    const rated = rate(messages, { accounts, cards });
    return messages
      .map(({ message_id, policy }, i) => `${message_id}: ${policy}, ${rated[i]!.market}, ${short(rated[i]!)}`)
      .sort();
  }

  const everywhere = (rates: string): Record<string, string> =>
    Object.fromEntries(['India', 'Brazil', 'North America', 'Rest of Latin America'].map((market) => [market, rates]));
  const EACH_ITS_OWN = tiers(['India utility 1:1 0.1', 'India utility 2:2 0.2', 'India utility 3:MAX 0.3']);

  test('sent on 30 September at 23:59, delivered at 00:01: policy, card and numbers of October', () => {
    const accounts = [{ ...ACCOUNT, time_zone: 'America/Sao_Paulo' }];
    const october = card(everywhere('1 1 1 1 1'), { effective_date: '2026-10-01', name: 'october' });
    const made = [
      wrote('2026-10-01T02:00:00Z'),
      ...events({ id: 'a', sent: '2026-10-01T02:59:00Z', delivered: '2026-10-01T02:59:59Z' }),
      ...events({ id: 'b', sent: '2026-10-01T02:59:00Z', delivered: '2026-10-01T03:01:00Z' }),
      ...events({ id: 'c', sent: '2026-10-01T03:02:00Z', delivered: '2026-10-01T03:02:00Z' }),
    ];
    expect(bill(made, accounts, [october, INDIA, EACH_ITS_OWN])).toEqual([
      'a: PMP-2025-07, India, 0 / 0',
      'b: PMP-2026-10, India, 0.1 / 0.1 / 1:1',
      'c: PMP-2026-10, India, 0.2 / 0.2 / 2:2',
    ]);
  });

  test('two zones at a change of month: numbers of two months side by side', () => {
    const accounts = [
      { waba_id: 'W1', currency: 'USD', portfolio_id: 'p', time_zone: 'America/Los_Angeles' },
      { waba_id: 'W2', currency: 'USD', portfolio_id: 'p', time_zone: 'Asia/Kolkata' },
    ];
    const made = [
      { id: 'a', waba_id: 'W1', delivered: '2025-11-30T18:00:00Z' },
      { id: 'b', waba_id: 'W2', delivered: '2025-11-30T18:29:59Z' },
      { id: 'c', waba_id: 'W2', delivered: '2025-11-30T18:30:00Z' },
      { id: 'd', waba_id: 'W1', delivered: '2025-11-30T19:00:00Z' },
      { id: 'e', waba_id: 'W1', delivered: '2025-12-01T07:59:59Z' },
      { id: 'f', waba_id: 'W1', delivered: '2025-12-01T08:00:00Z' },
      { id: 'g', waba_id: 'W2', delivered: '2025-12-01T08:00:01Z' },
    ].flatMap(events);
    expect(bill(made, accounts, [INDIA, EACH_ITS_OWN])).toEqual([
      'a: PMP-2025-07, India, 0.1 / 0.1 / 1:1',
      'b: PMP-2025-07, India, 0.2 / 0.2 / 2:2',
      'c: PMP-2025-07, India, 0.1 / 0.1 / 1:1',
      'd: PMP-2025-07, India, 0.3 / 0.3 / 3:MAX',
      'e: PMP-2025-07, India, 0.3 / 0.3 / 3:MAX',
      'f: PMP-2025-07, India, 0.2 / 0.2 / 2:2',
      'g: PMP-2025-07, India, 0.3 / 0.3 / 3:MAX',
    ]);
  });

  test('customers without a number are in the country of their id, and +1-876 is not North America', () => {
    const of = { delivered: '2025-08-10T12:00:00Z', category: 'marketing' };
    const rows = card({ India: '0.1 1 1 1 1', 'North America': '0.2 1 1 1 1', 'Rest of Latin America': '0.3 1 1 1 1' });
    const made = [
      { ...of, id: 'a', to: 'IN.1349120865530274191' },
      { ...of, id: 'b', to: '18765550001' },
      { ...of, id: 'c', to: '14165550001' },
      { ...of, id: 'd', to: 'ZZ.1' },
    ].flatMap(events);
    expect(bill(made, [ACCOUNT], [rows])).toEqual([
      'a: PMP-2025-07, India, 0.1 / 0.1',
      'b: PMP-2025-07, Rest of Latin America, 0.3 / 0.3',
      'c: PMP-2025-07, North America, 0.2 / 0.2',
      'd: PMP-2025-07, Other, market_not_on_card',
    ]);
  });

  test('utility in the service window is free to the end of September 2026', () => {
    const made = [
      wrote('2026-09-30T12:00:00Z'),
      ...events({ id: 'a', delivered: '2026-09-30T23:59:59Z' }),
      ...events({ id: 'b', delivered: '2026-10-01T00:00:00Z' }),
    ];
    expect(bill(made, [ACCOUNT], [INDIA])).toEqual([
      'a: PMP-2025-07, India, 0 / 0',
      'b: PMP-2026-10, India, 0.4 / 0.4',
    ]);
  });

  test('free entry is worth what the policy charges outside it', () => {
    const click = { referral: { source_type: 'ad', source_id: '7' } };
    const month = (day: string): unknown[] => [
      wrote(`${day}T08:00:00Z`, click),
      ...events({ id: `${day} a`, delivered: `${day}T09:00:00Z`, category: 'service' }),
      ...events({ id: `${day} b`, delivered: `${day}T10:00:00Z`, category: 'utility' }),
      ...events({ id: `${day} c`, delivered: `${day}T11:00:00Z`, category: 'marketing' }),
      ...events({ id: `${day} d`, delivered: `${day}T12:00:00Z`, category: 'marketing' }),
    ];
    const made = ['2024-03-05', '2024-12-05', '2025-08-05', '2026-10-05'].flatMap(month);
    expect(bill(made, [ACCOUNT], [INDIA, { ...INDIA, model: 'conversation' }])).toEqual([
      // A conversation of each kind would have opened; the service one within the allowance.
      '2024-03-05 a: CBP-2023-06, India, 0 / 0',
      '2024-03-05 b: CBP-2023-06, India, 0.4 / 0',
      '2024-03-05 c: CBP-2023-06, India, 0.5 / 0',
      '2024-03-05 d: CBP-2023-06, India, 0 / 0',
      '2024-12-05 a: CBP-2024-11, India, 0 / 0',
      '2024-12-05 b: CBP-2024-11, India, 0.4 / 0',
      '2024-12-05 c: CBP-2024-11, India, 0.5 / 0',
      '2024-12-05 d: CBP-2024-11, India, 0 / 0',
      // The customer wrote an hour before: utility would have been free.
      '2025-08-05 a: PMP-2025-07, India, 0 / 0',
      '2025-08-05 b: PMP-2025-07, India, 0 / 0',
      '2025-08-05 c: PMP-2025-07, India, 0.5 / 0',
      '2025-08-05 d: PMP-2025-07, India, 0.5 / 0',
      '2026-10-05 a: PMP-2026-10, India, 0 / 0',
      '2026-10-05 b: PMP-2026-10, India, 0.4 / 0',
      '2026-10-05 c: PMP-2026-10, India, 0.5 / 0',
      '2026-10-05 d: PMP-2026-10, India, 0.5 / 0',
    ]);
  });

  test('a conversation that the window closed covers in the bill without it', () => {
    const made = [
      ...events({ id: 'a', delivered: '2024-12-05T07:00:00Z' }),
      wrote('2024-12-05T08:00:00Z', { referral: { source_type: 'ad', source_id: '7' } }),
      ...events({ id: 'b', delivered: '2024-12-05T09:00:00Z', category: 'service' }),
      ...events({ id: 'c', delivered: '2024-12-05T10:00:00Z' }),
      ...events({ id: 'd', delivered: '2024-12-06T07:00:00Z' }),
    ];
    expect(bill(made, [ACCOUNT], [{ ...INDIA, model: 'conversation' }])).toEqual([
      'a: CBP-2024-11, India, 0.4 / 0.4',
      'b: CBP-2024-11, India, 0 / 0',
      'c: CBP-2024-11, India, 0 / 0',
      'd: CBP-2024-11, India, 0.4 / 0',
    ]);
  });
});

// ---------------------------------------------------------------------------------------------------------------------

describe('the SQL of the product', () => {
  const data = new DataDirectory();
  afterAll(() => data.remove());

  const DIGITS = 4;
  /** All cases lie side by side in one ledger: each has numbers and accounts of its own. */
  const prefixOf = (i: number): string => String(10 ** (DIGITS - 1) + i);
  const within = (prefix: string, text: string): string => (text === '' ? '' : prefix + text);

  const CURRENCIES = Intl.supportedValuesOf('currency');

  /** Cases with the same cards share their currencies; any others have none in common. */
  class Currencies {
    readonly #codes = new Map<string, string>();
    readonly #names = new Map<string, string>();

    codeOf(cards: readonly RateFile[], currency: string): string {
      const key = JSON.stringify([currency, cards]);
      const code = this.#codes.get(key) ?? CURRENCIES[this.#codes.size];
      if (code === undefined) throw new Error('There are more lists of cards than currencies.');
      this.#codes.set(key, code);
      this.#names.set(code, currency);
      return code;
    }

    nameOf(code: string): string {
      return this.#names.get(code) ?? '';
    }
  }

  function accountsOf({ accounts, cards }: Priced, prefix: string, currencies: Currencies): Account[] {
    return accounts.map((account) => ({
      ...account,
      waba_id: prefix + account.waba_id,
      ...(account.currency === undefined ? {} : { currency: currencies.codeOf(cards, account.currency) }),
      ...(account.portfolio_id === undefined ? {} : { portfolio_id: prefix + account.portfolio_id }),
    }));
  }

  function markOf(of: OracleMessage, prefix: string): MessageMark {
    return {
      phone_number_id: (prefix + of.phone_number_id) as PhoneNumberId,
      message_id: of.message_id as MessageId,
      participant: '',
      customer: of.customer as Customer,
      recipient: of.recipient as Customer,
      dialled_customer: '',
      tag: '',
      failure: null,
      waba_id: within(prefix, of.waba_id) as WabaId,
      sent_at: of.sent_at,
      delivered_at: of.delivered_at ?? null,
      type: of.type,
      template_name: '',
      category: of.category,
      is_template: of.type === 'template',
      is_echo: of.stands_apart,
      policy: of.policy === '' ? null : (of.policy as PolicyName),
      predicted: of.predicted as Mark,
      report:
        of.reported === ''
          ? null
          : { mark: of.reported as Mark, category: of.reported_category, pricing_model: '', conversation_id: '' },
      billing: of.billing as Mark,
      is_mismatch: false,
      is_allowance_difference: false,
      without_free_entry: of.without_free_entry as Mark,
      window: null,
      rule: 'F4',
      odd_reports: 0,
      circumstance: 'none',
      reported_window: null,
    };
  }

  async function writeMarks(ledger: Ledger, marks: readonly MessageMark[]): Promise<void> {
    const rows = new MessageMarkRows();
    for (const mark of marks) rows.add(mark, 1n << 41n);
    await ledger.database.insertBlock('message_marks', rows.encode());
    const stamp = newStamp();
    const dirty = marks.map(({ phone_number_id, delivered_at, sent_at }) => {
      const time = delivered_at ?? sent_at;
      return { stamp, phone_number_id, cell_at: time - (time % CELL_SECONDS) };
    });
    await ledger.database.insertBlock('dirty_cells', encodeRows(DIRTY_CELL, dirty));
  }

  const TIERED: readonly string[] = TIERED_CATEGORIES;

  /** Whether the product refuses a tier file on which the rules still hold: it leaves numbers out, or has other categories. */
  function isRefused(file: RateFile): boolean {
    if (file.kind !== 'tiers') return false;
    const next = new Map<string, number | null>();
    return file.rows.some(({ market, category, from, to }) => {
      if (!TIERED.includes(category)) return true;
      const key = `${market} ${category}`;
      const isApart = from !== (next.has(key) ? next.get(key) : 1);
      next.set(key, to === null ? null : to + 1);
      return isApart;
    });
  }

  async function importCards(ledger: Ledger, asked: readonly Priced[], currencies: Currencies): Promise<void> {
    const distinct = new Map(asked.map(({ cards }) => [JSON.stringify(cards), cards]));
    for (const cards of distinct.values())
      for (const [i, file] of cards.entries()) {
        const own = { ...file, currency: currencies.codeOf(cards, file.currency) };
        const imported = await importRateFile(ledger.database, {
          name: file.name,
          // Files with the same bytes would be one card; empty lines at the end tell them apart.
          bytes: Buffer.from(fileText(own) + '\n'.repeat(i)),
          effective: file.effective_date,
          by: 'a test',
        });
        if (file.withdrawn)
          for (const { card_id } of imported) await withdrawRateCard(ledger.database, card_id, 'a test');
      }
  }

  /** The rows of a report by the prefix of their case, with names as the case has them. */
  async function rowsByCase(ledger: Ledger, report: ReportName, currencies: Currencies): Promise<Map<string, Row[]>> {
    let text = '';
    for await (const part of csvReport(report, ledger.database, EVERYTHING)) text += part;
    const found = new Map<string, Row[]>();
    for (const row of csvRows(text)) {
      const prefix = row['phone_number_id']!.slice(0, DIGITS);
      const own = {
        ...row,
        phone_number_id: row['phone_number_id']!.slice(DIGITS),
        waba_id: row['waba_id']!.slice(DIGITS),
        currency: currencies.nameOf(row['currency']!),
      };
      found.set(prefix, [...(found.get(prefix) ?? []), own]);
    }
    return found;
  }

  test('prices all of the above as the oracle does', async () => {
    const currencies = new Currencies();
    const asked = list.asked.filter(({ cards }) => !cards.some(isRefused));
    const cases = asked.map((priced, i) => ({
      ...priced,
      prefix: prefixOf(i),
      // The markets of the product, which are more than the sample of the oracle's.
      rated: rateMessages({ ...priced, marketOf: productMarketOf }),
    }));
    const config = {
      accounts: cases.flatMap((one) => accountsOf(one, one.prefix, currencies)),
      policy: DEFAULT_POLICY_SETTINGS,
    };
    await withLedger(
      data,
      'price_list',
      async (ledger) => {
        await importCards(ledger, cases, currencies);
        await writeMarks(
          ledger,
          cases.flatMap(({ messages, prefix }) => messages.map((each) => markOf(each, prefix))),
        );
        await settleReports(['charges'], ledger.database);
        const messages = await rowsByCase(ledger, 'messages', currencies);
        const charges = await rowsByCase(ledger, 'charges', currencies);
        const columns = CHARGES_COLUMNS.filter((column) => column !== 'period');
        const texts = (rows: readonly object[]): string[] =>
          rows.map((row) => JSON.stringify(columns.map((column) => (row as Row)[column]))).sort();
        for (const { rated, prefix } of cases) {
          const money = new Map(
            (messages.get(prefix) ?? []).map((row) => [`${row['phone_number_id']} ${row['message_id']}`, row]),
          );
          expect(money.size).toBe(rated.length);
          for (const row of rated)
            expect(money.get(`${row.phone_number_id} ${row.message_id}`)).toMatchObject(moneyColumns(row));
          expect(texts(charges.get(prefix) ?? [])).toEqual(texts(chargesOf(rated)));
        }
      },
      config,
    );
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReportFilters } from '../../schemas/asked.ts';
import { csvReport, settleReports, type ReportName } from '../../services/exports/report.ts';
import { CHARGES_COLUMNS } from '../../services/reports/charges.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { marketOf } from '../../services/rating/markets.ts';
import { BEING_WRITTEN, pricedUnder, setPricedUnder } from '../../services/rating/priced-days.ts';
import { importRateFile, withdrawRateCard } from '../../services/rating/rate-cards.ts';
import { Prng } from '../../services/simulate/prng.ts';
import { oracleMessages, type Row } from '../oracle/oracle.ts';
import { allowanceWorld, fileText, randomMoney, type MoneyWorld } from '../oracle/rating-arbitraries.ts';
import { chargesOf, moneyColumns, rateMessages, type RatedMessage } from '../oracle/rating.ts';
import { parsed } from '../support/expected-rows.ts';
import { drop, EVERYTHING, isFull, openLedger, shuffled } from '../support/ledger.ts';
import { csvRows, DataDirectory } from '../support/product.ts';

/** Rating in ClickHouse against the naive reckoning, on worlds of money nastier than reality (rules.md 5). */

/** All columns of `charges` but the one that says whether a row is frozen. */
const MONEY_COLUMNS = CHARGES_COLUMNS.filter((column) => column !== 'period');

const WORLDS = isFull ? 40 : 1;
const EVENTS = isFull ? 20_000 : 1_500;

let data: DataDirectory;
beforeAll(() => {
  data = new DataDirectory();
});
afterAll(() => data.remove());

async function textOf(ledger: Ledger, report: ReportName, filters: ReportFilters = EVERYTHING): Promise<string> {
  let text = '';
  for await (const part of csvReport(report, ledger.database, filters)) text += part;
  return text;
}

async function rowsOf(ledger: Ledger, report: ReportName, filters: ReportFilters = EVERYTHING): Promise<Row[]> {
  await settleReports([report], ledger.database);
  return csvRows(await textOf(ledger, report, filters));
}

async function importCards(ledger: Ledger, cards: MoneyWorld['cards']): Promise<void> {
  for (const card of cards) {
    const imported = await importRateFile(ledger.database, {
      name: card.name,
      bytes: Buffer.from(fileText(card)),
      effective: card.effective_date,
      by: 'a test',
    });
    if (card.withdrawn) for (const { card_id } of imported) await withdrawRateCard(ledger.database, card_id, 'a test');
  }
}

function expectedOf(world: MoneyWorld): RatedMessage[] {
  const messages = oracleMessages({ events: world.events, accounts: world.accounts, policy: world.policy });
  return rateMessages({ messages, accounts: world.accounts, cards: world.cards, marketOf });
}

/** A group message has a row for each participant. */
const keyOf = (row: { phone_number_id: string; message_id: string; customer: string }): string =>
  `${row.phone_number_id} ${row.message_id} ${row.customer}`;

async function expectMoney(ledger: Ledger, expected: readonly RatedMessage[]): Promise<void> {
  const columns = expected.map((message) => [keyOf(message), moneyColumns(message)] as const);
  const rows = await rowsOf(ledger, 'messages');
  const actual = rows.map((row) => {
    const money = Object.keys(columns[0]?.[1] ?? {}).map((column) => [column, row[column]]);
    return [keyOf(row as never), Object.fromEntries(money)] as const;
  });
  const byKey = <T>(pairs: readonly (readonly [string, T])[]): Record<string, T> => Object.fromEntries(pairs);
  expect(byKey(actual)).toEqual(byKey(columns));
  const sorted = (charges: readonly object[]): string[] =>
    charges.map((row) => JSON.stringify(MONEY_COLUMNS.map((column) => (row as Row)[column]))).sort();
  expect(sorted(await rowsOf(ledger, 'charges'))).toEqual(sorted(chargesOf(expected)));
  // The same rows where the days are not stored with these prices: then the card of each row is searched for.
  expect(await pricedUnder(ledger.database)).not.toBe(BEING_WRITTEN);
  await setPricedUnder(ledger.database, BEING_WRITTEN);
  expect(sorted(csvRows(await textOf(ledger, 'charges')))).toEqual(sorted(chargesOf(expected)));
  const tz = 'Asia/Kathmandu';
  expect(sorted(await rowsOf(ledger, 'charges', { ...EVERYTHING, tz, is_tz_given: true }))).toEqual(
    sorted(chargesOf(expected, { tz })),
  );
}

describe('rating in ClickHouse is that of plain loops, to the last digit', () => {
  let databases = 0;

  async function withWorld(world: MoneyWorld, work: (ledger: Ledger) => Promise<void>): Promise<void> {
    const config = { accounts: [...world.accounts], policy: world.policy };
    const ledger = await openLedger(data, `money_${databases++}`, config);
    try {
      await work(ledger);
      await drop(ledger);
    } finally {
      await ledger.close();
    }
  }

  it.each(Array.from({ length: WORLDS }, (_, i) => i + 1))('on random months %i, event after event', async (seed) => {
    const world = randomMoney(seed, EVENTS, marketOf);
    const prng = new Prng(seed);
    const events = shuffled(parsed(world.events), prng);
    await withWorld(world, async (ledger) => {
      const first = prng.int(0, events.length);
      await ledger.record(events.slice(0, first));
      // Prices of one part before there are cards, of another before there is the rest.
      if (prng.chance(0.5)) await settleReports(['charges'], ledger.database);
      await importCards(ledger, world.cards);
      await settleReports(['charges'], ledger.database);
      const rest = events.slice(first);
      const few = rest.splice(0, 5);
      await ledger.record(rest);
      await settleReports(['charges'], ledger.database);
      for (const event of few) {
        await ledger.record([event]);
        await settleReports(['charges'], ledger.database);
      }
      await expectMoney(ledger, expectedOf(world));
    });
  });

  it('when accounts become others', async () => {
    const world = randomMoney(99, EVENTS, marketOf);
    const others = world.accounts.map((account, i) => ({
      waba_id: account.waba_id,
      ...(i % 3 === 0 ? {} : { time_zone: 'Pacific/Apia' }),
      ...(account.currency === undefined ? { currency: 'USD' } : i % 4 === 0 ? {} : { currency: account.currency }),
      ...(i % 2 === 0 ? { portfolio_id: 'all' } : {}),
    }));
    await withWorld(world, async (ledger) => {
      await ledger.record(parsed(world.events));
      await importCards(ledger, world.cards);
      await settleReports(['charges'], ledger.database);
      const config = { accounts: others, policy: world.policy };
      const reopened = await openLedger(data, ledger.database.name, config);
      try {
        await expectMoney(reopened, expectedOf({ ...world, accounts: others }));
      } finally {
        await reopened.close();
      }
    });
  });

  it.each([
    ['PMP-2026-10', 1_060],
    ['CBP-2023-06', 1_060],
    ...(isFull
      ? ([
          ['PMP-2026-10', 980],
          ['CBP-2023-06', 980],
        ] as const)
      : []),
  ] as const)('where the free places of %s run out, or not, with %i messages', async (policy, charged) => {
    const world = allowanceWorld({ policy, charged });
    const events = shuffled(parsed(world.events), new Prng(7));
    await withWorld(world, async (ledger) => {
      await importCards(ledger, world.cards);
      await ledger.record(events.slice(40));
      await settleReports(['charges'], ledger.database);
      await ledger.record(events.slice(0, 40));
      await expectMoney(ledger, expectedOf(world));
    });
  });
});

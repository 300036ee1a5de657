import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Account } from '@ctwa-ledger/schemas/config.ts';
import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { PhoneNumberId } from '@ctwa-ledger/schemas/ids.ts';
import { goldenCases, type GoldenCase } from '../oracle/golden.ts';
import type { OracleReports, Row } from '../oracle/oracle.ts';
import { parsed } from '../support/expected-rows.ts';
import { expectGolden, LATER, policyOf } from '../support/golden.ts';
import { DataDirectory, EVERYTHING, reportTexts, rowsOf, withLedger } from '../support/ledger.ts';

/** The price list in ClickHouse. All cases lie side by side in one ledger: a ledger for each would cost minutes. */

const DIGITS = 4;
/** What stands before the numbers, accounts and ads of a case: cases share nothing but the ledger. */
const prefixOf = (i: number): string => String(10 ** (DIGITS - 1) + i);
const cases = goldenCases.map((golden, i) => ({ golden, prefix: prefixOf(i) }));
type Case = (typeof cases)[number];

function eventsOf({ golden, prefix }: Case): LedgerEvent[] {
  const within = (text: string): string => (text === '' ? '' : prefix + text);
  return parsed(golden.events).map((event) => ({
    ...event,
    phone_number_id: `${prefix}${event.phone_number_id}` as PhoneNumberId,
    waba_id: within(event.waba_id),
    ...(event.event === 'message' ? { referral_source_id: within(event.referral_source_id) } : {}),
  }));
}

function accountsOf({ golden, prefix }: Case): Account[] {
  return (golden.accounts ?? []).map((account) => ({
    ...account,
    waba_id: prefix + account.waba_id,
    ...(account.phone_number_ids === undefined
      ? {}
      : { phone_number_ids: account.phone_number_ids.map((number) => prefix + number) }),
  }));
}

/** By the prefix of their case, the rows of a report, with numbers and ads as the case names them. */
function byCase(rows: readonly Row[], nameOf: (row: Row) => string | undefined): Map<string, Row[]> {
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    const prefix = (nameOf(row) ?? '').slice(0, DIGITS);
    const own = Object.entries(row).map(([column, cell]): [string, string] =>
      column === 'phone_number_id' || column === 'ad_id' ? [column, (cell ?? '').slice(DIGITS)] : [column, cell ?? ''],
    );
    found.set(prefix, [...(found.get(prefix) ?? []), Object.fromEntries(own)]);
  }
  return found;
}

/** Everything that a ledger reports, taken apart by case. */
class Reported {
  readonly #tables: Readonly<Record<keyof OracleReports, Map<string, Row[]>>>;

  constructor({ messages, conversations, daily, ads }: OracleReports) {
    const number = (row: Row): string | undefined => row['phone_number_id'];
    this.#tables = {
      messages: byCase(messages, number),
      conversations: byCase(conversations, number),
      daily: byCase(daily, number),
      ads: byCase(ads, (row) => row['ad_id']),
    };
  }

  of(prefix: string): OracleReports {
    const { messages, conversations, daily, ads } = this.#tables;
    return {
      messages: messages.get(prefix) ?? [],
      conversations: conversations.get(prefix) ?? [],
      daily: daily.get(prefix) ?? [],
      ads: ads.get(prefix) ?? [],
    };
  }
}

const policyText = (golden: GoldenCase): string => JSON.stringify(policyOf(golden));
const policies = [...new Map(goldenCases.map((golden) => [policyText(golden), policyOf(golden)]))];

describe('the price list in ClickHouse', () => {
  let data: DataDirectory;
  beforeAll(async () => {
    data = new DataDirectory();
    await withLedger(data, 'golden', (ledger) => ledger.record(cases.flatMap(eventsOf)));
  });
  afterAll(() => data.remove());

  describe.each(policies)('under %s', (text, policy) => {
    const own = cases.filter(({ golden }) => policyText(golden) === text);
    const reported = new Map<number, Reported>();
    beforeAll(async () => {
      const config = { accounts: cases.flatMap(accountsOf), policy };
      await withLedger(
        data,
        'golden',
        async ({ database }) => {
          for (const as_of of new Set(own.map(({ golden }) => golden.as_of ?? LATER)))
            reported.set(as_of, new Reported(rowsOf(await reportTexts(database, { ...EVERYTHING, as_of }))));
        },
        config,
      );
    });

    it.each(own.map((one) => [`${one.golden.rule}: ${one.golden.name}`, one] as const))(
      '%s',
      (_, { golden, prefix }) => {
        const rows = reported.get(golden.as_of ?? LATER);
        if (rows === undefined) throw new Error('Nothing was reported.');
        expectGolden(rows.of(prefix), golden);
      },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY_SETTINGS } from '../../schemas/config.ts';
import { inputArbitrary, randomTraffic } from '../oracle/arbitraries.ts';
import { goldenCases } from '../oracle/golden.ts';
import type { GoldenCase } from '../oracle/golden.ts';
import { oracleReports } from '../oracle/oracle.ts';
import type { OracleReports, Row } from '../oracle/oracle.ts';
import { expectGolden, LATER } from '../support/golden.ts';

function reportsOf(golden: GoldenCase): OracleReports {
  return oracleReports({
    events: golden.events,
    accounts: golden.accounts ?? [],
    policy: { ...DEFAULT_POLICY_SETTINGS, ...golden.policy },
    as_of: golden.as_of ?? LATER,
    tz: 'UTC',
  });
}

describe('golden cases', () => {
  test('have names of their own', () => {
    const names = goldenCases.map(({ name }) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  test('each says something of some row', () => {
    const silent = goldenCases.filter(({ expect: wanted }) => {
      const rows = Object.values(wanted).flatMap((table) => (Array.isArray(table) ? table : Object.values(table)));
      return rows.every((row) => typeof row === 'object' && Object.keys(row as object).length === 0);
    });
    expect(silent.map(({ name }) => name)).toEqual([]);
  });

  test.each(goldenCases.map((golden) => [`${golden.rule}: ${golden.name}`, golden] as const))('%s', (_, golden) => {
    expectGolden(reportsOf(golden), golden);
  });
});

test('rows of messages are in the order of sending, then of id, number and customer', () => {
  const status = (id: string, timestamp: number, fields: object): unknown => ({
    event: 'status',
    phone_number_id: '1',
    id,
    status: 'sent',
    timestamp,
    ...fields,
  });
  const events = [
    status('b', LATER, { group_id: 'G', participant: '2' }),
    status('b', LATER, { group_id: 'G', participant: '10' }),
    status('b', LATER, { phone_number_id: '0', wa_id: '15' }),
    status('a', LATER, { wa_id: '9' }),
    status('\u{1d400}', LATER, { wa_id: '1' }),
    status('\u{ff21}', LATER, { wa_id: '1' }),
    status('z', LATER - 1, { wa_id: '9' }),
  ];
  const { messages } = reportsOf({ name: '', rule: '', events, expect: {} });
  expect(messages.map((row) => `${row['message_id']} ${row['customer']}`)).toEqual([
    'z 9',
    'a 9',
    'b 15',
    'b 10',
    'b 2',
    '\u{ff21} 1',
    '\u{1d400} 1',
  ]);
});

describe('any traffic', () => {
  test('neither order nor repetition of the events matters', () => {
    fc.assert(
      fc.property(inputArbitrary(), (input) => {
        const reports = oracleReports(input);
        const events = [...input.events, ...input.events].reverse();
        expect(oracleReports({ ...input, events })).toEqual(reports);
      }),
      { numRuns: 100 },
    );
  });

  test('daily and ad figures add up to the rows', () => {
    fc.assert(
      fc.property(inputArbitrary(), (input) => {
        const { events, accounts, policy, as_of, tz } = input;
        const { messages, conversations, daily, ads } = oracleReports({ events, accounts, policy, as_of, tz });
        const sum = (rows: readonly Row[], column: string): number =>
          rows.reduce((total, row) => total + Number(row[column]), 0);
        const billed = (mark: string): number => messages.filter((row) => row['billing'] === mark).length;
        expect(sum(daily, 'messages')).toBe(messages.length);
        expect(sum(daily, 'billable')).toBe(billed('BILLABLE'));
        expect(sum(daily, 'free_entry')).toBe(billed('FREE_ENTRY'));
        expect(sum(daily, 'delivered')).toBe(messages.length - billed('UNDELIVERED'));
        const starts = conversations.filter((row) => row['conversation_id'] === row['ad_conversation_id']).length;
        expect(sum(daily, 'ad_conversations')).toBe(starts);
        expect(sum(ads, 'ad_conversations')).toBe(starts);
        const opened = conversations.filter((row) => row['opened_at'] !== '').length;
        expect(sum(daily, 'windows_opened')).toBe(opened);
        expect(sum(ads, 'windows_opened')).toBe(opened);
        expect(sum(ads, 'free_messages')).toBe(sum(conversations, 'free_messages'));
        expect(sum(daily, 'windows_reported_only')).toBeLessThanOrEqual(sum(daily, 'messages_reported_only'));
        const unexplained = messages.filter(
          (row) => row['reported'] === 'FREE_ENTRY' && row['predicted'] !== 'FREE_ENTRY',
        );
        expect(sum(daily, 'messages_reported_only')).toBeLessThanOrEqual(unexplained.length);
        expect(sum(ads, 'free_messages')).toBe(messages.filter((row) => row['predicted'] === 'FREE_ENTRY').length);
      }),
      { numRuns: 100 },
    );
  });

  test('seeded traffic is the same every time and reaches every mark under every policy', () => {
    const events = randomTraffic(7, 6000);
    expect(events).toHaveLength(6000);
    expect(randomTraffic(7, 6000)).toEqual(events);
    expect(randomTraffic(8, 6000)).not.toEqual(events);
    const { messages } = oracleReports({
      events,
      accounts: [],
      policy: DEFAULT_POLICY_SETTINGS,
      as_of: LATER,
      tz: 'UTC',
    });
    const seen = new Set(messages.map((row) => `${row['policy']} ${row['predicted']}`));
    const marks = ['FREE_ENTRY', 'FREE_SERVICE', 'BILLABLE', 'UNKNOWN'];
    for (const policy of ['CBP-2023-06', 'CBP-2024-11', 'PMP-2025-07', 'PMP-2026-10']) {
      for (const mark of marks) expect(seen).toContain(`${policy} ${mark}`);
    }
    expect(seen).toContain('CBP-2023-06 COVERED');
    expect(seen).toContain('CBP-2024-11 COVERED');
  });
});

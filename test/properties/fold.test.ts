import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY_SETTINGS } from '@ctwa-ledger/schemas/config.ts';
import type { Rows } from '../../services/lifecycle/marks.ts';
import { inputArbitrary } from '../oracle/arbitraries.ts';
import { goldenCases } from '../oracle/golden.ts';
import { rowNamed } from '../oracle/golden/builders.ts';
import { oracleReports, type Row } from '../oracle/oracle.ts';
import { fold, printed, withoutGuard } from '../support/expected-rows.ts';
import { LATER, policyOf } from '../support/golden.ts';

const numRuns = process.env['CTWA_FULL'] === '1' ? 20_000 : 1_000;

function asSets(rows: Rows): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(rows).map(([name, list]) => [
      name,
      [...new Set((list as unknown[]).map((row) => JSON.stringify(row)))].sort(),
    ]),
  );
}

describe('the price list', () => {
  it.each(goldenCases.map((c) => [`${c.rule}: ${c.name}`, c] as const))('%s', (_, c) => {
    const accounts = c.accounts ?? [];
    const policy = policyOf(c);
    const rows = printed(fold(c.events, accounts, policy), 'UTC');
    // A case that expects sums alone is held to the rows that they are of.
    const naive = oracleReports({ events: c.events, accounts, policy, tz: 'UTC', as_of: c.as_of ?? LATER });
    expect(rows.messages).toEqual(withoutGuard(naive.messages));
    expect(rows.conversations).toEqual(withoutGuard(naive.conversations));
    for (const [key, wanted] of Object.entries(c.expect.messages ?? {}))
      expect(rowNamed(rows.messages, key), key).toMatchObject(withoutGuard([wanted as Row])[0]!);
    for (const key of c.expect.noMessages ?? []) expect(rowNamed(rows.messages, key), key).toBeUndefined();
    for (const [id, wanted] of Object.entries(c.expect.conversations ?? {}))
      expect(
        rows.conversations.find((row) => row['conversation_id'] === id),
        id,
      ).toMatchObject(wanted);
    const entries = rows.conversations.map((row) => row['conversation_id']);
    for (const id of c.expect.noConversations ?? []) expect(entries).not.toContain(id);
  });
});

describe('any traffic', () => {
  it('gives the rows that the naive rules give', () => {
    fc.assert(
      fc.property(inputArbitrary(), ({ events, accounts, policy, tz, as_of }) => {
        const expected = oracleReports({ events, accounts, policy, tz, as_of });
        const actual = printed(fold(events, accounts, policy), tz);
        expect(actual.messages).toEqual(withoutGuard(expected.messages));
        expect(actual.conversations).toEqual(withoutGuard(expected.conversations));
      }),
      { numRuns },
    );
  });

  it('keeps the reply that opens a window free, even where its own report ends the window at once (W5)', () => {
    const [entry, sent] = [1_760_270_400, 1_760_356_800];
    const base = { phone_number_id: '106540352242922', wa_id: '16505550000' };
    const delivered = { ...base, event: 'status', id: 'wamid.S', status: 'delivered', timestamp: entry };
    const conversation = { origin: { type: 'referral_conversion' }, expiration_timestamp: sent };
    const events = [
      {
        ...base,
        event: 'message',
        direction: 'inbound',
        id: 'wamid.I',
        type: 'text',
        timestamp: entry,
        referral: { source_type: 'ad', source_id: '1' },
      },
      {
        ...base,
        event: 'status',
        id: 'wamid.S',
        status: 'sent',
        timestamp: sent,
        conversation,
        pricing: { type: 'regular', category: 'marketing' },
      },
      delivered,
      { ...base, event: 'message', direction: 'outbound', id: 'wamid.T', type: 'text', timestamp: sent },
      { ...delivered, id: 'wamid.T', timestamp: sent },
    ];
    const policy = { ...DEFAULT_POLICY_SETTINGS, clock: 'sent' as const };
    const marks = fold(events, [], policy).messages.map((mark) => [mark.message_id, mark.predicted]);
    expect(new Map(marks as [string, string][])).toEqual(
      new Map([
        ['wamid.S', 'FREE_ENTRY'],
        ['wamid.T', 'FREE_SERVICE'],
      ]),
    );
    const rows = oracleReports({ events, accounts: [], policy, tz: 'UTC', as_of: sent }).messages;
    expect(rows.map((row) => row['predicted'])).toEqual(['FREE_ENTRY', 'FREE_SERVICE']);
  });

  it('gives the same rows in any order and with any duplicates', () => {
    const shuffled = inputArbitrary().chain((input) =>
      fc.record({
        input: fc.constant(input),
        order: fc.shuffledSubarray([...input.events.keys(), ...input.events.keys()], {
          minLength: input.events.length,
        }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ input: { events, accounts, policy }, order }) => {
        const again = [...order.map((i) => events[i]), ...events];
        expect(asSets(fold(again, accounts, policy))).toEqual(asSets(fold(events, accounts, policy)));
      }),
      { numRuns: Math.ceil(numRuns / 2) },
    );
  });

  it('never lets free entry windows of a thread overlap, nor marks a row both free and billable', () => {
    fc.assert(
      fc.property(inputArbitrary(), ({ events, accounts, policy }) => {
        const rows = fold(events, accounts, policy);
        const windows = new Map<string, { opened_at: number; expires_at: number }[]>();
        for (const { phone_number_id, customer, window } of rows.entries)
          if (window !== null) {
            const thread = `${phone_number_id} ${customer}`;
            windows.set(thread, [...(windows.get(thread) ?? []), window]);
          }
        for (const ofThread of windows.values()) {
          const inOrder = ofThread.sort((a, b) => a.opened_at - b.opened_at);
          inOrder.forEach((window, i) => {
            const next = inOrder[i + 1];
            if (next !== undefined) expect(window.expires_at).toBeLessThanOrEqual(next.opened_at);
            // By the clock of sending a window opens when its reply was sent, and a report is measured by the delivery,
            // which statuses of a wrong clock put earlier: then it may end before it opens, and only its reply is in it.
            if (policy.clock === 'delivered') expect(window.opened_at).toBeLessThan(window.expires_at);
          });
        }
        const ids = rows.messages.map((m) => `${m.phone_number_id} ${m.message_id} ${m.participant}`);
        expect(new Set(ids).size).toBe(ids.length);
        for (const m of rows.messages) expect(m.window === null).toBe(m.predicted !== 'FREE_ENTRY');
      }),
      { numRuns },
    );
  });
});

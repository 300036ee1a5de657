import { describe, expect, it } from 'vitest';
import type { Account } from '@ctwa-ledger/schemas/config.ts';
import type { ListedAccount } from '@ctwa-ledger/schemas/changes.ts';
import { setupSteps, setupVerdict, type SetupFacts } from '../../dashboard/src/lib/setup/setup.ts';

const account = (given: Partial<Account>): ListedAccount => ({
  account: { waba_id: '1', ...given },
  set_by: null,
  delivered_messages: 1,
  phone_number_ids: [],
});
const NOTHING: SetupFacts = { status: { events: 0 }, accounts: [], cards: [], spend_imports: [], meta_imports: [] };
const SET = account({ name: 'Acme', currency: 'BRL', time_zone: 'America/Sao_Paulo' });
const CARD = { kind: 'list', currency: 'BRL', state: 'holds' } as const;
const KEPT = [{ withdrawn_at: null }];

const marks = (facts: Partial<SetupFacts>): string =>
  setupSteps({ ...NOTHING, ...facts })
    .map(({ is_done }) => (is_done ? 'x' : '-'))
    .join('');

describe('the steps of setting up', () => {
  it.each<[string, Partial<SetupFacts>, string]>([
    ['nothing yet', {}, '-----'],
    ['an event', { status: { events: 1 } }, 'x----'],
    ['an account that only messages name', { accounts: [account({})] }, '-----'],
    ['an account without a zone', { accounts: [account({ currency: 'BRL' })] }, '-----'],
    ['an account that is set', { accounts: [SET] }, '-x---'],
    ['two accounts, one without a currency', { accounts: [SET, account({ time_zone: 'UTC' })] }, '-----'],
    ['a card in the currency', { accounts: [SET], cards: [CARD] }, '-xx--'],
    ['a card in another currency', { accounts: [SET], cards: [{ ...CARD, currency: 'USD' }] }, '-x---'],
    ['a withdrawn card', { accounts: [SET], cards: [{ ...CARD, state: 'withdrawn' }] }, '-x---'],
    ['tiers without a card', { accounts: [SET], cards: [{ ...CARD, kind: 'tiers' }] }, '-x---'],
    ['ad costs', { spend_imports: KEPT }, '---x-'],
    ['withdrawn ad costs', { spend_imports: [{ withdrawn_at: '2026-10-01T00:00:00+00:00' }] }, '-----'],
    ['numbers of Meta', { meta_imports: KEPT }, '----x'],
  ])('are done where there is %s', (_, facts, expected) => {
    expect(marks(facts)).toBe(expected);
  });

  it('say what is missing, and for whom', () => {
    const steps = setupSteps({ ...NOTHING, accounts: [SET, account({ waba_id: '77' })], cards: [CARD] });
    expect(steps[1]!.detail).toContain('Missing for 77');
    const others = setupSteps({
      ...NOTHING,
      accounts: ['A', 'B', 'C', 'D', 'E'].map((name) => account({ name })),
    });
    expect(others[1]!.detail).toContain('Missing for A, B, C and 2 more');
  });

  it('are counted in words', () => {
    const verdict = (facts: Partial<SetupFacts>): string => setupVerdict(setupSteps({ ...NOTHING, ...facts }));
    expect(verdict({})).toBe('0 of 5 steps are done.');
    const usable = { status: { events: 3 }, accounts: [SET], cards: [CARD] };
    expect(verdict(usable)).toBe('3 of 5 steps are done. The others are optional.');
    expect(verdict({ ...usable, spend_imports: KEPT, meta_imports: KEPT })).toBe('Everything is set up.');
  });
});

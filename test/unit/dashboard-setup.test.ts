import { describe, expect, it } from 'vitest';
import type { Account } from '@ctwa-ledger/schemas/config.ts';
import type { ListedAccount } from '@ctwa-ledger/schemas/changes.ts';
import { deliveryWords, missingSecrets, webhookAddress } from '../../dashboard/src/lib/setup/webhook.ts';
import { setupSteps, setupVerdict, type SetupFacts } from '../../dashboard/src/lib/setup/setup.ts';

const account = (given: Partial<Account>): ListedAccount => ({
  account: { waba_id: '1', ...given },
  set_by: null,
  delivered_messages: 1,
  phone_number_ids: [],
});
const NOTHING: SetupFacts = {
  ...{ status: { events: 0 }, webhook: null },
  ...{ accounts: [], cards: [], spend_imports: [], meta_imports: [] },
};
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

describe('the webhook, for whoever sets it up', () => {
  it.each([
    ['http://ledger.example.com:8443/health', 'https://ledger.example.com:8443/webhook'],
    ['http://127.0.0.1:8787/', 'https://your-host.example/webhook'],
    ['http://localhost:8787/', 'https://your-host.example/webhook'],
    ['http://[::1]:8787/', 'https://your-host.example/webhook'],
  ])('behind %s is %s', (page, address) => {
    expect(webhookAddress(new URL(page))).toBe(address);
  });

  it.each<[boolean, boolean, readonly string[]]>([
    [true, true, []],
    [false, true, ['META_VERIFY_TOKEN']],
    [true, false, ['META_APP_SECRET']],
    [false, false, ['META_VERIFY_TOKEN', 'META_APP_SECRET']],
  ])('with a token %s and a secret %s lacks %s', (has_verify_token, has_app_secret, missing) => {
    expect(missingSecrets({ has_verify_token, has_app_secret, last_delivery: null })).toEqual(missing);
  });

  const at = Date.UTC(2026, 9, 5, 14, 3) / 1000;
  it.each([
    [null, 'none since this server started'],
    [{ at, status: 200 }, '5 Oct 2026, 14:03 UTC, accepted'],
    [
      { at, status: 401 },
      '5 Oct 2026, 14:03 UTC, refused: its signature is missing, or was not made with META_APP_SECRET',
    ],
    [{ at, status: 503 }, '5 Oct 2026, 14:03 UTC, not stored, Meta sends it again'],
    [{ at, status: 415 }, '5 Oct 2026, 14:03 UTC, refused with status 415'],
  ])('was last told %j: %s', (last, words) => {
    expect(deliveryWords(last)).toBe(words);
  });
});

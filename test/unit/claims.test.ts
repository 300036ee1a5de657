import { CLAIM_ACTIONS, type ClaimAction } from '@ctwa-ledger/schemas/claims.ts';
import { describe, expect, it } from 'vitest';
import { claimStanding, isAllowed, type ClaimEntry } from '../../services/reconciliation/claims.ts';

/** What happened, in order: an action, or an action with an amount. */
type Happened = ClaimAction | readonly ['make' | 'pay', number];

function entries(happened: readonly Happened[]): ClaimEntry[] {
  return happened.map((one, i) => {
    const [action, amount] = typeof one === 'string' ? [one, 0] : one;
    const memo = action === 'pay' ? `cm${i}` : '';
    const reference = action === 'refer' ? `case ${i}` : '';
    const rest = { by: 'ana', note: '', reference, credit: memo };
    return { entry_id: `e${i}`, revision: i + 1, at: i, action, amount: BigInt(amount), ...rest };
  });
}

describe('the state of a claim', () => {
  const CASES: readonly (readonly [readonly Happened[], string, number])[] = [
    [[['make', 10]], 'made', 0],
    [[['make', 10], 'refer'], 'made', 0],
    [[['make', 10], 'grant'], 'granted', 0],
    [[['make', 10], 'refuse'], 'refused', 0],
    [[['make', 10], 'refuse', 'grant'], 'granted', 0],
    [[['make', 10], 'withdraw'], 'withdrawn', 0],
    [
      [
        ['make', 10],
        ['pay', 4],
      ],
      'paid_in_part',
      4,
    ],
    [[['make', 10], ['pay', 4], 'refuse'], 'paid_in_part', 4],
    [
      [
        ['make', 10],
        ['pay', 4],
        ['pay', 6],
      ],
      'paid',
      10,
    ],
    // Too late: what is over stays what it is.
    [[['make', 10], ['pay', 10], 'withdraw', 'refuse'], 'paid', 10],
    [[['make', 10], 'withdraw', ['pay', 10], 'grant'], 'withdrawn', 0],
  ];
  it.each(CASES)('%j is %s', (happened, state, recovered) => {
    expect(claimStanding(entries(happened))).toMatchObject({ state, recovered: BigInt(recovered), claimed: 10n });
    expect(claimStanding(entries(happened).toReversed())).toMatchObject({ state });
  });

  it('is nothing before it is made, and takes the first of two entries of one revision', () => {
    expect(claimStanding([])).toBeNull();
    expect(claimStanding(entries(['grant']))).toBeNull();
    const [made, granted] = entries([['make', 10], 'grant']);
    const refused: ClaimEntry = { ...granted!, entry_id: 'later', action: 'refuse', at: 9 };
    expect(claimStanding([refused, made!, granted!])).toMatchObject({ state: 'granted' });
  });

  it('keeps its number and the credit memos that paid it', () => {
    const standing = claimStanding(entries([['make', 10], 'refer', ['pay', 4], ['pay', 6], 'refer']));
    expect(standing).toMatchObject({ reference: 'case 4', credits: ['cm2', 'cm3'], made: { at: 0 }, last: { at: 4 } });
  });

  it('can change as long as it is not over', () => {
    const allowed = (['made', 'granted', 'refused', 'paid_in_part', 'paid', 'withdrawn'] as const).map(
      (state) => `${state}: ${CLAIM_ACTIONS.filter((action) => isAllowed(state, action)).join(' ')}`,
    );
    expect(allowed).toEqual([
      'made: refer grant refuse pay withdraw',
      'granted: refer refuse pay withdraw',
      'refused: refer grant pay withdraw',
      'paid_in_part: refer refuse pay',
      'paid: refer',
      'withdrawn: ',
    ]);
  });
});

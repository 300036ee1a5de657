import type { ReconciliationRow } from '@ctwa-ledger/schemas/meta.ts';
import { describe, expect, it } from 'vitest';
import { disputeLetter, disputePage, sumsOf } from '../../services/periods/dispute-letter.ts';
import { mayBeOf } from '../../services/periods/evidence-pack.ts';

const ROW: ReconciliationRow = {
  waba_id: '10',
  month: '2026-10',
  day: '2026-10-05',
  phone_number: '15550783881',
  country: 'BR',
  category: 'MARKETING',
  pricing_type: 'REGULAR',
  tier: '',
  our_volume: '5',
  meta_volume: '8',
  volume_difference: '-3',
  currency: 'USD',
  our_cost: '0.3125',
  meta_cost: '0.5',
  cost_difference: '-0.1875',
  status: 'volume',
  explanation: 'unexplained',
  explained_volume: '0',
};
const OTHER = { ...ROW, day: '2026-10-07', our_cost: '0.1', meta_cost: null, cost_difference: null };
const dispute = { waba_id: '10', month: '2026-10', explanation: 'unexplained', messages: 5 } as const;

describe('a letter', () => {
  it('has the figures of the rows, and asks for a credit where Meta charges more', () => {
    expect(disputeLetter({ ...dispute, rows: [ROW, OTHER] }))
      .toBe(`Subject: WhatsApp charges of October 2026, account 10: 2 rows differ

Hello,

We have compared the charges of WhatsApp Business account 10 for October 2026 with our own records.
2 rows of your pricing analytics (2026-10-05 to 2026-10-07) differ from them:

  Messages: 10 in our records, 16 in yours (difference −6).
  Charges: USD 0.3125 in our records, USD 0.5 in yours (difference −0.1875).
  For 1 of the rows one side names no amount; it is not in the charges.

We have not found a reason on our side.

The file differences.csv lists the rows. The file messages.csv lists the 5 messages that we have on record for
them, each with its id, its times, the pricing that your webhooks reported and the price that we expected.

Could you please check these rows and tell us how they came about? If they were charged in error, we kindly ask
you for a credit of USD 0.1875, with the number of your case in your answer.

Thank you for your help.

Kind regards
`);
  });

  it('names what explains rows that were chosen one by one', () => {
    const late = { ...ROW, explanation: 'late' } as const;
    const midnight = { ...OTHER, explanation: 'midnight' } as const;
    const chosen = { ...dispute, explanation: null } as const;
    expect(disputeLetter({ ...chosen, rows: [late, midnight, ROW] })).toContain(
      'What we found so far: counted on the neighbouring day; known here only after Meta’s numbers.\nFor the other rows we have not found a reason on our side.\n',
    );
    expect(disputeLetter({ ...chosen, rows: [late] })).toContain(
      'What we found so far: known here only after Meta’s numbers.\n',
    );
    expect(disputeLetter({ ...chosen, rows: [ROW] })).toContain('We have not found a reason on our side.\n');
    expect(disputePage({ ...chosen, rows: [late, ROW] })).toContain(
      'Known here only after Meta’s numbers; Not explained.',
    );
  });

  it('asks for no credit when Meta charges less, and names no unknown amount', () => {
    const less = { ...ROW, cost_difference: '0.1', our_cost: '0.6', meta_cost: '0.5' };
    const letter = disputeLetter({ ...dispute, explanation: 'midnight', rows: [less] });
    expect(letter).toContain('(difference +0.1)');
    expect(letter).toContain('What we found so far: counted on the neighbouring day.');
    expect(letter).not.toContain('credit');
    expect(disputeLetter({ ...dispute, rows: [OTHER] })).toContain(
      'Charges: not compared, because one side names no amount.',
    );
    expect(disputeLetter({ ...dispute, rows: [{ ...ROW, currency: '' }] })).toContain('Charges: not compared');
  });

  it('never adds up currencies', () => {
    expect(() => sumsOf([ROW, { ...ROW, currency: 'EUR' }])).toThrow('Rows in USD, EUR have no sum.');
  });
});

describe('a page of evidence', () => {
  it('prints its rows, up to a limit, and nothing of them as markup', () => {
    const rows = Array.from({ length: 502 }, () => ({ ...ROW, country: '<b>' }));
    const page = disputePage({ ...dispute, rows });
    expect(page.match(/<td>&lt;b&gt;<\/td>/g)).toHaveLength(500);
    expect(page).toContain('And 2 more, in differences.csv.');
    expect(page).not.toContain('<b>');
  });
});

describe('a message', () => {
  const message = { phone_number_id: '106', category: 'marketing', rated_category: 'marketing', billing: 'BILLABLE' };
  const ids = new Map([['15550783881', '106']]);
  const CASES: readonly (readonly [string, Partial<ReconciliationRow>, boolean])[] = [
    ['of the number, category and billing', {}, true],
    ['of another category', { category: 'UTILITY' }, false],
    ['of any category', { category: 'ANY' }, true],
    ['free by an ad', { pricing_type: 'FREE_ENTRY_POINT' }, false],
    ['of another number', { phone_number: '551140001111' }, false],
    ['of a row without numbers', { phone_number: '' }, true],
    ['of a row that names our id', { phone_number: '106' }, true],
    ['beside what only Meta has', { status: 'only_meta', category: 'UTILITY' }, true],
  ];
  it.each(CASES)('%s', (_, row, expected) => {
    expect(mayBeOf({ ...ROW, ...row }, message, ids)).toBe(expected);
  });
});

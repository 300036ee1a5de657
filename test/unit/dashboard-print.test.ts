import { describe, expect, it } from 'vitest';
import { sheetOf } from '../../dashboard/src/lib/print/sheet.ts';

const OCTOBER = { from: '2026-10-01', to: '2026-11-01' };
const CLOSED = { month: '2026-10', closed_at: '2026-11-02T09:00:00+00:00', closed_by: 'ana' };
const PAGE = {
  title: 'Billing, 1 – 31 Oct 2026 · CTWA Ledger',
  waba_id: null,
  accounts: [{ waba_id: '103', name: 'Casa Azul', numbers: [] }],
  range: OCTOBER,
  closings: [],
  is_sample: false,
  read_at: Date.UTC(2026, 10, 3, 8, 5) / 1000,
};

describe('the margins of a printed page', () => {
  it.each([
    ['all accounts, live', {}, 'all accounts, live'],
    ['one account', { waba_id: '102' }, 'account 102, live'],
    ['one with a name', { waba_id: '103' }, 'account Casa Azul, live'],
    ['messages of no account', { waba_id: '' }, 'messages of no account, live'],
    ['a closed month', { waba_id: '102', closings: [CLOSED] }, 'account 102, Closed 2 Nov by ana'],
    ['several of them', { closings: [CLOSED, CLOSED] }, 'all accounts, 2 closed months'],
    ['the sample', { is_sample: true, closings: [CLOSED] }, 'all accounts, sample data'],
    ['a page without days', { range: null }, ''],
  ])('say what it is about: %s', (_, given, state) => {
    expect(sheetOf({ ...PAGE, ...given }).state).toBe(state);
  });

  it('name its days once', () => {
    expect(sheetOf(PAGE).title).toBe('CTWA Ledger, Billing, 1 – 31 Oct 2026');
    expect(sheetOf({ ...PAGE, title: 'Charges · CTWA Ledger' }).title).toBe('CTWA Ledger, Charges, 1 – 31 Oct 2026');
    expect(sheetOf({ ...PAGE, title: 'Health · CTWA Ledger', range: null }).title).toBe('CTWA Ledger, Health');
  });

  it('say when it was read', () => {
    expect(sheetOf(PAGE).foot).toBe('As of 3 Nov 2026, 08:05 UTC');
  });
});

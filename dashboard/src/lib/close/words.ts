import type { AccountName } from '@ctwa-ledger/schemas/reports.ts';
import { ChecklistWords } from '@ctwa-ledger/schemas/checklist-words.ts';
import type { Closing, LaterCause } from '@ctwa-ledger/schemas/periods.ts';

import { accountName } from '../filters/picked.ts';
import { amountDifference, money } from '../format/amounts.ts';
import { longDay, monthLabel, shortDay } from '../format/dates.ts';
import { count, counted } from '../format/numbers.ts';

/** The checklist with numbers in the reader's format. */
export const WORDS = new ChecklistWords({
  count,
  money,
  difference: (decimal, currency) => `${amountDifference(decimal, currency)} ${currency}`,
  day: longDay,
  month: monthLabel,
});

/** The name of an account in a sentence; the empty one stands for messages that name none. */
export const accountLabel = (waba_id: string, accounts: readonly AccountName[] = []): string =>
  waba_id === '' ? 'messages of no account' : `account ${accountName(waba_id, accounts)}`;

/** Limit for a day without its year: further away, it could be taken for a day of another year. */
const NEAR_DAYS = 180;

/** `Closed 2 Nov by ana`. */
export function closedLabel({
  month,
  closed_at,
  closed_by,
}: Pick<Closing, 'month' | 'closed_at' | 'closed_by'>): string {
  const days = (Date.parse(closed_at) - Date.parse(`${month}-01T00:00:00Z`)) / 86_400_000;
  const day = closed_at.slice(0, 10);
  return `Closed ${days < NEAR_DAYS ? shortDay(day) : longDay(day)} by ${closed_by}`;
}

/** A cause that arrived after a closing, in words. */
export function causeLabel({ what, name, events }: LaterCause): string {
  switch (what) {
    case 'events':
      return `${counted(events, 'event')} of the month stored`;
    case 'events_removed':
      return `${counted(events, 'event')} of the month removed, because they were old; marks and amounts stay`;
    case 'card_imported':
      return `Card imported: ${name}`;
    case 'card_withdrawn':
      return `Card withdrawn: ${name}`;
  }
}

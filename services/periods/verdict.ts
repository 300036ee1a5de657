import type { Check, CheckName, Verdict } from '@ctwa-ledger/schemas/periods.ts';

/** What is not there: nothing can be said of the month without it. Other items that are open are breaks. */
const OF_COMPLETENESS: ReadonlySet<CheckName> = new Set(['meta_numbers', 'events', 'counts', 'prices', 'closed_once']);

/** What an item makes of a month, by itself. */
function verdictOf({ check, state }: Check): Verdict {
  switch (state) {
    case 'unknown':
      return 'incomplete';
    case 'open':
      return OF_COMPLETENESS.has(check) ? 'incomplete' : 'breaks';
    case 'warning':
      return 'warnings';
    case 'pending':
      return 'pending';
    case 'passed':
      return 'reconciled';
  }
}

const ORDER = ['incomplete', 'breaks', 'warnings', 'pending'] as const satisfies readonly Verdict[];

/** The verdict of a month, and the items that make it so. Pure. */
export function judgeMonth(checklist: readonly Check[]): {
  readonly verdict: Verdict;
  readonly because: readonly CheckName[];
} {
  for (const verdict of ORDER) {
    const because = checklist.filter((check) => verdictOf(check) === verdict).map(({ check }) => check);
    if (because.length > 0) return { verdict, because };
  }
  return { verdict: 'reconciled', because: [] };
}

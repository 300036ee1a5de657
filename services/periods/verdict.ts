import type { Check, CheckName, Verdict } from '@ctwa-ledger/schemas/periods.ts';

/** Items without which the month cannot be judged at all. Other open items are breaks. */
const OF_COMPLETENESS: ReadonlySet<CheckName> = new Set(['meta_numbers', 'events', 'counts', 'prices', 'closed_once']);

/** The verdict that an item alone would give. */
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

/** The verdict of a month, and the items that decide it. Pure. */
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

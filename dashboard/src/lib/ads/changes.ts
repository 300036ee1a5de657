import { NO_CHANGE, rateDifference, relativeTo, type Change } from '../comparison/changes.ts';
import { amountDifference } from '../format/amounts.ts';
import { subtractDecimals } from '../format/decimals.ts';
import type { Value } from '../table/table.ts';
import type { AdAmounts } from './figures.ts';
import type { TableLine } from './rollup.ts';

type Cost = 'spend' | 'cost_per_conversation';

/** The earlier amounts in a currency. */
const amountBefore = ({ before }: TableLine, currency: string, of: Cost): string | null =>
  before?.amounts.find((row) => row.currency === currency)?.[of] ?? null;

/** The change of an amount in one currency. There is none if one of the two is not known. */
export function costChange(line: TableLine, now: AdAmounts, of: Cost): Change {
  const then = amountBefore(line, now.currency, of);
  const difference = subtractDecimals(now[of], then);
  if (difference === null) return NO_CHANGE;
  return {
    absolute: `${now.currency} ${amountDifference(difference, now.currency)}`,
    relative: relativeTo(Number(now[of]), Number(then)),
  };
}

/** The values by which columns of changes are sorted. */
export const CHANGE_VALUES = {
  conversations_change: ({ ad_conversations, before }: TableLine): Value =>
    ad_conversations - (before?.ad_conversations ?? 0),
  reply_rate_change: rateDifference,
  spend_change: (line: TableLine): Value => costDifference(line, 'spend'),
  cost_per_conversation_change: (line: TableLine): Value => costDifference(line, 'cost_per_conversation'),
};

/** The change in the first currency that has one: amounts of two currencies cannot be compared. */
function costDifference(line: TableLine, of: Cost): Value {
  for (const row of line.amounts) {
    const difference = subtractDecimals(row[of], amountBefore(line, row.currency, of));
    if (difference !== null) return Number(difference);
  }
  return null;
}

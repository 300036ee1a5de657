import { amountDifference } from '../format/amounts.ts';
import { subtractDecimals } from '../format/decimals.ts';
import { numberFormat } from '../format/locale.ts';
import { NOTHING } from '../format/numbers.ts';
import type { Value } from '../table/table.ts';
import type { AdAmounts } from './figures.ts';
import type { TableLine } from './rollup.ts';

const whole = numberFormat({ maximumFractionDigits: 0, signDisplay: 'exceptZero' });
const percent = numberFormat({ style: 'percent', maximumFractionDigits: 1, signDisplay: 'exceptZero' });
const points = numberFormat({ minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: 'exceptZero' });

/** A change in its own unit and in percent; {@link NOTHING} when there is none. */
export interface Change {
  readonly absolute: string;
  /** Empty when the earlier figure is 0: such a growth has no percentage. */
  readonly relative: string;
}

const NO_CHANGE: Change = { absolute: NOTHING, relative: '' };

const relativeTo = (now: number, before: number): string => (before === 0 ? '' : percent().format(now / before - 1));

export function conversationsChange({ ad_conversations: now, before }: TableLine): Change {
  const then = before?.ad_conversations ?? 0;
  return { absolute: whole().format(now - then), relative: relativeTo(now, then) };
}

/**
 * The difference of two rates with four decimals, in hundredths of a percentage point; null when one does not exist.
 */
function rateDifference({ reply_rate: now, before }: TableLine): number | null {
  const then = before?.reply_rate ?? null;
  return now === null || then === null ? null : Math.round(Number(now) * 10_000) - Math.round(Number(then) * 10_000);
}

export function rateChange(line: TableLine): Change {
  const difference = rateDifference(line);
  return difference === null ? NO_CHANGE : { absolute: `${points().format(difference / 100)} points`, relative: '' };
}

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

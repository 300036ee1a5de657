import { numberFormat } from '../format/locale.ts';
import { NOTHING } from '../format/numbers.ts';

const whole = numberFormat({ maximumFractionDigits: 0, signDisplay: 'exceptZero' });
const percent = numberFormat({ style: 'percent', maximumFractionDigits: 1, signDisplay: 'exceptZero' });
const points = numberFormat({ minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: 'exceptZero' });

/** A change in its own unit and in percent; {@link NOTHING} when there is none. */
export interface Change {
  readonly absolute: string;
  /** Empty when the earlier figure is 0: such a growth has no percentage. */
  readonly relative: string;
}

export const NO_CHANGE: Change = { absolute: NOTHING, relative: '' };

/** A figure of a row, and the same of what it is compared with; null when there is nothing before it. */
type Compared<Figure> = Figure & { readonly before: Figure | null };

interface Started {
  readonly ad_conversations: number;
}

interface Rated {
  /** With four decimals; null without mature conversations. */
  readonly reply_rate: string | null;
}

export const relativeTo = (now: number, before: number): string =>
  before === 0 ? '' : percent().format(now / before - 1);

export function conversationsChange({ ad_conversations: now, before }: Compared<Started>): Change {
  const then = before?.ad_conversations ?? 0;
  return { absolute: whole().format(now - then), relative: relativeTo(now, then) };
}

/** The difference of two rates, in hundredths of a percentage point; null when one does not exist. */
export function rateDifference({ reply_rate: now, before }: Compared<Rated>): number | null {
  const then = before?.reply_rate ?? null;
  return now === null || then === null ? null : Math.round(Number(now) * 10_000) - Math.round(Number(then) * 10_000);
}

export function rateChange(row: Compared<Rated>): Change {
  const difference = rateDifference(row);
  return difference === null ? NO_CHANGE : { absolute: `${points().format(difference / 100)} points`, relative: '' };
}

import { numberFormat } from '../format/locale.ts';
import { NOTHING } from '../format/numbers.ts';

/** Writes a change with its sign. The minus is that of amounts beside it; some locales write a hyphen. */
function changeFormat(options: Intl.NumberFormatOptions): (change: number) => string {
  const format = numberFormat({ ...options, signDisplay: 'exceptZero' });
  return (change) => format().format(change).replace('-', '−');
}

const whole = changeFormat({ maximumFractionDigits: 0 });
const percent = changeFormat({ style: 'percent', maximumFractionDigits: 1 });
const points = changeFormat({ minimumFractionDigits: 1, maximumFractionDigits: 1 });

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

/** `+12.5%`; empty when the earlier figure is 0: such a growth has no percentage. */
export const relativeTo = (now: number, before: number): string => (before === 0 ? '' : percent(now / before - 1));

export function conversationsChange({ ad_conversations: now, before }: Compared<Started>): Change {
  const then = before?.ad_conversations ?? 0;
  return { absolute: whole(now - then), relative: relativeTo(now, then) };
}

/** The difference of two rates, in hundredths of a percentage point; null when one does not exist. */
export function rateDifference({ reply_rate: now, before }: Compared<Rated>): number | null {
  const then = before?.reply_rate ?? null;
  return now === null || then === null ? null : Math.round(Number(now) * 10_000) - Math.round(Number(then) * 10_000);
}

/** `+1.2 points`, of hundredths of a percentage point. */
export const inPoints = (hundredths: number): string => `${points(hundredths / 100)} points`;

export function rateChange(row: Compared<Rated>): Change {
  const difference = rateDifference(row);
  return difference === null ? NO_CHANGE : { absolute: inPoints(difference), relative: '' };
}

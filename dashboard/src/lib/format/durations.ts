import { NOTHING } from './numbers.ts';

const SECONDS_PER_MINUTE = 60;
const SECONDS_PER_HOUR = 3600;
const SECONDS_PER_DAY = 86_400;

/**
 * A number of seconds (a decimal as text) in its two largest units: `48 s`, `4 min 12 s`, `2 h 10 min`, `3 d 4 h`.
 * {@link NOTHING} when it is not known.
 */
export function duration(seconds_text: string | null): string {
  if (seconds_text === null) return NOTHING;
  const seconds = Math.round(Number(seconds_text));
  if (seconds < SECONDS_PER_MINUTE) return `${seconds} s`;
  if (seconds < SECONDS_PER_HOUR) return pair(seconds, SECONDS_PER_MINUTE, 'min', 1, 's');
  if (seconds < SECONDS_PER_DAY) return pair(seconds, SECONDS_PER_HOUR, 'h', SECONDS_PER_MINUTE, 'min');
  return pair(seconds, SECONDS_PER_DAY, 'd', SECONDS_PER_HOUR, 'h');
}

function pair(seconds: number, large: number, large_name: string, small: number, small_name: string): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${large_name}${rest === 0 ? '' : ` ${rest} ${small_name}`}`;
}

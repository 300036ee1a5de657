/** So many hours in a row must be missing: shorter silences are chance. */
export const GAP_HOURS = 6;

const HOUR = 3_600;

/** A stretch without events, Unix seconds; `to` is exclusive. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  /** Hours in it that usually have events. */
  readonly missing_hours: number;
}

function countBy(hours: Iterable<number>, slotOf: (hour: number) => number): Map<number, number> {
  const counts = new Map<number, number>();
  for (const hour of hours) counts.set(slotOf(hour), (counts.get(slotOf(hour)) ?? 0) + 1);
  return counts;
}

function* hoursBetween(from: number, to: number): Generator<number> {
  for (let hour = from; hour < to; hour += HOUR) yield hour;
}

/**
 * Gaps in the events of a number. An hour is missing when it has no event, although the same hour of the week has some in
 * more than half of the other weeks, and in two at least; only between the first and the last event that are given. A gap
 * is `GAP_HOURS` missing hours or more with no event between them. Pure.
 * @param active the hours that have events, of the month and of some weeks around it: their beginnings in Unix seconds
 * @param month of which gaps are asked for, Unix seconds
 * @param slotOf tells the hours of a week apart
 */
export function gapsOf(
  active: ReadonlySet<number>,
  month: { readonly from: number; readonly to: number },
  slotOf: (hour: number) => number,
): Gap[] {
  const first = Math.min(...active);
  const end = Math.max(...active) + HOUR;
  const usual = countBy(active, slotOf);
  const all = countBy(hoursBetween(first, end), slotOf);
  const isMissing = (hour: number): boolean => {
    const weeks = usual.get(slotOf(hour)) ?? 0;
    return weeks >= 2 && weeks * 2 > (all.get(slotOf(hour)) ?? 0) - 1;
  };
  const gaps: Gap[] = [];
  let missing: number[] = [];
  const close = (): void => {
    const [from] = missing;
    const last = missing.at(-1);
    if (from !== undefined && last !== undefined && missing.length >= GAP_HOURS)
      gaps.push({ from, to: last + HOUR, missing_hours: missing.length });
    missing = [];
  };
  for (const hour of hoursBetween(first, end)) {
    if (hour < month.from || hour >= month.to) continue;
    if (active.has(hour)) close();
    else if (isMissing(hour)) missing.push(hour);
  }
  close();
  return gaps;
}

import type { ExportPeriod, ExportRun } from '@ctwa-ledger/schemas/exports.ts';
import { DateTime } from 'luxon';
import { monthPeriod, weekPeriod, type RunPeriod } from './run-period.ts';

/** For so many days after its end the file of a period is kept up to date, unless the period is closed before. */
const RESTATED_DAYS = 70;

/** A period whose file may have other rows now. */
export interface OpenPeriod {
  readonly period: RunPeriod;
  /** The run that wrote the file. */
  readonly written: ExportRun;
}

/**
 * The whole week or month of a run that exported its days so far; the same day otherwise. Null for a run of other days,
 * from before the schedule was changed.
 */
function wholePeriod(kind: ExportPeriod, { period_from: from, period_to: to }: ExportRun): RunPeriod | null {
  const first = DateTime.fromISO(from, { zone: 'utc' });
  if (kind === 'this-month' || kind === 'last-month' || kind === 'last-closed-month')
    return first.day === 1 ? monthPeriod(from.slice(0, 7)) : null;
  if (kind === 'this-week' || kind === 'last-week') return first.weekday === 1 ? weekPeriod(from) : null;
  return first.plus({ days: 1 }).toFormat('yyyy-MM-dd') === to ? { from, to, label: from } : null;
}

/**
 * The periods of a schedule that are over and not closed, the oldest first. Late events, rate cards and accounts change
 * their rows.
 * @param runs the latest step of each period, the most recently begun first
 * @param today the day in the zone of the schedule, `YYYY-MM-DD`
 */
export function openPeriods(kind: ExportPeriod, runs: readonly ExportRun[], today: string): OpenPeriod[] {
  if (kind === 'all') return [];
  const first = DateTime.fromISO(today, { zone: 'utc' }).minus({ days: RESTATED_DAYS }).toFormat('yyyy-MM-dd');
  const open = new Map<string, OpenPeriod>();
  for (const written of runs) {
    if (written.state !== 'done' || open.has(written.period_from)) continue;
    const period = wholePeriod(kind, written);
    if (period !== null) open.set(written.period_from, { period, written });
  }
  return [...open.values()]
    .filter(({ period, written }) => !written.is_frozen && period.to <= today && period.to >= first)
    .sort((a, b) => (a.period.from < b.period.from ? -1 : 1));
}

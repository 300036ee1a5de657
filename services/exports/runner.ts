import type { ExportRun, ExportSchedule, ShownExport } from '@ctwa-ledger/schemas/exports.ts';
import { LedgerAwayError, ActionableError } from '../clickhouse/errors.ts';
import { underLease, type Lease } from '../clickhouse/lease.ts';
import type { Database } from '../clickhouse/database.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { closingsInForce } from '../reports/closings.ts';
import { placeOf } from './destinations/destination.ts';
import { sendNotice, type Notice } from './notice.ts';
import { monthPeriod, periodOn, type RunPeriod } from './run-period.ts';
import { lastRuns, listRuns, writeStep, type RunStep } from './runs.ts';
import { BY_CONFIGURATION, findSchedule, listSchedules, whenOf } from './schedules.ts';
import { nextTimes, occurrencesAfter } from './when.ts';
import { openPeriods } from './open-periods.ts';
import { LeaseLostError, restateExport, writeExport, type FileBefore, type WriteOptions } from './write-export.ts';

const DAY = 86_400;
/** Runs missed longer ago are not caught up automatically. */
const MAX_CATCH_UP_DAYS = 400;
const MAX_ATTEMPTS = 8;
const FIRST_PAUSE = 60;
const LONGEST_PAUSE = 3_600;
/** A file waits for ClickHouse most of the time, and for its destination. */
const SCHEDULES_AT_ONCE = 3;
/** Periods of a schedule that are read: more than can be caught up. */
const ALL_RUNS = 100_000;

/** The author of runs that were due. */
const BY_SCHEDULE = 'schedule';
/** The author of files of earlier periods that were written again because their rows changed. */
const BY_RESTATEMENT = 'restatement';

export interface ExportsOptions {
  readonly ledger: Pick<Ledger, 'database' | 'reading'>;
  /** The folders of schedules are below it. */
  readonly directory: string;
  /** Called for every run that has ended. */
  readonly onRun: (schedule: ExportSchedule, run: EndedRun) => void;
}

/** A run that has ended. */
export type EndedRun = Pick<
  RunStep,
  'period' | 'state' | 'attempt' | 'file' | 'rows' | 'bytes' | 'sha256' | 'totals' | 'is_frozen' | 'error'
>;

function keyOf(from: string, to: string): string {
  return `${from} ${to}`;
}

/** Seconds until a run is tried again after so many failures. */
export function pauseAfter(attempt: number): number {
  return Math.min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE);
}

function secondsOf(time: string | null): number {
  return time === null ? 0 : Math.floor(Date.parse(time) / 1000);
}

/** Months with a closing in force, the latest last, each with the time when the last of its accounts was closed. */
async function closedMonths(
  database: Database,
  { definition }: ExportSchedule,
): Promise<{ readonly month: string; readonly closed_at: number }[]> {
  const waba_id = definition.filters['waba_id'];
  const months = new Map<string, number>();
  for (const closing of await closingsInForce(database, { from: null, to: null })) {
    if (waba_id !== undefined && closing.waba_id !== waba_id) continue;
    months.set(closing.month, Math.max(months.get(closing.month) ?? 0, secondsOf(closing.closed_at)));
  }
  return [...months].map(([month, closed_at]) => ({ month, closed_at })).sort((a, b) => (a.month < b.month ? -1 : 1));
}

/** The runs of one schedule, under its lease. */
class ScheduleRuns {
  readonly #options: ExportsOptions;
  readonly #schedule: ExportSchedule;
  readonly #lease: Lease;
  readonly #runs: Map<string, ExportRun>;
  /** The last file of each period, by its first day. */
  readonly #files: Map<string, FileBefore>;
  #manifestBefore: string | null;
  #step = 0;

  private constructor(options: ExportsOptions, schedule: ExportSchedule, lease: Lease, runs: readonly ExportRun[]) {
    this.#options = options;
    this.#schedule = schedule;
    this.#lease = lease;
    this.#runs = new Map(runs.map((run) => [keyOf(run.period_from, run.period_to), run]));
    // The earliest first, so that the last one of a period stays.
    const done = runs.filter(({ state }) => state === 'done').reverse();
    this.#files = new Map(done.map((run) => [run.period_from, run]));
    this.#manifestBefore = runs.find(({ manifest_sha256 }) => manifest_sha256 !== '')?.manifest_sha256 ?? null;
  }

  static async open(options: ExportsOptions, schedule: ExportSchedule, lease: Lease): Promise<ScheduleRuns> {
    const runs = await listRuns(options.ledger.database, schedule.schedule_id, ALL_RUNS);
    return new ScheduleRuns(options, schedule, lease, runs);
  }

  known(period: RunPeriod): ExportRun | undefined {
    return this.#runs.get(keyOf(period.from, period.to));
  }

  /** The last time of the schedule whose run is done or given up, Unix seconds; 0 before the first. */
  get lastDue(): number {
    const ended = [...this.#runs.values()].filter(({ state }) => state === 'done' || state === 'failed');
    return Math.max(0, ...ended.map(({ due_at }) => secondsOf(due_at)));
  }

  async #write(step: Omit<RunStep, 'schedule_id'>): Promise<void> {
    const { database } = this.#options.ledger;
    this.#step += 1;
    await writeStep(database, { schedule_id: this.#schedule.schedule_id, ...step }, this.#lease.token, this.#step);
  }

  /** Notifies the address that the schedule names. */
  async #tell(
    event: Notice['event'],
    about: Readonly<Record<string, unknown>> & { readonly sha256: string },
  ): Promise<void> {
    const { schedule_id, definition } = this.#schedule;
    if (definition.notify === undefined) return;
    const place = definition.to === undefined ? {} : { to: placeOf(definition.to) };
    await sendNotice(definition.notify, {
      event,
      idempotency_key: [schedule_id, event, JSON.stringify(about['period'] ?? about['file'] ?? ''), about.sha256].join(
        ' ',
      ),
      schedule: definition.name,
      report: definition.report,
      ...place,
      ...about,
    });
  }

  #writing(period: RunPeriod, asked_by: string, nowSeconds: number): WriteOptions {
    return {
      ledger: this.#options.ledger,
      directory: this.#options.directory,
      lease: this.#lease,
      asked_by,
      as_of: nowSeconds,
      before: this.#files.get(period.from) ?? null,
      manifest_before: this.#manifestBefore,
    };
  }

  /**
   * Writes the files of periods that are over and not closed again, the oldest first, where their rows or their closing
   * have changed.
   * @param day in the zone of the schedule, `YYYY-MM-DD`
   * @param isStopping called before each file: true ends it there
   */
  async restate(day: string, nowSeconds: number, isStopping: () => boolean): Promise<void> {
    const { period: kind } = this.#schedule.definition;
    for (const { period, written: before } of openPeriods(kind, [...this.#runs.values()], day)) {
      if (isStopping()) return;
      const began_ms = Date.now();
      const writing = this.#writing(period, BY_RESTATEMENT, nowSeconds);
      const written = await restateExport(this.#schedule, period, writing);
      if (written === null) continue;
      this.#manifestBefore = written.manifest_sha256;
      this.#files.set(period.from, written);
      const ended = {
        ...written,
        period,
        state: 'done' as const,
        attempt: 1,
        // The run is still the one of its time, so that it is not due again.
        due_at: secondsOf(before.due_at),
        asked_by: BY_RESTATEMENT,
        began_ms,
        ended_ms: Date.now(),
        next_attempt_at: 0,
        error: '',
      };
      // Before the notice: the history must know the file even if nobody takes the notice.
      await this.#write(ended);
      this.#options.onRun(this.#schedule, ended);
      await this.#tell('export.restated', { period, ...written, asked_by: BY_RESTATEMENT });
    }
  }

  /**
   * Writes the file of a period, and the result of the run.
   * @param due_at Unix seconds; 0 = somebody asked for it
   * @param nowSeconds the clock for what depends on now and for the next try; Unix seconds
   */
  async attempt(period: RunPeriod, due_at: number, asked_by: string, nowSeconds: number): Promise<EndedRun> {
    const before = this.known(period);
    const isGoingOn = before !== undefined && (before.state === 'retry' || before.state === 'running') && due_at !== 0;
    const attempt = isGoingOn ? before.attempt + 1 : 1;
    const began_ms = Date.now();
    const begun = {
      period,
      state: 'running' as const,
      attempt,
      due_at,
      asked_by,
      began_ms,
      ended_ms: 0,
      next_attempt_at: 0,
      file: '',
      rows: 0,
      bytes: 0,
      sha256: '',
      manifest_sha256: '',
      totals: {},
      is_frozen: false,
      error: '',
    };
    await this.#write(begun);
    let ended: Omit<RunStep, 'schedule_id'>;
    try {
      const written = await writeExport(this.#schedule, period, this.#writing(period, asked_by, nowSeconds));
      this.#manifestBefore = written.manifest_sha256;
      this.#files.set(period.from, written);
      await this.#tell('export.done', { period, ...written, asked_by });
      ended = { ...begun, ...written, state: 'done', ended_ms: Date.now() };
    } catch (error) {
      // Without the ledger the result cannot be stored; without the lease another process stores it.
      if (error instanceof LedgerAwayError || error instanceof LeaseLostError) throw error;
      const isLast = attempt >= MAX_ATTEMPTS || due_at === 0;
      ended = {
        ...begun,
        state: isLast ? 'failed' : 'retry',
        ended_ms: Date.now(),
        next_attempt_at: isLast ? 0 : nowSeconds + pauseAfter(attempt),
        error: error instanceof Error ? error.message : String(error),
      };
    }
    await this.#write(ended);
    // The failure itself is stored; a notice of it that fails is only logged.
    if (ended.state === 'failed')
      await this.#tell('export.failed', { period, attempt, error: ended.error, sha256: '' }).catch(() => undefined);
    this.#options.onRun(this.#schedule, ended);
    return ended;
  }
}

/** Runs schedules: what is due, what somebody asks for, and what was missed. */
export class Exports {
  readonly #options: ExportsOptions;
  /** The day on which earlier files of a schedule were brought up to date last, by its id. */
  readonly #restatedOn = new Map<string, string>();

  constructor(options: ExportsOptions) {
    this.#options = options;
  }

  async #periodsOn(schedule: ExportSchedule, day: string): Promise<RunPeriod[]> {
    if (schedule.definition.period !== 'last-closed-month') {
      const period = periodOn(schedule.definition.period, day, null);
      return period === null ? [] : [period];
    }
    const closed = await closedMonths(this.#options.ledger.database, schedule);
    // All months that were closed since, and the last one in any case, so that none is skipped when several are closed
    // together.
    return closed
      .filter(({ closed_at }, i) => closed_at >= schedule.since || i === closed.length - 1)
      .map(({ month }) => monthPeriod(month));
  }

  #underLease<T>(schedule: ExportSchedule, work: (runs: ScheduleRuns) => Promise<T>): Promise<T | null> {
    return underLease(this.#options.ledger.database, `export ${schedule.schedule_id}`, async (lease) =>
      work(await ScheduleRuns.open(this.#options, schedule, lease)),
    );
  }

  async #catchUp(
    schedule: ExportSchedule,
    runs: ScheduleRuns,
    nowSeconds: number,
    isStopping: () => boolean,
  ): Promise<void> {
    const after = Math.max(schedule.since, runs.lastDue, nowSeconds - MAX_CATCH_UP_DAYS * DAY);
    let lastDay: string | null = null;
    for (const { at, day } of occurrencesAfter(whenOf(schedule.definition), after)) {
      if (at > nowSeconds) break;
      for (const period of await this.#periodsOn(schedule, day)) {
        if (isStopping()) return;
        const known = runs.known(period);
        if (known?.state === 'done' || known?.state === 'failed') continue;
        // Oldest first: later periods wait for it until it is done or given up.
        if (known?.state === 'retry' && secondsOf(known.next_attempt_at) > nowSeconds) return;
        if ((await runs.attempt(period, at, BY_SCHEDULE, nowSeconds)).state === 'retry') return;
        lastDay = day;
      }
    }
    await this.#restateOnce(schedule, runs, lastDay, nowSeconds, isStopping);
  }

  /** Brings earlier files up to date with the first run of a day, so that an hourly schedule does not do it each time. */
  async #restateOnce(
    { schedule_id }: ExportSchedule,
    runs: ScheduleRuns,
    day: string | null,
    nowSeconds: number,
    isStopping: () => boolean,
  ): Promise<void> {
    if (day === null || this.#restatedOn.get(schedule_id) === day) return;
    await runs.restate(day, nowSeconds, isStopping);
    if (!isStopping()) this.#restatedOn.set(schedule_id, day);
  }

  /**
   * Runs what is due of every schedule that is not paused, some schedules side by side, the periods of each oldest first.
   * Skips schedules that another process runs.
   * @returns failures that could not be stored in a history
   */
  async runDue(nowSeconds: number, isStopping: () => boolean): Promise<unknown[]> {
    const failures: unknown[] = [];
    const waiting = (await listSchedules(this.#options.ledger.database))
      .filter(({ state }) => state === 'active')
      .values();
    let isAway = false;
    const runSome = async (): Promise<void> => {
      for (const schedule of waiting) {
        if (isAway || isStopping()) return;
        try {
          await this.#underLease(schedule, (runs) =>
            this.#catchUp(schedule, runs, nowSeconds, () => isAway || isStopping()),
          );
        } catch (error) {
          if (error instanceof LedgerAwayError) isAway = true;
          if (!(error instanceof LeaseLostError)) failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: SCHEDULES_AT_ONCE }, runSome));
    const away = failures.find((error) => error instanceof LedgerAwayError);
    if (away !== undefined) throw away;
    return failures;
  }

  /**
   * Runs the periods of a schedule between two days, oldest first. A frozen file stays as it is.
   * @param again runs also those that are done
   * @returns the periods that were run or kept
   */
  async #runPeriods(
    schedule: ExportSchedule,
    periods: readonly RunPeriod[],
    by: string,
    again: boolean,
  ): Promise<EndedRun[]> {
    const ended = await this.#underLease(schedule, async (runs) => {
      const all: EndedRun[] = [];
      for (const period of periods) {
        const known = runs.known(period);
        const stays = known?.state === 'done' && (known.is_frozen || !again);
        all.push(stays ? { ...known, period } : await runs.attempt(period, 0, by, Math.floor(Date.now() / 1000)));
      }
      return all;
    });
    if (ended === null)
      throw new ActionableError(
        `"${schedule.definition.name}" is being exported by another process. Try again in a minute.`,
      );
    return ended;
  }

  /** Runs a schedule as if it were due now, also while it is paused. */
  async runNow(name: string, by: string, nowSeconds: number): Promise<EndedRun[]> {
    const schedule = await findSchedule(this.#options.ledger.database, name);
    const { zone } = whenOf(schedule.definition);
    const day = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' }).format(nowSeconds * 1000);
    const periods = await this.#periodsOn(schedule, day);
    if (periods.length === 0)
      throw new ActionableError(
        `No month is closed yet that "${name}" could export. Close one with "ctwa-ledger close".`,
      );
    return this.#runPeriods(schedule, periods, by, true);
  }

  /**
   * Runs what a schedule would have run at its times between two days, whenever it was made. Done periods are kept.
   * @param to the day after the last one
   */
  async backfill(name: string, days: { readonly from: string; readonly to: string }, by: string): Promise<EndedRun[]> {
    const schedule = await findSchedule(this.#options.ledger.database, name);
    const begin = Math.floor(Date.parse(`${days.from}T00:00:00Z`) / 1000) - 2 * DAY;
    const periods = new Map<string, RunPeriod>();
    for (const { day } of occurrencesAfter(whenOf(schedule.definition), begin)) {
      if (day >= days.to) break;
      if (day < days.from) continue;
      for (const period of await this.#periodsOn(schedule, day)) periods.set(keyOf(period.from, period.to), period);
    }
    return this.#runPeriods(schedule, [...periods.values()], by, false);
  }
}

/** All schedules, each with its next times and its last run. */
export async function showExports(database: Database, nowSeconds: number): Promise<ShownExport[]> {
  const last = new Map((await lastRuns(database)).map((run) => [run.schedule_id, run]));
  return (await listSchedules(database)).map(({ schedule_id, state, definition, changed_at, changed_by, made_by }) => ({
    ...definition,
    schedule_id,
    state,
    next: nextTimes(whenOf(definition), nowSeconds, state === 'active' ? 3 : 0),
    last_run: last.get(schedule_id) ?? null,
    changed_at,
    changed_by,
    is_configured: made_by === BY_CONFIGURATION,
  }));
}

import type { Logger } from 'pino';
import { ActionableError } from '../clickhouse/errors.ts';
import { Schedule, type Times } from '../exports/schedule.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { firstKeptMonth, planRemoval, removeEvents } from '../retention/remove.ts';

/** When old events are looked for: once a day, at an hour at which little comes. */
const DAILY: Times = { cron: '30 3 * * *', tz: 'UTC' };
/** Who removed them, in the record of the removal. */
const BY = 'schedule';

interface RetentionParts {
  readonly metrics: Metrics;
  readonly log: Logger;
  /** The clock, Unix milliseconds. */
  readonly now?: () => number;
}

/** Removes the old events of one account, if it says for how long it keeps them. */
async function removeOf(
  ledger: Ledger,
  waba_id: string,
  before: string,
  { log, now = Date.now }: RetentionParts,
): Promise<void> {
  const asked = { waba_id, before, by: BY };
  // Asked first, because nothing is written during a removal; on most days there is nothing to remove.
  const { threads } = await planRemoval(ledger.database, asked, now());
  if (threads === 0) return;
  const { removal_id, ...removed } = await removeEvents(ledger, asked, now());
  log.info({ waba_id, removal_id, threads: removed.threads, events: removed.events }, 'Old events were removed');
}

/** Removes the old events of all accounts that say for how long they keep them. */
export async function removeOldEvents(ledger: Ledger, parts: RetentionParts): Promise<void> {
  const { metrics, log, now = Date.now } = parts;
  for (const { waba_id, time_zone, keep_events_months } of ledger.accounts) {
    if (keep_events_months === undefined) continue;
    try {
      await removeOf(ledger, waba_id, firstKeptMonth(keep_events_months, time_zone ?? 'UTC', now()), parts);
    } catch (error) {
      // A month that is not closed yet, or another process that writes.
      if (error instanceof ActionableError) log.warn({ waba_id, reason: error.message }, 'Old events were not removed');
      else {
        metrics.failures.inc({ work: 'retention' });
        log.error({ err: error, waba_id }, 'Old events could not be removed; it is tried again tomorrow');
      }
    }
  }
}

/** Does that once a day while a process runs. */
export function keepRetention(ledger: Ledger, parts: RetentionParts): Pick<Schedule, 'stop'> {
  return new Schedule(DAILY, () => removeOldEvents(ledger, parts));
}

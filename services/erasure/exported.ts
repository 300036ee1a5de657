import { z } from 'zod';
import { findReport } from '../catalogue/catalogue.ts';
import type { Database } from '../clickhouse/database.ts';
import { placeOf } from '../exports/destinations/destination.ts';
import { listRuns } from '../exports/runs.ts';
import { listSchedules } from '../exports/schedules.ts';

/** Columns of reports that name customers, or messages by ids in which their numbers are. */
const NAMING = new Set([
  ...[
    'customer',
    'message_id',
    'entry_id',
    'conversation_id',
    'ad_conversation_id',
    'reply_message_id',
    'first_message_id',
  ],
]);
const DAY_SECONDS = 86_400;

const daysRow = z.object({ day: z.coerce.number() });

function dayOf(text: string): number {
  return Date.parse(`${text}T00:00:00Z`) / 1_000 / DAY_SECONDS;
}

/**
 * Files of scheduled exports that may name some customers: of a report that names customers, and of days on which there is
 * something of them. They are listed where they were written; files that people downloaded are not known.
 */
export async function filesThatMayName(database: Database, names: readonly string[]): Promise<string[]> {
  const rows = await database.query(
    daysRow,
    // Of days whose events were removed by age marks tell it.
    `SELECT DISTINCT toRelativeDayNum(at) AS day FROM
     (
       SELECT customer, timestamp AS at FROM events
       UNION ALL SELECT customer, arrayJoin([message_marks.sent_at, ifNull(message_marks.delivered_at, message_marks.sent_at)]) FROM message_marks
       UNION ALL SELECT customer, entry_marks.entry_at FROM entry_marks
     )
     WHERE customer IN (SELECT arrayJoin({names:Array(String)}))`,
    { names: [...names] },
  );
  const days = rows.map(({ day }) => day);
  const files = new Set<string>();
  for (const { schedule_id, definition } of await listSchedules(database, true)) {
    const columns = definition.columns.length > 0 ? definition.columns : (findReport(definition.report)?.columns ?? []);
    if (!columns.some((column) => NAMING.has(column))) continue;
    for (const { state, file, period_from, period_to } of await listRuns(database, schedule_id)) {
      if (state !== 'done' || file === '') continue;
      // The days of an export are those of some zone, which may begin up to a day earlier or later.
      const isOfThem = (day: number): boolean =>
        period_to === '' || (day >= dayOf(period_from) - 1 && day <= dayOf(period_to));
      if (!days.some(isOfThem)) continue;
      files.add(file);
      if (definition.to !== undefined) files.add(`${placeOf(definition.to)}/${file}`);
    }
  }
  return [...files].sort();
}

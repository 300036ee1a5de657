import { z } from 'zod';
import { chargedMessageRow, type ChargedMessageRow, type ChargedMessageSort } from '@ctwa-ledger/schemas/bill.ts';
import type { AskedPage, PageOf, ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Database } from '../clickhouse/database.ts';
import { readRatingBasis } from '../rating/basis.ts';
import { isClosedSql, type ClosingsInForce } from './closings.ts';
import { closingsOf } from './charges.ts';
import { participantKeySql } from './participants.ts';
import { paging, type PageKey, type Paging } from './paging.ts';
import { MESSAGE_COLUMNS, messagesSql, printedMessages, type PartOfMessages } from './printed-messages.ts';
import { daysOf, FROM, narrowedSql, inQuarterHours, parametersOf, TO } from './sql.ts';

const HOUR_SECONDS = 3_600;

/** The column of `charge_hours` for each name of a sort; null = the time itself. */
const KEPT: Readonly<Record<ChargedMessageSort, string | null>> = {
  delivered_at: null,
  waba_id: 'waba_id',
  phone_number_id: 'phone_number_id',
  market: 'market',
  rated_category: 'category',
  billing: 'billing',
};

const DELIVERED = 'toInt64(toUnixTimestamp(assumeNotNull(delivered_at)))';

/** The keys that order messages: the requested column, then their position in W4's order. */
function keysOf(column: ChargedMessageSort): readonly PageKey[] {
  return [
    { sql: column === 'delivered_at' ? "''" : `toString(${column})`, type: 'String' },
    { sql: DELIVERED, type: 'Int64' },
    { sql: 'toString(phone_number_id)', type: 'String' },
    { sql: 'message_id', type: 'String' },
    { sql: 'participant', type: 'String' },
  ];
}

const hourRow = z.object({ value: z.string(), hour: z.coerce.number(), messages: z.number() });
type Hour = z.infer<typeof hourRow>;

/** The hours with the live messages of a page, in its order. */
interface Hours {
  readonly hours: readonly Hour[];
  /** Whether no other hours come after them. */
  readonly are_all: boolean;
}

/**
 * The hours that hold this many live messages, from the start of the page. Not FINAL: replaced rows only add hours in
 * which nothing is found later.
 */
async function hoursWith(
  database: Database,
  filters: ReportFilters,
  closings: ClosingsInForce,
  { sort }: AskedPage<ChargedMessageSort>,
  page: Paging,
  wanted: number,
): Promise<Hours> {
  const { column } = sort;
  const descending = sort.descending !== page.is_backwards;
  const isBegun = 'page_1' in page.parameters;
  const narrowed = narrowedSql(filters, {
    waba_id: 'toString(waba_id)',
    phone_number_id: 'toString(phone_number_id)',
    market: 'toString(market)',
    category: 'toString(category)',
    billing: 'toString(billing)',
  });
  const range =
    filters.is_tz_given === true
      ? `hour_at >= toStartOfHour(${FROM}) AND hour_at < ${TO}`
      : `day >= {first_day:Date} AND day < {end_day:Date} AND NOT ${isClosedSql('waba_id', 'day')}`;
  const begun = descending
    ? '(value, begins) <= ({page_0:String}, {page_1:Int64})'
    : `(value, begins + ${HOUR_SECONDS - 1}) >= ({page_0:String}, {page_1:Int64})`;
  const way = descending ? ' DESC' : '';
  const rows = await database.query(
    hourRow,
    `SELECT value, begins AS hour, toUInt32(sum(volume)) AS messages
     FROM
     (
       SELECT toString(${KEPT[column] ?? "''"}) AS value, toInt64(toUnixTimestamp(hour_at)) AS begins, volume
       FROM charge_hours
       WHERE volume > 0 AND ${range} AND ${narrowed.where}
     )
     WHERE ${isBegun ? begun : 'true'}
     GROUP BY value, begins
     ORDER BY value${way}, begins${way}
     LIMIT ${wanted + 1}`,
    {
      ...parametersOf(filters),
      ...daysOf(filters),
      ...closings.parameters,
      ...narrowed.parameters,
      ...page.parameters,
    },
  );
  const hours: Hour[] = [];
  let messages = 0;
  for (const row of rows) {
    hours.push(row);
    // How many messages are left in the hour where the previous page ended is not known.
    if (!isBegun || hours.length > 1) messages += row.messages;
    if (messages >= wanted) break;
  }
  return { hours, are_all: hours.length === rows.length && rows.length <= wanted };
}

/** The part of the messages in these hours. It ends with them, if later hours were left out. */
function partOf(
  { hours, are_all }: Hours,
  descending: boolean,
): { readonly part: PartOfMessages; readonly upto: string } {
  const begins = [...new Set(hours.map(({ hour }) => hour))].sort((a, b) => a - b);
  const last = hours.at(-1);
  const inHours = (time: string): string =>
    `${time} >= toDateTime(${begins[0] ?? 0}, 'UTC') AND ${time} < toDateTime(${(begins.at(-1) ?? 0) + HOUR_SECONDS}, 'UTC')
         AND toUnixTimestamp(toStartOfHour(${time})) IN (${begins.join(', ')})`;
  // Marks are ordered by id. Reading them by id makes a page cost the same however many messages there are.
  const marks =
    last === undefined
      ? 'false'
      : `${inQuarterHours(inHours('cell_at'))} AND ${inHours('assumeNotNull(message_marks.delivered_at)')}`;
  if (are_all || last === undefined) return { part: { marks, closed: 'true' }, upto: 'true' };
  return {
    part: { marks, closed: 'true' },
    upto: descending
      ? `(page_value, ${DELIVERED}) >= ({last_value:String}, ${last.hour})`
      : `(page_value, ${DELIVERED}) < ({last_value:String}, ${last.hour + HOUR_SECONDS})`,
  };
}

const pagedRow = z
  .object({ ...chargedMessageRow.shape, page_cursor: z.array(z.string()) })
  .omit({ sent_at: true, delivered_at: true, rate_card: true })
  .extend({ sent_at_text: z.string(), delivered_at_text: z.string(), card: z.string() });

/**
 * When so many messages were looked at and the page is not full, it ends early, and the next page continues from there.
 */
const MAX_WANTED = 200_000;

/** Sorts after every number and id. */
const LAST_TEXT = '\u{10ffff}';

/** The position from which the next page continues after these hours; null when there are no others. */
function positionAfter({ hours, are_all }: Hours, descending: boolean): string | null {
  const last = hours.at(-1);
  if (are_all || last === undefined) return null;
  const end = descending ? [last.hour, '', '', ''] : [last.hour + HOUR_SECONDS - 1, LAST_TEXT, LAST_TEXT, LAST_TEXT];
  return JSON.stringify([last.value, ...end.map(String)]);
}

/**
 * A page of the messages that report `messages` prints for the days of `charges`, in the requested order. The hours to
 * look into are read from the charges, which are far fewer than messages; only messages of those hours are priced.
 * Settle the charges first.
 * @param max_wanted messages to look at before a page ends early
 */
export async function chargedMessages(
  database: Database,
  filters: ReportFilters,
  asked: AskedPage<ChargedMessageSort>,
  max_wanted: number = MAX_WANTED,
): Promise<PageOf<ChargedMessageRow>> {
  const keys = keysOf(asked.sort.column);
  const page = paging(asked, keys);
  const value = keys[0]?.sql ?? "''";
  const descending = asked.sort.descending !== page.is_backwards;
  let wanted = asked.limit + 1;
  const [basis, closings] = await Promise.all([readRatingBasis(database), closingsOf(database, filters)]);
  const lookInto = (): Promise<Hours> => hoursWith(database, filters, closings, asked, page, wanted);
  for (let found = await lookInto(); ; found = await lookInto()) {
    const { part, upto } = partOf(found, descending);
    const { sql, parameters } = printedMessages({ basis, closings, filters, by: 'charged' }, null, part);
    const rows = await database.query(
      pagedRow,
      messagesSql(
        `SELECT * FROM (SELECT *, ${value} AS page_value FROM (${sql})) WHERE ${page.where} AND ${upto}`,
        MESSAGE_COLUMNS,
        `, tier, ${participantKeySql('participant')} AS participant_key, ${page.cursor}`,
        page.order,
      ),
      { ...parameters, ...page.parameters, last_value: found.hours.at(-1)?.value ?? '' },
    );
    // The page is not full and there are more hours: not all messages of the hours that charges name match the
    // question.
    if (rows.length <= asked.limit && !found.are_all && wanted < max_wanted) {
      wanted *= 8;
      continue;
    }
    const { rows: shown, ...place } = page.pageOf(rows);
    const further = positionAfter(found, descending);
    return {
      ...place,
      ...(page.is_backwards ? { previous: place.previous ?? further } : { next: place.next ?? further }),
      rows: shown.map(({ sent_at_text, delivered_at_text, card, ...row }) => ({
        ...row,
        sent_at: sent_at_text,
        delivered_at: delivered_at_text,
        rate_card: card,
      })),
    };
  }
}

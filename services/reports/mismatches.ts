import { instant } from '@ctwa-ledger/schemas/cells.ts';
import { z } from 'zod';
import {
  mismatchesRow,
  mismatchRow,
  type MismatchesRow,
  type MismatchRow,
  type MismatchSort,
} from '@ctwa-ledger/schemas/bill.ts';
import type { AskedPage, PageOf, ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { readRatingBasis, type RatingBasis } from '../rating/basis.ts';
import { marketSql } from '../rating/markets.ts';
import { billedSql, pricedSql } from '../rating/pricing.ts';
import { accountDaySql, placedSql } from '../rating/ratable.ts';
import { participantKeySql } from './participants.ts';
import { paging, reportPaging, type PageKey } from './paging.ts';
import { columnsOf, streamed, whole, type AskedRows, type Batch } from './report.ts';
import { MESSAGE_TABLES } from './tables.ts';
import { daysOf, FROM, inQuarterHours, isoTime, narrowedSql, ofAdSql, parametersOf, TO, widened } from './sql.ts';

const column = (name: string): string => `toString(message_marks.${name})`;

/** The day of a mismatch, in the zone of its account. */
const dayOf = (basis: RatingBasis): string =>
  accountDaySql(basis, 'message_marks.delivered_at', 'toString(message_marks.waba_id)');

/** Columns by which mismatches are grouped, the owners of their messages, and the filters of the bill. */
const NARROWED = {
  predicted: column('predicted'),
  reported: column('reported'),
  category: column('category'),
  policy: column('policy'),
  rule: column('rule'),
  circumstance: column('circumstance'),
  waba_id: column('waba_id'),
  phone_number_id: column('phone_number_id'),
  billing: column('billing'),
  tag: column('tag'),
} as const;

const NARROWINGS = [
  ...(Object.keys(NARROWED) as (keyof typeof NARROWED)[]),
  'market',
  'campaign',
  'adset',
  'ad',
] as const;

/** Marks are ordered by id: those of mismatches are read by it, so that the others need not be merged. */
const MAY_MISMATCH = inQuarterHours(`is_mismatch AND cell_at >= toStartOfFifteenMinutes(${FROM}) AND cell_at < ${TO}`);

/**
 * V2's mismatches that were delivered on the days of the filters: days of each account's zone, or of the zone asked for.
 * FINAL: a mark that was a mismatch may have been replaced.
 */
function mismatchesOf(
  filters: ReportFilters,
  basis: RatingBasis,
): { readonly from: string; readonly parameters: Parameters } {
  const day = dayOf(basis);
  const market = marketSql('message_marks.recipient', `assumeNotNull(${day})`);
  const narrowed = narrowedSql(filters, { ...NARROWED, market });
  const isZone = filters.is_tz_given === true;
  const days = isZone ? 'true' : `${day} >= {first_day:Date} AND ${day} < {end_day:Date}`;
  return {
    from: `message_marks FINAL
      WHERE ${MAY_MISMATCH}
        AND is_mismatch AND message_marks.delivered_at >= ${FROM} AND message_marks.delivered_at < ${TO}
        AND ${days} AND ${narrowed.where} AND ${ofAdSql(filters)}`,
    parameters: {
      ...(isZone ? parametersOf(filters) : widened(filters)),
      ...daysOf(filters),
      ...basis.parameters,
      ...narrowed.parameters,
    },
  };
}

/** The sum over messages with both amounts known; null over none. */
const knownSum = (amount: string): string => `if(countIf(is_known) = 0, NULL, toString(sumIf(${amount}, is_known)))`;

const MESSAGE =
  'waba_id, phone_number_id, message_id, participant, delivered_at, predicted, category, policy, rule, circumstance, currency';
const GROUP = 'waba_id, predicted, reported_mark, category, policy, rule, circumstance, currency';

/**
 * Report `mismatches`: how many messages Meta reported otherwise than predicted, the most frequent first (rules.md V2),
 * and their cost by the report and by the prediction. Each message is priced by itself, in the tier that the charged
 * messages had reached by then. Settle the charges first.
 */
export async function mismatches(database: Database, filters: ReportFilters): Promise<MismatchesRow[]> {
  const basis = await readRatingBasis(database);
  const { from, parameters } = mismatchesOf(filters, basis);
  // Each message twice: as it was reported, and as if Meta had reported nothing. Priced in one statement, because
  // planning such a statement takes longer than running it.
  const marks = `(SELECT * REPLACE (if(is_by_rules, predicted, billing) AS billing, if(is_by_rules, '', reported) AS reported)
    FROM (SELECT *, reported AS reported_mark, arrayJoin([false, true]) AS is_by_rules FROM ${from}))`;
  return database.query(
    mismatchesRow,
    `SELECT toString(waba_id) AS waba_id, predicted, toString(reported_mark) AS reported, category, policy, rule, circumstance, toUInt32(count()) AS messages,
       ${isoTime('min(message.delivered_at)')} AS first_delivered_at, ${isoTime('max(message.delivered_at)')} AS last_delivered_at,
       currency, ${knownSum('by_report')} AS cost_followed, ${knownSum('by_rules')} AS cost_predicted,
       ${knownSum('by_report - by_rules')} AS cost_difference, toUInt32(countIf(NOT is_known)) AS unrated
     FROM
     (
       SELECT ${MESSAGE}, reported_mark, maxIf(cost, NOT is_by_rules) AS by_report, maxIf(cost, is_by_rules) AS by_rules,
         by_report IS NOT NULL AND by_rules IS NOT NULL AS is_known
       FROM
       (
         SELECT ${MESSAGE}, reported_mark, is_by_rules, ${billedSql(8)} AS cost
         FROM (${pricedSql(placedSql(basis, 'true', marks), 'rated_category')})
       )
       GROUP BY ${MESSAGE}, reported_mark
     ) AS message
     GROUP BY ${GROUP}
     ORDER BY messages DESC, predicted, reported, category, policy, rule, circumstance, waba_id, currency`,
    parameters,
  );
}

/**
 * The number of delivered messages with a report of Meta's, on the days of {@link mismatches}. It is read from summaries,
 * which know the business number only: null where the filters name anything but account and number. A number belongs to
 * the account of its latest charge. Settle the summaries first.
 */
export async function reportedMessages(database: Database, filters: ReportFilters): Promise<number | null> {
  const byMore = NARROWINGS.filter((name) => name !== 'waba_id' && name !== 'phone_number_id');
  if (byMore.some((name) => filters[name] != null)) return null;
  const basis = await readRatingBasis(database);
  const narrowed = narrowedSql(filters, {
    waba_id: 'owner.waba_id',
    phone_number_id: 'toString(cells.phone_number_id)',
  });
  const isZone = filters.is_tz_given === true;
  const day = accountDaySql(basis, 'cells.cell_at', 'owner.waba_id');
  const days = isZone ? 'true' : `${day} >= {first_day:Date} AND ${day} < {end_day:Date}`;
  const [row] = await database.query(
    z.object({ n: z.number() }),
    `SELECT toUInt32(sum(cells.reported_messages)) AS n
     FROM
     (
       SELECT phone_number_id, cell_at, reported_messages FROM summary_cells FINAL
       WHERE cell_at >= ${FROM} AND cell_at < ${TO} AND reported_messages > 0
     ) AS cells
     LEFT JOIN
     (
       SELECT phone_number_id, toString(argMax(charge_days.waba_id, charge_days.day)) AS waba_id
       FROM charge_days FINAL WHERE volume > 0 GROUP BY phone_number_id
     ) AS owner USING phone_number_id
     WHERE ${days} AND ${narrowed.where}`,
    {
      ...(isZone ? parametersOf(filters) : widened(filters)),
      ...daysOf(filters),
      ...basis.parameters,
      ...narrowed.parameters,
    },
  );
  return row?.n ?? 0;
}

const messageRow = mismatchRow.omit({ participant_key: true }).extend({ delivered_at: instant });
export const MISMATCHED_MESSAGES_COLUMNS = columnsOf(messageRow);

const COLUMNS = MISMATCHED_MESSAGES_COLUMNS.map((name) =>
  name === 'delivered_at' ? `${isoTime('message_marks.delivered_at')} AS delivered_text` : `${column(name)} AS ${name}`,
).join(', ');

const DELIVERED: PageKey = {
  sql: 'toInt64(toUnixTimestamp(assumeNotNull(message_marks.delivered_at)))',
  type: 'Int64',
};

const text = (name: string): PageKey => ({ sql: column(name), type: 'String' });

function keysOf(sort: MismatchSort): readonly PageKey[] {
  const message = [DELIVERED, text('phone_number_id'), text('message_id'), text('participant')];
  return sort === 'delivered_at' ? message : [text(sort), ...message];
}

const pagedRow = mismatchRow
  .omit({ delivered_at: true })
  .extend({ delivered_text: z.string(), page_cursor: z.array(z.string()) });

/** A page of the messages behind {@link mismatches}, in the order asked for. */
export async function mismatchedMessages(
  database: Database,
  filters: ReportFilters,
  asked: AskedPage<MismatchSort>,
): Promise<PageOf<MismatchRow>> {
  const { from, parameters } = mismatchesOf(filters, await readRatingBasis(database));
  const page = paging(asked, keysOf(asked.sort.column));
  const found = await database.query(
    pagedRow,
    `SELECT ${COLUMNS}, ${participantKeySql('message_marks.participant')} AS participant_key, ${page.cursor} FROM ${from} AND ${page.where} ${page.order}`,
    { ...parameters, ...page.parameters },
  );
  const { rows, ...place } = page.pageOf(found);
  // Renamed, because a condition on the time would otherwise mean this text.
  return { ...place, rows: rows.map(({ delivered_text, ...row }) => ({ ...row, delivered_at: delivered_text })) };
}

/** Report `mismatched-messages`, streamed: `MISMATCHED_MESSAGES_COLUMNS` as text, the latest delivery first. */
async function* allMismatchedMessages(database: Database, { filters, page }: AskedRows): AsyncGenerator<Batch> {
  const { from, parameters } = mismatchesOf(filters, await readRatingBasis(database));
  const { also, where, order, parameters: place } = reportPaging(page, keysOf('delivered_at'), true);
  yield* database.stream(`SELECT ${COLUMNS}${also} FROM ${from} AND ${where} ${order}`, { ...parameters, ...place });
}

export const mismatchesReport = whole({
  name: 'mismatches',
  one_row_per:
    'account, pair of marks, category, policy, rule and circumstance: messages whose report differs from the prediction',
  row: mismatchesRow,
  days: 'accounts',
  filters: NARROWINGS,
  settles: ['charges'],
  reads: MESSAGE_TABLES,
  key: ['waba_id', 'predicted', 'reported', 'category', 'policy', 'rule', 'circumstance', 'currency'],
  rows: mismatches,
});

export const mismatchedMessagesReport = streamed({
  name: 'mismatched-messages',
  one_row_per: 'message whose report differs from the prediction, the latest delivery first',
  row: messageRow,
  days: 'accounts',
  filters: NARROWINGS,
  settles: [],
  reads: MESSAGE_TABLES,
  rows: allMismatchedMessages,
});

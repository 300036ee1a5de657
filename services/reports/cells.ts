import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Database, Parameters } from '../clickhouse/database.ts';
import { cellsSql } from '../ledger/derived/summaries.ts';
import { readRatingBasis, type RatingBasis } from '../rating/basis.ts';
import { ratableSql } from '../rating/ratable.ts';
import { isOfMessages, matchingMessagesSql, ofMessagesSql } from './of-conversations.ts';
import { FROM, inQuarterHours, ofAdSql, ofMarketSql, ofNumberSql, parametersOf, TO } from './sql.ts';

/** Messages with the filters, as rows of summaries: those of their market, category, mark and tag. */
function messageRows(basis: RatingBasis, filters: ReportFilters): string {
  // Its time is that of delivery, else of sending, as in `messages_by_time`.
  const ratable = ratableSql(
    basis,
    `${inQuarterHours(`cell_at >= toStartOfFifteenMinutes(${FROM}) AND cell_at < ${TO}`)} AND ${matchingMessagesSql(filters)}`,
  );
  return `
    SELECT phone_number_id, toStartOfFifteenMinutes(ratable.time) AS at, ad_id AS ad, source_type AS source, 'message' AS part,
      toStartOfFifteenMinutes(ratable.time) AS time,
      billing AS mark, without_free_entry AS alternative, is_mismatch AS mismatch,
      delivered_at IS NOT NULL AND reported NOT IN ('', 'UNKNOWN') AS is_reported,
      is_allowance_difference AS allowance, odd_reports AS odd, conversation_id != '' AS in_window,
      0 AS starts, 0 AS replied, CAST(NULL AS Nullable(Int64)) AS seconds, CAST(NULL AS Nullable(DateTime('UTC'))) AS last_entry,
      0 AS confirmed, opens_reported_window AS opens_reported, reported_window_id != '' AS in_reported,
      dialled_customer != '' AS is_renamed
    FROM (${ratable}) AS ratable
    WHERE ${filters.market == null ? 'true' : 'toString(market) IN {markets:Array(String)}'}`;
}

/** Entries and windows of conversations with the filters, as rows of summaries. */
function entryRows(filters: ReportFilters): string {
  return `
    SELECT phone_number_id, toStartOfFifteenMinutes(moment.2) AS at, ad_id, source_type, moment.1, moment.2, '', '', 0, 0, 0, 0, 0,
      starts_conversation, conversation_is_replied, conversation_seconds_to_reply, conversation_last_entry_at, is_confirmed, 0, 0, 0
    FROM
    (
      SELECT * FROM entry_marks FINAL
      WHERE ${ofMarketSql(filters, 'customer', 'entry_marks.entry_at')} AND ${ofMessagesSql(filters)}
    )
    ARRAY JOIN if(opened_at IS NULL, [('entry', entry_at)], [('entry', entry_at), ('window', assumeNotNull(opened_at))]) AS moment
    WHERE moment.2 >= ${FROM} AND moment.2 < ${TO}`;
}

/** Lost referrals of the filters' markets, as rows of summaries. They are in no conversation, so they have no messages. */
function lostRows(filters: ReportFilters): string {
  return `
    SELECT phone_number_id, toStartOfFifteenMinutes(written_at) AS at, '', '', 'lost referral', written_at, '', '', 0, 0, 0, 0, 0,
      0, 0, NULL, NULL, 0, 0, 0, 0
    FROM lost_referrals FINAL
    WHERE written_at >= ${FROM} AND written_at < ${TO} AND ${ofMarketSql(filters, 'customer', 'written_at')}`;
}

/** A relation `summary_cells` for a query, with its parameters. */
export interface Cells {
  /** What follows FROM, up to and including conditions. */
  readonly from: string;
  readonly parameters: Parameters;
}

/**
 * Summaries of the range. Stored ones do not know markets, categories, marks and tags: with such a filter they are made
 * of the rows that match, in the same way.
 */
export async function readCells(database: Database, filters: ReportFilters): Promise<Cells> {
  const where = `WHERE cell_at >= ${FROM} AND cell_at < ${TO} AND ${ofAdSql(filters)} AND ${ofNumberSql(filters)}`;
  const parameters = parametersOf(filters);
  // FINAL, because a recomputed cell exists twice until the next merge.
  if (filters.market == null && !isOfMessages(filters)) return { from: `summary_cells FINAL ${where}`, parameters };
  const basis = await readRatingBasis(database);
  const rows = [messageRows(basis, filters), entryRows(filters), ...(isOfMessages(filters) ? [] : [lostRows(filters)])];
  return {
    from: `(${cellsSql(rows.join(' UNION ALL '), '0')}) AS summary_cells ${where}`,
    parameters: { ...parameters, ...basis.parameters },
  };
}

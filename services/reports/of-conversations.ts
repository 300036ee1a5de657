import type { Narrowing, ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { RATED_CATEGORY } from '../rating/ratable.ts';
import { FROM, isOfNumbers, OF_ENTRIES, ofAdSql, ofMarketSql, ofNumberSql, TO } from './sql.ts';

/** Filters of reports about conversations: those of entries, and those of the messages that were sent in them. */
export const OF_CONVERSATIONS = [...OF_ENTRIES, 'category', 'billing', 'tag'] as const satisfies readonly Narrowing[];

/** Whether filters ask for messages with a category, mark or tag. */
export function isOfMessages({ category, billing, tag }: ReportFilters): boolean {
  return category != null || billing != null || tag != null;
}

/** The condition on rows of `message_marks`: messages with the filters' categories, marks and tags. */
export function matchingMessagesSql({ category, billing, tag }: ReportFilters): string {
  return [
    'true',
    ...(category == null ? [] : [`${RATED_CATEGORY} IN {categories:Array(String)}`]),
    ...(billing == null ? [] : ['toString(billing) IN {marks:Array(String)}']),
    ...(tag == null ? [] : ['tag IN {tags:Array(String)}']),
  ].join(' AND ');
}

const inRange = (time: string): string => `(entry_marks.${time} >= ${FROM} AND entry_marks.${time} < ${TO})`;
/** Threads of which an entry came, or opened a window, in the range. */
const THREADS_OF_RANGE = `SELECT phone_number_id, customer FROM entry_marks WHERE ${inRange('entry_at')} OR ${inRange('opened_at')}`;

/**
 * The condition on rows with `phone_number_id` and `ad_conversation_id`: conversations in which a matching message was
 * delivered. A message is of the last conversation of its thread that began before the delivery.
 * @param threads a query of numbers and customers that includes all conversations meant; null: all threads
 */
export function ofMessagesSql(filters: ReportFilters, threads: string | null = THREADS_OF_RANGE): string {
  if (!isOfMessages(filters)) return 'true';
  const meant = threads === null ? 'true' : `(phone_number_id, customer) IN (${threads})`;
  return `(phone_number_id, ad_conversation_id) IN (
    SELECT matching.phone_number_id, begun.ad_conversation_id
    FROM
    (
      SELECT phone_number_id, customer, assumeNotNull(delivered_at) AS matched_at FROM message_marks FINAL
      WHERE delivered_at IS NOT NULL AND participant = '' AND ${meant} AND ${matchingMessagesSql(filters)}
    ) AS matching
    ASOF INNER JOIN
    (
      SELECT phone_number_id, customer, ad_conversation_id, entry_marks.entry_at AS began_at FROM entry_marks FINAL
      WHERE starts_conversation = 1 AND ${meant}
    ) AS begun
      ON matching.phone_number_id = begun.phone_number_id AND matching.customer = begun.customer AND matching.matched_at >= begun.began_at)`;
}

/**
 * The condition on rows with `ad_id`, `source_type`, `phone_number_id`, `customer` and `ad_conversation_id` that
 * {@link OF_CONVERSATIONS} set.
 * @param time the column whose day decides the market
 * @param threads as for {@link ofMessagesSql}
 */
export function ofConversationsSql(filters: ReportFilters, time: string, threads?: null): string {
  return [
    ofAdSql(filters),
    ofNumberSql(filters),
    ofMarketSql(filters, 'customer', time),
    ofMessagesSql(filters, threads),
  ].join(' AND ');
}

/**
 * Conditions on rows of imports about ads, which name neither number nor customer. Ads are meant that brought entries
 * with the filters; `alone`: those that brought no others, because costs and counts of an ad cannot be split. They are
 * never of messages of some kind alone.
 */
export function ofImportsOfAdsSql(filters: ReportFilters): { readonly any: string; readonly alone: string } {
  const ads = (where: string, having: string): string =>
    `ad_id IN (SELECT ad_id FROM entry_marks FINAL WHERE ad_id != '' AND ${where} GROUP BY ad_id HAVING ${having})`;
  const entries = `${ofNumberSql(filters)} AND ${ofMarketSql(filters, 'customer', 'entry_marks.entry_at')}`;
  if (isOfMessages(filters)) return { any: ads(ofMessagesSql(filters), `countIf(${entries}) > 0`), alone: 'false' };
  if (!isOfNumbers(filters) && filters.market == null) return { any: 'true', alone: 'true' };
  return { any: ads('true', `countIf(${entries}) > 0`), alone: ads('true', `countIf(${entries}) = count()`) };
}

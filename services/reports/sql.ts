import { DateTime } from 'luxon';
import { givenValues, type Narrowing, type ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { Parameters } from '../clickhouse/database.ts';
import { marketSql } from '../rating/markets.ts';
import { LABELS_IN_FORCE } from '../spend/spend.ts';
import { END_DAY, FIRST_DAY, LAST_SECOND } from '@ctwa-ledger/schemas/time-limits.ts';

/**
 * SQL that prints a time column as in contract.md 3: ISO 8601 with offset in the zone `{tz:String}`, empty = not known.
 * @param column of type DateTime, qualified, so that an alias of the same name is not used
 */
export function isoTime(column: string): string {
  const time = `assumeNotNull(${column})`;
  // Local time less UTC. timeZoneOffset and %z are wrong by a day in zones that once changed sides of the date line
  // (Kiritimati, Apia).
  const offset = `(toDateTime(formatDateTime(${time}, '%F %T', {tz:String}), 'UTC') - ${time})`;
  const inZone = `concat(
    formatDateTime(${time}, '%FT%T', {tz:String}),
    if(${offset} < 0, '-', '+'),
    formatDateTime(toDateTime(abs(${offset}), 'UTC'), '%R'))`;
  // The zone is a constant of the query, so only one of the two is computed.
  const inUtc = `concat(formatDateTime(${time}, '%FT%T', 'UTC'), '+00:00')`;
  return `if(${column} IS NULL, '', if({tz:String} = 'UTC', ${inUtc}, ${inZone}))`;
}

/** The first moment of a day in a zone. Where clocks go back over midnight, this is the first of the two midnights. */
export function firstMoment(day: string, zone: string): DateTime {
  const start = DateTime.fromISO(day, { zone }).startOf('day');
  const before = start.minus({ hours: 1 });
  return before.hasSame(start, 'day') ? before : start;
}

/** The range of the filters in Unix seconds, from midnight to midnight in their zone. */
export function rangeOf(filters: ReportFilters): { readonly from: number; readonly to: number } {
  const midnight = (day: string): number =>
    Math.min(Math.max(firstMoment(day, filters.tz).toSeconds(), 0), LAST_SECOND);
  return {
    from: filters.from === null ? 0 : midnight(filters.from),
    to: filters.to === null ? LAST_SECOND : midnight(filters.to),
  };
}

/**
 * The days of a range as parameters of type Date, limited to the days that the type can hold.
 * @param days the first day and the day after the last one; null: no bound
 */
export function daysOf({ from, to }: Pick<ReportFilters, 'from' | 'to'>): {
  readonly first_day: string;
  readonly end_day: string;
} {
  const within = (day: string): string => (day < FIRST_DAY ? FIRST_DAY : day > END_DAY ? END_DAY : day);
  return { first_day: within(from ?? FIRST_DAY), end_day: within(to ?? END_DAY) };
}

/** The parameters used by the fragments of this module and the queries of `sql/queries`. */
export function parametersOf(filters: ReportFilters): {
  from: number;
  to: number;
  tz: string;
  as_of: number;
  ads: readonly string[];
  campaigns: readonly string[];
  adsets: readonly string[];
  accounts: readonly string[];
  numbers: readonly string[];
  markets: readonly string[];
  categories: readonly string[];
  marks: readonly string[];
  tags: readonly string[];
} {
  return {
    ...rangeOf(filters),
    tz: filters.tz,
    as_of: filters.as_of,
    ads: givenValues(filters.ad).filter((ad) => ad !== ''),
    campaigns: givenValues(filters.campaign),
    adsets: givenValues(filters.adset),
    accounts: givenValues(filters.waba_id),
    numbers: givenValues(filters.phone_number_id),
    markets: givenValues(filters.market),
    categories: givenValues(filters.category),
    marks: givenValues(filters.billing),
    tags: givenValues(filters.tag),
  };
}

const DAY_SECONDS = 86_400;

/** {@link parametersOf} with one more day on both sides, so that the days of every zone are inside. */
export function widened(filters: ReportFilters): ReturnType<typeof parametersOf> {
  const { from, to, ...others } = parametersOf(filters);
  return { ...others, from: Math.max(from - DAY_SECONDS, 0), to: Math.min(to + DAY_SECONDS, LAST_SECOND) };
}

/** A condition on rows, with its parameters. */
export interface Condition {
  readonly where: string;
  readonly parameters: Parameters;
}

/**
 * A condition that narrows rows to the filters: each column has one of the values of its filter. Filters on columns that
 * are not in `columns` are ignored. An empty value is a value: messages of no account have an empty `waba_id`.
 * @param columns by the name of a filter, the expression that it compares, as text
 */
export function narrowedSql(filters: ReportFilters, columns: Readonly<Partial<Record<Narrowing, string>>>): Condition {
  const asked = Object.entries(columns).flatMap(([name, sql]) => {
    const values = givenValues(filters[name as Narrowing]);
    return values.length === 0 ? [] : [{ parameter: `only_${name}`, sql, values }];
  });
  return {
    where: ['true', ...asked.map(({ parameter, sql }) => `(${sql}) IN {${parameter}:Array(String)}`)].join(' AND '),
    parameters: Object.fromEntries(asked.map(({ parameter, values }) => [parameter, values])),
  };
}

const isAddress = (ad: string): boolean => /^https?:/i.test(ad);

/** Ids of ads by their names: a part of any name, in any letter case. */
const ADS_NAMED = `SELECT ad_id FROM
    (
      SELECT ad_id, concat(ad_name, '\n', adset_name, '\n', campaign_name) AS names FROM (${LABELS_IN_FORCE})
      UNION ALL
      SELECT ad_id, argMaxIfMerge(ad_referrals.headline) AS names FROM ad_referrals GROUP BY ad_id, source_type
    )
    WHERE arrayExists(ad -> positionCaseInsensitiveUTF8(names, ad) > 0, {ads:Array(String)})`;

/** Whether a text can only be a part of a name: ids have no letters, and addresses begin with a protocol. */
const isName = (ad: string): boolean => !isAddress(ad) && /\p{L}/u.test(ad);

/**
 * Condition on rows with `ad_id`: those of the filters' ads and posts, campaigns and ad sets.
 * @param address the column with the address from which an entry came; null: an address means all ads with an entry from
 * it
 */
function adsSql(filters: ReportFilters, address: string | null): string {
  const ads = givenValues(filters.ad).filter((ad) => ad !== '');
  const byAddress =
    address === null
      ? 'ad_id IN (SELECT ad_id FROM entry_marks FINAL WHERE source_url IN {ads:Array(String)})'
      : `${address} IN {ads:Array(String)}`;
  const any = [
    'ad_id IN {ads:Array(String)}',
    ...(ads.some(isAddress) ? [byAddress] : []),
    ...(ads.some(isName) ? [`ad_id IN (${ADS_NAMED})`] : []),
  ];
  const labelled = (column: string, values: string): string =>
    `ad_id IN (SELECT ad_id FROM (${LABELS_IN_FORCE}) WHERE ${column} IN {${values}:Array(String)})`;
  return [
    'true',
    ...(ads.length === 0 ? [] : [`(${any.join(' OR ')})`]),
    ...(filters.campaign == null ? [] : [labelled('campaign_name', 'campaigns')]),
    ...(filters.adset == null ? [] : [labelled('adset_name', 'adsets')]),
  ].join(' AND ');
}

/** Whether filters narrow to ads, posts, campaigns or ad sets. */
export function isOfAds({ ad, campaign, adset }: ReportFilters): boolean {
  return givenValues(ad).some((one) => one !== '') || campaign != null || adset != null;
}

/** The condition on rows with `ad_id` that filters by ads set. An address means all ads with an entry from it. */
export function ofAdsSql(filters: ReportFilters): string {
  return adsSql(filters, null);
}

/** {@link ofAdsSql} on rows that may be of no ad, which have an empty `source_type`. */
export function ofAdSql(filters: ReportFilters): string {
  return isOfAds(filters) ? `source_type != '' AND ${ofAdsSql(filters)}` : 'true';
}

/** The condition on messages with `ad_id` and `billing`: those of free entry windows of the filters' ads. */
export function ofWindowsSql(filters: ReportFilters): string {
  return isOfAds(filters) ? `billing = 'FREE_ENTRY' AND ad_id != '' AND ${ofAdsSql(filters)}` : 'true';
}

/** The condition on rows that know a business number only: it is one of the filters', or of their accounts. */
export function ofNumberSql({ waba_id, phone_number_id }: ReportFilters): string {
  return [
    'true',
    ...(phone_number_id == null ? [] : ['phone_number_id IN {numbers:Array(String)}']),
    ...(waba_id == null
      ? []
      : [
          `phone_number_id IN (SELECT phone_number_id FROM charge_days WHERE waba_id IN {accounts:Array(String)}
            UNION ALL SELECT phone_number_id FROM events WHERE waba_id IN {accounts:Array(String)}
            UNION ALL SELECT phone_number_id FROM removed_hours WHERE waba_id IN {accounts:Array(String)})`,
        ]),
  ].join(' AND ');
}

/** Whether filters narrow to accounts or business numbers. */
export function isOfNumbers({ waba_id, phone_number_id }: ReportFilters): boolean {
  return waba_id != null || phone_number_id != null;
}

/**
 * The condition on customers of one of the filters' markets (rules.md M2). A conversation has the market of its customer's
 * number on the day, in UTC, of the given time.
 */
export function ofMarketSql({ market }: ReportFilters, customer: string, time: string): string {
  return market == null ? 'true' : `${marketSql(customer, `toDate(${time}, 'UTC')`)} IN {markets:Array(String)}`;
}

/** Filters of reports about entries, which know their ad, number and customer. */
export const OF_ENTRIES = [
  'ad',
  'campaign',
  'adset',
  'waba_id',
  'phone_number_id',
  'market',
] as const satisfies readonly Narrowing[];

/** The condition on entries that {@link OF_ENTRIES} set. An address means the entries that came from it. */
export function ofEntriesSql(filters: ReportFilters): string {
  return `${adsSql(filters, 'source_url')} AND ${ofNumberSql(filters)} AND ${ofMarketSql(filters, 'customer', 'entry_marks.entry_at')}`;
}

/**
 * Condition on `message_marks`: messages that are or were in some quarter hours. The current row may have moved to
 * another one, so compare its time too.
 * @param where selects rows of `messages_by_time`; `cell_at` is the quarter hour of the delivery, else of the sending
 */
export function inQuarterHours(where: string): string {
  return `(message_marks.phone_number_id, message_marks.message_id) IN
    (SELECT phone_number_id, message_id FROM messages_by_time WHERE ${where})`;
}

export const FROM = "toDateTime({from:UInt32}, 'UTC')";
export const TO = "toDateTime({to:UInt32}, 'UTC')";
export const AS_OF = "toDateTime({as_of:UInt32}, 'UTC')";

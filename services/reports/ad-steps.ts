import {
  adMessagesRow,
  AD_STEPS,
  adStepsRow,
  CONVERSATION_DAYS,
  type AdMessagesRow,
  type AdStep,
  type AdStepsRow,
} from '@ctwa-ledger/schemas/ad-steps.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import type { AdFiguresRow } from '@ctwa-ledger/schemas/figures.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { perOne, scaled, unscaled } from '../imports/decimals.ts';
import { readRatingBasis } from '../rating/basis.ts';
import { pricedSql } from '../rating/pricing.ts';
import { placedSql } from '../rating/ratable.ts';
import { SPEND_IN_FORCE } from '../spend/spend.ts';
import { startsSql } from './ad-answers.ts';
import { adCosts, grouped } from './ads.ts';
import { CALLED, JOINED_WITH_CALLED, storedUnder } from './customer-names.ts';
import { matchingMessagesSql, OF_CONVERSATIONS, ofConversationsSql, ofImportsOfAdsSql } from './of-conversations.ts';
import { REMOVED_TABLES, REMOVED_THREADS } from './removed.ts';
import { whole } from './report.ts';
import { daysOf, FROM, ofAdsSql, ofAdSql, ofNumberSql, parametersOf, TO } from './sql.ts';
import { MESSAGE_TABLES, filterTables, SPEND_TABLES, summaryTables } from './tables.ts';

/** The end of a conversation: its messages belong to it for some days, unless the customer's next one starts before. */
const ENDS_AT = `least(next_at, entered_at + INTERVAL ${CONVERSATION_DAYS} DAY)`;
const OF_A_KNOWN_AD = "source_type = 'ad' AND ad_id != ''";

/** The end of the range for messages of conversations that begin in it. In seconds: without a range it is the last DateTime. */
const UNTIL = `{to:UInt32} + ${CONVERSATION_DAYS * 86_400}`;

/** Messages that say something about another message, or that the customer did not write. */
const NOT_WRITTEN = "('system', 'edit', 'revoke', 'reaction')";

/**
 * The imported counts of ads on the days of the range, by ad and step, with the days that they are of. An ad has one
 * amount for its days, whatever the currency.
 */
const metaSql = (filters: ReportFilters): string => `
  SELECT ad_id, pair.1 AS step, sum(pair.2) AS meta, groupArrayIf((first_day, last_day), isNotNull(pair.2)) AS spans,
    sumIf(last_day - first_day + 1, isNotNull(pair.2)) AS days_known, sumIf(last_day - first_day + 1, isNull(pair.2)) AS days_unknown
  FROM
  (
    SELECT ad_id, spend.first_day AS first_day, spend.last_day AS last_day, ${AD_STEPS.map((step) => `max(${step}) AS ${step}`).join(', ')}
    FROM (${SPEND_IN_FORCE}) AS spend
    WHERE spend.first_day >= {first_day:Date} AND spend.last_day < {end_day:Date} AND ${ofAdsSql(filters)} AND ${ofImportsOfAdsSql(filters).alone}
    GROUP BY ad_id, first_day, last_day
  )
  ARRAY JOIN [${AD_STEPS.map((step) => `('${step}', ${step})`).join(', ')}] AS pair
  GROUP BY ad_id, step`;

/** How many messages the customer wrote in each ad conversation, with each message counted once. */
const depthsSql = (filters: ReportFilters): string => {
  const meant = storedUnder(`SELECT phone_number_id, customer FROM entry_marks
    WHERE entry_marks.entry_at >= ${FROM} AND entry_marks.entry_at < ${TO} AND ${ofAdSql(filters)} AND ${ofNumberSql(filters)}`);
  return `
  SELECT ad_id, toDate(entered_at, {tz:String}) AS day,
    arrayCount(at -> at >= entered_at AND at < ${ENDS_AT}, times) AS depth
  FROM (SELECT * FROM (${startsSql(filters)}) WHERE ${OF_A_KNOWN_AD}) AS starts
  LEFT JOIN
  (
    SELECT phone_number_id, customer, groupArray(written_at) AS times
    FROM
    (
      SELECT events.phone_number_id AS phone_number_id, ${CALLED} AS customer, id, min(timestamp) AS written_at
      FROM
      (
        SELECT phone_number_id, customer, id, timestamp FROM events
        WHERE kind = 'message' AND direction = 'inbound' AND type NOT IN ${NOT_WRITTEN}
          AND timestamp >= ${FROM} AND toUnixTimestamp(timestamp) < ${UNTIL}
          AND (phone_number_id, customer) IN (${meant})
        UNION ALL
        -- Of events that were removed: a message has one time, and its place stands for its id.
        SELECT phone_number_id, customer, concat(customer, ' ', toString(place)) AS id, one.at AS timestamp
        FROM (SELECT * FROM ${REMOVED_THREADS} WHERE (phone_number_id, customer) IN (${meant}))
        ARRAY JOIN written AS one, arrayEnumerate(written) AS place
        WHERE one.type NOT IN ${NOT_WRITTEN} AND one.at >= ${FROM} AND toUnixTimestamp(one.at) < ${UNTIL}
      ) AS events ${JOINED_WITH_CALLED}
      GROUP BY phone_number_id, customer, id
    )
    GROUP BY phone_number_id, customer
  ) AS written USING (phone_number_id, customer)`;
};

const DEPTHS: Readonly<Record<Exclude<AdStep, 'link_clicks'>, number>> = {
  conversations_started: 0,
  depth_2: 2,
  depth_3: 3,
  depth_5: 5,
};

/** What is counted here of each step, by ad and day. */
const countedSql = (filters: ReportFilters): string => `
  SELECT ad_id, day, pair.1 AS step, pair.2 AS n
  FROM
  (
    SELECT ad_id, day, [${Object.entries(DEPTHS)
      .map(([step, depth]) => `('${step}', countIf(depth >= ${depth}))`)
      .join(', ')}] AS steps
    FROM (${depthsSql(filters)})
    GROUP BY ad_id, day
  )
  ARRAY JOIN steps AS pair
  UNION ALL
  SELECT ad_id, toDate(entry_marks.entry_at, {tz:String}) AS day, 'link_clicks', count()
  FROM entry_marks FINAL
  WHERE entry_marks.entry_at >= ${FROM} AND entry_marks.entry_at < ${TO} AND ${OF_A_KNOWN_AD}
    AND ${ofConversationsSql(filters, 'entry_marks.entry_at')}
  GROUP BY ad_id, day`;

const stepRow = adStepsRow.omit({ difference: true });

/**
 * Report `ad-steps`: the steps of ads as they are counted here and by Meta. Only days for which Meta's count is known are
 * compared. Its days are those of the ad account, ours those of the requested zone.
 */
export async function adSteps(database: Database, filters: ReportFilters): Promise<AdStepsRow[]> {
  const rows = await database.query(
    stepRow,
    `WITH imported AS (${metaSql(filters)})
     SELECT toString(if(ours.ad_id = '', imported.ad_id, ours.ad_id)) AS ad_id, if(ours.step = '', imported.step, ours.step) AS step,
       toUInt32(ours.counted) AS counted, if(imported.days_known = 0, NULL, toUInt32(imported.meta)) AS meta,
       toUInt32(ours.compared) AS compared, toUInt32(imported.days_known) AS days_known, toUInt32(imported.days_unknown) AS days_unknown
     FROM
     (
       SELECT toString(ad_id) AS ad_id, step, sum(n) AS counted,
         sumIf(n, arrayExists(span -> day >= span.1 AND day <= span.2, spans)) AS compared
       FROM (${countedSql(filters)}) AS days LEFT JOIN (SELECT ad_id, step, spans FROM imported) AS known USING (ad_id, step)
       GROUP BY ad_id, step
     ) AS ours
     FULL OUTER JOIN imported ON ours.ad_id = imported.ad_id AND ours.step = imported.step
     ORDER BY ad_id, indexOf([${AD_STEPS.map((step) => `'${step}'`).join(', ')}], step)`,
    { ...parametersOf(filters), ...daysOf(filters) },
  );
  return rows.map(({ days_known, days_unknown, ...row }) => ({
    ...row,
    difference:
      row.meta === null ? null : row.step === 'link_clicks' ? row.meta - row.compared : row.compared - row.meta,
    days_known,
    days_unknown,
  }));
}

export const adStepsReport = whole({
  name: 'ad-steps',
  one_row_per: 'ad and step from the click to the fifth message, as counted here and by Meta',
  row: adStepsRow,
  days: 'zone',
  filters: OF_CONVERSATIONS,
  settles: [],
  reads: (filters) => [
    'entry_marks',
    'events',
    ...REMOVED_TABLES,
    'customer_names',
    ...SPEND_TABLES,
    ...filterTables(filters),
  ],
  key: ['ad_id', 'step'],
  rows: adSteps,
});

const sumsRow = z.object({
  ad_id: z.string(),
  source_type: z.string(),
  currency: z.string(),
  messages: z.number(),
  charges: z.string(),
  unrated: z.number(),
});
type Sums = z.infer<typeof sumsRow>;

/** Delivered messages of ad conversations with their expected charge, by ad and currency. */
async function messageSums(database: Database, filters: ReportFilters): Promise<Sums[]> {
  const basis = await readRatingBasis(database);
  const marks = `message_marks.delivered_at >= ${FROM} AND toUnixTimestamp(message_marks.delivered_at) < ${UNTIL}
    AND is_echo = 0 AND participant = '' AND ${matchingMessagesSql(filters)} AND (phone_number_id, customer) IN (SELECT phone_number_id, customer FROM starts)`;
  return database.query(
    sumsRow,
    `WITH starts AS (${startsSql(filters)})
     SELECT toString(starts.ad_id) AS ad_id, toString(starts.source_type) AS source_type, toString(priced.currency) AS currency,
       toUInt32(count()) AS messages,
       toString(sumIf(toDecimal128(ifNull(priced.rate, 0), 8), priced.billing = 'BILLABLE')) AS charges,
       toUInt32(countIf(priced.unrated != '')) AS unrated
     FROM
     (
       SELECT phone_number_id, customer, assumeNotNull(delivered_at) AS at, billing, currency, rate, unrated
       FROM (${pricedSql(placedSql(basis, marks), 'rated_category')})
     ) AS priced
     ASOF INNER JOIN starts ON priced.phone_number_id = starts.phone_number_id AND priced.customer = starts.customer AND priced.at >= starts.entered_at
     WHERE priced.at < ${ENDS_AT}
     GROUP BY ad_id, source_type, currency
     ORDER BY ad_id, source_type, currency`,
    { ...parametersOf(filters), ...basis.parameters },
  );
}

const NO_MESSAGES = { messages: 0, charges: '0', unrated: 0 };

/** Sums of one ad by currency. Messages without one are counted with the only currency that the ad has. */
function inCurrencies(rows: readonly Sums[], currencies: readonly string[]): ReadonlyMap<string, typeof NO_MESSAGES> {
  const [only, ...others] = currencies;
  const sums = new Map(currencies.map((currency) => [currency, NO_MESSAGES]));
  for (const row of rows) {
    const currency = row.currency === '' && only !== undefined && others.length === 0 ? only : row.currency;
    const known = sums.get(currency) ?? NO_MESSAGES;
    sums.set(currency, {
      messages: known.messages + row.messages,
      charges: unscaled(scaled(known.charges) + scaled(row.charges)),
      unrated: known.unrated + row.unrated,
    });
  }
  return sums;
}

/** The rows of one ad or post: one for each of its currencies. */
function messageRows(ad: readonly AdFiguresRow[], sums: readonly Sums[]): AdMessagesRow[] {
  const [first] = ad;
  if (first === undefined) return [];
  const { ad_id, source_type, ad_conversations, replied } = first;
  const spendIn = (currency: string): string | null => ad.find((row) => row.currency === currency)?.spend ?? null;
  const spent = ad.flatMap(({ currency, spend }) => (spend === null ? [] : [currency]));
  const named = [...new Set([...spent, ...sums.map(({ currency }) => currency)])].filter((one) => one !== '').sort();
  const rows = [...inCurrencies(sums, named)];
  return (rows.length === 0 ? [['', NO_MESSAGES] as const] : rows).map(([currency, sum]) => {
    const { messages, charges, unrated } = sum;
    const message_charges = unrated > 0 && scaled(charges) === 0n ? null : charges;
    const spend = spendIn(currency);
    const full_cost =
      spend === null || message_charges === null || named.length > 1
        ? null
        : unscaled(scaled(spend) + scaled(message_charges));
    const per = (amount: string | null, divisor: number): string | null =>
      amount === null ? null : perOne(amount, divisor);
    return {
      ...{ ad_id, source_type, currency, ad_conversations, replied },
      ...{ messages, message_charges, unrated },
      charges_per_conversation: per(message_charges, ad_conversations),
      charges_per_replied: per(message_charges, replied),
      ...{ spend, full_cost },
      full_cost_per_conversation: per(full_cost, ad_conversations),
      full_cost_per_replied: per(full_cost, replied),
    };
  });
}

/**
 * Report `ad-messages`: the messages of ad conversations, what they are expected to cost, and the full cost of a
 * conversation. Amounts are those of now, also in closed months, which store no conversations.
 */
export async function adMessages(database: Database, filters: ReportFilters): Promise<AdMessagesRow[]> {
  const [costs, sums] = await Promise.all([adCosts(database, filters), messageSums(database, filters)]);
  const keyOf = ({ ad_id, source_type }: Pick<AdMessagesRow, 'ad_id' | 'source_type'>): string =>
    JSON.stringify([ad_id, source_type]);
  const ads = grouped(
    costs.filter(({ ad_conversations, spend }) => ad_conversations > 0 || spend !== null),
    keyOf,
  );
  const messages = grouped(sums, keyOf);
  return [...ads].flatMap(([key, ad]) => messageRows(ad, messages.get(key) ?? []));
}

export const adMessagesReport = whole({
  name: 'ad-messages',
  one_row_per: 'ad or post and currency: messages of its conversations, their expected charge, and the full cost',
  row: adMessagesRow,
  days: 'zone',
  filters: OF_CONVERSATIONS,
  settles: ['summaries', 'charges'],
  reads: (filters) => [...MESSAGE_TABLES, ...summaryTables(filters), ...SPEND_TABLES, ...filterTables(filters)],
  key: ['ad_id', 'source_type', 'currency'],
  rows: adMessages,
});

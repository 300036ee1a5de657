import {
  adOutcomesRow,
  outcomeRow,
  type AdOutcomesRow,
  type ConversionEvent,
  type OutcomeRow,
} from '@ctwa-ledger/schemas/outcomes.ts';
import { isErasedName } from '@ctwa-ledger/schemas/erasures.ts';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { perOne, quotient, scaled, unscaled } from '../imports/decimals.ts';
import { OUTCOME_TABLES, OUTCOMES_IN_FORCE } from '../outcomes/outcomes.ts';
import { adCosts } from './ads.ts';
import { whole } from './report.ts';
import { OF_CONVERSATIONS, ofConversationsSql } from './of-conversations.ts';
import { FROM, isoTime, parametersOf, TO } from './sql.ts';
import { filterTables, SPEND_TABLES, summaryTables } from './tables.ts';

/** For how long after the click Meta takes an outcome. */
const DAYS_AFTER_CLICK = 7;
const DAY_SECONDS = 86_400;

const ENTRY = 'tuple(phone_number_id, entry_id, ad_conversation_id, ad_id, source_type, entry_at, ctwa_clid, customer)';

/** What rows call the customers that outcomes name, by any name that events give them. */
const CALLED_BY_NAME = `
SELECT toString(given.phone_number_id) AS phone_number_id, given.name AS name, any(if(names.called = '', given.customer, names.called)) AS called
FROM (SELECT DISTINCT phone_number_id, name, customer FROM message_names WHERE name IN (SELECT customer FROM outcomes)) AS given
LEFT JOIN (SELECT phone_number_id, name, customer AS called FROM customer_names FINAL) AS names
  ON given.phone_number_id = names.phone_number_id AND given.customer = names.name
GROUP BY given.phone_number_id, given.name`;

const IS_MEANT = `said.happened_at >= ${FROM} AND said.happened_at < ${TO}`;

/** Outcomes in force that happened in the range, with what rows call their customers. */
const SAID = `
SELECT outcome_id, source, kind, happened_at, value, currency, conversation_id AS said_id, said.ctwa_clid AS said_click,
  said.phone_number_id AS said_number, said.customer AS said_customer, if(names.called = '', said.customer, names.called) AS called
FROM (SELECT * FROM (${OUTCOMES_IN_FORCE}) AS said WHERE ${IS_MEANT}) AS said
LEFT JOIN (${CALLED_BY_NAME}) AS names ON said.phone_number_id = names.phone_number_id AND said.customer = names.name`;

/**
 * Outcomes of the range with the entry that they belong to: the one that they name, else the one of the click, else the
 * latest one of the customer before the outcome.
 */
const ATTACHED = `
WITH said AS (${SAID}),
-- Of millions of entries, only those that outcomes can belong to are joined.
entries AS
(
  SELECT toString(phone_number_id) AS phone_number_id, entry_id, if(ad_conversation_id = '', entry_id, ad_conversation_id) AS ad_conversation_id,
    toString(ad_id) AS ad_id, toString(source_type) AS source_type, entry_at, ctwa_clid, customer
  FROM entry_marks FINAL
  WHERE entry_marks.entry_id IN (SELECT said_id FROM said) OR entry_marks.ctwa_clid IN (SELECT said_click FROM said WHERE said_click != '')
    OR (toString(entry_marks.phone_number_id), entry_marks.customer) IN (SELECT said_number, called FROM said)
)
SELECT outcome_id, source, kind, happened_at, value, currency, said_click, said_number, said_customer,
  multiIf(named.n > 0, named.entry, clicked.n > 0, clicked.entry, written.entry_id != '',
    tuple(written.phone_number_id, written.entry_id, written.ad_conversation_id, written.ad_id, written.source_type, written.entry_at,
      written.ctwa_clid, written.customer),
    tuple('', '', '', '', '', toDateTime(0, 'UTC'), '', '')) AS found
FROM said
LEFT JOIN (SELECT entry_id, argMax(${ENTRY}, entry_at) AS entry, count() AS n FROM entries GROUP BY entry_id) AS named
  ON said.said_id = named.entry_id
LEFT JOIN (SELECT ctwa_clid, argMax(${ENTRY}, entry_at) AS entry, count() AS n FROM entries WHERE ctwa_clid != '' GROUP BY ctwa_clid) AS clicked
  ON said.said_click = clicked.ctwa_clid
ASOF LEFT JOIN (SELECT * FROM entries WHERE customer != '') AS written
  ON said.said_number = written.phone_number_id AND said.called = written.customer AND said.happened_at >= written.entry_at`;

const CELLS = `outcome_id, source, kind, value, currency, found.4 AS ad_id, found.5 AS source_type, found.3 AS ad_conversation_id,
  found.2 AS entry_id, if(found.1 = '', said_number, found.1) AS phone_number_id, if(found.8 = '', said_customer, found.8) AS customer`;

/** Report `outcomes`: outcomes that happened in the range, the latest first. */
function outcomes(database: Database, filters: ReportFilters): Promise<OutcomeRow[]> {
  const found = "if(entry_id = '', NULL, found.6)";
  return database.query(
    outcomeRow.extend({ entry_at: z.string().transform((text) => text || null) }),
    `SELECT outcome_id, source, kind, ${isoTime('attached.happened_at')} AS happened_at, toString(value) AS value, currency,
       ad_id, source_type, ad_conversation_id, entry_id, ${isoTime(found)} AS entry_at, phone_number_id, customer
     FROM (SELECT found, happened_at, ${CELLS} FROM (${ATTACHED})) AS attached
     WHERE ${ofConversationsSql(filters, 'attached.happened_at', null)}
     ORDER BY attached.happened_at DESC, source, outcome_id`,
    parametersOf(filters),
  );
}

const sumsRow = z.object({
  ad_id: z.string(),
  source_type: z.string(),
  kind: z.string(),
  source: z.enum(['own', 'meta']),
  currency: z.string(),
  outcomes: z.number(),
  value: z.string().nullable(),
});
type Sums = z.infer<typeof sumsRow>;

/**
 * Report `ad-outcomes`: what ads led to, by kind, source and currency. Outcomes without a value stand in the currency of
 * the ad's cost, where there is one currency.
 */
export async function adOutcomes(database: Database, filters: ReportFilters): Promise<AdOutcomesRow[]> {
  // Most ledgers have no outcomes; joining them with entries and reading costs takes longer than looking.
  const [known] = await database.query(
    z.object({ n: z.number() }),
    `SELECT toUInt32(count()) AS n FROM (${OUTCOMES_IN_FORCE}) AS said WHERE ${IS_MEANT}`,
    parametersOf(filters),
  );
  if (known?.n === 0) return [];
  const sums = await database.query(
    sumsRow,
    `SELECT ad_id, source_type, kind, source, currency, toUInt32(count()) AS outcomes,
         if(count(value) = 0, NULL, toString(sum(toDecimal128(assumeNotNull(value), 8)))) AS value
       FROM (SELECT found, happened_at, ${CELLS} FROM (${ATTACHED})) AS attached
       WHERE ${ofConversationsSql(filters, 'attached.happened_at', null)}
       GROUP BY ad_id, source_type, kind, source, currency
       ORDER BY ad_id, source_type, kind, source, currency`,
    parametersOf(filters),
  );
  if (sums.length === 0) return [];
  const costs = await adCosts(database, filters);
  const ofAd = (row: Sums): typeof costs =>
    row.ad_id === ''
      ? []
      : costs.filter(({ ad_id, source_type }) => ad_id === row.ad_id && source_type === row.source_type);
  return inCurrencies(sums, (row) =>
    ofAd(row).flatMap(({ currency, spend }) => (spend === null ? [] : [currency])),
  ).map((row) => {
    const own = ofAd(row);
    const spend = own.find(({ currency }) => currency === row.currency)?.spend ?? null;
    return {
      ...row,
      ad_name: own[0]?.ad_name ?? '',
      spend,
      cost_per_outcome: spend === null ? null : perOne(spend, row.outcomes),
      return_on_ad_spend: spend === null || row.value === null ? null : quotient(scaled(row.value), scaled(spend)),
    };
  });
}

/** Gives rows without a currency the one of the ad's cost, and adds them to the row that has it. */
function inCurrencies(sums: readonly Sums[], currenciesOf: (row: Sums) => readonly string[]): Sums[] {
  const rows = new Map<string, Sums>();
  for (const row of sums) {
    const [only, ...others] = currenciesOf(row);
    const currency = row.currency === '' && only !== undefined && others.length === 0 ? only : row.currency;
    const key = JSON.stringify([row.ad_id, row.source_type, row.kind, row.source, currency]);
    const known = rows.get(key);
    const values = [known?.value ?? null, row.value].filter((value) => value !== null);
    rows.set(key, {
      ...row,
      currency,
      outcomes: row.outcomes + (known?.outcomes ?? 0),
      value: values.length === 0 ? null : unscaled(values.reduce((sum, value) => sum + scaled(value), 0n)),
    });
  }
  return [...rows.values()];
}

/** Words of ours, and what Meta's Conversions API calls them for messages of a business. */
const EVENT_NAMES: ReadonlyMap<string, string> = new Map([
  ['lead', 'LeadSubmitted'],
  ['purchase', 'Purchase'],
  ['qualified_lead', 'QualifiedLead'],
  ['add_to_cart', 'AddToCart'],
  ['initiate_checkout', 'InitiateCheckout'],
  ['view_content', 'ViewContent'],
  ['order_created', 'OrderCreated'],
  ['order_shipped', 'OrderShipped'],
  ['order_delivered', 'OrderDelivered'],
  ['order_canceled', 'OrderCanceled'],
  ['order_returned', 'OrderReturned'],
  ['cart_abandoned', 'CartAbandoned'],
  ['rating_provided', 'RatingProvided'],
  ['review_provided', 'ReviewProvided'],
]);

const clickedRow = z.object({
  outcome_id: z.string(),
  kind: z.string(),
  happened_at: z.coerce.number(),
  value: z.string().nullable(),
  currency: z.string(),
  ctwa_clid: z.string(),
  customer: z.string(),
  waba_id: z.string(),
});

/** Own outcomes of a range in Meta's shape, and how many are left out and why. */
export interface ConversionEvents {
  readonly data: readonly ConversionEvent[];
  readonly left_out: {
    readonly no_click: number;
    readonly too_late: number;
    readonly no_name: number;
    readonly erased: number;
  };
}

/**
 * Own outcomes of a range in the shape of events of Meta's Conversions API for business messaging: those of a known click
 * that happened within seven days of the entry that it brought. Nothing is sent.
 */
export async function conversionEvents(database: Database, filters: ReportFilters): Promise<ConversionEvents> {
  const rows = await database.query(
    clickedRow.extend({ entry_at: z.coerce.number() }),
    `SELECT outcome_id, kind, toUnixTimestamp(attached.happened_at) AS happened_at, toString(value) AS value, currency,
       if(found.7 = '', said_click, found.7) AS ctwa_clid, customer, toUnixTimestamp(found.6) AS entry_at, accounts.waba_id AS waba_id
     FROM (SELECT found, happened_at, said_click, ${CELLS} FROM (${ATTACHED})) AS attached
     LEFT JOIN (SELECT toString(phone_number_id) AS number, argMaxIf(toString(waba_id), timestamp, waba_id != '') AS waba_id
       FROM (SELECT phone_number_id, waba_id, timestamp FROM events UNION ALL SELECT phone_number_id, waba_id, hour FROM removed_hours)
       GROUP BY number) AS accounts ON accounts.number = attached.phone_number_id
     WHERE source = 'own'
     ORDER BY attached.happened_at, outcome_id`,
    parametersOf(filters),
  );
  const left_out = { no_click: 0, too_late: 0, no_name: 0, erased: 0 };
  const data = rows.flatMap((row): ConversionEvent[] => {
    const event_name = EVENT_NAMES.get(row.kind);
    const seconds = row.happened_at - row.entry_at;
    if (isErasedName(row.customer)) left_out.erased += 1;
    else if (event_name === undefined) left_out.no_name += 1;
    else if (row.ctwa_clid === '' || row.waba_id === '' || row.entry_at === 0) left_out.no_click += 1;
    else if (seconds < 0 || seconds > DAYS_AFTER_CLICK * DAY_SECONDS) left_out.too_late += 1;
    else
      return [
        {
          event_name,
          event_time: row.happened_at,
          event_id: row.outcome_id,
          action_source: 'business_messaging',
          messaging_channel: 'whatsapp',
          user_data: { whatsapp_business_account_id: row.waba_id, ctwa_clid: row.ctwa_clid },
          // Meta takes a number here; nothing of the ledger is computed from it.
          ...(row.value === null ? {} : { custom_data: { currency: row.currency, value: Number(row.value) } }),
        },
      ];
    return [];
  });
  return { data, left_out };
}

export const outcomesReport = whole({
  name: 'outcomes',
  one_row_per: 'outcome of an ad conversation, such as a lead or a purchase, the latest first',
  row: outcomeRow,
  days: 'zone',
  filters: OF_CONVERSATIONS,
  settles: [],
  reads: (filters) => [
    ...OUTCOME_TABLES,
    'entry_marks',
    'customer_names',
    'message_names',
    ...SPEND_TABLES,
    ...filterTables(filters),
  ],
  key: ['source', 'outcome_id'],
  rows: outcomes,
});

export const adOutcomesReport = whole({
  name: 'ad-outcomes',
  one_row_per: 'ad or post, kind of outcome, source and currency: outcomes, their value, and what one cost',
  row: adOutcomesRow,
  days: 'zone',
  filters: OF_CONVERSATIONS,
  settles: ['summaries'],
  reads: (filters) => [
    ...OUTCOME_TABLES,
    ...summaryTables(filters),
    'entry_marks',
    ...SPEND_TABLES,
    'customer_names',
    'message_names',
    ...filterTables(filters),
  ],
  key: ['ad_id', 'source_type', 'kind', 'source', 'currency'],
  rows: adOutcomes,
});

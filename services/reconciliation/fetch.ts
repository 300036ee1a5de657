import type { Account } from '@ctwa-ledger/schemas/config.ts';
import type { CountedField, DoneMetaImport, MessageDirection } from '@ctwa-ledger/schemas/meta.ts';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { firstMoment } from '../reports/sql.ts';
import { GraphRefusedError, isTokenRefused, type GraphClient } from './graph-client.ts';
import { importMetaAnswers } from './imports.ts';
import type { AskedDays } from './points.ts';
import { fieldOfMonth } from './reconcile.ts';
import { monthAfter } from './whole-days.ts';

/** The dimensions to request: all that Meta's points can be split by. */
const DIMENSIONS: Readonly<Record<CountedField, readonly string[]>> = {
  pricing_analytics: ['PHONE', 'COUNTRY', 'PRICING_TYPE', 'PRICING_CATEGORY', 'TIER'],
  conversation_analytics: ['PHONE', 'COUNTRY', 'CONVERSATION_TYPE', 'CONVERSATION_CATEGORY'],
};
const METRICS: Readonly<Record<CountedField, readonly string[]>> = {
  pricing_analytics: ['COST', 'VOLUME'],
  conversation_analytics: ['COST', 'CONVERSATION'],
};
/** Graph API error: a parameter, or something in it, is unknown or not allowed. */
const UNKNOWN_PARAMETER = 100;

/** Product types of `analytics`: templates and other messages, and messages of customers. */
const PRODUCT_TYPES: Readonly<Record<MessageDirection, readonly number[]>> = { outgoing: [0, 2], incoming: [100] };

const quoted = (words: readonly string[]): string => JSON.stringify(words);

function fieldsOf(field: CountedField, start: number, end: number, dimensions: readonly string[]): string {
  return `${field}.start(${start}).end(${end}).granularity(DAILY).dimensions(${quoted(dimensions)}).metric_types(${quoted(METRICS[field])})`;
}

/** Splits days by calendar month. */
function* byMonth({ from, to }: AskedDays): Generator<AskedDays> {
  for (let first = from; first < to;) {
    const next = monthAfter(`${first.slice(0, 7)}-01`);
    yield { from: first, to: next < to ? next : to };
    first = next;
  }
}

/** Fetches some days of one month; without numbers if the account refuses to be split by them. */
async function ask(client: GraphClient, account: Account, field: CountedField, days: AskedDays): Promise<Buffer[]> {
  const zone = account.time_zone ?? 'UTC';
  const [start, end] = [days.from, days.to].map((day) => firstMoment(day, zone).toSeconds());
  const all = DIMENSIONS[field];
  const pages = (dimensions: readonly string[]): Promise<Buffer[]> =>
    client.pages(account.waba_id, { fields: fieldsOf(field, start ?? 0, end ?? 0, dimensions) });
  try {
    return await pages(all);
  } catch (error) {
    if (!(error instanceof GraphRefusedError) || error.code !== UNKNOWN_PARAMETER) throw error;
    return pages(all.filter((dimension) => dimension !== 'PHONE'));
  }
}

/**
 * Fetches counts of messages of one account on days of one month, in both directions. Each number needs its own
 * request, because points do not name it.
 */
async function fetchCounts(
  database: Database,
  client: GraphClient,
  account: Account,
  { days, by }: { readonly days: AskedDays; readonly by: string },
  onDone: (done: DoneMetaImport) => void,
): Promise<void> {
  const zone = account.time_zone ?? 'UTC';
  const [start = 0, end = 0] = [days.from, days.to].map((day) => firstMoment(day, zone).toSeconds());
  const known = account.phone_numbers ?? [];
  const numbers = known.length === 0 ? [undefined] : known.map(({ display }) => display);
  const { waba_id } = account;
  for (const phone_number of numbers)
    for (const direction of ['outgoing', 'incoming'] as const) {
      const fields = `analytics.start(${start}).end(${end}).granularity(DAY).phone_numbers(${quoted(phone_number === undefined ? [] : [phone_number])}).product_types(${JSON.stringify(PRODUCT_TYPES[direction])})`;
      const pages = await client.pages(waba_id, { fields });
      const name = ['fetched analytics', days.from, phone_number ?? 'all', direction].join(' ');
      const files = pages.map((bytes, n) => ({ name: `${name} ${n + 1}`, bytes }));
      const options = { waba_id, field: 'analytics', days: 'account', asked: days, by, is_fetched: true } as const;
      const counts = { phone_number, direction };
      for (const done of await importMetaAnswers(database, files, { ...options, counts })) onDone(done);
    }
}

/**
 * Fetches Meta's analytics for days of accounts, month by month, and imports them. A failure of one account does not
 * stop the others.
 * @param onDone called for every import
 * @throws the first failure, after all other accounts were tried; at once when the token is refused
 */
export async function fetchMetaAnswers(
  database: Database,
  client: GraphClient,
  asked: {
    readonly accounts: readonly { readonly account: Account; readonly days: AskedDays }[];
    readonly by: string;
    /** Whether to fetch counts of messages too, besides charges. */
    readonly counts?: boolean;
  },
  onDone: (done: DoneMetaImport) => void,
): Promise<void> {
  const failures: Error[] = [];
  for (const { account, days: all } of asked.accounts)
    for (const days of byMonth(all)) {
      const { waba_id } = account;
      const field = fieldOfMonth(days.from.slice(0, 7));
      try {
        const pages = await ask(client, account, field, days);
        const files = pages.map((bytes, n) => ({ name: `fetched ${field} ${days.from} ${n + 1}`, bytes }));
        const options = { waba_id, field, days: 'account', asked: days, by: asked.by, is_fetched: true } as const;
        for (const done of await importMetaAnswers(database, files, options)) onDone(done);
        if (asked.counts === true) await fetchCounts(database, client, account, { days, by: asked.by }, onDone);
      } catch (error) {
        if (!(error instanceof ActionableError)) throw error;
        if (isTokenRefused(error)) throw error;
        failures.push(new ActionableError(`Account ${waba_id}, ${days.from.slice(0, 7)}: ${error.message}`));
      }
    }
  const [first] = failures;
  if (first !== undefined)
    throw failures.length === 1 ? first : new ActionableError(failures.map(({ message }) => message).join('\n'));
}

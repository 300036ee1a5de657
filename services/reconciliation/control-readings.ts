import { FREE_PLACES } from '@ctwa-ledger/schemas/durations.ts';
import { restatementRow, type MetaControlRow } from '@ctwa-ledger/schemas/meta.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import { marketKey, marketOf } from '../rating/markets.ts';
import { CARDS_IN_FORCE } from '../rating/rate-cards.ts';
import { amountText, readAmount } from './amounts.ts';
import { controlRows, type PricesOf } from './controls.ts';
import { MONTH_IN_FORCE, monthParameters, readGrain } from './grain.ts';
import { chosenParameter } from './match.ts';
import { fieldOfMonth, type ReconciledMonth } from './reconcile.ts';
import { restatements } from './restatements.ts';
import { monthAfter, settledAt } from './whole-days.ts';

const cardRate = z.object({
  kind: z.string(),
  effective_date: z.string(),
  market_key: z.string(),
  category: z.string(),
  rate: z.string().transform(readAmount),
});

/** The prices of cards by market, category and day: those of the list and of the tiers in force on the day. */
async function readCardPrices(database: Database, currency: string, before: string): Promise<PricesOf> {
  const rates = await database.query(
    cardRate,
    `SELECT toString(cards.kind) AS kind, toString(cards.effective_date) AS effective_date, market_key,
        toString(category) AS category, toString(rates.rate) AS rate
     FROM rates FINAL
     INNER JOIN (${CARDS_IN_FORCE}) AS cards ON rates.card_id = cards.card_id
     WHERE rates.rate IS NOT NULL AND cards.currency = {currency:String} AND cards.model = 'message'
       AND cards.effective_date < {before:Date}`,
    { currency, before },
  );
  const byKey = new Map<string, z.infer<typeof cardRate>[]>();
  for (const one of rates) {
    const key = `${one.market_key} ${one.category}`;
    byKey.set(key, [...(byKey.get(key) ?? []), one]);
  }
  return (country, category, day) => {
    if (country === 'ZZ') return [];
    const rated = category.startsWith('MARKETING') ? 'marketing' : category.toLowerCase();
    const all = (byKey.get(`${marketKey(marketOf(`${country}.`, day))} ${rated}`) ?? []).filter(
      ({ effective_date }) => effective_date <= day,
    );
    return ['list', 'tiers'].flatMap((kind) => {
      const of = all.filter((one) => one.kind === kind);
      const latest = of.reduce((last, { effective_date }) => (effective_date > last ? effective_date : last), '');
      return of.filter(({ effective_date }) => effective_date === latest).map(({ rate }) => rate);
    });
  };
}

/** By number, the free service messages that Meta counts in a month under other accounts. */
async function freeElsewhere(
  database: Database,
  { waba_id, month, rows }: ReconciledMonth,
): Promise<ReadonlyMap<string, bigint>> {
  const numbers = [...new Set(rows.filter(({ row }) => row.has_point).map(({ row }) => row.phone_number))].filter(
    (number) => number !== '',
  );
  const first_day = `${month}-01`;
  const [field, end_day] = [fieldOfMonth(month), monthAfter(first_day)];
  const others =
    numbers.length === 0
      ? []
      : await database.query(
          z.object({ waba_id: z.string(), time_zone: z.string() }),
          `SELECT DISTINCT waba_id, time_zone FROM meta_imports FINAL
           WHERE withdrawn_at IS NULL AND field = {field:String} AND waba_id != {waba_id:String}
             AND import_id IN
               (SELECT DISTINCT import_id FROM meta_points
                WHERE phone_number IN {numbers:Array(String)} AND day >= {first_day:Date} AND day < {end_day:Date})`,
          { waba_id, field, numbers, first_day, end_day },
        );
  const found = new Map<string, bigint>();
  for (const other of others) {
    const of = { ...other, field, first_day, end_day };
    const grain = await readGrain(database, of);
    const counted = await database.query(
      z.object({ number: z.string(), volume: z.string().transform((text) => BigInt(text)) }),
      `SELECT toString(points.phone_number) AS number, toString(sum(points.volume)) AS volume
       FROM (SELECT * FROM meta_points FINAL WHERE day >= {first_day:Date} AND day < {end_day:Date}) AS points
       INNER JOIN
       (
         SELECT import_id, day, phone_number FROM (${MONTH_IN_FORCE})
         WHERE concat(toString(day), ' ', days, ' ', toString(is_monthly), ' ', arrayStringConcat(split, ' ')) IN {chosen:Array(String)}
       ) AS held ON points.import_id = held.import_id AND points.day = held.day AND points.phone_number = held.phone_number
       WHERE points.phone_number IN {numbers:Array(String)}
         AND points.pricing_type IN ('FREE_CUSTOMER_SERVICE', 'FREE_GROUP_CUSTOMER_SERVICE')
         AND points.category IN ('SERVICE', 'GROUP_SERVICE')
       GROUP BY number`,
      { ...monthParameters(of), chosen: chosenParameter(grain), numbers },
    );
    for (const { number, volume } of counted) found.set(number, (found.get(number) ?? 0n) + volume);
  }
  return found;
}

const RESTATED = Object.keys(restatementRow.shape);

/** Days of a month for which Meta's answer changed although the earlier one was taken when the day had settled. */
async function restatedDays(
  database: Database,
  { waba_id, month, currency }: ReconciledMonth,
  time_zone: string,
): Promise<readonly MetaControlRow[]> {
  const first_day = `${month}-01`;
  const filters = { from: first_day, to: monthAfter(first_day), tz: 'UTC', as_of: 0, waba_id };
  const byDay = new Map<string, { rows: number; volume: bigint; cost: bigint | null }>();
  for await (const batch of restatements(database, { filters, by: 'sent', page: null }))
    for (const cells of batch) {
      const cell = (name: keyof typeof restatementRow.shape): string => String(cells[RESTATED.indexOf(name)] ?? '');
      const day = cell('day');
      // What a number that left the account had is kept: that is no other answer.
      if (cell('change') === 'number_gone' || cell('field') !== fieldOfMonth(month)) continue;
      if (Date.parse(cell('earlier_imported_at')) < settledAt(day, time_zone) * 1_000) continue;
      const known = byDay.get(day) ?? { rows: 0, volume: 0n, cost: 0n };
      const cost = cell('cost_difference');
      byDay.set(day, {
        rows: known.rows + 1,
        volume: known.volume + BigInt(cell('volume_difference') || '0'),
        cost: cost === '' || known.cost === null ? null : known.cost + readAmount(cost),
      });
    }
  return [...byDay].map(([day, { rows, volume, cost }]) => ({
    ...{ waba_id, month, control: 'restated' as const, phone_number: '', country: '', category: '', tier: '' },
    ...{ first_day: day, last_day: day, rows, volume: volume.toString(), currency },
    cost: cost === null ? null : amountText(cost),
    finding: `Meta's answer for the day changed by ${volume} messages after the day had settled.`,
  }));
}

/** Controls on Meta's own numbers of a month, by what they find. */
export async function metaControls(database: Database, held: ReconciledMonth): Promise<readonly MetaControlRow[]> {
  const { waba_id, month, currency } = held;
  const rows = held.rows.map(({ row }) => row);
  if (held.taken_at.size === 0) return [];
  const accounts = (await readConfiguration(database))?.accounts ?? [];
  const own = accounts.find((one) => one.waba_id === waba_id);
  const shares_tiers =
    own?.portfolio_id !== undefined && accounts.some((one) => one !== own && one.portfolio_id === own.portfolio_id);
  // Conversations have other prices, and no tiers and no allowance of this kind.
  const isOfMessages = fieldOfMonth(month) === 'pricing_analytics';
  const pricesOf = isOfMessages ? await readCardPrices(database, currency, monthAfter(`${month}-01`)) : () => [];
  const elsewhere = isOfMessages ? await freeElsewhere(database, held) : new Map<string, bigint>();
  const controlled = { waba_id, month, currency, rows, elsewhere, shares_tiers, pricesOf };
  return [
    ...controlRows(controlled, BigInt(FREE_PLACES), (country) => marketOf(`${country}.`, `${month}-01`)),
    ...(await restatedDays(database, held, own?.time_zone ?? 'UTC')),
  ];
}

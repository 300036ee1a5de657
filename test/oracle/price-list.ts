/** How the price list of rating is written: what is charged, under which accounts and cards, and what it costs. */
import type { Account } from '../../schemas/config.ts';
import { SAMPLE_MARKETS } from './money-world.ts';
import type { OracleMessage } from './oracle.ts';
import {
  marketsOf,
  PRICE_COLUMNS,
  rateMessages,
  type ListCard,
  type PriceColumn,
  type RatedMessage,
  type RateFile,
  type TierFile,
  type TierRow,
} from './rating.ts';

export const marketOf = marketsOf(SAMPLE_MARKETS);

export const at = (iso: string): number => Date.parse(iso) / 1000;

/** A card: of each market the rates of marketing, utility, authentication, authentication_international and service. */
export function card(rows: Record<string, string>, facts: Partial<ListCard> = {}): ListCard {
  return {
    kind: 'list',
    model: 'message',
    name: 'list',
    currency: 'USD',
    effective_date: '2023-06-01',
    withdrawn: false,
    rows: Object.entries(rows).map(([market, cells]) => {
      const rates: Partial<Record<PriceColumn, string>> = {};
      cells.split(' ').forEach((cell, i) => {
        if (cell !== 'n/a') rates[PRICE_COLUMNS[i]!] = cell;
      });
      return { market, rates };
    }),
    ...facts,
  };
}

/** A tier file: rows like `India utility 1:2 0.9`. */
export function tiers(rows: readonly string[], facts: Partial<TierFile> = {}): TierFile {
  return {
    kind: 'tiers',
    model: 'message',
    name: 'tiers',
    currency: 'USD',
    effective_date: '2023-06-01',
    withdrawn: false,
    rows: rows.map((row): TierRow => {
      const [market, category, bounds, rate] = row.split(' ') as [string, PriceColumn, string, string];
      const [from, to] = bounds.split(':') as [string, string];
      return { market, category, from: Number(from), to: to === 'MAX' ? null : Number(to), rate };
    }),
    ...facts,
  };
}

export const ACCOUNT: Account = { waba_id: 'W1', currency: 'USD' };

export const INDIA = card({ India: '0.5 0.4 0.3 0.2 0.1' });

let messages = 0;

/** A charged utility template to India, unless told otherwise. */
export function message(fields: Partial<OracleMessage> = {}): OracleMessage {
  messages += 1;
  const delivered_at = at('2025-08-10T12:00:00Z');
  return {
    phone_number_id: 'N1',
    message_id: `m${String(messages).padStart(6, '0')}`,
    customer: '919955550001',
    recipient: fields.customer ?? '919955550001',
    waba_id: 'W1',
    sent_at: fields.delivered_at ?? delivered_at,
    delivered_at,
    type: 'template',
    category: 'utility',
    stands_apart: false,
    policy: 'PMP-2025-07',
    predicted: 'BILLABLE',
    reported: '',
    reported_category: '',
    billing: 'BILLABLE',
    without_free_entry: 'BILLABLE',
    ...fields,
  };
}

export const free: Partial<OracleMessage> = { predicted: 'FREE_ENTRY', billing: 'FREE_ENTRY' };
export const service: Partial<OracleMessage> = { type: 'text', category: 'service' };
export const october: Partial<OracleMessage> = { policy: 'PMP-2026-10', delivered_at: at('2026-10-10T12:00:00Z') };
export const decided = (reported_category: string): Partial<OracleMessage> => ({
  reported: 'BILLABLE',
  reported_category,
});

export interface Setting {
  readonly accounts?: readonly Account[];
  readonly cards?: readonly RateFile[];
}

/** Something that was asked of the price list. */
export interface Priced extends Required<Setting> {
  readonly messages: readonly OracleMessage[];
}

/** Prices by the oracle, and keeps what was asked, so that the product can be asked the same. */
export class PriceList {
  readonly asked: Priced[] = [];

  rate(messages: readonly OracleMessage[], { accounts = [ACCOUNT], cards = [INDIA] }: Setting = {}): RatedMessage[] {
    this.asked.push({ messages: [...messages], accounts, cards });
    return rateMessages({ messages, accounts, cards, marketOf });
  }
}

/** `list / billed / tier`, or the reason why there is no price. */
export function short({ list_cost, billed_cost, tier, unrated }: RatedMessage): string {
  return unrated === '' ? [list_cost, billed_cost, ...(tier === '' ? [] : [tier])].join(' / ') : unrated;
}

export const shorts = (rated: readonly RatedMessage[]): string[] => rated.map(short);

import type { AdMessagesRow } from '@ctwa-ledger/schemas/ad-steps.ts';
import type { AdFiguresRow } from '@ctwa-ledger/schemas/figures.ts';

import { addDecimals, divideDecimals } from '../format/decimals.ts';

/**
 * The cost and savings of an ad in one currency. The empty currency is for messages without a price whose account has
 * none.
 */
export interface AdAmounts extends Pick<
  AdFiguresRow,
  | 'currency'
  | 'spend'
  | 'cost_per_conversation'
  | 'cost_per_replied'
  | 'savings'
  | 'unrated'
  | 'savings_per_spend'
  | 'spend_left_out'
> {
  /** The conversations and answers by which costs are divided: those of ads with a cost. */
  readonly cost_conversations: number;
  readonly cost_replied: number;
}

/** An ad or post with its amounts in all currencies. They are listed below each other and never added up. */
export interface AdLine extends AdFiguresRow {
  readonly amounts: readonly AdAmounts[];
  /** The messages of its conversations by currency; empty when they were not asked for. */
  readonly messages: readonly AdMessagesRow[];
}

/**
 * Lines from rows of report `ad-figures`: the rows of each ad or post together, in the order in which ads first appear.
 */
export function adLines(rows: readonly AdFiguresRow[]): AdLine[] {
  const lines = new Map<string, { row: AdFiguresRow; amounts: AdAmounts[] }>();
  for (const row of rows) {
    const amounts =
      row.currency === '' && row.unrated === 0
        ? []
        : [{ ...row, cost_conversations: row.ad_conversations, cost_replied: row.replied }];
    const key = `${row.source_type} ${row.ad_id}`;
    const known = lines.get(key);
    if (known === undefined) lines.set(key, { row, amounts });
    else known.amounts.push(...amounts);
  }
  return [...lines.values()].map(({ row, amounts }) => ({ ...row, amounts, messages: [] }));
}

/** The same lines with the messages of their conversations. */
export function withMessages<Line extends AdLine>(lines: readonly Line[], messages: readonly AdMessagesRow[]): Line[] {
  return lines.map((line) => ({
    ...line,
    messages: messages.filter(({ ad_id, source_type }) => ad_id === line.ad_id && source_type === line.source_type),
  }));
}

const known = (decimals: readonly (string | null)[]): string[] => decimals.filter((decimal) => decimal !== null);
const sumOf = <Row>(rows: readonly Row[], of: (row: Row) => number): number =>
  rows.reduce((sum, row) => sum + of(row), 0);

function amountsIn(currency: string, rows: readonly AdAmounts[]): AdAmounts {
  const paid = rows.filter((row) => row.spend !== null);
  const spend = addDecimals(known(paid.map((row) => row.spend)));
  const savings = addDecimals(known(rows.map((row) => row.savings)));
  const cost_conversations = sumOf(paid, (row) => row.cost_conversations);
  const cost_replied = sumOf(paid, (row) => row.cost_replied);
  return {
    currency,
    spend,
    savings,
    cost_conversations,
    cost_replied,
    cost_per_conversation: spend === null ? null : divideDecimals(spend, String(cost_conversations)),
    cost_per_replied: spend === null ? null : divideDecimals(spend, String(cost_replied)),
    savings_per_spend: spend === null || savings === null ? null : divideDecimals(savings, spend),
    unrated: sumOf(rows, (row) => row.unrated),
    spend_left_out: sumOf(rows, (row) => row.spend_left_out),
  };
}

/**
 * The amounts of lines, added up for each currency code. A cost is divided by the conversations of ads that have a
 * cost: posts have none, and neither has an ad that no import contains.
 */
export function summedAmounts(lines: readonly AdLine[]): AdAmounts[] {
  const rows = lines.flatMap((line) => line.amounts);
  return [...new Set(rows.map((row) => row.currency))].sort().map((currency) =>
    amountsIn(
      currency,
      rows.filter((row) => row.currency === currency),
    ),
  );
}

/** The counts of several ads added up. A median cannot be computed from medians. */
type SummedCounts = Pick<
  AdFiguresRow,
  | 'ad_conversations'
  | 'replied'
  | 'mature'
  | 'pending'
  | 'reply_rate'
  | 'windows_opened'
  | 'windows_confirmed'
  | 'free_messages'
  | 'spend_left_out'
  | 'windows_reported_only'
  | 'spend_shared'
>;

export function summedCounts(lines: readonly AdLine[]): SummedCounts {
  const of = (column: Exclude<keyof SummedCounts, 'reply_rate'>): number => sumOf(lines, (line) => line[column]);
  const [replied, mature] = [of('replied'), of('mature')];
  return {
    ad_conversations: of('ad_conversations'),
    replied,
    mature,
    pending: of('pending'),
    reply_rate: divideDecimals(String(replied), String(mature)),
    windows_opened: of('windows_opened'),
    windows_confirmed: of('windows_confirmed'),
    free_messages: of('free_messages'),
    spend_left_out: of('spend_left_out'),
    windows_reported_only: of('windows_reported_only'),
    spend_shared: of('spend_shared'),
  };
}

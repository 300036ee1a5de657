/**
 * A second, naive implementation of section 5 of rules.md, Money, written from it and contract.md alone so that it can
 * judge the first one. Every place in a tier or an allowance is found by sorting and counting one by one, every amount
 * is a decimal, and nothing in it is fast or clever on purpose.
 */
import { Decimal as AnyDecimal } from 'decimal.js';
import type { Account } from '../../schemas/config.ts';
import { addTo, dayOf, row, type Row } from './cells.ts';
import { bytewise, categoryOutsideGroups } from './events.ts';
import { oracleMessages, oracleReports, type OracleInput, type OracleMessage } from './oracle.ts';

/** Digits enough that no sum of a test is ever rounded. */
const Decimal = AnyDecimal.clone({ precision: 100 });
type Decimal = InstanceType<typeof Decimal>;

export const PRICE_COLUMNS = [
  'marketing',
  'utility',
  'authentication',
  'authentication_international',
  'service',
] as const;
export type PriceColumn = (typeof PRICE_COLUMNS)[number];

interface RateFileFacts {
  readonly name: string;
  readonly currency: string;
  /** `YYYY-MM-DD` */
  readonly effective_date: string;
  readonly withdrawn: boolean;
}

export interface ListCard extends RateFileFacts {
  readonly kind: 'list';
  readonly model: 'conversation' | 'message';
  /** One row for each market. */
  readonly rows: readonly ListRow[];
}

export interface ListRow {
  readonly market: string;
  /** Decimal strings; a column that is missing is not offered. */
  readonly rates: Readonly<Partial<Record<PriceColumn, string>>>;
}

export interface TierFile extends RateFileFacts {
  readonly kind: 'tiers';
  readonly model: 'message';
  /** No two of them hold one number of a market and category. */
  readonly rows: readonly TierRow[];
}

export interface TierRow {
  readonly market: string;
  readonly category: PriceColumn;
  /** Both bounds belong to the tier. */
  readonly from: number;
  /** `null`: no upper bound. */
  readonly to: number | null;
  readonly rate: string;
}

/** An imported file. */
export type RateFile = ListCard | TierFile;

/** M2 */
export type MarketOf = (recipient: string, day: string) => string;

export interface RatingInput {
  readonly messages: readonly OracleMessage[];
  readonly accounts: readonly Account[];
  /** In the order in which they were imported. */
  readonly cards: readonly RateFile[];
  readonly marketOf: MarketOf;
}

type UnratedReason = 'unknown_category' | 'no_account' | 'no_card' | 'market_not_on_card' | 'not_offered';

/** Amounts are decimal strings without trailing zeros, or empty where there is none. */
export interface RatedMessage {
  readonly phone_number_id: string;
  readonly message_id: string;
  readonly customer: string;
  readonly delivered_at: number | undefined;
  readonly billing: string;
  /** Of the delivery in the zone of the WABA; of `sent_at` where nothing was delivered. */
  readonly day: string;
  readonly waba_id: string;
  readonly market: string;
  readonly rated_category: string;
  readonly currency: string;
  /** Name and effective date of the list card that priced the row. */
  readonly rate_card: string;
  readonly list_cost: string;
  readonly billed_cost: string;
  readonly savings: string;
  readonly unrated: UnratedReason | '';
  /** `from:to` of the tier that priced the row. */
  readonly tier: string;
  /** What a charged message cost. */
  readonly rate: string;
}

export interface ChargeRow {
  readonly day: string;
  readonly waba_id: string;
  readonly phone_number_id: string;
  readonly market: string;
  readonly category: string;
  readonly billing: string;
  readonly tier: string;
  readonly volume: string;
  readonly rate: string;
  /** The amounts are empty where no message of the row has one. */
  readonly list_cost: string;
  readonly billed_cost: string;
  readonly savings: string;
  readonly currency: string;
  readonly rate_card: string;
  readonly unrated: string;
}

// ---------------------------------------------------------------------------------------------------------------------
// What the rules speak about.

/** A message with what M1, M1a and M2 say of it. */
interface Line {
  readonly message: OracleMessage;
  readonly delivered_at: number;
  readonly day: string;
  readonly month: string;
  readonly currency: string;
  readonly portfolio: string;
  readonly market: string;
  readonly category: string;
  /** A report decides the billing (V2). */
  readonly isReported: boolean;
}

/** M1a; F8: a category of groups is rated as the part after `group_`. */
function ratedCategory(message: OracleMessage): string {
  const reportDecides = message.billing === 'BILLABLE' && message.reported === 'BILLABLE';
  const columnOf = (named: string): string => {
    const category = categoryOutsideGroups(named);
    return category === 'marketing_lite' ? 'marketing' : category;
  };
  const reported = columnOf(message.reported_category);
  return reportDecides && isPriceColumn(reported) ? reported : columnOf(message.category);
}

function isPriceColumn(category: string): category is PriceColumn {
  return (PRICE_COLUMNS as readonly string[]).includes(category);
}

function lineOf(message: OracleMessage, input: RatingInput): Line {
  const account = input.accounts.find((each) => each.waba_id === message.waba_id);
  const day = dayOf(message.delivered_at ?? message.sent_at, account?.time_zone ?? 'UTC');
  return {
    message,
    delivered_at: message.delivered_at ?? 0,
    day,
    month: day.slice(0, 7),
    currency: account?.currency ?? '',
    // A portfolio that is not named is the WABA alone, and is not the portfolio that has that WABA's id for a name.
    portfolio: account?.portfolio_id === undefined ? `WABA ${message.waba_id}` : `portfolio ${account.portfolio_id}`,
    market: input.marketOf(message.recipient, day),
    category: ratedCategory(message),
    isReported: message.reported !== '' && message.reported !== 'UNKNOWN',
  };
}

function isPerMessage(line: Line): boolean {
  return line.message.policy.startsWith('PMP');
}

// ---------------------------------------------------------------------------------------------------------------------
// M1: the card in force.

function inForce<T extends RateFile>(files: readonly T[], currency: string, day: string): T | undefined {
  let found: T | undefined;
  for (const file of files) {
    if (file.withdrawn || file.currency !== currency || file.effective_date > day) continue;
    // Of one date, the one imported last.
    if (found === undefined || file.effective_date >= found.effective_date) found = file;
  }
  return found;
}

function listCard(line: Line, files: readonly RateFile[]): ListCard | undefined {
  const model = isPerMessage(line) ? 'message' : 'conversation';
  const cards = files.filter((file): file is ListCard => file.kind === 'list' && file.model === model);
  return inForce(cards, line.currency, line.day);
}

function tierFile(line: Line, files: readonly RateFile[]): TierFile | undefined {
  if (!isPerMessage(line)) return undefined; // M3
  const tiers = files.filter((file): file is TierFile => file.kind === 'tiers');
  return inForce(tiers, line.currency, line.day);
}

// ---------------------------------------------------------------------------------------------------------------------
// M3: places.

type Places = ReadonlyMap<Line, number>;

function inOrder(lines: readonly Line[]): Line[] {
  return [...lines].sort(
    (a, b) =>
      a.delivered_at - b.delivered_at ||
      bytewise(a.message.phone_number_id, b.message.phone_number_id) ||
      bytewise(a.message.message_id, b.message.message_id) ||
      bytewise(a.message.customer, b.message.customer), // participants of one group message
  );
}

/** Numbers the lines of each group from 1; those that free entry saved come after the last of the others (M4). */
function numbered(taking: readonly Line[], afterwards: readonly Line[], groupOf: (line: Line) => string[]): Places {
  const groups = new Map<string, Line[]>();
  for (const line of inOrder(taking)) addTo(groups, JSON.stringify(groupOf(line)), line);
  for (const line of inOrder(afterwards)) addTo(groups, JSON.stringify(groupOf(line)), line);
  const places = new Map<Line, number>();
  for (const group of groups.values()) {
    let place = 0;
    for (const line of group) {
      place += 1;
      places.set(line, place);
    }
  }
  return places;
}

/** M4: a message in a free entry window that would have been charged outside it. */
function wouldBeCharged(line: Line): boolean {
  return line.message.billing === 'FREE_ENTRY' && line.message.without_free_entry === 'BILLABLE';
}

function tierPlaces(lines: readonly Line[]): Places {
  const tiered = lines.filter(
    (line) =>
      isPerMessage(line) && ['utility', 'authentication', 'authentication_international'].includes(line.category),
  );
  return numbered(
    tiered.filter((line) => line.message.billing === 'BILLABLE'),
    tiered.filter(wouldBeCharged),
    (line) => [line.portfolio, line.market, line.category, line.month],
  );
}

/** The service allowance from 2026-10. */
function servicePlaces(lines: readonly Line[]): Places {
  const service = lines.filter(
    (line) =>
      line.message.policy === 'PMP-2026-10' &&
      line.category === 'service' &&
      line.message.type !== 'reaction' &&
      !line.message.stands_apart,
  );
  return numbered(
    service.filter((line) => line.message.billing !== 'FREE_ENTRY'),
    service.filter((line) => line.message.billing === 'FREE_ENTRY'),
    (line) => [line.message.phone_number_id, line.month],
  );
}

/** The free service conversations of CBP-2023-06. */
function conversationPlaces(lines: readonly Line[]): Places {
  const service = lines.filter((line) => line.message.policy === 'CBP-2023-06' && line.category === 'service');
  return numbered(
    service.filter((line) => line.message.billing === 'BILLABLE'),
    service.filter(wouldBeCharged),
    (line) => [line.message.waba_id, line.month],
  );
}

// ---------------------------------------------------------------------------------------------------------------------
// M1, M3 to M5: amounts.

interface Price {
  readonly rate: Decimal;
  readonly rate_card: string;
  readonly tier: string;
}

const NOTHING: Price = { rate: new Decimal(0), rate_card: '', tier: '' };

/** What a charge costs, or the first reason why that is not known (M5). */
function priceOf(line: Line, place: number | undefined, files: readonly RateFile[]): Price | UnratedReason {
  if (!isPriceColumn(line.category)) return 'unknown_category';
  if (line.currency === '') return 'no_account';
  const card = listCard(line, files);
  if (card === undefined) return 'no_card';
  const cells = card.rows.find((row) => row.market === line.market);
  if (cells === undefined) return 'market_not_on_card';
  const cell = cells.rates[line.category];
  if (cell === undefined) return 'not_offered';

  const rate_card = `${card.name} ${card.effective_date}`;
  for (const tier of tierFile(line, files)?.rows ?? []) {
    if (tier.market !== line.market || tier.category !== line.category || place === undefined) continue;
    if (place < tier.from || (tier.to !== null && place > tier.to)) continue;
    // contract.md 6: From 0 means 1.
    const from = Math.max(tier.from, 1);
    return { rate: new Decimal(tier.rate), rate_card, tier: `${from}:${tier.to ?? 'MAX'}` };
  }
  return { rate: new Decimal(cell), rate_card, tier: '' };
}

const ALLOWANCE = 1000;

/** Section 5, for every message whether delivered or not; the rows come in the order of the messages. */
export function rateMessages(input: RatingInput): RatedMessage[] {
  const lines = input.messages.map((message) => lineOf(message, input));
  const delivered = lines.filter((line) => line.message.delivered_at !== undefined);
  const inTier = tierPlaces(delivered);
  const inAllowance = servicePlaces(delivered);
  const inConversations = conversationPlaces(delivered);
  const price = (line: Line): Price | UnratedReason => priceOf(line, inTier.get(line), input.cards);
  const isFreePlace = (line: Line): boolean =>
    (inAllowance.get(line) ?? inConversations.get(line) ?? Infinity) <= ALLOWANCE;

  return lines.map((line): RatedMessage => {
    const { billing, without_free_entry } = line.message;
    if (billing === 'UNKNOWN') return unrated(line, 'unknown_category');

    if (billing === 'BILLABLE') {
      if (isFreePlace(line) && !line.isReported) return rated(line, NOTHING, NOTHING, '0');
      const charge = price(line);
      if (typeof charge === 'string') return unrated(line, charge);
      return rated(line, charge, charge, charge.rate.toFixed());
    }

    if (billing === 'FREE_ENTRY') {
      if (without_free_entry === 'UNKNOWN') return unrated(line, 'unknown_category');
      if (without_free_entry !== 'BILLABLE' || isFreePlace(line)) return rated(line, NOTHING, NOTHING, '');
      const charge = price(line);
      if (typeof charge === 'string') return unrated(line, charge);
      return rated(line, charge, NOTHING, '');
    }

    return rated(line, NOTHING, NOTHING, '');
  });
}

function factsOf(line: Line) {
  const { phone_number_id, message_id, customer, delivered_at, billing, waba_id } = line.message;
  const { day, market, currency, category: rated_category } = line;
  const names = { phone_number_id, message_id, customer, waba_id };
  return { ...names, delivered_at, billing, day, market, rated_category, currency };
}

function rated(line: Line, list: Price, billed: Price, rate: string): RatedMessage {
  return {
    ...factsOf(line),
    rate_card: list.rate_card,
    list_cost: list.rate.toFixed(),
    billed_cost: billed.rate.toFixed(),
    savings: list.rate.minus(billed.rate).toFixed(),
    unrated: '',
    tier: list.tier,
    rate,
  };
}

function unrated(line: Line, reason: UnratedReason): RatedMessage {
  return {
    ...factsOf(line),
    rate_card: '',
    list_cost: '',
    billed_cost: '',
    savings: '',
    unrated: reason,
    tier: '',
    rate: '',
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// Rows and sums, as contract.md 3 has them.

/** The columns that money appends to `messages`. */
export function moneyColumns(message: RatedMessage): Row {
  const { waba_id, market, rated_category, currency, rate_card, list_cost, billed_cost, savings, unrated } = message;
  return { waba_id, market, rated_category, currency, rate_card, list_cost, billed_cost, savings, unrated };
}

/** The sum of those amounts that there are; empty where there is none. */
export function sumOf(amounts: readonly string[]): string {
  let sum: Decimal | undefined;
  for (const amount of amounts) {
    if (amount !== '') sum = (sum ?? new Decimal(0)).plus(amount);
  }
  return sum === undefined ? '' : sum.toFixed();
}

export interface ChargesView {
  /** Zone of the days; without one, each WABA's own. */
  readonly tz?: string;
  /** First day. */
  readonly from?: string;
  /** Day after the last one. */
  readonly to?: string;
}

/** `charges`: delivered messages grouped by every column that is not a sum, in the order of these columns. */
export function chargesOf(messages: readonly RatedMessage[], view: ChargesView = {}): ChargeRow[] {
  const groups = new Map<string, RatedMessage[]>();
  for (const message of messages) {
    if (message.delivered_at === undefined) continue;
    const day = view.tz === undefined ? message.day : dayOf(message.delivered_at, view.tz);
    if (view.from !== undefined && day < view.from) continue;
    if (view.to !== undefined && day >= view.to) continue;
    const { waba_id, phone_number_id, market, rated_category, billing, tier, rate, currency, rate_card } = message;
    const columns = [day, waba_id, phone_number_id, market, rated_category, billing, tier, rate, currency, rate_card];
    addTo(groups, JSON.stringify(columns), { ...message, day });
  }
  return [...groups]
    .sort(([a], [b]) => inColumnOrder(JSON.parse(a) as string[], JSON.parse(b) as string[]))
    .map(([, group]) => {
      const { day, waba_id, phone_number_id, market, rated_category, billing, tier, rate, currency, rate_card } =
        group[0]!;
      return {
        day,
        waba_id,
        phone_number_id,
        market,
        category: rated_category,
        billing,
        tier,
        volume: String(group.length),
        rate,
        list_cost: sumOf(group.map((message) => message.list_cost)),
        billed_cost: sumOf(group.map((message) => message.billed_cost)),
        savings: sumOf(group.map((message) => message.savings)),
        currency,
        rate_card,
        unrated: String(group.filter((message) => message.unrated !== '').length),
      };
    });
}

function inColumnOrder(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length; i++) {
    const order = bytewise(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return 0;
}

export interface MoneyReports {
  readonly messages: Row[];
  readonly charges: Row[];
}

/** `messages` with the columns of money, and `charges` with the days of `view`, as the CSV prints them. */
export function moneyReports(
  input: OracleInput & Pick<RatingInput, 'cards' | 'marketOf'>,
  view: ChargesView = {},
): MoneyReports {
  const keyOf = ({ phone_number_id, message_id, customer }: Row): string =>
    JSON.stringify([phone_number_id, message_id, customer]);
  const rated = rateMessages({ ...input, messages: oracleMessages(input) });
  const money = new Map(
    rated.map((message) => {
      const { phone_number_id, message_id, customer } = message;
      return [keyOf(row({ phone_number_id, message_id, customer })), message];
    }),
  );
  return {
    messages: oracleReports(input).messages.map((columns) => {
      const { error_code, error_title, tag, ...marks } = columns;
      const appended = { error_code: error_code!, error_title: error_title!, tag: tag! };
      return { ...marks, ...row(moneyColumns(money.get(keyOf(columns))!)), ...appended };
    }),
    charges: chargesOf(rated, view).map((charge) => row({ ...charge })),
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// M2: a market table read row by row.

export interface MarketRow {
  /** Digits of a calling code, or the two letters of a country for those who have no number. */
  readonly of: string;
  readonly market: string;
  /** First day, `YYYY-MM-DD`; without one, ever. */
  readonly from?: string;
}

/** M2, from a dated table. */
export function marketsOf(table: readonly MarketRow[]): MarketOf {
  return (customer, day) => {
    const country = /^([A-Z]{2})\./.exec(customer)?.[1] ?? '';
    let found: MarketRow | undefined;
    for (const row of table) {
      if ((row.from ?? '') > day) continue;
      const matches = /^[0-9]+$/.test(customer) ? customer.startsWith(row.of) : row.of === country;
      if (!matches) continue;
      const better =
        found === undefined ||
        row.of.length > found.of.length ||
        (row.of.length === found.of.length && (row.from ?? '') >= (found.from ?? ''));
      if (better) found = row;
    }
    return found?.market ?? 'Other';
  };
}

import { DEFAULT_POLICY_SETTINGS } from '@ctwa-ledger/schemas/config.ts';
import type { PhoneNumberId, WabaId } from '@ctwa-ledger/schemas/ids.ts';
import type {
  Recipient,
  SendAnswer,
  SendPrice,
  SendRequest,
  SendResult,
  SendTimer,
  SendVerdict,
} from '@ctwa-ledger/schemas/send-check.ts';
import { DateTime } from 'luxon';
import { z } from 'zod';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database } from '../clickhouse/database.ts';
import { KeptReading } from '../clickhouse/kept-reading.ts';
import { composerWords } from '../lifecycle/composer.ts';
import { establishFacts } from '../lifecycle/facts.ts';
import {
  accountNamedAt,
  addressedThread,
  comingChanges,
  sendOutlook,
  type PlannedMessage,
  type SendOutlook,
} from '../lifecycle/planned.ts';
import { opensFreeWindow } from '../lifecycle/marks.ts';
import { refusalsOf, stoppedMarketingAt, unreachableAt } from '../lifecycle/opt-outs.ts';
import { compileRulebook, type Rulebook } from '../lifecycle/rulebook.ts';
import { normaliseCategory } from '../lifecycle/verdict.ts';
import { PlannedPrices, type PlannedCharge, type PlannedPrice } from '../rating/planned-prices.ts';
import { isStopped, POSSIBLE_CATEGORIES, type Category, type Checked } from './checked.ts';
import { categoryAmong, importedCategories, pastCategories, type NamedCategories } from './templates.ts';
import { ThreadReader } from './thread-reader.ts';
import { totalsOf } from './totals.ts';
import { advice, refusal, stoppedRefusal } from './words.ts';

/** How long accounts, cards and the counts of the month count as current. Deliveries are always read. */
const KEPT_MS = 5_000;
/**
 * The same for facts that change daily and are slow to read: the accounts of charges, the categories of past messages.
 */
const KEPT_SLOWLY_MS = 60_000;
/** The category when none is known (rules.md F5). */
const UNKNOWN_CATEGORY = 'unknown';

const accountRow = z.object({ phone_number_id: z.string(), account: z.string() });

/** For numbers that no account lists: the account with the number's latest charges. */
const ACCOUNTS_OF_NUMBERS = `
SELECT toString(phone_number_id) AS phone_number_id, toString(argMax(charge_days.waba_id, (day, charge_days.waba_id))) AS account
FROM charge_days FINAL WHERE charge_days.waba_id != '' AND volume > 0 GROUP BY phone_number_id`;

export interface CheckOptions {
  /** Unix seconds: the time of sending and delivery. */
  readonly at: number;
  /** IANA zone of the times in the answer. */
  readonly tz: string;
}

/**
 * Answers what would happen if a message were sent (contract.md 4). It reads the thread with everything that has
 * landed, adds the message at the requested time, and folds the thread. So the answer is what the ledger will say about
 * that message.
 */
export class SendChecks {
  readonly #threads: ThreadReader;
  /** For lists of recipients, so that a single check need not wait behind thousands. */
  readonly #threadsOfLists: ThreadReader;
  readonly #prices: PlannedPrices;
  readonly #rulebook: KeptReading<Rulebook>;
  readonly #accountsOfNumbers: KeptReading<ReadonlyMap<string, string>>;
  readonly #imported: KeptReading<NamedCategories>;
  readonly #past: KeptReading<NamedCategories>;

  /** @param keptMs how long accounts, cards and counts count as current */
  constructor(database: Database, keptMs: number = KEPT_MS) {
    this.#threads = new ThreadReader(database, 2);
    this.#threadsOfLists = new ThreadReader(database, 1);
    this.#prices = new PlannedPrices(database, keptMs);
    const slowlyMs = keptMs * (KEPT_SLOWLY_MS / KEPT_MS);
    this.#imported = new KeptReading<NamedCategories>(keptMs, () => importedCategories(database));
    this.#past = new KeptReading<NamedCategories>(slowlyMs, () => pastCategories(database));
    this.#rulebook = new KeptReading<Rulebook>(keptMs, async () => {
      const configuration = await readConfiguration(database);
      return compileRulebook(configuration?.accounts ?? [], configuration?.settings.policy ?? DEFAULT_POLICY_SETTINGS);
    });
    this.#accountsOfNumbers = new KeptReading<ReadonlyMap<string, string>>(slowlyMs, async () => {
      const rows = await database.query(accountRow, ACCOUNTS_OF_NUMBERS);
      return new Map(rows.map(({ phone_number_id, account }) => [phone_number_id, account]));
    });
  }

  /** What would happen if the message of a request were sent and delivered at a time. */
  async check(request: SendRequest, options: CheckOptions): Promise<SendResult> {
    const [rulebook, accounts] = await Promise.all([this.#rulebook.get(), this.#accountsOfNumbers.get()]);
    const listed = rulebook.accountOfNumber(request.phone_number_id as PhoneNumberId);
    const waba_id = listed === '' ? (accounts.get(request.phone_number_id) ?? '') : listed;
    const category = await this.#categoryOf(request, waba_id);
    const planned: PlannedMessage = {
      type: request.type,
      template_name: request.template_name,
      category: category.category,
    };
    const check = (recipient: Recipient): Promise<Checked> =>
      this.#checkOne(request, recipient, planned, waba_id, rulebook, options.at);
    if (!request.is_list) {
      const [recipient] = request.recipients;
      if (recipient === undefined) throw new TypeError('A request without a recipient is none.');
      return this.#answer(request, category, await check(recipient), rulebook, options);
    }
    const distinct = [...new Map(request.recipients.map((one) => [one.name, one])).values()];
    const checked = await Promise.all(distinct.map(check));
    const totals = await totalsOf(
      { request, category, recipients: distinct, checked, at: isoTime(options.at, options.tz) },
      (planned, of) => of.map((one) => this.#replanned(one, planned, rulebook)),
      (of) => this.#price(request.phone_number_id, of),
    );
    return { kind: 'many', totals };
  }

  async #categoryOf(request: SendRequest, waba_id: string): Promise<Category> {
    if (request.type !== 'template') return { category: 'service', from: 'type' };
    if (request.template_category !== '')
      return { category: normaliseCategory(request.template_category), from: 'request' };
    const template = { waba_id, name: request.template_name, language: request.template_language };
    const imported = categoryAmong(await this.#imported.get(), template);
    if (imported !== null) return { category: imported, from: 'import' };
    const past = categoryAmong(await this.#past.get(), template);
    return past === null ? { category: UNKNOWN_CATEGORY, from: 'unknown' } : { category: past, from: 'past_sends' };
  }

  async #checkOne(
    { phone_number_id, is_list }: SendRequest,
    recipient: Recipient,
    planned: PlannedMessage,
    waba_of_number: string,
    rulebook: Rulebook,
    at: number,
  ): Promise<Checked> {
    const events = await (is_list ? this.#threadsOfLists : this.#threads).read({
      phone_number_id,
      customer: recipient.name,
      nameless_id: '',
    });
    const facts = establishFacts(phone_number_id as PhoneNumberId, events, rulebook);
    const addressed = addressedThread(facts, recipient);
    const { thread } = addressed;
    const named = accountNamedAt(thread, at);
    const waba_id = named === '' ? waba_of_number : named;
    return {
      ...addressed,
      waba_id,
      outlook: sendOutlook(thread, rulebook, planned, waba_id as WabaId | '', at),
      stopped_marketing_at: stoppedMarketingAt(thread, events, at),
      unreachable_at: unreachableAt(thread, refusalsOf(events.filter(({ timestamp }) => timestamp <= at)), at),
    };
  }

  /** The same check with another message. */
  #replanned(checked: Checked, planned: PlannedMessage, rulebook: Rulebook): Checked {
    const { thread, waba_id, outlook } = checked;
    return { ...checked, outlook: sendOutlook(thread, rulebook, planned, waba_id as WabaId | '', outlook.at) };
  }

  #price(phone_number_id: string, of: readonly Checked[]): Promise<PlannedPrice[]> {
    return this.#prices.of(
      of.map(({ recipient, waba_id, outlook }): PlannedCharge => {
        const { at, planned, policy, mark, without_free_entry } = outlook;
        const { type, category } = planned;
        return { phone_number_id, waba_id, recipient, at, type, category, policy, mark, without_free_entry };
      }),
    );
  }

  async #answer(
    request: SendRequest,
    category: Category,
    checked: Checked,
    rulebook: Rulebook,
    { at, tz }: CheckOptions,
  ): Promise<SendResult> {
    const { outlook, thread, customer, waba_id } = checked;
    const by = (category: string): Checked =>
      this.#replanned(checked, { ...outlook.planned, type: 'template', category }, rulebook);
    const free_form = this.#replanned(checked, { type: 'text', template_name: '', category: 'service' }, rulebook);
    const others = !outlook.is_allowed || category.from === 'unknown' ? POSSIBLE_CATEGORIES.map(by) : [];
    // Priced one by one: only one of them will be sent.
    const [price, free_price, ...prices] = await Promise.all(
      [checked, free_form, ...others].map(async (one) => {
        const [found] = await this.#price(request.phone_number_id, [one]);
        if (found === undefined) throw new TypeError('A message that was asked for has no price.');
        return priceOf(found, thread.group_id !== '');
      }),
    );
    if (price === undefined || free_price === undefined) throw new TypeError('A message has no price.');
    const about = {
      at: isoTime(at, tz),
      customer,
      type: request.type,
      customer_service_window: serviceTimer(outlook, tz),
      free_entry_window: freeTimer(outlook, tz),
      reply_deadline: deadline(outlook, tz),
    };
    const { stopped_marketing_at, unreachable_at } = checked;
    if (isStopped(checked) && stopped_marketing_at !== null)
      return { kind: 'not_allowed', refusal: stoppedRefusal(stopped_marketing_at, tz), about };
    if (!outlook.is_allowed) {
      const templates = others.map(({ outlook }, i) => ({
        category: outlook.planned.category,
        price: prices[i] ?? price,
      }));
      return { kind: 'not_allowed', refusal: refusal(outlook, templates, tz), about };
    }
    const answer: SendAnswer = {
      allowed: true,
      ...about,
      phone_number_id: request.phone_number_id,
      waba_id,
      template_name: request.template_name,
      ...verdictOf(outlook, price),
      category_from: category.from,
      policy: outlook.policy,
      changes: comingChanges(thread, rulebook, waba_id as WabaId | '', outlook).map((change) => ({
        at: isoTime(change.at, tz),
        allowed: change.is_allowed,
        mark: change.mark,
      })),
      by_category: others.map(({ outlook }, i) => verdictOf(outlook, prices[i] ?? price)),
      advice: advice({ outlook, price, free_form: { outlook: free_form.outlook, price: free_price }, zone: tz }),
      ...(stopped_marketing_at === null ? {} : { stopped_marketing_at: isoTime(stopped_marketing_at, tz) }),
      ...(unreachable_at === null ? {} : { unreachable_at: isoTime(unreachable_at, tz) }),
    };
    return { kind: 'allowed', answer };
  }
}

function isoTime(at: number, zone: string): string {
  return DateTime.fromSeconds(at, { zone }).toFormat("yyyy-MM-dd'T'HH:mm:ssZZ");
}

function timer(ends_at: number | null, at: number, tz: string): SendTimer {
  const is_open = ends_at !== null && at < ends_at;
  return {
    is_open,
    ends_at: ends_at === null ? null : isoTime(ends_at, tz),
    seconds_left: is_open ? ends_at - at : null,
  };
}

function serviceTimer({ service_window_ends_at, at }: SendOutlook, tz: string): SendTimer {
  return timer(service_window_ends_at, at, tz);
}

function freeTimer({ free_window, rule, at }: SendOutlook, tz: string): SendAnswer['free_entry_window'] {
  return {
    ...timer(free_window?.expires_at ?? null, at, tz),
    is_reported: free_window?.is_reported ?? false,
    ad_id: free_window?.entry.ad_id ?? '',
    would_open: opensFreeWindow(rule),
  };
}

function deadline({ openable, at }: SendOutlook, tz: string): SendAnswer['reply_deadline'] {
  if (openable === null) return null;
  const { entry, reply_by } = openable;
  return { by: isoTime(reply_by, tz), seconds_left: reply_by - at, ad_id: entry.ad_id };
}

/** F8: each participant of a group is charged separately, at their own rate. */
function priceOf(price: PlannedPrice, isGroup: boolean): SendPrice {
  const { market, rated_category, currency, rate_card, tier, billed_cost, list_cost, is_in_free_place, unrated } =
    price;
  const ofGroup = isGroup && billed_cost !== '0';
  return {
    amount: ofGroup ? null : billed_cost,
    currency,
    rate_card: ofGroup ? '' : rate_card,
    tier: ofGroup ? '' : tier,
    market: isGroup ? '' : market,
    category: rated_category,
    list_cost: isGroup ? null : list_cost,
    is_in_allowance: is_in_free_place && !isGroup,
    unrated: ofGroup ? 'per_participant' : unrated,
  };
}

function verdictOf(outlook: SendOutlook, price: SendPrice): SendVerdict {
  const { planned, mark, rule, is_allowed } = outlook;
  return {
    category: planned.category,
    mark,
    rule,
    price,
    words: composerWords({ type: planned.type, category: planned.category, mark, rule, is_allowed }),
  };
}

import {
  SEND_OUTCOMES,
  type Recipient,
  type SendLine,
  type SendOutcome,
  type SendRequest,
  type SendTotals,
} from '@ctwa-ledger/schemas/send-check.ts';
import { opensFreeWindow } from '../lifecycle/marks.ts';
import type { PlannedMessage } from '../lifecycle/planned.ts';
import type { PlannedPrice } from '../rating/planned-prices.ts';
import { scaled, unscaled } from '../imports/decimals.ts';
import { isAllowed, isStopped, POSSIBLE_CATEGORIES, type Category, type Checked } from './checked.ts';

/** A message to many, each recipient checked. */
interface CheckedList {
  readonly request: SendRequest;
  readonly category: Category;
  /** Without duplicates; `checked` is in their order. */
  readonly recipients: readonly Recipient[];
  readonly checked: readonly Checked[];
  readonly at: string;
}

type Sums = Pick<SendTotals, 'category' | 'free' | 'outcomes' | 'opens_free_entry' | 'costs' | 'unrated'>;

/** A message and its price; null when it is not allowed. */
interface Priced {
  readonly one: Checked;
  readonly price: PlannedPrice | null;
}

function outcomeOf({ one, price }: Priced): SendOutcome {
  if (isStopped(one)) return 'MARKETING_STOPPED';
  if (!one.outlook.is_allowed) return 'NON_TEMPLATE_NOT_ALLOWED';
  const { mark } = one.outlook;
  if (mark === 'UNDELIVERED') throw new TypeError('A message that is delivered is not undelivered.');
  return mark === 'BILLABLE' && price?.is_in_free_place === true ? 'FREE_ALLOWANCE' : mark;
}

/**
 * The prices of messages in their order. A message that is not allowed is not sent, so it uses no place of the month.
 */
async function priced(
  checked: readonly Checked[],
  pricesOf: (of: readonly Checked[]) => Promise<PlannedPrice[]>,
): Promise<Priced[]> {
  const prices = await pricesOf(checked.filter(isAllowed));
  let next = 0;
  return checked.map((one) => ({ one, price: isAllowed(one) ? (prices[next++] ?? null) : null }));
}

/** Stopped marketing is listed only if there is any. */
const NO_OUTCOMES = Object.fromEntries(
  SEND_OUTCOMES.filter((outcome) => outcome !== 'MARKETING_STOPPED').map((outcome) => [outcome, 0]),
) as SendTotals['outcomes'];

function sums(category: string, messages: readonly Priced[]): Sums {
  const outcomes: { -readonly [Outcome in keyof SendTotals['outcomes']]: SendTotals['outcomes'][Outcome] } = {
    ...NO_OUTCOMES,
  };
  const costs = new Map<string, { messages: number; amount: bigint; list: bigint }>();
  const unrated = new Map<string, number>();
  let free = 0;
  let opens_free_entry = 0;
  for (const message of messages) {
    const { one, price } = message;
    const outcome = outcomeOf(message);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (price === null) continue;
    if (opensFreeWindow(one.outlook.rule)) opens_free_entry += 1;
    if (price.billed_cost === null) {
      unrated.set(price.unrated, (unrated.get(price.unrated) ?? 0) + 1);
      continue;
    }
    const amount = scaled(price.billed_cost);
    if (amount === 0n) free += 1;
    const sum = costs.get(price.currency) ?? { messages: 0, amount: 0n, list: 0n };
    sum.messages += 1;
    sum.amount += amount;
    sum.list += scaled(price.list_cost ?? price.billed_cost);
    costs.set(price.currency, sum);
  }
  return {
    category,
    free,
    outcomes,
    opens_free_entry,
    costs: [...costs]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([currency, { messages, amount, list }]) => ({
        currency,
        messages,
        amount: unscaled(amount),
        saved: unscaled(list - amount),
      })),
    unrated: [...unrated].map(([reason, messages]) => ({ reason, messages })).sort((a, b) => b.messages - a.messages),
  };
}

/** `412 of 9,870 would be free now; the others cost BRL 3041.2.` */
function inWords({ free, outcomes, costs, unrated }: Sums, recipients: number): string {
  const count = (n: number): string => n.toLocaleString('en-GB');
  const charged = costs.filter(({ amount }) => amount !== '0').map(({ currency, amount }) => `${currency} ${amount}`);
  const refused = outcomes.NON_TEMPLATE_NOT_ALLOWED;
  const stopped = outcomes.MARKETING_STOPPED ?? 0;
  const unknown = unrated.reduce((sum, { messages }) => sum + messages, 0);
  return [
    `${count(free)} of ${count(recipients)} would be free now`,
    ...(charged.length === 0 ? [] : [`the others would cost ${charged.join(' and ')}`]),
    ...(refused === 0 ? [] : [`${count(refused)} are not allowed (NON_TEMPLATE_NOT_ALLOWED)`]),
    ...(stopped === 0 ? [] : [`${count(stopped)} have stopped marketing messages (MARKETING_STOPPED)`]),
    ...(unknown === 0 ? [] : [`${count(unknown)} have no price`]),
  ]
    .join('; ')
    .concat('.');
}

function lineOf(recipient: Recipient, message: Priced): SendLine {
  const { price } = message;
  return {
    recipient: recipient.name,
    customer: message.one.customer,
    waba_id: message.one.waba_id,
    outcome: outcomeOf(message),
    amount: price?.billed_cost ?? null,
    currency: price?.currency ?? '',
    unrated: price?.unrated ?? '',
  };
}

/**
 * The totals for a message to many recipients. The messages use up the places of the month one after another, so a tier
 * or an allowance that is reached on the way is applied.
 * @param replan the same recipients with another message
 */
export async function totalsOf(
  { request, category, recipients, checked, at }: CheckedList,
  replan: (planned: PlannedMessage, of: readonly Checked[]) => readonly Checked[],
  pricesOf: (of: readonly Checked[]) => Promise<PlannedPrice[]>,
): Promise<SendTotals> {
  const messages = await priced(checked, pricesOf);
  const own = sums(category.category, messages);
  const by_category: Sums[] = [];
  if (category.from === 'unknown')
    for (const possible of POSSIBLE_CATEGORIES) {
      const planned = { type: request.type, template_name: request.template_name, category: possible };
      by_category.push(sums(possible, await priced(replan(planned, checked), pricesOf)));
    }
  return {
    at,
    phone_number_id: request.phone_number_id,
    type: request.type,
    template_name: request.template_name,
    category_from: category.from,
    recipients: recipients.length,
    duplicates: request.recipients.length - recipients.length,
    ...own,
    by_category,
    words: inWords(own, recipients.length),
    ...(request.lines
      ? { lines: recipients.flatMap((one, i) => (messages[i] === undefined ? [] : [lineOf(one, messages[i])])) }
      : {}),
  };
}

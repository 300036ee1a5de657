import { DAY, HOUR, type LocalTime } from './clock.ts';
import type { Prng } from './prng.ts';
import type { PlannedMessage, PricedConversation, Thread } from './thread.ts';
import type { Category } from './world.ts';

/** From 2026-09-28 UTC some free entry windows are longer than 72 h. */
const LONG_WINDOWS_FROM = 1_790_553_600;
const LONG_WINDOW_HOURS = [96, 120, 144, 168];
const LONG_WINDOW_SHARE = 0.08;
const UNKNOWN_TYPE_SHARE = 0.0006;
const FREE_SERVICE_MESSAGES = 1000;

function pricingJson(billable: boolean, model: string, type: string, category: string): string {
  const typeMember = type === '' ? '' : `"type":"${type}",`;
  return `,"pricing":{"billable":${billable},"pricing_model":"${model}",${typeMember}"category":"${category}"}`;
}

type Priced = Readonly<Record<Category, string>>;

function byCategory(json: (category: Category) => string): Priced {
  return {
    service: json('service'),
    utility: json('utility'),
    marketing: json('marketing'),
    authentication: json('authentication'),
    'authentication-international': json('authentication-international'),
    marketing_lite: json('marketing_lite'),
  };
}

const REGULAR = byCategory((category) => pricingJson(true, 'PMP', 'regular', category));
const FREE_SERVICE = byCategory((category) => pricingJson(false, 'PMP', 'free_customer_service', category));
const UNKNOWN_TYPE = byCategory((category) => pricingJson(false, 'PMP', 'partner_exempt', category));
const FREE_ENTRY = pricingJson(false, 'PMP', 'free_entry_point', 'referral_conversion');
const CHARGED_CONVERSATION = byCategory((category) => pricingJson(true, 'CBP', '', category));
const FREE_CONVERSATION = byCategory((category) => pricingJson(false, 'CBP', '', category));
const FREE_ENTRY_CONVERSATION = pricingJson(false, 'CBP', '', 'referral_conversion');

function conversationJson(id: string, category: string, expiration: number): string {
  const origin = category === 'authentication-international' ? 'authentication_international' : category;
  const expires = expiration === -1 ? '' : `"expiration_timestamp":"${expiration}",`;
  return `,"conversation":{"id":"${id}",${expires}"origin":{"type":"${origin}"}}`;
}

/** Meta's count per business number and month of free service messages. */
export class ServiceAllowance {
  readonly #used = new Map<number, number>();

  /** Uses one place; returns whether it was free. */
  take(numberIndex: number, month: number): boolean {
    const key = month * 1024 + numberIndex;
    const used = this.#used.get(key) ?? 0;
    this.#used.set(key, used + 1);
    return used < FREE_SERVICE_MESSAGES;
  }
}

/**
 * Sorts the first `count` messages by the time at which they count. They are nearly sorted, so insertion sort is fast.
 */
function sortByPosition(messages: PlannedMessage[], count: number): void {
  for (let i = 0; i < count; i++) {
    const message = messages[i] as PlannedMessage;
    message.position = message.isInbound || message.deliveredAt === -1 ? message.sentAt : message.deliveredAt;
  }
  for (let i = 1; i < count; i++) {
    const message = messages[i] as PlannedMessage;
    let j = i - 1;
    while (j >= 0 && comesAfter(messages[j] as PlannedMessage, message)) {
      messages[j + 1] = messages[j] as PlannedMessage;
      j--;
    }
    messages[j + 1] = message;
  }
}

function comesAfter(a: PlannedMessage, b: PlannedMessage): boolean {
  if (a.position !== b.position) return a.position > b.position;
  // An inbound message opens the customer service window for deliveries in the same second (W1).
  if (a.isInbound !== b.isInbound) return b.isInbound;
  return a.sentAt > b.sentAt;
}

/**
 * Adds to each message of an episode the report that Meta would send, by rules.md 2 and 3: as the rules predict, but
 * without a free entry window for customers on desktop, and with one, without a referral, for those from a Page's
 * button. Sorts `messages` by the order of W4.
 * @param count how many of `messages` belong to this episode
 */
export function reportVerdicts(
  thread: Thread,
  messages: PlannedMessage[],
  count: number,
  local: LocalTime,
  allowance: ServiceAllowance,
  prng: Prng,
): void {
  sortByPosition(messages, count);
  for (let i = 0; i < count; i++) {
    const message = messages[i] as PlannedMessage;
    if (!message.isInbound) reportVerdict(thread, message, local, allowance, prng);
    else {
      thread.lastInboundAt = message.sentAt;
      const isEntry = message.isEntry ? !thread.isOnDesktop : thread.isFromPageButton && thread.waiting.length === 0;
      if (isEntry) thread.waiting.push(message.sentAt);
    }
  }
}

/** Removes the entries that a message answers from the waiting ones (W3, W4); returns whether there were any. */
function answersEntry(thread: Thread, sentAt: number): boolean {
  const { waiting } = thread;
  let answered = false;
  for (let i = waiting.length - 1; i >= 0; i--) {
    const wait = sentAt - (waiting[i] as number);
    if (wait < 0) continue;
    // An older one is too late and leaves the list unanswered (W9).
    if (wait <= DAY) answered = true;
    waiting.splice(i, 1);
  }
  return answered;
}

function isWindowOpen(thread: Thread, at: number): boolean {
  return thread.windowOpenedAt <= at && at < thread.windowExpiresAt;
}

function reportVerdict(
  thread: Thread,
  message: PlannedMessage,
  local: LocalTime,
  allowance: ServiceAllowance,
  prng: Prng,
): void {
  // Messages from the app are not billed: they open no window and use no free place (rules.md F6).
  if (message.isEcho) return;
  const isDelivered = message.deliveredAt !== -1;
  const at = isDelivered ? message.deliveredAt : message.sentAt;
  if (isDelivered && message.type !== 'reaction' && thread.waiting.length > 0 && answersEntry(thread, message.sentAt)) {
    if (!isWindowOpen(thread, at)) openWindow(thread, at, prng);
  }
  const { number } = thread;
  if (isWindowOpen(thread, at)) {
    if (!number.hasPricing) return;
    message.pricing = at < local.perMessageFrom ? FREE_ENTRY_CONVERSATION : FREE_ENTRY;
    message.conversation = conversationJson(thread.windowId, 'referral_conversion', -1);
    message.conversationOnSent = conversationJson(thread.windowId, 'referral_conversion', thread.windowExpiresAt);
    return;
  }
  const { category } = message;
  if (at < local.perMessageFrom) {
    reportConversation(thread, message, at, isDelivered, local, prng);
    return;
  }
  if (!number.hasPricing) return;
  if (number.isV23) {
    const id = prng.hex32();
    message.conversation = conversationJson(id, category, -1);
    message.conversationOnSent = conversationJson(id, category, message.sentAt + DAY);
  }
  if (prng.chance(UNKNOWN_TYPE_SHARE)) message.pricing = UNKNOWN_TYPE[category];
  else
    message.pricing = (isFree(thread, message, at, isDelivered, local, allowance) ? FREE_SERVICE : REGULAR)[category];
}

/** Per-message pricing outside a free entry window (rules.md 3). */
function isFree(
  thread: Thread,
  message: PlannedMessage,
  at: number,
  isDelivered: boolean,
  local: LocalTime,
  allowance: ServiceAllowance,
): boolean {
  if (at < local.chargedServiceFrom) {
    if (message.category === 'utility') return at < thread.lastInboundAt + DAY;
    return message.category === 'service';
  }
  if (message.type === 'reaction') return true;
  if (message.category !== 'service') return false;
  return !isDelivered || allowance.take(thread.numberIndex, local.month(at));
}

function openWindow(thread: Thread, at: number, prng: Prng): void {
  const isLong = at >= LONG_WINDOWS_FROM && thread.number.hasPricing && prng.chance(LONG_WINDOW_SHARE);
  thread.windowOpenedAt = at;
  thread.windowExpiresAt = at + (isLong ? prng.pick(LONG_WINDOW_HOURS) : 72) * HOUR;
  thread.windowId = prng.hex32();
  thread.conversations = [];
}

/** Conversation pricing outside a free entry window (rules.md 3.1). */
function reportConversation(
  thread: Thread,
  message: PlannedMessage,
  at: number,
  isDelivered: boolean,
  local: LocalTime,
  prng: Prng,
): void {
  const { category } = message;
  const open = thread.conversations.filter((conversation) => at < conversation.until);
  const joined =
    category === 'service' ? open[open.length - 1] : open.find((conversation) => conversation.category === category);
  const isCharged = category !== 'service' || at < local.freeServiceFrom;
  const conversation: PricedConversation = joined ?? { id: prng.hex32(), category, until: at + DAY, isCharged };
  if (joined === undefined && isDelivered) open.push(conversation);
  thread.conversations = open;
  if (!thread.number.hasPricing) return;
  message.conversation = conversationJson(conversation.id, conversation.category, -1);
  message.conversationOnSent = conversationJson(conversation.id, conversation.category, conversation.until);
  if (conversation.isCharged) message.pricing = CHARGED_CONVERSATION[conversation.category];
  // Meta reports no pricing for a message in a free conversation: its opener has the report.
  else if (joined === undefined) message.pricing = FREE_CONVERSATION[conversation.category];
}

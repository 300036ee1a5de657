import { DAY, HOUR, nextBusinessTime, type LocalTime } from './clock.ts';
import { runningTotals, type Prng } from './prng.ts';
import { plannedMessage, type PlannedMessage, type Thread } from './thread.ts';
import {
  AUTHENTICATION_INTERNATIONAL,
  FAILURES,
  HOME_OF_ACCOUNT,
  TEMPLATES,
  type Source,
  type Template,
  type Templates,
} from './world.ts';

/** What a thread does next. */
export type EpisodeKind = 'entry' | 'organic' | 'campaign' | 'login';

const MINUTE = 60;
const CLICK_ID_SHARE = 0.9;

const INBOUND_TYPES = ['text', 'image', 'audio', 'interactive', 'button', 'location', 'document', 'video', 'sticker'];
const INBOUND_TOTALS = runningTotals([78, 7, 6, 3, 2, 1, 1.5, 1, 0.5]);
const OUTBOUND_TYPES = ['text', 'interactive', 'image', 'document', 'audio', 'video', 'location'];
const OUTBOUND_TOTALS = runningTotals([72, 12, 7, 3, 3, 2, 1]);

const SENDERS = {
  bot: ',"sender":{"type":"bot","id":"welcome"}',
  campaign: ',"sender":{"type":"campaign","id":"broadcast"}',
  reminder: ',"sender":{"type":"bot","id":"reminder"}',
  system: ',"sender":{"type":"system","id":"orders"}',
} as const;
const AGENTS: readonly string[] = Array.from(
  { length: 12 },
  (_, i) => `,"sender":{"type":"agent","id":"a${String(i + 1).padStart(2, '0')}"}`,
);

/** Plans one episode of a thread: who writes when, and what happens to each outbound message. */
export class EpisodePlanner {
  /** The first `count` belong to the current episode, in no particular order; the others are kept for reuse. */
  readonly messages: PlannedMessage[] = [];
  count = 0;
  /** Unix seconds of the latest event of the episode. */
  lastAt = 0;

  readonly #prng: Prng;
  readonly #locals: readonly LocalTime[];

  /** @param locals local times of the accounts, in their order */
  constructor(prng: Prng, locals: readonly LocalTime[]) {
    this.#prng = prng;
    this.#locals = locals;
  }

  /** @param start Unix seconds; nothing of the episode is earlier */
  plan(thread: Thread, kind: EpisodeKind, start: number): void {
    this.count = 0;
    this.lastAt = start;
    if (kind === 'entry') this.#planEntry(thread, start);
    else if (kind === 'organic') this.#planOrganic(thread, start);
    else if (kind === 'campaign') this.#planCampaign(thread, start);
    else this.#planLogin(thread, start);
  }

  #add(): PlannedMessage {
    if (this.count === this.messages.length) this.messages.push(plannedMessage());
    return this.messages[this.count++] as PlannedMessage;
  }

  #touch(time: number): void {
    if (time > this.lastAt) this.lastAt = time;
  }

  #inbound(sentAt: number, type: string): PlannedMessage {
    const message = this.#add();
    message.isInbound = true;
    message.isEntry = false;
    message.referral = '';
    message.sentAt = sentAt;
    message.type = type;
    this.#touch(sentAt);
    return message;
  }

  #entry(source: Source, sentAt: number): void {
    const prng = this.#prng;
    const message = this.#inbound(sentAt, this.#inboundType());
    message.isEntry = true;
    const hasClickId = source.kind === 'ad' && prng.chance(CLICK_ID_SHARE);
    const clickId = hasClickId ? `,"ctwa_clid":"Aff${prng.token(36)}"` : '';
    message.referral = `,"referral":${source.referral}${clickId}}`;
  }

  #inboundType(): string {
    return INBOUND_TYPES[this.#prng.weighted(INBOUND_TOTALS)] as string;
  }

  /** Plans a message of the business, and what happens to it. */
  #outbound(
    thread: Thread,
    sentAt: number,
    type: string,
    template: Template | undefined,
    sender: string,
  ): PlannedMessage {
    const prng = this.#prng;
    const message = this.#add();
    message.isInbound = false;
    message.isEntry = false;
    message.sentAt = sentAt;
    message.type = type;
    message.category = template === undefined ? 'service' : template.category;
    message.template = template === undefined ? '' : template.json;
    message.sender = sender;
    message.isEcho = false;
    message.pricing = '';
    message.conversation = '';
    message.conversationOnSent = '';
    message.readAt = -1;
    message.playedAt = -1;
    message.failedAt = -1;
    message.errors = '';
    message.deliveredAt = -1;
    message.deliveredStatusAt = -1;
    this.#touch(sentAt);
    if (thread.number.echoShare > 0 && sender.includes('agent') && prng.chance(thread.number.echoShare)) {
      message.isEcho = true;
      message.deliveredAt = sentAt;
      return message;
    }
    const isMarketing = message.category === 'marketing' || message.category === 'marketing_lite';
    const fate = prng.unit();
    if (fate < (isMarketing ? 0.07 : 0.006)) this.#fail(message, this.#reason(isMarketing));
    else if (fate > (template === undefined ? 0.995 : 0.965)) return message;
    else this.#deliver(message, template !== undefined);
    return message;
  }

  #reason(isMarketing: boolean): string {
    const { undeliverable, ecosystem, experiment, stopped, payment, unavailable } = FAILURES;
    if (isMarketing)
      return this.#prng.pick([ecosystem, ecosystem, ecosystem, undeliverable, undeliverable, experiment, stopped]);
    return this.#prng.pick([undeliverable, undeliverable, undeliverable, unavailable, payment]);
  }

  #fail(message: PlannedMessage, errors: string): void {
    message.deliveredAt = -1;
    message.deliveredStatusAt = -1;
    message.readAt = -1;
    message.playedAt = -1;
    message.failedAt = message.sentAt + this.#prng.int(0, 4);
    message.errors = errors;
    this.#touch(message.failedAt);
  }

  #deliver(message: PlannedMessage, isTemplate: boolean): void {
    const prng = this.#prng;
    const way = prng.unit();
    let delay = 1 + Math.floor(prng.unit() * 3);
    // A customer in a chat is online; a template often waits for a phone that is off.
    if (isTemplate) {
      if (way > 0.985) delay = Math.floor(12 * HOUR + prng.unit() * 36 * HOUR);
      else if (way > 0.9) delay = Math.floor(10 * MINUTE + prng.exponential(3 * HOUR));
      else if (way > 0.6) delay += Math.floor(prng.exponential(60));
    } else if (way > 0.995) delay = Math.floor(10 * MINUTE + prng.exponential(4 * HOUR));
    else if (way > 0.8) delay += Math.floor(prng.exponential(25));
    const deliveredAt = message.sentAt + delay;
    message.deliveredAt = deliveredAt;
    message.deliveredStatusAt = deliveredAt;
    const attention = prng.unit();
    if (attention < 0.04) {
      // Delivered and read at once: Meta then sends only `read`.
      message.deliveredStatusAt = -1;
      message.readAt = deliveredAt;
    } else if (attention < (isTemplate ? 0.6 : 0.82)) {
      message.readAt = deliveredAt + Math.floor(prng.exponential(isTemplate ? 2 * HOUR : 90));
    }
    if (message.type === 'audio' && message.readAt !== -1 && prng.chance(0.7)) {
      message.playedAt = message.readAt + prng.int(1, 20);
    }
    // Another device of the same customer gave up.
    if (prng.chance(0.0008)) {
      message.failedAt = deliveredAt + prng.int(-1, 30);
      message.errors = FAILURES.undeliverable;
      this.#touch(message.failedAt);
    }
    this.#touch(deliveredAt);
  }

  #local(thread: Thread): LocalTime {
    return this.#locals[thread.number.account] as LocalTime;
  }

  #templates(thread: Thread): Templates {
    return TEMPLATES[thread.number.account] as Templates;
  }

  /** When a customer who wrote at `time` is answered; -1 = never. */
  #answerTime(thread: Thread, time: number, isFirst: boolean): number {
    const prng = this.#prng;
    const { style } = thread.source;
    if (!prng.chance(isFirst ? thread.source.answered : 0.94)) return -1;
    if (style === 'bot' || (style === 'hybrid' && isFirst)) return time + 2 + Math.floor(prng.exponential(4));
    const local = this.#local(thread);
    if (style === 'slow' || style === 'nobody')
      return nextBusinessTime(local, time + 2 * HOUR + Math.floor(prng.exponential(9 * HOUR)));
    const opening = nextBusinessTime(local, time);
    // Messages of the night are answered in the first hours of the morning.
    if (opening > time) return opening + Math.floor(prng.unit() * 1.5 * HOUR);
    return time + 20 + Math.floor(prng.exponential((isFirst ? 14 : 5) * MINUTE));
  }

  #senderOf(thread: Thread, isFirst: boolean): string {
    const { style } = thread.source;
    if (style === 'bot' || (style === 'hybrid' && isFirst)) return SENDERS.bot;
    return this.#prng.pick(AGENTS);
  }

  #isServiceWindowOpen(thread: Thread, time: number): boolean {
    if (time < thread.lastInboundAt + DAY) return true;
    for (let i = 0; i < this.count; i++) {
      const message = this.messages[i] as PlannedMessage;
      if (message.isInbound && message.sentAt <= time && time < message.sentAt + DAY) return true;
    }
    return false;
  }

  /**
   * A free-form message or, if that is not allowed any more, what a business sends instead. Returns the time of
   * delivery.
   */
  #say(thread: Thread, time: number, isFirst: boolean): number {
    const prng = this.#prng;
    if (!this.#isServiceWindowOpen(thread, time + 5)) {
      if (prng.chance(0.25))
        this.#fail(this.#outbound(thread, time, 'text', undefined, SENDERS.bot), FAILURES.windowClosed);
      else if (!thread.hasStoppedMarketing)
        this.#template(thread, time, prng.pick(this.#templates(thread).reminder), SENDERS.reminder);
      return time;
    }
    const type = OUTBOUND_TYPES[prng.weighted(OUTBOUND_TOTALS)] as string;
    const message = this.#outbound(thread, time, type, undefined, this.#senderOf(thread, isFirst));
    return message.deliveredAt === -1 ? time : message.deliveredAt;
  }

  #template(thread: Thread, time: number, template: Template, sender: string): void {
    const message = this.#outbound(thread, time, 'template', template, sender);
    if (message.errors === FAILURES.stopped) thread.hasStoppedMarketing = true;
  }

  /** Customer and business in turn, after the customer's first message. Returns the time of the last answer, or -1. */
  #converse(thread: Thread, start: number): number {
    const prng = this.#prng;
    let wroteAt = start;
    if (prng.chance(0.3)) {
      wroteAt += prng.int(3, 70);
      this.#inbound(wroteAt, this.#inboundType());
    }
    let answeredAt = this.#answerTime(thread, wroteAt, true);
    if (answeredAt === -1) return -1;
    let thereAt = this.#say(thread, answeredAt, true);
    if (prng.chance(0.3)) thereAt = this.#say(thread, answeredAt + prng.int(1, 3), true);
    for (let round = 0; round < 9 && prng.chance(0.68); round++) {
      const isLater = prng.chance(0.07);
      wroteAt = Math.max(thereAt, answeredAt) + 4 + Math.floor(prng.exponential(isLater ? 7 * HOUR : 3 * MINUTE));
      this.#inbound(wroteAt, prng.chance(0.02) ? 'reaction' : this.#inboundType());
      if (prng.chance(0.22)) {
        wroteAt += prng.int(2, 40);
        this.#inbound(wroteAt, this.#inboundType());
      }
      const next = this.#answerTime(thread, wroteAt, false);
      if (next === -1) break;
      answeredAt = next;
      // For a message known from statuses alone, a reaction could not be told from a reply (F5).
      if (!thread.number.isStatusOnly && prng.chance(0.025))
        this.#outbound(thread, next - 1, 'reaction', undefined, SENDERS.bot);
      thereAt = this.#say(thread, next, false);
      if (prng.chance(0.16)) {
        answeredAt = next + prng.int(2, 30);
        thereAt = this.#say(thread, answeredAt, false);
      }
    }
    return answeredAt;
  }

  #planEntry(thread: Thread, start: number): void {
    const prng = this.#prng;
    const { source } = thread;
    const templates = this.#templates(thread);
    this.#entry(source, start);
    const firstAnswer = this.count;
    const answeredAt = this.#converse(thread, start);
    if (answeredAt === -1) {
      if (prng.chance(0.15)) {
        const again = start + Math.floor(HOUR + prng.unit() * 40 * HOUR);
        this.#entry(source, again);
        this.#converse(thread, again);
      } else if (prng.chance(0.12)) {
        // Too late to open a window.
        const late = start + DAY + 1 + Math.floor(prng.exponential(4 * HOUR));
        this.#template(thread, late, prng.pick(templates.reminder), SENDERS.reminder);
      }
      return;
    }
    let opening = answeredAt;
    for (let i = firstAnswer; i < this.count; i++) {
      const message = this.messages[i] as PlannedMessage;
      if (!message.isInbound && message.sentAt < opening) opening = message.sentAt;
    }
    if (prng.chance(source.reminded)) this.#remind(thread, opening);
    this.#planOrder(thread, answeredAt, 0.2);
    if (prng.chance(0.1)) {
      const again = opening + Math.floor(0.5 * HOUR + prng.unit() * 70 * HOUR);
      this.#entry(source, again);
      this.#converse(thread, again);
    }
    if (prng.chance(0.04)) {
      const late = opening + Math.floor((74 + prng.unit() * 80) * HOUR);
      this.#template(thread, late, prng.pick(templates.campaign), SENDERS.campaign);
    }
  }

  /** Reminders about 20 h and 60 h after the first answer: both inside the free entry window. */
  #remind(thread: Thread, opening: number): void {
    const prng = this.#prng;
    const templates = this.#templates(thread);
    const first = opening + 20 * HOUR + prng.int(-20, 20) * MINUTE;
    if (prng.chance(0.5) && this.#isServiceWindowOpen(thread, first + 60)) this.#say(thread, first, true);
    else if (!thread.hasStoppedMarketing)
      this.#template(thread, first, prng.pick(templates.reminder), SENDERS.reminder);
    if (prng.chance(0.12)) {
      const wroteAt = first + 30 + Math.floor(prng.exponential(2 * HOUR));
      this.#inbound(wroteAt, this.#inboundType());
      const answer = this.#answerTime(thread, wroteAt, false);
      if (answer !== -1) this.#say(thread, answer, false);
    }
    if (thread.hasStoppedMarketing || !prng.chance(0.7)) return;
    this.#template(
      thread,
      opening + 60 * HOUR + prng.int(-30, 30) * MINUTE,
      prng.pick(templates.reminder),
      SENDERS.reminder,
    );
  }

  /** The messages after an order: a confirmation soon, often the shipping later. */
  #planOrder(thread: Thread, after: number, share: number): void {
    const prng = this.#prng;
    if (!prng.chance(share)) return;
    const { utility } = this.#templates(thread);
    const confirmedAt = after + Math.floor(2 * MINUTE + prng.exponential(2 * HOUR));
    this.#template(thread, confirmedAt, prng.pick(utility), SENDERS.system);
    if (prng.chance(0.6)) {
      const shippedAt = confirmedAt + Math.floor((8 + prng.unit() * 60) * HOUR);
      this.#template(thread, shippedAt, prng.pick(utility), SENDERS.system);
    }
  }

  #planOrganic(thread: Thread, start: number): void {
    this.#inbound(start, this.#inboundType());
    const answeredAt = this.#converse(thread, start);
    if (answeredAt !== -1) this.#planOrder(thread, answeredAt, 0.25);
  }

  #planCampaign(thread: Thread, start: number): void {
    const prng = this.#prng;
    if (thread.hasStoppedMarketing) return;
    this.#template(thread, start, prng.pick(this.#templates(thread).campaign), SENDERS.campaign);
    const message = this.messages[0] as PlannedMessage;
    if (message.deliveredAt === -1 || !prng.chance(0.14)) return;
    const wroteAt = message.deliveredAt + 30 + Math.floor(prng.exponential(2.5 * HOUR));
    this.#inbound(wroteAt, prng.chance(0.4) ? 'button' : 'text');
    const answeredAt = this.#converse(thread, wroteAt);
    if (answeredAt !== -1) this.#planOrder(thread, answeredAt, 0.3);
  }

  #planLogin(thread: Thread, start: number): void {
    const prng = this.#prng;
    const { login, loginInternational } = this.#templates(thread);
    const isAbroad =
      thread.iso !== HOME_OF_ACCOUNT[thread.number.account] && AUTHENTICATION_INTERNATIONAL.has(thread.iso);
    const template = isAbroad ? loginInternational : login;
    this.#template(thread, start, template, SENDERS.system);
    if (prng.chance(0.2)) this.#template(thread, start + prng.int(30, 120), template, SENDERS.system);
  }
}

import type { Prng } from './prng.ts';
import type { PlannedMessage, Thread } from './thread.ts';
import type { Timeline } from './timeline.ts';

/** Of 2^32: shares of lines that come late, that come again, and of statuses that overtake others. */
const LATE = 0.004 * 0x1_0000_0000;
const AGAIN = 0.02 * 0x1_0000_0000;
const OVERTAKEN = 0.015 * 0x1_0000_0000;

const HOUR = 3600;

/** Writes the messages of an episode as events, at the times when they arrive. */
export class EventWriter<Task> {
  readonly #prng: Prng;
  readonly #timeline: Timeline<Task>;

  constructor(prng: Prng, timeline: Timeline<Task>) {
    this.#prng = prng;
    this.#timeline = timeline;
  }

  /**
   * @param messages in the order in which they count
   * @param count how many of them belong to the episode
   */
  write(thread: Thread, messages: readonly PlannedMessage[], count: number): void {
    for (let i = 0; i < count; i++) {
      const message = messages[i] as PlannedMessage;
      if (message.isInbound) this.#writeInbound(thread, message);
      else this.#writeOutbound(thread, message);
    }
  }

  /** Most lines arrive at once, some a little later, few much later, and Meta sends some twice. */
  #arrive(time: number, line: string): void {
    const prng = this.#prng;
    const bits = prng.bits();
    let arrival = time + (bits & 1);
    if (bits < LATE) arrival += Math.floor(prng.exponential(prng.chance(0.8) ? 0.5 * HOUR : 20 * HOUR));
    this.#timeline.addLine(arrival, line);
    if (bits >= LATE && bits < LATE + AGAIN) {
      const delay = prng.unit();
      const mean = delay < 0.8 ? 40 : delay < 0.95 ? 2 * HOUR : 40 * HOUR;
      this.#timeline.addLine(arrival + Math.floor(prng.exponential(mean)), line);
    }
  }

  #writeInbound(thread: Thread, message: PlannedMessage): void {
    const prng = this.#prng;
    const id = `wamid.HBgM${prng.token(18)}`;
    const context =
      thread.lastOutboundId !== '' && prng.chance(0.06)
        ? `,"context":{"from":"${thread.number.display}","id":"${thread.lastOutboundId}"}`
        : '';
    this.#arrive(
      message.sentAt,
      `{"event":"message","direction":"inbound",${thread.head}"id":"${id}","timestamp":"${message.sentAt}","type":"${message.type}"${thread.device}${context}${message.referral}}`,
    );
  }

  #writeOutbound(thread: Thread, message: PlannedMessage): void {
    const prng = this.#prng;
    const { number } = thread;
    const id = `wamid.HBgN${prng.token(18)}`;
    const { sentAt } = message;
    thread.lastOutboundId = id;
    if (message.isEcho || !number.isStatusOnly) {
      const timestamp = number.hasNumericTimes && !message.isEcho ? `${sentAt}` : `"${sentAt}"`;
      const sender = message.isEcho ? ',"origin":"app"' : message.sender;
      this.#arrive(
        sentAt,
        `{"event":"message","direction":"outbound",${thread.head}"id":"${id}","timestamp":${timestamp},"type":"${message.type}"${message.template}${sender}}`,
      );
    }
    if (message.isEcho) return;
    this.#writeStatuses(thread, message, `"id":"${id}","status":"`);
  }

  #writeStatuses(thread: Thread, message: PlannedMessage, id: string): void {
    const prng = this.#prng;
    const start = `{"event":"status",${thread.head}${id}`;
    const { sentAt, deliveredStatusAt, readAt, playedAt, failedAt, pricing } = message;
    if (message.deliveredAt === -1 && failedAt !== -1) {
      if (prng.chance(0.4)) this.#arrive(sentAt, `${start}sent","timestamp":"${sentAt}"}`);
      // Sometimes Meta does not name the recipient.
      const head = prng.chance(0.12) ? `{"event":"status","phone_number_id":"${thread.number.id}",${id}` : start;
      this.#arrive(failedAt, `${head}failed","timestamp":"${failedAt}"${message.errors}}`);
      return;
    }
    const delay = prng.bits() < OVERTAKEN ? prng.int(3, 90) : 0;
    this.#arrive(sentAt + delay, `${start}sent","timestamp":"${sentAt}"${message.conversationOnSent}${pricing}}`);
    if (deliveredStatusAt !== -1) {
      const stamp = `${start}delivered","timestamp":"${deliveredStatusAt}"`;
      this.#arrive(deliveredStatusAt, `${stamp}${message.conversation}${pricing}}`);
      // A second subscriber with another API version gets a copy with fewer fields.
      if (pricing !== '' && prng.chance(0.001)) this.#arrive(deliveredStatusAt + 2, `${stamp}}`);
    }
    if (readAt !== -1) {
      // Meta prices `sent`, and one of `delivered` and `read`.
      const rest = deliveredStatusAt === -1 ? `${message.conversation}${pricing}}` : '}';
      this.#arrive(readAt, `${start}read","timestamp":"${readAt}"${rest}`);
    }
    if (playedAt !== -1) this.#arrive(playedAt, `${start}played","timestamp":"${playedAt}"}`);
    if (failedAt !== -1) this.#arrive(failedAt, `${start}failed","timestamp":"${failedAt}"${message.errors}}`);
  }
}

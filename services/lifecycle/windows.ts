import type { MessageEvent } from '@ctwa-ledger/schemas/event.ts';
import type { MessageId } from '@ctwa-ledger/schemas/ids.ts';
import type { PolicySettings } from '@ctwa-ledger/schemas/config.ts';
import { compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import type { OutboundMessage } from './facts.ts';
import type { Rulebook } from './rulebook.ts';
import { FREE_ENTRY_WINDOW_SECONDS, REPLY_WITHIN_SECONDS } from '@ctwa-ledger/schemas/durations.ts';

/** A delivered outbound message. */
export interface Delivered {
  readonly message: OutboundMessage;
  readonly delivered_at: number;
}

/** An entry (W2). */
export interface Entry {
  readonly message: MessageEvent;
  readonly id: MessageId;
  readonly at: number;
}

/** An entry with its state at this point of the walk over the thread. */
export interface DecidedEntry extends Entry {
  /** The reply that answered it (W4); null = no reply yet. */
  readonly reply: Delivered | null;
  /** The window that it owns (W5). */
  readonly window: FreeEntryWindow | null;
}

/** A free entry window (W5). Times are Unix seconds. */
export interface FreeEntryWindow {
  readonly owner: Entry;
  readonly opened_at: number;
  readonly expires_at: number;
  readonly is_reported: boolean;
  readonly free_messages: number;
  readonly is_confirmed: boolean;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** An entry as the walk changes it. Only {@link FreeEntryWindows} changes it. */
interface EntryState extends Mutable<DecidedEntry> {
  /** Whether a qualifying reply has claimed it (W4). */
  is_claimed: boolean;
}

/** W2: whether an inbound message is an entry. */
function isEntry(message: MessageEvent, rulebook: Rulebook): boolean {
  return (
    message.referral_source_type !== '' &&
    rulebook.entrySources.has(message.referral_source_type) &&
    message.device !== 'web' &&
    message.device !== 'desktop'
  );
}

/** Entries in the order of (time, id). */
function entriesOf(inbound: readonly MessageEvent[], rulebook: Rulebook): EntryState[] {
  return inbound
    .filter((message) => isEntry(message, rulebook))
    .map((message) => ({
      message,
      id: message.id,
      at: message.timestamp,
      reply: null,
      is_claimed: false,
      window: null,
    }))
    .sort((a, b) => a.at - b.at || compareUtf8(a.id, b.id));
}

/**
 * W4: the one order in which the delivered messages of a thread are decided. `foldThread` passes messages in it to
 * everything that keeps state from one message to the next (windows, conversations, reports). Marks are in this order
 * too.
 */
export function inOrderOfDecision(delivered: Delivered[], clock: PolicySettings['clock']): Delivered[] {
  return delivered.sort((a, b) => {
    const byDelivered = a.delivered_at - b.delivered_at;
    const bySent = a.message.sent_at - b.message.sent_at;
    const first = clock === 'sent' ? bySent || byDelivered : byDelivered || bySent;
    return (
      first || compareUtf8(a.message.id, b.message.id) || compareUtf8(a.message.participant, b.message.participant)
    );
  });
}

function mayReply(message: OutboundMessage, settings: PolicySettings): boolean {
  if (message.is_reaction && !settings.reactions_reply) return false;
  return !message.is_echo || settings.echoes_reply;
}

/** The free entry windows of one thread, as messages are decided one by one (W3 to W8). */
export class FreeEntryWindows {
  readonly #rulebook: Rulebook;
  /** In the order of (time, id). */
  readonly #entries: readonly EntryState[];
  /** In the same order, without entries that were answered. */
  #unanswered: readonly EntryState[];
  /** In the same order, without entries that were claimed. */
  #unclaimed: readonly EntryState[];
  readonly #opened: Mutable<FreeEntryWindow>[] = [];

  /** @param inbound messages of the customer that may be entries */
  constructor(inbound: readonly MessageEvent[], rulebook: Rulebook) {
    this.#rulebook = rulebook;
    this.#entries = entriesOf(inbound, rulebook);
    this.#unanswered = this.#entries;
    this.#unclaimed = this.#entries;
  }

  /** In the order of (time, id), with their state after the messages decided so far. */
  get entries(): readonly DecidedEntry[] {
    return this.#entries;
  }

  /** In the order in which they were opened. */
  get opened(): readonly FreeEntryWindow[] {
    return this.#opened;
  }

  /**
   * Decides one delivered message; call in the order of W4.
   * @returns the window that it is in, if any (W7); whether it opened it (W5); how many reports on it did not count
   * (W8)
   */
  decide(delivered: Delivered): {
    readonly window: FreeEntryWindow | null;
    readonly opens: boolean;
    readonly odd_reports: number;
  } {
    const { message, delivered_at } = delivered;
    const at = this.#rulebook.settings.clock === 'sent' ? message.sent_at : delivered_at;
    this.#answer(delivered);
    if (message.stands_apart) return { window: null, opens: false, odd_reports: message.window_reports.length };
    const owner = this.#claim(message);
    const last = this.#opened.at(-1);
    const opens = owner !== null && !(last !== undefined && last.opened_at <= at && at < last.expires_at);
    const window = opens ? this.#open(owner, at) : last;
    if (window === undefined) return { window: null, opens: false, odd_reports: message.window_reports.length };
    const odd_reports = this.#adopt(window, message.window_reports, delivered_at);
    // The reply that opens the window is free itself (W5), even if its own report ends the window at once.
    if (!opens && (at < window.opened_at || at >= window.expires_at)) return { window: null, opens, odd_reports };
    window.free_messages += 1;
    if (message.report?.mark === 'FREE_ENTRY') window.is_confirmed = true;
    return { window, opens, odd_reports };
  }

  /** W3: the entries that a message qualifies for as a reply. */
  #qualifyingFor(message: OutboundMessage, entries: readonly EntryState[]): readonly EntryState[] {
    if (entries.length === 0 || !mayReply(message, this.#rulebook.settings)) return [];
    return entries.filter(({ at }) => {
      const seconds = message.sent_at - at;
      return seconds >= 0 && seconds <= REPLY_WITHIN_SECONDS;
    });
  }

  /** W4: answers every entry that the message qualifies for and that is not answered yet. */
  #answer(delivered: Delivered): void {
    const answered = this.#qualifyingFor(delivered.message, this.#unanswered);
    if (answered.length === 0) return;
    for (const entry of answered) entry.reply = delivered;
    this.#unanswered = this.#unanswered.filter((entry) => entry.reply === null);
  }

  /** W4: claims every entry that the message qualifies for and that is not claimed yet; returns the latest of them. */
  #claim(message: OutboundMessage): EntryState | null {
    const claimed = this.#qualifyingFor(message, this.#unclaimed);
    if (claimed.length === 0) return null;
    for (const entry of claimed) entry.is_claimed = true;
    this.#unclaimed = this.#unclaimed.filter((entry) => !entry.is_claimed);
    return claimed.at(-1) ?? null;
  }

  #open(owner: EntryState, at: number): Mutable<FreeEntryWindow> {
    const window: Mutable<FreeEntryWindow> = {
      owner,
      opened_at: at,
      expires_at: at + FREE_ENTRY_WINDOW_SECONDS,
      is_reported: false,
      free_messages: 0,
      is_confirmed: false,
    };
    owner.window = window;
    this.#opened.push(window);
    return window;
  }

  /** W8: adopts the largest report that counts; returns how many did not count. */
  #adopt(window: Mutable<FreeEntryWindow>, reports: readonly number[], delivered_at: number): number {
    const latest = window.opened_at + this.#rulebook.maxWindowSeconds;
    let adopted = -1;
    let odd = 0;
    for (const expiry of reports) {
      if (expiry <= delivered_at || expiry > latest) odd += 1;
      else if (expiry > adopted) adopted = expiry;
    }
    if (adopted === -1) return odd;
    if (!window.is_reported || adopted > window.expires_at) window.expires_at = adopted;
    window.is_reported = true;
    return odd;
  }
}

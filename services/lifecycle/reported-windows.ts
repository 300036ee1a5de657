import type { Circumstance, ReportedWindowMembership } from './marks.ts';
import type { Rulebook } from './rulebook.ts';
import { REPLY_WITHIN_SECONDS } from '@ctwa-ledger/schemas/durations.ts';
import type { DecidedEntry, Delivered } from './windows.ts';

/** A free entry window that only Meta reports: its id, and when its first message was delivered, in Unix seconds. */
interface ReportedWindow {
  readonly id: string;
  readonly begun_at: number;
}

/**
 * The free entry windows of one thread that Meta reports and the rules do not predict. A window belongs here only if no
 * entry could own it: if one could, the difference is a mismatch.
 */
export class ReportedWindows {
  readonly #entries: readonly DecidedEntry[];
  readonly #maxWindowSeconds: number;
  readonly #byConversation = new Map<string, ReportedWindow>();
  /** The one that began last: a report without a conversation id is of it, as in W8, if it can still be open. */
  #last: ReportedWindow | null = null;

  /** @param entries of the thread, in the order of (time, id); their state is read while the thread is walked */
  constructor(entries: readonly DecidedEntry[], rulebook: Rulebook) {
    this.#entries = entries;
    this.#maxWindowSeconds = rulebook.maxWindowSeconds;
  }

  /**
   * Explains a report of a free entry on a delivered message that is in no free entry window of ours. Call it in the
   * order of W4.
   */
  explain({ message, delivered_at }: Delivered): {
    readonly circumstance: Circumstance;
    readonly reported_window: ReportedWindowMembership | null;
  } {
    if (message.report?.mark !== 'FREE_ENTRY') return { circumstance: 'none', reported_window: null };
    const inReach = this.#entries.filter(
      ({ at }) => at <= delivered_at && delivered_at < at + REPLY_WITHIN_SECONDS + this.#maxWindowSeconds,
    );
    if (inReach.length > 0) {
      const isFromApp = inReach.some(({ reply }) => reply?.message.stands_apart === true);
      return { circumstance: isFromApp ? 'answered_from_app' : 'none', reported_window: null };
    }
    const conversation =
      message.report.conversation_id === '' ? message.window_conversation_id : message.report.conversation_id;
    const known = this.#known(conversation, delivered_at);
    const window = known ?? { id: conversation === '' ? message.id : conversation, begun_at: delivered_at };
    if (conversation !== '') this.#byConversation.set(conversation, window);
    if (known === undefined) this.#last = window;
    const expiries = message.window_reports.filter((expiry) => expiry > delivered_at);
    return {
      circumstance: 'no_entry_known',
      reported_window: {
        id: window.id,
        is_first: known === undefined,
        expires_at: expiries.length === 0 ? null : Math.max(...expiries),
      },
    };
  }

  #known(conversation: string, delivered_at: number): ReportedWindow | undefined {
    if (conversation !== '') return this.#byConversation.get(conversation);
    const last = this.#last;
    return last !== null && delivered_at < last.begun_at + this.#maxWindowSeconds ? last : undefined;
  }
}

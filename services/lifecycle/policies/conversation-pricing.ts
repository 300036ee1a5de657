import type { OutboundMessage } from '../facts.ts';
import type { DecidingRule, Mark } from '../marks.ts';
import { CONVERSATION_SECONDS } from '@ctwa-ledger/schemas/durations.ts';
import { ratedCategory } from '../verdict.ts';

interface PricedConversation {
  readonly category: string;
  readonly opened_at: number;
}

/** The conversations of one thread under conversation pricing (rules.md 3.1). */
export class PricedConversations {
  #opened: PricedConversation[] = [];

  /** Opening a free entry window closes all of them. */
  closeAll(): void {
    if (this.#opened.length > 0) this.#opened = [];
  }

  #isOpen(at: number, category: string | null): boolean {
    // Searched from the end: with the clock on delivery the latest conversation decides, so a long thread costs no more
    // than a short one.
    for (let i = this.#opened.length - 1; i >= 0; i--) {
      const conversation = this.#opened[i];
      if (conversation === undefined || (category !== null && conversation.category !== category)) continue;
      if (conversation.opened_at <= at && at < conversation.opened_at + CONVERSATION_SECONDS) return true;
    }
    return false;
  }

  /**
   * The mark of a delivered message outside a free entry window, and the conversation that it opens, if any.
   * @param serviceMark the mark of a message that opens a service conversation: charged until 2024-11, free from then
   * on
   */
  decide(
    message: OutboundMessage,
    delivered_at: number,
    serviceMark: 'BILLABLE' | 'FREE_SERVICE',
  ): { readonly mark: Mark; readonly rule: DecidingRule } {
    const category = message.is_template ? ratedCategory(message.category) : 'service';
    if (this.#isOpen(delivered_at, message.is_template ? category : null))
      return { mark: 'COVERED', rule: '3.1_covered' };
    this.#opened.push({ category, opened_at: delivered_at });
    return { mark: message.is_template ? 'BILLABLE' : serviceMark, rule: '3.1_opens' };
  }
}

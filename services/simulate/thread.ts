import type { BusinessNumber, Category, Source } from './world.ts';

/** A conversation under conversation pricing (rules.md 3.1). */
export interface PricedConversation {
  readonly id: string;
  readonly category: Category;
  /** Unix seconds, exclusive. */
  readonly until: number;
  readonly isCharged: boolean;
}

/** One customer of one business number, between two episodes. */
export interface Thread {
  readonly number: BusinessNumber;
  readonly numberIndex: number;
  source: Source;
  /** JSON members that name account, number and customer, each followed by a comma. */
  readonly head: string;
  /** JSON member `device` of inbound messages, or empty. */
  readonly device: string;
  /** The customer's country, which may decide the category of an authentication template. */
  readonly iso: string;
  /** Meta opens no free entry window for web and desktop. */
  readonly isOnDesktop: boolean;
  /** Came through the button of a Facebook Page: a free entry without a referral. */
  readonly isFromPageButton: boolean;
  hasStoppedMarketing: boolean;
  lastOutboundId: string;

  /** Times of entries not answered yet, ascending (rules.md W4). */
  waiting: number[];
  lastInboundAt: number;
  windowOpenedAt: number;
  windowExpiresAt: number;
  windowId: string;
  conversations: PricedConversation[];
}

/**
 * One message of an episode, before it is written as events. Reused from episode to episode. Times are Unix seconds.
 */
export interface PlannedMessage {
  isInbound: boolean;
  isEntry: boolean;
  /** JSON members of its referral, or empty. */
  referral: string;
  sentAt: number;
  /** Earliest of delivered and read; -1 = never. */
  deliveredAt: number;
  /** Time of the status `delivered`; -1 = no such status. */
  deliveredStatusAt: number;
  readAt: number;
  playedAt: number;
  failedAt: number;
  /** JSON members of the failure, or empty. */
  errors: string;
  type: string;
  category: Category;
  /** JSON members of the template, or empty. */
  template: string;
  /** JSON member of the sender, or empty. */
  sender: string;
  isEcho: boolean;
  /** Its position in the order of rules.md W4. */
  position: number;
  /** JSON members that Meta adds to statuses. */
  pricing: string;
  conversationOnSent: string;
  conversation: string;
}

/** An inbound text; the planner changes the fields that differ. */
export function plannedMessage(): PlannedMessage {
  return {
    isInbound: true,
    isEntry: false,
    referral: '',
    sentAt: 0,
    deliveredAt: -1,
    deliveredStatusAt: -1,
    readAt: -1,
    playedAt: -1,
    failedAt: -1,
    errors: '',
    type: 'text',
    category: 'service',
    template: '',
    sender: '',
    isEcho: false,
    position: 0,
    pricing: '',
    conversationOnSent: '',
    conversation: '',
  };
}

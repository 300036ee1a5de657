/** Sections 2 to 4 of rules.md: one thread, message by message. */
import type { Account, PolicySettings } from '../../schemas/config.ts';
import { dayOf } from './cells.ts';
import { bytewise, categoryOutsideGroups, inside, text } from './events.ts';
import type { Entry, Fep, Outbound, Rulings, Thread } from './facts.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

interface CbpConversation {
  /** F8: each participant of a group has conversations of his own. */
  readonly customer: string;
  readonly category: string;
  readonly opened_at: number;
}

/** W1, at the time x; F7 keeps edits and revocations out, F8 has a message of any member open it for a group. */
function csw(thread: Thread, x: number): boolean {
  for (const m of thread.inbound) {
    if (text(m.fields, 'type') !== 'system' && m.timestamp <= x && x < m.timestamp + DAY) return true;
  }
  return false;
}

/** W3 */
function qualifies(message: Outbound, entry: Entry, policy: PolicySettings): boolean {
  if (message.delivered_at === undefined) return false;
  if (message.type === 'reaction' && !policy.reactions_reply) return false;
  if (message.isEcho && !policy.echoes_reply) return false; // F6
  const waited = message.sent_at - entry.t;
  return 0 <= waited && waited <= DAY;
}

/** W8: the largest report on the message that counts for a window opened at `opened_at`. */
function ownReport(message: Outbound, opened_at: number, policy: PolicySettings): number | undefined {
  let largest: number | undefined;
  for (const status of message.statuses) {
    const conversation = inside(status.fields, 'conversation');
    if (text(inside(conversation, 'origin'), 'type') !== 'referral_conversion') continue;
    const expiry = conversation['expiration_timestamp'];
    if (typeof expiry !== 'number' || message.delivered_at === undefined) continue;
    if (expiry <= message.delivered_at || expiry > opened_at + policy.max_window_hours * HOUR) continue;
    if (largest === undefined || expiry > largest) largest = expiry;
  }
  return largest;
}

/** W8 */
function applyReport(fep: Fep, message: Outbound, policy: PolicySettings): void {
  const expiry = ownReport(message, fep.opened_at, policy);
  if (expiry === undefined) return;
  if (!fep.reported || expiry > fep.expires_at) fep.expires_at = expiry;
  fep.reported = true;
}

/** Section 3: the policy in force on the day of `delivered_at` in the zone of the message's WABA. */
function policyOf(message: Outbound, accounts: readonly Account[]): string {
  const zone = accounts.find((account) => account.waba_id === message.waba_id)?.time_zone ?? 'UTC';
  const day = dayOf(message.delivered_at ?? 0, zone);
  if (day >= '2026-10-01') return 'PMP-2026-10';
  if (day >= '2025-07-01') return 'PMP-2025-07';
  if (day >= '2024-11-01') return 'CBP-2024-11';
  return 'CBP-2023-06';
}

/** Sections 3 and 3.1: a delivered message outside a FEP. Opens a CBP conversation where one is due. */
function outsideFep(message: Outbound, thread: Thread, conversations: CbpConversation[]): string {
  const x = message.delivered_at ?? 0;
  if (message.isEcho) return 'FREE_SERVICE'; // F6: it has no charge of its own, whether it stands apart or not
  const category = categoryOutsideGroups(message.category);
  if (category === 'unknown') return 'UNKNOWN';

  if (message.policy === 'PMP-2026-10') return message.type === 'reaction' ? 'FREE_SERVICE' : 'BILLABLE';
  if (message.policy === 'PMP-2025-07') {
    if (category === 'service') return 'FREE_SERVICE';
    if (category === 'utility' && csw(thread, x)) return 'FREE_SERVICE';
    return 'BILLABLE';
  }

  // 3.1
  const { customer } = message;
  const open = conversations.filter(
    (each) => each.customer === customer && each.opened_at <= x && x < each.opened_at + DAY,
  );
  if (message.isTemplate) {
    if (open.some((each) => each.category === category)) return 'COVERED';
    conversations.push({ customer, category, opened_at: x });
    return 'BILLABLE';
  }
  if (open.length > 0) return 'COVERED';
  conversations.push({ customer, category: 'service', opened_at: x });
  return message.policy === 'CBP-2023-06' ? 'BILLABLE' : 'FREE_SERVICE';
}

/** W4: the time by which windows open and hold. */
function clockOf(message: Outbound, policy: PolicySettings): number {
  return policy.clock === 'sent' ? message.sent_at : (message.delivered_at ?? 0);
}

/** W4: the delivered messages of a thread. */
export function inOrderOfDelivery(thread: Thread, policy: PolicySettings): Outbound[] {
  const clock = (message: Outbound): number => clockOf(message, policy);
  const other = (message: Outbound): number =>
    policy.clock === 'sent' ? (message.delivered_at ?? 0) : message.sent_at;
  return thread.outbound
    .filter((message) => message.delivered_at !== undefined)
    .sort(
      (a, b) => clock(a) - clock(b) || other(a) - other(b) || bytewise(a.id, b.id) || bytewise(a.customer, b.customer),
    );
}

export function fold(thread: Thread, input: Rulings): Fep[] {
  const { policy, accounts } = input;
  const delivered = inOrderOfDelivery(thread, policy);

  const feps: Fep[] = [];
  let conversations: CbpConversation[] = [];

  for (const message of delivered) {
    const x = clockOf(message, policy);
    message.policy = policyOf(message, accounts);

    // W4: it answers every entry it qualifies for that is not answered yet,
    const qualifiesFor = thread.entries.filter((entry) => qualifies(message, entry, policy));
    for (const entry of qualifiesFor) entry.answeredBy ??= message;

    if (!message.standsApart) {
      // and claims every one that is not claimed yet. F6: an echo that stands apart neither claims, nor opens, nor is
      // inside, and its reports move no window.
      const anyOpen = feps.some((fep) => fep.opened_at <= x && x < fep.expires_at);
      const claimed = qualifiesFor.filter((entry) => !entry.isClaimed);
      for (const entry of claimed) entry.isClaimed = true;

      const latest = claimed[claimed.length - 1]; // entries are in the order (time, id)
      if (!anyOpen && latest !== undefined) {
        // W5
        const fep: Fep = { owner: latest, opened_at: x, expires_at: x + 72 * HOUR, reported: false, messages: [] };
        applyReport(fep, message, policy);
        latest.fep = fep;
        feps.push(fep);
        conversations = []; // 3.1: opening a FEP closes all of them
        message.fep = fep;
      } else {
        // W8: to the FEP opened last, even one that has ended; closes nothing.
        const last = feps[feps.length - 1];
        if (last !== undefined) applyReport(last, message, policy);
        // W7
        message.fep = feps.find((fep) => fep.opened_at <= x && x < fep.expires_at);
      }
    }

    if (message.fep !== undefined) {
      message.fep.messages.push(message);
      message.predicted = 'FREE_ENTRY';
    } else {
      message.predicted = outsideFep(message, thread, conversations);
    }
  }

  // M4: the same messages in the same order, with no FEP to close conversations or to be in.
  const conversationsWithoutFeps: CbpConversation[] = [];
  for (const message of delivered) message.without_free_entry = outsideFep(message, thread, conversationsWithoutFeps);

  // V1a
  // F8: of a group each participant's, as each delivery is a charge of its own.
  const conversationsSeen = new Set<string>();
  for (const message of delivered) {
    if (message.reported !== 'BILLABLE' || message.deciding === undefined) continue;
    if (text(inside(message.deciding.fields, 'pricing'), 'pricing_model') !== 'CBP') continue;
    const conversation = text(inside(message.deciding.fields, 'conversation'), 'id');
    if (conversation === '') {
      if (message.predicted === 'COVERED') message.reported = 'COVERED';
      continue;
    }
    const key = JSON.stringify([message.customer, conversation]);
    if (conversationsSeen.has(key)) message.reported = 'COVERED';
    conversationsSeen.add(key);
  }

  // V2
  for (const message of delivered) {
    const decidedByMeta = message.reported !== '' && message.reported !== 'UNKNOWN';
    message.billing = decidedByMeta ? message.reported : message.predicted;
  }
  return feps;
}

/** V2 */
export function isMismatch(message: Outbound): boolean {
  if (message.delivered_at === undefined) return false;
  if (message.reported === '' || message.reported === 'UNKNOWN') return false;
  if (message.reported === message.predicted) return false;
  const allowance =
    message.policy === 'PMP-2026-10' &&
    categoryOutsideGroups(message.category) === 'service' &&
    message.predicted === 'BILLABLE' &&
    message.reported === 'FREE_SERVICE';
  return !allowance;
}

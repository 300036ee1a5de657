/** Section 6 of rules.md: what the headline figures count. */
import type { PolicySettings } from '../../schemas/config.ts';
import { bytewise, type Copy, inside, text } from './events.ts';
import { type Entry, errorsOf, type Fep, type Outbound, partOf, type Thread } from './facts.ts';
import { inOrderOfDelivery } from './marks.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

export interface AdConversation {
  readonly start: Entry;
  readonly entries: Entry[];
}

export function adConversations(thread: Thread, feps: readonly Fep[]): AdConversation[] {
  const found: AdConversation[] = [];
  for (let i = 0; i < thread.entries.length; i++) {
    const e = thread.entries[i]!;
    let reClick = false;
    for (let j = 0; j < i; j++) {
      const before = thread.entries[j]!;
      // a FEP owned by an earlier entry is open, by its final expires_at
      if (feps.some((fep) => fep.owner === before && fep.opened_at <= e.t && e.t < fep.expires_at)) reClick = true;
      // or an earlier entry still waits
      const answeredAt = before.answeredBy?.delivered_at;
      const answeredByThen = answeredAt !== undefined && answeredAt <= e.t;
      if (e.t - before.t < DAY && !answeredByThen) reClick = true;
    }
    const current = found[found.length - 1];
    if (reClick && current !== undefined) {
      current.entries.push(e);
      e.start = current.start;
    } else {
      found.push({ start: e, entries: [e] });
      e.start = e;
    }
  }
  return found;
}

export function isReplied(conversation: AdConversation): boolean {
  return conversation.entries.some((entry) => entry.answeredBy !== undefined);
}

export function isMature(conversation: AdConversation, as_of: number): boolean {
  const last = Math.max(...conversation.entries.map((entry) => entry.t));
  return isReplied(conversation) || as_of - last >= DAY;
}

export function secondsToFirstReply(conversation: AdConversation): number {
  let first: Outbound | undefined;
  for (const entry of conversation.entries) {
    const reply = entry.answeredBy;
    if (reply !== undefined && (first === undefined || reply.sent_at < first.sent_at)) first = reply;
  }
  const waits: number[] = [];
  for (const entry of conversation.entries) {
    if (entry.answeredBy !== undefined && entry.answeredBy === first) waits.push(entry.answeredBy.sent_at - entry.t);
  }
  return Math.max(...waits);
}

/** An ad message that came without its ad: Meta lost it, and says so. */
export function isLostReferral(event: Copy): boolean {
  if (text(event.fields, 'direction') !== 'inbound') return false;
  if (text(event.fields, 'type') !== 'unsupported') return false;
  if (text(inside(event.fields, 'referral'), 'source_type') !== '') return false;
  return errorsOf(event.fields).some((error) => partOf(error, 'code') === '131060');
}

/** A window that only Meta knows of: no entry of ours explains it. */
export interface ReportedWindow {
  readonly id: string;
  /** In W4's order. */
  readonly messages: Outbound[];
}

/** Meta reports free entry, and we have neither a window nor an entry from which there might be one. */
function isReportedOnly(message: Outbound, thread: Thread, policy: PolicySettings): boolean {
  const x = message.delivered_at;
  if (x === undefined || thread.isGroup || message.reported !== 'FREE_ENTRY' || message.fep !== undefined) return false;
  return !thread.entries.some((e) => e.t <= x && x < e.t + DAY + policy.max_window_hours * HOUR);
}

/** The conversation id of the deciding status, else the smallest of the statuses of origin `referral_conversion`. */
function reportedConversation(message: Outbound): string {
  const deciding = text(inside(message.deciding?.fields ?? {}, 'conversation'), 'id');
  if (deciding !== '') return deciding;
  const ids = message.statuses
    .map((status) => inside(status.fields, 'conversation'))
    .filter((conversation) => text(inside(conversation, 'origin'), 'type') === 'referral_conversion')
    .map((conversation) => text(conversation, 'id'))
    .filter((id) => id !== '')
    .sort(bytewise);
  return ids[0] ?? '';
}

export function reportedWindows(thread: Thread, policy: PolicySettings): ReportedWindow[] {
  const found: ReportedWindow[] = [];
  for (const message of inOrderOfDelivery(thread, policy)) {
    if (!isReportedOnly(message, thread, policy)) continue;
    const id = reportedConversation(message);
    let window: ReportedWindow | undefined;
    if (id !== '') {
      window = found.find((each) => each.id === id);
    } else {
      const last = found[found.length - 1];
      const begun = last?.messages[0]?.delivered_at ?? -Infinity;
      if (message.delivered_at! < begun + policy.max_window_hours * HOUR) window = last;
    }
    if (window === undefined) found.push({ id, messages: [message] });
    else window.messages.push(message);
  }
  return found;
}

/** Linear interpolation between order statistics; `tenths` is 5 for the median, 9 for p90. Exact: all in tenths. */
export function percentile(values: readonly number[], tenths: number): string {
  if (values.length === 0) return '';
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * tenths;
  const lower = sorted[Math.floor(position / 10)]!;
  const upper = sorted[Math.ceil(position / 10)]!;
  const inTenths = lower * 10 + (upper - lower) * (position % 10);
  const fraction = inTenths % 10;
  return fraction === 0 ? String(inTenths / 10) : `${(inTenths - fraction) / 10}.${fraction}`;
}

/** Four decimals, half up, from the exact ratio. */
export function rate(part: number, whole: number): string {
  if (whole === 0) return '';
  const tenThousandths = Math.floor((2 * part * 10000 + whole) / (2 * whole));
  return `${Math.floor(tenThousandths / 10000)}.${String(tenThousandths % 10000).padStart(4, '0')}`;
}

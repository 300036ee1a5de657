import { createHmac } from 'node:crypto';
import type { PhoneNumberId, WabaId } from '@ctwa-ledger/schemas/ids.ts';
import type { LedgerEvent, MessageEvent } from '@ctwa-ledger/schemas/event.ts';
import type { SavedTrigger } from '@ctwa-ledger/schemas/triggers.ts';
import { establishFacts } from '../lifecycle/facts.ts';
import { foldThread } from '../lifecycle/fold.ts';
import type { EntryMark } from '../lifecycle/marks.ts';
import { accountNamedAt, sendOutlook, type SendOutlook } from '../lifecycle/planned.ts';
import type { Rulebook } from '../lifecycle/rulebook.ts';
import { REPLY_WITHIN_SECONDS } from '@ctwa-ledger/schemas/durations.ts';

/** An entry (W2) with what is known of its thread at a time. */
export interface KnownEntry {
  readonly message: MessageEvent;
  readonly entry: EntryMark;
  readonly waba_id: string;
  /** The outcome of a free-form reply now, with both windows. */
  readonly outlook: SendOutlook;
}

/**
 * Finds an entry among the events of its thread; null when by the copy that counts (F2) the message is none.
 * @param at Unix seconds
 */
export function entryAmong(
  events: readonly LedgerEvent[],
  phone_number_id: string,
  message_id: string,
  rulebook: Rulebook,
  at: number,
): KnownEntry | null {
  const facts = establishFacts(phone_number_id as PhoneNumberId, events, rulebook);
  for (const thread of facts.threads) {
    const message = thread.inbound.find(({ id }) => id === message_id);
    if (message === undefined) continue;
    const entry = foldThread(thread, rulebook).entries.find(({ entry_id }) => entry_id === message_id);
    if (entry === undefined) return null;
    const named = accountNamedAt(thread, at);
    const waba_id = named === '' ? rulebook.accountOfNumber(phone_number_id as PhoneNumberId) : named;
    const planned = { type: 'text', template_name: '', category: 'service' };
    return { message, entry, waba_id, outlook: sendOutlook(thread, rulebook, planned, waba_id as WabaId | '', at) };
  }
  return null;
}

/** Identifies a firing to receivers: a second delivery with the same key repeats the first. */
export function idempotencyKey(message_id: string, trigger_id: string): string {
  return `${message_id}:${trigger_id}`;
}

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

const ONLY_DIGITS = /^\d+$/;

/** The body for a topic or webhook. It is the same at every attempt, so windows are those of the firing. */
export function payloadOf(trigger: SavedTrigger, known: KnownEntry, firedMs: number, arrivedMs: number | null): string {
  const { message, entry, waba_id, outlook } = known;
  const at = firedMs / 1000;
  const service_ends = outlook.service_window_ends_at;
  const { free_window } = outlook;
  return JSON.stringify({
    event: 'ad_trigger',
    idempotency_key: idempotencyKey(entry.entry_id, trigger.trigger_id),
    kind: trigger.kind,
    trigger: { id: trigger.trigger_id, name: trigger.name },
    fired_at: new Date(firedMs).toISOString(),
    message: {
      id: entry.entry_id,
      phone_number_id: entry.phone_number_id,
      waba_id: waba_id === '' ? null : waba_id,
      type: message.type,
      written_at: iso(entry.entry_at),
      arrived_at: arrivedMs === null ? null : new Date(arrivedMs).toISOString(),
    },
    customer: ONLY_DIGITS.test(entry.customer) ? { wa_id: entry.customer } : { user_id: entry.customer },
    ad: {
      source_type: entry.source_type,
      id: entry.ad_id,
      url: entry.source_url,
      headline: entry.headline,
      ctwa_clid: entry.ctwa_clid,
    },
    reply: entry.reply === null ? null : { message_id: entry.reply.message_id, sent_at: iso(entry.reply.sent_at) },
    customer_service_window: {
      is_open: service_ends !== null && at < service_ends,
      ends_at: service_ends === null ? null : iso(service_ends),
    },
    free_entry_window: {
      is_open: free_window !== null,
      opened_at: free_window === null ? null : iso(free_window.opened_at),
      ends_at: free_window === null ? null : iso(free_window.expires_at),
      is_reported: free_window?.is_reported ?? false,
      reply_opens_one: outlook.openable !== null,
      reply_by: iso(entry.entry_at + REPLY_WITHIN_SECONDS),
    },
  });
}

/** The signature for a webhook's receiver: HMAC-SHA256 over the time stamp, a full stop and the raw body. */
export function signatureOf(secret: string, timestamp: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

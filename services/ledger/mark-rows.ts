import type { EntryMark, LostReferral, MessageMark, Retraction } from '../lifecycle/marks.ts';

export const MESSAGE_MARK_COLUMNS = [
  'phone_number_id',
  'message_id',
  'version',
  'is_retracted',
  'customer',
  'waba_id',
  'sent_at',
  'delivered_at',
  'type',
  'template_name',
  'category',
  'is_template',
  'is_echo',
  'policy',
  'predicted',
  'reported',
  'reported_category',
  'billing',
  'is_mismatch',
  'is_allowance_difference',
  'without_free_entry',
  'conversation_id',
  'ad_id',
  'source_type',
  'rule',
  'odd_reports',
  'participant',
  'dialled_customer',
  'tag',
  'is_failed',
  'error_code',
  'error_title',
  'circumstance',
  'reported_window_id',
  'opens_reported_window',
  'reported_window_expires_at',
] as const;

export const ENTRY_MARK_COLUMNS = [
  'phone_number_id',
  'entry_id',
  'version',
  'is_retracted',
  'customer',
  'entry_at',
  'source_type',
  'ad_id',
  'source_url',
  'ctwa_clid',
  'headline',
  'reply_message_id',
  'replied_at',
  'opened_at',
  'expires_at',
  'free_messages',
  'is_confirmed',
  'is_reported',
  'ad_conversation_id',
  'starts_conversation',
  'conversation_last_entry_at',
  'conversation_is_replied',
  'conversation_seconds_to_reply',
] as const;

function bit(value: boolean): 0 | 1 {
  return value ? 1 : 0;
}

/** One line of `MESSAGE_MARK_COLUMNS`. */
export function messageMarkLine(m: MessageMark, version: string): string {
  return `${JSON.stringify([
    m.phone_number_id,
    m.message_id,
    version,
    0,
    m.customer,
    m.waba_id,
    m.sent_at,
    m.delivered_at,
    m.type,
    m.template_name,
    m.category,
    bit(m.is_template),
    bit(m.is_echo),
    m.policy ?? '',
    m.predicted,
    m.report?.mark ?? '',
    m.report?.category ?? '',
    m.billing,
    bit(m.is_mismatch),
    bit(m.is_allowance_difference),
    m.without_free_entry,
    m.window?.entry_id ?? '',
    m.window?.ad_id ?? '',
    m.window?.source_type ?? '',
    m.rule,
    m.odd_reports,
    m.participant,
    m.dialled_customer,
    m.tag,
    bit(m.failure !== null),
    m.failure?.code ?? '',
    m.failure?.title ?? '',
    m.circumstance,
    m.reported_window?.id ?? '',
    bit(m.reported_window?.is_first ?? false),
    m.reported_window?.expires_at ?? null,
  ])}\n`;
}

/** One line of `ENTRY_MARK_COLUMNS`. */
export function entryMarkLine(e: EntryMark, version: string): string {
  return `${JSON.stringify([
    e.phone_number_id,
    e.entry_id,
    version,
    0,
    e.customer,
    e.entry_at,
    e.source_type,
    e.ad_id,
    e.source_url,
    e.ctwa_clid,
    e.headline,
    e.reply?.message_id ?? '',
    e.reply?.sent_at ?? null,
    e.window?.opened_at ?? null,
    e.window?.expires_at ?? null,
    e.window?.free_messages ?? 0,
    bit(e.window?.is_confirmed ?? false),
    bit(e.window?.is_reported ?? false),
    e.ad_conversation_id,
    bit(e.ad_conversation !== null),
    e.ad_conversation?.last_entry_at ?? null,
    bit(e.ad_conversation?.is_replied ?? false),
    e.ad_conversation?.seconds_to_reply ?? null,
  ])}\n`;
}

export const LOST_REFERRAL_COLUMNS = [
  'phone_number_id',
  'message_id',
  'version',
  'is_retracted',
  'customer',
  'written_at',
] as const;

/** One line of `LOST_REFERRAL_COLUMNS`. */
export function lostReferralLine(lost: LostReferral, version: string): string {
  return `${JSON.stringify([lost.phone_number_id, lost.message_id, version, bit(!lost.is_lost), lost.customer, lost.written_at])}\n`;
}

/** What a retraction says of a row, whatever it is of: it outlives any row of fewer events, because its version is higher. */
const RETRACTION_COLUMNS = ['phone_number_id', 'version', 'is_retracted', 'customer'] as const;

export const MESSAGE_RETRACTION_COLUMNS = [...RETRACTION_COLUMNS, 'message_id', 'participant'] as const;
export const ENTRY_RETRACTION_COLUMNS = [...RETRACTION_COLUMNS, 'entry_id'] as const;

/** One line of `MESSAGE_RETRACTION_COLUMNS`. */
export function messageRetractionLine(r: Retraction, version: string): string {
  return `${JSON.stringify([r.phone_number_id, version, 1, r.customer, r.id, r.participant])}\n`;
}

/** One line of `ENTRY_RETRACTION_COLUMNS`. */
export function entryRetractionLine(r: Retraction, version: string): string {
  return `${JSON.stringify([r.phone_number_id, version, 1, r.customer, r.id])}\n`;
}

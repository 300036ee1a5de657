import type { LedgerEvent, MessageEvent, StatusEvent } from '@ctwa-ledger/schemas/event.ts';

export const MESSAGE_COLUMNS = [
  'kind',
  'landing_rank',
  'phone_number_id',
  'id',
  'timestamp',
  'waba_id',
  'wa_id',
  'user_id',
  'direction',
  'type',
  'device',
  'origin',
  'context',
  'sender',
  'referral_source_type',
  'referral_source_id',
  'referral_source_url',
  'referral_headline',
  'referral_body',
  'referral_media_type',
  'referral_ctwa_clid',
  'template_name',
  'template_language',
  'template_category',
] as const;

export const STATUS_COLUMNS = [
  'kind',
  'landing_rank',
  'phone_number_id',
  'id',
  'timestamp',
  'waba_id',
  'wa_id',
  'user_id',
  'status',
  'participant',
  'conversation_id',
  'conversation_expiration',
  'conversation_origin',
  'pricing_billable',
  'pricing_model',
  'pricing_type',
  'pricing_category',
  'errors',
] as const;

/** What JSON does not take as it is: quotes, backslashes and control characters. */
const NEEDS_ESCAPES = /["\\\p{Cc}]/u;

/** A JSON string; most of ours need no escapes, and finding that out is cheaper than the general way. */
function text(value: string): string {
  if (value === '') return '""';
  return NEEDS_ESCAPES.test(value) ? JSON.stringify(value) : `"${value}"`;
}

/** One line of `MESSAGE_COLUMNS`; `rank` is the landing rank as decimal digits. */
export function messageLine(m: MessageEvent, rank: string): string {
  return `["message",${rank},${text(m.phone_number_id)},${text(m.id)},${m.timestamp},${text(m.waba_id)},${text(m.wa_id)},${text(m.user_id)},"${m.direction}",${text(m.type)},${text(m.device)},${text(m.origin)},${text(m.context)},${text(m.sender)},${text(m.referral_source_type)},${text(m.referral_source_id)},${text(m.referral_source_url)},${text(m.referral_headline)},${text(m.referral_body)},${text(m.referral_media_type)},${text(m.referral_ctwa_clid)},${text(m.template_name)},${text(m.template_language)},${text(m.template_category)}]\n`;
}

/** One line of `STATUS_COLUMNS`; `rank` is the landing rank as decimal digits. */
export function statusLine(s: StatusEvent, rank: string): string {
  return `["status",${rank},${text(s.phone_number_id)},${text(s.id)},${s.timestamp},${text(s.waba_id)},${text(s.wa_id)},${text(s.user_id)},${text(s.status)},${text(s.participant)},${text(s.conversation_id)},${s.conversation_expiration},${text(s.conversation_origin)},${s.pricing_billable},${text(s.pricing_model)},${text(s.pricing_type)},${text(s.pricing_category)},${text(s.errors)}]\n`;
}

/** What a stored event is read back with; `eventOf` takes the rows. */
export const EVENT_SELECTION = `phone_number_id, customer, id, kind = 'message', toUnixTimestamp(timestamp), waba_id, wa_id, user_id,
  direction, type, device, origin, context, sender,
  referral_source_type, referral_source_id, referral_source_url, referral_headline, referral_body,
  referral_media_type, referral_ctwa_clid, template_name, template_language, template_category,
  status, participant, conversation_id, conversation_expiration, conversation_origin,
  pricing_billable, pricing_model, pricing_type, pricing_category, errors`;

type EventColumns = readonly [
  phone_number_id: LedgerEvent['phone_number_id'],
  customer: LedgerEvent['customer'],
  id: LedgerEvent['id'],
  isMessage: 0 | 1,
  timestamp: number,
  waba_id: string,
  wa_id: string,
  user_id: string,
  direction: MessageEvent['direction'],
  type: string,
  device: string,
  origin: string,
  context: string,
  sender: string,
  referral_source_type: string,
  referral_source_id: string,
  referral_source_url: string,
  referral_headline: string,
  referral_body: string,
  referral_media_type: string,
  referral_ctwa_clid: string,
  template_name: string,
  template_language: string,
  template_category: string,
  status: string,
  participant: string,
  conversation_id: string,
  conversation_expiration: string,
  conversation_origin: string,
  pricing_billable: StatusEvent['pricing_billable'],
  pricing_model: string,
  pricing_type: string,
  pricing_category: string,
  errors: string,
];

/** A stored event, as it was landed. The columns are those of `EVENT_SELECTION`, which this module alone writes. */
export function eventOf(row: readonly unknown[]): LedgerEvent {
  const r = row as EventColumns;
  if (r[3] === 1)
    return {
      event: 'message',
      phone_number_id: r[0],
      customer: r[1],
      id: r[2],
      timestamp: r[4],
      waba_id: r[5],
      wa_id: r[6],
      user_id: r[7],
      direction: r[8],
      type: r[9],
      device: r[10],
      origin: r[11],
      context: r[12],
      sender: r[13],
      referral_source_type: r[14],
      referral_source_id: r[15],
      referral_source_url: r[16],
      referral_headline: r[17],
      referral_body: r[18],
      referral_media_type: r[19],
      referral_ctwa_clid: r[20],
      template_name: r[21],
      template_language: r[22],
      template_category: r[23],
    };
  return {
    event: 'status',
    phone_number_id: r[0],
    customer: r[1],
    id: r[2],
    timestamp: r[4],
    waba_id: r[5],
    wa_id: r[6],
    user_id: r[7],
    status: r[24],
    participant: r[25],
    conversation_id: r[26],
    conversation_expiration: Number(r[27]),
    conversation_origin: r[28],
    pricing_billable: r[29],
    pricing_model: r[30],
    pricing_type: r[31],
    pricing_category: r[32],
    errors: r[33],
  };
}

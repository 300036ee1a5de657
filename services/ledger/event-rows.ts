import type { LedgerEvent, MessageEvent, StatusEvent } from '@ctwa-ledger/schemas/event.ts';

const SHARED_COLUMNS = [
  'kind',
  'landing_rank',
  'phone_number_id',
  'id',
  'timestamp',
  'waba_id',
  'wa_id',
  'user_id',
  'group_id',
  'tag',
  'errors',
] as const;

/** What only messages have, named as the fields of the event. */
export const OWN_MESSAGE_COLUMNS = [
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

/** What only statuses have, named as the fields of the event. */
export const OWN_STATUS_COLUMNS = [
  'status',
  'participant',
  'conversation_id',
  'conversation_expiration',
  'conversation_origin',
  'pricing_billable',
  'pricing_model',
  'pricing_type',
  'pricing_category',
] as const;

export const MESSAGE_COLUMNS = [...SHARED_COLUMNS, ...OWN_MESSAGE_COLUMNS] as const;
export const STATUS_COLUMNS = [...SHARED_COLUMNS, ...OWN_STATUS_COLUMNS] as const;
/** Of both, for messages and statuses in one insert. */
export const EVENT_COLUMNS = [...SHARED_COLUMNS, ...OWN_MESSAGE_COLUMNS, ...OWN_STATUS_COLUMNS] as const;

/** What JSON does not take as it is: quotes, backslashes and control characters. */
const NEEDS_ESCAPES = /["\\\p{Cc}]/u;

/** A JSON string; most of ours need no escapes, and finding that out is cheaper than the general way. */
function text(value: string): string {
  if (value === '') return '""';
  return NEEDS_ESCAPES.test(value) ? JSON.stringify(value) : `"${value}"`;
}

function sharedCells(e: LedgerEvent, rank: string): string {
  return `"${e.event}",${rank},${text(e.phone_number_id)},${text(e.id)},${e.timestamp},${text(e.waba_id)},${text(e.wa_id)},${text(e.user_id)},${text(e.group_id)},${text(e.tag)},${text(e.errors)}`;
}

function messageCells(m: MessageEvent): string {
  return `"${m.direction}",${text(m.type)},${text(m.device)},${text(m.origin)},${text(m.context)},${text(m.sender)},${text(m.referral_source_type)},${text(m.referral_source_id)},${text(m.referral_source_url)},${text(m.referral_headline)},${text(m.referral_body)},${text(m.referral_media_type)},${text(m.referral_ctwa_clid)},${text(m.template_name)},${text(m.template_language)},${text(m.template_category)}`;
}

function statusCells(s: StatusEvent): string {
  return `${text(s.status)},${text(s.participant)},${text(s.conversation_id)},${s.conversation_expiration},${text(s.conversation_origin)},${s.pricing_billable},${text(s.pricing_model)},${text(s.pricing_type)},${text(s.pricing_category)}`;
}

/** What the columns of the other kind hold: their defaults, because an event is the same row in whatever insert it came. */
const NO_MESSAGE_CELLS = OWN_MESSAGE_COLUMNS.map(() => '""').join(',');
const NO_STATUS_CELLS = OWN_STATUS_COLUMNS.map((column) =>
  column === 'conversation_expiration' || column === 'pricing_billable' ? '-1' : '""',
).join(',');

/** One line of `MESSAGE_COLUMNS`; `rank` is the landing rank as decimal digits. */
export function messageLine(m: MessageEvent, rank: string): string {
  return `[${sharedCells(m, rank)},${messageCells(m)}]\n`;
}

/** One line of `STATUS_COLUMNS`; `rank` is the landing rank as decimal digits. */
export function statusLine(s: StatusEvent, rank: string): string {
  return `[${sharedCells(s, rank)},${statusCells(s)}]\n`;
}

/** One line of `EVENT_COLUMNS`; `rank` is the landing rank as decimal digits. */
export function eventLine(e: LedgerEvent, rank: string): string {
  return e.event === 'message'
    ? `[${sharedCells(e, rank)},${messageCells(e)},${NO_STATUS_CELLS}]\n`
    : `[${sharedCells(e, rank)},${NO_MESSAGE_CELLS},${statusCells(e)}]\n`;
}

/** The event of a line of ours: columns are named as its fields, and those of the other kind are none of its own. */
export function eventOfLine(columns: readonly string[], text: string): LedgerEvent {
  const cells = JSON.parse(text) as unknown[];
  const named = Object.fromEntries(columns.map((column, i) => [column, cells[i]]));
  const { kind, landing_rank: _, ...fields } = named;
  const { group_id, wa_id, user_id } = fields;
  const customer = group_id !== '' ? group_id : wa_id !== '' ? wa_id : user_id;
  return { ...fields, event: kind, customer } as unknown as LedgerEvent;
}

/** What a stored event is read back with; `eventOf` takes the rows. */
export const EVENT_SELECTION = `phone_number_id, customer, id, kind = 'message', toUnixTimestamp(timestamp), waba_id, wa_id, user_id,
  direction, type, device, origin, context, sender,
  referral_source_type, referral_source_id, referral_source_url, referral_headline, referral_body,
  referral_media_type, referral_ctwa_clid, template_name, template_language, template_category,
  status, participant, conversation_id, conversation_expiration, conversation_origin,
  pricing_billable, pricing_model, pricing_type, pricing_category, errors, group_id, tag`;

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
  group_id: string,
  tag: string,
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
      group_id: r[34],
      tag: r[35],
      errors: r[33],
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
    group_id: r[34],
    tag: r[35],
    errors: r[33],
    status: r[24],
    participant: r[25],
    conversation_id: r[26],
    conversation_expiration: Number(r[27]),
    conversation_origin: r[28],
    pricing_billable: r[29],
    pricing_model: r[30],
    pricing_type: r[31],
    pricing_category: r[32],
  };
}

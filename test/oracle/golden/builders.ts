/** How golden cases are written: what a case is, and the events and cells that they share. Times are in UTC. */
import type { Account, PolicySettings } from '../../../schemas/config.ts';

export type Cells = Partial<Record<string, string>>;

export interface GoldenCase {
  readonly name: string;
  readonly rule: string;
  readonly events: unknown[];
  readonly accounts?: Account[];
  readonly policy?: Partial<PolicySettings>;
  /** Unix seconds; a day after everything when left out. */
  readonly as_of?: number;
  readonly expect: {
    /** By `message_id`, or by `message_id customer` for a participant's row of a group message. */
    readonly messages?: Record<string, Cells>;
    /** By `conversation_id`. */
    readonly conversations?: Record<string, Cells>;
    /** By `day phone_number_id`. */
    readonly daily?: Record<string, Cells>;
    /** By `ad_id source_type`. */
    readonly ads?: Record<string, Cells>;
    /** What must make no row; named as in `messages`. */
    readonly noMessages?: readonly string[];
    readonly noConversations?: readonly string[];
  };
}

export const MINUTE = 60;
export const HOUR = 3600;
export const DAY = 24 * HOUR;

export const NUMBER = '106540352242922';
export const WABA = '102290129340398';
export const CUSTOMER = '16505551234';
export const AD = '120226305854810726';

/** Unix seconds of `2026-01-05 10:00` or `2026-01-05 10:00:01`, UTC. */
export const at = (text: string): number => Date.parse(`${text.replace(' ', 'T')}Z`) / 1000;
/** As the CSV prints it in UTC. */
export const iso = (t: number): string => new Date(t * 1000).toISOString().replace('.000Z', '+00:00');

export interface RawEvent {
  event: string;
  id: string;
  timestamp: string;
  [field: string]: unknown;
}

const message = (direction: string, id: string, t: number, fields: object): RawEvent => ({
  event: 'message',
  direction,
  waba_id: WABA,
  phone_number_id: NUMBER,
  wa_id: CUSTOMER,
  id,
  timestamp: String(t),
  type: 'text',
  ...fields,
});

/** The customer writes. */
export const writes = (id: string, t: number, fields: object = {}): RawEvent => message('inbound', id, t, fields);
/** The customer writes after a click on an ad. */
export const clicks = (id: string, t: number, fields: object = {}): RawEvent =>
  writes(id, t, {
    referral: { source_type: 'ad', source_id: AD, source_url: 'https://fb.me/3cr4', ctwa_clid: 'Aff' },
    ...fields,
  });
export const status = (id: string, name: string, t: number, fields: object = {}): RawEvent => ({
  event: 'status',
  waba_id: WABA,
  phone_number_id: NUMBER,
  wa_id: CUSTOMER,
  id,
  status: name,
  timestamp: String(t),
  ...fields,
});
/** The business sends; nothing says yet that it was delivered. */
export const sends = (id: string, t: number, fields: object = {}): RawEvent => message('outbound', id, t, fields);
/** A free-form message, sent and delivered at t. */
export const text = (id: string, t: number, fields: { [field: string]: unknown } = {}): RawEvent[] => {
  const names = Object.entries(fields).filter(([name]) => ['wa_id', 'user_id'].includes(name));
  return [sends(id, t, fields), status(id, 'delivered', t, Object.fromEntries(names))];
};
export const reaction = (id: string, t: number): RawEvent[] => text(id, t, { type: 'reaction' });
export const echo = (id: string, t: number, fields: object = {}): RawEvent =>
  sends(id, t, { origin: 'app', ...fields });
export const sendsTemplate = (id: string, t: number, category?: string): RawEvent =>
  sends(id, t, { type: 'template', template: { name: 'follow_up', language: 'en', ...(category && { category }) } });
/** A template, sent and delivered at t. */
export const template = (category: string | undefined, id: string, t: number): RawEvent[] => [
  sendsTemplate(id, t, category),
  status(id, 'delivered', t),
];
export const marketing = (id: string, t: number): RawEvent[] => template('marketing', id, t);
export const utility = (id: string, t: number): RawEvent[] => template('utility', id, t);
export const authentication = (id: string, t: number): RawEvent[] => template('authentication', id, t);

/** Meta reports when the free entry window ends. */
export const windowUntil = (t: number): object => ({
  conversation: { id: 'fep', expiration_timestamp: String(t), origin: { type: 'referral_conversion' } },
});
export const priced = (type: string, category?: string): object => ({
  pricing: { pricing_model: 'PMP', type, ...(category && { category }) },
});
/** CBP's report: no type, the price is the conversation's. */
export const chargedInConversation = (conversation: string | undefined, category: string): object => ({
  pricing: { billable: true, pricing_model: 'CBP', category },
  ...(conversation !== undefined && { conversation: { id: conversation, origin: { type: category } } }),
});

/** The row of `messages` that a key of the expectations names. */
export const rowNamed = (rows: readonly Cells[], key: string): Cells | undefined =>
  rows.find((row) => row['message_id'] === key || `${row['message_id']} ${row['customer']}` === key);

export const zone = (time_zone: string): Account[] => [{ waba_id: WABA, time_zone }];
const is = (predicted: string): Cells => ({ predicted, billing: predicted, reported: '' });
export const FREE_ENTRY = is('FREE_ENTRY');
export const FREE_SERVICE = is('FREE_SERVICE');
export const BILLABLE = is('BILLABLE');
export const COVERED = is('COVERED');
export const UNKNOWN = is('UNKNOWN');
export const UNDELIVERED = is('UNDELIVERED');
export const NO_WINDOW: Cells = { opened_at: '', expires_at: '', free_messages: '0' };
export const UNANSWERED: Cells = { reply_message_id: '', replied_at: '', seconds_to_reply: '', ...NO_WINDOW };

/** Monday 10:00, PMP-2025-07. */
export const MON = at('2026-01-05 10:00');
/** A Monday 10:00 of each policy. */
export const MONDAY_OF = {
  'CBP-2023-06': at('2024-03-04 10:00'),
  'CBP-2024-11': at('2025-03-03 10:00'),
  'PMP-2025-07': MON,
  'PMP-2026-10': at('2026-10-12 10:00'),
} as const;
type PolicyName = keyof typeof MONDAY_OF;
export const POLICIES = Object.keys(MONDAY_OF) as PolicyName[];
export const CBP = MONDAY_OF['CBP-2024-11'];

/** Around a boundary, in seconds. */
export const SIDES = [-1, 0, 1] as const;
export const side = (d: number): string => (d === 0 ? 'on it' : d < 0 ? '1 s before' : '1 s after');

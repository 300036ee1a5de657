/** A month of traffic of one account, with the cards that price it, and errors to inject one at a time. */
import type { Account } from '../../schemas/config.ts';
import { Prng } from '../../services/simulate/prng.ts';

export const WABA = '102290129340398';
export const ZONE = 'America/Sao_Paulo';
export const MONTH = '2026-10';
/** Two numbers: one sends in every hour, the other in every second one. */
export const NUMBERS = [
  { id: '106540352242922', display: '15550783881' },
  { id: '206540352242922', display: '551140001111' },
] as const;

export const ACCOUNT: Account = {
  waba_id: WABA,
  time_zone: ZONE,
  currency: 'USD',
  phone_numbers: NUMBERS.map((number) => ({ ...number })),
};

export const LIST_CARD = `Cost per message in USD
Market,Currency,Marketing,Utility,Authentication,Service
North America,USD,0.025,0.0034,0.0034,0.0034
Brazil,USD,0.0625,0.0068,0.0068,0.0068
India,USD,0.0118,0.0014,0.0014,0.0014
Kazakhstan,USD,0.08600001,0.0212,0.0212,0.0212
Other,USD,0.06,0.0077,0.0077,0.0077
`;

/** Few enough for a month of a test to cross them. */
export const TIER_CARD = `Market,Currency,Message type,From,To,Rate
Brazil,USD,utility,1,20,0.0068
Brazil,USD,utility,21,40,0.0065
Brazil,USD,utility,41,MAX,0.006
`;

export interface Fields {
  readonly [field: string]: unknown;
}

/** Midnight of the first of October in the zone of the account, and of the first of November; Unix seconds. */
export const BEGINS = Date.parse('2026-10-01T03:00:00Z') / 1000;
const ENDS = Date.parse('2026-11-01T03:00:00Z') / 1000;
const HOUR = 3_600;

const CUSTOMERS = ['5511955', '1650555', '1416555', '9199555', '7701555', 'IN.1349'] as const;

function named(customer: string): Fields {
  return /^\d+$/.test(customer) ? { wa_id: customer } : { user_id: customer };
}

interface Sending {
  readonly number: string;
  readonly id: string;
  readonly customer: string;
  readonly at: number;
}

const shared = ({ number, customer }: Sending): Fields => ({
  waba_id: WABA,
  phone_number_id: number,
  ...named(customer),
});

function status(sending: Sending, name: string, timestamp: number, rest: Fields = {}): Fields {
  return { event: 'status', ...shared(sending), id: sending.id, status: name, timestamp, ...rest };
}

function outbound(sending: Sending, rest: Fields): Fields {
  return {
    event: 'message',
    direction: 'outbound',
    ...shared(sending),
    id: sending.id,
    timestamp: sending.at - 2,
    ...rest,
  };
}

const pricing = (type: string, category: string): Fields => ({
  pricing: { billable: type === 'regular', pricing_model: 'PMP', type, category },
});

/** A template with sent, delivered and read, each with Meta's report. */
function template(sending: Sending, category: string, type = 'regular', reported = category): Fields[] {
  const report = pricing(type, reported);
  return [
    outbound(sending, { type: 'template', template: { name: `about_${category}`, language: 'en', category } }),
    status(sending, 'sent', sending.at - 1, report),
    status(sending, 'delivered', sending.at, report),
    status(sending, 'read', sending.at + 30, report),
  ];
}

function service(sending: Sending, report: Fields): Fields[] {
  return [
    {
      event: 'message',
      direction: 'inbound',
      ...shared(sending),
      id: `${sending.id}.in`,
      timestamp: sending.at - 60,
      type: 'text',
    },
    outbound(sending, { type: 'text' }),
    status(sending, 'delivered', sending.at, report),
  ];
}

function freeEntry(sending: Sending): Fields[] {
  const referral = { source_type: 'ad', source_id: '120226305854810726' };
  const [message, ...statuses] = template(sending, 'marketing', 'free_entry_point', 'referral_conversion');
  const entry = { event: 'message', direction: 'inbound', ...shared(sending), id: `${sending.id}.in`, type: 'text' };
  return [{ ...entry, timestamp: sending.at - 60, referral }, message!, ...statuses];
}

function ofGroup(sending: Sending): Fields[] {
  const group = { waba_id: WABA, phone_number_id: sending.number, group_id: `group-of-${sending.id}` };
  const report = pricing('regular', 'group_marketing');
  return [
    {
      event: 'message',
      direction: 'outbound',
      ...group,
      wa_id: '5511955000',
      id: sending.id,
      timestamp: sending.at - 2,
      type: 'template',
      template: { name: 'to_a_group', language: 'en', category: 'group_marketing' },
    },
    ...[1, 2].map((participant) => ({
      event: 'status',
      ...group,
      participant: `${sending.customer}${participant}`,
      id: sending.id,
      status: 'delivered',
      timestamp: sending.at,
      ...report,
    })),
  ];
}

/** A message without a template that Meta reports in a category of templates. */
function direct(sending: Sending): Fields[] {
  return [outbound(sending, { type: 'text' }), status(sending, 'delivered', sending.at, pricing('regular', 'utility'))];
}

/** What the ledger is not told of a message, or how it is told: each is invisible until Meta counts it otherwise. */
export type Trait =
  'none' | 'no_status' | 'no_account' | 'read_only' | 'echo' | 'group' | 'unreported' | 'direct' | 'charged_service';

export interface Message {
  readonly id: string;
  readonly trait: Trait;
  /** What happened. */
  readonly truth: readonly Fields[];
  /** What the ledger is told of it. */
  readonly stored: readonly Fields[];
}

function withoutAccount({ waba_id: _, ...event }: Fields): Fields {
  return event;
}

function oneMessage(sending: Sending, kind: number): Message {
  const { id } = sending;
  const whole = (events: readonly Fields[], trait: Trait = 'none'): Message => ({
    id,
    trait,
    truth: events,
    stored: events,
  });
  const marketing = template(sending, 'marketing');
  if (kind < 24) return whole(marketing);
  if (kind < 27) return whole(direct(sending), 'direct');
  if (kind < 30) return whole(service(sending, pricing('regular', 'service')), 'charged_service');
  if (kind < 58) return whole(template(sending, 'utility'));
  if (kind < 66) return whole(template(sending, 'authentication'));
  if (kind < 74) return whole(service(sending, pricing('free_customer_service', 'service')));
  // Without a report: free by its place among the first thousand of the month.
  if (kind < 79) return whole(service(sending, {}), 'unreported');
  if (kind < 85) return whole(freeEntry(sending));
  if (kind < 88) return /^\d+$/.test(sending.customer) ? whole(ofGroup(sending), 'group') : whole(marketing);
  if (kind < 91)
    return whole([{ ...outbound(sending, { type: 'text', origin: 'app' }), timestamp: sending.at }], 'echo');
  if (kind < 94) return { id, trait: 'no_status', truth: marketing, stored: marketing.filter((one) => !isStatus(one)) };
  if (kind < 97) return { id, trait: 'no_account', truth: marketing, stored: marketing.map(withoutAccount) };
  return whole(
    marketing.filter((one) => one['status'] !== 'delivered'),
    'read_only',
  );
}

/** The messages of the month. @param times how many messages are sent where one is by default */
export function traffic(seed: number, times = 1): Message[] {
  const prng = new Prng(seed);
  const messages: Message[] = [];
  const send = (number: string, from: number, seconds: number): void => {
    const prefix = CUSTOMERS[prng.int(0, CUSTOMERS.length - 1)]!;
    const n = messages.length;
    const customer = `${prefix}${String(n).padStart(4, '0')}`;
    const sending = { number, id: `wamid.${n}`, customer, at: from + 120 + prng.int(0, seconds - 121) };
    messages.push(oneMessage(sending, prng.int(0, 99)));
  };
  for (let hour = BEGINS; hour < ENDS; hour += HOUR) {
    for (let n = 0; n < times; n += 1) send(NUMBERS[0].id, hour, HOUR);
    if (prng.chance(0.5)) for (let n = 0; n < times; n += 1) send(NUMBERS[1].id, hour, HOUR);
  }
  return messages;
}

const isStatus = (event: Fields): boolean => event['event'] === 'status';

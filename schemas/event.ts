import { z } from 'zod';
import { canonicalJson, isObject } from './json.ts';
import { notAnEvent } from './value-form.ts';
import type { Customer, MessageId, PhoneNumberId } from './ids.ts';

/** Size limit of any value: one line, one Kafka value, one webhook body. */
export const MAX_VALUE_BYTES = 3 * 1024 * 1024;
/** Earliest event time that is accepted, 2015-01-01T00:00:00Z, in Unix seconds. */
const MIN_TIMESTAMP = 1_420_070_400;
/** How far ahead of the receiver's clock an event may be, in seconds. */
const MAX_SECONDS_AHEAD = 86_400;

const text = z.string();
const unixSeconds = z.union([z.string().regex(/^\d{1,15}$/, 'not Unix seconds'), z.int().nonnegative()]);
const asTheyCame = z.unknown();

const referralSchema = z.object({
  source_type: text.optional(),
  source_id: text.optional(),
  source_url: text.optional(),
  headline: text.optional(),
  body: text.optional(),
  media_type: text.optional(),
  ctwa_clid: text.optional(),
});

const templateSchema = z.object({
  name: text.optional(),
  language: text.optional(),
  category: text.optional(),
});

/** contract.md 1, message event, after `withoutAbsent`. Unknown fields are dropped, unknown enum values kept. */
const messageSchema = z.object({
  event: z.literal('message'),
  direction: z.enum(['inbound', 'outbound']),
  phone_number_id: text,
  id: text,
  timestamp: unixSeconds,
  type: text,
  waba_id: text.optional(),
  wa_id: text.optional(),
  user_id: text.optional(),
  parent_user_id: asTheyCame.optional(),
  system: asTheyCame.optional(),
  group_id: text.optional(),
  device: text.optional(),
  origin: text.optional(),
  context: asTheyCame.optional(),
  sender: asTheyCame.optional(),
  tag: text.optional(),
  errors: asTheyCame.optional(),
  referral: referralSchema.optional(),
  template: templateSchema.optional(),
});

/** contract.md 1, status event, after `withoutAbsent`. */
const statusSchema = z.object({
  event: z.literal('status'),
  phone_number_id: text,
  id: text,
  status: text,
  timestamp: unixSeconds,
  waba_id: text.optional(),
  wa_id: text.optional(),
  user_id: text.optional(),
  parent_user_id: asTheyCame.optional(),
  group_id: text.optional(),
  participant: text.optional(),
  conversation: z
    .object({
      id: text.optional(),
      expiration_timestamp: unixSeconds.optional(),
      origin: z.object({ type: text.optional() }).optional(),
    })
    .optional(),
  pricing: z
    .object({
      billable: z.boolean().optional(),
      pricing_model: text.optional(),
      type: text.optional(),
      category: text.optional(),
    })
    .optional(),
  tag: text.optional(),
  errors: asTheyCame.optional(),
});

/** Type of an inbound event with a customer's preference for marketing messages. No rule counts it as a message. */
export const PREFERENCE_TYPE = 'user_preferences';

/** Type of an event about an outcome that Meta noticed by itself. It names a click and no customer, and is no message. */
export const AUTOMATIC_EVENT_TYPE = 'automatic_events';

/** What a `system` message says of a customer who changed number or id (rules.md F9); names that it lacks are absent. */
export interface IdentityChange {
  readonly wa_id?: string;
  readonly user_id?: string;
  readonly parent_user_id?: string;
  readonly previous_wa_id?: string;
  readonly previous_user_id?: string;
  readonly previous_parent_user_id?: string;
}

interface Identity {
  readonly phone_number_id: PhoneNumberId;
  /** `group_id`, else `wa_id`, else `user_id`, else empty (statuses only): the name of the thread (rules.md F1, F8). */
  readonly customer: Customer;
  readonly id: MessageId;
  /** Unix seconds, UTC. */
  readonly timestamp: number;
  /** Empty string stands for "absent" in every text field below (rules.md F2: the two are the same). */
  readonly waba_id: string;
  readonly wa_id: string;
  readonly user_id: string;
  /** The user id that the businesses of one company share (rules.md F9). */
  readonly parent_user_id: string;
  readonly group_id: string;
  /** The sender's tag, which Meta repeats in the message's statuses. */
  readonly tag: string;
  /** Canonical JSON text of the received value, or empty. */
  readonly errors: string;
}

/** A message event, normalised as rules.md F2 says and flattened into the columns it is stored in. */
export interface MessageEvent extends Identity {
  readonly event: 'message';
  readonly direction: 'inbound' | 'outbound';
  readonly type: string;
  /**
   * Of a `system` message that a customer changed number or id: canonical JSON text of an {@link IdentityChange}; else
   * empty.
   */
  readonly identity_change: string;
  readonly device: string;
  readonly origin: string;
  /** Canonical JSON text of the received value, or empty. */
  readonly context: string;
  /** Canonical JSON text of the received value, or empty. */
  readonly sender: string;
  readonly referral_source_type: string;
  readonly referral_source_id: string;
  readonly referral_source_url: string;
  readonly referral_headline: string;
  readonly referral_body: string;
  readonly referral_media_type: string;
  readonly referral_ctwa_clid: string;
  readonly template_name: string;
  readonly template_language: string;
  readonly template_category: string;
}

/** A status event, normalised as rules.md F2 says and flattened into the columns it is stored in. */
export interface StatusEvent extends Identity {
  readonly event: 'status';
  readonly status: string;
  readonly participant: string;
  readonly conversation_id: string;
  /** Unix seconds; -1 = absent. */
  readonly conversation_expiration: number;
  readonly conversation_origin: string;
  /** 1 = true, 0 = false, -1 = absent. */
  readonly pricing_billable: -1 | 0 | 1;
  readonly pricing_model: string;
  readonly pricing_type: string;
  readonly pricing_category: string;
}

export type LedgerEvent = MessageEvent | StatusEvent;

/** Why a value was rejected; stored with the dead letter. */
type ReasonCode =
  | 'not_json'
  | 'invalid_utf8'
  | 'too_large'
  | 'not_an_event'
  | 'schema'
  | 'timestamp_too_old'
  | 'timestamp_in_future'
  /** A Kafka record without a value. */
  | 'tombstone'
  /** A Kafka record that is compressed and cannot be unpacked. */
  | 'unreadable_batch'
  /** Kafka's topic refuses a record of this size. */
  | 'too_large_for_topic'
  /** A valid event that ClickHouse refuses. */
  | 'refused_by_ledger'
  /** A valid event that came after the events of its thread were removed by age. */
  | 'events_removed';

export interface Rejection {
  readonly code: ReasonCode;
  /** What was wrong and what to do, for a person. */
  readonly message: string;
}

export type ParsedEvent =
  { readonly ok: true; readonly event: LedgerEvent } | { readonly ok: false; readonly rejection: Rejection };

/** Null, empty string, `{}` and `[]` are the same as absent (rules.md F2). */
export function isAbsent(value: unknown): boolean {
  if (value === null || value === '' || value === undefined) return true;
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

const NESTED = new Set(['referral', 'template', 'conversation', 'pricing', 'origin', 'system']);

function hasAbsent(raw: Record<string, unknown>): boolean {
  for (const key in raw) {
    const value = raw[key];
    if (typeof value === 'string' ? value === '' : isAbsent(value)) return true;
    if (typeof value === 'object' && NESTED.has(key) && isObject(value) && hasAbsent(value)) return true;
  }
  return false;
}

/** An event without its absent fields; of nested objects only those with known fields are searched. */
function withoutAbsent(raw: Record<string, unknown>): Record<string, unknown> {
  // Nearly all events have no absent fields, and copying them would cost as much as validating them.
  if (!hasAbsent(raw)) return raw;
  const kept: Record<string, unknown> = {};
  for (const key in raw) {
    const value = raw[key];
    // An unknown field of that name: assigning it would set the event's prototype.
    if (isAbsent(value) || key === '__proto__') continue;
    kept[key] = NESTED.has(key) && isObject(value) ? withoutAbsent(value) : value;
  }
  return kept;
}

const NON_DIGITS = /\D+/g;
const ONLY_DIGITS = /^\d+$/;
/** rules.md F2: the forms of a phone number and of a business-scoped id. */
const PHONE_NUMBER = /^\+?[0-9\s().-]+$/;
const BUSINESS_SCOPED_ID = /^[A-Z]{2}\.[A-Za-z0-9.]+$/;

/** Whether a name has the form of a business-scoped user id, like `BR.1349…` (rules.md F2). */
export function isBusinessScopedId(name: string): boolean {
  return BUSINESS_SCOPED_ID.test(name);
}

/**
 * rules.md F2: the digits of a phone number. Another text stays as it is, because its digits alone would be an invented
 * number.
 */
function normalisedNumber(name: string): string {
  if (ONLY_DIGITS.test(name)) return name;
  return PHONE_NUMBER.test(name) ? name.replace(NON_DIGITS, '') : name;
}

/** rules.md F2: both names of a customer. A business-scoped id in the place of the phone number is the `user_id`. */
export function customerNames(waId = '', userId = ''): { readonly wa_id: string; readonly user_id: string } {
  if (isBusinessScopedId(waId)) return { wa_id: '', user_id: userId === '' ? waId : userId };
  return { wa_id: normalisedNumber(waId), user_id: userId };
}

/** Types of `system` messages that name a customer's previous and new names (rules.md F9). */
const IDENTITY_CHANGES = new Set<unknown>(['user_changed_number', 'user_changed_user_id']);

function textIn(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

/** The names in `system` of a message (rules.md F9), as canonical JSON; empty where it says of no change. */
function identityChange(type: string, system: unknown): string {
  if (type !== 'system' || !isObject(system) || !IDENTITY_CHANGES.has(system['type'])) return '';
  // Meta called the new number `new_wa_id` in early versions.
  const now = customerNames(textIn(system, 'wa_id') || textIn(system, 'new_wa_id'), textIn(system, 'user_id'));
  const before = customerNames(textIn(system, 'previous_wa_id'), textIn(system, 'previous_user_id'));
  const change: IdentityChange = {
    ...present({
      wa_id: now.wa_id,
      user_id: now.user_id,
      parent_user_id: textIn(system, 'parent_user_id'),
      previous_wa_id: before.wa_id,
      previous_user_id: before.user_id,
      previous_parent_user_id: textIn(system, 'previous_parent_user_id'),
    }),
  };
  return Object.keys(change).length === 0 ? '' : canonicalJson(change);
}

/** What the column `identity_change` of an event says; empty where it names no change. */
export function identityChangeOf(event: LedgerEvent): IdentityChange {
  return event.event === 'message' && event.identity_change !== ''
    ? (JSON.parse(event.identity_change) as IdentityChange)
    : {};
}

/**
 * rules.md F9: the names that an event gives its customer, each once, its own first. None for an event of a group, and
 * none where no customer is named.
 */
export function namesOfCustomer(event: LedgerEvent): readonly string[] {
  if (event.group_id !== '' || event.customer === '') return [];
  if (
    (event.user_id === '' || event.user_id === event.customer) &&
    event.parent_user_id === '' &&
    (event.event === 'status' || event.identity_change === '')
  )
    return [event.customer];
  const names = new Set<string>([event.customer, event.user_id, event.parent_user_id]);
  for (const name of Object.values<string>({ ...identityChangeOf(event) })) names.add(name);
  names.delete('');
  return [...names];
}

function threadName(groupId: string, waId: string, userId: string): Customer {
  return (groupId !== '' ? groupId : waId !== '' ? waId : userId) as Customer;
}

function rejected(code: ReasonCode, message: string): ParsedEvent {
  return { ok: false, rejection: { code, message } };
}

function schemaMessage(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'The event does not match the schema.';
  const where = issue.path.length === 0 ? 'the event' : `field "${issue.path.join('.')}"`;
  return `${where}: ${issue.message}. See the event schema for what is expected.`;
}

function asCame(value: unknown): string {
  // Begins one level down: as a member of the event it must still be within the limit.
  return value === undefined ? '' : canonicalJson(value, 1);
}

/**
 * Validates and normalises one event (contract.md 1, rules.md F2). Never throws.
 * @param value the result of `JSON.parse`
 * @param nowSeconds the receiver's clock, Unix seconds, to refuse events from the future
 * @returns the event, or why it was rejected
 */
export function parseEvent(value: unknown, nowSeconds: number): ParsedEvent {
  if (!isObject(value)) return rejected('not_an_event', notAnEvent(value));
  try {
    if (value['event'] === 'message') return parseMessage(withoutAbsent(value), nowSeconds);
    if (value['event'] === 'status') return parseStatus(withoutAbsent(value), nowSeconds);
  } catch (error) {
    if (error instanceof RangeError)
      return rejected('schema', 'The event is nested too deeply to be read; flatten it.');
    throw error;
  }
  return rejected('not_an_event', notAnEvent(value));
}

function timeRejection(timestamp: number, nowSeconds: number): ParsedEvent | undefined {
  if (timestamp < MIN_TIMESTAMP)
    return rejected(
      'timestamp_too_old',
      `Field "timestamp" (${timestamp}) is before 2015-01-01; it must be Unix seconds.`,
    );
  if (timestamp > nowSeconds + MAX_SECONDS_AHEAD)
    return rejected(
      'timestamp_in_future',
      `Field "timestamp" (${timestamp}) is more than a day ahead of this clock; it must be Unix seconds, not milliseconds.`,
    );
  return undefined;
}

function parseMessage(raw: Record<string, unknown>, nowSeconds: number): ParsedEvent {
  const parsed = messageSchema.safeParse(raw);
  if (!parsed.success) return rejected('schema', schemaMessage(parsed.error));
  const m = parsed.data;
  const timestamp = Number(m.timestamp);
  const refusal = timeRejection(timestamp, nowSeconds);
  if (refusal !== undefined) return refusal;
  const { wa_id, user_id } = customerNames(m.wa_id, m.user_id);
  const group_id = m.group_id ?? '';
  const customer = threadName(group_id, wa_id, user_id);
  if (customer === '' && m.type !== AUTOMATIC_EVENT_TYPE)
    return rejected('schema', 'The event names no customer: give "wa_id" (with digits), "user_id" or "group_id".');
  return {
    ok: true,
    event: {
      event: 'message',
      phone_number_id: m.phone_number_id as PhoneNumberId,
      customer,
      id: m.id as MessageId,
      timestamp,
      waba_id: m.waba_id ?? '',
      wa_id,
      user_id,
      parent_user_id: typeof m.parent_user_id === 'string' ? m.parent_user_id : '',
      group_id,
      tag: m.tag ?? '',
      errors: asCame(m.errors),
      direction: m.direction,
      type: m.type,
      identity_change: identityChange(m.type, m.system),
      device: m.device ?? '',
      origin: m.origin ?? '',
      context: asCame(m.context),
      sender: asCame(m.sender),
      referral_source_type: m.referral?.source_type ?? '',
      referral_source_id: m.referral?.source_id ?? '',
      referral_source_url: m.referral?.source_url ?? '',
      referral_headline: m.referral?.headline ?? '',
      referral_body: m.referral?.body ?? '',
      referral_media_type: m.referral?.media_type ?? '',
      referral_ctwa_clid: m.referral?.ctwa_clid ?? '',
      template_name: m.template?.name ?? '',
      template_language: m.template?.language ?? '',
      template_category: m.template?.category ?? '',
    },
  };
}

function parseStatus(raw: Record<string, unknown>, nowSeconds: number): ParsedEvent {
  const parsed = statusSchema.safeParse(raw);
  if (!parsed.success) return rejected('schema', schemaMessage(parsed.error));
  const s = parsed.data;
  const timestamp = Number(s.timestamp);
  const refusal = timeRejection(timestamp, nowSeconds);
  if (refusal !== undefined) return refusal;
  const { wa_id, user_id } = customerNames(s.wa_id, s.user_id);
  const group_id = s.group_id ?? '';
  const expiration = s.conversation?.expiration_timestamp;
  const billable = s.pricing?.billable;
  return {
    ok: true,
    event: {
      event: 'status',
      phone_number_id: s.phone_number_id as PhoneNumberId,
      customer: threadName(group_id, wa_id, user_id),
      id: s.id as MessageId,
      timestamp,
      waba_id: s.waba_id ?? '',
      wa_id,
      user_id,
      parent_user_id: typeof s.parent_user_id === 'string' ? s.parent_user_id : '',
      group_id,
      tag: s.tag ?? '',
      errors: asCame(s.errors),
      status: s.status,
      participant: normalisedNumber(s.participant ?? ''),
      conversation_id: s.conversation?.id ?? '',
      conversation_expiration: expiration === undefined ? -1 : Number(expiration),
      conversation_origin: s.conversation?.origin?.type ?? '',
      pricing_billable: billable === undefined ? -1 : billable ? 1 : 0,
      pricing_model: s.pricing?.pricing_model ?? '',
      pricing_type: s.pricing?.type ?? '',
      pricing_category: s.pricing?.category ?? '',
    },
  };
}

function present(fields: Record<string, string>): Record<string, string> | undefined {
  const kept = Object.entries(fields).filter(([, value]) => value !== '');
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function textOrAbsent(value: string): string | undefined {
  return value === '' ? undefined : value;
}

function reparsed(value: string): unknown {
  return value === '' ? undefined : JSON.parse(value);
}

/** The canonical JSON of a normalised event, which orders differing copies and ties (rules.md F2). */
export function canonicalEvent(event: LedgerEvent): string {
  const shared = {
    event: event.event,
    phone_number_id: event.phone_number_id,
    id: event.id,
    timestamp: event.timestamp,
    waba_id: textOrAbsent(event.waba_id),
    wa_id: textOrAbsent(event.wa_id),
    user_id: textOrAbsent(event.user_id),
    parent_user_id: textOrAbsent(event.parent_user_id),
    group_id: textOrAbsent(event.group_id),
    tag: textOrAbsent(event.tag),
    errors: reparsed(event.errors),
  };
  if (event.event === 'message')
    return canonicalJson({
      ...shared,
      direction: event.direction,
      type: event.type,
      system: reparsed(event.identity_change),
      device: textOrAbsent(event.device),
      origin: textOrAbsent(event.origin),
      context: reparsed(event.context),
      sender: reparsed(event.sender),
      referral: present({
        source_type: event.referral_source_type,
        source_id: event.referral_source_id,
        source_url: event.referral_source_url,
        headline: event.referral_headline,
        body: event.referral_body,
        media_type: event.referral_media_type,
        ctwa_clid: event.referral_ctwa_clid,
      }),
      template: present({
        name: event.template_name,
        language: event.template_language,
        category: event.template_category,
      }),
    });
  const origin = present({ type: event.conversation_origin });
  const conversation = {
    id: textOrAbsent(event.conversation_id),
    expiration_timestamp: event.conversation_expiration === -1 ? undefined : event.conversation_expiration,
    origin,
  };
  const pricing = {
    billable: event.pricing_billable === -1 ? undefined : event.pricing_billable === 1,
    pricing_model: textOrAbsent(event.pricing_model),
    type: textOrAbsent(event.pricing_type),
    category: textOrAbsent(event.pricing_category),
  };
  return canonicalJson({
    ...shared,
    status: event.status,
    participant: textOrAbsent(event.participant),
    conversation: Object.values(conversation).every((v) => v === undefined) ? undefined : conversation,
    pricing: Object.values(pricing).every((v) => v === undefined) ? undefined : pricing,
  });
}

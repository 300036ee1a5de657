/**
 * A second, naive implementation of the billing rules, written from rules.md and contract.md alone so that it can judge
 * the first one. It reads like the rules, with the number of each beside it; nothing in it is fast or clever on purpose.
 */
import type { Account, PolicySettings } from '../../schemas/config.ts';

export interface OracleInput {
  /** Raw JSON values as in contract.md 1, valid in shape; any order, any duplicates. */
  readonly events: readonly unknown[];
  readonly accounts: readonly Account[];
  readonly policy: PolicySettings;
  /** Unix seconds: the clock for what depends on "now". */
  readonly as_of: number;
  /** Zone of the printed times and of the days. */
  readonly tz: string;
  /** First day in `tz`, `YYYY-MM-DD`. */
  readonly from?: string;
  /** Day after the last one. */
  readonly to?: string;
}

/** What the marks are a function of. */
export type Rulings = Pick<OracleInput, 'events' | 'accounts' | 'policy'>;

export type Row = Record<string, string>;

/** An outbound message with its marks, for those who reckon further. Empty strings are what is not known. */
export interface OracleMessage {
  readonly phone_number_id: string;
  readonly message_id: string;
  /** Of a group message the participant (F8). */
  readonly customer: string;
  readonly waba_id: string;
  readonly sent_at: number;
  readonly delivered_at: number | undefined;
  readonly type: string;
  readonly category: string;
  /** F6: an echo, where the policy says that echoes stand apart from the API's bill. */
  readonly stands_apart: boolean;
  readonly policy: string;
  readonly predicted: string;
  readonly reported: string;
  /** The category in Meta's report (V1), lower case with `_`. */
  readonly reported_category: string;
  readonly billing: string;
  /** M4: the mark of a delivered message in a fold with no free entry window and no report at all. */
  readonly without_free_entry: string;
}

export interface OracleReports {
  readonly messages: Row[];
  readonly conversations: Row[];
  readonly daily: Row[];
  readonly ads: Row[];
}

const HOUR = 3600;
const DAY = 24 * HOUR;

// ---------------------------------------------------------------------------------------------------------------------
// F2: what an event says once it is normalised.

type Fields = Record<string, unknown>;

const MESSAGE_FIELDS = [
  'event',
  'direction',
  'waba_id',
  'phone_number_id',
  'wa_id',
  'user_id',
  'id',
  'timestamp',
  'type',
  'device',
  'context',
  'referral',
  'template',
  'origin',
  'sender',
  'tag',
  'group_id',
  'errors',
];
const REFERRAL_FIELDS = ['source_type', 'source_id', 'source_url', 'headline', 'body', 'media_type', 'ctwa_clid'];
const TEMPLATE_FIELDS = ['name', 'language', 'category'];
const STATUS_FIELDS = [
  'event',
  'waba_id',
  'phone_number_id',
  'wa_id',
  'user_id',
  'id',
  'status',
  'timestamp',
  'conversation',
  'pricing',
  'group_id',
  'participant',
  'tag',
  'errors',
];
const CONVERSATION_FIELDS = ['id', 'expiration_timestamp', 'origin'];
const ORIGIN_FIELDS = ['type'];
const PRICING_FIELDS = ['billable', 'pricing_model', 'type', 'category'];

function isAbsent(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0; // {} and []
}

/** The named fields of a JSON object that are not absent; every other field is dropped. */
function pick(value: unknown, names: readonly string[]): Fields {
  const picked: Fields = {};
  if (typeof value !== 'object' || value === null) return picked;
  const fields = value as Fields;
  for (const name of names) {
    if (!isAbsent(fields[name])) picked[name] = fields[name];
  }
  return picked;
}

/** Replaces one field, or drops it when what it became is absent. */
function put(fields: Fields, name: string, value: unknown): void {
  if (isAbsent(value)) delete fields[name];
  else fields[name] = value;
}

/** F2: what looks like a phone number becomes its digits; anything else stays as it is. */
function phoneNumber(name: string): string {
  return /^\+?[0-9\s().-]+$/.test(name) ? name.replace(/[^0-9]/g, '') : name;
}

/** F2 */
function isBusinessScopedId(name: string): boolean {
  return /^[A-Z]{2}\.[A-Za-z0-9.]+$/.test(name);
}

function seconds(value: unknown): number | undefined {
  return isAbsent(value) ? undefined : Number(value);
}

function normalise(raw: unknown): Fields {
  const isStatus = (raw as Fields)['event'] === 'status';
  const fields = pick(raw, isStatus ? STATUS_FIELDS : MESSAGE_FIELDS);
  put(fields, 'timestamp', seconds(fields['timestamp']));
  const waId = text(fields, 'wa_id');
  if (isBusinessScopedId(waId)) {
    if (fields['user_id'] === undefined) fields['user_id'] = waId;
    delete fields['wa_id'];
  } else {
    put(fields, 'wa_id', phoneNumber(waId));
  }
  if (isStatus) {
    // contract.md 1: as `wa_id`, but a business-scoped id as it is.
    put(fields, 'participant', phoneNumber(text(fields, 'participant')));
    const conversation = pick(fields['conversation'], CONVERSATION_FIELDS);
    put(conversation, 'expiration_timestamp', seconds(conversation['expiration_timestamp']));
    put(conversation, 'origin', pick(conversation['origin'], ORIGIN_FIELDS));
    put(fields, 'conversation', conversation);
    put(fields, 'pricing', pick(fields['pricing'], PRICING_FIELDS));
  } else {
    put(fields, 'referral', pick(fields['referral'], REFERRAL_FIELDS));
    put(fields, 'template', pick(fields['template'], TEMPLATE_FIELDS));
  }
  return fields;
}

/** Compares as UTF-8 bytes. */
export function bytewise(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = value as Fields;
    const members = Object.keys(fields)
      .sort(bytewise)
      .map((key) => `${JSON.stringify(key)}:${canonical(fields[key])}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}

function text(fields: Fields | undefined, name: string): string {
  const value = fields?.[name];
  return typeof value === 'string' ? value : '';
}

function inside(fields: Fields, name: string): Fields {
  return (fields[name] ?? {}) as Fields;
}

/** contract.md 1: the `wa_id`, else the `user_id`. */
function customerOf(fields: Fields): string {
  return text(fields, 'wa_id') || text(fields, 'user_id');
}

/** F5: always lower case with `_`. */
function categoryName(written: string): string {
  return written.toLowerCase().replaceAll('-', '_');
}

/** F8: a category of groups behaves as the part after `group_`, in the policies and in the rates. */
export function categoryOutsideGroups(category: string): string {
  return /^group_(.+)$/.exec(category)?.[1] ?? category;
}

interface Copy {
  readonly fields: Fields;
  readonly timestamp: number;
  readonly json: string;
}

/** Every event that is different once normalised, once. */
function distinctCopies(events: readonly unknown[]): Copy[] {
  const byJson = new Map<string, Copy>();
  for (const raw of events) {
    const fields = normalise(raw);
    const json = canonical(fields);
    byJson.set(json, { fields, timestamp: fields['timestamp'] as number, json });
  }
  return [...byJson.values()];
}

// ---------------------------------------------------------------------------------------------------------------------
// What the rules speak about.

interface Entry {
  readonly id: string;
  readonly phone_number_id: string;
  readonly customer: string;
  readonly t: number;
  readonly source_type: string;
  readonly ad_id: string;
  readonly source_url: string;
  readonly ctwa_clid: string;
  /** W4: the reply that answers it, be it from the app. */
  answeredBy: Outbound | undefined;
  /** W4: whether a reply has claimed it, so that no later one opens a window from it. */
  isClaimed: boolean;
  fep: Fep | undefined;
  /** Section 6: the entry that starts the ad conversation this one belongs to. */
  start: Entry | undefined;
}

interface Fep {
  readonly owner: Entry;
  readonly opened_at: number;
  expires_at: number;
  /** W8: whether a report has already replaced the estimate. */
  reported: boolean;
  readonly messages: Outbound[];
}

/** One row of `messages`: an outbound message, or one participant's part in a group message (F8). */
interface Outbound {
  readonly id: string;
  readonly phone_number_id: string;
  /** Of a group message the participant. */
  readonly customer: string;
  readonly waba_id: string;
  readonly type: string;
  readonly template_name: string;
  readonly category: string;
  readonly isTemplate: boolean;
  readonly isEcho: boolean;
  /** F6 */
  readonly standsApart: boolean;
  readonly sent_at: number;
  readonly delivered_at: number | undefined;
  /** Of a group message those of the participant. */
  readonly statuses: readonly Copy[];
  /** V1: the status whose pricing is Meta's report. */
  readonly deciding: Copy | undefined;
  readonly reported_category: string;
  readonly error: MessageError;
  readonly tag: string;
  policy: string;
  predicted: string;
  reported: string;
  billing: string;
  without_free_entry: string;
  fep: Fep | undefined;
}

interface MessageError {
  readonly code: string;
  readonly title: string;
}

/** F1, F8: a business number and one customer, or a business number and one group. */
interface Thread {
  readonly isGroup: boolean;
  readonly inbound: Copy[];
  readonly entries: Entry[];
  readonly outbound: Outbound[];
}

interface CbpConversation {
  /** F8: each participant of a group has conversations of his own. */
  readonly customer: string;
  readonly category: string;
  readonly opened_at: number;
}

// ---------------------------------------------------------------------------------------------------------------------
// Section 1: facts.

const STATUS_ORDER = ['sent', 'delivered', 'read', 'played', 'failed'];

/** V1: unknown < sent < delivered < read < played < failed. */
function statusRank(status: Copy): number {
  return STATUS_ORDER.indexOf(text(status.fields, 'status'));
}

function hasReport(status: Copy): boolean {
  const pricing = inside(status.fields, 'pricing');
  return pricing['type'] !== undefined || pricing['category'] !== undefined || pricing['billable'] !== undefined;
}

function decidingStatus(statuses: readonly Copy[]): Copy | undefined {
  let latest: Copy | undefined;
  for (const status of statuses) {
    if (!hasReport(status)) continue;
    if (latest === undefined) latest = status;
    else if (status.timestamp !== latest.timestamp) latest = status.timestamp > latest.timestamp ? status : latest;
    else if (statusRank(status) !== statusRank(latest))
      latest = statusRank(status) > statusRank(latest) ? status : latest;
    else if (bytewise(status.json, latest.json) > 0) latest = status;
  }
  return latest;
}

/** V1, before V1a. */
function metaReport(deciding: Copy | undefined): string {
  if (deciding === undefined) return '';
  const pricing = inside(deciding.fields, 'pricing');
  const type = text(pricing, 'type');
  if (type === 'free_entry_point') return 'FREE_ENTRY';
  if (type === 'free_customer_service' || type === 'free_group_customer_service') return 'FREE_SERVICE';
  if (type === 'regular') return 'BILLABLE';
  if (type === '' && categoryName(text(pricing, 'category')) === 'referral_conversion') return 'FREE_ENTRY';
  if (pricing['billable'] === true) return 'BILLABLE';
  if (pricing['billable'] === false) return 'FREE_SERVICE';
  return 'UNKNOWN';
}

function earliest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.min(...times);
}

/** F3, F8: the name in the earliest status that has one, then the smaller name. */
function earliestName(statuses: readonly Copy[], nameIn: (fields: Fields) => string): string {
  let found: { timestamp: number; name: string } | undefined;
  for (const status of statuses) {
    const name = nameIn(status.fields);
    if (name === '') continue;
    const earlier =
      found === undefined ||
      status.timestamp < found.timestamp ||
      (status.timestamp === found.timestamp && bytewise(name, found.name) < 0);
    if (earlier) found = { timestamp: status.timestamp, name };
  }
  return found?.name ?? '';
}

/** The latest of the statuses; of one second the greater canonical JSON (F2). */
function latestOf(statuses: readonly Copy[]): Copy | undefined {
  let latest: Copy | undefined;
  for (const status of statuses) {
    const later =
      latest === undefined ||
      status.timestamp > latest.timestamp ||
      (status.timestamp === latest.timestamp && bytewise(status.json, latest.json) > 0);
    if (later) latest = status;
  }
  return latest;
}

/** The errors of an event: a list as Meta sends it, or one error by itself. Anything else holds none. */
function errorsOf(fields: Fields): unknown[] {
  const errors = fields['errors'];
  if (Array.isArray(errors)) return errors;
  return typeof errors === 'object' ? [errors] : [];
}

/** Text, or a number as text; anything else, where the error is no object too, is not known. */
function partOf(error: unknown, name: string): string {
  const value = typeof error === 'object' && error !== null ? (error as Fields)[name] : undefined;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** The first error of the latest failed status. */
function errorIn(statuses: readonly Copy[]): MessageError {
  const latest = latestOf(statuses.filter((status) => text(status.fields, 'status') === 'failed'));
  const [error] = latest === undefined ? [] : errorsOf(latest.fields);
  return { code: partOf(error, 'code'), title: partOf(error, 'title') };
}

/** contract.md 5. */
function wabaOf(
  event: Copy | undefined,
  statuses: readonly Copy[],
  phone_number_id: string,
  accounts: readonly Account[],
): string {
  const named = text(event?.fields, 'waba_id');
  if (named !== '') return named;
  const byStatuses = statuses
    .map((status) => text(status.fields, 'waba_id'))
    .filter((waba) => waba !== '')
    .sort(bytewise);
  if (byStatuses[0] !== undefined) return byStatuses[0];
  for (const account of accounts) {
    if (account.phone_number_ids?.includes(phone_number_id)) return account.waba_id;
  }
  return '';
}

/** F6 */
function isEchoEvent(event: Copy | undefined): boolean {
  return text(event?.fields, 'origin') === 'app';
}

/** F8: the group that an outbound message went to, or empty. An echo's is its own, as its customer is (F3). */
function groupOf(event: Copy | undefined, statuses: readonly Copy[]): string {
  const groupIn = (fields: Fields): string => text(fields, 'group_id');
  const own = event === undefined ? '' : groupIn(event.fields);
  return isEchoEvent(event) ? own : earliestName(statuses, groupIn) || own;
}

/** F3: the customer of a message to one customer. */
function recipientOf(event: Copy | undefined, statuses: readonly Copy[]): string {
  const own = event === undefined ? '' : customerOf(event.fields);
  return isEchoEvent(event) ? own : earliestName(statuses, customerOf) || own;
}

/** F8: all that the statuses of a group message name. */
function participantsOf(statuses: readonly Copy[]): string[] {
  return [...new Set(statuses.map((status) => text(status.fields, 'participant')).filter((name) => name !== ''))];
}

function outboundMessage(
  phone_number_id: string,
  id: string,
  event: Copy | undefined,
  ofMessage: readonly Copy[],
  /** F8: whose part in a group message this is. */
  participant: string | undefined,
  { accounts, policy }: Rulings,
): Outbound {
  const isOf =
    (...names: string[]) =>
    (status: Copy): boolean =>
      names.includes(text(status.fields, 'participant'));
  const statuses = participant === undefined ? ofMessage : ofMessage.filter(isOf(participant));
  const ofNobody = participant === undefined ? [] : ofMessage.filter(isOf(''));
  const timesIn = (among: readonly Copy[], ...names: string[]): number[] =>
    among.filter((status) => names.includes(text(status.fields, 'status'))).map((status) => status.timestamp);

  // F3; in a group it is that of the message (F8).
  const sent_at =
    event?.timestamp ??
    earliest(timesIn(ofMessage, 'sent')) ??
    earliest(ofMessage.map((status) => status.timestamp)) ??
    0;
  // F6, F4; in a group it is the participant's own (F8).
  const isEcho = isEchoEvent(event);
  const delivered_at = isEcho ? sent_at : earliest(timesIn(statuses, 'delivered', 'read', 'played'));

  // V1; F8: statuses that name no participant report where the participant's own do not.
  const deciding = decidingStatus(statuses) ?? decidingStatus(ofNobody);
  // F5
  const type = event === undefined ? '' : text(event.fields, 'type');
  const template = event === undefined ? {} : inside(event.fields, 'template');
  const reportedCategory =
    deciding === undefined ? '' : categoryName(text(inside(deciding.fields, 'pricing'), 'category'));
  let category: string;
  if (event !== undefined && type !== 'template') category = 'service';
  else if (text(template, 'category') !== '') category = categoryName(text(template, 'category'));
  else if (reportedCategory !== '' && reportedCategory !== 'referral_conversion') category = reportedCategory;
  else category = 'unknown';
  const isTemplate = (event === undefined || type === 'template') && categoryOutsideGroups(category) !== 'service';

  const about = [...statuses, ...ofNobody];
  const tagged = latestOf(about.filter((status) => text(status.fields, 'tag') !== ''));
  return {
    id,
    phone_number_id,
    customer: participant ?? recipientOf(event, ofMessage),
    waba_id: wabaOf(event, ofMessage, phone_number_id, accounts),
    type,
    template_name: text(template, 'name'),
    category,
    isTemplate,
    isEcho,
    standsApart: isEcho && policy.echoes === 'apart',
    sent_at,
    delivered_at,
    statuses,
    deciding,
    reported_category: reportedCategory,
    error: errorIn(about),
    tag: text(event?.fields, 'tag') || text(tagged?.fields, 'tag'),
    policy: '',
    predicted: 'UNDELIVERED', // F4, unless the fold says otherwise
    reported: metaReport(deciding), // V1; V1a follows when the thread is known
    billing: 'UNDELIVERED',
    without_free_entry: 'UNDELIVERED',
    fep: undefined,
  };
}

/** W2 */
function isEntry(inbound: Fields, policy: PolicySettings): boolean {
  const device = text(inbound, 'device');
  if (device === 'web' || device === 'desktop') return false;
  return policy.entry_sources.includes(text(inside(inbound, 'referral'), 'source_type'));
}

/** F7: what says something about another message and is none. */
function isAboutAnother(event: Copy): boolean {
  return ['edit', 'revoke'].includes(text(event.fields, 'type'));
}

interface Known {
  readonly phone_number_id: string;
  readonly id: string;
  /** Of the copies of the message event, the one that counts. */
  readonly event: Copy | undefined;
  readonly statuses: readonly Copy[];
}

/** F2: what is known of each id of each number. */
function knownMessages(events: readonly unknown[]): Known[] {
  const messageOf = new Map<string, Copy>();
  const statusesOf = new Map<string, Copy[]>();
  for (const copy of distinctCopies(events)) {
    const key = JSON.stringify([text(copy.fields, 'phone_number_id'), text(copy.fields, 'id')]); // F2
    if (copy.fields['event'] === 'status') {
      addTo(statusesOf, key, copy);
      continue;
    }
    // F2: of copies that differ, the one with the smaller (timestamp, canonical JSON) counts.
    const other = messageOf.get(key);
    const smaller =
      other === undefined ||
      copy.timestamp < other.timestamp ||
      (copy.timestamp === other.timestamp && bytewise(copy.json, other.json) < 0);
    if (smaller) messageOf.set(key, copy);
  }

  return [...new Set([...messageOf.keys(), ...statusesOf.keys()])].map((key) => {
    const [phone_number_id, id] = JSON.parse(key) as [string, string];
    return { phone_number_id, id, event: messageOf.get(key), statuses: statusesOf.get(key) ?? [] };
  });
}

function threadsOf(input: Rulings): Thread[] {
  const threads = new Map<string, Thread>();
  const thread = (phone_number_id: string, kind: 'customer' | 'group' | 'nobody', name: string): Thread => {
    const key = JSON.stringify([phone_number_id, kind, name]);
    const known = threads.get(key) ?? { isGroup: kind === 'group', inbound: [], entries: [], outbound: [] };
    threads.set(key, known);
    return known;
  };

  for (const { phone_number_id, id, event, statuses } of knownMessages(input.events)) {
    if (event !== undefined && isAboutAnother(event)) continue; // F7, its statuses too
    if (event !== undefined && text(event.fields, 'direction') === 'inbound') {
      // F3: the statuses of an inbound message make no row.
      const group = text(event.fields, 'group_id');
      if (group !== '') {
        thread(phone_number_id, 'group', group).inbound.push(event); // F8: no entry
        continue;
      }
      const customer = customerOf(event.fields);
      const home = thread(phone_number_id, 'customer', customer);
      home.inbound.push(event);
      if (isEntry(event.fields, input.policy)) {
        const referral = inside(event.fields, 'referral');
        home.entries.push({
          id,
          phone_number_id,
          customer,
          t: event.timestamp,
          source_type: text(referral, 'source_type'),
          ad_id: text(referral, 'source_id'),
          source_url: text(referral, 'source_url'),
          ctwa_clid: text(referral, 'ctwa_clid'),
          answeredBy: undefined,
          isClaimed: false,
          fep: undefined,
          start: undefined,
        });
      }
      continue;
    }
    const rowOf = (participant?: string): Outbound =>
      outboundMessage(phone_number_id, id, event, statuses, participant, input);
    const group = groupOf(event, statuses);
    if (group !== '') {
      // F8: one row per participant that a status names.
      thread(phone_number_id, 'group', group).outbound.push(...participantsOf(statuses).map(rowOf));
      continue;
    }
    const message = rowOf();
    // F3: without any customer it is a thread of its own.
    const home =
      message.customer === ''
        ? thread(phone_number_id, 'nobody', id)
        : thread(phone_number_id, 'customer', message.customer);
    home.outbound.push(message);
  }

  for (const each of threads.values()) each.entries.sort((a, b) => a.t - b.t || bytewise(a.id, b.id));
  return [...threads.values()];
}

// ---------------------------------------------------------------------------------------------------------------------
// Sections 2 to 4: one thread, message by message.

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
function inOrderOfDelivery(thread: Thread, policy: PolicySettings): Outbound[] {
  const clock = (message: Outbound): number => clockOf(message, policy);
  const other = (message: Outbound): number =>
    policy.clock === 'sent' ? (message.delivered_at ?? 0) : message.sent_at;
  return thread.outbound
    .filter((message) => message.delivered_at !== undefined)
    .sort(
      (a, b) => clock(a) - clock(b) || other(a) - other(b) || bytewise(a.id, b.id) || bytewise(a.customer, b.customer),
    );
}

function fold(thread: Thread, input: Rulings): Fep[] {
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
function isMismatch(message: Outbound): boolean {
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

// ---------------------------------------------------------------------------------------------------------------------
// Section 6: headline figures.

interface AdConversation {
  readonly start: Entry;
  readonly entries: Entry[];
}

function adConversations(thread: Thread, feps: readonly Fep[]): AdConversation[] {
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

function isReplied(conversation: AdConversation): boolean {
  return conversation.entries.some((entry) => entry.answeredBy !== undefined);
}

function isMature(conversation: AdConversation, as_of: number): boolean {
  const last = Math.max(...conversation.entries.map((entry) => entry.t));
  return isReplied(conversation) || as_of - last >= DAY;
}

function secondsToFirstReply(conversation: AdConversation): number {
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
function isLostReferral(event: Copy): boolean {
  if (text(event.fields, 'direction') !== 'inbound') return false;
  if (text(event.fields, 'type') !== 'unsupported') return false;
  if (text(inside(event.fields, 'referral'), 'source_type') !== '') return false;
  return errorsOf(event.fields).some((error) => partOf(error, 'code') === '131060');
}

/** A window that only Meta knows of: no entry of ours explains it. */
interface ReportedWindow {
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

function reportedWindows(thread: Thread, policy: PolicySettings): ReportedWindow[] {
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
function percentile(values: readonly number[], tenths: number): string {
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
function rate(part: number, whole: number): string {
  if (whole === 0) return '';
  const tenThousandths = Math.floor((2 * part * 10000 + whole) / (2 * whole));
  return `${Math.floor(tenThousandths / 10000)}.${String(tenThousandths % 10000).padStart(4, '0')}`;
}

// ---------------------------------------------------------------------------------------------------------------------
// Times and cells, as contract.md 3 prints them.

const formats = new Map<string, Intl.DateTimeFormat>();

function localParts(t: number, zone: string): Map<string, string> {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      timeZoneName: 'longOffset',
    });
    formats.set(zone, format);
  }
  return new Map(format.formatToParts(t * 1000).map((part) => [part.type, part.value]));
}

/** The date of a time, in Unix seconds, in a zone: `YYYY-MM-DD`. */
export function dayOf(t: number, zone: string): string {
  const parts = localParts(t, zone);
  return `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`;
}

function isoTime(t: number | undefined, zone: string): string {
  if (t === undefined) return '';
  const parts = localParts(t, zone);
  const offset = (parts.get('timeZoneName') ?? '').replace('GMT', '') || '+00:00';
  return `${dayOf(t, zone)}T${parts.get('hour')}:${parts.get('minute')}:${parts.get('second')}${offset}`;
}

/** What a spreadsheet would run as a formula is prefixed. */
function cell(value: string): string {
  const runs = /^[=+\-@\t\r]/.test(value) && !/^[+-]?[0-9]+(\.[0-9]+)?$/.test(value);
  return runs ? `'${value}` : value;
}

/** A row as the CSV prints it. */
export function row(columns: Row): Row {
  return Object.fromEntries(Object.entries(columns).map(([name, value]) => [name, cell(value)]));
}

/** Adds to the list kept under a key. */
export function addTo<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key) ?? [];
  list.push(value);
  lists.set(key, list);
}

// ---------------------------------------------------------------------------------------------------------------------

/** Every outbound message, in no particular order. */
export function oracleMessages(input: Rulings): OracleMessage[] {
  return threadsOf(input).flatMap((thread) => {
    fold(thread, input);
    return thread.outbound.map((message) => ({
      phone_number_id: message.phone_number_id,
      message_id: message.id,
      customer: message.customer,
      waba_id: message.waba_id,
      sent_at: message.sent_at,
      delivered_at: message.delivered_at,
      type: message.type,
      category: message.category,
      stands_apart: message.standsApart,
      policy: message.policy,
      predicted: message.predicted,
      reported: message.reported,
      reported_category: message.reported_category,
      billing: message.billing,
      without_free_entry: message.without_free_entry,
    }));
  });
}

export function oracleReports(input: OracleInput): OracleReports {
  const { tz, as_of, from, to } = input;
  const inRange = (t: number): boolean => {
    const day = dayOf(t, tz);
    return (from === undefined || day >= from) && (to === undefined || day < to);
  };

  const messages: Outbound[] = [];
  const entries: Entry[] = [];
  const feps: Fep[] = [];
  const conversations: AdConversation[] = [];
  const reportedOnly: ReportedWindow[] = [];
  for (const thread of threadsOf(input)) {
    const opened = fold(thread, input);
    messages.push(...thread.outbound);
    entries.push(...thread.entries);
    feps.push(...opened);
    conversations.push(...adConversations(thread, opened));
    reportedOnly.push(...reportedWindows(thread, input.policy));
  }

  const messageRows = messages
    .filter((message) => inRange(message.sent_at))
    .sort(
      (a, b) =>
        a.sent_at - b.sent_at ||
        bytewise(a.id, b.id) ||
        bytewise(a.phone_number_id, b.phone_number_id) ||
        bytewise(a.customer, b.customer),
    )
    .map((message) =>
      row({
        message_id: message.id,
        phone_number_id: message.phone_number_id,
        customer: message.customer,
        sent_at: isoTime(message.sent_at, tz),
        delivered_at: isoTime(message.delivered_at, tz),
        type: message.type,
        template_name: message.template_name,
        category: message.category,
        policy: message.policy,
        predicted: message.predicted,
        reported: message.reported,
        billing: message.billing,
        billable: String(message.billing === 'BILLABLE'), // V3
        conversation_id: message.fep?.owner.id ?? '',
        ad_id: message.fep?.owner.ad_id ?? '',
        error_code: message.error.code,
        error_title: message.error.title,
        tag: message.tag,
      }),
    );

  const conversationRows = entries
    .filter((entry) => inRange(entry.t))
    .sort((a, b) => a.t - b.t || bytewise(a.id, b.id) || bytewise(a.phone_number_id, b.phone_number_id))
    .map((entry) =>
      row({
        conversation_id: entry.id,
        phone_number_id: entry.phone_number_id,
        customer: entry.customer,
        entry_at: isoTime(entry.t, tz),
        source_type: entry.source_type,
        ad_id: entry.ad_id,
        source_url: entry.source_url,
        ctwa_clid: entry.ctwa_clid,
        reply_message_id: entry.answeredBy?.id ?? '',
        replied_at: isoTime(entry.answeredBy?.sent_at, tz),
        seconds_to_reply: entry.answeredBy === undefined ? '' : String(entry.answeredBy.sent_at - entry.t),
        opened_at: isoTime(entry.fep?.opened_at, tz),
        expires_at: isoTime(entry.fep?.expires_at, tz),
        free_messages: String(entry.fep?.messages.length ?? 0),
        ad_conversation_id: entry.start?.id ?? '',
      }),
    );

  // What each figure belongs to: the last paragraph of section 6.
  const dailyKey = (t: number, phone_number_id: string): string => JSON.stringify([dayOf(t, tz), phone_number_id]);
  const adKey = (entry: Entry): string => JSON.stringify([entry.ad_id, entry.source_type]);
  const days = { conversations: new Map<string, AdConversation[]>(), feps: new Map<string, Fep[]>() };
  const dayMessages = new Map<string, Outbound[]>();
  const dayLostReferrals = new Map<string, Copy[]>();
  const dayReportedWindows = new Map<string, ReportedWindow[]>();
  const dayReportedMessages = new Map<string, Outbound[]>();
  const ads = { conversations: new Map<string, AdConversation[]>(), feps: new Map<string, Fep[]>() };
  const adEntries = new Map<string, Entry[]>();
  const adMessages = new Map<string, Outbound[]>();

  for (const conversation of conversations) {
    const { start } = conversation;
    if (!inRange(start.t)) continue;
    addTo(days.conversations, dailyKey(start.t, start.phone_number_id), conversation);
    addTo(ads.conversations, adKey(start), conversation);
  }
  for (const fep of feps) {
    if (!inRange(fep.opened_at)) continue;
    addTo(days.feps, dailyKey(fep.opened_at, fep.owner.phone_number_id), fep);
    addTo(ads.feps, adKey(fep.owner), fep);
  }
  for (const message of messages) {
    const t = message.delivered_at ?? message.sent_at;
    if (!inRange(t)) continue;
    addTo(dayMessages, dailyKey(t, message.phone_number_id), message);
    if (message.fep !== undefined) addTo(adMessages, adKey(message.fep.owner), message);
  }
  for (const { event, phone_number_id } of knownMessages(input.events)) {
    if (event === undefined || !isLostReferral(event) || !inRange(event.timestamp)) continue;
    addTo(dayLostReferrals, dailyKey(event.timestamp, phone_number_id), event);
  }
  for (const window of reportedOnly) {
    for (const [i, message] of window.messages.entries()) {
      const t = message.delivered_at!;
      if (!inRange(t)) continue;
      const key = dailyKey(t, message.phone_number_id);
      if (i === 0) addTo(dayReportedWindows, key, window);
      addTo(dayReportedMessages, key, message);
    }
  }
  for (const entry of entries) {
    if (inRange(entry.t)) addTo(adEntries, adKey(entry), entry);
  }

  const replyFigures = (of: readonly AdConversation[]): Row => {
    const replied = of.filter(isReplied);
    const mature = of.filter((conversation) => isMature(conversation, as_of));
    return {
      ad_conversations: String(of.length),
      replied: String(replied.length),
      mature: String(mature.length),
      pending: String(of.length - mature.length),
      reply_rate: rate(replied.length, mature.length),
      median_seconds_to_reply: percentile(replied.map(secondsToFirstReply), 5),
    };
  };
  const isConfirmed = (fep: Fep): boolean => fep.messages.some((message) => message.reported === 'FREE_ENTRY');

  const dailyKeys = [
    ...new Set([...days.conversations.keys(), ...days.feps.keys(), ...dayMessages.keys(), ...dayLostReferrals.keys()]),
  ];
  const daily = dailyKeys
    .map((key) => {
      const [day, phone_number_id] = JSON.parse(key) as [string, string];
      const opened = days.feps.get(key) ?? [];
      const sent = dayMessages.get(key) ?? [];
      const billed = (mark: string): string => String(sent.filter((message) => message.billing === mark).length);
      return row({
        day,
        phone_number_id,
        ...replyFigures(days.conversations.get(key) ?? []),
        windows_opened: String(opened.length),
        windows_confirmed: String(opened.filter(isConfirmed).length),
        messages: String(sent.length),
        delivered: String(sent.filter((message) => message.delivered_at !== undefined).length),
        billable: billed('BILLABLE'),
        free_entry: billed('FREE_ENTRY'),
        free_service: billed('FREE_SERVICE'),
        covered: billed('COVERED'),
        unknown: billed('UNKNOWN'),
        mismatches: String(sent.filter(isMismatch).length),
        lost_referrals: String(dayLostReferrals.get(key)?.length ?? 0),
        windows_reported_only: String(dayReportedWindows.get(key)?.length ?? 0),
        messages_reported_only: String(dayReportedMessages.get(key)?.length ?? 0),
      });
    })
    .sort((a, b) => bytewise(a['day']!, b['day']!) || bytewise(a['phone_number_id']!, b['phone_number_id']!));

  const adKeys = [
    ...new Set([...adEntries.keys(), ...ads.conversations.keys(), ...ads.feps.keys(), ...adMessages.keys()]),
  ];
  const adRows = adKeys
    .map((key) => {
      const [ad_id, source_type] = JSON.parse(key) as [string, string];
      const started = ads.conversations.get(key) ?? [];
      const opened = ads.feps.get(key) ?? [];
      const clicks = (adEntries.get(key) ?? []).map((entry) => entry.t);
      const firstEntry = clicks.length === 0 ? undefined : Math.min(...clicks);
      const lastEntry = clicks.length === 0 ? undefined : Math.max(...clicks);
      const columns = row({
        ad_id,
        source_type,
        ...replyFigures(started),
        p90_seconds_to_reply: percentile(started.filter(isReplied).map(secondsToFirstReply), 9),
        windows_opened: String(opened.length),
        windows_confirmed: String(opened.filter(isConfirmed).length),
        free_messages: String((adMessages.get(key) ?? []).length),
        first_entry_at: isoTime(firstEntry, tz),
        last_entry_at: isoTime(lastEntry, tz),
      });
      // A row without an entry in the range has no time and sorts first.
      return { columns, first: firstEntry ?? -1, ad_id, source_type };
    })
    .sort((a, b) => a.first - b.first || bytewise(a.ad_id, b.ad_id) || bytewise(a.source_type, b.source_type))
    .map((ad) => ad.columns);

  return { messages: messageRows, conversations: conversationRows, daily, ads: adRows };
}

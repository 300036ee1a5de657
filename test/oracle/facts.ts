/** Section 1 of rules.md: the threads of traffic, with the entries and the messages of each, before any mark. */
import type { Account, PolicySettings } from '../../schemas/config.ts';
import { addTo } from './cells.ts';
import {
  bytewise,
  categoryName,
  categoryOutsideGroups,
  type Copy,
  customerOf,
  distinctCopies,
  type Fields,
  inside,
  text,
} from './events.ts';
import { type CustomerOf, personsOf } from './identities.ts';

/** What the marks are a function of. */
export interface Rulings {
  /** Raw JSON values as in contract.md 1, valid in shape; any order, any duplicates. */
  readonly events: readonly unknown[];
  readonly accounts: readonly Account[];
  readonly policy: PolicySettings;
}

export interface Entry {
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

export interface Fep {
  readonly owner: Entry;
  readonly opened_at: number;
  expires_at: number;
  /** W8: whether a report has already replaced the estimate. */
  reported: boolean;
  readonly messages: Outbound[];
}

/** One row of `messages`: an outbound message, or one participant's part in a group message (F8). */
export interface Outbound {
  readonly id: string;
  readonly phone_number_id: string;
  /** F9: what rows call the person; of a group message the participant. */
  readonly customer: string;
  /** F3: what the events of the message call them; of a group message the participant. */
  readonly recipient: string;
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
export interface Thread {
  readonly isGroup: boolean;
  readonly inbound: Copy[];
  readonly entries: Entry[];
  readonly outbound: Outbound[];
}

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
export function errorsOf(fields: Fields): unknown[] {
  const errors = fields['errors'];
  if (Array.isArray(errors)) return errors;
  return typeof errors === 'object' ? [errors] : [];
}

/** Text, or a number as text; anything else, where the error is no object too, is not known. */
export function partOf(error: unknown, name: string): string {
  const value = typeof error === 'object' && error !== null ? (error as Fields)[name] : undefined;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** The first error of the latest failed status that names one. */
function errorIn(statuses: readonly Copy[]): MessageError {
  const failed = statuses.filter((status) => text(status.fields, 'status') === 'failed');
  const latest = latestOf(failed.filter((status) => status.fields['errors'] !== undefined));
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
  customerNamed: CustomerOf,
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
    customer: participant ?? customerNamed(phone_number_id, recipientOf(event, ofMessage)),
    recipient: participant ?? recipientOf(event, ofMessage),
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
  return ['edit', 'revoke', 'user_preferences'].includes(text(event.fields, 'type'));
}

interface Known {
  readonly phone_number_id: string;
  readonly id: string;
  /** Of the copies of the message event, the one that counts. */
  readonly event: Copy | undefined;
  readonly statuses: readonly Copy[];
}

/** F2: what is known of each id of each number. */
export function knownMessages(events: readonly unknown[]): Known[] {
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

export function threadsOf(input: Rulings): Thread[] {
  const threads = new Map<string, Thread>();
  const customerNamed = personsOf(distinctCopies(input.events), input.policy.identities);
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
      const customer = customerNamed(phone_number_id, customerOf(event.fields)); // F9
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
      outboundMessage(phone_number_id, id, event, statuses, participant, input, customerNamed);
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
